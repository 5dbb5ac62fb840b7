//! Configuration of buckets from the models alone: what was put can be got and deleted, after validation by its shape.

use oss_codegen::api::{BodyKind, Member, Operation, Place, Protocol, Resource, Service, ShapeId, Type};

use super::{Call, settings};
use crate::answer::Answer;
use crate::document::xml::Strictness;
use crate::document::{fields, json, xml};
use crate::error::ServiceError;
use crate::value::{Record, Value};

/// Runs a `Put`, `Get` or `Delete` of a sub-resource of a bucket that no code knows.
pub(super) async fn run(call: &Call<'_>) -> Result<Answer, ServiceError> {
    run_in(call, call.bucket().unwrap_or_default()).await
}

/// The same for a bucket that the store has under another name.
pub(super) async fn run_in(call: &Call<'_>, bucket: &str) -> Result<Answer, ServiceError> {
    let operation = call.operation;
    let unknown = || ServiceError::not_implemented(operation.name.as_str());
    if operation.resource != Resource::Bucket || operation.query.is_empty() {
        return Err(unknown());
    }
    let kind = kind(call);
    let success = operation.success.first().copied();
    if operation.name.starts_with("Put") {
        let document = serialise(call, &call.input).ok_or_else(unknown)?;
        call.store().put_config(bucket, &kind, document.into_bytes()).await?;
        Ok(Answer::empty().status(success.unwrap_or(200)))
    } else if operation.name.starts_with("Get") {
        let values = match (call.store().config(bucket, &kind)?, settings::default_of(call)) {
            (Some(stored), _) => deserialise(call, &stored)?,
            (None, Some(default)) => default,
            (None, None) => return Err(missing(call)),
        };
        Ok(Answer::ok(values).status(success.unwrap_or(200)))
    } else if operation.name.starts_with("Delete") {
        call.store().delete_config(bucket, &kind).await?;
        Ok(Answer::no_content(Record::new()).status(success.unwrap_or(204)))
    } else {
        Err(unknown())
    }
}

/// What the document of a request is stored under, and the document.
pub(super) fn document(call: &Call<'_>, input: &Record) -> Result<(String, Vec<u8>), ServiceError> {
    let document = serialise(call, input).ok_or_else(|| ServiceError::not_implemented(call.operation.name.as_str()))?;
    Ok((kind(call), document.into_bytes()))
}

/// Stores the document of a request with other members than it came with.
pub(super) async fn put_changed(call: &Call<'_>, input: &Record) -> Result<Answer, ServiceError> {
    let (kind, document) = document(call, input)?;
    call.store().put_config(call.bucket()?, &kind, document).await?;
    Ok(Answer::empty().status(call.operation.success.first().copied().unwrap_or(200)))
}

/// Writes a shape as an XML document.
pub(super) fn write_shape(service: &Service, shape: ShapeId, record: &Record) -> Vec<u8> {
    let shape = service.shape(shape);
    let members: Vec<_> = shape.members.iter().collect();
    xml::write(service, &shape.wire, &members, record, false).into_bytes()
}

/// Reads a document that [`write_shape`] wrote.
pub(super) fn read_shape(service: &Service, shape: ShapeId, document: &[u8]) -> Result<Record, ServiceError> {
    let stale = |why: String| ServiceError::internal(format!("A stored document cannot be read: {why}."));
    let text = std::str::from_utf8(document).map_err(|error| stale(error.to_string()))?;
    let root = xml::parse(text).map_err(stale)?;
    xml::read_shape(service, shape, &root, Strictness::Stored).map_err(stale)
}

/// The shape that is the whole body of a request or an answer, with its member.
pub(super) fn whole_shape(members: &[Member]) -> Option<(&Member, ShapeId)> {
    let member = whole(members)?;
    Some((member, member.ty.shape()?))
}

/// The name a document is stored under: the flags of its operations, and the ids that tell documents of a kind apart.
pub(super) fn kind(call: &Call<'_>) -> String {
    let flags = call.operation.query.iter().map(|(name, _)| name.clone());
    let ids = call
        .operation
        .request
        .iter()
        .filter(|member| member.place == Place::Query && member.required);
    let ids = ids.map(|member| call.input.text_or_empty(&member.name).to_owned());
    flags.chain(ids).collect::<Vec<_>>().join("/")
}

fn whole(members: &[Member]) -> Option<&Member> {
    members.iter().find(|member| member.place == Place::Body)
}

/// Writes the request's document as the models have it; nothing if the request has none.
pub(super) fn serialise(call: &Call<'_>, input: &Record) -> Option<String> {
    let (service, operation) = (call.service, call.operation);
    match operation.request_body {
        BodyKind::Text => {
            let member = operation.request.iter().find(|member| member.place == Place::Text)?;
            input.text(&member.name).map(str::to_owned)
        }
        BodyKind::Document => {
            let (root, members, record): (&str, Vec<&Member>, Record) = match whole(&operation.request) {
                Some(member) => {
                    let Type::Shape(id) = member.ty else {
                        return None;
                    };
                    let shape = service.shape(id);
                    (
                        &shape.wire,
                        shape.members.iter().collect(),
                        input.record(&member.name).cloned().unwrap_or_default(),
                    )
                }
                None => (
                    operation.request_root.as_deref().unwrap_or("Document"),
                    fields(&operation.request),
                    input.clone(),
                ),
            };
            Some(match service.protocol {
                Protocol::RestXml => xml::write(service, root, &members, &record, false),
                _ => serde_json::Value::Object(json::write(service, &members, &record)).to_string(),
            })
        }
        BodyKind::None | BodyKind::Stream | BodyKind::Frames => None,
    }
}

/// Reads a stored document as the result of an operation.
pub(super) fn deserialise(call: &Call<'_>, document: &[u8]) -> Result<Record, ServiceError> {
    let (service, operation) = (call.service, call.operation);
    let text = std::str::from_utf8(document).map_err(|_| ServiceError::internal("A stored document is not text."))?;
    let stale =
        |why: String| ServiceError::internal(format!("A stored document does not fit {}: {why}.", operation.name));
    match operation.result_body {
        BodyKind::Text => {
            let member = operation.result.iter().find(|member| member.place == Place::Text);
            let member = member.ok_or_else(|| ServiceError::not_implemented(operation.name.as_str()))?;
            Ok(Record::new().with(&member.name, text))
        }
        BodyKind::Document if service.protocol == Protocol::RestXml => {
            let root = xml::parse(text).map_err(stale)?;
            match whole(&operation.result).map(|member| (member, &member.ty)) {
                Some((member, Type::Shape(id))) => {
                    let record = xml::read_shape(service, *id, &root, Strictness::Stored).map_err(stale)?;
                    Ok(Record::new().with(&member.name, record))
                }
                _ => xml::read(service, &fields(&operation.result), &root, Strictness::Stored).map_err(stale),
            }
        }
        BodyKind::Document => {
            let object: serde_json::Map<String, serde_json::Value> =
                serde_json::from_str(text).map_err(|error| stale(error.to_string()))?;
            match whole(&operation.result).map(|member| (member, &member.ty)) {
                Some((member, Type::Shape(id))) => {
                    let members: Vec<_> = service.shape(*id).members.iter().collect();
                    let record = json::read(service, &members, &object).map_err(stale)?;
                    Ok(Record::new().with(&member.name, record))
                }
                Some((member, _)) => {
                    Ok(Record::new().with(&member.name, Value::Json(serde_json::Value::Object(object))))
                }
                None => json::read(service, &fields(&operation.result), &object).map_err(stale),
            }
        }
        BodyKind::None | BodyKind::Stream | BodyKind::Frames => {
            Err(ServiceError::not_implemented(operation.name.as_str()))
        }
    }
}

/// The refusal of a document that was never stored: the code that the model documents, or one made of the document's name.
pub(super) fn missing(call: &Call<'_>) -> ServiceError {
    let documented = |operation: &Operation| {
        let specific = operation
            .errors
            .iter()
            .find(|code| code.starts_with("NoSuch") && *code != "NoSuchBucket");
        specific.cloned()
    };
    let code = documented(call.operation).unwrap_or_else(|| {
        let shape = whole(&call.operation.result)
            .and_then(|member| member.ty.shape())
            .map(|id| call.service.shape(id).wire.clone());
        let name = call
            .operation
            .result_root
            .clone()
            .or(shape)
            .unwrap_or_else(|| call.operation.name.trim_start_matches("Get").to_owned());
        let suffix = if name.ends_with("Configuration") {
            ""
        } else {
            "Configuration"
        };
        format!("NoSuch{name}{suffix}")
    });
    let bucket = call.head.bucket().unwrap_or_default();
    ServiceError::new(404, code, "The bucket has no such configuration.").detail("BucketName", bucket)
}
