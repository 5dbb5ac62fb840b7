//! Members that depend on each other: sets that say something, and fixed queries that follow a member.

use super::member_paths::{Site, Start};
use super::{Subject, codes};
use crate::api::{Member, Operation, Place, Protocol, Shape, ShapeId, Type};
use crate::diagnostic::{Diagnostics, nearest};
use crate::spans::Cursor;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Diagnostics) {
    for (operation, at) in subject.operations() {
        any_of(operation, at, diagnostics);
        query_when(subject, operation, at, diagnostics);
    }
    for (id, shape) in subject.service.shapes.iter().enumerate() {
        if let Some(at) = subject.index.shape(&subject.service.name, &shape.name) {
            exclusive(shape, at, diagnostics);
            if shape.one_of {
                one_of(subject, ShapeId(id), shape, at, diagnostics);
            }
        }
    }
}

fn any_of(operation: &Operation, at: Cursor<'_>, diagnostics: &mut Diagnostics) {
    let at = at.child("any_of");
    if at.exists() && operation.any_of.len() < 2 {
        let problem = at.on_key(codes::MEMBER_SETS, "`any_of` leaves no choice");
        diagnostics.push(problem.help("write two sets or more, or make the members `required`"));
    }
    for (index, set) in operation.any_of.iter().enumerate() {
        let at = at.item(index);
        let members = named(set, &operation.request, "the request", at, diagnostics);
        if set.is_empty() {
            let problem = at.on_value(codes::MEMBER_SETS, "the set has no members");
            diagnostics.push(problem.help("name the members that have to be given together"));
        } else if members.len() == set.len() && members.iter().all(|member| member.required) {
            let problem = at.on_value(codes::MEMBER_SETS, "the set is always given: its members are required");
            diagnostics.push(problem.help("leave out `any_of`, or `required` of one of the members"));
        }
    }
}

fn exclusive(shape: &Shape, at: Cursor<'_>, diagnostics: &mut Diagnostics) {
    let at = at.child("exclusive");
    for (index, set) in shape.exclusive.iter().enumerate() {
        let at = at.item(index);
        let owner = format!("the shape `{}`", shape.name);
        let members = named(set, &shape.members, &owner, at, diagnostics);
        if set.len() < 2 {
            let problem = at.on_value(codes::MEMBER_SETS, "a set of fewer than two members excludes nothing");
            diagnostics.push(problem.help("name the members of which at most one may be given"));
        }
        if let Some(member) = members.iter().find(|member| member.required) {
            let message = format!(
                "`{}` is required, so no other member of the set can ever be given",
                member.name
            );
            diagnostics.push(at.on_value(codes::MEMBER_SETS, message).help("leave out `required`"));
        }
        if shape.one_of {
            let problem = at.on_value(codes::MEMBER_SETS, "`one_of` allows one member alone already");
            diagnostics.push(problem.help("leave out `exclusive`"));
        }
    }
}

/// Members by name. Names of no member, and names given twice, are reported and left out.
fn named<'a>(
    names: &[String],
    members: &'a [Member],
    owner: &str,
    at: Cursor<'_>,
    diagnostics: &mut Diagnostics,
) -> Vec<&'a Member> {
    let mut found: Vec<&Member> = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let at = at.item(index);
        match members.iter().find(|member| member.name == *name) {
            Some(member) if found.iter().any(|other| other.name == member.name) => {
                let problem = at.on_value(codes::MEMBER_SETS, format!("`{name}` is given twice"));
                diagnostics.push(problem.help("leave one out"));
            }
            Some(member) => found.push(member),
            None => {
                let message = format!("{owner} has no member `{}`", name.escape_debug());
                let help = match nearest(name, members.iter().map(|member| member.name.as_str())) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "name members as in the model (snake_case), not as on the wire".to_owned(),
                };
                diagnostics.push(at.on_value(codes::UNKNOWN_MEMBER, message).help(help));
            }
        }
    }
    found
}

fn one_of(subject: &Subject<'_>, id: ShapeId, shape: &Shape, at: Cursor<'_>, diagnostics: &mut Diagnostics) {
    if shape.members.len() < 2 && at.child("members").exists() {
        let problem = at
            .child("one_of")
            .on_key(codes::MEMBER_SETS, "`one_of` leaves no choice");
        diagnostics.push(problem.help("leave it out, or add the other members"));
    }
    let is_document = subject.service.protocol == Protocol::RestXml
        && subject.operations().any(|(operation, _)| {
            let mut members = operation.request.iter().chain(&operation.result);
            members.any(|member| member.place == Place::Body && member.ty == Type::Shape(id))
        });
    for member in &shape.members {
        let at = at.child("members").child(&member.name);
        if member.required {
            let message = format!("`{}` is required, so it is the only one that can be given", member.name);
            let problem = at.child("required").on_key(codes::MEMBER_SETS, message);
            diagnostics.push(problem.help("leave out `required`: `one_of` asks for one member already"));
        }
        if member.default.is_some() {
            let message = format!("`{}` has a value when it is absent, so it counts as given", member.name);
            let problem = at.child("default").on_key(codes::MEMBER_SETS, message);
            diagnostics.push(problem.help("leave out `default`, or say it in `doc`"));
        }
        if is_document && (member.wire.len() > 1 || matches!(member.ty, Type::List(_))) {
            let message = format!("`{}` cannot be the root of a document", member.name);
            let problem = at.on_key(codes::MEMBER_SETS, message);
            diagnostics.push(problem.help("a document has one root: no list and no wrapper"));
        }
    }
}

fn query_when(subject: &Subject<'_>, operation: &Operation, at: Cursor<'_>, diagnostics: &mut Diagnostics) {
    let start = Start {
        service: subject.service,
        side: "request",
        members: &operation.request,
    };
    let (list, http) = (at.child("query_when"), at.child("http"));
    let mut seen: Vec<(&[String], &str)> = Vec::new();
    // Entries that cannot be read were left out, so an entry is found by what it says.
    let entry = |path: &str, key: &str, value: &str| {
        let query = format!("{key}={value}");
        (0..list.len())
            .map(|index| list.item(index))
            .find(|at| at.child("set").scalar() == Some(path) && at.child("query").scalar() == Some(query.as_str()))
            .unwrap_or(list)
    };
    for when in &operation.query_when {
        let path = when.member.join(".");
        let at = entry(&path, &when.key, &when.value);
        let found = start.find(&path, Site::Value(at.child("set")), diagnostics);
        if let Some(found) = found {
            if found.many {
                let problem = at
                    .child("set")
                    .on_value(codes::QUERY_WHEN, format!("`{path}` leads through the items of a list"));
                diagnostics.push(problem.help("name a member that a request has once"));
            }
            let is_member_of_request = when.member.len() == 1;
            if found.member.required && is_member_of_request {
                let message = format!("`{path}` is always set, so the value in `http` is never sent");
                let problem = at.child("set").on_value(codes::QUERY_WHEN, message);
                diagnostics.push(problem.help("write the value into `http`, or make the member optional"));
            }
        }
        match operation.query.iter().find(|(key, _)| *key == when.key) {
            Some((_, Some(value))) if *value == when.value => {
                let message = format!("`{}={value}` is the value in `http` already", when.key);
                let problem = at.child("query").on_value(codes::QUERY_WHEN, message);
                diagnostics.push(problem.help("write another value, or leave the entry out"));
            }
            Some((_, Some(_))) => {}
            _ => {
                let message = format!("`http` has no value for the query key `{}`", when.key);
                let problem = at.child("query").on_value(codes::QUERY_WHEN, message);
                let problem = problem.related(http.file(), http.value_span(), "the fixed query");
                let help = format!(
                    "write `?{}=value` there: it is sent when no member says otherwise",
                    when.key
                );
                diagnostics.push(problem.help(help));
            }
        }
        if seen.contains(&(&when.member, &when.key)) {
            let problem = at
                .child("set")
                .on_value(codes::QUERY_WHEN, format!("`{path}` is given twice"));
            diagnostics.push(problem.help("leave one out"));
        }
        seen.push((&when.member, &when.key));
    }
}
