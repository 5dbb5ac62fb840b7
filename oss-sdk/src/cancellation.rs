//! A signal that ends calls: given once, shared by any number of them.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;
use tokio::time::{Instant, Sleep};

use crate::time::monotonic;

/// Ends calls when it is cancelled, by hand or after a time.
///
/// Clones are the same token. One token can be given to any number of calls, listings and waits, of any client, with
/// [`Call::cancel_on`](crate::Call::cancel_on); those fail with [`ErrorKind::Canceled`](crate::ErrorKind::Canceled). A
/// cancellation cannot be taken back. It holds no task and no timer; dropping it cancels nothing.
///
/// ```no_run
/// # async fn example(client: oss_sdk::Client) -> Result<(), oss_sdk::Error> {
/// use std::time::Duration;
///
/// use oss_sdk::{CancellationToken, GetObjectRequest, ListObjectsV2Request};
///
/// let token = CancellationToken::new();
/// token.cancel_after(Duration::from_secs(60)); // for everything together
/// let mut items = client.list_objects_v2(ListObjectsV2Request::new("examplebucket")).cancel_on(&token).items();
/// while let Some(object) = items.try_next().await? {
///     let object = client.get_object(GetObjectRequest::new("examplebucket", &object.key)).cancel_on(&token).await?;
///     object.body.save_to("object").await?; // the token reaches into the payload
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct CancellationToken {
    node: Arc<Node>,
}

#[derive(Default)]
struct Node {
    is_cancelled: AtomicBool,
    /// When it cancels itself.
    deadline: Mutex<Option<Instant>>,
    /// Woken by a cancellation and by an earlier deadline.
    notify: Arc<Notify>,
    parent: Option<Arc<Node>>,
}

impl CancellationToken {
    /// A token that is not cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends everything that waits for this token or for a [`child`](CancellationToken::child) of it.
    pub fn cancel(&self) {
        self.node.is_cancelled.store(true, Ordering::SeqCst);
        self.node.notify.notify_waiters();
    }

    /// Cancels after a time from now, unless it happens earlier. Of several times the earliest counts.
    pub fn cancel_after(&self, time: Duration) {
        // Later than can be told is never.
        let Some(deadline) = monotonic().checked_add(time) else {
            return;
        };
        let mut kept = self.node.deadline();
        if kept.is_none_or(|kept| deadline < kept) {
            *kept = Some(deadline);
            drop(kept);
            self.node.notify.notify_waiters();
        }
    }

    /// A token that is cancelled with this one, and can be cancelled without it.
    #[must_use]
    pub fn child(&self) -> Self {
        Self {
            node: Arc::new(Node {
                parent: Some(Arc::clone(&self.node)),
                ..Node::default()
            }),
        }
    }

    /// Whether it, or the token it is a child of, was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.node.line().any(Node::is_over)
    }

    /// Completes when the token is cancelled; at once if it was.
    pub fn cancelled(&self) -> Cancelled {
        Cancelled {
            node: Arc::clone(&self.node),
            notices: Vec::new(),
            timer: None,
        }
    }
}

impl Node {
    fn deadline(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.deadline.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_over(&self) -> bool {
        self.is_cancelled.load(Ordering::SeqCst) || self.deadline().is_some_and(|deadline| deadline <= monotonic())
    }

    /// The node and those it is a child of.
    fn line(&self) -> impl Iterator<Item = &Node> {
        std::iter::successors(Some(self), |node| node.parent.as_deref())
    }
}

/// Waits until a [`CancellationToken`] is cancelled.
#[must_use = "a future does nothing until it is awaited"]
pub struct Cancelled {
    node: Arc<Node>,
    /// One of each node of the line.
    notices: Vec<Pin<Box<OwnedNotified>>>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Future for Cancelled {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        loop {
            // Registered before the flags are read, so that no notice falls between.
            if this.notices.is_empty() {
                let notices = this
                    .node
                    .line()
                    .map(|node| Box::pin(Arc::clone(&node.notify).notified_owned()));
                this.notices = notices.collect();
            }
            let mut is_noticed = false;
            for notice in &mut this.notices {
                is_noticed |= notice.as_mut().poll(cx).is_ready();
            }
            if this.node.line().any(Node::is_over) {
                return Poll::Ready(());
            }
            if is_noticed {
                // A deadline was moved. A notice must not be polled again, so all are taken anew.
                this.notices.clear();
                this.timer = None;
                continue;
            }
            let Some(deadline) = this.node.line().filter_map(|node| *node.deadline()).min() else {
                return Poll::Pending;
            };
            let timer = this
                .timer
                .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
            return timer.as_mut().poll(cx);
        }
    }
}

/// So that a token can be given where a future is asked for.
impl IntoFuture for CancellationToken {
    type Output = ();
    type IntoFuture = Cancelled;

    fn into_future(self) -> Cancelled {
        self.cancelled()
    }
}

/// So that a token can be given where a future is asked for, and be kept.
impl IntoFuture for &CancellationToken {
    type Output = ();
    type IntoFuture = Cancelled;

    fn into_future(self) -> Cancelled {
        self.cancelled()
    }
}

impl fmt::Debug for CancellationToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancellationToken")
            .field("is_cancelled", &self.is_cancelled())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancelled").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn is_done(waiting: &mut Pin<Box<Cancelled>>) -> bool {
        std::future::poll_fn(|cx| Poll::Ready(waiting.as_mut().poll(cx).is_ready())).await
    }

    #[tokio::test(start_paused = true)]
    async fn everyone_who_waits_is_woken() {
        let token = CancellationToken::new();
        let waiting: Vec<_> = (0..100).map(|_| tokio::spawn(token.cancelled())).collect();
        tokio::task::yield_now().await;
        assert!(!token.is_cancelled());
        token.clone().cancel();
        for waiting in waiting {
            waiting.await.unwrap();
        }
        // And whoever comes later does not wait.
        token.cancelled().await;
        token.cancel();
        assert!(token.is_cancelled());
    }

    #[tokio::test(start_paused = true)]
    async fn a_child_ends_with_its_parent_and_not_the_other_way_round() {
        let parent = CancellationToken::new();
        let (child, sibling) = (parent.child(), parent.child());
        let grandchild = child.child();
        let mut waiting = Box::pin(grandchild.cancelled());
        assert!(!is_done(&mut waiting).await);
        sibling.cancel();
        assert!(!parent.is_cancelled() && !child.is_cancelled());
        assert!(!is_done(&mut waiting).await);
        parent.cancel();
        assert!(child.is_cancelled() && is_done(&mut waiting).await);
    }

    #[tokio::test(start_paused = true)]
    async fn time_cancels_and_only_ever_earlier() {
        let token = CancellationToken::new();
        let start = monotonic();
        let waiting = tokio::spawn(token.child().cancelled());
        tokio::task::yield_now().await;
        token.cancel_after(Duration::from_secs(10));
        tokio::task::yield_now().await;
        token.cancel_after(Duration::from_secs(3));
        token.cancel_after(Duration::from_secs(30));
        token.cancel_after(Duration::MAX);
        waiting.await.unwrap();
        assert_eq!(start.elapsed(), Duration::from_secs(3));
        assert!(token.is_cancelled());
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_that_is_dropped_cancels_nothing() {
        let token = CancellationToken::new();
        let waiting = tokio::spawn(token.cancelled());
        drop(token);
        assert!(tokio::time::timeout(Duration::from_secs(60), waiting).await.is_err());
    }
}
