//! Nonces that were seen: a signed request of an RPC service counts once.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use super::MAX_SKEW;
use crate::error::ServiceError;

/// Nonces that are remembered before keys that had many of them within a quarter of an hour get no further ones.
const MOST: usize = 500_000;
const MAX_LENGTH: usize = 128;

/// Nonces by key, until their signatures are too old anyway.
#[derive(Debug, Default)]
pub(crate) struct Nonces(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    /// Nonces of each key that has any.
    of_keys: HashMap<Arc<str>, HashSet<Arc<str>>>,
    /// After which time each of them can be forgotten, with its key; the first one on top.
    outdated: BinaryHeap<Reverse<Outdated>>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Outdated {
    after: SystemTime,
    key: Arc<str>,
    nonce: Arc<str>,
}

impl Nonces {
    /// Notes the nonce of a request whose signature was right, and refuses one that was there before.
    pub(crate) fn take(
        &self,
        access_key_id: &str,
        nonce: &str,
        signed_at: SystemTime,
        now: SystemTime,
    ) -> Result<(), ServiceError> {
        if nonce.len() > MAX_LENGTH {
            return Err(ServiceError::new(
                400,
                "InvalidParameter",
                format!("A signature nonce has at most {MAX_LENGTH} bytes."),
            ));
        }
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.forget(now);
        seen.take(access_key_id, nonce, signed_at + MAX_SKEW, MOST)
    }
}

impl Seen {
    fn forget(&mut self, now: SystemTime) {
        while self.outdated.peek().is_some_and(|Reverse(first)| first.after < now) {
            let Some(Reverse(Outdated { key, nonce, .. })) = self.outdated.pop() else {
                break;
            };
            if let Some(own) = self.of_keys.get_mut(&key) {
                own.remove(&nonce);
                if own.is_empty() {
                    self.of_keys.remove(&key);
                }
            }
        }
    }

    fn take(&mut self, key: &str, nonce: &str, until: SystemTime, most: usize) -> Result<(), ServiceError> {
        let known = self.of_keys.get_key_value(key);
        let own = known.map_or(0, |(_, own)| own.len());
        if known.is_some_and(|(_, own)| own.contains(nonce)) {
            return Err(ServiceError::new(
                400,
                "SignatureNonceUsed",
                "Specified signature nonce was used already.",
            ));
        }
        // When there are too many, a key gets its share of as many again, so that one key cannot keep the others out.
        let (keys, seen) = (self.of_keys.len() + usize::from(own == 0), self.outdated.len());
        if seen >= most && own >= (2 * most).saturating_sub(seen) / keys {
            return Err(ServiceError::new(
                503,
                "ServiceUnavailable",
                "There were too many signed requests within a quarter of an hour.",
            ));
        }
        let key: Arc<str> = known.map_or_else(|| key.into(), |(key, _)| Arc::clone(key));
        let nonce: Arc<str> = nonce.into();
        self.of_keys
            .entry(Arc::clone(&key))
            .or_default()
            .insert(Arc::clone(&nonce));
        self.outdated.push(Reverse(Outdated {
            after: until,
            key,
            nonce,
        }));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_nonce_counts_once_for_each_key() {
        let nonces = Nonces::default();
        let now = SystemTime::UNIX_EPOCH + MAX_SKEW;
        assert!(nonces.take("a", "n", now, now).is_ok());
        assert_eq!(nonces.take("a", "n", now, now).unwrap_err().code, "SignatureNonceUsed");
        assert!(nonces.take("b", "n", now, now).is_ok());
        let later = now + MAX_SKEW + Duration::from_secs(1);
        assert!(nonces.take("a", "n", later, later).is_ok());
    }

    #[test]
    fn nonces_are_short_and_forgotten_in_time() {
        let nonces = Nonces::default();
        let now = SystemTime::UNIX_EPOCH + MAX_SKEW;
        assert!(nonces.take("a", &"n".repeat(MAX_LENGTH), now, now).is_ok());
        assert!(nonces.take("a", &"n".repeat(MAX_LENGTH + 1), now, now).is_err());
        // The one that came last is outdated first.
        let earlier = now - Duration::from_secs(60);
        for (nonce, signed_at) in [("1", now), ("2", now), ("3", earlier)] {
            assert!(nonces.take("b", nonce, signed_at, now).is_ok());
        }
        let left = || nonces.0.lock().unwrap().outdated.len();
        assert_eq!(left(), 4);
        assert!(nonces.take("b", "4", now, now + MAX_SKEW).is_ok());
        assert_eq!(left(), 4);
        let later = now + MAX_SKEW + Duration::from_secs(1);
        assert!(nonces.take("b", "5", later, later).is_ok());
        assert_eq!(left(), 1);
        let seen = nonces.0.lock().unwrap();
        assert_eq!((seen.of_keys.len(), seen.of_keys["b"].len()), (1, 1));
    }

    #[test]
    fn a_key_with_many_nonces_keeps_no_other_out() {
        let nonces = Nonces::default();
        let now = SystemTime::UNIX_EPOCH + MAX_SKEW;
        let take = |key: &str, number: usize| {
            nonces
                .take(key, &number.to_string(), now, now)
                .map_err(|error| error.code)
        };
        for number in 0..MOST {
            assert_eq!(take("loud", number), Ok(()));
        }
        assert_eq!(take("loud", MOST), Err("ServiceUnavailable".to_owned()));
        assert_eq!(take("loud", 0), Err("SignatureNonceUsed".to_owned()));
        for number in 0..1000 {
            assert_eq!(take("calm", number), Ok(()));
        }
        assert_eq!(take("calm", 0), Err("SignatureNonceUsed".to_owned()));
    }

    #[test]
    fn nonces_are_bounded_however_many_keys_there_are() {
        let (mut seen, most, until) = (Seen::default(), 100, SystemTime::UNIX_EPOCH);
        for key in 0..1000 {
            for nonce in 0..200 {
                let _refused = seen.take(&key.to_string(), &nonce.to_string(), until, most);
            }
        }
        assert!(
            (most..=2 * most).contains(&seen.outdated.len()),
            "{}",
            seen.outdated.len()
        );
    }
}
