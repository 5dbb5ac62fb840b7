//! Waiters: operations and members that exist, and conditions that some answer can meet.

use super::member_paths::{Site, Start};
use super::{Subject, codes};
use crate::api::{Condition, Operation, Test, Type, Waiter};
use crate::diagnostic::{Diagnostics, nearest};
use crate::model::structure::listed;
use crate::names::{is_snake, to_snake};
use crate::spans::Cursor;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Diagnostics) {
    let (service, index) = (subject.service, subject.index);
    for waiter in &service.waiters {
        let Some(at) = index.waiter(&service.name, &waiter.name) else {
            continue;
        };
        name(subject, waiter, at, diagnostics);
        let operation = service.operation(&waiter.operation);
        if operation.is_none() && index.is_complete(&service.name) && at.child("operation").exists() {
            let message = format!("unknown operation `{}`", waiter.operation.escape_debug());
            let names = service.operations().map(|(_, operation)| operation.name.as_str());
            let help = match nearest(&waiter.operation, names) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "name an operation of this service, of whichever group".to_owned(),
            };
            let problem = at.child("operation").on_value(codes::UNKNOWN_OPERATION, message);
            diagnostics.push(problem.help(help));
        }
        let mut seen: Vec<&Condition> = Vec::new();
        for (key, conditions) in [("done", &waiter.done), ("fail", &waiter.fail), ("again", &waiter.again)] {
            for (position, condition) in conditions.iter().enumerate() {
                if *condition == Condition::Error(Vec::new()) {
                    // Could not be read, which is reported.
                    continue;
                }
                let at = at.child(key).item(position);
                if let Some(operation) = operation {
                    meets(subject, operation, condition, at, diagnostics);
                }
                // After a success only errors are left to ask for.
                let after_success = seen.contains(&&Condition::Success) && !matches!(condition, Condition::Error(_));
                if seen.contains(&condition) || after_success {
                    let problem = at.on_key(codes::WAITER, "an earlier condition decides before this one");
                    diagnostics.push(problem.help("the first that holds decides: `done`, then `fail`, then `again`"));
                }
                seen.push(condition);
            }
        }
    }
}

/// The name becomes a method.
fn name(subject: &Subject<'_>, waiter: &Waiter, at: Cursor<'_>, diagnostics: &mut Diagnostics) {
    let name = &waiter.name;
    if !is_snake(name) {
        let problem = at.on_key(codes::NOT_SNAKE_CASE, format!("`{name}` is not snake_case"));
        diagnostics.push(problem.help(format!("write `{}`", to_snake(name))));
    }
    let method = format!("wait_until_{name}");
    if let Some((operation, first)) = subject
        .operations()
        .find(|(operation, _)| operation.method_name == method)
    {
        let message = format!("`{name}` and `{}` are both the method `{method}`", operation.name);
        let problem = at.on_key(codes::COLLISION, message);
        let problem = problem.related(first.file(), first.key_span(), "the operation");
        diagnostics.push(problem.help("rename the waiter"));
    }
}

/// Whether an answer of the operation can meet a condition.
fn meets(
    subject: &Subject<'_>,
    operation: &Operation,
    condition: &Condition,
    at: Cursor<'_>,
    diagnostics: &mut Diagnostics,
) {
    let Condition::Member { path, test } = condition else {
        return;
    };
    let start = Start {
        service: subject.service,
        side: "result",
        members: &operation.result,
    };
    let path = path.join(".");
    let Some(found) = start.find(&path, Site::Value(at.child("member")), diagnostics) else {
        return;
    };
    let item = match &found.member.ty {
        Type::List(item) => item.as_ref(),
        ty => ty,
    };
    let text = matches!(item, Type::String | Type::Base64String | Type::Enum(_));
    match test {
        Test::Contains(_) | Test::EndsWith(_) if !text => {
            let problem = at
                .child("member")
                .on_value(codes::WAITER, format!("`{path}` is no text"));
            diagnostics.push(problem.help("compare its values: `is: [value]`"));
        }
        Test::Is(_) if !text && !matches!(item, Type::Bool | Type::Integer) => {
            let problem = at
                .child("member")
                .on_value(codes::WAITER, format!("`{path}` has no values to compare"));
            diagnostics.push(problem.help("name a member that is text, an enum, an integer or a bool"));
        }
        Test::Is(values) => {
            for (index, value) in values.iter().enumerate() {
                let at = at.child("is").item(index);
                if let Some(help) = never(subject, item, value) {
                    let problem = at.on_value(codes::WAITER, format!("`{path}` never is `{}`", value.escape_debug()));
                    diagnostics.push(problem.help(help));
                }
            }
        }
        _ => {}
    }
}

/// Why a member of a type cannot have a value.
fn never(subject: &Subject<'_>, ty: &Type, value: &str) -> Option<String> {
    match ty {
        Type::Bool if !matches!(value, "true" | "false") => Some("a bool is `true` or `false`".to_owned()),
        Type::Integer if value.parse::<i64>().is_err() => Some("an integer is written with digits".to_owned()),
        Type::Enum(id) => {
            let values = || {
                subject
                    .service
                    .enumeration(*id)
                    .values
                    .iter()
                    .map(|known| known.wire.as_str())
            };
            if values().any(|known| known == value) {
                return None;
            }
            Some(match nearest(value, values()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("its values are {}", listed(values())),
            })
        }
        _ => None,
    }
}
