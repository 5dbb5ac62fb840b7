//! nginx beside the emulator: what serving a file can cost at best.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::super::plain::Connection;

/// nginx serving one file. Its directory belongs to the caller.
pub(super) struct Nginx {
    pub(super) address: String,
    child: Child,
}

impl Drop for Nginx {
    /// Asks it to end: a process that is killed leaves its workers behind.
    fn drop(&mut self) {
        let asked = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        if !asked.is_ok_and(|status| status.success()) {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

/// Where Debian's package puts the program, which is not on everybody's path.
const PROGRAMS: [&str; 2] = ["nginx", "/usr/sbin/nginx"];

impl Nginx {
    /// Nothing when there is no nginx on this machine.
    pub(super) async fn start(directory: &Path, block: &[u8], mebibytes: u64) -> Result<Option<Self>, String> {
        let works = |program: &&str| {
            let told = Command::new(program).arg("-v").stderr(Stdio::null()).status();
            told.is_ok_and(|status| status.success())
        };
        let Some(program) = PROGRAMS.into_iter().find(works) else {
            return Ok(None);
        };
        let io = |error: std::io::Error| format!("nginx: {error}");
        let root = directory.join("nginx");
        std::fs::create_dir(&root).map_err(io)?;
        let mut file = std::fs::File::create(root.join("large")).map_err(io)?;
        for _ in 0..mebibytes {
            std::io::Write::write_all(&mut file, block).map_err(io)?;
        }
        let free = std::net::TcpListener::bind("127.0.0.1:0").map_err(io)?;
        let address = free.local_addr().map_err(io)?.to_string();
        drop(free);
        let (shown, temporary) = (root.display(), directory.join("nginx-temporary"));
        let temporary = temporary.display();
        let configuration = format!(
            "daemon off; worker_processes 2; pid {temporary}.pid; error_log {temporary}.log; events {{ worker_connections 256; }}\n\
             http {{ access_log off; sendfile on; tcp_nopush on; client_body_temp_path {temporary}-body; proxy_temp_path {temporary}-proxy;\n\
             fastcgi_temp_path {temporary}-fastcgi; uwsgi_temp_path {temporary}-uwsgi; scgi_temp_path {temporary}-scgi;\n\
             server {{ listen {address}; root {shown}; }} }}\n"
        );
        // The workers of a privileged nginx have an account of their own, which must get at the file.
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o755)).map_err(io)?;
        }
        let file = directory.join("nginx.conf");
        std::fs::write(&file, configuration).map_err(io)?;
        let child = Command::new(program)
            .arg("-c")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(io)?;
        let started = Self { address, child };
        for _ in 0..100 {
            if Connection::open(&started.address).await.is_ok() {
                return Ok(Some(started));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err("nginx does not start".to_owned())
    }
}
