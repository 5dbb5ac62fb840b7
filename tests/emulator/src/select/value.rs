//! Values while a query runs: what conditions compare and aggregates add up.

use std::cmp::Ordering;

use serde_json::Value as Json;

use super::like::Steps;
use super::sql::{Comparison, Expr, Kind, Operator, Step};
use crate::time;

/// Longest text that is read as a number.
const MAX_DIGITS: usize = 1024;
/// Longest text that `||` makes.
const MAX_JOINED: usize = 1024 * 1024;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Text(String),
    Integer(i64),
    Double(f64),
    Bool(bool),
    /// Seconds since 1970.
    Time(i64),
    /// An object or a list of JSON.
    Json(Json),
}

/// Why a row does not fit the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unfit;

/// Where the columns of a row are found.
pub(super) trait Row {
    /// The value of a column; nothing when the row has no such column.
    fn column(&self, path: &[Step]) -> Option<Value>;

    /// Whether a column is null; nothing when the row has no such column.
    fn is_null(&self, path: &[Step]) -> Option<bool>;

    /// Which column of the row has a name; nothing for rows without places.
    fn place(&self, _name: &str) -> Option<usize> {
        None
    }
}

/// How rows that lack a column are seen.
#[derive(Clone, Copy)]
pub(super) struct Context<'r> {
    pub(super) row: &'r dyn Row,
    pub(super) skip_partial: bool,
    pub(super) steps: &'r Steps,
}

impl Context<'_> {
    /// The value of an expression, at the expense of the row.
    pub(super) fn value(&self, expr: &Expr) -> Result<Value, Unfit> {
        let value = self.find(expr)?;
        self.steps.take(value.cost())?;
        Ok(value)
    }

    fn find(&self, expr: &Expr) -> Result<Value, Unfit> {
        match expr {
            Expr::Column(path) => match self.row.column(path) {
                Some(value) => Ok(value),
                None if self.skip_partial => Err(Unfit),
                None => Ok(Value::Null),
            },
            Expr::Text(text) => Ok(Value::Text(text.clone())),
            Expr::Integer(number) => Ok(Value::Integer(*number)),
            Expr::Double(number) => Ok(Value::Double(*number)),
            Expr::Bool(flag) => Ok(Value::Bool(*flag)),
            Expr::Null => Ok(Value::Null),
            Expr::Arithmetic(operator, left, right) => arithmetic(*operator, &self.value(left)?, &self.value(right)?),
            Expr::Cast(inner, kind) => cast(self.value(inner)?, *kind),
            condition => Ok(self.holds(condition)?.map_or(Value::Null, Value::Bool)),
        }
    }

    /// Whether a condition holds; nothing when nobody knows, because something is null.
    pub(super) fn holds(&self, expr: &Expr) -> Result<Option<bool>, Unfit> {
        Ok(match expr {
            Expr::And(left, right) => match (self.holds(left)?, self.holds(right)?) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            Expr::Or(left, right) => match (self.holds(left)?, self.holds(right)?) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
            Expr::Not(inner) => self.holds(inner)?.map(|holds| !holds),
            Expr::Compare(comparison, left, right) => {
                let order = compare(&self.value(left)?, &self.value(right)?)?;
                order.map(|order| match comparison {
                    Comparison::Equal => order == Ordering::Equal,
                    Comparison::NotEqual => order != Ordering::Equal,
                    Comparison::Less => order == Ordering::Less,
                    Comparison::LessOrEqual => order != Ordering::Greater,
                    Comparison::Greater => order == Ordering::Greater,
                    Comparison::GreaterOrEqual => order != Ordering::Less,
                })
            }
            Expr::Between(value, least, most) => {
                let value = self.value(value)?;
                let (least, most) = (
                    compare(&value, &self.value(least)?)?,
                    compare(&value, &self.value(most)?)?,
                );
                least
                    .zip(most)
                    .map(|(least, most)| least != Ordering::Less && most != Ordering::Greater)
            }
            Expr::In(value, list) => {
                let value = self.value(value)?;
                if value == Value::Null {
                    return Ok(None);
                }
                let mut found = false;
                for item in list {
                    found |= compare(&value, &self.value(item)?)? == Some(Ordering::Equal);
                }
                Some(found)
            }
            Expr::Like(value, pattern) => match self.value(value)? {
                Value::Null => None,
                Value::Text(text) => Some(pattern.matches(&text, self.steps)?),
                value => Some(pattern.matches(&value.to_string(), self.steps)?),
            },
            Expr::IsNull(inner) => Some(match inner.as_ref() {
                Expr::Column(path) => match self.row.is_null(path) {
                    None if self.skip_partial => return Err(Unfit),
                    found => found.unwrap_or(true),
                },
                inner => self.value(inner)? == Value::Null,
            }),
            value => match self.value(value)? {
                Value::Bool(flag) => Some(flag),
                Value::Null => None,
                _ => return Err(Unfit),
            },
        })
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Null => Ok(()),
            Value::Text(text) => f.write_str(text),
            Value::Integer(number) => write!(f, "{number}"),
            Value::Double(number) => write!(f, "{number}"),
            Value::Bool(flag) => write!(f, "{flag}"),
            Value::Time(seconds) => match time::from_unix(*seconds) {
                Some(at) => f.write_str(&time::iso8601(at)),
                None => Ok(()),
            },
            Value::Json(json) => write!(f, "{json}"),
        }
    }
}

impl Value {
    pub(super) fn of_json(json: &Json, numbers_as_text: bool) -> Self {
        match json {
            Json::Null => Value::Null,
            Json::Bool(flag) => Value::Bool(*flag),
            Json::Number(number) if numbers_as_text => Value::Text(number.to_string()),
            Json::Number(number) => match number.as_i64() {
                Some(number) => Value::Integer(number),
                None => Value::Double(number.as_f64().unwrap_or_default()),
            },
            Json::String(text) => Value::Text(text.clone()),
            other => Value::Json(other.clone()),
        }
    }

    pub(super) fn into_json(self) -> Json {
        match self {
            Value::Null => Json::Null,
            Value::Text(text) => Json::String(text),
            Value::Integer(number) => Json::from(number),
            Value::Double(number) => Json::from(number),
            Value::Bool(flag) => Json::Bool(flag),
            Value::Json(json) => json,
            time @ Value::Time(_) => Json::String(time.to_string()),
        }
    }

    pub(super) fn number(&self) -> Result<f64, Unfit> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "doubles are what comparisons of mixed numbers are made in"
        )]
        match self {
            Value::Integer(number) => Ok(*number as f64),
            Value::Double(number) => Ok(*number),
            Value::Text(text) if text.len() <= MAX_DIGITS => text.trim().parse().map_err(|_| Unfit),
            _ => Err(Unfit),
        }
    }

    /// A number without a fraction; nothing for other numbers and for what is no number.
    pub(super) fn whole(&self) -> Option<i64> {
        match self {
            Value::Integer(number) => Some(*number),
            Value::Text(text) if text.len() <= MAX_DIGITS => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// About how many bytes it takes.
    pub(super) fn weight(&self) -> usize {
        match self {
            Value::Text(text) => text.len(),
            Value::Json(json) => json_weight(json),
            _ => NODE,
        }
    }

    /// Steps that it is worth to make it: a text is copied as a whole, JSON is put together value by value.
    fn cost(&self) -> u64 {
        let cost = match self {
            Value::Text(text) => text.len() / NODE,
            Value::Json(json) => json_weight(json),
            _ => 0,
        };
        u64::try_from(cost).unwrap_or(u64::MAX).saturating_add(1)
    }
}

/// What a value of JSON takes besides its text.
const NODE: usize = 16;

fn json_weight(json: &Json) -> usize {
    NODE + match json {
        Json::String(text) => text.len(),
        Json::Array(items) => items.iter().map(json_weight).sum(),
        Json::Object(members) => members
            .iter()
            .map(|(name, value)| name.len() + json_weight(value))
            .sum(),
        _ => 0,
    }
}

/// The order of two values; nothing when one is null. A text takes the type of what it is compared with.
pub(super) fn compare(left: &Value, right: &Value) -> Result<Option<Ordering>, Unfit> {
    Ok(match (left, right) {
        (Value::Null, _) | (_, Value::Null) => None,
        (Value::Text(left), Value::Text(right)) => Some(left.cmp(right)),
        (Value::Integer(left), Value::Integer(right)) => Some(left.cmp(right)),
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (Value::Time(left), Value::Time(right)) => Some(left.cmp(right)),
        (Value::Bool(_), Value::Text(_)) => compare(left, &cast(right.clone(), Kind::Bool)?)?,
        (Value::Text(_), Value::Bool(_)) => compare(&cast(left.clone(), Kind::Bool)?, right)?,
        (Value::Time(_), Value::Text(_)) => compare(left, &cast(right.clone(), Kind::Timestamp)?)?,
        (Value::Text(_), Value::Time(_)) => compare(&cast(left.clone(), Kind::Timestamp)?, right)?,
        _ => left.number()?.partial_cmp(&right.number()?),
    })
}

fn cast(value: Value, kind: Kind) -> Result<Value, Unfit> {
    if value == Value::Null {
        return Ok(Value::Null);
    }
    match kind {
        Kind::Text => Ok(Value::Text(value.to_string())),
        Kind::Double => value.number().map(Value::Double),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "casts to integers cut off, within the range of integers"
        )]
        Kind::Integer => match value {
            Value::Integer(_) => Ok(value),
            Value::Text(text) => text.trim().parse().map(Value::Integer).map_err(|_| Unfit),
            Value::Double(number) if number.is_finite() => Ok(Value::Integer(number as i64)),
            Value::Bool(flag) => Ok(Value::Integer(i64::from(flag))),
            _ => Err(Unfit),
        },
        Kind::Bool => match value {
            Value::Bool(_) => Ok(value),
            Value::Text(text) if text.eq_ignore_ascii_case("true") => Ok(Value::Bool(true)),
            Value::Text(text) if text.eq_ignore_ascii_case("false") => Ok(Value::Bool(false)),
            _ => Err(Unfit),
        },
        Kind::Timestamp => match value {
            Value::Time(_) => Ok(value),
            Value::Text(text) => {
                let at = time::parse_iso8601(text.trim()).or_else(|| time::parse_iso8601(&format!("{}Z", text.trim())));
                let at = at.or_else(|| time::parse_iso8601(&format!("{}T00:00:00Z", text.trim())));
                at.map(|at| Value::Time(time::unix_seconds(at))).ok_or(Unfit)
            }
            _ => Err(Unfit),
        },
    }
}

/// What an operator makes of two values. Numbers without a fraction stay such, so `7 / 2` is 3.
fn arithmetic(operator: Operator, left: &Value, right: &Value) -> Result<Value, Unfit> {
    if *left == Value::Null || *right == Value::Null {
        return Ok(Value::Null);
    }
    if operator == Operator::Joined {
        let joined = format!("{left}{right}");
        return match joined.len() <= MAX_JOINED {
            true => Ok(Value::Text(joined)),
            false => Err(Unfit),
        };
    }
    if let (Some(left), Some(right)) = (left.whole(), right.whole()) {
        let result = match operator {
            Operator::Plus => left.checked_add(right),
            Operator::Minus => left.checked_sub(right),
            Operator::Times => left.checked_mul(right),
            Operator::Divided => left.checked_div(right),
            Operator::Modulo | Operator::Joined => left.checked_rem(right),
        };
        return result.map(Value::Integer).ok_or(Unfit);
    }
    let (left, right) = (left.number()?, right.number()?);
    let result = match operator {
        Operator::Plus => left + right,
        Operator::Minus => left - right,
        Operator::Times => left * right,
        Operator::Divided => left / right,
        Operator::Modulo | Operator::Joined => left % right,
    };
    match result.is_finite() {
        true => Ok(Value::Double(result)),
        false => Err(Unfit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_compare_by_the_type_of_the_other() {
        let text = |text: &str| Value::Text(text.to_owned());
        assert_eq!(compare(&text("9"), &Value::Integer(10)), Ok(Some(Ordering::Less)));
        assert_eq!(compare(&text("9"), &text("10")), Ok(Some(Ordering::Greater)));
        assert_eq!(compare(&text("x"), &Value::Integer(10)), Err(Unfit));
        assert_eq!(compare(&Value::Null, &Value::Integer(10)), Ok(None));
        let moment = cast(text("2024-01-02"), Kind::Timestamp).unwrap();
        assert_eq!(
            compare(&moment, &text("2024-01-01T00:00:00Z")),
            Ok(Some(Ordering::Greater))
        );
    }

    #[test]
    fn numbers_keep_their_kind_and_refuse_what_they_cannot_hold() {
        let text = |text: &str| Value::Text(text.to_owned());
        for (operator, left, right, expected) in [
            (Operator::Plus, text("1"), text("2"), Ok(Value::Integer(3))),
            (Operator::Plus, text("1.5"), Value::Integer(2), Ok(Value::Double(3.5))),
            (Operator::Minus, Value::Integer(1), Value::Null, Ok(Value::Null)),
            (Operator::Times, Value::Integer(i64::MAX), Value::Integer(2), Err(Unfit)),
            (
                Operator::Divided,
                Value::Integer(7),
                Value::Integer(2),
                Ok(Value::Integer(3)),
            ),
            (Operator::Divided, Value::Integer(7), Value::Integer(0), Err(Unfit)),
            (Operator::Divided, Value::Double(7.0), Value::Integer(0), Err(Unfit)),
            (
                Operator::Divided,
                Value::Integer(i64::MIN),
                Value::Integer(-1),
                Err(Unfit),
            ),
            (Operator::Modulo, text("7"), text("4"), Ok(Value::Integer(3))),
            (Operator::Joined, text("a"), Value::Integer(1), Ok(text("a1"))),
            (Operator::Plus, text("a"), Value::Integer(1), Err(Unfit)),
        ] {
            assert_eq!(
                arithmetic(operator, &left, &right),
                expected,
                "{left} {operator:?} {right}"
            );
        }
    }
}
