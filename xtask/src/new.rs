//! `cargo xtask new`: an entry for an operation, to be finished by hand.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use oss_codegen::diagnostic::nearest;
use oss_codegen::diagnostic::render::{Style, render};
use oss_codegen::scaffold::{Scaffold, scaffold};

use crate::{Outcome, codegen};

/// Writes a model entry for an operation, with placeholders that the lint refuses.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: cargo xtask new oss GetBucketReferer --group bucket_referer --http 'GET /{bucket}?referer' \
                  --result referer_configuration:body::RefererConfiguration"
)]
pub(crate) struct Arguments {
    /// The service, a directory of models/.
    service: String,
    /// UpperCamelCase name as in the API reference.
    operation: String,
    /// Method, path and fixed query.
    #[arg(long, default_value = "")]
    http: String,
    /// The group's file; derived from the operation's name by default.
    #[arg(long)]
    group: Option<String>,
    /// A request member as `name:in:wire:type[:required]`; can be given several times.
    #[arg(long = "member", visible_alias = "request", value_name = "MEMBER")]
    request: Vec<String>,
    /// A result member in the same form; can be given several times.
    #[arg(long, value_name = "MEMBER")]
    result: Vec<String>,
    /// Print the entry instead of writing it.
    #[arg(long)]
    print: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let models = crate::repository().join("models");
    let api = match codegen::load(&models)? {
        Ok(api) => api,
        Err(broken) => {
            eprint!("{}", render(&broken.diagnostics, &broken.sources, Style::default()));
            return Ok(ExitCode::FAILURE);
        }
    };
    let Some(service) = api.service(&arguments.service) else {
        let names = api.services.iter().map(|service| service.name.as_str());
        let hint = nearest(&arguments.service, names)
            .map(|near| format!("; there is `{near}`"))
            .unwrap_or_default();
        return Err(format!("there is no `models/{0}/service.yaml`{hint}", arguments.service).into());
    };
    let entry = scaffold(
        service,
        &Scaffold {
            operation: arguments.operation.clone(),
            http: arguments.http.clone(),
            group: arguments.group.clone(),
            request: arguments.request.clone(),
            result: arguments.result.clone(),
        },
    )?;
    if arguments.print {
        print!("{}", entry.text);
        return Ok(ExitCode::SUCCESS);
    }
    let path = models.join(&entry.path);
    let text = if entry.is_new_file {
        entry.text
    } else {
        added(&read(&path)?, &entry.text)
    };
    write(&path, &text, entry.is_new_file)?;
    println!("models/{}", entry.path);
    eprintln!("write its sentences, then run `cargo xtask lint` and `cargo xtask codegen`");
    Ok(ExitCode::SUCCESS)
}

/// A group file with an entry behind its other operations.
fn added(file: &str, entry: &str) -> String {
    let mut lines: Vec<&str> = file.lines().collect();
    let operations = lines
        .iter()
        .position(|line| line.starts_with("operations:"))
        .map_or(lines.len(), |line| line + 1);
    let is_key = |line: &&str| line.starts_with(|first: char| first.is_ascii_lowercase());
    let behind = lines[operations..]
        .iter()
        .position(is_key)
        .map_or(lines.len(), |line| operations + line);
    let rest = lines.split_off(behind);
    while lines.last().is_some_and(|line| line.trim().is_empty()) {
        lines.pop();
    }
    let mut text = lines.join("\n");
    text.push_str("\n\n");
    text.push_str(entry);
    if !rest.is_empty() {
        text.push('\n');
        text.push_str(&rest.join("\n"));
        text.push('\n');
    }
    text
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Writes beside the file first, so that an interrupted run leaves it whole. A new file must not exist.
fn write(path: &Path, text: &str, is_new: bool) -> Result<(), String> {
    if is_new && path.exists() {
        return Err(format!(
            "{} exists, but no group of the models is in it",
            path.display()
        ));
    }
    let beside = PathBuf::from(format!("{}.new", path.display()));
    std::fs::write(&beside, text)
        .and_then(|()| std::fs::rename(&beside, path))
        .map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: &str = "  GetB:\n    http: GET /\n";

    #[test]
    fn an_entry_goes_behind_the_last_operation() {
        let file = "service: oss\noperations:\n  GetA:\n    http: GET /\n\nshapes:\n  A:\n    doc: x\n";
        let wanted = "service: oss\noperations:\n  GetA:\n    http: GET /\n\n  GetB:\n    http: GET /\n\nshapes:\n  A:\n    doc: x\n";
        assert_eq!(added(file, ENTRY), wanted);
    }

    #[test]
    fn an_entry_may_end_the_file() {
        let file = "service: oss\noperations:\n  GetA:\n    http: GET /\n";
        assert_eq!(
            added(file, ENTRY),
            "service: oss\noperations:\n  GetA:\n    http: GET /\n\n  GetB:\n    http: GET /\n"
        );
    }
}
