//! Where clients are installed: a virtual environment and directories of Node.js packages, all in the target directory.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::must;

/// The interpreter of a virtual environment that has what `requirements.txt` pins.
pub(super) fn python(python: &str, directory: &Path) -> Result<PathBuf, String> {
    let requirements = crate::repository().join("tests/interop/requirements.txt");
    let interpreter = directory.join(if cfg!(windows) {
        "Scripts/python.exe"
    } else {
        "bin/python"
    });
    if is_installed(&requirements, directory)? {
        return Ok(interpreter);
    }
    must(Command::new(python).args(["-m", "venv", "--clear"]).arg(directory))?;
    must(
        Command::new(&interpreter)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
            .arg(&requirements),
    )?;
    copy(&requirements, directory)?;
    Ok(interpreter)
}

/// The `node_modules` that have what `package-lock.json` in `source` pins.
pub(crate) fn node(source: &Path, directory: &Path) -> Result<PathBuf, String> {
    let lock = source.join("package-lock.json");
    let modules = directory.join("node_modules");
    if modules.exists() && is_installed(&lock, directory)? {
        return Ok(modules);
    }
    std::fs::create_dir_all(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    copy(&source.join("package.json"), directory)?;
    copy(&lock, directory)?;
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let installed = must(
        Command::new(npm)
            .args([
                "ci",
                "--no-audit",
                "--no-fund",
                "--ignore-scripts",
                "--loglevel",
                "error",
            ])
            .current_dir(directory),
    );
    if installed.is_err() {
        // What is there by half must not count as installed next time.
        let _ = std::fs::remove_file(directory.join("package-lock.json"));
    }
    installed?;
    Ok(modules)
}

/// Whether a directory was filled by this very list.
fn is_installed(list: &Path, directory: &Path) -> Result<bool, String> {
    let wanted = std::fs::read(list).map_err(|error| format!("{}: {error}", list.display()))?;
    let name = list.file_name().unwrap_or_default();
    Ok(std::fs::read(directory.join(name)).is_ok_and(|found| found == wanted))
}

fn copy(file: &Path, directory: &Path) -> Result<(), String> {
    let to = directory.join(file.file_name().unwrap_or_default());
    std::fs::copy(file, &to)
        .map(|_| ())
        .map_err(|error| format!("{}: {error}", to.display()))
}
