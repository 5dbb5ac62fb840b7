//! CopyObject and UploadPartCopy: reads a source under its own permissions and writes without moving bytes through the client.

use super::{Call, conditions, encryption, meta, quoted, range, read, restore};
use crate::access::Need;
use crate::answer::Answer;
use crate::error::ServiceError;
use crate::store::{Object, ObjectKind, Versioning};
use crate::value::Record;

/// Largest object that one request copies: 5 GiB.
const MAX_COPY: u64 = 5 * 1024 * 1024 * 1024;

struct Source {
    object: Object,
    /// Its version, where its bucket has versions.
    version_id: Option<String>,
}

pub(super) async fn object(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let source = source(call, Links::AreCopied)?;
    let info = source.object.info();
    let same_bucket = call
        .input
        .text("source_bucket")
        .is_none_or(|bucket| call.bucket().is_ok_and(|own| own == bucket));
    // Within a bucket the service copies objects of any size.
    if info.size > MAX_COPY && !same_bucket {
        return Err(ServiceError::new(
            400,
            "EntityTooLarge",
            "The source object is larger than 5 GiB; copy it in parts.",
        ));
    }
    let replace_meta = directive(call, "metadata_directive", "REPLACE", "COPY")?;
    let replace_tags = directive(call, "tagging_directive", "Replace", "Copy")?;
    let requested = meta::of(call)?;
    let mut written = if replace_meta {
        requested.clone()
    } else {
        info.meta.clone()
    };
    written.tags = if replace_tags {
        requested.tags
    } else {
        info.meta.tags.clone()
    };
    // Where and how an object is kept is never taken over from the source.
    written.acl = requested.acl;
    written.storage_class = requested.storage_class;
    written.encryption.clone_from(&requested.encryption);
    written.lock = requested.lock;
    written.restore = None;
    written.symlink_target.clone_from(&info.meta.symlink_target);
    let options = meta::options(call, written)?;
    let copied = call
        .store()
        .copy_object(&source.object, call.bucket()?, call.key()?, options)
        .await?;
    let values = Record::new()
        .with("etag", quoted(&copied.etag))
        .with("last_modified", copied.last_modified)
        .with("hash_crc64", copied.crc64.to_string())
        .with_some("version_id", call.shown_version(&copied)?)
        .with_some("source_version_id", source.version_id);
    // In the header, too: clients read it there.
    let answer = Answer::ok(call.modelled(values)).header("etag", quoted(&copied.etag));
    Ok(encryption::headers(&copied.meta, answer))
}

pub(super) async fn part(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let upload_id = call.input.text_or_empty("upload_id");
    let number = call
        .input
        .integer("part_number")
        .and_then(|number| u32::try_from(number).ok())
        .unwrap_or_default();
    call.store().upload(call.bucket()?, call.key()?, upload_id)?;
    let source = source(call, Links::AreFollowed)?;
    let size = source.object.info().size;
    let range = match call.input.text("source_range") {
        Some(header) => Some(range::of_copy(header, size).ok_or_else(|| {
            ServiceError::new(416, "InvalidRange", "The requested range cannot be satisfied.")
                .detail("ActualObjectSize", size.to_string())
                .detail("RangeRequested", header)
        })?),
        None => None,
    };
    if range.as_ref().map_or(size, |range| range.end - range.start) > MAX_COPY {
        return Err(ServiceError::new(
            400,
            "EntityTooLarge",
            "A part is at most 5 GiB large.",
        ));
    }
    let part = call
        .store()
        .copy_part(&source.object, range, call.bucket()?, call.key()?, upload_id, number)
        .await?;
    let values = Record::new()
        .with("etag", quoted(&part.etag))
        .with("last_modified", part.last_modified)
        .with_some("source_version_id", source.version_id);
    Ok(Answer::ok(call.modelled(values))
        .header("etag", quoted(&part.etag))
        .header("x-oss-hash-crc64ecma", part.crc64.to_string()))
}

/// What a symbolic link as a source means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Links {
    AreCopied,
    AreFollowed,
}

/// Opens the source, checks that the caller may read it, and holds it against the conditions.
fn source(call: &Call<'_>, links: Links) -> Result<Source, ServiceError> {
    let bucket = call.input.text("source_bucket").unwrap_or(call.bucket()?);
    let key = call.input.text_or_empty("source_key");
    let version = call.input.text("source_version_id");
    call.authorise(Need::Read, "GetObject", bucket, key, version)?;
    let named = call
        .store()
        .object(bucket, key, version)
        .map_err(|error| match ServiceError::from(error) {
            missing if missing.code == "NoSuchKey" => ServiceError::no_such_key(key),
            other => other,
        })?;
    let versioned = call.store().bucket(bucket)?.meta.versioning != Versioning::Unversioned;
    let version_id = versioned.then(|| named.info().version_id.clone());
    let object = match links {
        Links::AreCopied => named,
        Links::AreFollowed => read::follow(call, bucket, &named)?.unwrap_or(named),
    };
    if versioned && links == Links::AreCopied && object.info().kind == ObjectKind::Appendable {
        return Err(ServiceError::new(
            400,
            "OperationNotSupported",
            "An appendable object of a bucket with versioning cannot be copied.",
        ));
    }
    conditions::check(&call.input, object.info())?;
    restore::refuse_archived(call, bucket, object.info())?;
    Ok(Source { object, version_id })
}

/// Whether a directive says to replace. The service reads them without case, and the models' spelling is one of several in use.
fn directive(call: &Call<'_>, member: &str, replace: &str, copy: &str) -> Result<bool, ServiceError> {
    match call.input.text(member) {
        None => Ok(false),
        Some(value) if value.eq_ignore_ascii_case(replace) => Ok(true),
        Some(value) if value.eq_ignore_ascii_case(copy) => Ok(false),
        Some(value) => Err(ServiceError::invalid_argument(
            format!("The value of {member} is neither {copy} nor {replace}."),
            member,
            value,
        )),
    }
}
