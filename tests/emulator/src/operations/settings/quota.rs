//! How much a bucket may hold.

use crate::answer::Answer;
use crate::document::xml;
use crate::error::ServiceError;
use crate::operations::{Call, configuration};
use crate::state::State;

const KIND: &str = "quota";

/// Refuses a write of some bytes into a bucket whose strict quota has no room for them.
pub(crate) fn check(state: &State, bucket: &str, incoming: u64) -> Result<(), ServiceError> {
    let Some(document) = state.store.config(bucket, KIND)? else {
        return Ok(());
    };
    let Ok(root) = xml::parse(&String::from_utf8_lossy(&document)) else {
        return Ok(());
    };
    let text = |name: &str| {
        root.children
            .iter()
            .find(|child| child.name == name)
            .map(|child| child.text.trim())
    };
    if text("Mode") != Some("Strict") {
        return Ok(());
    }
    let most = text("StorageQuota")
        .and_then(|text| text.parse().ok())
        .unwrap_or(u64::MAX);
    let held = state.store.bucket_stat(bucket)?.storage;
    if held.saturating_add(incoming) <= most {
        return Ok(());
    }
    Err(
        ServiceError::new(403, "QuotaFull", "The bucket holds as much as its quota allows.")
            .detail("BucketName", bucket)
            .detail("StorageQuota", most.to_string()),
    )
}

/// The same for a request that writes objects or parts. How much a chunked body brings is not known, so it may go beyond.
pub(in crate::operations) fn check_write(call: &Call<'_>) -> Result<(), ServiceError> {
    let announced = || {
        call.head
            .header("content-length")
            .and_then(|length| length.parse().ok())
    };
    let incoming = match call.operation.name.as_str() {
        "PutObject" | "AppendObject" | "UploadPart" => announced().unwrap_or_default(),
        "CopyObject" | "UploadPartCopy" => {
            let source = call
                .input
                .text("source_bucket")
                .or(call.head.bucket())
                .unwrap_or_default();
            let version = call.input.text("source_version_id");
            let object = call
                .store()
                .object(source, call.input.text_or_empty("source_key"), version);
            object.map(|object| object.info().size).unwrap_or_default()
        }
        _ => return Ok(()),
    };
    check(call.state, call.bucket()?, incoming)
}

pub(super) fn get(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let bucket = call.bucket()?;
    let document = call
        .store()
        .config(bucket, KIND)?
        .ok_or_else(|| configuration::missing(call))?;
    let values = configuration::deserialise(call, &document)?;
    let held = call.store().bucket_stat(bucket)?.storage;
    let quota = values.record("quota_configuration").cloned().unwrap_or_default();
    Ok(Answer::ok(
        values.with("quota_configuration", quota.with("current_usage", held)),
    ))
}
