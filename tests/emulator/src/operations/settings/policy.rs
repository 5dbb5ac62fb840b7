//! The policy of a bucket as a setting: whether one can be stored, and whether it opens something to everybody.

use crate::access;
use crate::answer::Answer;
use crate::error::ServiceError;
use crate::operations::Call;
use crate::policy::{self, Policy};
use crate::value::Record;

/// Refuses policies that cannot be judged, and public ones where public access is blocked.
pub(super) fn check(call: &Call<'_>) -> Result<(), ServiceError> {
    access::check_bucket_policy(call.state, call.bucket()?, call.input.text_or_empty("body"))
}

/// Reads a policy with principals, such as that of an access point.
pub(super) fn parse(text: &str) -> Result<Policy, ServiceError> {
    policy::bucket(text).map_err(access::invalid_policy)
}

pub(super) fn status(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let bucket = call.bucket()?;
    let document = call.store().config(bucket, "policy")?.ok_or_else(|| {
        ServiceError::new(404, "NoSuchBucketPolicy", "The bucket has no policy.").detail("BucketName", bucket)
    })?;
    let policy = policy::bucket(&String::from_utf8_lossy(&document)).map_err(ServiceError::internal)?;
    let status = Record::new().with("is_public", policy.is_public());
    Ok(Answer::ok(Record::new().with("policy_status", status)))
}
