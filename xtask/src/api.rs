//! `cargo xtask api`: what the models hold, and what they lack of a table of facts.

use std::path::PathBuf;
use std::process::ExitCode;

use oss_codegen::api::Service;
use oss_codegen::diagnostic::render::{Style, render};
use oss_codegen::emit::pages::http_line;

use crate::{Outcome, codegen, coverage};

/// Lists services, groups and operations.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: cargo xtask api --coverage facts/")]
pub(crate) struct Arguments {
    /// As Markdown tables.
    #[arg(long)]
    markdown: bool,
    /// Compare with a facts file, or a directory of them: one JSON file a service with `service`, `operations` and `shapes`.
    /// Operations and members are compared by place, wire name, type and required flag, into the shapes. Exits with 1 when
    /// something differs that docs/decisions/005-coverage.md does not explain.
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
        return coverage::run(&api, facts);
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
