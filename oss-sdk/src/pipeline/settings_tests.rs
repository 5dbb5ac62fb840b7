//! Settings of clients and calls that change what is sent, how long it may take, and what is checked.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use http::header::AUTHORIZATION;

use crate::body::Body;
use crate::error::ErrorKind;
use crate::fake::{Answer, Chunk, FakeTransport, LONG, Step, now};
use crate::limiter::Bandwidth;
use crate::retry::{FixedDelay, NoRetry, StandardRetry};
use crate::signer::{Signature, Signer, SigningError, SigningRequest};
use crate::time::monotonic;
use crate::{Client, Config, Credentials, GetObjectRequest, OperationInput, PutObjectRequest};

fn ok() -> Answer {
    Answer::new(200, "").header("etag", "\"E\"")
}

fn put(body: impl Into<Body>) -> PutObjectRequest {
    PutObjectRequest::new("bucket", "key.txt").body(body)
}

fn get() -> GetObjectRequest {
    GetObjectRequest::new("bucket", "key")
}

fn client(transport: &FakeTransport, change: impl FnOnce(Config) -> Config) -> Client {
    Client::new(change(transport.config())).unwrap()
}

#[tokio::test]
async fn headers_of_the_connection_and_of_the_signature_are_not_the_callers() {
    let rows = [
        ("Host", "must not be set as a header: it is that of the endpoint"),
        (
            "Transfer-Encoding",
            "must not be set as a header: it belongs to the connection",
        ),
        (
            "connection",
            "must not be set as a header: it belongs to the connection",
        ),
        ("TE", "must not be set as a header: it belongs to the connection"),
        ("Trailer", "must not be set as a header: it belongs to the connection"),
        ("Upgrade", "must not be set as a header: it belongs to the connection"),
        (
            "Proxy-Authorization",
            "must not be set as a header: it is that of `proxy`",
        ),
        ("Authorization", "must not be set as a header: the signature sets it"),
        ("Date", "must not be set as a header: the signature sets it"),
        ("x-oss-date", "must not be set as a header: the signature sets it"),
        (
            "x-oss-security-token",
            "must not be set as a header: the signature sets it",
        ),
    ];
    let transport = FakeTransport::new([]);
    let client = transport.client();
    for (name, rule) in rows {
        let by_call = client.put_object(put("hi")).header(name, "x").await.unwrap_err();
        let input = OperationInput::new("Anything", Method::GET).header(name, "x");
        let by_input = client.invoke_operation(input).await.unwrap_err();
        let by_link = client
            .get_object(get())
            .header(name, "x")
            .presign(Duration::from_secs(60))
            .await
            .unwrap_err();
        for error in [by_call, by_input, by_link] {
            assert_eq!(
                (error.kind(), error.member(), error.message()),
                (ErrorKind::InvalidInput, Some(name.to_ascii_lowercase().as_str()), rule)
            );
        }
    }
    assert!(transport.sent().is_empty());
}

#[tokio::test]
async fn a_user_agent_of_the_caller_is_sent() {
    let transport = FakeTransport::new([ok().into()]);
    transport
        .client()
        .put_object(put("hi"))
        .header("User-Agent", "mine")
        .await
        .unwrap();
    assert_eq!(transport.sent()[0].header("user-agent"), Some("mine"));
}

#[tokio::test]
async fn default_headers_fill_only_what_is_not_set() {
    let transport = FakeTransport::new([ok().into(), ok().into()]);
    let client = client(&transport, |config| {
        config
            .default_header("Cache-Control", "no-cache")
            .default_header("x-oss-storage-class", "IA")
    });
    client.put_object(put("hi")).await.unwrap();
    client
        .put_object(put("hi").cache_control("max-age=1"))
        .header("x-oss-storage-class", "Archive")
        .await
        .unwrap();
    let sent = transport.sent();
    let values: Vec<_> = sent
        .iter()
        .map(|sent| (sent.header("cache-control"), sent.header("x-oss-storage-class")))
        .collect();
    let expected = [(Some("no-cache"), Some("IA")), (Some("max-age=1"), Some("Archive"))];
    assert_eq!(values, expected);
}

#[tokio::test]
async fn no_content_type_is_guessed_when_that_is_switched_off() {
    for (off, expected) in [(false, Some("text/plain")), (true, None)] {
        let transport = FakeTransport::new([ok().into()]);
        let client = client(&transport, |config| config.disable_content_type_detection(off));
        client.put_object(put("hi")).await.unwrap();
        assert_eq!(transport.sent()[0].header("content-type"), expected);
    }
}

#[tokio::test]
async fn a_wrong_checksum_passes_only_when_the_comparison_is_switched_off() {
    for off in [false, true] {
        let wrong = || {
            Answer::new(200, "hi")
                .header("etag", "\"E\"")
                .header("x-oss-hash-crc64ecma", "1")
        };
        let transport = FakeTransport::new([wrong().into(), wrong().into()]);
        let client = client(&transport, |config| {
            config
                .retry_attempts(1)
                .disable_upload_crc64_check(off)
                .disable_download_crc64_check(off)
        });
        let uploaded = client.put_object(put("hi")).await;
        let downloaded = client.get_object(get()).await.unwrap().body.bytes().await;
        assert_eq!((uploaded.is_ok(), downloaded.is_ok()), (off, off));
        for error in [uploaded.err(), downloaded.err()].into_iter().flatten() {
            assert_eq!(error.kind(), ErrorKind::ChecksumMismatch);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_wrong_stays_so_when_correction_is_switched_off() {
    let transport = FakeTransport::new((0..4).map(|_| {
        let answer = Answer::error(403, "RequestTimeTooSkewed").header("date", "Fri, 02 Jan 2026 05:04:05 GMT");
        answer.into()
    }));
    let client = client(&transport, |config| config.disable_clock_skew_correction(true));
    let error = client.put_object(put("hi")).await.unwrap_err();
    assert_eq!(error.code(), Some("RequestTimeTooSkewed"));
    for sent in transport.sent() {
        assert_eq!(sent.header("x-oss-date"), Some("20260102T030405Z"));
    }
    let link = client.get_object(get()).presign(Duration::from_secs(60)).await.unwrap();
    assert_eq!(link.expiration, now().saturating_add(Duration::from_secs(60)));
}

#[tokio::test(start_paused = true)]
async fn times_of_a_call_go_before_those_of_the_client() {
    let transport = FakeTransport::new([Step::Hang, Step::Hang, Step::Hang]);
    let client = client(&transport, |config| {
        config
            .retry_attempts(1)
            .idle_timeout(Duration::from_secs(20))
            .attempt_timeout(Duration::from_secs(60))
    });
    let start = monotonic();
    let error = client
        .get_object(get())
        .idle_timeout(Duration::from_secs(2))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.message()),
        (ErrorKind::Timeout, "the service was silent for 2.0 s")
    );
    let error = client
        .get_object(get())
        .attempt_timeout(Duration::from_secs(3))
        .await
        .unwrap_err();
    assert_eq!(error.message(), "the attempt took longer than 3.0 s");
    // For ever, so that the client's limit of the attempt comes first.
    let error = client.get_object(get()).idle_timeout(Duration::ZERO).await.unwrap_err();
    assert_eq!(error.message(), "the attempt took longer than 60.0 s");
    assert_eq!(start.elapsed().as_secs(), 65);
}

#[tokio::test(start_paused = true)]
async fn a_call_has_a_policy_of_its_own() {
    let down = || Step::from(Answer::error(503, "ServiceUnavailable"));
    let transport = FakeTransport::new((0..7).map(|_| down()));
    let client = client(&transport, |config| config.retry_policy(NoRetry));
    let policy = || StandardRetry::new().with_backoff(FixedDelay::new(Duration::from_secs(7)));
    assert!(client.get_object(get()).await.is_err());
    let start = monotonic();
    let error = client
        .get_object(get())
        .retry_policy(policy().with_max_attempts(4))
        .await
        .unwrap_err();
    assert_eq!((error.attempts(), start.elapsed()), (4, Duration::from_secs(21)));
    let error = client
        .get_object(get())
        .retry_policy(policy())
        .retry_attempts(2)
        .await
        .unwrap_err();
    assert_eq!((error.attempts(), transport.sent().len()), (2, 7));
}

#[tokio::test(start_paused = true)]
async fn waiting_for_bandwidth_is_not_silence() {
    let data = || Bytes::from(vec![7; 100_000]);
    let transport = FakeTransport::new([
        ok().into(),
        Answer::chunks(200, Some(100_000), [Chunk::Data(data())])
            .header("etag", "\"E\"")
            .into(),
        ok().into(),
    ]);
    let client = client(&transport, |config| {
        config
            .idle_timeout(Duration::from_secs(1))
            .upload_limit(Bandwidth::bytes_per_second(1000))
    });
    let start = monotonic();
    client.put_object(put(data())).await.unwrap();
    assert!((97..101).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    assert_eq!(transport.sent()[0].body, data());

    let start = monotonic();
    let call = client
        .get_object(get())
        .download_limit(Bandwidth::bytes_per_second(200));
    assert_eq!(call.await.unwrap().body.bytes().await.unwrap(), data());
    assert!((490..501).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());

    let error = client
        .put_object(put("hi"))
        .upload_limit(Bandwidth::bytes_per_second(0))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.member(), error.message()),
        (ErrorKind::InvalidInput, Some("upload_limit"), "must be more than zero")
    );
    // The lower of both counts, and a deadline ends the wait.
    let error = client
        .put_object(put(data()))
        .upload_limit(Bandwidth::bytes_per_second(1))
        .timeout(Duration::from_secs(30))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.message()),
        (ErrorKind::Timeout, "the deadline of the call passed")
    );
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_slow_from_the_start_is_not_silence_either() {
    let transport = FakeTransport::new([ok().into()]);
    let client = client(&transport, |config| config.idle_timeout(Duration::from_secs(1)));
    let (mut writer, reader) = tokio::io::duplex(16);
    tokio::spawn(async move {
        tokio::time::sleep(LONG).await;
        tokio::io::AsyncWriteExt::write_all(&mut writer, b"hi").await.unwrap();
    });
    client.put_object(put(Body::from_reader(reader, 2))).await.unwrap();
    assert_eq!(transport.sent()[0].body, "hi");
}

/// Signs with a word, and says in which turn.
#[derive(Debug, Default)]
struct Word(AtomicU32);

impl Signer for Word {
    fn sign(&self, request: &SigningRequest<'_>, credentials: &Credentials) -> Result<Signature, SigningError> {
        let turn = self.0.fetch_add(1, Ordering::Relaxed);
        let text = format!(
            "{turn} {} {:?} {:?}",
            credentials.access_key_id(),
            request.bucket,
            request.key
        );
        let mut signature = Signature::default();
        let value = text.parse().unwrap();
        signature.headers.push((AUTHORIZATION, value));
        Ok(signature)
    }
}

#[tokio::test(start_paused = true)]
async fn a_signer_of_the_callers_signs_every_attempt() {
    let transport = FakeTransport::new([Answer::error(503, "X").into(), ok().into()]);
    let client = client(&transport, |config| config.signer(Word::default()));
    client.put_object(put("hi")).await.unwrap();
    let sent = transport.sent();
    let signed: Vec<_> = sent.iter().map(|sent| sent.header("authorization").unwrap()).collect();
    let expected = [
        "0 ak Some(\"bucket\") Some(\"key.txt\")",
        "1 ak Some(\"bucket\") Some(\"key.txt\")",
    ];
    assert_eq!(signed, expected);
    assert_eq!(sent[0].header("x-oss-date"), None);
}
