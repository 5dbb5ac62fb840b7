//! `cargo xtask build-cost`: what a user pays for the default features of the SDK.
//!
//! Builds a program that puts one object, from nothing, in release mode and stripped, outside the workspace, and prints the
//! number of crates, the CPU and wall time of the build and the size of the binary.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use crate::Outcome;
use crate::process::{cargo, must, output, target_directory};

const MAIN: &str = r#"use oss_sdk::{Client, PutObjectRequest};

#[tokio::main]
async fn main() -> Result<(), oss_sdk::Error> {
    let client = Client::from_env()?;
    client.put_object(PutObjectRequest::new("bucket", "hello.txt").body("hi oss")).await?;
    Ok(())
}
"#;

pub(crate) fn run() -> Outcome {
    let directory = target_directory()?.join("build-cost");
    write_program(&directory)?;
    let manifest = directory.join("Cargo.toml");
    let manifest = manifest.to_str().ok_or("the target directory's path is not UTF-8")?;

    let tree = output(&mut cargo(&[
        "tree",
        "--manifest-path",
        manifest,
        "-e",
        "normal,build",
        "--prefix",
        "none",
    ]))?;
    let crates: BTreeSet<&str> = tree
        .lines()
        .map(|line| line.trim_end_matches(" (*)"))
        .filter(|line| !line.is_empty())
        .collect();

    let started = Instant::now();
    let before = children_cpu_seconds();
    let mut build = cargo(&["build", "--quiet", "--release", "--manifest-path", manifest]);
    build.arg("--target-dir").arg(directory.join("target"));
    must(&mut build)?;
    let wall = started.elapsed().as_secs_f64();
    let cpu = before.zip(children_cpu_seconds()).map(|(before, after)| after - before);
    let binary = directory
        .join("target/release")
        .join(format!("hello-oss{}", std::env::consts::EXE_SUFFIX));
    let bytes = std::fs::metadata(&binary)
        .map_err(|error| format!("{}: {error}", binary.display()))?
        .len();

    println!("crates       {:>8}", crates.len());
    match cpu {
        Some(cpu) => println!("CPU seconds  {cpu:>8.1}"),
        None => println!("CPU seconds  {:>8}", "unknown"),
    }
    println!("wall seconds {wall:>8.1}");
    println!("binary MiB   {:>8.2}", bytes as f64 / (1024.0 * 1024.0));
    Ok(ExitCode::SUCCESS)
}

/// Writes the program anew, without anything built before.
fn write_program(directory: &Path) -> Result<(), String> {
    let problem = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    if directory.exists() {
        std::fs::remove_dir_all(directory).map_err(|error| problem(directory, error))?;
    }
    let source = directory.join("src");
    std::fs::create_dir_all(&source).map_err(|error| problem(&source, error))?;
    let sdk = crate::repository().join("oss-sdk");
    let manifest = format!(
        "[package]\nname = \"hello-oss\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n\
         oss-sdk = {{ path = {sdk:?} }}\ntokio = {{ version = \"1\", features = [\"macros\", \"rt-multi-thread\"] }}\n\n\
         [profile.release]\nstrip = true\n"
    );
    for (name, text) in [("Cargo.toml", manifest.as_str()), ("src/main.rs", MAIN)] {
        let path = directory.join(name);
        std::fs::write(&path, text).map_err(|error| problem(&path, error))?;
    }
    // The versions that the workspace is tested with.
    let lock = crate::repository().join("Cargo.lock");
    std::fs::copy(&lock, directory.join("Cargo.lock"))
        .map(drop)
        .map_err(|error| problem(&lock, error))
}

/// User and system time of ended child processes, where the system tells (Linux).
fn children_cpu_seconds() -> Option<f64> {
    // Fields 16 and 17 of proc(5) `stat`, in ticks of 1/100 s; they follow the name in parentheses, which is field 2.
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u64 = fields.get(13)?.parse::<u64>().ok()? + fields.get(14)?.parse::<u64>().ok()?;
    Some(ticks as f64 / 100.0)
}
