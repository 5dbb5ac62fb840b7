//! What is wrong is refused with a typed error that names the member or the operation: never a panic, a hang or half a file.

use bytes::Bytes;
use futures_util::stream;
use oss_sdk::body::Body;
use oss_sdk::{
    Credentials, Error, ErrorKind, GetBucketAclRequest, GetObjectRequest, ListObjectsV2Request, PutObjectRequest,
    UploadPartRequest,
};
use oss_suite::script::ScriptedServer;

use super::door::{BUCKET, Client, Fixture, Go, Payload, builder};

/// A refusal before the network: the member is named, and the server has seen nothing.
async fn refused(call: impl AsyncFnOnce(&Client) -> Error, member: &str) -> Error {
    let fixture = Fixture::start().await;
    let before = fixture.emulator.requests().all().len();
    let error = call(&fixture.client).await;
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    assert_eq!(error.member(), Some(member), "{error}");
    assert!(error.to_string().contains(member), "{error}");
    assert!(error.operation().is_some(), "{error}");
    assert_eq!(fixture.emulator.requests().all().len(), before, "something was sent");
    error
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_empty_bucket_is_refused() {
    refused(
        async |client| {
            client
                .get_bucket_acl(GetBucketAclRequest::new(""))
                .go()
                .await
                .unwrap_err()
        },
        "bucket",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_bucket_with_a_slash_is_refused() {
    refused(
        async |client| {
            client
                .get_bucket_acl(GetBucketAclRequest::new("a/b"))
                .go()
                .await
                .unwrap_err()
        },
        "bucket",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_key_with_a_nul_is_refused() {
    refused(
        async |client| {
            client
                .get_object(GetObjectRequest::new(BUCKET, "a\0b"))
                .go()
                .await
                .unwrap_err()
        },
        "key",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_header_value_with_a_line_break_is_refused() {
    refused(
        async |client| {
            let request =
                PutObjectRequest::new(BUCKET, "k").content_type("text/plain\r\nx-oss-object-acl: public-read");
            client.put_object(request).go().await.unwrap_err()
        },
        "content_type",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_metadata_value_with_a_line_break_is_refused() {
    refused(
        async |client| {
            let request = PutObjectRequest::new(BUCKET, "k").metadata([("a", "b\r\nc: d")]);
            client.put_object(request).go().await.unwrap_err()
        },
        "metadata",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn part_number_zero_is_refused() {
    let error = refused(
        async |client| {
            client
                .upload_part(UploadPartRequest::new(BUCKET, "k", "id", 0))
                .go()
                .await
                .unwrap_err()
        },
        "part_number",
    )
    .await;
    assert!(error.to_string().contains("10000"), "the rule is not said: {error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_body_shorter_than_its_declared_length_stores_nothing() {
    let fixture = Fixture::start().await;
    let pieces = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"only this"))]);
    let error = fixture
        .client
        .put_object(PutObjectRequest::new(BUCKET, "short").body(Body::from_stream(pieces, Some(100))))
        .go()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Body, "{error}");
    assert_eq!(error.operation(), Some("PutObject"));
    let absent = fixture
        .client
        .get_object(GetObjectRequest::new(BUCKET, "short"))
        .go()
        .await
        .unwrap_err();
    assert!(absent.is_not_found(), "{absent}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_body_longer_than_its_declared_length_stores_nothing() {
    let fixture = Fixture::start().await;
    let pieces = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"more than that"))]);
    let error = fixture
        .client
        .put_object(PutObjectRequest::new(BUCKET, "long").body(Body::from_stream(pieces, Some(4))))
        .go()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Body, "{error}");
    let absent = fixture
        .client
        .get_object(GetObjectRequest::new(BUCKET, "long"))
        .go()
        .await
        .unwrap_err();
    assert!(absent.is_not_found(), "{absent}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_region_with_a_space_is_refused() {
    let credentials = Credentials::new("id", "secret");
    let error = Client::builder()
        .region("cn hangzhou")
        .credentials(credentials)
        .build()
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.member()),
        (ErrorKind::Config, Some("region")),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn credentials_with_a_trailing_blank_are_refused_without_showing_them() {
    for (id, secret, member) in [
        ("key-id ", "hidden", "access_key_id"),
        ("key-id", "hidden ", "access_key_secret"),
    ] {
        let error = Client::builder()
            .region("cn-hangzhou")
            .credentials(Credentials::new(id, secret))
            .build()
            .unwrap_err();
        let text = format!("{error} {error:?}");
        assert_eq!(
            (error.kind(), error.member()),
            (ErrorKind::Credentials, Some(member)),
            "{text}"
        );
        assert!(!text.contains("hidden"), "{text}");
    }
}

/// What the client makes of a server that answers `answer` to everything.
async fn client_of(server: &ScriptedServer) -> Client {
    Client::builder()
        .region("cn-hangzhou")
        .endpoint(server.endpoint())
        .credentials(Credentials::new("id", "secret"))
        .retry_attempts(1)
        .build()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_answer_that_is_not_xml_is_a_decode_error() {
    let server = ScriptedServer::start(
        "HTTP/1.1 200 OK\r\ncontent-length: 14\r\nx-oss-request-id: 5C3D9175B6FC201293AD4890\r\n\r\n{\"not\": \"xml\"}",
    )
    .await
    .unwrap();
    let error = client_of(&server)
        .await
        .list_objects_v2(ListObjectsV2Request::new(BUCKET))
        .go()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
    assert_eq!(error.operation(), Some("ListObjectsV2"));
    assert_eq!(error.request_id(), Some("5C3D9175B6FC201293AD4890"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_error_answer_that_is_not_xml_keeps_its_beginning() {
    let server = ScriptedServer::start("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 22\r\n\r\n<html>proxy said no")
        .await
        .unwrap();
    let error = client_of(&server)
        .await
        .list_objects_v2(ListObjectsV2Request::new(BUCKET))
        .go()
        .await
        .unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Service | ErrorKind::Transport),
        "{error}"
    );
    assert_eq!(error.operation(), Some("ListObjectsV2"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_answer_that_ends_early_is_an_error() {
    let server = ScriptedServer::start(
        "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n<?xml version=\"1.0\"?><ListBucketResult><Name>suite</Name>",
    )
    .await
    .unwrap();
    let error = client_of(&server)
        .await
        .list_objects_v2(ListObjectsV2Request::new(BUCKET))
        .go()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
    assert_eq!(error.operation(), Some("ListObjectsV2"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_document_that_ends_early_is_an_error() {
    let server =
        ScriptedServer::start("HTTP/1.1 200 OK\r\ncontent-length: 35\r\n\r\n<ListBucketResult><Name>suite</Name>")
            .await
            .unwrap();
    let error = client_of(&server)
        .await
        .list_objects_v2(ListObjectsV2Request::new(BUCKET))
        .go()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_download_that_ends_early_leaves_no_file() {
    let server = ScriptedServer::start("HTTP/1.1 200 OK\r\ncontent-length: 500\r\netag: \"A\"\r\n\r\nthe beginning")
        .await
        .unwrap();
    let directory = tempfile::tempdir().unwrap();
    let object = client_of(&server)
        .await
        .get_object(GetObjectRequest::new(BUCKET, "k"))
        .go()
        .await
        .unwrap();
    let error = object.body.save(directory.path().join("file")).await.unwrap_err();
    assert_eq!(error.operation(), Some("GetObject"), "{error}");
    assert_eq!(
        std::fs::read_dir(directory.path()).unwrap().count(),
        0,
        "something was left behind"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_wrong_crc_on_download_is_an_error_and_leaves_no_file() {
    let server = ScriptedServer::start("HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx-oss-hash-crc64ecma: 1\r\n\r\nhello")
        .await
        .unwrap();
    let client = client_of(&server).await;
    let directory = tempfile::tempdir().unwrap();
    let object = client
        .get_object(GetObjectRequest::new(BUCKET, "k"))
        .go()
        .await
        .unwrap();
    let error = object.body.save(directory.path().join("file")).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.operation()),
        (ErrorKind::ChecksumMismatch, Some("GetObject")),
        "{error}"
    );
    assert_eq!(
        std::fs::read_dir(directory.path()).unwrap().count(),
        0,
        "something was left behind"
    );
    let object = client
        .get_object(GetObjectRequest::new(BUCKET, "k"))
        .go()
        .await
        .unwrap();
    assert_eq!(
        object.body.read().await.unwrap_err().kind(),
        ErrorKind::ChecksumMismatch
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_wrong_crc_on_upload_is_an_error() {
    let server = ScriptedServer::start("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx-oss-hash-crc64ecma: 1\r\n\r\n")
        .await
        .unwrap();
    let error = client_of(&server)
        .await
        .put_object(PutObjectRequest::new(BUCKET, "k").body("hello"))
        .go()
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.operation()),
        (ErrorKind::ChecksumMismatch, Some("PutObject")),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_wrong_crc_on_upload_is_tried_again() {
    let server = ScriptedServer::start("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx-oss-hash-crc64ecma: 1\r\n\r\n")
        .await
        .unwrap();
    let client = client_of(&server).await;
    let error = client
        .put_object(PutObjectRequest::new(BUCKET, "k").body("hello"))
        .retry_attempts(2)
        .go()
        .await
        .unwrap_err();
    assert_eq!(error.attempts(), 2, "{error}");
    assert_eq!(server.requests(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_endpoint_that_refuses_connections_is_named() {
    // A port that was free a moment ago, and that nothing listens on.
    let port = {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.local_addr().unwrap().port()
    };
    let client = Client::builder()
        .region("cn-hangzhou")
        .endpoint(format!("http://127.0.0.1:{port}"))
        .credentials(Credentials::new("id", "secret"))
        .retry_attempts(1)
        .build()
        .unwrap();
    let error = client
        .get_object(GetObjectRequest::new(BUCKET, "k"))
        .go()
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.operation()),
        (ErrorKind::Connect, Some("GetObject")),
        "{error}"
    );
    assert!(error.to_string().contains(&port.to_string()), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_wrong_secret_is_told_by_its_code() {
    let fixture = Fixture::start().await;
    let client = builder(&fixture.emulator)
        .credentials(Credentials::new(fixture.emulator.access_key_id(), "wrong"))
        .build()
        .unwrap();
    let error = client
        .get_bucket_acl(GetBucketAclRequest::new(BUCKET))
        .go()
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("SignatureDoesNotMatch"), "{error}");
    assert!(!error.to_string().contains("wrong"), "{error}");
}
