//! What operations do for web clients: callbacks after uploads, and checks of CORS and website documents.

use futures_util::stream;

use super::{Call, configuration};
use crate::answer::Answer;
use crate::callback::{Callback, Facts};
use crate::cors;
use crate::error::ServiceError;
use crate::store::ObjectInfo;
use crate::website;

pub(super) async fn put_cors(call: &Call<'_>) -> Result<Answer, ServiceError> {
    if let Some(configuration) = call.input.record("cors_configuration") {
        cors::check(configuration)?;
    }
    configuration::run(call).await
}

pub(super) async fn put_website(call: &Call<'_>) -> Result<Answer, ServiceError> {
    if let Some(configuration) = call.input.record("website_configuration") {
        website::check(configuration)?;
    }
    configuration::run(call).await
}

/// Makes the callback of an upload, if one was asked for, and puts its answer in the place of ours. The object stays, whatever
/// becomes of the callback.
pub(super) async fn call_back(
    call: &Call<'_>,
    callback: Option<&Callback>,
    info: &ObjectInfo,
    answer: Answer,
) -> Result<Answer, ServiceError> {
    let Some(callback) = callback else {
        return Ok(answer);
    };
    let bucket = call.bucket()?;
    let facts = Facts {
        bucket,
        operation: if call.is_form {
            "PostObject"
        } else {
            &call.operation.name
        },
        request_id: call.request_id,
        client: call.head.transport.peer,
        reach: call.state.callbacks.get(),
    };
    // What was written is told, even when somebody has replaced or deleted it by now; only its content cannot be read then.
    let object = call.store().object(bucket, &info.key, Some(&info.version_id)).ok();
    let object = object.filter(|object| **object.info() == *info);
    let body = callback.call(info, object.as_ref(), facts).await?;
    let length = u64::try_from(body.len()).unwrap_or(u64::MAX);
    Ok(answer
        .header("content-type", "application/json")
        .payload(length, Box::pin(stream::once(async move { Ok(body) }))))
}
