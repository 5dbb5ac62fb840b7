//! The index of a bucket: everything but the bytes, and the records that change it.
//!
//! A change is a [`Record`]. On disk it is journaled first and applied then; a restart applies the
//! journal again. So [`BucketIndex::apply`] must depend on nothing but the index and the record.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::blob::{Content, Pool};
use super::error::StoreError;
use super::types::{BucketInfo, BucketMeta, BucketStat, NULL_VERSION, ObjectInfo, ObjectMeta, UploadInfo};

/// A version of a key: an object or a delete marker.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Version {
    /// With content.
    Object {
        /// All but the content.
        info: Arc<ObjectInfo>,
        /// The content.
        content: Content,
    },
    /// A delete marker.
    Marker {
        /// Its id.
        version_id: String,
        /// When it was written.
        #[serde(with = "super::time")]
        last_modified: SystemTime,
    },
}

impl Version {
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Object { info, .. } => &info.version_id,
            Self::Marker { version_id, .. } => version_id,
        }
    }

    pub(crate) fn is_marker(&self) -> bool {
        matches!(self, Self::Marker { .. })
    }
}

/// A part of an unfinished upload.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) size: u64,
    pub(crate) md5: [u8; 16],
    pub(crate) crc64: u64,
    #[serde(with = "super::time")]
    pub(crate) last_modified: SystemTime,
    pub(crate) content: Content,
}

/// An unfinished upload.
#[derive(Debug, Clone)]
pub(crate) struct Upload {
    pub(crate) initiated: SystemTime,
    pub(crate) meta: ObjectMeta,
    pub(crate) parts: BTreeMap<u32, Part>,
}

impl Upload {
    pub(crate) fn info(&self, key: &str, upload_id: &str) -> UploadInfo {
        UploadInfo {
            key: key.to_owned(),
            upload_id: upload_id.to_owned(),
            initiated: self.initiated,
            meta: self.meta.clone(),
        }
    }
}

/// One atomic change of a bucket.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Record {
    /// The bucket comes to be: the first record of every journal, and only the first.
    Bucket {
        name: String,
        #[serde(with = "super::time")]
        created: SystemTime,
        meta: BucketMeta,
    },
    /// What is kept about the bucket is replaced.
    Meta { meta: BucketMeta },
    /// A document is replaced, or removed when there is none.
    Config {
        kind: String,
        #[serde(with = "document")]
        document: Option<Arc<Vec<u8>>>,
    },
    /// A version becomes the latest; a null version takes the place of another one. The upload that
    /// it was made of ends.
    Put {
        key: String,
        version: Version,
        upload_id: Option<String>,
    },
    /// What is known of a version is replaced and content is added to it.
    Extend { info: Arc<ObjectInfo>, content: Content },
    /// A version goes.
    Remove { key: String, version_id: String },
    /// An upload begins.
    Upload {
        key: String,
        upload_id: String,
        #[serde(with = "super::time")]
        initiated: SystemTime,
        meta: Box<ObjectMeta>,
    },
    /// A part is stored.
    Part {
        key: String,
        upload_id: String,
        number: u32,
        part: Part,
    },
    /// An upload ends without an object.
    Abort { key: String, upload_id: String },
    /// Several changes that happen together.
    Batch { records: Vec<Record> },
}

impl Record {
    /// One record for changes that happen together; nothing when there are none.
    pub(crate) fn together(mut records: Vec<Self>) -> Option<Self> {
        match records.len() {
            0 | 1 => records.pop(),
            _ => Some(Self::Batch { records }),
        }
    }

    /// How many changes it is.
    pub(crate) fn changes(&self) -> u64 {
        match self {
            Self::Batch { records } => records.iter().map(Self::changes).sum(),
            _ => 1,
        }
    }

    /// Bytes that the bucket grows by. One that shrinks makes no room before that is written.
    pub(crate) fn growth(&self, index: &BucketIndex) -> u64 {
        match self {
            Self::Put {
                key,
                version: version @ Version::Object { info, .. },
                upload_id: None,
            } => match index.find(key, version.id()) {
                Some(Version::Object { info: replaced, .. }) => info.size.saturating_sub(replaced.size),
                _ => info.size,
            },
            Self::Extend { content, .. } => content.len(),
            Self::Part {
                key,
                upload_id,
                number,
                part,
            } => {
                let upload = index.upload(key, upload_id).ok();
                let replaced = upload.and_then(|upload| upload.parts.get(number));
                part.size.saturating_sub(replaced.map_or(0, |replaced| replaced.size))
            }
            _ => 0,
        }
    }
}

/// Content that an applied record left without a user in the index. Dropping it may delete files,
/// which nobody should do under a lock.
pub(crate) type Garbage = Vec<Content>;

/// All about a bucket but the bytes.
#[derive(Debug)]
pub(crate) struct BucketIndex {
    pub(crate) name: String,
    pub(crate) created: SystemTime,
    pub(crate) meta: BucketMeta,
    pub(crate) configs: BTreeMap<String, Arc<Vec<u8>>>,
    /// Versions by key, oldest first; never an empty list.
    pub(crate) keys: BTreeMap<String, Vec<Version>>,
    /// Uploads by key and id.
    pub(crate) uploads: BTreeMap<(String, String), Upload>,
    /// Counts of all this, kept in step with every change.
    pub(crate) stat: BucketStat,
    /// Bytes that changes will add which are decided and not made.
    expected: AtomicU64,
    /// Set when the bucket was deleted while somebody still held it.
    pub(crate) deleted: bool,
}

impl BucketIndex {
    pub(crate) fn new(name: String, created: SystemTime, meta: BucketMeta) -> Self {
        Self {
            name,
            created,
            meta,
            configs: BTreeMap::new(),
            keys: BTreeMap::new(),
            uploads: BTreeMap::new(),
            stat: BucketStat::default(),
            expected: AtomicU64::new(0),
            deleted: false,
        }
    }

    pub(crate) fn info(&self) -> BucketInfo {
        BucketInfo {
            name: self.name.clone(),
            created: self.created,
            meta: self.meta.clone(),
        }
    }

    pub(crate) fn latest(&self, key: &str) -> Option<&Version> {
        self.keys.get(key)?.last()
    }

    pub(crate) fn find(&self, key: &str, version_id: &str) -> Option<&Version> {
        self.keys.get(key)?.iter().find(|v| v.id() == version_id)
    }

    pub(crate) fn upload(&self, key: &str, upload_id: &str) -> Result<&Upload, StoreError> {
        self.uploads
            .get(&(key.to_owned(), upload_id.to_owned()))
            .ok_or(StoreError::NoSuchUpload)
    }

    /// Bytes of all versions and parts, with those that are about to come.
    pub(crate) fn storage(&self) -> u64 {
        self.stat.storage.saturating_add(self.expected.load(Ordering::Relaxed))
    }

    /// Counts bytes that a change will add. Whoever decides on changes holds the journal, so nobody else counts.
    pub(crate) fn expect_growth(&self, bytes: u64) {
        self.expected.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The changes that were decided on are made, or failed.
    pub(crate) fn forget_growth(&self) {
        self.expected.store(0, Ordering::Relaxed);
    }

    /// Whether a plain GET of the key finds an object.
    fn shows(&self, key: &str) -> bool {
        self.latest(key).is_some_and(|version| !version.is_marker())
    }

    /// Changes the index. An error means that the record does not fit, which only a damaged journal
    /// can bring about.
    pub(crate) fn apply(&mut self, record: Record) -> Result<Garbage, StoreError> {
        let mut garbage = Garbage::new();
        self.apply_to(record, &mut garbage)?;
        Ok(garbage)
    }

    fn apply_to(&mut self, record: Record, garbage: &mut Garbage) -> Result<(), StoreError> {
        match record {
            Record::Bucket { .. } => return Err(misfit("the bucket exists")),
            Record::Meta { meta } => self.meta = meta,
            Record::Config { kind, document } => {
                match document {
                    Some(document) => self.configs.insert(kind, document),
                    None => self.configs.remove(&kind),
                };
            }
            Record::Put {
                key,
                version,
                upload_id,
            } => {
                if let Some(upload_id) = upload_id {
                    self.end_upload(&key, upload_id, garbage)?;
                }
                if version.id() == NULL_VERSION {
                    self.take(&key, NULL_VERSION, garbage);
                }
                self.stat.add(&version);
                self.stat.objects -= u64::from(self.shows(&key));
                self.stat.objects += u64::from(!version.is_marker());
                self.keys.entry(key).or_default().push(version);
            }
            Record::Extend { info, content } => {
                let versions = self.keys.get_mut(&info.key);
                let version = versions
                    .and_then(|list| list.iter_mut().find(|v| v.id() == info.version_id))
                    .ok_or_else(|| misfit("no version to extend"))?;
                let Version::Object {
                    info: old,
                    content: all,
                } = version
                else {
                    return Err(misfit("a marker cannot be extended"));
                };
                all.extend(&content);
                self.stat.remove_object(old);
                self.stat.add_object(&info);
                *old = info;
            }
            Record::Remove { key, version_id } => {
                if !self.take(&key, &version_id, garbage) {
                    return Err(misfit("no version to remove"));
                }
            }
            Record::Upload {
                key,
                upload_id,
                initiated,
                meta,
            } => {
                let upload = Upload {
                    initiated,
                    meta: *meta,
                    parts: BTreeMap::new(),
                };
                if self.uploads.insert((key, upload_id), upload).is_none() {
                    self.stat.uploads += 1;
                }
            }
            Record::Part {
                key,
                upload_id,
                number,
                part,
            } => {
                let upload = self
                    .uploads
                    .get_mut(&(key, upload_id))
                    .ok_or_else(|| misfit("no upload for the part"))?;
                self.stat.storage += part.size;
                if let Some(old) = upload.parts.insert(number, part) {
                    self.stat.storage -= old.size;
                    garbage.push(old.content);
                }
            }
            Record::Abort { key, upload_id } => self.end_upload(&key, upload_id, garbage)?,
            Record::Batch { records } => {
                for record in records {
                    self.apply_to(record, garbage)?;
                }
            }
        }
        Ok(())
    }

    fn end_upload(&mut self, key: &str, upload_id: String, garbage: &mut Garbage) -> Result<(), StoreError> {
        let upload = self
            .uploads
            .remove(&(key.to_owned(), upload_id))
            .ok_or_else(|| misfit("no upload to end"))?;
        self.stat.uploads -= 1;
        for part in upload.parts.into_values() {
            self.stat.storage -= part.size;
            garbage.push(part.content);
        }
        Ok(())
    }

    /// Takes a version out; false when it is not there.
    fn take(&mut self, key: &str, version_id: &str, garbage: &mut Garbage) -> bool {
        let shown = self.shows(key);
        let Some(versions) = self.keys.get_mut(key) else {
            return false;
        };
        let Some(at) = versions.iter().position(|v| v.id() == version_id) else {
            return false;
        };
        let version = versions.remove(at);
        if versions.is_empty() {
            self.keys.remove(key);
        }
        self.stat.remove(&version);
        self.stat.objects -= u64::from(shown);
        self.stat.objects += u64::from(self.shows(key));
        if let Version::Object { content, .. } = version {
            garbage.push(content);
        }
        true
    }

    /// The counts, made anew.
    #[cfg(test)]
    pub(crate) fn count(&self) -> BucketStat {
        let mut stat = BucketStat::default();
        for versions in self.keys.values() {
            stat.objects += u64::from(versions.last().is_some_and(|latest| !latest.is_marker()));
            versions.iter().for_each(|version| stat.add(version));
        }
        for upload in self.uploads.values() {
            stat.uploads += 1;
            stat.storage += upload.parts.values().map(|part| part.size).sum::<u64>();
        }
        stat
    }

    /// The shortest journal that makes this index.
    pub(crate) fn snapshot(&self) -> impl Iterator<Item = Record> + '_ {
        let bucket = Record::Bucket {
            name: self.name.clone(),
            created: self.created,
            meta: self.meta.clone(),
        };
        let configs = self.configs.iter().map(|(kind, document)| Record::Config {
            kind: kind.clone(),
            document: Some(Arc::clone(document)),
        });
        let versions = self.keys.iter().flat_map(|(key, versions)| {
            versions.iter().map(|version| Record::Put {
                key: key.clone(),
                version: version.clone(),
                upload_id: None,
            })
        });
        let uploads = self.uploads.iter().flat_map(|((key, upload_id), upload)| {
            let begin = Record::Upload {
                key: key.clone(),
                upload_id: upload_id.clone(),
                initiated: upload.initiated,
                meta: Box::new(upload.meta.clone()),
            };
            let parts = upload.parts.iter().map(|(number, part)| Record::Part {
                key: key.clone(),
                upload_id: upload_id.clone(),
                number: *number,
                part: part.clone(),
            });
            std::iter::once(begin).chain(parts)
        });
        std::iter::once(bucket).chain(configs).chain(versions).chain(uploads)
    }

    /// Exchanges the names of blobs for blobs, at the end of a replay.
    pub(crate) fn resolve(&mut self, pool: &mut Pool) {
        for version in self.keys.values_mut().flatten() {
            if let Version::Object { content, .. } = version {
                content.resolve(pool);
            }
        }
        for upload in self.uploads.values_mut() {
            for part in upload.parts.values_mut() {
                part.content.resolve(pool);
            }
        }
    }
}

/// Counting versions one by one; which of them is the latest is counted apart.
impl BucketStat {
    fn add(&mut self, version: &Version) {
        match version {
            Version::Object { info, .. } => self.add_object(info),
            Version::Marker { .. } => self.delete_markers += 1,
        }
    }

    fn remove(&mut self, version: &Version) {
        match version {
            Version::Object { info, .. } => self.remove_object(info),
            Version::Marker { .. } => self.delete_markers -= 1,
        }
    }

    fn add_object(&mut self, info: &ObjectInfo) {
        let class = &info.meta.storage_class;
        self.versions += 1;
        self.storage += info.size;
        *self.storage_by_class.entry(class.clone()).or_default() += info.size;
        *self.objects_by_class.entry(class.clone()).or_default() += 1;
    }

    fn remove_object(&mut self, info: &ObjectInfo) {
        let class = &info.meta.storage_class;
        self.versions -= 1;
        self.storage -= info.size;
        if let Some(bytes) = self.storage_by_class.get_mut(class) {
            *bytes -= info.size;
        }
        if let Some(objects) = self.objects_by_class.get_mut(class) {
            *objects -= 1;
            if *objects == 0 {
                self.objects_by_class.remove(class);
                self.storage_by_class.remove(class);
            }
        }
    }
}

fn misfit(what: &str) -> StoreError {
    StoreError::Corrupt(format!("a journal record does not fit: {what}"))
}

/// Documents are bytes; JSON wants text.
mod document {
    use std::sync::Arc;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(document: &Option<Arc<Vec<u8>>>, out: S) -> Result<S::Ok, S::Error> {
        document
            .as_ref()
            .map(|bytes| STANDARD.encode(bytes.as_slice()))
            .serialize(out)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Arc<Vec<u8>>>, D::Error> {
        Option::<String>::deserialize(input)?
            .map(|text| STANDARD.decode(text).map(Arc::new).map_err(D::Error::custom))
            .transpose()
    }
}
