//! Values as text: what stands in queries, headers, XML elements and form fields.

use std::borrow::Cow;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;

use crate::time::Timestamp;

mod form;

pub use form::{WireText, from_base64, without_prefix};

/// Writes a value as the text of a header, query parameter or element.
pub trait ToText {
    /// The text; borrowed where the value is text already.
    fn to_text(&self) -> Cow<'_, str>;
}

/// Reads a value from the text of a header or element.
pub trait FromText: Sized {
    /// Reads the text. Numbers and booleans ignore blanks around them; strings are kept as they are.
    ///
    /// # Errors
    ///
    /// When the text is not of the type's form.
    fn from_text(text: &str) -> Result<Self, TextError>;
}

/// Percent-decodes members that the service sent encoded because `EncodingType` was `url`.
pub trait UrlDecode {
    /// Decodes in place. A `+` stays a `+`.
    ///
    /// # Errors
    ///
    /// When the decoded bytes are not UTF-8.
    fn url_decode(&mut self) -> Result<(), TextError>;
}

/// A text that is not of the expected form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextError {
    expected: &'static str,
    found: String,
}

/// Longest piece of foreign text that an error repeats, in characters.
const SNIPPET: usize = 64;

impl TextError {
    /// An error that says what was expected (`an integer`) and shows the beginning of what was found.
    pub fn new(expected: &'static str, found: &str) -> Self {
        let mut shown: String = found.chars().take(SNIPPET).collect();
        if shown.len() < found.len() {
            shown.push_str("...");
        }
        Self { expected, found: shown }
    }

    /// What was expected, e.g. `an integer`.
    pub fn expected(&self) -> &'static str {
        self.expected
    }

    /// The beginning of what was found.
    pub fn found(&self) -> &str {
        &self.found
    }
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, found `{}`", self.expected, OneLine(&self.found))
    }
}

impl std::error::Error for TextError {}

/// Shows text on one line: control characters are escaped.
pub(crate) struct OneLine<'a>(pub(crate) &'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some(at) = rest.find(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
            f.write_str(&rest[..at])?;
            let Some(control) = rest[at..].chars().next() else {
                break;
            };
            write!(f, "{}", control.escape_default())?;
            rest = &rest[at + control.len_utf8()..];
        }
        f.write_str(rest)
    }
}

impl<T: ToText + ?Sized> ToText for &T {
    fn to_text(&self) -> Cow<'_, str> {
        (**self).to_text()
    }
}

impl<T: ToText + ?Sized> ToText for Box<T> {
    fn to_text(&self) -> Cow<'_, str> {
        (**self).to_text()
    }
}

impl ToText for str {
    fn to_text(&self) -> Cow<'_, str> {
        Cow::Borrowed(self)
    }
}

impl ToText for String {
    fn to_text(&self) -> Cow<'_, str> {
        Cow::Borrowed(self)
    }
}

impl ToText for Cow<'_, str> {
    fn to_text(&self) -> Cow<'_, str> {
        Cow::Borrowed(self)
    }
}

impl ToText for bool {
    fn to_text(&self) -> Cow<'_, str> {
        Cow::Borrowed(if *self { "true" } else { "false" })
    }
}

/// Base64.
impl ToText for Bytes {
    fn to_text(&self) -> Cow<'_, str> {
        Cow::Owned(BASE64.encode(self))
    }
}

/// ISO 8601 with milliseconds; other forms have methods of their own.
impl ToText for Timestamp {
    fn to_text(&self) -> Cow<'_, str> {
        Cow::Owned(self.to_iso8601())
    }
}

impl FromText for String {
    fn from_text(text: &str) -> Result<Self, TextError> {
        Ok(text.to_owned())
    }
}

impl<T: FromText> FromText for Box<T> {
    fn from_text(text: &str) -> Result<Self, TextError> {
        T::from_text(text).map(Box::new)
    }
}

impl FromText for bool {
    fn from_text(text: &str) -> Result<Self, TextError> {
        let trimmed = text.trim();
        if trimmed.eq_ignore_ascii_case("true") {
            Ok(true)
        } else if trimmed.eq_ignore_ascii_case("false") {
            Ok(false)
        } else {
            Err(TextError::new("`true` or `false`", text))
        }
    }
}

impl FromText for Bytes {
    fn from_text(text: &str) -> Result<Self, TextError> {
        BASE64
            .decode(text.trim())
            .map(Bytes::from)
            .map_err(|_| TextError::new("base64", text))
    }
}

/// Reads ISO 8601 and the three forms of an HTTP date.
impl FromText for Timestamp {
    fn from_text(text: &str) -> Result<Self, TextError> {
        let trimmed = text.trim();
        if trimmed.starts_with(|c: char| c.is_ascii_digit()) {
            Timestamp::parse_iso8601(trimmed)
        } else {
            Timestamp::parse_http_date(trimmed)
        }
    }
}

macro_rules! numbers {
    ($expected:literal: $($type:ty),+) => {$(
        impl ToText for $type {
            fn to_text(&self) -> Cow<'_, str> {
                Cow::Owned(self.to_string())
            }
        }

        impl FromText for $type {
            fn from_text(text: &str) -> Result<Self, TextError> {
                text.trim().parse().map_err(|_| TextError::new($expected, text))
            }
        }
    )+};
}

numbers!("an integer": i32, i64, u16, u32, u64, usize);
numbers!("a number": f32, f64);

impl UrlDecode for String {
    fn url_decode(&mut self) -> Result<(), TextError> {
        if !self.contains('%') {
            return Ok(());
        }
        match percent_encoding::percent_decode_str(self).decode_utf8() {
            Ok(decoded) => *self = decoded.into_owned(),
            Err(_) => return Err(TextError::new("percent-encoded UTF-8", self)),
        }
        Ok(())
    }
}

impl<T: UrlDecode> UrlDecode for Option<T> {
    fn url_decode(&mut self) -> Result<(), TextError> {
        self.as_mut().map_or(Ok(()), UrlDecode::url_decode)
    }
}

impl<T: UrlDecode> UrlDecode for Vec<T> {
    fn url_decode(&mut self) -> Result<(), TextError> {
        self.iter_mut().try_for_each(UrlDecode::url_decode)
    }
}

impl<T: UrlDecode> UrlDecode for Box<T> {
    fn url_decode(&mut self) -> Result<(), TextError> {
        (**self).url_decode()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_survive_the_way_through_text() {
        for value in [i64::MIN, -1, 0, 1, i64::MAX] {
            assert_eq!(i64::from_text(&value.to_text()), Ok(value));
        }
        for value in [0.0, -1.5, 1e300, 0.1] {
            assert_eq!(f64::from_text(&value.to_text()), Ok(value));
        }
        for value in [true, false] {
            assert_eq!(bool::from_text(&value.to_text()), Ok(value));
        }
        assert_eq!(
            Bytes::from_text(&Bytes::from_static(b"\x00\xff").to_text()).unwrap(),
            &b"\x00\xff"[..]
        );
    }

    #[test]
    fn numbers_and_booleans_ignore_blanks_and_strings_keep_them() {
        assert_eq!(u64::from_text(" 42\n"), Ok(42));
        assert_eq!(bool::from_text(" True "), Ok(true));
        assert_eq!(String::from_text(" a "), Ok(" a ".to_owned()));
    }

    #[test]
    fn a_wrong_text_is_shown_shortened_and_on_one_line() {
        let error = i64::from_text(&format!("no\nnumber {}", "x".repeat(1000))).unwrap_err();
        let text = error.to_string();
        assert!(
            text.starts_with("expected an integer, found `no\\nnumber xxx"),
            "{text}"
        );
        assert!(text.ends_with("...`"), "{text}");
        assert!(text.len() < 120);
        for (input, expected) in [("yes", "`true` or `false`"), ("", "`true` or `false`")] {
            assert_eq!(bool::from_text(input).unwrap_err().expected(), expected);
        }
        assert!(u16::from_text("65536").is_err());
        assert!(Bytes::from_text("*").is_err());
    }

    #[test]
    fn url_decoding_keeps_plus_and_refuses_broken_utf8() {
        let mut key = Some("a%2Fb+c%20%E6%97%A5".to_owned());
        key.url_decode().unwrap();
        assert_eq!(key.as_deref(), Some("a/b+c 日"));
        let mut broken = "%ff".to_owned();
        assert!(broken.url_decode().is_err());
        assert_eq!(broken, "%ff");
        let mut stray = "100%".to_owned();
        stray.url_decode().unwrap();
        assert_eq!(stray, "100%");
    }

    #[test]
    fn timestamps_are_read_in_every_form_of_the_wire() {
        let expected = Timestamp::from_unix(784_111_777).unwrap();
        for text in [
            "1994-11-06T08:49:37.000Z",
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(Timestamp::from_text(text), Ok(expected), "{text}");
        }
    }
}
