//! `oss-emulator`: an OSS server from the command line.

mod identity_flags;
mod operation_flags;
mod settings_file;

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser};
use identity_flags::IdentityFlags;
use operation_flags::OperationFlags;
use oss_emulator::{DEFAULT_ACCOUNT_ID, DEFAULT_REGION, Emulator};
use settings_file::SettingsFile;

const EXAMPLES: &str = "Examples:
  oss-emulator --port 9000 --data-dir ./oss-data
  oss-emulator --port 0 --access-key me:my-secret --admin
  oss-emulator --fault 'operation=GetObject,action=status:503:ServiceBusy,times=2'
  oss-emulator --config emulator.toml --print-config

Exit codes: 0 after SIGINT or SIGTERM, 2 when it cannot start, 130 or 143 when a second signal cut requests off.";

/// An OSS server on your own machine.
#[derive(Debug, Parser)]
#[command(name = "oss-emulator", version, after_help = EXAMPLES)]
struct Args {
    /// Read settings from this file of TOML; its keys are the names of the flags, and flags go before it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print the settings in effect, without secrets, and end.
    #[arg(long)]
    print_config: bool,
    #[command(flatten)]
    operation: OperationFlags,
    /// Port to listen on; 0 takes any free one.
    #[arg(long, default_value_t = 9000)]
    port: u16,
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// Directory that keeps everything across restarts; without it all lives in memory.
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Begin with the buckets and objects of this folder: its folders are buckets, the files below are objects.
    #[arg(long, value_name = "FOLDER")]
    seed: Option<PathBuf>,
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

/// Reads the flags, and the file that they name.
fn read(arguments: Vec<OsString>) -> Result<Args, ExitCode> {
    let fail = |error: String| {
        eprintln!("error: {error}");
        ExitCode::from(2)
    };
    let clap_exit = |error: clap::Error| {
        let _ = error.print();
        ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
    };
    let command = Args::command();
    let mut matches = command.clone().try_get_matches_from(&arguments).map_err(clap_exit)?;
    if let Some(path) = matches.get_one::<PathBuf>("config") {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| fail(format!("{name}: {error}")))?;
        let file = SettingsFile::read(&name, &text, &command, &matches).map_err(fail)?;
        let all = arguments.iter().chain(&file.arguments);
        matches = command
            .clone()
            .try_get_matches_from(all)
            .map_err(|error| match file.blame(&error) {
                Some(blame) => fail(blame),
                None => clap_exit(error),
            })?;
    }
    if matches.get_flag("print_config") {
        print!("{}", settings_file::print(&command, &matches));
        return Err(ExitCode::SUCCESS);
    }
    Args::from_arg_matches(&matches).map_err(clap_exit)
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = match read(std::env::args_os().collect()) {
        Ok(args) => args,
        Err(code) => return code,
    };
    args.operation.start_log();
    run(args).await
}

/// Signals that ask the program to end.
struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        #[cfg(unix)]
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            #[cfg(unix)]
            interrupt: signal(SignalKind::interrupt())?,
            #[cfg(unix)]
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for one, and returns the code of a program that it ended.
    async fn next(&mut self) -> u8 {
        #[cfg(unix)]
        tokio::select! {
            _ = self.interrupt.recv() => 130,
            _ = self.terminate.recv() => 143,
        }
        #[cfg(not(unix))]
        {
            let _ = tokio::signal::ctrl_c().await;
            130
        }
    }
}

async fn run(args: Args) -> ExitCode {
    let mut signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(error) => {
            eprintln!("error: cannot listen for signals: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut builder = Emulator::builder()
        .port(args.port)
        .host(args.host)
        .region(args.region)
        .account_id(args.account_id);
    if let Some(directory) = args.data_dir {
        builder = builder.data_dir(directory);
    }
    if let Some(folder) = args.seed {
        builder = builder.seed(folder);
    }
    let applied = args
        .identity
        .apply(builder)
        .and_then(|builder| args.operation.apply(builder));
    builder = match applied {
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
    let lines = match args.identity.started(&emulator) {
        Ok(lines) => lines.into_iter().chain(args.operation.started(&emulator)),
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    if let Err(error) = announce(&mut std::io::stdout(), &emulator.endpoint(), lines) {
        eprintln!("error: cannot say where the emulator listens: {error}");
        return ExitCode::FAILURE;
    }
    signals.next().await;
    tracing::info!("the emulator ends when its requests have, or at a second signal");
    tokio::select! {
        () = emulator.shutdown() => ExitCode::SUCCESS,
        code = signals.next() => ExitCode::from(code),
    }
}

/// Says where the emulator listens, and what else there is to say. Whoever started it reads the first line through a
/// pipe and may close that before the others come: they may get lost.
fn announce(out: &mut dyn Write, endpoint: &str, lines: impl Iterator<Item = String>) -> std::io::Result<()> {
    writeln!(out, "listening on {endpoint}")?;
    out.flush()?;
    for line in lines {
        let _ = writeln!(out, "{line}");
    }
    let _ = out.flush();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pipe that is closed after so many flushes.
    struct Pipe {
        read: Vec<u8>,
        open: u32,
    }

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            match self.open {
                0 => Err(std::io::ErrorKind::BrokenPipe.into()),
                _ => self.read.write(bytes),
            }
        }

        fn flush(&mut self) -> std::io::Result<()> {
            match self.open.checked_sub(1) {
                Some(left) => {
                    self.open = left;
                    Ok(())
                }
                None => Err(std::io::ErrorKind::BrokenPipe.into()),
            }
        }
    }

    #[test]
    fn only_the_first_line_has_to_be_read() {
        let lines = || ["more".to_owned()].into_iter();
        for (open, expected) in [(1, "listening on x\n"), (2, "listening on x\nmore\n")] {
            let mut pipe = Pipe { read: Vec::new(), open };
            assert!(announce(&mut pipe, "x", lines()).is_ok());
            assert_eq!(pipe.read, expected.as_bytes());
        }
        let mut closed = Pipe {
            read: Vec::new(),
            open: 0,
        };
        assert!(announce(&mut closed, "x", lines()).is_err());
    }
}
