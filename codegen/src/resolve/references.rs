//! Types: from the word in the model to a [`Type`], where shapes and enums are ids.

use std::collections::BTreeMap;

use crate::api::{EnumId, ShapeId, TimestampFormat, Type};
use crate::diagnostic::{Diagnostics, nearest};
use crate::lint::codes;
use crate::model;
use crate::spans::Cursor;

/// Types that need no definition.
const SCALARS: [&str; 9] = [
    "string",
    "integer",
    "float",
    "float32",
    "bool",
    "timestamp",
    "any",
    "bytes",
    "base64_string",
];

/// Words of other languages for our scalars.
const FOREIGN: [(&str, &str); 12] = [
    ("int", "integer"),
    ("int32", "integer"),
    ("int64", "integer"),
    ("i64", "integer"),
    ("long", "integer"),
    ("number", "integer"),
    ("double", "float"),
    ("f64", "float"),
    ("f32", "float32"),
    ("boolean", "bool"),
    ("str", "string"),
    ("datetime", "timestamp"),
];

/// Shapes and enums of a service by name.
#[derive(Debug, Default)]
pub(super) struct Types {
    pub(super) by_name: BTreeMap<String, TypeId>,
    /// Whether every file could be read.
    pub(super) complete: bool,
}

/// What a name stands for.
#[derive(Debug, Clone)]
pub(super) enum TypeId {
    Shape(ShapeId),
    Enum(EnumId, Vec<String>),
}

impl Types {
    /// The type of a member, lists and maps included. `None` when the member states none.
    pub(super) fn of_member(
        &self,
        member: &model::Member,
        format: TimestampFormat,
        at: Cursor<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Type> {
        let stated: Vec<(&str, &str)> = [("type", &member.ty), ("list", &member.list), ("map", &member.map)]
            .into_iter()
            .filter_map(|(key, name)| Some((key, name.as_deref()?)))
            .collect();
        if let [(first, _), (second, _), ..] = stated[..] {
            let message = format!("the member has `{first}` and `{second}`");
            let problem = at.child(second).on_key(codes::ONE_TYPE, message);
            diagnostics.push(problem.help("a member has exactly one of `type`, `list` and `map`"));
        }
        let (key, name) = *stated.first()?;
        let ty = self.named(name, format, at.child(key), diagnostics);
        Some(match key {
            "list" => Type::List(Box::new(ty)),
            "map" => Type::Map(Box::new(ty)),
            _ => ty,
        })
    }

    fn named(&self, name: &str, format: TimestampFormat, at: Cursor<'_>, diagnostics: &mut Diagnostics) -> Type {
        match name {
            "string" => Type::String,
            "integer" => Type::Integer,
            "float" => Type::Float,
            "float32" => Type::Float32,
            "bool" => Type::Bool,
            "timestamp" => Type::Timestamp(format),
            "any" => Type::Any,
            "bytes" => Type::Bytes,
            "base64_string" => Type::Base64String,
            _ => match self.by_name.get(name) {
                Some(TypeId::Shape(id)) => Type::Shape(*id),
                Some(TypeId::Enum(id, _)) => Type::Enum(*id),
                None => {
                    if self.complete {
                        self.unknown(name, at, diagnostics);
                    }
                    Type::String
                }
            },
        }
    }

    fn unknown(&self, name: &str, at: Cursor<'_>, diagnostics: &mut Diagnostics) {
        let foreign = FOREIGN
            .iter()
            .find(|(word, _)| *word == name)
            .map(|(_, scalar)| *scalar);
        let what = if foreign.is_some() || !name.starts_with(|c: char| c.is_uppercase()) {
            "type"
        } else {
            "shape or enum"
        };
        let near = foreign.or_else(|| nearest(name, self.by_name.keys().map(String::as_str).chain(SCALARS)));
        let help = match near {
            Some(near) if SCALARS.contains(&near) => format!("did you mean `{near}`?"),
            Some(near) => {
                let kind = if matches!(self.by_name.get(near), Some(TypeId::Enum(..))) {
                    "an enum"
                } else {
                    "a shape"
                };
                format!("there is {kind} named `{near}`")
            }
            None => "define it under `shapes` or `enums` of this file or of `common.yaml`".to_owned(),
        };
        diagnostics.push(
            at.on_value(codes::UNKNOWN_TYPE, format!("unknown {what} `{name}`"))
                .help(help),
        );
    }

    /// Wire values of an enum.
    pub(super) fn values(&self, id: EnumId) -> &[String] {
        let found = self.by_name.values().find_map(|type_id| match type_id {
            TypeId::Enum(other, values) if *other == id => Some(values.as_slice()),
            _ => None,
        });
        found.unwrap_or_default()
    }
}
