//! Whom a statement of a bucket policy is about.

use serde_json::Value;

use super::texts;
use crate::text::wildcard;

/// Who asks, as bucket policies name principals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asker {
    /// Nobody in particular.
    Anonymous,
    /// An account itself.
    Account(String),
    /// A RAM user, by its id.
    User(String),
    /// A session of a role.
    Session {
        /// Account of the role.
        account: String,
        /// Name of the role.
        role: String,
        /// Name of the session.
        name: String,
    },
}

/// One entry of `Principal`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Who {
    Everyone,
    /// Id of an account or a RAM user.
    Id(String),
    /// `arn:sts::{account}:assumed-role/{role}/{session}`, each part with wildcards.
    Session([String; 4]),
}

/// The element `Principal`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Principals(Vec<Who>);

impl Principals {
    /// An empty list means everyone, as `*` does.
    pub(super) fn parse(value: &Value) -> Result<Self, String> {
        let names = texts("Principal", value)?;
        if names.is_empty() {
            return Ok(Self(vec![Who::Everyone]));
        }
        Ok(Self(names.iter().map(|name| who(name)).collect::<Result<_, _>>()?))
    }

    pub(super) fn include(&self, asker: &Asker) -> bool {
        self.0.iter().any(|who| match (who, asker) {
            (Who::Everyone, _) => true,
            (Who::Id(id), Asker::Account(asker) | Asker::User(asker)) => id == asker,
            (
                Who::Session([of, kind, role, session]),
                Asker::Session {
                    account,
                    role: of_role,
                    name,
                },
            ) => {
                wildcard(of, account)
                    && wildcard(kind, "assumed-role")
                    // Names of roles are one name in any case.
                    && wildcard(&role.to_ascii_lowercase(), &of_role.to_ascii_lowercase())
                    && wildcard(session, name)
            }
            _ => false,
        })
    }

    pub(super) fn everyone(&self) -> bool {
        self.0.contains(&Who::Everyone)
    }

    /// Whether no entry has a wildcard.
    pub(super) fn fixed(&self) -> bool {
        self.0.iter().all(|who| match who {
            Who::Everyone => false,
            Who::Id(_) => true,
            Who::Session(parts) => parts.iter().all(|part| !part.contains(['*', '?'])),
        })
    }
}

fn who(name: &str) -> Result<Who, String> {
    if name == "*" {
        return Ok(Who::Everyone);
    }
    if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(Who::Id(name.to_owned()));
    }
    let session = || {
        let (account, rest) = name.strip_prefix("arn:sts::")?.split_once(':')?;
        let mut parts = rest.split('/').map(str::to_owned);
        let found = [account.to_owned(), parts.next()?, parts.next()?, parts.next()?];
        let whole = parts.next().is_none() && found.iter().all(|part| !part.is_empty());
        whole.then_some(Who::Session(found))
    };
    session().ok_or_else(|| {
        format!("the principal {name} is neither *, an id, nor arn:sts::{{account}}:assumed-role/{{role}}/{{session}}")
    })
}
