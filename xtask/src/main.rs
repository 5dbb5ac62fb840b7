//! The project's own commands: `cargo xtask <verb>`.
//!
//! Each verb is a module with its arguments and a function `run`. Results go to stdout, talk to stderr; the exit code is
//! 0 for success, 1 for a finding (a stale tree, a broken model, a failed check), 2 for bad input or a failure of the tool.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod api;
mod bench;
mod build_cost;
mod ci;
mod codegen;
mod coverage;
mod interop;
mod lint;
mod new;
mod page;
mod process;
mod runtime;
mod start;

/// The project's own commands.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 110)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Api(api::Arguments),
    Bench(bench::Arguments),
    /// Prints what a program that puts one object pays: crates, build time, binary size.
    BuildCost,
    /// Calls a modelled operation by name, JSON in and JSON out.
    #[command(disable_help_flag = true)]
    Call(runtime::Passed),
    Ci(ci::Arguments),
    /// Checks the dependency tree against deny.toml.
    #[command(hide = true)]
    CiDependencies,
    Codegen(codegen::Arguments),
    /// Starts the emulator.
    #[command(disable_help_flag = true)]
    Emulator(runtime::Passed),
    Interop(interop::Arguments),
    Lint(lint::Arguments),
    New(new::Arguments),
    Page(page::Arguments),
    /// Runs a long proof with a seed.
    #[command(disable_help_flag = true)]
    Soak(runtime::Passed),
    Start(start::Arguments),
}

/// What a verb gives back: an exit code, or an error that is printed with its sources and exits with 2.
type Outcome = Result<ExitCode, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let outcome = match Arguments::parse().verb {
        Verb::Api(arguments) => api::run(&arguments),
        Verb::Bench(arguments) => bench::run(&arguments),
        Verb::BuildCost => build_cost::run(),
        Verb::Call(passed) => runtime::run("call", &passed),
        Verb::Ci(arguments) => ci::run(&arguments),
        Verb::CiDependencies => ci::dependencies(),
        Verb::Codegen(arguments) => codegen::run(&arguments),
        Verb::Emulator(passed) => runtime::emulator(&passed),
        Verb::Interop(arguments) => interop::run(&arguments),
        Verb::Lint(arguments) => lint::run(&arguments),
        Verb::New(arguments) => new::run(&arguments),
        Verb::Page(arguments) => page::run(&arguments),
        Verb::Soak(passed) => runtime::run("soak", &passed),
        Verb::Start(arguments) => start::run(&arguments),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            let mut source = error.source();
            while let Some(cause) = source {
                eprintln!("  caused by: {cause}");
                source = cause.source();
            }
            ExitCode::from(2)
        }
    }
}

/// Root of the repository: the checkout around the current directory, or else the one that this binary was built in.
fn repository() -> PathBuf {
    let is_root = |directory: &Path| directory.join("models").is_dir() && directory.join("xtask/Cargo.toml").is_file();
    let here = std::env::current_dir().unwrap_or_default();
    let built = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors()
        .chain(built.ancestors())
        .find(|directory| is_root(directory))
        .unwrap_or(built)
        .to_owned()
}
