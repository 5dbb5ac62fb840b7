//! Single values out of the settings of a bucket, for those who describe it.

use std::collections::BTreeMap;

use super::{defaults, redundancy, tags};
use crate::document::xml::{self, Element};
use crate::error::ServiceError;
use crate::operations::Call;
use crate::store::BucketInfo;
use crate::text;
use crate::value::Record;

/// Text of the first element of a name in a stored setting.
pub(in crate::operations) fn setting(
    call: &Call<'_>,
    bucket: &str,
    kind: &str,
    element: &str,
) -> Result<Option<String>, ServiceError> {
    let Some(document) = call.store().config(bucket, kind)? else {
        return Ok(None);
    };
    let root = xml::parse(&String::from_utf8_lossy(&document)).ok();
    Ok(root.and_then(|root| find(&root, element).map(|found| found.text.trim().to_owned())))
}

fn find<'e>(within: &'e Element, name: &str) -> Option<&'e Element> {
    within.children.iter().find_map(|child| {
        if child.name == name {
            Some(child)
        } else {
            find(child, name)
        }
    })
}

/// Adds to a description of a bucket what its settings say.
pub(in crate::operations) fn describe(
    call: &Call<'_>,
    bucket: &BucketInfo,
    record: Record,
) -> Result<Record, ServiceError> {
    let setting = |kind: &str, element: &str| setting(call, &bucket.name, kind, element);
    let on_off = |on: bool| if on { "Enabled" } else { "Disabled" };
    let is_replicated = !call.store().configs(&bucket.name, "replication/")?.is_empty();
    let algorithm = setting("encryption", "SSEAlgorithm")?.unwrap_or_else(|| "None".to_owned());
    let key = setting("encryption", "KMSMasterKeyID")?.filter(|key| !key.is_empty());
    let encryption = Record::new()
        .with("sse_algorithm", algorithm)
        .with_some("kms_master_key_id", key)
        .with_some("kms_data_encryption", setting("encryption", "KMSDataEncryption")?);
    let log = |element: &str| setting("logging", element).map(Option::unwrap_or_default);
    Ok(record
        .with(
            "data_redundancy_type",
            redundancy::current(call.store(), bucket, call.now)?,
        )
        .with("resource_group_id", resource_group(call, &bucket.name)?)
        .with(
            "access_monitor",
            on_off(setting("accessmonitor", "Status")?.as_deref() == Some("Enabled")),
        )
        .with(
            "transfer_acceleration",
            on_off(setting("transferAcceleration", "Enabled")?.as_deref() == Some("true")),
        )
        .with("cross_region_replication", on_off(is_replicated))
        .with(
            "block_public_access",
            setting("publicAccessBlock", "BlockPublicAccess")?.as_deref() == Some("true"),
        )
        .with("sse_rule", encryption)
        .with(
            "bucket_policy",
            Record::new()
                .with("log_bucket", log("TargetBucket")?)
                .with("log_prefix", log("TargetPrefix")?),
        ))
}

/// The resource group of a bucket.
pub(in crate::operations) fn resource_group(call: &Call<'_>, bucket: &str) -> Result<String, ServiceError> {
    let chosen = setting(call, bucket, "resourceGroup", "ResourceGroupId")?;
    Ok(chosen.unwrap_or_else(|| defaults::DEFAULT_RESOURCE_GROUP.to_owned()))
}

/// What a list of buckets is narrowed by, besides their names.
pub(in crate::operations) struct Narrowing {
    tags: Vec<(String, Option<String>)>,
    resource_group: Option<String>,
}

impl Narrowing {
    pub(in crate::operations) fn of(call: &Call<'_>) -> Result<Self, ServiceError> {
        let input = &call.input;
        let mut tags = Vec::new();
        match (input.text("tag_key"), input.text("tag_value")) {
            (Some(key), value) => tags.push((key.to_owned(), value.map(str::to_owned))),
            (None, Some(value)) => {
                return Err(ServiceError::invalid_argument(
                    "A value of a tag needs its key.",
                    "tag-value",
                    value,
                ));
            }
            (None, None) => {}
        }
        if let Some(tagging) = input.text("tagging") {
            let parsed: Option<BTreeMap<String, String>> = serde_json::from_str(&format!("{{{tagging}}}")).ok();
            let parsed = parsed.filter(|parsed| parsed.len() <= 20);
            let parsed =
                parsed.ok_or_else(|| ServiceError::invalid_argument("The tags are not valid.", "tagging", tagging))?;
            tags.extend(parsed.into_iter().map(|(key, value)| (key, Some(value))));
        }
        Ok(Self {
            tags,
            resource_group: input.text("resource_group_id").map(str::to_owned),
        })
    }

    /// Whether a bucket is wanted.
    pub(in crate::operations) fn takes(&self, call: &Call<'_>, bucket: &str) -> Result<bool, ServiceError> {
        if let Some(wanted) = &self.resource_group
            && resource_group(call, bucket)? != *wanted
        {
            return Ok(false);
        }
        if self.tags.is_empty() {
            return Ok(true);
        }
        let has = tags::of_bucket(call, call.store(), bucket)?;
        let fits = |(key, value): &(String, Option<String>)| {
            has.get(key)
                .is_some_and(|found| value.as_ref().is_none_or(|value| value == found))
        };
        Ok(self.tags.iter().all(fits))
    }
}

/// Reads `key=value&key=value`, percent-encoded, as the document of tags that it stands for.
pub(in crate::operations) fn tagging_document(header: &str) -> Result<Record, ServiceError> {
    let invalid = || ServiceError::invalid_argument("The tags are not valid.", "x-oss-bucket-tagging", header);
    let mut seen: Vec<String> = Vec::new();
    let mut set = Vec::new();
    for pair in header.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let key = text::decode(key)
            .filter(|key| (1..=64).contains(&key.len()))
            .ok_or_else(invalid)?;
        let value = text::decode(value)
            .filter(|value| value.len() <= 128)
            .ok_or_else(invalid)?;
        // What XML cannot hold could be stored but never read again.
        if key.chars().chain(value.chars()).any(char::is_control) {
            return Err(invalid());
        }
        if seen.contains(&key) {
            return Err(ServiceError::new(400, "RepeatedTags", "Two tags have the same key.").detail("TagKey", key));
        }
        seen.push(key.clone());
        set.push(Record::new().with("key", key).with("value", value));
    }
    if set.len() > 20 {
        return Err(ServiceError::new(400, "TooManyTags", "A bucket has at most 20 tags."));
    }
    let set = Record::new().with("tags", set);
    tags::check_set(&set)?;
    Ok(Record::new().with("tag_set", set))
}
