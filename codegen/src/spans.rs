//! YAML with positions: every key and value of a file knows its line and column.
//!
//! serde keeps no positions after a successful parse, so the tree is made from parser events, and typed models are
//! read from the tree. A [`Cursor`] finds the place of a value by the same keys that lead to it in the model.

mod syntax;

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle};

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::lint::codes;

/// Deepest nesting of a model file. The format needs nine levels; the bound keeps hostile input from the stack.
const MAX_DEPTH: usize = 32;

/// A stretch of a file. Lines and columns count from one, in characters; the end is exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Span {
    /// First line.
    pub line: usize,
    /// First column.
    pub column: usize,
    /// Last line.
    pub end_line: usize,
    /// Column after the last one.
    pub end_column: usize,
}

/// A YAML value and where it stands.
#[derive(Debug, Clone)]
pub struct Node {
    /// From the first to the last character.
    pub span: Span,
    /// What it is.
    pub value: Value,
}

/// What a [`Node`] is.
#[derive(Debug, Clone)]
pub enum Value {
    /// Text, with whether it stands without quotes.
    Scalar {
        /// Unquoted and unfolded.
        text: String,
        /// Written without quotes, so that `true` and `12` are no text.
        plain: bool,
    },
    /// `[...]` or a run of `- ...`.
    Sequence(Vec<Node>),
    /// `{...}` or a run of `key: ...`.
    Mapping(Vec<Entry>),
    /// Something that the format does not have and that is reported already.
    Unsupported,
}

/// One `key: value`.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub key_span: Span,
    /// The value.
    pub value: Node,
}

impl Node {
    /// The entries, if this is a mapping.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The entry of a key, if this is a mapping that has it.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// Whether nothing was written: `key:` or `key: ~`.
    pub fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar { text, plain: true } if matches!(text.as_str(), "" | "~" | "null"))
    }
}

impl Span {
    fn new(span: saphyr_parser::Span) -> Self {
        Span {
            line: span.start.line().max(1),
            column: span.start.col() + 1,
            end_line: span.end.line().max(1),
            end_column: span.end.col() + 1,
        }
    }

    /// One character.
    pub fn point(line: usize, column: usize) -> Self {
        Span {
            line,
            column,
            end_line: line,
            end_column: column + 1,
        }
    }
}

/// A place in a file, reached by keys. A key that is not there leads back to the nearest one that is.
#[derive(Debug, Clone, Copy)]
pub struct Cursor<'a> {
    file: &'a str,
    key: Span,
    node: Option<&'a Node>,
}

impl<'a> Cursor<'a> {
    /// The top of a file.
    pub fn new(file: &'a str, node: &'a Node) -> Self {
        let Span { line, column, .. } = node.span;
        Cursor {
            file,
            key: Span::point(line, column),
            node: Some(node),
        }
    }

    /// The value of a key.
    pub fn child(self, key: &str) -> Self {
        match self.node.and_then(|node| node.entry(key)) {
            Some(entry) => Cursor {
                key: entry.key_span,
                node: Some(&entry.value),
                ..self
            },
            None => Cursor { node: None, ..self },
        }
    }

    /// The value behind several keys.
    pub fn path(self, keys: &[&str]) -> Self {
        keys.iter().fold(self, |cursor, key| cursor.child(key))
    }

    /// An item of a sequence; a scalar counts as a sequence of itself.
    pub fn item(self, index: usize) -> Self {
        match self.node.map(|node| &node.value) {
            Some(Value::Sequence(items)) => match items.get(index) {
                Some(node) => Cursor {
                    key: node.span,
                    node: Some(node),
                    ..self
                },
                None => Cursor { node: None, ..self },
            },
            _ => self,
        }
    }

    /// Keys of a mapping below, in the order of the file.
    pub fn value_names(self, key: &str) -> Vec<String> {
        self.child(key).keys()
    }

    /// Keys of this mapping, in the order of the file.
    pub fn keys(self) -> Vec<String> {
        self.node
            .map(Node::entries)
            .unwrap_or_default()
            .iter()
            .map(|entry| entry.key.clone())
            .collect()
    }

    /// Items of a sequence.
    pub fn len(self) -> usize {
        match self.node.map(|node| &node.value) {
            Some(Value::Sequence(items)) => items.len(),
            _ => 0,
        }
    }

    /// Whether it is no sequence, or one without items.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The text, if it is one.
    pub fn scalar(self) -> Option<&'a str> {
        match self.node.map(|node| &node.value) {
            Some(Value::Scalar { text, .. }) => Some(text),
            _ => None,
        }
    }

    /// Whether the value is a mapping, as entries are.
    pub fn is_mapping(self) -> bool {
        matches!(self.node.map(|node| &node.value), Some(Value::Mapping(_)))
    }

    /// Whether the file has this place.
    pub fn exists(self) -> bool {
        self.node.is_some()
    }

    /// Path of the file.
    pub fn file(self) -> &'a str {
        self.file
    }

    /// Where the key stands.
    pub fn key_span(self) -> Span {
        self.key
    }

    /// Where the value stands, or the key when there is no value to underline.
    pub fn value_span(self) -> Span {
        match self.node {
            Some(node) if !matches!(node.value, Value::Mapping(_)) && !node.is_null() => node.span,
            _ => self.key,
        }
    }

    /// A problem with the key.
    pub fn on_key(self, code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(code, self.file, self.key_span(), message)
    }

    /// A problem with the value.
    pub fn on_value(self, code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(code, self.file, self.value_span(), message)
    }
}

/// A collection that is still open.
enum Open {
    Sequence(Span, Vec<Node>),
    Mapping {
        span: Span,
        entries: Vec<Entry>,
        seen: BTreeMap<String, Span>,
        key: Option<(String, Span)>,
    },
}

/// Reads a file into a tree. `None` after an error of syntax; what else is wrong is reported and left out.
pub fn parse(file: &str, text: &str, diagnostics: &mut Diagnostics) -> Option<Node> {
    let mut tree = Tree {
        file,
        stack: Vec::new(),
        root: None,
        diagnostics,
    };
    let mut documents = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = match event {
            Ok((event, span)) => (event, Span::new(span)),
            Err(error) => {
                let at = Span::point(error.marker().line().max(1), error.marker().col() + 1);
                tree.diagnostics.push(syntax::error(file, text, at, error.info()));
                return None;
            }
        };
        match event {
            Event::DocumentStart(_) => {
                documents += 1;
                if documents > 1 {
                    tree.unsupported(span, "a second document in one file", "put it into a file of its own");
                    break;
                }
            }
            Event::Alias(_) => {
                tree.unsupported(span, "an alias", "write the value out");
                tree.add(Node {
                    span,
                    value: Value::Unsupported,
                });
            }
            Event::Scalar(text, style, anchor, tag) => {
                tree.no_extras(span, anchor, tag.is_some());
                tree.scalar(text.into_owned(), style == ScalarStyle::Plain, span);
            }
            Event::SequenceStart(anchor, tag) => {
                tree.no_extras(span, anchor, tag.is_some());
                tree.open(Open::Sequence(span, Vec::new()), span)?;
            }
            Event::MappingStart(anchor, tag) => {
                tree.no_extras(span, anchor, tag.is_some());
                let open = Open::Mapping {
                    span,
                    entries: Vec::new(),
                    seen: BTreeMap::new(),
                    key: None,
                };
                tree.open(open, span)?;
            }
            Event::SequenceEnd | Event::MappingEnd => tree.close(span),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
    }
    if tree.root.is_none() {
        let empty = Diagnostic::new(codes::SYNTAX, file, Span::point(1, 1), "the file is empty");
        tree.diagnostics
            .push(empty.help("a model file has at least `service:` and `group:`, see docs/model-format.md"));
    }
    tree.root
}

struct Tree<'a> {
    file: &'a str,
    stack: Vec<Open>,
    root: Option<Node>,
    diagnostics: &'a mut Diagnostics,
}

impl Tree<'_> {
    fn unsupported(&mut self, span: Span, what: &str, help: &str) {
        let message = format!("{what} is no part of the model format");
        self.diagnostics
            .push(Diagnostic::new(codes::UNSUPPORTED_YAML, self.file, span, message).help(help));
    }

    fn no_extras(&mut self, span: Span, anchor: usize, tag: bool) {
        if anchor != 0 {
            self.unsupported(span, "an anchor", "write the value out wherever it is needed");
        }
        if tag {
            self.unsupported(span, "a tag", "quote the value if it starts with `!`");
        }
    }

    fn open(&mut self, open: Open, span: Span) -> Option<()> {
        if self.stack.len() >= MAX_DEPTH {
            self.unsupported(span, &format!("nesting deeper than {MAX_DEPTH} levels"), "flatten it");
            return None;
        }
        self.stack.push(open);
        Some(())
    }

    fn close(&mut self, end: Span) {
        let ended = |start: Span| Span {
            end_line: end.end_line,
            end_column: end.end_column,
            ..start
        };
        match self.stack.pop() {
            Some(Open::Sequence(span, items)) => self.add(Node {
                span: ended(span),
                value: Value::Sequence(items),
            }),
            Some(Open::Mapping { span, entries, .. }) => {
                self.add(Node {
                    span: ended(span),
                    value: Value::Mapping(entries),
                });
            }
            None => {}
        }
    }

    fn scalar(&mut self, text: String, plain: bool, span: Span) {
        match self.stack.last_mut() {
            Some(Open::Mapping { key: key @ None, .. }) => *key = Some((text, span)),
            _ => self.add(Node {
                span,
                value: Value::Scalar { text, plain },
            }),
        }
    }

    /// Puts a finished value where it belongs.
    fn add(&mut self, node: Node) {
        let Some(open) = self.stack.last_mut() else {
            self.root.get_or_insert(node);
            return;
        };
        match open {
            Open::Sequence(_, items) => items.push(node),
            Open::Mapping { entries, seen, key, .. } => {
                let Some((name, key_span)) = key.take() else {
                    let span = node.span;
                    *key = Some((String::new(), span));
                    return self.unsupported(span, "a key that is no text", "keys are names");
                };
                if let Some(first) = seen.get(&name).copied() {
                    let message = format!("`{name}` is given twice");
                    let twice = Diagnostic::new(codes::DUPLICATE_KEY, self.file, key_span, message)
                        .related(self.file, first, "the first one")
                        .help("keep one of them, or rename one");
                    self.diagnostics.push(twice);
                } else {
                    seen.insert(name.clone(), key_span);
                    entries.push(Entry {
                        key: name,
                        key_span,
                        value: node,
                    });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(text: &str) -> (Option<Node>, Vec<String>) {
        let mut diagnostics = Diagnostics::default();
        let node = parse("models/oss/x.yaml", text, &mut diagnostics);
        (node, diagnostics.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn keys_and_values_know_their_places_in_block_and_flow() {
        let (node, problems) = tree("a:\n  b: {c: hello, 'd e': [1, two]}\n");
        assert_eq!(problems, Vec::<String>::new());
        let node = node.unwrap();
        let top = Cursor::new("f", &node);
        let c = top.path(&["a", "b", "c"]);
        assert_eq!((c.key_span().line, c.key_span().column), (2, 7));
        assert_eq!(
            c.value_span(),
            Span {
                line: 2,
                column: 10,
                end_line: 2,
                end_column: 15
            }
        );
        let two = top.path(&["a", "b", "d e"]).item(1);
        assert_eq!(
            two.value_span(),
            Span {
                line: 2,
                column: 28,
                end_line: 2,
                end_column: 31
            }
        );
        let missing = top.path(&["a", "b", "z", "y"]);
        assert!(!missing.exists());
        assert_eq!(missing.key_span(), top.path(&["a", "b"]).key_span());
    }

    #[test]
    fn columns_count_characters() {
        let (node, _) = tree("{é: ü}");
        let node = node.unwrap();
        assert_eq!(Cursor::new("f", &node).child("é").value_span().column, 5);
    }

    #[test]
    fn what_the_format_does_not_use_is_reported() {
        for text in [
            "a: &x 1\n",
            "a: !t 1\n",
            "a: 1\n---\nb: 2\n",
            "a: &x {}\nb: *x\n",
            "? [a]\n: 1\n",
        ] {
            let (_, problems) = tree(text);
            assert!(
                problems.iter().any(|p| p.contains(codes::UNSUPPORTED_YAML)),
                "{text:?}: {problems:?}"
            );
        }
    }

    #[test]
    fn hostile_nesting_is_an_error() {
        let (node, problems) = tree(&"[".repeat(100_000));
        assert!(node.is_none());
        assert_eq!(problems.len(), 1);
        let (_, problems) = tree("");
        assert_eq!(problems.len(), 1);
    }
}
