//! Why a JSON value could not be read.

use std::fmt;

use serde_json::Value;

use crate::check::Invalid;
use crate::error::Error;
use crate::text::OneLine;

/// A part of a JSON value that is not of the expected form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonError(Box<Inner>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Inner {
    /// The way to the part, from the inside out.
    path: Vec<Step>,
    /// The rest of a sentence that begins with the path.
    rule: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Member(String),
    Item(usize),
}

/// Longest piece of a value or of a name that an error repeats, in characters.
const SNIPPET: usize = 64;

impl JsonError {
    /// A rule that the value breaks, worded as the rest of a sentence: `must be a list`.
    pub fn new(rule: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            path: Vec::new(),
            rule: rule.into(),
        }))
    }

    /// Says what was expected (`a list`) and the kind of what was found. Only numbers and booleans are repeated: text may be
    /// secret.
    pub fn expected(expected: &str, found: &Value) -> Self {
        let found = match found {
            Value::Null => "null".to_owned(),
            Value::Bool(value) => format!("`{value}`"),
            Value::Number(number) => format!("`{}`", number.to_string().chars().take(SNIPPET).collect::<String>()),
            Value::String(text) if text.is_empty() => "an empty text".to_owned(),
            Value::String(_) => "another text".to_owned(),
            Value::Array(_) => "a list".to_owned(),
            Value::Object(_) => "an object".to_owned(),
        };
        Self::new(format!("must be {expected}, it is {found}"))
    }

    /// The same inside a member.
    #[must_use]
    pub fn in_member(mut self, name: &str) -> Self {
        let mut shown: String = name.chars().take(SNIPPET).collect();
        if shown.len() < name.len() {
            shown.push_str("...");
        }
        self.0.path.push(Step::Member(shown));
        self
    }

    /// The same inside an item of a list.
    #[must_use]
    pub fn in_item(mut self, index: usize) -> Self {
        self.0.path.push(Step::Item(index));
        self
    }

    /// The way to the part, e.g. `cors_configuration.cors_rules[0].max_age_seconds`; empty for the whole value.
    pub fn path(&self) -> String {
        let mut path = String::new();
        for step in self.0.path.iter().rev() {
            match step {
                Step::Member(name) => {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(name);
                }
                Step::Item(index) => path.push_str(&format!("[{index}]")),
            }
        }
        path
    }

    /// The rule that is broken, as the rest of a sentence.
    pub fn rule(&self) -> &str {
        &self.0.rule
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path() {
            path if path.is_empty() => write!(f, "the document {}", OneLine(self.rule())),
            path => write!(f, "`{}` {}", OneLine(&path), OneLine(self.rule())),
        }
    }
}

impl std::error::Error for JsonError {}

/// For values that a caller gave.
impl From<JsonError> for Invalid {
    fn from(error: JsonError) -> Self {
        let path = error.path();
        Invalid::new(if path.is_empty() { "input".to_owned() } else { path }, error.0.rule)
    }
}

/// For answers of a service.
impl From<JsonError> for Error {
    fn from(error: JsonError) -> Self {
        Error::decode(error)
    }
}
