//! What faults make of bodies on their way out.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};

use crate::store::ContentStream;

/// The part of a second that a throttled body is sent in.
const TICKS: u64 = 20;

/// The first `limit` bytes.
pub(super) fn shorten(stream: ContentStream, limit: u64) -> ContentStream {
    let mut left = limit;
    stream
        .take_while(move |chunk| {
            // Decided before the chunk is counted: the one that fills the limit still goes out.
            let goes_out = left > 0 || chunk.is_err();
            if let Ok(chunk) = chunk {
                left = left.saturating_sub(length(chunk));
            }
            std::future::ready(goes_out)
        })
        .scan(limit, |left, chunk| {
            let chunk = chunk.map(|mut chunk| {
                chunk.truncate(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= length(&chunk);
                chunk
            });
            std::future::ready(Some(chunk))
        })
        .boxed()
}

/// Breaks a body off after `limit` bytes.
pub(super) fn truncate(stream: ContentStream, limit: u64) -> ContentStream {
    let broken = || Err(io::Error::new(io::ErrorKind::ConnectionReset, "truncated on purpose"));
    shorten(stream, limit)
        .chain(stream::once(async move { broken() }))
        .boxed()
}

/// Falls silent after `limit` bytes.
pub(super) fn stall(stream: ContentStream, limit: u64) -> ContentStream {
    shorten(stream, limit).chain(stream::pending()).boxed()
}

/// Inverts the byte at `offset`.
pub(super) fn corrupt(stream: ContentStream, offset: u64) -> ContentStream {
    let mut position = 0u64;
    stream
        .map(move |chunk| {
            let chunk = chunk?;
            let start = position;
            position += length(&chunk);
            if !(start..position).contains(&offset) {
                return Ok(chunk);
            }
            let mut bytes = chunk.to_vec();
            if let Some(byte) = usize::try_from(offset - start)
                .ok()
                .and_then(|index| bytes.get_mut(index))
            {
                *byte = !*byte;
            }
            Ok(Bytes::from(bytes))
        })
        .boxed()
}

/// Sends at most `rate` bytes in a second, evenly.
pub(super) fn throttle(stream: ContentStream, rate: u64) -> ContentStream {
    let most = usize::try_from((rate / TICKS).max(1)).unwrap_or(usize::MAX);
    let pieces = stream.flat_map(move |chunk| {
        let pieces: Vec<_> = match chunk {
            Ok(chunk) => (0..chunk.len())
                .step_by(most)
                .map(|start| Ok(chunk.slice(start..chunk.len().min(start.saturating_add(most)))))
                .collect(),
            Err(error) => vec![Err(error)],
        };
        stream::iter(pieces)
    });
    pieces
        .then(move |piece| async move {
            if let Ok(piece) = &piece {
                pace(length(piece), rate).await;
            }
            piece
        })
        .boxed()
}

/// Waits as long as that many bytes take.
pub(crate) async fn pace(bytes: u64, rate: u64) {
    let time = Duration::from_micros(bytes.saturating_mul(1_000_000) / rate.max(1));
    tokio::time::sleep(time).await;
}

fn length(chunk: &Bytes) -> u64 {
    u64::try_from(chunk.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks() -> ContentStream {
        stream::iter(vec![Ok(Bytes::from_static(b"abc")), Ok(Bytes::from_static(b"def"))]).boxed()
    }

    async fn gathered(stream: ContentStream) -> (Vec<u8>, bool) {
        let pieces: Vec<_> = stream.collect().await;
        let broken = pieces.last().is_some_and(Result::is_err);
        (pieces.into_iter().flatten().flatten().collect(), broken)
    }

    #[tokio::test]
    async fn bodies_break_and_shorten_and_corrupt_where_told() {
        for (limit, expected) in [(0, ""), (1, "a"), (3, "abc"), (4, "abcd"), (6, "abcdef"), (9, "abcdef")] {
            assert_eq!(
                gathered(truncate(chunks(), limit)).await,
                (expected.into(), true),
                "{limit}"
            );
            assert_eq!(
                gathered(shorten(chunks(), limit)).await,
                (expected.into(), false),
                "{limit}"
            );
        }
        assert_eq!(
            gathered(corrupt(chunks(), 4)).await.0,
            [b'a', b'b', b'c', b'd', !b'e', b'f']
        );
    }

    #[tokio::test]
    async fn a_stalled_body_sends_its_start() {
        let mut stalled = stall(chunks(), 4);
        let mut sent = Vec::new();
        while let Some(Some(piece)) = futures_util::FutureExt::now_or_never(stalled.next()) {
            sent.extend(piece.unwrap());
        }
        assert_eq!(sent, b"abcd");
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_take_their_time() {
        for (bytes, rate, milliseconds) in [(0, 1, 0), (1, 1, 1000), (2_000, 20_000, 100), (1, 0, 1000)] {
            let start = tokio::time::Instant::now();
            pace(bytes, rate).await;
            assert_eq!(
                start.elapsed(),
                Duration::from_millis(milliseconds),
                "{bytes} at {rate}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_throttled_body_takes_its_time() {
        let start = tokio::time::Instant::now();
        assert_eq!(gathered(throttle(chunks(), 3)).await, (b"abcdef".to_vec(), false));
        let taken = start.elapsed();
        assert!(
            taken >= Duration::from_secs(2) && taken < Duration::from_secs(3),
            "{taken:?}"
        );
    }
}
