//! What a browser may show of an object: plain text and raster images, told by their first bytes.
//!
//! The type that the writer declared does not count. HTML and SVG are text here, since either could run scripts as a page of the
//! listener.

use futures_util::TryStreamExt as _;

use crate::store::{Object, ObjectKind};

/// Most bytes of a text that are shown.
pub(super) const TEXT: u64 = 64 * 1024;
/// Largest image that is shown.
const IMAGE: u64 = 20 * 1024 * 1024;

/// A way to show an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Preview {
    Text,
    /// With the type that its first bytes tell.
    Image(&'static str),
}

impl Preview {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Image(_) => "image",
        }
    }
}

/// How an object can be shown; not at all when it is a link, or binary, or cannot be read.
pub(super) async fn of(object: &Object) -> Option<Preview> {
    let info = object.info();
    if info.kind == ObjectKind::Symlink {
        return None;
    }
    let stream = object.read(0..info.size.min(TEXT)).ok()?;
    let head: Vec<u8> = stream
        .try_fold(Vec::new(), |mut head, chunk| async move {
            head.extend_from_slice(&chunk);
            Ok(head)
        })
        .await
        .ok()?;
    match image(&head) {
        Some(kind) => (info.size <= IMAGE).then_some(Preview::Image(kind)),
        None => is_text(&head, info.size > TEXT).then_some(Preview::Text),
    }
}

fn image(head: &[u8]) -> Option<&'static str> {
    let bytes = |range: std::ops::Range<usize>| head.get(range).unwrap_or_default();
    Some(match head {
        _ if head.starts_with(b"\x89PNG\r\n\x1a\n") => "image/png",
        _ if head.starts_with(b"\xff\xd8\xff") => "image/jpeg",
        _ if head.starts_with(b"GIF87a") || head.starts_with(b"GIF89a") => "image/gif",
        _ if head.starts_with(b"RIFF") && bytes(8..12) == b"WEBP" => "image/webp",
        // Two letters alone could begin a text.
        _ if head.starts_with(b"BM") && bytes(6..10) == [0; 4] => "image/bmp",
        _ => return None,
    })
}

/// UTF-8 with no control characters but those of texts and terminals; where it was cut, a character may be incomplete.
fn is_text(head: &[u8], is_cut: bool) -> bool {
    let is_plain = |byte: &u8| *byte >= b' ' || matches!(byte, b'\t' | b'\n' | b'\r' | b'\x0c' | b'\x1b');
    head.iter().all(is_plain)
        && match std::str::from_utf8(head) {
            Ok(_) => true,
            Err(error) => is_cut && error.error_len().is_none(),
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_decide() {
        let cases: [(&[u8], Option<&str>, bool); 9] = [
            (b"\x89PNG\r\n\x1a\n\0\0", Some("image/png"), false),
            (b"\xff\xd8\xff\xe0", Some("image/jpeg"), false),
            (b"GIF89a", Some("image/gif"), true),
            (b"RIFF\x01\x02\x03\x04WEBPVP8 ", Some("image/webp"), false),
            (b"BM\x01\x02\x03\x04\0\0\0\0", Some("image/bmp"), false),
            (b"BMW builds cars", None, true),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", None, true),
            (b"", None, true),
            (b"\xff\xfe", None, false),
        ];
        for (head, kind, text) in cases {
            assert_eq!((image(head), is_text(head, false)), (kind, text), "{head:?}");
        }
        assert!(is_text(&"für".as_bytes()[..2], true));
        assert!(!is_text(&"für".as_bytes()[..2], false));
    }
}
