//! Writing inventory lists: a compressed table of the objects, and a manifest that says what it is.

use std::io::Write as _;
use std::time::SystemTime;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;

use super::{PREFIX, shape};
use crate::address::is_bucket_name;
use crate::error::ServiceError;
use crate::operations::{configuration, retention};
use crate::state::State;
use crate::store::{
    BucketInfo, ListQuery, ObjectInfo, ObjectKind, ObjectMeta, PutOptions, Staged, VersionEntry, VersionInfo,
};

use crate::value::{Record, Value};
use crate::{text, time};

/// Versions that are read at a time.
const PAGE: usize = 1000;

/// What writing the inventory lists did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct InventoryReport {
    /// The manifests that were written, each as `bucket/key`.
    pub manifests: Vec<String>,
    /// Rules whose list could not be written, each as `bucket/rule`; the log says why. Their bucket for lists may be gone,
    /// no longer be one of the same owner and region, or refuse them.
    pub failed: Vec<String>,
}

/// Writes a list for every rule that is on.
pub(crate) async fn run(state: &State, now: SystemTime) -> Result<InventoryReport, ServiceError> {
    let service = state.api.service("oss");
    let service = service.ok_or_else(|| ServiceError::internal("There is no model of oss."))?;
    let mut report = InventoryReport::default();
    for bucket in state.store.list_buckets("", "", usize::MAX).buckets {
        // A bucket that was deleted meanwhile has no rules any more.
        for (kind, document) in state.store.configs(&bucket.name, PREFIX).unwrap_or_default() {
            let id = kind.strip_prefix(PREFIX).unwrap_or(&kind);
            // What fails for one rule keeps no other from its turn.
            let written = match configuration::read_shape(service, shape(service)?, &document) {
                Ok(rule) if !rule.flag("is_enabled") => continue,
                Ok(rule) => write(state, &bucket, id, &rule, now).await,
                Err(error) => Err(error),
            };
            match written {
                Ok(manifest) => report.manifests.push(manifest),
                Err(error) => {
                    tracing::error!(bucket = %bucket.name, rule = id, code = %error.code, message = %error.message, "an inventory list failed");
                    report.failed.push(format!("{}/{id}", bucket.name));
                }
            }
        }
    }
    Ok(report)
}

async fn write(
    state: &State,
    bucket: &BucketInfo,
    id: &str,
    rule: &Record,
    now: SystemTime,
) -> Result<String, ServiceError> {
    let empty = Record::new();
    let destination = rule.record("destination");
    let destination = destination
        .and_then(|destination| destination.record("oss_bucket_destination"))
        .unwrap_or(&empty);
    let target = destination.text_or_empty("bucket").trim_start_matches("acs:oss:::");
    check_destination(state, bucket, target)?;
    let encryption = destination.record("encryption").and_then(|encryption| {
        if encryption.has("sse_kms") {
            Some("KMS")
        } else {
            encryption.has("sse_oss").then_some("AES256")
        }
    });
    let home = match destination.text_or_empty("prefix").trim_end_matches('/') {
        "" => format!("{}/{id}", bucket.name),
        prefix => format!("{prefix}/{}/{id}", bucket.name),
    };
    let columns = columns(rule);
    let table = table(state, bucket, rule, &columns).await?;
    let name = text::sha256_hex(format!("{home}/{}", state.request_id()).as_bytes());
    let data = format!(
        "{home}/data/{}-{}-{}-{}-{}.csv.gz",
        &name[..8],
        &name[8..12],
        &name[12..16],
        &name[16..20],
        &name[20..32]
    );
    let manifest = serde_json::json!({
        "creationTimestamp": time::unix_seconds(now).to_string(),
        "destinationBucket": target,
        "fileFormat": "CSV",
        "fileSchema": columns.join(", "),
        "files": [{ "MD5checksum": hex(&table.md5()), "key": data, "size": table.size() }],
        "sourceBucket": bucket.name,
        "version": "2019-09-01",
    });
    let manifest = manifest.to_string().into_bytes();
    // 2026-01-31T08-05Z
    let minute = time::iso8601(now).get(..16).unwrap_or_default().replace(':', "-");
    let folder = format!("{home}/{minute}Z");
    let manifest = state.store.stage(manifest).await?;
    let checksum = state.store.stage(hex(&manifest.md5())).await?;
    for (key, staged, content_type) in [
        (data, table, "application/gzip"),
        (format!("{folder}/manifest.checksum"), checksum, "text/plain"),
        // The manifest says that the list is complete, so it comes last.
        (format!("{folder}/manifest.json"), manifest, "application/json"),
    ] {
        let mut meta = ObjectMeta {
            content_type: Some(content_type.to_owned()),
            ..ObjectMeta::default()
        };
        if let Some(algorithm) = encryption {
            let name = "server_side_encryption".to_owned();
            meta.encryption.insert(name, algorithm.to_owned());
        }
        let options = PutOptions {
            meta,
            guard: retention::guard_of_service(state.api),
            ..PutOptions::default()
        };
        state.store.put_object(target, &key, staged, options).await?;
    }
    Ok(format!("{target}/{folder}/manifest.json"))
}

/// What held when the rule was made need not hold any more: the name may be another bucket's now.
fn check_destination(state: &State, source: &BucketInfo, target: &str) -> Result<(), ServiceError> {
    if !is_bucket_name(target) {
        return Err(ServiceError::no_such_bucket(target));
    }
    let info = state.store.bucket(target)?;
    if info.meta.owner == source.meta.owner && info.meta.region == source.meta.region {
        return Ok(());
    }
    Err(ServiceError::access_denied(
        "The bucket for lists must be one of the same owner in the same region.",
    ))
}

fn columns(rule: &Record) -> Vec<String> {
    let versions = ["VersionId", "IsLatest", "IsDeleteMarker"];
    let versions = versions.iter().filter(|_| has_versions(rule));
    let optional = rule
        .record("optional_fields")
        .map(|fields| fields.list("fields"))
        .unwrap_or_default();
    let optional = optional.iter().filter_map(|field| match field {
        Value::Text(name) => Some(name.clone()),
        _ => None,
    });
    ["Bucket", "Key"]
        .iter()
        .chain(versions)
        .map(|name| (*name).to_owned())
        .chain(optional)
        .collect()
}

fn has_versions(rule: &Record) -> bool {
    rule.text("included_object_versions") == Some("All")
}

/// The compressed table, page by page, so that not all of a bucket is in memory.
async fn table(state: &State, bucket: &BucketInfo, rule: &Record, columns: &[String]) -> Result<Staged, ServiceError> {
    let failed = |error: std::io::Error| ServiceError::internal(format!("The list cannot be compressed: {error}."));
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let mut writer = state.store.writer();
    let mut query = ListQuery {
        max: PAGE,
        ..ListQuery::default()
    };
    loop {
        let page = state.store.list_versions(&bucket.name, &query)?;
        for entry in &page.entries {
            if !entry.is_latest && !has_versions(rule) || !takes(rule, entry, has_versions(rule)) {
                continue;
            }
            let cells: Vec<String> = columns
                .iter()
                .map(|column| format!("\"{}\"", cell(bucket, entry, column).replace('"', "\"\"")))
                .collect();
            writeln!(encoder, "{}", cells.join(",")).map_err(failed)?;
        }
        writer.write(std::mem::take(encoder.get_mut()).into()).await?;
        let Some(next) = page.next_marker else { break };
        query.marker = next;
        query.id_marker = page.next_id_marker.unwrap_or_default();
    }
    writer.write(encoder.finish().map_err(failed)?.into()).await?;
    Ok(writer.finish().await?)
}

/// Whether a rule lists an object or a delete marker.
fn takes(rule: &Record, entry: &VersionEntry, with_markers: bool) -> bool {
    let empty = Record::new();
    let filter = rule.record("filter").unwrap_or(&empty);
    let prefix = filter.text_or_empty("prefix");
    let object = match &entry.version {
        VersionInfo::DeleteMarker { key, .. } => return with_markers && key.starts_with(prefix),
        VersionInfo::Object(object) => object,
    };
    let within = |number: i64, least: &str, most: &str| {
        filter.integer(least).is_none_or(|least| number >= least)
            && filter.integer(most).is_none_or(|most| number <= most)
    };
    let size = i64::try_from(object.size).unwrap_or(i64::MAX);
    let classes = filter.text_or_empty("storage_class");
    let has_class = classes.is_empty()
        || classes == "All"
        || classes
            .split(',')
            .any(|class| class.trim() == object.meta.storage_class);
    let modified = time::unix_seconds(object.last_modified);
    object.key.starts_with(prefix)
        && has_class
        && within(size, "lower_size_bound", "upper_size_bound")
        && within(modified, "last_modify_begin_time_stamp", "last_modify_end_time_stamp")
}

fn cell(bucket: &BucketInfo, entry: &VersionEntry, column: &str) -> String {
    let (key, version_id, modified, object) = match &entry.version {
        VersionInfo::Object(object) => (&object.key, &object.version_id, object.last_modified, Some(object)),
        VersionInfo::DeleteMarker {
            key,
            version_id,
            last_modified,
        } => (key, version_id, *last_modified, None),
    };
    match column {
        "Bucket" => bucket.name.clone(),
        "Key" => text::encode(key),
        "VersionId" => version_id.clone(),
        "IsLatest" => entry.is_latest.to_string(),
        "IsDeleteMarker" => object.is_none().to_string(),
        "LastModifiedDate" => time::iso8601_millis(modified),
        _ => object.map(|object| of_object(object, column)).unwrap_or_default(),
    }
}

fn of_object(object: &ObjectInfo, column: &str) -> String {
    let meta = &object.meta;
    match column {
        "Size" => object.size.to_string(),
        "ETag" => object.etag.clone(),
        "StorageClass" => meta.storage_class.clone(),
        "IsMultipartUploaded" => (object.kind == ObjectKind::Multipart).to_string(),
        "EncryptionStatus" => (!meta.encryption.is_empty()).to_string(),
        "ObjectAcl" => meta.acl.as_str().to_owned(),
        "TaggingCount" => meta.tags.len().to_string(),
        "ObjectType" => object.kind.as_str().to_owned(),
        "Crc64" => object.crc64.to_string(),
        "TransitionTime" => meta.extra.get("transition-time").cloned().unwrap_or_default(),
        _ => String::new(),
    }
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02X}")).collect()
}
