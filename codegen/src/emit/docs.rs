//! Documentation comments of emitted items, from the sentences and the limits of the model.

use proc_macro2::TokenStream;
use quote::quote;

use super::field::Role;
use crate::api::{Literal, Member, Operation, Place, Service, Type};

/// Columns of a line of documentation.
const WIDTH: usize = 96;

/// Documentation as it grows: paragraphs, lists and code.
#[derive(Debug, Default, Clone)]
pub struct Docs {
    lines: Vec<String>,
}

impl Docs {
    /// Documentation that starts with sentences of the model.
    pub fn of(text: &str) -> Self {
        let mut docs = Self::default();
        docs.paragraph(&escape(text));
        docs
    }

    /// Adds a paragraph of Markdown, wrapped.
    pub fn paragraph(&mut self, markdown: &str) {
        if markdown.trim().is_empty() {
            return;
        }
        self.separate();
        self.lines.extend(wrap(markdown, ""));
    }

    /// Adds a heading.
    pub fn heading(&mut self, text: &str) {
        self.separate();
        self.lines.push(format!("# {text}"));
    }

    /// Adds a list of Markdown items, wrapped.
    pub fn list(&mut self, items: impl IntoIterator<Item = String>) {
        self.separate();
        for item in items {
            self.lines.extend(wrap(&format!("- {item}"), "  "));
        }
    }

    /// Adds a fenced block.
    pub fn code(&mut self, language: &str, lines: impl IntoIterator<Item = String>) {
        self.separate();
        self.lines.push(format!("```{language}"));
        self.lines.extend(lines);
        self.lines.push("```".to_owned());
    }

    fn separate(&mut self) {
        if !self.lines.is_empty() {
            self.lines.push(String::new());
        }
    }

    /// The attributes of an item.
    pub fn tokens(&self) -> TokenStream {
        let lines = self.lines.iter().map(|line| {
            if line.is_empty() {
                String::new()
            } else {
                format!(" {line}")
            }
        });
        quote!(#(#[doc = #lines])*)
    }

    /// The attributes of a file or a module, inside of it.
    pub fn inner_tokens(&self) -> TokenStream {
        let lines = self.lines.iter().map(|line| {
            if line.is_empty() {
                String::new()
            } else {
                format!(" {line}")
            }
        });
        quote!(#(#![doc = #lines])*)
    }
}

/// Documentation of a field: what the model says, and the limits that its sentences do not mention.
pub fn member(member: &Member, role: Role<'_>) -> Docs {
    let mut text = escape(&member.doc);
    for sentence in limits(member, role) {
        text.push(' ');
        text.push_str(&sentence);
    }
    let mut docs = Docs::default();
    docs.paragraph(&text);
    docs
}

fn limits(member: &Member, role: Role<'_>) -> Vec<String> {
    let mut sentences = Vec::new();
    let says = |number: &str| {
        member
            .doc
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
            .any(|word| word == number)
    };
    if let Some((least, most)) = member.range
        && !(says(&least.to_string()) && says(&most.to_string()))
    {
        sentences.push(match (least, most) {
            (least, i64::MAX) => format!("At least {least}."),
            (i64::MIN, most) => format!("At most {most}."),
            (least, most) => format!("From {least} to {most}."),
        });
    }
    if let Some((least, most)) = member.length
        && !says(&most.to_string())
    {
        sentences.push(match (least, most) {
            (0, most) => format!("At most {most} bytes."),
            (least, u64::MAX) => format!("At least {least} bytes."),
            (least, most) if least == most => format!("Exactly {least} bytes."),
            (least, most) => format!("From {least} to {most} bytes."),
        });
    }
    if let Some(most) = member.max_items
        && !says(&most.to_string())
    {
        sentences.push(format!("At most {most} items."));
    }
    if let Some(default) = &member.default
        && !is_natural(default)
        && !member.doc.to_ascii_lowercase().contains("default")
    {
        let value = match default {
            Literal::String(text) => format!("`{text}`"),
            Literal::Integer(number) => number.to_string(),
            Literal::Float(number) => number.to_string(),
            Literal::Bool(value) => format!("`{value}`"),
        };
        sentences.push(match role {
            Role::Request => format!("Default: {value}."),
            Role::Shape(shape) if !shape.output || shape.input => format!("Default: {value}."),
            _ => format!("{value} when the answer has none."),
        });
    }
    let is_input = match role {
        Role::Request => !matches!(member.place, Place::Bucket | Place::Key),
        Role::Result => false,
        Role::Shape(shape) => shape.input,
    };
    if is_input
        && member.required
        && !matches!(member.ty, Type::Stream)
        && !member.doc.to_ascii_lowercase().contains("required")
    {
        sentences.push("Required.".to_owned());
    }
    if let Some(version) = &member.since {
        sentences.push(format!("Since {version}."));
    }
    sentences
}

/// Whether a default says no more than the absence of a value does.
fn is_natural(default: &Literal) -> bool {
    match default {
        Literal::String(text) => text.is_empty(),
        Literal::Integer(number) => *number == 0,
        Literal::Float(number) => *number == 0.0,
        Literal::Bool(_) => false,
    }
}

/// The attribute of something deprecated.
pub fn deprecation(deprecated: Option<&str>) -> Option<TokenStream> {
    deprecated.map(|note| quote!(#[deprecated(note = #note)]))
}

/// Documentation of an operation's client method: sentences, reference, errors and an example.
pub fn operation(service: &Service, operation: &Operation, example: Vec<String>) -> Docs {
    let mut docs = Docs::of(&operation.doc);
    if let Some(version) = &operation.since {
        docs.paragraph(&format!("Since {version}."));
    }
    if let Some(url) = &operation.reference {
        docs.paragraph(&format!("[API reference]({url})"));
    }
    if !operation.errors.is_empty() {
        docs.heading("Errors");
        docs.list(
            operation
                .errors
                .iter()
                .map(|code| match service.errors.iter().find(|known| known.code == *code) {
                    Some(known) => {
                        format!("`{code}` (status {}): {}", known.status, escape(&known.doc))
                    }
                    None => format!("`{code}`"),
                }),
        );
    }
    if !example.is_empty() {
        docs.heading("Examples");
        docs.code("no_run", example);
    }
    docs
}

/// Sentences of the model as Markdown: everything outside code spans is literal, except that addresses become links.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for (index, part) in text.split('`').enumerate() {
        if index > 0 {
            out.push('`');
        }
        if index % 2 == 1 {
            out.push_str(part);
            continue;
        }
        let mut rest = part;
        while let Some(at) = rest.find("http://").or_else(|| rest.find("https://")) {
            out.push_str(&escape_plain(&rest[..at]));
            let end = rest[at..]
                .find(|c: char| c.is_whitespace() || c == ')')
                .map_or(rest.len(), |end| at + end);
            let address = rest[at..end].trim_end_matches(['.', ',', ';', ':']);
            out.push_str(&format!("<{address}>"));
            rest = &rest[at + address.len()..];
        }
        out.push_str(&escape_plain(rest));
    }
    out
}

fn escape_plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '[' | ']' | '<' | '>' | '*' | '_' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Breaks text into lines at blanks outside code spans; lines after the first start with `indent`.
fn wrap(text: &str, indent: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut in_code = false;
    let mut word = String::new();
    let mut flush = |word: &mut String, line: &mut String| {
        if line.trim().is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= WIDTH {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(std::mem::take(line));
            line.push_str(indent);
            line.push_str(word);
        }
        word.clear();
    };
    for c in text.chars() {
        if c.is_whitespace() && !in_code {
            if !word.is_empty() {
                flush(&mut word, &mut line);
            }
            continue;
        }
        if c == '`' {
            in_code = !in_code;
        }
        word.push(c);
    }
    if !word.is_empty() {
        flush(&mut word, &mut line);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_wrapped_and_code_spans_stay_whole() {
        let text = format!("{} `a code span with blanks` end.", "word ".repeat(18));
        let lines = wrap(&text, "");
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[1].starts_with("`a code span with blanks`"), "{lines:?}");
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH));
    }

    #[test]
    fn text_is_literal_outside_code() {
        assert_eq!(escape("A <b> [x] `Vec<T>`."), r"A \<b\> \[x\] `Vec<T>`.");
        assert_eq!(escape("See https://example.com/a_b."), "See <https://example.com/a_b>.");
    }

    #[test]
    fn an_unclosed_code_span_loses_nothing() {
        assert_eq!(wrap("a `b c", ""), ["a `b c"]);
    }
}
