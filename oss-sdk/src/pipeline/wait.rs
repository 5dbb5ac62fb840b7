//! Whether there is another attempt, and how long to wait for it.

use std::time::Duration;

use super::attempt::AttemptState;
use super::{Prepared, skew};
use crate::error::{Error, ErrorKind, NotRetried};
use crate::retry::{Decision, FailedAttempt, is_timeout, retry_after};

/// Codes by which the service says that temporary credentials are over.
const EXPIRED: [&str; 3] = ["InvalidSecurityToken", "SecurityTokenExpired", "InvalidAccessKeyId"];

/// What follows on a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Another one, after a wait.
    Again { delay: Duration, reason: Reason },
    /// The error is final; with a reason when it could have passed.
    Stop(Option<NotRetried>),
}

/// Why there is another attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// Our clock was set right.
    Clock,
    /// Credentials that were refused are fetched anew.
    Credentials,
    /// The policy says so.
    Policy,
}

impl Reason {
    /// The value of the field `retry_reason`.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Reason::Clock => "clock",
            Reason::Credentials => "credentials",
            Reason::Policy => "policy",
        }
    }
}

/// Decides about another attempt after one that failed.
pub(super) fn after_failure(
    prepared: &Prepared,
    state: &mut AttemptState,
    error: &Error,
    left: Option<Duration>,
) -> Next {
    let input = &prepared.input;
    // There are no other credentials than those that were refused.
    if state.unchanged {
        return Next::Stop(None);
    }
    if matches!(error.kind(), ErrorKind::Canceled | ErrorKind::Closed) {
        return Next::Stop(None);
    }
    let is_used_up = state.opened && !input.body.is_replayable();
    // The request was refused before it was looked at, and the next one has another time. That is neither a retry of
    // the same request nor a sign that the service is in trouble, so it costs no attempt and no budget.
    // A stranger's answer says nothing about the service: neither of its clock nor of the credentials.
    let is_from_service = !state.is_from_stranger;
    if is_from_service && skew::learn(prepared, error, state.signed_ahead) && !state.skew_healed {
        if is_used_up {
            return Next::Stop(Some(NotRetried::Body));
        }
        state.skew_healed = true;
        return Next::Again {
            delay: Duration::ZERO,
            reason: Reason::Clock,
        };
    }
    if state.counted >= prepared.max_attempts {
        return Next::Stop(None);
    }
    if is_from_service && !state.refreshed && error.code().is_some_and(|code| EXPIRED.contains(&code)) {
        if is_used_up {
            // Keys without a token do not run out, so others would hardly have helped.
            let is_temporary = state.used.as_ref().is_some_and(|used| used.security_token().is_some());
            return Next::Stop(is_temporary.then_some(NotRetried::Body));
        }
        state.refreshed = true;
        state.refused.clone_from(&state.used);
        // Nothing is down, so it costs nothing of the budget: a key that ends under a thousand calls ends none of them.
        return Next::Again {
            delay: Duration::ZERO,
            reason: Reason::Credentials,
        };
    }
    // The policy is asked only about what can be repeated.
    let obstacle = |obstacle| Next::Stop(error.is_retryable().then_some(obstacle));
    if is_used_up {
        return obstacle(NotRetried::Body);
    }
    if input.traits.not_idempotent && !is_untouched(error) {
        return obstacle(NotRetried::NotIdempotent);
    }
    let mut failed = FailedAttempt::new(state.counted, prepared.max_attempts, error);
    failed.operation = prepared.name();
    failed.is_idempotent = !input.traits.not_idempotent;
    failed.retry_after = retry_after(error.headers(), prepared.core.now());
    failed.elapsed = error.elapsed().unwrap_or_default();
    let Decision::RetryAfter(delay) = prepared.retry.decide(&failed) else {
        return Next::Stop(None);
    };
    // Waiting beyond the deadline would only hide the error that is at hand.
    if left.is_some_and(|left| left <= delay) {
        return Next::Stop(Some(NotRetried::Deadline));
    }
    if !pay(prepared, state, error) {
        return Next::Stop(Some(NotRetried::Budget));
    }
    if is_from_service && error.status() == Some(401) {
        state.refused.clone_from(&state.used);
    }
    Next::Again {
        delay,
        reason: Reason::Policy,
    }
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
