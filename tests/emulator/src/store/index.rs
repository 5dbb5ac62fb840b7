//! The index of a bucket: everything but the bytes, and the records that change it.
//!
//! A change is a [`Record`]. On disk it is journaled first and applied then; a restart applies the
//! journal again. So [`BucketIndex::apply`] must depend on nothing but the index and the record.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::blob::{Content, Pool};
use super::error::StoreError;
use super::types::{BucketInfo, BucketMeta, NULL_VERSION, ObjectInfo, ObjectMeta, UploadInfo};

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

    /// Changes the index. An error means that the record does not fit, which only a damaged journal
    /// can bring about; then nothing changed.
    pub(crate) fn apply(&mut self, record: Record) -> Result<Garbage, StoreError> {
        let mut garbage = Garbage::new();
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
                    self.end_upload(&key, upload_id, &mut garbage)?;
                }
                if version.id() == NULL_VERSION {
                    self.take(&key, NULL_VERSION, &mut garbage);
                }
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
                *old = info;
            }
            Record::Remove { key, version_id } => {
                if !self.take(&key, &version_id, &mut garbage) {
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
                self.uploads.insert((key, upload_id), upload);
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
                garbage.extend(upload.parts.insert(number, part).map(|old| old.content));
            }
            Record::Abort { key, upload_id } => self.end_upload(&key, upload_id, &mut garbage)?,
        }
        Ok(garbage)
    }

    fn end_upload(&mut self, key: &str, upload_id: String, garbage: &mut Garbage) -> Result<(), StoreError> {
        let upload = self
            .uploads
            .remove(&(key.to_owned(), upload_id))
            .ok_or_else(|| misfit("no upload to end"))?;
        garbage.extend(upload.parts.into_values().map(|part| part.content));
        Ok(())
    }

    /// Takes a version out; false when it is not there.
    fn take(&mut self, key: &str, version_id: &str, garbage: &mut Garbage) -> bool {
        let Some(versions) = self.keys.get_mut(key) else {
            return false;
        };
        let Some(at) = versions.iter().position(|v| v.id() == version_id) else {
            return false;
        };
        if let Version::Object { content, .. } = versions.remove(at) {
            garbage.push(content);
        }
        if versions.is_empty() {
            self.keys.remove(key);
        }
        true
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
