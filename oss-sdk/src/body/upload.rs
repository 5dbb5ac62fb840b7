//! A request's payload on its way out: counted against its declared length, checksummed, timed and reported.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;

use super::{BodyFault, ProgressHook};
use crate::checksum::Crc64;
use crate::limiter::Throttle;
use crate::limits::Activity;
use crate::transport::{BoxError, TransportBody};

/// Payloads in memory go out in pieces of this size, so that their checksum is computed while they are in the cache
/// and their progress is seen. Smaller ones go as they are.
const PIECE: usize = 128 * 1024;

/// Wraps the payload of one attempt.
pub(crate) struct Upload {
    body: TransportBody,
    /// What is still to come of a payload in memory.
    pieces: Bytes,
    /// The chunk that would complete the declared length: kept until the source has confirmed its end.
    held: Option<Bytes>,
    declared: Option<u64>,
    seen: u64,
    crc: Option<Crc64>,
    activity: Activity,
    throttle: Option<Throttle>,
    progress: Option<ProgressHook>,
    outcome: Arc<Mutex<UploadOutcome>>,
    done: bool,
}

/// What became of a payload, for the pipeline to look at when the answer is there.
#[derive(Debug, Default)]
pub(crate) struct UploadOutcome {
    /// Why it could not be sent; more precise than what the transport makes of it.
    pub(crate) fault: Option<BodyFault>,
    /// Bytes that were handed to the connection.
    pub(crate) bytes: u64,
    /// CRC-64 of everything that was sent, once all was.
    pub(crate) crc: Option<u64>,
}

impl Upload {
    /// Prepares a payload; the second value tells what became of it.
    pub(crate) fn start(
        body: TransportBody,
        declared: Option<u64>,
        crc: Option<Crc64>,
        activity: Activity,
        throttle: Option<Throttle>,
        progress: Option<ProgressHook>,
    ) -> (TransportBody, Arc<Mutex<UploadOutcome>>) {
        let outcome = Arc::new(Mutex::new(UploadOutcome::default()));
        if let Some(bytes) = body.as_bytes()
            && bytes.len() <= PIECE
            && progress.is_none()
            && (throttle.is_none() || bytes.is_empty())
            && declared.is_none_or(|declared| declared == bytes.len() as u64)
        {
            let crc = crc.map(|mut crc| {
                crc.update(bytes);
                crc.value()
            });
            let length = bytes.len() as u64;
            *lock_outcome(&outcome) = UploadOutcome {
                bytes: length,
                crc,
                ..UploadOutcome::default()
            };
            return (body, outcome);
        }
        let (body, pieces) = match body.as_bytes() {
            Some(bytes) => (TransportBody::empty(), bytes.clone()),
            None => (body, Bytes::new()),
        };
        let upload = Upload {
            body,
            pieces,
            held: None,
            declared,
            seen: 0,
            crc,
            activity,
            throttle,
            progress,
            outcome: Arc::clone(&outcome),
            done: false,
        };
        (TransportBody::from_stream(upload, declared), outcome)
    }

    fn poll_source(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BoxError>>> {
        let (body, pieces) = (&mut self.body, &mut self.pieces);
        let mut source = |cx: &mut Context<'_>| {
            if pieces.is_empty() {
                return body.poll_chunk(cx);
            }
            let size = pieces.len().min(PIECE);
            Poll::Ready(Some(Ok(pieces.split_to(size))))
        };
        match &mut self.throttle {
            Some(throttle) => throttle.poll_next(cx, source),
            None => source(cx),
        }
    }

    fn pass(&mut self, chunk: Bytes) -> Poll<Option<Result<Bytes, BoxError>>> {
        lock_outcome(&self.outcome).bytes += chunk.len() as u64;
        if let Some(progress) = &self.progress {
            progress.report(self.seen, self.declared);
        }
        Poll::Ready(Some(Ok(chunk)))
    }

    fn fail(&mut self, fault: BodyFault) -> Poll<Option<Result<Bytes, BoxError>>> {
        self.done = true;
        let text = fault.to_string();
        lock_outcome(&self.outcome).fault = Some(fault);
        Poll::Ready(Some(Err(text.into())))
    }

    fn finish(&mut self) {
        self.done = true;
        lock_outcome(&self.outcome).crc = self.crc.as_ref().map(Crc64::value);
    }
}

impl Stream for Upload {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if this.done {
                return Poll::Ready(None);
            }
            let next = match this.poll_source(cx) {
                Poll::Ready(next) => next,
                Poll::Pending => {
                    // A slow source is not a silent network, nor is a limit of bandwidth.
                    this.activity.pause();
                    return Poll::Pending;
                }
            };
            this.activity.touch();
            match (next, this.declared) {
                (Some(Ok(chunk)), declared) => {
                    this.seen += chunk.len() as u64;
                    if let Some(declared) = declared
                        && (this.held.is_some() || this.seen > declared)
                    {
                        return this.fail(BodyFault::TooLong { declared });
                    }
                    if let Some(crc) = &mut this.crc {
                        crc.update(&chunk);
                    }
                    if declared == Some(this.seen) {
                        this.held = Some(chunk);
                        continue;
                    }
                    return this.pass(chunk);
                }
                (Some(Err(error)), _) => return this.fail(BodyFault::Read(error)),
                (None, Some(declared)) if this.seen < declared => {
                    return this.fail(BodyFault::TooShort {
                        declared,
                        actual: this.seen,
                    });
                }
                (None, _) => {
                    this.finish();
                    return match this.held.take() {
                        Some(chunk) => this.pass(chunk),
                        None => Poll::Ready(None),
                    };
                }
            }
        }
    }
}

/// The lock of an outcome; a panic elsewhere cannot have left it half written.
pub(crate) fn lock_outcome(outcome: &Mutex<UploadOutcome>) -> std::sync::MutexGuard<'_, UploadOutcome> {
    outcome.lock().unwrap_or_else(PoisonError::into_inner)
}
