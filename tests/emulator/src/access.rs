//! Who may do what: the policies of users, roles, sessions and buckets, ACLs, and what stands before them.
//!
//! A request that is not denied by a rule about referers or payment is put to the policies. A denial in any of them ends it. Otherwise
//! one that allows is enough; where none speaks, the owner may, and strangers may what the ACL of the object or its bucket opens.

mod actions;
mod denial;
mod facts;
mod public;
mod referer;

use std::time::SystemTime;

pub(crate) use actions::{Need, action};
use denial::Source;

use crate::auth::Principal;
use crate::error::ServiceError;
use crate::policy::{self, Asker, Facts, Policy, Question, Verdict};
use crate::request::Head;
use crate::state::State;
use crate::store::{BucketInfo, ObjectAcl, ObjectInfo, StoreError};

/// One request, as decisions see it.
#[derive(Clone, Copy)]
pub(crate) struct Access<'r> {
    pub(crate) state: &'r State,
    pub(crate) principal: &'r Principal,
    pub(crate) head: &'r Head,
    pub(crate) now: SystemTime,
}

/// What a decision is about.
#[derive(Debug, Clone, Copy)]
struct Target<'t> {
    /// Name of the bucket, which need not exist yet.
    name: Option<&'t str>,
    bucket: Option<&'t BucketInfo>,
    key: Option<&'t str>,
    object: Option<&'t ObjectInfo>,
}

/// What a decision about vector buckets, table buckets and what is in them is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resource<'r> {
    /// The account that owns it.
    pub(crate) owner: &'r str,
    /// Full name, as policies write it.
    pub(crate) name: &'r str,
    /// Further full names of it.
    pub(crate) aliases: &'r [String],
    /// The policies that its owner gave it.
    pub(crate) policies: &'r [Policy],
}

impl Access<'_> {
    /// Decides about the resource that the request addresses, for an operation of a service.
    pub(crate) fn admit(&self, service: &str, operation: &str) -> Result<(), ServiceError> {
        if operation == "DeleteMultipleObjects" {
            // Its document says what it is about; the operation asks for each key.
            return self.existing(self.head.bucket()).map(|_| ());
        }
        let name = self.head.bucket();
        let bucket = match operation {
            // Repeated by its owner it changes the bucket, and then the bucket has a say.
            "PutBucket" => self
                .existing(name)
                .ok()
                .flatten()
                .filter(|bucket| self.principal.account() == Some(bucket.meta.owner.as_str())),
            _ => self.existing(name)?,
        };
        // An empty id names the latest version, here as in the operations.
        let version = self.head.query.get("versionId").filter(|version| !version.is_empty());
        let object = match (name, self.head.key(), &bucket) {
            (Some(bucket), Some(key), Some(_)) => object(self.state, bucket, key, version)?,
            _ => None,
        };
        let target = Target {
            name,
            bucket: bucket.as_ref(),
            key: self.head.key(),
            object: object.as_deref(),
        };
        if let Some(bucket) = target.bucket {
            referer::check(self, bucket, target.key)?;
            self.check_payer(bucket)?;
        }
        self.decide(
            actions::need(operation),
            operation,
            &actions::action_in(service, operation, version.is_some()),
            target,
        )?;
        for further in actions::further(operation, self.head) {
            self.decide(Need::Owner, operation, further, target)?;
        }
        if operation == "PutBucket" && bucket.is_some() && self.head.headers.contains_key("x-oss-acl") {
            // Creating a bucket includes its ACL, changing that of one that is there does not.
            self.decide(Need::Owner, operation, "oss:PutBucketAcl", target)?;
        }
        public::refuse_acl(self, operation, target.bucket)
    }

    /// Decides about another object than the one addressed.
    pub(crate) fn allow(
        &self,
        need: Need,
        operation: &str,
        bucket: &str,
        key: &str,
        version: Option<&str>,
    ) -> Result<(), ServiceError> {
        let info = self.existing(Some(bucket))?;
        let found = object(self.state, bucket, key, version)?;
        let target = Target {
            name: Some(bucket),
            bucket: info.as_ref(),
            key: Some(key),
            object: found.as_deref(),
        };
        if let Some(info) = &info {
            referer::check(self, info, Some(key))?;
            self.check_payer(info)?;
        }
        self.decide(need, operation, &action(operation, version.is_some()), target)?;
        if operation == "DeleteObject" {
            // One of many: the headers of the request are about each of them.
            for further in actions::further(operation, self.head) {
                self.decide(Need::Owner, operation, further, target)?;
            }
        }
        Ok(())
    }

    fn existing(&self, name: Option<&str>) -> Result<Option<BucketInfo>, ServiceError> {
        let Some(name) = name else { return Ok(None) };
        match self.state.store.bucket(name) {
            Ok(bucket) => Ok(Some(bucket)),
            Err(StoreError::NoSuchBucket) => Err(ServiceError::no_such_bucket(name)),
            Err(error) => Err(error.into()),
        }
    }

    fn decide(&self, need: Need, operation: &str, action: &str, target: Target<'_>) -> Result<(), ServiceError> {
        let account = self.principal.account();
        let owner = target.bucket.map(|bucket| bucket.meta.owner.as_str());
        let owner = owner.or(account).unwrap_or_default();
        let is_own = account == Some(owner);
        let bucket_policy = match target.bucket {
            Some(bucket) => self.bucket_policy(bucket)?,
            None => None,
        };
        if bucket_policy.is_none() && is_own && matches!(self.principal, Principal::Key { .. }) {
            return Ok(());
        }
        let blocked = public::is_blocked(self.state, owner, target.bucket)?;
        let asker = asker(self.principal);
        let facts = facts::of(self, operation, target);
        let question = Question {
            action,
            resource: &resource(&self.state.region, owner, target),
            aliases: &[],
            asker: &asker,
            owner,
            facts: &facts,
        };
        let of_bucket = match &bucket_policy {
            Some(policy) if blocked => policy.judge_without_public(&question),
            Some(policy) => policy.judge(&question),
            None => Verdict::Silent,
        };
        if self.weigh(&question, of_bucket)? {
            return Ok(());
        }
        let is_owner = is_own && matches!(self.principal, Principal::Key { .. });
        let opened = match need {
            Need::Read => matches!(effective_acl(target, blocked), "public-read" | "public-read-write"),
            Need::Write => effective_acl(target, blocked) == "public-read-write",
            Need::Owner => false,
        };
        if is_owner || opened {
            return Ok(());
        }
        Err(denial::of(self.principal, action, Source::Acl, Verdict::Silent))
    }

    /// Puts a question to the policies of the session and the identity, beside what those of the resource say. Whether they allow it;
    /// where none of them speaks, the owner and ACLs have their say.
    fn weigh(&self, question: &Question<'_>, of_resource: Verdict) -> Result<bool, ServiceError> {
        let denied = |source, verdict| Err(denial::of(self.principal, question.action, source, verdict));
        if let Principal::Session(session) = self.principal
            && let Some(policy) = &session.policy
        {
            match policy.judge(question) {
                Verdict::Allowed => {}
                verdict => return denied(Source::Session, verdict),
            }
        }
        let of_identity = if self.principal.account() == Some(question.owner) {
            identity_verdict(self.principal, question)
        } else {
            Verdict::Silent
        };
        match (of_identity, of_resource) {
            (Verdict::Denied, Verdict::Denied) => denied(Source::Both, Verdict::Denied),
            (Verdict::Denied, _) => denied(Source::Identity, Verdict::Denied),
            (_, Verdict::Denied) => denied(Source::Bucket, Verdict::Denied),
            (of_identity, of_resource) => Ok(of_identity == Verdict::Allowed || of_resource == Verdict::Allowed),
        }
    }

    /// Decides about a resource of a service whose buckets are no buckets of objects.
    pub(crate) fn allow_resource(&self, operation: &str, resource: &Resource<'_>) -> Result<(), ServiceError> {
        let target = Target {
            name: None,
            bucket: None,
            key: None,
            object: None,
        };
        let (asker, facts) = (asker(self.principal), facts::of(self, operation, target));
        let action = format!("oss:{operation}");
        let question = Question {
            action: &action,
            resource: resource.name,
            aliases: resource.aliases,
            asker: &asker,
            owner: resource.owner,
            facts: &facts,
        };
        let said = resource.policies.iter().map(|policy| policy.judge(&question));
        let is_owner =
            self.principal.account() == Some(resource.owner) && matches!(self.principal, Principal::Key { .. });
        if self.weigh(&question, said.fold(Verdict::Silent, Verdict::or))? || is_owner {
            return Ok(());
        }
        Err(denial::of(self.principal, &action, Source::Acl, Verdict::Silent))
    }

    fn bucket_policy(&self, bucket: &BucketInfo) -> Result<Option<Policy>, ServiceError> {
        let Some(document) = self.state.store.config(&bucket.name, "policy")? else {
            return Ok(None);
        };
        // Only policies that can be judged are stored. One that cannot, from another version perhaps, must not open anything.
        policy::bucket(&String::from_utf8_lossy(&document))
            .map(Some)
            .map_err(|why| ServiceError::internal(format!("The stored policy of the bucket cannot be judged: {why}.")))
    }

    /// Buckets whose requesters pay serve nobody who has not agreed to that, except the owner.
    fn check_payer(&self, bucket: &BucketInfo) -> Result<(), ServiceError> {
        let account = self.principal.account();
        if account == Some(bucket.meta.owner.as_str()) {
            return Ok(());
        }
        let document = self.state.store.config(&bucket.name, "requestPayment")?;
        let paid_by_requester = document.is_some_and(|document| {
            facts::elements(&document, "Payer")
                .iter()
                .any(|payer| payer == "Requester")
        });
        if !paid_by_requester {
            return Ok(());
        }
        let agreed = self
            .head
            .header("x-oss-request-payer")
            .or_else(|| self.head.query.get("x-oss-request-payer"));
        let asks = matches!(self.head.method.as_str(), "GET" | "HEAD" | "POST");
        match account {
            None => Err(ServiceError::access_denied(
                "Anonymous requests are not served while the requester pays.",
            )),
            Some(_) if asks && agreed != Some("requester") => Err(ServiceError::access_denied(
                "The requester pays here: the request has to say x-oss-request-payer: requester.",
            )),
            Some(_) => Ok(()),
        }
    }
}

/// What the policies of a user or a role say. An account itself has none; a role that nobody configured may do all.
pub(crate) fn identity_verdict(principal: &Principal, question: &Question<'_>) -> Verdict {
    let policies = match principal {
        Principal::Anonymous | Principal::Key { .. } => return Verdict::Silent,
        Principal::User(user) => &user.policies,
        Principal::Session(session) => match &session.role.policies {
            Some(policies) => policies,
            None => return Verdict::Allowed,
        },
    };
    policies
        .iter()
        .fold(Verdict::Silent, |verdict, policy| verdict.or(policy.judge(question)))
}

/// Whether a principal may do something in its own account, where no bucket and no ACL has a say.
pub(crate) fn may(principal: &Principal, action: &str, resource: &str) -> bool {
    let question = Question {
        action,
        resource,
        aliases: &[],
        asker: &asker(principal),
        owner: principal.account().unwrap_or_default(),
        facts: &Facts::new(),
    };
    let narrowed = match principal {
        Principal::Session(session) => session
            .policy
            .as_ref()
            .is_none_or(|policy| policy.judge(&question) == Verdict::Allowed),
        _ => true,
    };
    narrowed
        && match principal {
            Principal::Anonymous => false,
            Principal::Key { .. } => true,
            _ => identity_verdict(principal, &question) == Verdict::Allowed,
        }
}

/// The same with the refusal of the service.
pub(crate) fn may_in_own_account(principal: &Principal, action: &str, resource: &str) -> Result<(), ServiceError> {
    if may(principal, action, resource) {
        return Ok(());
    }
    let source = match principal {
        Principal::Session(_) => Source::Session,
        _ => Source::Acl,
    };
    Err(denial::of(principal, action, source, Verdict::Silent))
}

/// Reads the policy of a bucket that somebody wants to store, and refuses one that opens what is blocked.
pub(crate) fn check_bucket_policy(state: &State, bucket: &str, document: &str) -> Result<(), ServiceError> {
    let policy = policy::bucket(document).map_err(invalid_policy)?;
    let info = state.store.bucket(bucket)?;
    if policy.is_public() && public::is_blocked(state, &info.meta.owner, Some(&info))? {
        return Err(ServiceError::access_denied(
            "Public access is blocked, so the policy cannot open the bucket to everybody.",
        ));
    }
    Ok(())
}

/// The refusal of a policy that cannot be judged.
pub(crate) fn invalid_policy(why: String) -> ServiceError {
    ServiceError::new(400, "InvalidPolicyDocument", format!("The policy is not valid: {why}."))
}

fn asker(principal: &Principal) -> Asker {
    match principal {
        Principal::Anonymous => Asker::Anonymous,
        Principal::Key { account, .. } => Asker::Account(account.clone()),
        Principal::User(user) => Asker::User(user.id.clone()),
        Principal::Session(session) => Asker::Session {
            account: session.role.account.clone(),
            role: session.role.name.clone(),
            name: session.role.session_name.clone(),
        },
    }
}

fn resource(region: &str, owner: &str, target: Target<'_>) -> String {
    let name = match (target.name, target.key) {
        (None, _) => "*".to_owned(),
        (Some(bucket), None) => bucket.to_owned(),
        (Some(bucket), Some(key)) => format!("{bucket}/{key}"),
    };
    format!("acs:oss:{region}:{owner}:{name}")
}

/// An ACL of an object goes before that of its bucket. Blocked public ACLs do not count.
fn effective_acl<'t>(target: Target<'t>, blocked: bool) -> &'t str {
    let acl = match target.object {
        Some(object) if object.meta.acl != ObjectAcl::Default => object.meta.acl.as_str(),
        _ => target.bucket.map_or("private", |bucket| bucket.meta.acl.as_str()),
    };
    if blocked { "private" } else { acl }
}

/// The object, or nothing when it is not there.
fn object(
    state: &State,
    bucket: &str,
    key: &str,
    version: Option<&str>,
) -> Result<Option<std::sync::Arc<ObjectInfo>>, ServiceError> {
    match state.store.object(bucket, key, version) {
        Ok(object) => Ok(Some(std::sync::Arc::clone(object.info()))),
        Err(StoreError::NoSuchBucket) => Err(ServiceError::no_such_bucket(bucket)),
        Err(_) => Ok(None),
    }
}
