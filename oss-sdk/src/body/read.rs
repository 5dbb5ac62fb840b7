//! Readers without async as streams of large chunks, read on the blocking pool one chunk ahead of the network.

use std::future::Future;
use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::transport::BoxError;

/// Size of a chunk; a read that yields less is repeated until this is full.
const CHUNK: usize = 512 * 1024;

/// The chunks of a reader.
pub(super) struct ReadChunks<R> {
    state: State<R>,
}

// The reader is never pinned.
impl<R> Unpin for ReadChunks<R> {}

enum State<R> {
    Idle(R),
    Reading(JoinHandle<io::Result<(R, Vec<u8>)>>),
    Done,
}

impl<R: Read + Send + 'static> ReadChunks<R> {
    pub(super) fn new(reader: R) -> Self {
        ReadChunks {
            state: State::Idle(reader),
        }
    }

    /// Starts the next read, if there is something to read.
    fn start(&mut self) {
        self.state = match std::mem::replace(&mut self.state, State::Done) {
            State::Idle(mut reader) => State::Reading(spawn_blocking(move || {
                let mut chunk = Vec::with_capacity(CHUNK);
                Read::by_ref(&mut reader).take(CHUNK as u64).read_to_end(&mut chunk)?;
                Ok((reader, chunk))
            })),
            state => state,
        };
    }
}

impl<R: Read + Send + 'static> Stream for ReadChunks<R> {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        this.start();
        let State::Reading(reading) = &mut this.state else {
            return Poll::Ready(None);
        };
        let read = ready!(Pin::new(reading).poll(cx));
        this.state = State::Done;
        match read.map_err(io::Error::from).and_then(|read| read) {
            Ok((_, chunk)) if chunk.is_empty() => Poll::Ready(None),
            Ok((reader, chunk)) => {
                // A chunk that is not full was the last.
                if chunk.len() == CHUNK {
                    this.state = State::Idle(reader);
                    this.start();
                }
                Poll::Ready(Some(Ok(chunk.into())))
            }
            Err(error) => Poll::Ready(Some(Err(error.into()))),
        }
    }
}
