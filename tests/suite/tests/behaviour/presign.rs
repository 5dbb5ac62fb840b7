//! URLs that carry out an operation for whoever holds them, fetched with a client that knows nothing of OSS.

use std::time::{Duration, SystemTime};

use oss_sdk::http::{Method, Request};
use oss_sdk::transport::{Transport, TransportFuture, TransportRequest};
use oss_sdk::{
    AbortMultipartUploadRequest, CompleteMultipartUploadRequest, Credentials, DeleteObjectRequest, ErrorKind,
    GetObjectRequest, HeadObjectRequest, InitiateMultipartUploadRequest, ListObjectsV2Request, ListPartsRequest,
    PutObjectRequest, SignatureVersion, Timestamp, UploadPartRequest,
};
use oss_suite::curl;
use oss_suite::plain::{self, send};

use super::door::{BUCKET, Client, Fixture, Go, Link, Payload, builder};

const MINUTES: Duration = Duration::from_secs(600);

async fn round_trip(version: SignatureVersion) {
    let fixture = Fixture::start().await;
    let client = builder(&fixture.emulator).signature_version(version).build().unwrap();
    let key = "a key/+ü%.txt";
    let put = client
        .put_object(
            PutObjectRequest::new(BUCKET, key)
                .content_type("text/x-test")
                .metadata([("a", "b")]),
        )
        .link(MINUTES)
        .await
        .unwrap();
    let sent = send(&put, "by url").await;
    assert_eq!(sent.status, 200, "{}", sent.text);

    let got = send(
        &client
            .get_object(GetObjectRequest::new(BUCKET, key))
            .link(MINUTES)
            .await
            .unwrap(),
        "",
    )
    .await;
    assert_eq!(got.headers["content-type"], "text/x-test");
    assert_eq!(got.text, "by url");
    let part = client.get_object(GetObjectRequest::new(BUCKET, key).response_content_type("text/other"));
    let part = send(&part.link(MINUTES).await.unwrap(), "").await;
    assert_eq!(part.headers["content-type"], "text/other");

    let head = send(
        &client
            .head_object(HeadObjectRequest::new(BUCKET, key))
            .link(MINUTES)
            .await
            .unwrap(),
        "",
    )
    .await;
    assert_eq!(head.headers["content-length"], "6");
    let list = client
        .list_objects_v2(ListObjectsV2Request::new(BUCKET).prefix("a key/"))
        .link(MINUTES)
        .await
        .unwrap();
    assert!(send(&list, "").await.text.contains("<KeyCount>1</KeyCount>"));
    let delete = client
        .delete_object(DeleteObjectRequest::new(BUCKET, key))
        .link(MINUTES)
        .await
        .unwrap();
    assert_eq!(send(&delete, "").await.status, 204);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn v4_urls_work_for_plain_http() {
    round_trip(SignatureVersion::V4).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn v1_urls_work_for_plain_http() {
    round_trip(SignatureVersion::V1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_changed_url_is_refused() {
    let fixture = Fixture::start().await;
    fixture
        .client
        .put_object(PutObjectRequest::new(BUCKET, "k").body("x"))
        .go()
        .await
        .unwrap();
    fixture
        .client
        .put_object(PutObjectRequest::new(BUCKET, "q").body("y"))
        .go()
        .await
        .unwrap();
    let mut presigned = fixture
        .client
        .get_object(GetObjectRequest::new(BUCKET, "k"))
        .link(MINUTES)
        .await
        .unwrap();
    assert_eq!(send(&presigned, "").await.text, "x");
    presigned.url = presigned.url.replacen("/k?", "/q?", 1);
    let answer = send(&presigned, "").await;
    assert_eq!(answer.status, 403);
    assert!(answer.text.contains("SignatureDoesNotMatch"), "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn impossible_lifetimes_are_refused_before_signing() {
    let fixture = Fixture::start().await;
    let week = Duration::from_secs(7 * 24 * 3600);
    let get = || fixture.client.get_object(GetObjectRequest::new(BUCKET, "k"));
    assert!(get().link(week).await.is_ok());
    let error = get().link(week + Duration::from_secs(1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    assert_eq!(
        get().link(Duration::ZERO).await.unwrap_err().kind(),
        ErrorKind::InvalidInput
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn nobody_cannot_presign() {
    let fixture = Fixture::start().await;
    let client = builder(&fixture.emulator).anonymous().build().unwrap();
    let error = client
        .get_object(GetObjectRequest::new(BUCKET, "k"))
        .link(MINUTES)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credentials, "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_url_says_nothing_of_the_secret() {
    let fixture = Fixture::start().await;
    let client = builder(&fixture.emulator)
        .credentials(Credentials::new("an-id", "a-secret-word"))
        .build()
        .unwrap();
    let presigned = client
        .get_object(GetObjectRequest::new(BUCKET, "k"))
        .link(MINUTES)
        .await
        .unwrap();
    assert!(!format!("{presigned:?} {}", presigned.url).contains("a-secret-word"));
}

/// A transport that takes nothing: links are made without a network.
#[derive(Debug)]
struct Offline;

impl Transport for Offline {
    fn send(&self, request: TransportRequest) -> TransportFuture<'_> {
        panic!("signing sent {request:?}");
    }
}

fn offline(fixture: &Fixture, version: SignatureVersion) -> Client {
    let client = builder(&fixture.emulator).transport(Offline).signature_version(version);
    client.build().unwrap()
}

fn element<'t>(text: &'t str, name: &str) -> &'t str {
    let (_, rest) = text.split_once(&format!("<{name}>")).unwrap();
    rest.split_once('<').unwrap().0
}

async fn curl_round_trip(version: SignatureVersion) {
    let fixture = Fixture::start().await;
    let client = offline(&fixture, version);
    let key = "a //key/../+ü%2F?&=.txt";
    let put = PutObjectRequest::new(BUCKET, key)
        .content_type("text/x-test")
        .metadata([("a", "b")]);
    let put = client.put_object(put).link(MINUTES).await.unwrap();
    assert_eq!(put.signed_headers.len(), 2);
    let sent = curl::send(&put, "by curl", &[]).await;
    assert_eq!(sent.status, 200, "{}", sent.text);

    let get = GetObjectRequest::new(BUCKET, key).response_content_type("text/other; a=\"b\"");
    let get = client.get_object(get).link(MINUTES).await.unwrap();
    let got = curl::send(&get, "", &[]).await;
    assert_eq!((got.status, got.text.as_str()), (200, "by curl"));
    assert_eq!(got.headers["content-type"], "text/other; a=\"b\"");
    assert_eq!(got.headers["x-oss-meta-a"], "b");
    let range = curl::send(&get, "", &["--header", "Range: bytes=3-"]).await;
    assert_eq!((range.status, range.text.as_str()), (206, "curl"));

    let head = client
        .head_object(HeadObjectRequest::new(BUCKET, key))
        .link(MINUTES)
        .await
        .unwrap();
    let head = curl::send(&head, "", &[]).await;
    assert_eq!((head.status, head.headers["content-length"].as_str()), (200, "7"));

    let again = client.put_object(PutObjectRequest::new(BUCKET, key).forbid_overwrite(true));
    let again = curl::send(&again.link(MINUTES).await.unwrap(), "again", &[]).await;
    assert_eq!(again.status, 409, "{}", again.text);
}

async fn curl_multipart(version: SignatureVersion) {
    let fixture = Fixture::start().await;
    let client = offline(&fixture, version);
    let start = async || {
        let initiate = InitiateMultipartUploadRequest::new(BUCKET, "parts").content_type("text/x-parts");
        let initiate = client.initiate_multipart_upload(initiate).link(MINUTES).await.unwrap();
        let started = curl::send(&initiate, "", &[]).await;
        assert_eq!(started.status, 200, "{}", started.text);
        element(&started.text, "UploadId").to_owned()
    };
    let part = async |id: &str, number: i64, content: &'static str| {
        let part = client.upload_part(UploadPartRequest::new(BUCKET, "parts", id, number));
        curl::send(&part.link(MINUTES).await.unwrap(), content, &[]).await
    };
    let id = start().await;
    let large = "a".repeat(100 * 1024).leak();
    let etags = [part(&id, 1, large).await, part(&id, 2, "end").await].map(|sent| {
        assert_eq!(sent.status, 200, "{}", sent.text);
        sent.headers["etag"].clone()
    });
    let list = client
        .list_parts(ListPartsRequest::new(BUCKET, "parts", &id))
        .link(MINUTES)
        .await
        .unwrap();
    assert!(
        curl::send(&list, "", &[])
            .await
            .text
            .contains("<PartNumber>2</PartNumber>")
    );
    let parts = etags
        .iter()
        .zip(1..)
        .map(|(etag, number)| format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"));
    let document = format!(
        "<CompleteMultipartUpload>{}</CompleteMultipartUpload>",
        parts.collect::<String>()
    );
    let complete = CompleteMultipartUploadRequest::new(BUCKET, "parts", &id);
    let complete = client.complete_multipart_upload(complete).link(MINUTES).await.unwrap();
    let completed = curl::send(&complete, &document, &[]).await;
    assert_eq!(completed.status, 200, "{}", completed.text);
    let got = fixture
        .client
        .get_object(GetObjectRequest::new(BUCKET, "parts"))
        .go()
        .await
        .unwrap();
    assert_eq!(got.content_type.as_deref(), Some("text/x-parts"));
    assert_eq!(got.body.read().await.unwrap().len(), 100 * 1024 + 3);

    let id = start().await;
    let abort = AbortMultipartUploadRequest::new(BUCKET, "parts", &id);
    let abort = client.abort_multipart_upload(abort).link(MINUTES).await.unwrap();
    assert_eq!(curl::send(&abort, "", &[]).await.status, 204);
    assert_eq!(part(&id, 1, "late").await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn v4_urls_made_offline_work_in_curl() {
    curl_round_trip(SignatureVersion::V4).await;
    curl_multipart(SignatureVersion::V4).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn v1_urls_made_offline_work_in_curl() {
    curl_round_trip(SignatureVersion::V1).await;
    curl_multipart(SignatureVersion::V1).await;
}

/// Another byte that a URL allows in the same place.
fn changed(byte: u8) -> u8 {
    match byte {
        b'z' | b'Z' | b'9' => byte - 1,
        byte if byte.is_ascii_alphanumeric() => byte + 1,
        _ => b'x',
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_url_with_one_changed_byte_is_refused() {
    for version in [SignatureVersion::V4, SignatureVersion::V1] {
        let fixture = Fixture::start().await;
        fixture
            .client
            .put_object(PutObjectRequest::new(BUCKET, "a/k ü.txt").body("x"))
            .go()
            .await
            .unwrap();
        let client = offline(&fixture, version);
        let get = GetObjectRequest::new(BUCKET, "a/k ü.txt").response_content_type("text/css");
        let put = PutObjectRequest::new(BUCKET, "a/k ü.txt");
        let part = UploadPartRequest::new(BUCKET, "a/k", "0123456789ABCDEF", 1);
        for (presigned, status) in [
            (client.get_object(get).link(MINUTES).await.unwrap(), 200),
            (
                client
                    .head_object(HeadObjectRequest::new(BUCKET, "a/k ü.txt"))
                    .link(MINUTES)
                    .await
                    .unwrap(),
                200,
            ),
            (client.put_object(put).link(MINUTES).await.unwrap(), 200),
            (client.upload_part(part).link(MINUTES).await.unwrap(), 404),
        ] {
            let request = |url: &str| {
                let request = Request::builder().method(&presigned.method).uri(url);
                request.body(Vec::new()).unwrap()
            };
            let path = fixture.emulator.endpoint().len() + 1;
            let mut urls = vec![presigned.url.clone()];
            for at in path..presigned.url.len() {
                let mut url = presigned.url.clone().into_bytes();
                url[at] = changed(url[at]);
                urls.push(String::from_utf8(url).unwrap());
            }
            let answers = plain::send_all(urls.iter().map(|url| request(url)).collect()).await;
            assert_eq!(answers[0].status, status, "{}", answers[0].text);
            for (url, answer) in urls.iter().zip(&answers).skip(1) {
                let is_refused = matches!(answer.status, 400 | 403) || answer.text.contains("NoSuchBucket");
                let is_refused = is_refused || presigned.method == Method::HEAD && answer.status == 404;
                assert!(is_refused, "{version:?} {} {url}: {}", presigned.method, answer.status);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn links_lead_to_a_domain_of_the_bucket() {
    let fixture = Fixture::start().await;
    let port = fixture.emulator.address().port();
    for domain in ["img.example.com", "other.example.com"] {
        fixture.emulator.bind_cname(domain, BUCKET);
    }
    let resolve = |domain: &str| format!("{domain}:{port}:127.0.0.1");
    let resolve = [resolve("img.example.com"), resolve("other.example.com")];
    let resolve = ["--resolve", &resolve[0], "--resolve", &resolve[1]];
    fixture
        .client
        .put_object(PutObjectRequest::new(BUCKET, "k").body("x"))
        .go()
        .await
        .unwrap();
    for version in [SignatureVersion::V4, SignatureVersion::V1] {
        let client = offline(&fixture, version);
        let get = || {
            let call = client.get_object(GetObjectRequest::new(BUCKET, "k"));
            call.cname(format!("http://img.example.com:{port}"))
        };
        let mut link = get().link(MINUTES).await.unwrap();
        assert!(
            link.url.starts_with(&format!("http://img.example.com:{port}/k?")),
            "{}",
            link.url
        );
        assert_eq!(curl::send(&link, "", &resolve).await.text, "x");
        link.url = link.url.replacen("img.", "other.", 1);
        assert_eq!(curl::send(&link, "", &resolve).await.text, "x");

        let with_host = get().additional_signed_header("host").link(MINUTES).await;
        if version == SignatureVersion::V1 {
            assert_eq!(with_host.unwrap_err().member(), Some("additional_signed_header"));
            continue;
        }
        let mut with_host = with_host.unwrap();
        assert_eq!(curl::send(&with_host, "", &resolve).await.text, "x");
        with_host.url = with_host.url.replacen("img.", "other.", 1);
        let refused = curl::send(&with_host, "", &resolve).await;
        assert_eq!(refused.status, 403, "{}", refused.text);
    }
    let call = fixture
        .client
        .get_object(GetObjectRequest::new(BUCKET, "k"))
        .cname("127.0.0.1");
    assert_eq!(call.link(MINUTES).await.unwrap_err().member(), Some("cname"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_url_ends_at_its_moment() {
    let fixture = Fixture::start().await;
    fixture
        .client
        .put_object(PutObjectRequest::new(BUCKET, "k").body("x"))
        .go()
        .await
        .unwrap();
    for version in [SignatureVersion::V4, SignatureVersion::V1] {
        let client = offline(&fixture, version);
        let end = Timestamp::from(SystemTime::now()).saturating_add(MINUTES);
        let get = || client.get_object(GetObjectRequest::new(BUCKET, "k"));
        let link = get().link(end).await.unwrap();
        assert_eq!(link.expiration.unix_seconds(), end.unix_seconds());
        assert!(!link.is_capped);
        assert_eq!(send(&link, "").await.text, "x");
        fixture.emulator.clock().advance(MINUTES + Duration::from_secs(1));
        let late = send(&link, "").await;
        assert_eq!(late.status, 403, "{}", late.text);
        fixture.emulator.clock().set_offset(0);
        let past = get().link(SystemTime::now()).await.unwrap_err();
        assert_eq!(
            (past.kind(), past.member()),
            (ErrorKind::InvalidInput, Some("expiration"))
        );
    }
}
