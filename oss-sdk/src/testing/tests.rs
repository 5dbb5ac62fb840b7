//! What a script and a tape give, what they refuse, and what never gets onto a tape.

use std::panic::{AssertUnwindSafe, catch_unwind};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::*;
use crate::error::ErrorKind;
use crate::transport::TransportErrorKind;
use crate::{
    DeleteObjectRequest, GetBucketAclRequest, GetObjectRequest, HeadObjectRequest, ListObjectsV2Request,
    PutObjectRequest,
};

fn get(key: &str) -> GetObjectRequest {
    GetObjectRequest::new("bucket", key)
}

fn panics(work: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(work)).unwrap_err();
    panic.downcast_ref::<String>().unwrap().clone()
}

#[tokio::test]
async fn steps_are_taken_by_what_is_asked_and_in_order() {
    let transport = ScriptedTransport::new([
        Answer::ok("first of b").when(|request| request.path() == "/b"),
        Answer::ok("first").into(),
        Step::with(|request| Answer::ok(request.path().to_owned())),
        Answer::error(404, "NoSuchKey").always(),
    ]);
    let client = transport.client();
    let mut texts = Vec::new();
    for key in ["a", "b", "a", "b", "b"] {
        texts.push(match client.get_object(get(key)).await {
            Ok(object) => object.body.text().await.unwrap(),
            Err(error) => error.code().unwrap().to_owned(),
        });
    }
    assert_eq!(texts, ["first", "first of b", "/a", "NoSuchKey", "NoSuchKey"]);
    transport.assert_finished();
}

#[tokio::test]
async fn what_was_sent_is_remembered() {
    let transport = ScriptedTransport::default();
    transport.then(Answer::ok(""));
    let client = transport.client();
    let request = PutObjectRequest::new("bucket", "a key/ü").body("content");
    client
        .put_object(request)
        .query("x", "1 2")
        .query_flag("flag")
        .await
        .unwrap();
    let sent = transport.sent().remove(0);
    assert_eq!(sent.method, http::Method::PUT);
    assert_eq!(sent.path(), "/a%20key/%C3%BC");
    assert_eq!(sent.query("x").as_deref(), Some("1 2"));
    assert_eq!((sent.query("flag").as_deref(), sent.query("y")), (Some(""), None));
    assert_eq!(sent.body, "content");
    assert!(sent.header("date").is_some() || sent.header("x-oss-date").is_some());
    assert!(!format!("{sent:?}").contains("Signature="), "{sent:?}");
}

#[tokio::test]
async fn a_script_that_is_not_followed_is_reported() {
    let transport = ScriptedTransport::new([Answer::ok("").when(|request| request.path() == "/never")]);
    let message = panics(|| transport.assert_finished());
    assert!(message.contains("steps left [When"), "{message}");
    let error = transport.client().get_object(get("other")).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Transport, 1), "{error}");
    let message = panics(|| transport.assert_finished());
    assert!(message.contains("GET /other"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn connections_fail_break_and_fall_silent() {
    let transport = ScriptedTransport::new([
        Step::Fail(TransportErrorKind::Dns),
        Answer::ok("0123").break_after(2).into(),
        Answer::ok("0123").hang_after(2).into(),
        Step::Hang,
    ]);
    let client = Client::new(transport.config().retry_attempts(1)).unwrap();
    let error = client.get_object(get("k")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
    // Without an ETag a broken payload cannot be continued.
    let object = client.get_object(get("k")).await.unwrap();
    assert_eq!(object.body.bytes().await.unwrap_err().kind(), ErrorKind::Transport);
    let object = client.get_object(get("k")).await.unwrap();
    assert_eq!(object.body.bytes().await.unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(
        client.get_object(get("k")).await.unwrap_err().kind(),
        ErrorKind::Timeout
    );
    transport.assert_finished();
}

/// A recording of what a script answered, and the calls that made it.
async fn recorded() -> Tape {
    let script = ScriptedTransport::new([
        Answer::ok("").header("x-oss-request-id", "R1").into(),
        Answer::ok("two\nlines\n").header("etag", "\"A\"").into(),
        Answer::ok(&[0_u8, 159, 255, 13, 10][..]).into(),
        Answer::error(403, "AccessDenied").into(),
        Step::Fail(TransportErrorKind::Closed),
        Answer::ok("0123456789").header("etag", "\"B\"").break_after(4).into(),
        Answer::new(206, "456789")
            .header("etag", "\"B\"")
            .header("content-range", "bytes 4-9/10")
            .into(),
    ]);
    let recorder = Recorder::new(script.clone());
    let client = Client::new(config(recorder.clone())).unwrap();
    play(&client).await;
    script.assert_finished();
    recorder.tape()
}

/// Calls, and what they have to give.
async fn play(client: &Client) {
    client
        .put_object(PutObjectRequest::new("bucket", "k").body("x"))
        .await
        .unwrap();
    let texts = client.get_object(get("text")).query("versionId", "1").await.unwrap();
    assert_eq!(texts.body.text().await.unwrap(), "two\nlines\n");
    let bytes = client.get_object(get("bytes")).await.unwrap();
    assert_eq!(bytes.body.bytes().await.unwrap(), &[0_u8, 159, 255, 13, 10][..]);
    let error = client
        .get_bucket_acl(GetBucketAclRequest::new("bucket"))
        .await
        .unwrap_err();
    assert!(error.is_access_denied(), "{error}");
    let error = client
        .delete_object(DeleteObjectRequest::new("bucket", "k"))
        .retry_attempts(1)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
    let broken = client.get_object(get("broken")).await.unwrap();
    assert_eq!(broken.body.text().await.unwrap(), "0123456789");
}

#[tokio::test(start_paused = true)]
async fn a_recording_is_played_back() {
    let tape = recorded().await;
    let replay = Replay::new(tape.clone());
    play(&replay.client()).await;
    replay.assert_finished();
    // And once more from its text.
    let read: Tape = tape.to_string().parse().unwrap();
    assert_eq!(read, tape, "{tape}");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.tape");
    tape.save(&path).unwrap();
    let replay = Replay::load(path).unwrap();
    play(&replay.client()).await;
    replay.assert_finished();
}

#[tokio::test(start_paused = true)]
async fn a_tape_is_a_text_for_people() {
    let text = recorded().await.to_string();
    for line in [
        "oss-sdk tape 1\n",
        "\n> GET https://bucket.oss-cn-hangzhou.aliyuncs.com/text?versionId=1\n< 200\n< etag: \"A\"\n< content-length: 10\n| two\n| lines\n| \n",
        "\n= AJ//DQo=\n",
        "\n> DELETE https://bucket.oss-cn-hangzhou.aliyuncs.com/k\n! closed\n",
        "\n| 0123\n! closed\n",
    ] {
        assert!(text.contains(line), "{line:?} is not in {text}");
    }
}

#[tokio::test]
async fn a_request_is_found_by_method_path_and_query() {
    let tape: Tape = "oss-sdk tape 1\n\n\
        > GET https://one.example.com/k?a=1&b=2\n< 200\n| one\n\n\
        > GET https://bucket.oss-cn-hangzhou.aliyuncs.com/k?a=1&b=2\n< 200\n| two\n"
        .parse()
        .unwrap();
    let replay = Replay::new(tape);
    let client = replay.client();
    let read = async || {
        let call = client.get_object(get("k")).query("b", "2").query("a", "1");
        call.await.unwrap().body.text().await.unwrap()
    };
    assert_eq!(read().await, "two", "the same host comes first");
    assert_eq!(read().await, "one");
    let error = client.get_object(get("k")).query("a", "1").await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Transport, 1), "{error}");
    let message = panics(|| replay.assert_finished());
    assert!(message.contains("/k?a=1"), "{message}");
}

#[tokio::test]
async fn nothing_secret_gets_onto_a_tape() {
    let document = "<Error><Code>SignatureDoesNotMatch</Code><SignatureProvided>5ec4e7</SignatureProvided>\
        <StringToSign>x-oss-security-token:5ec4e7</StringToSign><SecurityToken>5ec4e7</SecurityToken></Error>";
    let json = r#"{"Credentials": {"AccessKeySecret": "5ec4e7", "SecurityToken" : "a\"5ec4e7", "Expiration": "x"}}"#;
    let script = ScriptedTransport::new([
        Answer::new(403, document)
            .header("x-oss-security-token", "5ec4e7")
            .into(),
        Answer::new(403, "")
            .header("x-oss-err", &BASE64.encode(document))
            .into(),
        Answer::ok(json)
            .header("content-length", "9999")
            .header("set-cookie", "5ec4e7")
            .into(),
    ]);
    let recorder = Recorder::new(script.clone());
    let credentials = Credentials::new("ak", "5ec4e7").with_security_token("5ec4e7");
    let client = Client::new(config(recorder.clone()).credentials(credentials)).unwrap();
    assert!(client.get_object(get("k")).await.is_err());
    assert!(client.head_object(HeadObjectRequest::new("bucket", "k")).await.is_err());
    // A signature in the query is none of the recording's either.
    let call = client
        .get_object(get("k"))
        .query("security-token", "5ec4e7")
        .query("Signature", "5ec4e7");
    call.await.unwrap().body.bytes().await.unwrap();
    let text = recorder.tape().to_string();
    assert!(!text.contains("5ec4e7") && !text.contains("9999"), "{text}");
    assert!(
        text.contains(
            r#"{"Credentials": {"AccessKeySecret":"redacted", "SecurityToken":"redacted", "Expiration": "x"}}"#
        ),
        "{text}"
    );
    assert!(
        text.contains("<SignatureProvided>redacted</SignatureProvided>"),
        "{text}"
    );
    let encoded = text.split("x-oss-err: ").nth(1).unwrap().lines().next().unwrap();
    let decoded = String::from_utf8(BASE64.decode(encoded).unwrap()).unwrap();
    assert!(
        decoded.contains("SignatureDoesNotMatch") && !decoded.contains("5ec4e7"),
        "{decoded}"
    );
    let debug = format!("{recorder:?}");
    assert!(!debug.contains("5ec4e7"), "{debug}");
}

#[tokio::test]
async fn a_payload_that_is_given_up_is_one_that_broke_off() {
    let script = ScriptedTransport::new([
        Answer::ok("0123456789").into(),
        Answer::ok("<ListBucketResult><Name>bucket</Name></ListBucketResult>").into(),
    ]);
    let recorder = Recorder::new(script);
    let client = Client::new(config(recorder.clone())).unwrap();
    drop(client.get_object(get("k")).await.unwrap());
    client
        .list_objects_v2(ListObjectsV2Request::new("bucket"))
        .await
        .unwrap();
    let text = recorder.tape().to_string();
    assert_eq!(text.matches("! closed").count(), 1, "{text}");
}

#[test]
fn what_is_no_tape_is_refused_with_its_line() {
    for (text, part) in [
        ("", "begins with"),
        ("oss-sdk tape 2\n", "begins with"),
        ("oss-sdk tape 1\n< 200\n", "line 2"),
        ("oss-sdk tape 1\n> GET\n", "line 2"),
        ("oss-sdk tape 1\n> GET http://a/\n< ok\n", "line 3"),
        ("oss-sdk tape 1\n> GET http://a/\n< 200\n< no header\n", "line 4"),
        ("oss-sdk tape 1\n> GET http://a/\n< 200\n= ???\n", "line 4"),
        ("oss-sdk tape 1\n> GET http://a/\n! tired\n", "line 3"),
        ("oss-sdk tape 1\n> GET http://a/\nü\n", "line 3"),
        ("oss-sdk tape 1\n> GET http://a/\n", "no answer to GET http://a/"),
    ] {
        let error = text.parse::<Tape>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{text:?}");
        assert!(error.to_string().contains(part), "{text:?}: {error}");
    }
    assert_eq!(Tape::load("/does/not/exist").unwrap_err().kind(), ErrorKind::Io);
}

#[test]
fn answers_that_http_does_not_know_are_refused_where_they_are_written() {
    assert!(panics(|| drop(Answer::new(42, ""))).contains("42"));
    assert!(panics(|| drop(Answer::ok("").header("a b", "c"))).contains("a b"));
}

#[tokio::test]
async fn a_condition_may_look_at_the_transport() {
    let transport = ScriptedTransport::default();
    let seen = transport.clone();
    transport.then(Step::from(Answer::new(200, "first")).when(move |_| seen.sent().is_empty()));
    transport.then(Answer::new(200, "second"));
    let client = transport.client();
    for text in ["first", "second"] {
        let got = client.get_object(GetObjectRequest::new("bucket", "k")).await.unwrap();
        assert_eq!(got.body.text().await.unwrap(), text);
    }
    transport.assert_finished();
}

#[test]
fn a_name_of_a_secret_that_is_a_text_is_left_alone() {
    let body = br#"{"Code":"SecurityToken","SecurityToken" : "hidden","x":1}"#;
    let (_, clean) = redact::answer("https://host/", &http::HeaderMap::new(), body);
    assert_eq!(clean, r#"{"Code":"SecurityToken","SecurityToken":"redacted","x":1}"#);
    let (_, clean) = redact::answer(
        "http://100.100.100.200/latest/api/token",
        &http::HeaderMap::new(),
        b"AQAAA==",
    );
    assert_eq!(clean, "redacted");
}
