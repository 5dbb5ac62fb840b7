//! Vector buckets: their life, and where their logs go.

use super::{Call, arn, bucket, configuration, indexes};
use crate::answer::Answer;
use crate::error::ServiceError;
use crate::store::{BucketInfo, Documents, NewBucket, StoreError};
use crate::value::Record;

/// Buckets that an account may have.
const MAX_BUCKETS: usize = 10;
const DEFAULT_PAGE: i64 = 100;
const RESOURCE_GROUP: &str = "resource-group";

pub(super) async fn put(call: &Call<'_>) -> Result<Answer, ServiceError> {
    call.refuse(&["bucket_tagging"])?;
    let name = call.bucket()?;
    if name.len() > 32 {
        return Err(ServiceError::new(
            400,
            "InvalidVectorBucketName",
            "The specified vector bucket name is not valid.",
        )
        .detail("BucketName", name));
    }
    let mut meta = call.container_meta();
    if let Some(group) = call.input.text("resource_group_id") {
        meta.extra.insert(RESOURCE_GROUP.to_owned(), group.to_owned());
    }
    let new = NewBucket {
        meta,
        limit: Some((call.container(""), MAX_BUCKETS)),
        ..NewBucket::default()
    };
    match call.store().create_bucket_with(&call.container(name), new).await {
        Ok(Some(_)) => Ok(Answer::empty()),
        Ok(None) => Err(ServiceError::new(
            400,
            "TooManyBuckets",
            "You have attempted to create more vector buckets than allowed.",
        )),
        Err(StoreError::BucketAlreadyExists { .. }) => Err(ServiceError::new(
            409,
            "BucketNameNotAvailable",
            "The requested vector bucket name is not available.",
        )
        .detail("BucketName", name)),
        Err(error) => Err(error.into()),
    }
}

pub(super) fn get(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let name = call.bucket()?;
    let info = call.store().bucket(&call.container(name))?;
    Ok(Answer::ok(
        Record::new().with("bucket_info", described(call, name, &info)),
    ))
}

pub(super) fn list(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let input = &call.input;
    let max = usize::try_from(input.integer("max_keys").unwrap_or(DEFAULT_PAGE)).unwrap_or_default();
    let (prefix, marker) = (input.text_or_empty("prefix"), input.text_or_empty("marker"));
    let mut found = call.containers(prefix, marker);
    if let Some(group) = input.text("resource_group_id") {
        found.retain(|(_, info)| info.meta.extra.get(RESOURCE_GROUP).is_some_and(|own| own == group));
    }
    let truncated = found.len() > max;
    found.truncate(max);
    let next = found.last().filter(|_| truncated).map(|(name, _)| name.clone());
    let buckets: Vec<_> = found.iter().map(|(name, info)| described(call, name, info)).collect();
    let mut values = Record::new().with("buckets", buckets);
    // Paging members are absent when the whole list was asked for and fits, as in lists of other buckets.
    if truncated || ["max_keys", "prefix", "marker"].iter().any(|name| input.has(name)) {
        values = values
            .with("prefix", prefix)
            .with("marker", marker)
            .with("max_keys", max)
            .with("is_truncated", truncated)
            .with_some("next_marker", next);
    }
    Ok(Answer::ok(values))
}

pub(super) async fn delete(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let name = call.bucket()?;
    let is_empty = |documents: &Documents| indexes::all(documents).next().is_none();
    let deleted = call.store().delete_bucket_if(&call.container(name), is_empty).await;
    deleted.map_err(|error| match error {
        StoreError::BucketNotEmpty => ServiceError::new(
            409,
            "BucketNotEmpty",
            "The vector bucket has indexes. Please delete them first.",
        ),
        error => error.into(),
    })?;
    Ok(Answer::no_content(Record::new()))
}

/// Logs go into a bucket of objects of the same owner.
pub(super) fn check_logging(call: &Call<'_>) -> Result<(), ServiceError> {
    let enabled = call
        .input
        .record("bucket_logging_status")
        .and_then(|status| status.record("logging_enabled"));
    let Some(target) = enabled.and_then(|enabled| enabled.text("target_bucket")) else {
        return Ok(());
    };
    match call.store().bucket(target) {
        Ok(info) if info.meta.owner == call.owner() && !info.name.contains(':') => Ok(()),
        _ => Err(ServiceError::new(
            400,
            "InvalidTargetBucketForLogging",
            "The target bucket for logging does not exist or is not owned by you.",
        )
        .detail("TargetBucket", target)),
    }
}

/// The stored setting; one that was never made is empty and no error.
pub(super) async fn logging(call: &Call<'_>) -> Result<Answer, ServiceError> {
    match configuration::run_in(call, &bucket(call)?).await {
        Err(error) if error.status == 404 => Ok(Answer::ok(Record::new().with("bucket_logging_status", Record::new()))),
        outcome => outcome,
    }
}

/// A bucket as answers show it.
fn described(call: &Call<'_>, name: &str, info: &BucketInfo) -> Record {
    let region = &info.meta.region;
    Record::new()
        .with("name", arn(call, Some(name), None))
        .with("location", format!("oss-{region}"))
        .with("creation_date", info.created)
        .with("extranet_endpoint", call.state.host("vectors", "public", region))
        .with("intranet_endpoint", call.state.host("vectors", "internal", region))
        .with("region", region)
        .with_some("resource_group_id", info.meta.extra.get(RESOURCE_GROUP))
}
