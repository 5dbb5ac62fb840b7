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
        "GetObject" | "HeadObject" | "GetObjectMeta" | "GetSymlink" | "ListObjects" | "ListObjectsV2"
        | "SelectObject" => Need::Read,
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
        "GetObject" | "HeadObject" | "GetObjectMeta" | "GetSymlink" if has_version => "GetObjectVersion",
        "GetObject" | "HeadObject" | "GetObjectMeta" | "GetSymlink" => "GetObject",
        "DeleteObject" if has_version => "DeleteObjectVersion",
        "DeleteObject" | "DeleteMultipleObjects" => "DeleteObject",
        "SelectObject" => "GetObject",
        "ProcessObject" => "PostProcessTask",
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

/// What a decision is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target<'t> {
    /// Name of the bucket, which need not exist yet.
    pub(crate) name: Option<&'t str>,
    pub(crate) bucket: Option<&'t BucketInfo>,
    pub(crate) key: Option<&'t str>,
    /// ACL of the object, where there is one.
    pub(crate) object: Option<ObjectAcl>,
}

/// Decides about one target.
pub(crate) fn decide(
    state: &State,
    principal: &Principal,
    need: Need,
    action: &str,
    target: Target<'_>,
) -> Result<(), ServiceError> {
    let account = principal.account();
    let owner = target.bucket.map(|bucket| bucket.meta.owner.as_str());
    let owns = account.is_some() && (owner.is_none() || owner == account);
    let allowed = match need {
        Need::Signed => account.is_some(),
        _ if owns => true,
        Need::Read => matches!(effective_acl(target), "public-read" | "public-read-write"),
        Need::Write => effective_acl(target) == "public-read-write",
        Need::Owner => false,
    };
    if !allowed {
        return Err(ServiceError::access_denied(match principal {
            Principal::Anonymous => "Anonymous access is forbidden for this operation.",
            _ => "You have no right to access this object because of bucket acl.",
        }));
    }
    let Principal::Session(session) = principal else {
        return Ok(());
    };
    let name = match (target.name, target.key) {
        (None, _) => "*".to_owned(),
        (Some(bucket), None) => bucket.to_owned(),
        (Some(bucket), Some(key)) => format!("{bucket}/{key}"),
    };
    let owner = owner.unwrap_or(&session.account);
    let resource = format!("acs:oss:{}:{owner}:{name}", state.region);
    let narrowed = session
        .policy
        .as_ref()
        .is_some_and(|policy| policy.evaluate(action, &resource) != Verdict::Allowed);
    let of_role = session.role.policies.as_ref().is_none_or(|policies| {
        let verdicts = || policies.iter().map(|policy| policy.evaluate(action, &resource));
        verdicts().any(|verdict| verdict == Verdict::Allowed) && verdicts().all(|verdict| verdict != Verdict::Denied)
    });
    if of_role && !narrowed {
        return Ok(());
    }
    Err(
        ServiceError::access_denied("Access denied by the policy of the security token.")
            .detail("AuthAction", action)
            .detail("AuthPrincipalType", "AssumedRoleUser"),
    )
}

fn effective_acl(target: Target<'_>) -> &str {
    match target.object {
        Some(acl) if acl != ObjectAcl::Default => acl.as_str(),
        _ => target.bucket.map_or("private", |bucket| bucket.meta.acl.as_str()),
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
