//! Objects, member by member, as generated code writes and reads them.

use serde_json::{Map, Value};

use super::{FromJson, JsonError, Names, ToJson};
use crate::text::{TextError, WireText};

/// Writes an object.
#[derive(Debug)]
pub struct JsonObject {
    names: Names,
    members: Map<String, Value>,
}

impl JsonObject {
    /// An object without members.
    pub fn new(names: Names) -> Self {
        Self {
            names,
            members: Map::new(),
        }
    }

    /// Writes a member, unless its value is absent.
    pub fn set(&mut self, model: &str, wire: &str, value: &(impl ToJson + ?Sized)) {
        if !value.is_absent(self.names) {
            self.members
                .insert(self.name(model, wire).to_owned(), value.to_json(self.names));
        }
    }

    /// Writes a map whose entries are members of the object itself; with the names of the models it is a member.
    pub fn set_rest<T: ToJson>(&mut self, model: &str, entries: &std::collections::BTreeMap<String, T>) {
        match self.names {
            Names::Model => self.set(model, model, entries),
            Names::Wire => {
                let entries = entries
                    .iter()
                    .map(|(name, value)| (name.clone(), value.to_json(Names::Wire)));
                self.members.extend(entries);
            }
        }
    }

    /// Writes a payload that is text, as `{"$text": "..."}`.
    pub fn set_text(&mut self, model: &str, value: Option<&str>) {
        if let Some(text) = value {
            self.members
                .insert(model.to_owned(), serde_json::json!({ "$text": text }));
        }
    }

    fn name<'a>(&self, model: &'a str, wire: &'a str) -> &'a str {
        match self.names {
            Names::Wire => wire,
            Names::Model => model,
        }
    }
}

impl From<JsonObject> for Value {
    fn from(object: JsonObject) -> Self {
        Value::Object(object.members)
    }
}

/// Reads an object.
#[derive(Debug)]
pub struct JsonReader {
    names: Names,
    members: Map<String, Value>,
    /// Names that were asked for, to suggest one for an unknown name.
    known: Vec<String>,
}

impl JsonReader {
    /// Begins to read.
    ///
    /// # Errors
    ///
    /// When the value is no object.
    pub fn new(value: Value, names: Names) -> Result<Self, JsonError> {
        match value {
            Value::Object(members) => Ok(Self {
                names,
                members,
                known: Vec::new(),
            }),
            other => Err(JsonError::expected("an object", &other)),
        }
    }

    /// Takes a member out; `None` when it is absent or `null`.
    ///
    /// # Errors
    ///
    /// When its value is not of the expected form.
    pub fn take<T: FromJson>(&mut self, model: &str, wire: &str) -> Result<Option<T>, JsonError> {
        let name = self.name(model, wire);
        match self.members.remove(name) {
            None | Some(Value::Null) => Ok(None),
            // Where XML would have an empty element, the service writes an empty text, also for a structure.
            Some(Value::String(text)) if text.is_empty() && self.names == Names::Wire => {
                Ok(T::from_json(Value::String(text), self.names).ok())
            }
            Some(value) => T::from_json(value, self.names)
                .map(Some)
                .map_err(|error| error.in_member(name)),
        }
    }

    /// Takes a member out as [`take`](Self::take) does, whose texts have another form on the wire, from which `read`
    /// reads them.
    ///
    /// # Errors
    ///
    /// As `take`, and when `read` refuses a text.
    pub fn take_texts<T: FromJson + WireText>(
        &mut self,
        model: &str,
        wire: &str,
        read: impl Fn(&str) -> Result<String, TextError>,
    ) -> Result<Option<T>, JsonError> {
        let value: Option<T> = self.take(model, wire)?;
        match self.names {
            Names::Model => Ok(value),
            Names::Wire => value
                .read_texts(read)
                .map_err(|error| JsonError::new(format!("must be {}", error.expected())).in_member(wire)),
        }
    }

    /// Takes a member out as [`take_texts`](Self::take_texts) does, which must be there.
    ///
    /// # Errors
    ///
    /// As `take_texts`, and when it is absent or `null`.
    pub fn required_texts<T: FromJson + WireText>(
        &mut self,
        model: &str,
        wire: &str,
        read: impl Fn(&str) -> Result<String, TextError>,
    ) -> Result<T, JsonError> {
        let name = if self.names == Names::Wire { wire } else { model };
        self.take_texts(model, wire, read)?
            .ok_or_else(|| JsonError::new("is required").in_member(name))
    }

    /// Takes out the members that nobody asked for; with the names of the models, the member that holds them.
    ///
    /// # Errors
    ///
    /// When one of them is not of the expected form.
    pub fn take_rest<T: FromJson>(&mut self, model: &str) -> Result<std::collections::BTreeMap<String, T>, JsonError> {
        match self.names {
            Names::Model => Ok(self.take(model, model)?.unwrap_or_default()),
            Names::Wire => {
                let names = self.names;
                let left = std::mem::take(&mut self.members).into_iter();
                left.map(|(name, value)| match T::from_json(value, names) {
                    Ok(value) => Ok((name, value)),
                    Err(error) => Err(error.in_member(&name)),
                })
                .collect()
            }
        }
    }

    /// Takes a payload out that is text: a string, or one of the forms `{"$text": "..."}`, `{"$base64": "..."}` and
    /// `{"$file": "path"}`.
    ///
    /// # Errors
    ///
    /// When it has another form, the file cannot be read, or what it stands for is not UTF-8.
    pub fn take_text(&mut self, model: &str) -> Result<Option<String>, JsonError> {
        let Some(body) = self.take::<crate::Body>(model, model)? else {
            return Ok(None);
        };
        let bytes = match body.file_path() {
            Some(path) => std::fs::read(path).map_err(|error| {
                JsonError::new(format!("cannot be read: {error}"))
                    .in_member("$file")
                    .in_member(model)
            })?,
            None => body.as_bytes().map(|bytes| bytes.to_vec()).unwrap_or_default(),
        };
        String::from_utf8(bytes)
            .map(Some)
            .map_err(|_| JsonError::new("must be UTF-8").in_member(model))
    }

    /// Takes a payload out as [`take_text`](Self::take_text) does, which must be there.
    ///
    /// # Errors
    ///
    /// As `take_text`, and when it is absent or `null`.
    pub fn required_text(&mut self, model: &str) -> Result<String, JsonError> {
        self.take_text(model)?
            .ok_or_else(|| JsonError::new("is required").in_member(model))
    }

    /// Takes a member out that must be there.
    ///
    /// # Errors
    ///
    /// When it is absent, `null`, or not of the expected form.
    pub fn required<T: FromJson>(&mut self, model: &str, wire: &str) -> Result<T, JsonError> {
        let name = if self.names == Names::Wire { wire } else { model };
        self.take(model, wire)?
            .ok_or_else(|| JsonError::new("is required").in_member(name))
    }

    /// Ends the reading.
    ///
    /// # Errors
    ///
    /// With model names, when there is a member that nobody asked for; the most similar name is suggested.
    pub fn finish(self) -> Result<(), JsonError> {
        match self.members.keys().next() {
            Some(name) if self.names == Names::Model => {
                let mut rule = "is not known".to_owned();
                if let Some(similar) = most_similar(name, &self.known) {
                    rule.push_str(&format!("; there is `{similar}`"));
                }
                Err(JsonError::new(rule).in_member(name))
            }
            _ => Ok(()),
        }
    }

    fn name<'a>(&mut self, model: &'a str, wire: &'a str) -> &'a str {
        match self.names {
            Names::Wire => wire,
            Names::Model => {
                self.known.push(model.to_owned());
                model
            }
        }
    }
}

/// The name with the fewest differences, if there are few.
fn most_similar<'a>(name: &str, known: &'a [String]) -> Option<&'a str> {
    // A name of a caller can be of any length, and the comparison takes the product of both lengths.
    if name.len() > 100 {
        return None;
    }
    let (distance, best) = known.iter().map(|known| (differences(name, known), known)).min()?;
    (distance <= 2.max(best.len() / 3)).then_some(best)
}

/// Characters to add, remove or replace to make one text of the other.
pub(crate) fn differences(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
