//! `oss-emulator`: an OSS server from the command line.

mod identity_flags;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use identity_flags::IdentityFlags;
use oss_emulator::{DEFAULT_ACCOUNT_ID, DEFAULT_REGION, Emulator};

/// An OSS server on your own machine.
///
/// Example: oss-emulator --port 9000 --data-dir ./oss-data
#[derive(Debug, Parser)]
#[command(name = "oss-emulator", version)]
struct Args {
    /// Port to listen on; 0 takes any free one.
    #[arg(long, default_value_t = 9000)]
    port: u16,
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// Directory that keeps everything across restarts; without it all lives in memory.
    #[arg(long)]
    data_dir: Option<PathBuf>,
    #[command(flatten)]
    identity: IdentityFlags,
    /// Region that signatures must name.
    #[arg(long, default_value = DEFAULT_REGION)]
    region: String,
    /// Account that owns the keys.
    #[arg(long, default_value = DEFAULT_ACCOUNT_ID)]
    account_id: String,
    /// Own domain, may be given several times: `{bucket}.{domain}` is virtual-hosted.
    #[arg(long = "domain", value_name = "DOMAIN")]
    domains: Vec<String>,
    /// Host name bound to a bucket, may be given several times.
    #[arg(long = "cname", value_name = "HOST=BUCKET", value_parser = binding)]
    cnames: Vec<(String, String)>,
}

fn binding(text: &str) -> Result<(String, String), String> {
    split(text, '=').ok_or_else(|| "not of the form HOST=BUCKET".to_owned())
}

fn split(text: &str, separator: char) -> Option<(String, String)> {
    let (left, right) = text.split_once(separator)?;
    (!left.is_empty() && !right.is_empty()).then(|| (left.to_owned(), right.to_owned()))
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let mut builder = Emulator::builder()
        .port(args.port)
        .host(args.host)
        .region(args.region)
        .account_id(args.account_id);
    if let Some(directory) = args.data_dir {
        builder = builder.data_dir(directory);
    }
    builder = match args.identity.apply(builder) {
        Ok(builder) => builder,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    builder = args
        .domains
        .into_iter()
        .fold(builder, |builder, domain| builder.domain(domain));
    builder = args
        .cnames
        .into_iter()
        .fold(builder, |builder, (host, bucket)| builder.cname(host, bucket));
    let emulator = match builder.start().await {
        Ok(emulator) => emulator,
        Err(error) => {
            let cause = std::error::Error::source(&error)
                .map(|cause| format!(": {cause}"))
                .unwrap_or_default();
            eprintln!("error: {error}{cause}");
            return ExitCode::from(2);
        }
    };
    println!("listening on {}", emulator.endpoint());
    match args.identity.started(&emulator) {
        Ok(lines) => {
            for line in lines {
                // Whoever started us may have read the first line and closed the pipe.
                let _ = writeln!(std::io::stdout(), "{line}");
            }
        }
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    }
    // Whoever started us reads this line through a pipe.
    if std::io::stdout().flush().is_err() || tokio::signal::ctrl_c().await.is_err() {
        return ExitCode::FAILURE;
    }
    emulator.shutdown().await;
    ExitCode::SUCCESS
}
