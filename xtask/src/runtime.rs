//! The verbs that need the SDK or the emulator: started from programs beside this one.
//!
//! They are programs of their own because this one must build when the SDK's generated half is missing or broken.
//! Under `cargo xtask` such a program is brought up to date first; started directly, it is built only when it is missing.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use clap::Args;

use crate::Outcome;
use crate::process::{cargo, must, status, target_directory};

/// Arguments that go on unseen.
#[derive(Debug, Args)]
pub(crate) struct Passed {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// Runs a verb of `xtask-runtime`.
pub(crate) fn run(verb: &str, passed: &Passed) -> Outcome {
    let runtime = program("xtask-runtime")?;
    if verb == "soak" {
        // Some proofs end the emulator, which they start from beside themselves.
        program("oss-emulator")?;
    }
    end(Command::new(runtime).arg(verb).args(&passed.arguments))
}

/// Runs the emulator.
pub(crate) fn emulator(passed: &Passed) -> Outcome {
    let program = program("oss-emulator")?;
    end(Command::new(program).args(&passed.arguments))
}

fn end(command: &mut Command) -> Outcome {
    let ended = status(command)?;
    Ok(ended
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .map_or(ExitCode::from(2), ExitCode::from))
}

/// The program of a package of the same name, built in this program's profile.
pub(crate) fn program(package: &str) -> Result<PathBuf, String> {
    let release = cfg!(not(debug_assertions));
    let target = target_directory()?;
    let profile = if release { "release" } else { "debug" };
    let program = target
        .join(profile)
        .join(format!("{package}{}", std::env::consts::EXE_SUFFIX));
    let under_cargo = std::env::var_os("CARGO").is_some();
    if under_cargo || !program.exists() {
        let mut build = cargo(&["build", "--quiet", "--package", package]);
        build.arg("--target-dir").arg(&target);
        if release {
            build.arg("--release");
        }
        must(&mut build)?;
    }
    Ok(program)
}
