//! `/_admin/buckets`: what is stored, in figures.

use http::Method;
use serde_json::json;

use super::Admin;
use super::answers::{Refusal, Reply, json_reply};
use super::router::Ask;
use crate::time;

pub(super) fn answer(admin: &Admin, ask: &Ask) -> Result<Reply, Refusal> {
    if ask.parts.method != Method::GET && ask.parts.method != Method::HEAD {
        return Err(Refusal::method("GET, HEAD"));
    }
    let store = &admin.state.store;
    let page = store.list_buckets("", "", usize::MAX);
    // A bucket that is deleted in between is left out.
    let buckets = page.buckets.iter().filter_map(|bucket| {
        let stat = store.bucket_stat(&bucket.name).ok()?;
        Some(json!({
            "name": bucket.name,
            "created": time::iso8601(bucket.created),
            "owner": bucket.meta.owner,
            "acl": bucket.meta.acl,
            "versioning": bucket.meta.versioning,
            "storage_class": bucket.meta.storage_class,
            "objects": stat.objects,
            "versions": stat.versions,
            "delete_markers": stat.delete_markers,
            "uploads": stat.uploads,
            "bytes": stat.storage,
        }))
    });
    let buckets: Vec<_> = buckets.collect();
    Ok(json_reply(200, &json!({"buckets": buckets})))
}
