//! Embeds every model file, so that a newly modelled operation is served without a line of Rust.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let manifest =
        PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or_else(|| io::Error::other("no manifest directory"))?);
    let models = manifest.join("../../models").canonicalize()?;
    println!("cargo:rerun-if-changed={}", models.display());

    let mut files = Vec::new();
    collect(&models, &mut files)?;
    files.sort();

    let mut code = String::from("&[\n");
    for file in files {
        println!("cargo:rerun-if-changed={}", file.display());
        let relative = file.strip_prefix(&models).map_err(io::Error::other)?;
        let name: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
        writeln!(
            code,
            "    ({:?}, include_str!({:?})),",
            format!("models/{}", name.join("/")),
            file.display().to_string()
        )
        .map_err(io::Error::other)?;
    }
    code.push(']');

    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("no output directory"))?);
    fs::write(out.join("models.rs"), code)
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            // A new file in an existing service must be noticed as well.
            println!("cargo:rerun-if-changed={}", path.display());
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            files.push(path);
        }
    }
    Ok(())
}
