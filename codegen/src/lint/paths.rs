//! Paths: placeholders and the members that fill them.

use super::{Subject, codes};
use crate::api::{Member, Method, Operation, Place, Protocol, Resource, Segment};
use crate::diagnostic::{Diagnostics, nearest};
use crate::spans::Cursor;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Diagnostics) {
    for (operation, at) in subject.operations() {
        let http = at.child("http");
        if subject.service.protocol == Protocol::RpcJson
            && http.exists()
            && (operation.method != Method::Post
                || operation.resource != Resource::Service
                || !operation.query.is_empty())
        {
            let problem = http.on_value(codes::BAD_HTTP, "operations of an RPC service are all `POST /`");
            diagnostics.push(problem.help("write `http: POST /`; the operation's name goes into `Action`"));
        }
        implied(operation, at, diagnostics);
        placeholders(operation, at, diagnostics);
    }
}

/// `bucket` and `key` belong to the path, and nothing else is called so where they are implied.
fn implied(operation: &Operation, at: Cursor<'_>, diagnostics: &mut Diagnostics) {
    let has_bucket = matches!(operation.resource, Resource::Bucket | Resource::Object);
    let has_key = operation.resource == Resource::Object;
    for (place, word, implied) in [(Place::Bucket, "bucket", has_bucket), (Place::Key, "key", has_key)] {
        let mut filling = operation.request.iter().filter(|member| member.place == place);
        let first = filling.next();
        for member in filling {
            let problem = entry(at, member).on_key(codes::ONE_PAYLOAD, format!("a second member is in `{word}`"));
            diagnostics.push(problem.help("keep one of them"));
        }
        if let Some(member) = first.filter(|member| entry(at, member).exists()) {
            if !implied {
                let message = format!("the path has no `{{{word}}}` for the member `{}`", member.name);
                let help = format!("add `{{{word}}}` to the path in `http`, or move the member");
                diagnostics.push(
                    entry(at, member)
                        .child("in")
                        .on_value(codes::PATH_MEMBER, message)
                        .help(help),
                );
            } else if member.name != word {
                let message = format!("the member in `{word}` is called `{}`", member.name);
                let problem = entry(at, member).on_key(codes::PATH_MEMBER, message);
                diagnostics.push(problem.help(format!("call it `{word}`, as in every other operation")));
            }
        }
        let namesake = |member: &&Member| member.name == word && member.place != place;
        if let Some(member) = operation.request.iter().find(namesake).filter(|_| implied) {
            let message = format!("`{word}` is implied by the path and cannot be another member");
            let help = format!("add `in: {word}`, or leave the member out");
            diagnostics.push(entry(at, member).on_key(codes::PATH_MEMBER, message).help(help));
        }
    }
}

fn placeholders(operation: &Operation, at: Cursor<'_>, diagnostics: &mut Diagnostics) {
    let names: Vec<&str> = match &operation.resource {
        Resource::Path(segments) => segments
            .iter()
            .filter_map(|segment| match segment {
                Segment::Member(name) => Some(name.as_str()),
                Segment::Literal(_) => None,
            })
            .collect(),
        _ => Vec::new(),
    };
    let in_path = || operation.request.iter().filter(|member| member.place == Place::Path);
    for name in &names {
        if in_path().any(|member| member.name == *name) {
            continue;
        }
        let message = format!("no request member fills the placeholder `{{{name}}}`");
        let help = match nearest(name, in_path().map(|member| member.name.as_str())) {
            Some(near) if !names.contains(&near) => format!("did you mean `{{{near}}}`?"),
            _ => format!("declare `{name}: {{in: path, type: string, doc: ...}}` in `request`"),
        };
        diagnostics.push(at.child("http").on_value(codes::PATH_MEMBER, message).help(help));
    }
    for member in in_path().filter(|member| !names.contains(&member.name.as_str())) {
        let message = format!("the path has no placeholder `{{{}}}`", member.name);
        let problem = entry(at, member).on_key(codes::PATH_MEMBER, message);
        diagnostics.push(problem.help(format!("add `{{{}}}` to the path in `http`", member.name)));
    }
}

fn entry<'a>(at: Cursor<'a>, member: &Member) -> Cursor<'a> {
    let at = at.child("request");
    at.child(&member.name)
}
