//! The block of public access: what opens something to everybody does not count and cannot be added.

use super::{Access, facts};
use crate::error::ServiceError;
use crate::operations::block_of;
use crate::state::State;
use crate::store::BucketInfo;

const BLOCK: &str = "publicAccessBlock";

/// Whether it is blocked for the bucket, or for the whole account of its owner.
pub(super) fn is_blocked(state: &State, owner: &str, bucket: Option<&BucketInfo>) -> Result<bool, ServiceError> {
    let says_so = |document: &[u8]| {
        facts::elements(document, "BlockPublicAccess")
            .iter()
            .any(|text| text == "true")
    };
    let of_account = state.store.account_config(&block_of(owner));
    if of_account.is_some_and(|document| says_so(&document)) {
        return Ok(true);
    }
    let Some(bucket) = bucket else { return Ok(false) };
    Ok(state
        .store
        .config(&bucket.name, BLOCK)?
        .is_some_and(|document| says_so(&document)))
}

/// Refuses requests that give a bucket or an object a public ACL where that is blocked.
pub(super) fn refuse_acl(
    access: &Access<'_>,
    operation: &str,
    bucket: Option<&BucketInfo>,
) -> Result<(), ServiceError> {
    let header = match operation {
        "PutBucket" | "PutBucketAcl" => "x-oss-acl",
        _ => "x-oss-object-acl",
    };
    let public = access.head.header(header).is_some_and(|acl| acl.starts_with("public-"));
    let owner = bucket
        .map(|bucket| bucket.meta.owner.as_str())
        .or(access.principal.account());
    if public && is_blocked(access.state, owner.unwrap_or_default(), bucket)? {
        return Err(ServiceError::access_denied(format!(
            "Public access is blocked, so {header} cannot be public."
        )));
    }
    Ok(())
}
