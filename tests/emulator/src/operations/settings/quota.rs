//! How much a bucket may hold.

use crate::answer::Answer;
use crate::document::xml;
use crate::error::ServiceError;
use crate::operations::{Call, configuration};
use crate::store::{Documents, Store, StoreError};

const KIND: &str = "quota";

/// The most bytes that a bucket may hold, where its quota is strict.
pub(in crate::operations) fn strict(documents: &Documents) -> Option<u64> {
    let root = xml::parse(&String::from_utf8_lossy(documents.get(KIND)?)).ok()?;
    let text = |name: &str| {
        root.children
            .iter()
            .find(|child| child.name == name)
            .map(|child| child.text.trim())
    };
    (text("Mode") == Some("Strict"))
        .then(|| text("StorageQuota").and_then(|text| text.parse().ok()))
        .flatten()
}

/// Refuses bytes that are going to be written before they come. The store looks again when they are there.
pub(in crate::operations) fn check(store: &Store, bucket: &str, incoming: u64) -> Result<(), ServiceError> {
    let Some(quota) = store.read_documents(bucket, strict)? else {
        return Ok(());
    };
    if store.bucket_stat(bucket)?.storage.saturating_add(incoming) <= quota {
        return Ok(());
    }
    let bucket = bucket.to_owned();
    Err(StoreError::QuotaFull { bucket, quota }.into())
}

/// The same for a request that says how much it brings.
pub(in crate::operations) fn check_announced(call: &Call<'_>) -> Result<(), ServiceError> {
    if !matches!(
        call.operation.name.as_str(),
        "PutObject" | "AppendObject" | "UploadPart"
    ) {
        return Ok(());
    }
    let announced = call.head.header("content-length");
    let announced = announced.and_then(|length| length.parse().ok()).unwrap_or_default();
    check(call.store(), call.bucket()?, announced)
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
