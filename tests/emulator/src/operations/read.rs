//! GetObject, HeadObject and GetObjectMeta.

use std::future::ready;
use std::sync::Arc;

use futures_util::{StreamExt as _, stream};

use super::{Call, conditions, encryption, expiration, gzip, object_worm, process, quoted, range, restore, settings};
use crate::access::Need;
use crate::answer::Answer;
use crate::error::ServiceError;
use crate::pace::Pace;
use crate::store::{ContentStream, Object, ObjectInfo, ObjectKind, StoreError};
use crate::value::Record;
use crate::{text, time};

/// Members of GetObject that replace headers of the answer.
const OVERRIDES: &[(&str, &str)] = &[
    ("response_content_type", "content-type"),
    ("response_content_language", "content-language"),
    ("response_expires", "expires"),
    ("response_cache_control", "cache-control"),
    ("response_content_disposition", "content-disposition"),
    ("response_content_encoding", "content-encoding"),
];

/// An object as it is read: what the key holds, and where its content comes from.
pub(super) struct Found {
    /// The object at the key, maybe a symbolic link.
    pub(super) named: Arc<ObjectInfo>,
    /// The object with the content.
    pub(super) target: Object,
}

pub(super) async fn get(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let pace = Pace::of(call.head)?;
    if call.principal.account().is_none()
        && let Some((_, header)) = OVERRIDES.iter().find(|(member, _)| call.input.has(member))
    {
        return Err(ServiceError::new(
            400,
            "InvalidRequest",
            "Headers of the answer can be replaced by signed requests only.",
        )
        .detail("ArgumentName", format!("response-{header}")));
    }
    let found = find(call)?;
    let info = found.target.info();
    conditions::check(&call.input, info)?;
    restore::refuse_archived(call, call.bucket()?, info)?;
    settings::note_access(call).await;
    let flowing = |content| match pace {
        Some(pace) => pace.slow(content),
        None => content,
    };
    if let Some(process) = call.input.text("process").filter(|process| !process.is_empty()) {
        return process::get(call, &found.target, process).await;
    }
    let standard = call.input.text("range_behavior") == Some("standard");
    let mut values = values(call, &found)?;
    let answer = match range::wanted(call.head.header("range"), standard, info.size) {
        range::Wanted::Unsatisfiable => {
            return Err(
                ServiceError::new(416, "InvalidRange", "The requested range cannot be satisfied.")
                    .header("content-range", format!("bytes */{}", info.size))
                    .detail("ActualObjectSize", info.size.to_string())
                    .detail("RangeRequested", call.head.header("range").unwrap_or_default()),
            );
        }
        range::Wanted::Whole if gzip::applies(call, &found.named.meta, info.size) => {
            // What is sent is neither the tagged content nor of known length, and cannot be continued.
            values.set("content_encoding", "gzip");
            values = values.without("content_length").without("etag");
            Answer::ok(values)
                .open_payload(flowing(gzip::compress(begun(found.target.read_all()).await?)))
                .header("vary", "Accept-Encoding")
        }
        range::Wanted::Whole => Answer::ok(values)
            .payload(info.size, flowing(begun(found.target.read_all()).await?))
            .header("accept-ranges", "bytes"),
        range::Wanted::Part(part) => {
            let length = part.end - part.start;
            values.set("content_length", length);
            values.set(
                "content_range",
                format!("bytes {}-{}/{}", part.start, part.end - 1, info.size),
            );
            values = values.without("content_md5");
            Answer::ok(values)
                .status(206)
                .payload(length, flowing(begun(found.target.read(part)?).await?))
                .header("accept-ranges", "bytes")
        }
    };
    let answer = with_language(answer, &found.named);
    Ok(OVERRIDES
        .iter()
        .fold(answer, |answer, (member, header)| match call.input.text(member) {
            Some(value) => answer.header(header, value),
            None => answer,
        }))
}

/// Reads the first piece before anything is answered, so that damage there is an error like any other. Later, only the
/// connection can be broken off.
async fn begun(mut content: ContentStream) -> Result<ContentStream, ServiceError> {
    match content.next().await.transpose() {
        Ok(None) => Ok(content),
        Ok(Some(first)) => Ok(Box::pin(stream::once(ready(Ok(first))).chain(content))),
        Err(error) => Err(StoreError::from(error).into()),
    }
}

pub(super) fn head(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let found = find(call)?;
    conditions::check(&call.input, found.target.info())?;
    let answer = Answer::ok(values(call, &found)?).header("accept-ranges", "bytes");
    Ok(with_language(answer, &found.named))
}

/// The object itself, without following a symbolic link.
pub(super) fn meta(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let object = open(call)?;
    let found = Found {
        named: Arc::clone(object.info()),
        target: object,
    };
    let last_access = settings::last_access(call, &found.named)?;
    Ok(Answer::ok(
        values(call, &found)?.with_some("last_access_time", last_access),
    ))
}

fn with_language(answer: Answer, info: &ObjectInfo) -> Answer {
    match &info.meta.content_language {
        Some(language) => answer.header("content-language", language),
        None => answer,
    }
}

/// Opens the version that the request names. A delete marker that is named by its id cannot be read at all.
pub(super) fn open(call: &Call<'_>) -> Result<Object, ServiceError> {
    match call.store().object(call.bucket()?, call.key()?, call.version()) {
        Err(StoreError::DeleteMarker { version_id, .. }) if call.version().is_some() => Err(ServiceError::new(
            405,
            "MethodNotAllowed",
            "The specified method is not allowed against this resource.",
        )
        .header("x-oss-delete-marker", "true")
        .header("x-oss-version-id", version_id)
        .header("allow", "DELETE")),
        other => Ok(other?),
    }
}

/// Opens an object and follows it when it is a symbolic link.
pub(super) fn find(call: &Call<'_>) -> Result<Found, ServiceError> {
    let object = open(call)?;
    let target = follow(call, call.bucket()?, &object)?.unwrap_or_else(|| object.clone());
    Ok(Found {
        named: Arc::clone(object.info()),
        target,
    })
}

/// What a symbolic link points to; nothing for other objects.
pub(super) fn follow(call: &Call<'_>, bucket: &str, object: &Object) -> Result<Option<Object>, ServiceError> {
    let Some(target) = object
        .info()
        .meta
        .symlink_target
        .as_deref()
        .filter(|_| object.info().kind == ObjectKind::Symlink)
    else {
        return Ok(None);
    };
    let missing = || {
        ServiceError::new(
            404,
            "SymlinkTargetNotExist",
            "The symlink target object does not exist.",
        )
        .detail("SymlinkTarget", target)
    };
    let key = text::decode(target).ok_or_else(missing)?;
    // The link may be open to more readers than what it leads to.
    call.authorise(Need::Read, "GetObject", bucket, &key, None)?;
    let found = call.store().object(bucket, &key, None).map_err(|_| missing())?;
    match found.info().kind {
        ObjectKind::Symlink => Err(ServiceError::new(
            409,
            "InvalidTargetType",
            "The symbolic link points to another symbolic link.",
        )
        .detail("SymlinkTarget", target)),
        _ => Ok(Some(found)),
    }
}

/// What an object says about itself, as far as the operation's model has it.
fn values(call: &Call<'_>, found: &Found) -> Result<Record, ServiceError> {
    let info = found.target.info();
    // A link lends its target's content only; what is said about the object is said about the link.
    let meta = &found.named.meta;
    let tags = meta.tags.len();
    let charged = call.input.text("request_payer");
    let mut values = Record::new()
        .with("content_length", info.size)
        .with(
            "content_type",
            meta.content_type.as_deref().unwrap_or("application/octet-stream"),
        )
        .with("etag", quoted(&info.etag))
        .with("last_modified", info.last_modified.max(found.named.last_modified))
        .with("storage_class", &info.meta.storage_class)
        .with("metadata", meta.user.clone())
        .with("object_type", found.named.kind.as_str())
        .with("hash_crc64", info.crc64.to_string())
        .with_some("next_append_position", found.named.next_append_position())
        .with_some("sealed_time", found.named.sealed.map(time::http_date))
        .with_some("restore", restore::shown(info, call.now))
        .with_some("transition_time", expiration::transition(info))
        .with_some("expiration", expiration::shown(call, &found.named)?)
        .with_some("request_charged", charged)
        .with_some("cache_control", meta.cache_control.as_ref())
        .with_some("content_disposition", meta.content_disposition.as_ref())
        .with_some("content_encoding", meta.content_encoding.as_ref())
        .with_some("expires", meta.expires.as_ref())
        .with_some("tagging_count", (tags > 0).then_some(tags))
        .with_some("version_id", call.shown_version(&found.named)?);
    if info.kind == ObjectKind::Normal
        && let Some(md5) = md5_of(&info.etag)
    {
        values.set("content_md5", md5);
    }
    let values = object_worm::show(&found.named, encryption::show(meta, values));
    Ok(call.modelled(values))
}

/// The ETag of a normal object is its MD5 in hexadecimal.
fn md5_of(etag: &str) -> Option<String> {
    let pairs = etag
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    let bytes = pairs.collect::<Option<Vec<u8>>>()?;
    (bytes.len() == 16).then(|| text::base64(&bytes))
}
