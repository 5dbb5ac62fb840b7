//! Services whose buckets are no buckets of objects: vector buckets, table buckets and agentic buckets.
//!
//! The store keeps them apart by names with a colon, which no request for objects can spell. Their owners may do everything;
//! users and sessions are held to their policies, which name resources by the ARNs of the service. Other accounts may do what the
//! policies of vector buckets, table buckets and tables let them.

use oss_codegen::api::{Service, SigningResource};

use super::Call;
use crate::access::{self, Access, Resource};
use crate::auth::Principal;
use crate::error::ServiceError;
use crate::policy;
use crate::request::Head;
use crate::store::{BucketInfo, BucketMeta};

/// Whether the service has buckets of its own.
pub(crate) fn has(service: &Service) -> bool {
    matches!(service.name.as_str(), "agentic" | "tables" | "vectors")
}

/// Lets in who is known and asks for buckets of the own account, or may have the buckets' policies asked.
pub(crate) fn admit(service: &Service, principal: &Principal, head: &Head) -> Result<(), ServiceError> {
    let has_policies = service.signing == SigningResource::VectorArn;
    match (principal.account(), head.address.account.as_deref()) {
        (_, Some(_)) if has_policies => Ok(()),
        (None, _) => Err(ServiceError::access_denied(
            "Anonymous access is forbidden for this operation.",
        )),
        (Some(account), Some(named)) if named != account => Err(foreign()),
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

/// Only policies that can be judged are stored. One that cannot, from another version perhaps, must not open anything.
pub(super) fn unjudged(why: String) -> ServiceError {
    ServiceError::internal(format!("The stored policy cannot be judged: {why}."))
}

/// Refuses a policy that cannot be judged.
pub(super) fn check_policy(call: &Call<'_>) -> Result<(), ServiceError> {
    policy::bucket(call.input.text_or_empty("body"))
        .map(drop)
        .map_err(access::invalid_policy)
}

impl Call<'_> {
    /// The account that asks.
    pub(super) fn account(&self) -> &str {
        self.principal.account().unwrap_or_default()
    }

    /// The account whose buckets the request is about.
    pub(super) fn owner(&self) -> &str {
        self.head.address.account.as_deref().unwrap_or(self.account())
    }

    /// The name under which the store keeps a bucket of the service.
    pub(super) fn container(&self, bucket: &str) -> String {
        format!("{}:{}:{bucket}", self.service.name, self.owner())
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

    /// Decides by the policies of whoever asks and of what is asked for.
    pub(super) fn allow_resource(&self, resource: &Resource<'_>) -> Result<(), ServiceError> {
        let access = Access {
            state: self.state,
            principal: &self.principal,
            head: self.head,
            now: self.now,
        };
        access.allow_resource(&self.operation.name, resource)
    }

    /// Holds users, roles and sessions to their policies.
    pub(super) fn allow(&self, resource: &str) -> Result<(), ServiceError> {
        access::may_in_own_account(&self.principal, &format!("oss:{}", self.operation.name), resource)
    }
}
