//! Nonces that were seen: a signed request of an RPC service counts once.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use super::MAX_SKEW;
use crate::error::ServiceError;

/// Above that many the outdated ones are swept out for the first time.
const SWEEP_ABOVE: usize = 10_000;
/// Nonces that are remembered at all: more than that in a quarter of an hour are refused.
const MOST: usize = 500_000;
const MAX_LENGTH: usize = 128;

/// Nonces by key, with the time after which their signatures are too old anyway.
#[derive(Debug, Default)]
pub(crate) struct Nonces(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    until: HashMap<(String, String), SystemTime>,
    /// As many as were left by the last sweep. The next one waits until there are twice as many, so that sweeps stay rare.
    left: usize,
    /// When the first of those can be forgotten.
    earliest: Option<SystemTime>,
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
        let is_full = seen.until.len() >= SWEEP_ABOVE.max(2 * seen.left).min(MOST);
        if is_full && seen.earliest.is_none_or(|earliest| earliest < now) {
            seen.until.retain(|_, until| *until >= now);
            seen.left = seen.until.len();
            seen.earliest = seen.until.values().min().copied();
        }
        if seen.until.len() >= MOST {
            return Err(ServiceError::new(
                503,
                "ServiceUnavailable",
                "There were too many signed requests within a quarter of an hour.",
            ));
        }
        let name = (access_key_id.to_owned(), nonce.to_owned());
        if seen.until.get(&name).is_some_and(|until| *until >= now) {
            return Err(ServiceError::new(
                400,
                "SignatureNonceUsed",
                "Specified signature nonce was used already.",
            ));
        }
        seen.until.insert(name, signed_at + MAX_SKEW);
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
        let later = now + MAX_SKEW + Duration::from_secs(1);
        for number in 0..=SWEEP_ABOVE {
            let when = if number < SWEEP_ABOVE - 10 { now } else { later };
            assert!(nonces.take("b", &number.to_string(), when, when).is_ok());
        }
        assert!(nonces.0.lock().unwrap().until.len() < 20);
        assert_eq!(
            nonces
                .take("b", &SWEEP_ABOVE.to_string(), later, later)
                .unwrap_err()
                .code,
            "SignatureNonceUsed"
        );
    }
}
