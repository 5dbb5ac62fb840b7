//! URLs that carry out an operation for whoever holds them, fetched with a client that knows nothing of OSS.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::Duration;

use oss_sdk::{
    Credentials, DeleteObjectRequest, ErrorKind, GetObjectRequest, HeadObjectRequest, ListObjectsV2Request,
    PutObjectRequest, SignatureVersion,
};
use oss_suite::fixture::{BUCKET, Fixture, builder};
use oss_suite::plain::send;

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
        .presign(MINUTES)
        .await
        .unwrap();
    let sent = send(&put, "by url").await;
    assert_eq!(sent.status, 200, "{}", sent.text);

    let got = send(
        &client
            .get_object(GetObjectRequest::new(BUCKET, key))
            .presign(MINUTES)
            .await
            .unwrap(),
        "",
    )
    .await;
    assert_eq!(got.headers["content-type"], "text/x-test");
    assert_eq!(got.text, "by url");
    let part = client.get_object(GetObjectRequest::new(BUCKET, key).response_content_type("text/other"));
    let part = send(&part.presign(MINUTES).await.unwrap(), "").await;
    assert_eq!(part.headers["content-type"], "text/other");

    let head = send(
        &client
            .head_object(HeadObjectRequest::new(BUCKET, key))
            .presign(MINUTES)
            .await
            .unwrap(),
        "",
    )
    .await;
    assert_eq!(head.headers["content-length"], "6");
    let list = client
        .list_objects_v2(ListObjectsV2Request::new(BUCKET).prefix("a key/"))
        .presign(MINUTES)
        .await
        .unwrap();
    assert!(send(&list, "").await.text.contains("<KeyCount>1</KeyCount>"));
    let delete = client
        .delete_object(DeleteObjectRequest::new(BUCKET, key))
        .presign(MINUTES)
        .await
        .unwrap();
    assert_eq!(send(&delete, "").await.status, 204);
}

#[tokio::test]
async fn v4_urls_work_for_plain_http() {
    round_trip(SignatureVersion::V4).await;
}

#[tokio::test]
async fn v1_urls_work_for_plain_http() {
    round_trip(SignatureVersion::V1).await;
}

#[tokio::test]
async fn a_changed_url_is_refused() {
    let fixture = Fixture::start().await;
    fixture
        .client
        .put_object(PutObjectRequest::new(BUCKET, "k").body("x"))
        .await
        .unwrap();
    fixture
        .client
        .put_object(PutObjectRequest::new(BUCKET, "q").body("y"))
        .await
        .unwrap();
    let mut presigned = fixture
        .client
        .get_object(GetObjectRequest::new(BUCKET, "k"))
        .presign(MINUTES)
        .await
        .unwrap();
    assert_eq!(send(&presigned, "").await.text, "x");
    presigned.url = presigned.url.replacen("/k?", "/q?", 1);
    let answer = send(&presigned, "").await;
    assert_eq!(answer.status, 403);
    assert!(answer.text.contains("SignatureDoesNotMatch"), "{}", answer.text);
}

#[tokio::test]
async fn impossible_lifetimes_are_refused_before_signing() {
    let fixture = Fixture::start().await;
    let week = Duration::from_secs(7 * 24 * 3600);
    let get = || fixture.client.get_object(GetObjectRequest::new(BUCKET, "k"));
    assert!(get().presign(week).await.is_ok());
    let error = get().presign(week + Duration::from_secs(1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    assert_eq!(
        get().presign(Duration::ZERO).await.unwrap_err().kind(),
        ErrorKind::InvalidInput
    );
}

#[tokio::test]
async fn nobody_cannot_presign() {
    let fixture = Fixture::start().await;
    let client = builder(&fixture.emulator).anonymous().build().unwrap();
    let error = client
        .get_object(GetObjectRequest::new(BUCKET, "k"))
        .presign(MINUTES)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credentials, "{error}");
}

#[tokio::test]
async fn a_url_says_nothing_of_the_secret() {
    let fixture = Fixture::start().await;
    let client = builder(&fixture.emulator)
        .credentials(Credentials::new("an-id", "a-secret-word"))
        .build()
        .unwrap();
    let presigned = client
        .get_object(GetObjectRequest::new(BUCKET, "k"))
        .presign(MINUTES)
        .await
        .unwrap();
    assert!(!format!("{presigned:?} {}", presigned.url).contains("a-secret-word"));
}
