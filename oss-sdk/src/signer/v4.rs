//! OSS4-HMAC-SHA256.

use hmac::Mac;
use http::{HeaderName, HeaderValue, header};
use sha2::{Digest, Sha256};

use super::key_cache::SigningKeyCache;
use super::{
    FormRequest, FormSignature, Placement, Signature, Signer, SigningError, SigningRequest, X_OSS_DATE, X_OSS_PREFIX,
    X_OSS_SECURITY_TOKEN, header_value, push_header_lines, push_hex, token_value,
};
use crate::credentials::Credentials;
use crate::percent;
use crate::secret::Secret;
use crate::service::SigningResource;
use crate::time::Timestamp;

const ALGORITHM: &str = "OSS4-HMAC-SHA256";
const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";
const TERMINATOR: &str = "aliyun_v4_request";
static X_OSS_CONTENT_SHA256: HeaderName = HeaderName::from_static("x-oss-content-sha256");

/// The service refuses URLs that are valid for longer than seven days.
const MAX_EXPIRES: u64 = 604_800;

/// Parameters that a presigned URL gets; a request must not have them already.
const QUERY_PARAMETERS: [&str; 7] = [
    "x-oss-additional-headers",
    "x-oss-credential",
    "x-oss-date",
    "x-oss-expires",
    "x-oss-security-token",
    "x-oss-signature",
    "x-oss-signature-version",
];

/// Signature V4, the default. Keeps the keys that it derives.
#[derive(Debug, Default)]
pub struct SignerV4 {
    keys: SigningKeyCache,
}

impl SignerV4 {
    /// A signer without keys.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Signer for SignerV4 {
    fn sign(&self, request: &SigningRequest<'_>, credentials: &Credentials) -> Result<Signature, SigningError> {
        if request.region.is_empty() {
            return Err(SigningError::setting("region", "is required by signature V4"));
        }
        match request.placement {
            Placement::Headers => self.in_headers(request, credentials),
            Placement::Query { expires } => self.in_query(request, credentials, expires.as_secs()),
        }
    }

    /// The signature covers nothing but the policy, so the policy binds what else belongs to it.
    fn sign_form(&self, request: &FormRequest<'_>, credentials: &Credentials) -> Result<FormSignature, SigningError> {
        if request.region.is_empty() {
            return Err(SigningError::setting("region", "is required by signature V4"));
        }
        let date_time = request.time.iso8601_basic();
        let date_text = request.time.to_iso8601_basic();
        let scope = scope(&date_time, request.region, request.product);
        let credential = format!("{}/{scope}", credentials.access_key_id());
        let mut fields = vec![
            ("x-oss-signature-version", ALGORITHM),
            ("x-oss-credential", credential.as_str()),
            ("x-oss-date", date_text.as_str()),
        ];
        if let Some(token) = credentials.security_token() {
            fields.push((X_OSS_SECURITY_TOKEN.as_str(), token.expose()));
        }
        let policy = request.policy(&fields);
        let mut signature = Vec::with_capacity(64);
        let secret = credentials.access_key_secret();
        self.push_hmac(
            &mut signature,
            &date_time,
            request.region,
            request.product,
            secret,
            policy.as_bytes(),
        );
        let mut signed = FormSignature::new(policy);
        for (name, value) in fields {
            signed.push(name, value);
        }
        signed.push(
            "x-oss-signature",
            signature.into_iter().map(char::from).collect::<String>(),
        );
        Ok(signed)
    }
}

impl SignerV4 {
    fn in_headers(&self, request: &SigningRequest<'_>, credentials: &Credentials) -> Result<Signature, SigningError> {
        let time = signing_time(request);
        let date_time = time.iso8601_basic();
        let scope = scope(&date_time, request.region, request.product);
        let token = credentials.security_token().map(|token| token.expose());

        let (mut wanted, additional) = covered_headers(request);
        wanted.retain(|(name, _)| *name != X_OSS_DATE.as_str() && *name != X_OSS_SECURITY_TOKEN.as_str());
        wanted.push((X_OSS_DATE.as_str(), &date_time));
        if let Some(token) = token {
            wanted.push((X_OSS_SECURITY_TOKEN.as_str(), token.as_bytes()));
        }
        let payload = request.headers.get(&X_OSS_CONTENT_SHA256).map(HeaderValue::as_bytes);
        if payload.is_none() {
            wanted.push((X_OSS_CONTENT_SHA256.as_str(), UNSIGNED_PAYLOAD.as_bytes()));
        }
        let payload = payload.unwrap_or(UNSIGNED_PAYLOAD.as_bytes());
        let canonical = canonical_request(request, "", &mut wanted, &additional, payload);
        let string_to_sign = string_to_sign(&date_time, &scope, &canonical);

        let mut authorization = Vec::with_capacity(256);
        authorization.extend_from_slice(ALGORITHM.as_bytes());
        authorization.extend_from_slice(b" Credential=");
        authorization.extend_from_slice(credentials.access_key_id().as_bytes());
        authorization.push(b'/');
        authorization.extend_from_slice(scope.as_bytes());
        if !additional.is_empty() {
            authorization.extend_from_slice(b",AdditionalHeaders=");
            push_names(&mut authorization, &additional);
        }
        authorization.extend_from_slice(b",Signature=");
        self.push_signature(&mut authorization, &date_time, request, credentials, &string_to_sign);
        let mut authorization = header_value("access_key_id", authorization)?;
        authorization.set_sensitive(true);

        let mut headers = Vec::with_capacity(5);
        headers.push((X_OSS_DATE.clone(), header_value("time", date_time)?));
        headers.push((header::DATE, header_value("time", time.http_date())?));
        if !request.headers.contains_key(&X_OSS_CONTENT_SHA256) {
            headers.push((X_OSS_CONTENT_SHA256.clone(), HeaderValue::from_static(UNSIGNED_PAYLOAD)));
        }
        if let Some(token) = token {
            headers.push((X_OSS_SECURITY_TOKEN.clone(), token_value(token)?));
        }
        headers.push((header::AUTHORIZATION, authorization));
        Ok(Signature {
            headers,
            string_to_sign,
            canonical_request: canonical,
            ..Signature::default()
        })
    }

    fn in_query(
        &self,
        request: &SigningRequest<'_>,
        credentials: &Credentials,
        expires: u64,
    ) -> Result<Signature, SigningError> {
        if !(1..=MAX_EXPIRES).contains(&expires) {
            let rule = format!("must be from 1 second to {MAX_EXPIRES} seconds (seven days), it is {expires}");
            return Err(SigningError::new("expires", rule));
        }
        if let Some((name, _)) = pairs(request.query).find(|(name, _)| QUERY_PARAMETERS.contains(name)) {
            return Err(SigningError::new(
                "query",
                format!("has the parameter `{name}`, which signing adds"),
            ));
        }
        let date_time = signing_time(request).iso8601_basic();
        let scope = scope(&date_time, request.region, request.product);
        let (mut wanted, additional) = covered_headers(request);
        let mut signed_headers: Vec<HeaderName> = Vec::with_capacity(wanted.len());
        for (name, _) in &wanted {
            if let Ok(name) = HeaderName::from_bytes(name.as_bytes())
                && !signed_headers.contains(&name)
            {
                signed_headers.push(name);
            }
        }

        let mut query = String::with_capacity(512);
        query.push_str("x-oss-signature-version=");
        query.push_str(ALGORITHM);
        query.push_str("&x-oss-date=");
        query.extend(date_time.iter().map(|&byte| char::from(byte)));
        query.push_str("&x-oss-expires=");
        query.push_str(&expires.to_string());
        query.push_str("&x-oss-credential=");
        percent::push_component(&mut query, credentials.access_key_id());
        query.push_str("%2F");
        percent::push_component(&mut query, &scope);
        if let Some(token) = credentials.security_token() {
            query.push_str("&x-oss-security-token=");
            percent::push_component(&mut query, token.expose());
        }
        if !additional.is_empty() {
            query.push_str("&x-oss-additional-headers=");
            query.push_str(&additional.join("%3B"));
        }
        let canonical = canonical_request(request, &query, &mut wanted, &additional, UNSIGNED_PAYLOAD.as_bytes());
        let string_to_sign = string_to_sign(&date_time, &scope, &canonical);
        let mut signature = Vec::with_capacity(64);
        self.push_signature(&mut signature, &date_time, request, credentials, &string_to_sign);
        query.push_str("&x-oss-signature=");
        query.extend(signature.iter().map(|&byte| char::from(byte)));
        Ok(Signature {
            query,
            signed_headers,
            string_to_sign,
            canonical_request: canonical,
            ..Signature::default()
        })
    }

    fn push_signature(
        &self,
        out: &mut Vec<u8>,
        date_time: &[u8; 16],
        request: &SigningRequest<'_>,
        credentials: &Credentials,
        string_to_sign: &[u8],
    ) {
        let secret = credentials.access_key_secret();
        self.push_hmac(out, date_time, request.region, request.product, secret, string_to_sign);
    }

    fn push_hmac(
        &self,
        out: &mut Vec<u8>,
        date_time: &[u8; 16],
        region: &str,
        product: &str,
        secret: &Secret,
        text: &[u8],
    ) {
        let mut date = [0; 8];
        date.copy_from_slice(&date_time[..8]);
        let key = self.keys.key(secret, date, region, product);
        push_hex(out, &key.chain_update(text).finalize().into_bytes());
    }
}

/// A caller who fixed the time did so with the header.
fn signing_time(request: &SigningRequest<'_>) -> Timestamp {
    request
        .headers
        .get(&X_OSS_DATE)
        .and_then(|value| Timestamp::from_iso8601_basic(value.as_bytes()))
        .unwrap_or(request.time)
}

fn scope(date_time: &[u8; 16], region: &str, product: &str) -> String {
    let mut scope = String::with_capacity(64);
    scope.extend(date_time[..8].iter().map(|&byte| char::from(byte)));
    for part in [region, product, TERMINATOR] {
        scope.push('/');
        scope.push_str(part);
    }
    scope
}

type Covered<'a> = Vec<(&'a str, &'a [u8])>;

/// The headers that are signed, and the sorted names of those that are so only because the caller wants it.
fn covered_headers<'a>(request: &SigningRequest<'a>) -> (Covered<'a>, Vec<&'a str>) {
    let mut covered = Vec::with_capacity(request.headers.len() + 4);
    for (name, value) in request.headers {
        if is_always_signed(name.as_str()) {
            covered.push((name.as_str(), value.as_bytes()));
        }
    }
    let mut additional: Vec<&str> = Vec::new();
    for name in request.additional_headers {
        let text = name.as_str();
        if is_always_signed(text) || additional.contains(&text) {
            continue;
        }
        let before = covered.len();
        let values = request.headers.get_all(name).iter().map(HeaderValue::as_bytes);
        covered.extend(
            values
                .filter(|value| !value.trim_ascii().is_empty())
                .map(|value| (text, value)),
        );
        // The transport sets it; what it will be is known.
        if name == header::HOST && covered.len() == before && !request.host.is_empty() {
            covered.push((text, request.host.as_bytes()));
        }
        if covered.len() > before {
            additional.push(text);
        }
    }
    additional.sort_unstable();
    (covered, additional)
}

fn is_always_signed(name: &str) -> bool {
    name.starts_with(X_OSS_PREFIX) || name == "content-type" || name == "content-md5"
}

fn canonical_request(
    request: &SigningRequest<'_>,
    added_query: &str,
    headers: &mut [(&str, &[u8])],
    additional: &[&str],
    payload: &[u8],
) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    out.extend_from_slice(request.method.as_str().as_bytes());
    out.push(b'\n');
    push_resource(&mut out, request);
    out.push(b'\n');

    let mut parameters: Vec<(&str, &str)> = pairs(request.query).chain(pairs(added_query)).collect();
    parameters.sort();
    for (index, (name, value)) in parameters.iter().enumerate() {
        if index > 0 {
            out.push(b'&');
        }
        out.extend_from_slice(name.as_bytes());
        if !value.is_empty() {
            out.push(b'=');
            out.extend_from_slice(value.as_bytes());
        }
    }
    out.push(b'\n');

    push_header_lines(&mut out, headers);
    out.push(b'\n');
    push_names(&mut out, additional);
    out.push(b'\n');
    out.extend_from_slice(payload);
    out
}

/// The resource's name, which is independent of how it is addressed.
fn push_resource(out: &mut Vec<u8>, request: &SigningRequest<'_>) {
    let push = |out: &mut Vec<u8>, text: &str| percent::extend_path(out, text);
    out.push(b'/');
    match (request.service.signing, request.bucket) {
        (SigningResource::VectorArn, bucket) => {
            push(out, "acs:ossvector:");
            push(out, request.region);
            push(out, ":");
            // The name of the service itself has neither account nor bucket.
            if let Some(bucket) = bucket {
                push(out, request.account_id.unwrap_or_default());
                push(out, ":");
                push(out, bucket);
            } else {
                push(out, ":");
            }
            out.push(b'/');
        }
        (SigningResource::TableArn, None) => {
            push(out, "acs:osstables:");
            push(out, request.region);
            push(out, "::bucket//");
        }
        (_, Some(bucket)) => {
            push(out, bucket);
            out.push(b'/');
        }
        (_, None) => {}
    }
    if let Some(key) = request.key {
        push(out, key);
    } else if let Some(path) = request.path {
        // It is encoded as segments, slashes within them too; the signature keeps all slashes.
        match percent::decode(path) {
            Some(decoded) => push(out, &decoded),
            None => out.extend_from_slice(path.as_bytes()),
        }
    }
}

fn pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

fn push_names(out: &mut Vec<u8>, names: &[&str]) {
    for (index, name) in names.iter().enumerate() {
        if index > 0 {
            out.push(b';');
        }
        out.extend_from_slice(name.as_bytes());
    }
}

fn string_to_sign(date_time: &[u8; 16], scope: &str, canonical: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(192);
    out.extend_from_slice(ALGORITHM.as_bytes());
    out.push(b'\n');
    out.extend_from_slice(date_time);
    out.push(b'\n');
    out.extend_from_slice(scope.as_bytes());
    out.push(b'\n');
    push_hex(&mut out, &Sha256::digest(canonical));
    out
}
