//! Signature V1, HMAC-SHA1, in the Authorization header and in the query of presigned URLs.

use std::collections::BTreeMap;

use super::{Context, Parts, Principal, check_skew, expired, malformed, mismatch};
use crate::error::ServiceError;
use crate::request::header as header_text;
use crate::{text, time};

/// Query keys that are part of the resource, besides the models' sub-resources and every `x-oss-*`.
const SIGNED_PARAMETERS: &[&str] = &[
    "accessPoint",
    "accessPointConfigForObjectProcess",
    "accessPointForObjectProcess",
    "accessPointPolicy",
    "accessPointPolicyForObjectProcess",
    "acl",
    "append",
    "bucketArchiveDirectRead",
    "bucketInfo",
    "callback",
    "callback-var",
    "cleanRestoredObject",
    "cloudboxes",
    "cname",
    "comp",
    "continuation-token",
    "cors",
    "delete",
    "encryption",
    "httpsConfig",
    "inventory",
    "inventoryId",
    "legalHold",
    "lifecycle",
    "location",
    "logging",
    "metaQuery",
    "objectMeta",
    "objectWorm",
    "overwriteConfig",
    "partNumber",
    "policy",
    "policyStatus",
    "position",
    "publicAccessBlock",
    "qos",
    "redundancyTransition",
    "referer",
    "regionList",
    "replication",
    "replicationLocation",
    "replicationProgress",
    "requestPayment",
    "resourceGroup",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "retention",
    "rtc",
    "seal",
    "security-token",
    "sequential",
    "stat",
    "style",
    "styleName",
    "symlink",
    "tagging",
    "transferAcceleration",
    "uploadId",
    "uploads",
    "userDefinedLogFieldsConfig",
    "versionId",
    "versioning",
    "versions",
    "website",
    "worm",
    "wormExtend",
    "wormId",
];

/// Verifies the Authorization header.
pub(crate) fn header(authorization: &str, parts: Parts<'_>, context: Context<'_>) -> Result<Principal, ServiceError> {
    let claim = authorization
        .strip_prefix("OSS ")
        .and_then(|claim| claim.split_once(':'));
    let (access_key_id, signature) = claim
        .filter(|(id, signature)| !id.is_empty() && !signature.is_empty())
        .ok_or_else(|| malformed("The Authorization header is not OSS {key id}:{signature}."))?;
    let dates = [
        header_text(parts.headers, "x-oss-date"),
        header_text(parts.headers, "date"),
    ];
    let signed_at = dates
        .iter()
        .flatten()
        .find_map(|date| time::parse_http_date(date).or_else(|| time::parse_compact(date)))
        .ok_or_else(|| ServiceError::access_denied("OSS authentication requires a valid Date."))?;
    let found = context.keys.find(
        access_key_id,
        header_text(parts.headers, "x-oss-security-token"),
        context.now,
    )?;
    check_skew(signed_at, context.now)?;
    let mut last = String::new();
    // The date line is x-oss-date where it is given, but one official client keeps signing Date.
    for date in dates.into_iter().flatten() {
        last = string_to_sign(date, parts, context);
        if text::same_secret(&sign(&found.secret, &last), signature) {
            context.signed.note(last);
            return Ok(found.principal);
        }
    }
    Err(mismatch(access_key_id, signature, &last))
}

/// Verifies the parameters of a presigned URL.
pub(crate) fn query(parts: Parts<'_>, context: Context<'_>) -> Result<Principal, ServiceError> {
    let required = |name: &str| {
        let missing =
            || ServiceError::invalid_argument(format!("The parameter {name} of the signature is missing."), name, "");
        parts
            .query
            .get(name)
            .filter(|value| !value.is_empty())
            .ok_or_else(missing)
    };
    let access_key_id = required("OSSAccessKeyId")?;
    let signature = required("Signature")?;
    let raw_expires = required("Expires")?;
    let expires = raw_expires
        .parse::<i64>()
        .ok()
        .and_then(time::from_unix)
        .ok_or_else(|| {
            ServiceError::invalid_argument("The expiry is not a Unix time stamp.", "Expires", raw_expires)
        })?;
    let found = context
        .keys
        .find(access_key_id, parts.query.get("security-token"), context.now)?;
    if context.now >= expires {
        return Err(expired(expires, context.now));
    }
    let string_to_sign = string_to_sign(raw_expires, parts, context);
    if text::same_secret(&sign(&found.secret, &string_to_sign), signature) {
        context.signed.note(string_to_sign);
        Ok(found.principal)
    } else {
        Err(mismatch(access_key_id, signature, &string_to_sign))
    }
}

fn sign(secret: &str, string_to_sign: &str) -> String {
    text::base64(&text::hmac_sha1(secret.as_bytes(), string_to_sign.as_bytes()))
}

fn string_to_sign(date: &str, parts: Parts<'_>, context: Context<'_>) -> String {
    // All values of a header are signed, or another one could be added.
    let value = |name: &str| {
        let values = parts.headers.get_all(name).iter();
        let values = values.map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_owned());
        values.collect::<Vec<_>>().join(",")
    };
    let mut headers: BTreeMap<&str, String> = BTreeMap::new();
    for name in parts
        .headers
        .keys()
        .map(http::HeaderName::as_str)
        .filter(|name| name.starts_with("x-oss-"))
    {
        headers.insert(name, value(name));
    }
    let headers: String = headers
        .iter()
        .map(|(name, value)| format!("{name}:{value}\n"))
        .collect();
    let (md5, content_type) = (value("content-md5"), value("content-type"));
    format!(
        "{}\n{md5}\n{content_type}\n{date}\n{headers}{}",
        parts.method,
        canonical_resource(parts, context)
    )
}

fn canonical_resource(parts: Parts<'_>, context: Context<'_>) -> String {
    let bucket = parts.bucket.map(|bucket| format!("{bucket}/")).unwrap_or_default();
    let is_signed = |name: &str| {
        name.starts_with("x-oss-")
            || SIGNED_PARAMETERS.contains(&name)
            || context.subresources.iter().any(|other| other == name)
    };
    let mut signed: Vec<_> = parts
        .query
        .iter()
        .filter(|parameter| is_signed(&parameter.name))
        .collect();
    signed.sort_by(|a, b| a.name.cmp(&b.name));
    let signed: Vec<_> = signed
        .into_iter()
        .map(|parameter| match parameter.value.as_str() {
            "" => parameter.name.clone(),
            value => format!("{}={value}", parameter.name),
        })
        .collect();
    let separator = if signed.is_empty() { "" } else { "?" };
    format!(
        "/{bucket}{}{separator}{}",
        parts.key.unwrap_or_default(),
        signed.join("&")
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::auth::test_vectors::{self, Case};

    use super::*;

    #[test]
    fn the_published_figures_are_accepted() {
        let cases = test_vectors::load("v1");
        assert!(cases.len() >= 10, "{}", cases.len());
        for case in cases {
            case.assert_accepted();
            case.assert_string_to_sign(|case: &Case| {
                let keys = case.keys();
                let date = case.date_line();
                string_to_sign(&date, case.parts(), case.context(&keys, &[]))
            });
        }
    }

    #[test]
    fn half_a_claim_is_an_invalid_argument() {
        let keys = super::super::keys::Keys::new(BTreeMap::new());
        let case = test_vectors::load("v1").remove(0);
        for text in ["OSS ", "OSS id", "OSS :sig", "OSS id:"] {
            let error = header(text, case.parts(), case.context(&keys, &[])).unwrap_err();
            assert_eq!(error.code, "InvalidArgument", "{text}");
        }
    }
}
