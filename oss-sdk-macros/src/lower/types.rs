//! Types of Rust as types of the model, and what each place can carry.

use oss_codegen::api::{Enum, EnumId, Member, Place, Shape, ShapeId, TimestampFormat, Type};
use quote::ToTokens;
use syn::{GenericArgument, PathArguments};

use super::{Derive, Lowered};
use crate::attrs::Problems;

/// The type of the model for a type of Rust, and whether it is optional.
pub(super) fn lower_type(
    ty: &syn::Type,
    as_value: bool,
    lowered: &mut Lowered,
    problems: &mut Problems,
) -> (Type, bool) {
    let Some((name, argument)) = last_segment(ty) else {
        problems.at(ty, "a type with a name is expected here");
        return (Type::String, false);
    };
    match (name.as_str(), argument) {
        ("Option", Some(inner)) => {
            let (value, is_optional) = lower_type(inner, as_value, lowered, problems);
            if is_optional || matches!(value, Type::List(_) | Type::Map(_)) {
                problems.at(ty, "an empty list or map means that there is none; leave `Option` out");
            }
            (value, true)
        }
        ("Vec", Some(inner)) => {
            let (item, is_optional) = lower_type(inner, as_value, lowered, problems);
            if is_optional || matches!(item, Type::List(_) | Type::Map(_)) {
                problems.at(inner, "the items of a list are always there, and are no lists or maps");
            }
            (Type::List(Box::new(item)), false)
        }
        ("Box", Some(inner)) => lower_type(inner, as_value, lowered, problems),
        ("BTreeMap", _) => (Type::Map(Box::new(Type::String)), false),
        ("String", _) => (Type::String, false),
        ("i64", _) => (Type::Integer, false),
        ("f64", _) => (Type::Float, false),
        ("f32", _) => (Type::Float32, false),
        ("bool", _) => (Type::Bool, false),
        ("Timestamp", _) => (Type::Timestamp(TimestampFormat::Iso8601), false),
        ("Bytes", _) => (Type::Bytes, false),
        ("Body" | "ResponseBody", _) => (Type::Stream, false),
        ("i32" | "u16" | "u32" | "u64" | "usize", _) => (named_value(ty, lowered), false),
        _ if as_value => (named_value(ty, lowered), false),
        _ => {
            let shapes = &mut lowered.service.shapes;
            shapes.push(shape(ty));
            lowered
                .types
                .push((ty.to_token_stream().to_string(), ty.to_token_stream()));
            (Type::Shape(ShapeId(shapes.len() - 1)), false)
        }
    }
}

/// A type with a text form of its own.
fn named_value(ty: &syn::Type, lowered: &mut Lowered) -> Type {
    let service = &mut lowered.service;
    service.enums.push(Enum {
        name: ty.to_token_stream().to_string(),
        doc: String::new(),
        values: Vec::new(),
        group: String::new(),
    });
    Type::Enum(EnumId(service.enums.len() - 1))
}

fn shape(ty: &syn::Type) -> Shape {
    Shape {
        name: ty.to_token_stream().to_string(),
        wire: String::new(),
        doc: String::new(),
        members: Vec::new(),
        group: String::new(),
        input: true,
        output: true,
        recursive: false,
        url_decoded: false,
        query_json: false,
        one_of: false,
        exclusive: Vec::new(),
    }
}

/// The last name of a type's path and its first type argument.
fn last_segment(ty: &syn::Type) -> Option<(String, Option<&syn::Type>)> {
    let syn::Type::Path(path) = ty else {
        return None;
    };
    let segment = path.path.segments.last()?;
    let argument = match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::Type(ty) => Some(ty),
            _ => None,
        }),
        _ => None,
    };
    Some((segment.ident.to_string(), argument))
}

/// Has the text of a field, or the marked texts in its structure, decoded when the answer says that they are encoded.
pub(super) fn set_url_decoded(
    field: &syn::Field,
    member: &Member,
    derive: Derive,
    lowered: &mut Lowered,
    problems: &mut Problems,
) {
    let item = match &member.ty {
        Type::List(item) => item,
        ty => ty,
    };
    if derive != Derive::FromXml || member.place != Place::Field {
        problems.at(&field.ty, "only elements of an answer are `url_decoded`");
        return;
    }
    match item {
        Type::String => {}
        Type::Shape(id) => lowered.service.shapes[id.0].url_decoded = true,
        _ => problems.at(&field.ty, "only texts, and structures with texts, are `url_decoded`"),
    }
}

/// Reports types that a place cannot carry, and limits that a type does not have.
pub(super) fn check_type(field: &syn::Field, member: &Member, optional: bool, problems: &mut Problems) {
    let ty = &field.ty;
    let item = match &member.ty {
        Type::List(item) => item,
        ty => ty,
    };
    match (&member.place, &member.ty) {
        (Place::HeaderMap, Type::Map(_)) => {}
        (Place::HeaderMap, _) => problems.at(ty, "headers with a prefix are a `BTreeMap<String, String>`"),
        (_, Type::Map(_)) => problems.at(ty, "only headers with a prefix are a map; XML has none"),
        (Place::Query | Place::Header | Place::Path, Type::List(_)) => {
            problems.at(ty, "only a document carries lists");
        }
        (Place::Bucket | Place::Key | Place::Path | Place::CopySourceKey, _) if optional => {
            problems.at(ty, "this part of the request is always there; leave `Option` out");
        }
        (
            Place::Bucket | Place::Key | Place::CopySourceBucket | Place::CopySourceKey | Place::CopySourceVersionId,
            ty_,
        ) if *ty_ != Type::String => {
            problems.at(ty, "this part of the request is a `String`");
        }
        (Place::Text | Place::Callback, found) if *found != Type::String => {
            problems.at(ty, "this payload is a `String`");
        }
        (Place::Callback, _) if !optional => problems.at(ty, "not every answer has this; write `Option<String>`"),
        (Place::Body, found) if !matches!(found, Type::Shape(_)) => {
            problems.at(
                ty,
                "a document is a struct that derives `ToXml` or `FromXml`; `text` and `stream` take others",
            );
        }
        (Place::Field, Type::Stream) => problems.at(ty, "a payload needs `#[oss(stream)]`"),
        _ => {}
    }
    if member.range.is_some() && *item != Type::Integer {
        problems.at(ty, "only an `i64` has a `range`");
    }
    if member.length.is_some() && *item != Type::String {
        problems.at(ty, "only a `String` has a `length`");
    }
    if member.max_items.is_some() && !matches!(member.ty, Type::List(_)) {
        problems.at(ty, "only a `Vec` has `max_items`");
    }
}
