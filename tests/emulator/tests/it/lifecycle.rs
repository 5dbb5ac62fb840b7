//! Starting, stopping, restarting; and uploads that end too early.

use oss_emulator::{Clock, Emulator, StartError};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::client::{Client, Request, noon, start_with_bucket};

async fn start_in(directory: &std::path::Path) -> Result<Emulator, StartError> {
    Emulator::builder()
        .clock(Clock::fixed(noon()))
        .data_dir(directory)
        .start()
        .await
}

#[tokio::test]
async fn a_directory_keeps_everything_across_restarts() {
    let directory = tempfile::tempdir().unwrap();
    let emulator = start_in(directory.path()).await.unwrap();
    let client = Client::of(&emulator);
    client
        .send(Request::put("/bucket").header("x-oss-acl", "public-read"))
        .await;
    client
        .send(Request::put("/bucket/k").header("x-oss-meta-a", "b").body("text"))
        .await;
    let rule = "<CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule>";
    client
        .send(Request::put("/bucket?cors").body(format!("<CORSConfiguration>{rule}</CORSConfiguration>")))
        .await;
    let id = client
        .send(Request::post("/bucket/up?uploads"))
        .await
        .element("UploadId")
        .unwrap();
    client
        .send(Request::put(&format!("/bucket/up?partNumber=1&uploadId={id}")).body("part"))
        .await;
    let second = start_in(directory.path()).await;
    assert!(matches!(second, Err(StartError::Store(_))), "{second:?}");
    emulator.shutdown().await;

    let emulator = start_in(directory.path()).await.unwrap();
    let client = Client::of(&emulator);
    let object = client.send(Request::get("/bucket/k")).await;
    assert_eq!(
        (object.text().as_str(), object.header("x-oss-meta-a")),
        ("text", Some("b"))
    );
    assert_eq!(
        client
            .send(Request::get("/bucket?acl"))
            .await
            .element("Grant")
            .as_deref(),
        Some("public-read")
    );
    assert_eq!(client.send(Request::get("/bucket?cors")).await.status, 200);
    let complete = Request::post(&format!("/bucket/up?uploadId={id}")).header("x-oss-complete-all", "yes");
    assert_eq!(client.send(complete).await.status, 200);
    assert_eq!(client.send(Request::get("/bucket/up")).await.text(), "part");
}

#[tokio::test]
async fn a_body_that_ends_early_leaves_nothing() {
    let (emulator, client) = start_with_bucket().await;
    let signed = client.sign(Request::put("/bucket/k"));
    let headers: String = signed
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let head = format!(
        "PUT /bucket/k HTTP/1.1\r\nhost: {}\r\ncontent-length: 1000\r\n{headers}\r\nonly this",
        client.host
    );
    let mut stream = TcpStream::connect(&client.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut rest = Vec::new();
    let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest).await;
    assert_eq!(
        client.send(Request::get("/bucket/k")).await.error(),
        (404, "NoSuchKey".to_owned())
    );
    assert_eq!(client.send(Request::delete("/bucket")).await.status, 204);
    emulator.shutdown().await;
}

#[tokio::test]
async fn a_port_is_taken_only_once() {
    let (emulator, _client) = start_with_bucket().await;
    let second = Emulator::builder().port(emulator.address().port()).start().await;
    assert!(matches!(second, Err(StartError::Bind { .. })));
}

#[tokio::test]
async fn a_dropped_emulator_listens_no_more() {
    let (emulator, client) = start_with_bucket().await;
    drop(emulator);
    for _ in 0..100 {
        if TcpStream::connect(&client.address).await.is_err() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("the emulator still listens");
}

#[tokio::test]
async fn broken_http_is_answered_or_dropped_but_never_served() {
    let (_emulator, client) = start_with_bucket().await;
    for raw in [
        "nonsense\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET / HTTP/1.1\r\nconnection: close\r\n\r\n",
        "GET /bucket/%zz%FF HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n",
    ] {
        let answer = client.exchange(raw.as_bytes()).await.unwrap_or_default();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
            "{raw:?}: {answer}"
        );
    }
}
