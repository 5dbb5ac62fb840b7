//! Access keys: permanent ones from the configuration, temporary ones minted by AssumeRole.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};

use super::Principal;
use crate::error::ServiceError;
use crate::policy::Policy;
use crate::text;

/// A permanent key.
#[derive(Clone)]
pub(crate) struct AccessKey {
    pub(crate) secret: String,
    pub(crate) account: String,
}

/// A RAM user: part of an account, and allowed what policies allow.
pub(crate) struct RamUser {
    /// What bucket policies call the user.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) account: String,
    pub(crate) access_key_id: String,
    pub(crate) secret: String,
    pub(crate) policies: Vec<Policy>,
}

/// The role that a session plays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AssumedRole {
    pub(crate) account: String,
    pub(crate) name: String,
    pub(crate) session_name: String,
    /// What the role may do; a role that nobody configured may do what its account may.
    pub(crate) policies: Option<Vec<Policy>>,
}

/// A temporary key and what it may do.
pub(crate) struct Session {
    pub(crate) access_key_id: String,
    pub(crate) secret: String,
    pub(crate) token: String,
    pub(crate) expires: SystemTime,
    pub(crate) account: String,
    /// Narrows the role; without one the session may do what its role may.
    pub(crate) policy: Option<Policy>,
    pub(crate) role: AssumedRole,
}

impl fmt::Debug for RamUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RamUser")
            .field("id", &self.id)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl AssumedRole {
    #[cfg(test)]
    pub(crate) fn unknown(account: &str) -> Self {
        Self {
            account: account.to_owned(),
            name: "role".to_owned(),
            session_name: "session".to_owned(),
            policies: None,
        }
    }
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessKey")
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("access_key_id", &self.access_key_id)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// All keys that the emulator accepts.
#[derive(Debug)]
pub(crate) struct Keys {
    permanent: BTreeMap<String, AccessKey>,
    /// By the ids of their keys.
    users: BTreeMap<String, Arc<RamUser>>,
    sessions: Mutex<HashMap<String, Arc<Session>>>,
    random: RandomState,
    counter: AtomicU64,
}

/// A key that was found, with the secret to verify by.
pub(crate) struct Found {
    pub(crate) secret: String,
    pub(crate) principal: Principal,
}

impl Keys {
    pub(crate) fn new(permanent: BTreeMap<String, AccessKey>) -> Self {
        Self {
            permanent,
            users: BTreeMap::new(),
            sessions: Mutex::default(),
            random: RandomState::new(),
            counter: AtomicU64::new(0),
        }
    }

    /// Adds users of accounts.
    pub(crate) fn with_users(mut self, users: impl IntoIterator<Item = RamUser>) -> Self {
        let users = users
            .into_iter()
            .map(|user| (user.access_key_id.clone(), Arc::new(user)));
        self.users = users.collect();
        self
    }

    pub(crate) fn user(&self, name: &str) -> Option<&RamUser> {
        self.users.values().map(Arc::as_ref).find(|user| user.name == name)
    }

    /// All accounts that have keys, and that of the emulator, which comes first.
    pub(crate) fn accounts<'a>(&'a self, own: &'a str) -> Vec<&'a str> {
        let mut accounts = vec![own];
        let of_keys = self.permanent.values().map(|key| key.account.as_str());
        let of_users = self.users.values().map(|user| user.account.as_str());
        for account in of_keys.chain(of_users) {
            if !accounts.contains(&account) {
                accounts.push(account);
            }
        }
        accounts
    }

    /// Looks a key up and checks the token that must, or must not, come with it.
    pub(crate) fn find(
        &self,
        access_key_id: &str,
        token: Option<&str>,
        now: SystemTime,
    ) -> Result<Found, ServiceError> {
        let invalid_token = || {
            ServiceError::new(
                403,
                "InvalidSecurityToken",
                "The security token you provided is invalid.",
            )
        };
        if let Some(key) = self.permanent.get(access_key_id) {
            return match token {
                None | Some("") => Ok(Found {
                    secret: key.secret.clone(),
                    principal: Principal::Key {
                        account: key.account.clone(),
                        access_key_id: access_key_id.to_owned(),
                    },
                }),
                Some(_) => Err(invalid_token()),
            };
        }
        if let Some(user) = self.users.get(access_key_id) {
            return match token {
                None | Some("") => Ok(Found {
                    secret: user.secret.clone(),
                    principal: Principal::User(Arc::clone(user)),
                }),
                Some(_) => Err(invalid_token()),
            };
        }
        let session = self
            .sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(access_key_id)
            .cloned();
        let session = session.ok_or_else(|| {
            ServiceError::new(
                403,
                "InvalidAccessKeyId",
                "The OSS Access Key Id you provided does not exist in our records.",
            )
            .detail("OSSAccessKeyId", access_key_id)
        })?;
        if !token.is_some_and(|token| text::same_secret(token, &session.token)) {
            return Err(invalid_token());
        }
        if now >= session.expires {
            return Err(ServiceError::new(
                403,
                "SecurityTokenExpired",
                "The security token you provided has expired.",
            ));
        }
        Ok(Found {
            secret: session.secret.clone(),
            principal: Principal::Session(session),
        })
    }

    /// Mints a temporary key.
    pub(crate) fn mint(
        &self,
        account: &str,
        expires: SystemTime,
        policy: Option<Policy>,
        role: AssumedRole,
    ) -> Arc<Session> {
        let session = Arc::new(Session {
            access_key_id: format!("STS.{}", self.random_text(24)),
            secret: self.random_text(44),
            token: format!("CAIS{}", self.random_text(124)),
            expires,
            account: account.to_owned(),
            policy,
            role,
        });
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.insert(session.access_key_id.clone(), Arc::clone(&session));
        session
    }

    /// Whether a key is a temporary one, good or not.
    pub(crate) fn is_session(&self, access_key_id: &str) -> bool {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.contains_key(access_key_id)
    }

    /// Takes in a session that was minted before.
    pub(crate) fn adopt(&self, session: Session) {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.insert(session.access_key_id.clone(), Arc::new(session));
    }

    /// Forgets the sessions that ended before a time, and tells which.
    pub(crate) fn forget(&self, before: SystemTime) -> Vec<String> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let ended: Vec<_> = sessions
            .values()
            .filter(|session| session.expires < before)
            .map(|session| session.access_key_id.clone())
            .collect();
        for id in &ended {
            sessions.remove(id);
        }
        ended
    }

    #[cfg(test)]
    pub(crate) fn with_session(access_key_id: &str, secret: &str, token: &str, expires: SystemTime) -> Self {
        let keys = Self::new(BTreeMap::new());
        let session = Session {
            access_key_id: access_key_id.to_owned(),
            secret: secret.to_owned(),
            token: token.to_owned(),
            expires,
            account: "1".to_owned(),
            policy: None,
            role: AssumedRole::unknown("1"),
        };
        keys.sessions
            .lock()
            .unwrap()
            .insert(access_key_id.to_owned(), Arc::new(session));
        keys
    }

    /// Unpredictable enough for keys that open an emulator: a hash over the seed that the standard library drew.
    pub(crate) fn random_text(&self, length: usize) -> String {
        let mut text = String::with_capacity(length + 64);
        while text.len() < length {
            let mut hasher = Sha256::new();
            let count = self.counter.fetch_add(1, Ordering::Relaxed);
            for salt in 0..4u8 {
                hasher.update(self.random.hash_one((count, salt)).to_le_bytes());
            }
            text.extend(
                text::base64(&hasher.finalize())
                    .chars()
                    .filter(char::is_ascii_alphanumeric),
            );
        }
        text.truncate(length);
        text
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn keys() -> Keys {
        let key = AccessKey {
            secret: "secret".to_owned(),
            account: "1".to_owned(),
        };
        Keys::new(BTreeMap::from([("id".to_owned(), key)]))
    }

    fn code(result: Result<Found, ServiceError>) -> String {
        result.err().map(|error| error.code).unwrap_or_default()
    }

    #[test]
    fn a_permanent_key_comes_without_a_token() {
        let now = SystemTime::UNIX_EPOCH;
        assert!(keys().find("id", None, now).is_ok());
        assert_eq!(code(keys().find("id", Some("token"), now)), "InvalidSecurityToken");
        assert_eq!(code(keys().find("other", None, now)), "InvalidAccessKeyId");
    }

    #[test]
    fn a_session_needs_its_own_token_and_dies_on_time() {
        let keys = keys();
        let now = SystemTime::UNIX_EPOCH;
        let end = now + Duration::from_secs(900);
        let session = keys.mint("1", end, None, AssumedRole::unknown("1"));
        let id = session.access_key_id.as_str();
        assert!(keys.find(id, Some(&session.token), now).is_ok());
        assert_eq!(code(keys.find(id, None, now)), "InvalidSecurityToken");
        assert_eq!(code(keys.find(id, Some("other"), now)), "InvalidSecurityToken");
        assert_eq!(code(keys.find(id, Some(&session.token), end)), "SecurityTokenExpired");
    }

    #[test]
    fn secrets_do_not_show_in_debug_output() {
        let keys = keys();
        let session = keys.mint("1", SystemTime::UNIX_EPOCH, None, AssumedRole::unknown("1"));
        let text = format!("{keys:?}");
        assert!(
            !text.contains("secret\"") && !text.contains(&session.secret) && !text.contains(&session.token),
            "{text}"
        );
    }
}
