//! PutObject and AppendObject: content streams into the store and becomes visible in one step.

use super::{Call, check_md5, encryption, meta, quoted, retention, web};
use crate::answer::Answer;
use crate::callback::Callback;
use crate::error::ServiceError;
use crate::store::{Staged, StoreError};
use crate::value::Record;
use crate::{text, time};

pub(super) async fn put(mut call: Call<'_>) -> Result<Answer, ServiceError> {
    // What is wrong with the request is told before the body is taken in.
    meta::of(&call)?;
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
    let options = meta::options(call, meta::of(call)?)?;
    let md5 = text::base64(&content.md5());
    let info = call
        .store()
        .put_object(call.bucket()?, call.key()?, content, options)
        .await?;
    let values = Record::new()
        .with("etag", quoted(&info.etag))
        .with("content_md5", md5)
        .with("hash_crc64", info.crc64.to_string())
        .with_some("version_id", call.shown_version(&info)?);
    let answer = encryption::headers(&info.meta, Answer::ok(call.modelled(values)));
    web::call_back(call, callback, &info, answer).await
}

pub(super) async fn append(mut call: Call<'_>) -> Result<Answer, ServiceError> {
    let mut written = meta::of(&call)?;
    if let Some(class @ ("ColdArchive" | "DeepColdArchive")) = call.input.text("storage_class") {
        return Err(ServiceError::invalid_argument(
            "An appendable object cannot be put into a cold or deep cold archive.",
            "x-oss-storage-class",
            class,
        ));
    }
    if call.input.has("server_side_encryption_key_id") {
        return Err(ServiceError::invalid_argument(
            "A key ID cannot be given for an appendable object.",
            "x-oss-server-side-encryption-key-id",
            call.input.text_or_empty("server_side_encryption_key_id"),
        ));
    }
    if retention::object_worm(&call, call.bucket()?)?.is_some() {
        return Err(StoreError::AppendForbidden.into());
    }
    // The default of the bucket may name a key, which appendable objects do not take.
    written.encryption.remove("server_side_encryption_key_id");
    let options = meta::options(&call, written)?;
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
    let values = Record::new()
        .with("next_position", info.size)
        .with("hash_crc64", info.crc64.to_string())
        .with_some("version_id", call.shown_version(&info)?);
    let values = encryption::show(&info.meta, values);
    Ok(Answer::ok(call.modelled(values)).header("etag", quoted(&info.etag)))
}

/// Closes an appendable object for good.
pub(super) async fn seal(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let position = call
        .input
        .integer("position")
        .and_then(|position| u64::try_from(position).ok())
        .unwrap_or_default();
    let bucket = call.bucket()?;
    let guard = retention::guard(call);
    let info = call.store().seal_object(bucket, call.key()?, position, guard).await?;
    let values = Record::new().with_some("sealed_time", info.sealed.map(time::http_date));
    Ok(Answer::ok(call.modelled(values)))
}

/// Takes the body in and compares its MD5 before anything becomes visible.
pub(super) async fn stage(call: &mut Call<'_>) -> Result<Staged, ServiceError> {
    let given = call.head.header("content-md5");
    let content = call.body.stage(&call.state.store).await?;
    check_md5(given, &content.md5())?;
    Ok(content)
}
