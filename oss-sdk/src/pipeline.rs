//! From an input to a reply: validate, build, then per attempt fetch credentials, sign, send and classify.
//!
//! Nothing here is generic over the operation. Each attempt is made from scratch: its own payload, time, credentials
//! and signature.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Instant;
use tracing::Instrument;

use crate::client::{CallOptions, Core};
use crate::error::{Error, ErrorKind, NotRetried, explain};
use crate::future::BoxFuture;
use crate::limits::Limits;
use crate::observe;
use crate::operation::{OperationInput, Reply};
use crate::time::monotonic;

mod answer;
mod attempt;
mod patience;
mod prepare;
mod redirect;
mod resume;
mod skew;
mod wait;

use self::answer::{Answer, AnswerBody};
use self::attempt::AttemptState;
use self::wait::{Next, Reason};

pub(crate) use self::prepare::Prepared;
pub(crate) use self::skew::{ServiceClock, Skew};

/// Carries out a request and delivers its answer; streamed payloads are still to be read.
pub(crate) fn execute(
    core: Arc<Core>,
    input: OperationInput,
    options: CallOptions,
) -> BoxFuture<'static, Result<Reply, Error>> {
    Box::pin(async move {
        let operation = input.name.clone();
        let span = observe::call(&core, &input);
        let result = carry_out(core, input, options)
            .instrument(span.clone())
            .await
            .map_err(|error| error.with_operation(operation));
        observe::call_ended(&span, &result);
        result
    })
}

async fn carry_out(core: Arc<Core>, input: OperationInput, mut options: CallOptions) -> Result<Reply, Error> {
    let mut limits = limits(&core, &mut options);
    let _under_way = limits.begin_call();
    let prepared = Arc::new(Prepared::new(core, input, options)?);
    // What was given up before it began is not begun.
    std::future::poll_fn(|cx| std::task::Poll::Ready(limits.check(cx))).await?;
    let answer = run(&prepared, &mut limits).await?;
    answer.into_reply(&prepared, limits)
}

/// What ends a call from outside; it begins now.
pub(crate) fn limits(core: &Core, options: &mut CallOptions) -> Limits {
    // Without a runtime nothing tells the time; what needs none, such as a signature, is made all the same.
    let deadline = deadline(core, options).filter(|_| Handle::try_current().is_ok());
    Limits::new(&core.shutdown, deadline, options.cancel.take())
}

fn deadline(core: &Core, options: &CallOptions) -> Option<Instant> {
    let now = monotonic();
    let timeouts = [core.timeout, options.timeout]
        .into_iter()
        .flatten()
        .filter_map(|timeout| now.checked_add(timeout));
    timeouts.chain(options.deadline).min()
}

/// Makes attempts until one succeeds or none is left.
async fn run(prepared: &Prepared, limits: &mut Limits) -> Result<Answer, Error> {
    let started = monotonic();
    let core = &prepared.core;
    let mut state = AttemptState::default();
    loop {
        state.counted += 1;
        state.bytes_sent = 0;
        let span = observe::attempt(&prepared.input.method, state.sent + 1);
        let making = within(prepared.attempt_timeout, attempt::make(prepared, &mut state));
        let result = limits.guard(making.instrument(span.clone())).await;
        span.record("bytes_sent", state.bytes_sent as i64);
        let result = match result {
            Ok(result) => result,
            // Deadline, cancellation or shutdown: whatever the attempt was doing is over.
            Err(limit) => {
                let error = given_up(prepared, &mut state, limit, started);
                observe::failed(&span, &error);
                return Err(error);
            }
        };
        let error = match result {
            Ok(mut answer) => {
                tracing::debug!(
                    operation = prepared.name(),
                    attempt = state.sent,
                    status = answer.status.as_u16(),
                    request_id = answer.request_id(),
                    "answered"
                );
                span.record("status", i64::from(answer.status.as_u16()));
                span.record("request_id", answer.request_id());
                if let AnswerBody::Document(document) = &answer.body {
                    span.record("bytes_received", document.len() as i64);
                }
                answer.span = span;
                core.budget.refill(state.spent);
                answer.attempts = state.sent;
                answer.elapsed = started.elapsed();
                return Ok(answer);
            }
            Err(error) => error,
        };
        let error = located(prepared, &state, error, started);
        tracing::debug!(operation = prepared.name(), attempt = state.sent, error = %error, "attempt failed");
        observe::failed(&span, &error);
        match wait::after_failure(prepared, &mut state, &error, limits.left()) {
            Next::Stop(reason) => return Err(explained(prepared, &state, error, reason)),
            Next::Again { delay, reason } => {
                span.record("retry_reason", reason.as_str());
                span.record("delay_ms", delay.as_millis() as i64);
                tracing::debug!(
                    operation = prepared.name(),
                    retry_reason = reason.as_str(),
                    delay_ms = delay.as_millis() as u64,
                    "trying again"
                );
                if reason == Reason::Clock {
                    state.counted -= 1;
                }
                state.keep(error);
                if !delay.is_zero()
                    && let Err(limit) = limits.guard(tokio::time::sleep(delay)).await
                {
                    return Err(given_up(prepared, &mut state, limit, started));
                }
            }
        }
    }
}

/// Adds to an error what was asked for, and how often and how long.
fn located(prepared: &Prepared, state: &AttemptState, error: Error, started: Instant) -> Error {
    let allowed = prepared.max_attempts.saturating_add(u32::from(state.skew_healed));
    error
        .with_target(prepared.input.method.as_str(), &prepared.url)
        .with_attempts(state.sent, allowed, started.elapsed())
}

/// The error of a call that a limit ended. The failure that it was about to recover from is its source.
fn given_up(prepared: &Prepared, state: &mut AttemptState, limit: Error, started: Instant) -> Error {
    let error = located(prepared, state, limit, started);
    match state.last.take() {
        Some(last) => error.with_source(last),
        None => error,
    }
}

/// Adds to the error of a call why it was not retried, and why its signature was not accepted.
fn explained(prepared: &Prepared, state: &AttemptState, error: Error, reason: Option<NotRetried>) -> Error {
    let core = &prepared.core;
    let signed_for = skew::shifted(core.local_now(), state.signed_ahead);
    // A stranger did not get the request that was signed.
    let signature = state.signature.as_ref().filter(|_| !state.is_from_stranger);
    let mismatch = signature.and_then(|signature| explain(signature, &error, signed_for));
    let error = match mismatch {
        Some(mismatch) => error.with_signature_mismatch(mismatch),
        None => error,
    };
    match reason {
        Some(reason) => error.with_not_retried(reason),
        None => error,
    }
}

/// Bounds one attempt.
async fn within<T>(limit: Option<Duration>, attempt: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let Some(limit) = limit else {
        return attempt.await;
    };
    tokio::time::timeout(limit, attempt).await.unwrap_or_else(|_| {
        let message = format!("the attempt took longer than {:.1} s", limit.as_secs_f64());
        Err(Error::new(ErrorKind::Timeout, message))
    })
}

#[cfg(test)]
mod frame_tests;
#[cfg(test)]
mod lifecycle_tests;
#[cfg(test)]
mod name_tests;
#[cfg(test)]
mod retry_table;
#[cfg(test)]
mod settings_tests;
#[cfg(test)]
mod skew_tests;
#[cfg(test)]
mod tests;
