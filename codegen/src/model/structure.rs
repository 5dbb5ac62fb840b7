//! The walk that checks a file by the tables of [`keys`](super::keys).
//!
//! It reports everything that does not fit and leaves it out, so that the rest of the file can still be read and
//! checked in the same run.

use serde_yaml::{Mapping, Value as Yaml};

use crate::diagnostic::{Diagnostic, Diagnostics, nearest};
use crate::lint::codes;
use crate::model::keys::{Key, Kind, Record, Words};
use crate::spans::{Entry, Node, Span, Value};

/// Reports what does not fit and returns what does.
pub fn check(file: &str, root: &Node, record: &Record, diagnostics: &mut Diagnostics) -> Yaml {
    let mut walk = Walk { file, diagnostics };
    let top = Span::point(root.span.line, root.span.column);
    if !matches!(root.value, Value::Mapping(_)) {
        let message = format!("{} is a mapping, found {}", record.what, found(root));
        walk.error(
            codes::WRONG_KIND,
            top,
            message,
            Some("write `key: value` lines".to_owned()),
        );
        return Yaml::Mapping(Mapping::new());
    }
    let mapping = walk.record(root, record, top);
    if record.ordered {
        walk.order(root, record);
    }
    Yaml::Mapping(mapping)
}

struct Walk<'a> {
    file: &'a str,
    diagnostics: &'a mut Diagnostics,
}

impl Walk<'_> {
    fn error(&mut self, code: &'static str, span: Span, message: String, help: Option<String>) {
        self.diagnostics
            .push(Diagnostic::new(code, self.file, span, message).help_if(help));
    }

    /// The value of a kind, or `None` when it is of another.
    fn value(&mut self, node: &Node, kind: &Kind, key: (&str, Span)) -> Option<Yaml> {
        match (kind, &node.value) {
            (Kind::Text | Kind::DocOr(_), Value::Scalar { text, .. }) if !node.is_null() => {
                Some(Yaml::String(text.clone()))
            }
            (Kind::Bool, Value::Scalar { text, plain: true }) if matches!(text.as_str(), "true" | "false") => {
                Some(Yaml::Bool(text == "true"))
            }
            (Kind::Integer, Value::Scalar { text, plain: true }) if integer(text).is_some() => {
                integer(text).map(|number| Yaml::Number(number.into()))
            }
            (Kind::Literal, Value::Scalar { text, plain: false }) => Some(Yaml::String(text.clone())),
            (Kind::Literal, Value::Scalar { text, .. }) if !node.is_null() => Some(literal(text)),
            (Kind::Word(words), Value::Scalar { text, .. }) if !node.is_null() => self.word(words, text, node.span),
            (Kind::Pair, Value::Sequence(items)) if items.len() == 2 => {
                let items: Option<Vec<Yaml>> = items
                    .iter()
                    .map(|item| self.value(item, &Kind::Integer, (key.0, item.span)))
                    .collect();
                items.map(Yaml::Sequence)
            }
            (Kind::List(item) | Kind::OneOrMore(item), Value::Sequence(items)) => Some(Yaml::Sequence(
                items
                    .iter()
                    .filter_map(|node| self.value(node, item, (key.0, node.span)))
                    .collect(),
            )),
            (Kind::OneOrMore(item), Value::Scalar { .. }) if !node.is_null() => {
                self.value(node, item, key).map(|value| Yaml::Sequence(vec![value]))
            }
            (Kind::Names(kind), Value::Mapping(entries)) => {
                let entry = |entry: &Entry| {
                    let value = self
                        .value(&entry.value, kind, (&entry.key, entry.key_span))
                        .or_else(|| placeholder(kind));
                    Some((Yaml::String(entry.key.clone()), value?))
                };
                Some(Yaml::Mapping(entries.iter().filter_map(entry).collect()))
            }
            (Kind::Record(record) | Kind::DocOr(record), Value::Mapping(_)) => {
                Some(Yaml::Mapping(self.record(node, record, key.1)))
            }
            (_, Value::Unsupported) => None,
            _ => {
                let message = format!("`{}` takes {}, found {}", key.0, wanted(kind), found(node));
                let span = if node.is_null() || matches!(node.value, Value::Mapping(_)) {
                    key.1
                } else {
                    node.span
                };
                self.error(codes::WRONG_KIND, span, message, remedy(kind));
                None
            }
        }
    }

    fn word(&mut self, words: &Words, text: &str, span: Span) -> Option<Yaml> {
        if words.words.contains(&text) {
            return Some(Yaml::String(text.to_owned()));
        }
        let help = match nearest(text, words.words.iter().copied()) {
            Some(word) => format!("did you mean `{word}`?"),
            None => format!("one of {}", listed(words.words.iter().copied())),
        };
        self.error(words.code, span, format!("unknown {} `{text}`", words.what), Some(help));
        None
    }

    fn record(&mut self, node: &Node, record: &Record, at: Span) -> Mapping {
        let mut mapping = Mapping::new();
        for (index, entry) in node.entries().iter().enumerate() {
            let Some(key) = record.keys.iter().find(|key| key.name == entry.key) else {
                let before = index.checked_sub(1).and_then(|index| node.entries().get(index));
                let help = unknown_key_help(entry, before, record);
                let message = format!("{} has no key `{}`", record.what, entry.key);
                self.error(codes::UNKNOWN_KEY, entry.key_span, message, Some(help));
                continue;
            };
            if key.name == "doc" && is_blank(&entry.value) {
                self.missing(key, record, entry.key_span);
            } else if let Some(value) = self.value(&entry.value, &key.kind, (&entry.key, entry.key_span)) {
                mapping.insert(Yaml::String(key.name.to_owned()), value);
            }
        }
        for key in record.keys {
            if key.required && node.entry(key.name).is_none() {
                self.missing(key, record, at);
            }
        }
        mapping
    }

    fn missing(&mut self, key: &Key, record: &Record, at: Span) {
        let (code, help) = match key.name {
            "doc" => (
                codes::MISSING_DOC,
                "say in one or two sentences what it is for, with unit, limit and default".into(),
            ),
            name => (codes::MISSING_KEY, format!("add `{name}: ...`")),
        };
        self.error(code, at, format!("{} needs `{}`", record.what, key.name), Some(help));
    }

    /// Top-level keys stand in the order of the format, so that files read alike.
    fn order(&mut self, root: &Node, record: &Record) {
        let position = |entry: &Entry| record.keys.iter().position(|key| key.name == entry.key);
        let known: Vec<(usize, &Entry)> = root
            .entries()
            .iter()
            .filter_map(|entry| Some((position(entry)?, entry)))
            .collect();
        for pair in known.windows(2) {
            if let [(first, before), (second, entry)] = pair
                && second < first
            {
                let message = format!("`{}` stands after `{}`", entry.key, before.key);
                let order = listed(record.keys.iter().map(|key| key.name));
                self.error(
                    codes::KEY_ORDER,
                    entry.key_span,
                    message,
                    Some(format!("the order is {order}")),
                );
            }
        }
    }
}

/// What stands in for a named value that is broken, so that its name is still known.
fn placeholder(kind: &Kind) -> Option<Yaml> {
    matches!(kind, Kind::Record(_) | Kind::DocOr(_)).then(|| Yaml::Mapping(Mapping::new()))
}

/// Says what probably happened: a comma in a sentence, lost indentation, or a slip of the pen.
fn unknown_key_help(entry: &Entry, before: Option<&Entry>, record: &Record) -> String {
    if let Some(before) = before
        && entry.value.is_null()
        && matches!(before.value.value, Value::Scalar { .. })
        && entry.key.contains([' ', '.', '`'])
    {
        return format!(
            "in `{{...}}` a comma ends a text: put the value of `{}` into quotes",
            before.key
        );
    }
    if let Some(before) = before
        && before.value.is_null()
    {
        return format!(
            "`{}` above has nothing under it: is this line indented too little?",
            before.key
        );
    }
    match nearest(&entry.key, record.keys.iter().map(|key| key.name)) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("its keys are {}", listed(record.keys.iter().map(|key| key.name))),
    }
}

/// `` `a`, `b` and `c` ``.
pub fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

fn wanted(kind: &Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Bool => "`true` or `false`",
        Kind::Integer => "a whole number",
        Kind::Pair => "two numbers",
        Kind::Literal => "text, a number or a bool",
        Kind::Word(_) => "a word",
        Kind::List(_) => "a list",
        Kind::OneOrMore(_) => "one value or a list",
        Kind::Names(_) | Kind::Record(_) => "a mapping",
        Kind::DocOr(_) => "a sentence or a mapping",
    }
}

fn found(node: &Node) -> &'static str {
    match &node.value {
        _ if node.is_null() => "nothing",
        Value::Scalar { text, plain: true } if integer(text).is_some() => "a number",
        Value::Scalar { text, plain: true } if matches!(text.as_str(), "true" | "false") => "a bool",
        Value::Scalar { .. } => "text",
        Value::Sequence(_) => "a list",
        Value::Mapping(_) => "a mapping",
        Value::Unsupported => "something else",
    }
}

fn remedy(kind: &Kind) -> Option<String> {
    let text = match kind {
        Kind::Text | Kind::Word(_) => "write a text after the colon",
        Kind::Bool => "write `true` or `false` without quotes",
        Kind::Integer => "write digits without quotes, within 64 bits",
        Kind::Pair => "write `[least, greatest]`",
        Kind::Literal => "write the value itself",
        Kind::List(_) => "write `[a, b]`",
        Kind::OneOrMore(_) => "write `a` or `[a, b]`",
        Kind::Names(_) => "write `name: ...` on lines below, indented by two more spaces",
        Kind::Record(_) => "write `{key: value, ...}`, or `key: value` on lines below, indented by two more spaces",
        Kind::DocOr(_) => "write what the value means, or `{variant: Name, doc: ...}`",
    };
    Some(text.to_owned())
}

fn is_blank(node: &Node) -> bool {
    node.is_null() || matches!(&node.value, Value::Scalar { text, .. } if text.trim().is_empty())
}

fn integer(text: &str) -> Option<i64> {
    text.parse().ok()
}

/// What a plain scalar is when anything may stand there.
fn literal(text: &str) -> Yaml {
    match text {
        "true" | "false" => Yaml::Bool(text == "true"),
        _ => match (integer(text), text.parse::<f64>()) {
            (Some(number), _) => Yaml::Number(number.into()),
            (None, Ok(number)) if number.is_finite() && text.starts_with(|c: char| c.is_ascii_digit() || c == '-') => {
                Yaml::Number(number.into())
            }
            _ => Yaml::String(text.to_owned()),
        },
    }
}
