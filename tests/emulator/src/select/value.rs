//! Values while a query runs: what conditions compare and aggregates add up.

use std::cmp::Ordering;

use serde_json::Value as Json;

use super::sql::{Comparison, Expr, Kind, Step};
use crate::time;

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
}

impl Context<'_> {
    /// The value of an expression that is not a condition.
    pub(super) fn value(&self, expr: &Expr) -> Result<Value, Unfit> {
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
            Expr::Like(value, pattern, escape) => match self.value(value)? {
                Value::Null => None,
                value => Some(like(pattern, *escape, &value.to_string())),
            },
            Expr::IsNull(inner) => Some(self.value(inner)? == Value::Null),
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
            Value::Text(text) => text.trim().parse().map_err(|_| Unfit),
            _ => Err(Unfit),
        }
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

/// Matches `%` (any run) and `_` (any one character), without backing up further than the last run.
fn like(pattern: &str, escape: Option<char>, text: &str) -> bool {
    /// A character of a pattern.
    enum Piece {
        Run,
        One,
        Exactly(char),
    }
    let mut pieces = Vec::new();
    let mut characters = pattern.chars();
    while let Some(c) = characters.next() {
        pieces.push(match c {
            c if Some(c) == escape => Piece::Exactly(characters.next().unwrap_or(c)),
            '%' => Piece::Run,
            '_' => Piece::One,
            c => Piece::Exactly(c),
        });
    }
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut piece) = (0, 0);
    let mut run: Option<(usize, usize)> = None;
    while let Some(c) = text.get(at) {
        match pieces.get(piece) {
            Some(Piece::Run) => {
                run = Some((piece + 1, at));
                piece += 1;
            }
            Some(Piece::One) => (at, piece) = (at + 1, piece + 1),
            Some(Piece::Exactly(wanted)) if wanted == c => (at, piece) = (at + 1, piece + 1),
            _ => match run {
                Some((after, from)) => {
                    run = Some((after, from + 1));
                    (at, piece) = (from + 1, after);
                }
                None => return false,
            },
        }
    }
    pieces
        .get(piece..)
        .unwrap_or_default()
        .iter()
        .all(|piece| matches!(piece, Piece::Run))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_knows_runs_single_characters_and_escapes() {
        for (pattern, escape, text, expected) in [
            ("a%", None, "abc", true),
            ("a%", None, "bac", false),
            ("%b%c", None, "abbc", true),
            ("a_c", None, "abc", true),
            ("a_c", None, "ac", false),
            ("10\\%", Some('\\'), "10%", true),
            ("10\\%", Some('\\'), "100", false),
            ("", None, "", true),
            ("%", None, "", true),
            ("_", None, "", false),
        ] {
            assert_eq!(like(pattern, escape, text), expected, "{pattern} {text}");
        }
    }

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
}
