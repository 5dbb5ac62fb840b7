//! Calling an operation again and again until something has happened.
//!
//! ```no_run
//! # async fn example(client: &oss_sdk::Client) -> Result<(), oss_sdk::Error> {
//! use std::time::Duration;
//!
//! use oss_sdk::HeadObjectRequest;
//!
//! let request = HeadObjectRequest::new("bucket", "report.csv");
//! client.wait_until_object_exists(request).timeout(Duration::from_secs(30)).await?;
//! # Ok(())
//! # }
//! ```

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use crate::client::{Awaited, Call, CallOptions, Core, start_call};
use crate::error::{Error, ErrorKind};
use crate::future::BoxFuture;
use crate::limits::{CancelFuture, Limits, either};
use crate::operation::Operation;
use crate::time::monotonic;

/// What one answer means for a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// It has happened.
    Done,
    /// Not yet.
    Again,
    /// It cannot happen any more.
    Failed,
}

/// Facts of a wait, built in a `static`.
#[derive(Debug)]
#[non_exhaustive]
pub struct WaiterSpec {
    /// What is waited for, e.g. `object_restored`.
    pub name: &'static str,
    /// Time before the second call.
    pub delay: Duration,
    /// Longest time between two calls.
    pub max_delay: Duration,
    /// Time after which it is given up.
    pub timeout: Duration,
}

impl WaiterSpec {
    /// Times are given in seconds.
    pub const fn new(name: &'static str, delay: u64, max_delay: u64, timeout: u64) -> Self {
        WaiterSpec {
            name,
            delay: Duration::from_secs(delay),
            max_delay: Duration::from_secs(max_delay),
            timeout: Duration::from_secs(timeout),
        }
    }
}

/// How an answer is judged.
type Judge<O> = fn(&Result<<O as Operation>::Output, Error>) -> Verdict;

/// A wait that is ready to start: `.await` starts it.
///
/// The first call is made at once. The time between two calls doubles from [`delay`](Wait::delay) up to
/// [`max_delay`](Wait::max_delay). Each call is retried as any other; an error that the wait does not expect ends it.
///
/// Dropping it, or the future that it became, gives it up.
#[must_use = "a wait does nothing until it is started"]
pub struct Wait<'c, O: Operation, M = Awaited> {
    core: &'c Arc<Core>,
    spec: &'static WaiterSpec,
    operation: O,
    judge: Judge<O>,
    delay: Duration,
    max_delay: Duration,
    timeout: Duration,
    cancel: Option<CancelFuture>,
    mode: PhantomData<fn() -> M>,
}

impl<'c, O: Operation> Wait<'c, O> {
    pub(crate) fn new(core: &'c Arc<Core>, spec: &'static WaiterSpec, operation: O, judge: Judge<O>) -> Self {
        Wait {
            core,
            spec,
            operation,
            judge,
            delay: spec.delay,
            max_delay: spec.max_delay,
            timeout: spec.timeout,
            cancel: None,
            mode: PhantomData,
        }
    }

    /// Waits with an operation that is ready to be called: what generated methods do.
    #[doc(hidden)]
    pub fn with_call(call: Call<'c, O>, spec: &'static WaiterSpec, judge: Judge<O>) -> Self {
        let (core, operation) = call.into_operation();
        Self::new(core, spec, operation, judge)
    }

    /// The same wait, started in another way.
    #[cfg(feature = "blocking")]
    pub(crate) fn with_mode<N>(self) -> Wait<'c, O, N> {
        Wait {
            core: self.core,
            spec: self.spec,
            operation: self.operation,
            judge: self.judge,
            delay: self.delay,
            max_delay: self.max_delay,
            timeout: self.timeout,
            cancel: self.cancel,
            mode: PhantomData,
        }
    }
}

impl<O: Operation, M> Wait<'_, O, M> {
    /// Sets the time before the second call.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Sets the longest time between two calls. The time before the second call is cut to it too.
    pub fn max_delay(mut self, max_delay: Duration) -> Self {
        self.max_delay = max_delay;
        self
    }

    /// Sets the time after which the wait is given up with [`ErrorKind::Timeout`]. The last call is made when the time
    /// is up, so that nothing that happened in time is missed; zero makes a single call.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Ends the wait when a signal is given, with [`ErrorKind::Canceled`]: a
    /// [`CancellationToken`](crate::CancellationToken), or any future. Of several signals the first ends it.
    pub fn cancel_on<S>(mut self, signal: S) -> Self
    where
        S: IntoFuture<Output = ()>,
        S::IntoFuture: Send + 'static,
    {
        self.cancel = Some(either(self.cancel.take(), Box::pin(signal.into_future())));
        self
    }

    /// Calls until the wait is over.
    pub(crate) async fn run(self) -> Result<(), Error> {
        let operation = O::spec().name;
        self.repeat().await.map_err(|error| error.with_operation(operation))
    }

    async fn repeat(mut self) -> Result<(), Error> {
        let started = monotonic();
        let mut limits = Limits::new(&self.core.shutdown, None, self.cancel.take());
        let mut delay = self.delay.min(self.max_delay);
        let mut calls: u32 = 0;
        loop {
            calls = calls.saturating_add(1);
            let call = start_call(self.core, &self.operation, CallOptions::default());
            let answer = limits.guard(call).await?;
            match ((self.judge)(&answer), answer) {
                (Verdict::Done, _) => return Ok(()),
                (Verdict::Failed, Err(error)) => return Err(error),
                (Verdict::Failed, Ok(_)) => {
                    let message = format!("`{}` cannot happen any more, as answer {calls} shows", self.spec.name);
                    return Err(Error::new(ErrorKind::WaitFailed, message));
                }
                (Verdict::Again, answer) => {
                    let left = self.timeout.saturating_sub(started.elapsed());
                    if left.is_zero() {
                        return Err(self.timed_out(calls, answer.err()));
                    }
                    limits.guard(tokio::time::sleep(delay.min(left))).await?;
                }
            }
            delay = delay.saturating_mul(2).min(self.max_delay);
        }
    }

    fn timed_out(&self, calls: u32, last: Option<Error>) -> Error {
        let message = format!(
            "`{}` has not happened within {:.1} s, in {calls} calls",
            self.spec.name,
            self.timeout.as_secs_f64()
        );
        let error = Error::new(ErrorKind::Timeout, message).with_retryable(false);
        match last {
            Some(last) => error.with_source(last),
            None => error,
        }
    }
}

impl<'c, O: Operation + 'c> IntoFuture for Wait<'c, O> {
    type Output = Result<(), Error>;
    type IntoFuture = BoxFuture<'c, Result<(), Error>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<O: Operation, M> fmt::Debug for Wait<'_, O, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait")
            .field("until", &self.spec.name)
            .field("delay", &self.delay)
            .field("max_delay", &self.max_delay)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
