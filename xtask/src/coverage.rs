//! `cargo xtask api --coverage`: the models held against a table of facts, member by member.
//!
//! Differences on purpose are rows of a table in [`EXPLAINED`]; everything else that differs counts as missing.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use oss_codegen::api::{Api, Member, Operation, Place, Protocol, Service, ShapeId, Type};
use oss_codegen::emit::pages::http_line;
use serde_json::Value;

use crate::Outcome;

/// The page whose tables explain differences: the first column is where, with `*` for any text, the second which aspect.
const EXPLAINED: &str = "docs/decisions/005-coverage.md";

/// One thing that differs.
#[derive(Debug)]
struct Difference {
    /// `service/Operation side.member.inner`, or `service/Operation`.
    place: String,
    /// `absent`, `name`, `place`, `wire`, `type`, `required` or `http`.
    aspect: &'static str,
    facts: String,
    model: String,
}

/// Compares the models with the facts of a file or of all files of a directory.
pub(crate) fn run(api: &Api, facts: &Path) -> Outcome {
    let explained = Explained::read(&crate::repository().join(EXPLAINED))?;
    let mut missing = 0;
    let mut on_purpose = 0;
    let mut used = BTreeSet::new();
    for file in files(facts)? {
        let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let facts: Value = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?;
        // Other tables, such as test vectors, may lie in the same directory.
        let (Some(name), Some(operations)) = (facts["service"].as_str(), facts["operations"].as_array()) else {
            continue;
        };
        let mut comparison = Comparison {
            service: api.service(name),
            name,
            facts: &facts,
            differences: Vec::new(),
            members: 0,
            seen: BTreeSet::new(),
        };
        let modelled = operations.iter().filter(|fact| comparison.operation(fact)).count();
        println!(
            "{name}: {modelled} of {} operations, {} members compared",
            operations.len(),
            comparison.members
        );
        for difference in comparison.differences {
            let Difference {
                place,
                aspect,
                facts,
                model,
            } = &difference;
            if let Some(row) = explained.row(place, aspect) {
                on_purpose += 1;
                used.insert(row);
            } else {
                missing += 1;
                println!("  {place} {aspect}: {facts} in the facts, {model} in the model");
            }
        }
    }
    for (at, row) in explained.rows.iter().enumerate() {
        if !used.contains(&at) {
            missing += 1;
            println!("  {EXPLAINED} explains `{} {}`, which does not differ", row.0, row.1);
        }
    }
    println!("{missing} missing, {on_purpose} different on purpose ({EXPLAINED})");
    Ok(if missing == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn files(facts: &Path) -> Result<Vec<PathBuf>, Box<dyn std::error::Error>> {
    if !facts.is_dir() {
        return Ok(vec![facts.to_owned()]);
    }
    let entries = std::fs::read_dir(facts)?.map(|entry| entry.map(|entry| entry.path()));
    let mut files = entries.collect::<Result<Vec<_>, _>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    Ok(files)
}

/// Differences that have a reason.
struct Explained {
    rows: Vec<(String, String)>,
}

impl Explained {
    fn read(page: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        let text = std::fs::read_to_string(page).map_err(|error| format!("{}: {error}", page.display()))?;
        let rows = text.lines().filter_map(|line| {
            let mut cells = line
                .strip_prefix("| `")?
                .split('|')
                .map(|cell| cell.trim().trim_matches('`'));
            Some((cells.next()?.to_owned(), cells.next()?.to_owned()))
        });
        Ok(Self { rows: rows.collect() })
    }

    fn row(&self, place: &str, aspect: &str) -> Option<usize> {
        self.rows
            .iter()
            .position(|(pattern, of)| of == aspect && matches(pattern, place))
    }
}

/// Whether a text fits a pattern in which `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

struct Comparison<'c> {
    service: Option<&'c Service>,
    name: &'c str,
    facts: &'c Value,
    differences: Vec<Difference>,
    members: usize,
    /// Shapes that were compared, so each is reported once.
    seen: BTreeSet<(String, ShapeId)>,
}

impl Comparison<'_> {
    fn differ(&mut self, place: &str, aspect: &'static str, facts: impl Into<String>, model: impl Into<String>) {
        self.differences.push(Difference {
            place: place.to_owned(),
            aspect,
            facts: facts.into(),
            model: model.into(),
        });
    }

    /// Compares an operation; returns whether the models have it.
    fn operation(&mut self, fact: &Value) -> bool {
        let name = fact["name"].as_str().unwrap_or("?");
        let place = format!("{}/{name}", self.name);
        let Some((service, operation)) = self
            .service
            .and_then(|service| service.operation(name).map(|operation| (service, operation)))
        else {
            self.differ(&place, "absent", "an operation", "nothing");
            return false;
        };
        let (stated, modelled) = (fact_http_line(fact), sorted_line(&http_line(operation)));
        if service.protocol != Protocol::RpcJson && stated != modelled {
            self.differ(&format!("{place} http"), "http", stated, modelled);
        }
        for (side, members) in [("request", &operation.request), ("result", &operation.result)] {
            for fact in fact[side].as_array().into_iter().flatten() {
                if is_off_the_wire(fact) {
                    continue;
                }
                self.member_of(service, operation, side, members, fact, &place);
            }
        }
        true
    }

    fn member_of(
        &mut self,
        service: &Service,
        operation: &Operation,
        side: &str,
        members: &[Member],
        fact: &Value,
        of: &str,
    ) {
        let name = fact["name"].as_str().unwrap_or("?");
        let place = format!("{of} {side}.{name}");
        self.members += 1;
        let wire = fact["wire"].as_str().unwrap_or_default();
        let named = members.iter().find(|member| member.name == name);
        let Some(member) = named.or_else(|| members.iter().find(|member| member.wire.join(">") == wire)) else {
            return self.differ(&place, "absent", "a member", "nothing");
        };
        if member.name != name {
            self.differ(&place, "name", name, &member.name);
        }
        let word = fact["location"].as_str().unwrap_or("?");
        if !fits_place(fact, side, member, service) {
            self.differ(&place, "place", word, format!("{:?}", member.place));
        }
        let modelled = match (&member.place, member.ty.shape()) {
            (Place::Body, Some(shape)) => {
                let root = if side == "request" {
                    &operation.request_root
                } else {
                    &operation.result_root
                };
                let shape = service.shape(shape);
                // One of several documents has the names of its members.
                let names = shape
                    .members
                    .iter()
                    .map(|member| member.wire.join(">"))
                    .collect::<Vec<_>>()
                    .join("|");
                if shape.one_of {
                    names
                } else {
                    root.clone().unwrap_or_else(|| shape.wire.clone())
                }
            }
            (Place::Bucket | Place::Key | Place::Path | Place::RootText | Place::Callback | Place::Frame, _) => {
                wire.to_owned()
            }
            _ => member.wire.join(">"),
        };
        let is_header = matches!(member.place, Place::Header | Place::HeaderMap);
        if !wire.is_empty() && wire != modelled && !(is_header && wire.eq_ignore_ascii_case(&modelled)) {
            self.differ(&place, "wire", wire, modelled);
        }
        let stated = fact["query_json"].as_str().or(fact["type"].as_str()).unwrap_or("?");
        self.compare_type(service, stated, &member.ty, &place);
        if side == "request" {
            let alternative = operation.any_of.iter().flatten().any(|other| other == name);
            let required = fact["required"] == true;
            if required != member.required && !(required && alternative) {
                let word = |required| if required { "required" } else { "optional" };
                self.differ(&place, "required", word(required), word(member.required));
            }
        }
    }

    fn compare_type(&mut self, service: &Service, stated: &str, ty: &Type, place: &str) {
        let inner = |prefix: &str| stated.strip_prefix(prefix).and_then(|rest| rest.strip_suffix('>'));
        match (stated, ty) {
            ("string", Type::String | Type::Enum(_) | Type::Base64String)
            | ("int64", Type::Integer)
            | ("bool", Type::Bool)
            | ("float", Type::Float | Type::Float32)
            | ("timestamp", Type::Timestamp(_))
            | ("stream", Type::Stream)
            | ("any" | "map<string,any>", Type::Any) => {}
            (_, Type::Enum(_)) if stated.starts_with("enum:") => {}
            (_, Type::Shape(id)) if stated.starts_with("struct:") => {
                self.compare_shape(service, &stated["struct:".len()..], *id, place);
            }
            (_, Type::List(item)) if inner("list<").is_some() => {
                self.compare_type(service, inner("list<").unwrap_or_default(), item, place);
            }
            (_, Type::Map(item)) if inner("map<string,").is_some() => {
                self.compare_type(service, inner("map<string,").unwrap_or_default(), item, place);
            }
            _ => self.differ(place, "type", stated, describe(service, ty)),
        }
    }

    fn compare_shape(&mut self, service: &Service, stated: &str, id: ShapeId, place: &str) {
        if !self.seen.insert((stated.to_owned(), id)) {
            return;
        }
        let facts = self.facts;
        let shapes = facts["shapes"].as_array().into_iter().flatten();
        let Some(fact) = shapes.into_iter().find(|shape| shape["name"] == stated) else {
            return self.differ(place, "type", format!("struct:{stated}, which is not there"), "a shape");
        };
        let shape = service.shape(id);
        for fact in fact["members"].as_array().into_iter().flatten() {
            if is_off_the_wire(fact) {
                continue;
            }
            let name = fact["name"].as_str().unwrap_or("?");
            let place = format!("{}/{} {name}", self.name, shape.name);
            self.members += 1;
            let wire = fact["wire"].as_str().unwrap_or_default();
            let named = shape.members.iter().find(|member| member.name == name);
            let same_wire = || shape.members.iter().find(|member| member.wire.join(">") == wire);
            let Some(member) = named.or_else(same_wire) else {
                self.differ(&place, "absent", "a member", "nothing");
                continue;
            };
            if member.name != name {
                self.differ(&place, "name", name, &member.name);
            }
            let modelled = member.wire.join(">");
            let is_alias = member.aliases.iter().any(|alias| alias == wire);
            if wire != modelled && !is_alias {
                self.differ(&place, "wire", wire, modelled);
            }
            let stated = fact["type"].as_str().unwrap_or("?");
            self.compare_type(service, stated, &member.ty, &place);
        }
    }
}

/// Members that never travel, or that are a second view of others.
fn is_off_the_wire(fact: &Value) -> bool {
    matches!(fact["location"].as_str(), Some("client" | "nop"))
        || fact["deprecated"] == true
        || fact["alternative"] == true
}

fn fits_place(fact: &Value, side: &str, member: &Member, service: &Service) -> bool {
    let is_json = service.protocol != Protocol::RestXml;
    match (fact["location"].as_str().unwrap_or_default(), &member.place) {
        ("host", Place::Bucket)
        | ("path", Place::Key)
        | ("path-segment", Place::Path)
        | ("header", Place::Header)
        | ("header-map", Place::HeaderMap)
        | ("body-root", Place::Body)
        | ("body-text", Place::RootText | Place::Text)
        | ("body-stream", Place::Stream)
        | ("body-callback-json", Place::Callback)
        | ("frame", Place::Frame) => true,
        ("query", Place::Query) => fact["query_json"].is_null(),
        ("query", Place::QueryJson) => !fact["query_json"].is_null(),
        // Parameters of an RPC service are fields wherever they travel.
        ("query", Place::Field) => service.protocol == Protocol::RpcJson,
        ("body", Place::Field) => side == "result" || is_json,
        ("body", place) => match fact["body"].as_str() {
            Some("xml" | "json") => *place == Place::Body,
            Some("stream") => *place == Place::Stream,
            Some("text") => *place == Place::Text,
            _ => false,
        },
        _ => false,
    }
}

/// Method, path and query of the facts, as models write them.
fn fact_http_line(fact: &Value) -> String {
    let path = fact["path_template"].as_str().map_or_else(
        || match fact["resource"].as_str() {
            Some("bucket") => "/{bucket}".to_owned(),
            Some("object") => "/{bucket}/{key}".to_owned(),
            _ => "/".to_owned(),
        },
        str::to_owned,
    );
    let query = fact["query"].as_object().into_iter().flatten();
    let query: Vec<String> = query
        .map(|(key, value)| match value.as_str() {
            Some("") | None => key.clone(),
            Some(value) => format!("{key}={value}"),
        })
        .collect();
    let mark = if query.is_empty() { "" } else { "?" };
    sorted_line(&format!(
        "{} {path}{mark}{}",
        fact["method"].as_str().unwrap_or("?"),
        query.join("&")
    ))
}

/// A line with its query in order, since the order says nothing.
fn sorted_line(line: &str) -> String {
    match line.split_once('?') {
        Some((path, query)) => {
            let mut query: Vec<&str> = query.split('&').collect();
            query.sort_unstable();
            format!("{path}?{}", query.join("&"))
        }
        None => line.to_owned(),
    }
}

fn describe(service: &Service, ty: &Type) -> String {
    match ty {
        Type::Shape(id) => format!("struct:{}", service.shape(*id).name),
        Type::Enum(id) => format!("enum:{}", service.enumeration(*id).name),
        Type::List(item) => format!("list<{}>", describe(service, item)),
        Type::Map(item) => format!("map<string,{}>", describe(service, item)),
        other => format!("{other:?}").to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_stand_for_any_text() {
        for (pattern, text, expected) in [
            ("oss/PutBucket request.acl", "oss/PutBucket request.acl", true),
            ("oss/* request.acl", "oss/PutBucket request.acl", true),
            ("*.acl", "oss/PutBucket request.acl", true),
            ("oss/*.a*l", "oss/PutBucket request.acl", true),
            ("oss/PutBucket", "oss/PutBucket request.acl", false),
            ("*.key", "oss/PutBucket request.acl", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
