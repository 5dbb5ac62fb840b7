//! Credentials that a program writes.

use std::fmt;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use zeroize::Zeroizing;

use super::document::Document;
use super::remote::Link;
use super::{Credentials, CredentialsContext, CredentialsError, CredentialsProvider, CredentialsRequest, KEEP};
use crate::future::BoxFuture;

/// More is not read.
const MAX_OUTPUT: u64 = 64 * 1024;

/// How often a running program is looked at.
const POLL: Duration = Duration::from_millis(10);

/// Credentials that a program writes to its standard output, as JSON.
///
/// The command goes to `sh -c`, on Windows to `cmd.exe /S /C`, with the environment of this process, so never put text of
/// others into it. Its output is `{"AccessKeyId", "AccessKeySecret", "SecurityToken", "Expiration"}`, the last two for
/// temporary credentials, the time like `2026-01-31T08:05:09Z`; or what programs for the command line tool write:
/// `{"mode", "access_key_id", "access_key_secret", "sts_token"}`. What it writes to its standard error goes to that of this
/// process. A program that does not end within 15 seconds is killed.
///
/// Credentials without an end are kept for 15 minutes, and asked for again when the service refuses them.
///
/// ```
/// use oss_sdk::Client;
/// use oss_sdk::credentials::ProcessCredentials;
///
/// let client = Client::builder()
///     .region("cn-hangzhou")
///     .credentials_provider(ProcessCredentials::new("vault-oss --role uploader"))
///     .build()?;
/// # Ok::<(), oss_sdk::Error>(())
/// ```
pub struct ProcessCredentials {
    command: String,
    limit: Duration,
    link: Link,
}

impl ProcessCredentials {
    /// Runs `command` when credentials are needed.
    pub fn new(command: impl Into<String>) -> Self {
        Self {
            command: command.into(),
            limit: Duration::from_secs(15),
            link: Link::default(),
        }
    }

    /// Sets how long the program may take. Default: 15 seconds.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    async fn fetch(&self) -> Result<Credentials, CredentialsError> {
        let (command, limit) = (self.command.clone(), self.limit);
        let abandoned = Arc::new(AtomicBool::new(false));
        // A caller that goes away takes the program with it.
        let _guard = Abandon(Arc::clone(&abandoned));
        let run = tokio::task::spawn_blocking(move || run(&command, limit, &abandoned));
        let output = run.await.map_err(|error| {
            CredentialsError::retryable("the credentials process could not be waited for").with_source(error)
        })??;
        let mut document = Document::parse("the output of the credentials process", &output)?;
        let credentials = if document.has("AccessKeyId") {
            document.key()?
        } else {
            document.snake_case_key()?
        };
        Ok(if credentials.expiration().is_none() {
            let kept = self.link.context()?.now().saturating_add(KEEP);
            credentials.with_renewal(kept)
        } else {
            credentials
        })
    }
}

struct Abandon(Arc<AtomicBool>);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(not(windows))]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command);
    shell
}

#[cfg(windows)]
fn shell(command: &str) -> Command {
    use std::os::windows::process::CommandExt;

    let mut shell = Command::new("cmd.exe");
    shell.raw_arg(cmd_arguments(command));
    shell
}

/// With `/S`, `cmd.exe` takes away the first quote and the last and leaves those of the command alone. It does not know the
/// escapes that other programs expect of their arguments.
#[cfg(any(windows, test))]
fn cmd_arguments(command: &str) -> String {
    format!("/S /C \"{command}\"")
}

fn run(command: &str, limit: Duration, abandoned: &AtomicBool) -> Result<Zeroizing<Vec<u8>>, CredentialsError> {
    let mut child = shell(command)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .map_err(|error| CredentialsError::new("the credentials process cannot be started").with_source(error))?;
    let (sender, read) = mpsc::channel();
    if let Some(output) = child.stdout.take() {
        // On a thread of its own: a grandchild may keep the pipe open for longer than anybody waits.
        std::thread::spawn(move || {
            let mut bytes = Zeroizing::new(Vec::new());
            let outcome = output.take(MAX_OUTPUT + 1).read_to_end(&mut bytes);
            drop(sender.send(outcome.map(|_| bytes)));
        });
    }
    let polls = limit.as_nanos().div_ceil(POLL.as_nanos());
    let broken = |error: std::io::Error| {
        CredentialsError::retryable("the output of the credentials process cannot be read").with_source(error)
    };
    let mut output = None;
    for _ in 0..polls.max(1) {
        if abandoned.load(Ordering::Relaxed) {
            break;
        }
        if output.is_none() {
            output = match read.recv_timeout(POLL) {
                Ok(outcome) => Some(outcome.map_err(broken)?),
                Err(_) => None,
            };
        }
        let Some(bytes) = output.take_if(|bytes| bytes.len() as u64 <= MAX_OUTPUT) else {
            if output.is_some() {
                kill(&mut child);
                return Err(CredentialsError::new(
                    "the output of the credentials process does not end",
                ));
            }
            continue;
        };
        match child.try_wait().map_err(broken)? {
            Some(status) if status.success() => return Ok(bytes),
            // The output is not shown: it may hold a key.
            Some(status) => {
                return Err(CredentialsError::new(format!(
                    "the credentials process failed: {status}"
                )));
            }
            None => {
                output = Some(bytes);
                std::thread::sleep(POLL);
            }
        }
    }
    kill(&mut child);
    let message = format!("the credentials process has not ended within {} s", limit.as_secs_f64());
    Err(CredentialsError::retryable(message))
}

fn kill(child: &mut Child) {
    // It may have ended just now; then there is only its status to fetch.
    drop(child.kill());
    drop(child.wait());
}

/// Without the command, which may hold a password.
impl fmt::Debug for ProcessCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProcessCredentials")
    }
}

impl CredentialsProvider for ProcessCredentials {
    fn credentials<'a>(
        &'a self,
        _request: &'a CredentialsRequest,
    ) -> BoxFuture<'a, Result<Credentials, CredentialsError>> {
        Box::pin(self.fetch())
    }

    fn attach(&self, context: &CredentialsContext) {
        self.link.attach(context);
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    async fn output(command: &str, limit: u64) -> Result<Credentials, CredentialsError> {
        let process = ProcessCredentials::new(command).timeout(Duration::from_millis(limit));
        process.credentials(&CredentialsRequest::default()).await
    }

    #[tokio::test]
    async fn both_forms_of_output_are_read() {
        let temporary = r#"echo '{"AccessKeyId":"id","AccessKeySecret":"s","SecurityToken":"t","Expiration":"2030-01-02T03:04:05Z"}'"#;
        let found = output(temporary, 10_000).await.unwrap();
        assert_eq!((found.access_key_id(), found.access_key_secret().expose()), ("id", "s"));
        assert_eq!(found.security_token().unwrap().expose(), "t");
        assert_eq!(found.expiration().unwrap().to_string(), "2030-01-02T03:04:05Z");
        let of_the_tool = r#"echo '{"mode":"StsToken","access_key_id":"id","access_key_secret":"s","sts_token":"t"}'"#;
        let found = output(of_the_tool, 10_000).await.unwrap();
        assert_eq!(
            (found.access_key_id(), found.security_token().unwrap().expose()),
            ("id", "t")
        );
        assert!(
            found.expiration().is_none() && found.renewal().is_some(),
            "kept for a while"
        );
    }

    #[tokio::test]
    async fn a_program_that_fails_is_told_of_without_what_it_wrote() {
        let rows = [
            ("echo 5ec4e7; exit 3", "failed: exit status: 3", false),
            ("echo 5ec4e7", "cannot be read", false),
            ("echo '[\"5ec4e7\"]'", "is not a JSON object", false),
            (
                r#"echo '{"AccessKeyId":"5ec4e7"}'"#,
                "`AccessKeySecret` is missing",
                false,
            ),
            (
                r#"echo '{"AccessKeyId":"a","AccessKeySecret":"b","Expiration":"5ec4e7"}'"#,
                "`Expiration`",
                false,
            ),
            ("exec /no/such/program 2>/dev/null", "failed: exit status: 127", false),
            ("head -c 70000 /dev/zero", "does not end", false),
        ];
        for (command, expected, retryable) in rows {
            let error = output(command, 10_000).await.unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(error.to_string().contains(expected), "{command}: {error}");
            assert!(!shown.contains("5ec4e7"), "{shown}");
            assert_eq!(error.is_retryable(), retryable);
        }
    }

    #[test]
    fn quotes_of_a_command_are_left_alone() {
        let command = r#""C:\Program Files\vault.exe" --role "x y""#;
        let expected = r#"/S /C ""C:\Program Files\vault.exe" --role "x y"""#;
        assert_eq!(cmd_arguments(command), expected);
    }

    #[tokio::test]
    async fn a_program_that_hangs_is_killed() {
        let error = output("exec sleep 100", 50).await.unwrap_err();
        assert!(error.is_retryable());
        assert_eq!(error.to_string(), "the credentials process has not ended within 0.05 s");
        let error = output("sleep 3 & echo x", 50).await.unwrap_err();
        assert!(error.is_retryable(), "a grandchild holds the pipe: {error}");
    }
}
