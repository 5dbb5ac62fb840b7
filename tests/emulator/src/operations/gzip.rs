//! Compression on the way out: text of the web, for readers who accept gzip. What is stored stays as it is.

use std::io::{self, Write as _};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::{StreamExt as _, stream};

use super::Call;
use crate::store::{ContentStream, ObjectMeta};

/// The least size that is worth it.
const SMALLEST: u64 = 1024;
/// Media types that are compressed.
const TYPES: &[&str] = &[
    "application/javascript",
    "application/json",
    "application/rss+xml",
    "application/x-javascript",
    "text/cache-manifest",
    "text/css",
    "text/html",
    "text/json",
    "text/plain",
    "text/xml",
];

/// Whether a whole object goes out compressed.
pub(super) fn applies(call: &Call<'_>, meta: &ObjectMeta, size: u64) -> bool {
    let media_type = meta.content_type.as_deref().unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    size >= SMALLEST
        && meta.content_encoding.is_none()
        && TYPES.iter().any(|known| media_type.eq_ignore_ascii_case(known))
        && call.head.header("accept-encoding").is_some_and(accepts)
}

/// Whether a list of codings has gzip with a weight above zero.
fn accepts(codings: &str) -> bool {
    codings.split(',').any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse().ok());
        name.trim().eq_ignore_ascii_case("gzip") && weight.is_none_or(|weight: f32| weight > 0.0)
    })
}

/// The same content, compressed piece by piece.
pub(super) fn compress(content: ContentStream) -> ContentStream {
    let encoder = GzEncoder::new(Vec::new(), Compression::default());
    let pieces = stream::try_unfold((content, Some(encoder)), |(mut content, encoder)| async move {
        let Some(mut encoder) = encoder else { return Ok(None) };
        match content.next().await {
            Some(piece) => {
                encoder.write_all(&piece?)?;
                let done = std::mem::take(encoder.get_mut());
                Ok::<_, io::Error>(Some((Bytes::from(done), (content, Some(encoder)))))
            }
            None => Ok(Some((Bytes::from(encoder.finish()?), (content, None)))),
        }
    });
    // The encoder keeps small pieces to itself at first.
    Box::pin(pieces.filter(|piece| std::future::ready(!matches!(piece, Ok(piece) if piece.is_empty()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codings_are_weighed() {
        for (codings, accepted) in [
            ("gzip", true),
            ("deflate, GZIP;q=0.5", true),
            ("br, gzip; q=1.0", true),
            ("gzip;q=0", false),
            ("identity", false),
            ("x-gzip", false),
            ("", false),
        ] {
            assert_eq!(accepts(codings), accepted, "{codings}");
        }
    }
}
