//! A clock that is twenty minutes off, in both directions: noticed by a refusal, set right once, and never at the cost of
//! an object.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::Duration;

use futures_util::{StreamExt, stream};
use oss_sdk::transport::TransportBody;
use oss_sdk::{
    Body, Client, ErrorKind, GetObjectRequest, ListObjectsV2Request, NotRetried, PutObjectRequest, SignatureVersion,
};
use oss_suite::fixture::{BUCKET, Fixture, builder};
use oss_suite::plain::send;

const OFF: [i64; 2] = [20 * 60, -20 * 60];
const VERSIONS: [SignatureVersion; 2] = [SignatureVersion::V4, SignatureVersion::V1];

/// A client that has not spoken to the service yet.
fn stranger(fixture: &Fixture, version: SignatureVersion) -> Client {
    builder(&fixture.emulator).signature_version(version).build().unwrap()
}

async fn keys(client: &Client) -> Vec<String> {
    let listed = client.list_objects_v2(ListObjectsV2Request::new(BUCKET)).await.unwrap();
    listed.contents.into_iter().map(|object| object.key).collect()
}

/// Status and code of what the emulator answered to puts.
fn puts(fixture: &Fixture) -> Vec<(u16, Option<String>)> {
    let records = fixture.emulator.requests().all();
    let puts = records
        .iter()
        .filter(|record| record.operation.as_deref() == Some("PutObject"));
    puts.map(|record| (record.status, record.code.clone())).collect()
}

#[tokio::test]
async fn the_first_call_is_corrected_and_later_ones_need_it_not() {
    for (offset, version) in OFF
        .into_iter()
        .flat_map(|offset| VERSIONS.map(|version| (offset, version)))
    {
        let fixture = Fixture::start().await;
        let client = stranger(&fixture, version);
        fixture.emulator.clock().set_offset(offset);
        let request = PutObjectRequest::new(BUCKET, "a").body("whole");
        // With a single attempt: setting the clock right is no retry.
        let stored = client.put_object(request.clone()).retry_attempts(1).await.unwrap();
        assert_eq!(stored.meta().attempts(), 2);
        for _ in 0..3 {
            assert_eq!(client.put_object(request.clone()).await.unwrap().meta().attempts(), 1);
        }
        let refused = (403, Some("RequestTimeTooSkewed".to_owned()));
        let expected = [refused, (200, None), (200, None), (200, None), (200, None)];
        assert_eq!(puts(&fixture), expected, "{offset} {version:?}");
        let got = client.get_object(GetObjectRequest::new(BUCKET, "a")).await.unwrap();
        assert_eq!(got.body.text().await.unwrap(), "whole");
    }
}

#[tokio::test]
async fn urls_are_signed_for_the_services_time() {
    for offset in OFF {
        let fixture = Fixture::start().await;
        let client = stranger(&fixture, SignatureVersion::V4);
        fixture.emulator.clock().set_offset(offset);
        client
            .put_object(PutObjectRequest::new(BUCKET, "a").body("by url"))
            .await
            .unwrap();
        let call = client.get_object(GetObjectRequest::new(BUCKET, "a"));
        // Shorter than the clock is off: by our own time it would be over, or not valid yet.
        let url = call.presign(Duration::from_secs(300)).await.unwrap();
        let answer = send(&url, "").await;
        assert_eq!((answer.status, answer.text.as_str()), (200, "by url"), "{offset}");
    }
}

#[tokio::test]
async fn a_stream_is_stored_whole_or_not_at_all() {
    for offset in OFF {
        let fixture = Fixture::start().await;
        let client = stranger(&fixture, SignatureVersion::V4);
        fixture.emulator.clock().set_offset(offset);
        let chunks = || stream::iter(["once"; 3]).map(|chunk| Ok::<_, std::io::Error>(chunk.into()));
        let upload = |length| PutObjectRequest::new(BUCKET, "stream").body(Body::from_stream(chunks(), length));
        let error = client.put_object(upload(Some(12))).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.code()),
            (ErrorKind::Service, Some("RequestTimeTooSkewed"))
        );
        assert_eq!((error.not_retried(), error.attempts()), (Some(NotRetried::Body), 1));
        assert!(error.to_string().contains("the body can be read only once"), "{error}");
        // Nothing was stored: neither an empty object nor a part of it.
        assert_eq!(keys(&client).await, [""; 0]);

        // The refusal was of use: a new stream goes through at once, of known length and of unknown.
        for length in [Some(12), None] {
            assert_eq!(client.put_object(upload(length)).await.unwrap().meta().attempts(), 1);
        }
        let got = client
            .get_object(GetObjectRequest::new(BUCKET, "stream"))
            .await
            .unwrap();
        assert_eq!(got.body.text().await.unwrap(), "onceonceonce");

        // Without a length too, when it is the first call.
        fixture.emulator.clock().set_offset(0);
        let error = client.put_object(upload(None)).await.unwrap_err();
        assert_eq!(error.not_retried(), Some(NotRetried::Body), "{error}");
        let got = client
            .get_object(GetObjectRequest::new(BUCKET, "stream"))
            .await
            .unwrap();
        assert_eq!(
            got.body.text().await.unwrap(),
            "onceonceonce",
            "the object that was there is there"
        );
    }
}

#[tokio::test]
async fn a_stream_that_can_be_made_again_is_corrected() {
    let fixture = Fixture::start().await;
    let client = stranger(&fixture, SignatureVersion::V4);
    fixture.emulator.clock().set_offset(OFF[0]);
    let body = Body::from_fn(5, || {
        let chunks = stream::iter([Ok(bytes::Bytes::from_static(b"again"))]);
        Ok(TransportBody::from_stream(chunks, Some(5)))
    });
    let stored = client
        .put_object(PutObjectRequest::new(BUCKET, "again").body(body))
        .await
        .unwrap();
    assert_eq!(stored.meta().attempts(), 2);
    let got = client.get_object(GetObjectRequest::new(BUCKET, "again")).await.unwrap();
    assert_eq!(got.body.text().await.unwrap(), "again");
}

#[tokio::test]
async fn whoever_switches_it_off_gets_the_refusal() {
    let fixture = Fixture::start().await;
    let client = builder(&fixture.emulator)
        .disable_clock_skew_correction(true)
        .build()
        .unwrap();
    fixture.emulator.clock().set_offset(OFF[1]);
    for _ in 0..2 {
        let error = client
            .put_object(PutObjectRequest::new(BUCKET, "a").body("x"))
            .await
            .unwrap_err();
        assert_eq!((error.code(), error.attempts()), (Some("RequestTimeTooSkewed"), 1));
    }
    assert_eq!(puts(&fixture).len(), 2);
}
