//! Objects: writing, appending, reading, deleting and listing them and their versions.

use std::collections::BTreeSet;
use std::ops::{Bound, Range};
use std::sync::Arc;
use std::time::SystemTime;

use md5::{Digest, Md5};

use super::blob::{Content, ContentStream};
use super::commit::Scope;
use super::id::hex;
use super::index::{BucketIndex, Record, Version};
use super::protection::Settled;
use super::types::{
    DeleteOutcome, ListQuery, NULL_VERSION, ObjectInfo, ObjectKind, ObjectMeta, Page, PutOptions, VersionEntry,
    VersionInfo, Versioning,
};
use super::{Guard, Inner, Result, Staged, Store, StoreError, crc, list};

/// The greatest size of an appendable object: 5 GiB.
const MAX_APPENDABLE: u64 = 5 * 1024 * 1024 * 1024;

/// One version of an object with a hold on its content: later writes do not change it.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    info: Arc<ObjectInfo>,
    content: Content,
}

impl Object {
    /// What is known about it.
    pub(crate) fn info(&self) -> &Arc<ObjectInfo> {
        &self.info
    }

    /// Streams the whole content. A block comes only after its CRC-64 agreed, and the last chunk after that of
    /// the whole did; otherwise the stream ends with an error.
    pub(crate) fn read_all(&self) -> ContentStream {
        self.content.read_all(self.info.size, self.info.crc64)
    }

    /// Streams the bytes of `range`, which must lie within the object. A block comes only after its CRC-64
    /// agreed.
    pub(crate) fn read(&self, range: Range<u64>) -> Result<ContentStream> {
        let size = self.info.size;
        if range.start > range.end || range.end > size {
            return Err(StoreError::InvalidRange { size });
        }
        if range == (0..size) {
            return Ok(self.read_all());
        }
        Ok(self.content.read(range))
    }
}

/// What a copy is written onto.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Onto {
    /// Another object.
    Another,
    /// Its source, which was read as the latest version of its key and must still be that as it was.
    ItsLatest,
    /// The key of its source, whose version must still be as it was.
    ItsVersion,
}

/// An object that is about to become the latest version of its key.
pub(super) struct NewObject {
    pub(super) key: String,
    pub(super) kind: ObjectKind,
    pub(super) content: Content,
    pub(super) size: u64,
    pub(super) etag: String,
    pub(super) crc64: u64,
    pub(super) sealed: Option<SystemTime>,
    pub(super) options: PutOptions,
}

impl NewObject {
    fn staged(key: &str, kind: ObjectKind, staged: Staged, options: PutOptions) -> Self {
        Self {
            key: key.to_owned(),
            kind,
            size: staged.size(),
            etag: staged.etag(),
            crc64: staged.crc64(),
            content: staged.content,
            sealed: None,
            options,
        }
    }

    /// The record that publishes it, and what will be known about it.
    pub(super) fn publish(
        self,
        index: &BucketIndex,
        inner: &Inner,
        upload_id: Option<String>,
    ) -> Result<(Record, Arc<ObjectInfo>)> {
        let settled = self.options.guard.settle(&index.configs, inner.now())?;
        let overwrites = index.latest(&self.key).is_some_and(|v| !v.is_marker());
        let unversioned = index.meta.versioning == Versioning::Unversioned;
        if (self.options.forbid_overwrite || settled.terms.forbid_overwrite) && unversioned && overwrites {
            return Err(StoreError::FileAlreadyExists);
        }
        let version_id = new_version_id(index, inner);
        check_loss(index, &self.key, &version_id, &settled)?;
        if upload_id.is_none() {
            // The bytes of an upload are held already.
            settled.check_room(index, self.size)?;
        }
        let mut meta = self.options.meta;
        meta.lock.retention = meta.lock.retention.or(settled.terms.default_retention);
        if meta.storage_class.is_empty() {
            meta.storage_class.clone_from(&index.meta.storage_class);
        }
        let info = Arc::new(ObjectInfo {
            key: self.key.clone(),
            version_id,
            size: self.size,
            etag: self.etag,
            crc64: self.crc64,
            last_modified: inner.now(),
            kind: self.kind,
            sealed: self.sealed,
            meta,
        });
        let record = Record::Put {
            key: self.key,
            version: Version::Object {
                info: Arc::clone(&info),
                content: self.content,
            },
            upload_id,
        };
        Ok((record, info))
    }
}

fn new_version_id(index: &BucketIndex, inner: &Inner) -> String {
    match index.meta.versioning {
        Versioning::Enabled => format!("CAEQ{}", inner.new_id()),
        Versioning::Unversioned | Versioning::Suspended => NULL_VERSION.to_owned(),
    }
}

/// Refuses to lose the version of this id when it is protected.
fn check_loss(index: &BucketIndex, key: &str, version_id: &str, settled: &Settled) -> Result<()> {
    match index.find(key, version_id) {
        Some(Version::Object { info, .. }) => settled.check(info),
        _ => Ok(()),
    }
}

/// Refuses a deletion that loses something protected. With versioning on, a new marker takes nothing's place.
fn check_deletion(index: &BucketIndex, key: &str, version: Option<&str>, settled: &Settled) -> Result<()> {
    match (version, index.meta.versioning) {
        (Some(id), _) => check_loss(index, key, id, settled),
        (None, Versioning::Enabled) => Ok(()),
        (None, Versioning::Unversioned | Versioning::Suspended) => check_loss(index, key, NULL_VERSION, settled),
    }
}

/// How a key or a version of it is deleted: see [`Store::delete_object`].
fn deletion(
    index: &BucketIndex,
    inner: &Inner,
    key: String,
    version: Option<String>,
    settled: &Settled,
) -> Result<(Option<Record>, DeleteOutcome)> {
    check_deletion(index, &key, version.as_deref(), settled)?;
    Ok(match version {
        Some(id) => remove_version(index, key, &id, Some(id.clone())),
        None if index.meta.versioning == Versioning::Unversioned => remove_version(index, key, NULL_VERSION, None),
        None => {
            let version_id = new_version_id(index, inner);
            let outcome = DeleteOutcome {
                version_id: Some(version_id.clone()),
                delete_marker: true,
                changed: true,
            };
            let version = Version::Marker {
                version_id,
                last_modified: inner.now(),
            };
            let record = Record::Put {
                key,
                version,
                upload_id: None,
            };
            (Some(record), outcome)
        }
    })
}

/// The version that was asked for; a delete marker is an error.
fn find<'i>(index: &'i BucketIndex, key: &str, version: Option<&str>) -> Result<(&'i Arc<ObjectInfo>, &'i Content)> {
    let found = match version {
        None => index.latest(key).ok_or(StoreError::NoSuchKey)?,
        Some(id) => index.find(key, id).ok_or(StoreError::NoSuchVersion)?,
    };
    match found {
        Version::Object { info, content } => Ok((info, content)),
        Version::Marker {
            version_id,
            last_modified,
        } => Err(StoreError::DeleteMarker {
            version_id: version_id.clone(),
            last_modified: *last_modified,
        }),
    }
}

/// Objects. A `version` of `None` means the latest, `Some("null")` the null version.
impl Store {
    /// Publishes staged content as a normal object.
    pub(crate) async fn put_object(
        &self,
        bucket: &str,
        key: &str,
        content: Staged,
        options: PutOptions,
    ) -> Result<Arc<ObjectInfo>> {
        let object = NewObject::staged(key, ObjectKind::Normal, content, options);
        self.publish(bucket, object).await
    }

    /// Writes a symlink; `options.meta.symlink_target` is where it points. Its ETag is the MD5 of
    /// the target's text.
    pub(crate) async fn put_symlink(&self, bucket: &str, key: &str, options: PutOptions) -> Result<Arc<ObjectInfo>> {
        let target = options.meta.symlink_target.as_deref().unwrap_or_default();
        let object = NewObject {
            key: key.to_owned(),
            kind: ObjectKind::Symlink,
            content: Content::default(),
            size: 0,
            etag: hex(&Md5::digest(target)),
            crc64: 0,
            sealed: None,
            options,
        };
        self.publish(bucket, object).await
    }

    /// Publishes the content of an object that was read before as a new object, without moving bytes.
    /// The ETag and the CRC-64 are the source's. The copy of a symbolic link is one; any other copy is a
    /// normal object, unless only what is said about the object itself changes.
    pub(crate) async fn copy_object(
        &self,
        source: &Object,
        bucket: &str,
        key: &str,
        onto: Onto,
        options: PutOptions,
    ) -> Result<Arc<ObjectInfo>> {
        let bucket = self.bucket_handle(bucket)?;
        let source = source.clone();
        let key = key.to_owned();
        self.commit(bucket, Scope::Key(key.clone()), move |index, inner| {
            let is_source = |found: Option<&Version>| matches!(found, Some(Version::Object { info, .. }) if Arc::ptr_eq(info, &source.info));
            let unchanged = match onto {
                Onto::Another => true,
                Onto::ItsLatest => is_source(index.latest(&key)),
                Onto::ItsVersion => is_source(index.find(&key, &source.info.version_id)),
            };
            if !unchanged {
                return Err(StoreError::SourceChanged);
            }
            let itself = onto != Onto::Another && index.meta.versioning == Versioning::Unversioned;
            let object = NewObject {
                key,
                kind: match source.info.kind {
                    kind if itself || kind == ObjectKind::Symlink => kind,
                    _ => ObjectKind::Normal,
                },
                content: source.content,
                size: source.info.size,
                etag: source.info.etag.clone(),
                crc64: source.info.crc64,
                sealed: source.info.sealed.filter(|_| itself),
                options,
            };
            let (record, info) = object.publish(index, inner, None)?;
            Ok((Some(record), info))
        })
        .await
    }

    async fn publish(&self, bucket: &str, object: NewObject) -> Result<Arc<ObjectInfo>> {
        let bucket = self.bucket_handle(bucket)?;
        self.commit(bucket, Scope::Key(object.key.clone()), move |index, inner| {
            let (record, info) = object.publish(index, inner, None)?;
            Ok((Some(record), info))
        })
        .await
    }

    /// Appends at `position`, or creates an appendable object at position 0: then `options.meta` is
    /// taken, later it is ignored. The ETag is the MD5 of the ETag before and the MD5 of what came.
    pub(crate) async fn append_object(
        &self,
        bucket: &str,
        key: &str,
        position: u64,
        content: Staged,
        options: PutOptions,
    ) -> Result<Arc<ObjectInfo>> {
        let bucket = self.bucket_handle(bucket)?;
        let key = key.to_owned();
        self.commit(bucket, Scope::Key(key.clone()), move |index, inner| {
            let settled = options.guard.settle(&index.configs, inner.now())?;
            if settled.terms.forbid_append {
                return Err(StoreError::AppendForbidden);
            }
            let old = match index.latest(&key) {
                None | Some(Version::Marker { .. }) if position == 0 => {
                    let object = NewObject::staged(&key, ObjectKind::Appendable, content, options);
                    let (record, info) = object.publish(index, inner, None)?;
                    return Ok((Some(record), info));
                }
                None | Some(Version::Marker { .. }) => {
                    return Err(StoreError::PositionNotEqualToLength { length: 0 });
                }
                Some(Version::Object { info, .. }) => info,
            };
            let forbidden = options.forbid_overwrite || settled.terms.forbid_overwrite;
            if forbidden && index.meta.versioning == Versioning::Unversioned {
                return Err(StoreError::FileAlreadyExists);
            }
            settled.check(old)?;
            if old.sealed.is_some() {
                return Err(StoreError::ObjectNotAppendable);
            }
            check_appendable(old, position)?;
            settled.check_room(index, content.size())?;
            let size = old.size.checked_add(content.size());
            let mut info = ObjectInfo::clone(old);
            info.size = size
                .filter(|size| *size <= MAX_APPENDABLE)
                .ok_or(StoreError::EntityTooLarge { limit: MAX_APPENDABLE })?;
            info.crc64 = crc::combine(old.crc64, content.crc64(), content.size());
            info.etag = hex(&Md5::digest(format!("{}{}", old.etag, content.etag())));
            info.last_modified = inner.now();
            let info = Arc::new(info);
            let record = Record::Extend {
                info: Arc::clone(&info),
                content: content.content,
            };
            Ok((Some(record), info))
        })
        .await
    }

    /// Ends an appendable object of length `position`: it cannot grow any more. Sealing twice is
    /// fine.
    pub(crate) async fn seal_object(
        &self,
        bucket: &str,
        key: &str,
        position: u64,
        guard: Guard,
    ) -> Result<Arc<ObjectInfo>> {
        let bucket = self.bucket_handle(bucket)?;
        let key = key.to_owned();
        self.commit(bucket, Scope::Key(key.clone()), move |index, inner| {
            let (old, _) = find(index, &key, None)?;
            check_appendable(old, position)?;
            if old.sealed.is_some() {
                return Ok((None, Arc::clone(old)));
            }
            guard.settle(&index.configs, inner.now())?.check(old)?;
            let mut info = ObjectInfo::clone(old);
            info.sealed = Some(inner.now());
            Ok(replace_info(info))
        })
        .await
    }

    /// An object with its content. A delete marker is the error `DeleteMarker`.
    pub(crate) fn object(&self, bucket: &str, key: &str, version: Option<&str>) -> Result<Object> {
        let bucket = self.bucket_handle(bucket)?;
        let index = bucket.read();
        let (info, content) = find(&index, key, version)?;
        Ok(Object {
            info: Arc::clone(info),
            content: content.clone(),
        })
    }

    /// Changes what is kept beside the content (ACL, tags, metadata, restore state), atomically.
    /// The time of last modification stays.
    pub(crate) async fn update_object<F>(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        change: F,
    ) -> Result<Arc<ObjectInfo>>
    where
        F: FnOnce(&mut ObjectMeta) + Send + 'static,
    {
        let bucket = self.bucket_handle(bucket)?;
        let key = key.to_owned();
        let version = version.map(str::to_owned);
        self.commit(bucket, Scope::Key(key.clone()), move |index, _| {
            let (old, _) = find(index, &key, version.as_deref())?;
            let mut info = ObjectInfo::clone(old);
            change(&mut info.meta);
            if info == **old {
                return Ok((None, Arc::clone(old)));
            }
            Ok(replace_info(info))
        })
        .await
    }

    /// Like [`Store::update_object`], for changes that may be refused: then nothing changes.
    pub(crate) async fn revise_object<T, E, F>(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        change: F,
    ) -> Result<Result<T, E>>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnOnce(&mut ObjectInfo) -> Result<T, E> + Send + 'static,
    {
        let bucket = self.bucket_handle(bucket)?;
        let key = key.to_owned();
        let version = version.map(str::to_owned);
        self.commit(bucket, Scope::Key(key.clone()), move |index, _| {
            let (old, _) = find(index, &key, version.as_deref())?;
            let mut info = ObjectInfo::clone(old);
            let answer = match change(&mut info) {
                Ok(answer) => answer,
                Err(refusal) => return Ok((None, Err(refusal))),
            };
            let record = (info != **old).then(|| replace_info(info).0).flatten();
            Ok((record, Ok(answer)))
        })
        .await
    }

    /// Changes what is kept beside the content of a version when `applies` says so about all versions of
    /// the key as they are then, newest first. Tells whether it did.
    pub(crate) async fn update_object_if<P, F>(
        &self,
        bucket: &str,
        key: &str,
        version: &str,
        applies: P,
        change: F,
    ) -> Result<bool>
    where
        P: FnOnce(&[VersionEntry]) -> bool + Send + 'static,
        F: FnOnce(&mut ObjectMeta) + Send + 'static,
    {
        let bucket = self.bucket_handle(bucket)?;
        let key = key.to_owned();
        let version = version.to_owned();
        self.commit(bucket, Scope::Key(key.clone()), move |index, _| {
            if !applies(&entries(index, &key)) {
                return Ok((None, false));
            }
            let (old, _) = find(index, &key, Some(&version))?;
            let mut info = ObjectInfo::clone(old);
            change(&mut info.meta);
            Ok((replace_info(info).0, true))
        })
        .await
    }

    /// Deletes as the bucket's versioning wants: without a version it removes the object or adds a
    /// delete marker; with one it removes that version for good. Deleting nothing succeeds, losing
    /// what `guard` or a lock protects does not.
    pub(crate) async fn delete_object(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        guard: Guard,
    ) -> Result<DeleteOutcome> {
        let bucket = self.bucket_handle(bucket)?;
        let key = key.to_owned();
        let version = version.map(str::to_owned);
        self.commit(bucket, Scope::Key(key.clone()), move |index, inner| {
            let settled = guard.settle(&index.configs, inner.now())?;
            deletion(index, inner, key, version, &settled)
        })
        .await
    }

    /// Deletes when `applies` says so about all versions of the key as they are then, newest first. Tells
    /// whether it did.
    pub(crate) async fn delete_object_if<P>(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        guard: Guard,
        applies: P,
    ) -> Result<bool>
    where
        P: FnOnce(&[VersionEntry]) -> bool + Send + 'static,
    {
        let bucket = self.bucket_handle(bucket)?;
        let key = key.to_owned();
        let version = version.map(str::to_owned);
        self.commit(bucket, Scope::Key(key.clone()), move |index, inner| {
            if !applies(&entries(index, &key)) {
                return Ok((None, false));
            }
            let settled = guard.settle(&index.configs, inner.now())?;
            let (record, outcome) = deletion(index, inner, key, version, &settled)?;
            Ok((record, outcome.changed))
        })
        .await
    }

    /// Deletes many keys or versions at once: all of them, or none, and then the key that is in the way is told.
    pub(crate) async fn delete_objects(
        &self,
        bucket: &str,
        objects: Vec<(String, Option<String>)>,
        guard: Guard,
    ) -> Result<Result<Vec<DeleteOutcome>, (String, StoreError)>> {
        let bucket = self.bucket_handle(bucket)?;
        self.commit(bucket, Scope::Bucket, move |index, inner| {
            let settled = guard.settle(&index.configs, inner.now())?;
            let mut records = Vec::new();
            let mut outcomes = Vec::new();
            let mut removed = BTreeSet::new();
            for (key, version) in objects {
                let (record, mut outcome) = match deletion(index, inner, key.clone(), version, &settled) {
                    Ok(planned) => planned,
                    Err(error) => return Ok((None, Err((key, error)))),
                };
                match record {
                    // Named twice: the second time there is nothing left.
                    Some(Record::Remove { key, version_id }) if !removed.insert((key.clone(), version_id.clone())) => {
                        outcome.changed = false;
                    }
                    record => records.extend(record),
                }
                outcomes.push(outcome);
            }
            let record = (!records.is_empty()).then_some(Record::Batch { records });
            Ok((record, Ok(outcomes)))
        })
        .await
    }

    /// The latest versions that are objects.
    pub(crate) fn list_objects(&self, bucket: &str, query: &ListQuery) -> Result<Page<Arc<ObjectInfo>>> {
        let bucket = self.bucket_handle(bucket)?;
        let index = bucket.read();
        let query = ListQuery {
            id_marker: String::new(),
            ..query.clone()
        };
        Ok(list::page(&query, 0, |from| {
            index
                .keys
                .range::<str, _>((from, Bound::Unbounded))
                .filter_map(|(key, versions)| match versions.last() {
                    Some(Version::Object { info, .. }) => Some((key.as_str(), "", info)),
                    _ => None,
                })
        })
        .map(Arc::clone))
    }

    /// All versions and delete markers: by key, newest first.
    pub(crate) fn list_versions(&self, bucket: &str, query: &ListQuery) -> Result<Page<VersionEntry>> {
        let bucket = self.bucket_handle(bucket)?;
        let index = bucket.read();
        let listed_before = index
            .keys
            .get(&query.marker)
            .map_or(0, |versions| versions_up_to(versions, &query.id_marker));
        let page = list::page(query, listed_before, |from| {
            index
                .keys
                .range::<str, _>((from, Bound::Unbounded))
                .flat_map(|(key, versions)| {
                    versions
                        .iter()
                        .rev()
                        .enumerate()
                        .map(|(age, version)| (key.as_str(), version.id(), (key.as_str(), age, version)))
                })
        });
        Ok(page.map(|(key, age, version)| entry(key, age, version)))
    }
}

/// All versions of a key, newest first.
fn entries(index: &BucketIndex, key: &str) -> Vec<VersionEntry> {
    let versions = index.keys.get(key).into_iter().flatten().rev().enumerate();
    versions.map(|(age, version)| entry(key, age, version)).collect()
}

/// A version as lists show it; `age` counts the newer ones.
fn entry(key: &str, age: usize, version: &Version) -> VersionEntry {
    VersionEntry {
        is_latest: age == 0,
        version: match version {
            Version::Object { info, .. } => VersionInfo::Object(Arc::clone(info)),
            Version::Marker {
                version_id,
                last_modified,
            } => VersionInfo::DeleteMarker {
                key: key.to_owned(),
                version_id: version_id.clone(),
                last_modified: *last_modified,
            },
        },
    }
}

/// How many versions, newest first, a listing that got to `id` has shown. When that version is gone
/// meanwhile (a purge deletes page by page), ids tell by their order which ones are older.
fn versions_up_to(versions: &[Version], id: &str) -> usize {
    let mut newest_first = versions.iter().rev();
    if let Some(at) = newest_first.clone().position(|version| version.id() == id) {
        return at + 1;
    }
    if id == NULL_VERSION {
        return 0;
    }
    let newer = |version: &Version| version.id() != NULL_VERSION && version.id() > id;
    newest_first.rposition(newer).map_or(0, |newest_older| newest_older + 1)
}

fn check_appendable(object: &ObjectInfo, position: u64) -> Result<()> {
    if object.kind != ObjectKind::Appendable {
        return Err(StoreError::ObjectNotAppendable);
    }
    if object.size != position {
        let length = object.size;
        return Err(StoreError::PositionNotEqualToLength { length });
    }
    Ok(())
}

fn replace_info(info: ObjectInfo) -> (Option<Record>, Arc<ObjectInfo>) {
    let info = Arc::new(info);
    let record = Record::Extend {
        info: Arc::clone(&info),
        content: Content::default(),
    };
    (Some(record), info)
}

fn remove_version(
    index: &BucketIndex,
    key: String,
    id: &str,
    shown: Option<String>,
) -> (Option<Record>, DeleteOutcome) {
    let Some(version) = index.find(&key, id) else {
        let outcome = DeleteOutcome {
            version_id: None,
            delete_marker: false,
            changed: false,
        };
        return (None, outcome);
    };
    let outcome = DeleteOutcome {
        version_id: shown,
        delete_marker: version.is_marker(),
        changed: true,
    };
    let record = Record::Remove {
        key,
        version_id: id.to_owned(),
    };
    (Some(record), outcome)
}
