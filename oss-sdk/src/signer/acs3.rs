//! ACS3-HMAC-SHA256, the signature of RPC services such as STS.

use hmac::Mac;
use http::{HeaderName, HeaderValue, header};
use sha2::{Digest, Sha256};

use super::key_cache::keyed;
use super::{Placement, Signature, Signer, SigningError, SigningRequest, header_value, push_header_lines, push_hex};
use crate::credentials::Credentials;

const ALGORITHM: &[u8] = b"ACS3-HMAC-SHA256";
const X_ACS_PREFIX: &str = "x-acs-";
static X_ACS_DATE: HeaderName = HeaderName::from_static("x-acs-date");
static X_ACS_NONCE: HeaderName = HeaderName::from_static("x-acs-signature-nonce");
static X_ACS_CONTENT_SHA256: HeaderName = HeaderName::from_static("x-acs-content-sha256");
static X_ACS_SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-acs-security-token");

/// Signs requests whose headers `x-acs-action` and `x-acs-version` are set already.
#[derive(Debug, Clone, Copy, Default)]
pub struct SignerAcs3;

impl SignerAcs3 {
    /// A signer.
    pub fn new() -> Self {
        Self
    }
}

impl Signer for SignerAcs3 {
    fn sign(&self, request: &SigningRequest<'_>, credentials: &Credentials) -> Result<Signature, SigningError> {
        if request.placement != Placement::Headers {
            return Err(SigningError::new(
                "expires",
                "has no meaning: RPC operations cannot be presigned",
            ));
        }
        let mut hash = Vec::with_capacity(64);
        push_hex(&mut hash, &Sha256::digest(request.body));
        let mut added = vec![
            (
                X_ACS_DATE.clone(),
                header_value("time", request.time.to_iso8601_seconds())?,
            ),
            (X_ACS_NONCE.clone(), header_value("nonce", request.nonce)?),
            (X_ACS_CONTENT_SHA256.clone(), header_value("body", &hash)?),
        ];
        if let Some(token) = credentials.security_token() {
            added.push((X_ACS_SECURITY_TOKEN.clone(), super::token_value(token.expose())?));
        }

        let mut covered: Vec<(&str, &[u8])> = vec![("host", request.host.as_bytes())];
        let own = request
            .headers
            .iter()
            .filter(|(name, _)| added.iter().all(|(other, _)| other != name));
        for (name, value) in own.chain(added.iter().map(|(name, value)| (name, value))) {
            if name.as_str().starts_with(X_ACS_PREFIX) || name == header::CONTENT_TYPE {
                covered.push((name.as_str(), value.as_bytes()));
            }
        }

        let mut canonical = Vec::with_capacity(512);
        canonical.extend_from_slice(request.method.as_str().as_bytes());
        canonical.extend_from_slice(b"\n/\n");
        let mut parameters: Vec<&str> = request.query.split('&').filter(|pair| !pair.is_empty()).collect();
        parameters.sort_unstable_by_key(|pair| pair.split_once('=').unwrap_or((pair, "")));
        for (index, pair) in parameters.iter().enumerate() {
            if index > 0 {
                canonical.push(b'&');
            }
            canonical.extend_from_slice(pair.as_bytes());
            // Unlike OSS, this signature writes the sign of a parameter without a value.
            if !pair.contains('=') {
                canonical.push(b'=');
            }
        }
        canonical.push(b'\n');
        push_header_lines(&mut canonical, &mut covered);
        canonical.push(b'\n');
        let mut names: Vec<&str> = covered.iter().map(|(name, _)| *name).collect();
        names.dedup();
        let names = names.join(";");
        canonical.extend_from_slice(names.as_bytes());
        canonical.push(b'\n');
        canonical.extend_from_slice(&hash);

        let mut string_to_sign = ALGORITHM.to_vec();
        string_to_sign.push(b'\n');
        push_hex(&mut string_to_sign, &Sha256::digest(&canonical));

        let mut authorization = ALGORITHM.to_vec();
        authorization.extend_from_slice(b" Credential=");
        authorization.extend_from_slice(credentials.access_key_id().as_bytes());
        authorization.extend_from_slice(b",SignedHeaders=");
        authorization.extend_from_slice(names.as_bytes());
        authorization.extend_from_slice(b",Signature=");
        let key = keyed(credentials.access_key_secret().expose().as_bytes());
        push_hex(
            &mut authorization,
            &key.chain_update(&string_to_sign).finalize().into_bytes(),
        );
        let mut authorization: HeaderValue = header_value("access_key_id", authorization)?;
        authorization.set_sensitive(true);
        added.push((header::AUTHORIZATION, authorization));
        Ok(Signature {
            headers: added,
            string_to_sign,
            canonical_request: canonical,
            ..Signature::default()
        })
    }
}
