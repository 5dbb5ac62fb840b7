//! The transport on reqwest against sockets: what really goes over the wire.

#![cfg(feature = "reqwest")]
#![expect(clippy::unwrap_used, reason = "the functions that the tests share are tests too")]

use std::future::IntoFuture;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use oss_sdk::http::Method;
use oss_sdk::{
    Bandwidth, Body, Client, ClientBuilder, Credentials, ErrorKind, GetObjectRequest, OperationInput, PutObjectRequest,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Barrier;

fn builder(address: SocketAddr) -> ClientBuilder<Client> {
    Client::builder()
        .region("cn-hangzhou")
        .endpoint(format!("http://{address}"))
        .credentials(Credentials::new("ak", "secret"))
        .retry_attempts(1)
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Reads a request up to its empty line, and what is known of the body to `length`.
async fn read_request(stream: &mut TcpStream) -> (String, Vec<u8>) {
    let mut all = Vec::new();
    loop {
        if let Some(end) = all.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8(all[..end].to_vec()).unwrap();
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_ascii_lowercase()
                        .strip_prefix("content-length:")
                        .map(|text| text.trim().to_owned())
                })
                .map_or(0, |text| text.parse().unwrap());
            let mut body = all[end + 4..].to_vec();
            while body.len() < length && stream.read_buf(&mut body).await.unwrap() > 0 {}
            return (head, body);
        }
        assert!(
            stream.read_buf(&mut all).await.unwrap() > 0,
            "the connection ended within the head"
        );
    }
}

#[tokio::test]
async fn keys_reach_the_wire_as_they_were_signed() {
    let rows = [
        ("plain.txt", "/bucket/plain.txt"),
        ("a//b", "/bucket/a//b"),
        ("/lead", "/bucket//lead"),
        ("a/../b", "/bucket/a/../b"),
        ("..", "/bucket/.."),
        ("./x/.", "/bucket/./x/."),
        ("%2e%2e/x", "/bucket/%252e%252e/x"),
        ("a b+c?d#e&f=g\\h", "/bucket/a%20b%2Bc%3Fd%23e%26f%3Dg%5Ch"),
        ("日本~*'()", "/bucket/%E6%97%A5%E6%9C%AC~%2A%27%28%29"),
        ("\t\u{1}", "/bucket/%09%01"),
    ];
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move {
        let mut heads = Vec::new();
        for _ in 0..rows.len() {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (head, _) = read_request(&mut stream).await;
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
                .await
                .unwrap();
            heads.push(head);
        }
        heads
    });
    let client = builder(address).build().unwrap();
    for (key, _) in rows {
        let object = client
            .get_object(GetObjectRequest::new("bucket", key))
            .query("x-oss-a/b", "c d")
            .await
            .unwrap();
        assert_eq!(object.body.text().await.unwrap(), "hi", "{key:?}");
    }
    for ((key, path), head) in rows.iter().zip(server.await.unwrap()) {
        let mut lines = head.lines();
        assert_eq!(
            lines.next(),
            Some(format!("GET {path}?x-oss-a%2Fb=c%20d HTTP/1.1").as_str()),
            "{key:?}"
        );
        let lower = head.to_ascii_lowercase();
        assert!(lower.contains(&format!("host: {address}")), "{head}");
        assert!(
            !lower.contains("accept-encoding") && !lower.contains("expect:"),
            "{head}"
        );
        assert_eq!(lower.matches("\r\nhost:").count(), 1);
    }
}

#[tokio::test]
async fn an_endpoint_that_refuses_connections_is_a_connect_error() {
    let (listener, address) = listen().await;
    drop(listener);
    for key in ["key", "../key"] {
        let call = builder(address).build().unwrap();
        let error = call.get_object(GetObjectRequest::new("bucket", key)).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.operation()),
            (ErrorKind::Connect, Some("GetObject")),
            "{error:?}"
        );
        assert!(error.is_retryable());
        assert!(std::error::Error::source(&error).is_some());
    }
}

#[tokio::test]
async fn a_host_without_an_address_is_a_connect_error() {
    let client = Client::builder()
        .region("cn-hangzhou")
        .endpoint("http://name.invalid")
        .credentials(Credentials::new("ak", "secret"))
        .retry_attempts(1)
        .build()
        .unwrap();
    let error = client
        .get_object(GetObjectRequest::new("bucket", "key"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error:?}");
}

#[cfg(feature = "rustls")]
#[tokio::test]
async fn a_server_without_tls_is_a_connect_error() {
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        }
    });
    let client = builder(address)
        .endpoint(format!("https://{address}"))
        .danger_accept_invalid_certificates(true)
        .build()
        .unwrap();
    for key in ["key", "../key"] {
        let error = client
            .get_object(GetObjectRequest::new("bucket", key))
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.is_retryable()),
            (ErrorKind::Connect, false),
            "{error:?}"
        );
    }
    server.await.unwrap();
}

#[tokio::test]
async fn bodies_go_out_with_their_length_or_in_chunks() {
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move {
        let mut requests = Vec::new();
        for _ in 0..3 {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (head, mut body) = read_request(&mut stream).await;
            if head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
                while !body.ends_with(b"0\r\n\r\n") {
                    assert!(stream.read_buf(&mut body).await.unwrap() > 0);
                }
            }
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                .await
                .unwrap();
            requests.push((head.to_ascii_lowercase(), body));
        }
        requests
    });
    let client = builder(address).build().unwrap();
    let put = |body: Body| PutObjectRequest::new("bucket", "key").body(body);
    client
        .put_object(put(Body::from_reader(&b"hello"[..], 5)))
        .await
        .unwrap();
    client.put_object(put(Body::empty())).await.unwrap();
    client
        .put_object(put(Body::from_reader(&b"hello"[..], None)))
        .await
        .unwrap();
    let requests = server.await.unwrap();
    assert!(
        requests[0].0.contains("content-length: 5") && requests[0].1 == b"hello",
        "{:?}",
        requests[0]
    );
    assert!(
        requests[1].0.contains("content-length: 0") && requests[1].1.is_empty(),
        "{:?}",
        requests[1]
    );
    assert!(
        requests[2].0.contains("chunked") && requests[2].1 == b"5\r\nhello\r\n0\r\n\r\n",
        "{:?}",
        requests[2]
    );
}

#[tokio::test]
async fn a_payload_shorter_than_declared_never_completes_at_the_server() {
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut all = Vec::new();
        // The client cuts the connection, perhaps with a reset.
        let _ = stream.read_to_end(&mut all).await;
        all
    });
    let request = PutObjectRequest::new("bucket", "key").body(Body::from_reader(&b"hello"[..], 6));
    let error = builder(address).build().unwrap().put_object(request).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.member()),
        (ErrorKind::Body, Some("body")),
        "{error:?}"
    );
    let received = server.await.unwrap();
    let body = received
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .map_or(0, |end| received.len() - end - 4);
    assert!(body < 6, "{}", String::from_utf8_lossy(&received));
}

#[tokio::test]
async fn the_length_of_a_head_answer_is_not_waited_for() {
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().await.unwrap();
            read_request(&mut stream).await;
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nETag: \"E\"\r\nConnection: close\r\n\r\n")
                .await
                .unwrap();
        }
    });
    let client = builder(address).build().unwrap();
    assert!(client.object_exists("bucket", "key").await.unwrap());
    let input = OperationInput::new("HeadObject", Method::HEAD)
        .bucket("bucket")
        .key("key");
    let output = client.invoke_operation(input).await.unwrap();
    assert_eq!(output.headers()["content-length"], "1000");
    assert!(output.body.bytes().await.unwrap().is_empty());
    server.await.unwrap();
}

#[tokio::test]
async fn a_connection_cut_within_a_download_is_continued_on_another() {
    let content: Vec<u8> = (0..200_000_u32).map(|number| (number % 251) as u8).collect();
    let (listener, address) = listen().await;
    let served = content.clone();
    let server = tokio::spawn(async move {
        let mut ranges = Vec::new();
        for cut in [70_000, 100_000, 200_000] {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (head, _) = read_request(&mut stream).await;
            let first = head.to_ascii_lowercase().lines().find_map(|line| {
                line.strip_prefix("range: bytes=")
                    .map(|range| range.split('-').next().unwrap().parse::<usize>().unwrap())
            });
            ranges.push(first);
            let start = first.unwrap_or(0);
            let status = match first {
                None => "200 OK".to_owned(),
                Some(first) => {
                    format!("206 Partial Content\r\nContent-Range: bytes {first}-199999/200000")
                }
            };
            let length = served.len() - start;
            let head = format!("HTTP/1.1 {status}\r\nETag: \"E\"\r\nContent-Length: {length}\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.write_all(&served[start..cut]).await.unwrap();
        }
        ranges
    });
    let client = builder(address).build().unwrap();
    let object = client.get_object(GetObjectRequest::new("bucket", "key")).await.unwrap();
    assert!(object.body.bytes().await.unwrap() == content);
    let ranges = server.await.unwrap();
    assert_eq!(ranges[0], None);
    // A cut connection may lose what was in flight, but never skips.
    assert!(
        ranges[1].unwrap() <= 70_000 && ranges[2].unwrap() <= 100_000,
        "{ranges:?}"
    );
}

#[tokio::test]
async fn connecting_takes_no_longer_than_allowed() {
    // The address is reserved for documentation, so nothing answers there; some networks refuse it at once.
    let client = builder("192.0.2.1:9".parse().unwrap())
        .connect_timeout(Duration::from_millis(50))
        .build()
        .unwrap();
    let error = client
        .get_object(GetObjectRequest::new("bucket", "key"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error:?}");
}

/// Answers every request on every connection, which it counts, with `hi`.
async fn count_connections(listener: TcpListener, peers: Arc<Mutex<Vec<SocketAddr>>>) {
    while let Ok((mut stream, peer)) = listener.accept().await {
        peers.lock().unwrap().push(peer);
        tokio::spawn(async move {
            let mut buffer = [0; 4096];
            // Requests are short and come one after the other, so each is one read.
            while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {
                let answer = b"HTTP/1.1 200 OK\r\nETag: \"E\"\r\nContent-Length: 2\r\n\r\nhi";
                if stream.write_all(answer).await.is_err() {
                    return;
                }
            }
        });
    }
}

async fn read(client: &Client, key: &str) -> oss_sdk::Result<String> {
    let object = client.get_object(GetObjectRequest::new("bucket", key)).await?;
    object.body.text().await
}

#[tokio::test]
async fn connections_are_kept_as_long_as_the_settings_say() {
    type Change = fn(ClientBuilder<Client>) -> ClientBuilder<Client>;
    let rows: [(&str, Change, bool); 4] = [
        ("by default", |builder| builder, true),
        (
            "with room and time",
            |builder| {
                builder
                    .max_idle_connections(1)
                    .idle_connection_timeout(Duration::from_secs(1000))
                    .tcp_keepalive(Duration::ZERO)
            },
            true,
        ),
        ("without room", |builder| builder.max_idle_connections(0), false),
        (
            "without time",
            |builder| builder.idle_connection_timeout(Duration::ZERO),
            false,
        ),
    ];
    for (name, change, is_kept) in rows {
        let (listener, address) = listen().await;
        let peers = Arc::default();
        let server = tokio::spawn(count_connections(listener, Arc::clone(&peers)));
        let client = change(builder(address)).build().unwrap();
        for _ in 0..5 {
            assert_eq!(read(&client, "key").await.unwrap(), "hi");
            // The pool takes a connection back in a task of its own, which needs no more than its turns.
            for _ in 0..50 {
                tokio::task::yield_now().await;
            }
        }
        assert_eq!(peers.lock().unwrap().len(), if is_kept { 1 } else { 5 }, "{name}");
        server.abort();
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn connections_come_from_the_address_that_was_set() {
    let (listener, address) = listen().await;
    let peers = Arc::default();
    let server = tokio::spawn(count_connections(listener, Arc::clone(&peers)));
    // All of 127.0.0.0/8 is this machine.
    let local = "127.0.0.9".parse().unwrap();
    let client = builder(address).local_address(local).build().unwrap();
    for key in ["key", "../key"] {
        assert_eq!(read(&client, key).await.unwrap(), "hi");
    }
    let peers = peers.lock().unwrap();
    assert!(
        peers.len() == 2 && peers.iter().all(|peer| peer.ip() == local),
        "{peers:?}"
    );
    server.abort();
}

#[tokio::test]
async fn an_address_of_somebody_else_is_a_connect_error() {
    let (_listener, address) = listen().await;
    let client = builder(address)
        .local_address("192.0.2.1".parse().unwrap())
        .build()
        .unwrap();
    for key in ["key", "../key"] {
        let error = read(&client, key).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connect, "{error:?}");
    }
}

#[tokio::test]
async fn no_more_connections_are_in_use_than_allowed() {
    let (listener, address) = listen().await;
    let in_use = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let pair = Arc::new(Barrier::new(2));
    let (counted, highest) = (Arc::clone(&in_use), Arc::clone(&most));
    let server = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (counted, highest, pair) = (Arc::clone(&counted), Arc::clone(&highest), Arc::clone(&pair));
            tokio::spawn(async move {
                let mut buffer = [0; 4096];
                while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {
                    highest.fetch_max(counted.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    // Two at once are really there, or this never ends.
                    pair.wait().await;
                    counted.fetch_sub(1, Ordering::SeqCst);
                    let answer = b"HTTP/1.1 200 OK\r\nETag: \"E\"\r\nContent-Length: 2\r\n\r\nhi";
                    if stream.write_all(answer).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    let client = builder(address).max_connections(2).build().unwrap();
    let calls: Vec<_> = (0..20)
        .map(|number| {
            let client = client.clone();
            // Keys with dot segments have connections of their own, and count as well.
            let key = if number % 3 == 0 { "../key" } else { "key" };
            tokio::spawn(async move { read(&client, key).await })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap(), "hi");
    }
    assert_eq!((most.load(Ordering::SeqCst), in_use.load(Ordering::SeqCst)), (2, 0));
    server.abort();
}

#[tokio::test]
async fn a_payload_holds_its_connection_until_its_end_and_waiting_for_it_is_not_silence() {
    let (listener, address) = listen().await;
    let server = tokio::spawn(count_connections(listener, Arc::default()));
    let client = builder(address)
        .max_connections(1)
        .idle_timeout(Duration::from_millis(20))
        .build()
        .unwrap();
    for key in ["key", "../key"] {
        let unread = client.get_object(GetObjectRequest::new("bucket", key)).await.unwrap();
        let error = client
            .get_object(GetObjectRequest::new("bucket", key))
            .timeout(Duration::from_millis(200))
            .await
            .unwrap_err();
        assert_eq!(error.message(), "the deadline of the call passed", "{error:?}");
        drop(unread);
        assert_eq!(read(&client, key).await.unwrap(), "hi");
    }
    server.abort();
}

/// The versions that a TLS client offers in its first message.
#[cfg(feature = "rustls")]
fn offered_versions(hello: &[u8]) -> Vec<u16> {
    let number = |at: usize| usize::from(hello[at]) << 8 | usize::from(hello[at + 1]);
    // Record, handshake, version, random; then session, cipher suites, compression.
    let mut at = 5 + 4 + 2 + 32;
    at += 1 + usize::from(hello[at]);
    at += 2 + number(at);
    at += 1 + usize::from(hello[at]);
    let end = at + 2 + number(at);
    at += 2;
    while at < end {
        let (kind, length) = (number(at), number(at + 2));
        if kind == 43 {
            return (at + 5..at + 4 + length)
                .step_by(2)
                .map(|at| number(at) as u16)
                .collect();
        }
        at += 4 + length;
    }
    Vec::new()
}

#[cfg(feature = "rustls")]
#[tokio::test]
async fn no_tls_version_below_the_minimum_is_offered() {
    use oss_sdk::transport::TlsVersion;

    for (minimum, expected) in [
        (None, vec![0x0304, 0x0303]),
        (Some(TlsVersion::V1_2), vec![0x0304, 0x0303]),
        (Some(TlsVersion::V1_3), vec![0x0304]),
    ] {
        for key in ["key", "../key"] {
            let (listener, address) = listen().await;
            let server = tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut hello = vec![0; 5];
                stream.read_exact(&mut hello).await.unwrap();
                let length = usize::from(hello[3]) << 8 | usize::from(hello[4]);
                hello.resize(5 + length, 0);
                stream.read_exact(&mut hello[5..]).await.unwrap();
                hello
            });
            let mut client = builder(address)
                .endpoint(format!("https://{address}"))
                .danger_accept_invalid_certificates(true);
            if let Some(minimum) = minimum {
                client = client.tls_minimum(minimum);
            }
            assert!(read(&client.build().unwrap(), key).await.is_err());
            let mut offered = offered_versions(&server.await.unwrap());
            offered.sort_unstable_by(|one, other| other.cmp(one));
            assert_eq!(offered, expected, "{minimum:?} {key}");
        }
    }
}

#[tokio::test]
async fn a_redirect_takes_nothing_private_to_another_server() {
    let (home, home_address) = listen().await;
    let (away, away_address) = listen().await;
    let answer = |mut stream: TcpStream, answer: String| async move {
        let (head, _) = read_request(&mut stream).await;
        stream.write_all(answer.as_bytes()).await.unwrap();
        head.to_ascii_lowercase()
    };
    let server = tokio::spawn(async move {
        let redirect = |location: String| {
            format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        };
        let found = "HTTP/1.1 200 OK\r\nETag: \"E\"\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi";
        let first = answer(
            home.accept().await.unwrap().0,
            redirect("/bucket/a/../moved?v=1".to_owned()),
        )
        .await;
        let away_url = format!("http://{away_address}/far");
        let second = answer(home.accept().await.unwrap().0, redirect(away_url)).await;
        let third = answer(away.accept().await.unwrap().0, found.to_owned()).await;
        [first, second, third]
    });
    let client = builder(home_address)
        .credentials(Credentials::new("ak", "secret").with_security_token("t0ken"))
        .default_header("x-api-key", "pr1vate")
        .follow_redirects(true)
        .max_connections(1)
        .build()
        .unwrap();
    assert_eq!(read(&client, "key").await.unwrap(), "hi");
    let [first, second, third] = server.await.unwrap();
    for head in [&first, &second] {
        assert!(
            head.contains("authorization: oss4-hmac-sha256") && head.contains("t0ken"),
            "{head}"
        );
    }
    assert!(second.starts_with("get /bucket/a/../moved?v=1 http/1.1"), "{second}");
    assert!(
        third.starts_with("get /far http/1.1") && third.contains(&format!("host: {away_address}")),
        "{third}"
    );
    for private in ["authorization", "x-oss", "t0ken", "pr1vate", "cookie"] {
        assert!(!third.contains(private), "{third}");
    }
}

#[tokio::test]
async fn bandwidth_is_limited_on_the_wire() {
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (_, body) = read_request(&mut stream).await;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            .await
            .unwrap();
        body.len()
    });
    let client = builder(address)
        .upload_limit(Bandwidth::kib_per_second(1024))
        .build()
        .unwrap();
    let request = PutObjectRequest::new("bucket", "key").body(vec![7; 512 * 1024]);
    let mut put = std::pin::pin!(client.put_object(request).into_future());
    // Half a second's worth, less the first piece and the tenth of a second that may be caught up on.
    assert!(
        tokio::time::timeout(Duration::from_millis(250), &mut put)
            .await
            .is_err()
    );
    put.await.unwrap();
    assert_eq!(server.await.unwrap(), 512 * 1024);
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up_by_the_times_of_the_call() {
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move {
        let mut silent = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            silent.push(stream);
        }
    });
    let client = builder(address).build().unwrap();
    for key in ["key", "../key"] {
        let call = || client.get_object(GetObjectRequest::new("bucket", key));
        let error = call().idle_timeout(Duration::from_millis(100)).await.unwrap_err();
        assert_eq!(error.message(), "the service was silent for 0.1 s", "{key}: {error:?}");
        let error = call().attempt_timeout(Duration::from_millis(100)).await.unwrap_err();
        assert_eq!(
            error.message(),
            "the attempt took longer than 0.1 s",
            "{key}: {error:?}"
        );
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Timeout, true));
    }
    server.abort();
}
