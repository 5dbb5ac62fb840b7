//! Faults on demand: which requests go wrong, how, and how often. Deterministic, by counting.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};

use crate::error::ServiceError;
use crate::store::ContentStream;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultAction {
    /// Answers with an error and does nothing else.
    Error {
        /// HTTP status.
        status: u16,
        /// Code of the error document.
        code: String,
        /// Seconds of a `Retry-After` header.
        retry_after: Option<u64>,
    },
    /// Waits before the request is handled.
    Delay(Duration),
    /// Never answers; the connection stays open.
    Stall,
    /// Closes the connection at once; the request is not handled.
    ResetOnArrival,
    /// Closes the connection when that many bytes of the request's body were read; nothing is stored.
    ResetDuringRequest(u64),
    /// Handles the request and closes the connection without an answer.
    DropAnswer,
    /// Closes the connection after that many bytes of the answer's body.
    TruncateBody(u64),
    /// Inverts the byte at that offset of the answer's body.
    CorruptByte(u64),
    /// Sends a wrong `x-oss-hash-crc64ecma`.
    WrongCrc,
    /// Judges and answers the request as if the clock were that many seconds ahead (negative: behind).
    ClockOffset(i64),
}

impl FaultAction {
    /// Bytes of the request's body after which its connection breaks.
    pub(crate) fn break_after(&self) -> Option<u64> {
        match self {
            FaultAction::ResetDuringRequest(limit) => Some(*limit),
            _ => None,
        }
    }

    /// The error that is answered instead of handling the request.
    pub(crate) fn error(&self) -> Option<ServiceError> {
        let FaultAction::Error {
            status,
            code,
            retry_after,
        } = self
        else {
            return None;
        };
        let error = ServiceError::new(*status, code.clone(), "A fault was asked for.");
        Some(match retry_after {
            Some(seconds) => error.header("retry-after", seconds.to_string()),
            None => error,
        })
    }

    /// What the fault makes of an answer's body.
    pub(crate) fn spoil(&self, stream: ContentStream) -> ContentStream {
        match self {
            FaultAction::TruncateBody(limit) => truncate(stream, *limit).boxed(),
            FaultAction::CorruptByte(offset) => corrupt(stream, *offset).boxed(),
            _ => stream,
        }
    }
}

/// A rule: requests that match every given field suffer the action, the first `skip` excepted, `times` times.
#[derive(Debug, Clone)]
pub struct Fault {
    action: FaultAction,
    operation: Option<String>,
    method: Option<String>,
    key: Option<String>,
    skip: u64,
    times: u64,
}

impl Fault {
    /// A rule that hits the next request, whatever it is.
    pub fn new(action: FaultAction) -> Self {
        Self {
            action,
            operation: None,
            method: None,
            key: None,
            skip: 0,
            times: 1,
        }
    }

    /// An error answer without `Retry-After`.
    pub fn error(status: u16, code: impl Into<String>) -> Self {
        Self::new(FaultAction::Error {
            status,
            code: code.into(),
            retry_after: None,
        })
    }

    /// Only requests of this operation.
    #[must_use]
    pub fn operation(mut self, name: impl Into<String>) -> Self {
        self.operation = Some(name.into());
        self
    }

    /// Only requests of this method.
    #[must_use]
    pub fn method(mut self, method: impl Into<String>) -> Self {
        self.method = Some(method.into());
        self
    }

    /// Only requests for this key.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Lets that many matching requests pass first.
    #[must_use]
    pub fn skip(mut self, count: u64) -> Self {
        self.skip = count;
        self
    }

    /// Hits that many requests; by default one.
    #[must_use]
    pub fn times(mut self, count: u64) -> Self {
        self.times = count;
        self
    }

    /// Hits every matching request from then on.
    #[must_use]
    pub fn always(self) -> Self {
        self.times(u64::MAX)
    }

    fn matches(&self, operation: Option<&str>, method: &str, key: Option<&str>) -> bool {
        let fits =
            |wanted: &Option<String>, found: Option<&str>| wanted.as_deref().is_none_or(|wanted| found == Some(wanted));
        fits(&self.operation, operation) && fits(&self.method, Some(method)) && fits(&self.key, key)
    }
}

/// The faults that an emulator has in store. Rules are tried in the order added; a request suffers the first that hits.
#[derive(Debug, Default)]
pub struct Faults {
    rules: Mutex<Vec<Fault>>,
}

impl Faults {
    /// Adds a rule.
    pub fn add(&self, fault: Fault) {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).push(fault);
    }

    /// Removes all rules.
    pub fn clear(&self) {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Rules that have not hit as often as they should yet.
    pub fn pending(&self) -> usize {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    pub(crate) fn take(&self, operation: Option<&str>, method: &str, key: Option<&str>) -> Option<FaultAction> {
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let mut hit = None;
        for (index, rule) in rules.iter_mut().enumerate() {
            if !rule.matches(operation, method, key) {
                continue;
            }
            if rule.skip > 0 {
                rule.skip -= 1;
                continue;
            }
            rule.times = rule.times.saturating_sub(u64::from(rule.times != u64::MAX));
            hit = Some((index, rule.times == 0, rule.action.clone()));
            break;
        }
        let (index, used_up, action) = hit?;
        if used_up {
            rules.remove(index);
        }
        Some(action)
    }
}

/// Breaks a body off after `limit` bytes.
fn truncate<S>(stream: S, limit: u64) -> impl Stream<Item = io::Result<Bytes>> + Send
where
    S: Stream<Item = io::Result<Bytes>> + Send,
{
    let mut left = limit;
    let mut over = false;
    stream
        .map(move |chunk| {
            let mut chunk = chunk?;
            let length = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
            if left == 0 {
                return Err(io::Error::new(io::ErrorKind::ConnectionReset, "truncated on purpose"));
            }
            if length > left {
                chunk.truncate(usize::try_from(left).unwrap_or(usize::MAX));
            }
            left = left.saturating_sub(length);
            Ok(chunk)
        })
        .chain(futures_util::stream::once(async {
            Err(io::Error::new(io::ErrorKind::ConnectionReset, "truncated on purpose"))
        }))
        .take_while(move |chunk| {
            let was_over = over;
            over |= chunk.is_err();
            std::future::ready(!was_over)
        })
}

/// Inverts the byte at `offset`.
fn corrupt<S>(stream: S, offset: u64) -> impl Stream<Item = io::Result<Bytes>> + Send
where
    S: Stream<Item = io::Result<Bytes>> + Send,
{
    let mut position = 0u64;
    stream.map(move |chunk| {
        let chunk = chunk?;
        let start = position;
        position += u64::try_from(chunk.len()).unwrap_or(0);
        if !(start..position).contains(&offset) {
            return Ok(chunk);
        }
        let mut bytes = chunk.to_vec();
        if let Some(byte) = usize::try_from(offset - start)
            .ok()
            .and_then(|index| bytes.get_mut(index))
        {
            *byte = !*byte;
        }
        Ok(Bytes::from(bytes))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_count_their_hits() {
        let faults = Faults::default();
        faults.add(
            Fault::error(500, "InternalError")
                .operation("GetObject")
                .skip(1)
                .times(2),
        );
        let hits: Vec<bool> = (0..5)
            .map(|_| faults.take(Some("GetObject"), "GET", Some("k")).is_some())
            .collect();
        assert_eq!(hits, [false, true, true, false, false]);
        assert_eq!(faults.pending(), 0);
    }

    #[test]
    fn rules_match_by_every_given_field() {
        let faults = Faults::default();
        faults.add(Fault::new(FaultAction::Stall).method("PUT").key("a").always());
        assert!(faults.take(None, "GET", Some("a")).is_none());
        assert!(faults.take(None, "PUT", Some("b")).is_none());
        assert!(faults.take(None, "PUT", Some("a")).is_some());
        assert!(faults.take(None, "PUT", Some("a")).is_some());
    }

    #[tokio::test]
    async fn bodies_break_and_corrupt_where_told() {
        let chunks =
            || futures_util::stream::iter(vec![Ok(Bytes::from_static(b"abc")), Ok(Bytes::from_static(b"def"))]);
        let pieces: Vec<_> = truncate(chunks(), 4).collect().await;
        assert_eq!(pieces.len(), 3);
        assert_eq!(pieces[1].as_ref().unwrap().as_ref(), b"d");
        assert!(pieces[2].is_err());
        let pieces: Vec<_> = corrupt(chunks(), 4).map(Result::unwrap).collect().await;
        assert_eq!(pieces[0].as_ref(), b"abc");
        assert_eq!(pieces[1].as_ref(), [b'd', !b'e', b'f']);
    }
}
