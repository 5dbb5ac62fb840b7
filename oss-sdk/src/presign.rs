//! URLs that carry their signature, for holders without credentials.

use std::fmt;
use std::sync::Arc;

use http::{HeaderMap, Method};

use crate::client::{CallOptions, Core};
use crate::error::Error;
use crate::operation::OperationInput;
use crate::pipeline::{self, Prepared};
use crate::signer::{Placement, SigningRequest};
use crate::time::Timestamp;

mod lifetime;

pub use lifetime::Expires;
pub(crate) use lifetime::{Lifetime, credentials};

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
    expires: Expires,
) -> Result<PresignedRequest, Error> {
    let operation = input.name.clone();
    sign(core, input, options, expires)
        .await
        .map_err(|error| error.with_operation(operation))
}

async fn sign(
    core: &Arc<Core>,
    input: OperationInput,
    mut options: CallOptions,
    expires: Expires,
) -> Result<PresignedRequest, Error> {
    let limits = pipeline::limits(core, &mut options);
    let life = expires.check(core)?;
    let prepared = Prepared::for_presign(Arc::clone(core), input, options)?;
    let credentials = credentials(&prepared, limits, life).await?;
    let lifetime = Lifetime::start(core, expires, &credentials)?;
    let input = &prepared.input;
    let mut request = SigningRequest::new(&input.method, prepared.service, &input.headers, lifetime.now);
    prepared.describe(&mut request);
    request.placement = Placement::Query {
        expires: lifetime.length,
    };
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
    Ok(PresignedRequest {
        method: prepared.input.method,
        url,
        expiration: lifetime.end,
        is_capped: lifetime.is_capped,
        signed_headers,
    })
}
