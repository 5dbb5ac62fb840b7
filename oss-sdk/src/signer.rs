//! Signatures: V4 and V1 of OSS, in headers and in URLs, and ACS3 of RPC services.
//!
//! Signing is a pure function: request, credentials and time come in, headers or query parameters come out.

use std::fmt;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::credentials::Credentials;
use crate::error::{Error, ErrorKind};
use crate::service::{Protocol, ServiceSpec, SigningResource};
use crate::time::Timestamp;

mod acs3;
mod form;
mod key_cache;
mod v1;
mod v4;

pub use acs3::SignerAcs3;
pub use form::{FormRequest, FormSignature};
pub use v1::SignerV1;
pub use v4::SignerV4;

/// Makes the signature of a request. Replaceable, for keys that are not in this process or rules of one's own.
pub trait Signer: fmt::Debug + Send + Sync {
    /// Signs. Called for every attempt, with the time and the credentials of that attempt, and not for anonymous
    /// credentials.
    ///
    /// # Errors
    ///
    /// When the request cannot be signed, e.g. without a region.
    fn sign(&self, request: &SigningRequest<'_>, credentials: &Credentials) -> Result<Signature, SigningError>;

    /// Signs the policy of an upload form; see [`post_policy`](crate::post_policy). A signer that says nothing of it
    /// cannot.
    ///
    /// # Errors
    ///
    /// When it cannot be signed.
    fn sign_form(&self, request: &FormRequest<'_>, credentials: &Credentials) -> Result<FormSignature, SigningError> {
        let (_, _) = (request, credentials);
        Err(SigningError::setting("signer", "does not sign forms"))
    }
}

/// What is signed.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SigningRequest<'a> {
    /// HTTP method.
    pub method: &'a Method,
    /// The service that is called: it says what the resource is called and which query keys V1 signs.
    pub service: &'a ServiceSpec,
    /// Bucket, whatever the addressing style.
    pub bucket: Option<&'a str>,
    /// Object key, not encoded.
    pub key: Option<&'a str>,
    /// Percent-encoded path behind the bucket, without its first slash, of operations that have no key but a path.
    pub path: Option<&'a str>,
    /// The percent-encoded query, as it is sent, without `?`.
    pub query: &'a str,
    /// Query keys of the operation that V1 signs besides those of the service.
    pub subresources: &'a [&'a str],
    /// Headers set so far.
    pub headers: &'a HeaderMap,
    /// Host and port as they will stand in the `Host` header.
    pub host: &'a str,
    /// Headers that V4 signs besides those it always does.
    pub additional_headers: &'a [HeaderName],
    /// The payload; only ACS3 hashes it.
    pub body: &'a [u8],
    /// Region of the V4 scope (or the id of the cloud box in its place).
    pub region: &'a str,
    /// Product of the V4 scope.
    pub product: &'a str,
    /// The account, where the resource's name contains it.
    pub account_id: Option<&'a str>,
    /// Time of signing.
    pub time: Timestamp,
    /// A value that is used once; only ACS3 sends it.
    pub nonce: &'a str,
    /// Where the signature goes.
    pub placement: Placement,
}

impl<'a> SigningRequest<'a> {
    /// A request to the service itself with empty query, headers and body, signed in headers.
    pub fn new(method: &'a Method, service: &'a ServiceSpec, headers: &'a HeaderMap, time: Timestamp) -> Self {
        Self {
            method,
            service,
            bucket: None,
            key: None,
            path: None,
            query: "",
            subresources: &[],
            headers,
            host: "",
            additional_headers: &[],
            body: b"",
            region: "",
            product: service.product,
            account_id: None,
            time,
            nonce: "",
            placement: Placement::Headers,
        }
    }
}

/// Where a signature goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Placement {
    /// Into headers: the request is sent now.
    Headers,
    /// Into the query: the URL is given away and is valid so long.
    Query {
        /// Validity from the time of signing; whole seconds count.
        expires: Duration,
    },
}

/// A signature: what to add to the request.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Signature {
    /// Headers to set, replacing those of the same name.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Percent-encoded parameters to append to the query, joined by `&`.
    pub query: String,
    /// Headers of the request that the signature covers: whoever uses the URL must send exactly these. Only set when the
    /// signature is in the query.
    pub signed_headers: Vec<HeaderName>,
    /// The text that was signed, to compare with the service's when it disagrees.
    pub string_to_sign: Vec<u8>,
    /// The canonical form of the request whose hash stands in the string to sign; empty for V1.
    pub canonical_request: Vec<u8>,
}

/// Shows no values: they are as good as a password for as long as they are valid.
impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signature")
            .field("signed_headers", &self.signed_headers)
            .finish_non_exhaustive()
    }
}

/// Why a request cannot be signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningError {
    member: &'static str,
    rule: String,
    setting: bool,
}

impl SigningError {
    /// A member of the request that breaks a rule, worded as the rest of a sentence: `must not be empty`.
    pub fn new(member: &'static str, rule: impl Into<String>) -> Self {
        Self {
            member,
            rule: rule.into(),
            setting: false,
        }
    }

    /// The same for a setting of the client.
    pub fn setting(setting: &'static str, rule: impl Into<String>) -> Self {
        Self {
            member: setting,
            rule: rule.into(),
            setting: true,
        }
    }
}

impl fmt::Display for SigningError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.member, self.rule)
    }
}

impl std::error::Error for SigningError {}

impl From<SigningError> for Error {
    fn from(error: SigningError) -> Self {
        let kind = if error.setting {
            ErrorKind::Config
        } else {
            ErrorKind::InvalidInput
        };
        Error::new(kind, error.rule).with_member(error.member)
    }
}

const X_OSS_PREFIX: &str = "x-oss-";
static X_OSS_DATE: HeaderName = HeaderName::from_static("x-oss-date");
static X_OSS_SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-oss-security-token");

/// A header value from text that holds visible characters only.
fn header_value(member: &'static str, text: impl AsRef<[u8]>) -> Result<HeaderValue, SigningError> {
    HeaderValue::from_bytes(text.as_ref())
        .map_err(|_| SigningError::new(member, "must consist of characters that a header can hold"))
}

/// The token as a header, marked so that no log shows it.
fn token_value(token: &str) -> Result<HeaderValue, SigningError> {
    let mut value = header_value("security_token", token)?;
    value.set_sensitive(true);
    Ok(value)
}

/// `name:value` lines of the wanted headers, sorted, several values of a name joined with commas, blanks at the ends cut.
fn push_header_lines(out: &mut Vec<u8>, headers: &mut [(&str, &[u8])]) {
    // Stable: values of one name stay in their order.
    headers.sort_by(|a, b| a.0.cmp(b.0));
    let mut previous = None;
    for (name, value) in headers.iter() {
        if previous == Some(*name) {
            out.pop();
            out.push(b',');
        } else {
            out.extend_from_slice(name.as_bytes());
            out.push(b':');
        }
        out.extend_from_slice(value.trim_ascii());
        out.push(b'\n');
        previous = Some(*name);
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

fn push_hex(out: &mut Vec<u8>, bytes: &[u8]) {
    for byte in bytes {
        out.push(HEX[usize::from(byte >> 4)]);
        out.push(HEX[usize::from(byte & 15)]);
    }
}

/// The signer of a service under a signature version.
pub(crate) fn is_rpc(service: &ServiceSpec) -> bool {
    service.signing == SigningResource::Acs3 || service.protocol == Protocol::RpcJson
}

#[cfg(test)]
mod tests;
