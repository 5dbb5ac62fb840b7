//! Identity providers and their tokens: JSON web tokens, checked against keys from the settings and the emulator's clock.
//!
//! The well-known crates for such tokens measure expiry by the system's clock, or bring a second set of cryptography. What is left of
//! their work are three texts with dots between; the signatures are verified by `ring`, which TLS brings anyway.

mod issuer;
mod key;

use std::collections::BTreeMap;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::error::ServiceError;
use crate::time;
pub use issuer::OidcIssuer;
use key::{Algorithm, Key};

/// An identity provider that is registered with the emulator's account.
///
/// ```
/// use oss_emulator::{OidcIssuer, OidcProvider};
///
/// let issuer = OidcIssuer::generate("https://issuer.test");
/// let provider = OidcProvider::new("test", "https://issuer.test").client_id("sts.aliyuncs.com").jwks(issuer.jwks());
/// # let _ = provider;
/// ```
#[derive(Debug, Clone)]
pub struct OidcProvider {
    name: String,
    issuer: String,
    client_ids: Vec<String>,
    jwks: Vec<String>,
    pems: Vec<String>,
}

impl OidcProvider {
    /// A provider `acs:ram::{account}:oidc-provider/{name}` whose tokens have `issuer` as `iss`.
    #[must_use]
    pub fn new(name: impl Into<String>, issuer: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            issuer: issuer.into(),
            client_ids: Vec::new(),
            jwks: Vec::new(),
            pems: Vec::new(),
        }
    }

    /// Accepts tokens for this audience (`aud`). Without one no token is accepted.
    #[must_use]
    pub fn client_id(mut self, client_id: impl Into<String>) -> Self {
        self.client_ids.push(client_id.into());
        self
    }

    /// Adds the keys of a JSON web key set: RSA for `RS256`, P-256 for `ES256`.
    #[must_use]
    pub fn jwks(mut self, document: impl Into<String>) -> Self {
        self.jwks.push(document.into());
        self
    }

    /// Adds a public key in PEM (`BEGIN PUBLIC KEY`): RSA for `RS256`, P-256 for `ES256`.
    #[must_use]
    pub fn public_key_pem(mut self, pem: impl Into<String>) -> Self {
        self.pems.push(pem.into());
        self
    }
}

#[derive(Debug)]
struct Known {
    issuer: String,
    client_ids: Vec<String>,
    keys: Vec<Key>,
}

/// The registered providers by ARN.
#[derive(Debug, Default)]
pub(crate) struct Providers(BTreeMap<String, Known>);

/// What a good token says.
#[derive(Debug)]
pub(crate) struct Claims {
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) audiences: Vec<String>,
    pub(crate) expires: SystemTime,
    pub(crate) issued: SystemTime,
}

impl Providers {
    /// Reads the providers; the error says what is wrong with which.
    pub(crate) fn new(account: &str, providers: &[OidcProvider]) -> Result<Self, String> {
        let mut by_arn = BTreeMap::new();
        for provider in providers {
            let wrong = |why: String| format!("the OIDC provider `{}`: {why}", provider.name);
            let mut keys = Vec::new();
            for document in &provider.jwks {
                keys.extend(key::of_jwks(document).map_err(wrong)?);
            }
            for pem in &provider.pems {
                keys.push(key::of_pem(pem).map_err(wrong)?);
            }
            if keys.is_empty() {
                return Err(wrong("it has no key for RS256 or ES256".to_owned()));
            }
            let known = Known {
                issuer: provider.issuer.clone(),
                client_ids: provider.client_ids.clone(),
                keys,
            };
            let arn = format!("acs:ram::{account}:oidc-provider/{}", provider.name);
            if by_arn.insert(arn, known).is_some() {
                return Err(wrong("there is another of that name".to_owned()));
            }
        }
        Ok(Self(by_arn))
    }

    /// Checks a token that somebody says to have from a provider.
    pub(crate) fn verify(&self, provider_arn: &str, token: &str, now: SystemTime) -> Result<Claims, ServiceError> {
        let provider = self.0.get(provider_arn).ok_or_else(|| {
            ServiceError::new(
                401,
                "AuthenticationFail.NoPermission",
                "No such OIDC Provider registered.",
            )
        })?;
        let parts: Vec<_> = token.split('.').collect();
        let [header, payload, signature] = parts[..] else {
            return Err(invalid("The OIDC token is not three parts with dots between them."));
        };
        let header_fields = json_object(header).ok_or_else(|| invalid("The header of the OIDC token is not JSON."))?;
        let claims = json_object(payload).ok_or_else(|| invalid("The payload of the OIDC token is not JSON."))?;
        let signature = URL_SAFE_NO_PAD
            .decode(signature)
            .map_err(|_| invalid("The signature of the OIDC token is not base64url."))?;
        // The algorithm must be one of public keys, whatever the token says of itself.
        let algorithm = match header_fields.get("alg").and_then(Value::as_str) {
            Some("RS256") => Algorithm::Rs256,
            Some("ES256") => Algorithm::Es256,
            _ => return Err(invalid("The algorithm of the OIDC token is neither RS256 nor ES256.")),
        };
        if header_fields.contains_key("crit") {
            return Err(invalid("The OIDC token has critical headers that are not known."));
        }
        if claims.get("iss").and_then(Value::as_str) != Some(provider.issuer.as_str()) {
            return Err(fail(
                "IssuerNotMatch",
                "The issuer in the OIDC Token doesn't match the OIDC Provider registered.",
            ));
        }
        let kid = header_fields.get("kid").and_then(Value::as_str);
        let message = token.rsplit_once('.').map_or("", |(message, _)| message);
        let is_signed = provider
            .keys
            .iter()
            .filter(|key| key.may_be(kid, algorithm))
            .any(|key| key.verify(message.as_bytes(), &signature));
        if !is_signed {
            return Err(fail(
                "InvalidSignature",
                "The signature of the OIDC token is not that of the provider.",
            ));
        }
        provider.read(&claims, now)
    }
}

impl Known {
    fn read(&self, claims: &serde_json::Map<String, Value>, now: SystemTime) -> Result<Claims, ServiceError> {
        let missing = |name: &str| invalid(&format!("The OIDC token has no proper claim {name}."));
        let instant = |name: &str| claims.get(name).and_then(seconds);
        let expires = instant("exp").ok_or_else(|| missing("exp"))?;
        let issued = instant("iat").ok_or_else(|| missing("iat"))?;
        if claims.contains_key("nbf") && instant("nbf").is_none() {
            return Err(missing("nbf"));
        }
        if expires <= now {
            return Err(fail("Expired", "This JsonWebToken is expired."));
        }
        if issued > now || instant("nbf").is_some_and(|begins| begins > now) {
            return Err(invalid("This JsonWebToken is not valid yet."));
        }
        let subject = claims.get("sub").and_then(Value::as_str);
        let audiences = match claims.get("aud") {
            Some(Value::String(audience)) => Some(vec![audience.clone()]),
            Some(Value::Array(audiences)) => audiences
                .iter()
                .map(|audience| audience.as_str().map(str::to_owned))
                .collect(),
            _ => None,
        }
        .ok_or_else(|| missing("aud"))?;
        if !audiences.iter().any(|audience| self.client_ids.contains(audience)) {
            return Err(fail(
                "AudienceNotMatch",
                "The audience of the OIDC token is not among the client IDs of the provider.",
            ));
        }
        Ok(Claims {
            issuer: self.issuer.clone(),
            subject: subject.ok_or_else(|| missing("sub"))?.to_owned(),
            audiences,
            expires,
            issued,
        })
    }
}

fn invalid(message: &str) -> ServiceError {
    fail("Invalid", message)
}

fn fail(kind: &str, message: &str) -> ServiceError {
    ServiceError::new(401, format!("AuthenticationFail.OIDCToken.{kind}"), message)
}

fn json_object(part: &str) -> Option<serde_json::Map<String, Value>> {
    let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Claims may have fractions of seconds; they do not matter.
#[expect(clippy::cast_possible_truncation, reason = "what is out of range saturates")]
fn seconds(value: &Value) -> Option<SystemTime> {
    let seconds = value
        .as_i64()
        .or_else(|| value.as_f64().filter(|seconds| seconds.is_finite()).map(|s| s as i64))?;
    time::from_unix(seconds).filter(|_| seconds >= 0)
}
