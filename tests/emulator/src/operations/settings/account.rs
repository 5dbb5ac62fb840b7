//! Settings of the account, which no bucket has.

use crate::answer::Answer;
use crate::error::ServiceError;
use crate::operations::{Call, configuration, owner};
use crate::value::{Record, Value};

/// The name under which an account's block is kept. Keys of several accounts may be configured, and each has its own.
pub(crate) fn block_of(account: &str) -> String {
    format!("publicAccessBlock/{account}")
}

fn own_block(call: &Call<'_>) -> String {
    block_of(call.principal.account().unwrap_or_default())
}

pub(super) async fn put_block(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let document = configuration::serialise(call, &call.input)
        .ok_or_else(|| ServiceError::internal("The document has no shape."))?
        .into_bytes();
    set(call, Some(document)).await
}

pub(super) fn block(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let values = match call.store().account_config(&own_block(call)) {
        Some(document) => configuration::deserialise(call, &document)?,
        None => Record::new().with(
            "public_access_block_configuration",
            Record::new().with("block_public_access", false),
        ),
    };
    Ok(Answer::ok(values))
}

pub(super) async fn delete_block(call: &Call<'_>) -> Result<Answer, ServiceError> {
    set(call, None).await.map(|answer| answer.status(204))
}

async fn set(call: &Call<'_>, document: Option<Vec<u8>>) -> Result<Answer, ServiceError> {
    let block = own_block(call);
    let changed = call
        .store()
        .update_account_config(&block, |_| Ok::<_, ServiceError>((document, ())));
    changed.await??;
    Ok(Answer::empty())
}

/// A local server is no cloud box and knows none.
pub(super) fn cloud_boxes(call: &Call<'_>) -> Answer {
    let account = call.principal.account().unwrap_or_default();
    Answer::ok(
        Record::new()
            .with("prefix", call.input.text_or_empty("prefix"))
            .with("marker", call.input.text_or_empty("marker"))
            .with("max_keys", call.input.integer("max_keys").unwrap_or(100))
            .with("is_truncated", false)
            .with("owner", owner(account))
            .with("cloud_boxes", Value::List(Vec::new())),
    )
}
