//! The V4 signing key changes once a day: it is derived once and kept.

use std::fmt;
use std::sync::{PoisonError, RwLock};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::secret::Secret;

/// Keys kept: a client uses one, during a change of credentials or at midnight two.
const CAPACITY: usize = 8;

/// HMAC under a key, before any data.
pub(super) type KeyedHmac = Hmac<Sha256>;

/// Signing keys by secret, day, region and product.
#[derive(Default)]
pub(super) struct SigningKeyCache {
    /// Oldest first.
    entries: RwLock<Vec<Entry>>,
}

struct Entry {
    secret: Secret,
    date: [u8; 8],
    region: String,
    product: String,
    key: KeyedHmac,
}

impl SigningKeyCache {
    /// The key, derived if it is not there.
    pub(super) fn key(&self, secret: &Secret, date: [u8; 8], region: &str, product: &str) -> KeyedHmac {
        // Writers only push and remove whole entries, so a panic of one leaves the list usable.
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let found = entries.iter().rev().find(|entry| {
            entry.date == date && entry.region == region && entry.product == product && entry.secret == *secret
        });
        if let Some(entry) = found {
            return entry.key.clone();
        }
        drop(entries);
        let key = derive(secret.expose(), &date, region, product);
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        if entries.len() == CAPACITY {
            entries.remove(0);
        }
        let (region, product) = (region.to_owned(), product.to_owned());
        entries.push(Entry {
            secret: secret.clone(),
            date,
            region,
            product,
            key: key.clone(),
        });
        key
    }
}

impl fmt::Debug for SigningKeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKeyCache")
    }
}

fn derive(secret: &str, date: &[u8], region: &str, product: &str) -> KeyedHmac {
    let mut first = zeroize::Zeroizing::new(Vec::with_capacity(9 + secret.len()));
    first.extend_from_slice(b"aliyun_v4");
    first.extend_from_slice(secret.as_bytes());
    [date, region.as_bytes(), product.as_bytes(), b"aliyun_v4_request"]
        .iter()
        .fold(keyed(&first), |key, text| {
            keyed(&key.chain_update(text).finalize().into_bytes())
        })
}

pub(super) fn keyed(key: &[u8]) -> KeyedHmac {
    // HMAC takes keys of any length, so there is no error to report.
    KeyedHmac::new_from_slice(key).unwrap_or_else(|_| KeyedHmac::new(&Default::default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_kept_apart_by_all_they_depend_on() {
        let cache = SigningKeyCache::default();
        let sign = |secret: &str, date: &[u8; 8], region, product| {
            cache
                .key(&Secret::new(secret), *date, region, product)
                .finalize()
                .into_bytes()
        };
        let base = sign("s", b"20231217", "r", "p");
        for _ in 0..2 {
            assert_eq!(sign("s", b"20231217", "r", "p"), base);
            for other in [
                sign("t", b"20231217", "r", "p"),
                sign("s", b"20231218", "r", "p"),
                sign("s", b"20231217", "q", "p"),
                sign("s", b"20231217", "r", "q"),
            ] {
                assert_ne!(other, base);
            }
        }
        assert_eq!(cache.entries.read().unwrap().len(), 5);
    }

    #[test]
    fn the_cache_does_not_grow_without_end() {
        let cache = SigningKeyCache::default();
        for n in 0..100 {
            cache.key(&Secret::new(format!("{n}")), *b"20231217", "r", "p");
        }
        assert_eq!(cache.entries.read().unwrap().len(), CAPACITY);
        assert!(!format!("{cache:?}").contains("99"));
    }
}
