//! The payload of an answer: streams, continues after a broken connection, and verifies itself at its end.

use std::fmt;
use std::future::Future;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use futures_core::Stream;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};

use super::{ProgressHook, save};
use crate::checksum::Crc64;
use crate::error::{Error, ErrorKind};
use crate::frames::{FrameFault, FrameReader};
use crate::limiter::Throttle;
use crate::limits::{Activity, IdleTimer, Limits, silent};
use crate::observe::Received;
use crate::transport::TransportBody;

/// Continuations without a single new byte after which a payload is given up.
const FRUITLESS: u32 = 3;

/// Memory that is reserved for a payload's declared length before any of it has come.
const RESERVE: u64 = 64 * 1024 * 1024;

/// The payload of an answer.
///
/// It is a [`Stream`] of [`Bytes`] and an [`AsyncRead`]; nothing is read ahead of the reader, and the connection
/// returns to the pool when the end was read. Dropping it earlier closes the connection.
///
/// A payload that ends early is an error, never a clean end. The payload of `GetObject` besides
///
/// - continues from the byte it has reached when its connection breaks, by a range request pinned to the `ETag`. It
///   gives up after three continuations without a new byte, or when the object has changed;
/// - has its CRC-64 compared with the service's at its end when it is a whole object. Until the end was read without
///   an error, what has been read is not verified.
///
/// That of `SelectObject` is the data in the service's frames: damaged frames are an error, and so are an end frame that
/// tells of a failure and a payload without one.
///
/// The call's deadline, cancellation and the client's shutdown end it too.
pub struct ResponseBody {
    // Only for `Sync`, so that results can be borrowed across threads. Reading never locks it.
    inner: Mutex<Box<Inner>>,
}

struct Inner {
    source: TransportBody,
    download: Download,
    received: u64,
    /// Continuations since the last new byte.
    fruitless: u32,
    resuming: Option<ResumeFuture>,
    idle: IdleTimer,
    /// Rest of a chunk that a reader had no room for.
    rest: Bytes,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Complete,
    Failed,
}

/// What the pipeline knows of a payload.
pub(crate) struct Download {
    /// Name of the operation.
    pub(crate) operation: std::borrow::Cow<'static, str>,
    /// Declared length.
    pub(crate) length: Option<u64>,
    /// What the CRC-64 of the payload must be, and the running value.
    pub(crate) crc: Option<(Crc64, u64)>,
    /// How to go on after a broken connection.
    pub(crate) resume: Option<Box<dyn Resume>>,
    /// Takes data out of frames.
    pub(crate) frames: Option<FrameReader>,
    pub(crate) limits: Limits,
    pub(crate) idle: Duration,
    pub(crate) throttle: Option<Throttle>,
    pub(crate) progress: Option<ProgressHook>,
    /// What the span of the attempt is told.
    pub(crate) observed: Received,
}

/// Asks the service for the rest of a payload.
pub(crate) trait Resume: Send {
    /// Asks for everything from byte `received` on. The payload's limits stay with the caller.
    fn resume(&mut self, received: u64, cause: Error) -> ResumeFuture;
}

pub(crate) type ResumeFuture = Pin<Box<dyn Future<Output = Result<Continuation, Error>> + Send>>;

/// The rest of a payload.
pub(crate) struct Continuation {
    pub(crate) source: TransportBody,
}

impl ResponseBody {
    pub(crate) fn new(source: TransportBody, download: Download) -> Self {
        let idle = IdleTimer::new(Activity::new(), download.idle);
        ResponseBody {
            inner: Mutex::new(Box::new(Inner {
                source,
                download,
                received: 0,
                fruitless: 0,
                resuming: None,
                idle,
                rest: Bytes::new(),
                state: State::Open,
            })),
        }
    }

    fn inner(&mut self) -> &mut Inner {
        self.inner.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// Length in bytes of the whole payload, if the answer declared it. That of data in frames is never known.
    pub fn content_length(&self) -> Option<u64> {
        self.inner
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .download
            .length_of_data()
    }

    /// The next piece, `None` at the verified end. A failed payload goes on failing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Transport`] or [`ErrorKind::Timeout`] when the payload broke off and could not be continued,
    /// [`ErrorKind::ChecksumMismatch`] when it is complete but not what the service has, [`ErrorKind::Canceled`] and
    /// [`ErrorKind::Closed`] when it was ended from outside.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        std::future::poll_fn(|cx| self.poll_chunk(cx)).await.transpose()
    }

    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        let inner = self.inner();
        if !inner.rest.is_empty() {
            return Poll::Ready(Some(Ok(std::mem::take(&mut inner.rest))));
        }
        inner.poll_chunk(cx)
    }

    /// Gives away the rest of the last chunk.
    #[cfg(feature = "blocking")]
    pub(crate) fn take_rest(&mut self) -> Bytes {
        std::mem::take(&mut self.inner().rest)
    }

    /// Takes back the rest of the last chunk.
    #[cfg(feature = "blocking")]
    pub(crate) fn put_back(&mut self, rest: Bytes) {
        self.inner().rest = rest;
    }

    /// Reads everything into memory.
    ///
    /// # Errors
    ///
    /// As [`chunk`](ResponseBody::chunk).
    pub async fn bytes(mut self) -> Result<Bytes, Error> {
        let Some(first) = self.chunk().await? else {
            return Ok(Bytes::new());
        };
        let Some(second) = self.chunk().await? else {
            return Ok(first);
        };
        let expected = self.content_length().unwrap_or(0).min(RESERVE) as usize;
        let mut all = BytesMut::with_capacity(expected.max(first.len() + second.len()));
        all.extend_from_slice(&first);
        all.extend_from_slice(&second);
        while let Some(chunk) = self.chunk().await? {
            all.extend_from_slice(&chunk);
        }
        Ok(all.freeze())
    }

    /// Reads everything as UTF-8 text.
    ///
    /// # Errors
    ///
    /// As [`chunk`](ResponseBody::chunk), and [`ErrorKind::Decode`] when the payload is not UTF-8.
    pub async fn text(self) -> Result<String, Error> {
        let bytes = self.bytes().await?;
        // The error with the bytes in it would show them in its `Debug`.
        String::from_utf8(bytes.into()).map_err(|error| Error::decode(error.utf8_error()))
    }

    /// Writes everything to a writer and flushes it; returns the number of bytes.
    ///
    /// # Errors
    ///
    /// As [`chunk`](ResponseBody::chunk), and [`ErrorKind::Io`] when the writer fails. What was written until then is
    /// not verified.
    pub async fn write_to<W: AsyncWrite + Unpin + ?Sized>(mut self, writer: &mut W) -> Result<u64, Error> {
        let operation = self.inner().download.operation.clone();
        let failed = |source: io::Error| {
            Error::new(ErrorKind::Io, "writing the payload failed")
                .with_operation(operation.clone())
                .with_source(source)
        };
        let mut written = 0;
        while let Some(chunk) = self.chunk().await? {
            writer.write_all(&chunk).await.map_err(&failed)?;
            written += chunk.len() as u64;
        }
        writer.flush().await.map_err(&failed)?;
        Ok(written)
    }

    /// Writes everything to a file; returns the number of bytes.
    ///
    /// The payload goes to a temporary file in the same directory, which takes the final name, and the place of a
    /// file that had it, when everything has come and was verified. On an error, or when the future is dropped, the
    /// temporary file is removed and the final name is untouched. Holds about 2 MiB. The content may still be in the system's cache on
    /// return; [`save_durably_to`](ResponseBody::save_durably_to) waits for the disk.
    ///
    /// # Errors
    ///
    /// As [`chunk`](ResponseBody::chunk), and [`ErrorKind::Io`] when the file cannot be written.
    pub async fn save_to(self, path: impl AsRef<Path>) -> Result<u64, Error> {
        save::save(self, path.as_ref(), false).await
    }

    /// Writes everything to a file that survives a power failure after this returns; otherwise as
    /// [`save_to`](ResponseBody::save_to).
    ///
    /// # Errors
    ///
    /// As [`save_to`](ResponseBody::save_to).
    pub async fn save_durably_to(self, path: impl AsRef<Path>) -> Result<u64, Error> {
        save::save(self, path.as_ref(), true).await
    }

    pub(crate) fn operation(&mut self) -> std::borrow::Cow<'static, str> {
        self.inner().download.operation.clone()
    }
}

impl Download {
    /// Declared length of what is handed out.
    fn length_of_data(&self) -> Option<u64> {
        self.length.filter(|_| self.frames.is_none())
    }
}

impl Inner {
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        match self.state {
            State::Complete => return Poll::Ready(None),
            State::Failed => {
                let error = Error::new(ErrorKind::Transport, "the payload failed before").with_retryable(false);
                return Poll::Ready(Some(Err(error)));
            }
            State::Open => {}
        }
        match self.advance(cx) {
            Poll::Ready(Ok(Some(chunk))) => Poll::Ready(Some(Ok(chunk))),
            Poll::Ready(Ok(None)) => {
                self.state = State::Complete;
                self.release();
                Poll::Ready(None)
            }
            Poll::Ready(Err(error)) => {
                self.state = State::Failed;
                self.release();
                Poll::Ready(Some(Err(error.with_operation(self.download.operation.clone()))))
            }
            Poll::Pending => Poll::Pending,
        }
    }

    /// Lets go of the connection, of timers, and of what keeps the client alive.
    fn release(&mut self) {
        self.source = TransportBody::empty();
        self.resuming = None;
        self.download.resume = None;
        self.download.limits = Limits::none();
        self.download.observed = Received::default();
    }

    fn advance(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Error>> {
        loop {
            // Each time, as frames without data can keep this busy.
            self.download.limits.check(cx)?;
            if let Some(data) = self.data()? {
                return Poll::Ready(Ok(Some(data)));
            }
            if let Some(resuming) = &mut self.resuming {
                match resuming.as_mut().poll(cx) {
                    Poll::Ready(continuation) => {
                        self.resuming = None;
                        self.source = continuation?.source;
                        self.idle.moved();
                    }
                    Poll::Pending => return self.download.limits.poll(cx).map(Err),
                }
            }
            let source = &mut self.source;
            let next = match &mut self.download.throttle {
                Some(throttle) => throttle.poll_next(cx, |cx| source.poll_chunk(cx)),
                None => source.poll_chunk(cx),
            };
            let broken = match next {
                Poll::Ready(Some(Ok(chunk))) => {
                    let chunk = self.accept(chunk)?;
                    let Some(frames) = &mut self.download.frames else {
                        return Poll::Ready(Ok(Some(chunk)));
                    };
                    frames.feed(chunk);
                    continue;
                }
                Poll::Ready(Some(Err(source))) => self.broken_off().with_source(source),
                Poll::Ready(None) => match self.download.length {
                    Some(length) if self.received < length => self.broken_off(),
                    _ => return Poll::Ready(self.verify().map(|()| None)),
                },
                Poll::Pending if self.download.throttle.as_ref().is_some_and(Throttle::is_waiting) => {
                    // What waits for its turn is here already.
                    self.idle.moved();
                    return self.download.limits.poll(cx).map(Err);
                }
                Poll::Pending => match self.idle.poll(cx) {
                    Poll::Ready(limit) => silent(limit),
                    Poll::Pending => return self.download.limits.poll(cx).map(Err),
                },
            };
            self.go_on(broken)?;
        }
    }

    /// The next data in the frames that have come.
    fn data(&mut self) -> Result<Option<Bytes>, Error> {
        match &mut self.download.frames {
            Some(frames) => frames.next().map_err(FrameFault::into_error),
            None => Ok(None),
        }
    }

    fn accept(&mut self, chunk: Bytes) -> Result<Bytes, Error> {
        self.idle.moved();
        self.fruitless = 0;
        self.received += chunk.len() as u64;
        self.download.observed.add(chunk.len());
        if let Some(length) = self.download.length
            && self.received > length
        {
            let message = format!("the payload goes on after its declared {length} bytes");
            return Err(Error::new(ErrorKind::Transport, message).with_retryable(false));
        }
        if let Some((crc, _)) = &mut self.download.crc {
            crc.update(&chunk);
        }
        if let Some(progress) = &self.download.progress {
            progress.report(self.received, self.download.length);
        }
        Ok(chunk)
    }

    fn broken_off(&self) -> Error {
        let message = match self.download.length {
            Some(length) => format!("the payload broke off after {} of {length} bytes", self.received),
            None => format!("the payload broke off after {} bytes", self.received),
        };
        Error::new(ErrorKind::Transport, message)
    }

    fn verify(&mut self) -> Result<(), Error> {
        if let Some(frames) = &self.download.frames {
            frames.finish().map_err(FrameFault::into_error)?;
        }
        match &self.download.crc {
            Some((crc, expected)) if crc.value() != *expected => Err(Error::checksum_mismatch(crc.value(), *expected)),
            _ => Ok(()),
        }
    }

    /// Starts a continuation, or fails with the cause when there can be none.
    fn go_on(&mut self, cause: Error) -> Result<(), Error> {
        // The last byte has come, only the end of the connection was not seen: nothing is missing.
        if self.download.length == Some(self.received) {
            self.source = TransportBody::empty();
            return Ok(());
        }
        let Some(resume) = &mut self.download.resume else {
            return Err(cause);
        };
        if self.fruitless == FRUITLESS {
            return Err(cause);
        }
        self.fruitless += 1;
        tracing::debug!(
            operation = %self.download.operation,
            received = self.received,
            cause = %cause,
            "continuing a broken payload"
        );
        self.source = TransportBody::empty();
        self.resuming = Some(resume.resume(self.received, cause));
        Ok(())
    }
}

impl Stream for ResponseBody {
    type Item = Result<Bytes, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let failed = this.inner().state == State::Failed;
        // A stream ends after its error, or combinators that skip errors would spin.
        if failed { Poll::Ready(None) } else { this.poll_chunk(cx) }
    }
}

impl AsyncRead for ResponseBody {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let inner = self.get_mut().inner();
        if buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        if inner.rest.is_empty() {
            match ready!(inner.poll_chunk(cx)) {
                Some(Ok(chunk)) => inner.rest = chunk,
                Some(Err(error)) => return Poll::Ready(Err(io::Error::other(error))),
                None => return Poll::Ready(Ok(())),
            }
        }
        let size = inner.rest.len().min(buffer.remaining());
        buffer.put_slice(&inner.rest[..size]);
        inner.rest.advance(size);
        Poll::Ready(Ok(()))
    }
}

impl From<Bytes> for ResponseBody {
    fn from(bytes: Bytes) -> Self {
        let length = Some(bytes.len() as u64);
        ResponseBody::new(
            bytes.into(),
            Download {
                operation: "read".into(),
                length,
                crc: None,
                resume: None,
                frames: None,
                limits: Limits::none(),
                idle: Duration::ZERO,
                throttle: None,
                progress: None,
                observed: Received::default(),
            },
        )
    }
}

/// A payload of no bytes, for tests of one's own code.
impl Default for ResponseBody {
    fn default() -> Self {
        Bytes::new().into()
    }
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody")
            .field("length", &self.content_length())
            .finish_non_exhaustive()
    }
}

impl From<ResponseBody> for super::Body {
    /// Sends what is being received; at most once, since it cannot be read again.
    fn from(body: ResponseBody) -> Self {
        let mut body = body;
        let inner = body.inner();
        let length = inner
            .download
            .length_of_data()
            .map(|length| length - inner.received + inner.rest.len() as u64);
        super::Body::from_stream(body, length)
    }
}
