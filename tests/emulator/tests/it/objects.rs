//! Objects one at a time: content, headers, ranges, conditions, copies, appends, links, tags.

use crate::client::{NOON_HTTP, Request, md5_base64, md5_hex, start_with_bucket};

#[tokio::test]
async fn an_object_comes_back_with_what_was_said_about_it() {
    let (_emulator, client) = start_with_bucket().await;
    let put = Request::put("/bucket/dir/a.txt")
        .header("content-type", "text/plain")
        .header("cache-control", "no-cache")
        .header("content-disposition", "inline")
        .header("content-encoding", "identity")
        .header("expires", NOON_HTTP)
        .header("x-oss-meta-Color", "blue")
        .header("x-oss-storage-class", "IA")
        .header("x-oss-tagging", "a=1&b=2")
        .header("x-oss-server-side-encryption", "AES256")
        .body("123456789");
    let written = client.send(put).await;
    assert_eq!(written.status, 200);
    assert_eq!(written.header("x-oss-hash-crc64ecma"), Some("11051210869376104954"));
    assert_eq!(written.header("content-md5"), Some(md5_base64(b"123456789").as_str()));
    for request in [
        Request::get("/bucket/dir/a.txt"),
        Request::new("HEAD", "/bucket/dir/a.txt"),
    ] {
        let answer = client.send(request).await;
        for (name, value) in [
            ("content-type", "text/plain"),
            ("content-length", "9"),
            ("cache-control", "no-cache"),
            ("content-disposition", "inline"),
            ("content-encoding", "identity"),
            ("expires", NOON_HTTP),
            ("last-modified", NOON_HTTP),
            ("x-oss-meta-color", "blue"),
            ("x-oss-storage-class", "IA"),
            ("x-oss-object-type", "Normal"),
            ("x-oss-tagging-count", "2"),
            ("x-oss-server-side-encryption", "AES256"),
            ("x-oss-hash-crc64ecma", "11051210869376104954"),
            ("accept-ranges", "bytes"),
            ("etag", &format!("\"{}\"", md5_hex(b"123456789"))),
            ("content-md5", &md5_base64(b"123456789")),
        ] {
            assert_eq!(answer.header(name), Some(value), "{name}");
        }
        assert_eq!(answer.header("x-oss-version-id"), None);
    }
    let meta = client.send(Request::new("HEAD", "/bucket/dir/a.txt?objectMeta")).await;
    assert_eq!(
        (meta.header("content-length"), meta.header("x-oss-meta-color")),
        (Some("9"), None)
    );
}

#[tokio::test]
async fn ranges_follow_the_service_and_on_demand_http() {
    let (_emulator, client) = start_with_bucket().await;
    client.send(Request::put("/bucket/k").body("0123456789")).await;
    let get = |range: &str| Request::get("/bucket/k").header("range", range);
    for (range, text, content_range) in [
        ("bytes=0-3", "0123", "bytes 0-3/10"),
        ("bytes=7-", "789", "bytes 7-9/10"),
        ("bytes=-2", "89", "bytes 8-9/10"),
    ] {
        let answer = client.send(get(range)).await;
        assert_eq!((answer.status, answer.text().as_str()), (206, text), "{range}");
        assert_eq!(answer.header("content-range"), Some(content_range));
        assert_eq!(answer.header("content-length"), Some(text.len().to_string().as_str()));
        assert!(answer.header("x-oss-hash-crc64ecma").is_some());
    }
    for range in ["bytes=10-", "bytes=3-99", "bytes=5-2", "bytes=0-1,3-4", "lines=1-2"] {
        assert_eq!(client.send(get(range)).await.status, 200, "{range}");
    }
    let standard = |range: &str| get(range).header("x-oss-range-behavior", "standard");
    let answer = client.send(standard("bytes=10-12")).await;
    assert_eq!(answer.error(), (416, "InvalidRange".to_owned()));
    assert_eq!(answer.header("content-range"), Some("bytes */10"));
    assert_eq!(client.send(standard("bytes=3-99")).await.text(), "3456789");
    assert_eq!(client.send(standard("bytes=-99")).await.status, 206);
    assert_eq!(client.send(standard("bytes=0-1,3-4")).await.status, 200);
}

#[tokio::test]
async fn conditions_save_or_refuse_the_content() {
    let (_emulator, client) = start_with_bucket().await;
    client.send(Request::put("/bucket/k").body("text")).await;
    let etag = format!("\"{}\"", md5_hex(b"text"));
    let with = |name: &str, value: &str| Request::get("/bucket/k").header(name, value);
    let same = client.send(with("if-none-match", &etag)).await;
    assert_eq!(
        (same.status, same.body.len(), same.header("etag")),
        (304, 0, Some(etag.as_str()))
    );
    assert_eq!(
        client.send(with("if-match", "\"other\"")).await.error(),
        (412, "PreconditionFailed".to_owned())
    );
    assert_eq!(client.send(with("if-match", &etag)).await.status, 200);
    assert_eq!(client.send(with("if-modified-since", NOON_HTTP)).await.status, 304);
    assert_eq!(
        client
            .send(with("if-unmodified-since", "Sat, 16 Dec 2023 16:20:57 GMT"))
            .await
            .status,
        412
    );
    assert_eq!(
        client
            .send(Request::new("HEAD", "/bucket/k").header("if-none-match", &etag))
            .await
            .status,
        304
    );
}

#[tokio::test]
async fn answers_can_be_dressed_by_the_query() {
    let (_emulator, client) = start_with_bucket().await;
    client.send(Request::put("/bucket/k").body("text")).await;
    let request = Request::get("/bucket/k")
        .query("response-content-type", "text/html")
        .query("response-content-disposition", "attachment; a");
    let answer = client.send(request).await;
    assert_eq!(answer.header("content-type"), Some("text/html"));
    assert_eq!(answer.header("content-disposition"), Some("attachment; a"));
}

#[tokio::test]
async fn digests_and_lengths_are_checked_before_anything_is_stored() {
    let (_emulator, client) = start_with_bucket().await;
    let put = |md5: &str| Request::put("/bucket/k").header("content-md5", md5).body("text");
    assert_eq!(
        client.send(put("nonsense")).await.error(),
        (400, "InvalidDigest".to_owned())
    );
    assert_eq!(
        client.send(put(&md5_base64(b"other"))).await.error(),
        (400, "InvalidDigest".to_owned())
    );
    assert_eq!(client.send(Request::get("/bucket/k")).await.status, 404);
    assert_eq!(client.send(put(&md5_base64(b"text"))).await.status, 200);

    let signed = client.sign(Request::put("/bucket/n"));
    let head: String = signed
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let raw = format!(
        "PUT /bucket/n HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{head}\r\n",
        client.host
    );
    let answer = String::from_utf8(client.exchange(raw.as_bytes()).await.unwrap()).unwrap();
    assert!(answer.starts_with("HTTP/1.1 411"), "{answer}");
    let raw = format!(
        "PUT /bucket/n HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{head}transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        client.host
    );
    let answer = String::from_utf8(client.exchange(raw.as_bytes()).await.unwrap()).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(client.send(Request::get("/bucket/n")).await.text(), "abc");
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_by_name() {
    let (_emulator, client) = start_with_bucket().await;
    client.send(Request::put("/bucket/k").body("text")).await;
    for request in [
        Request::get("/bucket/k").query("x-oss-process", "video/snapshot,t_1"),
        Request::get("/bucket?brandNew"),
    ] {
        let answer = client.send(request.clone()).await;
        assert_eq!(answer.error(), (501, "NotImplemented".to_owned()), "{request:?}");
    }
    assert_eq!(client.send(Request::get("/bucket/k?cache=7")).await.status, 200);
    client
        .send(
            Request::put("/bucket/cold")
                .header("x-oss-storage-class", "Archive")
                .body("x"),
        )
        .await;
    assert_eq!(
        client.send(Request::get("/bucket/cold")).await.error(),
        (403, "InvalidObjectState".to_owned())
    );
    for (name, value) in [
        ("x-oss-storage-class", "Lukewarm"),
        ("x-oss-object-acl", "everyone"),
        ("x-oss-forbid-overwrite", "maybe"),
    ] {
        let answer = client
            .send(Request::put("/bucket/k").header(name, value).body("x"))
            .await;
        assert_eq!(answer.error(), (400, "InvalidArgument".to_owned()), "{name}");
        assert_eq!(answer.element("ArgumentName").as_deref(), Some(name));
    }
    assert_eq!(
        client
            .send(Request::put("/bucket/k").header("x-oss-tagging", "a=1&a=2").body("x"))
            .await
            .error()
            .1,
        "InvalidTag"
    );
}

#[tokio::test]
async fn overwriting_can_be_forbidden() {
    let (_emulator, client) = start_with_bucket().await;
    let put = || {
        Request::put("/bucket/k")
            .header("x-oss-forbid-overwrite", "true")
            .body("a")
    };
    assert_eq!(client.send(put()).await.status, 200);
    assert_eq!(client.send(put()).await.error(), (409, "FileAlreadyExists".to_owned()));
}

#[tokio::test]
async fn copies_take_metadata_and_tags_as_directed() {
    let (_emulator, client) = start_with_bucket().await;
    client.send(Request::put("/target")).await;
    let source = Request::put("/bucket/a b")
        .header("x-oss-meta-k", "v")
        .header("x-oss-tagging", "t=1")
        .header("content-type", "text/plain");
    client.send(source.body("text")).await;
    let copy = || Request::put("/target/copy").header("x-oss-copy-source", "/bucket/a%20b");
    let answer = client.send(copy()).await;
    assert_eq!(
        answer.element("ETag"),
        Some(format!("&quot;{}&quot;", md5_hex(b"text")))
    );
    let copied = client.send(Request::get("/target/copy")).await;
    assert_eq!(
        (
            copied.text().as_str(),
            copied.header("x-oss-meta-k"),
            copied.header("x-oss-tagging-count")
        ),
        ("text", Some("v"), Some("1"))
    );

    let replace = copy()
        .header("x-oss-metadata-directive", "REPLACE")
        .header("x-oss-meta-n", "w")
        .header("x-oss-tagging-directive", "Replace");
    assert_eq!(client.send(replace).await.status, 200);
    let copied = client.send(Request::get("/target/copy")).await;
    assert_eq!(
        (
            copied.header("x-oss-meta-k"),
            copied.header("x-oss-meta-n"),
            copied.header("x-oss-tagging-count")
        ),
        (None, Some("w"), None)
    );

    let etag = md5_hex(b"text");
    for (name, value, status) in [
        ("x-oss-copy-source-if-match", "other", 412),
        ("x-oss-copy-source-if-none-match", etag.as_str(), 304),
        ("x-oss-copy-source-if-match", etag.as_str(), 200),
    ] {
        assert_eq!(client.send(copy().header(name, value)).await.status, status, "{name}");
    }
    let missing = Request::put("/target/copy").header("x-oss-copy-source", "/bucket/none");
    assert_eq!(client.send(missing).await.error(), (404, "NoSuchKey".to_owned()));
    let malformed = Request::put("/target/copy").header("x-oss-copy-source", "nonsense");
    assert_eq!(
        client.send(malformed).await.error(),
        (400, "InvalidArgument".to_owned())
    );
}

#[tokio::test]
async fn appending_grows_an_object_where_it_ends() {
    let (_emulator, client) = start_with_bucket().await;
    let append = |position: &str, body: &str| {
        Request::post("/bucket/log?append")
            .query("position", position)
            .body(body)
    };
    assert_eq!(
        client
            .send(append("0", "abc"))
            .await
            .header("x-oss-next-append-position"),
        Some("3")
    );
    let refused = client.send(append("0", "abc")).await;
    assert_eq!(refused.error(), (409, "PositionNotEqualToLength".to_owned()));
    assert_eq!(refused.header("x-oss-next-append-position"), Some("3"));
    client.send(append("3", "def")).await;
    let answer = client.send(Request::get("/bucket/log")).await;
    assert_eq!(
        (answer.text().as_str(), answer.header("x-oss-object-type")),
        ("abcdef", Some("Appendable"))
    );
    assert_eq!(answer.header("x-oss-next-append-position"), Some("6"));
    client.send(Request::put("/bucket/normal").body("x")).await;
    let answer = client
        .send(Request::post("/bucket/normal?append&position=1").body("y"))
        .await;
    assert_eq!(answer.error(), (409, "ObjectNotAppendable".to_owned()));
    assert_eq!(
        client.send(Request::post("/bucket/log?append").body("y")).await.error(),
        (400, "MissingArgument".to_owned())
    );
    assert_eq!(
        client.send(append("-1", "y")).await.error(),
        (400, "InvalidArgument".to_owned())
    );
}

#[tokio::test]
async fn links_lead_to_their_targets() {
    let (_emulator, client) = start_with_bucket().await;
    client.send(Request::put("/bucket/target one").body("text")).await;
    let link = |key: &str, target: &str| {
        Request::put(&format!("/bucket/{key}?symlink")).header("x-oss-symlink-target", target)
    };
    assert_eq!(client.send(link("link", "target%20one")).await.status, 200);
    let answer = client.send(Request::get("/bucket/link")).await;
    assert_eq!(
        (answer.text().as_str(), answer.header("x-oss-object-type")),
        ("text", Some("Symlink"))
    );
    assert_eq!(
        client
            .send(Request::get("/bucket/link?symlink"))
            .await
            .header("x-oss-symlink-target"),
        Some("target%20one")
    );
    client.send(link("second", "link")).await;
    assert_eq!(
        client.send(Request::get("/bucket/second")).await.error(),
        (409, "InvalidTargetType".to_owned())
    );
    client.send(link("dangling", "nowhere")).await;
    assert_eq!(
        client.send(Request::get("/bucket/dangling")).await.error(),
        (404, "SymlinkTargetNotExist".to_owned())
    );
    assert_eq!(
        client.send(link("self", "self")).await.error(),
        (400, "InvalidArgument".to_owned())
    );
}

#[tokio::test]
async fn tags_and_acls_are_changed_apart_from_the_content() {
    let (_emulator, client) = start_with_bucket().await;
    client.send(Request::put("/bucket/k").body("text")).await;
    let document = "<Tagging><TagSet><Tag><Key>k</Key><Value>v&amp;w</Value></Tag></TagSet></Tagging>";
    assert_eq!(
        client
            .send(Request::put("/bucket/k?tagging").body(document))
            .await
            .error()
            .0,
        400
    );
    let document = "<Tagging><TagSet><Tag><Key>k</Key><Value>v w</Value></Tag></TagSet></Tagging>";
    assert_eq!(
        client
            .send(Request::put("/bucket/k?tagging").body(document))
            .await
            .status,
        200
    );
    let answer = client.send(Request::get("/bucket/k?tagging")).await;
    assert_eq!(
        (answer.element("Key").as_deref(), answer.element("Value").as_deref()),
        (Some("k"), Some("v w"))
    );
    assert_eq!(client.send(Request::delete("/bucket/k?tagging")).await.status, 204);
    assert!(
        client
            .send(Request::get("/bucket/k?tagging"))
            .await
            .elements("Key")
            .is_empty()
    );

    assert_eq!(
        client
            .send(Request::get("/bucket/k?acl"))
            .await
            .element("Grant")
            .as_deref(),
        Some("default")
    );
    client
        .send(Request::put("/bucket/k?acl").header("x-oss-object-acl", "private"))
        .await;
    assert_eq!(
        client
            .send(Request::get("/bucket/k?acl"))
            .await
            .element("Grant")
            .as_deref(),
        Some("private")
    );
    assert_eq!(
        client.send(Request::put("/bucket/k?acl")).await.error(),
        (400, "MissingArgument".to_owned())
    );
    assert_eq!(
        client.send(Request::get("/bucket/none?acl")).await.error(),
        (404, "NoSuchKey".to_owned())
    );
}

#[tokio::test]
async fn many_objects_are_deleted_in_one_request() {
    let (_emulator, client) = start_with_bucket().await;
    for key in ["a", "b&c", "d"] {
        client.send(Request::put(&format!("/bucket/{key}")).body(key)).await;
    }
    let delete = |document: &str| {
        Request::post("/bucket?delete")
            .header("content-md5", &md5_base64(document.as_bytes()))
            .body(document)
    };
    let document = "<Delete><Object><Key>a</Key></Object><Object><Key>b&amp;c</Key></Object><Object><Key>none</Key></Object></Delete>";
    let answer = client.send(delete(document).query("encoding-type", "url")).await;
    assert_eq!(answer.elements("Key"), ["a", "b%26c", "none"]);
    assert_eq!(
        client
            .send(delete(
                "<Delete><Quiet>true</Quiet><Object><Key>d</Key></Object></Delete>"
            ))
            .await
            .elements("Key")
            .len(),
        0
    );
    assert!(client.send(Request::get("/bucket/")).await.elements("Key").is_empty());
    assert_eq!(
        client.send(delete("<Delete></Delete>")).await.error(),
        (400, "MalformedXML".to_owned())
    );
    let without_md5 = Request::post("/bucket?delete").body(document);
    assert_eq!(
        client.send(without_md5).await.error(),
        (400, "MissingArgument".to_owned())
    );
    let many: String = (0..1001).map(|n| format!("<Object><Key>{n}</Key></Object>")).collect();
    assert_eq!(
        client.send(delete(&format!("<Delete>{many}</Delete>"))).await.error(),
        (400, "MalformedXML".to_owned())
    );
}
