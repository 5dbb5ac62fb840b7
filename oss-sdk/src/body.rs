//! Payloads: [`Body`] goes to the service, [`ResponseBody`] comes from it.
//!
//! A request body knows its length where it can and whether it can be sent again; the pipeline opens it anew for
//! every attempt. A response body streams, continues after a broken connection and verifies what it delivered.

use std::fmt;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_core::Stream;
use tokio::io::AsyncRead;

use crate::transport::{BoxError, TransportBody};

mod file;
#[cfg(feature = "json")]
mod json;
mod progress;
mod read;
mod reader;
mod response;
mod save;
mod upload;

pub use self::progress::Progress;
pub use self::response::ResponseBody;

pub(crate) use self::progress::ProgressHook;
pub(crate) use self::response::{Continuation, Download, Resume, ResumeFuture};
pub(crate) use self::upload::{Upload, UploadOutcome, lock_outcome};

/// The payload of a request.
///
/// Most payloads are made by `From`: text, vectors, slices and [`Bytes`]. Cloning is cheap: memory and files are
/// shared, and the clones of a one-shot payload share one reader, which the first of them to be sent consumes.
///
/// | made by | can be sent again | length |
/// | --- | --- | --- |
/// | `From`, [`empty`](Body::empty) | yes | known |
/// | [`from_file`](Body::from_file), [`from_file_range`](Body::from_file_range) | yes, opened for each attempt | from the file |
/// | [`from_fn`](Body::from_fn) | yes, made for each attempt | as given |
/// | [`from_read`](Body::from_read), [`from_reader`](Body::from_reader), [`from_stream`](Body::from_stream) | no: sent at most once | as given |
///
/// A payload that cannot be sent again makes its call fail at the first broken connection instead of being retried.
/// A payload of known length that yields fewer or more bytes fails the request with
/// [`ErrorKind::Body`](crate::ErrorKind::Body), and nothing is stored: the last byte is held back until the end is
/// seen.
#[derive(Clone)]
pub struct Body(Source);

#[derive(Clone)]
enum Source {
    Bytes(Bytes),
    File(Arc<FileSource>),
    Once {
        cell: Arc<Mutex<Option<TransportBody>>>,
        length: Option<u64>,
    },
    Factory {
        make: Arc<dyn Fn() -> Result<TransportBody, BoxError> + Send + Sync>,
        length: Option<u64>,
    },
}

struct FileSource {
    path: PathBuf,
    range: Option<Range<u64>>,
}

impl Body {
    /// A payload of no bytes.
    pub const fn empty() -> Self {
        Body(Source::Bytes(Bytes::new()))
    }

    /// The content of a file.
    ///
    /// The file is opened for each attempt and read in blocks of 512 KiB on the runtime's blocking pool, one block
    /// ahead of the network. Its length is taken when it is opened; a file that has become shorter or longer at the
    /// end of the transfer fails the request.
    pub fn from_file(path: impl Into<PathBuf>) -> Self {
        Body(Source::File(Arc::new(FileSource {
            path: path.into(),
            range: None,
        })))
    }

    /// Bytes `range.start..range.end` of a file; otherwise as [`from_file`](Body::from_file).
    ///
    /// A file that ends before the range does fails the request before anything is sent.
    pub fn from_file_range(path: impl Into<PathBuf>, range: Range<u64>) -> Self {
        Body(Source::File(Arc::new(FileSource {
            path: path.into(),
            range: Some(range),
        })))
    }

    /// What a reader yields, of `length` bytes if that is known; sent at most once.
    ///
    /// Without a length the payload goes out in chunks.
    pub fn from_reader(reader: impl AsyncRead + Send + 'static, length: impl Into<Option<u64>>) -> Self {
        let length = length.into();
        Self::once(
            TransportBody::from_stream(reader::ReaderChunks::new(reader), length),
            length,
        )
    }

    /// What a reader without async yields, of `length` bytes if that is known; sent at most once.
    ///
    /// It is read in blocks of 512 KiB on the runtime's blocking pool, one block ahead of the network, so about 1 MiB is
    /// held. Without a length the payload goes out in chunks. When the call ends early, a read that is under way ends by
    /// itself.
    pub fn from_read(reader: impl Read + Send + 'static, length: impl Into<Option<u64>>) -> Self {
        let length = length.into();
        Self::once(
            TransportBody::from_stream(read::ReadChunks::new(reader), length),
            length,
        )
    }

    /// What a stream yields, of `length` bytes if that is known; sent at most once.
    ///
    /// Without a length the payload goes out in chunks.
    pub fn from_stream<S, E>(stream: S, length: impl Into<Option<u64>>) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<BoxError>,
    {
        let length = length.into();
        Self::once(
            TransportBody::from_stream(reader::MapErr(Box::pin(stream)), length),
            length,
        )
    }

    /// What a function makes, of `length` bytes if that is known; the function is called for each attempt.
    pub fn from_fn<F>(length: impl Into<Option<u64>>, make: F) -> Self
    where
        F: Fn() -> Result<TransportBody, BoxError> + Send + Sync + 'static,
    {
        Body(Source::Factory {
            make: Arc::new(make),
            length: length.into(),
        })
    }

    fn once(body: TransportBody, length: Option<u64>) -> Self {
        Body(Source::Once {
            cell: Arc::new(Mutex::new(Some(body))),
            length,
        })
    }

    /// Whether the payload can be sent again after a failure.
    pub fn is_replayable(&self) -> bool {
        !matches!(self.0, Source::Once { .. })
    }

    /// Length in bytes, when it is known without reading. For a file this asks the file system.
    pub fn content_length(&self) -> Option<u64> {
        match &self.0 {
            Source::Bytes(bytes) => Some(bytes.len() as u64),
            Source::File(file) => match &file.range {
                Some(range) => Some(range.end.saturating_sub(range.start)),
                None => std::fs::metadata(&file.path).ok().map(|metadata| metadata.len()),
            },
            Source::Once { length, .. } | Source::Factory { length, .. } => *length,
        }
    }

    /// The payload itself, if it is in memory.
    pub fn as_bytes(&self) -> Option<&Bytes> {
        match &self.0 {
            Source::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The path of the file, if the payload is one.
    pub fn file_path(&self) -> Option<&Path> {
        match &self.0 {
            Source::File(file) => Some(&file.path),
            _ => None,
        }
    }

    /// Whether the payload is known to have no bytes.
    pub fn is_empty(&self) -> bool {
        matches!(&self.0, Source::Bytes(bytes) if bytes.is_empty())
    }

    /// Starts the payload for one attempt.
    pub(crate) async fn open(&self) -> Result<TransportBody, BodyFault> {
        match &self.0 {
            Source::Bytes(bytes) => Ok(bytes.clone().into()),
            Source::File(file) => file::open(&file.path, file.range.clone()).await,
            Source::Once { cell, .. } => cell
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take()
                .ok_or(BodyFault::AlreadySent),
            Source::Factory { make, length } => {
                let body = make().map_err(BodyFault::Read)?;
                Ok(match length {
                    Some(_) => TransportBody::from_stream(body, *length),
                    None => body,
                })
            }
        }
    }
}

impl Default for Body {
    fn default() -> Self {
        Body::empty()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Bytes(bytes) => write!(f, "Body({} bytes)", bytes.len()),
            Source::File(file) => match &file.range {
                Some(range) => write!(f, "Body(file {:?}, bytes {}..{})", file.path, range.start, range.end),
                None => write!(f, "Body(file {:?})", file.path),
            },
            Source::Once {
                length: Some(length), ..
            } => write!(f, "Body(one-shot, {length} bytes)"),
            Source::Once { length: None, .. } => f.write_str("Body(one-shot)"),
            Source::Factory {
                length: Some(length), ..
            } => write!(f, "Body(function, {length} bytes)"),
            Source::Factory { length: None, .. } => f.write_str("Body(function)"),
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Body(Source::Bytes(bytes))
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes()).into()
    }
}

impl From<&'static [u8]> for Body {
    fn from(bytes: &'static [u8]) -> Self {
        Bytes::from_static(bytes).into()
    }
}

impl<const N: usize> From<&'static [u8; N]> for Body {
    fn from(bytes: &'static [u8; N]) -> Self {
        Bytes::from_static(bytes).into()
    }
}

/// Why a request's payload could not be sent.
#[derive(Debug)]
pub(crate) enum BodyFault {
    /// A one-shot payload was sent before, by this request or by a clone of it.
    AlreadySent,
    /// The source yielded fewer bytes than declared.
    TooShort { declared: u64, actual: u64 },
    /// The source yielded more bytes than declared.
    TooLong { declared: u64 },
    /// The source's length contradicts a `Content-Length` of the caller.
    Contradiction { declared: u64, actual: u64 },
    /// The file could not be opened.
    Open { path: PathBuf, source: io::Error },
    /// The source failed.
    Read(BoxError),
}

impl fmt::Display for BodyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BodyFault::AlreadySent => f.write_str("the payload can be sent only once, and it was sent before"),
            BodyFault::TooShort { declared, actual } => {
                write!(f, "the payload ended after {actual} of its declared {declared} bytes")
            }
            BodyFault::TooLong { declared } => {
                write!(f, "the payload goes on after its declared {declared} bytes")
            }
            BodyFault::Contradiction { declared, actual } => {
                write!(
                    f,
                    "the payload has {actual} bytes, but `Content-Length` says {declared}"
                )
            }
            BodyFault::Open { path, .. } => {
                write!(f, "the file `{}` could not be opened", path.display())
            }
            BodyFault::Read(_) => f.write_str("the payload could not be read"),
        }
    }
}

#[cfg(test)]
mod tests;
