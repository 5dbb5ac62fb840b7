//! Flags about running the emulator: management, faults and logs.

use std::io::IsTerminal as _;

use clap::Args;
use oss_emulator::{AccessLog, AdminOptions, Builder, Emulator, Fault};
use tracing_subscriber::filter::LevelFilter;

const TOKEN_VARIABLE: &str = "OSS_EMULATOR_ADMIN_TOKEN";

/// Management, faults and logs.
#[derive(Debug, Args)]
pub(crate) struct OperationFlags {
    /// Open the management listener, by default on 127.0.0.1:9001. Other than loopback addresses need a token of your own.
    #[arg(long, value_name = "HOST:PORT", num_args = 0..=1, default_missing_value = "127.0.0.1:9001", value_parser = address)]
    admin: Option<(String, u16)>,
    /// Token of the management listener; `OSS_EMULATOR_ADMIN_TOKEN` in the environment is one too. By default a random one is
    /// drawn and printed.
    #[arg(long, value_name = "TOKEN", hide_default_value = true)]
    admin_token: Option<String>,
    /// Host name that the management listener may be called by, may be given several times.
    #[arg(long = "admin-allow-host", value_name = "NAME")]
    admin_names: Vec<String>,
    /// Answer `/metrics` of the management listener without the token.
    #[arg(long)]
    metrics_open: bool,
    /// Fault that requests suffer, may be given several times, such as
    /// `operation=GetObject,action=status:503:ServiceBusy,times=2`.
    #[arg(long = "fault", value_name = "RULE")]
    faults: Vec<Fault>,
    /// Write a line of JSON for every request to this file, or to standard output with `-`.
    #[arg(long, value_name = "FILE")]
    access_log: Option<String>,
    /// Least level of the log on standard error: off, error, warn, info, debug or trace. By default info on a terminal, which
    /// shows every request, and warn elsewhere.
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<LevelFilter>,
}

fn address(text: &str) -> Result<(String, u16), String> {
    let pair = text.rsplit_once(':').filter(|(host, _)| !host.is_empty());
    pair.and_then(|(host, port)| Some((host.to_owned(), port.parse().ok()?)))
        .ok_or_else(|| "not of the form HOST:PORT".to_owned())
}

impl OperationFlags {
    /// Starts the log of the program.
    pub(crate) fn start_log(&self) {
        let is_terminal = std::io::stderr().is_terminal();
        let usual = if is_terminal {
            LevelFilter::INFO
        } else {
            LevelFilter::WARN
        };
        // Only a second subscriber could be refused, and there is none.
        let _ = tracing_subscriber::fmt()
            .with_writer(std::io::stderr)
            .with_ansi(is_terminal)
            .with_max_level(self.log_level.unwrap_or(usual))
            .try_init();
    }

    /// Puts what the flags say into the settings.
    pub(crate) fn apply(&self, mut builder: Builder) -> Result<Builder, String> {
        if let Some((host, port)) = &self.admin {
            let variable = std::env::var(TOKEN_VARIABLE).ok().filter(|token| !token.is_empty());
            let mut options = AdminOptions::new()
                .host(host.as_str())
                .port(*port)
                .open_metrics(self.metrics_open);
            if let Some(token) = self.admin_token.clone().or(variable) {
                options = options.token(token);
            }
            options = self
                .admin_names
                .iter()
                .fold(options, |options, name| options.allow_host(name.as_str()));
            builder = builder.admin(options);
        }
        builder = match self.access_log.as_deref() {
            None => builder,
            Some("-") => builder.access_log(AccessLog::to(std::io::stdout())),
            Some(path) => builder.access_log(AccessLog::file(path).map_err(|error| format!("{path}: {error}"))?),
        };
        Ok(self
            .faults
            .iter()
            .fold(builder, |builder, fault| builder.fault(fault.clone())))
    }

    /// What to print when the emulator runs: the token only when it was drawn, since a chosen one is known.
    pub(crate) fn started(&self, emulator: &Emulator) -> Option<String> {
        let (endpoint, token) = (emulator.admin_endpoint()?, emulator.admin_token()?);
        let is_chosen =
            self.admin_token.is_some() || std::env::var(TOKEN_VARIABLE).is_ok_and(|token| !token.is_empty());
        Some(match is_chosen {
            true => format!("management on {endpoint}"),
            false => format!("management on {endpoint}/_ui?token={token}"),
        })
    }
}
