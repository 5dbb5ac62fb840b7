//! The transport on reqwest. No other module names reqwest's types.

use std::error::Error as StdError;
use std::fmt;
use std::net::IpAddr;
use std::pin::Pin;
#[cfg(feature = "rustls")]
use std::sync::Arc;
#[cfg(any(feature = "rustls", feature = "blocking"))]
use std::sync::OnceLock;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use http_body::{Body as _, Frame, SizeHint};

use super::connections::{Connections, Place};
use super::dial::{Dialer, Resolver, check_environment, proxy_rule, refused_by_proxy};
use super::{
    BoxError, TlsVersion, Transport, TransportBody, TransportError, TransportErrorKind, TransportFuture,
    TransportRequest, TransportResponse, dot_segments,
};
use crate::error::Error;

/// Settings of a [`ReqwestTransport`]: those of the same names in [`Config`](crate::Config), where they are described.
#[derive(Clone)]
#[non_exhaustive]
pub struct TransportOptions {
    /// How long connecting may take, TLS and proxy included. Default: 5 seconds.
    pub connect_timeout: Duration,
    /// URL of a proxy, with user and password where it wants them. Default: none.
    pub proxy: Option<String>,
    /// Hosts that are reached without it. Default: none.
    pub no_proxy: Option<String>,
    /// Whether `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` are followed in place of both. Default: no.
    pub proxy_from_environment: bool,
    /// How many connections to one host may be in use at once, at least 1. Default: no limit.
    pub max_connections: Option<usize>,
    /// How many unused connections to one host are kept. Default: 100.
    pub max_idle_connections: usize,
    /// How long an unused connection is kept. Default: 50 seconds.
    pub idle_connection_timeout: Duration,
    /// After which time of silence TCP asks for the other end, and asks again; `None` for never. Default: 30 seconds.
    pub tcp_keepalive: Option<Duration>,
    /// Address of this machine that connections come from. Default: the system's choice.
    pub local_address: Option<IpAddr>,
    /// The oldest TLS version that is spoken. Default: 1.2.
    pub tls_minimum: TlsVersion,
    /// Certificates of authorities that are trusted beside the platform's, in PEM. Default: none.
    pub root_certificates: Vec<Vec<u8>>,
    /// Whether any certificate is accepted. Default: no.
    pub danger_accept_invalid_certificates: bool,
}

impl Default for TransportOptions {
    fn default() -> Self {
        TransportOptions {
            connect_timeout: Duration::from_secs(5),
            proxy: None,
            no_proxy: None,
            proxy_from_environment: false,
            max_connections: None,
            max_idle_connections: 100,
            idle_connection_timeout: Duration::from_secs(50),
            tcp_keepalive: Some(Duration::from_secs(30)),
            local_address: None,
            tls_minimum: TlsVersion::default(),
            root_certificates: Vec::new(),
            danger_accept_invalid_certificates: false,
        }
    }
}

/// Without the proxy's URL, which may hold a password.
impl fmt::Debug for TransportOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportOptions")
            .field("connect_timeout", &self.connect_timeout)
            .field("proxy", &self.proxy.as_ref().map(|_| "set"))
            .field("max_connections", &self.max_connections)
            .field("max_idle_connections", &self.max_idle_connections)
            .field("local_address", &self.local_address)
            .field("tls_minimum", &self.tls_minimum)
            .finish_non_exhaustive()
    }
}

/// HTTP/1.1 by reqwest, with its pool of connections; TLS by rustls with the feature `rustls`.
///
/// It can be shared by several clients, which then share connections. TLS settings are made at the first `https`
/// request, since reading the platform's certificates takes tens of milliseconds.
///
/// Keys with `.` or `..` as a path segment cannot pass through the URL type of reqwest, which removes them. Such
/// requests get a connection of their own, without the pool.
pub struct ReqwestTransport {
    options: TransportOptions,
    dialer: Dialer,
    connections: Option<Connections>,
    plain: reqwest::Client,
    #[cfg(feature = "rustls")]
    secure: OnceLock<Result<Secure, String>>,
    /// The connections of blocking calls, apart: a connection moves only while the runtime that opened it does, and a
    /// blocking call may be what that waits for.
    #[cfg(feature = "blocking")]
    waited: Option<OnceLock<Option<Box<ReqwestTransport>>>>,
}

#[cfg(feature = "rustls")]
struct Secure {
    client: reqwest::Client,
    tls: Arc<rustls::ClientConfig>,
}

impl ReqwestTransport {
    /// Prepares connections; opens none.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for a proxy that is not a URL of one, and for certificates that
    /// cannot be read.
    pub fn new(options: TransportOptions) -> Result<Self, Error> {
        #[cfg(feature = "rustls")]
        super::tls::roots(&options.root_certificates).map_err(|rule| Error::config("root_certificate_pem", rule))?;
        let builder = builder(&options)?;
        #[cfg(feature = "rustls")]
        let builder = builder.tls_backend_preconfigured(
            super::tls::unused().map_err(|error| Error::config("transport", "cannot be made").with_source(error))?,
        );
        let plain = builder
            .build()
            .map_err(|error| Error::config("transport", "cannot be made").with_source(error.without_url()))?;
        Ok(ReqwestTransport {
            dialer: Dialer::new(&options),
            connections: options.max_connections.map(Connections::new),
            options,
            plain,
            #[cfg(feature = "rustls")]
            secure: OnceLock::new(),
            #[cfg(feature = "blocking")]
            waited: Some(OnceLock::new()),
        })
    }

    /// Itself, or what has the connections of blocking calls.
    #[cfg(feature = "blocking")]
    fn here(&self) -> &Self {
        let Some(waited) = self.waited.as_ref().filter(|_| crate::blocking::is_here()) else {
            return self;
        };
        let waited = waited.get_or_init(|| {
            // What could be made once can be made again.
            let waited = ReqwestTransport::new(self.options.clone()).ok()?;
            Some(Box::new(ReqwestTransport { waited: None, ..waited }))
        });
        waited.as_deref().unwrap_or(self)
    }

    #[cfg(not(feature = "blocking"))]
    fn here(&self) -> &Self {
        self
    }

    #[cfg(feature = "rustls")]
    fn secure(&self) -> Result<&Secure, TransportError> {
        let secure = self.secure.get_or_init(|| {
            let tls = super::tls::config(&self.options).map_err(|error| error.to_string())?;
            let client = builder(&self.options)
                .map_err(|error| error.to_string())?
                .tls_backend_preconfigured(tls.clone())
                .build()
                .map_err(|error| error.without_url().to_string())?;
            Ok(Secure {
                client,
                tls: Arc::new(tls),
            })
        });
        secure
            .as_ref()
            .map_err(|error| TransportError::new(TransportErrorKind::Tls, error.clone()))
    }

    #[cfg(feature = "rustls")]
    fn client(&self, secure: bool) -> Result<&reqwest::Client, TransportError> {
        if secure {
            self.secure().map(|secure| &secure.client)
        } else {
            Ok(&self.plain)
        }
    }

    #[cfg(not(feature = "rustls"))]
    fn client(&self, secure: bool) -> Result<&reqwest::Client, TransportError> {
        if secure {
            let message = "TLS needs the feature `rustls`, or a transport of one's own";
            return Err(TransportError::new(TransportErrorKind::Unsupported, message));
        }
        Ok(&self.plain)
    }

    async fn send_as_it_is(
        &self,
        request: TransportRequest,
        place: Option<Place>,
    ) -> Result<TransportResponse, TransportError> {
        // A proxy may want TLS where the endpoint does not.
        #[cfg(feature = "rustls")]
        let tls = if is_secure(&request.url) || self.options.proxy.is_some() || self.options.proxy_from_environment {
            Some(Arc::clone(&self.secure()?.tls))
        } else {
            None
        };
        #[cfg(not(feature = "rustls"))]
        let tls = None;
        dot_segments::send(&self.dialer, request, tls, place).await
    }

    async fn send_pooled(
        &self,
        url: reqwest::Url,
        request: TransportRequest,
        place: Option<Place>,
    ) -> Result<TransportResponse, TransportError> {
        let is_secure = url.scheme() == "https";
        let proxy = self.dialer.proxy(&request.url);
        let is_proxy_secure = proxy
            .as_ref()
            .is_some_and(|proxy| proxy.uri().scheme_str() == Some("https"));
        let client = self.client(is_secure || is_proxy_secure)?;
        // Within a tunnel the answer is the service's.
        let is_forwarded = proxy.is_some() && !is_secure;
        let mut outgoing = reqwest::Request::new(request.method, url);
        *outgoing.headers_mut() = request.headers;
        *outgoing.body_mut() = match request.body.as_bytes() {
            Some(bytes) if bytes.is_empty() => None,
            Some(bytes) => Some(bytes.clone().into()),
            None => Some(reqwest::Body::wrap(Outgoing(Mutex::new(request.body)))),
        };
        let answer = client.execute(outgoing).await.map_err(classify)?;
        if is_forwarded && answer.status() == reqwest::StatusCode::PROXY_AUTHENTICATION_REQUIRED {
            return Err(refused_by_proxy());
        }
        let (head, body) = http::Response::<reqwest::Body>::from(answer).into_parts();
        let length = body.size_hint().exact();
        let incoming = Incoming { body, place };
        let mut response = TransportResponse::new(head.status, TransportBody::from_stream(incoming, length));
        response.headers = head.headers;
        Ok(response)
    }
}

fn builder(options: &TransportOptions) -> Result<reqwest::ClientBuilder, Error> {
    let mut builder = reqwest::Client::builder()
        .http1_only()
        .dns_resolver(Resolver)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .connect_timeout(options.connect_timeout)
        .pool_max_idle_per_host(options.max_idle_connections)
        .pool_idle_timeout(options.idle_connection_timeout)
        .tcp_keepalive(options.tcp_keepalive)
        .tcp_keepalive_interval(options.tcp_keepalive)
        .local_address(options.local_address)
        .tcp_nodelay(true);
    if options.proxy_from_environment {
        check_environment(|name| std::env::var(name).ok())?;
    } else {
        builder = builder.no_proxy();
    }
    if let Some(url) = &options.proxy {
        if let Some(rule) = proxy_rule(url) {
            return Err(Error::config("proxy", rule));
        }
        // The error is not kept: it shows the URL, which may hold a password.
        let proxy = reqwest::Proxy::all(url).map_err(|_| Error::config("proxy", "is not the URL of a proxy"))?;
        let no_proxy = options.no_proxy.as_deref().and_then(reqwest::NoProxy::from_string);
        builder = builder.proxy(proxy.no_proxy(no_proxy));
    }
    Ok(builder)
}

#[cfg(feature = "rustls")]
fn is_secure(url: &str) -> bool {
    url.starts_with("https:")
}

/// Whether a URL came through reqwest's parser unharmed: the parser removes `.` and `..` segments.
fn is_unchanged(raw: &str, parsed: &reqwest::Url) -> bool {
    let behind_host = raw
        .find("://")
        .and_then(|at| raw[at + 3..].find('/').map(|slash| &raw[at + 3 + slash..]));
    let path = parsed.path();
    match (behind_host, parsed.query()) {
        (Some(raw), None) => raw == path,
        (Some(raw), Some(query)) => {
            raw.len() == path.len() + 1 + query.len() && raw.starts_with(path) && raw.ends_with(query)
        }
        (None, query) => path == "/" && query.is_none(),
    }
}

impl Transport for ReqwestTransport {
    fn send(&self, request: TransportRequest) -> TransportFuture<'_> {
        self.here().send_here(request)
    }
}

impl ReqwestTransport {
    fn send_here(&self, request: TransportRequest) -> TransportFuture<'_> {
        let url = match reqwest::Url::parse(&request.url) {
            Ok(url) => url,
            Err(error) => {
                let error = TransportError::new(TransportErrorKind::Unsupported, error);
                return Box::pin(std::future::ready(Err(error)));
            }
        };
        Box::pin(async move {
            let place = match &self.connections {
                Some(connections) => connections.place(&request.url, request.activity.as_ref()).await,
                None => None,
            };
            if is_unchanged(&request.url, &url) {
                self.send_pooled(url, request, place).await
            } else {
                self.send_as_it_is(request, place).await
            }
        })
    }
}

impl fmt::Debug for ReqwestTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReqwestTransport")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl reqwest::dns::Resolve for Resolver {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let name = name.as_str().to_owned();
        Box::pin(async move {
            let addresses: reqwest::dns::Addrs = Resolver::addresses(name).await?;
            Ok(addresses)
        })
    }
}

/// A payload on its way out. The mutex only makes it `Sync`, as reqwest demands; it is never locked.
struct Outgoing(Mutex<TransportBody>);

impl http_body::Body for Outgoing {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let body = self.get_mut().0.get_mut().unwrap_or_else(PoisonError::into_inner);
        body.poll_chunk(cx).map_ok(Frame::data)
    }

    fn size_hint(&self) -> SizeHint {
        http_body::Body::size_hint(&*self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A payload on its way in.
struct Incoming {
    body: reqwest::Body,
    /// Free at the payload's end, when the connection is.
    place: Option<Place>,
}

impl Stream for Incoming {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    // Trailers are of no use here.
                    if let Ok(data) = frame.into_data() {
                        return Poll::Ready(Some(Ok(data)));
                    }
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error.without_url().into()))),
                None => {
                    self.place = None;
                    return Poll::Ready(None);
                }
            }
        }
    }
}

/// The kind of a failure, told from what caused it.
fn classify(error: reqwest::Error) -> TransportError {
    let error = error.without_url();
    let kind = if error.is_dns() {
        TransportErrorKind::Dns
    } else if error.is_connect() {
        if error.is_timeout() {
            TransportErrorKind::Timeout
        } else if is_tls(&error) {
            TransportErrorKind::Tls
        } else if is_refused_by_proxy(&error) {
            return refused_by_proxy();
        } else {
            TransportErrorKind::Connect
        }
    } else if error.is_body() {
        TransportErrorKind::Body
    } else if error.is_builder() {
        TransportErrorKind::Unsupported
    } else {
        TransportErrorKind::Closed
    };
    TransportError::new(kind, error)
}

/// The error of a tunnel has no type that others can name, only its text.
fn is_refused_by_proxy(error: &(dyn StdError + 'static)) -> bool {
    error.to_string().contains("proxy authorization required") || error.source().is_some_and(is_refused_by_proxy)
}

#[cfg(feature = "rustls")]
fn is_tls(error: &(dyn StdError + 'static)) -> bool {
    if error.is::<rustls::Error>() {
        return true;
    }
    // An I/O error does not name the error in it as its source, but that one's source.
    if let Some(inside) = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        return is_tls(inside);
    }
    error.source().is_some_and(is_tls)
}

#[cfg(not(feature = "rustls"))]
fn is_tls(_error: &(dyn StdError + 'static)) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_url_parser_would_change_is_noticed() {
        let rows = [
            ("http://h/", true),
            ("http://h", true),
            ("http://h/a//b", true),
            ("http://h//a", true),
            ("http://h/a%2Fb%20c?x=1&y", true),
            ("http://h/?acl", true),
            ("http://h:80/k", true),
            ("http://127.0.0.1:9000/b/k%25", true),
            ("http://h/...", true),
            ("http://h/a../b", true),
            ("http://h/../a", false),
            ("http://h/a/..", false),
            ("http://h/a/./b", false),
            ("http://h/.", false),
            ("http://h/a/..?x=1", false),
        ];
        for (raw, expected) in rows {
            assert_eq!(is_unchanged(raw, &reqwest::Url::parse(raw).unwrap()), expected, "{raw}");
        }
    }

    #[test]
    fn a_proxy_that_is_no_url_is_refused_without_showing_it() {
        let options = TransportOptions {
            proxy: Some("http://user:5ec4e7@".into()),
            ..TransportOptions::default()
        };
        assert!(!format!("{options:?}").contains("5ec4e7"));
        let error = ReqwestTransport::new(options).unwrap_err();
        assert_eq!(error.member(), Some("proxy"));
        assert!(!format!("{error} {error:?}").contains("5ec4e7"));
    }
}
