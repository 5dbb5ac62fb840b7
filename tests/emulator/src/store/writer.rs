//! Taking content in: chunks of any size in, checksums and an immutable blob out.

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;

use bytes::Bytes;
use md5::{Digest, Md5};
use tokio::task::{JoinHandle, spawn_blocking};

use super::blob::{Blob, CHUNK, Content, Data, blocking};
use super::crc;
use super::disk::{BlobFile, Directory};
use super::error::StoreError;
use super::id::hex;

/// Takes in content of any size, holding less than a MiB of it when the store is on disk.
///
/// Dropping it, or the [`Staged`] it becomes, leaves nothing behind.
pub(crate) struct ObjectWriter {
    sink: Place,
    buffer: Vec<u8>,
    size: u64,
}

/// Where the sink is.
enum Place {
    Here(Sink),
    /// It takes in a chunk on another thread, while the next one comes from the client: checksums cost about as much as
    /// the connection does.
    Busy(JoinHandle<io::Result<Sink>>),
    /// A write failed or was dropped midway: what was taken in is lost.
    Gone,
}

impl Place {
    /// Waits until the sink is here, and takes it.
    async fn take(&mut self) -> Result<Sink, StoreError> {
        match std::mem::replace(self, Self::Gone) {
            Self::Here(sink) => Ok(sink),
            Self::Busy(task) => Ok(task.await.map_err(io::Error::other)??),
            Self::Gone => Err(StoreError::Io(io::Error::other("an earlier write was interrupted"))),
        }
    }
}

/// Where full chunks go, with the checksums of all that went there.
struct Sink {
    id: String,
    target: Target,
    md5: Md5,
    crc64: crc::Joined,
    /// The CRC of each chunk, which is a block of the file.
    blocks: Vec<u64>,
}

enum Target {
    Memory(Vec<Bytes>),
    /// The file is made for the first chunk, so that empty content has none.
    Disk(Arc<Directory>, Option<(BlobFile, File)>),
}

impl ObjectWriter {
    pub(crate) fn new(id: String, directory: Option<Arc<Directory>>) -> Self {
        let target = match directory {
            None => Target::Memory(Vec::new()),
            Some(directory) => Target::Disk(directory, None),
        };
        Self {
            sink: Place::Here(Sink {
                id,
                target,
                md5: Md5::new(),
                crc64: crc::Joined::default(),
                blocks: Vec::new(),
            }),
            buffer: Vec::new(),
            size: 0,
        }
    }

    /// Appends a chunk of any length.
    pub(crate) async fn write(&mut self, chunk: Bytes) -> Result<(), StoreError> {
        let mut rest = chunk.as_ref();
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(CHUNK - self.buffer.len()));
            self.buffer.extend_from_slice(now);
            self.size += now.len() as u64;
            rest = later;
            if self.buffer.len() == CHUNK {
                // Small contents grow a buffer of their own size; what comes after a whole chunk is large.
                let full = std::mem::replace(&mut self.buffer, Vec::with_capacity(CHUNK));
                let mut sink = self.sink.take().await?;
                self.sink = Place::Busy(spawn_blocking(move || {
                    sink.put(full)?;
                    Ok(sink)
                }));
            }
        }
        Ok(())
    }

    /// Bytes written so far.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests ask for it"))]
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Ends the content; on disk it is durable when this returns.
    pub(crate) async fn finish(mut self) -> Result<Staged, StoreError> {
        let sink = self.sink.take().await?;
        Ok(sink.finish(self.buffer, self.size).await?)
    }
}

impl Sink {
    fn put(&mut self, chunk: Vec<u8>) -> io::Result<()> {
        if chunk.is_empty() {
            return Ok(());
        }
        self.md5.update(&chunk);
        let crc64 = crc::of(&chunk);
        self.crc64.add(crc64, chunk.len() as u64);
        match &mut self.target {
            // Boxed, so that a short last chunk does not hold the buffer's spare room.
            Target::Memory(chunks) => chunks.push(chunk.into_boxed_slice().into()),
            Target::Disk(directory, file) => {
                if file.is_none() {
                    let id = self.id.clone();
                    *file = Some(BlobFile::create(Arc::clone(directory), id)?);
                }
                if let Some((_, file)) = file {
                    file.write_all(&chunk)?;
                }
                self.blocks.push(crc64);
            }
        }
        Ok(())
    }

    async fn finish(mut self, rest: Vec<u8>, size: u64) -> io::Result<Staged> {
        if matches!(self.target, Target::Memory(_)) {
            self.put(rest)?;
            return self.seal(size);
        }
        blocking(move || {
            self.put(rest)?;
            self.seal(size)
        })
        .await
    }

    fn seal(self, size: u64) -> io::Result<Staged> {
        let crc64 = self.crc64.sum();
        let mut block = 0;
        let data = match self.target {
            Target::Memory(chunks) if chunks.is_empty() => None,
            Target::Memory(chunks) => Some(Data::Memory(chunks)),
            Target::Disk(_, None) => None,
            Target::Disk(_, Some((blob, mut file))) => {
                let sums: Vec<u8> = self.blocks.iter().flat_map(|crc64| crc64.to_le_bytes()).collect();
                file.write_all(&sums)?;
                block = CHUNK as u64;
                blob.sync(&file)?;
                Some(Data::File(blob))
            }
        };
        let content = data.map_or_else(Content::default, |data| {
            Content::from(Blob {
                len: size,
                crc64,
                block,
                data,
            })
        });
        Ok(Staged {
            content,
            size,
            md5: self.md5.finalize().into(),
            crc64,
        })
    }
}

/// Complete content that belongs to no object yet.
pub(crate) struct Staged {
    pub(crate) content: Content,
    size: u64,
    md5: [u8; 16],
    crc64: u64,
}

impl Staged {
    /// Bytes.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// MD5 of the content.
    pub(crate) fn md5(&self) -> [u8; 16] {
        self.md5
    }

    /// Upper-case hexadecimal MD5: the ETag that a normal object or a part gets.
    pub(crate) fn etag(&self) -> String {
        hex(&self.md5)
    }

    /// CRC-64/XZ of the content.
    pub(crate) fn crc64(&self) -> u64 {
        self.crc64
    }
}
