//! Bandwidth limits: payloads pay for their bytes in time, from a purse that many calls may share.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, Sleep};

use crate::time::monotonic;

/// Time that may be caught up on. Timers wake up to a millisecond late, which would otherwise be lost for every piece.
const CREDIT: Duration = Duration::from_millis(100);

/// Payloads pass in pieces of at most this many bytes, smaller ones where the limit is low.
const PIECE: u64 = 128 * 1024;

/// How many bytes of payload may pass in a second.
///
/// It counts payloads alone: heads, documents such as listings, and what TLS adds come on top. A retry and a continued
/// download count again for the bytes that they move again. In any stretch of time no more passes than that time's share, a
/// tenth of a second's, and one piece of at most 128 KiB for each call.
///
/// A limit of the client is shared by its calls in turns; [`Call`](crate::Call) takes limits of its own, which hold besides. To
/// have the service limit a transfer, set its header `x-oss-traffic-limit`, in bits per second.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bandwidth {
    bytes_per_second: u64,
}

impl Bandwidth {
    /// So many bytes in a second; more than zero.
    pub const fn bytes_per_second(bytes: u64) -> Self {
        Bandwidth {
            bytes_per_second: bytes,
        }
    }

    /// So many times 1024 bytes in a second; more than zero.
    pub const fn kib_per_second(kib: u64) -> Self {
        Bandwidth {
            bytes_per_second: kib.saturating_mul(1024),
        }
    }

    /// The limit in bytes per second.
    pub const fn as_bytes_per_second(self) -> u64 {
        self.bytes_per_second
    }

    /// The rule that it breaks.
    pub(crate) fn rule(self) -> Option<&'static str> {
        (self.bytes_per_second == 0).then_some("must be more than zero")
    }
}

impl fmt::Debug for Bandwidth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} B/s", self.bytes_per_second)
    }
}

/// The purse: knows until when the bytes that have passed are paid for.
#[derive(Debug)]
pub(crate) struct Limiter {
    rate: u64,
    paid_from: Mutex<Option<Instant>>,
}

impl Limiter {
    /// A limit that is not zero; zero would count as one byte.
    pub(crate) fn shared(limit: Bandwidth) -> Arc<Self> {
        Arc::new(Limiter {
            rate: limit.bytes_per_second.max(1),
            paid_from: Mutex::new(None),
        })
    }

    /// Takes the next turn, for so many bytes; returns when it begins.
    fn turn(&self, bytes: usize) -> Instant {
        let now = monotonic();
        let nanos = bytes as u128 * 1_000_000_000 / u128::from(self.rate);
        let price = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        let mut paid_from = self.paid_from.lock().unwrap_or_else(PoisonError::into_inner);
        let earliest = now.checked_sub(CREDIT).unwrap_or(now);
        let turn = paid_from.map_or(now, |free| free.max(earliest));
        *paid_from = Some(turn.checked_add(price).unwrap_or(turn));
        turn
    }

    /// Pieces that do not take much more than a tenth of a second each.
    fn piece(&self) -> usize {
        (self.rate / 8).clamp(1024, PIECE) as usize
    }
}

/// One payload under the limits of its client and of its call.
pub(crate) struct Throttle {
    limiters: Vec<Arc<Limiter>>,
    piece: usize,
    /// Waits for its turn.
    next: Option<Bytes>,
    /// Comes after it.
    rest: Bytes,
    /// Runs while `next` waits.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Throttle {
    /// `None` without any limit.
    pub(crate) fn new(limiters: impl IntoIterator<Item = Option<Arc<Limiter>>>) -> Option<Self> {
        let limiters: Vec<_> = limiters.into_iter().flatten().collect();
        let piece = limiters.iter().map(|limiter| limiter.piece()).min()?;
        Some(Throttle {
            limiters,
            piece,
            next: None,
            rest: Bytes::new(),
            timer: None,
        })
    }

    /// Whether a piece waits for its turn, so that nothing else is to be waited for.
    pub(crate) fn is_waiting(&self) -> bool {
        self.next.is_some()
    }

    /// The next piece of `source` when its turn has come.
    pub(crate) fn poll_next<E>(
        &mut self,
        cx: &mut Context<'_>,
        source: impl FnOnce(&mut Context<'_>) -> Poll<Option<Result<Bytes, E>>>,
    ) -> Poll<Option<Result<Bytes, E>>> {
        if self.next.is_none() {
            if self.rest.is_empty() {
                match ready!(source(cx)) {
                    Some(Ok(chunk)) => self.rest = chunk,
                    end => return Poll::Ready(end),
                }
            }
            let piece = self.rest.split_to(self.rest.len().min(self.piece));
            let turn = self.limiters.iter().map(|limiter| limiter.turn(piece.len())).max();
            self.next = Some(piece);
            self.timer = turn
                .filter(|turn| *turn > monotonic())
                .map(|turn| Box::pin(tokio::time::sleep_until(turn)));
        }
        if let Some(timer) = &mut self.timer {
            ready!(timer.as_mut().poll(cx));
            self.timer = None;
        }
        Poll::Ready(self.next.take().map(Ok))
    }
}

impl fmt::Debug for Throttle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Throttle")
            .field("limiters", &self.limiters)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    /// Lets so many chunks of one size pass and returns the time that each took to come.
    async fn pass(throttle: &mut Throttle, chunks: usize, size: usize) -> (usize, Duration) {
        let start = monotonic();
        let mut left = chunks;
        let mut passed = 0;
        while let Some(Ok(piece)) = std::future::poll_fn(|cx| {
            throttle.poll_next(cx, |_| {
                if left == 0 {
                    return Poll::Ready(None);
                }
                left -= 1;
                Poll::Ready(Some(Ok::<_, Infallible>(Bytes::from(vec![0; size]))))
            })
        })
        .await
        {
            passed += piece.len();
        }
        (passed, start.elapsed())
    }

    fn limiter(bytes: u64) -> Arc<Limiter> {
        Limiter::shared(Bandwidth::bytes_per_second(bytes))
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_take_the_time_of_the_limit() {
        for (rate, chunks, size) in [
            (1 << 20, 80, 128 << 10),
            (10_000, 1, 100_000),
            (100 << 20, 800, 131_072),
        ] {
            let mut throttle = Throttle::new([Some(limiter(rate))]).unwrap();
            let (passed, took) = pass(&mut throttle, chunks, size).await;
            assert_eq!(passed, chunks * size);
            let expected = (chunks * size) as f64 / rate as f64;
            // The first piece does not wait, and no tenth of a second is ever caught up on but once.
            let range = (expected - 0.25)..(expected + 0.1);
            assert!(
                range.contains(&took.as_secs_f64()),
                "{rate}: {took:?}, not about {expected} s"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn calls_share_the_limit_of_their_client_and_small_ones_pay_too() {
        let client = limiter(100_000);
        let start = monotonic();
        let calls: Vec<_> = (0..10)
            .map(|_| {
                let client = Arc::clone(&client);
                tokio::spawn(async move {
                    // A payload of one piece each: what one leaves unpaid the next one waits for.
                    for _ in 0..10 {
                        let mut throttle = Throttle::new([Some(Arc::clone(&client)), None]).unwrap();
                        assert_eq!(pass(&mut throttle, 1, 10_000).await.0, 10_000);
                    }
                })
            })
            .collect();
        for call in calls {
            call.await.unwrap();
        }
        let took = start.elapsed().as_secs_f64();
        assert!((9.7..10.1).contains(&took), "{took}");
    }

    #[tokio::test(start_paused = true)]
    async fn of_two_limits_the_lower_one_counts() {
        let mut throttle = Throttle::new([Some(limiter(1 << 20)), Some(limiter(1 << 10))]).unwrap();
        let (_, took) = pass(&mut throttle, 10, 1024).await;
        assert!((8.8..9.1).contains(&took.as_secs_f64()), "{took:?}");
        assert!(Throttle::new([None, None]).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn idle_time_is_not_saved_up() {
        let limiter = limiter(1000);
        let mut throttle = Throttle::new([Some(Arc::clone(&limiter))]).unwrap();
        pass(&mut throttle, 1, 1000).await;
        tokio::time::sleep(Duration::from_secs(60)).await;
        let (_, took) = pass(&mut throttle, 5, 1000).await;
        assert!((3.8..4.1).contains(&took.as_secs_f64()), "{took:?}");
    }
}
