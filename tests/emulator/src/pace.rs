//! `x-oss-traffic-limit`: bodies that flow no faster than a request allows.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use tokio::time::{Instant, sleep_until};

use crate::error::ServiceError;
use crate::request::Head;
use crate::store::ContentStream;

const HEADER: &str = "x-oss-traffic-limit";
/// Bits per second that a request may ask for.
const ALLOWED: std::ops::RangeInclusive<u64> = 245_760..=838_860_800;
/// A body is let through in this many pieces a second, so that it flows rather than jumps.
const STEPS: u64 = 10;

/// A rate, and when a body began to flow.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    bytes_per_second: u64,
    began: Instant,
}

impl Pace {
    /// The limit that a request names in its header or, as signed URLs do, in its query.
    pub(crate) fn of(head: &Head) -> Result<Option<Self>, ServiceError> {
        let Some(raw) = head.header(HEADER).or_else(|| head.query.get(HEADER)) else {
            return Ok(None);
        };
        let bits = raw.trim().parse().ok().filter(|bits| ALLOWED.contains(bits));
        let bits: u64 = bits.ok_or_else(|| {
            let message = format!(
                "The traffic limit is not between {} and {} bits per second.",
                ALLOWED.start(),
                ALLOWED.end()
            );
            ServiceError::invalid_argument(message, HEADER, raw)
        })?;
        Ok(Some(Self {
            bytes_per_second: bits / 8,
            began: Instant::now(),
        }))
    }

    /// Returns when that many bytes may have flowed.
    pub(crate) async fn wait(self, bytes: u64) {
        sleep_until(self.began + duration(bytes, self.bytes_per_second)).await;
    }

    /// The same content, no faster than the limit.
    pub(crate) fn slow(self, content: ContentStream) -> ContentStream {
        let piece = usize::try_from(self.bytes_per_second / STEPS).unwrap_or(usize::MAX);
        let start = (content, Bytes::new(), 0_u64);
        Box::pin(stream::unfold(
            start,
            move |(mut content, mut rest, mut sent)| async move {
                while rest.is_empty() {
                    match content.next().await? {
                        Ok(chunk) => rest = chunk,
                        Err(error) => return Some((Err(error), (content, rest, sent))),
                    }
                }
                let next = rest.split_to(rest.len().min(piece.max(1)));
                sent += u64::try_from(next.len()).unwrap_or_default();
                self.wait(sent).await;
                Some((Ok(next), (content, rest, sent)))
            },
        ))
    }
}

/// How long bytes take at a rate.
fn duration(bytes: u64, bytes_per_second: u64) -> Duration {
    let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(bytes_per_second.max(1));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_take_their_time() {
        assert_eq!(duration(0, 30_720), Duration::ZERO);
        assert_eq!(duration(30_720, 30_720), Duration::from_secs(1));
        assert_eq!(duration(3_072, 30_720), Duration::from_millis(100));
        assert_eq!(duration(5 << 40, 30_720).as_secs(), 178_956_970);
    }
}
