//! URLs that carry their signature, for holders without credentials.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method};

use crate::client::{CallOptions, Core};
use crate::config::SignatureVersion;
use crate::credentials::CredentialsRequest;
use crate::error::{Error, ErrorKind};
use crate::operation::OperationInput;
use crate::pipeline::Prepared;
use crate::signer::{Placement, SigningRequest};
use crate::time::Timestamp;

/// What signature V4 allows at most.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A request that whoever holds it can make.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct PresignedRequest {
    /// The method that the holder must use.
    pub method: Method,
    /// The URL with its signature. Whoever has it has the right to the request, so do not log it.
    pub url: String,
    /// When the URL ends.
    pub expiration: Timestamp,
    /// Whether it ends before the time asked for, because the credentials do.
    pub is_capped: bool,
    /// The headers that the holder must send, exactly. Others may be added, except for `x-oss-*`, `Content-Type` and
    /// `Content-MD5`.
    pub signed_headers: HeaderMap,
}

/// Without the URL's query and the headers' values.
impl fmt::Debug for PresignedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.url.split('?').next().unwrap_or_default();
        f.debug_struct("PresignedRequest")
            .field("method", &self.method)
            .field("url", &format_args!("{address}?[redacted]"))
            .field("expiration", &self.expiration)
            .field("is_capped", &self.is_capped)
            .field("signed_headers", &self.signed_headers.keys().collect::<Vec<_>>())
            .finish()
    }
}

pub(crate) async fn presign(
    core: &Arc<Core>,
    input: OperationInput,
    options: CallOptions,
    expires_in: Duration,
) -> Result<PresignedRequest, Error> {
    let operation = input.name.clone();
    sign(core, input, options, expires_in)
        .await
        .map_err(|error| error.with_operation(operation))
}

async fn sign(
    core: &Arc<Core>,
    input: OperationInput,
    options: CallOptions,
    expires_in: Duration,
) -> Result<PresignedRequest, Error> {
    core.shutdown.check()?;
    // Before credentials shorten it, so that a wrong duration is always noticed.
    if expires_in < Duration::from_secs(1) {
        return Err(Error::invalid_input("expires_in", "must be at least 1 second"));
    }
    if expires_in > LONGEST && core.signature == Some(SignatureVersion::V4) {
        let rule = format!(
            "must be at most 7 days (604800 seconds), it is {} seconds",
            expires_in.as_secs()
        );
        return Err(Error::invalid_input("expires_in", rule));
    }
    let prepared = Prepared::for_presign(Arc::clone(core), input, options)?;
    // A URL ends with its credentials, so ones that are about to end are not used if there can be others.
    let request = CredentialsRequest {
        min_life: Some(expires_in),
        ..CredentialsRequest::default()
    };
    let credentials = core.credentials.credentials(&request).await?;
    credentials.check()?;
    if credentials.is_anonymous() {
        return Err(Error::new(
            ErrorKind::Credentials,
            "a URL cannot be signed without credentials",
        ));
    }
    let now = core.now();
    let mut expires = Duration::from_secs(expires_in.as_secs());
    let mut is_capped = false;
    if let Some(end) = credentials.expiration() {
        let left = Duration::from_secs(end.saturating_since(now).as_secs());
        if left.is_zero() {
            return Err(Error::new(ErrorKind::Credentials, "the credentials have expired"));
        }
        is_capped = left < expires;
        expires = expires.min(left);
    }
    let input = &prepared.input;
    let mut request = SigningRequest::new(&input.method, prepared.service, &input.headers, now);
    prepared.describe(&mut request);
    request.placement = Placement::Query { expires };
    let signature = core.signer.sign(&request, &credentials)?;

    let mut signed_headers = HeaderMap::with_capacity(signature.signed_headers.len());
    for name in signature.signed_headers {
        for value in input.headers.get_all(&name) {
            signed_headers.append(name.clone(), value.clone());
        }
    }
    let mut url = prepared.url;
    url.reserve_exact(signature.query.len() + 1);
    url.push(if prepared.query.is_empty() { '?' } else { '&' });
    url.push_str(&signature.query);
    let expiration = now.saturating_add(expires);
    Ok(PresignedRequest {
        method: prepared.input.method,
        url,
        expiration,
        is_capped,
        signed_headers,
    })
}
