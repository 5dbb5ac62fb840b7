//! `xtask-runtime requests`: what inputs become on the wire, as lines of JSON and without a network.

use std::io::{self, BufRead, Write};
use std::process::ExitCode;

use clap::Args;
use oss_suite::requests::{Recorder, samples};
use serde_json::{Value, json};

/// Reads {"service", "operation", "input"} from each line of stdin and writes it back with the `request` that the SDK sends
/// for it, or the `error` that keeps it from sending one.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Write sample inputs of every operation instead.
    #[arg(long)]
    samples: bool,
    /// Inputs with every member, for each operation.
    #[arg(long, default_value_t = 2)]
    filled: u8,
    /// Inputs with any members, for each operation.
    #[arg(long, default_value_t = 5)]
    random: u8,
    /// Send to this endpoint instead of the public addresses.
    #[arg(long)]
    endpoint: Option<String>,
}

pub(crate) async fn run(arguments: Arguments) -> ExitCode {
    let outcome = match arguments.samples {
        true => write_samples(&arguments),
        false => write_requests(&arguments).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn write_samples(arguments: &Arguments) -> Result<(), String> {
    let mut out = io::stdout().lock();
    for sample in samples(arguments.filled, arguments.random)? {
        let line = json!({
            "service": sample.service,
            "operation": sample.operation,
            "sample": sample.name,
            "input": sample.input,
        });
        writeln!(out, "{line}").map_err(|error| error.to_string())?;
    }
    Ok(())
}

async fn write_requests(arguments: &Arguments) -> Result<(), String> {
    let recorder = Recorder::new(arguments.endpoint.as_deref());
    for line in io::stdin().lock().lines() {
        let line = line.map_err(|error| format!("stdin cannot be read: {error}"))?;
        let mut line: Value = serde_json::from_str(&line).map_err(|error| format!("a line is not JSON: {error}"))?;
        let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        let (service, operation) = (text("service"), text("operation"));
        match recorder.request(&service, &operation, line["input"].clone()).await {
            Ok(request) => line["request"] = request,
            Err(error) => line["error"] = Value::from(error),
        }
        writeln!(io::stdout().lock(), "{line}").map_err(|error| error.to_string())?;
    }
    Ok(())
}
