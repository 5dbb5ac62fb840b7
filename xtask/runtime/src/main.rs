//! The verbs of `cargo xtask` that need the SDK or the emulator.
//!
//! Started by `xtask`, which does not depend on either so that it can write the SDK's generated half.

mod call;
mod requests;
mod soak;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 110)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Call(call::Arguments),
    Requests(requests::Arguments),
    /// Run a long proof with a seed.
    #[command(subcommand)]
    Soak(soak::Proof),
}

#[tokio::main]
async fn main() -> ExitCode {
    match Arguments::parse().verb {
        Verb::Call(arguments) => call::run(arguments).await,
        Verb::Requests(arguments) => requests::run(arguments).await,
        Verb::Soak(proof) => soak::run(proof).await,
    }
}
