//! Signatures of forms, which cover the policy as it was sent: V4 and V1.

use std::time::Duration;

use serde_json::Value as Json;

use super::{Context, Fields};
use crate::auth::{MAX_SKEW, Principal, mismatch};
use crate::error::ServiceError;
use crate::{text, time};

const ALGORITHM: &str = "OSS4-HMAC-SHA256";
/// How long after its date a V4 signature is good for.
const MAX_AGE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Names the principal of a form; a form without a signature is anonymous.
pub(super) fn verify(fields: &Fields, context: Context<'_>) -> Result<Principal, ServiceError> {
    let v4 = ["x-oss-signature-version", "x-oss-credential", "x-oss-signature"]
        .iter()
        .any(|name| fields.get(name).is_some());
    let v1 = ["ossaccesskeyid", "signature"]
        .iter()
        .any(|name| fields.get(name).is_some());
    match (v4, v1, fields.filled("policy")) {
        (false, false, None) => Ok(Principal::Anonymous),
        (true, true, _) => Err(ServiceError::invalid_argument(
            "Only one signature may be given in a form.",
            "x-oss-signature",
            "",
        )),
        (_, _, None) => Err(missing("policy")),
        (is_v4, _, Some(policy)) => {
            let principal = match is_v4 {
                true => verify_v4(fields, policy, context),
                false => verify_v1(fields, policy, context),
            }?;
            context.signed.note(shown(policy, fields));
            Ok(principal)
        }
    }
}

/// The policy as logs may show it: a session's token in it is replaced.
fn shown(policy: &str, fields: &Fields) -> String {
    let Some(token) = fields.filled("x-oss-security-token") else {
        return policy.to_owned();
    };
    let json = text::base64_decode(policy).and_then(|bytes| serde_json::from_slice::<Json>(&bytes).ok());
    json.map_or_else(
        || "***".to_owned(),
        |json| text::base64(json.to_string().replace(token, "***").as_bytes()),
    )
}

fn missing(name: &str) -> ServiceError {
    ServiceError::invalid_argument(
        format!(
            "Bucket POST must contain a field named '{name}'. If it is specified, please check the order of the fields."
        ),
        name,
        "",
    )
}

fn required<'f>(fields: &'f Fields, name: &str) -> Result<&'f str, ServiceError> {
    fields.filled(name).ok_or_else(|| missing(name))
}

fn verify_v1(fields: &Fields, policy: &str, context: Context<'_>) -> Result<Principal, ServiceError> {
    let id = required(fields, "ossaccesskeyid").map_err(|_| missing("OSSAccessKeyId"))?;
    let given = required(fields, "signature").map_err(|_| missing("Signature"))?;
    let found = context.keys.find(id, fields.get("x-oss-security-token"), context.now)?;
    let expected = text::base64(&text::hmac_sha1(found.secret.as_bytes(), policy.as_bytes()));
    match text::same_secret(&expected, given) {
        true => Ok(found.principal),
        false => Err(mismatch(id, given, policy)),
    }
}

fn verify_v4(fields: &Fields, policy: &str, context: Context<'_>) -> Result<Principal, ServiceError> {
    let version = required(fields, "x-oss-signature-version")?;
    if version != ALGORITHM {
        return Err(ServiceError::invalid_argument(
            "The signature version is not known.",
            "x-oss-signature-version",
            version,
        ));
    }
    let credential = required(fields, "x-oss-credential")?;
    let invalid = |why: &str| ServiceError::invalid_argument(why, "x-oss-credential", credential);
    let [id, date, region, product, "aliyun_v4_request"] = credential.split('/').collect::<Vec<_>>()[..] else {
        return Err(invalid(
            "The credential is not {key id}/{date}/{region}/{product}/aliyun_v4_request.",
        ));
    };
    let stamp = required(fields, "x-oss-date")?;
    let signed_at = time::parse_compact(stamp).ok_or_else(|| {
        ServiceError::invalid_argument("The date is not of the form YYYYMMDDTHHMMSSZ.", "x-oss-date", stamp)
    })?;
    let given = required(fields, "x-oss-signature")?;
    let found = context.keys.find(id, fields.get("x-oss-security-token"), context.now)?;
    if signed_at
        .duration_since(context.now)
        .is_ok_and(|ahead| ahead > MAX_SKEW)
        || context.now.duration_since(signed_at).is_ok_and(|age| age > MAX_AGE)
    {
        return Err(
            ServiceError::access_denied("Request has expired.").detail("ServerTime", time::iso8601_millis(context.now))
        );
    }
    if stamp.get(..8) != Some(date) {
        return Err(invalid("Invalid signing date in the credential."));
    }
    if region != context.region {
        return Err(invalid("Invalid signing region in the credential."));
    }
    if product != "oss" {
        return Err(invalid("Invalid signing product in the credential."));
    }
    let key = [date, region, product, "aliyun_v4_request"]
        .iter()
        .fold(format!("aliyun_v4{}", found.secret).into_bytes(), |key, part| {
            text::hmac_sha256(&key, part.as_bytes())
        });
    let expected = text::hex(&text::hmac_sha256(&key, policy.as_bytes()));
    match text::same_secret(&expected, given) {
        true => Ok(found.principal),
        false => Err(mismatch(id, given, policy)),
    }
}
