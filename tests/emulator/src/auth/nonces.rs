//! Nonces that were seen: a signed request of an RPC service counts once.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use super::MAX_SKEW;
use crate::error::ServiceError;

/// Above that many the outdated ones are swept out.
const SWEEP_ABOVE: usize = 10_000;

/// Nonces by key, with the time after which their signatures are too old anyway.
#[derive(Debug, Default)]
pub(crate) struct Nonces(Mutex<HashMap<(String, String), SystemTime>>);

impl Nonces {
    /// Notes the nonce of a request whose signature was right, and refuses one that was there before.
    pub(crate) fn take(
        &self,
        access_key_id: &str,
        nonce: &str,
        signed_at: SystemTime,
        now: SystemTime,
    ) -> Result<(), ServiceError> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() > SWEEP_ABOVE {
            seen.retain(|_, until| *until >= now);
        }
        let name = (access_key_id.to_owned(), nonce.to_owned());
        if seen.get(&name).is_some_and(|until| *until >= now) {
            return Err(ServiceError::new(
                400,
                "SignatureNonceUsed",
                "Specified signature nonce was used already.",
            ));
        }
        seen.insert(name, signed_at + MAX_SKEW);
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
}
