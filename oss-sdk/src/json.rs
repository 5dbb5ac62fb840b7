//! JSON documents: one pair of traits for the wire of JSON services and for `dynamic`, which calls operations by name.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::Value;

use crate::text::{FromText, ToText};
use crate::time::Timestamp;

mod error;
mod object;
mod parse;

pub use error::JsonError;
#[cfg(feature = "dynamic")]
pub(crate) use object::differences;
pub use object::{JsonObject, JsonReader};
pub(crate) use parse::parse;

/// Which names the members of an object have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// Those of the service: `indexName`. Unknown ones are ignored, and numbers may be written as text.
    Wire,
    /// Those of the models: `index_name`. Unknown ones are mistakes of the caller.
    Model,
}

/// Writes a value as JSON.
pub trait ToJson {
    /// The value.
    fn to_json(&self, names: Names) -> Value;

    /// Whether the member that holds the value is left out.
    fn is_absent(&self, _names: Names) -> bool {
        false
    }
}

/// Reads a value from JSON.
pub trait FromJson: Sized {
    /// Reads the value.
    ///
    /// # Errors
    ///
    /// Says which part of the value is not of the expected form, and why.
    fn from_json(value: Value, names: Names) -> Result<Self, JsonError>;
}

impl<T: ToJson> ToJson for Option<T> {
    fn to_json(&self, names: Names) -> Value {
        self.as_ref().map_or(Value::Null, |value| value.to_json(names))
    }

    fn is_absent(&self, names: Names) -> bool {
        self.as_ref().is_none_or(|value| value.is_absent(names))
    }
}

/// `null` is no value.
impl<T: FromJson> FromJson for Option<T> {
    fn from_json(value: Value, names: Names) -> Result<Self, JsonError> {
        if value.is_null() {
            Ok(None)
        } else {
            T::from_json(value, names).map(Some)
        }
    }
}

impl<T: ToJson + ?Sized> ToJson for Box<T> {
    fn to_json(&self, names: Names) -> Value {
        (**self).to_json(names)
    }

    fn is_absent(&self, names: Names) -> bool {
        (**self).is_absent(names)
    }
}

impl<T: FromJson> FromJson for Box<T> {
    fn from_json(value: Value, names: Names) -> Result<Self, JsonError> {
        T::from_json(value, names).map(Box::new)
    }
}

/// An empty list is an absent one on the wire.
impl<T: ToJson> ToJson for Vec<T> {
    fn to_json(&self, names: Names) -> Value {
        self.iter().map(|item| item.to_json(names)).collect()
    }

    fn is_absent(&self, names: Names) -> bool {
        names == Names::Wire && self.is_empty()
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn from_json(value: Value, names: Names) -> Result<Self, JsonError> {
        match value {
            Value::Array(items) => items
                .into_iter()
                .enumerate()
                .map(|(index, item)| T::from_json(item, names).map_err(|error| error.in_item(index)))
                .collect(),
            other => Err(JsonError::expected("a list", &other)),
        }
    }
}

/// An empty map is an absent one on the wire.
impl<T: ToJson> ToJson for BTreeMap<String, T> {
    fn to_json(&self, names: Names) -> Value {
        self.iter()
            .map(|(key, value)| (key.clone(), value.to_json(names)))
            .collect()
    }

    fn is_absent(&self, names: Names) -> bool {
        names == Names::Wire && self.is_empty()
    }
}

impl<T: FromJson> FromJson for BTreeMap<String, T> {
    fn from_json(value: Value, names: Names) -> Result<Self, JsonError> {
        match value {
            Value::Object(object) => object
                .into_iter()
                .map(|(key, value)| match T::from_json(value, names) {
                    Ok(value) => Ok((key, value)),
                    Err(error) => Err(error.in_member(&key)),
                })
                .collect(),
            other => Err(JsonError::expected("an object", &other)),
        }
    }
}

impl ToJson for Value {
    fn to_json(&self, _names: Names) -> Value {
        self.clone()
    }
}

impl FromJson for Value {
    fn from_json(value: Value, _names: Names) -> Result<Self, JsonError> {
        Ok(value)
    }
}

impl ToJson for str {
    fn to_json(&self, _names: Names) -> Value {
        Value::from(self)
    }
}

impl ToJson for String {
    fn to_json(&self, _names: Names) -> Value {
        Value::from(self.as_str())
    }
}

impl FromJson for String {
    fn from_json(value: Value, names: Names) -> Result<Self, JsonError> {
        match value {
            Value::String(text) => Ok(text),
            Value::Number(number) if names == Names::Wire => Ok(number.to_string()),
            other => Err(JsonError::expected("a text", &other)),
        }
    }
}

impl ToJson for bool {
    fn to_json(&self, _names: Names) -> Value {
        Value::Bool(*self)
    }
}

impl FromJson for bool {
    fn from_json(value: Value, names: Names) -> Result<Self, JsonError> {
        match value {
            Value::Bool(value) => Ok(value),
            Value::String(text) if names == Names::Wire => from_text("`true` or `false`", &text),
            other => Err(JsonError::expected("`true` or `false`", &other)),
        }
    }
}

macro_rules! numbers {
    ($expected:literal, $as:ident, $($type:ty),+) => {$(
        impl FromJson for $type {
            fn from_json(value: Value, names: Names) -> Result<Self, JsonError> {
                let number = match &value {
                    Value::Number(number) => number.$as().and_then(|number| narrowed(number)),
                    Value::String(text) if names == Names::Wire => Self::from_text(text).ok(),
                    _ => None,
                };
                number.ok_or_else(|| JsonError::expected($expected, &value))
            }
        }
    )+};
}

numbers!("an integer", as_i64, i64, i32);
numbers!("an integer of at least 0", as_u64, u64, u32);
numbers!("a number", as_f64, f64);

fn narrowed<A, B: TryFrom<A>>(number: A) -> Option<B> {
    B::try_from(number).ok()
}

impl FromJson for f32 {
    fn from_json(value: Value, names: Names) -> Result<Self, JsonError> {
        f64::from_json(value, names).map(|number| number as f32)
    }
}

macro_rules! numbers_to_json {
    ($($type:ty),+) => {$(
        impl ToJson for $type {
            fn to_json(&self, _names: Names) -> Value {
                Value::from(*self)
            }
        }
    )+};
}

numbers_to_json!(i64, i32, u64, u32, f64);

/// Written with as many digits as the type has, not with those of its widening.
impl ToJson for f32 {
    fn to_json(&self, _names: Names) -> Value {
        Value::from(self.to_string().parse().unwrap_or(f64::from(*self)))
    }
}

/// RFC 3339.
impl ToJson for Timestamp {
    fn to_json(&self, names: Names) -> Value {
        match names {
            Names::Wire => Value::from(self.to_iso8601()),
            Names::Model => Value::from(self.to_string()),
        }
    }
}

/// RFC 3339; on the wire also an HTTP date or seconds since 1970.
impl FromJson for Timestamp {
    fn from_json(value: Value, names: Names) -> Result<Self, JsonError> {
        const EXPECTED: &str = "a time like `2023-12-17T03:30:09Z`";
        match (&value, names) {
            (Value::String(text), Names::Model) => Timestamp::parse_iso8601(text).ok(),
            (Value::String(text), Names::Wire) => Timestamp::from_text(text).ok(),
            (Value::Number(number), Names::Wire) => number.as_i64().and_then(Timestamp::from_unix),
            _ => None,
        }
        .ok_or_else(|| JsonError::expected(EXPECTED, &value))
    }
}

/// Base64.
impl ToJson for Bytes {
    fn to_json(&self, _names: Names) -> Value {
        Value::from(self.to_text().into_owned())
    }
}

impl FromJson for Bytes {
    fn from_json(value: Value, _names: Names) -> Result<Self, JsonError> {
        match &value {
            Value::String(text) => from_text("base64", text),
            other => Err(JsonError::expected("base64", other)),
        }
    }
}

fn from_text<T: FromText>(expected: &'static str, text: &str) -> Result<T, JsonError> {
    T::from_text(text).map_err(|_| JsonError::expected(expected, &Value::from(text)))
}

#[cfg(test)]
mod tests;
