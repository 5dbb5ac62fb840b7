//! What is wrong on the disk is told, and harms nothing else.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oss_emulator::{Clock, Emulator};
#[cfg(unix)]
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
#[cfg(unix)]
use tokio::net::TcpStream;

#[cfg(unix)]
use crate::client::hmac_sha1_base64;
use crate::client::{Client, Request, noon};
#[cfg(unix)]
use crate::program::Program;

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

/// The files of content.
fn blobs(directory: &Path) -> Vec<PathBuf> {
    let shards = fs::read_dir(directory.join("blobs")).unwrap();
    shards
        .flat_map(|shard| fs::read_dir(shard.unwrap().path()).unwrap())
        .map(|file| file.unwrap().path())
        .collect()
}

#[tokio::test]
async fn content_that_was_changed_on_the_disk_is_never_answered_as_good() {
    const BLOCK: usize = 256 * 1024;
    let directory = tempfile::tempdir().unwrap();
    let (_emulator, client) = start_in(directory.path()).await;
    client.send(Request::put("/bucket")).await;
    let content: Vec<u8> = (0..3 * BLOCK).map(|at| (at % 251) as u8).collect();
    client.send(Request::put("/bucket/k").body(content.clone())).await;
    let [file] = blobs(directory.path()).try_into().unwrap();
    let good = fs::read(&file).unwrap();
    let mut bad = good.clone();
    bad[2 * BLOCK + 7] ^= 1;
    fs::write(&file, &bad).unwrap();
    let get = |range: Option<(usize, usize)>| {
        let request = Request::get("/bucket/k");
        match range {
            Some((from, to)) => request.header("range", &format!("bytes={from}-{to}")),
            None => request,
        }
    };
    // A range that touches the changed block is refused, one that does not is right.
    for (from, to) in [(2 * BLOCK + 7, 2 * BLOCK + 7), (2 * BLOCK + 100, 2 * BLOCK + 199)] {
        let refused = client.send(get(Some((from, to)))).await;
        assert_eq!(refused.error(), (500, "InternalError".to_owned()));
    }
    let fine = client.send(get(Some((BLOCK - 3, BLOCK + 2)))).await;
    assert_eq!(
        (fine.status, fine.body.as_slice()),
        (206, &content[BLOCK - 3..BLOCK + 3])
    );
    // Where the answer has begun already it breaks off, and no wrong byte was in it.
    for range in [None, Some((1, 3 * BLOCK - 1))] {
        let raw = client
            .exchange(&client.raw(&client.sign(get(range))))
            .await
            .unwrap_or_default();
        let body = raw
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .map_or(&[][..], |end| &raw[end + 4..]);
        let start = range.map_or(0, |(from, _)| from);
        assert!(body.len() <= 2 * BLOCK && body == &content[start..start + body.len()]);
    }
    bad[7] ^= 1;
    fs::write(&file, &bad).unwrap();
    assert_eq!(client.send(get(None)).await.error(), (500, "InternalError".to_owned()));
    let copied = Request::put("/bucket/copy").header("x-oss-copy-source", "/bucket/k");
    client.send(copied).await;
    assert_eq!(client.send(Request::get("/bucket/copy")).await.status, 500);
    fs::remove_file(&file).unwrap();
    assert_eq!(client.send(get(None)).await.error(), (500, "InternalError".to_owned()));
    fs::write(&file, &good).unwrap();
    assert!(client.send(get(None)).await.body == content);
}

/// Makes a bucket that everyone may write to.
#[cfg(unix)]
async fn open_bucket(client: &Client) {
    let open = Request::put("/bucket/").header("x-oss-acl", "public-read-write");
    assert_eq!(owned(client, open, "x-oss-acl:public-read-write\n").await.status, 200);
}

/// Sends a request about the bucket with a V1 signature. The clock of the program is the real one, and any answer tells it.
#[cfg(unix)]
async fn owned(client: &Client, request: Request, signed_headers: &str) -> crate::client::Response {
    let now = client.send_as_is(Request::get("/")).await;
    let date = now.header("date").unwrap();
    let text = format!("PUT\n\n\n{date}\n{signed_headers}/bucket/");
    let signature = format!("OSS id:{}", hmac_sha1_base64("secret", &text));
    let request = request.header("date", date).header("authorization", &signature);
    client.send_as_is(request).await
}

#[cfg(unix)]
#[tokio::test]
async fn reading_goes_on_when_its_time_cannot_be_noted() {
    let directory = tempfile::tempdir().unwrap();
    let program = Program::start_cramped(16, &["--data-dir", directory.path().to_str().unwrap()]);
    let client = &program.client;
    open_bucket(client).await;
    // This flag is left out of V1 signatures.
    let monitor = Request::put("/bucket/?accessmonitor")
        .body("<AccessMonitorConfiguration><Status>Enabled</Status></AccessMonitorConfiguration>");
    let enabled = owned(client, monitor, "").await;
    assert_eq!(enabled.status, 200, "{}", enabled.text());
    assert_eq!(
        client.send_as_is(Request::put("/bucket/k").body("text")).await.status,
        200
    );
    // Until the journal can take nothing any more.
    let mut written = 0;
    while client.send_as_is(Request::put("/bucket/l").body("x")).await.status == 200 {
        written += 1;
        assert!(written < 1000);
    }
    let read = client.send_as_is(Request::get("/bucket/k")).await;
    assert_eq!((read.status, read.text().as_str()), (200, "text"));
}

#[cfg(unix)]
#[tokio::test]
async fn a_full_disk_is_told_however_much_is_still_to_come() {
    let directory = tempfile::tempdir().unwrap();
    // Half a MiB, or a whole one where blocks have 1 KiB.
    let program = Program::start_cramped(1024, &["--data-dir", directory.path().to_str().unwrap()]);
    let client = &program.client;
    open_bucket(client).await;
    client.send_as_is(Request::put("/bucket/k").body("old")).await;
    for size in [2, 100] {
        let large = Request::put("/bucket/k").body(vec![7; size * 1024 * 1024]);
        let mut stream = TcpStream::connect(&client.address).await.unwrap();
        // A client that does not look for an answer before it has sent everything must get that far.
        stream.write_all(&client.raw(&large)).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let refused = crate::client::parse(&answer, false).unwrap();
        assert_eq!(refused.error(), (500, "InternalError".to_owned()), "{size} MiB");
    }
    let chunk = format!("{:x}\r\n{}\r\n", 2 * 1024 * 1024, "x".repeat(2 * 1024 * 1024));
    let chunked = Request::put("/bucket/k")
        .header("transfer-encoding", "chunked")
        .body(chunk.repeat(40) + "0\r\n\r\n");
    assert_eq!(client.send_as_is(chunked).await.error().0, 500);
    assert_eq!(
        blobs(directory.path()).len(),
        1,
        "nothing stays of what was not taken in"
    );
    // What fits is taken as before.
    assert_eq!(client.send_as_is(Request::get("/bucket/k")).await.text(), "old");
    assert_eq!(
        client.send_as_is(Request::put("/bucket/k").body("new")).await.status,
        200
    );
    assert_eq!(client.send_as_is(Request::get("/bucket/k")).await.text(), "new");
}
