//! Settings of a client, from code and from the environment.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::credentials::{AnonymousCredentials, Credentials, CredentialsProvider};
pub use crate::endpoint::AddressingStyle;
use crate::endpoint::HostKind;
use crate::error::Error;
use crate::naming::Naming;
use crate::retry::RetryPolicy;
use crate::signer::Signer;

use crate::time::Clock;
use crate::transport::Transport;

mod environment;

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
    pub(crate) max_idle_connections: Option<usize>,
    pub(crate) skip_verify: bool,
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

    /// Sets how buckets are addressed. Default: virtual-hosted, path style for IP addresses and `localhost`.
    addressing_style(style: AddressingStyle) => |config| config.addressing = Some(style);

    /// Uses `http` when the scheme is not given by the endpoint. Default: `https`.
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
    retry_policy(policy: impl RetryPolicy + 'static) => |config| config.retry = Some(Arc::new(policy));

    /// Sets how often a request is sent at most, the first time included, whatever the policy's own number. Default:
    /// that number, 3.
    retry_attempts(attempts: u32) => |config| config.retry_attempts = Some(attempts);

    /// Sets how long connecting may take, TLS included. Default: 5 seconds.
    connect_timeout(timeout: Duration) => |config| config.connect_timeout = Some(timeout);

    /// Sets how long a connection may be silent in the middle of a request or answer; zero means for ever. Default: 20
    /// seconds, and at least 5 minutes for operations that copy within the service.
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

    /// Connects through a proxy, such as `http://user:password@proxy.example.com:3128`. Default: none; variables of
    /// the environment are ignored unless [`proxy_from_environment`](Config::proxy_from_environment) is set.
    proxy(url: impl Into<String>) => |config| config.proxy = Some(url.into());

    /// Takes the proxy from `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, upper or lower case.
    proxy_from_environment(enable: bool) => |config| config.proxy_from_env = enable;

    /// Sets how many unused connections to one host are kept for later. Default: 100.
    max_idle_connections(count: usize) => |config| config.max_idle_connections = Some(count);

    /// Accepts any certificate of the server, so that anyone on the way can read and change everything. For tests
    /// only.
    danger_accept_invalid_certificates(accept: bool) => |config| config.skip_verify = accept;

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
            if name == http::header::AUTHORIZATION || name == http::header::USER_AGENT || name == http::header::HOST {
                return Err(Error::config("default_header", format!("must not be `{name}`")));
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

/// Without credentials, proxy (which may hold a password), and header values.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("region", &self.region)
            .field("endpoint", &self.endpoint)
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
            .field("account_id", &self.account_id)
            .finish_non_exhaustive()
    }
}
