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
use tokio::task::{JoinHandle, spawn_blocking};

use super::buffers::Buffers;
use super::crc;
use super::disk::{BlobFile, Directory};

/// The content of an object as it is read, in chunks of at most 256 KiB.
pub(crate) type ContentStream = BoxStream<'static, io::Result<Bytes>>;

/// How much is read or written at once.
pub(crate) const CHUNK: usize = 256 * 1024;

/// Bytes that never change, gone with the last user.
pub(crate) struct Blob {
    pub(crate) len: u64,
    pub(crate) crc64: u64,
    /// Length of the blocks whose CRCs follow the bytes in the file; 0 in files of older versions, which
    /// have none.
    pub(crate) block: u64,
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
    /// Bytes.
    pub(crate) fn len(&self) -> u64 {
        self.blobs.iter().map(|blob| blob.len).sum()
    }

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

    /// The whole content. Each block is checked before it is delivered, and the last chunk is held back
    /// until the checksum of all agreed.
    pub(crate) fn read_all(&self, size: u64, crc64: u64) -> ContentStream {
        self.stream(0..size, Some(crc64))
    }

    /// A part of the content, whose blocks are checked.
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
            ahead: None,
            buffers: Buffers::default(),
            check: crc64.map(|expected| (crc::Joined::default(), expected)),
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
    /// The file of that blob, unless it is read ahead.
    file: Option<File>,
    /// The chunk after the one that was delivered, on its way while that one is sent.
    ahead: Option<Reading>,
    buffers: Buffers,
    check: Option<(crc::Joined, u64)>,
}

/// A chunk on its way, with its CRC where it is known; and its file.
type Reading = JoinHandle<io::Result<(File, Bytes, Option<u64>)>>;

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
        let (chunk, crc64) = match &blob.data {
            Data::Memory(chunks) => (memory_chunk(chunks, self.offset, limit)?, None),
            Data::File(file) => self.file_chunk(&blob, limit).await.inspect_err(|error| {
                tracing::error!(blob = file.id(), offset = self.offset, %error, "content cannot be read");
            })?,
            Data::Unresolved(_) => return Err(corrupt("content is not loaded")),
        };
        self.left -= chunk.len() as u64;
        self.offset += chunk.len() as u64;
        self.skip_blobs();
        if let Some((joined, expected)) = &mut self.check {
            joined.add(crc64.unwrap_or_else(|| crc::of(&chunk)), chunk.len() as u64);
            if self.left == 0 && joined.sum() != *expected {
                tracing::error!("content does not match its CRC-64");
                return Err(corrupt("content does not match its CRC-64"));
            }
        }
        Ok(Some(chunk))
    }

    /// The next bytes of a file, at most so many, with their CRC where it is known.
    async fn file_chunk(&mut self, blob: &Arc<Blob>, limit: u64) -> io::Result<(Bytes, Option<u64>)> {
        let reading = match self.ahead.take() {
            Some(reading) => reading,
            None => self.begin(blob, self.offset, limit),
        };
        let read = reading.await.map_err(io::Error::other)?;
        let (file, bytes, crc64) = read.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => corrupt("a file of the content is missing"),
            io::ErrorKind::UnexpectedEof => corrupt("a file of the content is cut short"),
            _ => error,
        })?;
        self.file = Some(file);
        let len = bytes.len() as u64;
        if len < limit {
            self.ahead = Some(self.begin(blob, self.offset + len, limit - len));
        }
        Ok((bytes, crc64))
    }

    /// Begins to read a chunk where that may block.
    fn begin(&mut self, blob: &Arc<Blob>, offset: u64, limit: u64) -> Reading {
        let opened = self.file.take();
        let buffers = self.buffers.clone();
        // The closure holds the blob, so its file is there even when it was deleted meanwhile.
        let blob = Arc::clone(blob);
        spawn_blocking(move || {
            let mut file = match (opened, &blob.data) {
                (Some(file), _) => file,
                (None, Data::File(named)) => named.open()?,
                (None, _) => return Err(corrupt("content is not loaded")),
            };
            if blob.block > 0 {
                let (bytes, crc64) = read_block(&mut file, &blob, offset, limit, &buffers)?;
                return Ok((file, bytes, crc64));
            }
            let mut bytes = buffers.take(usize::try_from(limit).map_or(CHUNK, |limit| limit.min(CHUNK)));
            read_at(&mut file, offset, &mut bytes)?;
            Ok((file, buffers.lend(bytes), None))
        })
    }
}

/// Reads the block that holds `offset`, checks it, and returns at most `limit` of its bytes from there; with
/// the CRC when that is the whole block.
fn read_block(
    file: &mut File,
    blob: &Blob,
    offset: u64,
    limit: u64,
    buffers: &Buffers,
) -> io::Result<(Bytes, Option<u64>)> {
    const CRC: usize = size_of::<u64>();
    let number = offset / blob.block;
    let start = number * blob.block;
    let len =
        usize::try_from(blob.block.min(blob.len.saturating_sub(start))).map_err(|_| corrupt("a block is too large"))?;
    let mut expected = [0; CRC];
    let is_only = blob.len <= blob.block;
    let mut bytes = buffers.take(if is_only { len + CRC } else { len });
    if is_only {
        // The only CRC follows the only block: most objects are small, and one read is enough for them.
        read_at(file, 0, &mut bytes)?;
        expected.copy_from_slice(&bytes[len..]);
        bytes.truncate(len);
    } else {
        read_at(file, start, &mut bytes)?;
        read_at(file, blob.len + number * CRC as u64, &mut expected)?;
    }
    let crc64 = u64::from_le_bytes(expected);
    if crc::of(&bytes) != crc64 {
        return Err(corrupt("a block of the content does not match its CRC-64"));
    }
    let bytes = buffers.lend(bytes);
    // Both are within the block, whose length is a `usize`.
    let from = usize::try_from(offset - start).unwrap_or(len).min(len);
    let until = usize::try_from(limit).map_or(len, |limit| limit.saturating_add(from).min(len));
    let is_whole = from == 0 && until == len;
    Ok((bytes.slice(from..until), is_whole.then_some(crc64)))
}

fn read_at(file: &mut File, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(bytes)
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
    match spawn_blocking(work).await {
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
    #[serde(default)]
    block: u64,
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
            block: blob.block,
        }))
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let named = Vec::<Named>::deserialize(input)?;
        let blobs = named
            .into_iter()
            .map(|Named { id, len, crc64, block }| {
                Arc::new(Blob {
                    len,
                    crc64,
                    block,
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
                block: named.block,
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
