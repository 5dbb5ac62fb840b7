//! Signatures of RPC services: version 1.0 (HMAC-SHA1 over all parameters) and ACS3-HMAC-SHA256.

use http::HeaderMap;

use super::keys::{Found, Keys};
use super::nonces::Nonces;
use super::{Principal, Signed, check_skew, malformed, mismatch};
use crate::error::ServiceError;
use crate::request::{Query, header};
use crate::{text, time};

const ACS3: &str = "ACS3-HMAC-SHA256";

/// The parts of an RPC request that signatures cover.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts<'r> {
    pub(crate) method: &'r str,
    pub(crate) path: &'r str,
    pub(crate) query: &'r Query,
    /// Parameters of the form body.
    pub(crate) form: &'r Query,
    pub(crate) headers: &'r HeaderMap,
    pub(crate) body: &'r [u8],
}

/// What a verification is measured against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'c> {
    pub(crate) keys: &'c Keys,
    pub(crate) nonces: &'c Nonces,
    pub(crate) now: std::time::SystemTime,
    /// Where the text goes that a signature was verified over.
    pub(crate) signed: &'c Signed,
}

/// Names the principal of an RPC request, which is never anonymous.
pub(crate) fn authenticate(parts: Parts<'_>, context: Context<'_>) -> Result<Principal, ServiceError> {
    match header(parts.headers, "authorization") {
        Some(text) if text.starts_with(ACS3) => acs3(text, parts, context),
        Some(_) => Err(malformed("The Authorization header is not of ACS3-HMAC-SHA256.")),
        None => parameters(parts, context),
    }
}

fn parameters(parts: Parts<'_>, context: Context<'_>) -> Result<Principal, ServiceError> {
    let all = parts.query.clone().joined(parts.form.clone());
    let required = |name: &str| {
        let missing = || {
            ServiceError::new(
                400,
                format!("Missing{name}"),
                format!("{name} is mandatory for this action."),
            )
        };
        all.get(name).filter(|value| !value.is_empty()).ok_or_else(missing)
    };
    let access_key_id = required("AccessKeyId")?;
    let signature = required("Signature")?;
    let stamp = required("Timestamp")?;
    let nonce = required("SignatureNonce")?;
    for (name, value) in [("SignatureMethod", "HMAC-SHA1"), ("SignatureVersion", "1.0")] {
        if required(name)? != value {
            return Err(ServiceError::invalid_argument(
                format!("The parameter {name} must be {value}."),
                name,
                all.get(name).unwrap_or_default(),
            ));
        }
    }
    let signed_at = time::parse_iso8601(stamp).ok_or_else(|| {
        ServiceError::new(
            400,
            "InvalidTimeStamp.Format",
            "Specified time stamp or date value is not well formatted.",
        )
    })?;
    let found = find(context, access_key_id, all.get("SecurityToken"))?;
    check_skew(signed_at, context.now).map_err(|error| ServiceError {
        code: "InvalidTimeStamp.Expired".to_owned(),
        status: 400,
        ..error
    })?;
    let string_to_sign = string_to_sign(parts.method, &all);
    let key = format!("{}&", found.secret);
    let expected = text::base64(&text::hmac_sha1(key.as_bytes(), string_to_sign.as_bytes()));
    if !text::same_secret(&expected, signature) {
        return Err(mismatch(access_key_id, signature, &string_to_sign));
    }
    context.nonces.take(access_key_id, nonce, signed_at, context.now)?;
    context.signed.note(string_to_sign);
    Ok(found.principal)
}

fn find(context: Context<'_>, access_key_id: &str, token: Option<&str>) -> Result<Found, ServiceError> {
    let token = token.filter(|token| !token.is_empty());
    if token.is_none() && context.keys.is_session(access_key_id) {
        return Err(ServiceError::new(
            400,
            "MissingSecurityToken",
            "SecurityToken is mandatory for this action.",
        ));
    }
    context.keys.find(access_key_id, token, context.now).map_err(rpc_code)
}

/// The RPC services have other names for what the key can be refused for.
fn rpc_code(error: ServiceError) -> ServiceError {
    let code = match error.code.as_str() {
        "InvalidAccessKeyId" => "InvalidAccessKeyId.NotFound",
        "InvalidSecurityToken" => "InvalidSecurityToken.MismatchWithAccessKey",
        "SecurityTokenExpired" => "InvalidSecurityToken.Expired",
        _ => return error,
    };
    ServiceError {
        code: code.to_owned(),
        ..error
    }
}

fn string_to_sign(method: &str, parameters: &Query) -> String {
    format!("{method}&%2F&{}", text::encode(&canonical_query(parameters, true)))
}

fn canonical_query(parameters: &Query, keep_equals: bool) -> String {
    let signed = parameters.iter().filter(|parameter| parameter.name != "Signature");
    let mut pairs: Vec<_> = signed
        .map(|parameter| (text::encode(&parameter.name), text::encode(&parameter.value)))
        .collect();
    pairs.sort();
    let join = |(name, value): &(String, String)| match value.as_str() {
        "" if !keep_equals => name.clone(),
        value => format!("{name}={value}"),
    };
    pairs.iter().map(join).collect::<Vec<_>>().join("&")
}

fn acs3(authorization: &str, parts: Parts<'_>, context: Context<'_>) -> Result<Principal, ServiceError> {
    let (mut credential, mut names, mut signature) = (None, None, None);
    let fields = authorization.strip_prefix(ACS3).unwrap_or_default();
    for field in fields.split(',') {
        match field.trim().split_once('=') {
            Some(("Credential", value)) => credential = Some(value),
            Some(("SignedHeaders", value)) => names = Some(value),
            Some(("Signature", value)) => signature = Some(value),
            _ => {
                return Err(malformed(
                    "The Authorization header has a part that is not Credential, SignedHeaders or Signature.",
                ));
            }
        }
    }
    let (Some(access_key_id), Some(names), Some(signature)) = (credential, names, signature) else {
        return Err(malformed(
            "The Authorization header lacks Credential, SignedHeaders or Signature.",
        ));
    };
    let stamp = header(parts.headers, "x-acs-date").unwrap_or_default();
    let signed_at = time::parse_iso8601(stamp).ok_or_else(|| {
        ServiceError::new(
            400,
            "InvalidTimeStamp.Format",
            "Specified time stamp or date value is not well formatted.",
        )
    })?;
    let hash = text::sha256_hex(parts.body);
    if header(parts.headers, "x-acs-content-sha256") != Some(hash.as_str()) {
        return Err(ServiceError::invalid_argument(
            "The payload hash is not that of the body.",
            "x-acs-content-sha256",
            &hash,
        ));
    }
    let mandatory = [
        "host",
        "x-acs-action",
        "x-acs-content-sha256",
        "x-acs-date",
        "x-acs-signature-nonce",
        "x-acs-version",
    ];
    if let Some(missing) = mandatory
        .iter()
        .find(|name| !names.split(';').any(|signed| signed == **name))
    {
        return Err(malformed(&format!("The header {missing} is not signed.")));
    }
    let token = header(parts.headers, "x-acs-security-token");
    let found = find(context, access_key_id, token)?;
    check_skew(signed_at, context.now).map_err(|error| ServiceError {
        code: "InvalidTimeStamp.Expired".to_owned(),
        status: 400,
        ..error
    })?;
    let headers: String = names
        .split(';')
        .map(|name| format!("{name}:{}\n", header(parts.headers, name).unwrap_or_default().trim()))
        .collect();
    let request = format!(
        "{}\n{}\n{}\n{headers}\n{names}\n{hash}",
        parts.method,
        parts.path,
        canonical_query(parts.query, true)
    );
    let string_to_sign = format!("{ACS3}\n{}", text::sha256_hex(request.as_bytes()));
    let expected = text::hex(&text::hmac_sha256(found.secret.as_bytes(), string_to_sign.as_bytes()));
    if !text::same_secret(&expected, signature) {
        return Err(mismatch(access_key_id, signature, &string_to_sign).detail("CanonicalRequest", request));
    }
    let nonce = header(parts.headers, "x-acs-signature-nonce").unwrap_or_default();
    context.nonces.take(access_key_id, nonce, signed_at, context.now)?;
    context.signed.note(format!("{request}\n\n{string_to_sign}"));
    Ok(found.principal)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use http::{HeaderName, HeaderValue};

    use super::*;
    use crate::auth::keys::AccessKey;

    fn keys() -> Keys {
        let key = AccessKey {
            secret: "testsecret".to_owned(),
            account: "1".to_owned(),
        };
        Keys::new(BTreeMap::from([("testid".to_owned(), key)]))
    }

    /// Code of the refusal, and what the signature was verified over.
    fn judged(parts: Parts<'_>) -> (Option<String>, Option<String>) {
        let (keys, nonces, signed) = (keys(), Nonces::default(), Signed::default());
        let context = Context {
            keys: &keys,
            nonces: &nonces,
            now: time::parse_iso8601("2026-01-01T00:00:00Z").unwrap(),
            signed: &signed,
        };
        let refusal = authenticate(parts, context).err().map(|error| error.code);
        (refusal, signed.take())
    }

    const FORM: &str = "AccessKeyId=testid&Action=AssumeRole&DurationSeconds=3600&Format=JSON&Policy=%7B%22Version%22%3A%221%22%2C%22Statement%22%3A%5B%5D%7D\
        &RoleArn=acs%3Aram%3A%3A123456789012%3Arole%2Fdemo&RoleSessionName=demo%20session%2A~&SignatureMethod=HMAC-SHA1&SignatureNonce=nonce-1\
        &SignatureVersion=1.0&Timestamp=2026-01-01T00%3A00%3A00Z&Version=2015-04-01";

    #[test]
    fn the_published_parameter_signature_is_accepted() {
        let form = Query::parse(FORM).unwrap();
        let headers = HeaderMap::new();
        let verdict = |signature: &str| {
            let query = Query::parse(&format!("Signature={}", text::encode(signature))).unwrap();
            let parts = Parts {
                method: "POST",
                path: "/",
                query: &query,
                form: &form,
                headers: &headers,
                body: b"",
            };
            judged(parts)
        };
        let (refusal, signed) = verdict("vXyllacy2fr5YcW6dE/4+W4T8Zk=");
        assert_eq!(refusal, None);
        assert!(
            signed
                .unwrap()
                .starts_with("POST&%2F&AccessKeyId%3Dtestid%26Action%3DAssumeRole%26")
        );
        let (refusal, signed) = verdict("vXyllacy2fr5YcW6dE/4+W4T8Zl=");
        assert_eq!((refusal.as_deref(), signed), (Some("SignatureDoesNotMatch"), None));
    }

    #[test]
    fn the_published_acs3_signature_is_accepted() {
        let body = b"RoleArn=acs%3Aram%3A%3A123456789012%3Arole%2Fdemo&RoleSessionName=demo";
        let hash = text::sha256_hex(body);
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("host", "sts.cn-hangzhou.aliyuncs.com"),
            ("content-type", "application/x-www-form-urlencoded"),
            ("x-acs-action", "AssumeRole"),
            ("x-acs-version", "2015-04-01"),
            ("x-acs-date", "2026-01-01T00:00:00Z"),
            ("x-acs-signature-nonce", "nonce-1"),
            ("x-acs-content-sha256", &hash),
            (
                "authorization",
                "ACS3-HMAC-SHA256 Credential=testid,SignedHeaders=content-type;host;x-acs-action;x-acs-content-sha256;x-acs-date;\
                 x-acs-signature-nonce;x-acs-version,Signature=15ea84aee7b36518a63d0ead7cde9f1a36748e528bc24f17c6ab59d296f47b8f",
            ),
        ] {
            headers.insert(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        let query = Query::default();
        let form = Query::parse(std::str::from_utf8(body).unwrap()).unwrap();
        let parts = Parts {
            method: "POST",
            path: "/",
            query: &query,
            form: &form,
            headers: &headers,
            body,
        };
        let (refusal, signed) = judged(parts);
        assert_eq!(refusal, None);
        let signed = signed.unwrap();
        assert!(
            signed.starts_with("POST\n/\n\ncontent-type:") && signed.contains("\n\nACS3-HMAC-SHA256\n"),
            "{signed}"
        );
        let parts = Parts {
            body: b"other",
            ..parts
        };
        assert_eq!(judged(parts), (Some("InvalidArgument".to_owned()), None));
    }
}
