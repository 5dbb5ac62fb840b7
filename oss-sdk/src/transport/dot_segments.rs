//! Requests whose path has `.` or `..` segments: sent on a connection of their own, with hyper alone.
//!
//! Keys may contain such segments, and the signature covers them; but the URL type of reqwest follows the standard
//! that removes them. These keys are rare, so they do without a pool.

use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use http::header::{HOST, HeaderValue};
use http_body::Body as _;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::{BoxError, TransportBody, TransportError, TransportErrorKind, TransportRequest, TransportResponse};

#[cfg(feature = "rustls")]
type Tls = Arc<rustls::ClientConfig>;
#[cfg(not(feature = "rustls"))]
type Tls = Arc<std::convert::Infallible>;

pub(super) async fn send(
    request: TransportRequest,
    tls: Option<Tls>,
    connect_timeout: Duration,
) -> Result<TransportResponse, TransportError> {
    let unsupported = |why: BoxError| TransportError::new(TransportErrorKind::Unsupported, why);
    let uri: Uri = request
        .url
        .parse()
        .map_err(|error: http::uri::InvalidUri| unsupported(error.into()))?;
    let authority = uri
        .authority()
        .ok_or_else(|| unsupported("the URL has no host".into()))?
        .clone();
    let host = authority
        .host()
        .trim_start_matches('[')
        .trim_end_matches(']')
        .to_owned();
    let port = authority.port_u16().unwrap_or(if tls.is_some() { 443 } else { 80 });

    let mut outgoing = http::Request::new(request.body);
    *outgoing.method_mut() = request.method;
    *outgoing.headers_mut() = request.headers;
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    *outgoing.uri_mut() = target
        .parse()
        .map_err(|error: http::uri::InvalidUri| unsupported(error.into()))?;
    let host_header = HeaderValue::from_str(authority.as_str()).map_err(|error| unsupported(error.into()))?;
    outgoing.headers_mut().insert(HOST, host_header);

    let connecting = async {
        let stream = TcpStream::connect((host.as_str(), port))
            .await
            .map_err(|error| TransportError::new(TransportErrorKind::Connect, error))?;
        // Only a matter of latency.
        let _ = stream.set_nodelay(true);
        secure(stream, tls, &host).await
    };
    let stream = tokio::time::timeout(connect_timeout, connecting)
        .await
        .map_err(|error| TransportError::new(TransportErrorKind::Timeout, error))??;

    let closed = |error: hyper::Error| TransportError::new(TransportErrorKind::Closed, error);
    let (mut sender, connection) = hyper::client::conn::http1::handshake::<_, TransportBody>(TokioIo::new(stream))
        .await
        .map_err(closed)?;
    // Ends when the answer's body has been read or dropped; its errors reach us through the request and the body.
    tokio::spawn(connection);
    let (head, body) = sender.send_request(outgoing).await.map_err(closed)?.into_parts();
    let length = body.size_hint().exact();
    let mut response = TransportResponse::new(head.status, TransportBody::from_stream(Incoming(body), length));
    response.headers = head.headers;
    Ok(response)
}

trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

#[cfg(feature = "rustls")]
async fn secure(stream: TcpStream, tls: Option<Tls>, host: &str) -> Result<Box<dyn Connection>, TransportError> {
    let Some(tls) = tls else {
        return Ok(Box::new(stream));
    };
    let failed = |error: BoxError| TransportError::new(TransportErrorKind::Tls, error);
    let name = rustls::pki_types::ServerName::try_from(host.to_owned()).map_err(|error| failed(error.into()))?;
    let stream = tokio_rustls::TlsConnector::from(tls)
        .connect(name, stream)
        .await
        .map_err(|error| failed(error.into()))?;
    Ok(Box::new(stream))
}

#[cfg(not(feature = "rustls"))]
async fn secure(stream: TcpStream, _tls: Option<Tls>, _host: &str) -> Result<Box<dyn Connection>, TransportError> {
    Ok(Box::new(stream))
}

/// A payload on its way in.
struct Incoming(hyper::body::Incoming);

impl futures_core::Stream for Incoming {
    type Item = Result<bytes::Bytes, BoxError>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        loop {
            match std::task::ready!(std::pin::Pin::new(&mut self.0).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return std::task::Poll::Ready(Some(Ok(data)));
                    }
                }
                Some(Err(error)) => return std::task::Poll::Ready(Some(Err(error.into()))),
                None => return std::task::Poll::Ready(None),
            }
        }
    }
}
