//! The one error of the crate: what went wrong, where, and what the service said about it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use http::{HeaderMap, StatusCode};

use crate::check::Invalid;
use crate::text::{OneLine, TextError};
use crate::time::Timestamp;
use crate::xml::XmlError;

mod display;
mod not_retried;
mod predicates;
mod service;
mod signature;
mod tokens;

pub(crate) use display::redacted_url;
pub use not_retried::NotRetried;
pub(crate) use service::{ServiceError, parse_service_error};
pub(crate) use signature::explain;
pub use signature::{SignatureCause, SignatureDifference, SignatureMismatch, SignedText};

/// Why an operation failed.
///
/// Its text is one line with all that is known, without the text of its [source](StdError::source). It never shows a
/// secret or a signature.
///
/// ```
/// # fn handle(error: oss_sdk::Error) {
/// if error.is_not_found() {
///     println!("no such object");
/// } else {
///     eprintln!("{error}; quote request id {:?} to support", error.request_id());
/// }
/// # }
/// ```
pub struct Error(Box<Inner>);

type Source = Box<dyn StdError + Send + Sync>;

/// The result of most functions of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of failure an [`Error`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A member of the request breaks a rule; [`Error::member`] names it. Nothing was sent. Never retried.
    InvalidInput,
    /// The client's settings are wrong or contradict each other; [`Error::member`] names the setting. Never retried.
    Config,
    /// No usable credentials could be had. Retried when their provider says so: nothing was sent yet.
    Credentials,
    /// No connection could be made: DNS, TCP, TLS. Retried, because nothing was sent; but not when the service's
    /// certificate or its protocol is not accepted, since that stays so.
    Connect,
    /// The service was silent for too long, or a deadline passed. A silent attempt is retried when its body can be
    /// replayed; a passed deadline is not.
    Timeout,
    /// A connection broke while sending or receiving. Retried when the body can be replayed.
    Transport,
    /// The service answered with an error; see [`Error::code`] and [`Error::status`]. Retried for statuses of 500 and
    /// above, 401, 408, 429 and for the code `BadRequest`; an operation that must not be carried out twice only where
    /// the status says that it was not carried out, which 500, 502 and 504 do not. A request that was refused for its time is besides sent once more with the service's time, when its answer shows
    /// that the clock is off: that is no retry, so it needs neither an attempt nor the client's budget.
    Service,
    /// The answer could not be understood. Not retried: the operation may have been carried out.
    Decode,
    /// A checksum differs from the service's. An upload is retried, as the service replaces what it got.
    ChecksumMismatch,
    /// The caller's payload could not be read. Not retried.
    Body,
    /// Reading or writing a local file failed, or a blocking call could not be made on its thread. Not retried.
    Io,
    /// The call was cancelled. Not retried.
    Canceled,
    /// The client was shut down. Not retried.
    Closed,
    /// What was waited for cannot happen any more: an answer shows a state that a [wait](crate::wait) gives up at.
    /// Never retried.
    WaitFailed,
}

struct Inner {
    kind: ErrorKind,
    operation: Option<Cow<'static, str>>,
    /// The member or setting at fault.
    member: Option<String>,
    message: String,
    code: Option<String>,
    status: Option<StatusCode>,
    request_id: Option<String>,
    ec: Option<String>,
    timestamp: Option<Timestamp>,
    /// Method and URL, without anything secret.
    target: Option<String>,
    headers: HeaderMap,
    /// Top-level elements of an error document.
    fields: BTreeMap<String, String>,
    /// Of texts among them.
    signed: signature::Fingerprints,
    attempts: u32,
    max_attempts: u32,
    elapsed: Option<Duration>,
    not_retried: Option<NotRetried>,
    signature: Option<Box<SignatureMismatch>>,
    /// Overrides what kind, status and code say.
    retryable: Option<bool>,
    source: Option<Source>,
}

impl Error {
    /// What kind of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Name of the operation, e.g. `GetObject`.
    pub fn operation(&self) -> Option<&str> {
        self.0.operation.as_deref()
    }

    /// The member of the request, or the setting of the client, that is wrong.
    pub fn member(&self) -> Option<&str> {
        self.0.member.as_deref()
    }

    /// Error code of the service, e.g. `NoSuchKey`; `BadErrorResponse` when its answer could not be understood. Those that
    /// the service documents are constants in [`errors`](crate::errors), each with its meaning.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The service's explanation; for other kinds ours.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// HTTP status, if there was an answer.
    pub fn status(&self) -> Option<u16> {
        self.0.status.map(|status| status.as_u16())
    }

    /// Id of the request at the service. Quote it to support.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// Detailed error code, for the service's self-diagnosis, e.g. `0026-00000001`.
    pub fn ec(&self) -> Option<&str> {
        self.0.ec.as_deref()
    }

    /// The server's time at its answer.
    pub fn timestamp(&self) -> Option<Timestamp> {
        self.0.timestamp
    }

    /// Method and URL of the request, e.g. `GET https://b.oss-cn-hangzhou.aliyuncs.com/k?acl`. Signature, token and key id
    /// in the query are replaced by `[redacted]`.
    pub fn target(&self) -> Option<&str> {
        self.0.target.as_deref()
    }

    /// Headers of the answer; empty if there was none.
    pub fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    /// A top-level element of the service's error document, e.g. `HostId` or `StringToSign`. Without the values of
    /// security tokens, and without the signature that was refused.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.0.fields.get(name).map(String::as_str)
    }

    /// Requests sent; 0 if it failed before the first.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Time from the start of the call to the failure.
    pub fn elapsed(&self) -> Option<Duration> {
        self.0.elapsed
    }

    /// Why the request was not sent again, when its failure could have passed and attempts were left. The text of the
    /// error says it too.
    pub fn not_retried(&self) -> Option<NotRetried> {
        self.0.not_retried
    }

    /// What was signed here and what by the service's account should have been, where they differ first, and the likely
    /// cause. Only where the service refused a signature, its time or its scope: `SignatureDoesNotMatch`,
    /// `RequestTimeTooSkewed`, and `InvalidArgument` about the Authorization header.
    ///
    /// ```
    /// # fn handle(error: oss_sdk::Error) {
    /// if let Some(mismatch) = error.signature_mismatch() {
    ///     eprintln!("likely cause: {}", mismatch.likely_cause);
    /// }
    /// # }
    /// ```
    pub fn signature_mismatch(&self) -> Option<&SignatureMismatch> {
        self.0.signature.as_deref()
    }

    /// Whether the same call may succeed later. The client has retried it already as often as its policy allows.
    pub fn is_retryable(&self) -> bool {
        self.0.retryable.unwrap_or_else(|| match self.0.kind {
            ErrorKind::Connect | ErrorKind::Timeout | ErrorKind::Transport => true,
            ErrorKind::Service => {
                crate::retry::is_retryable_answer(self.0.status.map_or(0, |status| status.as_u16()), self.code())
            }
            _ => false,
        })
    }
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            operation: None,
            member: None,
            message: message.into(),
            code: None,
            status: None,
            request_id: None,
            ec: None,
            timestamp: None,
            target: None,
            headers: HeaderMap::new(),
            fields: BTreeMap::new(),
            signed: signature::Fingerprints::default(),
            attempts: 0,
            max_attempts: 0,
            elapsed: None,
            not_retried: None,
            signature: None,
            retryable: None,
            source: None,
        }))
    }

    /// A member of a request that breaks a rule, worded as the rest of a sentence: `must not be empty`.
    pub(crate) fn invalid_input(member: impl Into<String>, rule: impl Into<String>) -> Self {
        let mut error = Self::new(ErrorKind::InvalidInput, rule);
        error.0.member = Some(member.into());
        error
    }

    /// A setting of the client that is wrong, worded as in [`invalid_input`](Self::invalid_input).
    pub(crate) fn config(setting: impl Into<String>, rule: impl Into<String>) -> Self {
        let mut error = Self::new(ErrorKind::Config, rule);
        error.0.member = Some(setting.into());
        error
    }

    /// Turns the facts of an error answer into an error.
    pub(crate) fn service(status: StatusCode, headers: HeaderMap, answer: ServiceError) -> Self {
        let mut error = Self::new(ErrorKind::Service, answer.message);
        error.0.code = Some(answer.code);
        error.0.request_id = answer.request_id;
        error.0.ec = answer.ec;
        error.0.timestamp = answer.timestamp;
        error.0.fields = answer.fields;
        error.0.signed = answer.signed;
        error.0.status = Some(status);
        error.0.headers = headers;
        error
    }

    /// A failure that an end frame tells of, after a status line that said success.
    pub(crate) fn end_frame(status: Option<StatusCode>, code: Option<&str>, message: impl Into<String>) -> Self {
        let mut error = Self::new(ErrorKind::Service, message);
        error.0.status = status;
        error.0.code = code.map(str::to_owned);
        error
    }

    /// An answer that could not be understood.
    pub(crate) fn decode(source: impl Into<Source>) -> Self {
        Self::new(ErrorKind::Decode, "the answer could not be understood").with_source(source)
    }

    /// Two checksums that should be equal.
    pub(crate) fn checksum_mismatch(client: u64, server: u64) -> Self {
        Self::new(
            ErrorKind::ChecksumMismatch,
            format!("crc-64 differs: {client} of the bytes transferred, {server} by the service"),
        )
    }

    /// Names the operation, unless an inner layer did.
    #[must_use]
    pub(crate) fn with_operation(mut self, operation: impl Into<Cow<'static, str>>) -> Self {
        self.0.operation.get_or_insert_with(|| operation.into());
        self
    }

    #[must_use]
    pub(crate) fn with_member(mut self, member: impl Into<String>) -> Self {
        self.0.member = Some(member.into());
        self
    }

    /// Method and URL; the URL's query is cleaned of what is secret.
    #[must_use]
    pub(crate) fn with_target(mut self, method: &str, url: &str) -> Self {
        self.0.target = Some(display::target(method, url));
        self
    }

    /// Adds what an answer says of itself; for errors that are found in an answer of success. The status of an end
    /// frame stays.
    #[must_use]
    pub(crate) fn with_answer(mut self, status: StatusCode, headers: &HeaderMap) -> Self {
        self.0.status.get_or_insert(status);
        if self.0.request_id.is_none() {
            self.0.request_id = service::header_text(headers, "x-oss-request-id");
        }
        if self.0.ec.is_none() {
            self.0.ec = service::header_text(headers, "x-oss-ec");
        }
        if self.0.timestamp.is_none() {
            self.0.timestamp = service::answer_time(headers);
        }
        if self.0.headers.is_empty() {
            self.0.headers = headers.clone();
        }
        self
    }

    /// Which attempt failed last, of how many, and how long all took.
    #[must_use]
    pub(crate) fn with_attempts(mut self, made: u32, allowed: u32, elapsed: Duration) -> Self {
        self.0.attempts = made;
        self.0.max_attempts = allowed;
        self.0.elapsed = Some(elapsed);
        self
    }

    #[must_use]
    pub(crate) fn with_signature_mismatch(mut self, mismatch: SignatureMismatch) -> Self {
        self.0.signature = Some(Box::new(mismatch));
        self
    }

    #[must_use]
    pub(crate) fn with_not_retried(mut self, reason: NotRetried) -> Self {
        self.0.not_retried = Some(reason);
        self
    }

    /// Says whether to retry, whatever the kind says.
    #[must_use]
    pub(crate) fn with_retryable(mut self, retryable: bool) -> Self {
        self.0.retryable = Some(retryable);
        self
    }

    #[must_use]
    pub(crate) fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(source.into());
        self
    }
}

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Self {
        let (member, rule) = invalid.into_parts();
        Self::invalid_input(member, rule)
    }
}

/// For answers of a service.
impl From<XmlError> for Error {
    fn from(error: XmlError) -> Self {
        Self::decode(error)
    }
}

/// For answers of a service.
impl From<TextError> for Error {
    fn from(error: TextError) -> Self {
        Self::decode(error)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display::write(&self.0, f)
    }
}

/// Leaves out headers and document, which may hold what should not be logged.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("text", &format_args!("{self}"))
            .field("source", &self.0.source)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_pointer_and_crosses_threads() {
        fn crosses<T: Send + Sync + 'static>() {}
        crosses::<Error>();
        assert_eq!(size_of::<Error>(), size_of::<usize>());
        assert_eq!(size_of::<Result<()>>(), size_of::<usize>());
    }

    #[test]
    fn the_chain_of_sources_is_complete() {
        let root = std::io::Error::other("disk on fire");
        let error = Error::new(ErrorKind::Io, "reading `a.txt` failed").with_source(root);
        assert_eq!(error.source().unwrap().to_string(), "disk on fire");
        assert!(!error.to_string().contains("fire"));
        assert!(format!("{error:?}").contains("fire"));
    }

    #[test]
    fn the_inner_layer_names_the_operation() {
        let error = Error::new(ErrorKind::Canceled, "canceled")
            .with_operation("GetObject")
            .with_operation("Other");
        assert_eq!(error.operation(), Some("GetObject"));
    }

    #[test]
    fn kinds_say_whether_to_retry() {
        let rows = [
            (ErrorKind::Connect, true),
            (ErrorKind::Timeout, true),
            (ErrorKind::Transport, true),
            (ErrorKind::InvalidInput, false),
            (ErrorKind::Config, false),
            (ErrorKind::Credentials, false),
            (ErrorKind::Decode, false),
            (ErrorKind::ChecksumMismatch, false),
            (ErrorKind::Body, false),
            (ErrorKind::Io, false),
            (ErrorKind::Canceled, false),
            (ErrorKind::Closed, false),
            (ErrorKind::WaitFailed, false),
        ];
        for (kind, retryable) in rows {
            assert_eq!(Error::new(kind, "").is_retryable(), retryable, "{kind:?}");
            assert_eq!(
                Error::new(kind, "").with_retryable(!retryable).is_retryable(),
                !retryable,
                "{kind:?}"
            );
        }
    }
}
