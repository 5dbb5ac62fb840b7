//! Percent-encoding as the service and its signatures want it: every byte but `A-Z a-z 0-9 - . _ ~`, upper-case hex.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const PATH: &AsciiSet = &COMPONENT.remove(b'/');

/// Appends the parameter name, the value, or one segment of a path.
pub(crate) fn push_component(out: &mut String, text: &str) {
    out.extend(utf8_percent_encode(text, COMPONENT));
}

/// Appends a path, whose slashes stay.
pub(crate) fn push_path(out: &mut String, text: &str) {
    out.extend(utf8_percent_encode(text, PATH));
}

/// [`push_path`] into bytes.
pub(crate) fn extend_path(out: &mut Vec<u8>, text: &str) {
    for piece in utf8_percent_encode(text, PATH) {
        out.extend_from_slice(piece.as_bytes());
    }
}

/// Appends a parameter to an encoded query. A missing or empty value leaves the bare name.
pub(crate) fn push_query(out: &mut String, name: &str, value: Option<&str>) {
    if !out.is_empty() {
        out.push('&');
    }
    push_component(out, name);
    if let Some(value) = value.filter(|value| !value.is_empty()) {
        out.push('=');
        push_component(out, value);
    }
}

/// Decodes; `None` when the bytes are not UTF-8. A `+` stays a `+`.
pub(crate) fn decode(text: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(text).decode_utf8().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_encode_slashes_and_paths_do_not() {
        let mut query = String::new();
        push_query(&mut query, "a/b", Some("c/d e+~*"));
        push_query(&mut query, "empty", Some(""));
        push_query(&mut query, "flag", None);
        assert_eq!(query, "a%2Fb=c%2Fd%20e%2B~%2A&empty&flag");
        let mut path = String::new();
        push_path(&mut path, "//a b/../日*%2F");
        assert_eq!(path, "//a%20b/../%E6%97%A5%2A%252F");
    }

    #[test]
    fn what_is_encoded_is_decoded_again() {
        let text: String = ('\0'..='\u{300}').collect();
        let mut encoded = String::new();
        push_component(&mut encoded, &text);
        assert!(
            encoded
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte))
        );
        assert_eq!(decode(&encoded).as_deref(), Some(text.as_str()));
        assert_eq!(decode("%ff"), None);
    }
}
