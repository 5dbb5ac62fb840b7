//! A transport that gives the answers of a tape.

use std::fmt;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use http::{HeaderName, HeaderValue, Method};

use super::redact;
use super::tape::{Exchange, Tape};
use crate::client::Client;
use crate::config::Config;
use crate::error::Error;
use crate::transport::{
    BoxError, Transport, TransportBody, TransportError, TransportErrorKind, TransportFuture, TransportRequest,
    TransportResponse,
};

/// Gives the answers of a [`Tape`].
///
/// A request gets the first answer that was not given yet to a request of the same method, path and query, whatever the
/// signature; the host decides between several. A request that the tape has no answer for fails with
/// [`TransportErrorKind::Unsupported`], which is not retried. Payloads of requests are read and not compared, except
/// that the checksum which the service told of an upload is.
///
/// The client should address the service as the one of the recording did: the bucket is in the host or in the path.
///
/// Clones share the tape: keep one, and give another to the client.
#[derive(Clone)]
pub struct Replay {
    tape: Arc<Mutex<State>>,
}

struct State {
    /// What was not given yet.
    left: Vec<Exchange>,
    unexpected: Vec<String>,
}

impl Replay {
    /// Plays a tape.
    pub fn new(tape: Tape) -> Self {
        Replay {
            tape: Arc::new(Mutex::new(State {
                left: tape.exchanges,
                unexpected: Vec::new(),
            })),
        }
    }

    /// Plays the tape in a file.
    ///
    /// # Errors
    ///
    /// As [`Tape::load`].
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        Tape::load(path).map(Self::new)
    }

    /// Checks that every answer was given, and that no request was without one.
    ///
    /// # Panics
    ///
    /// When that is not so; the message lists the requests.
    #[track_caller]
    pub fn assert_finished(&self) {
        let state = self.state();
        let left: Vec<String> = state
            .left
            .iter()
            .map(|exchange| format!("{} {}", exchange.method, exchange.url))
            .collect();
        let unexpected = &state.unexpected;
        assert!(
            left.is_empty() && unexpected.is_empty(),
            "the tape is not finished: requests that were not made {left:?}, requests that are not on it {unexpected:?}"
        );
    }

    /// Settings with this transport; otherwise those of [`ScriptedTransport::config`](super::ScriptedTransport::config).
    pub fn config(&self) -> Config {
        super::config(self.clone())
    }

    /// A client with these settings.
    pub fn client(&self) -> Client {
        super::client(self.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.tape.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, method: &Method, url: &str) -> Option<Exchange> {
        let url = redact::url(url);
        let (host, target) = parts(&url);
        let mut state = self.state();
        let fitting = |exchange: &Exchange| exchange.method == *method && parts(&exchange.url).1 == target;
        let same_host = |exchange: &Exchange| fitting(exchange) && parts(&exchange.url).0 == host;
        let found = state.left.iter().position(same_host);
        match found.or_else(|| state.left.iter().position(fitting)) {
            Some(at) => Some(state.left.remove(at)),
            None => {
                state.unexpected.push(format!("{method} {url}"));
                None
            }
        }
    }
}

/// Host, and path with query.
fn parts(url: &str) -> (&str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (host, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    (host, if target.is_empty() { "/" } else { target })
}

impl Transport for Replay {
    fn send(&self, mut request: TransportRequest) -> TransportFuture<'_> {
        Box::pin(async move {
            let Some(exchange) = self.take(&request.method, &request.url) else {
                let url = redact::url(&request.url);
                let message = format!("the tape has no further answer to {} {}", request.method, parts(&url).1);
                return Err(TransportError::new(TransportErrorKind::Unsupported, message));
            };
            while let Some(chunk) = std::future::poll_fn(|cx| request.body.poll_chunk(cx)).await {
                chunk.map_err(|error| TransportError::new(TransportErrorKind::Body, error))?;
            }
            let Some(status) = exchange.status else {
                let kind = exchange.failure.unwrap_or(TransportErrorKind::Other);
                return Err(TransportError::new(kind, "recorded"));
            };
            let declared = exchange.headers.iter().find(|(name, _)| name == "content-length");
            let length = match exchange.failure {
                Some(_) => declared.and_then(|(_, length)| length.parse().ok()),
                None => Some(exchange.body.len() as u64),
            };
            let body = Playing {
                body: Some(exchange.body).filter(|body| !body.is_empty()),
                breaks: exchange.failure.is_some(),
            };
            let mut response = TransportResponse::new(status, TransportBody::from_stream(body, length));
            for (name, value) in exchange.headers {
                // Those of a tape were checked when it was read or recorded.
                if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                    response.headers.append(name, value);
                }
            }
            Ok(response)
        })
    }
}

impl fmt::Debug for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay")
            .field("left", &self.state().left.len())
            .finish_non_exhaustive()
    }
}

/// A payload, and the break at its end.
struct Playing {
    body: Option<Bytes>,
    breaks: bool,
}

impl Stream for Playing {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(body) = self.body.take() {
            return Poll::Ready(Some(Ok(body)));
        }
        let breaks = std::mem::take(&mut self.breaks);
        Poll::Ready(breaks.then(|| Err("the recorded payload ends here".into())))
    }
}
