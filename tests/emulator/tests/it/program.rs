//! The program itself, in a process of its own.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStderr, Command, Stdio};

use crate::client::Client;

/// The running program; it does not outlive its test.
pub(crate) struct Program {
    pub(crate) child: Child,
    pub(crate) client: Client,
    log: BufReader<ChildStderr>,
}

impl Program {
    /// Starts it on any free port, with the key `id` and the secret `secret`.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::run(Command::new(env!("CARGO_BIN_EXE_oss-emulator")), arguments)
    }

    /// The same where no file can become larger than so many blocks of the shell, as on a disk that is full.
    #[cfg(unix)]
    pub(crate) fn start_cramped(blocks: u32, arguments: &[&str]) -> Self {
        let mut shell = Command::new("sh");
        // The signal is ignored so that writes fail instead.
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        shell.args(["-c", &script, env!("CARGO_BIN_EXE_oss-emulator")]);
        Self::run(shell, arguments)
    }

    fn run(mut command: Command, arguments: &[&str]) -> Self {
        let mut child = command
            .args(["--port", "0", "--access-key", "id:secret", "--log-level", "info"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let address = line.trim().rsplit('/').next().unwrap().to_owned();
        let client = Client {
            host: address.clone(),
            address,
            id: "id".to_owned(),
            secret: "secret".to_owned(),
            token: None,
            region: String::new(),
            stamp: String::new(),
            product: String::new(),
        };
        Self { child, client, log }
    }

    /// Reads the log up to a line that has this text.
    pub(crate) fn wait_for(&mut self, text: &str) {
        let mut line = String::new();
        while !line.contains(text) {
            line.clear();
            let length = self.log.read_line(&mut line).unwrap();
            assert!(length > 0, "the log ended without `{text}`");
        }
    }

    /// Sends a signal, such as `TERM`.
    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap();
        assert!(sent.success());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
