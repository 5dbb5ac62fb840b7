//! Texts whose form on the wire is another than in the member: base64, and texts after a fixed prefix.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::TextError;

/// A member that holds texts: one, perhaps one, or many.
pub trait WireText: Clone {
    /// Shows each text to `visit`, which may change it.
    fn each_text(&mut self, visit: &mut dyn FnMut(&mut String));

    /// The same with every text in base64.
    #[must_use]
    fn to_base64(&self) -> Self {
        let mut out = self.clone();
        out.each_text(&mut |text| *text = BASE64.encode(&*text));
        out
    }

    /// The same with every text after `prefix`.
    #[must_use]
    fn with_prefix(&self, prefix: &str) -> Self {
        let mut out = self.clone();
        out.each_text(&mut |text| text.insert_str(0, prefix));
        out
    }

    /// The same with every text as `read` reads it.
    ///
    /// # Errors
    ///
    /// When `read` refuses one of the texts.
    fn read_texts(mut self, read: impl Fn(&str) -> Result<String, TextError>) -> Result<Self, TextError> {
        let mut problem = None;
        self.each_text(&mut |text| match read(text) {
            Ok(plain) => *text = plain,
            Err(error) => problem = problem.take().or(Some(error)),
        });
        match problem {
            Some(error) => Err(error),
            None => Ok(self),
        }
    }
}

impl WireText for String {
    fn each_text(&mut self, visit: &mut dyn FnMut(&mut String)) {
        visit(self);
    }
}

impl<T: WireText> WireText for Option<T> {
    fn each_text(&mut self, visit: &mut dyn FnMut(&mut String)) {
        if let Some(value) = self {
            value.each_text(visit);
        }
    }
}

impl<T: WireText> WireText for Vec<T> {
    fn each_text(&mut self, visit: &mut dyn FnMut(&mut String)) {
        for value in self {
            value.each_text(visit);
        }
    }
}

impl<T: WireText> WireText for BTreeMap<String, T> {
    fn each_text(&mut self, visit: &mut dyn FnMut(&mut String)) {
        for value in self.values_mut() {
            value.each_text(visit);
        }
    }
}

/// The text that stands in base64.
///
/// # Errors
///
/// When it is no base64, or not of UTF-8.
pub fn from_base64(text: &str) -> Result<String, TextError> {
    let bytes = BASE64.decode(text.trim()).map_err(|_| TextError::new("base64", text))?;
    String::from_utf8(bytes).map_err(|_| TextError::new("base64 of UTF-8", text))
}

/// The text after a prefix, or the whole text when it has none.
///
/// # Errors
///
/// Never; it reads as the other forms do.
pub fn without_prefix(text: &str, prefix: &str) -> Result<String, TextError> {
    Ok(text.strip_prefix(prefix).unwrap_or(text).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_from_base64() {
        for text in ["", "a", "select * from ossobject", "\n", "日本 \u{1f980}\0"] {
            let encoded = text.to_owned().to_base64();
            assert_eq!(from_base64(&encoded).as_deref(), Ok(text));
            assert_eq!(from_base64(&format!(" {encoded}\n")).as_deref(), Ok(text));
        }
        assert_eq!("\n".to_owned().to_base64(), "Cg==");
    }

    #[test]
    fn what_is_no_base64_of_a_text_is_refused() {
        assert_eq!(from_base64("*").unwrap_err().expected(), "base64");
        assert_eq!(from_base64("/w==").unwrap_err().expected(), "base64 of UTF-8");
        let many = vec!["YQ==".to_owned(), "*".to_owned(), "**".to_owned()];
        assert_eq!(many.read_texts(from_base64).unwrap_err().found(), "*");
    }

    #[test]
    fn every_text_of_a_member_gets_its_form() {
        let some = Some("0-9".to_owned());
        assert_eq!(some.with_prefix("line-range=").as_deref(), Some("line-range=0-9"));
        assert_eq!(None::<String>.with_prefix("x"), None);
        let map = BTreeMap::from([("k".to_owned(), vec!["a".to_owned(), "b".to_owned()])]);
        assert_eq!(map.to_base64()["k"], ["YQ==", "Yg=="]);
        assert_eq!(map.to_base64().read_texts(from_base64), Ok(map));
        assert_eq!(without_prefix("line-range=0-9", "line-range=").as_deref(), Ok("0-9"));
        assert_eq!(without_prefix("0-9", "line-range=").as_deref(), Ok("0-9"));
    }
}
