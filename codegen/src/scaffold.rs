//! Entries of the model for operations that are still to be described: what `cargo xtask new` writes.
//!
//! The sentences are placeholders that the lint refuses, so nobody generates from an entry that was not finished.

use std::fmt;

use askama::Template;

use crate::api::{Protocol, Service};
use crate::names::{is_snake, is_upper_camel, to_snake};

/// What the author says about an operation.
#[derive(Debug, Clone, Default)]
pub struct Scaffold {
    /// UpperCamelCase name of the API reference, e.g. `PutBucketCors`.
    pub operation: String,
    /// Method, path and fixed query, e.g. `PUT /{bucket}?cors`.
    pub http: String,
    /// Group to put it into; derived from the operation's name when absent.
    pub group: Option<String>,
    /// Members of the request, as `name:in:wire:type[:required]`.
    pub request: Vec<String>,
    /// Members of the result, in the same form.
    pub result: Vec<String>,
}

/// The entry, and where it belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Name of the group.
    pub group: String,
    /// Path of the file below the models directory, e.g. `oss/bucket_cors.yaml`.
    pub path: String,
    /// Lines to put under `operations:`, or the whole file when the group does not exist yet.
    pub text: String,
    /// Whether `text` is a whole file.
    pub is_new_file: bool,
}

/// Something that the author said and that makes no entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScaffoldError(String);

impl fmt::Display for ScaffoldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ScaffoldError {}

/// Makes an entry for an operation that the service does not have yet.
///
/// # Errors
///
/// When a name, the `http` line or a member cannot be used; the text says what to write instead.
pub fn scaffold(service: &Service, wanted: &Scaffold) -> Result<Entry, ScaffoldError> {
    let name = &wanted.operation;
    if !is_upper_camel(name) {
        return Err(refuse(format!(
            "`{name}` is no name of an operation: write it as in the API reference, e.g. `PutBucketCors`"
        )));
    }
    if service.operation(name).is_some() {
        return Err(refuse(format!(
            "the service `{}` has an operation `{name}` already",
            service.name
        )));
    }
    let http = match (service.protocol, wanted.http.trim()) {
        (Protocol::RpcJson, "") => "POST /",
        (_, http) => http,
    };
    let (method, path) = http.split_once(' ').unwrap_or((http, ""));
    if !["GET", "PUT", "HEAD", "POST", "DELETE", "OPTIONS"].contains(&method)
        || !path.starts_with('/')
        || path.chars().any(|c| c.is_whitespace() || c.is_control())
    {
        return Err(refuse(format!(
            "`{http}` is no `http` line: write a method, one space and a path, e.g. `PUT /{{bucket}}?cors`"
        )));
    }
    let group = wanted.group.clone().unwrap_or_else(|| group_of(name));
    if !is_snake(&group) || matches!(group.as_str(), "service" | "common") {
        return Err(refuse(format!(
            "`{group}` is no name of a group: write snake_case, e.g. `bucket_cors`"
        )));
    }
    let template = OperationTemplate {
        name,
        http: quoted(http),
        request: members(&wanted.request)?,
        result: members(&wanted.result)?,
    };
    let entry = template
        .render()
        .map_err(|error| refuse(format!("the entry cannot be written: {error}")))?;
    let entry = format!("{}\n", entry.trim_end());
    let is_new_file = service.groups.iter().all(|existing| existing.name != group);
    let text = match is_new_file {
        true => format!(
            "# yaml-language-server: $schema=../schema.json\nservice: {}\ngroup: {group}\noperations:\n{entry}",
            service.name
        ),
        false => entry,
    };
    Ok(Entry {
        path: format!("{}/{group}.yaml", service.name),
        group,
        text,
        is_new_file,
    })
}

#[derive(Template)]
#[template(path = "operation.yaml", escape = "none")]
struct OperationTemplate<'a> {
    name: &'a str,
    http: String,
    request: Vec<MemberLine>,
    result: Vec<MemberLine>,
}

struct MemberLine {
    name: String,
    attributes: String,
}

fn refuse(message: String) -> ScaffoldError {
    ScaffoldError(message)
}

/// The group that an operation most likely belongs to: its name without the verb.
fn group_of(operation: &str) -> String {
    let snake = to_snake(operation);
    match snake.split_once('_') {
        Some((_, rest)) => rest.to_owned(),
        None => snake,
    }
}

fn members(texts: &[String]) -> Result<Vec<MemberLine>, ScaffoldError> {
    texts.iter().map(|text| member(text)).collect()
}

fn member(text: &str) -> Result<MemberLine, ScaffoldError> {
    if text.chars().any(char::is_control) {
        return Err(refuse(format!("`{}` has a control character", text.escape_debug())));
    }
    let form = "`name:in:wire:type[:required]`, e.g. `max_keys:query:max-keys:integer`";
    let parts: Vec<&str> = text.split(':').collect();
    let (name, place, wire, ty, required) = match parts[..] {
        [name, place, wire, ty] => (name, place, wire, ty, false),
        [name, place, wire, ty, "required"] => (name, place, wire, ty, true),
        _ => return Err(refuse(format!("`{text}` is no member: write {form}"))),
    };
    if !is_snake(name) {
        return Err(refuse(format!(
            "`{name}` in `{text}` is no name of a member: write snake_case"
        )));
    }
    let mut attributes = Vec::new();
    if !matches!(place, "" | "field") {
        attributes.push(format!("in: {}", quoted(place)));
    }
    if !wire.is_empty() {
        attributes.push(format!("wire: {}", quoted(wire)));
    }
    match ty
        .split_once('<')
        .map(|(kind, item)| (kind, item.trim_end_matches('>')))
    {
        Some((kind @ ("list" | "map"), item)) => attributes.push(format!("{kind}: {}", quoted(item))),
        Some(_) => {
            return Err(refuse(format!(
                "`{ty}` in `{text}` is no type: write `string`, `list<Name>` or `map<Name>`"
            )));
        }
        None if ty.is_empty() => {}
        None => attributes.push(format!("type: {}", quoted(ty))),
    }
    if required {
        attributes.push("required: true".to_owned());
    }
    attributes.push("doc: \"<what it means, with unit, limit and default>\"".to_owned());
    Ok(MemberLine {
        name: name.to_owned(),
        attributes: attributes.join(", "),
    })
}

/// Text as YAML that means itself, in a flow mapping too.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./>".contains(c);
    let is_word = text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(plain);
    let is_plain = is_word && !matches!(text, "true" | "false" | "null");
    // A path may stand as it is where no flow mapping is around it; braces need quotes only at the start.
    let is_http = text.split_once(" /").is_some_and(|(method, path)| {
        method.chars().all(|c| c.is_ascii_uppercase()) && !path.contains([':', '#', '"', '\\'])
    });
    if is_plain || is_http {
        text.to_owned()
    } else {
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
    }
}
