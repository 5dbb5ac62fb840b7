//! How long to wait between attempts.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::random;

/// Where chance comes from: numbers from 0 up to but not including 1.
type Chance = Arc<dyn Fn() -> f64 + Send + Sync>;

const BASE: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(20);

/// Says how long to wait before the next attempt.
pub trait Backoff: fmt::Debug + Send + Sync {
    /// The wait after the attempt of this number, counted from 1.
    fn delay(&self, attempt: u32) -> Duration;
}

/// The time by which the wait is bounded: base times two to the power of the attempt, at most `longest`.
fn ceiling(base: Duration, longest: Duration, attempt: u32) -> Duration {
    base.saturating_mul(1_u32.checked_shl(attempt.min(31)).unwrap_or(u32::MAX))
        .min(longest)
}

/// A random wait between nothing and a time that doubles with each attempt: 0 to 0.4 s after the first, 0 to 0.8 s after the
/// second, at most 20 s. Spreads the callers best; the default.
#[derive(Clone)]
pub struct FullJitter {
    base: Duration,
    longest: Duration,
    chance: Chance,
}

/// Half of the time that doubles with each attempt, and a random part of the other half and a second.
#[derive(Clone)]
pub struct EqualJitter {
    base: Duration,
    longest: Duration,
    chance: Chance,
}

/// Always the same wait.
#[derive(Debug, Clone, Copy)]
pub struct FixedDelay(Duration);

impl FullJitter {
    /// Sets the base, which the first wait is at most twice of, and the longest wait.
    pub fn new(base: Duration, longest: Duration) -> Self {
        Self {
            base,
            longest,
            chance: Arc::new(random::unit),
        }
    }

    /// Takes chance from a function that gives numbers from 0 up to but not including 1. For tests.
    #[must_use]
    pub fn with_chance(mut self, chance: impl Fn() -> f64 + Send + Sync + 'static) -> Self {
        self.chance = Arc::new(chance);
        self
    }
}

impl EqualJitter {
    /// Sets the base, which the first bound is twice of, and the greatest bound.
    pub fn new(base: Duration, longest: Duration) -> Self {
        Self {
            base,
            longest,
            chance: Arc::new(random::unit),
        }
    }

    /// Takes chance from a function that gives numbers from 0 up to but not including 1. For tests.
    #[must_use]
    pub fn with_chance(mut self, chance: impl Fn() -> f64 + Send + Sync + 'static) -> Self {
        self.chance = Arc::new(chance);
        self
    }
}

impl FixedDelay {
    /// Sets the wait.
    pub fn new(delay: Duration) -> Self {
        Self(delay)
    }
}

impl Default for FullJitter {
    fn default() -> Self {
        Self::new(BASE, LONGEST)
    }
}

impl Default for EqualJitter {
    fn default() -> Self {
        Self::new(BASE, LONGEST)
    }
}

/// A part of a time; a function of chance that misbehaves does no harm.
fn part(whole: Duration, chance: &Chance) -> Duration {
    let fraction = chance();
    if fraction.is_finite() {
        whole.mul_f64(fraction.clamp(0.0, 1.0))
    } else {
        whole
    }
}

impl Backoff for FullJitter {
    fn delay(&self, attempt: u32) -> Duration {
        part(ceiling(self.base, self.longest, attempt), &self.chance)
    }
}

impl Backoff for EqualJitter {
    fn delay(&self, attempt: u32) -> Duration {
        let half = ceiling(self.base, self.longest, attempt) / 2;
        half.saturating_add(part(half.saturating_add(Duration::from_secs(1)), &self.chance))
    }
}

impl Backoff for FixedDelay {
    fn delay(&self, _attempt: u32) -> Duration {
        self.0
    }
}

impl fmt::Debug for FullJitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FullJitter")
            .field("base", &self.base)
            .field("longest", &self.longest)
            .finish()
    }
}

impl fmt::Debug for EqualJitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EqualJitter")
            .field("base", &self.base)
            .field("longest", &self.longest)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_double_up_to_the_longest_wait() {
        let least = FullJitter::default().with_chance(|| 0.0);
        let half = FullJitter::default().with_chance(|| 0.5);
        let rows = [
            (1, 200),
            (2, 400),
            (3, 800),
            (6, 6_400),
            (7, 10_000),
            (40, 10_000),
            (u32::MAX, 10_000),
        ];
        for (attempt, millis) in rows {
            assert_eq!(half.delay(attempt), Duration::from_millis(millis), "attempt {attempt}");
            assert_eq!(least.delay(attempt), Duration::ZERO);
        }
    }

    #[test]
    fn equal_jitter_waits_at_least_half() {
        let least = EqualJitter::default().with_chance(|| 0.0);
        let half = EqualJitter::default().with_chance(|| 0.5);
        assert_eq!(least.delay(1), Duration::from_millis(200));
        assert_eq!(half.delay(1), Duration::from_millis(800));
        assert_eq!(least.delay(u32::MAX), Duration::from_secs(10));
        assert_eq!(FixedDelay::new(Duration::from_secs(3)).delay(9), Duration::from_secs(3));
    }

    #[test]
    fn chance_differs_and_stays_within_bounds() {
        let waits: Vec<_> = (0..200).map(|_| FullJitter::default().delay(1)).collect();
        assert!(waits.iter().all(|wait| *wait < Duration::from_millis(400)));
        assert!(waits.iter().any(|wait| wait != &waits[0]));
        for broken in [f64::NAN, f64::INFINITY, -1.0, 7.0] {
            assert!(FullJitter::default().with_chance(move || broken).delay(1) <= Duration::from_millis(400));
        }
    }

    #[test]
    fn long_settings_do_not_overflow() {
        let long = FullJitter::new(Duration::MAX, Duration::MAX).with_chance(|| 0.5);
        assert!(long.delay(u32::MAX) > Duration::from_secs(1));
        assert!(
            EqualJitter::new(Duration::MAX, Duration::MAX)
                .with_chance(|| 0.1)
                .delay(1)
                > Duration::from_secs(1)
        );
    }
}
