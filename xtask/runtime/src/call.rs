//! `cargo xtask call`: any modelled operation by its name, JSON in and JSON out.
//!
//! Answers go to stdout: the result with exit code 0, `{"error": ...}` with 1. What the caller did wrong goes to stderr,
//! with exit code 2.

use std::io::{self, BufRead, Write};
use std::process::ExitCode;

use clap::Args;
use oss_sdk::dynamic::{Clients, DynamicError};
use oss_sdk::{Config, Credentials};
use serde_json::{Map, Value, json};

/// Calls a modelled operation by name, JSON in and JSON out.
///
/// Members have the names of the models, in snake_case; timestamps are RFC 3339; a payload is {"$text": "..."},
/// {"$base64": "..."} or {"$file": "path"}. Endpoint, region and credentials come from the OSS_* variables.
///
/// Example: OSS_ENDPOINT=http://127.0.0.1:9000 cargo xtask call ListObjectsV2 '{"bucket": "examplebucket"}'
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// Service of the operation: agentic, dataprocess, oss, sts, tables or vectors.
    #[arg(long, env = "OSS_SERVICE", default_value = "oss")]
    service: String,
    /// Send nothing: the answer is the sample of the wire snapshots, and settings have stand-ins.
    #[arg(long, conflicts_with = "batch")]
    recorded: bool,
    /// Read {"service", "operation", "input", "endpoint"?} from each line of stdin and answer each with a line of
    /// {"output": ...} or {"error": ...}, in order.
    #[arg(long, conflicts_with_all = ["operation", "input"])]
    batch: bool,
    /// Name of the operation, as in the API reference.
    #[arg(required_unless_present = "batch")]
    operation: Option<String>,
    /// The request's members as a JSON object; none if it is left out.
    input: Option<String>,
}

/// Exit code for what the caller did wrong.
const BAD_INPUT: u8 = 2;

pub(crate) async fn run(arguments: Arguments) -> ExitCode {
    let config = if arguments.recorded {
        recorded(&arguments.service, arguments.operation.as_deref().unwrap_or_default())
    } else {
        Config::from_env()
    };
    let config = match config {
        Ok(config) => config,
        Err(error) => return refuse(&error),
    };
    let clients = Clients::new(config);
    let Some(operation) = &arguments.operation else {
        return batch(&clients, &arguments.service).await;
    };
    let input = match arguments.input.as_deref().map_or(Ok(json!({})), serde_json::from_str) {
        Ok(input) => input,
        Err(error) => return refuse(&format_args!("the input is not JSON: {error}")),
    };
    match clients.call(&arguments.service, operation, input).await {
        Ok(output) => print(&output, ExitCode::SUCCESS),
        Err(error) if error.is_bad_input() => refuse(&chain(&error)),
        Err(error) => {
            eprintln!("error: {}", chain(&error));
            print(&json!({"error": error.to_json()}), ExitCode::FAILURE)
        }
    }
}

/// Settings with which an operation gets the answer of its wire snapshot.
fn recorded(service: &str, operation: &str) -> Result<Config, oss_sdk::Error> {
    let config = Config::new()
        .region("cn-hangzhou")
        .account_id("1234567890123456")
        .credentials(Credentials::new("recorded", "recorded"));
    let cases = oss_suite::generated::wire::cases();
    // An unknown name is told from the call, which suggests another.
    Ok(
        match cases
            .iter()
            .find(|case| case.service == service && case.operation == operation)
        {
            Some(case) => config.transport(case.recorded()),
            None => config,
        },
    )
}

/// One call for each line of stdin. A line that cannot be carried out has its error in its place.
async fn batch(clients: &Clients, service: &str) -> ExitCode {
    for line in io::stdin().lock().lines() {
        let line = match line {
            Ok(line) => line,
            Err(error) => return refuse(&format_args!("stdin cannot be read: {error}")),
        };
        if line.trim().is_empty() {
            continue;
        }
        let answer = match one_line(clients, service, &line).await {
            Ok(output) => json!({"output": output}),
            Err(error) => json!({"error": error.to_json()}),
        };
        // Each answer is seen before the next call is made.
        let mut out = io::stdout().lock();
        if writeln!(out, "{answer}").and_then(|()| out.flush()).is_err() {
            return ExitCode::from(BAD_INPUT);
        }
    }
    ExitCode::SUCCESS
}

async fn one_line(clients: &Clients, service: &str, line: &str) -> Result<Value, DynamicError> {
    let wrong = |why: String| DynamicError::Input(why);
    let line: Value = serde_json::from_str(line).map_err(|error| wrong(format!("the line is not JSON: {error}")))?;
    let Value::Object(mut line) = line else {
        return Err(wrong("the line is not a JSON object".to_owned()));
    };
    let input = line.remove("input").unwrap_or_else(|| json!({}));
    let service = text(&mut line, "service")?.unwrap_or_else(|| service.to_owned());
    let endpoint = text(&mut line, "endpoint")?;
    let operation = text(&mut line, "operation")?.ok_or_else(|| wrong("`operation` is required".to_owned()))?;
    if let Some(name) = line.keys().next() {
        let names = "`service`, `operation`, `input` and `endpoint`";
        return Err(wrong(format!(
            "`{}` is unknown; a line has {names}",
            name.escape_debug()
        )));
    }
    clients.call_at(endpoint.as_deref(), &service, &operation, input).await
}

fn text(line: &mut Map<String, Value>, name: &str) -> Result<Option<String>, DynamicError> {
    match line.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(DynamicError::Input(format!("`{name}` must be a string"))),
    }
}

fn print(value: &Value, code: ExitCode) -> ExitCode {
    let mut out = io::stdout().lock();
    match writeln!(out, "{value}").and_then(|()| out.flush()) {
        Ok(()) => code,
        Err(_) => ExitCode::from(BAD_INPUT),
    }
}

fn refuse(why: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("error: {why}");
    ExitCode::from(BAD_INPUT)
}

/// An error with what caused it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
