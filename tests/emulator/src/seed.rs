//! What an emulator has from the start: a folder whose folders are buckets and whose files below are objects.
//!
//! Everything is looked at before anything is stored, so that a mistake in the folder leaves the store as it was.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use bytes::BytesMut;
use serde::Deserialize;
use tokio::io::AsyncReadExt as _;

use crate::address::{is_bucket_name, is_object_key};
use crate::store::{BucketMeta, ObjectAcl, ObjectMeta, PutOptions, Staged, Store, StoreError, Versioning};

/// What else is to be known of the buckets, beside their folders.
const SETTINGS: &str = "seed.toml";
/// Marks a bucket whose objects are on their way: when the start is cut short, the next one goes on with it.
const UNFINISHED: &str = "seed-unfinished";
const CHUNK: usize = 256 * 1024;

/// A bucket to be.
#[derive(Debug, PartialEq)]
struct Seed {
    bucket: String,
    settings: Settings,
    /// Keys, and where their content is.
    objects: Vec<(String, PathBuf)>,
}

/// What a section of [`SETTINGS`] says about a bucket.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    acl: Option<String>,
    versioning: Versioning,
}

/// Stores what the folder holds. Buckets that exist are left alone.
pub(crate) async fn plant(store: &Store, account: &str, region: &str, folder: &Path) -> Result<(), String> {
    let root = folder.to_owned();
    let survey = tokio::task::spawn_blocking(move || survey(&root));
    let seeds = survey.await.map_err(|error| error.to_string())??;
    for seed in seeds {
        let name = seed.bucket.clone();
        let failed = |error: StoreError| format!("the bucket `{name}`: {error}");
        match store.bucket(&name) {
            Ok(bucket) if !bucket.meta.extra.contains_key(UNFINISHED) => continue,
            Ok(_) => {}
            Err(StoreError::NoSuchBucket) => {
                let meta = BucketMeta {
                    owner: account.to_owned(),
                    acl: seed.settings.acl.unwrap_or_else(|| "private".to_owned()),
                    storage_class: "Standard".to_owned(),
                    redundancy: "LRS".to_owned(),
                    region: region.to_owned(),
                    versioning: seed.settings.versioning,
                    extra: BTreeMap::from([(UNFINISHED.to_owned(), String::new())]),
                    ..BucketMeta::default()
                };
                store.create_bucket(&name, meta).await.map_err(failed)?;
            }
            Err(error) => return Err(failed(error)),
        }
        let count = seed.objects.len();
        for (key, path) in seed.objects {
            if store.object(&name, &key, None).is_err() {
                plant_object(store, &name, &key, &path)
                    .await
                    .map_err(|error| failure(&path, error))?;
            }
        }
        let finish = |meta: &mut BucketMeta| {
            meta.extra.remove(UNFINISHED);
        };
        store.update_bucket(&name, finish).await.map_err(failed)?;
        tracing::info!(bucket = %name, objects = count, "a bucket was seeded");
    }
    Ok(())
}

async fn plant_object(store: &Store, bucket: &str, key: &str, path: &Path) -> Result<(), StoreError> {
    let content = stage(store, path).await?;
    let options = PutOptions {
        meta: ObjectMeta {
            content_type: mime_guess::from_path(key).first_raw().map(str::to_owned),
            ..ObjectMeta::default()
        },
        ..PutOptions::default()
    };
    store.put_object(bucket, key, content, options).await.map(drop)
}

async fn stage(store: &Store, path: &Path) -> Result<Staged, StoreError> {
    let mut file = tokio::fs::File::open(path).await?;
    let mut writer = store.writer();
    loop {
        let mut chunk = BytesMut::with_capacity(CHUNK);
        if file.read_buf(&mut chunk).await? == 0 {
            return writer.finish().await;
        }
        writer.write(chunk.freeze()).await?;
    }
}

fn failure(path: &Path, error: impl std::fmt::Display) -> String {
    format!("{}: {error}", path.display())
}

/// Finds out what there is to store.
fn survey(folder: &Path) -> Result<Vec<Seed>, String> {
    let root = fs::canonicalize(folder).map_err(|error| failure(folder, error))?;
    let survey = Survey { root };
    let mut settings = survey.settings(&folder.join(SETTINGS))?;
    let mut seeds = Vec::new();
    for (name, path) in entries(folder)? {
        // Files and hidden folders beside the buckets belong to whoever keeps the folder.
        if name.starts_with('.') || !survey.metadata(&path)?.is_dir() {
            continue;
        }
        if !is_bucket_name(&name) {
            return Err(failure(&path, "this is no name of a bucket"));
        }
        let mut objects = Vec::new();
        survey.walk(&path, "", &mut vec![survey.root.clone()], &mut objects)?;
        seeds.push(Seed {
            settings: settings.remove(&name).unwrap_or_default(),
            bucket: name,
            objects,
        });
    }
    // What has settings and no folder is an empty bucket: not every folder can be kept empty.
    seeds.extend(settings.into_iter().map(|(bucket, settings)| Seed {
        bucket,
        settings,
        objects: Vec::new(),
    }));
    Ok(seeds)
}

/// The entries of a folder by name.
fn entries(folder: &Path) -> Result<BTreeMap<String, PathBuf>, String> {
    let mut entries = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(|error| failure(folder, error))? {
        let path = entry.map_err(|error| failure(folder, error))?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| failure(&path, "the name is not UTF-8"))?;
        entries.insert(name.to_owned(), path.clone());
    }
    Ok(entries)
}

struct Survey {
    /// The folder without links on the way.
    root: PathBuf,
}

impl Survey {
    fn settings(&self, path: &Path) -> Result<BTreeMap<String, Settings>, String> {
        let text = match fs::symlink_metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
            _ => fs::read_to_string(self.inside(path)?).map_err(|error| failure(path, error))?,
        };
        let settings: BTreeMap<String, Settings> = toml::from_str(&text).map_err(|error| failure(path, error))?;
        for (bucket, settings) in &settings {
            if !is_bucket_name(bucket) {
                return Err(failure(path, format!("`{bucket}` is no name of a bucket")));
            }
            let acl = settings.acl.as_deref().unwrap_or("private");
            if ObjectAcl::parse(acl).is_none_or(|acl| acl == ObjectAcl::Default) {
                let why = format!("`{acl}` is not private, public-read or public-read-write");
                return Err(failure(path, format!("the ACL of `{bucket}`: {why}")));
            }
        }
        Ok(settings)
    }

    /// Where a path leads, which must not be out of the folder.
    fn inside(&self, path: &Path) -> Result<PathBuf, String> {
        let real = fs::canonicalize(path).map_err(|error| failure(path, error))?;
        match real.starts_with(&self.root) {
            true => Ok(real),
            false => Err(failure(path, "the link leads out of the folder")),
        }
    }

    fn metadata(&self, path: &Path) -> Result<fs::Metadata, String> {
        fs::metadata(self.inside(path)?).map_err(|error| failure(path, error))
    }

    /// Gathers the files of a folder and of those in it. `above` are the folders that it is in.
    fn walk(
        &self,
        folder: &Path,
        prefix: &str,
        above: &mut Vec<PathBuf>,
        objects: &mut Vec<(String, PathBuf)>,
    ) -> Result<(), String> {
        let real = self.inside(folder)?;
        if above.contains(&real) {
            return Err(failure(folder, "the link leads to a folder that it is in"));
        }
        above.push(real);
        for (name, path) in entries(folder)? {
            let metadata = self.metadata(&path)?;
            let key = format!("{prefix}{name}");
            if !is_object_key(&key) {
                return Err(failure(&path, "this is no key of an object"));
            }
            if metadata.is_dir() {
                self.walk(&path, &format!("{key}/"), above, objects)?;
            } else if metadata.is_file() {
                objects.push((key, self.inside(&path)?));
            } else {
                return Err(failure(&path, "this is neither a file nor a folder"));
            }
        }
        above.pop();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::SystemTime;

    use super::*;

    #[tokio::test]
    async fn what_was_cut_short_is_finished_and_what_is_there_stays() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("bucket")).unwrap();
        for key in ["a", "b"] {
            fs::write(folder.path().join("bucket").join(key), "seed").unwrap();
        }
        let store = Store::in_memory(Arc::new(|| SystemTime::UNIX_EPOCH));
        let meta = BucketMeta {
            versioning: Versioning::Enabled,
            extra: BTreeMap::from([(UNFINISHED.to_owned(), String::new())]),
            ..BucketMeta::default()
        };
        store.create_bucket("bucket", meta).await.unwrap();
        let changed = store.stage("changed since").await.unwrap();
        store
            .put_object("bucket", "a", changed, PutOptions::default())
            .await
            .unwrap();
        let size = |key: &str| store.object("bucket", key, None).map(|object| object.info().size).ok();
        plant(&store, "1", "region", folder.path()).await.unwrap();
        assert_eq!((size("a"), size("b")), (Some(13), Some(4)));
        assert_eq!(store.bucket_stat("bucket").unwrap().versions, 2);
        assert!(store.bucket("bucket").unwrap().meta.extra.is_empty());
        fs::write(folder.path().join("bucket/c"), "late").unwrap();
        plant(&store, "1", "region", folder.path()).await.unwrap();
        assert_eq!(size("c"), None);
    }
}
