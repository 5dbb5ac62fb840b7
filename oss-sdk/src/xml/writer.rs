//! The writer: elements into one buffer, and the first rule that a member breaks.

use super::WriteXml;
use crate::check::{self, Invalid};
use crate::text::ToText;

/// Writes a document into memory.
///
/// ```
/// use oss_sdk::xml::{WriteXml, XmlWriter};
///
/// struct Tag { key: String, value: String }
///
/// impl WriteXml for Tag {
///     fn write_xml(&self, writer: &mut XmlWriter) {
///         writer.element("Key", &self.key);
///         writer.element("Value", &self.value);
///     }
/// }
///
/// let xml = XmlWriter::document("Tag", &Tag { key: "a".into(), value: "b & c".into() }).unwrap();
/// assert_eq!(xml, b"<Tag><Key>a</Key><Value>b &amp; c</Value></Tag>");
/// ```
#[derive(Debug, Default)]
pub struct XmlWriter {
    out: Vec<u8>,
    invalid: Option<Invalid>,
}

impl XmlWriter {
    /// A writer of an empty document.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes a whole document.
    ///
    /// # Errors
    ///
    /// The first member that breaks a rule.
    pub fn document(root: &str, value: &(impl WriteXml + ?Sized)) -> Result<Vec<u8>, Invalid> {
        let mut writer = Self::new();
        writer.open(root);
        value.write_xml(&mut writer);
        writer.close(root);
        writer.finish()
    }

    /// The document.
    ///
    /// # Errors
    ///
    /// The first member that breaks a rule.
    pub fn finish(self) -> Result<Vec<u8>, Invalid> {
        match self.invalid {
            Some(invalid) => Err(invalid),
            None => Ok(self.out),
        }
    }

    /// Writes `<name>`.
    pub fn open(&mut self, name: &str) {
        self.out.push(b'<');
        self.out.extend_from_slice(name.as_bytes());
        self.out.push(b'>');
    }

    /// Writes `</name>`.
    pub fn close(&mut self, name: &str) {
        self.out.extend_from_slice(b"</");
        self.out.extend_from_slice(name.as_bytes());
        self.out.push(b'>');
    }

    /// Writes an element that holds text.
    pub fn element(&mut self, name: &str, value: &(impl ToText + ?Sized)) {
        self.open(name);
        let text = value.to_text();
        self.escape(name, &text);
        self.close(name);
    }

    /// Writes an element that holds text, if there is a value.
    pub fn optional(&mut self, name: &str, value: Option<&(impl ToText + ?Sized)>) {
        if let Some(value) = value {
            self.element(name, value);
        }
    }

    /// Writes an element for each value.
    pub fn list<T: ToText>(&mut self, name: &str, values: &[T]) {
        for value in values {
            self.element(name, value);
        }
    }

    /// Writes an element with children.
    pub fn shape(&mut self, name: &str, value: &(impl WriteXml + ?Sized)) {
        let was_valid = self.invalid.is_none();
        self.open(name);
        value.write_xml(self);
        self.close(name);
        if was_valid {
            self.invalid = self.invalid.take().map(|invalid| invalid.inside(name));
        }
    }

    /// Writes an element with children, if there is a value.
    pub fn shape_optional(&mut self, name: &str, value: Option<&(impl WriteXml + ?Sized)>) {
        if let Some(value) = value {
            self.shape(name, value);
        }
    }

    /// Writes an element with children for each value.
    pub fn shapes<T: WriteXml>(&mut self, name: &str, values: &[T]) {
        for (index, value) in values.iter().enumerate() {
            let was_valid = self.invalid.is_none();
            self.open(name);
            value.write_xml(self);
            self.close(name);
            if was_valid {
                self.invalid = self
                    .invalid
                    .take()
                    .map(|invalid| invalid.inside(&format!("{name}[{index}]")));
            }
        }
    }

    /// Reports a number outside `min..=max`.
    pub fn check_range(&mut self, member: &str, value: impl Into<i64>, min: i64, max: i64) {
        self.check(member, check::range(value.into(), min, max));
    }

    /// Reports a text whose length in bytes is outside `min..=max`.
    pub fn check_length(&mut self, member: &str, value: &str, min: u64, max: u64) {
        self.check(member, check::length(value, min, max));
    }

    /// Reports a list with more than `max` items.
    pub fn check_items(&mut self, member: &str, count: usize, max: u64) {
        self.check(member, check::items(count, max));
    }

    /// Reports a member that must be given and is not.
    pub fn require(&mut self, member: &str, is_present: bool) {
        self.check(member, check::required(is_present));
    }

    /// Reports a member that breaks a rule, worded as the rest of a sentence. Only the first report counts.
    pub fn invalid(&mut self, member: &str, rule: &str) {
        self.check(member, Some(rule.to_owned()));
    }

    fn check(&mut self, member: &str, broken: Option<String>) {
        if let (None, Some(rule)) = (&self.invalid, broken) {
            self.invalid = Some(Invalid::new(member, rule));
        }
    }

    /// The service reads control characters as numeric references, except NUL, which no reference can express.
    fn escape(&mut self, name: &str, text: &str) {
        let bytes = text.as_bytes();
        let mut written = 0;
        for (at, &byte) in bytes.iter().enumerate() {
            let replacement: &[u8] = match byte {
                b'&' => b"&amp;",
                b'<' => b"&lt;",
                b'>' => b"&gt;",
                b'"' => b"&quot;",
                b'\'' => b"&apos;",
                0 => {
                    self.invalid(name, "must not contain a NUL character");
                    b""
                }
                0x01..=0x1f | 0x7f => b"",
                _ => continue,
            };
            self.out.extend_from_slice(&bytes[written..at]);
            if replacement.is_empty() {
                self.out.extend_from_slice(b"&#");
                self.out.extend_from_slice(byte.to_string().as_bytes());
                self.out.push(b';');
            } else {
                self.out.extend_from_slice(replacement);
            }
            written = at + 1;
        }
        self.out.extend_from_slice(&bytes[written..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml;

    struct Rule {
        age: i64,
        origins: Vec<String>,
    }

    impl WriteXml for Rule {
        fn write_xml(&self, writer: &mut XmlWriter) {
            writer.check_items("origins", self.origins.len(), 2);
            writer.check_range("age", self.age, 0, 100);
            writer.list("Origin", &self.origins);
            writer.element("Age", &self.age);
        }
    }

    struct Rules(Vec<Rule>);

    impl WriteXml for Rules {
        fn write_xml(&self, writer: &mut XmlWriter) {
            writer.shapes("Rule", &self.0);
            writer.shape_optional("Default", self.0.first());
            writer.optional("None", None::<&str>);
        }
    }

    #[test]
    fn a_document_is_written_in_order() {
        let rules = Rules(vec![Rule {
            age: 1,
            origins: vec!["*".to_owned(), "b".to_owned()],
        }]);
        let rule = "<Origin>*</Origin><Origin>b</Origin><Age>1</Age>";
        let expected = format!("<Rules><Rule>{rule}</Rule><Default>{rule}</Default></Rules>");
        assert_eq!(XmlWriter::document("Rules", &rules), Ok(expected.into_bytes()));
    }

    #[test]
    fn the_first_broken_rule_is_kept_with_the_way_to_it() {
        let rule = |age| Rule {
            age,
            origins: Vec::new(),
        };
        let error = XmlWriter::document("Rules", &Rules(vec![rule(1), rule(-1), rule(101)])).unwrap_err();
        assert_eq!(error.to_string(), "`Rule[1].age` must be from 0 to 100, it is -1");
        let many = Rule {
            age: 500,
            origins: vec![String::new(); 3],
        };
        let error = XmlWriter::document("Rules", &Rules(vec![many])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`Rule[0].origins` must have at most 2 items, it has 3"
        );
    }

    #[test]
    fn every_character_is_read_back_as_it_was() {
        let mut text: String = ('\u{1}'..='\u{2ff}').collect();
        text.push_str("  日本 \u{fffd} \u{10ffff} ]]> &amp; \r\n ");
        let mut writer = XmlWriter::new();
        writer.element("T", &text);
        let bytes = writer.finish().unwrap();
        assert_eq!(xml::read_root_text(&bytes, Some("T")).unwrap(), text);
        assert!(
            bytes.iter().all(|&byte| byte >= 0x20 && byte != 0x7f),
            "control characters are references"
        );
    }

    #[test]
    fn a_nul_character_is_refused() {
        let mut writer = XmlWriter::new();
        writer.element("Key", "a\0b");
        assert_eq!(
            writer.finish().unwrap_err().to_string(),
            "`Key` must not contain a NUL character"
        );
    }
}
