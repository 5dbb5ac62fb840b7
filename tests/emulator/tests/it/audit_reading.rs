//! Answers of reads as the service documents them: compression, conditions, errors without bodies, headers that come back.

use std::io::Read as _;

use crate::client::{Request, md5_base64, md5_hex, start_with_bucket};
use crate::selects::unchunked;

const BEFORE: &str = "Sun, 17 Dec 2023 16:20:56 GMT";
const AFTER: &str = "Sun, 17 Dec 2023 16:20:58 GMT";

#[tokio::test]
async fn text_goes_out_compressed_to_those_who_accept_it() {
    let (_emulator, client) = start_with_bucket().await;
    let text = "words and words ".repeat(20_000);
    let put = |key: &str, media_type: &str| {
        Request::put(&format!("/bucket/{key}"))
            .header("content-type", media_type)
            .body(text.clone())
    };
    let get = |key: &str| Request::get(&format!("/bucket/{key}")).header("accept-encoding", "br, gzip");
    let written = client.send(put("k", "text/plain; charset=utf-8")).await;
    let answer = client.send(get("k")).await;
    for (name, value) in [
        ("content-encoding", Some("gzip")),
        ("vary", Some("Accept-Encoding")),
        ("content-type", Some("text/plain; charset=utf-8")),
        ("x-oss-hash-crc64ecma", written.header("x-oss-hash-crc64ecma")),
        ("etag", None),
        ("content-length", None),
        ("accept-ranges", None),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
    let compressed = unchunked(&answer.body);
    assert!(compressed.len() < text.len() / 10);
    let mut found = String::new();
    let mut decoder = flate2::read::GzDecoder::new(compressed.as_slice());
    decoder.read_to_string(&mut found).unwrap();
    assert_eq!(found, text);

    client.send(put("picture", "image/png")).await;
    client
        .send(put("packed", "text/plain").header("content-encoding", "br"))
        .await;
    let small = Request::put("/bucket/small").header("content-type", "text/plain");
    client.send(small.body(vec![b'a'; 1023])).await;
    for request in [
        get("picture"),
        get("packed"),
        get("small"),
        get("k").header("range", "bytes=0-2047"),
        Request::get("/bucket/k"),
    ] {
        let answer = client.send(request.clone()).await;
        assert!(answer.header("etag").is_some(), "{request:?}");
        assert!(answer.header("content-encoding") != Some("gzip"), "{request:?}");
    }
}

#[tokio::test]
async fn sources_of_copies_have_conditions_like_reads() {
    let (_emulator, client) = start_with_bucket().await;
    let etag = md5_hex(b"text");
    client.send(Request::put("/bucket/k").body("text")).await;
    let begun = client.send(Request::post("/bucket/part?uploads")).await;
    let part = format!(
        "/bucket/part?partNumber=1&uploadId={}",
        begun.element("UploadId").unwrap()
    );
    let quoted = format!("\"{etag}\"");
    for (conditions, status, code) in [
        (vec![("match", quoted.as_str())], 200, ""),
        (vec![("match", "\"0\"")], 412, "PreconditionFailed"),
        (vec![("none-match", "\"0\"")], 200, ""),
        (vec![("none-match", etag.as_str())], 304, ""),
        (vec![("modified-since", BEFORE)], 200, ""),
        (vec![("modified-since", AFTER)], 304, ""),
        (vec![("unmodified-since", AFTER)], 200, ""),
        (vec![("unmodified-since", BEFORE)], 412, "PreconditionFailed"),
        (vec![("match", etag.as_str()), ("modified-since", AFTER)], 304, ""),
        (
            vec![("match", "0"), ("none-match", etag.as_str())],
            412,
            "PreconditionFailed",
        ),
        (vec![("modified-since", BEFORE), ("unmodified-since", AFTER)], 200, ""),
    ] {
        for target in ["/bucket/copy", part.as_str()] {
            let request = Request::put(target).header("x-oss-copy-source", "/bucket/k");
            let request = conditions.iter().fold(request, |request, (name, value)| {
                request.header(&format!("x-oss-copy-source-if-{name}"), value)
            });
            let answer = client.send(request).await;
            assert_eq!(answer.error(), (status, code.to_owned()), "{target} {conditions:?}");
            assert!(status != 304 || answer.body.is_empty(), "{target} {conditions:?}");
        }
    }
}

#[tokio::test]
async fn errors_of_head_stand_in_a_header() {
    use base64::Engine as _;
    let (_emulator, client) = start_with_bucket().await;
    client.send(Request::put("/bucket/k").body("text")).await;
    for (request, status, code) in [
        (Request::new("HEAD", "/bucket/none"), 404, "NoSuchKey"),
        (Request::new("HEAD", "/bucket/none?objectMeta"), 404, "NoSuchKey"),
        (Request::new("HEAD", "/bucket/k?versionId=1"), 404, "NoSuchVersion"),
        (
            Request::new("HEAD", "/bucket/k").header("if-match", "0"),
            412,
            "PreconditionFailed",
        ),
    ] {
        let answer = client.send(request).await;
        assert_eq!((answer.status, answer.body.len()), (status, 0), "{code}");
        let document = base64::engine::general_purpose::STANDARD
            .decode(answer.header("x-oss-err").unwrap())
            .unwrap();
        let document = String::from_utf8(document).unwrap();
        assert!(document.contains(&format!("<Code>{code}</Code>")), "{document}");
        assert!(
            document.contains(answer.header("x-oss-request-id").unwrap()),
            "{document}"
        );
        assert!(answer.header("x-oss-ec").is_some());
    }
    let unchanged = Request::get("/bucket/k").header("if-none-match", &md5_hex(b"text"));
    let answer = client.send(unchanged).await;
    assert_eq!((answer.status, answer.body.len()), (304, 0));
    assert_eq!(
        answer.header("etag"),
        Some(format!("\"{}\"", md5_hex(b"text")).as_str())
    );
    assert_eq!(answer.header("content-length"), None);
}

#[tokio::test]
async fn headers_come_back_as_they_went() {
    let (_emulator, client) = start_with_bucket().await;
    let headers = [
        ("content-type", "text/x-ключ; charset=utf-8"),
        ("content-encoding", "x-own"),
        ("content-language", "de, en"),
        ("content-disposition", "attachment; filename=\"ü 1.txt\""),
        ("cache-control", "max-age=3, private"),
        ("expires", "Sun, 17 Dec 2023 16:20:57 GMT"),
        ("x-oss-meta-long", "日本 = & ;"),
    ];
    let put = headers
        .iter()
        .fold(Request::put("/bucket/k"), |put, (name, value)| put.header(name, value));
    assert_eq!(client.send(put.clone()).await.status, 200);
    let begun = Request {
        method: "POST".to_owned(),
        path: "/bucket/parts".to_owned(),
        ..put.query("uploads", "")
    };
    let id = client.send(begun).await.element("UploadId").unwrap();
    let part = Request::put(&format!("/bucket/parts?partNumber=7&uploadId={id}")).body("text");
    client.send(part).await;
    let complete = Request::post(&format!("/bucket/parts?uploadId={id}")).header("x-oss-complete-all", "yes");
    assert_eq!(client.send(complete).await.status, 200);
    client
        .send(Request::put("/bucket/copy").header("x-oss-copy-source", "/bucket/k"))
        .await;
    for key in ["k", "parts", "copy"] {
        for method in ["GET", "HEAD"] {
            let answer = client.send(Request::new(method, &format!("/bucket/{key}"))).await;
            for (name, value) in headers {
                assert_eq!(answer.header(name), Some(value), "{method} {key} {name}");
            }
        }
    }
}

#[tokio::test]
async fn an_empty_object_is_an_object() {
    let (_emulator, client) = start_with_bucket().await;
    let written = client.send(Request::put("/bucket/k")).await;
    assert_eq!(written.header("content-md5"), Some(md5_base64(b"").as_str()));
    for method in ["GET", "HEAD"] {
        let answer = client.send(Request::new(method, "/bucket/k")).await;
        assert_eq!((answer.status, answer.body.len()), (200, 0), "{method}");
        for (name, value) in [
            ("content-length", "0"),
            ("x-oss-hash-crc64ecma", "0"),
            ("etag", "\"D41D8CD98F00B204E9800998ECF8427E\""),
            ("content-type", "application/octet-stream"),
            ("accept-ranges", "bytes"),
            ("x-oss-object-type", "Normal"),
            ("x-oss-storage-class", "Standard"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{method} {name}");
        }
    }
}

#[tokio::test]
async fn directives_are_read_without_case() {
    let (_emulator, client) = start_with_bucket().await;
    let source = Request::put("/bucket/k")
        .header("x-oss-meta-a", "1")
        .header("x-oss-tagging", "a=1");
    client.send(source).await;
    for (directive, metadata, tags) in [
        ("REPLACE", "2", "b"),
        ("Replace", "2", "b"),
        ("replace", "2", "b"),
        ("COPY", "1", "a"),
        ("Copy", "1", "a"),
    ] {
        let copy = Request::put("/bucket/copy")
            .header("x-oss-copy-source", "/bucket/k")
            .header("x-oss-metadata-directive", directive)
            .header("x-oss-tagging-directive", directive)
            .header("x-oss-meta-a", "2")
            .header("x-oss-tagging", "b=2");
        let answer = client.send(copy).await;
        assert_eq!(answer.status, 200, "{directive}: {}", answer.text());
        let copied = client.send(Request::get("/bucket/copy")).await;
        assert_eq!(copied.header("x-oss-meta-a"), Some(metadata), "{directive}");
        let tagged = client.send(Request::get("/bucket/copy?tagging")).await;
        assert_eq!(tagged.element("Key").as_deref(), Some(tags), "{directive}");
    }
    for name in ["x-oss-metadata-directive", "x-oss-tagging-directive"] {
        let copy = Request::put("/bucket/copy").header("x-oss-copy-source", "/bucket/k");
        let answer = client.send(copy.header(name, "keep")).await;
        assert_eq!(answer.error(), (400, "InvalidArgument".to_owned()), "{name}");
    }
}
