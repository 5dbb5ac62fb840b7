//! `cargo xtask soak`: the long proofs, each with a seed that repeats it.

use std::process::ExitCode;

use clap::Subcommand;
use oss_suite::soak;

mod answers;
mod frames;
mod mutate;
mod parsers;

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
