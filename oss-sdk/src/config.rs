//! Settings of a client, from code and from the environment.

use std::any::Any;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::credentials::{AnonymousCredentials, Credentials, CredentialsProvider};
pub use crate::endpoint::AddressingStyle;
use crate::endpoint::HostKind;
use crate::error::Error;
use crate::limiter::Bandwidth;
use crate::naming::Naming;
use crate::retry::{NoRetry, RetryPolicy};
use crate::signer::Signer;
use crate::time::Clock;
use crate::transport::{TlsVersion, Transport};

mod check;
mod environment;
mod headers;
mod profile;

/// The variables that name the user's directory, the first that is set counts. Shells from elsewhere set `HOME` on Windows
/// to a path that only they understand.
pub(crate) const HOME: [&str; 2] = if cfg!(windows) {
    ["USERPROFILE", "HOME"]
} else {
    ["HOME", "USERPROFILE"]
};

pub(crate) use self::headers::owner as header_owner;

/// Which signature requests carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum SignatureVersion {
    /// HMAC-SHA1; for services of old that know no other.
    V1,
    /// HMAC-SHA256 with the region in its scope. The default.
    #[default]
    V4,
}

/// Where credentials come from.
#[derive(Clone)]
pub(crate) enum CredentialsSource {
    /// Not yet checked.
    Fixed(Credentials),
    Provider(Arc<dyn CredentialsProvider>),
}

/// Settings of a client.
///
/// [`Client::builder`](crate::Client::builder) has the same settings and builds at its end. Contradictions and wrong
/// values are reported when the client is made, by [`ErrorKind::Config`](crate::ErrorKind::Config) with the name of
/// the setting or variable.
#[derive(Clone, Default)]
pub struct Config {
    pub(crate) region: Option<String>,
    pub(crate) endpoint: Option<String>,
    pub(crate) internal: bool,
    pub(crate) accelerate: bool,
    pub(crate) accelerate_overseas: bool,
    pub(crate) dual_stack: bool,
    pub(crate) addressing: Option<AddressingStyle>,
    pub(crate) disable_ssl: bool,
    pub(crate) signature: Option<SignatureVersion>,
    pub(crate) signer: Option<Arc<dyn Signer>>,
    pub(crate) credentials: Option<CredentialsSource>,
    pub(crate) retry: Option<Arc<dyn RetryPolicy>>,
    /// The policy is [`NoRetry`].
    pub(crate) never_retries: bool,
    pub(crate) retry_attempts: Option<u32>,
    pub(crate) connect_timeout: Option<Duration>,
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) user_agent: Option<String>,
    /// Stands before that, in place of the service's own.
    pub(crate) user_agent_tag: Option<&'static str>,
    pub(crate) default_headers: Vec<(String, String)>,
    pub(crate) additional_headers: Vec<String>,
    pub(crate) proxy: Option<String>,
    pub(crate) proxy_from_env: bool,
    pub(crate) no_proxy: Option<String>,
    pub(crate) max_connections: Option<usize>,
    pub(crate) max_idle_connections: Option<usize>,
    pub(crate) idle_connection_timeout: Option<Duration>,
    pub(crate) tcp_keepalive: Option<Duration>,
    pub(crate) local_address: Option<IpAddr>,
    pub(crate) tls_minimum: Option<TlsVersion>,
    /// Each in PEM.
    pub(crate) root_certificates: Vec<Vec<u8>>,
    pub(crate) skip_verify: bool,
    pub(crate) follow_redirects: bool,
    pub(crate) upload_limit: Option<Bandwidth>,
    pub(crate) download_limit: Option<Bandwidth>,
    pub(crate) account_id: Option<String>,
    /// Names of buckets that are not those of the service.
    pub(crate) naming: Option<Naming>,
    pub(crate) bucket_alias: bool,
    pub(crate) cloud_box_id: Option<String>,
    pub(crate) no_upload_crc64: bool,
    pub(crate) no_download_crc64: bool,
    pub(crate) no_content_type: bool,
    pub(crate) no_skew_correction: bool,
    pub(crate) transport: Option<Arc<dyn Transport>>,
    pub(crate) clock: Option<Arc<dyn Clock>>,
}

#[cfg(feature = "credentials")]
impl Config {
    /// Takes credentials from where programs of Alibaba Cloud look for them; see
    /// [`DefaultCredentials`](crate::credentials::DefaultCredentials) for the order.
    ///
    /// This is never done silently: a program that finds no `OSS_*` keys must not go on as whoever a file or the machine
    /// happens to name. Behind [`from_env`](Config::from_env) it replaces those keys and leaves the other variables.
    #[must_use]
    pub fn default_credentials(self) -> Self {
        self.credentials_provider(crate::credentials::DefaultCredentials::new())
    }
}

impl Config {
    /// Settings with their defaults.
    pub fn new() -> Self {
        Self::default()
    }
}

/// Settings, each once: for [`Config`], and for the builder that passes them on.
macro_rules! settings {
    ($(
        $(#[$doc:meta])*
        $name:ident($($argument:ident: $type:ty),*) => |$config:ident| $change:expr;
    )+) => {
        impl Config {
            $(
                $(#[$doc])*
                #[must_use]
                pub fn $name(mut self, $($argument: $type),*) -> Self {
                    let $config = &mut self;
                    $change;
                    self
                }
            )+
        }

        impl<C: crate::client::FromConfig> crate::client::ClientBuilder<C> {
            $(
                $(#[$doc])*
                pub fn $name(mut self, $($argument: $type),*) -> Self {
                    let $config = &mut self.config;
                    $change;
                    self
                }
            )+
        }
    };
}

settings! {
    /// Sets the region, such as `cn-hangzhou`. Required, for the host and for the scope of signature V4.
    region(region: impl Into<String>) => |config| config.region = Some(region.into());

    /// Sets the endpoint, such as `https://oss-cn-hangzhou.aliyuncs.com` or a domain bound to a bucket. Default: the
    /// region's public one. Without a scheme it is `https`. Path and query of the text are ignored.
    endpoint(endpoint: impl Into<String>) => |config| config.endpoint = Some(endpoint.into());

    /// Uses the region's internal host, reachable from within the cloud and free of traffic charges.
    internal(internal: bool) => |config| config.internal = internal;

    /// Uses the host of transfer acceleration.
    accelerate(accelerate: bool) => |config| config.accelerate = accelerate;

    /// Uses the host of transfer acceleration outside mainland China.
    accelerate_overseas(accelerate: bool) => |config| config.accelerate_overseas = accelerate;

    /// Uses the region's host that has IPv4 and IPv6 addresses.
    dual_stack(dual_stack: bool) => |config| config.dual_stack = dual_stack;

    /// Sets how buckets are addressed. Default: virtual-hosted, path style for IP addresses and `localhost`. An IP address
    /// as the endpoint contradicts any other.
    addressing_style(style: AddressingStyle) => |config| config.addressing = Some(style);

    /// Uses `http` where the endpoint names no scheme; one that is `https` contradicts it. Default: `https`.
    disable_ssl(disable: bool) => |config| config.disable_ssl = disable;

    /// Sets the signature. Default: [`SignatureVersion::V4`].
    signature_version(version: SignatureVersion) => |config| config.signature = Some(version);

    /// Signs requests in another way, in place of [`signature_version`](Config::signature_version).
    signer(signer: impl Signer + 'static) => |config| config.signer = Some(Arc::new(signer));

    /// Sets where credentials come from. Required; [`from_env`](Config::from_env) sets the environment.
    credentials_provider(provider: impl CredentialsProvider + 'static) =>
        |config| config.credentials = Some(CredentialsSource::Provider(Arc::new(provider)));

    /// Sets credentials that never change.
    credentials(credentials: Credentials) =>
        |config| config.credentials = Some(CredentialsSource::Fixed(credentials));

    /// Sends requests without a signature, to what everyone may access.
    anonymous() =>
        |config| config.credentials = Some(CredentialsSource::Provider(Arc::new(AnonymousCredentials)));

    /// Sets when and after which delay a failed request is sent again. Default:
    /// [`StandardRetry`](crate::retry::StandardRetry).
    retry_policy(policy: impl RetryPolicy + 'static) => |config| {
        config.never_retries = (&policy as &dyn Any).is::<NoRetry>();
        config.retry = Some(Arc::new(policy));
    };

    /// Sets how often a request is sent at most, the first time included, whatever the policy's own number. Default:
    /// that number, 3.
    retry_attempts(attempts: u32) => |config| config.retry_attempts = Some(attempts);

    /// Sets how long connecting may take, proxy and TLS included. Default: 5 seconds.
    connect_timeout(timeout: Duration) => |config| config.connect_timeout = Some(timeout);

    /// Sets how long a connection may be silent in the middle of a request or answer; zero means for ever. Default: 20
    /// seconds. It is at least 5 minutes for operations that have the service work first (copies, completions,
    /// restores, processing), 1 minute for objects that are processed on their way out, and 30 seconds with a callback.
    idle_timeout(timeout: Duration) => |config| config.idle_timeout = Some(timeout);

    /// Sets how long one attempt may take until its answer's head, or whole document, is there. Default: no limit.
    attempt_timeout(timeout: Duration) => |config| config.attempt_timeout = Some(timeout);

    /// Sets how long a call may take, with its retries and the reading of a streamed answer. Default: no limit.
    timeout(timeout: Duration) => |config| config.timeout = Some(timeout);

    /// Appends a text to the user agent, such as `my-app/1.2`.
    user_agent(suffix: impl Into<String>) => |config| config.user_agent = Some(suffix.into());

    /// Adds a header to every request that does not set it.
    default_header(name: impl Into<String>, value: impl Into<String>) =>
        |config| config.default_headers.push((name.into(), value.into()));

    /// Signs a header with V4 that is not signed otherwise, such as `content-length` or `host`.
    additional_signed_header(name: impl Into<String>) => |config| config.additional_headers.push(name.into());

    /// Connects through an HTTP proxy, such as `http://user:password@proxy.example.com:3128`: by `CONNECT` to `https`
    /// endpoints, otherwise by handing it the request. Default: none; variables of the environment are ignored unless
    /// [`proxy_from_environment`](Config::proxy_from_environment) is set. Reserved characters in user and password are
    /// percent-encoded. User and password are sent to the proxy alone, and stand in no error and no `Debug`.
    proxy(url: impl Into<String>) => |config| config.proxy = Some(url.into());

    /// Names hosts that are reached without the [`proxy`](Config::proxy), separated by commas: a domain stands for
    /// itself and all below it, an IP address for itself, `10.0.0.0/8` for a network, and `*` for everything.
    no_proxy(hosts: impl Into<String>) => |config| config.no_proxy = Some(hosts.into());

    /// Takes the proxy from the environment: `HTTPS_PROXY` for `https` endpoints and `HTTP_PROXY` for `http` ones, or
    /// `ALL_PROXY` where that one is not set, but for the hosts in `NO_PROXY`, which is written as in
    /// [`no_proxy`](Config::no_proxy). Lower case does as well. `HTTP_PROXY` is ignored where `REQUEST_METHOD` is set,
    /// as a CGI program gets it from its visitors. Read once, when the client is made, which fails for a value that is no URL of an
    /// HTTP proxy. Default: not taken.
    proxy_from_environment(enable: bool) => |config| config.proxy_from_env = enable;

    /// Sets how many connections to one host may be in use at once, at least 1. Further requests wait for one, which
    /// [`timeout`](Config::timeout) and [`attempt_timeout`](Config::attempt_timeout) count and
    /// [`idle_timeout`](Config::idle_timeout) does not. A connection is in use from its request to the end of the answer's
    /// payload, so whoever holds that many unread payloads and makes another call waits for himself. Default: no limit.
    max_connections(count: usize) => |config| config.max_connections = Some(count);

    /// Sets how many unused connections to one host are kept for later; 0 keeps none. Default: 100.
    max_idle_connections(count: usize) => |config| config.max_idle_connections = Some(count);

    /// Sets how long an unused connection is kept. Default: 50 seconds, less than the service's own limit.
    idle_connection_timeout(timeout: Duration) => |config| config.idle_connection_timeout = Some(timeout);

    /// Sets after which time of silence TCP asks whether the other end is still there, and after which it asks again; zero
    /// means never. It keeps the entries of firewalls alive during long silences. Default: 30 seconds.
    tcp_keepalive(interval: Duration) => |config| config.tcp_keepalive = Some(interval);

    /// Connects from this address of the machine, one that has a way to the endpoint. Default: the system's choice.
    local_address(address: IpAddr) => |config| config.local_address = Some(address);

    /// Sets the oldest TLS version that is spoken. Default: [`TlsVersion::V1_2`]. Needs the feature `rustls`.
    tls_minimum(version: TlsVersion) => |config| config.tls_minimum = Some(version);

    /// Trusts certificates of an authority of one's own, beside those that the platform trusts; may be called several times. The
    /// text is PEM and may hold several certificates. Needs the feature `rustls`; not available on Android.
    root_certificate_pem(certificates: impl Into<Vec<u8>>) => |config| config.root_certificates.push(certificates.into());

    /// Accepts any certificate of the server, so that anyone on the way can read and change everything. For tests
    /// only; [`root_certificate_pem`](Config::root_certificate_pem) is the way to trust a server of one's own.
    danger_accept_invalid_certificates(accept: bool) => |config| config.skip_verify = accept;

    /// Follows redirects of `GET` and `HEAD` requests, at most 5 for a request. Within the same scheme, host and port the
    /// request is signed again; to any other it goes without signature, token, cookies, default headers and headers of the
    /// service, and so do all that follow. A redirect from `https` to `http` is refused. Default: not followed, an
    /// answer that redirects is an error.
    follow_redirects(follow: bool) => |config| config.follow_redirects = follow;

    /// Limits how fast the payloads of all uploads of the client together are sent. Waiting for the limit is no silence
    /// of the connection. Default: no limit.
    upload_limit(limit: Bandwidth) => |config| config.upload_limit = Some(limit);

    /// Limits how fast the streamed payloads of all downloads of the client together are read. Default: no limit.
    download_limit(limit: Bandwidth) => |config| config.download_limit = Some(limit);

    /// Sets the account's id, digits only. Vector buckets need it in their host names, agentic buckets and bucket spaces
    /// in their own names.
    account_id(id: impl Into<String>) => |config| config.account_id = Some(id.into());

    /// Puts a short alias of the bucket into host names in place of its name, which with account and region may be too
    /// long for a host. Only for agentic buckets and bucket spaces, addressed virtual-hosted.
    bucket_alias(enable: bool) => |config| config.bucket_alias = enable;

    /// Sets the cloud box that requests are signed for; needs an endpoint.
    cloud_box_id(id: impl Into<String>) => |config| config.cloud_box_id = Some(id.into());

    /// Switches off the comparison of CRC-64 after uploads. Default: compared.
    disable_upload_crc64_check(disable: bool) => |config| config.no_upload_crc64 = disable;

    /// Switches off the comparison of CRC-64 at the end of whole-object downloads. Default: compared.
    disable_download_crc64_check(disable: bool) => |config| config.no_download_crc64 = disable;

    /// Sends no `Content-Type` of our own. Default: uploads get one by the extension of the key.
    disable_content_type_detection(disable: bool) => |config| config.no_content_type = disable;

    /// Keeps to the local clock even when the service calls it wrong. Default: the difference is learnt once.
    disable_clock_skew_correction(disable: bool) => |config| config.no_skew_correction = disable;

    /// Sends requests through another HTTP stack. Default: reqwest.
    transport(transport: impl Transport) => |config| config.transport = Some(Arc::new(transport));

    /// Takes the time from elsewhere; for tests. Default: the system's clock.
    clock(clock: impl Clock + 'static) => |config| config.clock = Some(Arc::new(clock));
}

impl Config {
    /// Says in the user agent which client it is.
    #[cfg(any(
        feature = "agentic",
        feature = "dataprocess",
        feature = "tables",
        feature = "vectors"
    ))]
    pub(crate) fn tagged(mut self, tag: &'static str) -> Self {
        self.user_agent_tag = Some(tag);
        self
    }

    /// The headers that every request gets.
    pub(crate) fn parsed_default_headers(&self) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::with_capacity(self.default_headers.len());
        for (name, value) in &self.default_headers {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
                Error::config(
                    "default_header",
                    format!("`{}` is not the name of a header", name.escape_debug()),
                )
            })?;
            if name == http::header::USER_AGENT {
                return Err(Error::config(
                    "default_header",
                    "must not be `user-agent`: use `user_agent`",
                ));
            }
            if name == http::header::CONTENT_LENGTH {
                let rule = "must not be `content-length`: it says how long each payload is";
                return Err(Error::config("default_header", rule));
            }
            if let Some(owner) = header_owner(&name) {
                return Err(Error::config(
                    "default_header",
                    format!("must not be `{name}`: {owner}"),
                ));
            }
            let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| {
                Error::config(
                    "default_header",
                    format!("`{name}` must not contain control characters"),
                )
            })?;
            headers.append(name, value);
        }
        Ok(headers)
    }

    /// Which host of the region is meant.
    pub(crate) fn host_kind(&self) -> Result<HostKind, Error> {
        let wanted = [
            (self.internal, "internal", HostKind::Internal),
            (self.accelerate, "accelerate", HostKind::Accelerate),
            (
                self.accelerate_overseas,
                "accelerate_overseas",
                HostKind::AccelerateOverseas,
            ),
            (self.dual_stack, "dual_stack", HostKind::DualStack),
        ];
        let mut wanted = wanted.iter().filter(|(is_wanted, ..)| *is_wanted);
        let Some((_, name, kind)) = wanted.next() else {
            return Ok(HostKind::Public);
        };
        if let Some((_, other, _)) = wanted.next() {
            return Err(Error::config(*other, format!("contradicts `{name}`")));
        }
        if self.endpoint.is_some() {
            return Err(Error::config(
                *name,
                "contradicts `endpoint`, which says the host already",
            ));
        }
        Ok(*kind)
    }
}

/// Without credentials, proxy (which may hold a password), header values, and what is no part of an endpoint.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("region", &self.region)
            .field("endpoint", &self.endpoint.as_deref().map(without_user))
            .field("addressing", &self.addressing)
            .field("signature", &self.signature)
            .field("credentials", &self.credentials.as_ref().map(|_| "set"))
            .field("retry_attempts", &self.retry_attempts)
            .field("connect_timeout", &self.connect_timeout)
            .field("idle_timeout", &self.idle_timeout)
            .field("attempt_timeout", &self.attempt_timeout)
            .field("timeout", &self.timeout)
            .field("user_agent", &self.user_agent)
            .field("proxy", &self.proxy.as_ref().map(|_| "set"))
            .field("max_connections", &self.max_connections)
            .field("local_address", &self.local_address)
            .field("tls_minimum", &self.tls_minimum)
            .field("follow_redirects", &self.follow_redirects)
            .field("upload_limit", &self.upload_limit)
            .field("download_limit", &self.download_limit)
            .field("account_id", &self.account_id)
            .finish_non_exhaustive()
    }
}

/// Scheme, host and port of an endpoint that was not looked at yet. It must not have a user and password, but may.
fn without_user(endpoint: &str) -> String {
    let (scheme, rest) = match endpoint.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), endpoint),
    };
    // A password may hold what ends a host, so whatever stands before the last `@` goes.
    let (user, rest) = match rest.rsplit_once('@') {
        Some((_, rest)) => ("[redacted]@", rest),
        None => ("", rest),
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    format!("{scheme}{user}{authority}")
}
