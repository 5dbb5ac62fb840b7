//! Temporary keys across restarts: one document of the account for each, until a day after its end.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::keys::{AssumedRole, Keys, Session};
use crate::policy::Policy;
use crate::roles::Roles;
use crate::store::{Store, StoreError};
use crate::time;

const PREFIX: &str = "sts-session/";
/// How long the emulator still tells "expired" from "unknown".
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);

/// A session as it is kept. It holds secrets, so it has no `Debug`.
#[derive(Serialize, Deserialize)]
struct Kept {
    secret: String,
    token: String,
    /// Seconds since 1970.
    expires: i64,
    account: String,
    /// Document of the session policy.
    policy: Option<String>,
    role_account: String,
    role: String,
    session: String,
    /// Whether the role was configured, and so held to its policies.
    #[serde(default)]
    configured: bool,
}

/// What to mint a session for.
pub(crate) struct Wanted<'w> {
    /// Account that the session acts for.
    pub(crate) account: &'w str,
    pub(crate) role_account: &'w str,
    pub(crate) role: &'w str,
    pub(crate) session: &'w str,
    /// Document of the session policy, which was read before.
    pub(crate) policy: Option<(&'w str, Policy)>,
    pub(crate) expires: SystemTime,
}

/// Mints a temporary key that the store keeps.
pub(crate) async fn mint(
    keys: &Keys,
    store: &Store,
    roles: &Roles,
    wanted: Wanted<'_>,
    now: SystemTime,
) -> Result<Arc<Session>, StoreError> {
    for forgotten in keys.forget(now.checked_sub(REMEMBERED).unwrap_or(now)) {
        put(store, &forgotten, None).await?;
    }
    let (document, policy) = wanted.policy.unzip();
    let role = assumed(roles, wanted.role_account, wanted.role, wanted.session);
    let session = keys.mint(wanted.account, wanted.expires, policy, role);
    let kept = Kept {
        secret: session.secret.clone(),
        token: session.token.clone(),
        expires: time::unix_seconds(session.expires),
        account: session.account.clone(),
        policy: document.map(str::to_owned),
        role_account: wanted.role_account.to_owned(),
        role: wanted.role.to_owned(),
        session: wanted.session.to_owned(),
        configured: session.role.policies.is_some(),
    };
    let document = serde_json::to_vec(&kept).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    put(store, &session.access_key_id, Some(document)).await?;
    Ok(session)
}

/// Takes back the sessions that the store kept. What a role may do is asked of the settings of today; sessions of a role that is no
/// longer there are not taken back.
pub(crate) fn restore(keys: &Keys, store: &Store, roles: &Roles) -> Result<(), StoreError> {
    for (kind, document) in store.account_configs(PREFIX) {
        let corrupt = |why: String| StoreError::Corrupt(format!("the session `{kind}`: {why}"));
        let kept: Kept = serde_json::from_slice(&document).map_err(|error| corrupt(error.to_string()))?;
        let is_gone = roles.find(&kept.role_account, &kept.role).is_none();
        // A start without any roles must not make full what was held to policies.
        if is_gone && (roles.are_known() || kept.configured) {
            continue;
        }
        let policy = kept.policy.as_deref().map(Policy::parse).transpose().map_err(corrupt)?;
        keys.adopt(Session {
            access_key_id: kind.trim_start_matches(PREFIX).to_owned(),
            secret: kept.secret,
            token: kept.token,
            expires: time::from_unix(kept.expires).unwrap_or(SystemTime::UNIX_EPOCH),
            account: kept.account,
            policy,
            role: assumed(roles, &kept.role_account, &kept.role, &kept.session),
        });
    }
    Ok(())
}

fn assumed(roles: &Roles, account: &str, name: &str, session: &str) -> AssumedRole {
    AssumedRole {
        account: account.to_owned(),
        name: name.to_owned(),
        session_name: session.to_owned(),
        policies: roles.find(account, name).map(|role| role.policies.clone()),
    }
}

async fn put(store: &Store, access_key_id: &str, document: Option<Vec<u8>>) -> Result<(), StoreError> {
    let kind = format!("{PREFIX}{access_key_id}");
    let changed: Result<(), StoreError> = store.update_account_config(&kind, move |_| Ok((document, ()))).await?;
    changed
}
