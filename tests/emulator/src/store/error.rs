//! What can go wrong in the store, in terms that handlers map to OSS error codes.

use std::error::Error;
use std::fmt;
use std::io;
use std::time::SystemTime;

/// A refusal or a failure of the store.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// The bucket does not exist.
    NoSuchBucket,
    /// A bucket of this name exists; the owner tells whether it is the caller's.
    BucketAlreadyExists {
        /// Who owns the bucket that is in the way.
        owner: String,
    },
    /// The bucket still holds objects, versions, delete markers or multipart uploads.
    BucketNotEmpty,
    /// The key has no version at all.
    NoSuchKey,
    /// The key exists or not, but this version of it does not.
    NoSuchVersion,
    /// The version asked for, or the latest one, is a delete marker.
    DeleteMarker {
        /// The id of the marker, `null` for the null version.
        version_id: String,
        /// When the marker was written.
        last_modified: SystemTime,
    },
    /// The multipart upload does not exist, was completed or was aborted.
    NoSuchUpload,
    /// A part of the list was not uploaded or has another ETag.
    InvalidPart {
        /// The number of the part; 0 when the list has no part at all.
        number: u32,
    },
    /// The numbers in the list do not rise.
    InvalidPartOrder,
    /// A sequential upload has this part already.
    PartAlreadyExist {
        /// The number of the part.
        number: u32,
        /// The ETag of the part that is there, without quotes.
        etag: String,
    },
    /// A part of a sequential upload does not follow the one before.
    PartNotSequential {
        /// The number of the part.
        number: u32,
    },
    /// A part that is not the last one is smaller than 100 KiB.
    EntityTooSmall {
        /// The number of the part.
        number: u32,
        /// Its size in bytes.
        size: u64,
    },
    /// A part number is outside 1..=10000.
    InvalidPartNumber {
        /// The number given.
        number: u32,
    },
    /// An append did not start where the object ends.
    PositionNotEqualToLength {
        /// The length of the object, which is the only position that can be appended at.
        length: u64,
    },
    /// The object exists and is not appendable, or is sealed.
    ObjectNotAppendable,
    /// Overwriting was forbidden and the object exists.
    FileAlreadyExists,
    /// The object or version is protected and can be neither changed nor deleted.
    FileImmutable,
    /// The object would become larger than an object of its kind may be.
    EntityTooLarge {
        /// The greatest size in bytes.
        limit: u64,
    },
    /// The bucket has no room for what would be written.
    QuotaFull {
        /// The name of the bucket.
        bucket: String,
        /// The most bytes that the bucket may hold.
        quota: u64,
    },
    /// The rules of the bucket keep objects from growing.
    AppendForbidden,
    /// The source of a copy onto itself was changed between its reading and the copy.
    SourceChanged,
    /// A range does not lie within the object.
    InvalidRange {
        /// The size of the object.
        size: u64,
    },
    /// Stored data contradicts its checksum or its index.
    Corrupt(String),
    /// Another process holds the directory.
    Locked(String),
    /// The disk failed.
    Io(io::Error),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchBucket => f.write_str("no such bucket"),
            Self::BucketAlreadyExists { owner } => {
                write!(f, "the bucket exists and belongs to `{owner}`")
            }
            Self::BucketNotEmpty => f.write_str("the bucket is not empty"),
            Self::NoSuchKey => f.write_str("no such key"),
            Self::NoSuchVersion => f.write_str("no such version"),
            Self::DeleteMarker { version_id, .. } => {
                write!(f, "version `{version_id}` is a delete marker")
            }
            Self::NoSuchUpload => f.write_str("no such multipart upload"),
            Self::InvalidPart { number } => write!(f, "part {number} is missing or differs"),
            Self::InvalidPartOrder => f.write_str("part numbers do not rise"),
            Self::PartAlreadyExist { number, .. } => write!(f, "part {number} is there already"),
            Self::PartNotSequential { number } => write!(f, "part {number} does not follow the one before"),
            Self::EntityTooSmall { number, size } => {
                write!(f, "part {number} has only {size} bytes")
            }
            Self::InvalidPartNumber { number } => {
                write!(f, "part number {number} is outside 1..=10000")
            }
            Self::PositionNotEqualToLength { length } => {
                write!(f, "the append position is not the length {length}")
            }
            Self::ObjectNotAppendable => f.write_str("the object is not appendable"),
            Self::FileAlreadyExists => f.write_str("the object exists"),
            Self::FileImmutable => f.write_str("the object is protected"),
            Self::EntityTooLarge { limit } => write!(f, "the object would be larger than {limit} bytes"),
            Self::QuotaFull { quota, .. } => write!(f, "the bucket may hold {quota} bytes only"),
            Self::AppendForbidden => f.write_str("objects of the bucket cannot be appended to"),
            Self::SourceChanged => f.write_str("the source changed while it was copied"),
            Self::InvalidRange { size } => {
                write!(f, "the range is outside an object of {size} bytes")
            }
            Self::Corrupt(what) => write!(f, "stored data is corrupt: {what}"),
            Self::Locked(what) => write!(f, "the directory is in use: {what}"),
            Self::Io(_) => f.write_str("the disk failed"),
        }
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
