//! The end of a request: its figures, its line in the log and in the access log, written when the last byte of the answer is out.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;
use std::{fmt, io};

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, SizeHint};

use crate::access_log::Entry;
use crate::handle::AnswerBody;
use crate::state::State;

/// What is told of a request when it ends.
pub(crate) struct Ending {
    pub(crate) state: Arc<State>,
    pub(crate) entry: Entry,
    pub(crate) started: Instant,
}

impl fmt::Debug for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ending")
            .field("entry", &self.entry)
            .finish_non_exhaustive()
    }
}

impl Ending {
    /// Tells it everywhere.
    pub(crate) fn tell(mut self, bytes_out: u64) {
        let duration = self.started.elapsed();
        let entry = &mut self.entry;
        entry.bytes_out = bytes_out;
        entry.duration_us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        self.state.metrics.end(
            entry.operation.as_deref(),
            entry.status,
            entry.bytes_in,
            bytes_out,
            duration,
        );
        tracing::info!(
            method = %entry.method,
            target = %entry.target,
            operation = entry.operation.as_deref(),
            status = entry.status,
            code = entry.code.as_deref(),
            fault = entry.fault.as_deref(),
            bytes_in = entry.bytes_in,
            bytes_out,
            ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
            request_id = %entry.request_id,
            "request"
        );
        if let Some(log) = &self.state.access_log {
            log.write(entry);
        }
    }

    /// A body that tells of its end, whether all of it was sent or its client went away.
    pub(crate) fn at_end_of(self, body: AnswerBody) -> AnswerBody {
        Watched {
            body,
            sent: 0,
            ending: Some(self),
        }
        .boxed_unsync()
    }
}

struct Watched {
    body: AnswerBody,
    sent: u64,
    ending: Option<Ending>,
}

impl Body for Watched {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(data) = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref()) {
            self.sent += u64::try_from(data.len()).unwrap_or(u64::MAX);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if let Some(ending) = self.ending.take() {
            ending.tell(self.sent);
        }
    }
}
