//! Edges of ranges, conditions and listings, and writers that get in each other's way.

use crate::client::{Client, NOON_HTTP, Request, Response, md5_hex, start_with_bucket};

async fn put(client: &Client, key: &str, body: &str) -> Response {
    let answer = client.send(Request::put(&format!("/bucket/{key}")).body(body)).await;
    assert_eq!(answer.status, 200, "{key}");
    answer
}

#[tokio::test]
async fn nothing_of_an_empty_object_is_in_any_range() {
    let (_emulator, client) = start_with_bucket().await;
    put(&client, "empty", "").await;
    for range in ["bytes=0-0", "bytes=0-", "bytes=-1", "bytes=-0", "bytes=0-0,0-0"] {
        let get = || Request::get("/bucket/empty").header("range", range);
        let whole = client.send(get()).await;
        assert_eq!((whole.status, whole.header("content-range")), (200, None), "{range}");
        assert_eq!(whole.header("content-length"), Some("0"), "{range}");
        let standard = client.send(get().header("x-oss-range-behavior", "standard")).await;
        let expected = if range.contains(',') { 200 } else { 416 };
        assert_eq!(standard.status, expected, "{range}");
    }
    let copy = Request::post("/bucket/up?uploads");
    let id = client.send(copy).await.element("UploadId").unwrap();
    for (range, status) in [("bytes=0-0", 416), ("bytes=-1", 416), ("nonsense", 416)] {
        let part = Request::put(&format!("/bucket/up?partNumber=1&uploadId={id}"))
            .header("x-oss-copy-source", "/bucket/empty")
            .header("x-oss-copy-source-range", range);
        assert_eq!(client.send(part).await.status, status, "{range}");
    }
}

#[tokio::test]
async fn entity_tags_outrank_dates() {
    let (_emulator, client) = start_with_bucket().await;
    put(&client, "k", "b").await;
    let (etag, before) = (md5_hex(b"b"), "Sun, 17 Dec 2023 16:20:56 GMT");
    for (headers, status) in [
        ([("if-match", etag.as_str()), ("if-unmodified-since", before)], 200),
        ([("if-match", "other"), ("if-unmodified-since", NOON_HTTP)], 412),
        ([("if-none-match", "other"), ("if-modified-since", NOON_HTTP)], 200),
        ([("if-none-match", etag.as_str()), ("if-modified-since", before)], 304),
        ([("if-match", "other"), ("if-none-match", etag.as_str())], 412),
        ([("if-modified-since", "nonsense"), ("range", "bytes=0-0")], 206),
    ] {
        for method in ["GET", "HEAD"] {
            let request = headers
                .iter()
                .fold(Request::new(method, "/bucket/k"), |request, (name, value)| {
                    request.header(name, value)
                });
            let expected = if method == "HEAD" && status == 206 { 200 } else { status };
            let answer = client.send(request).await;
            assert_eq!(answer.status, expected, "{method} {headers:?}");
            assert!(
                method == "GET" && status < 300 || answer.body.is_empty() || status == 412,
                "{method}"
            );
        }
    }
}

#[tokio::test]
async fn listings_have_edges() {
    let (_emulator, client) = start_with_bucket().await;
    for key in ["a", "a--b", "a--b--c", "a-b", "d\u{1}\n\r", "e/1", "e/2", "f"] {
        put(&client, key, "").await;
    }
    let list = |pairs: &[(&str, &str)]| {
        let request = Request::get("/bucket/");
        pairs
            .iter()
            .fold(request, |request, (name, value)| request.query(name, value))
    };
    let keys = async |pairs: &[(&str, &str)]| {
        let answer = client.send(list(pairs)).await;
        assert_eq!(answer.status, 200, "{pairs:?}");
        (
            answer.elements("Key").join(" "),
            answer.elements("Prefix").split_off(1).join(" "),
        )
    };
    let pair = |keys: &str, prefixes: &str| (keys.to_owned(), prefixes.to_owned());
    assert_eq!(
        keys(&[("prefix", "a"), ("delimiter", "--")]).await,
        pair("a a-b", "a--")
    );
    assert_eq!(keys(&[("prefix", "a--b")]).await, pair("a--b a--b--c", ""));
    assert_eq!(
        keys(&[("prefix", "a--b"), ("delimiter", "--")]).await,
        pair("a--b", "a--b--")
    );
    assert_eq!(
        keys(&[("prefix", "e"), ("delimiter", "/"), ("marker", "e/")]).await,
        pair("", "")
    );
    assert_eq!(
        keys(&[("prefix", "e"), ("delimiter", "/"), ("marker", "e/1")]).await,
        pair("", "e/")
    );
    assert_eq!(keys(&[("prefix", "e/"), ("marker", "e/1")]).await, pair("e/2", ""));
    assert_eq!(keys(&[("prefix", "e"), ("marker", "f")]).await, pair("", ""));
    assert_eq!(
        keys(&[("prefix", "d"), ("encoding-type", "url")]).await,
        pair("d%01%0A%0D", "")
    );
    let bare = client.send(list(&[("prefix", "d")])).await.text();
    assert!(bare.contains("<Key>d&#1;\n&#13;</Key>"), "{bare}");
    for (name, value) in [
        ("encoding-type", "html"),
        ("max-keys", "1e1"),
        ("max-keys", "99999999999999999999"),
    ] {
        assert_eq!(client.send(list(&[(name, value)])).await.status, 400, "{name}={value}");
    }
    let token = list(&[("list-type", "2"), ("continuation-token", "%%%")]);
    assert_eq!(client.send(token).await.status, 400);
}

#[tokio::test]
async fn only_one_append_wins_a_position() {
    let (_emulator, client) = start_with_bucket().await;
    let append = |position: usize| Request::post(&format!("/bucket/log?append&position={position}")).body("four");
    for position in [0, 4, 8] {
        let racers = (0..8).map(|_| client.send(append(position)));
        let statuses: Vec<_> = futures_util::future::join_all(racers)
            .await
            .iter()
            .map(|answer| answer.status)
            .collect();
        assert_eq!(
            statuses.iter().filter(|status| **status == 200).count(),
            1,
            "{statuses:?}"
        );
        assert_eq!(
            statuses.iter().filter(|status| **status == 409).count(),
            7,
            "{statuses:?}"
        );
    }
    for position in ["-1", "x", "", "9223372036854775808"] {
        let request = Request::post("/bucket/log?append")
            .query("position", position)
            .body("x");
        assert_eq!(client.send(request).await.status, 400, "{position}");
    }
    let (over, beside) = tokio::join!(
        client.send(Request::put("/bucket/log").body("whole")),
        client.send(append(12))
    );
    assert_eq!(over.status, 200);
    assert!(beside.status == 200 || beside.status == 409, "{}", beside.status);
    assert_eq!(client.send(Request::get("/bucket/log")).await.text(), "whole");
    assert_eq!(
        client.send(append(5)).await.error(),
        (409, "ObjectNotAppendable".to_owned())
    );
}

#[tokio::test]
async fn a_part_of_an_aborted_upload_is_lost() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let (_emulator, client) = start_with_bucket().await;
    let id = client
        .send(Request::post("/bucket/up?uploads"))
        .await
        .element("UploadId")
        .unwrap();
    let part = client.sign(Request::put(&format!("/bucket/up?partNumber=1&uploadId={id}")));
    let headers: String = part
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let head = format!(
        "PUT {} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 4\r\nexpect: 100-continue\r\n{headers}\r\n",
        part.target()
    );
    let mut stream = tokio::net::TcpStream::connect(&client.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut continued = [0; 25];
    stream.read_exact(&mut continued).await.unwrap();
    let abort = Request::delete(&format!("/bucket/up?uploadId={id}"));
    assert_eq!(client.send(abort.clone()).await.status, 204);
    stream.write_all(b"part").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 404 ") && answer.contains("NoSuchUpload"),
        "{answer}"
    );
    assert_eq!(client.send(abort).await.error(), (404, "NoSuchUpload".to_owned()));
    assert_eq!(client.send(Request::delete("/bucket")).await.status, 204);
}

#[tokio::test]
async fn a_list_of_parts_names_each_once() {
    let (_emulator, client) = start_with_bucket().await;
    let id = client
        .send(Request::post("/bucket/up?uploads"))
        .await
        .element("UploadId")
        .unwrap();
    let target = format!("/bucket/up?uploadId={id}");
    let part = Request::put(&target).query("partNumber", "1").body("part");
    let etag = client.send(part).await.header("etag").unwrap().to_owned();
    let entry = |number: &str| format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>");
    for (parts, code) in [
        (entry("1") + &entry("1"), "InvalidPartOrder"),
        (entry("1") + &entry("2"), "InvalidPart"),
        (entry("10001"), "MalformedXML"),
        (entry("-1"), "MalformedXML"),
        (entry("99999999999999999999"), "MalformedXML"),
        ("<Part><PartNumber>1</PartNumber></Part>".to_owned(), "MalformedXML"),
    ] {
        let document = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        let answer = client.send(Request::post(&target).body(document)).await;
        assert_eq!(answer.error(), (400, code.to_owned()), "{parts}");
    }
    let document = format!("<CompleteMultipartUpload>{}</CompleteMultipartUpload>", entry("1"));
    let other_key = Request::post(&format!("/bucket/other?uploadId={id}")).body(document.clone());
    assert_eq!(client.send(other_key).await.error(), (404, "NoSuchUpload".to_owned()));
    assert_eq!(client.send(Request::post(&target).body(document)).await.status, 200);
}

#[tokio::test]
async fn an_object_can_be_copied_onto_itself() {
    let (_emulator, client) = start_with_bucket().await;
    client
        .send(Request::put("/bucket/k").header("x-oss-meta-a", "1").body("b"))
        .await;
    let copy = || Request::put("/bucket/k").header("x-oss-copy-source", "/bucket/k");
    assert_eq!(client.send(copy()).await.status, 200);
    let replace = copy()
        .header("x-oss-metadata-directive", "REPLACE")
        .header("x-oss-meta-b", "2");
    assert_eq!(client.send(replace).await.status, 200);
    let object = client.send(Request::get("/bucket/k")).await;
    assert_eq!(
        (
            object.text().as_str(),
            object.header("x-oss-meta-a"),
            object.header("x-oss-meta-b")
        ),
        ("b", None, Some("2"))
    );
}

#[tokio::test]
async fn suspended_versioning_keeps_one_null_version_of_any_kind() {
    let (_emulator, client) = start_with_bucket().await;
    let versioning = |status: &str| {
        let document = format!("<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>");
        Request::put("/bucket?versioning").body(document)
    };
    put(&client, "k", "before").await;
    client.send(versioning("Enabled")).await;
    let kept = put(&client, "k", "kept")
        .await
        .header("x-oss-version-id")
        .unwrap()
        .to_owned();
    client.send(versioning("Suspended")).await;
    assert_eq!(put(&client, "k", "null").await.header("x-oss-version-id"), Some("null"));
    let deleted = client.send(Request::delete("/bucket/k")).await;
    assert_eq!(deleted.header("x-oss-version-id"), Some("null"));
    assert_eq!(deleted.header("x-oss-delete-marker"), Some("true"));
    // The marker took the place of the object, so its content is gone for good.
    let listing = client.send(Request::get("/bucket/?versions")).await;
    assert_eq!(listing.elements("VersionId"), ["null", kept.as_str()]);
    assert_eq!(listing.elements("DeleteMarker").len(), 1);
    assert_eq!(
        client.send(Request::get("/bucket/k")).await.error(),
        (404, "NoSuchKey".to_owned())
    );
    let removed = client.send(Request::delete("/bucket/k?versionId=null")).await;
    assert_eq!(
        (removed.status, removed.header("x-oss-delete-marker")),
        (204, Some("true"))
    );
    assert_eq!(client.send(Request::get("/bucket/k")).await.text(), "kept");
    assert_eq!(
        client.send(Request::delete("/bucket")).await.error(),
        (409, "BucketNotEmpty".to_owned())
    );
}
