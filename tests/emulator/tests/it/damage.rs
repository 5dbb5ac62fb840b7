//! What is wrong on the disk is told, and harms nothing else.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oss_emulator::{Clock, Emulator};

use crate::client::{Client, Request, noon};

async fn start_in(directory: &Path) -> (Emulator, Client) {
    let emulator = Emulator::builder()
        .clock(Clock::fixed(noon()))
        .data_dir(directory)
        .start()
        .await
        .unwrap();
    let client = Client::of(&emulator);
    (emulator, client)
}

/// The journal of a bucket.
fn journal(directory: &Path, bucket: &str) -> PathBuf {
    let name = format!("\"name\":\"{bucket}\"");
    let mut journals = fs::read_dir(directory.join("buckets"))
        .unwrap()
        .map(|home| home.unwrap().path().join("journal"));
    journals
        .find(|journal| fs::read_to_string(journal).unwrap().contains(&name))
        .unwrap()
}

/// Replaces the stored documents of a kind by something else, with the right checksum.
fn spoil(journal: &Path, kind: &str) {
    let text = fs::read_to_string(journal).unwrap();
    let lines = text.lines().map(|line| {
        let (_, json) = line.split_once(' ').unwrap();
        let mut record: serde_json::Value = serde_json::from_str(json).unwrap();
        if record["Config"]["kind"] == kind {
            record["Config"]["document"] = STANDARD.encode("<Broken").into();
        }
        let json = record.to_string();
        let mut digest = crc64fast::Digest::new();
        digest.write(json.as_bytes());
        format!("{:016x} {json}\n", digest.sum64())
    });
    fs::write(journal, lines.collect::<String>()).unwrap();
}

#[tokio::test]
async fn a_bucket_whose_rules_cannot_be_read_keeps_no_other_from_its_turn() {
    let directory = tempfile::tempdir().unwrap();
    let (emulator, client) = start_in(directory.path()).await;
    let rule = "<LifecycleConfiguration><Rule><ID>r</ID><Prefix></Prefix><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>";
    for bucket in ["aaa", "bbb"] {
        client.send(Request::put(&format!("/{bucket}"))).await;
        client.send(Request::put(&format!("/{bucket}/k")).body("x")).await;
        let put = client
            .send(Request::put(&format!("/{bucket}?lifecycle")).body(rule))
            .await;
        assert_eq!(put.status, 200, "{}", put.text());
    }
    emulator.shutdown().await;
    spoil(&journal(directory.path(), "aaa"), "lifecycle");

    let (emulator, client) = start_in(directory.path()).await;
    emulator.clock().advance(Duration::from_secs(3 * 86_400));
    let report = emulator.run_lifecycle().await.unwrap();
    assert_eq!((report.expired, report.failed_buckets), (1, 1), "{report:?}");
    drop(client);
}
