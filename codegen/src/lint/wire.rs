//! Names on the wire: given where they are needed, valid for their place, and no two of one name.

use std::collections::BTreeMap;

use super::{Members, Side, Subject, codes};
use crate::api::{Member, Operation, Place, Protocol};
use crate::diagnostic::Diagnostics;
use crate::spans::Cursor;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Diagnostics) {
    for list in subject.member_lists() {
        for (member, at) in list.declared() {
            given(member, list.owner.side, at, diagnostics);
            valid(member, at, subject.service.protocol, diagnostics);
        }
        unique(&list, diagnostics);
    }
    for shape in subject.service.shapes.iter().filter(|shape| shape.query_json) {
        if let Some(at) = subject.index.shape(&subject.service.name, &shape.name) {
            unique_keys(
                &shape.members,
                subject.service.protocol,
                at.child("members"),
                diagnostics,
            );
        }
    }
    for (operation, at) in subject.operations() {
        fixed(operation, at, diagnostics);
    }
}

/// The kind of name of a place, and the word for it.
fn kind(place: &Place) -> Option<&'static str> {
    match place {
        Place::Query | Place::QueryJson => Some("query parameter"),
        Place::Header => Some("header"),
        Place::HeaderMap => Some("header prefix"),
        Place::Field => Some("field"),
        _ => None,
    }
}

fn given(member: &Member, side: Side, at: Cursor<'_>, diagnostics: &mut Diagnostics) {
    match kind(&member.place) {
        // The name that stands before the text; what an answer has there is the text itself.
        None if member.place == Place::Text && side == Side::Request => {}
        Some(kind) if member.wire.is_empty() => {
            let problem = at.on_key(
                codes::NO_WIRE,
                format!("the {kind} `{}` has no name on the wire", member.name),
            );
            diagnostics.push(problem.help("add `wire: ...`"));
        }
        None if at.child("wire").exists() => {
            let problem = at
                .child("wire")
                .on_key(codes::NO_WIRE, "members in this place have no name on the wire");
            diagnostics
                .push(problem.help("leave `wire` out; the root element of a document is the `wire` of its shape"));
        }
        _ => {}
    }
}

fn valid(member: &Member, at: Cursor<'_>, protocol: Protocol, diagnostics: &mut Diagnostics) {
    let aliases = (0..member.aliases.len()).map(|index| at.child("aliases").item(index));
    let names = member.aliases.iter().zip(aliases);
    let own = member.wire.iter().map(|name| (name, at.child("wire")));
    if member
        .prefix
        .as_deref()
        .is_some_and(|prefix| prefix.is_empty() || prefix.chars().any(char::is_control))
    {
        let problem = at
            .child("prefix")
            .on_value(codes::WIRE_NAME, "the prefix is not one that can be seen on the wire");
        diagnostics.push(problem.help("write the text that stands before the value, or leave `prefix` out"));
    }
    for (name, at) in own.chain(names) {
        if let Some(help) = refused(name, &member.place, protocol) {
            let kind = kind(&member.place).unwrap_or("member");
            let message = format!("`{}` is no name of a {kind}", name.escape_debug());
            diagnostics.push(at.on_value(codes::WIRE_NAME, message).help(help));
        }
    }
}

/// What a name has to be, when it is not.
fn refused(name: &str, place: &Place, protocol: Protocol) -> Option<&'static str> {
    match place {
        Place::Header | Place::HeaderMap if !is_token(name) => {
            Some("a header name is letters, digits and some of `-_.!#$%&'*+^|~`")
        }
        Place::Query | Place::QueryJson
            if name.is_empty() || name.chars().any(|c| c.is_whitespace() || c.is_control()) =>
        {
            Some("a query key is not empty and has no blanks")
        }
        Place::Text if !is_token(name) => Some("a name before a text is letters, digits and some of `-_.`"),
        Place::Field if protocol == Protocol::RestXml && !is_element(name) => Some(
            "an element name starts with a letter and goes on with letters, digits and `-_.`; `A>B` is `B` inside `A`",
        ),
        Place::Field if name.is_empty() => Some("a name is not empty; `A>B` is `B` inside `A`"),
        _ => None,
    }
}

fn is_token(name: &str) -> bool {
    !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
}

fn is_element(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

fn unique(list: &Members<'_>, diagnostics: &mut Diagnostics) {
    let mut seen: BTreeMap<(&str, String), Vec<(&Member, Cursor<'_>)>> = BTreeMap::new();
    for (member, at) in list.declared() {
        let Some(kind) = kind(&member.place) else {
            continue;
        };
        if member.wire.is_empty() {
            continue;
        }
        let fold = |name: &str| match member.place {
            // Header names have no case.
            Place::Header | Place::HeaderMap => name.to_ascii_lowercase(),
            _ => name.to_owned(),
        };
        let aliases = member.aliases.iter().map(|alias| (alias.clone(), at.child("aliases")));
        for (name, place) in [(member.wire.join(">"), at.child("wire"))].into_iter().chain(aliases) {
            let same = seen.entry((kind, fold(&name))).or_default();
            match same.iter().find(|(other, _)| !told_apart(other, member)) {
                Some((other, first)) => {
                    let message = format!("`{}` and `{}` are both the {kind} `{name}`", other.name, member.name);
                    let problem = if place.exists() {
                        place.on_value(codes::SAME_WIRE, message)
                    } else {
                        at.on_key(codes::SAME_WIRE, message)
                    };
                    let problem = problem.related(first.file(), first.key_span(), "the first one");
                    let help = match (&other.prefix, &member.prefix) {
                        (None, None) => "correct one of the names, or remove the member",
                        _ => "give both a `prefix`, and none that another begins with",
                    };
                    diagnostics.push(problem.help(help));
                }
                None => same.push((member, at)),
            }
        }
    }
    // `A` as a value and `A>B` as a wrapper cannot both be read.
    for ((kind, name), members) in &seen {
        let (Some((parent, _)), Some((member, at))) = (name.split_once('>'), members.first()) else {
            continue;
        };
        if let Some((other, first)) = seen.get(&(*kind, parent.to_owned())).and_then(|same| same.first()) {
            let message = format!(
                "`{parent}` holds `{}`, but `{}` takes it as a whole",
                member.name, other.name
            );
            let problem = at.child("wire").on_value(codes::SAME_WIRE, message);
            let problem = problem.related(first.file(), first.key_span(), "takes the whole element");
            diagnostics.push(problem.help("make the member a part of that shape, or remove one"));
        }
    }
}

/// Whether what stands before their values says which of two members of one name is meant.
fn told_apart(a: &Member, b: &Member) -> bool {
    match (&a.prefix, &b.prefix) {
        (Some(a), Some(b)) => !a.starts_with(b.as_str()) && !b.starts_with(a.as_str()),
        _ => false,
    }
}

/// In JSON the wrapper of an element is the key, so `A>B` and `A>C` are one. A JSON service is written so anyway.
fn unique_keys(members: &[Member], protocol: Protocol, at: Cursor<'_>, diagnostics: &mut Diagnostics) {
    if protocol != Protocol::RestXml {
        return;
    }
    let mut seen: BTreeMap<&str, &Member> = BTreeMap::new();
    for member in members {
        let Some(key) = member.wire.first() else { continue };
        match seen.get(key.as_str()) {
            Some(other) if other.wire != member.wire => {
                let message = format!("`{}` and `{}` are both the JSON key `{key}`", other.name, member.name);
                let problem = at.child(&member.name).child("wire").on_value(codes::SAME_WIRE, message);
                let problem = problem.related(at.file(), at.child(&other.name).key_span(), "the first one");
                diagnostics.push(problem.help("queries hold this shape as JSON, where the wrapper alone is the key"));
            }
            // One name: reported already, or told apart by prefixes.
            Some(_) => {}
            None => _ = seen.insert(key, member),
        }
    }
}

/// Fixed query and headers beside members of the same names.
fn fixed(operation: &Operation, at: Cursor<'_>, diagnostics: &mut Diagnostics) {
    let request = at.child("request");
    let members = |place: Place| operation.request.iter().filter(move |member| member.place == place);
    for (key, _) in &operation.query {
        let mut queries = members(Place::Query).chain(members(Place::QueryJson));
        if let Some(member) = queries.find(|member| member.required && member.wire == [key.as_str()]) {
            let message = format!(
                "`{}` is required, so the fixed query key `{key}` is never sent",
                member.name
            );
            let problem = request.child(&member.name).on_key(codes::FIXED_QUERY, message);
            let problem = problem.related(at.file(), at.child("http").value_span(), "the fixed query");
            diagnostics.push(problem.help("remove the key from `http`, or make the member optional"));
        }
    }
    let mut seen: Vec<String> = Vec::new();
    for (name, value) in &operation.headers {
        let header = at.child("headers").child(name);
        if !is_token(name) {
            let problem = header.on_key(
                codes::WIRE_NAME,
                format!("`{}` is no name of a header", name.escape_debug()),
            );
            diagnostics.push(problem.help("a header name is letters, digits and some of `-_.!#$%&'*+^|~`"));
        }
        if value.is_empty() || value.trim() != value || !value.chars().all(|c| (' '..='~').contains(&c)) {
            let problem = header.on_value(
                codes::WIRE_NAME,
                format!("`{}` is no value of a header", value.escape_debug()),
            );
            diagnostics.push(problem.help("a fixed header value is printable ASCII without blanks around it"));
        }
        if seen.contains(&name.to_ascii_lowercase()) {
            let problem = header.on_key(codes::SAME_WIRE, format!("the header `{name}` is given twice"));
            diagnostics.push(problem.help("header names have no case; keep one"));
        }
        seen.push(name.to_ascii_lowercase());
        let same = |member: &&Member| member.required && member.wire.iter().any(|wire| wire.eq_ignore_ascii_case(name));
        if let Some(member) = members(Place::Header).find(same) {
            let message = format!(
                "`{}` is required, so the fixed header `{name}` is never sent",
                member.name
            );
            let problem = request.child(&member.name).on_key(codes::FIXED_QUERY, message);
            let problem = problem.related(at.file(), header.key_span(), "the fixed header");
            diagnostics.push(problem.help("remove the fixed header, or make the member optional"));
        }
    }
}
