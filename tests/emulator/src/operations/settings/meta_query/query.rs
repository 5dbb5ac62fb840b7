//! Conditions on metadata: a field, an operation and a value, combined as one likes.

use std::cmp::Ordering;

use serde_json::Value as Json;

use super::fields::{self, Content};
use crate::error::ServiceError;
use crate::store::ObjectInfo;

const DEEPEST: usize = 20;
/// Conditions of a query, those that combine others included: each is tried on every object.
const MOST: usize = 300;

/// A condition that objects meet or not.
pub(super) enum Query {
    All(Vec<Query>),
    Any(Vec<Query>),
    None(Vec<Query>),
    Compare {
        field: String,
        value: Content,
        accepts: &'static [Ordering],
    },
    Prefix {
        field: String,
        value: String,
    },
    /// Contains a text, whatever its case.
    Match {
        field: String,
        value: String,
    },
}

impl Query {
    /// Reads a condition, which there must be.
    pub(super) fn parse(text: &str) -> Result<Self, ServiceError> {
        let json: Json = serde_json::from_str(text).map_err(|error| {
            ServiceError::invalid_argument(format!("The query is not JSON: {error}."), "Query", text)
        })?;
        let mut left = MOST;
        Self::read(&json, 0, &mut left)
    }

    /// Reads a condition of which `left` more are allowed.
    fn read(json: &Json, depth: usize, left: &mut usize) -> Result<Self, ServiceError> {
        *left = left.checked_sub(1).ok_or_else(|| {
            let why = format!("The query has more than {MOST} conditions.");
            ServiceError::invalid_argument(why, "Query", "")
        })?;
        let invalid = |why: &str| ServiceError::invalid_argument(why, "Query", &json.to_string());
        if depth > DEEPEST {
            return Err(invalid("The query is nested too deeply."));
        }
        let text = |name: &str| json.get(name).and_then(Json::as_str);
        let operation = text("Operation").ok_or_else(|| invalid("A condition has no Operation."))?;
        if let Some(parts) = json
            .get("SubQueries")
            .and_then(Json::as_array)
            .filter(|parts| !parts.is_empty())
        {
            let parts: Result<Vec<_>, _> = parts.iter().map(|part| Self::read(part, depth + 1, left)).collect();
            return match operation {
                "and" => parts.map(Self::All),
                "or" => parts.map(Self::Any),
                "not" => parts.map(Self::None),
                _ => Err(invalid("Conditions are combined by and, or and not.")),
            };
        }
        let field = text("Field")
            .ok_or_else(|| invalid("A condition has no Field."))?
            .to_owned();
        let value = text("Value").ok_or_else(|| invalid("A condition has no Value, which is a text."))?;
        fields::check(&field, "Query")?;
        let content = fields::parse(&field, value);
        let accepts: &'static [Ordering] = match operation {
            "eq" => &[Ordering::Equal],
            "gt" => &[Ordering::Greater],
            "gte" => &[Ordering::Greater, Ordering::Equal],
            "lt" => &[Ordering::Less],
            "lte" => &[Ordering::Less, Ordering::Equal],
            "prefix" | "match" => {
                let Content::Text(value) = content? else {
                    return Err(invalid("The operation is for texts only."));
                };
                return Ok(if operation == "prefix" {
                    Self::Prefix { field, value }
                } else {
                    let value = value.to_lowercase();
                    Self::Match { field, value }
                });
            }
            _ => return Err(invalid("The operation is not known.")),
        };
        Ok(Self::Compare {
            field,
            value: content?,
            accepts,
        })
    }

    /// Whether an object meets the condition.
    pub(super) fn fits(&self, object: &ObjectInfo) -> bool {
        let text = |field: &str| match fields::content(object, field) {
            Some(Content::Text(text)) => Some(text),
            _ => None,
        };
        match self {
            Self::All(parts) => parts.iter().all(|part| part.fits(object)),
            Self::Any(parts) => parts.iter().any(|part| part.fits(object)),
            Self::None(parts) => !parts.iter().any(|part| part.fits(object)),
            Self::Compare { field, value, accepts } => fields::content(object, field)
                .is_some_and(|content| accepts.contains(&fields::order(Some(&content), Some(value)))),
            Self::Prefix { field, value } => text(field).is_some_and(|text| text.starts_with(value.as_str())),
            Self::Match { field, value } => {
                text(field).is_some_and(|text| text.to_lowercase().contains(value.as_str()))
            }
        }
    }
}
