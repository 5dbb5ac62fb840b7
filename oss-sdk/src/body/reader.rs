//! One-shot sources as streams of chunks.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::transport::BoxError;

/// Size of a read. Large enough that its cost disappears, small enough to stay in the cache until it is sent.
const CHUNK: usize = 128 * 1024;

/// The chunks of a reader.
pub(super) struct ReaderChunks<R> {
    reader: Option<Pin<Box<R>>>,
    buffer: BytesMut,
}

impl<R> ReaderChunks<R> {
    pub(super) fn new(reader: R) -> Self {
        ReaderChunks {
            reader: Some(Box::pin(reader)),
            buffer: BytesMut::new(),
        }
    }
}

impl<R: AsyncRead> Stream for ReaderChunks<R> {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let Some(reader) = &mut this.reader else {
            return Poll::Ready(None);
        };
        // Reuses the allocation when the network has let go of earlier chunks.
        this.buffer.reserve(CHUNK);
        // The future of `read_buf` keeps nothing between polls, so a fresh one for each poll is the same.
        let read = ready!(pin!(reader.read_buf(&mut this.buffer)).poll(cx));
        Poll::Ready(match read {
            Ok(0) => {
                this.reader = None;
                None
            }
            Ok(_) => Some(Ok(this.buffer.split().freeze())),
            Err(error) => {
                this.reader = None;
                Some(Err(error.into()))
            }
        })
    }
}

/// A stream whose errors are boxed.
pub(super) struct MapErr<S>(pub(super) Pin<Box<S>>);

impl<S, E> Stream for MapErr<S>
where
    S: Stream<Item = Result<Bytes, E>>,
    E: Into<BoxError>,
{
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx).map_err(Into::into)
    }
}
