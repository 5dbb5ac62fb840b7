//! Buckets: their life, and what is known about them.

use std::sync::PoisonError;

use super::settings::{overview, validate, worm};
use super::{Call, configuration, owner, retention};
use crate::answer::Answer;
use crate::error::ServiceError;
use crate::state::State;
use crate::store::{BucketInfo, BucketMeta, Draft, NewBucket, StoreError, Versioning};
use crate::value::Record;

const DEFAULT_BUCKETS: i64 = 100;
/// Regions that DescribeRegions knows besides the emulator's own.
const REGIONS: &[&str] = &[
    "ap-southeast-1",
    "cn-beijing",
    "cn-hangzhou",
    "cn-shanghai",
    "cn-shenzhen",
    "eu-central-1",
    "us-west-1",
];

pub(super) fn list(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let narrowing = overview::Narrowing::of(call)?;
    let account = call.principal.account().unwrap_or_default();
    let input = &call.input;
    let max = usize::try_from(input.integer("max_keys").unwrap_or(DEFAULT_BUCKETS)).unwrap_or_default();
    let (prefix, marker) = (input.text_or_empty("prefix"), input.text_or_empty("marker"));
    // The store knows nothing of owners, so pages are cut here.
    let all = call.store().list_buckets(prefix, marker, usize::MAX).buckets;
    let mut own = Vec::new();
    // Names with a colon are those of other services' buckets, whatever the prefix asks for.
    let listed = |bucket: &BucketInfo| bucket.meta.owner == account && !bucket.name.contains(':');
    for bucket in all.into_iter().filter(listed) {
        if narrowing.takes(call, &bucket.name)? {
            own.push(bucket);
        }
    }
    let truncated = own.len() > max;
    own.truncate(max);
    let next_marker = own.last().filter(|_| truncated).map(|bucket| bucket.name.clone());
    let mut buckets = Vec::new();
    for bucket in &own {
        let shown = Record::new()
            .with("resource_group_id", overview::resource_group(call, &bucket.name)?)
            .with("name", &bucket.name)
            .with("location", location_of(bucket))
            .with("region", &bucket.meta.region)
            .with("creation_date", bucket.created)
            .with("storage_class", &bucket.meta.storage_class)
            .with(
                "extranet_endpoint",
                call.state.host("oss", "public", &bucket.meta.region),
            )
            .with(
                "intranet_endpoint",
                call.state.host("oss", "internal", &bucket.meta.region),
            );
        buckets.push(shown);
    }
    // Paging members are absent when the whole list was asked for and fits.
    let paged = truncated || input.has("max_keys") || input.has("prefix") || input.has("marker");
    let mut values = Record::new().with("owner", owner(account)).with("buckets", buckets);
    if paged {
        values = values
            .with("prefix", prefix)
            .with("marker", marker)
            .with("max_keys", max)
            .with("is_truncated", truncated)
            .with_some("next_marker", next_marker);
    }
    Ok(Answer::ok(call.modelled(values)))
}

/// The regions that the emulator knows, by name.
pub(super) fn regions_of(state: &State) -> Vec<&str> {
    let mut regions: Vec<&str> = REGIONS.iter().copied().chain([state.region.as_str()]).collect();
    regions.sort_unstable();
    regions.dedup();
    regions
}

pub(super) fn knows_region(state: &State, region: &str) -> bool {
    regions_of(state).contains(&region)
}

pub(super) fn regions(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let mut regions = regions_of(call.state);
    if let Some(wanted) = call.input.text("regions").filter(|wanted| !wanted.is_empty()) {
        regions.retain(|region| format!("oss-{region}") == wanted);
        if regions.is_empty() {
            return Err(
                ServiceError::new(404, "NoSuchRegion", "The specified region does not exist.").detail("Region", wanted),
            );
        }
    }
    let host = |kind: &str, region: &str| call.state.host("oss", kind, region);
    let infos = regions.into_iter().map(|region| {
        Record::new()
            .with("region", format!("oss-{region}"))
            .with("internet_endpoint", host("public", region))
            .with("internal_endpoint", host("internal", region))
            .with("accelerate_endpoint", host("accelerate", region))
    });
    Ok(Answer::ok(Record::new().with("region_info", infos.collect::<Vec<_>>())))
}

pub(super) async fn put(call: &Call<'_>) -> Result<Answer, ServiceError> {
    call.refuse(&["agentic_bucket"])?;
    let settings = settings_of_creation(call)?;
    let bucket = call.bucket()?;
    let account = call.principal.account().unwrap_or_default().to_owned();
    let empty = Record::new();
    let configuration = call.input.record("create_bucket_configuration").unwrap_or(&empty);
    let acl = call.input.text("acl").map(str::to_owned);
    let meta = BucketMeta {
        owner: account.clone(),
        acl: acl.clone().unwrap_or_else(|| "private".to_owned()),
        storage_class: configuration.text("storage_class").unwrap_or("Standard").to_owned(),
        redundancy: configuration.text("data_redundancy_type").unwrap_or("LRS").to_owned(),
        region: call.state.region.clone(),
        ..BucketMeta::default()
    };
    // With its settings from the start, so that a failure leaves no bucket without them.
    let new = NewBucket {
        meta,
        documents: settings,
        limit: None,
    };
    match call.store().create_bucket_with(bucket, new).await {
        Ok(_) => {}
        Err(StoreError::BucketAlreadyExists { owner }) if owner == account => {
            if let Some(acl) = acl {
                call.store().update_bucket(bucket, move |meta| meta.acl = acl).await?;
            }
        }
        Err(error) => return Err(error.into()),
    }
    Ok(Answer::empty().header("location", format!("/{bucket}")))
}

/// What the headers of a creation say about settings that are documents otherwise.
fn settings_of_creation(call: &Call<'_>) -> Result<Vec<(String, Vec<u8>)>, ServiceError> {
    let mut settings = Vec::new();
    let mut add = |kind: &str, operation: &str, record: &Record| {
        let operation = call.service.operation(operation);
        if let Some((_, shape)) = operation.and_then(|operation| configuration::whole_shape(&operation.request)) {
            settings.push((kind.to_owned(), configuration::write_shape(call.service, shape, record)));
        }
    };
    if let Some(header) = call.input.text("bucket_tagging") {
        add("tagging", "PutBucketTags", &overview::tagging_document(header)?);
    }
    if let Some(group) = call.input.text("resource_group_id") {
        let record = Record::new().with("resource_group_id", group);
        validate::resource_group(&record)?;
        add("resourceGroup", "PutBucketResourceGroup", &record);
    }
    Ok(settings)
}

pub(super) async fn delete(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let bucket = call.bucket()?;
    call.store().delete_bucket(bucket).await?;
    call.state
        .names
        .write()
        .unwrap_or_else(PoisonError::into_inner)
        .release_bucket(bucket);
    Ok(Answer::no_content(Record::new()))
}

pub(super) fn info(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let bucket = call.bucket_info()?;
    let meta = &bucket.meta;
    let info = Record::new()
        .with("name", &bucket.name)
        .with("owner", owner(&meta.owner))
        .with("acl", &meta.acl)
        .with("location", location_of(&bucket))
        .with("creation_date", bucket.created)
        .with("storage_class", &meta.storage_class)
        .with("extranet_endpoint", call.state.host("oss", "public", &meta.region))
        .with("intranet_endpoint", call.state.host("oss", "internal", &meta.region))
        .with_some("versioning", status_of(meta.versioning))
        .with("comment", "");
    let info = overview::describe(call, &bucket, info)?;
    Ok(Answer::ok(Record::new().with("bucket_info", info)))
}

pub(super) fn location(call: &Call<'_>) -> Result<Answer, ServiceError> {
    Ok(Answer::ok(
        Record::new().with("location", location_of(&call.bucket_info()?)),
    ))
}

pub(super) fn stat(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let stat = call.store().bucket_stat(call.bucket()?)?;
    let mut values = Record::new()
        .with("storage", stat.storage)
        .with("object_count", stat.objects)
        .with("multi_part_upload_count", stat.uploads)
        .with("multipart_part_count", 0u64)
        .with("live_channel_count", 0u64)
        .with("delete_marker_count", stat.delete_markers)
        .with("last_modified_time", crate::time::unix_seconds(call.now));
    for (class, name) in [
        ("Standard", "standard"),
        ("IA", "infrequent_access"),
        ("Archive", "archive"),
        ("ColdArchive", "cold_archive"),
        ("DeepColdArchive", "deep_cold_archive"),
    ] {
        let storage = stat.storage_by_class.get(class).copied().unwrap_or_default();
        values.set(&format!("{name}_storage"), storage);
        values.set(&format!("{name}_real_storage"), storage);
        values.set(
            &format!("{name}_object_count"),
            stat.objects_by_class.get(class).copied().unwrap_or_default(),
        );
    }
    Ok(Answer::ok(call.modelled(values)))
}

pub(super) fn acl(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let bucket = call.bucket_info()?;
    Ok(Answer::ok(
        Record::new()
            .with("owner", owner(&bucket.meta.owner))
            .with("acl", &bucket.meta.acl),
    ))
}

pub(super) async fn put_acl(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let acl = call.input.text_or_empty("acl").to_owned();
    call.store()
        .update_bucket(call.bucket()?, move |meta| meta.acl = acl)
        .await?;
    Ok(Answer::empty())
}

pub(super) fn versioning(call: &Call<'_>) -> Result<Answer, ServiceError> {
    Ok(Answer::ok(Record::new().with_some(
        "version_status",
        status_of(call.bucket_info()?.meta.versioning),
    )))
}

pub(super) async fn put_versioning(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let status = call
        .input
        .record("versioning_configuration")
        .and_then(|document| document.text("status"));
    let versioning = match status {
        Some("Enabled") => Versioning::Enabled,
        Some("Suspended") => Versioning::Suspended,
        _ => {
            return Err(ServiceError::malformed_xml(
                "the element Status is neither Enabled nor Suspended",
            ));
        }
    };
    let (api, now) = (call.state.api, call.now);
    let change = move |draft: &mut Draft<'_>| {
        if versioning == Versioning::Suspended {
            if retention::object_worm_among(api, draft.documents)?.is_some() {
                return Err(immutable(
                    "The versioning of a bucket with object retention cannot be suspended.",
                ));
            }
            if worm::retention(draft.documents, now)?.is_some() {
                return Err(immutable(
                    "The versioning of a bucket with a retention policy cannot be suspended.",
                ));
            }
        }
        draft.meta.versioning = versioning;
        Ok(())
    };
    call.store().change_bucket(call.bucket()?, change).await??;
    Ok(Answer::empty())
}

fn immutable(why: &str) -> ServiceError {
    ServiceError::new(400, "InvalidRequest", why)
}

fn status_of(versioning: Versioning) -> Option<&'static str> {
    match versioning {
        Versioning::Unversioned => None,
        Versioning::Enabled => Some("Enabled"),
        Versioning::Suspended => Some("Suspended"),
    }
}

fn location_of(bucket: &BucketInfo) -> String {
    format!("oss-{}", bucket.meta.region)
}
