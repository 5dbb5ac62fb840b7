//! A running emulator.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A running emulator on a free port, stopped when dropped.
pub(super) struct Emulator {
    process: Child,
    pub(super) endpoint: String,
}

impl Emulator {
    /// Starts it in memory, or with a directory that is emptied first.
    pub(super) fn start(program: &Path, data: Option<&Path>) -> Result<Self, String> {
        let mut command = Command::new(program);
        command.args(["--port", "0"]).stdout(Stdio::piped());
        if let Some(directory) = data {
            if directory.exists() {
                std::fs::remove_dir_all(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
            }
            command.arg("--data-dir").arg(directory);
        }
        let mut process = command
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
