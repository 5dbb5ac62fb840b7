//! Waiters: times as bounds that can be met, and conditions as one thing each.

use crate::api::{Condition, Test, Waiter};
use crate::diagnostic::Diagnostics;
use crate::lint::codes;
use crate::model;
use crate::model::keys::CONDITION;
use crate::resolve::operations::{self, Facts};
use crate::spans::Cursor;

/// Resolves one waiter. The cursor stands at its entry. Whether its operation and members exist is for the lint to say.
pub(super) fn resolve(
    name: &str,
    model: &model::Waiter,
    group: &str,
    facts: &Facts<'_>,
    at: Cursor<'_>,
    diagnostics: &mut Diagnostics,
) -> Waiter {
    let (delay, max_delay) = model.delay.unwrap_or((1, 1));
    let (bounds, timeout) = ((seconds(delay), seconds(max_delay)), seconds(model.timeout));
    let in_order = matches!(bounds, (Some(delay), Some(max)) if delay <= max);
    if !in_order && at.child("delay").exists() {
        let message = format!("a wait cannot go from {delay} to {max_delay} seconds");
        let problem = at.child("delay").on_value(codes::WAITER, message);
        diagnostics.push(problem.help("write `[first, longest]` in whole seconds, from 1 on"));
    }
    let too_short = timeout.is_none_or(|timeout| bounds.0.is_some_and(|delay| timeout < delay));
    if too_short && at.child("timeout").exists() {
        let message = format!("{} seconds leave no time for a second call", model.timeout);
        let problem = at.child("timeout").on_value(codes::WAITER, message);
        diagnostics.push(problem.help("write more seconds than the first of `delay`"));
    }
    if model.done.is_empty() && at.child("done").exists() {
        let problem = at.child("done").on_key(codes::WAITER, "nothing ends the wait well");
        diagnostics.push(problem.help("write at least one condition, e.g. `done: [{success: true}]`"));
    }
    let mut conditions = |key: &str, models: &[model::Condition]| -> Vec<Condition> {
        let at = at.child(key);
        let resolved = models.iter().enumerate();
        resolved
            .map(|(index, model)| condition(model, facts, at.item(index), diagnostics))
            .collect()
    };
    Waiter {
        name: name.to_owned(),
        group: group.to_owned(),
        doc: model.doc.trim().to_owned(),
        operation: model.operation.clone(),
        delay: bounds.0.unwrap_or(1),
        max_delay: bounds.1.unwrap_or(1),
        timeout: timeout.unwrap_or(1),
        done: conditions("done", &model.done),
        fail: conditions("fail", &model.fail),
        again: conditions("again", &model.again),
    }
}

/// Thirty days; a greater number is a mistake and not a wait.
const LONGEST: u64 = 30 * 24 * 60 * 60;

fn seconds(number: i64) -> Option<u64> {
    u64::try_from(number)
        .ok()
        .filter(|seconds| (1..=LONGEST).contains(seconds))
}

/// A condition that never holds: what stands in for one that cannot be read, so that the others keep their places.
const NEVER: Condition = Condition::Error(Vec::new());

/// One condition.
fn condition(model: &model::Condition, facts: &Facts<'_>, at: Cursor<'_>, diagnostics: &mut Diagnostics) -> Condition {
    let mut refuse = |message: &str, help: &str| {
        diagnostics.push(at.on_key(codes::WAITER, message).help(help));
        NEVER
    };
    let known = |key: &String| CONDITION.keys.iter().any(|known| known.name == *key);
    if !at.keys().iter().all(known) {
        // Reported, and probably the one that is missed below.
        return NEVER;
    }
    let given =
        |keys: [&'static str; 3]| -> Vec<&str> { keys.into_iter().filter(|key| at.child(key).exists()).collect() };
    let (kinds, tests) = (
        given(["success", "error", "member"]),
        given(["is", "contains", "ends_with"]),
    );
    match kinds[..] {
        [] => refuse("the condition asks for nothing", KINDS),
        ["success" | "error"] if !tests.is_empty() => {
            refuse("the condition has values but no member", "add `member: path`")
        }
        ["success"] if at.child("success").scalar() == Some("false") => refuse(
            "a condition is not negated",
            "write `success: true`, or name the errors",
        ),
        ["success"] if model.success => Condition::Success,
        ["error"] => match &model.error {
            Some(codes) if codes.is_empty() => refuse("the condition names no error code", "write `error: [Code]`"),
            Some(codes) => {
                operations::errors(codes, facts, at.child("error"), diagnostics);
                Condition::Error(codes.clone())
            }
            None => NEVER,
        },
        ["member"] => {
            let test = match (&tests[..], &model.is, &model.contains, &model.ends_with) {
                ([_, _, ..], ..) => return refuse("the condition compares in several ways", TESTS),
                (_, Some(values), ..) if !values.is_empty() => Test::Is(values.clone()),
                (_, _, Some(text), _) if !text.is_empty() => Test::Contains(text.clone()),
                (_, _, _, Some(text)) if !text.is_empty() => Test::EndsWith(text.clone()),
                ([_], None, None, None) => return NEVER,
                _ => return refuse("the condition compares with nothing", TESTS),
            };
            match &model.member {
                Some(member) => Condition::Member {
                    path: member.split('.').map(str::to_owned).collect(),
                    test,
                },
                None => NEVER,
            }
        }
        [_] => NEVER,
        _ => refuse("the condition asks for several things at once", KINDS),
    }
}

const KINDS: &str = "write one of `success: true`, `error: [Code]` and `member: path` with its values";
const TESTS: &str = "write one of `is: [value]`, `contains: text` and `ends_with: text`";
