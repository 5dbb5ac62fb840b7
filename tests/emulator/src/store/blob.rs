//! Immutable content: blobs, what strings them together, and reading.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::disk::{BlobFile, Directory};

/// The content of an object as it is read, in chunks of at most 256 KiB.
pub(crate) type ContentStream = BoxStream<'static, io::Result<Bytes>>;

/// How much is read or written at once.
pub(crate) const CHUNK: usize = 256 * 1024;

/// Bytes that never change, gone with the last user.
pub(crate) struct Blob {
    pub(crate) len: u64,
    pub(crate) crc64: u64,
    pub(crate) data: Data,
}

/// Where a blob's bytes are.
pub(crate) enum Data {
    /// Chunks of [`CHUNK`] bytes, the last one shorter.
    Memory(Vec<Bytes>),
    /// A file.
    File(BlobFile),
    /// Named by a journal that is being read, and not looked up yet.
    Unresolved(String),
}

/// The content of an object: blobs, one after the other.
#[derive(Clone, Default)]
pub(crate) struct Content {
    blobs: Arc<Vec<Arc<Blob>>>,
}

impl fmt::Debug for Content {
    /// Sizes only: nobody wants to see megabytes of somebody's data in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.blobs.iter().map(|blob| blob.len)).finish()
    }
}

impl From<Blob> for Content {
    fn from(blob: Blob) -> Self {
        Self {
            blobs: Arc::new(vec![Arc::new(blob)]),
        }
    }
}

impl Content {
    /// Adds what follows.
    pub(crate) fn extend(&mut self, other: &Self) {
        Arc::make_mut(&mut self.blobs).extend(other.blobs.iter().cloned());
    }

    /// Exchanges names for the blobs they mean.
    pub(crate) fn resolve(&mut self, pool: &mut Pool) {
        for blob in Arc::make_mut(&mut self.blobs) {
            if let Data::Unresolved(id) = &blob.data {
                *blob = pool.get(id, blob);
            }
        }
    }

    /// The whole content, whose last chunk is held back until the checksum agreed.
    pub(crate) fn read_all(&self, size: u64, crc64: u64) -> ContentStream {
        self.stream(0..size, Some(crc64))
    }

    /// A part of the content.
    pub(crate) fn read(&self, range: Range<u64>) -> ContentStream {
        self.stream(range, None)
    }

    fn stream(&self, range: Range<u64>, crc64: Option<u64>) -> ContentStream {
        let mut reader = Reader {
            blobs: Arc::clone(&self.blobs),
            next: 0,
            offset: range.start,
            left: range.end.saturating_sub(range.start),
            file: None,
            check: crc64.map(|expected| (crc64fast::Digest::new(), expected)),
        };
        reader.skip_blobs();
        Box::pin(stream::try_unfold(reader, |mut reader| async move {
            Ok(reader.next_chunk().await?.map(|chunk| (chunk, reader)))
        }))
    }
}

/// A position in a content.
struct Reader {
    blobs: Arc<Vec<Arc<Blob>>>,
    /// The blob to read from, and where in it.
    next: usize,
    offset: u64,
    /// Bytes still to deliver.
    left: u64,
    /// The file of that blob, standing at the offset.
    file: Option<File>,
    check: Option<(crc64fast::Digest, u64)>,
}

impl Reader {
    fn skip_blobs(&mut self) {
        while let Some(blob) = self.blobs.get(self.next)
            && self.offset >= blob.len
        {
            self.offset -= blob.len;
            self.next += 1;
            self.file = None;
        }
    }

    async fn next_chunk(&mut self) -> io::Result<Option<Bytes>> {
        if self.left == 0 {
            return Ok(None);
        }
        let Some(blob) = self.blobs.get(self.next).cloned() else {
            return Err(corrupt("content ends early"));
        };
        let limit = self.left.min(blob.len - self.offset);
        let chunk = match &blob.data {
            Data::Memory(chunks) => memory_chunk(chunks, self.offset, limit)?,
            Data::File(_) => self.file_chunk(&blob, limit).await?,
            Data::Unresolved(_) => return Err(corrupt("content is not loaded")),
        };
        self.left -= chunk.len() as u64;
        self.offset += chunk.len() as u64;
        self.skip_blobs();
        if let Some((digest, expected)) = &mut self.check {
            digest.write(&chunk);
            if self.left == 0 && digest.sum64() != *expected {
                return Err(corrupt("content does not match its CRC-64"));
            }
        }
        Ok(Some(chunk))
    }

    async fn file_chunk(&mut self, blob: &Arc<Blob>, limit: u64) -> io::Result<Bytes> {
        let len = usize::try_from(limit).map_or(CHUNK, |limit| limit.min(CHUNK));
        let opened = self.file.take();
        let offset = self.offset;
        // The closure holds the blob, so its file is there even when it was deleted meanwhile.
        let blob = Arc::clone(blob);
        let (file, bytes) = blocking(move || {
            let mut file = match (opened, &blob.data) {
                (Some(file), _) => file,
                (None, Data::File(named)) => {
                    let mut file = named.open()?;
                    file.seek(SeekFrom::Start(offset))?;
                    file
                }
                (None, _) => return Err(corrupt("content is not loaded")),
            };
            let mut bytes = vec![0; len];
            file.read_exact(&mut bytes)?;
            Ok((file, bytes))
        })
        .await
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => corrupt("a file of the content is missing"),
            io::ErrorKind::UnexpectedEof => corrupt("a file of the content is cut short"),
            _ => error,
        })?;
        self.file = Some(file);
        Ok(bytes.into())
    }
}

fn memory_chunk(chunks: &[Bytes], offset: u64, limit: u64) -> io::Result<Bytes> {
    let early = || corrupt("content ends early");
    let chunk_len = CHUNK as u64;
    let index = usize::try_from(offset / chunk_len).map_err(|_| early())?;
    let chunk = chunks.get(index).ok_or_else(early)?;
    let start = usize::try_from(offset % chunk_len).map_err(|_| early())?;
    if start >= chunk.len() {
        return Err(early());
    }
    let rest = chunk.len() - start;
    let len = usize::try_from(limit).map_or(rest, |limit| limit.min(rest));
    Ok(chunk.slice(start..start + len))
}

fn corrupt(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// Runs file work where it may block.
pub(crate) async fn blocking<T, F>(work: F) -> io::Result<T>
where
    T: Send + 'static,
    F: FnOnce() -> io::Result<T> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => Err(io::Error::other(error)),
    }
}

/// How a journal names a blob.
#[derive(Serialize, Deserialize)]
struct Named {
    id: String,
    len: u64,
    crc64: u64,
}

impl Serialize for Content {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_seq(self.blobs.iter().map(|blob| Named {
            id: match &blob.data {
                Data::File(file) => file.id().to_owned(),
                Data::Unresolved(id) => id.clone(),
                // Memory has no journal; a name that resolves to nothing is the honest one.
                Data::Memory(_) => String::new(),
            },
            len: blob.len,
            crc64: blob.crc64,
        }))
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let named = Vec::<Named>::deserialize(input)?;
        let blobs = named
            .into_iter()
            .map(|Named { id, len, crc64 }| {
                Arc::new(Blob {
                    len,
                    crc64,
                    data: Data::Unresolved(id),
                })
            })
            .collect();
        Ok(Self { blobs: Arc::new(blobs) })
    }
}

/// The blobs that the journals name, so that copies share one again after a restart.
pub(crate) struct Pool {
    directory: Arc<Directory>,
    blobs: HashMap<String, Arc<Blob>>,
}

impl Pool {
    pub(crate) fn new(directory: Arc<Directory>) -> Self {
        Self {
            directory,
            blobs: HashMap::new(),
        }
    }

    fn get(&mut self, id: &str, named: &Blob) -> Arc<Blob> {
        let make = || {
            Arc::new(Blob {
                len: named.len,
                crc64: named.crc64,
                data: Data::File(BlobFile::existing(Arc::clone(&self.directory), id.to_owned())),
            })
        };
        Arc::clone(self.blobs.entry(id.to_owned()).or_insert_with(make))
    }

    /// The ids of all blobs in use.
    pub(crate) fn ids(&self) -> HashSet<String> {
        self.blobs.keys().cloned().collect()
    }
}
