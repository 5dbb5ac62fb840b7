//! Objects as the service documents them: names, versions, links, copies, deletions.

use std::time::Duration;

use oss_emulator::{Clock, Emulator};

use crate::client::{Client, Request, Response, md5_base64, noon, start_with_bucket};

const VERSIONING: &str = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";

fn invalid() -> (u16, String) {
    (400, "InvalidArgument".to_owned())
}

async fn put(client: &Client, key: &str, body: &str) -> Response {
    let answer = client.send(Request::put(&format!("/bucket/{key}")).body(body)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer
}

fn copy(target: &str, source: &str) -> Request {
    Request::put(&format!("/bucket/{target}")).header("x-oss-copy-source", source)
}

fn delete_all(keys: &[&str]) -> Request {
    let objects: String = keys
        .iter()
        .map(|key| format!("<Object><Key>{key}</Key></Object>"))
        .collect();
    let document = format!("<Delete>{objects}</Delete>");
    Request::post("/bucket?delete")
        .header("content-md5", &md5_base64(document.as_bytes()))
        .body(document)
}

#[tokio::test]
async fn keys_begin_with_neither_kind_of_slash() {
    let (_emulator, client) = start_with_bucket().await;
    for key in ["/k", "//k", "\\k"] {
        let answer = client.send(Request::put(&format!("/bucket/{key}")).body("v")).await;
        assert_eq!(answer.error(), (400, "InvalidObjectName".to_owned()), "{key}");
        let link = Request::put("/bucket/link?symlink").header("x-oss-symlink-target", key);
        assert_eq!(client.send(link).await.error(), invalid(), "{key}");
        let copied = copy("copy", &format!("/bucket/{key}"));
        assert_eq!(client.send(copied).await.error(), invalid(), "{key}");
    }
    put(&client, "a//k\\", "v").await;
    assert_eq!(client.send(Request::get("/bucket/a//k\\")).await.text(), "v");
}

#[tokio::test]
async fn names_of_metadata_are_letters_digits_and_hyphens() {
    let (_emulator, client) = start_with_bucket().await;
    for name in ["x-oss-meta-a_b", "x-oss-meta-a.b", "x-oss-meta-"] {
        let request = Request::put("/bucket/k").header(name, "v").body("b");
        assert_eq!(client.send(request).await.error(), invalid(), "{name}");
    }
    assert_eq!(client.send(Request::get("/bucket/k")).await.status, 404);
    let named = Request::put("/bucket/k").header("x-oss-meta-A-1", "V ü");
    assert_eq!(client.send(named.body("b")).await.status, 200);
    let answer = client.send(Request::get("/bucket/k")).await;
    assert_eq!(answer.header("x-oss-meta-a-1"), Some("V ü"));
}

#[tokio::test]
async fn a_version_is_named_well_or_not_at_all() {
    let (_emulator, client) = start_with_bucket().await;
    put(&client, "k", "v").await;
    for version in ["", "%%%", "a b", "a/b"] {
        for method in ["GET", "DELETE"] {
            let request = Request::new(method, "/bucket/k").query("versionId", version);
            assert_eq!(client.send(request).await.error(), invalid(), "{method} {version}");
        }
        let source = format!("/bucket/k?versionId={}", version.replace(' ', "+"));
        assert_eq!(client.send(copy("copy", &source)).await.error(), invalid(), "{version}");
    }
    let answer = client.send(Request::get("/bucket/k?versionId=null")).await;
    assert_eq!(answer.text(), "v");
    let answer = client.send(Request::get("/bucket/k?versionId=CAEQ.-_1")).await;
    assert_eq!(answer.error(), (404, "NoSuchVersion".to_owned()));
}

#[tokio::test]
async fn a_source_of_a_copy_is_named_from_the_root() {
    let (_emulator, client) = start_with_bucket().await;
    put(&client, "a b", "v").await;
    for source in ["bucket/a%20b", "bucket%2Fa%20b", "a%20b", "/a"] {
        assert_eq!(client.send(copy("copy", source)).await.error(), invalid(), "{source}");
    }
    for source in ["/bucket/a%20b", "%2Fbucket%2Fa%20b"] {
        assert_eq!(client.send(copy("copy", source)).await.status, 200, "{source}");
    }
    let missing = client.send(copy("copy", "/bucket/a%20b?versionId=CAEQ1")).await;
    assert_eq!(missing.error(), (404, "NoSuchVersion".to_owned()));
    assert_eq!(missing.element("Key").as_deref(), Some("a b"));
}

#[tokio::test]
async fn a_delete_marker_is_no_source() {
    let (_emulator, client) = start_with_bucket().await;
    client.send(Request::put("/bucket?versioning").body(VERSIONING)).await;
    put(&client, "k", "v").await;
    let deleted = client.send(Request::delete("/bucket/k")).await;
    let named = format!("/bucket/k?versionId={}", deleted.header("x-oss-version-id").unwrap());
    let begun = client.send(Request::post("/bucket/copy?uploads")).await;
    let part = format!("copy?partNumber=1&uploadId={}", begun.element("UploadId").unwrap());
    let missing = (404, "NoSuchKey".to_owned());
    for (target, source, expected) in [
        ("copy", "/bucket/k", &missing),
        ("copy", named.as_str(), &missing),
        (part.as_str(), "/bucket/k", &missing),
        (part.as_str(), named.as_str(), &invalid()),
    ] {
        let answer = client.send(copy(target, source)).await;
        assert_eq!(answer.error(), *expected, "{target} {source}");
    }
}

#[tokio::test]
async fn a_link_lends_content_and_keeps_its_own_words() {
    let clock = Clock::fixed(noon());
    let emulator = Emulator::builder().clock(clock.clone()).start().await.unwrap();
    let client = Client::of(&emulator);
    client.send(Request::put("/bucket")).await;
    let target = Request::put("/bucket/target")
        .header("x-oss-storage-class", "IA")
        .header("x-oss-meta-whose", "target")
        .header("content-type", "text/plain")
        .header("cache-control", "no-cache")
        .body("text");
    let written = client.send(target).await;
    clock.advance(Duration::from_secs(60));
    let link = Request::put("/bucket/link?symlink")
        .header("x-oss-symlink-target", "target")
        .header("x-oss-meta-whose", "link");
    assert_eq!(client.send(link).await.status, 200);
    for method in ["GET", "HEAD"] {
        let answer = client.send(Request::new(method, "/bucket/link")).await;
        assert_eq!(answer.status, 200);
        for name in ["etag", "content-md5", "x-oss-hash-crc64ecma"] {
            assert_eq!(answer.header(name), written.header(name), "{method} {name}");
        }
        for (name, value) in [
            ("content-length", Some("4")),
            ("x-oss-storage-class", Some("IA")),
            ("last-modified", Some("Sun, 17 Dec 2023 16:21:57 GMT")),
            ("x-oss-object-type", Some("Symlink")),
            ("x-oss-meta-whose", Some("link")),
            ("content-type", Some("application/octet-stream")),
            ("cache-control", None),
        ] {
            assert_eq!(answer.header(name), value, "{method} {name}");
        }
    }
}

#[tokio::test]
async fn one_protected_object_keeps_all_that_were_to_be_deleted() {
    let (_emulator, client) = start_with_bucket().await;
    let overwritten =
        "<InitiateWormConfiguration><RetentionPeriodInDays>1</RetentionPeriodInDays></InitiateWormConfiguration>";
    put(&client, "a", "v").await;
    put(&client, "b", "v").await;
    let begun = client.send(Request::post("/bucket?worm").body(overwritten)).await;
    assert_eq!(begun.status, 200, "{}", begun.text());
    let refused = client.send(delete_all(&["missing", "a", "b"])).await;
    assert_eq!(refused.error(), (409, "FileImmutable".to_owned()));
    assert_eq!(refused.element("Key").as_deref(), Some("a"));
    let listed = client.send(Request::get("/bucket/?list-type=2")).await;
    assert_eq!(listed.elements("Key"), ["a", "b"]);
    assert_eq!(client.send(delete_all(&["missing"])).await.status, 200);
}

#[tokio::test]
async fn lists_of_objects_to_delete_have_limits() {
    let (_emulator, client) = start_with_bucket().await;
    let malformed = (400, "MalformedXML".to_owned());
    let keys: Vec<_> = (0..1001).map(|number| format!("k{number}")).collect();
    let keys: Vec<_> = keys.iter().map(String::as_str).collect();
    assert_eq!(client.send(delete_all(&keys)).await.error(), malformed);
    assert_eq!(client.send(delete_all(&keys[..1000])).await.elements("Key").len(), 1000);
    assert_eq!(client.send(delete_all(&[])).await.error(), malformed);
    assert_eq!(client.send(delete_all(&[""])).await.status, 400);
    let blank = " ".repeat(2 * 1024 * 1024);
    let document = format!("<Delete>{blank}<Object><Key>k</Key></Object></Delete>");
    let large = Request::post("/bucket?delete")
        .header("content-md5", &md5_base64(document.as_bytes()))
        .body(document);
    assert_eq!(client.send(large).await.error(), malformed);
}

#[tokio::test]
async fn bodies_beyond_the_limit_are_too_large() {
    let (_emulator, client) = start_with_bucket().await;
    let begun = client.send(Request::post("/bucket/k?uploads")).await;
    let part = format!("/bucket/k?partNumber=1&uploadId={}", begun.element("UploadId").unwrap());
    for request in [
        Request::put("/bucket/k"),
        Request::put(&part),
        Request::post("/bucket/log?append&position=0"),
    ] {
        // The client waits to be asked for the body, and is not.
        let request = request
            .header("content-length", "5368709121")
            .header("expect", "100-continue");
        let answer = client.send(request).await;
        assert_eq!(answer.error(), (400, "EntityTooLarge".to_owned()), "{part}");
        assert_eq!(answer.element("MaxSizeAllowed").as_deref(), Some("5368709120"));
    }
}

#[tokio::test]
async fn markers_of_parts_are_numbers_of_parts() {
    let (_emulator, client) = start_with_bucket().await;
    let begun = client.send(Request::post("/bucket/k?uploads")).await;
    let parts = format!("/bucket/k?uploadId={}", begun.element("UploadId").unwrap());
    for (name, value) in [
        ("part-number-marker", "-1"),
        ("part-number-marker", "99999999999"),
        ("part-number-marker", "a"),
        ("max-parts", "0"),
        ("max-parts", "1001"),
        ("encoding-type", "base64"),
    ] {
        let answer = client.send(Request::get(&parts).query(name, value)).await;
        assert_eq!(answer.error(), invalid(), "{name}={value}");
    }
    let answer = client
        .send(Request::get(&parts).query("part-number-marker", "10001"))
        .await;
    assert_eq!((answer.status, answer.elements("Part").len()), (200, 0));
}

#[tokio::test]
async fn the_last_access_is_shown_where_it_is_tracked() {
    let clock = Clock::fixed(noon());
    let emulator = Emulator::builder().clock(clock.clone()).start().await.unwrap();
    let mut client = Client::of(&emulator);
    client.send(Request::put("/bucket")).await;
    put(&client, "k", "v").await;
    let meta = || Request::new("HEAD", "/bucket/k?objectMeta");
    assert_eq!(client.send(meta()).await.header("x-oss-last-access-time"), None);
    let monitor = "<AccessMonitorConfiguration><Status>Enabled</Status></AccessMonitorConfiguration>";
    client.send(Request::put("/bucket?accessmonitor").body(monitor)).await;
    assert_eq!(
        client.send(meta()).await.header("x-oss-last-access-time"),
        Some("Sun, 17 Dec 2023 16:20:57 GMT")
    );
    clock.advance(Duration::from_secs(2 * 86_400));
    "20231219T162057Z".clone_into(&mut client.stamp);
    // What was not sent was not read.
    let unchanged = Request::get("/bucket/k").header("if-match", "\"other\"");
    assert_eq!(client.send(unchanged).await.status, 412);
    assert_eq!(
        client.send(meta()).await.header("x-oss-last-access-time"),
        Some("Sun, 17 Dec 2023 16:20:57 GMT")
    );
    client.send(Request::get("/bucket/k")).await;
    let read = Some("Tue, 19 Dec 2023 16:20:57 GMT");
    assert_eq!(client.send(meta()).await.header("x-oss-last-access-time"), read);
    // A copy was never read.
    clock.advance(Duration::from_secs(60));
    client.send(copy("copy", "/bucket/k")).await;
    let copied = client.send(Request::new("HEAD", "/bucket/copy?objectMeta")).await;
    assert_eq!(
        copied.header("x-oss-last-access-time"),
        Some("Tue, 19 Dec 2023 16:21:57 GMT")
    );
}
