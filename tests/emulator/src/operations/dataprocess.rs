//! Data processing: what the models alone can do.

use super::{Call, configuration};
use crate::answer::Answer;
use crate::error::ServiceError;

/// Runs an operation of the service.
pub(super) async fn run(call: &Call<'_>) -> Result<Answer, ServiceError> {
    configuration::run(call).await
}
