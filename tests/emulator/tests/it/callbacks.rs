//! Uploads that tell an application about themselves.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::client::{Request, md5_base64, md5_hex, start_with_bucket};
use crate::server::Server;

fn encoded(json: &serde_json::Value) -> String {
    STANDARD.encode(json.to_string())
}

fn callback(url: &str, body: &str) -> String {
    encoded(&json!({"callbackUrl": url, "callbackBody": body}))
}

#[tokio::test]
async fn an_upload_is_told_to_the_application_and_its_answer_is_ours() {
    let (_emulator, client) = start_with_bucket().await;
    let server = Server::json("{\"ok\":true}").await;
    let body = "b=${bucket}&o=${object}&e=${etag}&s=${size}&t=${mimeType}&h=${imageInfo.height}&m=${contentMd5}\
        &ip=${clientIp}&op=${operation}&own=${x:who}&r=${reqId}";
    let answer = client
        .send(
            Request::put("/bucket/dir/a b")
                .body("hello")
                .header("content-type", "text/plain")
                .header(
                    "x-oss-callback",
                    &callback(&format!("http://{}/told?a=1", server.address), body),
                )
                .header("x-oss-callback-var", &encoded(&json!({"x:who": "me & you"}))),
        )
        .await;
    assert_eq!((answer.status, answer.text()), (200, "{\"ok\":true}".to_owned()));
    assert_eq!(
        answer.header("etag"),
        Some(format!("\"{}\"", md5_hex(b"hello")).as_str())
    );
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let seen = server.seen();
    assert_eq!(seen.len(), 1);
    assert!(seen[0].starts_with("POST /told?a=1 HTTP/1.1\r\n"), "{}", seen[0]);
    assert!(seen[0].contains("content-type: application/x-www-form-urlencoded\r\n"));
    let md5 = crate::client::encode(&md5_base64(b"hello"));
    let expected = format!(
        "b=bucket&o=dir%2Fa%20b&e={}&s=5&t=text%2Fplain&h=&m={md5}&ip=127.0.0.1&op=PutObject&own=me%20%26%20you&r={}",
        md5_hex(b"hello"),
        answer.header("x-oss-request-id").unwrap()
    );
    assert_eq!(seen[0].split_once("\r\n\r\n").unwrap().1, expected);
}

#[tokio::test]
async fn presigned_uploads_and_completed_uploads_call_back() {
    let (_emulator, client) = start_with_bucket().await;
    let server = Server::json("{}").await;
    let told = encoded(&json!({
        "callbackUrl": format!("http://127.0.0.1:1;{}", server.address),
        "callbackHost": "app.example.com",
        "callbackBody": "{\"object\":${object},\"size\":${size},\"op\":${operation}}",
        "callbackBodyType": "application/json",
    }));
    let request = Request::put("/bucket/one").body("12345").query("callback", &told);
    let answer = client.send_as_is(client.presign(request, 60)).await;
    assert_eq!((answer.status, answer.text()), (200, "{}".to_owned()));

    let begun = client.send(Request::post("/bucket/two?uploads")).await;
    let id = begun.element("UploadId").unwrap();
    let part = client
        .send(Request::put(&format!("/bucket/two?partNumber=1&uploadId={id}")).body("123"))
        .await;
    let list = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{}</ETag></Part></CompleteMultipartUpload>",
        part.header("etag").unwrap()
    );
    let complete = Request::post(&format!("/bucket/two?uploadId={id}"))
        .body(list)
        .header("x-oss-callback", &told);
    let answer = client.send(complete).await;
    assert_eq!((answer.status, answer.text()), (200, "{}".to_owned()));
    let seen = server.seen();
    assert!(seen[0].contains("host: app.example.com\r\n"), "{}", seen[0]);
    assert!(
        seen[0].ends_with(r#"{"object":"one","size":5,"op":"PutObject"}"#),
        "{}",
        seen[0]
    );
    assert!(
        seen[1].ends_with(r#"{"object":"two","size":3,"op":"CompleteMultipartUpload"}"#),
        "{}",
        seen[1]
    );
}

#[tokio::test]
async fn a_callback_that_fails_leaves_the_object() {
    let (emulator, client) = start_with_bucket().await;
    let moved = Server::start("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1/\r\ncontent-length: 0\r\n\r\n").await;
    let not_json = Server::json("hello").await;
    let endless = Server::start("HTTP/1.1 200 OK\r\n\r\n{}").await;
    let huge = Server::start("HTTP/1.1 200 OK\r\ncontent-length: 3145729\r\n\r\n{}").await;
    for (n, (url, why)) in [
        (format!("http://{}", moved.address), "302"),
        (format!("http://{}", not_json.address), "json"),
        (format!("http://{}", endless.address), "Content-Length"),
        (format!("http://{}", huge.address), "Content-Length"),
        ("http://192.0.2.1/".to_owned(), "loopback"),
        ("http://[2001:db8::1]/".to_owned(), "loopback"),
        ("http://0.0.0.0/".to_owned(), "loopback"),
        ("http://localhost.example/".to_owned(), "loopback"),
        (format!("http://{}/", emulator.address()), "itself"),
        (format!("http://127.0.0.2:{}/", emulator.address().port()), "itself"),
        ("https://127.0.0.1/".to_owned(), "HTTPS"),
        ("ftp://127.0.0.1/".to_owned(), "neither"),
        ("http://".to_owned(), "callbackUrl"),
    ]
    .into_iter()
    .enumerate()
    {
        let put = Request::put(&format!("/bucket/k{n}"))
            .body("x")
            .header("x-oss-callback", &callback(&url, "a=b"));
        let answer = client.send(put).await;
        assert_eq!(answer.error(), (203, "CallbackFailed".to_owned()), "{url}");
        assert!(answer.text().contains(why), "{url}: {}", answer.text());
        assert_eq!(
            client.send(Request::get(&format!("/bucket/k{n}"))).await.text(),
            "x",
            "{url}"
        );
    }
}

#[tokio::test]
async fn an_emulator_that_others_can_reach_calls_nobody() {
    let emulator = oss_emulator::Emulator::builder()
        .host("0.0.0.0")
        .access_key("own", "own-secret")
        .clock(oss_emulator::Clock::fixed(crate::client::noon()))
        .start()
        .await
        .unwrap();
    let mut client = crate::client::Client::of(&emulator);
    client.address = format!("127.0.0.1:{}", emulator.address().port());
    client.host = client.address.clone();
    assert_eq!(client.send(Request::put("/bucket")).await.status, 200);
    let server = Server::json("{}").await;
    let told = callback(&format!("http://{}/", server.address), "a=b");
    let put = Request::put("/bucket/k").body("x").header("x-oss-callback", &told);
    assert_eq!(client.send(put).await.error(), (203, "CallbackFailed".to_owned()));
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_malformed_callback_stops_the_upload() {
    let (_emulator, client) = start_with_bucket().await;
    for value in ["%%%", "e30=", &callback("http://127.0.0.1", "")] {
        let answer = client
            .send(Request::put("/bucket/k").body("x").header("x-oss-callback", value))
            .await;
        assert_eq!(answer.error(), (400, "InvalidArgument".to_owned()), "{value}");
    }
    assert_eq!(client.send(Request::get("/bucket/k")).await.status, 404);
}

#[tokio::test]
async fn an_upload_is_told_though_somebody_replaces_or_deletes_it_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let emulator = oss_emulator::Emulator::builder()
        .clock(oss_emulator::Clock::fixed(crate::client::noon()))
        .data_dir(directory.path())
        .start()
        .await
        .unwrap();
    let client = crate::client::Client::of(&emulator);
    assert_eq!(client.send(Request::put("/bucket")).await.status, 200);
    let server = Server::json("{}").await;
    let told = callback(&format!("http://{}/", server.address), "${etag} ${size}");
    let mut sent = tokio::task::JoinSet::new();
    for number in 0..60 {
        let client = client.clone();
        let request = match number % 3 {
            0 => Request::delete("/bucket/k"),
            _ => Request::put("/bucket/k")
                .header("x-oss-callback", &told)
                .body("x".repeat(number)),
        };
        sent.spawn(async move { client.send(request).await });
    }
    for answer in sent.join_all().await {
        assert!(answer.status < 300 && answer.status != 203, "{}", answer.text());
    }
    for seen in server.seen() {
        let (_, told) = seen.split_once("\r\n\r\n").unwrap();
        let (etag, size) = told.split_once(' ').unwrap();
        assert_eq!(etag, md5_hex("x".repeat(size.parse().unwrap()).as_bytes()));
    }
}
