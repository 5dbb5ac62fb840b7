//! Running other programs: where the workspace is, which cargo to use, how long a step took.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

/// The directory that cargo builds into, found from this program's own place in it.
pub(crate) fn target_directory() -> Result<PathBuf, String> {
    let program = std::env::current_exe().map_err(|error| format!("cannot find this program's own path: {error}"))?;
    program
        .parent()
        .and_then(Path::parent)
        .map(Path::to_path_buf)
        .ok_or_else(|| format!("{} is not in a target directory", program.display()))
}

/// A cargo command that runs in the workspace.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(crate::repository());
    command
}

/// Runs a command to its end, its output passed through.
pub(crate) fn status(command: &mut Command) -> Result<ExitStatus, String> {
    command
        .status()
        .map_err(|error| format!("cannot start {}: {error}", shown(command)))
}

/// Runs a command that has to succeed, its output passed through.
pub(crate) fn must(command: &mut Command) -> Result<(), String> {
    let ended = status(command)?;
    if ended.success() {
        Ok(())
    } else {
        Err(format!("{} failed ({ended})", shown(command)))
    }
}

/// Runs a command that has to succeed and returns its standard output.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let output = command
        .output()
        .map_err(|error| format!("cannot start {}: {error}", shown(command)))?;
    if !output.status.success() {
        let talk = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{} failed ({}):\n{talk}", shown(command), output.status));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("{} printed something that is not UTF-8", shown(command)))
}

/// A command as a person would type it.
pub(crate) fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program())
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    command.get_args().fold(program, |line, argument| {
        format!("{line} {}", argument.to_string_lossy())
    })
}
