//! Emulators that come and go in one process leave nothing behind.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use oss_emulator::{AdminOptions, Clock, Emulator, StartError, Tls};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::client::noon;

const NAME: &str = "leaks::fifty_emulators_leave_nothing_behind";
/// Set in the process that counts: here, other tests open files meanwhile.
const ALONE: &str = "OSS_EMULATOR_TEST_ALONE";

#[test]
fn fifty_emulators_leave_nothing_behind() {
    if std::env::var_os(ALONE).is_none() {
        let mut alone = Command::new(std::env::current_exe().unwrap());
        let output = alone.args(["--exact", NAME]).env(ALONE, "yes").output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let directory = tempfile::tempdir().unwrap();
        // The first one loads what the process keeps.
        come_and_go(directory.path()).await;
        let (tasks, files) = (tasks(), files());
        for _ in 0..50 {
            come_and_go(directory.path()).await;
        }
        until("tasks are left", || self::tasks() <= tasks).await;
        until("files are left open", || self::files() <= files).await;
    });
}

/// Starts an emulator with all listeners, and drops it while clients are connected.
async fn come_and_go(directory: &Path) {
    let give_up = Instant::now() + Duration::from_secs(30);
    let emulator = loop {
        let builder = Emulator::builder()
            .clock(Clock::fixed(noon()))
            .data_dir(directory)
            .tls(Tls::generated())
            .plain_port(0)
            .admin(AdminOptions::new())
            .ecs_metadata("role");
        match builder.start().await {
            Ok(emulator) => break emulator,
            // The one before lets go of the directory when its tasks have ended, which takes a moment.
            Err(StartError::Store(_)) if Instant::now() < give_up => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    };
    let endpoints = [
        emulator.plain_endpoint().unwrap(),
        emulator.endpoint().replace("https", "http"),
        emulator.admin_endpoint().unwrap(),
        emulator.ecs_metadata_endpoint().unwrap(),
    ];
    let mut clients = Vec::new();
    for endpoint in &endpoints {
        let mut stream = TcpStream::connect(address(endpoint)).await.unwrap();
        stream
            .write_all(b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
            .await
            .unwrap();
        clients.push(stream);
    }
    let mut start = [0; 12];
    clients[0].read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 200");
    drop(emulator);
    for mut client in clients {
        let mut rest = Vec::new();
        let end = tokio::time::timeout(Duration::from_secs(30), client.read_to_end(&mut rest)).await;
        assert!(end.is_ok(), "a connection stays open");
    }
    for endpoint in &endpoints {
        let refused = TcpStream::connect(address(endpoint)).await;
        assert!(refused.is_err(), "{endpoint} is still listened on");
    }
}

fn address(endpoint: &str) -> &str {
    endpoint.strip_prefix("http://").unwrap()
}

fn tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

/// Files and sockets that this process has open, where the system tells.
fn files() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

async fn until(complaint: &str, is_so: impl Fn() -> bool) {
    let give_up = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < give_up, "{complaint}");
        tokio::task::yield_now().await;
    }
}
