//! ACL and tags of objects.

use std::sync::Arc;

use super::{Call, meta, owner, read};
use crate::answer::Answer;
use crate::error::ServiceError;
use crate::store::{ObjectInfo, ObjectMeta};
use crate::value::Record;

pub(super) async fn put_acl(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let acl = meta::acl(&call.input);
    let info = update(call, move |meta| meta.acl = acl).await?;
    Ok(Answer::ok(version(call, &info)?))
}

pub(super) fn acl(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let object = read::open(call)?;
    let info = object.info();
    let values = version(call, info)?
        .with("owner", owner(&call.bucket_info()?.meta.owner))
        .with("acl", info.meta.acl.as_str());
    Ok(Answer::ok(values))
}

pub(super) async fn put_tagging(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let set = call
        .input
        .record("tagging")
        .and_then(|tagging| tagging.record("tag_set"));
    let tag = |tag: &Record| {
        (
            tag.text_or_empty("key").to_owned(),
            tag.text_or_empty("value").to_owned(),
        )
    };
    let tags = meta::check_tags(
        set.map(|set| set.records("tags").map(tag).collect())
            .unwrap_or_default(),
        meta::MAX_TAGS,
    )?;
    let info = update(call, move |meta| meta.tags = tags).await?;
    Ok(Answer::ok(version(call, &info)?))
}

pub(super) fn tagging(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let object = read::open(call)?;
    let tags = object
        .info()
        .meta
        .tags
        .iter()
        .map(|(key, value)| Record::new().with("key", key).with("value", value));
    let set = Record::new().with("tags", tags.collect::<Vec<_>>());
    Ok(Answer::ok(version(call, object.info())?.with("tag_set", set)))
}

pub(super) async fn delete_tagging(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let info = update(call, |meta| meta.tags.clear()).await?;
    Ok(Answer::no_content(version(call, &info)?))
}

async fn update(
    call: &Call<'_>,
    change: impl FnOnce(&mut ObjectMeta) + Send + 'static,
) -> Result<Arc<ObjectInfo>, ServiceError> {
    // Opening it first gives delete markers their own error.
    read::open(call)?;
    Ok(call
        .store()
        .update_object(call.bucket()?, call.key()?, call.version(), change)
        .await?)
}

fn version(call: &Call<'_>, info: &ObjectInfo) -> Result<Record, ServiceError> {
    Ok(call.modelled(Record::new().with_some("version_id", call.shown_version(info)?)))
}
