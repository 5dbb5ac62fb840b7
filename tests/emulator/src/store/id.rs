//! Ids of blobs, versions and uploads: unique across restarts, rising with time.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Makes ids. Each starts with the clock's nanoseconds, or one more than the last id's when the
/// clock did not move, and ends with 64 random bits.
#[derive(Default)]
pub(crate) struct Ids {
    last: AtomicU64,
}

impl Ids {
    /// 32 upper-case hexadecimal digits whose order is the order of making.
    pub(crate) fn next(&self, now: SystemTime) -> String {
        let elapsed = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let nanos = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        let rise = |last: u64| nanos.max(last.saturating_add(1));
        // The closure always returns a value, so both arms hold the value before the change.
        let last = match self
            .last
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(rise(last)))
        {
            Ok(last) | Err(last) => last,
        };
        format!("{:016X}{:016X}", rise(last), random())
    }
}

/// Every `RandomState` has keys of its own, drawn from the system's randomness.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// Upper-case hexadecimal, as ETags are written.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F',
    ];
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| DIGITS[usize::from(digit)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_rise_even_when_the_clock_stands_still() {
        let ids = Ids::default();
        let made: Vec<_> = (0..100).map(|_| ids.next(UNIX_EPOCH)).collect();
        assert!(made.is_sorted_by(|a, b| a < b));
        assert!(made.iter().all(|id| id.len() == 32));
    }

    #[test]
    fn hexadecimal_is_upper_case() {
        assert_eq!(hex(&[0x0a, 0xff, 0x10]), "0AFF10");
    }
}
