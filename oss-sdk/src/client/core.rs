//! What all clients are built on: checked settings, and the state that their calls share.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::config::{Config, CredentialsSource, SignatureVersion};
use crate::credentials::{CachedCredentials, CredentialsContext, CredentialsProvider, StaticCredentials};
use crate::endpoint::{AddressingStyle, Endpoint, EndpointOptions, account_id_rule, region_rule};
use crate::error::Error;
use crate::limiter::Limiter;
use crate::limits::Shutdown;
use crate::naming::Naming;
use crate::operation::{BucketHost, ServiceSpec, SigningResource};
use crate::pipeline::{Prepared, ServiceClock, Skew};
use crate::retry::{RetryBudget, RetryPolicy, StandardRetry};
use crate::signer::{Signer, SignerAcs3, SignerV1, SignerV4, SigningRequest, is_rpc};
use crate::time::{Clock, SystemClock, Timestamp};
use crate::transport::Transport;

/// Silence of a connection after which it is given up.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// Product of the V4 scope for cloud boxes.
const CLOUD_BOX: &str = "oss-cloudbox";

/// Settings that were found good, and the state that calls share.
pub(crate) struct Core {
    pub(crate) service: &'static ServiceSpec,
    pub(crate) endpoint: Endpoint,
    /// Region slot and product of the V4 scope.
    region: String,
    product: &'static str,
    pub(crate) account_id: Option<String>,
    /// How the short names of buckets become the service's.
    pub(crate) naming: Option<Naming>,
    /// Hosts begin with an alias of the bucket.
    pub(crate) uses_alias: bool,
    /// Which signature the limits of are known; a signer of the caller's has its own.
    pub(crate) signature: Option<SignatureVersion>,
    pub(crate) signer: Arc<dyn Signer>,
    pub(crate) credentials: Arc<dyn CredentialsProvider>,
    pub(crate) retry: Arc<dyn RetryPolicy>,
    pub(crate) retry_attempts: u32,
    pub(crate) budget: RetryBudget,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) idle_timeout: Duration,
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) follows_redirects: bool,
    pub(crate) upload_limiter: Option<Arc<Limiter>>,
    pub(crate) download_limiter: Option<Arc<Limiter>>,
    pub(crate) user_agent: HeaderValue,
    pub(crate) default_headers: HeaderMap,
    additional_headers: Vec<HeaderName>,
    clock: Arc<dyn Clock>,
    pub(crate) skew: Arc<Skew>,
    pub(crate) corrects_skew: bool,
    pub(crate) checks_upload_crc64: bool,
    pub(crate) checks_download_crc64: bool,
    pub(crate) detects_content_type: bool,
    pub(crate) shutdown: Shutdown,
}

impl Core {
    pub(crate) fn new(config: Config, service: &'static ServiceSpec) -> Result<Arc<Self>, Error> {
        let endpoint = endpoint(&config, service)?;
        config.check(&endpoint)?;
        let (region, product) = scope(&config, service, &endpoint)?;
        let naming = naming(&config, service, &region)?;
        let account_id = account_id(&config, service, naming)?;
        let retry: Arc<dyn RetryPolicy> = config.retry.clone().unwrap_or_else(|| Arc::new(StandardRetry::new()));
        let retry_attempts = config.retry_attempts.unwrap_or_else(|| retry.max_attempts());
        let clock = config.clock.clone().unwrap_or_else(|| Arc::new(SystemClock));
        let skew = Arc::new(Skew::default());
        let transport = transport(&config)?;
        let context = CredentialsContext::new(
            Arc::clone(&transport),
            config.transport.is_some(),
            Arc::new(ServiceClock::new(Arc::clone(&clock), Arc::clone(&skew))),
        );
        #[cfg(all(feature = "credentials", feature = "reqwest"))]
        let context = context.with_tls(tls(&config));
        Ok(Arc::new(Core {
            signature: config.signer.is_none().then(|| config.signature.unwrap_or_default()),
            signer: signer(&config, service, &region)?,
            credentials: credentials(&config, &context)?,
            transport,
            user_agent: user_agent(&config, service)?,
            default_headers: config.parsed_default_headers()?,
            additional_headers: additional_headers(&config)?,
            service,
            endpoint,
            region,
            product,
            account_id,
            naming,
            uses_alias: config.bucket_alias,
            retry,
            retry_attempts,
            budget: RetryBudget::new(),
            idle_timeout: config.idle_timeout.unwrap_or(IDLE_TIMEOUT),
            attempt_timeout: config.attempt_timeout,
            timeout: config.timeout,
            follows_redirects: config.follow_redirects,
            upload_limiter: config.upload_limit.map(Limiter::shared),
            download_limiter: config.download_limit.map(Limiter::shared),
            clock,
            skew,
            corrects_skew: !config.no_skew_correction,
            checks_upload_crc64: !config.no_upload_crc64,
            checks_download_crc64: !config.no_download_crc64,
            detects_content_type: !config.no_content_type,
            shutdown: Shutdown::default(),
        }))
    }

    /// Region slot of the V4 scope.
    pub(crate) fn region(&self) -> &str {
        &self.region
    }

    /// Product of the V4 scope.
    pub(crate) fn product(&self) -> &'static str {
        self.product
    }

    /// Headers that V4 signs besides those it always does: the client's, and those that a call names.
    pub(crate) fn signed_headers(&self, names: &[String]) -> Result<Vec<HeaderName>, Error> {
        if !names.is_empty() && self.signature == Some(SignatureVersion::V1) {
            let rule = "has no meaning with signature V1";
            return Err(Error::invalid_input("additional_signed_header", rule));
        }
        let mut all = self.additional_headers.clone();
        for name in names {
            all.push(header_name(name).map_err(|rule| Error::invalid_input("additional_signed_header", rule))?);
        }
        Ok(all)
    }

    /// Our clock's time.
    pub(crate) fn local_now(&self) -> Timestamp {
        Timestamp::from(self.clock.now())
    }

    /// The service's time, as far as it is known.
    pub(crate) fn now(&self) -> Timestamp {
        self.skew.correct(self.local_now())
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core")
            .field("service", &self.service.name)
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

impl Prepared {
    /// Fills in what is signed.
    pub(crate) fn describe<'a>(&'a self, request: &mut SigningRequest<'a>) {
        let input = &self.input;
        request.bucket = input.bucket.as_deref();
        request.key = input.key.as_deref();
        request.path = input.path.as_deref();
        request.query = &self.query;
        request.subresources = &input.subresources;
        request.host = &self.host;
        request.additional_headers = &self.signed_headers;
        request.region = &self.core.region;
        request.product = self.core.product;
        request.account_id = self.core.account_id.as_deref();
    }
}

fn endpoint(config: &Config, service: &ServiceSpec) -> Result<Endpoint, Error> {
    let kind = config.host_kind()?;
    if config.endpoint.is_none() && config.addressing == Some(AddressingStyle::Cname) {
        return Err(Error::config(
            "addressing_style",
            "must not be `Cname` without the `endpoint` that is the domain",
        ));
    }
    if config.endpoint.is_none() && config.cloud_box_id.is_some() {
        return Err(Error::config("cloud_box_id", "needs the `endpoint` of the cloud box"));
    }
    let options = EndpointOptions {
        endpoint: config.endpoint.as_deref(),
        region: config.region.as_deref(),
        kind,
        style: config.addressing,
        disable_ssl: config.disable_ssl,
    };
    Endpoint::resolve(service, &options)
}

/// Region slot and product of the V4 scope.
fn scope(config: &Config, service: &'static ServiceSpec, endpoint: &Endpoint) -> Result<(String, &'static str), Error> {
    if let Some(id) = config.cloud_box_id.as_deref().or_else(|| endpoint.cloud_box_id()) {
        return match region_rule(id) {
            Some(rule) => Err(Error::config("cloud_box_id", rule)),
            None => Ok((id.to_owned(), CLOUD_BOX)),
        };
    }
    let region = config.region.clone().unwrap_or_default();
    match region_rule(&region) {
        Some(rule) if !region.is_empty() => Err(Error::config("region", rule)),
        _ => Ok((region, service.product)),
    }
}

fn signer(config: &Config, service: &'static ServiceSpec, region: &str) -> Result<Arc<dyn Signer>, Error> {
    if let Some(signer) = &config.signer {
        return Ok(Arc::clone(signer));
    }
    let version = config.signature.unwrap_or_default();
    if is_rpc(service) {
        return Ok(Arc::new(SignerAcs3::new()));
    }
    match version {
        SignatureVersion::V1 => Ok(Arc::new(SignerV1::new())),
        SignatureVersion::V4 if region.is_empty() => {
            Err(Error::config("region", "is required: signature V4 has it in its scope"))
        }
        SignatureVersion::V4 => Ok(Arc::new(SignerV4::new())),
    }
}

/// What credentials come from, behind a cache where there is something to keep.
fn credentials(config: &Config, context: &CredentialsContext) -> Result<Arc<dyn CredentialsProvider>, Error> {
    match &config.credentials {
        None => Err(Error::config(
            "credentials",
            "are required; use `anonymous` to send requests unsigned",
        )),
        Some(CredentialsSource::Fixed(credentials)) => Ok(Arc::new(StaticCredentials::new(credentials.clone())?)),
        Some(CredentialsSource::Provider(provider)) => {
            let cached = CachedCredentials::new(Arc::clone(provider));
            cached.attach(context);
            Ok(Arc::new(cached))
        }
    }
}

/// The settings of TLS, for sources of credentials that must not use the client's proxy.
#[cfg(all(feature = "credentials", feature = "reqwest"))]
fn tls(config: &Config) -> crate::transport::TransportOptions {
    crate::transport::TransportOptions {
        tls_minimum: config.tls_minimum.unwrap_or_default(),
        root_certificates: config.root_certificates.clone(),
        danger_accept_invalid_certificates: config.skip_verify,
        ..Default::default()
    }
}

#[cfg(feature = "reqwest")]
fn transport(config: &Config) -> Result<Arc<dyn Transport>, Error> {
    use crate::transport::{ReqwestTransport, TransportOptions};

    if let Some(transport) = &config.transport {
        return Ok(Arc::clone(transport));
    }
    let default = TransportOptions::default();
    Ok(Arc::new(ReqwestTransport::new(TransportOptions {
        connect_timeout: config.connect_timeout.unwrap_or(default.connect_timeout),
        proxy: config.proxy.clone(),
        no_proxy: config.no_proxy.clone(),
        proxy_from_environment: config.proxy_from_env,
        max_connections: config.max_connections,
        max_idle_connections: config.max_idle_connections.unwrap_or(default.max_idle_connections),
        idle_connection_timeout: config
            .idle_connection_timeout
            .unwrap_or(default.idle_connection_timeout),
        tcp_keepalive: match config.tcp_keepalive {
            None => default.tcp_keepalive,
            Some(interval) => Some(interval).filter(|interval| !interval.is_zero()),
        },
        local_address: config.local_address,
        tls_minimum: config.tls_minimum.unwrap_or_default(),
        root_certificates: config.root_certificates.clone(),
        danger_accept_invalid_certificates: config.skip_verify,
    })?))
}

#[cfg(not(feature = "reqwest"))]
fn transport(config: &Config) -> Result<Arc<dyn Transport>, Error> {
    config
        .transport
        .clone()
        .ok_or_else(|| Error::config("transport", "is required without the feature `reqwest`"))
}

/// How the short names of buckets become the service's.
fn naming(config: &Config, service: &ServiceSpec, region: &str) -> Result<Option<Naming>, Error> {
    let naming = config.naming.or_else(|| Naming::of(service));
    if naming.is_some() && region.is_empty() {
        return Err(Error::config(
            "region",
            "is required: it is part of what buckets are called",
        ));
    }
    if config.bucket_alias {
        if naming.and_then(|naming| naming.alias).is_none() {
            let rule = format!("does not exist for the service `{}`", service.name);
            return Err(Error::config("bucket_alias", rule));
        }
        if config
            .addressing
            .is_some_and(|style| style != AddressingStyle::VirtualHosted)
        {
            let rule = "contradicts `addressing_style`: it is the first label of a virtual-hosted address";
            return Err(Error::config("bucket_alias", rule));
        }
    }
    Ok(naming)
}

fn account_id(config: &Config, service: &ServiceSpec, naming: Option<Naming>) -> Result<Option<String>, Error> {
    // Table buckets have their owner's account in their ARN.
    let is_required = naming.is_some()
        || service.bucket_host == BucketHost::BucketAndAccount && service.signing != SigningResource::TableArn;
    match &config.account_id {
        Some(id) => match account_id_rule(id) {
            Some(rule) => Err(Error::config("account_id", rule)),
            None => Ok(Some(id.clone())),
        },
        None if is_required => Err(Error::config(
            "account_id",
            format!("is required by the service `{}`", service.name),
        )),
        None => Ok(None),
    }
}

fn additional_headers(config: &Config) -> Result<Vec<HeaderName>, Error> {
    let parse = |name: &String| header_name(name).map_err(|rule| Error::config("additional_signed_header", rule));
    config.additional_headers.iter().map(parse).collect()
}

fn header_name(name: &str) -> Result<HeaderName, String> {
    HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| format!("`{}` is not the name of a header", name.escape_debug()))
}

fn user_agent(config: &Config, service: &ServiceSpec) -> Result<HeaderValue, Error> {
    let mut text = format!(
        "alibabacloud-rust-sdk-v2/{} ({}/-/{};rustc-{})",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH,
        env!("CARGO_PKG_RUST_VERSION"),
    );
    for suffix in [
        config.user_agent_tag.or(service.user_agent_tag),
        config.user_agent.as_deref(),
    ]
    .into_iter()
    .flatten()
    {
        text.push('/');
        text.push_str(suffix);
    }
    HeaderValue::from_str(&text)
        .map_err(|_| Error::config("user_agent", "must consist of visible ASCII characters and blanks"))
}
