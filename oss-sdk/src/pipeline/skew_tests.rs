//! The clock is set right by what a refusal says: once a call, only if there is something to set, and only by sane times.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use http::StatusCode;

use crate::body::Body;
use crate::client::Client;
use crate::error::{ErrorKind, NotRetried};
use crate::fake::{Answer, FakeTransport, Step, now};
use crate::operations::{DeleteObjectRequest, GetObjectRequest, PutObjectRequest};
use crate::retry::NoRetry;
use crate::time::{Clock, FixedClock, monotonic};
use crate::transport::{Transport, TransportFuture, TransportRequest, TransportResponse};

/// Two hours ahead of the clock of these tests.
const LATER: &str = "Fri, 02 Jan 2026 05:04:05 GMT";

fn skewed(date: &str) -> Answer {
    Answer::error(403, "RequestTimeTooSkewed").header("date", date)
}

fn with_server_time(date: &str, server_time: &str) -> Answer {
    let document = format!(
        "<Error><Code>RequestTimeTooSkewed</Code><Message>m</Message><ServerTime>{server_time}</ServerTime></Error>"
    );
    Answer::new(403, document).header("date", date)
}

fn good() -> Step {
    Answer::new(204, "").into()
}

fn delete() -> DeleteObjectRequest {
    DeleteObjectRequest::new("bucket", "key")
}

fn dates(transport: &FakeTransport) -> Vec<String> {
    let date = |sent: &crate::fake::Sent| sent.header("x-oss-date").unwrap().to_owned();
    transport.sent().iter().map(date).collect()
}

#[tokio::test(start_paused = true)]
async fn setting_the_clock_right_needs_neither_attempts_nor_budget() {
    let transport = FakeTransport::new([skewed(LATER).into(), good()]);
    transport
        .client()
        .delete_object(delete())
        .retry_attempts(1)
        .await
        .unwrap();

    let transport = FakeTransport::new([skewed(LATER).into(), good()]);
    let client = Client::new(transport.config().retry_policy(NoRetry)).unwrap();
    let done = client.delete_object(delete()).await.unwrap();
    assert_eq!(done.meta().attempts(), 2);

    let transport = FakeTransport::new([skewed(LATER).into(), good()]);
    let client = transport.client();
    while client.core().budget.spend(false).is_some() {}
    let start = monotonic();
    client.delete_object(delete()).await.unwrap();
    assert_eq!(start.elapsed(), Duration::ZERO);

    // The attempts that the policy allows are still there afterwards.
    let busy = || Answer::error(503, "X").into();
    let transport = FakeTransport::new([skewed(LATER).into(), busy(), busy(), good()]);
    transport.client().delete_object(delete()).await.unwrap();
    let transport = FakeTransport::new([skewed(LATER).into(), busy()]);
    let error = transport
        .client()
        .delete_object(delete())
        .retry_attempts(1)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("attempt 2 of 2"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_gives_no_other_time_is_final() {
    let undated = || -> Step { Answer::error(403, "RequestTimeTooSkewed").into() };
    let rows: [(&str, Step, &[&str]); 5] = [
        ("no time", undated(), &["20260102T030405Z"]),
        (
            "our own time",
            skewed("Fri, 02 Jan 2026 03:05:00 GMT").into(),
            &["20260102T030405Z"],
        ),
        (
            "a lost clock",
            skewed("Thu, 01 Jan 1970 00:00:09 GMT").into(),
            &["20260102T030405Z"],
        ),
        (
            "a lost clock twice",
            with_server_time("Thu, 01 Jan 1970 00:00:09 GMT", "1970-01-01T00:00:09.000Z").into(),
            &["20260102T030405Z"],
        ),
        ("no date", skewed("yesterday").into(), &["20260102T030405Z"]),
    ];
    for (what, step, expected) in rows {
        let transport = FakeTransport::new([step]);
        let error = transport.client().delete_object(delete()).await.unwrap_err();
        assert_eq!(dates(&transport), expected, "{what}: {error}");
        assert_eq!(
            (error.code(), error.is_retryable()),
            (Some("RequestTimeTooSkewed"), false),
            "{what}"
        );
    }

    let transport = FakeTransport::new([skewed(LATER).into()]);
    let client = Client::new(transport.config().disable_clock_skew_correction(true)).unwrap();
    client.delete_object(delete()).await.unwrap_err();
    assert_eq!(transport.sent().len(), 1);

    // A date that was called invalid although it is not far off was invalid for another reason.
    let near =
        "<Error><Code>InvalidArgument</Code><Message>Invalid signing date in Authorization header.</Message></Error>";
    let near = Answer::new(400, near).header("date", "Fri, 02 Jan 2026 03:14:05 GMT");
    let transport = FakeTransport::new([near.into()]);
    transport.client().delete_object(delete()).await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn a_call_is_corrected_once() {
    let transport = FakeTransport::new([skewed(LATER).into(), skewed("Fri, 02 Jan 2026 09:00:00 GMT").into()]);
    let error = transport.client().delete_object(delete()).await.unwrap_err();
    assert_eq!(dates(&transport), ["20260102T030405Z", "20260102T050405Z"]);
    assert_eq!((error.code(), error.attempts()), (Some("RequestTimeTooSkewed"), 2));
}

#[tokio::test(start_paused = true)]
async fn the_document_has_the_time_when_the_date_is_not_sane() {
    let lost = with_server_time("Thu, 01 Jan 1970 00:00:09 GMT", "2026-01-02T05:04:05.000Z");
    let transport = FakeTransport::new([lost.into(), good()]);
    transport.client().delete_object(delete()).await.unwrap();
    assert_eq!(dates(&transport), ["20260102T030405Z", "20260102T050405Z"]);
}

#[tokio::test(start_paused = true)]
async fn sts_has_a_word_of_its_own_for_it() {
    let refusal = Answer::error(400, "InvalidTimeStamp.Expired").header("date", LATER);
    let transport = FakeTransport::new([refusal.into(), good()]);
    transport.client().delete_object(delete()).await.unwrap();
    assert_eq!(dates(&transport), ["20260102T030405Z", "20260102T050405Z"]);
}

/// Takes a moment, and refuses whatever was not signed for its own time.
#[derive(Debug, Default, Clone)]
struct Strict(Arc<AtomicU32>);

impl Transport for Strict {
    fn send(&self, request: TransportRequest) -> TransportFuture<'_> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let is_right = request.headers["x-oss-date"].as_bytes() == b"20260102T050405Z";
            let (status, document) = if is_right {
                (StatusCode::NO_CONTENT, "")
            } else {
                (
                    StatusCode::FORBIDDEN,
                    "<Error><Code>RequestTimeTooSkewed</Code></Error>",
                )
            };
            let mut response = TransportResponse::new(status, document);
            response.headers.insert("date", LATER.parse().unwrap());
            Ok(response)
        })
    }
}

#[tokio::test(start_paused = true)]
async fn calls_that_were_under_way_are_corrected_too() {
    // All are signed before the first is refused: the others find the clock set right already, and their requests not.
    let transport = Strict::default();
    let client = Client::new(FakeTransport::new([]).config().transport(transport.clone())).unwrap();
    let calls: Vec<_> = (0..50)
        .map(|_| tokio::spawn(client.delete_object(delete()).retry_attempts(1).into_future()))
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().meta().attempts(), 2);
    }
    assert_eq!(transport.0.load(Ordering::Relaxed), 100);
    assert_eq!(client.delete_object(delete()).await.unwrap().meta().attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_was_set_right_itself_is_noticed() {
    let transport = FakeTransport::new([skewed(LATER).into(), good(), skewed(LATER).into(), good()]);
    #[derive(Debug, Clone)]
    struct Shared(Arc<FixedClock>);
    impl Clock for Shared {
        fn now(&self) -> std::time::SystemTime {
            self.0.now()
        }
    }
    let clock = Arc::new(FixedClock::new(now()));
    let client = Client::new(transport.config().clock(Shared(Arc::clone(&clock)))).unwrap();
    client.delete_object(delete()).await.unwrap();
    clock.advance(Duration::from_secs(2 * 3600));
    client.delete_object(delete()).await.unwrap();
    assert_eq!(
        dates(&transport),
        [
            "20260102T030405Z",
            "20260102T050405Z",
            "20260102T070405Z",
            "20260102T050405Z"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_not_sent_again_and_the_error_says_so() {
    let transport = FakeTransport::new([skewed(LATER).into(), good()]);
    let client = transport.client();
    let request = PutObjectRequest::new("bucket", "key").body(Body::from_reader(&b"hi"[..], 2));
    let error = client.put_object(request).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Service, Some("RequestTimeTooSkewed"))
    );
    assert_eq!(error.not_retried(), Some(NotRetried::Body));
    assert_eq!(transport.sent().len(), 1);
    // The clock is right from then on.
    client.get_object(GetObjectRequest::new("bucket", "key")).await.unwrap();
    assert_eq!(dates(&transport)[1], "20260102T050405Z");
}
