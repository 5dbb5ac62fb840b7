//! Validating and building: everything about a request that is the same for each attempt.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT};
use md5::{Digest, Md5};

use super::patience::patience;
use crate::body::ProgressHook;
use crate::client::{CallOptions, Core};
use crate::config::header_owner;
use crate::content_type;
use crate::endpoint::{Endpoint, Target, table_bucket};
use crate::error::Error;
use crate::limiter::{Bandwidth, Limiter};
use crate::naming::Naming;
use crate::operation::{OperationInput, Protocol, ServiceSpec, SigningResource};
use crate::percent;
use crate::retry::RetryPolicy;

const CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");
const COPY_SOURCE: HeaderName = HeaderName::from_static("x-oss-copy-source");

/// A request that is valid and complete but for payload, date and signature.
pub(crate) struct Prepared {
    pub(crate) core: Arc<Core>,
    pub(crate) service: &'static ServiceSpec,
    pub(crate) input: OperationInput,
    /// Percent-encoded.
    pub(crate) query: String,
    pub(crate) url: String,
    /// As it stands in the `Host` header.
    pub(crate) host: String,
    /// Headers that V4 signs besides those it always does.
    pub(crate) signed_headers: Vec<HeaderName>,
    pub(crate) max_attempts: u32,
    pub(crate) retry: Arc<dyn RetryPolicy>,
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) idle: Duration,
    pub(crate) progress: Option<ProgressHook>,
    /// Limits of this call alone.
    upload_limiter: Option<Arc<Limiter>>,
    download_limiter: Option<Arc<Limiter>>,
}

impl Prepared {
    pub(crate) fn new(core: Arc<Core>, mut input: OperationInput, mut options: CallOptions) -> Result<Self, Error> {
        options.apply(&mut input);
        let service = input.service.unwrap_or(core.service);
        let label = complete(&core, service, &mut input)?;
        let mut prepared = Self::addressed(core, service, input, label.as_deref(), &options)?;
        prepared.repeat(&mut options);
        prepared.progress = options.progress;
        prepared.attempt_timeout = options.attempt_timeout.or(prepared.attempt_timeout);
        // Who names a time for one call knows how slow its operation is.
        prepared.idle = options.idle_timeout.unwrap_or(prepared.idle);
        prepared.upload_limiter = limiter("upload_limit", options.upload_limit)?;
        prepared.download_limiter = limiter("download_limit", options.download_limit)?;
        Ok(prepared)
    }

    /// For a URL that is given away: no user agent, no checksum, no guessed content type, since the holder would have to
    /// know them.
    pub(crate) fn for_presign(
        core: Arc<Core>,
        mut input: OperationInput,
        mut options: CallOptions,
    ) -> Result<Self, Error> {
        options.apply(&mut input);
        let service = input.service.unwrap_or(core.service);
        let label = validate(&core, service, &mut input)?;
        let mut prepared = Self::addressed(core, service, input, label.as_deref(), &options)?;
        prepared.repeat(&mut options);
        Ok(prepared)
    }

    /// Takes over how often something is tried.
    fn repeat(&mut self, options: &mut CallOptions) {
        let by_policy = options.retry.as_ref().map(|policy| policy.max_attempts());
        let attempts = options.retry_attempts.or(by_policy);
        self.max_attempts = attempts.unwrap_or(self.core.retry_attempts).max(1);
        if let Some(policy) = options.retry.take() {
            self.retry = policy;
        }
    }

    fn addressed(
        core: Arc<Core>,
        service: &'static ServiceSpec,
        input: OperationInput,
        label: Option<&str>,
        options: &CallOptions,
    ) -> Result<Self, Error> {
        let mut query = String::new();
        for (name, value) in &input.query {
            percent::push_query(&mut query, name, value.as_deref());
        }
        let other = match (&options.cname, &options.endpoint) {
            (Some(domain), _) => Some(core.endpoint.bound(domain)?),
            (None, Some(endpoint)) => Some(core.endpoint.replaced(endpoint)?),
            (None, None) => None,
        };
        let signed_headers = core.signed_headers(&options.signed_headers)?;
        let endpoint: &Endpoint = other.as_ref().unwrap_or(&core.endpoint);
        let target = Target {
            bucket: input.bucket.as_deref(),
            label,
            key: input.key.as_deref(),
            path: input.path.as_deref(),
        };
        let address = endpoint.address(service, &target, core.account_id.as_deref())?;
        let mut url = address.url;
        if !query.is_empty() {
            url.push('?');
            url.push_str(&query);
        }
        let idle = patience(&input, core.idle_timeout);
        Ok(Prepared {
            service,
            input,
            query,
            url,
            host: address.host,
            signed_headers,
            max_attempts: 1,
            retry: Arc::clone(&core.retry),
            attempt_timeout: core.attempt_timeout,
            idle,
            progress: None,
            upload_limiter: None,
            download_limiter: None,
            core,
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.input.name
    }

    /// The same request with other headers, to continue its answer.
    pub(crate) fn with_headers(&self, change: impl FnOnce(&mut http::HeaderMap)) -> Self {
        let mut input = self.input.clone();
        change(&mut input.headers);
        Prepared {
            core: Arc::clone(&self.core),
            service: self.service,
            input,
            query: self.query.clone(),
            url: self.url.clone(),
            host: self.host.clone(),
            signed_headers: self.signed_headers.clone(),
            max_attempts: self.max_attempts,
            retry: Arc::clone(&self.retry),
            attempt_timeout: self.attempt_timeout,
            idle: self.idle,
            progress: None,
            upload_limiter: self.upload_limiter.clone(),
            download_limiter: self.download_limiter.clone(),
        }
    }

    /// The limits that its payload is sent under.
    pub(crate) fn upload_limiters(&self) -> [Option<Arc<Limiter>>; 2] {
        [self.core.upload_limiter.clone(), self.upload_limiter.clone()]
    }

    /// The limits that its answer's payload is read under.
    pub(crate) fn download_limiters(&self) -> [Option<Arc<Limiter>>; 2] {
        [self.core.download_limiter.clone(), self.download_limiter.clone()]
    }
}

fn limiter(setting: &str, limit: Option<Bandwidth>) -> Result<Option<Arc<Limiter>>, Error> {
    match limit.and_then(Bandwidth::rule) {
        Some(rule) => Err(Error::invalid_input(setting, rule)),
        None => Ok(limit.map(Limiter::shared)),
    }
}

/// Checks what needs no network, and adds the headers that the runtime is responsible for.
///
/// Returns the first label of the host if it is not the bucket's name.
fn complete(core: &Core, service: &ServiceSpec, input: &mut OperationInput) -> Result<Option<String>, Error> {
    let label = validate(core, service, input)?;
    for name in core.default_headers.keys() {
        if !input.headers.contains_key(name) {
            for value in core.default_headers.get_all(name) {
                input.headers.append(name, value.clone());
            }
        }
    }
    if !input.headers.contains_key(USER_AGENT) {
        input.headers.insert(USER_AGENT, core.user_agent.clone());
    }
    if input.traits.content_type_from_key && core.detects_content_type && !input.headers.contains_key(CONTENT_TYPE) {
        let by_key = input.key.as_deref().and_then(content_type::from_name);
        let by_file = || {
            input
                .body
                .file_path()
                .and_then(|path| content_type::from_name(path.to_str()?))
        };
        let content_type = by_key.or_else(by_file).unwrap_or("application/octet-stream");
        input
            .headers
            .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    if input.traits.content_md5 && !input.body.is_empty() && !input.headers.contains_key(CONTENT_MD5) {
        let Some(bytes) = input.body.as_bytes() else {
            return Err(Error::invalid_input(
                "body",
                "must be in memory, because its MD5 is sent before it",
            ));
        };
        let digest = BASE64.encode(Md5::digest(bytes));
        if let Ok(value) = HeaderValue::from_str(&digest) {
            input.headers.insert(CONTENT_MD5, value);
        }
    }
    if service.protocol == Protocol::RpcJson {
        let action = input.name.clone();
        input.set_header("operation", "x-acs-action", &action);
        // The form of the answer is the caller's choice, and XML would be another.
        if !input.headers.contains_key(ACCEPT) {
            input
                .headers
                .insert(ACCEPT, HeaderValue::from_static("application/json"));
        }
        if let Some(version) = service.api_version {
            input.headers.insert("x-acs-version", HeaderValue::from_static(version));
        }
        if let Some(problem) = input.problem.take() {
            return Err(problem.into());
        }
    }
    Ok(label)
}

/// Checks the names, and gives the bucket the one that the service has for it.
fn validate(core: &Core, service: &ServiceSpec, input: &mut OperationInput) -> Result<Option<String>, Error> {
    if let Some(problem) = input.problem.take() {
        return Err(problem.into());
    }
    // The transport and the signature have the last word on some headers, and two of one kind can make two requests of one.
    if let Some((name, owner)) = input.headers.keys().find_map(|name| Some((name, header_owner(name)?))) {
        let rule = format!("must not be set as a header: {owner}");
        return Err(Error::invalid_input(name.as_str(), rule));
    }
    let mut label = None;
    if let Some(bucket) = &input.bucket {
        // An operation of another service keeps that service's rules.
        let naming = Naming::of(service).or(core.naming.filter(|_| service.signing == SigningResource::Bucket));
        if let Some(naming) = naming {
            label = name_bucket(core, service, naming, input)?;
        } else if service.signing == SigningResource::TableArn {
            table_bucket(bucket).map_err(|rule| Error::invalid_input("table_bucket_arn", rule))?;
        } else if let Some(rule) = bucket_rule(bucket) {
            return Err(Error::invalid_input("bucket", rule));
        }
    }
    if input.path.is_some() && input.key.is_some() {
        return Err(Error::invalid_input("key", "must not be given beside a path"));
    }
    if let Some(key) = &input.key {
        if input.bucket.is_none() {
            return Err(Error::invalid_input("bucket", "is required where there is a key"));
        }
        if let Some(rule) = key_rule(key) {
            return Err(Error::invalid_input("key", rule));
        }
    }
    Ok(label)
}

/// Replaces the bucket's short name, and returns the first label of the host if aliases are used.
fn name_bucket(
    core: &Core,
    service: &ServiceSpec,
    naming: Naming,
    input: &mut OperationInput,
) -> Result<Option<String>, Error> {
    let Some(short) = input.bucket.take() else {
        return Ok(None);
    };
    let required = |setting: &'static str| {
        let rule = format!(
            "is required by the service `{}`: it is part of what buckets are called",
            service.name
        );
        Error::config(setting, rule)
    };
    let account = core.account_id.as_deref().ok_or_else(|| required("account_id"))?;
    let region = core.region();
    if region.is_empty() {
        return Err(required("region"));
    }
    let named = naming.named(&short, account, region)?;
    // A copy within the bucket names it in a header as well. Another bucket is named as the caller says.
    let source = input.headers.get(&COPY_SOURCE).and_then(|source| source.to_str().ok());
    if let Some(key) = source.and_then(|source| {
        source
            .strip_prefix('/')?
            .strip_prefix(short.as_str())?
            .strip_prefix('/')
    }) && let Ok(source) = HeaderValue::from_str(&format!("/{}/{key}", named.name))
    {
        input.headers.insert(COPY_SOURCE, source);
    }
    input.bucket = Some(named.name);
    Ok(named.alias.filter(|_| core.uses_alias))
}

/// The rule that a bucket name breaks.
fn bucket_rule(bucket: &str) -> Option<&'static str> {
    let is_valid = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if bucket.is_empty() {
        Some("must not be empty")
    } else if !bucket.bytes().all(is_valid) {
        Some("must consist of `a-z`, `0-9` and `-`")
    } else if !(3..=63).contains(&bucket.len()) {
        Some("must have from 3 to 63 characters")
    } else if bucket.starts_with('-') || bucket.ends_with('-') {
        Some("must not begin or end with `-`")
    } else {
        None
    }
}

/// The rule that a key breaks.
fn key_rule(key: &str) -> Option<String> {
    match key.len() {
        0 => Some("must not be empty".to_owned()),
        1..=1023 if key.contains('\0') => Some("must not contain a NUL character".to_owned()),
        1..=1023 => None,
        length => Some(format!("must have at most 1023 bytes, it has {length}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_the_service_would_refuse_are_refused_here() {
        let long = "a".repeat(64);
        for (bucket, is_valid) in [
            ("abc", true),
            ("a-1", true),
            ("", false),
            ("ab", false),
            ("a/b", false),
            ("-ab", false),
            ("ab-", false),
            ("ABC", false),
            ("a.b", false),
            ("日本語", false),
            (&long, false),
            (&long[1..], true),
        ] {
            assert_eq!(bucket_rule(bucket).is_none(), is_valid, "{bucket}");
        }
        let long = "k".repeat(1024);
        for (key, is_valid) in [
            ("k", true),
            ("/a//../b", true),
            ("\u{1}\n", true),
            ("", false),
            ("a\0b", false),
            (&long, false),
            (&long[1..], true),
        ] {
            assert_eq!(key_rule(key).is_none(), is_valid, "{key:?}");
        }
    }
}
