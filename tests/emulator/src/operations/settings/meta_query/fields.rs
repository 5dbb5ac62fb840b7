//! The fields that a metadata index knows of an object.

use std::cmp::Ordering;
use std::time::{Duration, SystemTime};

use crate::error::ServiceError;
use crate::store::ObjectInfo;
use crate::time;
use crate::value::Record;

/// Fields with texts.
const TEXTS: &[&str] = &[
    "Filename",
    "ETag",
    "OSSObjectType",
    "OSSStorageClass",
    "ObjectACL",
    "OSSCRC64",
    "ServerSideEncryption",
    "ServerSideEncryptionKeyId",
    "ServerSideDataEncryption",
    "ContentType",
    "ContentEncoding",
    "ContentLanguage",
    "ContentDisposition",
    "CacheControl",
];
const NUMBERS: &[&str] = &["Size", "OSSTaggingCount"];
const TIME: &str = "FileModifiedTime";
/// Fields that the service finds by looking into the content, which the emulator does not.
const OF_CONTENT: &[&str] = &[
    "MediaType",
    "ImageHeight",
    "ImageWidth",
    "VideoHeight",
    "VideoWidth",
    "ProduceTime",
    "LatLong",
    "Duration",
    "Bitrate",
    "Title",
    "Artist",
    "AlbumArtist",
    "Composer",
    "Performer",
    "Album",
    "OSSExpiration",
    "AccessControlAllowOrigin",
    "AccessControlRequestMethod",
    "ServerSideEncryptionCustomerAlgorithm",
];
const HOURS_OF_SERVICE: Duration = Duration::from_secs(8 * 3600);

/// What an object has in a field.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Content {
    Text(String),
    Number(f64),
    Time(SystemTime),
}

impl Content {
    pub(super) fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Time(at) => rfc3339(*at),
        }
    }

    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }
}

/// Refuses fields that there are not; `name` is where the field stood.
pub(super) fn check(field: &str, name: &str) -> Result<(), ServiceError> {
    let of_map = |map: &str| field.strip_prefix(map).is_some_and(|key| !key.is_empty());
    if TEXTS.contains(&field)
        || NUMBERS.contains(&field)
        || field == TIME
        || of_map("OSSTagging.")
        || of_map("OSSUserMeta.")
    {
        return Ok(());
    }
    if OF_CONTENT.contains(&field) {
        return Err(ServiceError::not_implemented(format!(
            "the field {field} of DoMetaQuery"
        )));
    }
    Err(ServiceError::invalid_argument("The field is not known.", name, field))
}

pub(super) fn is_number(field: &str) -> bool {
    NUMBERS.contains(&field)
}

/// Reads a value to compare a field with.
pub(super) fn parse(field: &str, raw: &str) -> Result<Content, ServiceError> {
    let parsed = if is_number(field) {
        raw.trim()
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite())
            .map(Content::Number)
    } else if field == TIME {
        parse_rfc3339(raw).map(Content::Time)
    } else {
        Some(Content::Text(raw.to_owned()))
    };
    parsed.ok_or_else(|| ServiceError::invalid_argument(format!("The value does not fit {field}."), "Value", raw))
}

/// What an object has in a field; nothing if it has none.
#[expect(
    clippy::cast_precision_loss,
    reason = "sizes are compared as the service does, as numbers of JSON"
)]
pub(super) fn content(object: &ObjectInfo, field: &str) -> Option<Content> {
    let meta = &object.meta;
    let encryption = |name: &str| meta.encryption.get(name).cloned();
    let text = match field {
        "Size" => return Some(Content::Number(object.size as f64)),
        "OSSTaggingCount" => return Some(Content::Number(meta.tags.len() as f64)),
        TIME => return Some(Content::Time(object.last_modified)),
        "Filename" => Some(object.key.clone()),
        "ETag" => Some(format!("\"{}\"", object.etag)),
        "OSSObjectType" => Some(object.kind.as_str().to_owned()),
        "OSSStorageClass" => Some(meta.storage_class.clone()),
        "ObjectACL" => Some(meta.acl.as_str().to_owned()),
        "OSSCRC64" => Some(object.crc64.to_string()),
        "ServerSideEncryption" => encryption("server_side_encryption"),
        "ServerSideEncryptionKeyId" => encryption("server_side_encryption_key_id"),
        "ServerSideDataEncryption" => encryption("server_side_data_encryption"),
        "ContentType" => meta.content_type.clone(),
        "ContentEncoding" => meta.content_encoding.clone(),
        "ContentLanguage" => meta.content_language.clone(),
        "ContentDisposition" => meta.content_disposition.clone(),
        "CacheControl" => meta.cache_control.clone(),
        _ => match field.split_once('.') {
            Some(("OSSTagging", key)) => {
                let tag = meta.tags.iter().find(|(name, _)| name == key);
                tag.map(|(_, value)| value.clone())
            }
            Some(("OSSUserMeta", key)) => {
                let key = key.to_ascii_lowercase();
                let key = key.strip_prefix("x-oss-meta-").unwrap_or(&key);
                meta.user.get(key).cloned()
            }
            _ => None,
        },
    };
    text.map(Content::Text)
}

/// Orders contents of one field; objects without one come first.
pub(super) fn order(left: Option<&Content>, right: Option<&Content>) -> Ordering {
    match (left, right) {
        (Some(Content::Text(left)), Some(Content::Text(right))) => left.cmp(right),
        (Some(Content::Number(left)), Some(Content::Number(right))) => left.total_cmp(right),
        (Some(Content::Time(left)), Some(Content::Time(right))) => left.cmp(right),
        (left, right) => left.is_some().cmp(&right.is_some()),
    }
}

/// An object as answers describe it.
pub(super) fn file(bucket: &str, object: &ObjectInfo) -> Record {
    let meta = &object.meta;
    let pair = |(key, value): (&String, &String)| Record::new().with("key", key).with("value", value);
    let tags: Vec<Record> = meta.tags.iter().map(|(key, value)| pair((key, value))).collect();
    let user = meta
        .user
        .iter()
        .map(|(key, value)| pair((&format!("x-oss-meta-{key}"), value)));
    let user: Vec<Record> = user.collect();
    let text = |field: &str| content(object, field).map(|content| content.text());
    let mut file = Record::new()
        .with("filename", &object.key)
        .with("uri", format!("oss://{bucket}/{}", object.key))
        .with("size", object.size)
        .with("file_modified_time", rfc3339(object.last_modified))
        .with("oss_object_type", object.kind.as_str())
        .with("oss_storage_class", &meta.storage_class)
        .with("object_acl", meta.acl.as_str())
        .with("etag", format!("\"{}\"", object.etag))
        .with("oss_crc64", object.crc64.to_string())
        .with("oss_tagging_count", tags.len())
        .with_some("content_type", text("ContentType"))
        .with_some("content_encoding", text("ContentEncoding"))
        .with_some("content_language", text("ContentLanguage"))
        .with_some("content_disposition", text("ContentDisposition"))
        .with_some("cache_control", text("CacheControl"))
        .with_some("server_side_encryption", text("ServerSideEncryption"))
        .with_some("server_side_encryption_key_id", text("ServerSideEncryptionKeyId"))
        .with_some("server_side_data_encryption", text("ServerSideDataEncryption"));
    if !tags.is_empty() {
        file.set("oss_tagging", tags);
    }
    if !user.is_empty() {
        file.set("oss_user_meta", user);
    }
    file
}

/// A time as the service writes it, on the clock of its home.
pub(super) fn rfc3339(at: SystemTime) -> String {
    let shifted = time::iso8601_millis(at + HOURS_OF_SERVICE);
    format!("{}+08:00", shifted.trim_end_matches('Z'))
}

fn parse_rfc3339(text: &str) -> Option<SystemTime> {
    if text.ends_with('Z') {
        return time::parse_iso8601(text);
    }
    let (local, offset) = text.split_at_checked(text.len().checked_sub(6)?)?;
    let (sign, clock) = offset.split_at_checked(1)?;
    let (hours, minutes) = clock.split_once(':')?;
    let seconds = hours.parse::<u64>().ok()? * 3600 + minutes.parse::<u64>().ok()? * 60;
    let at = time::parse_iso8601(&format!("{local}Z"))?;
    match sign {
        "+" => at.checked_sub(Duration::from_secs(seconds)),
        "-" => at.checked_add(Duration::from_secs(seconds)),
        _ => None,
    }
}
