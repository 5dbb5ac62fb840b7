//! Services whose buckets are no buckets of objects: vector buckets, table buckets and agentic buckets.
//!
//! The store keeps them apart by names with a colon, which no request for objects can spell. Their owners may do everything;
//! users and sessions are held to their policies, which name resources by the ARNs of the service.

use oss_codegen::api::{Service, SigningResource};

use super::Call;
use crate::access;
use crate::auth::Principal;
use crate::error::ServiceError;
use crate::request::Head;
use crate::store::{BucketInfo, BucketMeta};

/// Whether the service has buckets of its own.
pub(crate) fn has(service: &Service) -> bool {
    matches!(service.name.as_str(), "agentic" | "tables" | "vectors")
}

/// Lets in who is known and asks for buckets of the own account.
pub(crate) fn admit(principal: &Principal, head: &Head) -> Result<(), ServiceError> {
    let Some(account) = principal.account() else {
        return Err(ServiceError::access_denied(
            "Anonymous access is forbidden for this operation.",
        ));
    };
    match head.address.account.as_deref() {
        Some(named) if named != account => Err(foreign()),
        _ => Ok(()),
    }
}

/// The error as the service documents it: the tables service has one code for each status.
pub(crate) fn documented(service: Option<&Service>, mut error: ServiceError) -> ServiceError {
    if service.is_none_or(|service| service.signing != SigningResource::TableArn) {
        return error;
    }
    let code = match error.status {
        403 => "ForbiddenException",
        404 => "NotFoundException",
        409 => "ConflictException",
        429 => "TooManyRequestsException",
        501 => return error,
        400..=499 => "BadRequestException",
        _ => "InternalServerErrorException",
    };
    code.clone_into(&mut error.code);
    error
}

/// The refusal of what belongs to another account.
pub(super) fn foreign() -> ServiceError {
    ServiceError::access_denied("The bucket belongs to another account.")
}

/// A policy must at least be a JSON object with statements.
pub(super) fn check_policy(call: &Call<'_>) -> Result<(), ServiceError> {
    let invalid =
        |why: &str| ServiceError::new(400, "InvalidPolicyDocument", format!("The policy is not valid: {why}."));
    let parsed: serde_json::Value = serde_json::from_str(call.input.text_or_empty("body"))
        .map_err(|error| invalid(&format!("it is not JSON: {error}")))?;
    match parsed.get("Statement") {
        Some(serde_json::Value::Array(_)) => Ok(()),
        _ => Err(invalid("it has no list Statement")),
    }
}

impl Call<'_> {
    /// The account that asks.
    pub(super) fn account(&self) -> &str {
        self.principal.account().unwrap_or_default()
    }

    /// The name under which the store keeps a bucket of the service.
    pub(super) fn container(&self, bucket: &str) -> String {
        format!("{}:{}:{bucket}", self.service.name, self.account())
    }

    /// The buckets of the account that come after a name, in their order, and their names without what the store adds.
    pub(super) fn containers(&self, prefix: &str, after: &str) -> Vec<(String, BucketInfo)> {
        let own = self.container("");
        let found = self.store().list_buckets(
            &format!("{own}{prefix}"),
            &if after.is_empty() {
                String::new()
            } else {
                format!("{own}{after}")
            },
            usize::MAX,
        );
        let named = |bucket: BucketInfo| {
            bucket
                .name
                .strip_prefix(&own)
                .map(str::to_owned)
                .map(|name| (name, bucket))
        };
        found.buckets.into_iter().filter_map(named).collect()
    }

    /// What a new bucket of the service says about its owner.
    pub(super) fn container_meta(&self) -> BucketMeta {
        BucketMeta {
            owner: self.account().to_owned(),
            acl: "private".to_owned(),
            region: self.state.region.clone(),
            ..BucketMeta::default()
        }
    }

    /// Holds users, roles and sessions to their policies.
    pub(super) fn allow(&self, resource: &str) -> Result<(), ServiceError> {
        access::may_in_own_account(&self.principal, &format!("oss:{}", self.operation.name), resource)
    }
}
