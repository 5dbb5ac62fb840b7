//! Tags of buckets beyond putting and getting all of them.

use std::collections::BTreeMap;

use crate::answer::Answer;
use crate::error::ServiceError;
use crate::operations::{Call, configuration};
use crate::store::Store;
use crate::value::Record;

const KIND: &str = "tagging";

/// Refuses sets of tags that the service does not take.
pub(super) fn check(call: &Call<'_>) -> Result<(), ServiceError> {
    let Some(set) = call
        .input
        .record("tagging")
        .and_then(|tagging| tagging.record("tag_set"))
    else {
        return Ok(());
    };
    check_set(set)
}

/// The same for tags that come in another way.
pub(super) fn check_set(set: &Record) -> Result<(), ServiceError> {
    let mut seen = Vec::new();
    for tag in set.records("tags") {
        let key = tag.text_or_empty("key");
        if seen.contains(&key) {
            return Err(ServiceError::new(400, "RepeatedTags", "Two tags have the same key.").detail("TagKey", key));
        }
        seen.push(key);
        let reserved = ["http://", "https://", "Aliyun"]
            .iter()
            .any(|prefix| key.starts_with(prefix));
        if reserved || key.is_empty() {
            return Err(
                ServiceError::new(400, "InvalidTaggingKey", "The key of a tag is empty or reserved.")
                    .detail("TagKey", key),
            );
        }
    }
    Ok(())
}

/// Removes all tags, or those that are named.
pub(super) async fn delete(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let named: Vec<String> = call
        .input
        .text_or_empty("tagging")
        .split(',')
        .map(str::trim)
        .filter(|key| !key.is_empty())
        .map(str::to_owned)
        .collect();
    if named.is_empty() {
        call.store().delete_config(call.bucket()?, KIND).await?;
        return Ok(Answer::no_content(Record::new()));
    }
    let get = call.service.operation("GetBucketTags");
    let Some((_, shape)) = get.and_then(|get| configuration::whole_shape(&get.result)) else {
        return Err(ServiceError::internal("The tags of buckets have no model."));
    };
    let service = call.service;
    let outcome = call.store().update_config(call.bucket()?, KIND, move |stored| {
        let Some(stored) = stored else {
            return Ok::<_, ServiceError>((None, ()));
        };
        let tagging = configuration::read_shape(service, shape, stored)?;
        let kept: Vec<Record> = tagging
            .record("tag_set")
            .into_iter()
            .flat_map(|set| set.records("tags"))
            .filter(|tag| !named.iter().any(|key| key == tag.text_or_empty("key")))
            .cloned()
            .collect();
        let next = (!kept.is_empty()).then(|| {
            let tagging = Record::new().with("tag_set", Record::new().with("tags", kept));
            configuration::write_shape(service, shape, &tagging)
        });
        Ok((next, ()))
    });
    outcome.await??;
    Ok(Answer::no_content(Record::new()))
}

/// The tags of a bucket, for those who look for buckets by them.
pub(in crate::operations) fn of_bucket(
    call: &Call<'_>,
    store: &Store,
    bucket: &str,
) -> Result<BTreeMap<String, String>, ServiceError> {
    let get = call.service.operation("GetBucketTags");
    let (Some((_, shape)), Some(document)) = (
        get.and_then(|get| configuration::whole_shape(&get.result)),
        store.config(bucket, KIND)?,
    ) else {
        return Ok(BTreeMap::new());
    };
    let tagging = configuration::read_shape(call.service, shape, &document)?;
    let set = tagging.record("tag_set");
    let tags = set.into_iter().flat_map(|set| set.records("tags"));
    Ok(tags
        .map(|tag| {
            (
                tag.text_or_empty("key").to_owned(),
                tag.text_or_empty("value").to_owned(),
            )
        })
        .collect())
}
