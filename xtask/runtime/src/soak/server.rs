//! The emulator as a program of its own, which a proof can end at any moment.

use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use oss_sdk::{Client, Credentials};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// The key that the program is started with. It accepts no other.
pub(super) const KEY: (&str, &str) = ("soak", "soak-secret");
pub(super) const REGION: &str = "cn-hangzhou";

const START: Duration = Duration::from_secs(60);
/// Longer than the program gives its own connections.
const STOP: Duration = Duration::from_secs(30);

/// How a program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Ending {
    /// At once: kill -9.
    Kill,
    /// When it was asked to and has answered what it was at: kill -TERM.
    Term,
}

/// A running program. It does not outlive this value.
pub(super) struct Server {
    child: Child,
    endpoint: String,
    complaints: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Starts the program beside this one on any free port, with further arguments, and waits until it listens.
    pub(super) async fn start<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> Result<Self, String> {
        let mut child = spawn(arguments, Stdio::piped)?;
        let complaints = Arc::new(Mutex::new(Vec::new()));
        if let Some(stderr) = child.stderr.take() {
            let complaints = Arc::clone(&complaints);
            tokio::spawn(async move {
                let mut lines = BufReader::new(stderr).lines();
                while let Ok(Some(line)) = lines.next_line().await {
                    if ["panicked", "error:", "ERROR"].iter().any(|sign| line.contains(sign)) {
                        complaints.lock().unwrap_or_else(PoisonError::into_inner).push(line);
                    }
                }
            });
        }
        let stdout = child.stdout.take().ok_or("the program has no output")?;
        let mut lines = BufReader::new(stdout).lines();
        let ready = async {
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some(endpoint) = line.trim().strip_prefix("listening on ") {
                    return Some(endpoint.to_owned());
                }
            }
            None
        };
        let endpoint = tokio::time::timeout(START, ready).await;
        // Whoever writes to a pipe that nobody reads would stop one day.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let endpoint = endpoint.map_err(|_| "the program does not start")?;
        match endpoint {
            Some(endpoint) => Ok(Self {
                child,
                endpoint,
                complaints,
            }),
            None => {
                let _ = child.wait().await;
                tokio::task::yield_now().await;
                let why = complaints.lock().unwrap_or_else(PoisonError::into_inner).join("; ");
                Err(format!("the program ended before it listened: {why}"))
            }
        }
    }

    /// Starts the program and kills it after so long, wherever it is then.
    pub(super) async fn cut_short<S: AsRef<std::ffi::OsStr>>(arguments: &[S], after: Duration) -> Result<(), String> {
        let mut child = spawn(arguments, Stdio::null)?;
        tokio::time::sleep(after).await;
        if let Ok(Some(status)) = child.try_wait() {
            return Err(format!("the program ended by itself when it started, with {status}"));
        }
        child.kill().await.map_err(|error| format!("kill: {error}"))
    }

    pub(super) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// `HOST:PORT`.
    pub(super) fn address(&self) -> &str {
        self.endpoint.trim_start_matches("http://")
    }

    /// A client that does not try again, so that every outcome is that of one request.
    pub(super) fn client(&self) -> Result<Client, String> {
        Client::builder()
            .region(REGION)
            .endpoint(self.endpoint.clone())
            .credentials(Credentials::new(KEY.0, KEY.1))
            .retry_attempts(1)
            .build()
            .map_err(|error| error.to_string())
    }

    /// A complaint about something that must never happen, such as a panic.
    pub(super) fn complaint(&self) -> Option<String> {
        let complaints = self.complaints.lock().unwrap_or_else(PoisonError::into_inner);
        complaints.first().cloned()
    }

    /// Most memory that the program has used so far, in bytes; nothing where the system does not tell.
    pub(super) fn peak_memory(&self) -> Option<u64> {
        let status =
            std::fs::read_to_string(Path::new("/proc").join(self.child.id()?.to_string()).join("status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
        Some(kib * 1024)
    }

    /// Ends the program and waits for its end.
    pub(super) async fn end(mut self, ending: Ending) -> Result<(), String> {
        match ending {
            Ending::Kill => self.child.start_kill().map_err(|error| format!("kill: {error}"))?,
            Ending::Term => {
                let id = self.child.id().ok_or("the program ended by itself")?.to_string();
                let asked = Command::new("kill").args(["-TERM", &id]).status().await;
                if !asked.is_ok_and(|status| status.success()) {
                    return Err("the program could not be asked to end".to_owned());
                }
            }
        }
        let ended = tokio::time::timeout(STOP, self.child.wait()).await;
        let status = ended
            .map_err(|_| "the program does not end")?
            .map_err(|error| format!("wait: {error}"))?;
        if let Some(complaint) = self.complaint() {
            return Err(format!("the program complained: {complaint}"));
        }
        match ending {
            Ending::Term if !status.success() => Err(format!("the program ended with {status}")),
            _ => Ok(()),
        }
    }
}

fn spawn<S: AsRef<std::ffi::OsStr>>(arguments: &[S], output: fn() -> Stdio) -> Result<Child, String> {
    let this = std::env::current_exe().map_err(|error| format!("this program's own path: {error}"))?;
    let program = this.with_file_name(format!("oss-emulator{}", std::env::consts::EXE_SUFFIX));
    Command::new(&program)
        .args(["--port", "0", "--access-key", &format!("{}:{}", KEY.0, KEY.1)])
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(output())
        .stderr(output())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("{}: {error}", program.display()))
}
