//! Signature V4, `OSS4-HMAC-SHA256`, in the Authorization header and in the query of presigned URLs.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use super::keys::Found;
use super::{Context, MAX_SKEW, Parts, Principal, check_skew, expired, malformed, mismatch};
use crate::error::ServiceError;
use crate::request::{Query, header as header_text};
use crate::{text, time};

/// Name of the signature's algorithm.
pub(crate) const ALGORITHM: &str = "OSS4-HMAC-SHA256";
const TERMINATOR: &str = "aliyun_v4_request";
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
/// Longest life of a presigned URL: seven days.
const MAX_EXPIRES: u64 = 604_800;

/// What a request says about its own signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claim {
    access_key_id: String,
    date: String,
    region: String,
    product: String,
    /// Lower case, sorted.
    additional: Vec<String>,
    signature: String,
}

/// Verifies the Authorization header.
pub(crate) fn header(authorization: &str, parts: Parts<'_>, context: Context<'_>) -> Result<Principal, ServiceError> {
    let claim = Claim::from_header(authorization)?;
    let (stamp, signed_at) = match (
        header_text(parts.headers, "x-oss-date"),
        header_text(parts.headers, "date"),
    ) {
        (Some(stamp), _) => (stamp.to_owned(), time::parse_compact(stamp)),
        (None, Some(date)) => {
            let parsed = time::parse_http_date(date).or_else(|| time::parse_compact(date));
            (parsed.map(time::compact).unwrap_or_default(), parsed)
        }
        (None, None) => {
            return Err(ServiceError::access_denied("OSS authentication requires a valid Date."));
        }
    };
    let signed_at =
        signed_at.ok_or_else(|| ServiceError::access_denied("OSS authentication requires a valid Date."))?;
    if header_text(parts.headers, "x-oss-content-sha256").is_some_and(|hash| hash != UNSIGNED) {
        return Err(ServiceError::invalid_argument(
            "The payload hash must be UNSIGNED-PAYLOAD.",
            "x-oss-content-sha256",
            header_text(parts.headers, "x-oss-content-sha256").unwrap_or_default(),
        ));
    }
    let found = context.keys.find(
        &claim.access_key_id,
        header_text(parts.headers, "x-oss-security-token"),
        context.now,
    )?;
    check_skew(signed_at, context.now)?;
    claim.check_scope(&stamp, context)?;
    claim.verify(&found, &stamp, parts, context)?;
    Ok(found.principal)
}

/// Verifies the parameters of a presigned URL.
pub(crate) fn query(parts: Parts<'_>, context: Context<'_>) -> Result<Principal, ServiceError> {
    let claim = Claim::from_query(parts.query)?;
    let stamp = required(parts.query, "x-oss-date")?;
    let signed_at = time::parse_compact(stamp).ok_or_else(|| {
        ServiceError::invalid_argument("The date is not of the form YYYYMMDDTHHMMSSZ.", "x-oss-date", stamp)
    })?;
    let raw_expires = required(parts.query, "x-oss-expires")?;
    let expires = raw_expires
        .parse::<u64>()
        .ok()
        .filter(|seconds| (1..=MAX_EXPIRES).contains(seconds))
        .ok_or_else(|| {
            ServiceError::invalid_argument(
                "The validity must be between 1 and 604800 seconds (seven days).",
                "x-oss-expires",
                raw_expires,
            )
        })?;
    let found = context.keys.find(
        &claim.access_key_id,
        parts.query.get("x-oss-security-token"),
        context.now,
    )?;
    check_life(signed_at, Duration::from_secs(expires), context.now)?;
    claim.check_scope(stamp, context)?;
    claim.verify(&found, stamp, parts, context)?;
    Ok(found.principal)
}

fn check_life(signed_at: SystemTime, life: Duration, now: SystemTime) -> Result<(), ServiceError> {
    if signed_at.duration_since(now).is_ok_and(|ahead| ahead > MAX_SKEW) {
        return Err(
            ServiceError::access_denied("Request is not valid yet.").detail("ServerTime", time::iso8601_millis(now))
        );
    }
    let end = signed_at + life;
    if now >= end { Err(expired(end, now)) } else { Ok(()) }
}

fn required<'q>(query: &'q Query, name: &str) -> Result<&'q str, ServiceError> {
    query.get(name).filter(|value| !value.is_empty()).ok_or_else(|| {
        ServiceError::invalid_argument(format!("The parameter {name} of the signature is missing."), name, "")
    })
}

impl Claim {
    /// Reads `OSS4-HMAC-SHA256 Credential=...,AdditionalHeaders=...,Signature=...`.
    fn from_header(text: &str) -> Result<Self, ServiceError> {
        let fields = text
            .strip_prefix(ALGORITHM)
            .filter(|rest| rest.starts_with(' '))
            .ok_or_else(|| malformed("The Authorization header has another algorithm."))?;
        let (mut credential, mut additional, mut signature) = (None, None, None);
        for field in fields.split(',') {
            let earlier = match field.trim().split_once('=') {
                Some(("Credential", value)) => credential.replace(value),
                Some(("AdditionalHeaders", value)) => additional.replace(value),
                Some(("Signature", value)) => signature.replace(value),
                _ => {
                    return Err(malformed(
                        "The Authorization header has a part that is not Credential, AdditionalHeaders or Signature.",
                    ));
                }
            };
            if earlier.is_some() {
                return Err(malformed("The Authorization header has a part twice."));
            }
        }
        let credential = credential.ok_or_else(|| malformed("The Authorization header has no Credential."))?;
        let signature = signature.ok_or_else(|| malformed("The Authorization header has no Signature."))?;
        Self::new(credential, additional.unwrap_or_default(), signature)
    }

    fn from_query(query: &Query) -> Result<Self, ServiceError> {
        let version = required(query, "x-oss-signature-version")?;
        if version != ALGORITHM {
            return Err(ServiceError::invalid_argument(
                "The signature version is not known.",
                "x-oss-signature-version",
                version,
            ));
        }
        let additional = query.get("x-oss-additional-headers").unwrap_or_default();
        Self::new(
            required(query, "x-oss-credential")?,
            additional,
            required(query, "x-oss-signature")?,
        )
    }

    fn new(credential: &str, additional: &str, signature: &str) -> Result<Self, ServiceError> {
        let mut parts = credential.split('/');
        let mut next = || parts.next().filter(|part| !part.is_empty()).map(str::to_owned);
        let (id, date, region, product, end) = (next(), next(), next(), next(), next());
        let (Some(access_key_id), Some(date), Some(region), Some(product), None) =
            (id, date, region, product, parts.next())
        else {
            return Err(malformed(
                "The Credential is not {key id}/{date}/{region}/{product}/aliyun_v4_request.",
            ));
        };
        if end.as_deref() != Some(TERMINATOR) {
            return Err(malformed("The Credential does not end in aliyun_v4_request."));
        }
        if signature.len() != 64
            || !signature
                .bytes()
                .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        {
            return Err(malformed("The Signature is not 64 hexadecimal digits in lower case."));
        }
        let mut additional: Vec<_> = additional
            .split(';')
            .map(|name| name.trim().to_ascii_lowercase())
            .filter(|name| !name.is_empty())
            .collect();
        additional.sort();
        Ok(Self {
            access_key_id,
            date,
            region,
            product,
            additional,
            signature: signature.to_owned(),
        })
    }

    fn check_scope(&self, stamp: &str, context: Context<'_>) -> Result<(), ServiceError> {
        let wrong = |what: &str| Err(malformed(&format!("Invalid signing {what} in Authorization header.")));
        if stamp.get(..8) != Some(self.date.as_str()) {
            return wrong("date");
        }
        if self.region != context.region {
            return wrong("region");
        }
        if self.product != context.product {
            return wrong("product");
        }
        Ok(())
    }

    fn verify(&self, found: &Found, stamp: &str, parts: Parts<'_>, context: Context<'_>) -> Result<(), ServiceError> {
        let mut last = String::new();
        for (account, uri) in canonical_uris(parts, context, found.principal.account()) {
            // Some clients sign headers without a value, some leave them out.
            for keep_empty in [true, false] {
                let request = self.canonical_request(&uri, parts, keep_empty);
                if text::same_secret(&self.sign(&found.secret, stamp, &request), &self.signature) {
                    let string_to_sign = self.string_to_sign(stamp, &request);
                    context.signed.note(format!("{request}\n\n{string_to_sign}"));
                    if let Some(account) = account {
                        context.signed.name_account(account);
                    }
                    if !keep_empty {
                        context.signed.leave_out_empty();
                    }
                    return Ok(());
                }
                last = request;
            }
        }
        let string_to_sign = self.string_to_sign(stamp, &last);
        Err(mismatch(&self.access_key_id, &self.signature, &string_to_sign).detail("CanonicalRequest", last))
    }

    fn scope(&self) -> String {
        format!("{}/{}/{}/{TERMINATOR}", self.date, self.region, self.product)
    }

    fn string_to_sign(&self, stamp: &str, canonical_request: &str) -> String {
        format!(
            "{ALGORITHM}\n{stamp}\n{}\n{}",
            self.scope(),
            text::sha256_hex(canonical_request.as_bytes())
        )
    }

    fn sign(&self, secret: &str, stamp: &str, canonical_request: &str) -> String {
        let key = [self.date.as_str(), &self.region, &self.product, TERMINATOR]
            .iter()
            .fold(format!("aliyun_v4{secret}").into_bytes(), |key, part| {
                text::hmac_sha256(&key, part.as_bytes())
            });
        text::hex(&text::hmac_sha256(
            &key,
            self.string_to_sign(stamp, canonical_request).as_bytes(),
        ))
    }

    fn canonical_request(&self, uri: &str, parts: Parts<'_>, keep_empty: bool) -> String {
        let additional = self.additional.join(";");
        let payload = header_text(parts.headers, "x-oss-content-sha256").unwrap_or(UNSIGNED);
        let headers = self.canonical_headers(parts, keep_empty);
        format!(
            "{}\n{uri}\n{}\n{headers}\n{additional}\n{payload}",
            parts.method,
            canonical_query(parts.query)
        )
    }

    fn canonical_headers(&self, parts: Parts<'_>, keep_empty: bool) -> String {
        let mut signed: BTreeMap<&str, String> = BTreeMap::new();
        for name in parts.headers.keys().map(http::HeaderName::as_str) {
            let always = name == "content-type" || name == "content-md5" || name.starts_with("x-oss-");
            if !always && !self.additional.iter().any(|other| other == name) {
                continue;
            }
            let values = parts
                .headers
                .get_all(name)
                .iter()
                .map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_owned());
            let value = values.collect::<Vec<_>>().join(",");
            if keep_empty || !value.is_empty() {
                signed.insert(name, value);
            }
        }
        signed.iter().map(|(name, value)| format!("{name}:{value}\n")).collect()
    }
}

/// The resource as the signature names it, and the account in it; several when the signature can name more than one: those of the
/// context, and that of whoever `signs`, which no longer need have a key of its own.
fn canonical_uris<'c>(
    parts: Parts<'_>,
    context: Context<'c>,
    signs: Option<&'c str>,
) -> Vec<(Option<&'c str>, String)> {
    let key = parts.key.unwrap_or_default();
    let region = context.region;
    if let Some(resource) = context.resource {
        return vec![(None, text::encode_path(resource))];
    }
    match parts.bucket {
        _ if context.arn_accounts.is_empty() => {
            let bucket = parts.bucket.map(|bucket| format!("{bucket}/")).unwrap_or_default();
            vec![(None, text::encode_path(&format!("/{bucket}{key}")))]
        }
        None => vec![(None, text::encode_path(&format!("/acs:ossvector:{region}::/")))],
        Some(bucket) => {
            let arn = |account: &str| text::encode_path(&format!("/acs:ossvector:{region}:{account}:{bucket}/{key}"));
            let known = context.arn_accounts.iter().copied();
            let signs = signs.filter(|signs| !context.host_names_account && !context.arn_accounts.contains(signs));
            known
                .chain(signs)
                .map(|account| (Some(account), arn(account)))
                .collect()
        }
    }
}

fn canonical_query(query: &Query) -> String {
    let signed = query.iter().filter(|parameter| parameter.name != "x-oss-signature");
    let mut pairs: Vec<_> = signed
        .map(|parameter| (text::encode(&parameter.name), text::encode(&parameter.value)))
        .collect();
    pairs.sort();
    let pairs = pairs.iter().map(|(name, value)| {
        if value.is_empty() {
            name.clone()
        } else {
            format!("{name}={value}")
        }
    });
    pairs.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
#[path = "v4_tests.rs"]
mod tests;
