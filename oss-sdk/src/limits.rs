//! What ends a call from outside: deadline, cancellation, shutdown of the client, and silence of the network.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;
use tokio::time::{Instant, Sleep};

use crate::error::{Error, ErrorKind};
use crate::time::monotonic;

/// A switch that is turned once and wakes everyone who waits for it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shutdown {
    shared: Arc<ShutdownState>,
}

#[derive(Debug, Default)]
struct ShutdownState {
    down: AtomicBool,
    notify: Arc<Notify>,
}

impl Shutdown {
    pub(crate) fn start(&self) {
        self.shared.down.store(true, Ordering::SeqCst);
        self.shared.notify.notify_waiters();
    }

    pub(crate) fn has_started(&self) -> bool {
        self.shared.down.load(Ordering::SeqCst)
    }

    fn error() -> Error {
        Error::new(ErrorKind::Closed, "the client was shut down")
    }

    /// Fails once the client is down.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.has_started() { Err(Self::error()) } else { Ok(()) }
    }
}

type CancelFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The limits of one call, from its start to the end of its answer's payload.
pub(crate) struct Limits {
    shutdown: Shutdown,
    shutdown_notice: Option<Pin<Box<OwnedNotified>>>,
    deadline: Option<Instant>,
    deadline_timer: Option<Pin<Box<Sleep>>>,
    cancel: Option<CancelFuture>,
}

impl Limits {
    pub(crate) fn new(shutdown: &Shutdown, deadline: Option<Instant>, cancel: Option<CancelFuture>) -> Self {
        Limits {
            shutdown: shutdown.clone(),
            shutdown_notice: None,
            deadline,
            deadline_timer: None,
            cancel,
        }
    }

    /// Limits that never end anything.
    pub(crate) fn none() -> Self {
        Limits::new(&Shutdown::default(), None, None)
    }

    /// Time left, if there is a deadline.
    pub(crate) fn left(&self) -> Option<Duration> {
        self.deadline
            .map(|deadline| deadline.saturating_duration_since(monotonic()))
    }

    /// Fails if a limit is reached already; costs no registration.
    pub(crate) fn check(&mut self, cx: &mut Context<'_>) -> Result<(), Error> {
        self.shutdown.check()?;
        if let Some(cancel) = &mut self.cancel
            && cancel.as_mut().poll(cx).is_ready()
        {
            // It must not be polled again, and the call stays cancelled.
            self.cancel = Some(Box::pin(std::future::ready(())));
            return Err(Error::new(ErrorKind::Canceled, "the call was cancelled"));
        }
        if self.deadline.is_some_and(|deadline| deadline <= monotonic()) {
            return Err(Self::deadline_passed());
        }
        Ok(())
    }

    fn deadline_passed() -> Error {
        Error::new(ErrorKind::Timeout, "the deadline of the call passed").with_retryable(false)
    }

    /// Completes when a limit is reached.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        // Registered before the flag is read, so that no notice falls between.
        let shutdown = &self.shutdown;
        let notice = self
            .shutdown_notice
            .get_or_insert_with(|| Box::pin(Arc::clone(&shutdown.shared.notify).notified_owned()));
        let noticed = notice.as_mut().poll(cx).is_ready();
        if noticed {
            self.shutdown_notice = None;
        }
        if let Err(error) = self.check(cx) {
            return Poll::Ready(error);
        }
        if let Some(deadline) = self.deadline {
            let timer = self
                .deadline_timer
                .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
            if timer.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Self::deadline_passed());
            }
        }
        Poll::Pending
    }

    /// Drives a future until it completes or a limit is reached.
    pub(crate) async fn guard<F: Future>(&mut self, future: F) -> Result<F::Output, Error> {
        let mut future = std::pin::pin!(future);
        std::future::poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Ok(output)),
            Poll::Pending => self.poll(cx).map(Err),
        })
        .await
    }
}

impl fmt::Debug for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limits")
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

/// Stands for a time without end in [`Activity`].
const PAUSED: u64 = u64::MAX;

/// When something last moved on a connection; shared by a payload and whoever watches it.
#[derive(Debug, Clone)]
pub(crate) struct Activity {
    start: Instant,
    /// Milliseconds after `start`.
    last: Arc<AtomicU64>,
}

impl Activity {
    pub(crate) fn new() -> Self {
        Activity {
            start: monotonic(),
            last: Arc::new(AtomicU64::new(0)),
        }
    }

    /// Notes that something moved.
    pub(crate) fn touch(&self) {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(PAUSED);
        self.last.store(now, Ordering::Relaxed);
    }

    /// Notes that waiting begins, unless it is not the network that is waited for.
    fn begin(&self) {
        if self.last.load(Ordering::Relaxed) != PAUSED {
            self.touch();
        }
    }

    /// Notes that it is not the network that is waited for, until the next touch.
    pub(crate) fn pause(&self) {
        self.last.store(PAUSED, Ordering::Relaxed);
    }

    fn last(&self) -> Instant {
        match self.last.load(Ordering::Relaxed) {
            PAUSED => monotonic(),
            millis => self.start + Duration::from_millis(millis),
        }
    }
}

/// A timer that fires after a time of silence. It is armed once and looks at the activity when it fires, so that
/// activity costs a store and no timer operation.
#[derive(Debug)]
pub(crate) struct IdleTimer {
    activity: Activity,
    limit: Option<Duration>,
    timer: Option<Pin<Box<Sleep>>>,
    waiting: bool,
}

impl IdleTimer {
    /// `limit` zero means never.
    pub(crate) fn new(activity: Activity, limit: Duration) -> Self {
        IdleTimer {
            activity,
            limit: Some(limit).filter(|limit| !limit.is_zero()),
            timer: None,
            waiting: false,
        }
    }

    /// Ends a time of waiting. What the caller does until the next poll is not silence of the network.
    pub(crate) fn moved(&mut self) {
        self.waiting = false;
    }

    /// Completes with the limit after that much silence.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Duration> {
        let Some(limit) = self.limit else {
            return Poll::Pending;
        };
        if !self.waiting {
            self.waiting = true;
            self.activity.begin();
        }
        let activity = &self.activity;
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(activity.last() + limit)));
        while timer.as_mut().poll(cx).is_ready() {
            let due = activity.last() + limit;
            if due <= monotonic() {
                return Poll::Ready(limit);
            }
            timer.as_mut().reset(due);
        }
        Poll::Pending
    }
}

/// The error of a connection that stayed silent.
pub(crate) fn silent(limit: Duration) -> Error {
    Error::new(
        ErrorKind::Timeout,
        format!("the service was silent for {:.1} s", limit.as_secs_f64()),
    )
}
