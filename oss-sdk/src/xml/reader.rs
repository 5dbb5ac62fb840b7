//! The pull reader. One allocation for each string value, none else on the way of a document that is in order.

use std::borrow::Cow;
use std::fmt;

use quick_xml::Reader;
use quick_xml::errors::{IllFormedError, SyntaxError};
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::ReadXml;
use crate::text::{FromText, OneLine, TextError};

/// Elements inside each other. Documents of the service have fewer than ten; more is an attack on the stack.
const MAX_DEPTH: usize = 64;

/// Elements in a document. The largest listings have fewer than a hundred thousand; a run of millions of empty ones would
/// become many times as large in memory as it was on the wire.
const MAX_ELEMENTS: u32 = 500_000;

/// Longest piece of a foreign name that an error repeats, in bytes. Names of the service are shorter.
const MAX_NAME: usize = 128;

/// Reads a document element by element.
///
/// After [`next_child`](Self::next_child) has returned a name, exactly one of [`value`](Self::value),
/// [`read`](Self::read), [`skip`](Self::skip) or a nested loop of `next_child` must follow: a nested loop walks through the
/// children of the element just returned.
pub struct XmlReader<'a> {
    reader: Reader<&'a [u8]>,
    input: &'a [u8],
    /// The element that the last call returned, if nothing was read of it yet.
    pending: Pending,
    /// Its local name.
    name: &'a [u8],
    /// Elements that are open, a pending one included.
    depth: usize,
    /// Elements so far.
    count: u32,
    /// Whether a carriage return stands anywhere, so that line ends need a look.
    has_returns: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Pending {
    Nothing,
    /// `<a>`: children or text follow.
    Open,
    /// `<a/>`.
    Empty,
}

/// Why a document could not be read.
#[derive(Debug)]
pub struct XmlError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    problem: Problem,
    /// Byte of the document.
    position: u64,
    /// Elements from the outside in, as far as they are known.
    path: Vec<String>,
}

#[derive(Debug)]
enum Problem {
    /// What the parser says, cut: it repeats names at any length.
    Syntax(String),
    Truncated,
    TooDeep,
    TooMany,
    Doctype,
    NoRoot,
    Root {
        expected: String,
        found: String,
    },
    AfterRoot,
    Entity(String),
    ElementInText(String),
    Value(TextError),
    Missing(String),
}

impl<'a> XmlReader<'a> {
    /// A reader at the beginning of a document. Call [`root`](Self::root) first.
    pub fn new(input: &'a [u8]) -> Self {
        // The reader would skip a byte order mark too, but then its positions would not be those of `input`.
        let input = input.strip_prefix(b"\xef\xbb\xbf").unwrap_or(input);
        Self {
            reader: Reader::from_reader(input),
            input,
            pending: Pending::Nothing,
            name: b"",
            depth: 0,
            count: 0,
            has_returns: input.contains(&b'\r'),
        }
    }

    /// Goes to the root element and returns its local name.
    ///
    /// # Errors
    ///
    /// When there is none, or one of another name than `expected`.
    pub fn root(&mut self, expected: Option<&str>) -> Result<&'a [u8], XmlError> {
        loop {
            match self.between()? {
                Event::Start(start) => {
                    self.open(&start, Pending::Open)?;
                    break;
                }
                Event::Empty(start) => {
                    self.open(&start, Pending::Empty)?;
                    break;
                }
                Event::Text(text) if text.bytes().all(|byte| byte.is_ascii_whitespace()) => {}
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
                Event::DocType(_) => return Err(self.error(Problem::Doctype)),
                _ => return Err(self.error(Problem::NoRoot)),
            }
        }
        match expected {
            Some(expected) if expected.as_bytes() != self.name => Err(self.error(Problem::Root {
                expected: expected.to_owned(),
                found: lossy(self.name),
            })),
            _ => Ok(self.name),
        }
    }

    /// Goes to the next child of the element that is open and returns its local name, or `None` at the end of the
    /// element. Text between children is passed over.
    ///
    /// # Errors
    ///
    /// When the document is malformed, ends early or nests too deeply.
    #[inline]
    pub fn next_child(&mut self) -> Result<Option<&'a [u8]>, XmlError> {
        if self.pending == Pending::Empty {
            self.close();
            return Ok(None);
        }
        self.pending = Pending::Nothing;
        if self.depth == 0 {
            return Ok(None);
        }
        loop {
            match self.between()? {
                Event::Start(start) => {
                    self.open(&start, Pending::Open)?;
                    return Ok(Some(self.name));
                }
                Event::Empty(start) => {
                    self.open(&start, Pending::Empty)?;
                    return Ok(Some(self.name));
                }
                Event::End(_) => {
                    self.close();
                    return Ok(None);
                }
                Event::Eof => return Err(self.error(Problem::Truncated)),
                Event::DocType(_) => return Err(self.error(Problem::Doctype)),
                _ => {}
            }
        }
    }

    /// Reads the element's text as a value.
    ///
    /// # Errors
    ///
    /// When the text is not of the type's form, or the element has children.
    pub fn value<T: FromText>(&mut self) -> Result<T, XmlError> {
        self.value_with(T::from_text)
    }

    /// Reads the element's text with a function, for forms that their type does not determine.
    ///
    /// # Errors
    ///
    /// As [`value`](Self::value).
    pub fn value_with<T>(&mut self, read: impl FnOnce(&str) -> Result<T, TextError>) -> Result<T, XmlError> {
        let name = self.name;
        let text = self.content()?;
        read(&text).map_err(|error| self.error(Problem::Value(error)).inside(name))
    }

    /// Reads the element's text as it is, blanks included.
    ///
    /// # Errors
    ///
    /// When the element has children.
    #[inline]
    pub fn text(&mut self) -> Result<String, XmlError> {
        self.content().map(Cow::into_owned)
    }

    /// Reads the element's children into a value of a type of its own.
    ///
    /// # Errors
    ///
    /// As [`ReadXml::read_xml`].
    pub fn read<T: ReadXml + Default>(&mut self) -> Result<T, XmlError> {
        let mut value = T::default();
        self.read_into(&mut value)?;
        Ok(value)
    }

    /// Reads the element's children into a value that exists already. What the value's reader leaves is skipped.
    ///
    /// # Errors
    ///
    /// As [`ReadXml::read_xml`].
    pub fn read_into(&mut self, value: &mut (impl ReadXml + ?Sized)) -> Result<(), XmlError> {
        let name = self.name;
        let outside = self.depth.saturating_sub(1);
        value.read_xml(self).map_err(|error| error.inside(name))?;
        self.drain(outside)
    }

    /// Passes over the element and all in it.
    ///
    /// # Errors
    ///
    /// When the document is malformed, ends early or nests too deeply.
    pub fn skip(&mut self) -> Result<(), XmlError> {
        self.drain(self.depth.saturating_sub(1))
    }

    /// The member's value, or an error that names the element that is missing.
    ///
    /// # Errors
    ///
    /// When there is no value.
    pub fn required<T>(&self, name: &str, value: Option<T>) -> Result<T, XmlError> {
        value.ok_or_else(|| self.error(Problem::Missing(name.to_owned())))
    }

    /// Makes sure that nothing but blanks and comments follows the root element.
    ///
    /// # Errors
    ///
    /// When something does.
    pub fn end(&mut self) -> Result<(), XmlError> {
        self.drain(0)?;
        loop {
            match self.between()? {
                Event::Eof => return Ok(()),
                Event::Comment(_) | Event::PI(_) => {}
                Event::Text(text) if text.bytes().all(|byte| byte.is_ascii_whitespace()) => {}
                _ => return Err(self.error(Problem::AfterRoot)),
            }
        }
    }

    /// The element's text, or `None` after passing over an element that has children.
    pub(crate) fn text_or_skip(&mut self) -> Result<Option<String>, XmlError> {
        let outside = self.depth.saturating_sub(1);
        match self.content() {
            Ok(text) => Ok(Some(text.into_owned())),
            Err(error) if matches!(error.0.problem, Problem::ElementInText(_)) => {
                self.drain(outside)?;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The next event between elements, where blanks mean nothing.
    #[inline]
    fn between(&mut self) -> Result<Event<'a>, XmlError> {
        self.reader.config_mut().trim_text_start = true;
        match self.reader.read_event() {
            Ok(event) => Ok(event),
            Err(error) => Err(self.syntax(error)),
        }
    }

    /// The next event of an element's text, where blanks count.
    #[inline]
    fn within(&mut self) -> Result<Event<'a>, XmlError> {
        self.reader.config_mut().trim_text_start = false;
        match self.reader.read_event() {
            Ok(event) => Ok(event),
            Err(error) => Err(self.syntax(error)),
        }
    }

    #[cold]
    fn syntax(&self, error: quick_xml::Error) -> XmlError {
        let problem = match error {
            quick_xml::Error::Syntax(
                SyntaxError::UnclosedTag
                | SyntaxError::UnclosedComment
                | SyntaxError::UnclosedCData
                | SyntaxError::UnclosedPI
                | SyntaxError::UnclosedXmlDecl
                | SyntaxError::UnclosedDoctype,
            )
            | quick_xml::Error::IllFormed(IllFormedError::MissingEndTag(_)) => Problem::Truncated,
            other => {
                let text = other.to_string();
                let end = text.char_indices().nth(2 * MAX_NAME).map_or(text.len(), |(end, _)| end);
                Problem::Syntax(text[..end].to_owned())
            }
        };
        self.error(problem)
    }

    #[inline]
    fn open(&mut self, start: &BytesStart<'_>, pending: Pending) -> Result<(), XmlError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error(Problem::TooDeep));
        }
        self.count += 1;
        if self.count > MAX_ELEMENTS {
            return Err(self.error(Problem::TooMany));
        }
        self.pending = pending;
        self.name = self.name_of(start);
        Ok(())
    }

    /// The local name, borrowed from the document itself: the event lends its own only as long as it lives.
    #[inline]
    fn name_of(&self, start: &BytesStart<'_>) -> &'a [u8] {
        let length = start.name().into_inner().len();
        // The reader stands behind the `>` or `/>` that follows name and attributes.
        let tail = if self.pending == Pending::Empty { 2 } else { 1 };
        let name = usize::try_from(self.reader.buffer_position())
            .ok()
            .and_then(|end| end.checked_sub(start.len() + tail))
            .and_then(|at| self.input.get(at..at + length))
            .unwrap_or_default();
        name.iter()
            .position(|&byte| byte == b':')
            .map_or(name, |colon| &name[colon + 1..])
    }

    #[inline]
    fn close(&mut self) {
        self.pending = Pending::Nothing;
        self.depth = self.depth.saturating_sub(1);
    }

    /// Passes over everything until only `depth` elements are open.
    fn drain(&mut self, depth: usize) -> Result<(), XmlError> {
        while self.depth > depth {
            self.next_child()?;
        }
        Ok(())
    }

    /// The text of the pending element, up to its end tag.
    #[inline]
    fn content(&mut self) -> Result<Cow<'a, str>, XmlError> {
        match std::mem::replace(&mut self.pending, Pending::Nothing) {
            Pending::Open => {}
            Pending::Empty => {
                self.close();
                return Ok(Cow::Borrowed(""));
            }
            // Nothing is pending: the caller has read the element's children or text before.
            Pending::Nothing => return Ok(Cow::Borrowed("")),
        }
        let mut content = Cow::Borrowed("");
        loop {
            match self.within()? {
                // Nearly always one text and the end; only a carriage return is not taken as it is.
                Event::Text(text) if content.is_empty() => content = self.line_ends(text.into_inner()),
                Event::Text(text) => append(&mut content, self.line_ends(text.into_inner())),
                Event::CData(text) => append(&mut content, self.line_ends(text.into_inner())),
                Event::GeneralRef(reference) => {
                    let c = self.resolve(&reference)?;
                    content.to_mut().push(c);
                }
                Event::End(_) => {
                    self.close();
                    return Ok(content);
                }
                Event::Start(start) => {
                    let outer = self.name;
                    self.open(&start, Pending::Open)?;
                    return Err(self.error(Problem::ElementInText(lossy(self.name))).inside(outer));
                }
                Event::Empty(start) => {
                    let outer = self.name;
                    self.open(&start, Pending::Empty)?;
                    return Err(self.error(Problem::ElementInText(lossy(self.name))).inside(outer));
                }
                Event::Eof => return Err(self.error(Problem::Truncated)),
                Event::DocType(_) => return Err(self.error(Problem::Doctype)),
                Event::Comment(_) | Event::PI(_) | Event::Decl(_) => {}
            }
        }
    }

    /// Line ends are `\n`, whatever the document has.
    #[inline]
    fn line_ends(&self, text: Cow<'a, str>) -> Cow<'a, str> {
        if self.has_returns && text.contains('\r') {
            Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
        } else {
            text
        }
    }

    /// Only numbers and the five entities that XML knows: a document cannot define others, as it has no DTD.
    fn resolve(&self, reference: &BytesRef<'_>) -> Result<char, XmlError> {
        let name: &str = reference;
        let known = match name {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => reference.resolve_char_ref().ok().flatten(),
        };
        known.ok_or_else(|| self.error(Problem::Entity(name.chars().take(32).collect())))
    }

    #[cold]
    fn error(&self, problem: Problem) -> XmlError {
        let position = match problem {
            Problem::Syntax(_) => self.reader.error_position(),
            _ => self.reader.buffer_position(),
        };
        XmlError(Box::new(Inner {
            problem,
            position,
            path: Vec::new(),
        }))
    }
}

/// The beginning of a name, for an error.
fn lossy(name: &[u8]) -> String {
    match name.get(..MAX_NAME) {
        Some(beginning) => format!("{}...", String::from_utf8_lossy(beginning)),
        None => String::from_utf8_lossy(name).into_owned(),
    }
}

fn append<'a>(content: &mut Cow<'a, str>, piece: Cow<'a, str>) {
    if content.is_empty() {
        *content = piece;
    } else if !piece.is_empty() {
        content.to_mut().push_str(&piece);
    }
}

impl fmt::Debug for XmlReader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("XmlReader")
            .field("element", &lossy(self.name))
            .field("depth", &self.depth)
            .field("position", &self.reader.buffer_position())
            .finish_non_exhaustive()
    }
}

impl XmlError {
    /// Byte of the document at which the problem was noticed.
    pub fn position(&self) -> u64 {
        self.0.position
    }

    /// Elements from the outside in, e.g. `CORSConfiguration/CORSRule/MaxAgeSeconds`; as far as they are known.
    pub fn path(&self) -> String {
        self.0
            .path
            .iter()
            .rev()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join("/")
    }

    /// Whether the document ends in the middle, as when a connection broke.
    pub fn is_truncated(&self) -> bool {
        matches!(self.0.problem, Problem::Truncated)
    }

    fn inside(mut self, element: &[u8]) -> Self {
        self.0.path.push(lossy(element));
        self
    }
}

impl fmt::Display for XmlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.problem {
            Problem::Syntax(error) => write!(f, "malformed XML: {}", OneLine(error)),
            Problem::Truncated => write!(f, "the document ends in the middle"),
            Problem::TooDeep => write!(f, "more than {MAX_DEPTH} elements inside each other"),
            Problem::TooMany => write!(f, "more than {MAX_ELEMENTS} elements"),
            Problem::Doctype => write!(f, "a document type declaration is not allowed"),
            Problem::NoRoot => write!(f, "there is no root element"),
            Problem::Root { expected, found } => {
                write!(f, "expected the root element `{expected}`, found `{}`", OneLine(found))
            }
            Problem::AfterRoot => write!(f, "something follows the root element"),
            Problem::Entity(name) => write!(f, "unknown reference `&{};`", OneLine(name)),
            Problem::ElementInText(name) => {
                write!(f, "expected text, found the element `{}`", OneLine(name))
            }
            Problem::Value(error) => error.fmt(f),
            Problem::Missing(name) => write!(f, "the element `{name}` is missing"),
        }?;
        if !self.0.path.is_empty() {
            write!(f, " in `{}`", OneLine(&self.path()))?;
        }
        write!(f, " at byte {}", self.0.position)
    }
}

impl std::error::Error for XmlError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.problem {
            Problem::Value(error) => Some(error),
            _ => None,
        }
    }
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
