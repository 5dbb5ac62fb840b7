//! Encryption and policies of table buckets and tables.

use super::{Bucket, Call, bad_request, bucket, not_found, table};
use crate::answer::Answer;
use crate::error::ServiceError;
use crate::value::Record;

/// What the store keeps beside a bucket: its encryption.
pub(super) const ENCRYPTION: &str = "encryption";
/// Its policy.
pub(super) const POLICY: &str = "policy";
const MAX_POLICY: usize = 16 * 1024;

/// The encryption that a request asks for.
pub(super) fn encryption(input: &Record) -> Result<Option<String>, ServiceError> {
    let Some(configuration) = input.record("encryption_configuration") else {
        return Ok(None);
    };
    if !configuration.text_or_empty("kms_key_arn").is_empty() {
        return Err(bad_request("Keys of Key Management Service are not supported."));
    }
    Ok(configuration.text("sse_algorithm").map(str::to_owned))
}

/// The encryption that new tables of a bucket get.
pub(super) fn of_bucket(call: &Call<'_>, bucket: &Bucket) -> Result<Option<String>, ServiceError> {
    Ok(call
        .store()
        .bucket(&bucket.container)?
        .meta
        .extra
        .get(ENCRYPTION)
        .cloned())
}

pub(super) async fn put_bucket_encryption(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let bucket = bucket(call)?;
    let wanted = encryption(&call.input)?.ok_or_else(|| bad_request("The encryption has no algorithm."))?;
    keep(call, &bucket, ENCRYPTION, Some(wanted)).await
}

pub(super) fn bucket_encryption(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let bucket = bucket(call)?;
    Ok(shown(of_bucket(call, &bucket)?))
}

pub(super) async fn delete_bucket_encryption(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let bucket = bucket(call)?;
    keep(call, &bucket, ENCRYPTION, None).await
}

pub(super) fn table_encryption(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let bucket = bucket(call)?;
    Ok(shown(table::find(call, &bucket)?.encryption))
}

pub(super) async fn put_bucket_policy(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let bucket = bucket(call)?;
    let policy = policy(&call.input)?;
    keep(call, &bucket, POLICY, Some(policy)).await
}

pub(super) fn bucket_policy(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let bucket = bucket(call)?;
    let stored = call.store().bucket(&bucket.container)?.meta.extra.get(POLICY).cloned();
    shown_policy(stored)
}

pub(super) async fn delete_bucket_policy(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let bucket = bucket(call)?;
    keep(call, &bucket, POLICY, None).await
}

pub(super) async fn put_table_policy(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let bucket = bucket(call)?;
    let policy = policy(&call.input)?;
    set_table_policy(call, &bucket, Some(policy)).await
}

pub(super) fn table_policy(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let bucket = bucket(call)?;
    shown_policy(table::find(call, &bucket)?.policy)
}

pub(super) async fn delete_table_policy(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let bucket = bucket(call)?;
    set_table_policy(call, &bucket, None).await
}

async fn set_table_policy(call: &Call<'_>, bucket: &Bucket, policy: Option<String>) -> Result<Answer, ServiceError> {
    table::update(call, bucket, move |table, _| {
        table.policy = policy;
        Ok(())
    })
    .await?;
    Ok(Answer::empty())
}

/// Keeps a text beside a bucket, or no longer.
pub(super) async fn keep(
    call: &Call<'_>,
    bucket: &Bucket,
    name: &'static str,
    value: Option<String>,
) -> Result<Answer, ServiceError> {
    let change = move |meta: &mut crate::store::BucketMeta| match value {
        Some(value) => drop(meta.extra.insert(name.to_owned(), value)),
        None => drop(meta.extra.remove(name)),
    };
    call.store().update_bucket(&bucket.container, change).await?;
    Ok(Answer::empty())
}

fn shown(algorithm: Option<String>) -> Answer {
    let configuration = Record::new().with_some("sse_algorithm", algorithm);
    Answer::ok(Record::new().with("encryption_configuration", configuration))
}

fn shown_policy(policy: Option<String>) -> Result<Answer, ServiceError> {
    let policy = policy.ok_or_else(|| not_found("The specified policy does not exist."))?;
    Ok(Answer::ok(Record::new().with("resource_policy", policy)))
}

fn policy(input: &Record) -> Result<String, ServiceError> {
    let text = input.text_or_empty("resource_policy");
    let invalid = |why: &str| bad_request(&format!("The policy is not valid: {why}."));
    if text.len() > MAX_POLICY {
        return Err(invalid("it is larger than 16 KiB"));
    }
    crate::policy::of_tables(text).map_err(|why| invalid(&why))?;
    Ok(text.to_owned())
}
