//! A transport for tests: plays a script and remembers what it was sent.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use http::{HeaderMap, HeaderName, Method, StatusCode};

use crate::client::Client;
use crate::config::Config;
use crate::credentials::Credentials;
use crate::time::{FixedClock, Timestamp};
use crate::transport::{
    BoxError, Transport, TransportBody, TransportError, TransportErrorKind, TransportFuture, TransportRequest,
    TransportResponse,
};

/// What the transport does with one request.
pub(crate) enum Step {
    Answer(Answer),
    /// Fails before anything is sent.
    Fail(TransportErrorKind),
    /// Takes the request and never answers.
    Hang,
    /// Answers from what was sent.
    With(Box<dyn FnOnce(&Sent) -> Answer + Send>),
}

/// An answer.
pub(crate) struct Answer {
    status: u16,
    headers: HeaderMap,
    chunks: Vec<Chunk>,
    length: Option<u64>,
}

#[derive(Clone)]
pub(crate) enum Chunk {
    Data(Bytes),
    Break,
    Hang,
}

impl Answer {
    pub(crate) fn new(status: u16, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let length = Some(body.len() as u64);
        let chunks = if body.is_empty() {
            Vec::new()
        } else {
            vec![Chunk::Data(body)]
        };
        Answer {
            status,
            headers: HeaderMap::new(),
            chunks,
            length,
        }
    }

    /// An answer of several chunks that declares `length`.
    pub(crate) fn chunks(status: u16, length: Option<u64>, chunks: impl IntoIterator<Item = Chunk>) -> Self {
        Answer {
            status,
            headers: HeaderMap::new(),
            chunks: chunks.into_iter().collect(),
            length,
        }
    }

    pub(crate) fn error(status: u16, code: &str) -> Self {
        let document = format!("<Error><Code>{code}</Code><Message>m</Message><RequestId>R1</RequestId></Error>");
        Answer::new(status, document)
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers
            .insert(HeaderName::from_static(name), value.parse().unwrap());
        self
    }
}

impl From<Answer> for Step {
    fn from(answer: Answer) -> Self {
        Step::Answer(answer)
    }
}

/// What was sent.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) method: Method,
    pub(crate) url: String,
    pub(crate) headers: HeaderMap,
    /// Everything up to the end or to the error.
    pub(crate) body: Bytes,
    pub(crate) body_error: Option<String>,
}

impl Sent {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

#[derive(Clone, Default)]
pub(crate) struct FakeTransport {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    steps: Mutex<VecDeque<Step>>,
    sent: Mutex<Vec<Sent>>,
}

impl std::fmt::Debug for FakeTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FakeTransport")
    }
}

impl FakeTransport {
    pub(crate) fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        let transport = FakeTransport::default();
        transport.shared.steps.lock().unwrap().extend(steps);
        transport
    }

    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.shared.sent.lock().unwrap().clone()
    }

    /// Settings with this transport, a clock that stands still, and retries that do not wait by chance.
    pub(crate) fn config(&self) -> Config {
        Config::new()
            .region("cn-hangzhou")
            .credentials(Credentials::new("ak", "5ec4e7"))
            .transport(self.clone())
            .clock(FixedClock::new(now()))
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.config()).unwrap()
    }
}

/// The time of tests.
pub(crate) fn now() -> Timestamp {
    Timestamp::parse_iso8601("2026-01-02T03:04:05Z").unwrap()
}

impl Transport for FakeTransport {
    fn send(&self, mut request: TransportRequest) -> TransportFuture<'_> {
        Box::pin(async move {
            let step = self
                .shared
                .steps
                .lock()
                .unwrap()
                .pop_front()
                .expect("a request beyond the script");
            if let Step::Fail(kind) = step {
                self.remember(&request, Bytes::new(), None);
                return Err(TransportError::new(kind, "scripted"));
            }
            let mut body = BytesMut::new();
            let mut error = None;
            while let Some(chunk) = std::future::poll_fn(|cx| request.body.poll_chunk(cx)).await {
                match chunk {
                    Ok(chunk) => body.extend_from_slice(&chunk),
                    Err(problem) => {
                        error = Some(problem.to_string());
                        break;
                    }
                }
            }
            let sent = self.remember(&request, body.freeze(), error.clone());
            if let Some(error) = error {
                return Err(TransportError::new(TransportErrorKind::Body, error));
            }
            let answer = match step {
                Step::Answer(answer) => answer,
                Step::With(answer) => answer(&sent),
                Step::Hang => std::future::pending().await,
                Step::Fail(_) => unreachable!(),
            };
            let chunks = Chunks(answer.chunks.into());
            let body = TransportBody::from_stream(chunks, answer.length);
            let mut response = TransportResponse::new(StatusCode::from_u16(answer.status).unwrap(), body);
            response.headers = answer.headers;
            Ok(response)
        })
    }
}

impl FakeTransport {
    fn remember(&self, request: &TransportRequest, body: Bytes, body_error: Option<String>) -> Sent {
        let sent = Sent {
            method: request.method.clone(),
            url: request.url.clone(),
            headers: request.headers.clone(),
            body,
            body_error,
        };
        self.shared.sent.lock().unwrap().push(sent.clone());
        sent
    }
}

struct Chunks(VecDeque<Chunk>);

impl Stream for Chunks {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.0.front() {
            Some(Chunk::Hang) => Poll::Pending,
            _ => Poll::Ready(self.0.pop_front().map(|chunk| match chunk {
                Chunk::Data(data) => Ok(data),
                Chunk::Break | Chunk::Hang => Err("connection reset".into()),
            })),
        }
    }
}

/// A long time, for tests whose time is paused.
pub(crate) const LONG: Duration = Duration::from_secs(3600);
