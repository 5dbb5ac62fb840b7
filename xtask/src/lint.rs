//! `cargo xtask lint`: the models checked, nothing written.

use std::process::ExitCode;

use oss_codegen::diagnostic::nearest;
use oss_codegen::diagnostic::render::{Style, render};
use oss_codegen::lint::rules;

use crate::{Outcome, codegen};

/// Checks the models and shows every problem with its place and remedy.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: cargo xtask lint --explain M0107")]
pub(crate) struct Arguments {
    /// Say why a rule exists and how to keep it.
    #[arg(long, value_name = "CODE")]
    explain: Option<String>,
    /// List all rules.
    #[arg(long, conflicts_with = "explain")]
    list: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    if arguments.list {
        for rule in rules() {
            println!("{}  {}", rule.code, rule.title);
        }
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(code) = &arguments.explain {
        let Some(rule) = rules().iter().find(|rule| rule.code.eq_ignore_ascii_case(code)) else {
            let hint = nearest(code, rules().iter().map(|rule| rule.code));
            let hint = hint.map(|near| format!("; there is `{near}`")).unwrap_or_default();
            return Err(format!("there is no rule `{code}`{hint} (`cargo xtask lint --list` shows all)").into());
        };
        println!("{}: {}\n\n{}", rule.code, rule.title, rule.explanation);
        return Ok(ExitCode::SUCCESS);
    }
    match codegen::load(&crate::repository().join("models"))? {
        Ok(api) => {
            let operations: usize = api.services.iter().map(|service| service.operations().count()).sum();
            eprintln!(
                "{operations} operations in {} services, no problems",
                api.services.len()
            );
            Ok(ExitCode::SUCCESS)
        }
        Err(broken) => {
            eprint!("{}", render(&broken.diagnostics, &broken.sources, Style::default()));
            Ok(ExitCode::FAILURE)
        }
    }
}
