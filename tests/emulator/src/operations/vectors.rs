//! Vector buckets, their indexes, and the vectors in them.
//!
//! A bucket keeps each index as one document and its vectors as numbered batches, see [`batch`]. The numbers are searched in
//! memory by measuring every vector.

mod batch;
mod buckets;
mod data;
mod distance;
mod filter;
mod indexes;
mod search;
mod stored;

pub(crate) use stored::Indexes;

use super::{Call, configuration, own_buckets};
use crate::access::Resource;
use crate::answer::Answer;
use crate::error::ServiceError;
use crate::policy;
use crate::store::StoreError;

/// Runs an operation of the service.
pub(super) async fn run(call: &Call<'_>) -> Result<Answer, ServiceError> {
    allow(call)?;
    match call.operation.name.as_str() {
        "PutVectorBucket" => buckets::put(call).await,
        "GetVectorBucket" => buckets::get(call),
        "ListVectorBuckets" => buckets::list(call),
        "DeleteVectorBucket" => buckets::delete(call).await,
        "PutBucketPolicy" => {
            own_buckets::check_policy(call)?;
            configuration::run_in(call, &bucket(call)?).await
        }
        "PutBucketLogging" => {
            buckets::check_logging(call)?;
            configuration::run_in(call, &bucket(call)?).await
        }
        "GetBucketLogging" => buckets::logging(call).await,
        "GetBucketPolicy" | "DeleteBucketPolicy" | "DeleteBucketLogging" => {
            configuration::run_in(call, &bucket(call)?).await
        }
        "PutVectorIndex" => indexes::put(call).await,
        "GetVectorIndex" => indexes::get(call),
        "ListVectorIndexes" => indexes::list(call),
        "DeleteVectorIndex" => indexes::delete(call).await,
        "PutVectors" => data::put(call).await,
        "GetVectors" => data::get(call).await,
        "ListVectors" => data::list(call).await,
        "DeleteVectors" => data::delete(call).await,
        "QueryVectors" => search::query(call).await,
        other => Err(ServiceError::not_implemented(other)),
    }
}

/// Decides by the policies of whoever asks and of the bucket.
fn allow(call: &Call<'_>) -> Result<(), ServiceError> {
    let name = arn(call, call.head.bucket(), call.input.text("index_name"));
    let Some(bucket) = call.head.bucket() else {
        return call.allow(&name);
    };
    if call.operation.name == "PutVectorBucket" && call.owner() != call.account() {
        return Err(own_buckets::foreign());
    }
    let document = match call.store().config(&call.container(bucket), "policy") {
        Err(StoreError::NoSuchBucket) => None,
        other => other?,
    };
    let policy = document.map(|document| policy::bucket(&String::from_utf8_lossy(&document)));
    let policy = policy.transpose().map_err(own_buckets::unjudged)?;
    call.allow_resource(&Resource {
        owner: call.owner(),
        name: &name,
        aliases: &[],
        policies: policy.as_slice(),
    })
}

/// The store's name of the bucket that the request names.
fn bucket(call: &Call<'_>) -> Result<String, ServiceError> {
    let container = call.container(call.bucket()?);
    call.store().bucket(&container)?;
    Ok(container)
}

/// Resource of a bucket or an index as policies and answers spell it.
fn arn(call: &Call<'_>, bucket: Option<&str>, index: Option<&str>) -> String {
    let name = match (bucket, index) {
        (None, _) => "*".to_owned(),
        (Some(bucket), None) => bucket.to_owned(),
        (Some(bucket), Some(index)) => format!("{bucket}/{index}"),
    };
    format!("acs:ossvector:{}:{}:{name}", call.state.region, call.owner())
}
