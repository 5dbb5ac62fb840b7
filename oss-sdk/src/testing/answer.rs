//! An answer of a script.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::{SentRequest, Step};
use crate::transport::{BoxError, TransportBody, TransportResponse};

/// What a scripted service answers: a status, headers, and a payload that may stop before its end.
#[derive(Debug, Clone)]
pub struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    chunks: Vec<Chunk>,
    length: Option<u64>,
}

/// A piece of a payload.
#[derive(Debug, Clone)]
pub(crate) enum Chunk {
    Data(Bytes),
    Break,
    Hang,
}

impl Answer {
    /// An answer with a status and a payload.
    ///
    /// # Panics
    ///
    /// When the status is not one of HTTP, 100 to 999.
    #[track_caller]
    pub fn new(status: u16, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let length = Some(body.len() as u64);
        let chunks = (!body.is_empty()).then_some(Chunk::Data(body));
        Self::chunks(status, length, chunks)
    }

    /// An answer of status 200 with a payload.
    pub fn ok(body: impl Into<Bytes>) -> Self {
        Self::new(200, body)
    }

    /// The answer of the object service to what it refuses, such as 404 and `NoSuchKey`.
    ///
    /// # Panics
    ///
    /// As [`new`](Answer::new).
    #[track_caller]
    pub fn error(status: u16, code: &str) -> Self {
        let document = format!("<Error><Code>{code}</Code><Message>m</Message><RequestId>R1</RequestId></Error>");
        Self::new(status, document)
    }

    /// An answer of several chunks that declares `length`.
    #[track_caller]
    pub(crate) fn chunks(status: u16, length: Option<u64>, chunks: impl IntoIterator<Item = Chunk>) -> Self {
        let Ok(status) = StatusCode::from_u16(status) else {
            panic!("{status} is not a status of HTTP");
        };
        Answer {
            status,
            headers: HeaderMap::new(),
            chunks: chunks.into_iter().collect(),
            length,
        }
    }

    /// Sets a header.
    ///
    /// # Panics
    ///
    /// When HTTP cannot carry the name or the value.
    #[track_caller]
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            (Ok(name), Ok(value)) => self.headers.insert(name, value),
            _ => panic!("HTTP cannot carry the header {name:?} with the value {value:?}"),
        };
        self
    }

    /// Breaks the connection after so many bytes of the payload. The answer still declares all of them.
    #[must_use]
    pub fn break_after(self, bytes: usize) -> Self {
        self.cut(bytes, Chunk::Break)
    }

    /// Lets the connection fall silent after so many bytes of the payload. The answer still declares all of them.
    #[must_use]
    pub fn hang_after(self, bytes: usize) -> Self {
        self.cut(bytes, Chunk::Hang)
    }

    fn cut(mut self, bytes: usize, end: Chunk) -> Self {
        let mut left = bytes;
        self.chunks.retain_mut(|chunk| {
            let Chunk::Data(data) = chunk else { return false };
            data.truncate(left);
            left -= data.len();
            !data.is_empty()
        });
        self.chunks.push(end);
        self
    }

    /// The answer to the first request that fits. The condition sees the request without its payload, which is not
    /// read yet.
    pub fn when(self, condition: impl Fn(&SentRequest) -> bool + Send + Sync + 'static) -> Step {
        Step::from(self).when(condition)
    }

    /// The answer to every request that no earlier step takes, however often.
    pub fn always(self) -> Step {
        Step::from(self).always()
    }

    pub(super) fn into_response(self) -> TransportResponse {
        let body = TransportBody::from_stream(Chunks(self.chunks.into()), self.length);
        let mut response = TransportResponse::new(self.status, body);
        response.headers = self.headers;
        response
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
