//! Downloads against a transport that plays scripts: continued, verified, saved, or failed.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncReadExt;

use crate::body::{Body, ResponseBody};
use crate::checksum::Crc64;
use crate::error::{Error, ErrorKind};
use crate::fake::{Answer, Chunk, FakeTransport, LONG, Sent, Step};
use crate::operations::{GetObjectRequest, GetObjectResult};
use crate::time::monotonic;
use crate::{Client, OperationInput};

const CONTENT: &[u8] = b"0123456789";

fn crc() -> String {
    Crc64::of(CONTENT).to_string()
}

fn data(text: &'static str) -> Chunk {
    Chunk::Data(text.into())
}

fn whole(chunks: impl IntoIterator<Item = Chunk>) -> Answer {
    Answer::chunks(200, Some(10), chunks)
        .header("etag", "\"E\"")
        .header("x-oss-hash-crc64ecma", &crc())
}

/// The rest of the content, as a service gives it that keeps to the range it is asked for.
fn rest(sent: &Sent) -> Answer {
    let range = sent.header("range").unwrap().strip_prefix("bytes=").unwrap();
    let (first, last) = range.split_once('-').unwrap();
    let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
    Answer::new(206, &CONTENT[first..=last])
        .header("etag", "\"E\"")
        .header("content-range", &format!("bytes {first}-{last}/10"))
        .header("x-oss-hash-crc64ecma", &crc())
}

async fn get(transport: &FakeTransport) -> GetObjectResult {
    transport
        .client()
        .get_object(GetObjectRequest::new("bucket", "key"))
        .await
        .unwrap()
}

async fn read(steps: impl IntoIterator<Item = Step>) -> (Result<Bytes, Error>, FakeTransport) {
    let transport = FakeTransport::new(steps);
    let object = get(&transport).await;
    (object.body.bytes().await, transport)
}

#[tokio::test(start_paused = true)]
async fn a_broken_download_continues_where_it_broke() {
    for broken in [
        vec![data("0123"), Chunk::Break],
        vec![data("0123")],
        vec![data("0123"), Chunk::Hang],
    ] {
        let (read, transport) = read([whole(broken).into(), Step::with(rest)]).await;
        assert_eq!(read.unwrap(), CONTENT);
        let sent = transport.sent();
        assert_eq!((sent[0].header("range"), sent[0].header("if-match")), (None, None));
        assert_eq!(
            (sent[1].header("range"), sent[1].header("if-match")),
            (Some("bytes=4-9"), Some("\"E\""))
        );
        assert!(sent[1].header("authorization").is_some());
        assert_eq!(sent[0].url, sent[1].url);
    }
}

#[tokio::test(start_paused = true)]
async fn a_broken_part_of_an_object_continues_within_its_range() {
    let part = Answer::chunks(206, Some(6), [data("23"), Chunk::Break])
        .header("etag", "\"E\"")
        .header("content-range", "bytes 2-7/10")
        .header("x-oss-hash-crc64ecma", &crc());
    let transport = FakeTransport::new([part.into(), Step::with(rest)]);
    let request = GetObjectRequest::new("bucket", "key").range_header("bytes=2-7");
    let object = transport.client().get_object(request).await.unwrap();
    assert_eq!(object.body.bytes().await.unwrap(), "234567");
    assert_eq!(transport.sent()[1].header("range"), Some("bytes=4-7"));
}

#[tokio::test(start_paused = true)]
async fn a_download_that_gets_nowhere_is_given_up() {
    let broken = || whole([data("0123"), Chunk::Break]).into();
    let empty = || {
        Step::with(|sent: &Sent| {
            let mut answer = Answer::chunks(206, Some(6), [Chunk::Break]).header("etag", "\"E\"");
            if sent.header("range") == Some("bytes=4-9") {
                answer = answer.header("content-range", "bytes 4-9/10");
            }
            answer
        })
    };
    let (read, transport) = read([broken(), empty(), empty(), empty()]).await;
    let error = read.unwrap_err();
    assert_eq!(
        (error.kind(), error.operation()),
        (ErrorKind::Transport, Some("GetObject"))
    );
    assert!(error.to_string().contains("broke off after 4 of 10 bytes"), "{error}");
    assert_eq!(transport.sent().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_changed_object_is_not_put_together_from_two() {
    let broken = || whole([data("0123"), Chunk::Break]).into();
    let rows: [Answer; 4] = [
        Answer::error(412, "PreconditionFailed"),
        Answer::new(206, "456789")
            .header("etag", "\"F\"")
            .header("content-range", "bytes 4-9/10"),
        Answer::new(206, "567890")
            .header("etag", "\"E\"")
            .header("content-range", "bytes 5-10/20"),
        Answer::new(200, CONTENT).header("etag", "\"E\""),
    ];
    for answer in rows {
        let (read, _) = read([broken(), answer.into()]).await;
        let error = read.unwrap_err();
        assert_eq!(
            (error.kind(), error.is_retryable()),
            (ErrorKind::Transport, false),
            "{error}"
        );
        assert!(std::error::Error::source(&error).is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_tag_or_for_processed_content_nothing_is_continued() {
    let transport = FakeTransport::new([Answer::chunks(200, Some(10), [data("0123"), Chunk::Break]).into()]);
    let error = get(&transport).await.body.bytes().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);

    let transport = FakeTransport::new([whole([data("0123"), Chunk::Break]).into()]);
    let request = GetObjectRequest::new("bucket", "key").process("image/resize,w_1");
    let object = transport.client().get_object(request).await.unwrap();
    assert_eq!(object.body.bytes().await.unwrap_err().kind(), ErrorKind::Transport);
}

#[tokio::test(start_paused = true)]
async fn whole_objects_are_compared_with_their_checksum_on_every_path() {
    let wrong = || whole([data("01234"), data("56780")]);
    let (read, _) = read([wrong().into()]).await;
    assert_eq!(read.unwrap_err().kind(), ErrorKind::ChecksumMismatch);

    let transport = FakeTransport::new([wrong().into(), wrong().into(), wrong().into()]);
    let mut reader = get(&transport).await.body;
    let mut text = String::new();
    let error = reader.read_to_string(&mut text).await.unwrap_err();
    let error = error.get_ref().unwrap().downcast_ref::<Error>().unwrap();
    assert_eq!(error.kind(), ErrorKind::ChecksumMismatch);
    assert!(
        reader.read_to_string(&mut text).await.is_err(),
        "a failed payload never looks complete"
    );

    let mut sink = Vec::new();
    let error = get(&transport).await.body.write_to(&mut sink).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ChecksumMismatch);

    let client = Client::new(transport.config().disable_download_crc64_check(true)).unwrap();
    let object = client.get_object(GetObjectRequest::new("bucket", "key")).await.unwrap();
    assert_eq!(object.body.text().await.unwrap(), "0123456780");
}

#[tokio::test(start_paused = true)]
async fn parts_are_not_compared_with_the_checksum_of_the_whole() {
    let part = Answer::new(206, "2345")
        .header("content-range", "bytes 2-5/10")
        .header("x-oss-hash-crc64ecma", &crc());
    let (read_part, _) = read([part.into()]).await;
    assert_eq!(read_part.unwrap(), "2345");

    let all = Answer::new(206, "0123456780")
        .header("content-range", "bytes 0-9/10")
        .header("x-oss-hash-crc64ecma", &crc());
    let (read_all, _) = read([all.into()]).await;
    assert_eq!(read_all.unwrap_err().kind(), ErrorKind::ChecksumMismatch);
}

#[tokio::test(start_paused = true)]
async fn a_payload_longer_than_declared_is_an_error() {
    let (read, _) = read([whole([data("01234567"), data("89ab")]).into()]).await;
    assert_eq!(read.unwrap_err().kind(), ErrorKind::Transport);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_covers_the_payload_and_slow_readers_are_not_silence() {
    let transport = FakeTransport::new([
        whole([data("0123"), Chunk::Hang]).into(),
        whole([data("0123456789")]).into(),
    ]);
    let client = transport.client();
    let request = GetObjectRequest::new("bucket", "key");
    let object = client
        .get_object(request.clone())
        .timeout(Duration::from_secs(5))
        .await
        .unwrap();
    let start = monotonic();
    assert_eq!(object.body.bytes().await.unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(start.elapsed(), Duration::from_secs(5));

    let object = client.get_object(request).await.unwrap();
    tokio::time::sleep(LONG).await;
    assert_eq!(object.body.bytes().await.unwrap(), CONTENT);
}

#[tokio::test(start_paused = true)]
async fn progress_of_a_download_goes_on_over_a_break() {
    let transport = FakeTransport::new([whole([data("0123"), Chunk::Break]).into(), Step::with(rest)]);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    let object = transport
        .client()
        .get_object(GetObjectRequest::new("bucket", "key"))
        .on_progress(move |progress| sink.lock().unwrap().push((progress.transferred, progress.total)))
        .await
        .unwrap();
    object.body.bytes().await.unwrap();
    assert_eq!(*seen.lock().unwrap(), [(4, Some(10)), (10, Some(10))]);
}

fn names(directory: &std::path::Path) -> Vec<String> {
    std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[tokio::test]
async fn a_file_has_its_name_only_when_it_is_complete_and_verified() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.bin");
    std::fs::write(&path, "old").unwrap();

    let transport = FakeTransport::new([
        whole([data("01234"), data("56780")]).into(),
        Answer::chunks(200, Some(10), [data("0123"), Chunk::Break]).into(),
        whole([data("01234"), data("56789")]).into(),
    ]);
    for kind in [ErrorKind::ChecksumMismatch, ErrorKind::Transport] {
        let error = get(&transport).await.body.save_to(&path).await.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert_eq!(names(directory.path()), ["a.bin"]);
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
    }
    assert_eq!(get(&transport).await.body.save_durably_to(&path).await.unwrap(), 10);
    assert_eq!(names(directory.path()), ["a.bin"]);
    assert_eq!(std::fs::read(&path).unwrap(), CONTENT);

    for bad in [
        directory.path().to_owned(),
        directory.path().join("no/such/a.bin"),
        "/".into(),
    ] {
        let error = ResponseBody::from(Bytes::from_static(CONTENT))
            .save_to(bad)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
    }
}

#[tokio::test]
async fn a_dropped_download_leaves_no_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.bin");
    let transport = FakeTransport::new([whole([data("0123"), Chunk::Hang]).into()]);
    let saving = get(&transport).await.body.save_to(path);
    let ended = tokio::time::timeout(Duration::from_millis(50), saving).await;
    assert!(ended.is_err());
    assert!(names(directory.path()).is_empty());
}

#[tokio::test]
async fn files_are_sent_whole_in_part_and_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.html");
    let content: Vec<u8> = (0..1_300_000_u32).map(|number| number as u8).collect();
    std::fs::write(&path, &content).unwrap();
    let transport = FakeTransport::new([
        Answer::error(500, "InternalError").into(),
        Answer::new(200, "").into(),
        Answer::new(200, "").into(),
    ]);
    let client = transport.client();
    let request = crate::PutObjectRequest::new("bucket", "key");
    client.put_object_from_file(request.clone(), &path).await.unwrap();
    client
        .put_object(request.clone().body(Body::from_file_range(&path, 10..20)))
        .await
        .unwrap();
    let sent = transport.sent();
    assert!(sent[0].body == content && sent[1].body == content && sent[2].body == content[10..20]);
    assert_eq!(
        (sent[1].header("content-length"), sent[2].header("content-length")),
        (Some("1300000"), Some("10"))
    );
    assert_eq!(sent[1].header("content-type"), Some("text/html"));

    let beyond = Body::from_file_range(&path, 10..2_000_000);
    let error = client.put_object(request.clone().body(beyond)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Body);
    let error = client
        .put_object(request.body(Body::from_file(directory.path())))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Body);
    assert_eq!(transport.sent().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn any_operation_can_be_invoked_untyped() {
    let transport = FakeTransport::new([whole([data("0123456789")]).header("x-oss-request-id", "R7").into()]);
    let input = OperationInput::new("GetObject", http::Method::GET)
        .bucket("bucket")
        .key("a b")
        .query_flag("acl")
        .check_download_crc64();
    let output = transport.client().invoke_operation(input).await.unwrap();
    assert_eq!((output.status().as_u16(), output.request_id()), (200, "R7"));
    assert_eq!(output.body.bytes().await.unwrap(), CONTENT);
    assert_eq!(
        transport.sent()[0].url,
        "https://bucket.oss-cn-hangzhou.aliyuncs.com/a%20b?acl"
    );
}
