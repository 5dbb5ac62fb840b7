//! An identity provider for tests, with a key that nobody else ever sees.

use std::fmt;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::json;

use crate::{text, time};

/// Issues tokens for tests, signed with `ES256` by a key made at the start.
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// let issuer = oss_emulator::OidcIssuer::generate("https://issuer.test");
/// let token = issuer.token("me", "sts.aliyuncs.com", SystemTime::now(), Duration::from_secs(600));
/// assert_eq!(token.split('.').count(), 3);
/// ```
pub struct OidcIssuer {
    url: String,
    key: EcdsaKeyPair,
    id: String,
}

impl fmt::Debug for OidcIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OidcIssuer")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

impl OidcIssuer {
    /// An issuer with a new key; `url` becomes the claim `iss`.
    ///
    /// # Panics
    ///
    /// The system has no randomness.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "for tests; without randomness there is nothing to go on with"
    )]
    pub fn generate(url: impl Into<String>) -> Self {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
            .expect("the system has no randomness");
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random)
            .expect("a key that was just made is a key");
        let mut id = text::sha256_hex(key.public_key().as_ref());
        id.truncate(16);
        Self {
            url: url.into(),
            key,
            id,
        }
    }

    /// The public key as a JSON web key set.
    #[must_use]
    pub fn jwks(&self) -> String {
        let point = self.key.public_key().as_ref();
        let (x, y) = point.split_at_checked(33).unwrap_or((point, &[]));
        let x = x.get(1..).unwrap_or_default();
        let key = json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.id,
            "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y)});
        json!({ "keys": [key] }).to_string()
    }

    /// A token for a subject and an audience, issued at one time and good for a while.
    #[must_use]
    pub fn token(&self, subject: &str, audience: &str, issued: SystemTime, lifetime: Duration) -> String {
        let (from, to) = (time::unix_seconds(issued), time::unix_seconds(issued + lifetime));
        let claims = json!({"iss": self.url, "sub": subject, "aud": audience, "iat": from, "exp": to});
        self.sign(&claims.to_string())
    }

    /// A token with these claims, in JSON, whatever they are: for trying tokens that must be refused.
    ///
    /// # Panics
    ///
    /// The system has no randomness.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "for tests; without randomness there is nothing to go on with"
    )]
    pub fn sign(&self, claims: &str) -> String {
        let header = json!({"alg": "ES256", "typ": "JWT", "kid": self.id}).to_string();
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = self
            .key
            .sign(&SystemRandom::new(), message.as_bytes())
            .expect("the system has no randomness");
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}
