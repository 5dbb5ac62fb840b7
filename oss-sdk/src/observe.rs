//! What the runtime tells [`tracing`] of calls, of their attempts and of what is on the wire.
//!
//! Names of spans and fields are stable. Nothing here ever holds a secret, a token, a signature or a URL that is signed.
//! Without a subscriber, or with one that does not listen, a call pays a few loads of an integer.
//!
//! | name | what | level | target |
//! | --- | --- | --- | --- |
//! | [`CALL`], `oss.call` | span of one call, until its answer is there | `INFO` | `oss_sdk` |
//! | [`ATTEMPT`], `oss.attempt` | span of one attempt, until its payload is read or dropped; within that of its call | `DEBUG` | `oss_sdk` |
//! | `answered`, `attempt failed`, `trying again`, ... | events within them | `DEBUG` | `oss_sdk::...` |
//! | `request`, `response` | events of the wire, with headers | `TRACE` | [`WIRE`], `oss_sdk::wire` |
//!
//! Fields of `oss.call`; those after the line are there when the call has ended:
//!
//! | field | is |
//! | --- | --- |
//! | `service`, `operation` | names, such as `oss` and `PutObject` |
//! | `bucket` | the bucket, if one is addressed |
//! | --- | |
//! | `status`, `request_id` | of the last answer, if there was one |
//! | `attempts` | requests that were sent |
//! | `elapsed_ms` | milliseconds from the start of the call |
//! | `error_kind` | the [`ErrorKind`](crate::ErrorKind) of a call that failed, such as `Service` |
//! | `error_code` | the service's code, such as `NoSuchKey` |
//!
//! Fields of `oss.attempt`:
//!
//! | field | is |
//! | --- | --- |
//! | `attempt` | its number, from 1 |
//! | `method` | HTTP method |
//! | `status`, `request_id` | of its answer, if there was one |
//! | `bytes_sent` | bytes of the payload that were handed to the connection |
//! | `bytes_received` | bytes of a streamed payload that were read, or of the document |
//! | `error_kind`, `error_code` | as above, of an attempt that failed |
//! | `retry_reason` | why there is another: `policy`, `clock` (it was set right) or `credentials` (others are fetched) |
//! | `delay_ms` | milliseconds until then |
//!
//! Numbers are `i64`, which is what OpenTelemetry knows.
//!
//! Events of the wire have `method`, `url` (without what is secret in its query), `status` and `headers`: all names, and
//! the values of those that are known to be harmless; the others are `[hidden]`, as metadata of objects may be private.
//! Payloads are never shown. A key stands only in URLs, so only at `TRACE` and in the texts of errors.
//!
//! The example `opentelemetry` exports the spans.

use std::fmt;

use http::{HeaderMap, Method, StatusCode};
use tracing::Span;
use tracing::field::Empty;

use crate::client::Core;
use crate::error::{Error, redacted_url};
use crate::operation::{OperationInput, Reply};

/// Name of the span of a call.
pub const CALL: &str = "oss.call";

/// Name of the span of an attempt.
pub const ATTEMPT: &str = "oss.attempt";

/// Target of the events of the wire.
pub const WIRE: &str = "oss_sdk::wire";

/// Target of the spans.
const TARGET: &str = "oss_sdk";

/// Headers whose values are shown. Whatever else there is may be private.
const SHOWN: [&str; 38] = [
    "accept",
    "accept-encoding",
    "accept-ranges",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-md5",
    "content-range",
    "content-type",
    "date",
    "etag",
    "expect",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-unmodified-since",
    "last-modified",
    "range",
    "retry-after",
    "server",
    "transfer-encoding",
    "user-agent",
    "x-oss-content-sha256",
    "x-oss-date",
    "x-oss-delete-marker",
    "x-oss-ec",
    "x-oss-forbid-overwrite",
    "x-oss-hash-crc64ecma",
    "x-oss-next-append-position",
    "x-oss-object-type",
    "x-oss-request-id",
    "x-oss-server-time",
    "x-oss-storage-class",
    "x-oss-traffic-limit",
    "x-oss-transition-time",
    "x-oss-version-id",
];

/// The span of a call.
pub(crate) fn call(core: &Core, input: &OperationInput) -> Span {
    tracing::info_span!(
        target: TARGET,
        "oss.call",
        service = input.service.unwrap_or(core.service).name,
        operation = &*input.name,
        bucket = input.bucket.as_deref(),
        status = Empty,
        request_id = Empty,
        attempts = Empty,
        elapsed_ms = Empty,
        error_kind = Empty,
        error_code = Empty,
    )
}

/// Notes how a call ended.
pub(crate) fn call_ended(span: &Span, result: &Result<Reply, Error>) {
    if span.is_disabled() {
        return;
    }
    let elapsed = match result {
        Ok(reply) => {
            let meta = reply.meta();
            span.record("status", i64::from(meta.status()));
            span.record("request_id", meta.request_id());
            span.record("attempts", i64::from(meta.attempts()));
            Some(meta.elapsed())
        }
        Err(error) => {
            span.record("attempts", i64::from(error.attempts()));
            failed(span, error);
            error.elapsed()
        }
    };
    if let Some(elapsed) = elapsed {
        span.record("elapsed_ms", elapsed.as_millis() as i64);
    }
}

/// The span of an attempt.
pub(crate) fn attempt(method: &Method, number: u32) -> Span {
    tracing::debug_span!(
        target: TARGET,
        "oss.attempt",
        attempt = i64::from(number),
        method = method.as_str(),
        status = Empty,
        request_id = Empty,
        bytes_sent = Empty,
        bytes_received = Empty,
        error_kind = Empty,
        error_code = Empty,
        retry_reason = Empty,
        delay_ms = Empty,
    )
}

/// Notes on a span what failed.
pub(crate) fn failed(span: &Span, error: &Error) {
    if span.is_disabled() {
        return;
    }
    span.record("error_kind", tracing::field::debug(error.kind()));
    if let Some(status) = error.status() {
        span.record("status", i64::from(status));
    }
    if let Some(id) = error.request_id() {
        span.record("request_id", id);
    }
    if let Some(code) = error.code() {
        span.record("error_code", code);
    }
}

/// A request as it goes out.
pub(crate) fn request(method: &Method, url: &str, headers: &HeaderMap) {
    tracing::trace!(
        target: WIRE,
        method = method.as_str(),
        url = %redacted_url(url),
        headers = %Headers(headers),
        "request"
    );
}

/// The head of an answer as it comes in.
pub(crate) fn response(status: StatusCode, headers: &HeaderMap) {
    tracing::trace!(
        target: WIRE,
        status = status.as_u16(),
        headers = %Headers(headers),
        "response"
    );
}

/// Counts the bytes of a payload and notes them on the span of its attempt when it is dropped.
#[derive(Debug)]
pub(crate) struct Received {
    span: Span,
    bytes: u64,
}

impl Received {
    pub(crate) fn new(span: Span) -> Self {
        Received { span, bytes: 0 }
    }

    pub(crate) fn add(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }
}

impl Default for Received {
    fn default() -> Self {
        Received::new(Span::none())
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        self.span.record("bytes_received", self.bytes as i64);
    }
}

/// `name: value, name: [hidden]`.
struct Headers<'a>(&'a HeaderMap);

impl fmt::Display for Headers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, value)) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            let shown = value
                .to_str()
                .ok()
                .filter(|_| SHOWN.contains(&name.as_str()) && !value.is_sensitive());
            write!(f, "{name}: {}", shown.unwrap_or("[hidden]"))?;
        }
        Ok(())
    }
}
