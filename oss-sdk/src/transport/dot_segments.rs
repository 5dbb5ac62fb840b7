//! Requests whose path has `.` or `..` segments: sent on a connection of their own, with hyper alone.
//!
//! Keys may contain such segments, and the signature covers them; but the URL type of reqwest follows the standard
//! that removes them. These keys are rare, so they do without a pool. All other settings hold for them too.

use http::Uri;
use http::header::{HOST, HeaderValue, PROXY_AUTHORIZATION};
use http_body::Body as _;
use hyper_util::rt::TokioIo;

use super::connections::Place;
use super::dial::{Dialer, Tls, refused_by_proxy};
use super::{BoxError, TransportBody, TransportError, TransportErrorKind, TransportRequest, TransportResponse};

pub(super) async fn send(
    dialer: &Dialer,
    request: TransportRequest,
    tls: Option<Tls>,
    place: Option<Place>,
) -> Result<TransportResponse, TransportError> {
    let unsupported = |why: BoxError| TransportError::new(TransportErrorKind::Unsupported, why);
    let uri: Uri = request
        .url
        .parse()
        .map_err(|error: http::uri::InvalidUri| unsupported(error.into()))?;
    let authority = uri
        .authority()
        .ok_or_else(|| unsupported("the URL has no host".into()))?;
    let host = HeaderValue::from_str(authority.as_str()).map_err(|error| unsupported(error.into()))?;

    let dialled = dialer.dial(&uri, tls.as_ref()).await?;
    let is_forwarded = dialled.forwards.is_some();
    let mut outgoing = http::Request::new(request.body);
    *outgoing.method_mut() = request.method;
    *outgoing.headers_mut() = request.headers;
    outgoing.headers_mut().insert(HOST, host);
    if let Some(password) = dialled.forwards.flatten() {
        outgoing.headers_mut().insert(PROXY_AUTHORIZATION, password);
    }
    *outgoing.uri_mut() = if is_forwarded {
        uri
    } else {
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        target
            .parse()
            .map_err(|error: http::uri::InvalidUri| unsupported(error.into()))?
    };

    let closed = |error: hyper::Error| TransportError::new(TransportErrorKind::Closed, error);
    let connection = TokioIo::new(dialled.connection);
    let (mut sender, connection) = hyper::client::conn::http1::handshake::<_, TransportBody>(connection)
        .await
        .map_err(closed)?;
    // Ends when the answer's body has been read or dropped; its errors reach us through the request and the body.
    tokio::spawn(connection);
    let (head, body) = sender.send_request(outgoing).await.map_err(closed)?.into_parts();
    if is_forwarded && head.status == http::StatusCode::PROXY_AUTHENTICATION_REQUIRED {
        return Err(refused_by_proxy());
    }
    let length = body.size_hint().exact();
    let incoming = Incoming { body, _place: place };
    let mut response = TransportResponse::new(head.status, TransportBody::from_stream(incoming, length));
    response.headers = head.headers;
    Ok(response)
}

/// A payload on its way in.
struct Incoming {
    body: hyper::body::Incoming,
    /// The connection ends with this.
    _place: Option<Place>,
}

impl futures_core::Stream for Incoming {
    type Item = Result<bytes::Bytes, BoxError>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        loop {
            match std::task::ready!(std::pin::Pin::new(&mut self.body).poll_frame(cx)) {
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
