//! `cargo xtask bench`: the benches of the SDK as one table.

use std::path::Path;
use std::process::ExitCode;

use serde_json::Value;

use crate::Outcome;
use crate::process::{cargo, must, target_directory};

/// Runs `cargo bench -p oss-sdk` and prints a table of the medians.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: cargo xtask bench presign")]
pub(crate) struct Arguments {
    /// Run only the benches whose name contains this.
    filter: Option<String>,
    /// Print the table of the last run without running anything.
    #[arg(long)]
    last: bool,
}

/// One bench.
struct Row {
    name: String,
    nanoseconds: f64,
    /// Bytes that one run goes through.
    bytes: Option<u64>,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let target = target_directory()?;
    if !arguments.last {
        let mut command = cargo(&["bench", "--package", "oss-sdk"]);
        command.arg("--target-dir").arg(&target);
        command.args(arguments.filter.iter().flat_map(|filter| ["--", filter]));
        must(&mut command)?;
    }
    let mut rows = Vec::new();
    collect(&target.join("criterion"), &mut rows)?;
    rows.retain(|row| arguments.filter.as_ref().is_none_or(|filter| row.name.contains(filter)));
    rows.sort_by(|one, other| one.name.cmp(&other.name));
    if rows.is_empty() {
        return Err("there are no results; run without `--last` or with another filter".into());
    }
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or_default();
    println!("{:<width$}  {:>12}  {:>10}", "bench", "median", "rate");
    for row in &rows {
        let rate = row
            .bytes
            .map(|bytes| format!("{:.2} GiB/s", bytes as f64 / row.nanoseconds * 1e9 / f64::from(1 << 30)));
        println!(
            "{:<width$}  {:>12}  {:>10}",
            row.name,
            time(row.nanoseconds),
            rate.unwrap_or_default()
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads what criterion keeps: a directory `new` for each bench, however deep.
fn collect(directory: &Path, rows: &mut Vec<Row>) -> Result<(), String> {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return Ok(());
    };
    for entry in entries {
        let path = entry
            .map_err(|error| format!("{}: {error}", directory.display()))?
            .path();
        if path.file_name().is_some_and(|name| name == "new") {
            rows.push(row(&path)?);
        } else if path.is_dir() {
            collect(&path, rows)?;
        }
    }
    Ok(())
}

fn row(results: &Path) -> Result<Row, String> {
    let read = |name: &str| -> Result<Value, String> {
        let path = results.join(name);
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
    };
    let (bench, estimates) = (read("benchmark.json")?, read("estimates.json")?);
    Ok(Row {
        name: bench["full_id"].as_str().unwrap_or("?").to_owned(),
        nanoseconds: estimates["median"]["point_estimate"]
            .as_f64()
            .ok_or("an estimate of criterion has no median")?,
        bytes: bench["throughput"]["Bytes"].as_u64(),
    })
}

fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        ns if ns < 1e3 => format!("{ns:.1} ns"),
        ns if ns < 1e6 => format!("{:.2} us", ns / 1e3),
        ns => format!("{:.3} ms", ns / 1e6),
    }
}
