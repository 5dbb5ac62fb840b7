//! `cargo xtask soak`: the long proofs, each with a seed that repeats it.

use std::process::ExitCode;

use clap::Subcommand;
use oss_suite::soak;

mod answers;
mod big_upload;
mod frames;
mod http;
mod kills;
mod load;
mod mutate;
mod parsers;
mod plain;
mod server;

#[derive(Subcommand)]
pub(crate) enum Proof {
    /// Cut the connection of a download at a random byte; every download must end complete and verified.
    BrokenDownloads {
        /// Where the cuts are; the same seed repeats a run.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Downloads.
        #[arg(long, default_value_t = 50)]
        rounds: u64,
        /// Bytes of the object.
        #[arg(long, default_value_t = 64 * 1024 * 1024)]
        size: u64,
    },
    /// Upload an object in parts that is larger than memory; the emulator must stay small.
    BigUpload(big_upload::Arguments),
    /// Measure what the emulator carries: small requests at many connections, a large object, nginx beside it. In a
    /// release build: `cargo run --release --package xtask -- soak load`.
    Load(load::Arguments),
    /// Send requests of every operation to the emulator, good ones and damaged ones; it answers all, soon and as HTTP.
    Http(http::Arguments),
    /// End the emulator at random moments under a load of writers; what it acknowledged must be there after each restart.
    Kills(kills::Arguments),
    /// Feed answers that no service would give to the parsers; each must end soon, with a result or a short error.
    Parsers(parsers::Arguments),
}

pub(crate) async fn run(proof: Proof) -> ExitCode {
    let outcome = match proof {
        Proof::BrokenDownloads { seed, rounds, size } => {
            eprintln!("broken downloads: seed {seed}, {rounds} rounds of {size} bytes");
            let outcome = soak::broken_downloads(seed, rounds, size).await;
            outcome
                .map(|report| report.to_string())
                .map_err(|error| error.to_string())
        }
        Proof::BigUpload(arguments) => big_upload::run(&arguments).await,
        Proof::Load(arguments) => load::run(&arguments).await,
        Proof::Http(arguments) => http::run(&arguments).await,
        Proof::Kills(arguments) => kills::run(&arguments).await,
        Proof::Parsers(arguments) => parsers::run(&arguments),
    };
    match outcome {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}
