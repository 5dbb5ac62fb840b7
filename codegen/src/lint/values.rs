//! Limits, defaults and versions: each on a member that can have it, and none against another.

use super::{Subject, codes};
use crate::api::{Literal, Member, Type};
use crate::diagnostic::Diagnostics;
use crate::spans::Cursor;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Diagnostics) {
    for (operation, at) in subject.operations() {
        version(operation.since.as_deref(), at, diagnostics);
    }
    for list in subject.member_lists() {
        for (member, at) in list.declared() {
            version(member.since.as_deref(), at, diagnostics);
            limits_fit(member, at, diagnostics);
            pattern_fits(member, at, diagnostics);
            default_fits(member, at, diagnostics);
        }
    }
}

/// A key, whether it fits the member, and what it is for.
fn limits_fit(member: &Member, at: Cursor<'_>, diagnostics: &mut Diagnostics) {
    let item = match &member.ty {
        Type::List(item) | Type::Map(item) => item.as_ref(),
        ty => ty,
    };
    let number = matches!(item, Type::Integer | Type::Float | Type::Float32);
    let text = matches!(item, Type::String | Type::Base64String);
    let many = matches!(member.ty, Type::List(_) | Type::Map(_));
    let timestamp = matches!(item, Type::Timestamp(_));
    for (key, fits, what) in [
        ("range", number, "numbers"),
        ("length", text, "strings"),
        ("pattern", text, "strings"),
        ("max_items", many, "lists and maps"),
        ("format", timestamp, "timestamps"),
        ("prefix", member.ty == Type::String, "strings"),
        ("url_decoded", text, "strings"),
    ] {
        if at.child(key).exists() && !fits {
            let problem = at
                .child(key)
                .on_key(codes::LIMIT_TYPE, format!("`{key}` is for {what}"));
            diagnostics.push(problem.help("leave it out, or correct the type"));
        }
    }
}

/// The emulator compiles patterns with the same crate, anchored in the same way.
fn pattern_fits(member: &Member, at: Cursor<'_>, diagnostics: &mut Diagnostics) {
    let (Some(pattern), at) = (&member.pattern, at.child("pattern")) else {
        return;
    };
    let anchored = format!("^(?:{pattern})$");
    match regex_lite::Regex::new(&anchored) {
        Err(error) => {
            let problem = at.on_value(
                codes::BAD_PATTERN,
                format!("the pattern is no regular expression: {error}"),
            );
            diagnostics.push(problem.help("correct it; quotes without escapes are `'...'` in YAML"));
        }
        Ok(_) if pattern.starts_with('^') || (pattern.ends_with('$') && !pattern.ends_with("\\$")) => {
            let problem = at.on_value(codes::BAD_PATTERN, "the pattern is anchored twice");
            diagnostics.push(problem.help("leave out `^` and `$`: a pattern describes the whole value"));
        }
        Ok(regex) => {
            if let Some(Literal::String(default)) = member.default.as_ref()
                && !regex.is_match(default)
            {
                let message = format!("the default `{}` does not match the pattern", default.escape_debug());
                diagnostics.push(at.on_value(codes::BAD_DEFAULT, message).help("correct one of them"));
            }
        }
    }
}

fn default_fits(member: &Member, at: Cursor<'_>, diagnostics: &mut Diagnostics) {
    let Some(default) = &member.default else {
        return;
    };
    let mut refuse = |message: String, help: &str| {
        diagnostics.push(at.child("default").on_value(codes::BAD_DEFAULT, message).help(help));
    };
    if member.required {
        refuse(
            "a required member has no default".to_owned(),
            "leave out `required` or `default`",
        );
    }
    let outside = |least: f64, most: f64, value: f64| value < least || value > most;
    let range = member.range.map(|(least, most)| (least as f64, most as f64));
    match (default, range, member.length) {
        (Literal::Integer(value), Some((least, most)), _) if outside(least, most, *value as f64) => {
            refuse(
                format!("the default {value} is outside of the range"),
                "correct one of them",
            );
        }
        (Literal::Float(value), Some((least, most)), _) if outside(least, most, *value) => {
            refuse(
                format!("the default {value} is outside of the range"),
                "correct one of them",
            );
        }
        (Literal::String(value), _, Some((least, most))) if !(least..=most).contains(&(value.len() as u64)) => {
            refuse(
                format!("the default has {} bytes, which `length` forbids", value.len()),
                "correct one of them",
            );
        }
        _ => {}
    }
}

fn version(since: Option<&str>, at: Cursor<'_>, diagnostics: &mut Diagnostics) {
    let Some(since) = since else { return };
    let parts: Vec<&str> = since.split('.').collect();
    let number = |part: &&str| !part.is_empty() && part.len() <= 5 && part.chars().all(|c| c.is_ascii_digit());
    if !(2..=3).contains(&parts.len()) || !parts.iter().all(number) {
        let problem = at
            .child("since")
            .on_value(codes::BAD_VERSION, format!("`{since}` is no version of this crate"));
        diagnostics.push(problem.help("write it as `0.2` or `0.2.1`"));
    }
}
