//! The older signature of OSS, HMAC-SHA1.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderName, header};
use sha1::Sha1;

use super::{
    FormRequest, FormSignature, Placement, Signature, Signer, SigningError, SigningRequest, X_OSS_DATE, X_OSS_PREFIX,
    X_OSS_SECURITY_TOKEN, header_value, push_header_lines, token_value,
};
use crate::credentials::Credentials;
use crate::percent;
use crate::service::SigningResource;

static CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");

/// Parameters that a presigned URL gets; a request must not have them already.
const QUERY_PARAMETERS: [&str; 4] = ["Expires", "OSSAccessKeyId", "Signature", "security-token"];

/// Signature V1, for services and tools that know no other.
#[derive(Debug, Clone, Copy, Default)]
pub struct SignerV1;

impl SignerV1 {
    /// A signer.
    pub fn new() -> Self {
        Self
    }
}

impl Signer for SignerV1 {
    fn sign(&self, request: &SigningRequest<'_>, credentials: &Credentials) -> Result<Signature, SigningError> {
        if request.service.signing != SigningResource::Bucket {
            let rule = format!("must be V4: the service `{}` knows no other", request.service.name);
            return Err(SigningError::setting("signature_version", rule));
        }
        match request.placement {
            Placement::Headers => in_headers(request, credentials),
            Placement::Query { expires } => in_query(request, credentials, expires.as_secs()),
        }
    }

    /// The policy binds nothing of the signature: its time is the policy's own, and a token that is changed is none.
    fn sign_form(&self, request: &FormRequest<'_>, credentials: &Credentials) -> Result<FormSignature, SigningError> {
        let policy = request.policy(&[]);
        let signature = signature(credentials, policy.as_bytes());
        let mut signed = FormSignature::new(policy);
        signed.push("OSSAccessKeyId", credentials.access_key_id());
        if let Some(token) = credentials.security_token() {
            signed.push(X_OSS_SECURITY_TOKEN.as_str(), token.expose());
        }
        signed.push("Signature", signature);
        Ok(signed)
    }
}

fn in_headers(request: &SigningRequest<'_>, credentials: &Credentials) -> Result<Signature, SigningError> {
    let http_date = request.time.http_date();
    let date = request
        .headers
        .get(&X_OSS_DATE)
        .map_or(&http_date[..], |value| value.as_bytes());
    let token = credentials.security_token().map(|token| token.expose());
    let mut headers = oss_headers(request);
    if let Some(token) = token {
        headers.retain(|(name, _)| *name != X_OSS_SECURITY_TOKEN.as_str());
        headers.push((X_OSS_SECURITY_TOKEN.as_str(), token.as_bytes()));
    }
    let string_to_sign = string_to_sign(request, date, &mut headers, None);
    let signature = signature(credentials, &string_to_sign);

    let mut added = vec![(header::DATE, header_value("time", http_date)?)];
    if let Some(token) = token {
        added.push((X_OSS_SECURITY_TOKEN.clone(), token_value(token)?));
    }
    let authorization = format!("OSS {}:{signature}", credentials.access_key_id());
    let mut authorization = header_value("access_key_id", authorization)?;
    authorization.set_sensitive(true);
    added.push((header::AUTHORIZATION, authorization));
    Ok(Signature {
        headers: added,
        string_to_sign,
        ..Signature::default()
    })
}

fn in_query(request: &SigningRequest<'_>, credentials: &Credentials, expires: u64) -> Result<Signature, SigningError> {
    if expires == 0 {
        return Err(SigningError::new("expires", "must be at least 1 second, it is 0"));
    }
    if let Some((name, _)) = pairs(request.query).find(|(name, _)| QUERY_PARAMETERS.contains(name)) {
        return Err(SigningError::new(
            "query",
            format!("has the parameter `{name}`, which signing adds"),
        ));
    }
    let end = request
        .time
        .saturating_add(std::time::Duration::from_secs(expires))
        .to_unix();
    let token = credentials.security_token().map(|token| token.expose());
    let mut headers = oss_headers(request);
    let mut signed_headers: Vec<HeaderName> = Vec::new();
    for name in request.headers.keys() {
        let is_signed = name.as_str().starts_with(X_OSS_PREFIX) || name == header::CONTENT_TYPE || *name == CONTENT_MD5;
        if is_signed {
            signed_headers.push(name.clone());
        }
    }
    let string_to_sign = string_to_sign(request, end.as_bytes(), &mut headers, token);
    let signature = signature(credentials, &string_to_sign);

    let mut query = String::with_capacity(128);
    percent::push_query(&mut query, "OSSAccessKeyId", Some(credentials.access_key_id()));
    percent::push_query(&mut query, "Expires", Some(&end));
    if let Some(token) = token {
        percent::push_query(&mut query, "security-token", Some(token));
    }
    percent::push_query(&mut query, "Signature", Some(&signature));
    Ok(Signature {
        query,
        signed_headers,
        string_to_sign,
        ..Signature::default()
    })
}

fn oss_headers<'a>(request: &SigningRequest<'a>) -> Vec<(&'a str, &'a [u8])> {
    let headers = request
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()));
    headers.filter(|(name, _)| name.starts_with(X_OSS_PREFIX)).collect()
}

fn string_to_sign(
    request: &SigningRequest<'_>,
    date: &[u8],
    headers: &mut [(&str, &[u8])],
    query_token: Option<&str>,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    out.extend_from_slice(request.method.as_str().as_bytes());
    out.push(b'\n');
    for name in [&CONTENT_MD5, &header::CONTENT_TYPE] {
        out.extend_from_slice(
            request
                .headers
                .get(name)
                .map_or(b"", |value| value.as_bytes().trim_ascii()),
        );
        out.push(b'\n');
    }
    out.extend_from_slice(date);
    out.push(b'\n');
    push_header_lines(&mut out, headers);

    // The resource stands here as it is, not encoded.
    out.push(b'/');
    if let Some(bucket) = request.bucket {
        out.extend_from_slice(bucket.as_bytes());
        out.push(b'/');
    }
    out.extend_from_slice(request.key.unwrap_or_default().as_bytes());
    let mut parameters: Vec<(_, _)> = pairs(request.query)
        .filter_map(|(name, value)| Some((percent::decode(name)?, percent::decode(value)?)))
        .filter(|(name, _)| is_signed(request, name))
        .collect();
    if let Some(token) = query_token {
        parameters.push(("security-token".into(), token.into()));
    }
    parameters.sort();
    for (index, (name, value)) in parameters.iter().enumerate() {
        out.push(if index == 0 { b'?' } else { b'&' });
        out.extend_from_slice(name.as_bytes());
        if !value.is_empty() {
            out.push(b'=');
            out.extend_from_slice(value.as_bytes());
        }
    }
    out
}

/// The service's sub-resources, the operation's, and every `x-oss-*`.
fn is_signed(request: &SigningRequest<'_>, name: &str) -> bool {
    name.starts_with(X_OSS_PREFIX)
        || request.service.subresources.binary_search(&name).is_ok()
        || request.subresources.contains(&name)
}

fn pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

fn signature(credentials: &Credentials, string_to_sign: &[u8]) -> String {
    // HMAC takes keys of any length, so there is no error to report.
    let hmac = Hmac::<Sha1>::new_from_slice(credentials.access_key_secret().expose().as_bytes())
        .unwrap_or_else(|_| Hmac::<Sha1>::new(&Default::default()));
    BASE64.encode(hmac.chain_update(string_to_sign).finalize().into_bytes())
}
