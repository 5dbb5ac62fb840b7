//! Default values, as values of the member's type.

use serde_yaml::Value;

use crate::api::{Literal, Type};
use crate::diagnostic::{Diagnostics, nearest};
use crate::lint::codes;
use crate::model;
use crate::model::structure::listed;
use crate::resolve::references::Types;
use crate::spans::Cursor;

/// The default of a member. One that does not fit the type is reported and left out.
pub(super) fn literal(
    member: &model::Member,
    ty: &Type,
    types: &Types,
    at: Cursor<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Literal> {
    let value = member.default.as_ref()?;
    let mut refuse = |message: String, help: String| {
        diagnostics.push(at.on_value(codes::BAD_DEFAULT, message).help(help));
        None
    };
    match (ty, value) {
        (Type::String | Type::Base64String, Value::String(text)) => Some(Literal::String(text.clone())),
        (Type::Integer, Value::Number(number)) if number.is_i64() => number.as_i64().map(Literal::Integer),
        (Type::Float | Type::Float32, Value::Number(number)) => number.as_f64().map(Literal::Float),
        (Type::Bool, Value::Bool(value)) => Some(Literal::Bool(*value)),
        (Type::Enum(id), Value::String(text)) => {
            let values = types.values(*id);
            if values.contains(text) {
                return Some(Literal::String(text.clone()));
            }
            let help = match nearest(text, values.iter().map(String::as_str)) {
                Some(value) => format!("did you mean `{value}`?"),
                None => format!("its values are {}", listed(values.iter().map(String::as_str))),
            };
            refuse(format!("the default `{text}` is no value of the enum"), help)
        }
        (Type::String | Type::Base64String | Type::Enum(_), _) => {
            refuse("the default is no text".into(), "put the value into quotes".into())
        }
        (Type::Integer, _) => refuse("the default is no integer".into(), "write digits without quotes".into()),
        (Type::Float | Type::Float32, _) => {
            refuse("the default is no number".into(), "write digits without quotes".into())
        }
        (Type::Bool, _) => refuse(
            "the default is no bool".into(),
            "write `true` or `false` without quotes".into(),
        ),
        _ => refuse(
            "a member of this type has no default".into(),
            "only strings, numbers, bools and enums have one; say it in `doc`".into(),
        ),
    }
}
