//! Whether there is another attempt, and how long to wait for it.

use std::time::Duration;

use super::attempt::AttemptState;
use super::{Prepared, skew};
use crate::error::{Error, ErrorKind};
use crate::retry::{Decision, FailedAttempt, is_timeout, retry_after};

/// Codes by which the service says that temporary credentials are over.
const EXPIRED: [&str; 3] = ["InvalidSecurityToken", "SecurityTokenExpired", "InvalidAccessKeyId"];

/// The wait before the next attempt; `None` when the error is final.
pub(super) fn before_next(
    prepared: &Prepared,
    state: &mut AttemptState,
    attempt: u32,
    error: &Error,
    left: Option<Duration>,
) -> Option<Duration> {
    let input = &prepared.input;
    if attempt >= prepared.max_attempts || state.unchanged || (state.opened && !input.body.is_replayable()) {
        return None;
    }
    if matches!(error.kind(), ErrorKind::Canceled | ErrorKind::Closed) {
        return None;
    }
    // The request was refused before it was looked at, and will be another one the next time.
    if !state.refreshed && error.code().is_some_and(|code| EXPIRED.contains(&code)) {
        state.refreshed = true;
        state.refused.clone_from(&state.used);
        // Nothing is down, so it costs nothing of the budget: a key that ends under a thousand calls ends none of them.
        return Some(Duration::ZERO);
    }
    if !state.skew_healed && prepared.core.corrects_skew && skew::is_invalid_date(error) {
        state.skew_healed = true;
        return pay(prepared, state, error).then_some(Duration::ZERO);
    }
    if input.traits.not_idempotent && !is_untouched(error) {
        return None;
    }
    let mut failed = FailedAttempt::new(attempt, prepared.max_attempts, error);
    failed.retry_after = retry_after(error.headers(), prepared.core.now());
    failed.elapsed = error.elapsed().unwrap_or_default();
    let Decision::RetryAfter(delay) = prepared.retry.decide(&failed) else {
        return None;
    };
    // Waiting beyond the deadline would only hide the error that is at hand.
    if left.is_some_and(|left| left <= delay) || !pay(prepared, state, error) {
        return None;
    }
    if error.status() == Some(401) {
        state.refused.clone_from(&state.used);
    }
    Some(delay)
}

fn pay(prepared: &Prepared, state: &mut AttemptState, error: &Error) -> bool {
    state.spent = prepared.core.budget.spend(is_timeout(error));
    state.spent.is_some()
}

/// Whether an error says that the operation was not carried out.
fn is_untouched(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Connect | ErrorKind::Credentials => true,
        ErrorKind::Service => matches!(error.status(), Some(400..=499 | 503)),
        _ => false,
    }
}
