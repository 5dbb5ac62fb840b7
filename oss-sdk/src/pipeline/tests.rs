//! The pipeline against a transport that plays scripts.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;

use crate::body::Body;
use crate::checksum::Crc64;
use crate::client::Client;
use crate::credentials::{Credentials, from_fn};
use crate::error::ErrorKind;
use crate::fake::{Answer, Chunk, FakeTransport, LONG, Step, now};
use crate::operations::{
    AppendObjectRequest, CompleteMultipartUploadRequest, CopyObjectRequest, DeleteObjectRequest, GetBucketAclRequest,
    GetObjectRequest, ListObjectsV2Request, PutObjectRequest,
};
use crate::time::monotonic;
use crate::transport::TransportErrorKind;

fn put(body: impl Into<Body>) -> PutObjectRequest {
    PutObjectRequest::new("bucket", "key.txt").body(body)
}

fn get() -> GetObjectRequest {
    GetObjectRequest::new("bucket", "key.txt")
}

#[tokio::test(start_paused = true)]
async fn a_request_carries_what_the_runtime_is_responsible_for() {
    let transport = FakeTransport::new([Answer::new(200, "").into()]);
    let client = Client::new(transport.config().user_agent("my-app/1").default_header("x-trace", "7")).unwrap();
    client
        .put_object(put("hi oss"))
        .header("cache-control", "no-cache")
        .query("extra", "a b")
        .await
        .unwrap();
    let sent = &transport.sent()[0];
    assert_eq!((sent.method.as_str(), &sent.body[..]), ("PUT", &b"hi oss"[..]));
    assert_eq!(
        sent.url,
        "https://bucket.oss-cn-hangzhou.aliyuncs.com/key.txt?extra=a%20b"
    );
    assert_eq!(sent.header("content-type"), Some("text/plain"));
    assert_eq!(sent.header("content-length"), Some("6"));
    assert_eq!(sent.header("cache-control"), Some("no-cache"));
    assert_eq!(sent.header("x-trace"), Some("7"));
    assert_eq!(sent.header("x-oss-date"), Some("20260102T030405Z"));
    assert!(
        sent.header("authorization")
            .unwrap()
            .starts_with("OSS4-HMAC-SHA256 Credential=ak/20260102/cn-hangzhou/")
    );
    let user_agent = sent.header("user-agent").unwrap();
    assert!(
        user_agent.starts_with("alibabacloud-rust-sdk-v2/") && user_agent.ends_with("/my-app/1"),
        "{user_agent}"
    );
    assert_eq!(sent.header("accept-encoding"), None);
}

#[tokio::test(start_paused = true)]
async fn the_caller_wins_over_what_the_request_says() {
    let transport = FakeTransport::new([Answer::new(200, "").into()]);
    let request = put("x").content_type("text/html");
    transport
        .client()
        .put_object(request)
        .header("Content-Type", "text/css")
        .await
        .unwrap();
    assert_eq!(transport.sent()[0].header("content-type"), Some("text/css"));
}

#[tokio::test(start_paused = true)]
async fn a_retry_signs_again_with_fresh_credentials_and_the_whole_body() {
    let transport = FakeTransport::new([
        Answer::error(503, "ServiceUnavailable").into(),
        Answer::new(200, "").into(),
    ]);
    let count = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&count);
    let provider = from_fn(move || {
        let id = format!("ak{}", counted.fetch_add(1, Ordering::Relaxed));
        async move { Ok(Credentials::new(id, "5ec4e7")) }
    });
    let client = Client::new(transport.config().credentials_provider(provider)).unwrap();
    client.put_object(put("hi")).await.unwrap();
    let sent = transport.sent();
    assert!(sent[0].header("authorization").unwrap().contains("Credential=ak0/"));
    assert!(sent[1].header("authorization").unwrap().contains("Credential=ak1/"));
    assert_eq!((&sent[0].body[..], &sent[1].body[..]), (&b"hi"[..], &b"hi"[..]));
}

#[tokio::test(start_paused = true)]
async fn a_one_shot_body_is_sent_once_whatever_happens() {
    for step in [
        Step::Fail(TransportErrorKind::Closed),
        Answer::error(503, "ServiceUnavailable").into(),
    ] {
        let transport = FakeTransport::new([step]);
        let body = Body::from_reader(&b"hi"[..], 2);
        let request = put(body);
        let error = transport.client().put_object(request.clone()).await.unwrap_err();
        assert_eq!(transport.sent().len(), 1);
        assert!(matches!(error.kind(), ErrorKind::Transport | ErrorKind::Service));
        let error = transport.client().put_object(request).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Body);
        assert!(error.to_string().contains("sent before"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn attempts_end_with_the_last_error_and_their_number() {
    let steps = (0..3).map(|_| Step::Fail(TransportErrorKind::Connect));
    let transport = FakeTransport::new(steps);
    let error = transport.client().get_object(get()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.attempts(), error.operation()),
        (ErrorKind::Connect, 3, Some("GetObject"))
    );
    assert!(error.to_string().contains("attempt 3 of 3"), "{error}");
    assert!(std::error::Error::source(&error).is_some());

    let transport = FakeTransport::new([Step::Fail(TransportErrorKind::Connect)]);
    transport
        .client()
        .get_object(get())
        .retry_attempts(1)
        .await
        .unwrap_err();
    assert_eq!(transport.sent().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_succeed_is_not_tried_again() {
    for (status, code) in [
        (404, "NoSuchKey"),
        (403, "AccessDenied"),
        (409, "X"),
        (412, "PreconditionFailed"),
    ] {
        let transport = FakeTransport::new([Answer::error(status, code).into()]);
        let error = transport.client().get_object(get()).await.unwrap_err();
        assert_eq!(
            (error.status(), error.code(), error.request_id()),
            (Some(status), Some(code), Some("R1"))
        );
    }
    let transport = FakeTransport::new([Step::Fail(TransportErrorKind::Tls)]);
    assert_eq!(
        transport.client().get_object(get()).await.unwrap_err().kind(),
        ErrorKind::Connect
    );
}

#[tokio::test(start_paused = true)]
async fn what_may_have_been_carried_out_is_repeated_only_if_that_is_harmless() {
    let append = || AppendObjectRequest::new("bucket", "key", 0).body("x");
    let lost = || Step::Fail(TransportErrorKind::Closed);
    let transport = FakeTransport::new([lost()]);
    transport.client().append_object(append()).await.unwrap_err();
    assert_eq!(transport.sent().len(), 1);

    let refused = FakeTransport::new([
        Step::Fail(TransportErrorKind::Connect),
        Answer::error(503, "ServiceUnavailable").into(),
        Answer::new(200, "").header("x-oss-next-append-position", "1").into(),
    ]);
    refused.client().append_object(append()).await.unwrap();

    let transport = FakeTransport::new([lost(), Answer::new(204, "").into()]);
    transport
        .client()
        .delete_object(DeleteObjectRequest::new("bucket", "key"))
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_service_says_how_long_to_wait() {
    let transport = FakeTransport::new([
        Answer::error(503, "SlowDown").header("retry-after", "7").into(),
        Answer::new(204, "").into(),
    ]);
    let start = monotonic();
    transport
        .client()
        .delete_object(DeleteObjectRequest::new("bucket", "key"))
        .await
        .unwrap();
    let waited = start.elapsed();
    assert!(
        (Duration::from_secs(7)..Duration::from_secs(8)).contains(&waited),
        "{waited:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_retry_budget_ends_retries_of_a_service_that_is_down() {
    let transport = FakeTransport::new((0..1000).map(|_| Answer::error(503, "X").into()));
    let client = transport.client();
    for _ in 0..200 {
        client.get_object(get()).await.unwrap_err();
    }
    assert_eq!(transport.sent().len(), 200 + 100);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_clock_is_set_right_once_for_the_client() {
    for (status, code, message) in [
        (403, "RequestTimeTooSkewed", "The difference is too large."),
        (400, "InvalidArgument", "Invalid signing date in Authorization header."),
    ] {
        let document = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
        let transport = FakeTransport::new([
            Answer::new(status, document)
                .header("date", "Fri, 02 Jan 2026 05:04:05 GMT")
                .into(),
            Answer::new(204, "").into(),
            Answer::new(204, "").into(),
        ]);
        let client = transport.client();
        let request = DeleteObjectRequest::new("bucket", "key");
        client.delete_object(request.clone()).await.unwrap();
        client.delete_object(request).await.unwrap();
        let dates: Vec<_> = transport
            .sent()
            .iter()
            .map(|sent| sent.header("x-oss-date").unwrap().to_owned())
            .collect();
        assert_eq!(dates, ["20260102T030405Z", "20260102T050405Z", "20260102T050405Z"]);
        let url = client.get_object(get()).presign(Duration::from_secs(60)).await.unwrap();
        assert!(url.url.contains("x-oss-date=20260102T050405Z"), "{}", url.url);
    }
}

/// By our clock, which is two hours ahead, these are over before they come.
#[tokio::test(start_paused = true)]
async fn credentials_end_by_the_service_s_clock() {
    let document = "<Error><Code>RequestTimeTooSkewed</Code><Message>m</Message></Error>";
    let behind = Answer::new(403, document).header("date", "Fri, 02 Jan 2026 01:04:05 GMT");
    let transport = FakeTransport::new([behind.into(), Answer::new(204, "").into(), Answer::new(204, "").into()]);
    let end = crate::time::Timestamp::parse_iso8601("2026-01-02T01:34:05Z").unwrap();
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    let provider = from_fn(move || {
        count.fetch_add(1, Ordering::SeqCst);
        std::future::ready(Ok(Credentials::new("ak", "5ec4e7").with_expiration(end)))
    });
    let client = Client::new(transport.config().credentials_provider(provider)).unwrap();
    for _ in 0..2 {
        let request = DeleteObjectRequest::new("bucket", "key");
        client.delete_object(request).await.unwrap();
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    let link = client
        .get_object(get())
        .presign(Duration::from_secs(3600))
        .await
        .unwrap();
    assert!(link.is_capped);
    assert_eq!(link.expiration, end);
}

/// Gives the first key until it is refused, then the second, and remembers whether it was told of a refusal.
#[derive(Debug)]
struct Rotating(Mutex<Vec<bool>>, [&'static str; 2]);

impl crate::credentials::CredentialsProvider for Rotating {
    fn credentials<'a>(
        &'a self,
        request: &'a crate::credentials::CredentialsRequest,
    ) -> crate::BoxFuture<'a, Result<Credentials, crate::credentials::CredentialsError>> {
        let is_refused = request.refused.is_some();
        self.0.lock().unwrap().push(is_refused);
        let id = self.1[usize::from(is_refused)];
        Box::pin(std::future::ready(Ok(Credentials::new(id, "5ec4e7"))))
    }
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_are_fetched_anew_once() {
    let transport = FakeTransport::new([
        Answer::error(403, "SecurityTokenExpired").into(),
        Answer::error(403, "SecurityTokenExpired").into(),
    ]);
    let provider = Arc::new(Rotating(Mutex::default(), ["old", "new"]));
    let client = Client::new(transport.config().credentials_provider(Arc::clone(&provider))).unwrap();
    let error = client.get_object(get()).await.unwrap_err();
    assert_eq!(error.code(), Some("SecurityTokenExpired"));
    assert_eq!(error.attempts(), 2);
    assert_eq!(*provider.0.lock().unwrap(), [false, true]);
    let sent = transport.sent();
    assert!(sent[0].header("authorization").unwrap().contains("Credential=old/"));
    assert!(sent[1].header("authorization").unwrap().contains("Credential=new/"));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_final_where_there_are_no_other_credentials() {
    for code in ["SecurityTokenExpired", "InvalidSecurityToken", "InvalidAccessKeyId"] {
        let script = || [Answer::error(403, code).into()];
        let fixed = FakeTransport::new(script());
        let asked = FakeTransport::new(script());
        let provider = Arc::new(Rotating(Mutex::default(), ["same", "same"]));
        let config = asked.config().credentials_provider(Arc::clone(&provider));
        for client in [fixed.client(), Client::new(config).unwrap()] {
            let error = client.get_object(get()).await.unwrap_err();
            assert_eq!((error.code(), error.attempts()), (Some(code), 1), "{error}");
        }
        assert_eq!(*provider.0.lock().unwrap(), [false, true]);
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_that_cannot_be_had_for_a_moment_cost_a_retry() {
    use crate::credentials::CredentialsError;

    let outcomes = Mutex::new(vec![Err(CredentialsError::retryable("busy")), Ok("ak")]);
    let provider = move |outcome: Option<Result<&'static str, CredentialsError>>| {
        std::future::ready(outcome.unwrap().map(|id| Credentials::new(id, "5ec4e7")))
    };
    let transport = FakeTransport::new([Answer::new(200, "x").into()]);
    let asked = from_fn(move || provider(Some(outcomes.lock().unwrap().remove(0))));
    let client = Client::new(transport.config().credentials_provider(asked)).unwrap();
    assert_eq!(client.get_object(get()).await.unwrap().body.text().await.unwrap(), "x");

    let transport = FakeTransport::new([]);
    let lasting = from_fn(|| std::future::ready(Err(CredentialsError::new("no such role"))));
    let client = Client::new(transport.config().credentials_provider(lasting)).unwrap();
    let error = client.get_object(get()).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Credentials, 0), "{error}");
}

#[tokio::test(start_paused = true)]
async fn silence_ends_an_attempt_and_a_deadline_the_call() {
    let transport = FakeTransport::new([Step::Hang, Step::Hang, Step::Hang]);
    let start = monotonic();
    let error = transport.client().get_object(get()).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Timeout, 3));
    assert!(start.elapsed() >= Duration::from_secs(60), "{:?}", start.elapsed());

    let transport = FakeTransport::new([Step::Hang]);
    let start = monotonic();
    let error = transport
        .client()
        .get_object(get())
        .timeout(Duration::from_secs(3))
        .await
        .unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Timeout, false));
    assert_eq!(start.elapsed(), Duration::from_secs(3));

    let transport = FakeTransport::new([Step::Hang, Answer::new(200, "").into()]);
    let client = Client::new(transport.config().attempt_timeout(Duration::from_secs(1))).unwrap();
    client.get_object(get()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_deadline_is_not_slept_through() {
    let transport = FakeTransport::new([Answer::error(503, "SlowDown").header("retry-after", "30").into()]);
    let start = monotonic();
    let error = transport
        .client()
        .get_object(get())
        .timeout(Duration::from_secs(10))
        .await
        .unwrap_err();
    assert_eq!((error.code(), start.elapsed()), (Some("SlowDown"), Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_copy_may_take_its_time() {
    let transport = FakeTransport::new([Step::Hang]);
    let start = monotonic();
    let request = CopyObjectRequest::new("bucket", "key", "source");
    transport
        .client()
        .copy_object(request)
        .retry_attempts(1)
        .await
        .unwrap_err();
    assert_eq!(start.elapsed(), Duration::from_secs(300));
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_when_its_signal_comes() {
    let transport = FakeTransport::new([Step::Hang]);
    let signal = tokio::time::sleep(Duration::from_secs(2));
    let error = transport
        .client()
        .get_object(get())
        .cancel_on(signal)
        .await
        .unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Canceled, false));

    let transport = FakeTransport::new([Answer::chunks(200, Some(4), [Chunk::Data("ab".into()), Chunk::Hang]).into()]);
    let signal = tokio::time::sleep(Duration::from_secs(2));
    let object = transport.client().get_object(get()).cancel_on(signal).await.unwrap();
    assert_eq!(object.body.bytes().await.unwrap_err().kind(), ErrorKind::Canceled);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_ends_calls_and_refuses_new_ones() {
    let hanging = Answer::chunks(200, Some(4), [Chunk::Data("ab".into()), Chunk::Hang]);
    let transport = FakeTransport::new([hanging.into(), Step::Hang]);
    let client = transport.client();
    let mut object = client.get_object(get()).await.unwrap();
    assert_eq!(object.body.chunk().await.unwrap().unwrap(), "ab");
    let reading = tokio::spawn(async move { object.body.chunk().await });
    let call = tokio::spawn(IntoFuture::into_future(client.get_object(get())));
    tokio::time::sleep(Duration::from_secs(1)).await;
    client.clone().shutdown();
    assert_eq!(reading.await.unwrap().unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(call.await.unwrap().unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(client.get_object(get()).await.unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(
        client
            .get_object(get())
            .presign(Duration::from_secs(1))
            .await
            .unwrap_err()
            .kind(),
        ErrorKind::Closed
    );
    assert_eq!(transport.sent().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_upload_is_compared_with_what_the_service_has() {
    let crc = Crc64::of(b"hi").to_string();
    let good = || Answer::new(200, "").header("x-oss-hash-crc64ecma", &crc);
    let bad = || Answer::new(200, "").header("x-oss-hash-crc64ecma", "1");
    let transport = FakeTransport::new([bad().into(), good().into()]);
    transport.client().put_object(put("hi")).await.unwrap();
    assert_eq!(transport.sent().len(), 2);

    let transport = FakeTransport::new([bad().into(), bad().into(), bad().into()]);
    let error = transport.client().put_object(put("hi")).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::ChecksumMismatch, 3));

    let transport = FakeTransport::new([bad().into()]);
    let error = transport
        .client()
        .put_object(put(Body::from_reader(&b"hi"[..], None)))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ChecksumMismatch);

    let transport = FakeTransport::new([bad().into()]);
    let client = Client::new(transport.config().disable_upload_crc64_check(true)).unwrap();
    client.put_object(put("hi")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_payload_must_be_as_long_as_it_says() {
    let rows: [(Body, Option<i64>, &str); 6] = [
        (
            Body::from_reader(&b"abc"[..], 4),
            None,
            "ended after 3 of its declared 4 bytes",
        ),
        (
            Body::from_reader(&b"abc"[..], 2),
            None,
            "goes on after its declared 2 bytes",
        ),
        (
            Body::from_reader(&b"abc"[..], 0),
            None,
            "goes on after its declared 0 bytes",
        ),
        (Body::from("abc"), Some(4), "has 3 bytes, but `Content-Length` says 4"),
        (
            Body::from_reader(&b"abc"[..], None),
            Some(4),
            "ended after 3 of its declared 4 bytes",
        ),
        (
            Body::from_reader(&b"abc"[..], None),
            Some(2),
            "goes on after its declared 2 bytes",
        ),
    ];
    for (body, length, expected) in rows {
        let transport = FakeTransport::new([Answer::new(200, "").into()]);
        let mut request = put(body);
        request.content_length = length;
        let error = transport.client().put_object(request).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.member()),
            (ErrorKind::Body, Some("body")),
            "{expected}"
        );
        assert!(error.to_string().contains(expected), "{error}");
        // The last byte never left, so the service cannot have stored a whole object.
        for sent in transport.sent() {
            assert!(sent.body_error.is_some());
        }
    }
    let transport = FakeTransport::new([Answer::new(200, "").into()]);
    transport
        .client()
        .put_object(put(Body::from_reader(&b"abc"[..], 3)))
        .await
        .unwrap();
    assert_eq!(transport.sent()[0].body, "abc");
}

#[tokio::test(start_paused = true)]
async fn a_source_that_fails_is_the_callers_error() {
    struct Failing;
    impl tokio::io::AsyncRead for Failing {
        fn poll_read(
            self: std::pin::Pin<&mut Self>,
            _cx: &mut std::task::Context<'_>,
            _buffer: &mut tokio::io::ReadBuf<'_>,
        ) -> std::task::Poll<std::io::Result<()>> {
            std::task::Poll::Ready(Err(std::io::Error::other("disk on fire")))
        }
    }
    let transport = FakeTransport::new([Answer::new(200, "").into()]);
    let error = transport
        .client()
        .put_object(put(Body::from_reader(Failing, None)))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Body);
    assert!(format!("{error:?}").contains("disk on fire"), "{error:?}");

    let transport = FakeTransport::new([]);
    let error = transport
        .client()
        .put_object(put(Body::from_file("no/such/file")))
        .await
        .unwrap_err();
    assert_eq!((error.kind(), transport.sent().len()), (ErrorKind::Body, 0));
    assert!(error.to_string().contains("no/such/file"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_slow_source_is_not_a_silent_service() {
    struct Slow(std::pin::Pin<Box<tokio::time::Sleep>>);
    impl tokio::io::AsyncRead for Slow {
        fn poll_read(
            mut self: std::pin::Pin<&mut Self>,
            cx: &mut std::task::Context<'_>,
            _buffer: &mut tokio::io::ReadBuf<'_>,
        ) -> std::task::Poll<std::io::Result<()>> {
            self.0.as_mut().poll(cx).map(Ok)
        }
    }
    use std::future::Future;
    let transport = FakeTransport::new([Answer::new(200, "").into()]);
    let source = Slow(Box::pin(tokio::time::sleep(LONG)));
    transport
        .client()
        .put_object(put(Body::from_reader(source, None)))
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn bad_input_is_refused_before_the_network_by_name() {
    let transport = FakeTransport::new([]);
    let client = transport.client();
    let rows = [
        (PutObjectRequest::new("", "key"), "bucket"),
        (PutObjectRequest::new("a/b", "key"), "bucket"),
        (PutObjectRequest::new("bucket", ""), "key"),
        (PutObjectRequest::new("bucket", "a\0b"), "key"),
        (
            PutObjectRequest::new("bucket", "key").content_type("a\r\nx-evil: 1"),
            "content_type",
        ),
        (
            PutObjectRequest::new("bucket", "key").metadata([("a", "b\nc")]),
            "metadata",
        ),
        (
            PutObjectRequest::new("bucket", "key").metadata([("a b", "c")]),
            "metadata",
        ),
    ];
    for (request, member) in rows {
        let error = client.put_object(request).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.member()),
            (ErrorKind::InvalidInput, Some(member)),
            "{error}"
        );
        assert_eq!(error.operation(), Some("PutObject"));
    }
    let error = client
        .put_object(put("x"))
        .header("x-evil", "a\r\nb")
        .await
        .unwrap_err();
    assert_eq!(error.member(), Some("x-evil"));
    assert_eq!(transport.sent().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn documents_that_are_not_whole_are_asked_for_again() {
    let page = "<ListBucketResult><Name>bucket</Name><IsTruncated>false</IsTruncated></ListBucketResult>";
    let half = Bytes::from_static(&page.as_bytes()[..40]);
    let transport = FakeTransport::new([
        Answer::chunks(200, Some(page.len() as u64), [Chunk::Data(half.clone())]).into(),
        Answer::chunks(200, None, [Chunk::Data(half), Chunk::Break]).into(),
        Answer::new(200, page).into(),
    ]);
    transport
        .client()
        .list_objects_v2(ListObjectsV2Request::new("bucket"))
        .await
        .unwrap();
    assert_eq!(transport.sent().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_not_a_document_is_an_error_with_its_operation() {
    for body in [
        "<ListBucketResult><Name>buck",
        "welcome to nginx",
        "{\"a\": 1}",
        "",
        "<Other/>",
    ] {
        let transport = FakeTransport::new([Answer::new(200, body).header("x-oss-request-id", "R9").into()]);
        let error = transport
            .client()
            .list_objects_v2(ListObjectsV2Request::new("bucket"))
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.operation()),
            (ErrorKind::Decode, Some("ListObjectsV2")),
            "{body}"
        );
        assert_eq!(error.request_id(), Some("R9"));
    }
    let transport = FakeTransport::new([Answer::new(404, "<html>").into()]);
    let error = transport
        .client()
        .get_bucket_acl(GetBucketAclRequest::new("bucket"))
        .await
        .unwrap_err();
    assert_eq!((error.status(), error.code()), (Some(404), Some("BadErrorResponse")));
}

#[tokio::test(start_paused = true)]
async fn an_error_within_a_success_is_an_error() {
    let transport = FakeTransport::new([Answer::error(200, "InternalCopyError").into()]);
    let error = transport
        .client()
        .copy_object(CopyObjectRequest::new("bucket", "key", "source"))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.status(), error.code()),
        (ErrorKind::Service, Some(200), Some("InternalCopyError"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_callback_that_failed_is_an_error_and_one_that_did_not_is_an_answer() {
    let transport = FakeTransport::new([Answer::error(203, "CallbackFailed").into()]);
    let error = transport
        .client()
        .put_object(put("x").callback("e30="))
        .await
        .unwrap_err();
    assert_eq!((error.status(), error.code()), (Some(203), Some("CallbackFailed")));

    let transport = FakeTransport::new([Answer::new(200, "{\"ok\": true}").into()]);
    let result = transport.client().put_object(put("x").callback("e30=")).await.unwrap();
    assert_eq!(result.callback_result.as_deref(), Some("{\"ok\": true}"));

    let transport = FakeTransport::new([Answer::new(200, "{\"ok\": true}").into()]);
    let request = CompleteMultipartUploadRequest::new("bucket", "key", "id").callback("e30=");
    let result = transport.client().complete_multipart_upload(request).await.unwrap();
    assert_eq!(result.callback_result.as_deref(), Some("{\"ok\": true}"));
}

#[tokio::test(start_paused = true)]
async fn progress_of_an_upload_is_reported_once() {
    let transport = FakeTransport::new([Answer::error(503, "X").into(), Answer::new(200, "").into()]);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    let body = vec![7; 300 * 1024];
    transport
        .client()
        .put_object(put(body))
        .on_progress(move |progress| sink.lock().unwrap().push((progress.transferred, progress.total)))
        .await
        .unwrap();
    let total = Some(300 * 1024);
    assert_eq!(
        *seen.lock().unwrap(),
        [(128 * 1024, total), (256 * 1024, total), (300 * 1024, total)]
    );
}

#[tokio::test(start_paused = true)]
async fn anonymous_calls_are_not_signed() {
    let transport = FakeTransport::new([Answer::new(200, "").into()]);
    let client = Client::new(transport.config().anonymous()).unwrap();
    client.get_object(get()).await.unwrap();
    let sent = &transport.sent()[0];
    assert_eq!(
        (
            sent.header("authorization"),
            sent.header("x-oss-date"),
            sent.header("date")
        ),
        (None, None, None)
    );
    let error = client
        .get_object(get())
        .presign(Duration::from_secs(60))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credentials);
}

#[tokio::test(start_paused = true)]
async fn presigned_urls_end_with_the_credentials_and_carry_the_headers_to_send() {
    let ending = Credentials::new("ak", "5ec4e7")
        .with_security_token("t0ken")
        .with_expiration(now().saturating_add(Duration::from_secs(100)));
    let transport = FakeTransport::new([]);
    let client = Client::new(transport.config().credentials(ending)).unwrap();
    let request = put("ignored").content_type("text/css").metadata([("a", "b")]);
    let presigned = client
        .put_object(request.clone())
        .presign(Duration::from_secs(600))
        .await
        .unwrap();
    assert!(presigned.is_capped);
    assert_eq!(presigned.expiration, now().saturating_add(Duration::from_secs(100)));
    assert!(
        presigned
            .url
            .starts_with("https://bucket.oss-cn-hangzhou.aliyuncs.com/key.txt?x-oss-signature-version=")
    );
    assert!(presigned.url.contains("x-oss-expires=100&"), "{}", presigned.url);
    assert_eq!(presigned.method, http::Method::PUT);
    let mut names: Vec<_> = presigned.signed_headers.keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["content-type", "x-oss-meta-a"]);
    let debug = format!("{presigned:?}");
    assert!(
        !debug.contains("t0ken") && !debug.contains("x-oss-signature"),
        "{debug}"
    );

    for expires in [Duration::ZERO, Duration::from_millis(999), Duration::from_secs(604_801)] {
        let error = client.put_object(request.clone()).presign(expires).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.member()),
            (ErrorKind::InvalidInput, Some("expires_in"))
        );
    }
    assert!(
        client
            .put_object(request)
            .presign(Duration::from_secs(604_800))
            .await
            .is_ok()
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_can_go_to_another_endpoint() {
    let transport = FakeTransport::new([Answer::new(200, "").into()]);
    transport
        .client()
        .get_object(get())
        .endpoint("http://127.0.0.1:9000")
        .await
        .unwrap();
    assert_eq!(transport.sent()[0].url, "http://127.0.0.1:9000/bucket/key.txt");
    let error = transport
        .client()
        .get_object(get())
        .endpoint("ftp://x")
        .await
        .unwrap_err();
    assert_eq!(error.member(), Some("endpoint"));
}

#[test]
fn calls_and_clients_cross_threads() {
    fn crosses<T: Send>(_: T) {}
    fn shared<T: Send + Sync + Clone + 'static>() {}
    shared::<Client>();
    let client = FakeTransport::new([]).client();
    crosses(IntoFuture::into_future(client.get_object(get())));
    crosses(crate::body::ResponseBody::default());
    fn sync<T: Sync>() {}
    sync::<crate::operations::GetObjectResult>();
    let debug = format!("{client:?} {:?}", FakeTransport::new([]).config());
    assert!(!debug.contains("5ec4e7"), "{debug}");
}

#[tokio::test(start_paused = true)]
async fn a_document_without_end_is_given_up_and_not_kept() {
    let piece = Bytes::from(vec![b'x'; 1 << 20]);
    let endless = |status: u16| {
        let beginning = Bytes::from_static(b"<ListBucketResult><Name>");
        let chunks = (0..100).map(|_| Chunk::Data(piece.clone()));
        Answer::chunks(
            status,
            None,
            [Chunk::Data(beginning)].into_iter().chain(chunks).chain([Chunk::Hang]),
        )
    };
    let request = || ListObjectsV2Request::new("bucket");
    let transport = FakeTransport::new([endless(200).into()]);
    let error = transport.client().list_objects_v2(request()).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Decode, Some(200)));
    assert_eq!(error.message(), "the document is longer than 67108864 bytes");

    let transport = FakeTransport::new([endless(403).into()]);
    let error = transport.client().list_objects_v2(request()).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Service, Some(403)));
    assert_eq!(error.code(), Some("BadErrorResponse"));
    assert!(error.message().contains("begins with `<ListBucketResult>"), "{error}");
    assert!(error.message().len() < 1000);
}

#[tokio::test(start_paused = true)]
async fn a_long_error_document_is_read_as_far_as_it_goes() {
    let document = |length: usize| {
        format!(
            "<Error><Code>AccessDenied</Code><Message>m</Message><Detail>{}</Detail></Error>",
            "x".repeat(length)
        )
    };
    for (length, code) in [(1_000_000, "AccessDenied"), (1_100_000, "BadErrorResponse")] {
        let transport = FakeTransport::new([Answer::new(403, document(length)).into()]);
        let error = transport.client().get_object(get()).await.unwrap_err();
        assert_eq!(error.code(), Some(code));
        assert!(error.to_string().len() < 2000);
    }
}
