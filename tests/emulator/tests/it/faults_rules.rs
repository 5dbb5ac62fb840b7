//! Faults by rule: what they match, how they are written, and that each is told of.

use std::time::Duration;

use oss_emulator::{Clock, Emulator, Fault, FaultAction};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::client::{Client, Request, noon, start_with_bucket};

#[tokio::test]
async fn faults_of_the_builder_are_in_store_from_the_start() {
    let emulator = Emulator::builder()
        .clock(Clock::fixed(noon()))
        .fault(
            "action=status:500:InternalError,bucket=bad,times=always"
                .parse()
                .unwrap(),
        )
        .start()
        .await
        .unwrap();
    let client = Client::of(&emulator);
    for (path, status) in [("/bad", 500), ("/good", 200), ("/bad", 500)] {
        assert_eq!(client.send(Request::put(path)).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn keys_are_matched_by_prefix_and_pattern() {
    let (emulator, client) = start_with_bucket().await;
    let busy = || Fault::error(503, "ServiceBusy").always();
    emulator.faults().add(busy().key_prefix("logs/"));
    emulator.faults().add(busy().key_pattern("*.tmp"));
    for (key, status) in [("logs/1", 503), ("a.tmp", 503), ("log", 200), ("a.tmp.txt", 200)] {
        let put = Request::put(&format!("/bucket/{key}")).body("x");
        assert_eq!(client.send(put).await.status, status, "{key}");
    }
}

#[tokio::test]
async fn chance_chooses_the_same_requests_every_time() {
    let run = async |seed: u64| {
        let (emulator, client) = start_with_bucket().await;
        let fault = Fault::error(500, "InternalError").probability(0.5).seed(seed).always();
        emulator.faults().add(fault);
        let mut statuses = Vec::new();
        for _ in 0..24 {
            statuses.push(client.send(Request::get("/bucket/")).await.status);
        }
        statuses
    };
    let first = run(1).await;
    assert_eq!(first, run(1).await);
    assert!(first.contains(&500) && first.contains(&200), "{first:?}");
    assert_ne!(first, run(2).await);
}

#[tokio::test]
async fn a_shortened_answer_looks_whole() {
    let (emulator, client) = start_with_bucket().await;
    client.send(Request::put("/bucket/k").body("0123456789")).await;
    let right = client.send(Request::get("/bucket/k")).await;
    emulator.faults().add(Fault::new(FaultAction::ShortenBody(4)));
    let short = client.send(Request::get("/bucket/k")).await;
    assert_eq!(
        (short.status, short.text().as_str(), short.header("content-length")),
        (200, "0123", Some("4"))
    );
    assert_eq!(
        short.header("x-oss-hash-crc64ecma"),
        right.header("x-oss-hash-crc64ecma")
    );
}

#[tokio::test]
async fn a_body_stalls_where_told() {
    let (emulator, client) = start_with_bucket().await;
    client.send(Request::put("/bucket/k").body("0123456789")).await;
    emulator.faults().add(Fault::new(FaultAction::StallBody(4)));
    let request = client.presign(Request::get("/bucket/k"), 60);
    let raw = format!("GET {} HTTP/1.1\r\nhost: {}\r\n\r\n", request.target(), client.host);
    let mut stream = TcpStream::connect(&client.address).await.unwrap();
    stream.write_all(raw.as_bytes()).await.unwrap();
    let mut received = Vec::new();
    while !received.ends_with(b"0123") {
        assert!(stream.read_buf(&mut received).await.unwrap() > 0);
    }
    let more = tokio::time::timeout(Duration::from_millis(100), stream.read_buf(&mut received));
    assert!(more.await.is_err());
}

#[tokio::test]
async fn throttled_bodies_arrive_whole() {
    let (emulator, client) = start_with_bucket().await;
    // Quick enough not to be waited for: how long it takes is judged where time can stand still.
    let throttle = || Fault::new(FaultAction::Throttle(200_000_000));
    let body = vec![b'x'; 200_000];
    emulator.faults().add(throttle());
    let put = Request::put("/bucket/k").body(body.clone());
    assert_eq!(client.send(put).await.status, 200);
    emulator.faults().add(throttle());
    assert_eq!(client.send(Request::get("/bucket/k")).await.body, body);
    assert_eq!(emulator.faults().pending(), 0);
}

#[tokio::test]
async fn every_fault_is_told_of() {
    let (emulator, client) = start_with_bucket().await;
    for action in [
        "reset-before",
        "reset-after",
        "status:503:ServiceBusy",
        "clock:60",
        "wrong-crc",
        "latency:0ms:0ms",
    ] {
        emulator.faults().add(format!("action={action}").parse().unwrap());
        let _ = client.try_send(client.sign(Request::get("/bucket/"))).await;
        let last = emulator.requests().all().pop().unwrap();
        assert_eq!(last.fault.as_deref(), Some(action));
    }
    client.send(Request::get("/bucket/")).await;
    assert_eq!(emulator.requests().all().pop().unwrap().fault, None);
}
