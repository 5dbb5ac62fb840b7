//! From a request to the members of its operation, each read by its type and held against its limits.

use std::collections::BTreeMap;

use oss_codegen::api::{BodyKind, Member, Operation, Place, Protocol, Resource, Segment, Service, Type};

use crate::address::{is_bucket_name, is_object_key};
use crate::document::xml::Strictness;
use crate::document::{fields, json, refusal, scalar, xml};
use crate::error::ServiceError;
use crate::operations;
use crate::request::{Head, Query};
use crate::text;
use crate::value::{Record, Value};

/// Reads all members but those of the body.
pub(crate) fn bind_head(service: &Service, operation: &Operation, head: &Head) -> Result<Record, ServiceError> {
    let mut record = Record::new();
    for member in &operation.request {
        let wire = member.wire.first().map(String::as_str).unwrap_or_default();
        match member.place {
            Place::Query => {
                let raw = std::iter::once(wire)
                    .chain(member.aliases.iter().map(String::as_str))
                    .find_map(|name| head.query.get(name));
                // An empty parameter that is not text is a flag without a value.
                let raw = raw.filter(|raw| !raw.is_empty() || matches!(member.ty, Type::String));
                bind(service, member, wire, raw, &mut record)?;
            }
            Place::QueryJson => {
                let raw = head.query.get(wire).filter(|raw| !raw.is_empty());
                bind_json_parameter(service, member, wire, raw, &mut record)?;
            }
            Place::Path => {
                let raw = path_segment(operation, &member.name, &head.path);
                let decoded = raw.and_then(text::decode).ok_or_else(|| {
                    ServiceError::invalid_argument("A segment of the path is not valid.", &member.name, "")
                })?;
                bind(service, member, &member.name, Some(&decoded), &mut record)?;
            }
            Place::Header => {
                let raw = head
                    .headers
                    .get(wire)
                    .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
                bind(service, member, wire, raw.as_deref(), &mut record)?;
            }
            Place::HeaderMap => record.set(&member.name, header_map(wire, head)?),
            Place::CopySourceBucket | Place::CopySourceKey | Place::CopySourceVersionId => {
                let source = copy_source(head)?;
                let part = match member.place {
                    Place::CopySourceBucket => Some(source.bucket),
                    Place::CopySourceKey => Some(source.key),
                    _ => source.version_id,
                };
                if let Some(part) = part {
                    record.set(&member.name, part);
                }
            }
            _ => {}
        }
    }
    if !operation.any_of.is_empty()
        && !operation
            .any_of
            .iter()
            .any(|set| set.iter().all(|name| may_be_set(operation, &record, name)))
    {
        let sets: Vec<String> = operation.any_of.iter().map(|set| set.join(" and ")).collect();
        return Err(ServiceError::new(
            400,
            "MissingArgument",
            format!("Missing Some Required Arguments: {}.", sets.join(", or ")),
        ));
    }
    Ok(record)
}

/// Whether a member is there, or stands in the body, which is read later.
fn may_be_set(operation: &Operation, record: &Record, name: &str) -> bool {
    let in_body = |member: &Member| member.name == name && matches!(member.place, Place::Field | Place::Body);
    record.has(name) || operation.request.iter().any(in_body)
}

/// The segment of a path that stands where the template has a member, as sent.
fn path_segment<'p>(operation: &Operation, name: &str, path: &'p str) -> Option<&'p str> {
    let Resource::Path(template) = &operation.resource else {
        return None;
    };
    let at = template
        .iter()
        .position(|segment| matches!(segment, Segment::Member(member) if member == name))?;
    path.trim_start_matches('/').split('/').nth(at)
}

/// Reads a JSON document out of a parameter.
fn bind_json_parameter(
    service: &Service,
    member: &Member,
    wire: &str,
    raw: Option<&str>,
    record: &mut Record,
) -> Result<(), ServiceError> {
    let Some(raw) = raw else {
        return bind(service, member, wire, None, record);
    };
    let invalid =
        |why: String| ServiceError::invalid_argument(format!("The value of {wire} is not valid: {why}."), wire, raw);
    let parsed: serde_json::Value = serde_json::from_str(raw).map_err(|error| invalid(error.to_string()))?;
    let value = json::read_value(service, &member.ty, wire, &parsed).map_err(invalid)?;
    scalar::check(member, &value).map_err(invalid)?;
    record.set(&member.name, value);
    Ok(())
}

fn bind(
    service: &Service,
    member: &Member,
    wire: &str,
    raw: Option<&str>,
    record: &mut Record,
) -> Result<(), ServiceError> {
    let Some(raw) = raw else {
        return match member.required {
            true => Err(ServiceError::new(
                400,
                "MissingArgument",
                format!("Missing Some Required Arguments: {wire}."),
            )
            .detail("ArgumentName", wire)),
            false => Ok(()),
        };
    };
    let spelled = match (member.name.as_str(), &member.ty) {
        // Clients and documents do not agree on the case of these.
        ("metadata_directive" | "tagging_directive", Type::Enum(id)) => {
            let values = &service.enumeration(*id).values;
            values.iter().find(|value| value.wire.eq_ignore_ascii_case(raw))
        }
        _ => None,
    };
    let raw = spelled.map_or(raw, |value| value.wire.as_str());
    let refused = |why: String| match (wire, member.name.as_str()) {
        // HTTP has read it as a number already, so it can only be too large a one.
        ("Content-Length", _) => entity_too_large(member, raw),
        (_, "server_side_encryption") => operations::unknown_encryption(raw),
        _ => ServiceError::invalid_argument(format!("The value of {wire} {why}."), wire, raw),
    };
    let value = scalar::read(service, &member.ty, raw).map_err(|expected| refused(format!("is not {expected}")))?;
    scalar::check(member, &value).map_err(refused)?;
    record.set(&member.name, value);
    Ok(())
}

fn entity_too_large(member: &Member, proposed: &str) -> ServiceError {
    let most = member.range.map(|(_, most)| most.to_string()).unwrap_or_default();
    ServiceError::new(
        400,
        "EntityTooLarge",
        "Your proposed upload exceeds the maximum allowed object size.",
    )
    .detail("MaxSizeAllowed", most)
    .detail("ProposedSize", proposed)
}

fn header_map(prefix: &str, head: &Head) -> Result<Value, ServiceError> {
    let mut map = BTreeMap::new();
    for (name, value) in &head.headers {
        let Some(rest) = name.as_str().strip_prefix(&prefix.to_ascii_lowercase()) else {
            continue;
        };
        // HTTP made the letters small already.
        if rest.is_empty() || !rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Err(ServiceError::invalid_argument(
                "The name of a metadata header consists of letters, digits and hyphens.",
                name.as_str(),
                rest,
            ));
        }
        map.insert(
            rest.to_owned(),
            Value::Text(String::from_utf8_lossy(value.as_bytes()).into_owned()),
        );
    }
    Ok(Value::Map(map))
}

struct CopySource {
    bucket: String,
    key: String,
    version_id: Option<String>,
}

/// Reads `/{bucket}/{encoded key}[?versionId={id}]`.
fn copy_source(head: &Head) -> Result<CopySource, ServiceError> {
    let raw = head.header("x-oss-copy-source").unwrap_or_default();
    let invalid =
        || ServiceError::invalid_argument("The copy source is not /{bucket}/{key}.", "x-oss-copy-source", raw);
    let (path, query) = raw.split_once('?').unwrap_or((raw, ""));
    // Some clients encode the slashes as well, so the parts are told apart afterwards.
    let path = text::decode(path).ok_or_else(invalid)?;
    let (bucket, key) = path
        .strip_prefix('/')
        .and_then(|path| path.split_once('/'))
        .filter(|(bucket, key)| !bucket.is_empty() && is_object_key(key))
        .ok_or_else(invalid)?;
    if !is_bucket_name(bucket) {
        return Err(
            ServiceError::new(400, "InvalidBucketName", "The specified bucket is not valid.")
                .detail("BucketName", bucket),
        );
    }
    let version_id = Query::parse(query)?.get("versionId").map(str::to_owned);
    Ok(CopySource {
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        version_id,
    })
}

/// Reads the members of a document or a text body.
pub(crate) fn bind_body(
    service: &Service,
    operation: &Operation,
    body: &[u8],
    record: &mut Record,
) -> Result<(), ServiceError> {
    match operation.request_body {
        BodyKind::None | BodyKind::Stream | BodyKind::Frames => Ok(()),
        BodyKind::Text => bind_text(operation, body, record),
        BodyKind::Document if service.protocol == Protocol::RestXml => bind_xml(service, operation, body, record),
        BodyKind::Document => bind_json(service, operation, body, record),
    }
}

fn bind_text(operation: &Operation, body: &[u8], record: &mut Record) -> Result<(), ServiceError> {
    let Some(member) = operation.request.iter().find(|member| member.place == Place::Text) else {
        return Ok(());
    };
    let text = std::str::from_utf8(body)
        .map_err(|_| ServiceError::invalid_argument("The body is not UTF-8.", &member.name, ""))?;
    let text = match member.wire.first() {
        Some(name) => text
            .strip_prefix(name.as_str())
            .and_then(|rest| rest.strip_prefix('='))
            .ok_or_else(|| ServiceError::invalid_argument(format!("The body is not {name}=."), name, text))?,
        None => text,
    };
    let documented = |code: &str| operation.errors.iter().any(|known| known == code);
    if let Some((_, most)) = member.length
        && u64::try_from(text.len()).unwrap_or(u64::MAX) > most
        && documented("EntityTooLarge")
    {
        return Err(ServiceError::new(
            400,
            "EntityTooLarge",
            "Your proposed upload exceeds the maximum allowed size.",
        )
        .detail("MaxSizeAllowed", most.to_string())
        .detail("ProposedSize", text.len().to_string()));
    }
    if text.is_empty() && documented("InvalidPolicyDocument") {
        return Err(ServiceError::new(400, "InvalidPolicyDocument", "The policy is empty."));
    }
    let value = Value::Text(text.to_owned());
    scalar::check(member, &value)
        .map_err(|why| ServiceError::invalid_argument(format!("The body {why}."), &member.name, ""))?;
    record.set(&member.name, value);
    Ok(())
}

fn bind_xml(service: &Service, operation: &Operation, body: &[u8], record: &mut Record) -> Result<(), ServiceError> {
    let whole = operation.request.iter().find(|member| member.place == Place::Body);
    if body.iter().all(u8::is_ascii_whitespace) {
        let required = whole.is_some_and(|member| member.required)
            || fields(&operation.request).iter().any(|member| member.required);
        return if required {
            Err(ServiceError::malformed_xml("the document is empty"))
        } else {
            Ok(())
        };
    }
    let text = std::str::from_utf8(body).map_err(|_| ServiceError::malformed_xml("the document is not UTF-8"))?;
    let root = xml::parse(text).map_err(ServiceError::malformed_xml)?;
    let refused = |why| refusal::of(operation, why);
    let expect_root = |expected: &str| match root.name == expected {
        true => Ok(()),
        false => Err(ServiceError::malformed_xml(format!(
            "the root element is {} instead of {expected}",
            root.name
        ))),
    };
    if let Some(member) = whole {
        let Type::Shape(id) = member.ty else {
            return Ok(());
        };
        if service.shape(id).one_of {
            let chosen = xml::read_one_of(service, id, &root).map_err(refused)?;
            record.set(&member.name, chosen);
            return Ok(());
        }
        expect_root(&service.shape(id).wire)?;
        let value = xml::read_shape(service, id, &root, Strictness::Request).map_err(refused)?;
        record.set(&member.name, value);
        return Ok(());
    }
    if let Some(expected) = &operation.request_root {
        expect_root(expected)?;
    }
    let members = fields(&operation.request);
    let values = xml::read(service, &members, &root, Strictness::Request).map_err(refused)?;
    merge(record, values);
    Ok(())
}

fn bind_json(service: &Service, operation: &Operation, body: &[u8], record: &mut Record) -> Result<(), ServiceError> {
    let malformed =
        |why: String| ServiceError::new(400, "MalformedJson", format!("The JSON document is not valid: {why}."));
    let whole = operation.request.iter().find(|member| member.place == Place::Body);
    let members = fields(&operation.request);
    let parsed = match body.iter().all(u8::is_ascii_whitespace) {
        true => serde_json::Value::Object(serde_json::Map::new()),
        false => serde_json::from_slice(body).map_err(|error| malformed(error.to_string()))?,
    };
    let serde_json::Value::Object(mut object) = parsed else {
        return Err(malformed("it is not an object".to_owned()));
    };
    if let Some(root) = &operation.request_root {
        object = match object.remove(root) {
            Some(serde_json::Value::Object(inner)) => inner,
            _ => return Err(malformed(format!("the key {root} is missing"))),
        };
    }
    let invalid = |why: String| match why.ends_with(" is missing") {
        true => ServiceError::new(400, "MissingArgument", format!("The document is not valid: {why}.")),
        false => ServiceError::new(400, "InvalidArgument", format!("The document is not valid: {why}.")),
    };
    match whole.map(|member| (member, &member.ty)) {
        Some((member, Type::Shape(id))) => {
            let shape_members: Vec<_> = service.shape(*id).members.iter().collect();
            record.set(
                &member.name,
                json::read(service, &shape_members, &object).map_err(invalid)?,
            );
        }
        Some((member, _)) => record.set(&member.name, serde_json::Value::Object(object)),
        None => merge(record, json::read(service, &members, &object).map_err(invalid)?),
    }
    Ok(())
}

/// Reads the members of an RPC operation from its parameters.
pub(crate) fn bind_rpc(service: &Service, operation: &Operation, parameters: &Query) -> Result<Record, ServiceError> {
    let mut record = Record::new();
    for member in &operation.request {
        let Some(wire) = member.wire.first() else {
            continue;
        };
        let Some(raw) = parameters.get(wire).filter(|raw| !raw.is_empty()) else {
            if member.required {
                return Err(ServiceError::new(
                    400,
                    format!("Missing{wire}"),
                    format!("{wire} is mandatory for this action."),
                ));
            }
            continue;
        };
        // Codes of this service name the parameter: `InvalidParameter.RoleArn`.
        let invalid = |why: String| {
            ServiceError::new(
                400,
                format!("InvalidParameter.{wire}"),
                format!("The parameter {wire} {why}."),
            )
        };
        let value = scalar::read(service, &member.ty, raw).map_err(|expected| invalid(format!("is not {expected}")))?;
        scalar::check(member, &value).map_err(invalid)?;
        record.set(&member.name, value);
    }
    Ok(record)
}

fn merge(record: &mut Record, values: Record) {
    for name in values.names() {
        if let Some(value) = values.get(name) {
            record.set(name, value.clone());
        }
    }
}
