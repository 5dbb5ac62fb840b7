//! A transport that writes down what another one exchanges with the service.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, Method, StatusCode};

use super::redact;
use super::tape::{Exchange, Tape};
use crate::transport::{BoxError, Transport, TransportBody, TransportErrorKind, TransportFuture, TransportRequest};

/// Passes requests on to another transport and keeps the answers.
///
/// Every attempt is kept, failures of the connection too, with answers as far as they were read. They are held in memory,
/// so it is for tests, not for large objects.
///
/// Clones share the recording: keep one, and give another to the client.
#[derive(Clone)]
pub struct Recorder {
    transport: Arc<dyn Transport>,
    recording: Recording,
}

type Recording = Arc<Mutex<Vec<Take>>>;

/// An exchange as it grows.
struct Take {
    method: Method,
    url: String,
    status: Option<StatusCode>,
    headers: HeaderMap,
    body: BytesMut,
    failure: Option<TransportErrorKind>,
}

impl Recorder {
    /// Records what this transport does.
    pub fn new(transport: impl Transport) -> Self {
        Recorder {
            transport: Arc::new(transport),
            recording: Recording::default(),
        }
    }

    /// What was recorded until now, without secrets. A payload that is not read to its end is on it as one that broke off.
    pub fn tape(&self) -> Tape {
        let recording = lock(&self.recording);
        // What has neither an answer nor a failure is under way.
        let done = recording
            .iter()
            .filter(|take| take.status.is_some() || take.failure.is_some());
        let exchanges = done.map(|take| {
            let (headers, body) = redact::answer(&take.url, &take.headers, &take.body);
            Exchange {
                method: take.method.clone(),
                url: redact::url(&take.url),
                status: take.status,
                headers,
                body,
                failure: take.failure,
            }
        });
        Tape {
            exchanges: exchanges.collect(),
        }
    }
}

fn lock(recording: &Recording) -> MutexGuard<'_, Vec<Take>> {
    recording.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Transport for Recorder {
    fn send(&self, request: TransportRequest) -> TransportFuture<'_> {
        let index = {
            let mut recording = lock(&self.recording);
            recording.push(Take {
                method: request.method.clone(),
                url: request.url.clone(),
                status: None,
                headers: HeaderMap::new(),
                body: BytesMut::new(),
                failure: None,
            });
            recording.len() - 1
        };
        Box::pin(async move {
            let mut response = match self.transport.send(request).await {
                Ok(response) => response,
                Err(error) => {
                    lock(&self.recording)[index].failure = Some(error.kind());
                    return Err(error);
                }
            };
            let length = response.body.length();
            {
                let take = &mut lock(&self.recording)[index];
                take.status = Some(response.status);
                take.headers.clone_from(&response.headers);
                // A transport may know it without the header; a replay of a broken payload has nothing else to go by.
                if let Some(length) = length.filter(|length| *length > 0) {
                    take.headers.entry(CONTENT_LENGTH).or_insert_with(|| length.into());
                }
                // Until its end was seen.
                take.failure = (length != Some(0)).then_some(TransportErrorKind::Closed);
            }
            let tap = Tap {
                body: std::mem::replace(&mut response.body, TransportBody::empty()),
                recording: Arc::clone(&self.recording),
                index,
            };
            response.body = TransportBody::from_stream(tap, length);
            Ok(response)
        })
    }
}

/// Without what was recorded, which is not redacted yet.
impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("transport", &self.transport)
            .field("exchanges", &lock(&self.recording).len())
            .finish_non_exhaustive()
    }
}

/// A payload that is written down while it is read.
struct Tap {
    body: TransportBody,
    recording: Recording,
    index: usize,
}

impl Stream for Tap {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let chunk = ready!(this.body.poll_chunk(cx));
        let take = &mut lock(&this.recording)[this.index];
        match &chunk {
            Some(Ok(chunk)) => {
                take.body.extend_from_slice(chunk);
                // Whoever counts the bytes need not ask for the end.
                if this.body.length() == Some(0) {
                    take.failure = None;
                }
            }
            Some(Err(_)) => take.failure = Some(TransportErrorKind::Closed),
            None => take.failure = None,
        }
        Poll::Ready(chunk)
    }
}
