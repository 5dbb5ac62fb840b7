//! Faults on demand: which requests go wrong, how, and how often. Deterministic, by counting and by seeded chance.

mod action;
mod body;
mod rule;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;

pub use action::FaultAction;
pub(crate) use body::pace;
pub use rule::Fault;

/// What a request is looked up by.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Subject<'s> {
    pub(crate) operation: Option<&'s str>,
    pub(crate) method: &'s str,
    pub(crate) bucket: Option<&'s str>,
    pub(crate) key: Option<&'s str>,
}

/// A fault that a request suffers.
#[derive(Debug, Clone)]
pub(crate) struct Hit {
    /// Of the rule.
    pub(crate) id: u64,
    pub(crate) action: FaultAction,
    /// The part of a latency that is left to chance.
    pub(crate) jitter: Duration,
}

impl Hit {
    /// How long the request waits before it is handled.
    pub(crate) fn wait(&self) -> Duration {
        match self.action {
            FaultAction::Delay(wait) => wait,
            FaultAction::Latency { base, .. } => base + self.jitter,
            _ => Duration::ZERO,
        }
    }
}

/// The faults that an emulator has in store. Rules are tried in the order added; a request suffers the first that hits.
#[derive(Debug, Default)]
pub struct Faults {
    rules: Mutex<Vec<Active>>,
    last_id: AtomicU64,
}

/// A rule in store.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Active {
    id: u64,
    #[serde(flatten)]
    fault: Fault,
    /// How many requests it has hit.
    hits: u64,
    #[serde(skip)]
    chance: Chance,
}

impl Faults {
    /// Adds a rule and returns the number that [`Faults::remove`] knows it by.
    pub fn add(&self, fault: Fault) -> u64 {
        let id = self.last_id.fetch_add(1, Ordering::Relaxed) + 1;
        let chance = Chance(fault.seed);
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).push(Active {
            id,
            fault,
            hits: 0,
            chance,
        });
        id
    }

    /// Removes a rule; `false` when it is gone already.
    pub fn remove(&self, id: u64) -> bool {
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let before = rules.len();
        rules.retain(|rule| rule.id != id);
        rules.len() < before
    }

    /// Removes all rules.
    pub fn clear(&self) {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Rules that have not hit as often as they should yet.
    pub fn pending(&self) -> usize {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    pub(crate) fn list(&self) -> Vec<Active> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn take(&self, subject: Subject<'_>) -> Option<Hit> {
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let mut hit = None;
        for (index, rule) in rules.iter_mut().enumerate() {
            if !rule.fault.matches(subject) {
                continue;
            }
            if rule.fault.skip > 0 {
                rule.fault.skip -= 1;
                continue;
            }
            if rule.fault.probability < 1.0 && rule.chance.fraction() >= rule.fault.probability {
                continue;
            }
            let jitter = match rule.fault.action {
                FaultAction::Latency { jitter, .. } => jitter.mul_f64(rule.chance.fraction()),
                _ => Duration::ZERO,
            };
            rule.hits += 1;
            let times = &mut rule.fault.times;
            *times = times.saturating_sub(u64::from(*times != u64::MAX));
            let suffered = Hit {
                id: rule.id,
                action: rule.fault.action.clone(),
                jitter,
            };
            hit = Some((index, *times == 0, suffered));
            break;
        }
        let (index, used_up, hit) = hit?;
        if used_up {
            rules.remove(index);
        }
        Some(hit)
    }
}

/// `SplitMix64`: the same seed makes the same choices, everywhere and in every version.
#[derive(Debug, Clone)]
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// At least 0, less than 1.
    fn fraction(&mut self) -> f64 {
        let high = u32::try_from(self.next() >> 32).unwrap_or(u32::MAX);
        f64::from(high) / (f64::from(u32::MAX) + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject<'s>(method: &'s str, key: &'s str) -> Subject<'s> {
        Subject {
            operation: Some("GetObject"),
            method,
            bucket: Some("bucket"),
            key: Some(key),
        }
    }

    #[test]
    fn rules_count_their_hits() {
        let faults = Faults::default();
        faults.add(
            Fault::error(500, "InternalError")
                .operation("GetObject")
                .skip(1)
                .times(2),
        );
        let hits: Vec<bool> = (0..5).map(|_| faults.take(subject("GET", "k")).is_some()).collect();
        assert_eq!(hits, [false, true, true, false, false]);
        assert_eq!(faults.pending(), 0);
    }

    #[test]
    fn rules_match_by_every_given_field() {
        for (rule, method, key, expected) in [
            ("method=PUT,key=a", "GET", "a", false),
            ("method=PUT,key=a", "PUT", "b", false),
            ("method=PUT,key=a", "PUT", "a", true),
            ("bucket=bucket,prefix=logs/", "GET", "logs/1", true),
            ("bucket=bucket,prefix=logs/", "GET", "log", false),
            ("bucket=other", "GET", "a", false),
            ("pattern=*.j?g", "GET", "a/b.jpg", true),
            ("pattern=*.j?g", "GET", "a/b.jpeg", false),
            ("operation=GetObject", "GET", "a", true),
            ("operation=HeadObject", "GET", "a", false),
        ] {
            let faults = Faults::default();
            faults.add(format!("{rule},action=stall").parse().unwrap());
            assert_eq!(
                faults.take(subject(method, key)).is_some(),
                expected,
                "{rule} {method} {key}"
            );
        }
    }

    #[test]
    fn chance_is_the_same_for_the_same_seed() {
        let run = |seed: u64| -> Vec<bool> {
            let faults = Faults::default();
            faults.add(Fault::new(FaultAction::Stall).always().probability(0.25).seed(seed));
            (0..400).map(|_| faults.take(subject("GET", "k")).is_some()).collect()
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
        let hits = run(7).into_iter().filter(|hit| *hit).count();
        assert!((60..140).contains(&hits), "{hits}");
    }

    #[test]
    fn a_latency_lies_between_its_bounds() {
        let faults = Faults::default();
        faults.add("action=latency:30ms:10ms,times=always,seed=3".parse().unwrap());
        let wait = || faults.take(subject("GET", "k")).unwrap().wait();
        let waits: Vec<_> = (0..100).map(|_| wait()).collect();
        let bounds = Duration::from_millis(30)..Duration::from_millis(40);
        assert!(waits.iter().all(|wait| bounds.contains(wait)), "{waits:?}");
        let (least, most) = (waits.iter().min().unwrap(), waits.iter().max().unwrap());
        assert!(*most - *least > Duration::from_millis(5), "{least:?} {most:?}");
        for (action, expected) in [("latency:2s", 2), ("throttle:1", 0), ("stall", 0)] {
            let faults = Faults::default();
            faults.add(format!("action={action}").parse().unwrap());
            let hit = faults.take(Subject::default()).unwrap();
            assert_eq!(hit.wait(), Duration::from_secs(expected), "{action}");
        }
    }

    #[test]
    fn a_rule_can_be_removed_by_its_number() {
        let faults = Faults::default();
        let first = faults.add(Fault::new(FaultAction::Stall));
        let second = faults.add(Fault::new(FaultAction::DropAnswer));
        assert!(faults.remove(first) && !faults.remove(first));
        assert_eq!(faults.take(Subject::default()).map(|hit| hit.id), Some(second));
    }
}
