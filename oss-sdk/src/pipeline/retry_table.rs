//! What follows on each kind of failure: how many attempts, how long between them, and what the call fails with.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::body::Body;
use crate::client::Client;
use crate::credentials::{Credentials, from_fn};
use crate::error::{Error, ErrorKind, NotRetried};
use crate::fake::{Answer, FakeTransport, Step};
use crate::operations::{AppendObjectRequest, GetObjectRequest, PutObjectRequest};
use crate::retry::{Backoff, Decision, FailedAttempt, FullJitter, RetryPolicy, StandardRetry};
use crate::time::monotonic;
use crate::transport::{
    Transport, TransportBody, TransportErrorKind, TransportFuture, TransportRequest, TransportResponse,
};

/// The default back-off with chance that is known; notes what it chose.
#[derive(Debug, Clone)]
struct Seeded {
    jitter: FullJitter,
    chosen: Arc<Mutex<Vec<u64>>>,
}

impl Seeded {
    fn new() -> Self {
        let chances = Mutex::new(VecDeque::from([0.25, 0.5]));
        let next = move || chances.lock().unwrap().pop_front().expect("two waits at most");
        Seeded {
            jitter: FullJitter::default().with_chance(next),
            chosen: Arc::default(),
        }
    }
}

impl Backoff for Seeded {
    fn delay(&self, attempt: u32) -> Duration {
        let delay = self.jitter.delay(attempt);
        self.chosen.lock().unwrap().push(delay.as_millis() as u64);
        delay
    }
}

/// What the transport does with each request of a call.
type Fault = Box<dyn Fn() -> Step>;

/// How a call of one row ended.
#[derive(Debug, PartialEq)]
struct Outcome {
    sent: usize,
    /// Waits that the back-off chose, in milliseconds.
    delays: Vec<u64>,
    kind: ErrorKind,
    status: Option<u16>,
    not_retried: Option<NotRetried>,
}

async fn outcome(step: &dyn Fn() -> Step, replayable: bool, idempotent: bool) -> (Outcome, Duration, Error) {
    let transport = FakeTransport::new((0..5).map(|_| step()));
    let backoff = Seeded::new();
    let policy = StandardRetry::new().with_backoff(backoff.clone());
    // Temporary credentials, other ones each time.
    let count = AtomicU32::new(0);
    let credentials = from_fn(move || {
        let id = format!("ak{}", count.fetch_add(1, Ordering::Relaxed));
        async move { Ok(Credentials::new(id, "5ec4e7").with_security_token("t0ken")) }
    });
    let config = transport
        .config()
        .credentials_provider(credentials)
        .retry_policy(policy);
    let client = Client::new(config).unwrap();
    let body = if replayable {
        Body::from("hi")
    } else {
        Body::from_reader(&b"hi"[..], 2)
    };
    let started = monotonic();
    let error = if idempotent {
        let request = PutObjectRequest::new("bucket", "key").body(body);
        client.put_object(request).await.unwrap_err()
    } else {
        let request = AppendObjectRequest::new("bucket", "key", 0)
            .init_hash_crc64("0")
            .body(body);
        client.append_object(request).await.unwrap_err()
    };
    let outcome = Outcome {
        sent: transport.sent().len(),
        delays: backoff.chosen.lock().unwrap().clone(),
        kind: error.kind(),
        status: error.status(),
        not_retried: error.not_retried(),
    };
    (outcome, started.elapsed(), error)
}

fn status(status: u16, code: &'static str) -> Fault {
    Box::new(move || Answer::error(status, code).into())
}

fn broken(kind: TransportErrorKind) -> Fault {
    Box::new(move || Step::Fail(kind))
}

/// What each row says of a call, for a payload that can be sent again and an operation that may be repeated, for one that
/// can be sent once only, for an operation that may not be repeated, and for both: `3` attempts, `2` attempts at once, or
/// `1`, because the failure is `final`, because of the `body`, or because the operation is not idempotent (`twice`).
#[tokio::test(start_paused = true)]
async fn every_failure_has_its_row() {
    use ErrorKind::{Body as BodyKind, Canceled, ChecksumMismatch, Connect, Service, Timeout, Transport};
    use TransportErrorKind as T;

    const FINAL: &str = "final final final final";
    // Known not to have been carried out.
    const UNTOUCHED: &str = "3 body 3 body";
    // May have been carried out.
    const UNKNOWN: &str = "3 body twice body";
    const FRESH_KEY: &str = "2 body 2 body";

    let rows: Vec<(Fault, ErrorKind, &str)> = vec![
        (status(301, "X"), Service, FINAL),
        (status(304, "NotModified"), Service, FINAL),
        (status(307, "TemporaryRedirect"), Service, FINAL),
        (status(400, "InvalidArgument"), Service, FINAL),
        (status(400, "BadRequest"), Service, UNTOUCHED),
        (status(401, "X"), Service, UNTOUCHED),
        (status(403, "AccessDenied"), Service, FINAL),
        (status(403, "SignatureDoesNotMatch"), Service, FINAL),
        (status(403, "RequestTimeTooSkewed"), Service, FINAL),
        (status(403, "SecurityTokenExpired"), Service, FRESH_KEY),
        (status(403, "InvalidAccessKeyId"), Service, FRESH_KEY),
        (status(400, "InvalidSecurityToken"), Service, FRESH_KEY),
        (status(404, "NoSuchKey"), Service, FINAL),
        (status(405, "MethodNotAllowed"), Service, FINAL),
        (status(408, "RequestTimeout"), Service, UNTOUCHED),
        (status(409, "PositionNotEqualToLength"), Service, FINAL),
        (status(411, "MissingContentLength"), Service, FINAL),
        (status(412, "PreconditionFailed"), Service, FINAL),
        (status(416, "InvalidRange"), Service, FINAL),
        (status(429, "TooManyRequests"), Service, UNTOUCHED),
        (status(500, "InternalError"), Service, UNKNOWN),
        (status(502, "BadErrorResponse"), Service, UNKNOWN),
        (status(503, "ServiceUnavailable"), Service, UNTOUCHED),
        (status(504, "X"), Service, UNKNOWN),
        (status(599, "X"), Service, UNKNOWN),
        (broken(T::Dns), Connect, UNTOUCHED),
        (broken(T::Connect), Connect, UNTOUCHED),
        (broken(T::Timeout), Connect, UNTOUCHED),
        (broken(T::Tls), Connect, FINAL),
        (broken(T::Proxy), Connect, FINAL),
        (broken(T::Closed), Transport, UNKNOWN),
        (broken(T::Other), Transport, UNKNOWN),
        (broken(T::Body), BodyKind, FINAL),
        (broken(T::Canceled), Canceled, FINAL),
        (broken(T::Unsupported), Transport, FINAL),
        (Box::new(|| Step::Hang), Timeout, UNKNOWN),
        (
            Box::new(|| Answer::new(200, "").header("x-oss-hash-crc64ecma", "1").into()),
            ChecksumMismatch,
            // What was appended is there; a second time would be the second half of the object.
            "3 body final final",
        ),
    ];
    for (step, kind, expected) in rows {
        let combinations = [(true, true), (false, true), (true, false), (false, false)];
        for ((replayable, idempotent), expected) in combinations.into_iter().zip(expected.split(' ')) {
            let (outcome, elapsed, error) = outcome(&*step, replayable, idempotent).await;
            let row = format!("replayable {replayable}, idempotent {idempotent}, {expected}: {error}");
            let (sent, delays, not_retried) = match expected {
                "3" => (3, vec![100, 400], None),
                "2" => (2, vec![], None),
                "body" => (1, vec![], Some(NotRetried::Body)),
                "twice" => (1, vec![], Some(NotRetried::NotIdempotent)),
                "final" => (1, vec![], None),
                other => unreachable!("{other}"),
            };
            assert_eq!((outcome.sent, outcome.kind), (sent, kind), "{row}");
            assert_eq!((&outcome.delays, outcome.not_retried), (&delays, not_retried), "{row}");
            assert_eq!(
                outcome.status.is_some(),
                matches!(kind, Service | ChecksumMismatch),
                "{row}"
            );
            assert_eq!(error.attempts() as usize, sent, "{row}");
            let silence = if kind == Timeout { 20_000 * sent as u64 } else { 0 };
            let waited = Duration::from_millis(delays.iter().sum::<u64>() + silence);
            // Timers have a resolution of a millisecond.
            assert!(
                elapsed >= waited && elapsed < waited + Duration::from_millis(10),
                "{row}: {elapsed:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_says_why_it_was_not_retried() {
    let busy = || Answer::error(503, "ServiceUnavailable").into();
    let (_, _, error) = outcome(&busy, false, true).await;
    assert!(
        error.to_string().ends_with(
            "not sent again because the body can be read only once; a file, bytes in memory or `Body::from_fn` can be \
             sent again)"
        ),
        "{error}"
    );
    let (_, _, error) = outcome(&|| Step::Fail(TransportErrorKind::Closed), true, false).await;
    assert!(
        error.to_string().contains("may have been carried out already"),
        "{error}"
    );

    let transport = FakeTransport::new([Answer::error(503, "SlowDown").header("retry-after", "30").into()]);
    let error = transport
        .client()
        .get_object(GetObjectRequest::new("bucket", "key"))
        .timeout(Duration::from_secs(10))
        .await
        .unwrap_err();
    assert_eq!(error.not_retried(), Some(NotRetried::Deadline), "{error}");
    // Attempts that are used up need no reason: the text counts them.
    let transport = FakeTransport::new([busy()]);
    let client = transport.client();
    let call = client.get_object(GetObjectRequest::new("bucket", "key"));
    let error = call.retry_attempts(1).await.unwrap_err();
    assert_eq!(error.not_retried(), None);
}

#[tokio::test(start_paused = true)]
async fn a_policy_is_told_what_failed() {
    /// Operation, whether it is idempotent, attempt, attempts allowed.
    type Heard = (String, bool, u32, u32);
    #[derive(Debug, Default, Clone)]
    struct Listening(Arc<Mutex<Vec<Heard>>>);
    impl RetryPolicy for Listening {
        fn max_attempts(&self) -> u32 {
            2
        }
        fn decide(&self, failed: &FailedAttempt<'_>) -> Decision {
            let heard = (
                failed.operation.to_owned(),
                failed.is_idempotent,
                failed.attempt,
                failed.max_attempts,
            );
            self.0.lock().unwrap().push(heard);
            Decision::RetryAfter(Duration::from_secs(1))
        }
    }
    let transport = FakeTransport::new((0..3).map(|_| Answer::error(404, "NoSuchKey").into()));
    let policy = Listening::default();
    let client = Client::new(transport.config().retry_policy(policy.clone())).unwrap();
    let append = AppendObjectRequest::new("bucket", "key", 0).body("x");
    client.append_object(append).await.unwrap_err();
    client
        .get_object(GetObjectRequest::new("bucket", "key"))
        .retry_attempts(1)
        .await
        .unwrap_err();
    assert_eq!(*policy.0.lock().unwrap(), [("AppendObject".to_owned(), false, 1, 2)]);
    assert_eq!(transport.sent().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_result_says_how_many_attempts_it_took_and_how_long() {
    let transport = FakeTransport::new([
        Answer::error(503, "SlowDown").header("retry-after", "7").into(),
        Answer::new(200, "").into(),
        Answer::new(200, "").into(),
    ]);
    let client = transport.client();
    let request = PutObjectRequest::new("bucket", "key").body("hi");
    let stored = client.put_object(request.clone()).await.unwrap();
    assert_eq!(stored.meta().attempts(), 2);
    assert!(stored.meta().elapsed() >= Duration::from_secs(7), "{:?}", stored.meta());
    let stored = client.put_object(request).await.unwrap();
    assert_eq!((stored.meta().attempts(), stored.meta().elapsed()), (1, Duration::ZERO));
}

/// A service that refuses everything, or nothing.
#[derive(Debug, Default, Clone)]
struct Storm(Arc<StormState>);

#[derive(Debug, Default)]
struct StormState {
    requests: AtomicU32,
    is_over: std::sync::atomic::AtomicBool,
}

impl Transport for Storm {
    fn send(&self, _request: TransportRequest) -> TransportFuture<'_> {
        self.0.requests.fetch_add(1, Ordering::Relaxed);
        let status = if self.0.is_over.load(Ordering::Relaxed) {
            200
        } else {
            503
        };
        let status = http::StatusCode::from_u16(status).unwrap();
        Box::pin(async move {
            // A round trip, so that callers are under way at the same time.
            tokio::time::sleep(Duration::from_millis(20)).await;
            Ok(TransportResponse::new(status, TransportBody::empty()))
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_refusals_is_not_made_worse() {
    const CALLERS: u32 = 100;
    let storm = Storm::default();
    let client = Client::new(FakeTransport::new([]).config().transport(storm.clone())).unwrap();
    let requests_of = async |calls_each: u32| {
        let before = storm.0.requests.load(Ordering::Relaxed);
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| {
                let client = client.clone();
                tokio::spawn(async move {
                    let mut refused = 0;
                    for _ in 0..calls_each {
                        let call = client.get_object(GetObjectRequest::new("bucket", "key"));
                        match call.await {
                            Ok(_) => {}
                            Err(error) if error.status() == Some(503) => refused += 1,
                            Err(error) => panic!("{error}"),
                        }
                    }
                    refused
                })
            })
            .collect();
        let mut refused = 0;
        for caller in callers {
            refused += caller.await.unwrap();
        }
        (storm.0.requests.load(Ordering::Relaxed) - before, refused)
    };

    // The budget pays for a hundred retries, whoever makes them.
    let (requests, refused) = requests_of(1).await;
    assert_eq!((requests, refused), (200, 100));
    // It is spent: calls of the storm are asked once.
    let (requests, refused) = requests_of(50).await;
    assert_eq!((requests, refused), (5000, 5000));
    assert!(f64::from(requests) < 1.2 * f64::from(CALLERS * 50));

    // Successes pay it back, so that the next trouble has its retries again.
    storm.0.is_over.store(true, Ordering::Relaxed);
    assert_eq!(requests_of(5).await, (500, 0));
    storm.0.is_over.store(false, Ordering::Relaxed);
    let error = client
        .get_object(GetObjectRequest::new("bucket", "key"))
        .await
        .unwrap_err();
    assert_eq!((error.attempts(), error.not_retried()), (3, None));
    // And an error that was not retried for want of budget says so.
    requests_of(1).await;
    let error = client
        .get_object(GetObjectRequest::new("bucket", "key"))
        .await
        .unwrap_err();
    assert_eq!(
        (error.attempts(), error.not_retried()),
        (1, Some(NotRetried::Budget)),
        "{error}"
    );
}
