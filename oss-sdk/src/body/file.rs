//! Files as streams of large chunks, read on the blocking pool one chunk ahead of the network.

use std::fs::File;
use std::future::Future;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use tokio::task::{JoinHandle, spawn_blocking};

use super::BodyFault;
use crate::transport::{BoxError, TransportBody};

/// Size of a read; two of them are held per transfer. Small reads cost a hop to the blocking pool each, which made
/// 4 KiB reads fifteen times dearer than this.
const CHUNK: u64 = 512 * 1024;

/// Opens a file, or a part of it, for one attempt.
pub(super) async fn open(path: &Path, range: Option<Range<u64>>) -> Result<TransportBody, BodyFault> {
    let owned = path.to_owned();
    let opened = spawn_blocking(move || -> io::Result<FileChunks> {
        let mut file = File::open(owned)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory"));
        }
        let length = metadata.len();
        let Some(range) = range else {
            return Ok(FileChunks {
                state: State::Idle(file),
                left: length,
                whole: Some(length),
            });
        };
        if range.start > range.end || range.end > length {
            let message = format!(
                "bytes {}..{} are not all within its {length} bytes",
                range.start, range.end
            );
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        file.seek(SeekFrom::Start(range.start))?;
        // A range may end within the file, so growth behind it is none of our business.
        Ok(FileChunks {
            state: State::Idle(file),
            left: range.end - range.start,
            whole: None,
        })
    })
    .await;
    let opened = opened.map_err(io::Error::from).and_then(|opened| opened);
    let chunks = opened.map_err(|source| BodyFault::Open {
        path: path.to_owned(),
        source,
    })?;
    let length = chunks.left;
    Ok(TransportBody::from_stream(chunks, Some(length)))
}

struct FileChunks {
    state: State,
    /// Bytes not yet asked for.
    left: u64,
    /// Length of the file when it was opened, if all of it is wanted.
    whole: Option<u64>,
}

enum State {
    Idle(File),
    Reading(JoinHandle<io::Result<(File, Vec<u8>)>>),
    Done,
}

impl FileChunks {
    fn start(&mut self) {
        if self.left == 0 {
            return;
        }
        let State::Idle(_) = self.state else { return };
        let State::Idle(mut file) = std::mem::replace(&mut self.state, State::Done) else {
            return;
        };
        let size = self.left.min(CHUNK);
        self.left -= size;
        let whole = self.whole.filter(|_| self.left == 0);
        self.state = State::Reading(spawn_blocking(move || {
            let mut chunk = Vec::with_capacity(size as usize);
            Read::by_ref(&mut file).take(size).read_to_end(&mut chunk)?;
            // Asked before the last chunk is handed out: the request must not complete with half of a growing file.
            if let Some(length) = whole
                && file.metadata()?.len() > length
            {
                return Err(io::Error::other(format!(
                    "the file grew beyond its {length} bytes while it was sent"
                )));
            }
            Ok((file, chunk))
        }));
    }
}

impl Stream for FileChunks {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        this.start();
        let State::Reading(reading) = &mut this.state else {
            return Poll::Ready(None);
        };
        let read = ready!(Pin::new(reading).poll(cx));
        match read.map_err(io::Error::from).and_then(|read| read) {
            Ok((file, chunk)) => {
                this.state = State::Idle(file);
                if chunk.is_empty() {
                    // Shorter than when it was opened; whoever counts the bytes says so.
                    this.state = State::Done;
                    return Poll::Ready(None);
                }
                this.start();
                Poll::Ready(Some(Ok(chunk.into())))
            }
            Err(error) => {
                this.state = State::Done;
                Poll::Ready(Some(Err(error.into())))
            }
        }
    }
}
