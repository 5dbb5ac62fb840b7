//! Who may do what: ownership, ACLs, and the policies of sessions.

use crate::auth::Principal;
use crate::error::ServiceError;
use crate::policy::Verdict;
use crate::state::State;
use crate::store::{BucketInfo, ObjectAcl, StoreError};

/// What an operation does to what it addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Any signed request.
    Signed,
    /// Reads an object or a listing: what `public-read` grants.
    Read,
    /// Writes objects: what `public-read-write` grants.
    Write,
    /// Anything else: for the owner only.
    Owner,
}

/// What an operation needs. Whatever is not named here, such as all configuration, is for the owner.
pub(crate) fn need(operation: &str) -> Need {
    match operation {
        "ListBuckets" | "DescribeRegions" | "PutBucket" => Need::Signed,
        "GetObject" | "HeadObject" | "GetObjectMeta" | "GetSymlink" | "ListObjects"
        | "ListObjectsV2" => Need::Read,
        "PutObject"
        | "AppendObject"
        | "CopyObject"
        | "PutSymlink"
        | "DeleteObject"
        | "DeleteMultipleObjects"
        | "InitiateMultipartUpload"
        | "UploadPart"
        | "UploadPartCopy"
        | "CompleteMultipartUpload"
        | "AbortMultipartUpload"
        | "ListParts"
        | "ListMultipartUploads" => Need::Write,
        _ => Need::Owner,
    }
}

/// The action that policies know an operation by.
pub(crate) fn action(operation: &str, has_version: bool) -> String {
    let name = match operation {
        "GetObject" | "HeadObject" | "GetObjectMeta" | "GetSymlink" if has_version => {
            "GetObjectVersion"
        }
        "GetObject" | "HeadObject" | "GetObjectMeta" | "GetSymlink" => "GetObject",
        "DeleteObject" if has_version => "DeleteObjectVersion",
        "DeleteObject" | "DeleteMultipleObjects" => "DeleteObject",
        "PutObjectAcl" if has_version => "PutObjectVersionAcl",
        "GetObjectAcl" if has_version => "GetObjectVersionAcl",
        "PutObjectTagging" if has_version => "PutObjectVersionTagging",
        "GetObjectTagging" if has_version => "GetObjectVersionTagging",
        "DeleteObjectTagging" if has_version => "DeleteObjectVersionTagging",
        "ListObjectsV2" => "ListObjects",
        "PutObject"
        | "AppendObject"
        | "CopyObject"
        | "PutSymlink"
        | "InitiateMultipartUpload"
        | "UploadPart"
        | "UploadPartCopy"
        | "CompleteMultipartUpload" => "PutObject",
        other => other,
    };
    format!("oss:{name}")
}

/// Decides about one resource. `object` is the ACL of the object in question, where there is one.
pub(crate) fn decide(
    state: &State,
    principal: &Principal,
    need: Need,
    action: &str,
    bucket: Option<&BucketInfo>,
    key: Option<&str>,
    object: Option<ObjectAcl>,
) -> Result<(), ServiceError> {
    let account = principal.account();
    let owns = account.is_some()
        && bucket.is_none_or(|bucket| Some(bucket.meta.owner.as_str()) == account);
    let allowed = match need {
        Need::Signed => account.is_some(),
        _ if owns => true,
        Need::Read => matches!(
            effective_acl(bucket, object),
            "public-read" | "public-read-write"
        ),
        Need::Write => effective_acl(bucket, object) == "public-read-write",
        Need::Owner => false,
    };
    if !allowed {
        return Err(match principal {
            Principal::Anonymous => {
                ServiceError::access_denied("Anonymous access is forbidden for this operation.")
            }
            _ => ServiceError::access_denied(
                "You have no right to access this object because of bucket acl.",
            ),
        });
    }
    let Principal::Session(session) = principal else {
        return Ok(());
    };
    let Some(policy) = &session.policy else {
        return Ok(());
    };
    let owner = bucket.map_or(session.account.as_str(), |bucket| {
        bucket.meta.owner.as_str()
    });
    let resource = format!(
        "acs:oss:{}:{owner}:{}",
        state.region,
        resource_name(bucket, key)
    );
    match policy.evaluate(action, &resource) {
        Verdict::Allowed => Ok(()),
        Verdict::Denied | Verdict::Silent => Err(ServiceError::access_denied(
            "Access denied by the policy of the security token.",
        )
        .detail("AuthAction", action)
        .detail("AuthPrincipalType", "AssumedRoleUser")),
    }
}

fn resource_name(bucket: Option<&BucketInfo>, key: Option<&str>) -> String {
    match (bucket, key) {
        (None, _) => "*".to_owned(),
        (Some(bucket), None) => bucket.name.clone(),
        (Some(bucket), Some(key)) => format!("{}/{key}", bucket.name),
    }
}

fn effective_acl(bucket: Option<&BucketInfo>, object: Option<ObjectAcl>) -> &str {
    match object {
        Some(acl) if acl != ObjectAcl::Default => acl.as_str(),
        _ => bucket.map_or("private", |bucket| bucket.meta.acl.as_str()),
    }
}

/// The ACL of an object, or nothing when the object is not there.
pub(crate) fn object_acl(
    state: &State,
    bucket: &str,
    key: &str,
    version: Option<&str>,
) -> Result<Option<ObjectAcl>, ServiceError> {
    match state.store.object(bucket, key, version) {
        Ok(object) => Ok(Some(object.info().meta.acl)),
        Err(StoreError::NoSuchBucket) => Err(ServiceError::no_such_bucket(bucket)),
        Err(_) => Ok(None),
    }
}
