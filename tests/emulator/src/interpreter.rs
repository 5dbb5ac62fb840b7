//! Requests and answers by the models alone, without a server: what a request says, and how an answer is written.
//!
//! Members are JSON with the names of the models. Timestamps are RFC 3339, structures are objects, and payloads are
//! `{"$text": "..."}`. The emulator's own server reads and writes through the same code.

use bytes::Bytes;
use http::{Request, Response};
use oss_codegen::api::{Api, BodyKind, Member, Operation, Place, Protocol, Resource, Service, Trait, Type};
use serde_json::{Map, Value as Json, json};

use crate::address::{Address, HostKind};
use crate::answer::{Answer, RenderedBody};
use crate::error::ServiceError;
use crate::request::{Head, Query, Transport};
use crate::route::Route;
use crate::value::{Record, Value};
use crate::{frames, input, model, route, text, time};

/// What a request says.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadRequest {
    /// The operation that the request was taken for.
    pub operation: String,
    /// Its members by the names of the models; those without a value are absent.
    pub members: Json,
}

/// The models that the emulator was built with.
///
/// # Errors
///
/// When they are not valid; the text is the loader's report.
pub fn api() -> Result<&'static Api, String> {
    model::api()
}

/// Reads a request as the service of this name would. The bucket is taken from the path, as at an endpoint without buckets in
/// its host.
///
/// # Errors
///
/// Code and message of the refusal: no operation fits, or a member breaks its rules.
pub fn read_request(service: &str, request: &Request<Bytes>) -> Result<ReadRequest, String> {
    let service = find_service(service)?;
    read(service, request).map_err(|error| format!("{}: {}", error.code, error.message))
}

fn read(service: &'static Service, request: &Request<Bytes>) -> Result<ReadRequest, ServiceError> {
    let uri = request.uri();
    if service.protocol == Protocol::RpcJson {
        let form = std::str::from_utf8(request.body())
            .map_err(|_| ServiceError::invalid_argument("The form is not text.", "body", ""))?;
        let parameters = Query::parse(uri.query().unwrap_or_default())?.joined(Query::parse(form)?);
        let header = request
            .headers()
            .get("x-acs-action")
            .and_then(|value| value.to_str().ok());
        let name = parameters.get("Action").or(header).unwrap_or_default();
        let operation = service
            .operation(name)
            .ok_or_else(|| ServiceError::not_implemented(format!("the action {name}")))?;
        let record = input::bind_rpc(service, operation, &parameters)?;
        return Ok(done(service, operation, &record, None));
    }
    let head = Head {
        transport: Transport::default(),
        method: request.method().clone(),
        host: uri.authority().map(ToString::to_string).unwrap_or_default(),
        path: uri.path().to_owned(),
        query: Query::parse(uri.query().unwrap_or_default())?,
        headers: request.headers().clone(),
        address: address(service, uri.path())?,
    };
    let Route { operation, .. } = route::within(service, &head)?;
    let mut record = input::bind_head(service, operation, &head)?;
    input::bind_body(service, operation, request.body(), &mut record)?;
    for member in &operation.request {
        let value = match member.place {
            Place::Bucket => head.bucket(),
            Place::Key => head.key(),
            _ => None,
        };
        if let Some(value) = value {
            record.set(&member.name, value);
        }
    }
    Ok(done(service, operation, &record, Some(request.body())))
}

/// Bucket and key of a path. Buckets of the interpreter may have any name, since some services derive them.
fn address(service: &Service, path: &str) -> Result<Address, ServiceError> {
    let (bucket, key) = path
        .trim_start_matches('/')
        .split_once('/')
        .unwrap_or((path.trim_start_matches('/'), ""));
    let of_paths = service
        .operations()
        .any(|(_, operation)| matches!(operation.resource, Resource::Path(_)));
    let decoded = |part: &str| {
        (!part.is_empty() && !of_paths)
            .then(|| {
                text::decode(part).ok_or_else(|| ServiceError::invalid_argument("The path is not UTF-8.", "path", part))
            })
            .transpose()
    };
    Ok(Address {
        host: HostKind::Any,
        bucket: decoded(bucket)?,
        key: decoded(key)?,
        hosted: false,
        account: None,
    })
}

fn done(service: &Service, operation: &Operation, record: &Record, body: Option<&Bytes>) -> ReadRequest {
    let mut members = to_json(service, &operation.request, record);
    let stream = operation.request.iter().find(|member| member.place == Place::Stream);
    if let (Some(stream), Some(body)) = (stream, body.filter(|body| !body.is_empty())) {
        members.insert(stream.name.clone(), json!({"$text": String::from_utf8_lossy(body)}));
    }
    ReadRequest {
        operation: operation.name.clone(),
        members: Json::Object(members),
    }
}

/// Writes the answer of an operation from the members of its result.
///
/// # Errors
///
/// What is not known or does not fit the model.
pub fn write_answer(service: &str, operation: &str, members: &Json) -> Result<Response<Bytes>, String> {
    let service = find_service(service)?;
    let operation = service
        .operation(operation)
        .ok_or_else(|| format!("{} has no operation {operation}", service.name))?;
    let Json::Object(given) = members else {
        return Err("the members are no object".to_owned());
    };
    let mut given = given.clone();
    let stream = operation.result.iter().find(|member| member.place == Place::Stream);
    let payload = stream.and_then(|member| given.remove(&member.name));
    let record = from_json(service, &operation.result, &given)?;
    let frames = (operation.result_body == BodyKind::Frames).then(|| frames::meta(&record));
    let url_encoded = record.text("encoding_type") == Some("url");
    let answer = Answer::ok(record)
        .url_encoded(url_encoded)
        .status(operation.success.first().copied().unwrap_or(200));
    let rendered = answer
        .render(service, operation)
        .map_err(|error| format!("{}: {}", error.code, error.message))?;
    let mut response = Response::new(match (rendered.body, payload, frames) {
        (_, _, Some(frames)) => Bytes::from(frames),
        (_, payload, _) if operation.has(Trait::SelectFrames) => {
            let data = payload.as_ref().and_then(|payload| payload["$text"].as_str());
            Bytes::from(frames::data(data.unwrap_or_default().as_bytes()))
        }
        (_, Some(payload), _) => Bytes::from(payload["$text"].as_str().unwrap_or_default().to_owned()),
        (RenderedBody::Full(bytes), ..) => bytes,
        (RenderedBody::Stream(_) | RenderedBody::Open(_), ..) => Bytes::new(),
    });
    *response.status_mut() = http::StatusCode::from_u16(rendered.status).map_err(|error| error.to_string())?;
    *response.headers_mut() = rendered.headers;
    Ok(response)
}

fn find_service(name: &str) -> Result<&'static Service, String> {
    model::api()?
        .service(name)
        .ok_or_else(|| format!("there is no service {name}"))
}

fn to_json(service: &Service, members: &[Member], record: &Record) -> Map<String, Json> {
    let named = |member: &Member| {
        let value = record.get(&member.name)?;
        let value = value_to_json(service, &member.ty, value);
        let value = match member.place {
            // Raw bodies are payloads, whatever their type.
            Place::Text if member.wire.is_empty() => json!({"$text": value}),
            _ => value,
        };
        Some((member.name.clone(), value))
    };
    members.iter().filter_map(named).collect()
}

fn value_to_json(service: &Service, ty: &Type, value: &Value) -> Json {
    match (ty, value) {
        (_, Value::Json(json)) => json.clone(),
        (Type::Shape(id), Value::Record(record)) => Json::Object(to_json(service, &service.shape(*id).members, record)),
        (Type::List(item), Value::List(items)) => {
            items.iter().map(|value| value_to_json(service, item, value)).collect()
        }
        (Type::Map(item), Value::Map(entries)) => Json::Object(
            entries
                .iter()
                .map(|(name, value)| (name.clone(), value_to_json(service, item, value)))
                .collect(),
        ),
        (_, Value::Integer(number)) => Json::from(*number),
        (_, Value::Float(number)) => Json::from(*number),
        (_, Value::Bool(flag)) => Json::from(*flag),
        (_, Value::Time(at)) => Json::from(time::iso8601(*at)),
        (_, Value::Text(text)) => Json::from(text.as_str()),
        (_, _) => Json::Null,
    }
}

fn from_json(service: &Service, members: &[Member], given: &Map<String, Json>) -> Result<Record, String> {
    let mut record = Record::new();
    for (name, json) in given {
        let member = members
            .iter()
            .find(|member| member.name == *name)
            .ok_or_else(|| format!("there is no member {name}"))?;
        let json = match member.place {
            Place::Text => json.get("$text").unwrap_or(json),
            _ => json,
        };
        record.set(
            name,
            value_from_json(service, &member.ty, json).ok_or_else(|| format!("{name} does not fit its type"))?,
        );
    }
    Ok(record)
}

fn value_from_json(service: &Service, ty: &Type, json: &Json) -> Option<Value> {
    Some(match (ty, json) {
        (Type::Any, json) => Value::Json(json.clone()),
        (Type::Shape(id), Json::Object(object)) => {
            Value::Record(from_json(service, &service.shape(*id).members, object).ok()?)
        }
        (Type::List(item), Json::Array(items)) => Value::List(
            items
                .iter()
                .map(|json| value_from_json(service, item, json))
                .collect::<Option<_>>()?,
        ),
        (Type::Map(item), Json::Object(entries)) => Value::Map(
            entries
                .iter()
                .map(|(name, json)| Some((name.clone(), value_from_json(service, item, json)?)))
                .collect::<Option<_>>()?,
        ),
        (Type::Integer, json) => Value::Integer(json.as_i64()?),
        (Type::Float | Type::Float32, json) => Value::Float(json.as_f64()?),
        (Type::Bool, json) => Value::Bool(json.as_bool()?),
        (Type::Timestamp(_), json) => Value::Time(time::parse_iso8601(json.as_str()?)?),
        (_, json) => Value::Text(json.as_str()?.to_owned()),
    })
}
