//! Who is asking: finds the signature of a request, checks it against time, scope and secret, and names the principal.
//!
//! Written from the protocol's description, apart from the SDK on purpose: a mistake has to be made twice to stay hidden.

pub(crate) mod keys;
pub(crate) mod nonces;
pub(crate) mod rpc;
pub(crate) mod sessions;
pub(crate) mod table_arn;
#[cfg(test)]
pub(crate) mod test_vectors;
pub(crate) mod v1;
pub(crate) mod v4;

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::HeaderMap;

use crate::error::ServiceError;
use crate::request::{Query, header};
use crate::time;
use keys::{Keys, RamUser, Session};

/// Greatest distance between a signature's time and ours.
pub(crate) const MAX_SKEW: Duration = Duration::from_secs(15 * 60);

/// Who sent a request.
#[derive(Debug, Clone)]
pub(crate) enum Principal {
    /// Nobody in particular.
    Anonymous,
    /// The holder of a permanent key.
    Key {
        /// Account of the key.
        account: String,
        /// Its id.
        access_key_id: String,
    },
    /// A RAM user with a permanent key.
    User(Arc<RamUser>),
    /// The holder of a temporary key.
    Session(Arc<Session>),
}

impl Principal {
    /// How logs call the principal; nobody in particular has no name.
    pub(crate) fn name(&self) -> Option<String> {
        match self {
            Principal::Anonymous => None,
            Principal::Key { account, .. } => Some(account.clone()),
            Principal::User(user) => Some(format!("{}/{}", user.account, user.name)),
            Principal::Session(session) => Some(format!("{}/{}", session.account, session.access_key_id)),
        }
    }

    pub(crate) fn account(&self) -> Option<&str> {
        match self {
            Principal::Anonymous => None,
            Principal::Key { account, .. } => Some(account),
            Principal::User(user) => Some(&user.account),
            Principal::Session(session) => Some(&session.account),
        }
    }

    pub(crate) fn access_key_id(&self) -> Option<&str> {
        match self {
            Principal::Anonymous => None,
            Principal::Key { access_key_id, .. } => Some(access_key_id),
            Principal::User(user) => Some(&user.access_key_id),
            Principal::Session(session) => Some(&session.access_key_id),
        }
    }
}

/// The parts of a request that signatures cover.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts<'r> {
    pub(crate) method: &'r str,
    pub(crate) bucket: Option<&'r str>,
    pub(crate) key: Option<&'r str>,
    pub(crate) query: &'r Query,
    pub(crate) headers: &'r HeaderMap,
}

/// What a verification is measured against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'c> {
    pub(crate) keys: &'c Keys,
    pub(crate) now: SystemTime,
    pub(crate) region: &'c str,
    /// Product in the scope of the service that was asked.
    pub(crate) product: &'c str,
    /// Accounts whose resource names may stand in the signature, for services that sign ARNs; empty for the others.
    pub(crate) arn_accounts: &'c [&'c str],
    /// Whether the host names the account, so that the signature has to mean that one.
    pub(crate) host_names_account: bool,
    /// The resource that the signature names, decoded, for services where bucket and key do not say it.
    pub(crate) resource: Option<&'c str>,
    /// Query keys that the models call sub-resources.
    pub(crate) subresources: &'c [String],
    /// Where the text goes that a signature was verified over.
    pub(crate) signed: &'c Signed,
}

/// The text that the signature of a request was verified over, for whoever debugs a signer.
#[derive(Debug, Default)]
pub(crate) struct Signed {
    text: RefCell<Option<String>>,
    leaves_out_empty: Cell<bool>,
    account: RefCell<Option<String>>,
}

impl Signed {
    pub(crate) fn note(&self, text: impl Into<String>) {
        self.text.replace(Some(text.into()));
    }

    pub(crate) fn take(&self) -> Option<String> {
        self.text.take()
    }

    /// Says which account the resource name in the signature has.
    pub(crate) fn name_account(&self, account: &str) {
        self.account.replace(Some(account.to_owned()));
    }

    /// The account in the resource name of the signature.
    pub(crate) fn account(&self) -> Option<String> {
        self.account.borrow().clone()
    }

    /// Says that headers without a value are not in the signature.
    pub(crate) fn leave_out_empty(&self) {
        self.leaves_out_empty.set(true);
    }

    /// Whether anybody could have added headers without a value, which then must not mean anything.
    pub(crate) fn leaves_out_empty(&self) -> bool {
        self.leaves_out_empty.get()
    }
}

/// Whether a request carries a signature of V4, right or wrong.
pub(crate) fn is_v4(headers: &HeaderMap, query: &Query) -> bool {
    query.has("x-oss-signature-version")
        || header(headers, "authorization").is_some_and(|text| text.starts_with(v4::ALGORITHM))
}

/// Names the principal of an OSS request.
pub(crate) fn authenticate(parts: Parts<'_>, context: Context<'_>) -> Result<Principal, ServiceError> {
    let authorization = header(parts.headers, "authorization");
    let v4_query = parts.query.has("x-oss-signature-version") || parts.query.has("x-oss-signature");
    let v1_query = parts.query.has("OSSAccessKeyId") || parts.query.has("Signature");
    if parts.headers.get_all("authorization").iter().count() > 1 {
        return Err(malformed("There is more than one Authorization header."));
    }
    let is_v1 = v1_query || authorization.is_some_and(|text| text.starts_with("OSS "));
    if is_v1 && (context.resource.is_some() || !context.arn_accounts.is_empty()) {
        return Err(ServiceError::access_denied("The service takes signatures of V4 only."));
    }
    match authorization {
        Some(_) if v4_query || v1_query => Err(malformed(
            "Only one signature may be given, in the Authorization header or in the query.",
        )),
        Some(text) if text.starts_with(v4::ALGORITHM) => v4::header(text, parts, context),
        Some(text) if text.starts_with("OSS ") => v1::header(text, parts, context),
        Some(_) => Err(malformed(
            "The Authorization header is neither of signature V4 nor of V1.",
        )),
        None if parts.headers.contains_key("authorization") => Err(malformed("The Authorization header is not text.")),
        None if v4_query => v4::query(parts, context),
        None if v1_query => v1::query(parts, context),
        None => Ok(Principal::Anonymous),
    }
}

/// A claim that could not be read.
pub(crate) fn malformed(message: &str) -> ServiceError {
    ServiceError::new(400, "InvalidArgument", message).detail("ArgumentName", "Authorization")
}

/// Refuses signing times that are more than [`MAX_SKEW`] away.
pub(crate) fn check_skew(signed_at: SystemTime, now: SystemTime) -> Result<(), ServiceError> {
    let distance = now.duration_since(signed_at).unwrap_or_else(|ahead| ahead.duration());
    if distance <= MAX_SKEW {
        return Ok(());
    }
    Err(ServiceError::new(
        403,
        "RequestTimeTooSkewed",
        "The difference between the request time and the current time is too large.",
    )
    .detail("MaxAllowedSkewMilliseconds", MAX_SKEW.as_millis().to_string())
    .detail("RequestTime", time::iso8601_millis(signed_at))
    .detail("ServerTime", time::iso8601_millis(now)))
}

/// The refusal of a presigned URL whose time is over.
pub(crate) fn expired(expires: SystemTime, now: SystemTime) -> ServiceError {
    ServiceError::access_denied("Request has expired.")
        .detail("Expires", time::iso8601_millis(expires))
        .detail("ServerTime", time::iso8601_millis(now))
}

/// The refusal of a signature made with another secret or over other text.
pub(crate) fn mismatch(access_key_id: &str, provided: &str, string_to_sign: &str) -> ServiceError {
    let bytes: Vec<_> = string_to_sign.bytes().map(|byte| format!("{byte:02X}")).collect();
    ServiceError::new(
        403,
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    )
    .detail("OSSAccessKeyId", access_key_id)
    .detail("SignatureProvided", provided)
    .detail("StringToSign", string_to_sign)
    .detail("StringToSignBytes", bytes.join(" "))
}
