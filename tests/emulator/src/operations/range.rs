//! Byte ranges, in the service's own reading and in HTTP's.

use std::ops::Range;

/// What part of an object a request wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    Whole,
    Part(Range<u64>),
    /// Nothing of the object lies in the range, and the request wants to be told.
    Unsatisfiable,
}

/// Reads a `Range` header for an object of `size` bytes.
///
/// By default a range that is not wholly inside the object is ignored and the whole object is sent. With `standard` the end is
/// clamped, as HTTP demands, and a range outside is an error. Several ranges are always ignored.
pub(super) fn wanted(header: Option<&str>, standard: bool, size: u64) -> Wanted {
    let Some((first, last)) = header.and_then(parse) else {
        return Wanted::Whole;
    };
    let outside = if standard { Wanted::Unsatisfiable } else { Wanted::Whole };
    let (start, end) = match (first, last) {
        (Some(first), Some(last)) => (first, last.saturating_add(1)),
        (Some(first), None) => (first, size),
        (None, Some(0)) => return outside,
        (None, Some(length)) if length > size && !standard => return Wanted::Whole,
        (None, Some(length)) => (size.saturating_sub(length), size),
        (None, None) => return Wanted::Whole,
    };
    if start >= size {
        return outside;
    }
    match end {
        end if end <= size => Wanted::Part(start..end),
        _ if standard => Wanted::Part(start..size),
        _ => Wanted::Whole,
    }
}

/// First and last position of a single range; nothing for anything malformed.
fn parse(header: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (first, last) = header.trim().strip_prefix("bytes=")?.split_once('-')?;
    let number = |text: &str| -> Option<Option<u64>> {
        match text.trim() {
            "" => Some(None),
            digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok().map(Some),
            _ => None,
        }
    };
    let (first, last) = (number(first)?, number(last)?);
    match (first, last) {
        (Some(first), Some(last)) if first > last => None,
        (None, None) => None,
        both => Some(both),
    }
}

/// Reads `bytes=a-b` of a copied part, which must lie within the source.
pub(super) fn of_copy(header: &str, size: u64) -> Option<Range<u64>> {
    match parse(header)? {
        (Some(first), Some(last)) if last < size => Some(first..last + 1),
        (Some(first), None) if first < size => Some(first..size),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_both_ways() {
        use Wanted::{Part, Unsatisfiable, Whole};
        for (header, default, standard) in [
            ("bytes=0-4", Part(0..5), Part(0..5)),
            ("bytes=5-", Part(5..10), Part(5..10)),
            ("bytes=-3", Part(7..10), Part(7..10)),
            ("bytes=9-9", Part(9..10), Part(9..10)),
            ("bytes=5-20", Whole, Part(5..10)),
            ("bytes=-20", Whole, Part(0..10)),
            ("bytes=10-", Whole, Unsatisfiable),
            ("bytes=10-20", Whole, Unsatisfiable),
            ("bytes=-0", Whole, Unsatisfiable),
            ("bytes=5-4", Whole, Whole),
            ("bytes=0-1,4-5", Whole, Whole),
            ("bytes=a-b", Whole, Whole),
            ("bytes=-", Whole, Whole),
            ("items=0-1", Whole, Whole),
            ("bytes=0-99999999999999999999999", Whole, Whole),
        ] {
            assert_eq!(wanted(Some(header), false, 10), default, "{header}");
            assert_eq!(wanted(Some(header), true, 10), standard, "{header} standard");
        }
        assert_eq!(wanted(None, true, 10), Whole);
        assert_eq!(wanted(Some("bytes=0-"), true, 0), Unsatisfiable);
        assert_eq!(wanted(Some("bytes=0-18446744073709551615"), true, 10), Part(0..10));
    }
}
