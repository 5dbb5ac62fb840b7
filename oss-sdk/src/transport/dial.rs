//! Connections that are opened without reqwest: straight or through a proxy, with the same settings.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::{HOST, HeaderValue, PROXY_AUTHORIZATION};
use http::{Method, StatusCode, Uri};
use hyper::client::conn::http1;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tower_service::Service as _;

use super::{BoxError, TransportBody, TransportError, TransportErrorKind, TransportOptions};
use crate::error::Error;

#[cfg(feature = "rustls")]
pub(super) type Tls = std::sync::Arc<rustls::ClientConfig>;
#[cfg(not(feature = "rustls"))]
pub(super) type Tls = std::convert::Infallible;

/// A connection, encrypted or not.
pub(super) trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

/// A connection and what must be said on it.
pub(super) struct Dialled {
    pub(super) connection: Box<dyn Connection>,
    /// The proxy at its other end wants whole URLs, and this for itself.
    pub(super) forwards: Option<Option<HeaderValue>>,
}

/// Opens connections.
pub(super) struct Dialer {
    connector: HttpConnector<Resolver>,
    timeout: Duration,
    proxies: Option<Matcher>,
}

impl Dialer {
    pub(super) fn new(options: &TransportOptions) -> Self {
        let mut connector = HttpConnector::new_with_resolver(Resolver);
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_keepalive(options.tcp_keepalive);
        connector.set_keepalive_interval(options.tcp_keepalive);
        connector.set_local_address(options.local_address);
        connector.set_connect_timeout(Some(options.connect_timeout));
        Dialer {
            connector,
            timeout: options.connect_timeout,
            proxies: proxies(options),
        }
    }

    /// The proxy that a URL is reached by.
    pub(super) fn proxy(&self, url: &str) -> Option<Intercept> {
        let proxies = self.proxies.as_ref()?;
        proxies.intercept(&url.parse().ok()?)
    }

    /// Connects to the host of `uri`, with TLS if it is `https`.
    pub(super) async fn dial(&self, uri: &Uri, tls: Option<&Tls>) -> Result<Dialled, TransportError> {
        tokio::time::timeout(self.timeout, self.connect(uri, tls))
            .await
            .map_err(|error| TransportError::new(TransportErrorKind::Timeout, error))?
    }

    async fn connect(&self, uri: &Uri, tls: Option<&Tls>) -> Result<Dialled, TransportError> {
        let Some(proxy) = self.proxies.as_ref().and_then(|proxies| proxies.intercept(uri)) else {
            let connection = self.reach(uri, tls).await?;
            return Ok(Dialled {
                connection,
                forwards: None,
            });
        };
        let to_proxy = self.reach(proxy.uri(), tls).await?;
        let password = proxy.basic_auth().cloned();
        if uri.scheme_str() != Some("https") {
            return Ok(Dialled {
                connection: to_proxy,
                forwards: Some(password),
            });
        }
        let tunnel = tunnel(to_proxy, uri, password).await?;
        Ok(Dialled {
            connection: secure(tunnel, tls, host(uri)?).await?,
            forwards: None,
        })
    }

    /// Connects to a server or proxy itself.
    async fn reach(&self, uri: &Uri, tls: Option<&Tls>) -> Result<Box<dyn Connection>, TransportError> {
        let stream = self
            .connector
            .clone()
            .call(uri.clone())
            .await
            .map_err(|error| TransportError::new(TransportErrorKind::Connect, error))?
            .into_inner();
        if uri.scheme_str() == Some("https") {
            secure(Box::new(stream), tls, host(uri)?).await
        } else {
            Ok(Box::new(stream))
        }
    }
}

/// Whom requests go through. The same code decides within reqwest.
fn proxies(options: &TransportOptions) -> Option<Matcher> {
    if options.proxy_from_environment {
        return Some(Matcher::from_env());
    }
    let proxy = options.proxy.as_deref()?;
    let builder = Matcher::builder().all(proxy);
    Some(builder.no(options.no_proxy.as_deref().unwrap_or_default()).build())
}

/// Refuses variables that name a proxy which cannot be used, as that would mean going without one, or talking HTTP to
/// something else.
pub(super) fn check_environment(variable: impl Fn(&str) -> Option<String>) -> Result<(), Error> {
    for name in ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"] {
        let names = [name.to_owned(), name.to_ascii_lowercase()];
        for name in names {
            let Some(value) = variable(&name).filter(|value| !value.is_empty()) else {
                continue;
            };
            // The values are not shown: they may hold passwords.
            if let Some(rule) = proxy_rule(&value) {
                return Err(Error::config(name, rule));
            }
        }
    }
    Ok(())
}

/// The rule that the URL of a proxy breaks.
pub(super) fn proxy_rule(url: &str) -> Option<&'static str> {
    let scheme = url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    if scheme.is_some_and(|scheme| scheme != "http" && scheme != "https") {
        return Some("must begin with `http://` or `https://`: other proxies are not supported");
    }
    let proxy = Matcher::builder().all(url).build();
    let example = Uri::from_static("http://example.com/");
    proxy
        .intercept(&example)
        .is_none()
        .then_some("is not the URL of a proxy")
}

/// Asks the system for the addresses of a name, but for the names that always mean this machine.
///
/// `localhost` and what is below it never leave the machine (RFC 6761, 6.3). Not every system knows the names below, which buckets
/// of an emulator have, and none should send credentials to wherever a name server says they are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resolver;

pub(super) type Addresses = Box<dyn Iterator<Item = SocketAddr> + Send>;

impl Resolver {
    pub(super) async fn addresses(name: String) -> io::Result<Addresses> {
        let lower = name.to_ascii_lowercase();
        let lower = lower.strip_suffix('.').unwrap_or(&lower);
        if lower == "localhost" || lower.ends_with(".localhost") {
            let addresses = [(Ipv4Addr::LOCALHOST, 0).into(), (Ipv6Addr::LOCALHOST, 0).into()];
            return Ok(Box::new(addresses.into_iter()));
        }
        let addresses: Vec<_> = tokio::net::lookup_host((name, 0)).await?.collect();
        Ok(Box::new(addresses.into_iter()))
    }
}

impl tower_service::Service<Name> for Resolver {
    type Response = Addresses;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Addresses>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        Box::pin(Resolver::addresses(name.as_str().to_owned()))
    }
}

fn host(uri: &Uri) -> Result<&str, TransportError> {
    uri.host()
        .map(|host| host.trim_start_matches('[').trim_end_matches(']'))
        .ok_or_else(|| TransportError::new(TransportErrorKind::Unsupported, "the URL has no host"))
}

/// Asks a proxy for a connection to the host of `uri`.
async fn tunnel(
    to_proxy: Box<dyn Connection>,
    uri: &Uri,
    password: Option<HeaderValue>,
) -> Result<Box<dyn Connection>, TransportError> {
    let failed = |error: BoxError| TransportError::new(TransportErrorKind::Connect, error);
    let name = uri.host().unwrap_or_default();
    let target = format!("{name}:{}", uri.port_u16().unwrap_or(443));
    let mut request = http::Request::new(TransportBody::empty());
    *request.method_mut() = Method::CONNECT;
    *request.uri_mut() = Uri::builder()
        .authority(target.as_str())
        .build()
        .map_err(|error| failed(error.into()))?;
    let host = HeaderValue::from_str(&target).map_err(|error| failed(error.into()))?;
    request.headers_mut().insert(HOST, host);
    if let Some(password) = password {
        request.headers_mut().insert(PROXY_AUTHORIZATION, password);
    }
    let (mut sender, connection) = http1::handshake::<_, TransportBody>(TokioIo::new(to_proxy))
        .await
        .map_err(|error| failed(error.into()))?;
    // Ends when the connection is ours again; its errors reach us through the request.
    tokio::spawn(connection.with_upgrades());
    let answer = sender
        .send_request(request)
        .await
        .map_err(|error| failed(error.into()))?;
    match answer.status() {
        status if status.is_success() => {
            let upgraded = hyper::upgrade::on(answer).await.map_err(|error| failed(error.into()))?;
            Ok(Box::new(TokioIo::new(upgraded)))
        }
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => Err(refused_by_proxy()),
        status => Err(failed(
            format!("the proxy answered with status {}", status.as_u16()).into(),
        )),
    }
}

/// What a proxy says to a request without the right user and password.
pub(super) fn refused_by_proxy() -> TransportError {
    let message = "the proxy wants another user and password (status 407)";
    TransportError::new(TransportErrorKind::Proxy, message)
}

#[cfg(feature = "rustls")]
async fn secure(
    stream: Box<dyn Connection>,
    tls: Option<&Tls>,
    host: &str,
) -> Result<Box<dyn Connection>, TransportError> {
    let failed = |error: BoxError| TransportError::new(TransportErrorKind::Tls, error);
    let tls = tls.ok_or_else(|| failed("there are no TLS settings".into()))?;
    let name = rustls::pki_types::ServerName::try_from(host.to_owned()).map_err(|error| failed(error.into()))?;
    let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::clone(tls));
    match connector.connect(name, stream).await {
        Ok(stream) => Ok(Box::new(stream)),
        // A connection that was cut in the handshake is one that could not be opened.
        Err(error) if error.get_ref().is_none_or(|inside| !inside.is::<rustls::Error>()) => {
            Err(TransportError::new(TransportErrorKind::Connect, error))
        }
        Err(error) => Err(failed(error.into())),
    }
}

#[cfg(not(feature = "rustls"))]
async fn secure(
    _stream: Box<dyn Connection>,
    _tls: Option<&Tls>,
    _host: &str,
) -> Result<Box<dyn Connection>, TransportError> {
    let message = "TLS needs the feature `rustls`, or a transport of one's own";
    Err(TransportError::new(TransportErrorKind::Unsupported, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_of_the_environment_that_cannot_be_used_is_refused_by_its_variable() {
        let rows = [
            ("HTTP_PROXY", "http://p:3128", None),
            ("https_proxy", "p:3128", None),
            ("ALL_PROXY", "https://user:pw@p", None),
            ("NO_PROXY", "://", None),
            (
                "ALL_PROXY",
                "socks5://user:5ec4e7@p",
                Some("must begin with `http://` or `https://`: other proxies are not supported"),
            ),
            ("http_proxy", "http://user:5ec4e7@", Some("is not the URL of a proxy")),
        ];
        for (variable, value, rule) in rows {
            let checked = check_environment(|name| (name == variable).then(|| value.to_owned()));
            let found = checked.err();
            assert_eq!(found.as_ref().map(Error::message), rule, "{variable}={value}");
            if let Some(error) = found {
                assert_eq!(error.member(), Some(variable));
                assert!(!format!("{error} {error:?}").contains("5ec4e7"));
            }
        }
    }

    #[tokio::test]
    async fn names_below_localhost_are_this_machine_whatever_a_name_server_says() {
        for name in ["localhost", "bucket.localhost", "A.B.LocalHost", "bucket.localhost."] {
            let addresses: Vec<_> = Resolver::addresses(name.to_owned()).await.unwrap().collect();
            assert_eq!(addresses.len(), 2);
            assert!(
                addresses.iter().all(|address| address.ip().is_loopback()),
                "{name}: {addresses:?}"
            );
        }
        for name in ["localhost.invalid", "notlocalhost.invalid"] {
            assert!(Resolver::addresses(name.to_owned()).await.is_err(), "{name}");
        }
    }
}
