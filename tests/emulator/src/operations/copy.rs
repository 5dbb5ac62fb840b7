//! CopyObject and UploadPartCopy: reads a source under its own permissions and writes without moving bytes through the client.

use super::settings::quota;
use super::{Call, conditions, encryption, meta, quoted, range, read, restore, retention};
use crate::access::Need;
use crate::answer::Answer;
use crate::error::ServiceError;
use crate::store::{Object, ObjectKind, Onto, StoreError, Versioning};
use crate::value::Record;

/// Largest object that one request copies to another bucket: 5 GiB.
const MAX_COPY: u64 = 5 * 1024 * 1024 * 1024;
/// Largest object that one request copies into another storage class or encryption: 1 GiB.
const MAX_CONVERSION: u64 = 1024 * 1024 * 1024;
/// How often a copy onto itself begins anew when the object was changed meanwhile.
const MAX_TRIES: u32 = 100;

struct Source {
    object: Object,
    /// Its version, where its bucket has versions.
    version_id: Option<String>,
}

pub(super) async fn object(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let mut tries = 1;
    loop {
        match attempt(call).await {
            // Somebody else changed the object, who would be undone by a copy of what it was.
            Err(Refusal::Store(StoreError::SourceChanged)) if tries < MAX_TRIES => tries += 1,
            Err(Refusal::Store(error)) => return Err(error.into()),
            Err(Refusal::Service(error)) => return Err(error),
            Ok(answer) => return Ok(answer),
        }
    }
}

/// Why an attempt to copy failed.
enum Refusal {
    Service(ServiceError),
    Store(StoreError),
}

impl From<ServiceError> for Refusal {
    fn from(error: ServiceError) -> Self {
        Self::Service(error)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

async fn attempt(call: &Call<'_>) -> Result<Answer, Refusal> {
    let source = source(call, Links::AreCopied)?;
    let info = source.object.info();
    let same_bucket = call
        .input
        .text("source_bucket")
        .is_none_or(|bucket| call.bucket().is_ok_and(|own| own == bucket));
    let requested = meta::of(call)?;
    let mut written = if replaces(call, "metadata_directive") {
        requested.clone()
    } else {
        info.meta.clone()
    };
    written.tags = if replaces(call, "tagging_directive") {
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
    // Times of access and of transitions are those of the source.
    written.extra.clear();
    written.symlink_target.clone_from(&info.meta.symlink_target);
    let class = match written.storage_class.as_str() {
        "" => call.bucket_info()?.meta.storage_class,
        given => given.to_owned(),
    };
    let converts = class != info.meta.storage_class || written.encryption != info.meta.encryption;
    check_size(info.size, same_bucket, converts)?;
    let options = meta::options(call, written)?;
    let is_own_key = same_bucket && call.input.text_or_empty("source_key") == call.key()?;
    let onto = match (is_own_key, call.input.text("source_version_id")) {
        (false, _) => Onto::Another,
        (true, None) => Onto::ItsLatest,
        (true, Some(_)) => Onto::ItsVersion,
    };
    let copied = call
        .store()
        .copy_object(&source.object, call.bucket()?, call.key()?, onto, options)
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
    // Whether the caller may read the source is said before anything about the upload.
    let source = source(call, Links::AreFollowed)?;
    call.store().upload(call.bucket()?, call.key()?, upload_id)?;
    let size = source.object.info().size;
    let range = match call.input.text("source_range") {
        Some(header) => Some(range::of_copy(header, size).ok_or_else(|| {
            ServiceError::new(416, "InvalidRange", "The requested range cannot be satisfied.")
                .detail("ActualObjectSize", size.to_string())
                .detail("RangeRequested", header)
        })?),
        None => None,
    };
    let length = range.as_ref().map_or(size, |range| range.end - range.start);
    if length > MAX_COPY {
        return Err(ServiceError::new(
            400,
            "EntityTooLarge",
            "A part is at most 5 GiB large.",
        ));
    }
    // A full bucket need not be told after the bytes were copied.
    quota::check(call.store(), call.bucket()?, length)?;
    let part = call
        .store()
        .copy_part(
            &source.object,
            range,
            call.bucket()?,
            call.key()?,
            upload_id,
            number,
            retention::guard(call),
        )
        .await?;
    let values = Record::new()
        .with("etag", quoted(&part.etag))
        .with("last_modified", part.last_modified)
        .with_some("source_version_id", source.version_id);
    Ok(Answer::ok(call.modelled(values))
        .header("etag", quoted(&part.etag))
        .header("x-oss-hash-crc64ecma", part.crc64.to_string()))
}

/// Within a bucket, objects of any size are copied as long as they stay as they are.
fn check_size(size: u64, same_bucket: bool, converts: bool) -> Result<(), ServiceError> {
    let limit = match (same_bucket, converts) {
        (_, true) => MAX_CONVERSION,
        (false, false) => MAX_COPY,
        (true, false) => return Ok(()),
    };
    if size > limit {
        return Err(ServiceError::new(
            400,
            "EntityTooLarge",
            format!("The source object is larger than {limit} bytes; copy it in parts."),
        ));
    }
    Ok(())
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
    let named = call.store().object(bucket, key, version).map_err(|error| match error {
        StoreError::DeleteMarker { .. } if version.is_some() && links == Links::AreFollowed => {
            ServiceError::invalid_argument(
                "The source of a part is named by the version of a delete marker.",
                "x-oss-copy-source",
                call.head.header("x-oss-copy-source").unwrap_or_default(),
            )
        }
        other => match ServiceError::from(other) {
            missing if missing.code == "NoSuchKey" => ServiceError::no_such_key(key),
            other => other.detail("Key", key),
        },
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

/// Whether a directive says to replace. Its spelling was made that of the model.
fn replaces(call: &Call<'_>, member: &str) -> bool {
    call.input
        .text(member)
        .is_some_and(|value| value.eq_ignore_ascii_case("replace"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_copied_at_once_depends_on_what_changes() {
        for (size, same_bucket, converts, allowed) in [
            (MAX_CONVERSION, false, true, true),
            (MAX_CONVERSION + 1, true, true, false),
            (MAX_COPY, false, false, true),
            (MAX_COPY + 1, false, false, false),
            (MAX_COPY + 1, true, false, true),
        ] {
            let found = check_size(size, same_bucket, converts).is_ok();
            assert_eq!(found, allowed, "{size} {same_bucket} {converts}");
        }
    }
}
