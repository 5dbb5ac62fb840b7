//! What the store keeps about buckets, objects and uploads, as plain values.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::protection::{Guard, ObjectLock};

/// The id of the version that unversioned and suspended buckets write.
pub(crate) const NULL_VERSION: &str = "null";

/// Whether a bucket keeps old versions of its objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) enum Versioning {
    /// Never switched on: one version per key, without ids.
    #[default]
    Unversioned,
    /// Every write adds a version.
    Enabled,
    /// Writes replace the null version; older versions stay.
    Suspended,
}

/// A canned access rule of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) enum ObjectAcl {
    /// The rule of the bucket applies.
    #[default]
    Default,
    /// Only the owner.
    Private,
    /// Everyone reads.
    PublicRead,
    /// Everyone reads and writes.
    PublicReadWrite,
}

impl ObjectAcl {
    /// The text of the API.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Private => "private",
            Self::PublicRead => "public-read",
            Self::PublicReadWrite => "public-read-write",
        }
    }

    /// Reads the text of the API; anything else is `None`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Default, Self::Private, Self::PublicRead, Self::PublicReadWrite]
            .into_iter()
            .find(|acl| acl.as_str() == text)
    }
}

/// How an object came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) enum ObjectKind {
    /// Written at once.
    #[default]
    Normal,
    /// Put together from parts.
    Multipart,
    /// Grows by appending.
    Appendable,
    /// Points at another key.
    Symlink,
}

impl ObjectKind {
    /// The text of `x-oss-object-type`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Multipart => "Multipart",
            Self::Appendable => "Appendable",
            Self::Symlink => "Symlink",
        }
    }
}

/// What the owner of a bucket can change about it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct BucketMeta {
    /// The account that created the bucket.
    pub(crate) owner: String,
    /// `private`, `public-read` or `public-read-write`; the server checks the text.
    pub(crate) acl: String,
    /// Default storage class, such as `Standard`.
    pub(crate) storage_class: String,
    /// Data redundancy, such as `LRS`.
    pub(crate) redundancy: String,
    /// The region the creator named, or an empty text.
    pub(crate) region: String,
    /// Whether old versions are kept.
    pub(crate) versioning: Versioning,
    /// Host names bound to the bucket, each with whatever text the server keeps beside it.
    pub(crate) cnames: BTreeMap<String, String>,
    /// Anything else a handler wants to keep, by a name of its choice.
    pub(crate) extra: BTreeMap<String, String>,
}

/// A bucket as lists and `GetBucketInfo` show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BucketInfo {
    /// The bucket's name.
    pub(crate) name: String,
    /// When it was created.
    pub(crate) created: SystemTime,
    /// What can be changed about it.
    pub(crate) meta: BucketMeta,
}

/// A page of buckets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct BucketPage {
    /// The buckets, by name.
    pub(crate) buckets: Vec<BucketInfo>,
    /// The marker of the next page; `None` when this is the last.
    pub(crate) next_marker: Option<String>,
}

/// Counts over a bucket, as `GetBucketStat` wants them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct BucketStat {
    /// Latest versions that are objects.
    pub(crate) objects: u64,
    /// All versions that are objects.
    pub(crate) versions: u64,
    /// Delete markers.
    pub(crate) delete_markers: u64,
    /// Bytes of all versions and of the parts of unfinished uploads.
    pub(crate) storage: u64,
    /// Unfinished multipart uploads.
    pub(crate) uploads: u64,
    /// Bytes of all versions, by storage class.
    pub(crate) storage_by_class: BTreeMap<String, u64>,
    /// Number of all versions, by storage class.
    pub(crate) objects_by_class: BTreeMap<String, u64>,
}

/// What a writer says about an object.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ObjectMeta {
    /// `Content-Type`.
    pub(crate) content_type: Option<String>,
    /// `Cache-Control`.
    pub(crate) cache_control: Option<String>,
    /// `Content-Disposition`.
    pub(crate) content_disposition: Option<String>,
    /// `Content-Encoding`.
    pub(crate) content_encoding: Option<String>,
    /// `Content-Language`.
    pub(crate) content_language: Option<String>,
    /// `Expires`.
    pub(crate) expires: Option<String>,
    /// User metadata: names without the `x-oss-meta-` prefix, in lower case.
    pub(crate) user: BTreeMap<String, String>,
    /// Storage class; empty means the bucket's, which the store fills in.
    pub(crate) storage_class: String,
    /// The access rule.
    pub(crate) acl: ObjectAcl,
    /// Tags in the order given.
    pub(crate) tags: Vec<(String, String)>,
    /// Encryption headers to echo: header name in lower case and value.
    pub(crate) encryption: BTreeMap<String, String>,
    /// Where a symlink points, as sent; set together with [`ObjectKind::Symlink`].
    pub(crate) symlink_target: Option<String>,
    /// What protects the version from change.
    pub(crate) lock: ObjectLock,
    /// The restore of an archived object that was asked for last.
    pub(crate) restore: Option<Restore>,
    /// Anything else a handler wants to keep (callbacks ...), by a name of its choice.
    pub(crate) extra: BTreeMap<String, String>,
}

/// A restore of an archived object: under way until `ready`, readable from then until `expires`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Restore {
    /// Speed, as the API writes it; empty in the archive class, which has one only.
    pub(crate) tier: String,
    /// When the object becomes readable.
    #[serde(with = "super::time")]
    pub(crate) ready: SystemTime,
    /// When it is archived again.
    #[serde(with = "super::time")]
    pub(crate) expires: SystemTime,
}

/// One version of an object, without its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ObjectInfo {
    /// The key.
    pub(crate) key: String,
    /// The version's id, [`NULL_VERSION`] in buckets without versioning.
    pub(crate) version_id: String,
    /// Bytes.
    pub(crate) size: u64,
    /// ETag without quotes.
    pub(crate) etag: String,
    /// CRC-64/XZ of the content.
    pub(crate) crc64: u64,
    /// When the content was written.
    #[serde(with = "super::time")]
    pub(crate) last_modified: SystemTime,
    /// How the object came to be.
    pub(crate) kind: ObjectKind,
    /// When an appendable object was sealed: it cannot grow any more.
    #[serde(with = "super::time::optional")]
    pub(crate) sealed: Option<SystemTime>,
    /// What the writer said about it.
    pub(crate) meta: ObjectMeta,
}

impl ObjectInfo {
    /// Where the next append must start; `None` for objects that are not appendable.
    pub(crate) fn next_append_position(&self) -> Option<u64> {
        (self.kind == ObjectKind::Appendable).then_some(self.size)
    }
}

/// How an object is to be written.
#[derive(Debug, Clone, Default)]
pub(crate) struct PutOptions {
    /// What to say about the object.
    pub(crate) meta: ObjectMeta,
    /// Fail with `FileAlreadyExists` when the key has a latest version that is an object. Ignored
    /// in buckets whose versioning is enabled or suspended, where nothing is ever lost.
    pub(crate) forbid_overwrite: bool,
    /// Refuses to replace what is protected, and brings in the rules of the bucket.
    pub(crate) guard: Guard,
}

/// What a deletion did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeleteOutcome {
    /// The version that was removed, or the id of the marker that was added. `None` when the
    /// bucket has no versioning and no version was named, or when nothing was there.
    pub(crate) version_id: Option<String>,
    /// A marker was added, or the removed version was one.
    pub(crate) delete_marker: bool,
    /// Something was removed or added.
    pub(crate) changed: bool,
}

/// What to list: a page of keys in UTF-8 byte order.
#[derive(Debug, Clone, Default)]
pub(crate) struct ListQuery {
    /// Only keys that start with this.
    pub(crate) prefix: String,
    /// Keys that contain this after the prefix are grouped; empty means no grouping.
    pub(crate) delimiter: String,
    /// Only what comes after this key or group; empty means from the start.
    pub(crate) marker: String,
    /// For versions and uploads: go on within the entries of `marker`, after this version or
    /// upload id; empty means that all entries of `marker` are done.
    pub(crate) id_marker: String,
    /// At most this many entries, counting groups.
    pub(crate) max: usize,
}

/// A page of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page<T> {
    /// The entries.
    pub(crate) entries: Vec<T>,
    /// Groups of keys, each ending with the delimiter.
    pub(crate) common_prefixes: Vec<String>,
    /// Whether more follows.
    pub(crate) truncated: bool,
    /// The last key or group of this page when more follows.
    pub(crate) next_marker: Option<String>,
    /// The last version or upload id of this page when more follows and it did not end with a group.
    pub(crate) next_id_marker: Option<String>,
}

impl<T> Page<T> {
    /// The same page with other entries.
    pub(crate) fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page {
            entries: self.entries.into_iter().map(f).collect(),
            common_prefixes: self.common_prefixes,
            truncated: self.truncated,
            next_marker: self.next_marker,
            next_id_marker: self.next_id_marker,
        }
    }
}

/// One line of a listing of versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VersionEntry {
    /// Whether this is the version that a plain GET sees.
    pub(crate) is_latest: bool,
    /// The version.
    pub(crate) version: VersionInfo,
}

/// An object version or a delete marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum VersionInfo {
    /// A version with content.
    Object(Arc<ObjectInfo>),
    /// A marker.
    DeleteMarker {
        /// The key.
        key: String,
        /// The marker's id.
        version_id: String,
        /// When it was written.
        last_modified: SystemTime,
    },
}

/// An unfinished multipart upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UploadInfo {
    /// The key the upload is for.
    pub(crate) key: String,
    /// Its id.
    pub(crate) upload_id: String,
    /// When it was initiated.
    pub(crate) initiated: SystemTime,
    /// What the object will say about itself.
    pub(crate) meta: ObjectMeta,
}

/// An uploaded part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PartInfo {
    /// 1 to 10000.
    pub(crate) number: u32,
    /// Bytes.
    pub(crate) size: u64,
    /// Upper-case hexadecimal MD5.
    pub(crate) etag: String,
    /// CRC-64/XZ.
    pub(crate) crc64: u64,
    /// When it was uploaded.
    pub(crate) last_modified: SystemTime,
}

/// A page of parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PartPage {
    /// The upload they belong to.
    pub(crate) upload: UploadInfo,
    /// The parts, by number.
    pub(crate) parts: Vec<PartInfo>,
    /// The marker of the next page; `None` when this is the last.
    pub(crate) next_marker: Option<u32>,
}

/// Which parts become the object.
#[derive(Debug, Clone)]
pub(crate) enum CompleteParts {
    /// Everything uploaded, by number (`x-oss-complete-all: yes`).
    All,
    /// These, each with the ETag the client saw (quotes and case do not matter).
    Listed(Vec<(u32, String)>),
}

/// How an upload is completed.
#[derive(Debug, Clone)]
pub(crate) struct CompleteOptions {
    /// Which parts.
    pub(crate) parts: CompleteParts,
    /// As in [`PutOptions`].
    pub(crate) forbid_overwrite: bool,
    /// As in [`PutOptions`].
    pub(crate) guard: Guard,
    /// Replaces the access rule given when the upload was initiated.
    pub(crate) acl: Option<ObjectAcl>,
}
