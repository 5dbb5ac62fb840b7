//! The behaviour of the store, most of it on both backends with one test body.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use futures_util::TryStreamExt;
use tempfile::TempDir;

use super::*;

mod buckets;
mod concurrency;
mod crash;
mod drafts;
mod groups;
mod guards;
mod objects;
mod restart;
mod uploads;
mod versions;

/// Runs each body on a store in memory and on one in a directory.
macro_rules! on_both_backends {
    ($(async fn $name:ident($store:ident: Store) $body:block)*) => {
        $(mod $name {
            use super::*;

            async fn body($store: Store) $body

            #[tokio::test]
            async fn memory() {
                body(memory_store()).await;
            }

            #[tokio::test]
            async fn directory() {
                let home = tempfile::tempdir().unwrap();
                body(directory_store(&home).await).await;
            }
        })*
    };
}
use on_both_backends;

/// A clock that moves by a second each time it is asked.
fn clock() -> Arc<dyn Clock> {
    let seconds = AtomicU64::new(1_700_000_000);
    Arc::new(move || UNIX_EPOCH + Duration::from_secs(seconds.fetch_add(1, Ordering::Relaxed)))
}

fn memory_store() -> Store {
    Store::in_memory(clock())
}

async fn directory_store(home: &TempDir) -> Store {
    open(home).await.unwrap()
}

/// Without waiting for the disk, which no test can pull the plug of.
async fn open(home: &TempDir) -> Result<Store> {
    Store::open_with(home.path().join("data"), clock(), Durability::ProcessDeath).await
}

fn bucket_meta() -> BucketMeta {
    BucketMeta {
        owner: "alice".into(),
        acl: "private".into(),
        storage_class: "Standard".into(),
        redundancy: "LRS".into(),
        ..BucketMeta::default()
    }
}

async fn bucket(store: &Store) {
    store.create_bucket("b", bucket_meta()).await.unwrap();
}

async fn versioned(store: &Store, versioning: Versioning) {
    store
        .update_bucket("b", move |meta| meta.versioning = versioning)
        .await
        .unwrap();
}

async fn put(store: &Store, key: &str, content: impl Into<Bytes>) -> Arc<ObjectInfo> {
    let staged = store.stage(content).await.unwrap();
    store.put_object("b", key, staged, PutOptions::default()).await.unwrap()
}

async fn append(store: &Store, key: &str, at: u64, content: &'static str) -> Result<Arc<ObjectInfo>> {
    let staged = store.stage(content).await?;
    store.append_object("b", key, at, staged, PutOptions::default()).await
}

async fn collect(stream: ContentStream) -> io::Result<Vec<u8>> {
    let chunks: Vec<Bytes> = stream.try_collect().await?;
    assert!(
        chunks
            .iter()
            .all(|chunk| !chunk.is_empty() && chunk.len() <= blob::CHUNK)
    );
    Ok(chunks.concat())
}

async fn text(store: &Store, key: &str) -> String {
    version_text(store, key, None).await
}

async fn version_text(store: &Store, key: &str, version: Option<&str>) -> String {
    let object = store.object("b", key, version).unwrap();
    String::from_utf8(collect(object.read_all()).await.unwrap()).unwrap()
}

/// Bytes without a short period.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        })
        .collect()
}

/// All that the public functions show of a store, to be compared as a whole.
async fn contents(store: &Store) -> Vec<String> {
    let mut lines = Vec::new();
    for (kind, document) in store.account_configs("") {
        lines.push(format!("account {kind} {document:?}"));
    }
    for bucket in store.list_buckets("", "", usize::MAX).buckets {
        lines.push(format!("{bucket:?}"));
        let name = &bucket.name;
        let counted = store.bucket_handle(name).unwrap().read().count();
        assert_eq!(store.bucket_stat(name).unwrap(), counted, "counts went out of step");
        for (kind, document) in store.configs(name, "").unwrap() {
            lines.push(format!("{name} {kind} {document:?}"));
        }
        let all = ListQuery {
            max: usize::MAX,
            ..ListQuery::default()
        };
        for entry in store.list_versions(name, &all).unwrap().entries {
            lines.push(format!("{entry:?}"));
            if let VersionInfo::Object(info) = &entry.version {
                let object = store.object(name, &info.key, Some(&info.version_id)).unwrap();
                let bytes = collect(object.read_all()).await.unwrap();
                lines.push(format!("{} bytes, {:016x}", bytes.len(), crc::of(&bytes)));
            }
        }
        for upload in store.list_uploads(name, &all).unwrap().entries {
            let parts = store.list_parts(name, &upload.key, &upload.upload_id, 0, usize::MAX);
            lines.push(format!("{:?}", parts.unwrap()));
        }
    }
    lines
}

/// Blob files under a data directory.
fn blob_files(home: &TempDir) -> usize {
    let shards = std::fs::read_dir(home.path().join("data/blobs")).unwrap();
    shards
        .map(|shard| std::fs::read_dir(shard.unwrap().path()).unwrap().count())
        .sum()
}
