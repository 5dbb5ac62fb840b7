//! Roles that may be assumed: whom they trust, what they may do, how long their sessions last.

pub(crate) mod trust;

use std::collections::BTreeMap;

use crate::policy::Policy;
use crate::text;
pub(crate) use trust::{Asks, Trust};

const FULL_ACCESS: &str = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
const SHORTEST_MAXIMUM: u32 = 3600;
const LONGEST_MAXIMUM: u32 = 43_200;

/// A RAM role of the emulator's account.
///
/// By default it trusts its account (with the users and roles in it), its sessions last an hour at most, and, as in the service, it may
/// do nothing until policies are attached.
///
/// ```
/// use oss_emulator::Role;
///
/// let reader = Role::new("reader")
///     .policy(r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"oss:Get*","Resource":"*"}]}"#)
///     .max_session_duration(7200);
/// # let _ = reader;
/// ```
#[derive(Debug, Clone)]
pub struct Role {
    name: String,
    trust: Option<String>,
    policies: Vec<String>,
    max_session_duration: u32,
}

impl Role {
    /// A role that may do nothing yet.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            trust: None,
            policies: Vec::new(),
            max_session_duration: SHORTEST_MAXIMUM,
        }
    }

    /// Who may assume the role: the trust policy as RAM has it, in JSON. `Principal` may hold `RAM` (`acs:ram::{account}:root`,
    /// `...:user/{name}`, `...:role/{name}`), `Federated` (the ARN of an OIDC provider) and `Service`; conditions may compare
    /// `sts:ExternalId`, `oidc:iss`, `oidc:aud` and `oidc:sub` as strings.
    #[must_use]
    pub fn trust_policy(mut self, document: impl Into<String>) -> Self {
        self.trust = Some(document.into());
        self
    }

    /// Attaches a policy, in JSON. What any of them allows and none denies is allowed.
    #[must_use]
    pub fn policy(mut self, document: impl Into<String>) -> Self {
        self.policies.push(document.into());
        self
    }

    /// Attaches a policy that allows everything in the account.
    #[must_use]
    pub fn full_access(self) -> Self {
        self.policy(FULL_ACCESS)
    }

    /// Longest time that a session may last, in seconds: 3600 (the default) to 43200.
    #[must_use]
    pub fn max_session_duration(mut self, seconds: u32) -> Self {
        self.max_session_duration = seconds;
        self
    }
}

/// A role ready to be judged.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) trust: Trust,
    pub(crate) policies: Vec<Policy>,
    pub(crate) max_session_duration: u32,
}

/// The roles of the emulator's account, by name in lower case.
#[derive(Debug)]
pub(crate) struct Roles {
    account: String,
    by_name: BTreeMap<String, Known>,
}

impl Roles {
    /// Reads the roles; the error says what is wrong with which.
    pub(crate) fn new(account: &str, roles: &[Role]) -> Result<Self, String> {
        let mut by_name = BTreeMap::new();
        for role in roles {
            let known = known(account, role).map_err(|why| format!("the role `{}`: {why}", role.name))?;
            if by_name.insert(role.name.to_ascii_lowercase(), known).is_some() {
                return Err(format!("there are two roles `{}`", role.name));
            }
        }
        Ok(Self {
            account: account.to_owned(),
            by_name,
        })
    }

    /// Whether any role is configured. Without one, every role exists, trusts everybody and may do what the caller may.
    pub(crate) fn are_known(&self) -> bool {
        !self.by_name.is_empty()
    }

    pub(crate) fn find(&self, account: &str, name: &str) -> Option<&Known> {
        let of_account = account == self.account;
        of_account
            .then(|| self.by_name.get(&name.to_ascii_lowercase()))
            .flatten()
    }
}

fn known(account: &str, role: &Role) -> Result<Known, String> {
    if !is_name(&role.name) {
        return Err("a name is 1 to 64 letters, digits and `.-_`".to_owned());
    }
    if !(SHORTEST_MAXIMUM..=LONGEST_MAXIMUM).contains(&role.max_session_duration) {
        return Err(format!(
            "the longest session is {SHORTEST_MAXIMUM} to {LONGEST_MAXIMUM} seconds"
        ));
    }
    let trust = match &role.trust {
        Some(document) => Trust::parse(document).map_err(|why| format!("its trust policy: {why}"))?,
        None => Trust::of_account(account),
    };
    let policies = role.policies.iter().map(|document| Policy::parse(document));
    Ok(Known {
        trust,
        policies: policies.collect::<Result<_, _>>()?,
        max_session_duration: role.max_session_duration,
    })
}

fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

/// Takes `acs:ram::{account}:{kind}/{name}` apart.
pub(crate) fn read_arn<'a>(arn: &'a str, kind: &str) -> Option<(&'a str, &'a str)> {
    let (account, rest) = arn.strip_prefix("acs:ram::")?.split_once(':')?;
    let name = rest.strip_prefix(kind)?.strip_prefix('/')?;
    let account_fits = !account.is_empty() && account.bytes().all(|byte| byte.is_ascii_digit());
    (account_fits && is_name(name)).then_some((account, name))
}

/// The service numbers roles; a stable number per role is all that a client can see of it.
pub(crate) fn role_id(account: &str, name: &str) -> String {
    let arn = format!("acs:ram::{account}:role/{}", name.to_ascii_lowercase());
    let number = text::sha256_hex(arn.as_bytes())
        .bytes()
        .fold(3, |sum: u64, byte| (sum * 31 + u64::from(byte)) % 1_000_000_000_000);
    format!("3{number:017}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        assert_eq!(read_arn("acs:ram::123:role/demo", "role"), Some(("123", "demo")));
        for arn in [
            "",
            "acs:ram::123:role/",
            "acs:ram::x:role/a",
            "acs:ram:123:role/a",
            "acs:ram::123:user/a",
            "acs:ram::123:role/a b",
            "acs:ram::123:role/a/b",
        ] {
            assert_eq!(read_arn(arn, "role"), None, "{arn}");
        }
    }

    #[test]
    fn roles_that_cannot_be_judged_are_refused() {
        let refused = |role: Role| Roles::new("1", &[role]).is_err();
        assert!(refused(Role::new("a b")));
        assert!(refused(Role::new("a").max_session_duration(900)));
        assert!(refused(Role::new("a").max_session_duration(43_201)));
        assert!(refused(Role::new("a").policy("nonsense")));
        assert!(refused(Role::new("a").trust_policy("{}")));
        assert!(Roles::new("1", &[Role::new("a"), Role::new("A")]).is_err());
        assert!(Roles::new("1", &[Role::new("a").full_access()]).is_ok());
    }
}
