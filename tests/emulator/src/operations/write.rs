//! PutObject and AppendObject: content streams into the store and becomes visible in one step.

use super::{Call, check_md5, meta, quoted, web};
use crate::answer::Answer;
use crate::callback::Callback;
use crate::error::ServiceError;
use crate::store::{PutOptions, Staged};
use crate::text;
use crate::value::{Record, Value};

pub(super) async fn put(mut call: Call<'_>) -> Result<Answer, ServiceError> {
    // What is wrong with the request is told before the body is taken in.
    options(&call)?;
    let callback = Callback::of(call.head)?;
    let content = stage(&mut call).await?;
    put_content(&call, content, callback.as_ref()).await
}

/// Makes an object of content that was taken in.
pub(crate) async fn put_content(
    call: &Call<'_>,
    content: Staged,
    callback: Option<&Callback>,
) -> Result<Answer, ServiceError> {
    let options = options(call)?;
    let encryption = options.meta.encryption.clone();
    let md5 = text::base64(&content.md5());
    let info = call
        .store()
        .put_object(call.bucket()?, call.key()?, content, options)
        .await?;
    let mut values = Record::new()
        .with("etag", quoted(&info.etag))
        .with("content_md5", md5)
        .with("hash_crc64", info.crc64.to_string())
        .with_some("version_id", call.shown_version(&info)?);
    for (name, value) in &encryption {
        values.set(name, Value::from(value));
    }
    let answer = Answer::ok(call.modelled(values));
    web::call_back(call, callback, &info, answer).await
}

pub(super) async fn append(mut call: Call<'_>) -> Result<Answer, ServiceError> {
    let options = options(&call)?;
    let encryption = options.meta.encryption.clone();
    let position = call
        .input
        .integer("position")
        .and_then(|position| u64::try_from(position).ok())
        .unwrap_or_default();
    let content = stage(&mut call).await?;
    let info = call
        .store()
        .append_object(call.bucket()?, call.key()?, position, content, options)
        .await?;
    let mut values = Record::new()
        .with("next_position", info.size)
        .with("hash_crc64", info.crc64.to_string())
        .with_some("version_id", call.shown_version(&info)?);
    for (name, value) in &encryption {
        values.set(name, Value::from(value));
    }
    Ok(Answer::ok(call.modelled(values)).header("etag", quoted(&info.etag)))
}

fn options(call: &Call<'_>) -> Result<PutOptions, ServiceError> {
    Ok(PutOptions {
        meta: meta::of(call)?,
        forbid_overwrite: call.input.flag("forbid_overwrite"),
    })
}

/// Takes the body in and compares its MD5 before anything becomes visible.
pub(super) async fn stage(call: &mut Call<'_>) -> Result<Staged, ServiceError> {
    let given = call.head.header("content-md5");
    let content = call.body.stage(&call.state.store).await?;
    check_md5(given, &content.md5())?;
    Ok(content)
}
