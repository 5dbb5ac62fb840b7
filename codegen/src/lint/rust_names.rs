//! Names that become Rust: style, names that are taken, and names that become one.

use std::collections::BTreeMap;

use super::{Members, Side, Subject, codes};
use crate::diagnostic::Diagnostics;
use crate::names::{
    RESERVED_METHODS, RESERVED_RESULT_MEMBERS, RESERVED_SETTERS, RESERVED_TYPES, is_snake, is_upper_camel, rust_field,
    to_snake, to_upper_camel,
};
use crate::spans::Cursor;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Diagnostics) {
    types(subject, diagnostics);
    operations(subject, diagnostics);
    for list in subject.member_lists() {
        members(&list, diagnostics);
    }
    for (name, at) in subject.index.groups(&subject.service.name) {
        if !is_snake(name) {
            let problem = at
                .child("group")
                .on_value(codes::NOT_SNAKE_CASE, format!("`{name}` is not snake_case"));
            diagnostics.push(problem.help("rename the file: the group becomes a module"));
        }
    }
}

fn types(subject: &Subject<'_>, diagnostics: &mut Diagnostics) {
    let (service, index) = (subject.service, subject.index);
    let shapes = service
        .shapes
        .iter()
        .map(|shape| (&shape.name, index.shape(&service.name, &shape.name)));
    let enums = service
        .enums
        .iter()
        .map(|item| (&item.name, index.enumeration(&service.name, &item.name)));
    for (name, at) in shapes.chain(enums) {
        let Some(at) = at else { continue };
        let proper = to_upper_camel(name);
        if !is_upper_camel(name) {
            let problem = at.on_key(codes::NOT_UPPER_CAMEL, format!("`{name}` is not UpperCamelCase"));
            diagnostics.push(problem.help(format!("write `{proper}`")));
        } else if *name != proper {
            let message = format!("`{name}` spells an acronym in capitals");
            let help = format!("write `{proper}`, and `wire: {name}` where it is an element of that name");
            diagnostics.push(at.on_key(codes::ACRONYM, message).help(help));
        }
        if RESERVED_TYPES.contains(&name.as_str()) {
            let problem = at.on_key(
                codes::RESERVED_NAME,
                format!("`{name}` is a name of Rust or of the SDK itself"),
            );
            diagnostics.push(problem.help(format!("name it by what it is about, and add `wire: {name}`")));
        }
        let generated = subject.operations().find(|(operation, _)| {
            name.strip_prefix(&operation.name)
                .is_some_and(|rest| matches!(rest, "Request" | "Result"))
        });
        if let Some((operation, first)) = generated {
            let message = format!("`{name}` is also the type that the operation `{}` gets", operation.name);
            let problem = at.on_key(codes::COLLISION, message);
            let problem = problem.related(first.file(), first.key_span(), "the operation");
            diagnostics.push(problem.help("rename the shape, and add `wire` for the name on the wire"));
        }
    }
}

fn operations(subject: &Subject<'_>, diagnostics: &mut Diagnostics) {
    let mut methods: BTreeMap<&str, (&str, Cursor<'_>)> = BTreeMap::new();
    for (operation, at) in subject.operations() {
        let name = &operation.name;
        if !is_upper_camel(name) {
            let problem = at.on_key(codes::NOT_UPPER_CAMEL, format!("`{name}` is not UpperCamelCase"));
            diagnostics.push(problem.help(format!("write `{}`", to_upper_camel(name))));
        }
        if RESERVED_METHODS.contains(&operation.method_name.as_str()) {
            let message = format!("the client has a method `{}` already", operation.method_name);
            diagnostics.push(at.on_key(codes::RESERVED_NAME, message).help("rename the operation"));
        }
        match methods.get(operation.method_name.as_str()) {
            Some((other, first)) => {
                let message = format!("`{other}` and `{name}` are both the method `{}`", operation.method_name);
                let problem = at.on_key(codes::COLLISION, message);
                let problem = problem.related(first.file(), first.key_span(), "the first one");
                diagnostics.push(problem.help("rename one of them"));
            }
            None => _ = methods.insert(&operation.method_name, (name, at)),
        }
    }
}

fn members(list: &Members<'_>, diagnostics: &mut Diagnostics) {
    let (reserved, why): (&[&str], _) = match list.owner.side {
        Side::Request | Side::Shape => (&RESERVED_SETTERS, "its setter would hide a method of that name"),
        Side::Result => (&RESERVED_RESULT_MEMBERS, "every result has a field of that name"),
    };
    let mut fields: BTreeMap<String, (&str, Cursor<'_>)> = BTreeMap::new();
    for (member, at) in list.declared() {
        let name = &member.name;
        if !is_snake(name) {
            let problem = at.on_key(codes::NOT_SNAKE_CASE, format!("`{name}` is not snake_case"));
            let proper = to_snake(name);
            let help = match is_snake(&proper) {
                true => format!("write `{proper}`; the name on the wire stands in `wire`"),
                false => "start with a letter; the name on the wire stands in `wire`".to_owned(),
            };
            diagnostics.push(problem.help(help));
        }
        if reserved.contains(&name.as_str()) {
            let problem = at.on_key(
                codes::RESERVED_NAME,
                format!("a member cannot be called `{name}`: {why}"),
            );
            diagnostics.push(problem.help("choose a longer name; the name on the wire stands in `wire`"));
        }
        let field = rust_field(&to_snake(name));
        match fields.get(&field) {
            Some((other, first)) => {
                let message = format!("`{other}` and `{name}` are both the field `{field}`");
                let problem = at.on_key(codes::COLLISION, message);
                let problem = problem.related(first.file(), first.key_span(), "the first one");
                diagnostics.push(problem.help("rename one of them"));
            }
            None => _ = fields.insert(field, (name, at)),
        }
    }
}
