//! `cargo xtask api`: what the models hold, and what they lack of a table of facts.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use oss_codegen::api::{Api, Member, Operation, Service};
use oss_codegen::diagnostic::render::{Style, render};
use serde_json::Value;

use crate::{Outcome, codegen};

/// Lists services, groups and operations.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: cargo xtask api --coverage facts/")]
pub(crate) struct Arguments {
    /// As Markdown tables.
    #[arg(long)]
    markdown: bool,
    /// Compare with a facts file, or a directory of them: one JSON file a service with `service` and `operations`.
    /// Exits with 1 when an operation of a modelled group, or a member of a modelled operation, is missing.
    #[arg(long, value_name = "PATH", conflicts_with = "markdown")]
    coverage: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let api = match codegen::load(&crate::repository().join("models"))? {
        Ok(api) => api,
        Err(broken) => {
            eprint!("{}", render(&broken.diagnostics, &broken.sources, Style::default()));
            return Ok(ExitCode::FAILURE);
        }
    };
    if let Some(facts) = &arguments.coverage {
        return coverage(&api, facts);
    }
    for service in &api.services {
        if arguments.markdown {
            markdown(service);
        } else {
            list(service);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(service: &Service) {
    println!("{} ({} operations)", service.name, service.operations().count());
    for group in &service.groups {
        println!("  {}", group.name);
        for operation in &group.operations {
            println!("    {:<32} {}", operation.name, http_line(operation));
        }
    }
}

fn markdown(service: &Service) {
    println!("## {}\n\n{}\n", service.name, service.doc);
    println!("| operation | HTTP | what it does |\n| --- | --- | --- |");
    for (_, operation) in service.operations() {
        println!(
            "| {} | `{}` | {} |",
            operation.name,
            http_line(operation),
            operation.doc.replace('\n', " ")
        );
    }
    println!();
}

/// Method, path and fixed query.
fn http_line(operation: &Operation) -> String {
    use oss_codegen::api::{Resource, Segment};
    let path = match &operation.resource {
        Resource::Service => "/".to_owned(),
        Resource::Bucket => "/{bucket}".to_owned(),
        Resource::Object => "/{bucket}/{key}".to_owned(),
        Resource::Path(segments) => segments.iter().fold(String::new(), |path, segment| match segment {
            Segment::Literal(text) => format!("{path}/{text}"),
            Segment::Member(name) => format!("{path}/{{{name}}}"),
        }),
    };
    let query: Vec<String> = operation
        .query
        .iter()
        .map(|(key, value)| {
            value
                .as_ref()
                .map_or_else(|| key.clone(), |value| format!("{key}={value}"))
        })
        .collect();
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{} {path}{mark}{}", operation.method.as_str(), query.join("&"))
}

fn coverage(api: &Api, facts: &Path) -> Outcome {
    let files: Vec<PathBuf> = if facts.is_dir() {
        let mut files = std::fs::read_dir(facts)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<Vec<_>, _>>()?;
        files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
        files.sort();
        files
    } else {
        vec![facts.to_owned()]
    };
    let mut missing = 0;
    for file in files {
        let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let facts: Value = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?;
        // Other tables, such as test vectors, may lie in the same directory.
        let (Some(name), Some(operations)) = (facts["service"].as_str(), facts["operations"].as_array()) else {
            continue;
        };
        missing += compare(name, api.service(name), operations);
    }
    println!("{missing} missing");
    Ok(if missing == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Prints what a service lacks; returns how many operations and members.
fn compare(name: &str, service: Option<&Service>, facts: &[Value]) -> usize {
    let operation = |fact: &Value| service.and_then(|service| service.operation(fact["name"].as_str()?));
    let modelled = facts.iter().filter(|fact| operation(fact).is_some()).count();
    println!("{name}: {modelled} of {} operations", facts.len());
    let mut missing = 0;
    for fact in facts {
        let fact_name = fact["name"].as_str().unwrap_or("?");
        match operation(fact) {
            None => {
                missing += 1;
                println!("  missing operation {fact_name}");
            }
            Some(operation) => {
                for (side, members) in [("request", &operation.request), ("result", &operation.result)] {
                    for member in lacking(&fact[side], members) {
                        missing += 1;
                        println!("  missing member {fact_name} {side}.{member}");
                    }
                }
            }
        }
    }
    missing
}

/// Members that the facts have on the wire and the model has not.
fn lacking<'f>(facts: &'f Value, members: &[Member]) -> Vec<&'f str> {
    let known: BTreeSet<&str> = members.iter().map(|member| member.name.as_str()).collect();
    let facts = facts.as_array().map(Vec::as_slice).unwrap_or_default();
    facts
        .iter()
        .filter(|fact| fact["location"] != "client" && fact["deprecated"] != true && fact["alternative"] != true)
        .filter_map(|fact| fact["name"].as_str())
        .filter(|name| !known.contains(name))
        .collect()
}
