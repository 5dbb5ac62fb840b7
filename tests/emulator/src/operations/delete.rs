//! DeleteObject and DeleteMultipleObjects.

use super::{Call, retention};
use crate::access::Need;
use crate::answer::Answer;
use crate::error::ServiceError;
use crate::value::Record;

/// Largest document that names objects to delete.
const MAX_DELETE: u64 = 2 * 1024 * 1024;

pub(super) async fn one(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let bucket = call.bucket()?;
    let outcome = call
        .store()
        .delete_object(bucket, call.key()?, call.version(), retention::guard(call))
        .await?;
    let values = Record::new()
        .with_some("version_id", outcome.version_id)
        .with_some("delete_marker", outcome.delete_marker.then_some(true));
    Ok(Answer::no_content(call.modelled(values)))
}

pub(super) async fn many(call: &Call<'_>) -> Result<Answer, ServiceError> {
    if !call.head.headers.contains_key("content-md5") {
        return Err(
            ServiceError::new(400, "MissingArgument", "Missing Some Required Arguments: Content-MD5.")
                .detail("ArgumentName", "Content-MD5"),
        );
    }
    if call.body.bytes_read() > MAX_DELETE {
        return Err(ServiceError::malformed_xml("it is larger than 2 MiB"));
    }
    let document = call
        .input
        .record("delete")
        .ok_or_else(|| ServiceError::malformed_xml("the document is empty"))?;
    let bucket = call.bucket()?;
    let identify = |object: &Record| {
        let version = object
            .text("version_id")
            .filter(|version| !version.is_empty())
            .map(str::to_owned);
        (object.text_or_empty("key").to_owned(), version)
    };
    let objects: Vec<_> = document.records("objects").map(identify).collect();
    for (key, version) in &objects {
        call.authorise(Need::Write, "DeleteObject", bucket, key, version.as_deref())?;
    }
    // The answer has no place for single failures, so one protected object keeps them all.
    let outcomes = call
        .store()
        .delete_objects(bucket, objects.clone(), retention::guard(call))
        .await?
        .map_err(|(key, error)| ServiceError::from(error).detail("Key", key))?;
    let mut deleted = Vec::new();
    for ((key, version), outcome) in objects.into_iter().zip(outcomes) {
        let entry = Record::new().with("key", key).with_some("version_id", version);
        // Without a version the id belongs to a new marker; with one it is a marker's only if that version was one.
        let marker = outcome.delete_marker.then_some(true);
        let marker_id = outcome.delete_marker.then_some(outcome.version_id).flatten();
        deleted.push(
            entry
                .with_some("delete_marker", marker)
                .with_some("delete_marker_version_id", marker_id),
        );
    }
    let quiet = document.flag("quiet");
    let encoding = call.url_encoded();
    let values = Record::new()
        .with_some("encoding_type", encoding.then_some("url"))
        .with("deleted_objects", if quiet { Vec::new() } else { deleted });
    Ok(Answer::ok(values).url_encoded(encoding))
}
