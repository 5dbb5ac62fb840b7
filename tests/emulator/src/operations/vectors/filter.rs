//! Filters over the metadata of vectors, as JSON objects with operators.

use std::cmp::Ordering;

use serde_json::{Map, Value};

const MAX_BYTES: usize = 64 * 1024;
const MAX_DEPTH: usize = 8;
const MAX_CONDITIONS: usize = 1024;

/// A condition on metadata.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Filter {
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Field(String, Test),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    Equals(Value),
    Differs(Value),
    In(Vec<Value>),
    NotIn(Vec<Value>),
    Exists(bool),
    Compares(Comparison, f64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Greater,
    AtLeast,
    Less,
    AtMost,
}

impl Filter {
    /// Reads a filter; keys that the index keeps out of filters are refused.
    pub(super) fn parse(filter: &Value, forbidden: &[String]) -> Result<Self, String> {
        if filter.to_string().len() > MAX_BYTES {
            return Err(format!("the filter is larger than {MAX_BYTES} bytes"));
        }
        let filter = parse(filter, forbidden, 1)?;
        if filter.conditions() > MAX_CONDITIONS {
            return Err(format!("the filter has more than {MAX_CONDITIONS} conditions"));
        }
        Ok(filter)
    }

    fn conditions(&self) -> usize {
        match self {
            Filter::All(filters) | Filter::Any(filters) => filters.iter().map(Filter::conditions).sum(),
            Filter::Field(..) => 1,
        }
    }

    /// Whether metadata fulfils the condition.
    pub(super) fn matches(&self, metadata: &Map<String, Value>) -> bool {
        match self {
            Filter::All(filters) => filters.iter().all(|filter| filter.matches(metadata)),
            Filter::Any(filters) => filters.iter().any(|filter| filter.matches(metadata)),
            Filter::Field(key, test) => test.matches(metadata.get(key)),
        }
    }
}

impl Test {
    fn matches(&self, value: Option<&Value>) -> bool {
        match self {
            Test::Exists(wanted) => value.is_some() == *wanted,
            Test::Equals(wanted) => value.is_some_and(|value| holds(value, wanted)),
            Test::Differs(wanted) => !value.is_some_and(|value| holds(value, wanted)),
            Test::In(wanted) => value.is_some_and(|value| wanted.iter().any(|wanted| holds(value, wanted))),
            Test::NotIn(wanted) => !value.is_some_and(|value| wanted.iter().any(|wanted| holds(value, wanted))),
            Test::Compares(comparison, limit) => {
                let order = value
                    .and_then(Value::as_f64)
                    .and_then(|number| number.partial_cmp(limit));
                match comparison {
                    Comparison::Greater => order == Some(Ordering::Greater),
                    Comparison::AtLeast => {
                        matches!(order, Some(Ordering::Greater | Ordering::Equal))
                    }
                    Comparison::Less => order == Some(Ordering::Less),
                    Comparison::AtMost => matches!(order, Some(Ordering::Less | Ordering::Equal)),
                }
            }
        }
    }
}

/// Equal, or a list with an equal item. Numbers are equal by value, whatever their notation.
fn holds(value: &Value, wanted: &Value) -> bool {
    let same = |value: &Value| match (value.as_f64(), wanted.as_f64()) {
        (Some(a), Some(b)) => a == b,
        _ => value == wanted,
    };
    match value {
        Value::Array(items) if !wanted.is_array() => items.iter().any(same),
        value => same(value),
    }
}

fn parse(filter: &Value, forbidden: &[String], depth: usize) -> Result<Filter, String> {
    if depth > MAX_DEPTH {
        return Err(format!("the filter is deeper than {MAX_DEPTH} levels"));
    }
    let object = filter.as_object().ok_or("a filter is not an object")?;
    let mut parts = Vec::new();
    for (key, value) in object {
        match key.as_str() {
            "$and" | "$or" => {
                let items = value
                    .as_array()
                    .filter(|items| !items.is_empty())
                    .ok_or_else(|| format!("{key} needs a list of filters"))?;
                let inner = items
                    .iter()
                    .map(|item| parse(item, forbidden, depth + 1))
                    .collect::<Result<Vec<_>, _>>()?;
                parts.push(if key == "$and" {
                    Filter::All(inner)
                } else {
                    Filter::Any(inner)
                });
            }
            operator if operator.starts_with('$') => {
                return Err(format!("the operator {operator} is not known"));
            }
            field if forbidden.iter().any(|name| name == field) => {
                return Err(format!("the metadata {field} cannot be used in filters"));
            }
            field => parts.extend(
                tests(value)?
                    .into_iter()
                    .map(|test| Filter::Field(field.to_owned(), test)),
            ),
        }
    }
    match parts.len() {
        0 => Err("a filter is empty".to_owned()),
        1 => Ok(parts.remove(0)),
        _ => Ok(Filter::All(parts)),
    }
}

fn tests(value: &Value) -> Result<Vec<Test>, String> {
    let Value::Object(operators) = value else {
        return Ok(vec![Test::Equals(scalar("$eq", value)?)]);
    };
    if operators.is_empty() {
        return Err("a condition is empty".to_owned());
    }
    operators
        .iter()
        .map(|(operator, operand)| test(operator, operand))
        .collect()
}

fn test(operator: &str, operand: &Value) -> Result<Test, String> {
    let number = || operand.as_f64().ok_or_else(|| format!("{operator} needs a number"));
    let list = || {
        let items = operand
            .as_array()
            .filter(|items| !items.is_empty())
            .ok_or_else(|| format!("{operator} needs a list"))?;
        items
            .iter()
            .map(|item| scalar(operator, item))
            .collect::<Result<Vec<_>, String>>()
    };
    match operator {
        "$eq" => Ok(Test::Equals(scalar(operator, operand)?)),
        "$ne" => Ok(Test::Differs(scalar(operator, operand)?)),
        "$in" => Ok(Test::In(list()?)),
        "$nin" => Ok(Test::NotIn(list()?)),
        "$exists" => operand
            .as_bool()
            .map(Test::Exists)
            .ok_or_else(|| "$exists needs true or false".to_owned()),
        "$gt" => Ok(Test::Compares(Comparison::Greater, number()?)),
        "$gte" => Ok(Test::Compares(Comparison::AtLeast, number()?)),
        "$lt" => Ok(Test::Compares(Comparison::Less, number()?)),
        "$lte" => Ok(Test::Compares(Comparison::AtMost, number()?)),
        other => Err(format!("the operator {other} is not known")),
    }
}

fn scalar(operator: &str, value: &Value) -> Result<Value, String> {
    match value {
        Value::String(_) | Value::Number(_) | Value::Bool(_) => Ok(value.clone()),
        _ => Err(format!("{operator} needs text, a number, or true or false")),
    }
}

#[cfg(test)]
mod tests_of_filters {
    use serde_json::json;

    use super::*;

    #[test]
    fn conditions_select_by_metadata() {
        let metadata = json!({"genre": "drama", "year": 2020, "tags": ["a", "b"], "seen": true});
        let Value::Object(metadata) = metadata else {
            unreachable!()
        };
        for (filter, expected) in [
            (json!({"genre": "drama"}), true),
            (json!({"genre": {"$eq": "comedy"}}), false),
            (json!({"genre": {"$ne": "comedy"}}), true),
            (json!({"missing": {"$ne": "x"}}), true),
            (json!({"genre": {"$in": ["comedy", "drama"]}}), true),
            (json!({"genre": {"$nin": ["comedy", "drama"]}}), false),
            (json!({"tags": "b"}), true),
            (json!({"tags": {"$in": ["c"]}}), false),
            (json!({"year": {"$gte": 2020, "$lt": 2021}}), true),
            (json!({"year": {"$gt": 2020}}), false),
            (json!({"year": {"$lte": 2019}}), false),
            (json!({"year": 2020.0}), true),
            (json!({"seen": true, "genre": "drama"}), true),
            (json!({"missing": {"$exists": false}}), true),
            (json!({"year": {"$exists": true}}), true),
            (json!({"$or": [{"genre": "comedy"}, {"year": 2020}]}), true),
            (
                json!({"$and": [{"genre": "drama"}, {"$or": [{"year": 1}, {"seen": false}]}]}),
                false,
            ),
        ] {
            assert_eq!(
                Filter::parse(&filter, &[]).unwrap().matches(&metadata),
                expected,
                "{filter}"
            );
        }
    }

    #[test]
    fn broken_filters_are_refused() {
        let deep = (0..9).fold(json!({"a": 1}), |inner, _| json!({"$and": [inner]}));
        for filter in [
            json!(null),
            json!([]),
            json!({}),
            json!({"$not": []}),
            json!({"$and": []}),
            json!({"$or": {}}),
            json!({"a": {}}),
            json!({"a": {"$like": "x"}}),
            json!({"a": {"$in": "x"}}),
            json!({"a": {"$gt": "x"}}),
            json!({"a": null}),
            json!({"secret": 1}),
            json!({"a": "x".repeat(70_000)}),
            json!({"$or": vec![json!({"a": 1}); 1025]}),
            deep,
        ] {
            assert!(Filter::parse(&filter, &["secret".to_owned()]).is_err());
        }
    }
}
