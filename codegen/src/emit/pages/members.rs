//! Tables of members: of requests, results and shapes.

use super::behaviour::deprecation;
use super::http;
use super::links::Links;
use super::markdown::{Page, code, codes, sentences};
use super::or;
use crate::api::{Literal, Member, Place, Type};
use crate::emit::field::Role;
use crate::names;

/// Header that the parts of a copy source make up together.
const COPY_SOURCE: &str = "x-oss-copy-source";

/// Adds the members of a request or a result.
pub(super) fn of_operation(page: &mut Page, links: Links<'_>, members: &[Member], role: Role<'_>) {
    let is_request = matches!(role, Role::Request);
    let rows = members.iter().map(|member| {
        [
            name(member),
            http::place(&member.place, links.service.protocol, is_request).to_owned(),
            wire(member),
            links.ty(&member.ty),
            rules(member, role),
            meaning(member),
        ]
    });
    page.table(["member", "place", "wire name", "type", "rules", "meaning"], rows);
}

/// Adds the members of a shape.
pub(super) fn of_shape(page: &mut Page, links: Links<'_>, members: &[Member], role: Role<'_>) {
    let rows = members.iter().map(|member| {
        [
            name(member),
            wire(member),
            links.ty(&member.ty),
            rules(member, role),
            meaning(member),
        ]
    });
    page.table(["member", "wire name", "type", "rules", "meaning"], rows);
}

fn name(member: &Member) -> String {
    code(&names::rust_field(&member.name))
}

fn wire(member: &Member) -> String {
    match member.place {
        Place::CopySourceBucket | Place::CopySourceKey | Place::CopySourceVersionId => code(COPY_SOURCE),
        _ => code(&member.wire.join(">")),
    }
}

fn meaning(member: &Member) -> String {
    let mut text = sentences(&member.doc);
    if let Some(note) = deprecation(member.deprecated.as_ref()) {
        text = format!("{note} {text}");
    }
    if let Some(version) = &member.since {
        text.push_str(&format!(" Since {version}."));
    }
    text
}

/// What must hold for a value, and what happens to it.
fn rules(member: &Member, role: Role<'_>) -> String {
    let (is_sent, is_read) = match role {
        Role::Request => (true, false),
        Role::Result => (false, true),
        Role::Shape(shape) => (shape.input, shape.output),
    };
    let mut rules = Vec::new();
    if member.required && member.ty != Type::Stream {
        rules.push(if is_sent { "required" } else { "always there" }.to_owned());
    }
    if let Some(default) = &member.default {
        let value = match default {
            Literal::String(text) if text.is_empty() => "empty".to_owned(),
            Literal::String(text) => code(text),
            Literal::Integer(number) => number.to_string(),
            Literal::Float(number) => number.to_string(),
            Literal::Bool(value) => value.to_string(),
        };
        rules.push(match is_read {
            true => format!("{value} when absent"),
            false => format!("default {value}"),
        });
    }
    rules.extend(member.range.map(|(least, most)| match (least, most) {
        (least, i64::MAX) => format!("at least {least}"),
        (i64::MIN, most) => format!("at most {most}"),
        (least, most) => format!("{least} to {most}"),
    }));
    rules.extend(member.length.map(|(least, most)| match (least, most) {
        (0, most) => format!("at most {most} bytes"),
        (least, u64::MAX) => format!("at least {least} bytes"),
        (least, most) if least == most => format!("{least} bytes"),
        (least, most) => format!("{least} to {most} bytes"),
    }));
    rules.extend(member.max_items.map(|most| format!("at most {most} items")));
    rules.extend(
        member
            .pattern
            .as_ref()
            .map(|pattern| format!("matches {}", code(pattern))),
    );
    rules.extend(
        member
            .prefix
            .as_ref()
            .map(|prefix| format!("sent after {}", code(prefix))),
    );
    if let (Place::Text, true, Some(wire)) = (&member.place, is_sent, member.wire.first()) {
        rules.push(format!("sent as {}", code(&format!("{wire}=..."))));
    }
    if member.bucket_arn {
        rules.push("ARN of the bucket that is addressed".to_owned());
    }
    if member.sensitive {
        rules.push("secret".to_owned());
    }
    if member.url_decoded {
        rules.push("decoded".to_owned());
    }
    if !member.aliases.is_empty() {
        rules.push(format!("also read from {}", or(&codes(&member.aliases))));
    }
    rules.join("; ")
}
