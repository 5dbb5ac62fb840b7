//! Every operation, both ways: what the client writes, the emulator's interpreter of the models reads as the same values, and
//! what the interpreter writes, the client reads.
//!
//! Client and interpreter share the models and nothing else. `PROPTEST_CASES` says how many values each operation gets.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use oss_emulator::interpreter;
use oss_emulator::model::{BodyKind, Literal, Member, Operation, Place, Service, Trait, Type};
use oss_sdk::dynamic::Clients;
use oss_sdk::http::{Request, Response};
use oss_sdk::transport::{Transport, TransportFuture, TransportRequest, TransportResponse};
use oss_sdk::{Config, Credentials};
use oss_suite::arbitrary;
use proptest::strategy::BoxedStrategy;
use proptest::test_runner::{Config as Cases, TestCaseError, TestRunner};
use serde_json::{Map, Value};

/// Values for each operation and way, unless `PROPTEST_CASES` says otherwise.
const CASES: u32 = 12;

/// Keeps the request and gives an answer.
#[derive(Debug, Default, Clone)]
struct Mirror {
    answer: Arc<Mutex<Response<Bytes>>>,
    request: Arc<Mutex<Option<Request<Bytes>>>>,
}

impl Transport for Mirror {
    fn send(&self, mut sent: TransportRequest) -> TransportFuture<'_> {
        Box::pin(async move {
            let mut payload = Vec::new();
            while let Some(chunk) = std::future::poll_fn(|cx| sent.body.poll_chunk(cx)).await {
                payload.extend_from_slice(&chunk.unwrap());
            }
            let mut request = Request::new(Bytes::from(payload));
            *request.method_mut() = sent.method;
            *request.uri_mut() = sent.url.parse().unwrap();
            *request.headers_mut() = sent.headers;
            *self.request.lock().unwrap_or_else(PoisonError::into_inner) = Some(request);
            let answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let mut response = TransportResponse::new(answer.status(), answer.body().clone());
            response.headers = answer.headers().clone();
            Ok(response)
        })
    }
}

struct Subject {
    runtime: tokio::runtime::Runtime,
    mirror: Mirror,
    clients: Clients,
    service: &'static Service,
    operation: &'static Operation,
}

impl Subject {
    fn new(service: &'static Service, operation: &'static Operation) -> Self {
        let mirror = Mirror::default();
        let config = Config::new()
            .endpoint("http://127.0.0.1:9000")
            .region("cn-hangzhou")
            .account_id("1234567890123456")
            .credentials(Credentials::new("ak", "sk"))
            .retry_attempts(1)
            .transport(mirror.clone());
        Self {
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap(),
            mirror,
            clients: Clients::new(config),
            service,
            operation,
        }
    }

    fn call(&self, input: &Value) -> Result<Value, String> {
        let call = self
            .clients
            .call(&self.service.name, &self.operation.name, input.clone());
        self.runtime.block_on(call).map_err(|error| error.to_string())
    }

    /// What the client writes, the interpreter reads.
    fn request(&self, input: &Value) -> Result<(), String> {
        // Whether the empty answer makes sense is another matter.
        let outcome = self.call(input);
        let sent = self
            .mirror
            .request
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let sent = sent.ok_or_else(|| format!("nothing was sent: {outcome:?}"))?;
        let read =
            interpreter::read_request(&self.service.name, &sent).map_err(|error| format!("{error}\n{sent:?}"))?;
        same(
            "operation",
            &Value::from(read.operation),
            &Value::from(self.operation.name.as_str()),
        )?;
        let mut expected = normal(input);
        let mut read = normal(&read.members);
        for member in &self.operation.request {
            self.adapt(member, &mut expected, &mut read);
        }
        same("request", &read, &expected).map_err(|error| format!("{error}\n{sent:?}"))
    }

    /// What both sides may say differently on purpose.
    fn adapt(&self, member: &Member, expected: &mut Value, read: &mut Value) {
        let (Some(expected), Some(read)) = (expected.as_object_mut(), read.as_object_mut()) else {
            return;
        };
        match member.place {
            Place::Body if self.operation.has(Trait::SortParts) => {
                let parts = expected
                    .get_mut(&member.name)
                    .and_then(|document| document.get_mut("parts"));
                if let Some(Value::Array(parts)) = parts {
                    parts.sort_by_key(|part| part["part_number"].as_i64());
                }
            }
            Place::Local => drop(expected.remove(&member.name)),
            Place::HeaderMap if !expected.contains_key(&member.name) && is_empty_object(read.get(&member.name)) => {
                read.remove(&member.name);
            }
            // The fixed query may say it already.
            Place::Query if !expected.contains_key(&member.name) => {
                let is_fixed = |wire: &String| self.operation.query.iter().any(|(fixed, _)| fixed == wire);
                if member.wire.first().is_some_and(is_fixed) {
                    read.remove(&member.name);
                }
            }
            // The client fills these in.
            Place::Header if !expected.contains_key(&member.name) => {
                let wire = member.wire.first().map(|wire| wire.to_ascii_lowercase());
                if matches!(wire.as_deref(), Some("content-type" | "content-md5" | "content-length")) {
                    read.remove(&member.name);
                }
            }
            Place::Bucket => {
                if let (Some(template), Some(Value::String(bucket))) =
                    (&self.service.bucket_name, expected.get_mut(&member.name))
                {
                    *bucket = template
                        .replace("{bucket}", bucket)
                        .replace("{account_id}", "1234567890123456")
                        .replace("{region}", "cn-hangzhou");
                }
            }
            _ => {}
        }
    }

    /// What the interpreter writes, the client reads.
    fn answer(&self, input: &Value, members: &Value) -> Result<(), String> {
        let mut answer = interpreter::write_answer(&self.service.name, &self.operation.name, members)?;
        // Payloads and texts belong to callers, who may have anything in them.
        let is_text = self
            .operation
            .result
            .iter()
            .any(|member| member.place == Place::RootText);
        if self.operation.result_body == BodyKind::Document && !is_text {
            *answer.body_mut() = with_strangers(answer.body());
        }
        *self.mirror.answer.lock().unwrap_or_else(PoisonError::into_inner) = answer.clone();
        let output = self.call(input).map_err(|error| format!("{error}\n{answer:?}"))?;
        let mut output = normal(&output);
        let mut expected = members.clone();
        self.fill(&self.operation.result, &mut expected);
        let expected = normal(&expected);
        if let (Some(output), Some(expected)) = (output.as_object_mut(), expected.as_object()) {
            output.retain(|name, value| {
                let own = matches!(name.as_str(), "status_code" | "request_id") && !expected.contains_key(name);
                // An answer without a payload has an empty one.
                let nothing = name == "body" && !expected.contains_key(name);
                let no_entries = value.as_object().is_some_and(Map::is_empty)
                    && self
                        .operation
                        .result
                        .iter()
                        .any(|member| member.name == *name && member.place == Place::HeaderMap);
                let filled = self.operation.result.iter().any(|member| {
                    member.name == *name && member.place == Place::Header && !expected.contains_key(name)
                });
                !own && !nothing && !filled && !no_entries
            });
        }
        same("answer", &output, &expected).map_err(|error| format!("{error}\n{answer:?}"))
    }

    /// Defaults stand for what an answer lacks.
    fn fill(&self, members: &'static [Member], value: &mut Value) {
        let Some(object) = value.as_object_mut() else {
            return;
        };
        for member in members {
            match object.get_mut(&member.name) {
                Some(inner) => self.fill_inner(&member.ty, inner),
                None => {
                    let default = match &member.default {
                        Some(Literal::String(text)) => Value::from(text.as_str()),
                        Some(Literal::Integer(number)) => Value::from(*number),
                        Some(Literal::Float(number)) => Value::from(*number),
                        Some(Literal::Bool(flag)) => Value::from(*flag),
                        None if matches!(member.ty, Type::Map(_)) && member.place == Place::Field => {
                            Value::Object(Map::new())
                        }
                        None => continue,
                    };
                    object.insert(member.name.clone(), default);
                }
            }
        }
    }

    fn fill_inner(&self, ty: &'static Type, value: &mut Value) {
        match (ty, value) {
            (Type::Shape(id), value) => self.fill(&self.service.shape(*id).members, value),
            (Type::List(item), Value::Array(values)) => {
                values.iter_mut().for_each(|value| self.fill_inner(item, value))
            }
            (Type::Map(item), Value::Object(values)) => {
                values.values_mut().for_each(|value| self.fill_inner(item, value));
            }
            _ => {}
        }
    }
}

/// Elements and keys that no model knows, at both ends of a document.
fn with_strangers(body: &Bytes) -> Bytes {
    const STRANGER: &str = "<Stranger kind=\"x\"><Inner>1</Inner><!-- none --></Stranger>";
    let Ok(text) = std::str::from_utf8(body) else {
        return body.clone();
    };
    if let Ok(Value::Object(mut object)) = serde_json::from_str(text) {
        object.insert("Stranger".to_owned(), serde_json::json!({"inner": [1, null]}));
        return Value::Object(object).to_string().into();
    }
    let Some(root) = text.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n") else {
        return body.clone();
    };
    match (root.find('>'), root.rfind("</")) {
        // The text of a root is its value.
        (Some(start), Some(end)) if root[start + 1..].starts_with('<') && end > start => {
            let (head, rest) = root.split_at(start + 1);
            let (middle, tail) = rest.split_at(end - start - 1);
            format!("{head}{STRANGER}{middle}{STRANGER}{tail}").into()
        }
        _ => body.clone(),
    }
}

/// Empty lists and maps are none, payloads that are text are the text, and whole seconds have no fraction.
fn normal(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            if let (1, Some(text)) = (object.len(), object.get("$text")) {
                return text.clone();
            }
            let kept = object.iter().filter_map(|(name, value)| {
                let value = normal(value);
                let is_empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
                (!is_empty).then(|| (name.clone(), value))
            });
            Value::Object(kept.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(normal).collect(),
        Value::String(text) if text.ends_with(".000Z") => Value::String(format!("{}Z", &text[..text.len() - 5])),
        Value::Number(number) => number.as_f64().map_or_else(
            || value.clone(),
            |float| {
                if number.is_f64() && float.fract() == 0.0 {
                    Value::from(float as i64)
                } else {
                    value.clone()
                }
            },
        ),
        other => other.clone(),
    }
}

fn is_empty_object(value: Option<&Value>) -> bool {
    value.and_then(Value::as_object).is_some_and(Map::is_empty)
}

fn same(what: &str, left: &Value, right: &Value) -> Result<(), String> {
    match left == right {
        true => Ok(()),
        false => Err(format!("{what}\n  read:    {left}\n  written: {right}")),
    }
}

fn for_all(
    strategy: &BoxedStrategy<Value>,
    cases: u32,
    check: impl Fn(&Value) -> Result<(), String>,
) -> Result<(), String> {
    let mut config = Cases::default();
    let wanted = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok());
    config.cases = wanted.filter(|_| cases > 1).unwrap_or(cases);
    config.failure_persistence = None;
    // Smaller values of a thousand items would take longer than they help.
    config.max_shrink_iters = if cases == 1 { 0 } else { 400 };
    let outcome = TestRunner::new(config).run(strategy, |value| check(&value).map_err(TestCaseError::fail));
    outcome.map_err(|error| error.to_string())
}

/// Runs a check for every operation and shows what failed, for each operation once.
fn each_operation(check: impl Fn(&Subject) -> Result<(), String>) {
    let mut failures = Vec::new();
    for service in &interpreter::api().unwrap().services {
        for (_, operation) in service.operations() {
            if let Err(error) = check(&Subject::new(service, operation)) {
                failures.push(format!("{}/{}: {error}", service.name, operation.name));
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} operations:\n{}",
        failures.len(),
        failures.join("\n\n")
    );
}

#[test]
fn the_service_reads_what_the_client_writes() {
    each_operation(|subject| {
        for_all(
            &arbitrary::request(subject.service, subject.operation),
            CASES,
            |input| subject.request(input),
        )
    });
}

#[test]
fn the_client_reads_what_the_service_writes() {
    each_operation(|subject| {
        let requests = arbitrary::minimal_request(subject.service, subject.operation);
        let answers = arbitrary::answer(subject.service, subject.operation);
        for_all(&both(requests, answers), CASES, |both| {
            subject.answer(&both[0], &both[1])
        })
    });
}

#[test]
fn lists_of_a_thousand_items_travel_both_ways() {
    each_operation(|subject| {
        let requests = arbitrary::long_request(subject.service, subject.operation, 1000);
        for_all(&requests, 1, |input| subject.request(input))?;
        let requests = arbitrary::minimal_request(subject.service, subject.operation);
        let answers = arbitrary::long_answer(subject.service, subject.operation, 1000);
        for_all(&both(requests, answers), 1, |both| subject.answer(&both[0], &both[1]))
    });
}

fn both(requests: BoxedStrategy<Value>, answers: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    use proptest::strategy::Strategy as _;
    (requests, answers)
        .prop_map(|(request, answer)| Value::Array(vec![request, answer]))
        .boxed()
}
