//! Where members are: place, wire names and what a place implies for the type.

use crate::api::{Place, Protocol, TimestampFormat, Type};
use crate::diagnostic::Diagnostics;
use crate::lint::codes;
use crate::model;
use crate::model::structure::listed;
use crate::names::{to_lower_camel, to_upper_camel};
use crate::resolve::members::Side;
use crate::spans::Cursor;

/// Places by their word in the model, and whether requests and results have them.
const PLACES: [(&str, Place, bool, bool); 18] = [
    ("bucket", Place::Bucket, true, false),
    ("key", Place::Key, true, false),
    ("path", Place::Path, true, false),
    ("query", Place::Query, true, false),
    ("query_json", Place::QueryJson, true, false),
    ("header", Place::Header, true, true),
    ("headers", Place::HeaderMap, true, true),
    ("body", Place::Body, true, true),
    ("field", Place::Field, true, true),
    ("text", Place::Text, true, true),
    ("root_text", Place::RootText, false, true),
    ("stream", Place::Stream, true, true),
    ("copy_source.bucket", Place::CopySourceBucket, true, false),
    ("copy_source.key", Place::CopySourceKey, true, false),
    ("copy_source.version_id", Place::CopySourceVersionId, true, false),
    ("callback", Place::Callback, false, true),
    ("local", Place::Local, true, false),
    ("frame", Place::Frame, false, true),
];

/// The place of a member; a wrong one is reported and taken for `field`.
pub(super) fn place(member: &model::Member, side: Side, at: Cursor<'_>, diagnostics: &mut Diagnostics) -> Place {
    let Some(word) = member.place.as_deref() else {
        return Place::Field;
    };
    let at = at.child("in");
    if side == Side::Shape {
        let problem = at.on_key(codes::BAD_PLACE, "a member of a shape has no place");
        diagnostics.push(problem.help("leave `in` out: members of shapes are elements or keys of the document"));
        return Place::Field;
    }
    let allowed = |request: bool, result: bool| {
        if side == Side::Request { request } else { result }
    };
    match PLACES.iter().find(|(name, ..)| *name == word) {
        Some((_, place, request, result)) if allowed(*request, *result) => place.clone(),
        _ => {
            let (here, places) = (side.name(), PLACES.iter().filter(|(_, _, q, s)| allowed(*q, *s)));
            let message = format!("{here} member cannot be in `{word}`");
            let help = format!("{here} member is in {}", listed(places.map(|(name, ..)| *name)));
            diagnostics.push(at.on_value(codes::BAD_PLACE, message).help(help));
            Place::Field
        }
    }
}

/// Names on the wire from the outside in; none where the place has no name.
pub(super) fn wire(name: &str, member: &model::Member, place: &Place, protocol: Protocol) -> Vec<String> {
    let split = |wire: &str| wire.split('>').map(|part| part.trim().to_owned()).collect();
    match (place, member.wire.as_deref()) {
        (Place::Field, Some(wire)) => split(wire),
        (Place::Field, None) if protocol == Protocol::RestJson => vec![to_lower_camel(name)],
        (Place::Field, None) => vec![to_upper_camel(name)],
        (Place::Query | Place::QueryJson | Place::Header | Place::HeaderMap | Place::Text, Some(wire)) => {
            vec![wire.to_owned()]
        }
        _ => Vec::new(),
    }
}

/// How a timestamp is written when the member does not say.
pub(super) fn timestamp_format(member: &model::Member, place: &Place) -> TimestampFormat {
    match member.format.as_deref() {
        Some("iso8601") => TimestampFormat::Iso8601,
        Some("http") => TimestampFormat::HttpDate,
        Some("unix") => TimestampFormat::UnixSeconds,
        _ if matches!(place, Place::Header) => TimestampFormat::HttpDate,
        _ => TimestampFormat::Iso8601,
    }
}

/// The type where the place leaves no choice.
pub(super) fn implied_type(place: &Place) -> Option<Type> {
    match place {
        Place::Stream => Some(Type::Stream),
        Place::HeaderMap => Some(Type::Map(Box::new(Type::String))),
        Place::Bucket
        | Place::Key
        | Place::Path
        | Place::Text
        | Place::RootText
        | Place::CopySourceBucket
        | Place::CopySourceKey
        | Place::CopySourceVersionId
        | Place::Callback => Some(Type::String),
        Place::Query | Place::QueryJson | Place::Header | Place::Body | Place::Field | Place::Local | Place::Frame => {
            None
        }
    }
}

/// Whether a request cannot be written without the member.
pub(super) fn is_always_required(place: &Place) -> bool {
    matches!(place, Place::Bucket | Place::Key | Place::Path)
}
