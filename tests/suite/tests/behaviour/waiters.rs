//! Waiting for what others do, against the emulator.

use std::time::Duration;

use oss_emulator::Fault;
use oss_sdk::{
    DeleteBucketRequest, DeleteObjectRequest, ErrorKind, GetBucketInfoRequest, HeadObjectRequest, PutBucketRequest,
    PutObjectRequest,
};

use super::door::{BUCKET, Fixture, Go, both};

const SOON: Duration = Duration::from_millis(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
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
        client
            .put_object(PutObjectRequest::new(BUCKET, "late").body("x"))
            .go()
            .await
    };
    let (waited, put) = both(wait.go(), put).await;
    put.unwrap();
    waited.unwrap();
    client
        .wait_until_object_exists(HeadObjectRequest::new(BUCKET, "late"))
        .timeout(Duration::ZERO)
        .go()
        .await
        .unwrap();

    client
        .delete_object(DeleteObjectRequest::new(BUCKET, "late"))
        .go()
        .await
        .unwrap();
    client
        .wait_until_object_gone(HeadObjectRequest::new(BUCKET, "late"))
        .go()
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn buckets_come_and_go() {
    let fixture = Fixture::start().await;
    let client = &fixture.client;
    client
        .wait_until_bucket_gone(GetBucketInfoRequest::new("another"))
        .go()
        .await
        .unwrap();
    client.put_bucket(PutBucketRequest::new("another")).go().await.unwrap();
    client
        .wait_until_bucket_exists(GetBucketInfoRequest::new("another"))
        .go()
        .await
        .unwrap();
    let gone = client
        .wait_until_bucket_gone(GetBucketInfoRequest::new("another"))
        .timeout(Duration::ZERO)
        .go()
        .await
        .unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::Timeout);
    assert!(gone.to_string().contains("bucket_gone"), "{gone}");
    client
        .delete_bucket(DeleteBucketRequest::new("another"))
        .go()
        .await
        .unwrap();
    client
        .wait_until_bucket_gone(GetBucketInfoRequest::new("another"))
        .go()
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_no_wait_can_change_ends_it_at_once() {
    let fixture = Fixture::start().await;
    fixture.emulator.faults().add(Fault::error(403, "AccessDenied"));
    let refused = fixture
        .client
        .wait_until_object_exists(HeadObjectRequest::new(BUCKET, "k"))
        .go()
        .await
        .unwrap_err();
    assert!(refused.is_access_denied(), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
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
    let (waited, sent) = both(wait.go(), give_up).await;
    sent.unwrap();
    assert_eq!(waited.unwrap_err().kind(), ErrorKind::Canceled);
}
