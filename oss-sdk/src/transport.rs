//! How requests reach the network: the [`Transport`] trait and the types it exchanges.
//!
//! The pipeline hands a transport one finished, signed request at a time and gets one answer back. Redirects,
//! retries, timeouts of silence, limits of bandwidth, checksums and signatures are the pipeline's; a transport opens connections, keeps
//! them, and moves bytes. The implementation on reqwest is [`ReqwestTransport`] (feature `reqwest`); any other
//! stack plugs in through [`ClientBuilder::transport`](crate::ClientBuilder::transport).

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use http::{HeaderMap, Method, StatusCode};

use crate::limits::Activity;

#[cfg(feature = "reqwest")]
mod connections;
#[cfg(feature = "reqwest")]
mod dial;
#[cfg(feature = "reqwest")]
mod dot_segments;
#[cfg(feature = "reqwest")]
mod reqwest;
#[cfg(feature = "rustls")]
mod tls;

#[cfg(feature = "reqwest")]
pub use self::reqwest::{ReqwestTransport, TransportOptions};

/// Any error, boxed; what streams of bytes fail with.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// What [`Transport::send`] returns.
pub type TransportFuture<'a> = Pin<Box<dyn Future<Output = Result<TransportResponse, TransportError>> + Send + 'a>>;

/// Sends one HTTP request and returns the head of its answer with a body that streams.
///
/// What the pipeline relies on:
///
/// - The URL goes to the wire byte for byte. It is what was signed, so `//`, `.` and `..` segments and percent
///   escapes stay as they are.
/// - No header is added beyond `Host`, `Content-Length` or `Transfer-Encoding`, and `Accept`; none is removed.
/// - Redirects are not followed and bodies are not decompressed.
/// - A request body of known length is sent with `Content-Length`, any other in chunks.
/// - Dropping the future or the answer's body gives the request up.
///
/// Timeouts of silence, deadlines and cancellation are applied outside; a transport bounds only the time to connect.
pub trait Transport: fmt::Debug + Send + Sync + 'static {
    /// Sends `request` once.
    fn send(&self, request: TransportRequest) -> TransportFuture<'_>;
}

/// A finished request.
#[derive(Debug)]
#[non_exhaustive]
pub struct TransportRequest {
    /// HTTP method.
    pub method: Method,
    /// Absolute URL, percent-encoded, as it was signed.
    pub url: String,
    /// Headers, without `Host`.
    pub headers: HeaderMap,
    /// Payload.
    pub body: TransportBody,
    /// What tells the pipeline that it waits for something else than the network.
    pub(crate) activity: Option<Activity>,
}

impl TransportRequest {
    /// A request without headers and payload.
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        TransportRequest {
            method,
            url: url.into(),
            headers: HeaderMap::new(),
            body: TransportBody::empty(),
            activity: None,
        }
    }
}

/// The head of an answer, and its payload to come.
#[derive(Debug)]
#[non_exhaustive]
pub struct TransportResponse {
    /// HTTP status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Payload, with its length when the answer declared one.
    pub body: TransportBody,
}

impl TransportResponse {
    /// An answer without headers.
    pub fn new(status: StatusCode, body: impl Into<TransportBody>) -> Self {
        TransportResponse {
            status,
            headers: HeaderMap::new(),
            body: body.into(),
        }
    }
}

type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes, BoxError>> + Send>>;

/// A payload on its way: a stream of byte chunks that may know its length.
///
/// It is a [`Stream`] and an [`http_body::Body`].
pub struct TransportBody {
    source: Source,
    length: Option<u64>,
}

enum Source {
    Full(Bytes),
    Stream(ByteStream),
}

impl TransportBody {
    /// A payload of no bytes.
    pub fn empty() -> Self {
        TransportBody {
            source: Source::Full(Bytes::new()),
            length: Some(0),
        }
    }

    /// A payload that streams; `length` is its exact length in bytes when known.
    pub fn from_stream<S>(stream: S, length: Option<u64>) -> Self
    where
        S: Stream<Item = Result<Bytes, BoxError>> + Send + 'static,
    {
        TransportBody {
            source: Source::Stream(Box::pin(stream)),
            length,
        }
    }

    /// Bytes left to come, when known.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// The whole payload, if it is in memory already.
    pub fn as_bytes(&self) -> Option<&Bytes> {
        match &self.source {
            Source::Full(bytes) => Some(bytes),
            Source::Stream(_) => None,
        }
    }

    /// Polls for the next chunk; chunks are not empty.
    pub fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BoxError>>> {
        let chunk = match &mut self.source {
            Source::Full(bytes) if bytes.is_empty() => return Poll::Ready(None),
            Source::Full(bytes) => std::mem::take(bytes),
            Source::Stream(stream) => loop {
                match std::task::ready!(stream.as_mut().poll_next(cx)) {
                    Some(Ok(chunk)) if chunk.is_empty() => {}
                    Some(Ok(chunk)) => break chunk,
                    other => return Poll::Ready(other),
                }
            },
        };
        if let Some(length) = &mut self.length {
            *length = length.saturating_sub(chunk.len() as u64);
        }
        Poll::Ready(Some(Ok(chunk)))
    }
}

impl From<Bytes> for TransportBody {
    fn from(bytes: Bytes) -> Self {
        TransportBody {
            length: Some(bytes.len() as u64),
            source: Source::Full(bytes),
        }
    }
}

impl From<&'static str> for TransportBody {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes()).into()
    }
}

impl From<String> for TransportBody {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl Stream for TransportBody {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_chunk(cx)
    }
}

impl http_body::Body for TransportBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, BoxError>>> {
        self.get_mut().poll_chunk(cx).map_ok(http_body::Frame::data)
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.source, Source::Full(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.length
            .map_or_else(http_body::SizeHint::default, http_body::SizeHint::with_exact)
    }
}

impl fmt::Debug for TransportBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportBody")
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[non_exhaustive]
pub enum TlsVersion {
    /// TLS 1.2. The default minimum.
    #[default]
    V1_2,
    /// TLS 1.3.
    V1_3,
}

/// What went wrong on the way to the service or back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// The host name has no address. Retried: resolvers fail for moments.
    Dns,
    /// No connection could be opened. Retried: nothing was sent.
    Connect,
    /// The TLS handshake failed over a certificate or the protocol. Not retried: it would fail again. A connection that
    /// is cut during the handshake is [`Connect`](TransportErrorKind::Connect), and retried.
    Tls,
    /// The proxy refused user and password, or wants some. Not retried: it would again.
    Proxy,
    /// Connecting took too long. Retried: nothing was sent.
    Timeout,
    /// The connection broke before the answer was complete. Retried when the operation may be repeated.
    Closed,
    /// The request's payload could not be read. Not retried: it would fail again.
    Body,
    /// The transport was shut down or gave the request up. Not retried.
    Canceled,
    /// The transport cannot send this request at all. Not retried.
    Unsupported,
    /// Anything else. Retried when the operation may be repeated.
    Other,
}

/// A failure of a transport.
///
/// Its text never holds the URL, which may carry a signature.
#[derive(Debug)]
pub struct TransportError {
    kind: TransportErrorKind,
    source: BoxError,
}

impl TransportError {
    /// A failure of `kind`, explained by `source`.
    pub fn new(kind: TransportErrorKind, source: impl Into<BoxError>) -> Self {
        TransportError {
            kind,
            source: source.into(),
        }
    }

    /// What went wrong.
    pub fn kind(&self) -> TransportErrorKind {
        self.kind
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            TransportErrorKind::Dns => "the host name could not be resolved",
            TransportErrorKind::Connect => "no connection could be opened",
            TransportErrorKind::Tls => "the TLS handshake failed",
            TransportErrorKind::Proxy => "the proxy refused the connection",
            TransportErrorKind::Timeout => "connecting took too long",
            TransportErrorKind::Closed => "the connection broke",
            TransportErrorKind::Body => "the request's payload could not be read",
            TransportErrorKind::Canceled => "the transport gave the request up",
            TransportErrorKind::Unsupported => "the transport cannot send this request",
            TransportErrorKind::Other => "the request failed",
        })
    }
}

impl StdError for TransportError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.source)
    }
}
