//! Links of operations that no type exists for; those of the others are in `behaviour/presign.rs`.

use std::time::Duration;

use oss_sdk::http::Method;
use oss_sdk::transport::{Transport, TransportFuture, TransportRequest};
use oss_sdk::{Client, Credentials, OperationInput, PutObjectRequest};
use oss_suite::curl;
use oss_suite::fixture::{BUCKET, Fixture};

const MINUTES: Duration = Duration::from_secs(600);

/// A transport that takes nothing: links are made without a network.
#[derive(Debug)]
struct Offline;

impl Transport for Offline {
    fn send(&self, request: TransportRequest) -> TransportFuture<'_> {
        panic!("signing sent {request:?}");
    }
}

#[tokio::test]
async fn operations_without_a_type_are_presigned_with_the_refinements_of_a_call() {
    let fixture = Fixture::start().await;
    fixture
        .client
        .put_object(PutObjectRequest::new(BUCKET, "k").body("x"))
        .await
        .unwrap();
    let client = Client::builder()
        .region(fixture.emulator.region())
        .credentials(Credentials::new(
            fixture.emulator.access_key_id(),
            fixture.emulator.access_key_secret(),
        ))
        .transport(Offline)
        .build()
        .unwrap();
    let input = OperationInput::new("GetObjectTagging", Method::GET)
        .bucket(BUCKET)
        .key("k")
        .query_flag("tagging");
    let link = client
        .invoke_operation(input.clone())
        .endpoint(fixture.emulator.endpoint())
        .query("versionId", "null")
        .header("x-oss-meta-must-be-sent", "1")
        .presign(MINUTES)
        .await
        .unwrap();
    assert!(
        link.url.starts_with(&format!(
            "{}/{BUCKET}/k?tagging&versionId=null&",
            fixture.emulator.endpoint()
        )),
        "{}",
        link.url
    );
    assert_eq!(link.signed_headers["x-oss-meta-must-be-sent"], "1");
    let got = curl::send(&link, "", &[]).await;
    assert!(
        got.status == 200 && got.text.contains("<TagSet"),
        "{} {}",
        got.status,
        got.text
    );
    let mut without = link.clone();
    without.signed_headers.clear();
    assert_eq!(curl::send(&without, "", &[]).await.status, 403);
    let short = client.presign(input, MINUTES).await.unwrap();
    assert!(
        short
            .url
            .starts_with("https://suite.oss-cn-hangzhou.aliyuncs.com/k?tagging&"),
        "{}",
        short.url
    );
}
