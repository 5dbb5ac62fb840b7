//! `cargo xtask interop`: the official Python SDK V2 against this SDK's requests, and against the emulator.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};

use clap::Args;

use crate::Outcome;
use crate::process::{must, status, target_directory};
use crate::runtime::program;

/// Compares requests with those of the official Python SDK V2, and runs it against the emulator.
///
/// Needs Python and, the first time, the package index.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The Python to make the virtual environment with.
    #[arg(long, default_value = "python3")]
    python: String,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let target = target_directory()?;
    let python = environment(&arguments.python, &target.join("interop-python"))?;
    let scripts = crate::repository().join("tests/interop");
    let compared = status(
        Command::new(&python)
            .arg("-B")
            .arg(scripts.join("compare_requests.py"))
            .env("OSS_REQUESTS", program("xtask-runtime")?),
    )?;
    let emulator = Emulator::start(&program("oss-emulator")?)?;
    let served = status(
        Command::new(&python)
            .arg("-B")
            .arg(scripts.join("python_v2.py"))
            .env("OSS_ENDPOINT", &emulator.endpoint)
            .env("OSS_REGION", "cn-hangzhou")
            .env("OSS_ACCESS_KEY_ID", "oss-emulator")
            .env("OSS_ACCESS_KEY_SECRET", "oss-emulator-secret"),
    )?;
    Ok(if compared.success() && served.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The interpreter of a virtual environment that has what `requirements.txt` pins.
fn environment(python: &str, directory: &Path) -> Result<PathBuf, String> {
    let requirements = crate::repository().join("tests/interop/requirements.txt");
    let wanted = std::fs::read(&requirements).map_err(|error| format!("{}: {error}", requirements.display()))?;
    let interpreter = directory.join(if cfg!(windows) {
        "Scripts/python.exe"
    } else {
        "bin/python"
    });
    let installed = directory.join("requirements.txt");
    if std::fs::read(&installed).is_ok_and(|found| found == wanted) {
        return Ok(interpreter);
    }
    must(Command::new(python).args(["-m", "venv", "--clear"]).arg(directory))?;
    must(
        Command::new(&interpreter)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
            .arg(&requirements),
    )?;
    std::fs::write(&installed, wanted).map_err(|error| format!("{}: {error}", installed.display()))?;
    Ok(interpreter)
}

/// A running emulator, stopped when dropped.
struct Emulator {
    process: Child,
    endpoint: String,
}

impl Emulator {
    fn start(program: &Path) -> Result<Self, String> {
        let mut process = Command::new(program)
            .args(["--port", "0"])
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
        let mut line = String::new();
        if let Some(stdout) = process.stdout.take() {
            BufReader::new(stdout)
                .read_line(&mut line)
                .map_err(|error| format!("cannot read from the emulator: {error}"))?;
        }
        let started = Self {
            process,
            endpoint: line.trim().trim_start_matches("listening on ").to_owned(),
        };
        if started.endpoint.starts_with("http://") {
            Ok(started)
        } else {
            Err(format!(
                "the emulator's first line is not its address: `{}`",
                line.trim()
            ))
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing left to do then.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
