//! A budget of retry tokens, shared by all calls of a client: when most requests fail, retries stop, and an outage does
//! not get several times the load.

use std::sync::atomic::{AtomicU32, Ordering};

const CAPACITY: u32 = 500;
const RETRY: u32 = 5;
/// An attempt that was waited for in vain says more about the service's state.
const TIMEOUT: u32 = 10;
/// What a call gives back that succeeded without a retry.
const SUCCESS: u32 = 1;

/// The tokens that are left.
#[derive(Debug)]
pub(crate) struct RetryBudget {
    tokens: AtomicU32,
}

/// What a retry has cost; given back when the retry succeeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "give it back when the retry succeeds"]
pub(crate) struct Spent(u32);

impl RetryBudget {
    pub(crate) fn new() -> Self {
        Self {
            tokens: AtomicU32::new(CAPACITY),
        }
    }

    /// Pays for a retry; `None` when too little is left.
    pub(crate) fn spend(&self, is_timeout: bool) -> Option<Spent> {
        let cost = if is_timeout { TIMEOUT } else { RETRY };
        self.tokens
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |tokens| tokens.checked_sub(cost))
            .ok()
            .map(|_| Spent(cost))
    }

    /// A call has succeeded: what its last retry cost comes back, or a little if there was none.
    pub(crate) fn refill(&self, spent: Option<Spent>) {
        let amount = spent.map_or(SUCCESS, |spent| spent.0);
        // Usually full: then nothing is written, and calls on different threads do not contend.
        let _ = self
            .tokens
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |tokens| {
                (tokens < CAPACITY).then(|| (tokens + amount).min(CAPACITY))
            });
    }
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_stop_when_the_budget_is_spent() {
        let budget = RetryBudget::new();
        let spent = std::iter::from_fn(|| budget.spend(false)).count();
        assert_eq!(spent, 100);
        for _ in 0..4 {
            budget.refill(None);
        }
        assert_eq!(budget.spend(false), None);
        budget.refill(None);
        assert_eq!(budget.spend(true), None, "a timeout costs more");
        assert_eq!(budget.spend(false), Some(Spent(5)));
    }

    #[test]
    fn a_retry_that_helped_costs_nothing_and_the_budget_never_overflows() {
        let budget = RetryBudget::new();
        for _ in 0..1000 {
            let spent = budget.spend(true).unwrap();
            budget.refill(Some(spent));
        }
        budget.refill(None);
        assert_eq!(budget.tokens.load(Ordering::Relaxed), CAPACITY);
    }
}
