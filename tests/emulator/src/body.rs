//! Request bodies: streamed into the store, or gathered within a limit when they are documents.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;

use crate::error::ServiceError;
use crate::fault::pace;
use crate::pace::Pace;
use crate::request::header;
use crate::store::{Staged, Store};

/// Longest silence of a client in the middle of a body.
const IDLE: Duration = Duration::from_secs(60);
/// Largest object of one request, and largest part: 5 GiB.
const MAX_STREAM: u64 = 5 * 1024 * 1024 * 1024;
/// Most that is read of a body nobody wants before it is answered: many clients read no answer while they send.
const MAX_DRAIN: u64 = 64 * 1024 * 1024;
/// Longest that an answer is held back for such a body.
const DRAIN_TIME: Duration = Duration::from_secs(5);
/// Longest that is read on behind the answer.
const LINGER_TIME: Duration = Duration::from_secs(600);
/// Code of the refusal of a body that ended early. Nobody reads it, since the connection is gone, but faults and logs do.
pub(crate) const INCOMPLETE: &str = "IncompleteBody";

/// The body of a request.
pub(crate) struct Body {
    incoming: Incoming,
    /// Declared length.
    length: Option<u64>,
    chunked: bool,
    expects_continue: bool,
    /// A fault: breaks off after that many bytes.
    break_after: Option<u64>,
    /// A fault: reads at most that many bytes in a second.
    rate: Option<u64>,
    read: u64,
    pace: Option<Pace>,
}

impl Body {
    pub(crate) fn new(incoming: Incoming, headers: &HeaderMap, break_after: Option<u64>) -> Self {
        let length = header(headers, "content-length").and_then(|text| text.parse().ok());
        Self {
            incoming,
            length,
            chunked: headers.contains_key("transfer-encoding"),
            expects_continue: headers.contains_key("expect"),
            break_after,
            rate: None,
            read: 0,
            pace: None,
        }
    }

    /// Reads at most that many bytes in a second.
    pub(crate) fn throttled(mut self, rate: Option<u64>) -> Self {
        self.rate = rate;
        self
    }

    /// Bytes that were read.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.read
    }

    /// Reads no faster than this from here on.
    pub(crate) fn slow_down(&mut self, pace: Option<Pace>) {
        self.pace = pace;
    }

    /// The next piece of the body; nothing at its end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, ServiceError> {
        loop {
            let frame = tokio::time::timeout(IDLE, self.incoming.frame()).await;
            let frame = frame.map_err(|_| {
                ServiceError::new(
                    400,
                    "RequestTimeout",
                    "Your socket connection to the server was not read from or written to within the timeout period.",
                )
            })?;
            let Some(frame) = frame else { return Ok(None) };
            let incomplete =
                |_| ServiceError::new(400, INCOMPLETE, "The request body ended before its declared length.");
            let Ok(data) = frame.map_err(incomplete)?.into_data() else {
                continue;
            };
            let length = u64::try_from(data.len()).unwrap_or(u64::MAX);
            self.read += length;
            if let Some(rate) = self.rate {
                pace(length, rate).await;
            }
            if let Some(pace) = self.pace {
                pace.wait(self.read).await;
            }
            if self.break_after.is_some_and(|limit| self.read >= limit) {
                return Err(ServiceError::new(
                    400,
                    INCOMPLETE,
                    "A fault broke the request body off.",
                ));
            }
            return Ok(Some(data));
        }
    }

    /// Streams the body into the store. Nothing stays behind when this fails or is dropped.
    pub(crate) async fn stage(&mut self, store: &Store) -> Result<Staged, ServiceError> {
        if self.length.is_none() && !self.chunked {
            return Err(ServiceError::new(
                411,
                "MissingContentLength",
                "You must provide the Content-Length HTTP header.",
            ));
        }
        let too_large = || ServiceError::entity_too_large(MAX_STREAM);
        if self.length.is_some_and(|length| length > MAX_STREAM) {
            return Err(too_large());
        }
        let mut writer = store.writer();
        while let Some(data) = self.next().await? {
            if self.read > MAX_STREAM {
                return Err(too_large());
            }
            writer.write(data).await?;
        }
        Ok(writer.finish().await?)
    }

    /// Reads on to the end and forgets what comes, within reason, and tells whether the end was reached. A client that waits
    /// to be asked for its body is not asked.
    pub(crate) async fn drain(&mut self) -> bool {
        // The answer is known, so nobody gains from waiting for the rest.
        self.pace = None;
        if self.expects_continue {
            return true;
        }
        let rest = self.forget(self.read.saturating_add(MAX_DRAIN));
        tokio::time::timeout(DRAIN_TIME, rest).await.unwrap_or(false)
    }

    /// Goes on with that behind the answer. Closing the connection in the middle of a body would reset it, and many clients
    /// lose the answer then.
    pub(crate) fn linger(mut self) {
        tokio::spawn(async move {
            let _ = tokio::time::timeout(LINGER_TIME, self.forget(MAX_STREAM)).await;
        });
    }

    /// Reads up to so many bytes in all, and tells whether the body ended before.
    async fn forget(&mut self, end: u64) -> bool {
        while self.read < end {
            if !matches!(self.next().await, Ok(Some(_))) {
                return true;
            }
        }
        false
    }

    /// Gathers a document of at most `limit` bytes.
    pub(crate) async fn collect(&mut self, limit: usize) -> Result<Bytes, ServiceError> {
        let too_large = || {
            ServiceError::new(
                400,
                "EntityTooLarge",
                format!("The document is larger than {limit} bytes."),
            )
        };
        let limit_bytes = u64::try_from(limit).unwrap_or(u64::MAX);
        if self.length.is_some_and(|length| length > limit_bytes) {
            return Err(too_large());
        }
        let mut gathered = BytesMut::new();
        while let Some(data) = self.next().await? {
            if self.read > limit_bytes {
                return Err(too_large());
            }
            gathered.extend_from_slice(&data);
        }
        Ok(gathered.freeze())
    }
}
