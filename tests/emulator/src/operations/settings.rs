//! Configuration of buckets and of the account in the object service.

use super::{Call, configuration};
use crate::answer::Answer;
use crate::error::ServiceError;

/// Runs an operation of the object service that is not about objects.
pub(super) async fn run(call: &Call<'_>) -> Result<Answer, ServiceError> {
    if call.operation.name == "PutBucketPolicy" {
        configuration::check_policy(call)?;
    }
    configuration::run(call).await
}
