//! `/_admin/objects` and `/_admin/versions`: what is in a bucket, page by page.

use http::Method;
use serde_json::{Value, json};

use crate::admin::Admin;
use crate::admin::answers::{Refusal, Reply, json_reply};
use crate::admin::router::Ask;
use crate::store::{ListQuery, ObjectInfo, VersionEntry, VersionInfo};
use crate::time;

/// Entries of a page that does not say how many.
const USUAL: usize = 100;
/// Most entries of a page.
const MOST: usize = 1000;

/// The latest versions, grouped by `delimiter`.
pub(super) fn objects(admin: &Admin, ask: &Ask) -> Result<Reply, Refusal> {
    let page = admin.state.store.list_objects(ask.needed("bucket")?, &query(ask)?)?;
    let objects: Vec<_> = page.entries.iter().map(|info| entry(info)).collect();
    Ok(json_reply(
        200,
        &json!({
            "objects": objects,
            "prefixes": page.common_prefixes,
            "next": page.next_marker.map(|marker| json!({"marker": marker})),
        }),
    ))
}

/// All versions and delete markers, newest first within a key; those of one key with `key`.
pub(super) fn versions(admin: &Admin, ask: &Ask) -> Result<Reply, Refusal> {
    let mut query = query(ask)?;
    let key = ask.query.get("key").filter(|key| !key.is_empty());
    if let Some(key) = key {
        query.prefix = key.to_owned();
        query.delimiter.clear();
    }
    let page = admin.state.store.list_versions(ask.needed("bucket")?, &query)?;
    // Longer keys with the same beginning follow; with the first of them, or without a next page, the key is done.
    let of_key = |entry: &&VersionEntry| key.is_none_or(|key| key_of(entry) == key);
    let versions: Vec<_> = page.entries.iter().take_while(of_key).map(version).collect();
    let ends_here = versions.len() < page.entries.len();
    let next = page
        .next_marker
        .filter(|_| !ends_here)
        .map(|marker| json!({"marker": marker, "id_marker": page.next_id_marker.unwrap_or_default()}));
    Ok(json_reply(
        200,
        &json!({"versions": versions, "prefixes": page.common_prefixes, "next": next}),
    ))
}

fn query(ask: &Ask) -> Result<ListQuery, Refusal> {
    if ask.parts.method != Method::GET && ask.parts.method != Method::HEAD {
        return Err(Refusal::method("GET, HEAD"));
    }
    let text = |name: &str| ask.query.get(name).unwrap_or_default().to_owned();
    Ok(ListQuery {
        prefix: text("prefix"),
        delimiter: text("delimiter"),
        marker: text("marker"),
        id_marker: text("id_marker"),
        max: ask.number("limit", USUAL)?.clamp(1, MOST),
    })
}

fn entry(info: &ObjectInfo) -> Value {
    json!({
        "key": info.key,
        "type": info.kind.as_str(),
        "size": info.size,
        "etag": info.etag,
        "last_modified": time::iso8601_millis(info.last_modified),
        "storage_class": info.meta.storage_class,
    })
}

fn key_of(entry: &VersionEntry) -> &str {
    match &entry.version {
        VersionInfo::Object(info) => &info.key,
        VersionInfo::DeleteMarker { key, .. } => key,
    }
}

fn version(shown: &VersionEntry) -> Value {
    let mut value = match &shown.version {
        VersionInfo::Object(info) => {
            let mut value = entry(info);
            value["version_id"] = json!(info.version_id);
            value
        }
        VersionInfo::DeleteMarker {
            key,
            version_id,
            last_modified,
        } => json!({
            "key": key,
            "version_id": version_id,
            "last_modified": time::iso8601_millis(*last_modified),
        }),
    };
    value["delete_marker"] = json!(matches!(shown.version, VersionInfo::DeleteMarker { .. }));
    value["latest"] = json!(shown.is_latest);
    value
}
