//! A process that is killed while it writes.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use futures_util::future::join_all;

use super::*;

const DIRECTORY: &str = "OSS_EMULATOR_CRASH_TEST_DIRECTORY";

/// What the child writes for a number: the key tells the content.
fn content(number: u32) -> String {
    format!("content {number} ").repeat(number as usize % 40 + 1)
}

#[tokio::test]
#[ignore = "needs to be killed: `a_killed_process_loses_nothing_it_confirmed` runs it"]
async fn writes_until_it_is_killed() {
    let Ok(directory) = std::env::var(DIRECTORY) else {
        return;
    };
    let store = Store::open(directory, clock()).await.unwrap();
    if store.bucket("b").is_err() {
        bucket(&store).await;
    }
    // More than any test reads, so that a child whose parent died ends by itself.
    for number in 0..100_000 {
        put(&store, &format!("{number}"), content(number)).await;
        let at = store.object("b", "log", None).map_or(0, |log| log.info().size);
        append(&store, "log", at, "0123456789").await.unwrap();
        put(&store, "same", content(number)).await;
        // Of those that write together, each may tell of its own write only.
        let group = (0..8).map(|member| {
            let store = store.clone();
            tokio::spawn(async move {
                put(&store, &format!("group {number} {member}"), content(member)).await;
            })
        });
        join_all(group).await.into_iter().for_each(|member| member.unwrap());
        println!("confirmed {number}");
    }
}

#[tokio::test]
async fn a_killed_process_loses_nothing_it_confirmed() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    for round in [3, 17, 40] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "store::tests::crash::writes_until_it_is_killed"])
            .args(["--ignored", "--nocapture"])
            .env(DIRECTORY, &data)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let confirmed = out
            .lines()
            .map_while(io::Result::ok)
            .filter(|line| line.contains("confirmed "))
            .take(round)
            .count();
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(confirmed, round);

        let store = Store::open(&data, clock()).await.unwrap();
        for number in 0..u32::try_from(round).unwrap() {
            assert_eq!(text(&store, &number.to_string()).await, content(number));
            for member in 0..8 {
                assert_eq!(text(&store, &format!("group {number} {member}")).await, content(member));
            }
        }
        let log = text(&store, "log").await;
        assert!(log.len() >= 10 * round && log == "0123456789".repeat(log.len() / 10));
        assert!(text(&store, "same").await.starts_with("content "));
        let objects = contents(&store).await.len();
        assert!(objects > round, "everything that is listed can be read");
    }
}
