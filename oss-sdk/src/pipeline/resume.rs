//! Continuing a broken download: the same request for the bytes that are missing, pinned to the same object.

use std::sync::Arc;

use http::StatusCode;
use http::header::{CONTENT_RANGE, ETAG, HeaderMap, HeaderValue, IF_MATCH, RANGE};
use tracing::{Instrument, Span};

use super::answer::AnswerBody;
use super::{Prepared, run};
use crate::body::{Continuation, Resume, ResumeFuture};
use crate::error::{Error, ErrorKind};
use crate::limits::Limits;

/// Which bytes of an object a payload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    first: u64,
    /// Byte behind the last.
    end: u64,
    /// Length of the whole object.
    total: Option<u64>,
}

impl Extent {
    /// Read off an answer; `None` when it does not say.
    pub(super) fn of(status: StatusCode, headers: &HeaderMap, length: Option<u64>) -> Option<Self> {
        let length = length?;
        if status != StatusCode::PARTIAL_CONTENT {
            return Some(Extent {
                first: 0,
                end: length,
                total: Some(length),
            });
        }
        let extent = Self::parse(headers.get(CONTENT_RANGE)?.to_str().ok()?)?;
        (extent.end - extent.first == length).then_some(extent)
    }

    /// Reads `bytes 0-9/100` or `bytes 0-9/*`.
    fn parse(text: &str) -> Option<Self> {
        let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let (first, last): (u64, u64) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        let total = match total.trim() {
            "*" => None,
            total => Some(total.parse().ok()?),
        };
        let end = last.checked_add(1)?;
        (first < end && total.is_none_or(|total| end <= total)).then_some(Extent { first, end, total })
    }

    /// Whether it is all of the object.
    pub(super) fn is_whole(&self) -> bool {
        self.first == 0 && self.total == Some(self.end)
    }
}

/// What is needed to ask for the rest of a payload.
pub(super) struct Resumption {
    prepared: Arc<Prepared>,
    extent: Extent,
    etag: HeaderValue,
    /// The span of the call.
    span: Span,
}

impl Resumption {
    /// `None` when the object has no `ETag` to pin it by.
    pub(super) fn new(prepared: Arc<Prepared>, extent: Extent, headers: &HeaderMap) -> Option<Self> {
        let etag = headers.get(ETAG).filter(|etag| !etag.is_empty())?.clone();
        let span = Span::current();
        Some(Resumption {
            prepared,
            extent,
            etag,
            span,
        })
    }
}

impl Resume for Resumption {
    fn resume(&mut self, received: u64, cause: Error) -> ResumeFuture {
        let Extent { first, end, .. } = self.extent;
        let wanted = first + received;
        let etag = self.etag.clone();
        let prepared = self.prepared.with_headers(|headers| {
            if let Ok(range) = HeaderValue::from_str(&format!("bytes={wanted}-{}", end - 1)) {
                headers.insert(RANGE, range);
            }
            headers.insert(IF_MATCH, etag.clone());
        });
        let asking = async move {
            // Deadline and cancellation stay with the payload, which drops this future when they end it.
            let answer = match run(&prepared, &mut Limits::new(&prepared.core.shutdown, None, None)).await {
                Ok(answer) => answer,
                Err(error) if error.is_precondition_failed() => {
                    return Err(changed(cause).with_source(error));
                }
                Err(error) => return Err(error),
            };
            let found = Extent::of(answer.status, &answer.headers, source_length(&answer.body));
            if answer.headers.get(ETAG).is_some_and(|found| *found != etag) {
                return Err(changed(cause).with_answer(answer.status, &answer.headers));
            }
            let is_the_rest = answer.status == StatusCode::PARTIAL_CONTENT
                && found.is_some_and(|found| (found.first, found.end) == (wanted, end));
            match answer.body {
                AnswerBody::Stream(source) if is_the_rest => Ok(Continuation { source }),
                _ => {
                    let message = "the service did not continue the payload where it broke off";
                    Err(Error::new(ErrorKind::Transport, message)
                        .with_retryable(false)
                        .with_answer(answer.status, &answer.headers)
                        .with_source(cause))
                }
            }
        };
        Box::pin(asking.instrument(self.span.clone()))
    }
}

fn source_length(body: &AnswerBody) -> Option<u64> {
    match body {
        AnswerBody::Stream(source) => source.length(),
        AnswerBody::Document(_) => None,
    }
}

fn changed(cause: Error) -> Error {
    Error::new(ErrorKind::Transport, "the object was changed while it was read")
        .with_retryable(false)
        .with_source(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_answers_are_read_and_nonsense_is_not() {
        let rows = [
            ("bytes 0-9/10", Some((0, 10, Some(10)))),
            ("bytes 5-9/*", Some((5, 10, None))),
            ("bytes 5-9/7", None),
            ("bytes 9-5/20", None),
            ("bytes */20", None),
            ("bytes 0-18446744073709551615/*", None),
            ("items 0-9/10", None),
            ("", None),
        ];
        for (text, expected) in rows {
            let found = Extent::parse(text).map(|extent| (extent.first, extent.end, extent.total));
            assert_eq!(found, expected, "{text}");
        }
        assert!(Extent::parse("bytes 0-9/10").unwrap().is_whole());
        assert!(!Extent::parse("bytes 0-9/*").unwrap().is_whole());
        assert!(!Extent::parse("bytes 1-9/10").unwrap().is_whole());
    }
}
