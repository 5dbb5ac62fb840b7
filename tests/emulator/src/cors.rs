//! Requests of browsers from other origins: preflight requests, and the headers that let scripts read answers.

use http::{HeaderMap, Method};
use oss_codegen::api::Service;

use crate::answer::{Rendered, RenderedBody, insert};
use crate::document::xml::{self, Strictness};
use crate::error::ServiceError;
use crate::request::Head;
use crate::state::State;
use crate::store_error::locate;
use crate::value::{Record, Value};

/// What the document is stored under.
const KIND: &str = "cors";
const MAX_RULES: usize = 10;

/// The rules of a bucket.
struct Rules(Record);

/// Answers a preflight request: the first rule that fits decides, whoever asks.
pub(crate) fn preflight(state: &State, head: &Head) -> Result<Rendered, ServiceError> {
    let bucket = head
        .bucket()
        .ok_or_else(|| ServiceError::not_implemented("OPTIONS of the service"))?;
    let missing = |name: &str| {
        ServiceError::new(
            400,
            "BadRequest",
            format!("Insufficient information. {name} request header needed."),
        )
    };
    let origin = single(head, "origin")?.ok_or_else(|| missing("Origin"))?;
    let method =
        single(head, "access-control-request-method")?.ok_or_else(|| missing("Access-Control-Request-Method"))?;
    if !["GET", "PUT", "POST", "DELETE", "HEAD"].contains(&method) {
        return Err(ServiceError::new(
            400,
            "BadRequest",
            format!("Invalid Access-Control-Request-Method: {method}"),
        ));
    }
    let announced = head.header("access-control-request-headers").unwrap_or_default();
    let forbidden = |message: &str| {
        ServiceError::new(403, "AccessForbidden", message)
            .detail("Method", method)
            .detail("ResourceType", if head.key().is_some() { "OBJECT" } else { "BUCKET" })
    };
    let rules = Rules::of(state, bucket)
        .map_err(|error| locate(error, head))?
        .ok_or_else(|| forbidden("CORSResponse: CORS is not enabled for this bucket."))?;
    let names: Vec<&str> = announced
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect();
    let rule = rules.fitting(origin, method, &names).ok_or_else(|| {
        forbidden("CORSResponse: This CORS request is not allowed: no rule of the bucket fits its origin, its method and all of its headers.")
    })?;
    let mut headers = HeaderMap::new();
    grant(rule, origin, &mut headers);
    if !names.is_empty() {
        insert(&mut headers, "access-control-allow-headers", &names.join(", "));
    }
    if rules.0.flag("response_vary") {
        insert(&mut headers, "vary", "Origin");
    }
    Ok(Rendered {
        status: 200,
        headers,
        body: RenderedBody::Full(bytes::Bytes::new()),
    })
}

/// Adds to the answer of an actual request what lets a script of its origin read it. Nothing is refused here: that is the browser's
/// part.
pub(crate) fn decorate(
    state: &State,
    bucket: Option<&str>,
    origin: Option<&str>,
    method: &str,
    headers: &mut HeaderMap,
) {
    if method == Method::OPTIONS.as_str() {
        return;
    }
    let Some(Ok(Some(rules))) = bucket.map(|bucket| Rules::of(state, bucket)) else {
        return;
    };
    if rules.0.flag("response_vary") {
        let also = crate::request::header(headers, "vary").map(|other| format!("{other}, Origin"));
        insert(headers, "vary", also.as_deref().unwrap_or("Origin"));
    }
    if let Some(origin) = origin
        && let Some(rule) = rules.fitting(origin, method, &[])
    {
        grant(rule, origin, headers);
    }
}

/// Checks what the shape of the document cannot say.
pub(crate) fn check(configuration: &Record) -> Result<(), ServiceError> {
    let stars = |text: &str| text.matches('*').count();
    for rule in configuration.records("cors_rules") {
        let texts = |name: &str| texts(rule, name).map(str::to_owned).collect::<Vec<_>>();
        if texts("allowed_origins").is_empty() || texts("allowed_methods").is_empty() {
            return Err(ServiceError::malformed_xml(
                "a CORSRule needs an AllowedOrigin and an AllowedMethod",
            ));
        }
        for (member, element, most) in [
            ("allowed_origins", "AllowedOrigin", 1),
            ("allowed_headers", "AllowedHeader", 1),
            ("expose_headers", "ExposeHeader", 0),
        ] {
            for value in texts(member) {
                if value.is_empty() || stars(&value) > most {
                    return Err(ServiceError::invalid_argument(
                        format!("{element} must not be empty and may have {most} asterisks."),
                        element,
                        &value,
                    ));
                }
            }
        }
    }
    Ok(())
}

/// The service has a code of its own for too many rules, which the shape of the document would call malformed.
pub(crate) fn too_many_rules(operation: &str, document: &[u8], error: ServiceError) -> ServiceError {
    if operation != "PutBucketCors" || error.code != "MalformedXML" {
        return error;
    }
    let root = std::str::from_utf8(document)
        .ok()
        .and_then(|text| xml::parse(text).ok());
    let rules = root.map_or(0, |root| {
        root.children.iter().filter(|child| child.name == "CORSRule").count()
    });
    match rules > MAX_RULES {
        true => ServiceError::new(
            400,
            "CORSRuleBeyondLimit",
            "The number of CORS rules should not exceed the allowed limit of 10 rules.",
        ),
        false => error,
    }
}

fn single<'h>(head: &'h Head, name: &str) -> Result<Option<&'h str>, ServiceError> {
    if head.headers.get_all(name).iter().count() > 1 {
        return Err(ServiceError::new(
            400,
            "BadRequest",
            format!("The request has more than one {name} header."),
        ));
    }
    Ok(head.header(name).filter(|value| !value.is_empty()))
}

fn texts<'r>(record: &'r Record, name: &str) -> impl Iterator<Item = &'r str> {
    record.list(name).iter().filter_map(|value| match value {
        Value::Text(text) => Some(text.as_str()),
        _ => None,
    })
}

impl Rules {
    fn of(state: &State, bucket: &str) -> Result<Option<Self>, ServiceError> {
        let Some(stored) = state.store.config(bucket, KIND)? else {
            return Ok(None);
        };
        let unreadable = || ServiceError::internal("The stored CORS rules cannot be read.");
        let service: &Service = state.api.service("oss").ok_or_else(unreadable)?;
        let (shape, _) = service
            .shapes
            .iter()
            .enumerate()
            .find(|(_, shape)| shape.wire == "CORSConfiguration")
            .ok_or_else(unreadable)?;
        let text = std::str::from_utf8(&stored).map_err(|_| unreadable())?;
        let root = xml::parse(text).map_err(|_| unreadable())?;
        let id = oss_codegen::api::ShapeId(shape);
        let record = xml::read_shape(service, id, &root, Strictness::Stored).map_err(|_| unreadable())?;
        Ok(Some(Self(record)))
    }

    /// The first rule for an origin, a method and all of the headers.
    fn fitting(&self, origin: &str, method: &str, headers: &[&str]) -> Option<&Record> {
        let fits = |pattern: &str, text: &str| match pattern.split_once('*') {
            Some((start, end)) => {
                text.len() >= start.len() + end.len() && text.starts_with(start) && text.ends_with(end)
            }
            None => pattern == text,
        };
        self.0.records("cors_rules").find(|rule| {
            texts(rule, "allowed_origins").any(|pattern| fits(pattern, origin))
                && texts(rule, "allowed_methods").any(|allowed| allowed == method)
                && headers.iter().all(|header| {
                    let header = header.to_ascii_lowercase();
                    texts(rule, "allowed_headers").any(|pattern| fits(&pattern.to_ascii_lowercase(), &header))
                })
        })
    }
}

/// Writes what a rule allows.
fn grant(rule: &Record, origin: &str, headers: &mut HeaderMap) {
    let any = texts(rule, "allowed_origins").any(|pattern| pattern == "*");
    insert(headers, "access-control-allow-origin", if any { "*" } else { origin });
    let methods: Vec<_> = texts(rule, "allowed_methods").collect();
    insert(headers, "access-control-allow-methods", &methods.join(", "));
    let exposed: Vec<_> = texts(rule, "expose_headers").collect();
    if !exposed.is_empty() {
        insert(headers, "access-control-expose-headers", &exposed.join(", "));
    }
    if let Some(seconds) = rule.integer("max_age_seconds") {
        insert(headers, "access-control-max-age", &seconds.to_string());
    }
}
