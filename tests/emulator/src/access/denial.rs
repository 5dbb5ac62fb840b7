//! Refusals, and what they tell about themselves.

use crate::auth::Principal;
use crate::error::ServiceError;
use crate::policy::Verdict;

/// What refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// The policy given to the session.
    Session,
    /// The policies of the user or the role.
    Identity,
    /// The policy of the bucket.
    Bucket,
    /// Both of them.
    Both,
    /// Nobody allowed it, neither a policy nor an ACL.
    Acl,
}

/// The refusal of an action.
pub(super) fn of(principal: &Principal, action: &str, source: Source, verdict: Verdict) -> ServiceError {
    let (message, number, policy) = match source {
        Source::Session => (
            "Access denied by authorizer's policy.",
            "0003-00000904",
            "SessionPolicy",
        ),
        Source::Identity => (
            "Access denied by the policy of the user or role.",
            "0003-00000201",
            "AccountLevelIdentityBasedPolicy",
        ),
        Source::Bucket => (
            "Access denied by bucket policy.",
            "0003-00000202",
            "ResourceBasedPolicy",
        ),
        Source::Both => (
            "Access denied by bucket policy.",
            "0003-00000203",
            "ResourceBasedPolicy",
        ),
        Source::Acl => match principal {
            Principal::Anonymous => {
                return ServiceError::access_denied("Anonymous access is forbidden for this operation.")
                    .numbered("0003-00000001");
            }
            _ => (
                "You have no right to access this object because of bucket acl.",
                "0003-00000001",
                "AccountLevelIdentityBasedPolicy",
            ),
        },
    };
    let (kind, account, name) = match principal {
        Principal::Anonymous => return ServiceError::access_denied(message).numbered(number),
        Principal::Key { account, .. } => ("Account", account.as_str(), account.clone()),
        Principal::User(user) => ("SubUser", user.account.as_str(), user.id.clone()),
        Principal::Session(session) => (
            "AssumedRoleUser",
            session.role.account.as_str(),
            format!("{}:{}", session.role.name, session.role.session_name),
        ),
    };
    let denied = if verdict == Verdict::Denied {
        "ExplicitDeny"
    } else {
        "ImplicitDeny"
    };
    ServiceError::access_denied(message).numbered(number).denial([
        ("PolicyType", policy),
        ("AuthPrincipalOwnerId", account),
        ("AuthPrincipalType", kind),
        ("AuthPrincipalDisplayName", &name),
        ("NoPermissionType", denied),
        ("AuthAction", action),
    ])
}
