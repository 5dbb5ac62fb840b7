//! Types in places: what a header, a query parameter, a document of each protocol can carry.

use std::collections::BTreeSet;

use super::{Side, Subject, codes};
use crate::api::{Member, Place, Protocol, Service, ShapeId, Type};
use crate::diagnostic::Diagnostics;
use crate::spans::Cursor;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Diagnostics) {
    let service = subject.service;
    let xml_shapes = written_as_xml(service);
    for list in subject.member_lists() {
        for (member, at) in list.declared() {
            let in_xml = list.owner.shape.is_none_or(|id| xml_shapes.contains(&id));
            let reaches_xml = service.protocol == Protocol::RestXml && member.place == Place::Field && in_xml;
            let refused = match member.place {
                _ if reaches_xml => xml(&member.ty),
                Place::Field if service.protocol == Protocol::RpcJson && list.owner.side == Side::Request => {
                    (!is_flat(&member.ty))
                        .then_some("a parameter of an RPC request is text, a number, a bool or an enum")
                }
                _ => in_place(&member.place, &member.ty, service.protocol),
            };
            if let Some(help) = refused {
                report(member, at, help, diagnostics);
            }
            if service.protocol == Protocol::RpcJson && list.owner.side == Side::Request && member.place != Place::Field
            {
                let problem = at
                    .child("in")
                    .on_value(codes::BAD_PLACE, "a request of an RPC service has only parameters");
                diagnostics.push(problem.help("leave `in` out"));
            }
        }
    }
}

/// Shapes that anything but a JSON query reaches.
fn written_as_xml(service: &Service) -> BTreeSet<ShapeId> {
    let members = service
        .operations()
        .flat_map(|(_, operation)| operation.request.iter().chain(&operation.result))
        .filter(|member| member.place != Place::QueryJson);
    let mut open: Vec<ShapeId> = members.filter_map(|member| member.ty.shape()).collect();
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        if seen.insert(id) {
            open.extend(service.shape(id).members.iter().filter_map(|member| member.ty.shape()));
        }
    }
    seen
}

fn report(member: &Member, at: Cursor<'_>, help: &str, diagnostics: &mut Diagnostics) {
    let key = ["list", "map", "type"]
        .into_iter()
        .find(|key| at.child(key).exists())
        .unwrap_or("in");
    let message = format!("`{}` cannot have this type here", member.name);
    diagnostics.push(at.child(key).on_value(codes::PLACE_TYPE, message).help(help));
}

/// Whether a value is one piece of text on the wire.
fn is_flat(ty: &Type) -> bool {
    !matches!(
        ty,
        Type::Shape(_) | Type::List(_) | Type::Map(_) | Type::Any | Type::Stream
    )
}

fn xml(ty: &Type) -> Option<&'static str> {
    match ty {
        Type::Any => Some("`any` is a JSON value; XML has none"),
        Type::Map(_) => Some("XML has no maps: make a list of a shape with key and value"),
        Type::List(item) => xml(item),
        _ => None,
    }
}

/// What to do when a place cannot carry a type.
fn in_place(place: &Place, ty: &Type, protocol: Protocol) -> Option<&'static str> {
    match (place, ty) {
        (Place::Query | Place::Header | Place::RootText | Place::Path | Place::Local, ty) if !is_flat(ty) => {
            Some("only a document carries shapes, lists, maps and `any`")
        }
        (Place::HeaderMap, ty) if *ty != Type::Map(Box::new(Type::String)) => Some("write `map: string`"),
        (Place::QueryJson, ty) if is_flat(ty) => {
            Some("a JSON document is a shape, a list, a map or `any`; use `in: query` for a plain value")
        }
        (Place::Body, Type::Shape(_)) => None,
        (Place::Body, Type::Any) if protocol == Protocol::RestJson => None,
        (Place::Body, _) => Some("the whole document is a shape; use `in: text` for text and `in: stream` for bytes"),
        (
            Place::Bucket
            | Place::Key
            | Place::Text
            | Place::CopySourceBucket
            | Place::CopySourceKey
            | Place::CopySourceVersionId
            | Place::Callback,
            ty,
        ) if *ty != Type::String => Some("leave the type out: it is a string"),
        _ => None,
    }
}
