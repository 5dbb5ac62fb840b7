//! What ends a call from outside: deadline, cancellation, shutdown of the client, and silence of the network.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;
use tokio::time::{Instant, Sleep};

use crate::error::{Error, ErrorKind};
use crate::time::monotonic;

/// A switch that ends all calls under way and refuses new ones, until it is turned back.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shutdown {
    shared: Arc<ShutdownState>,
}

#[derive(Debug, Default)]
struct ShutdownState {
    /// Counts the turns of the switch: odd is down. A call remembers the number at which it began, so that it notices a
    /// shutdown that is over already.
    epoch: AtomicU64,
    notify: Arc<Notify>,
    /// The lives of the client in turns: those that began after an even number of shutdowns, and the others. Of two
    /// that follow each other each has its own count.
    lives: [Life; 2],
}

/// A time between two shutdowns.
#[derive(Debug, Default)]
struct Life {
    /// Calls of this life that are under way.
    calls: AtomicUsize,
    /// Told when the last of them has ended.
    ended: Arc<Notify>,
}

impl ShutdownState {
    /// The life that an epoch belongs to; being down is the end of one.
    fn life(&self, epoch: u64) -> &Life {
        if (epoch / 2).is_multiple_of(2) {
            &self.lives[0]
        } else {
            &self.lives[1]
        }
    }
}

const fn is_down(epoch: u64) -> bool {
    epoch % 2 == 1
}

impl Shutdown {
    /// Ends the calls under way. What is returned completes when those calls, and not ones that are made after a
    /// [`resume`](Self::resume), are gone.
    pub(crate) fn start(&self) -> ShutdownEnded {
        let epoch = self.turn(true);
        self.shared.notify.notify_waiters();
        ShutdownEnded {
            shared: Arc::clone(&self.shared),
            epoch,
            notice: None,
        }
    }

    pub(crate) fn resume(&self) {
        self.turn(false);
    }

    /// Turns the switch, unless it is there already. Returns the epoch before.
    fn turn(&self, down: bool) -> u64 {
        let turn = |epoch| (is_down(epoch) != down).then_some(epoch + 1);
        let turned = self.shared.epoch.fetch_update(Ordering::SeqCst, Ordering::SeqCst, turn);
        turned.unwrap_or_else(|unchanged| unchanged)
    }

    fn epoch(&self) -> u64 {
        self.shared.epoch.load(Ordering::SeqCst)
    }

    pub(crate) fn has_started(&self) -> bool {
        is_down(self.epoch())
    }

    fn error() -> Error {
        Error::new(ErrorKind::Closed, "the client was shut down")
    }
}

/// A call that has begun and not ended.
#[derive(Debug)]
pub(crate) struct CallUnderWay {
    shared: Arc<ShutdownState>,
    epoch: u64,
}

impl Drop for CallUnderWay {
    fn drop(&mut self) {
        let life = self.shared.life(self.epoch);
        if life.calls.fetch_sub(1, Ordering::SeqCst) == 1 {
            life.ended.notify_waiters();
        }
    }
}

/// Waits until the calls of a client that was shut down have ended: [`Client::shutdown`](crate::Client::shutdown).
///
/// The shutdown itself does not wait for it.
pub struct ShutdownEnded {
    shared: Arc<ShutdownState>,
    /// One of the life that was ended.
    epoch: u64,
    notice: Option<Pin<Box<OwnedNotified>>>,
}

impl Future for ShutdownEnded {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let life = this.shared.life(this.epoch);
        loop {
            // Registered before the number is read, so that no notice falls between.
            let ended = &life.ended;
            let notice = this
                .notice
                .get_or_insert_with(|| Box::pin(Arc::clone(ended).notified_owned()));
            let is_noticed = notice.as_mut().poll(cx).is_ready();
            if life.calls.load(Ordering::SeqCst) == 0 {
                return Poll::Ready(());
            }
            if !is_noticed {
                return Poll::Pending;
            }
            // Another call of this life was just beginning when the last one ended.
            this.notice = None;
        }
    }
}

impl fmt::Debug for ShutdownEnded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShutdownEnded").finish_non_exhaustive()
    }
}

pub(crate) type CancelFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Completes with the first of several signals.
pub(crate) fn either(earlier: Option<CancelFuture>, mut signal: CancelFuture) -> CancelFuture {
    let Some(mut earlier) = earlier else {
        return signal;
    };
    Box::pin(std::future::poll_fn(move |cx| {
        if earlier.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        signal.as_mut().poll(cx)
    }))
}

/// The limits of one call, from its start to the end of its answer's payload.
pub(crate) struct Limits {
    shutdown: Shutdown,
    /// The turn of the switch at which the call began.
    epoch: u64,
    shutdown_notice: Option<Pin<Box<OwnedNotified>>>,
    deadline: Option<Instant>,
    deadline_timer: Option<Pin<Box<Sleep>>>,
    cancel: Option<CancelFuture>,
}

impl Limits {
    pub(crate) fn new(shutdown: &Shutdown, deadline: Option<Instant>, cancel: Option<CancelFuture>) -> Self {
        Limits {
            epoch: shutdown.epoch(),
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

    /// Counts the call as one that is under way, until what is returned is dropped.
    pub(crate) fn begin_call(&self) -> CallUnderWay {
        let shared = Arc::clone(&self.shutdown.shared);
        shared.life(self.epoch).calls.fetch_add(1, Ordering::SeqCst);
        CallUnderWay {
            shared,
            epoch: self.epoch,
        }
    }

    /// Time left, if there is a deadline.
    pub(crate) fn left(&self) -> Option<Duration> {
        self.deadline
            .map(|deadline| deadline.saturating_duration_since(monotonic()))
    }

    /// Fails if a limit is reached already. Only a signal to cancel registers for a wake-up here.
    pub(crate) fn check(&mut self, cx: &mut Context<'_>) -> Result<(), Error> {
        if is_down(self.epoch) || self.shutdown.epoch() != self.epoch {
            return Err(Shutdown::error());
        }
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

    /// Drives a future until it completes or a limit is reached. What is past its limits at the start does not begin;
    /// what is done together with a limit later is done.
    pub(crate) async fn guard<F: Future>(&mut self, future: F) -> Result<F::Output, Error> {
        std::future::poll_fn(|cx| Poll::Ready(self.check(cx))).await?;
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

/// Silence that nobody waits out.
const LONGEST_IDLE: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

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
    /// `limit` zero means never, as does one of years: the end of some durations is no moment of a clock.
    pub(crate) fn new(activity: Activity, limit: Duration) -> Self {
        IdleTimer {
            activity,
            limit: Some(limit).filter(|limit| !limit.is_zero() && *limit < LONGEST_IDLE),
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
