//! A transport that answers everything with what was put into it.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use oss_sdk::http::{HeaderMap, StatusCode};
use oss_sdk::transport::{BoxError, Transport, TransportBody, TransportFuture, TransportRequest, TransportResponse};
use oss_suite::random::Random;

/// An answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// Lengths of the pieces in which the body comes, used in turn; whole without any.
    pub(super) pieces: Vec<usize>,
}

impl Answer {
    /// Splits the body by chance.
    pub(super) fn split(&mut self, random: &mut Random) {
        let most = [1, 3, 20, 1000, 1 << 16][random.below(5) as usize];
        // A long body in single bytes would measure the transport.
        let least = 1 + self.body.len() / 50_000;
        self.pieces = (0..7).map(|_| least + random.below(most) as usize).collect();
    }
}

/// The transport. Clones share the answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Answers(Arc<Mutex<Answer>>);

impl Answers {
    pub(super) fn set(&self, answer: Answer) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = answer;
    }
}

impl Transport for Answers {
    fn send(&self, _request: TransportRequest) -> TransportFuture<'_> {
        let answer = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let body = Bytes::from(answer.body);
        let body = match answer.pieces.is_empty() {
            true => body.into(),
            false => TransportBody::from_stream(Pieces::new(body, &answer.pieces), None),
        };
        let mut response = TransportResponse::new(answer.status, body);
        response.headers = answer.headers;
        Box::pin(std::future::ready(Ok(response)))
    }
}

struct Pieces(VecDeque<Bytes>);

impl Pieces {
    fn new(mut body: Bytes, lengths: &[usize]) -> Self {
        let mut pieces = VecDeque::new();
        for length in lengths.iter().cycle() {
            if body.is_empty() {
                break;
            }
            pieces.push_back(body.split_to(body.len().min(*length)));
        }
        Self(pieces)
    }
}

impl Stream for Pieces {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.pop_front().map(Ok))
    }
}
