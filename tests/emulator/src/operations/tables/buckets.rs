//! Table buckets: their life and what is known about them.

use super::{
    Call, bad_request, bucket, check_name, check_not_reserved, conflict, new_id, page, settings, written_time,
};
use crate::answer::Answer;
use crate::error::ServiceError;
use crate::store::{BucketInfo, Documents, NewBucket, StoreError};
use crate::time;
use crate::value::Record;

/// What the store keeps beside a bucket: its UUID.
pub(super) const ID: &str = "id";
const MAX_BUCKETS: usize = 10;

pub(super) async fn create(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let name = call.input.text_or_empty("name");
    check_name("bucket", name, '-', 32)?;
    check_not_reserved("bucket", name)?;
    let arn = arn(call, name);
    call.allow(&arn)?;
    let encryption = settings::encryption(&call.input)?;
    let mut meta = call.container_meta();
    meta.extra.insert(ID.to_owned(), new_id(call));
    if let Some(encryption) = encryption {
        // In the same step as the bucket, so that no bucket is without what was asked for.
        meta.extra.insert(settings::ENCRYPTION.to_owned(), encryption);
    }
    let new = NewBucket {
        meta,
        limit: Some((call.container(""), MAX_BUCKETS)),
        ..NewBucket::default()
    };
    match call.store().create_bucket_with(&call.container(name), new).await {
        Ok(Some(_)) => Ok(Answer::ok(Record::new().with("arn", arn))),
        Ok(None) => Err(bad_request("The account has as many table buckets as it may have.")),
        Err(StoreError::BucketAlreadyExists { .. }) => {
            Err(conflict("The table bucket that you tried to create already exists."))
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) fn get(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let bucket = bucket(call)?;
    let info = call.store().bucket(&bucket.container)?;
    let name = bucket.arn.rsplit('/').next().unwrap_or_default();
    Ok(Answer::ok(described(call, name, &info)))
}

pub(super) fn list(call: &Call<'_>) -> Result<Answer, ServiceError> {
    call.allow(&arn(call, "*"))?;
    let page = page(&call.input, "max_buckets", call.containers("", ""), |(name, _)| {
        name.clone()
    })?;
    let buckets: Vec<_> = page
        .items
        .iter()
        .map(|(name, info)| described(call, name, info))
        .collect();
    Ok(Answer::ok(
        Record::new()
            .with("table_buckets", buckets)
            .with_some("continuation_token", page.token),
    ))
}

pub(super) async fn delete(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let bucket = bucket(call)?;
    let is_empty = |documents: &Documents| !documents.keys().any(|kind| kind.starts_with("namespace/"));
    match call.store().delete_bucket_if(&bucket.container, is_empty).await {
        Ok(()) => Ok(Answer::empty()),
        Err(StoreError::BucketNotEmpty) => Err(conflict("The table bucket that you tried to delete is not empty.")),
        Err(error) => Err(error.into()),
    }
}

fn arn(call: &Call<'_>, name: &str) -> String {
    of_account(call, call.account(), name)
}

fn of_account(call: &Call<'_>, account: &str, name: &str) -> String {
    format!("acs:osstables:{}:{account}:bucket/{name}", call.state.region)
}

fn described(call: &Call<'_>, name: &str, info: &BucketInfo) -> Record {
    Record::new()
        .with("arn", of_account(call, &info.meta.owner, name))
        .with("created_at", written_time(time::unix_seconds(info.created)))
        .with("name", name)
        .with("owner_account_id", &info.meta.owner)
        .with_some("table_bucket_id", info.meta.extra.get(ID))
        .with("type", "customer")
}
