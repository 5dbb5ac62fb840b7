//! Whether and when to try again: a policy decides, a token budget keeps a client from making an outage worse.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, ErrorKind};

mod backoff;
mod budget;
mod classify;
mod retry_after;

pub use backoff::{Backoff, EqualJitter, FixedDelay, FullJitter};
pub(crate) use budget::{RetryBudget, Spent};
pub(crate) use classify::is_retryable_answer;
pub(crate) use retry_after::retry_after;

/// Decides after each failed attempt whether there is another.
///
/// It is asked only for attempts that can be repeated at all: the body can be replayed, nothing was cancelled, and the
/// deadline has not passed.
pub trait RetryPolicy: fmt::Debug + Send + Sync {
    /// Most attempts of a call that does not say otherwise; at least 1.
    fn max_attempts(&self) -> u32;

    /// What to do after an attempt that failed.
    fn decide(&self, attempt: &FailedAttempt<'_>) -> Decision;
}

/// An attempt that failed.
#[derive(Debug)]
#[non_exhaustive]
pub struct FailedAttempt<'a> {
    /// Name of the operation, e.g. `GetObject`.
    pub operation: &'a str,
    /// Whether doing the operation twice is the same as doing it once. After a failure that may have come too late, an
    /// operation that is not idempotent is not asked about.
    pub is_idempotent: bool,
    /// Which attempt it was, counted from 1. A request that was sent again because its time was wrong is not counted.
    pub attempt: u32,
    /// How many the call may make in all.
    pub max_attempts: u32,
    /// Why it failed.
    pub error: &'a Error,
    /// What the service asked to wait, already capped.
    pub retry_after: Option<Duration>,
    /// Time since the call began.
    pub elapsed: Duration,
}

impl<'a> FailedAttempt<'a> {
    /// An attempt, counted from 1, of at most `max_attempts`, at an idempotent operation without a name.
    pub fn new(attempt: u32, max_attempts: u32, error: &'a Error) -> Self {
        Self {
            operation: "",
            is_idempotent: true,
            attempt,
            max_attempts,
            error,
            retry_after: None,
            elapsed: Duration::ZERO,
        }
    }
}

/// What a [`RetryPolicy`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision {
    /// The error is the call's result.
    Stop,
    /// Wait so long, then send again.
    RetryAfter(Duration),
}

/// The default policy: 3 attempts of what [`Error::is_retryable`] says can succeed later, full jitter from 200 ms to 20 s,
/// longer when the service asks for it.
#[derive(Debug, Clone)]
pub struct StandardRetry {
    max_attempts: u32,
    backoff: Arc<dyn Backoff>,
}

impl StandardRetry {
    /// 3 attempts with full jitter.
    pub fn new() -> Self {
        Self {
            max_attempts: 3,
            backoff: Arc::new(FullJitter::default()),
        }
    }

    /// Sets the number of attempts; 0 counts as 1.
    #[must_use]
    pub fn with_max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts.max(1);
        self
    }

    /// Sets how long to wait between attempts.
    #[must_use]
    pub fn with_backoff(mut self, backoff: impl Backoff + 'static) -> Self {
        self.backoff = Arc::new(backoff);
        self
    }
}

impl Default for StandardRetry {
    fn default() -> Self {
        Self::new()
    }
}

impl RetryPolicy for StandardRetry {
    fn max_attempts(&self) -> u32 {
        self.max_attempts
    }

    fn decide(&self, attempt: &FailedAttempt<'_>) -> Decision {
        if attempt.attempt >= attempt.max_attempts || !attempt.error.is_retryable() {
            return Decision::Stop;
        }
        let wait = self.backoff.delay(attempt.attempt);
        Decision::RetryAfter(attempt.retry_after.map_or(wait, |asked| asked.max(wait)))
    }
}

/// Every failure is final.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoRetry;

impl RetryPolicy for NoRetry {
    fn max_attempts(&self) -> u32 {
        1
    }

    fn decide(&self, _attempt: &FailedAttempt<'_>) -> Decision {
        Decision::Stop
    }
}

/// Whether an attempt ended because nothing came back in time; such a retry costs the budget more.
pub(crate) fn is_timeout(error: &Error) -> bool {
    error.kind() == ErrorKind::Timeout || error.status() == Some(408)
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, StatusCode};

    use super::*;
    use crate::error::parse_service_error;

    fn answer(status: u16, code: &str) -> Error {
        let status = StatusCode::from_u16(status).unwrap();
        let body = format!("<Error><Code>{code}</Code></Error>");
        let parsed = parse_service_error(status, &HeaderMap::new(), body.as_bytes());
        Error::service(status, HeaderMap::new(), parsed)
    }

    fn policy() -> StandardRetry {
        StandardRetry::new().with_backoff(FixedDelay::new(Duration::from_secs(1)))
    }

    #[test]
    fn attempts_and_kinds_of_failure_decide() {
        let second = Decision::RetryAfter(Duration::from_secs(1));
        let rows = [
            (1, 3, answer(503, "X"), second),
            (2, 3, answer(503, "X"), second),
            (3, 3, answer(503, "X"), Decision::Stop),
            (1, 1, answer(503, "X"), Decision::Stop),
            (1, 3, answer(404, "NoSuchKey"), Decision::Stop),
            (1, 3, Error::new(ErrorKind::Connect, ""), second),
            (1, 3, Error::checksum_mismatch(1, 2), Decision::Stop),
            (1, 3, Error::checksum_mismatch(1, 2).with_retryable(true), second),
            (1, 3, Error::new(ErrorKind::Canceled, ""), Decision::Stop),
            (1, 3, answer(403, "RequestTimeTooSkewed"), Decision::Stop),
        ];
        for (attempt, max, error, expected) in rows {
            assert_eq!(
                policy().decide(&FailedAttempt::new(attempt, max, &error)),
                expected,
                "{attempt}/{max} {error}"
            );
            assert_eq!(
                NoRetry.decide(&FailedAttempt::new(attempt, max, &error)),
                Decision::Stop
            );
        }
    }

    #[test]
    fn the_service_can_ask_for_more_patience_but_not_for_less() {
        let error = answer(503, "X");
        let mut attempt = FailedAttempt::new(1, 3, &error);
        for (asked, waited) in [(5, 5), (0, 1)] {
            attempt.retry_after = Some(Duration::from_secs(asked));
            assert_eq!(
                policy().decide(&attempt),
                Decision::RetryAfter(Duration::from_secs(waited))
            );
        }
    }

    #[test]
    fn there_is_always_one_attempt() {
        assert_eq!(StandardRetry::new().with_max_attempts(0).max_attempts(), 1);
        assert_eq!(StandardRetry::default().max_attempts(), 3);
        assert_eq!(NoRetry.max_attempts(), 1);
    }
}
