//! `service.yaml`: templates with placeholders that exist, and what a protocol needs.

use std::collections::BTreeMap;

use super::{Subject, codes};
use crate::api::{Protocol, SigningResource};
use crate::diagnostic::{Diagnostics, nearest};
use crate::model::structure::listed;
use crate::names::{is_snake, to_snake};
use crate::spans::Cursor;

/// Addresses that a client can choose from.
const HOSTS: [&str; 6] = [
    "public",
    "internal",
    "dual_stack",
    "accelerate",
    "accelerate_overseas",
    "central",
];

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Diagnostics) {
    let service = subject.service;
    let Some(at) = subject.index.service(&service.name) else {
        return;
    };
    if !is_snake(&service.name) {
        let message = format!("`{}` is not snake_case", service.name);
        let problem = at.child("service").on_value(codes::NOT_SNAKE_CASE, message);
        diagnostics.push(problem.help("rename the directory: the service becomes a module"));
    }
    if service.protocol == Protocol::RpcJson && service.api_version.is_none() {
        let problem = at
            .child("protocol")
            .on_value(codes::MISSING_KEY, "an RPC service needs `api_version`");
        diagnostics.push(problem.help("add `api_version: \"YYYY-MM-DD\"`, the `Version` parameter of its requests"));
    }
    if (service.protocol == Protocol::RpcJson) != (service.signing == SigningResource::Acs3)
        && at.child("signing").exists()
    {
        let problem = at
            .child("signing")
            .on_value(codes::UNKNOWN_WORD, "the signing does not fit the protocol");
        diagnostics.push(problem.help("`acs3` signs RPC services, and only those"));
    }
    error_codes(subject, at, diagnostics);
    for (kind, host) in &service.hosts {
        let at = at.path(&["hosts", kind]);
        if !HOSTS.contains(&kind.as_str()) {
            let help = match nearest(kind, HOSTS) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("one of {}", listed(HOSTS)),
            };
            diagnostics.push(
                at.on_key(codes::UNKNOWN_WORD, format!("unknown kind of host `{kind}`"))
                    .help(help),
            );
        }
        template(host, &["{region}"], "a host", at, diagnostics);
        let bare = host.replace("{region}", "region");
        let is_label = |label: &str| !label.is_empty() && label.chars().all(is_label_char);
        if !bare.contains(['{', '}']) && !bare.split('.').all(is_label) {
            let problem = at.on_value(codes::TEMPLATE, format!("`{host}` is no host name"));
            diagnostics.push(
                problem.help("write labels of `a-z`, `0-9` and `-` with dots between them, no scheme and no port"),
            );
        }
    }
    bucket_templates(subject, at, diagnostics);
    for (_, operation) in subject.service.operations() {
        if let Some(at) = subject.index.operation(&service.name, &operation.name) {
            let reference = operation.reference.as_deref().unwrap_or_default();
            template(
                reference,
                &[],
                "the reference of an operation",
                at.child("reference"),
                diagnostics,
            );
        }
    }
    if let Some(reference) = at.child("reference").scalar() {
        template(
            reference,
            &["{operation}"],
            "the reference",
            at.child("reference"),
            diagnostics,
        );
    }
}

/// Templates of names that become a label of a host, which every bucket has its own of.
fn bucket_templates(subject: &Subject<'_>, at: Cursor<'_>, diagnostics: &mut Diagnostics) {
    let service = subject.service;
    for (key, name, known) in [
        (
            "bucket_name",
            &service.bucket_name,
            &["{bucket}", "{account_id}", "{region}"][..],
        ),
        ("alias_host", &service.alias_host, &["{bucket}"]),
    ] {
        let (Some(name), at) = (name, at.child(key)) else {
            continue;
        };
        template(name, known, &format!("`{key}`"), at, diagnostics);
        let bare = known
            .iter()
            .fold(name.clone(), |name, placeholder| name.replace(placeholder, "x"));
        if !name.contains("{bucket}") {
            let problem = at.on_value(codes::TEMPLATE, "all buckets would have one name");
            diagnostics.push(problem.help("write `{bucket}` where the name of the caller stands"));
        } else if !bare.contains(['{', '}'])
            && (bare.starts_with('-') || bare.ends_with('-') || !bare.chars().all(is_label_char))
        {
            let problem = at.on_value(codes::TEMPLATE, format!("`{name}` is no label of a host name"));
            diagnostics.push(problem.help("write `a-z`, `0-9` and inner `-` around the placeholders"));
        }
    }
    if service.alias_host.is_some() && service.bucket_name.is_none() {
        let problem = at
            .child("alias_host")
            .on_key(codes::TEMPLATE, "an alias of buckets that have no other name");
        diagnostics.push(problem.help("add `bucket_name`: the signature needs the full name"));
    }
}

fn is_label_char(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'
}

/// Codes become constants, so they have a name and none has another's.
fn error_codes(subject: &Subject<'_>, at: Cursor<'_>, diagnostics: &mut Diagnostics) {
    let mut constants: BTreeMap<String, (&str, Cursor<'_>)> = BTreeMap::new();
    for error in &subject.service.errors {
        let (code, at) = (error.code.as_str(), at.path(&["errors", &error.code]));
        let constant = to_snake(code).to_ascii_uppercase();
        if constant.is_empty() || code.chars().any(|c| c.is_whitespace() || c.is_control()) {
            let problem = at.on_key(codes::WIRE_NAME, format!("`{}` is no error code", code.escape_debug()));
            diagnostics.push(problem.help("write the code as answers have it, e.g. `NoSuchKey`"));
            continue;
        }
        match constants.get(&constant) {
            Some((other, first)) => {
                let problem = at
                    .on_key(
                        codes::COLLISION,
                        format!("`{other}` and `{code}` are both the constant `{constant}`"),
                    )
                    .related(first.file(), first.key_span(), "the other one");
                diagnostics.push(problem.help("keep the code that the service sends"));
            }
            None => _ = constants.insert(constant, (code, at)),
        }
    }
}

/// Reports placeholders that nothing fills.
fn template(text: &str, known: &[&str], what: &str, at: Cursor<'_>, diagnostics: &mut Diagnostics) {
    if !at.exists() {
        return;
    }
    let rest = known
        .iter()
        .fold(text.to_owned(), |text, placeholder| text.replace(placeholder, ""));
    let Some(start) = rest.find(['{', '}']) else {
        return;
    };
    let end = rest[start..].find('}').map_or(rest.len(), |end| start + end + 1);
    let placeholder = &rest[start..end];
    let help = match (nearest(placeholder, known.iter().copied()), known) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, []) => "write the address itself".to_owned(),
        (None, _) => format!("{what} has {}", listed(known.iter().copied())),
    };
    diagnostics.push(
        at.on_value(codes::TEMPLATE, format!("unknown placeholder `{placeholder}`"))
            .help(help),
    );
}
