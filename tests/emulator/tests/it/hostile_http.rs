//! HTTP that is broken, slow, odd or too much.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::client::{Client, Request, start, start_with_bucket};

async fn raw(client: &Client, text: &str) -> String {
    raw_bytes(client, text.as_bytes()).await
}

async fn raw_bytes(client: &Client, bytes: &[u8]) -> String {
    let answer = client.exchange(bytes).await.unwrap_or_default();
    String::from_utf8_lossy(&answer).into_owned()
}

/// Sends bytes and reads until `count` answers have begun, leaving the connection open.
async fn answers(stream: &mut TcpStream, count: usize) -> String {
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    while String::from_utf8_lossy(&seen).matches("HTTP/1.1 ").count() < count {
        let read = tokio::time::timeout(Duration::from_secs(20), stream.read(&mut buffer));
        match read.await {
            Ok(Ok(length)) if length > 0 => seen.extend_from_slice(&buffer[..length]),
            _ => break,
        }
    }
    String::from_utf8_lossy(&seen).into_owned()
}

#[tokio::test]
async fn targets_that_cannot_be_decoded_are_refused() {
    let (_emulator, client) = start_with_bucket().await;
    let long = "k".repeat(1024);
    for target in [
        "/bucket/%",
        "/bucket/%4",
        "/bucket/%zz",
        "/bucket/%00",
        "/bucket/%C0%AF",
        "/bucket/%FF",
        "/bucket/%ED%A0%80",
        "/bucket/?prefix=%zz",
        "/bucket/?prefix=%FF",
        "/bucket/?%=a",
        "/%zz",
        "/%00%00%00",
        "/..",
        "/../etc/passwd",
        "/Bucket/k",
        "/bu/k",
        "/bucket_1/k",
        "/-bucket/k",
        "//k",
        "/bucket%2Fk",
        &format!("/bucket/{long}"),
        "/bucket/%5Ck",
        "*",
        "/b%C3%A9cket",
    ] {
        let answer = raw(
            &client,
            &format!("GET {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"),
        )
        .await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{target}: {answer}");
    }
    let longest = Request::put(&format!("/bucket/{}", "k".repeat(1023)));
    assert_eq!(client.send(longest).await.status, 200);
    for source in ["/bucket/%zz", "/bucket/%00", "/bucket/", "/bucket", "/", "%", ""] {
        let copy = Request::put("/bucket/k").header("x-oss-copy-source", source);
        assert_eq!(client.send(copy).await.status, 400, "{source}");
    }
}

#[tokio::test]
async fn the_target_of_an_absolute_form_beats_the_host_header() {
    let (_emulator, client) = start_with_bucket().await;
    let answer = raw(
        &client,
        "GET http://bucket.localhost/none HTTP/1.1\r\nhost: other.localhost\r\nconnection: close\r\n\r\n",
    )
    .await;
    assert!(answer.contains("AccessDenied"), "{answer}");
    let twice = raw(
        &client,
        "GET / HTTP/1.1\r\nhost: bucket.localhost\r\nhost: other.localhost\r\nconnection: close\r\n\r\n",
    )
    .await;
    assert!(twice.starts_with("HTTP/1.1 400 "), "{twice}");
}

#[tokio::test]
async fn framing_that_contradicts_itself_is_refused() {
    let (_emulator, client) = start_with_bucket().await;
    for head in [
        "content-length: 1\r\ncontent-length: 2\r\n",
        "content-length: -1\r\n",
        "content-length: 1x\r\n",
        "content-length: 99999999999999999999999\r\n",
        "transfer-encoding: gzip\r\n",
        "no colon\r\n",
        "sp ace: 1\r\n",
    ] {
        let answer = raw(
            &client,
            &format!("PUT /bucket/k HTTP/1.1\r\nhost: localhost\r\n{head}\r\nabc"),
        )
        .await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
            "{head}: {answer}"
        );
    }
    let huge = format!(
        "GET / HTTP/1.1\r\nhost: localhost\r\nx: {}\r\n\r\n",
        "a".repeat(2 * 1024 * 1024)
    );
    let answer = raw(&client, &huge).await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431 "),
        "{}",
        answer.len()
    );
    let many = format!("GET / HTTP/1.1\r\nhost: localhost\r\n{}\r\n", "x: 1\r\n".repeat(500));
    let answer = raw(&client, &many).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
    let bad_chunk = "PUT /bucket/k HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nabc\r\n";
    let answer = raw(&client, bad_chunk).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    assert_eq!(client.send(Request::get("/bucket/k")).await.status, 404);
}

#[tokio::test]
async fn a_connection_lives_on_after_a_refused_body() {
    let (_emulator, client) = start_with_bucket().await;
    for target in ["/bucket/k", "/BAD/k", "/bucket/%00", "/?Action=Nothing"] {
        let mut stream = TcpStream::connect(&client.address).await.unwrap();
        let body = "x".repeat(3 * 1024 * 1024);
        let first = format!(
            "POST {target} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let second = "GET /bucket/next HTTP/1.1\r\nhost: localhost\r\n\r\n";
        let sent = [first.as_str(), &body, second].concat();
        stream.write_all(sent.as_bytes()).await.unwrap();
        let text = answers(&mut stream, 2).await;
        assert_eq!(text.matches("HTTP/1.1 ").count(), 2, "{target}: {text}");
    }
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let (_emulator, client) = start_with_bucket().await;
    let one = |key: &str| format!("GET /bucket/{key} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    let last = "GET /bucket/%00 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let answer = raw(&client, &[one("a"), one("%zz"), one("b"), last.to_owned()].concat()).await;
    let codes: Vec<_> = answer
        .split("<Code>")
        .skip(1)
        .filter_map(|rest| rest.split('<').next())
        .collect();
    assert_eq!(
        codes,
        ["AccessDenied", "InvalidObjectName", "AccessDenied", "InvalidObjectName"]
    );
}

#[tokio::test]
async fn a_refusal_does_not_ask_for_the_body_that_was_announced() {
    let (_emulator, client) = start_with_bucket().await;
    let refused = "PUT /bucket/k HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\nexpect: 100-continue\r\n\r\n";
    let mut stream = TcpStream::connect(&client.address).await.unwrap();
    stream.write_all(refused.as_bytes()).await.unwrap();
    let answer = answers(&mut stream, 1).await;
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");

    let signed = client.sign(Request::put("/bucket/k"));
    let head: String = signed
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let mut stream = TcpStream::connect(&client.address).await.unwrap();
    let text = format!(
        "PUT /bucket/k HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 3\r\nexpect: 100-continue\r\n{head}\r\n"
    );
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut buffer = [0; 25];
    stream.read_exact(&mut buffer).await.unwrap();
    assert!(buffer.starts_with(b"HTTP/1.1 100 Continue"));
    stream.write_all(b"abc").await.unwrap();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).await.unwrap();
    assert!(rest.starts_with("HTTP/1.1 200 "), "{rest}");
}

#[tokio::test]
async fn silent_clients_block_neither_others_nor_the_end() {
    let (emulator, client) = start_with_bucket().await;
    let mut silent = Vec::new();
    for text in [
        "",
        "GET /bucket",
        "GET /bucket/k HTTP/1.1\r\nhost: loc",
        "PUT /bucket/k HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nab",
    ] {
        let mut stream = TcpStream::connect(&client.address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        silent.push(stream);
    }
    assert_eq!(client.send(Request::put("/bucket/k").body("b")).await.status, 200);
    // Those in the middle of a request are given their time at the end, which this test does not want to wait for.
    silent.truncate(1);
    let mut kept = TcpStream::connect(&client.address).await.unwrap();
    kept.write_all(b"GET /bucket/%00 HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    assert!(answers(&mut kept, 1).await.starts_with("HTTP/1.1 400 "));
    silent.push(kept);
    let ended = tokio::time::timeout(Duration::from_secs(5), emulator.shutdown()).await;
    assert!(ended.is_ok(), "idle connections keep the emulator alive");
}

#[tokio::test]
async fn documents_are_bounded_in_every_direction() {
    let (_emulator, client) = start_with_bucket().await;
    let wide = format!(
        "<Tagging><TagSet>{}</TagSet></Tagging>",
        "<Tag><Key>a</Key><Value/></Tag>".repeat(10_000)
    );
    let deep = format!("<Tagging>{}{}</Tagging>", "<a>".repeat(100_000), "</a>".repeat(100_000));
    let bomb = "<!DOCTYPE a [<!ENTITY b \"bbbb\"><!ENTITY c \"&b;&b;\">]><Tagging>&c;</Tagging>".to_owned();
    let external = "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><Tagging/>".to_owned();
    let large = "x".repeat(6 * 1024 * 1024);
    client.send(Request::put("/bucket/k").body("b")).await;
    for document in [wide, deep, bomb, external, large, "<Tagging>\u{0}</Tagging>".to_owned()] {
        let answer = client
            .send(Request::put("/bucket/k?tagging").body(document.clone()))
            .await;
        assert_eq!(answer.status, 400, "{}", &document[..40.min(document.len())]);
    }
    let nested = format!("{}1{}", "[".repeat(200_000), "]".repeat(200_000));
    let answer = client.send(Request::put("/bucket?policy").body(nested)).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
}

#[tokio::test]
async fn answers_to_odd_input_stay_well_formed() {
    let (_emulator, client) = start().await;
    client.send(Request::put("/bucket")).await;
    let answer = client
        .send(Request::get("/bucket/").query("prefix", "a\u{0}\u{1}\r\n<b>"))
        .await;
    assert!(!answer.text().contains("&#0;"), "{}", answer.text());
    client.send(Request::put("/bucket/k").body("b")).await;
    let dressed = client
        .send(Request::get("/bucket/k").query("response-content-type", "a/b\r\nx-injected: 1"))
        .await;
    assert_eq!(dressed.header("x-injected"), None);
}

#[tokio::test]
async fn no_combination_of_odd_values_is_an_internal_error() {
    let (_emulator, client) = start_with_bucket().await;
    client.send(Request::put("/bucket/k").body("b")).await;
    let operations: &[(&str, &str, &[&str])] = &[
        ("GET", "/", &["prefix", "marker", "max-keys"]),
        ("GET", "/?regions", &["regions"]),
        (
            "GET",
            "/bucket/",
            &["prefix", "delimiter", "marker", "max-keys", "encoding-type"],
        ),
        (
            "GET",
            "/bucket/?list-type=2",
            &["continuation-token", "start-after", "max-keys", "fetch-owner"],
        ),
        (
            "GET",
            "/bucket/?versions",
            &["key-marker", "version-id-marker", "max-keys", "delimiter"],
        ),
        (
            "GET",
            "/bucket/?uploads",
            &["key-marker", "upload-id-marker", "max-uploads", "prefix"],
        ),
        ("PUT", "/bucket?acl", &["unknown"]),
        ("PUT", "/bucket?cors", &["unknown"]),
        ("PUT", "/bucket?policy", &["unknown"]),
        ("PUT", "/bucket?versioning", &["unknown"]),
        ("POST", "/bucket?delete", &["encoding-type"]),
        (
            "GET",
            "/bucket/k",
            &[
                "versionId",
                "response-content-type",
                "response-expires",
                "x-oss-process",
            ],
        ),
        ("HEAD", "/bucket/k", &["versionId"]),
        ("HEAD", "/bucket/k?objectMeta", &["versionId"]),
        (
            "GET",
            "/bucket/k?uploadId=none",
            &["max-parts", "part-number-marker", "encoding-type"],
        ),
        ("GET", "/bucket/k?tagging", &["versionId"]),
        ("PUT", "/bucket/k?tagging", &["versionId"]),
        ("PUT", "/bucket/k?acl", &["versionId"]),
        ("PUT", "/bucket/new", &["unknown"]),
        ("PUT", "/bucket/new?symlink", &["unknown"]),
        ("PUT", "/bucket/new?uploadId=none", &["partNumber"]),
        ("PUT", "/bucket/new?partNumber=1", &["uploadId"]),
        ("POST", "/bucket/new?append", &["position"]),
        ("POST", "/bucket/new?uploads", &["encoding-type"]),
        ("POST", "/bucket/new", &["uploadId"]),
        ("DELETE", "/bucket/new", &["versionId", "uploadId"]),
        ("OPTIONS", "/bucket/k", &["unknown"]),
    ];
    let values = [
        "",
        "-1",
        "18446744073709551616",
        "\u{0}",
        "\u{e9}",
        "null",
        "a/b?c&d",
        "\u{10FFFF}",
    ];
    let headers = [
        ("range", "bytes=18446744073709551615-18446744073709551616"),
        ("x-oss-copy-source", "/bucket/k?versionId=\u{e9}&&="),
        ("x-oss-copy-source-range", "bytes=0-18446744073709551615"),
        ("x-oss-tagging", "a=b&a=b&=&%"),
        ("content-md5", "\u{e9}"),
        ("if-modified-since", "\u{e9}, 99 Dec 99999999999999999999 99:99:99 GMT"),
        ("x-oss-symlink-target", "%"),
        ("x-oss-meta-~", "\u{e9}"),
    ];
    for (method, target, names) in operations {
        for name in *names {
            for value in values {
                for (at, (header, header_value)) in headers.iter().enumerate() {
                    let request = Request::new(method, target)
                        .query(name, value)
                        .header(header, header_value);
                    let body = if matches!(*method, "GET" | "HEAD") {
                        ""
                    } else {
                        ["", "<a", "{", "\u{0}"][at % 4]
                    };
                    let answer = client.try_send(client.sign(request.body(body))).await;
                    let status = answer.as_ref().map(|answer| answer.status);
                    let fine = status.is_ok_and(|status| status != 403 && status != 500);
                    assert!(fine, "{method} {target} {name}={value:?} {header}: {answer:?}");
                }
            }
        }
    }
}
