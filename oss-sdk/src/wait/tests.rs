//! Waits against scripts, in paused time.

use std::time::Duration;

use super::*;
use crate::client::Client;
use crate::fake::{Answer, FakeTransport, Step};
use crate::operations::GetBucketAclRequest;

static SPEC: WaiterSpec = WaiterSpec::new("bucket_exists", 5, 20, 60);

const ACL: &str = "<AccessControlPolicy><Owner><ID>1</ID></Owner><AccessControlList><Grant>private</Grant>\
    </AccessControlList></AccessControlPolicy>";

fn judge<T>(answer: &Result<T, Error>) -> Verdict {
    match answer {
        Ok(_) => Verdict::Done,
        Err(error) if error.is_not_found() => Verdict::Again,
        Err(_) => Verdict::Failed,
    }
}

fn client(steps: impl IntoIterator<Item = Step>) -> (FakeTransport, Client) {
    let transport = FakeTransport::new(steps);
    let client = transport.client();
    (transport, client)
}

fn absent(count: usize) -> impl Iterator<Item = Step> {
    (0..count).map(|_| Answer::error(404, "NoSuchBucket").into())
}

fn wait(client: &Client) -> Wait<'_, GetBucketAclRequest> {
    Wait::new(client.core(), &SPEC, GetBucketAclRequest::new("bucket"), judge)
}

#[tokio::test(start_paused = true)]
async fn calls_are_made_further_and_further_apart_until_it_has_happened() {
    let (transport, client) = client(absent(4).chain([Answer::new(200, ACL).into()]));
    let started = monotonic();
    wait(&client).await.unwrap();
    assert_eq!(transport.sent().len(), 5);
    // 5, 10, 20, and no more than 20.
    assert_eq!(started.elapsed().as_secs(), 5 + 10 + 20 + 20);
}

#[tokio::test(start_paused = true)]
async fn the_first_call_is_made_at_once() {
    let (_, client) = client([Answer::new(200, ACL).into()]);
    let started = monotonic();
    wait(&client).await.unwrap();
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn the_last_call_is_made_when_the_time_is_up() {
    let (transport, client) = client(absent(9));
    let started = monotonic();
    let error = wait(&client)
        .delay(Duration::from_secs(60))
        .max_delay(Duration::from_secs(8))
        .timeout(Duration::from_secs(20))
        .await
        .unwrap_err();
    assert_eq!(started.elapsed().as_secs(), 20);
    assert_eq!(transport.sent().len(), 4);
    assert_eq!(
        (error.kind(), error.operation(), error.is_retryable()),
        (ErrorKind::Timeout, Some("GetBucketAcl"), false)
    );
    assert_eq!(
        error.message(),
        "`bucket_exists` has not happened within 20.0 s, in 4 calls"
    );
    assert!(
        std::error::Error::source(&error)
            .unwrap()
            .to_string()
            .contains("NoSuchBucket")
    );

    let (transport, client) = self::client(absent(2));
    assert!(wait(&client).timeout(Duration::ZERO).await.is_err());
    assert_eq!(transport.sent().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_error_that_is_not_expected_ends_it() {
    let (transport, client) = client(absent(1).chain([Answer::error(403, "AccessDenied").into()]));
    let error = wait(&client).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Service, Some("AccessDenied")));
    assert_eq!(transport.sent().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_rules_it_out_ends_it() {
    let (_, client) = client([Answer::new(200, ACL).into()]);
    let request = GetBucketAclRequest::new("bucket");
    let error = Wait::new(client.core(), &SPEC, request, |_| Verdict::Failed)
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.operation()),
        (ErrorKind::WaitFailed, Some("GetBucketAcl"))
    );
}

#[tokio::test(start_paused = true)]
async fn cancellation_and_shutdown_end_it_between_calls() {
    let (transport, client) = client(absent(9));
    let error = wait(&client)
        .cancel_on(tokio::time::sleep(Duration::from_secs(7)))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Canceled);
    assert_eq!(transport.sent().len(), 2);
    client.shutdown();
    let error = wait(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_wait_can_run_on_another_task_and_shows_its_times() {
    let (_, client) = client([Answer::new(200, ACL).into()]);
    let shown = format!("{:?}", wait(&client));
    assert!(
        shown.contains("bucket_exists") && shown.contains("max_delay: 20s"),
        "{shown}"
    );
    tokio::spawn(async move { wait(&client).await }).await.unwrap().unwrap();
}
