//! Processing of images: at a read, by a style, and into another object.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};

use super::{Call, quoted, read, restore, retention, settings};
use crate::access::Need;
use crate::address::{is_bucket_name, is_object_key};
use crate::answer::Answer;
use crate::error::ServiceError;
use crate::picture::{self, Pipeline, Processed};
use crate::store::{Object, ObjectMeta, PutOptions};
use crate::{text, time};

/// GetObject with `x-oss-process`: the processed content in the place of the object's own.
pub(super) async fn get(call: &Call<'_>, object: &Object, process: &str) -> Result<Answer, ServiceError> {
    let processed = run(call, object, process).await?;
    let info = object.info();
    let length = u64::try_from(processed.content.len()).unwrap_or(u64::MAX);
    Ok(Answer::empty()
        .header("content-type", processed.content_type)
        .header("etag", quoted(&info.etag))
        .header("last-modified", time::http_date(info.last_modified))
        .payload(length, Box::pin(stream::once(async move { Ok(processed.content) }))))
}

/// ProcessObject: `{actions}|sys/saveas,o_{key},b_{bucket}`.
pub(super) async fn save(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let given = call.input.text_or_empty("process");
    let invalid = |why: &str| ServiceError::invalid_argument(why, "x-oss-process", given);
    // The body is a form. Most clients send it as it is, one escapes it.
    let whole = text::decode(given).ok_or_else(|| invalid("The processing has malformed escapes."))?;
    let (process, target) = whole
        .split_once("|sys/saveas,")
        .ok_or_else(|| invalid("The processing has no sys/saveas."))?;
    let (mut bucket, mut key) = (call.bucket()?.to_owned(), None);
    for parameter in target.split(',') {
        let value = |encoded: &str| {
            let bytes = URL_SAFE_NO_PAD.decode(encoded.trim_end_matches('=')).ok();
            bytes
                .and_then(|bytes| String::from_utf8(bytes).ok())
                .ok_or_else(|| invalid("A parameter of sys/saveas is not URL-safe Base64."))
        };
        match parameter.split_once('_') {
            Some(("o", encoded)) => key = Some(value(encoded)?),
            Some(("b", encoded)) => bucket = value(encoded)?,
            _ => return Err(invalid("A parameter of sys/saveas is neither o_ nor b_.")),
        }
    }
    let key = key
        .filter(|key| is_object_key(key))
        .ok_or_else(|| invalid("sys/saveas has no valid key."))?;
    if !is_bucket_name(&bucket) {
        return Err(invalid("sys/saveas has no valid bucket."));
    }
    let found = read::find(call)?;
    restore::refuse_archived(call, call.bucket()?, found.target.info())?;
    call.authorise(Need::Write, "PutObject", &bucket, &key, None)?;
    let (own, target) = (call.bucket_info()?, call.store().bucket(&bucket)?);
    if own.meta.owner != target.meta.owner || own.meta.region != target.meta.region {
        return Err(ServiceError::access_denied(
            "The result must lie in a bucket of the same owner in the same region.",
        ));
    }
    let processed = run(call, &found.target, process).await?;
    let mut writer = call.store().writer();
    writer.write(processed.content).await?;
    let options = PutOptions {
        meta: ObjectMeta {
            content_type: Some(processed.content_type.to_owned()),
            ..ObjectMeta::default()
        },
        forbid_overwrite: call.input.flag("forbid_overwrite"),
        guard: retention::guard_of(call, Some(&key)),
    };
    let info = call
        .store()
        .put_object(&bucket, &key, writer.finish().await?, options)
        .await?;
    let document = serde_json::json!({ "bucket": bucket, "fileSize": info.size, "object": key, "status": "OK" });
    let document = Bytes::from(document.to_string());
    let length = u64::try_from(document.len()).unwrap_or(u64::MAX);
    Ok(Answer::empty()
        .header("content-type", "application/json")
        .payload(length, Box::pin(stream::once(async move { Ok(document) }))))
}

async fn run(call: &Call<'_>, object: &Object, process: &str) -> Result<Processed, ServiceError> {
    let pipeline = match process.strip_prefix("style/") {
        Some(name) => Pipeline::parse(&style(call, name)?)?,
        None => Pipeline::parse(process)?,
    };
    if object.info().size > picture::MAX_FILE {
        return Err(picture::file_too_large());
    }
    let worker = picture::Worker::hire().await?;
    let mut content = object.read_all();
    let mut file = Vec::new();
    while let Some(chunk) = content.next().await {
        let chunk = chunk.map_err(|error| ServiceError::internal(format!("The object cannot be read: {error}.")))?;
        file.extend_from_slice(&chunk);
    }
    worker.process(file, pipeline).await
}

/// The processing that a style of the bucket stands for.
fn style(call: &Call<'_>, name: &str) -> Result<String, ServiceError> {
    settings::style_content(call, name)?.ok_or_else(|| {
        ServiceError::new(404, "NoSuchStyle", "The specified style does not exist.").detail("StyleName", name)
    })
}
