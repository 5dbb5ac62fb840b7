//! Waiting for what others do, against the emulator.

use std::time::Duration;

use oss_emulator::Fault;
use oss_sdk::{
    DeleteBucketRequest, DeleteObjectRequest, ErrorKind, GetBucketInfoRequest, HeadObjectRequest, PutBucketRequest,
    PutObjectRequest,
};
use oss_suite::fixture::{BUCKET, Fixture};

const SOON: Duration = Duration::from_millis(2);

#[tokio::test]
async fn an_object_that_appears_while_somebody_waits_ends_the_wait() {
    let fixture = Fixture::start().await;
    let client = &fixture.client;
    let wait = client
        .wait_until_object_exists(HeadObjectRequest::new(BUCKET, "late"))
        .delay(SOON)
        .max_delay(SOON);
    let put = async {
        // The first call must have found nothing.
        while fixture.emulator.requests().count("HeadObject") == 0 {
            tokio::task::yield_now().await;
        }
        client.put_object(PutObjectRequest::new(BUCKET, "late").body("x")).await
    };
    let (waited, put) = tokio::join!(async { wait.await }, put);
    put.unwrap();
    waited.unwrap();
    client
        .wait_until_object_exists(HeadObjectRequest::new(BUCKET, "late"))
        .timeout(Duration::ZERO)
        .await
        .unwrap();

    client
        .delete_object(DeleteObjectRequest::new(BUCKET, "late"))
        .await
        .unwrap();
    client
        .wait_until_object_gone(HeadObjectRequest::new(BUCKET, "late"))
        .await
        .unwrap();
}

#[tokio::test]
async fn buckets_come_and_go() {
    let fixture = Fixture::start().await;
    let client = &fixture.client;
    client
        .wait_until_bucket_gone(GetBucketInfoRequest::new("another"))
        .await
        .unwrap();
    client.put_bucket(PutBucketRequest::new("another")).await.unwrap();
    client
        .wait_until_bucket_exists(GetBucketInfoRequest::new("another"))
        .await
        .unwrap();
    let gone = client
        .wait_until_bucket_gone(GetBucketInfoRequest::new("another"))
        .timeout(Duration::ZERO)
        .await
        .unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::Timeout);
    assert!(gone.to_string().contains("bucket_gone"), "{gone}");
    client.delete_bucket(DeleteBucketRequest::new("another")).await.unwrap();
    client
        .wait_until_bucket_gone(GetBucketInfoRequest::new("another"))
        .await
        .unwrap();
}

#[tokio::test]
async fn what_no_wait_can_change_ends_it_at_once() {
    let fixture = Fixture::start().await;
    fixture.emulator.faults().add(Fault::error(403, "AccessDenied"));
    let refused = fixture
        .client
        .wait_until_object_exists(HeadObjectRequest::new(BUCKET, "k"))
        .await
        .unwrap_err();
    assert!(refused.is_access_denied(), "{refused}");
}

#[tokio::test]
async fn a_wait_can_be_given_up() {
    let fixture = Fixture::start().await;
    let long = Duration::from_secs(3600);
    let (give_up, given_up) = tokio::sync::oneshot::channel::<()>();
    let wait = fixture
        .client
        .wait_until_object_exists(HeadObjectRequest::new(BUCKET, "never"))
        .delay(long)
        .max_delay(long)
        .cancel_on(async move { drop(given_up.await) });
    let give_up = async {
        while fixture.emulator.requests().count("HeadObject") == 0 {
            tokio::task::yield_now().await;
        }
        give_up.send(())
    };
    let (waited, sent) = tokio::join!(async { wait.await }, give_up);
    sent.unwrap();
    assert_eq!(waited.unwrap_err().kind(), ErrorKind::Canceled);
}
