//! Blocking calls over scripts: what they give, where they can be made, and what ends them.

use std::future::IntoFuture as _;
use std::io::{self, BufRead, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use bytes::Bytes;

use super::worker::block_on;
use super::{Client, ResponseBody};
use crate::body::Body;
use crate::cancellation::CancellationToken;
use crate::error::{Error, ErrorKind};
use crate::fake::{Answer, Chunk, FakeTransport, Step};
use crate::{GetObjectRequest, HeadObjectRequest, ListObjectsV2Request, PutObjectRequest};

fn client(steps: impl IntoIterator<Item = Step>) -> (Client, FakeTransport) {
    let transport = FakeTransport::new(steps);
    (transport.client().into(), transport)
}

fn get() -> GetObjectRequest {
    GetObjectRequest::new("bucket", "k")
}

fn page(keys: &[&str], next: Option<&str>) -> Step {
    let contents: String = keys
        .iter()
        .map(|key| {
            format!("<Contents><Key>{key}</Key><ETag>\"A\"</ETag><Size>1</Size><StorageClass>Standard</StorageClass><Type>Normal</Type><LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>")
        })
        .collect();
    let next = next.map_or_else(
        || "<IsTruncated>false</IsTruncated>".to_owned(),
        |next| format!("<IsTruncated>true</IsTruncated><NextContinuationToken>{next}</NextContinuationToken>"),
    );
    Answer::new(
        200,
        format!("<ListBucketResult><Name>bucket</Name>{contents}{next}</ListBucketResult>"),
    )
    .into()
}

/// An answer of so many chunks of one byte.
fn chunks(count: usize) -> Answer {
    let chunks = (0..count).map(|_| Chunk::Data(Bytes::from_static(b"x")));
    Answer::chunks(200, Some(count as u64), chunks)
}

#[test]
fn a_call_returns_when_it_is_done() {
    let (client, transport) = client([Answer::new(200, "").into(), Answer::new(200, "hi oss").into()]);
    client
        .put_object(PutObjectRequest::new("bucket", "k").body("hi oss"))
        .header("x-oss-note", "1")
        .send()
        .unwrap();
    let object = client.get_object(get()).send().unwrap();
    assert_eq!(object.body.into_blocking().text().unwrap(), "hi oss");
    let sent = transport.sent();
    assert_eq!(
        (sent[0].body.as_ref(), sent[0].header("x-oss-note")),
        (&b"hi oss"[..], Some("1"))
    );
}

#[tokio::test]
async fn calls_are_made_inside_a_runtime_too() {
    // More pieces than a task may take at once from what tokio makes.
    let (client, _transport) = client([chunks(1000).into(), chunks(1000).into()]);
    let read = |client: &Client| {
        client
            .get_object(get())
            .send()
            .unwrap()
            .body
            .into_blocking()
            .bytes()
            .unwrap()
    };
    assert_eq!(read(&client).len(), 1000);
    let in_a_task = tokio::spawn(async move { read(&client).len() });
    assert_eq!(in_a_task.await.unwrap(), 1000);
}

#[test]
fn a_wait_inside_a_task_is_not_starved_by_the_budget_of_the_task() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let task = tokio::spawn(async {
            block_on(async {
                let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
                for number in 0..1000 {
                    sender.send(number).unwrap();
                    receiver.recv().await.unwrap();
                }
                Ok::<_, Error>(())
            })
        });
        task.await.unwrap().unwrap();
    });
}

#[test]
fn many_threads_share_a_client() {
    let (client, transport) = client((0..320).map(|_| chunks(3).into()));
    thread::scope(|scope| {
        for _ in 0..32 {
            scope.spawn(|| {
                for _ in 0..10 {
                    let object = client.clone().get_object(get()).send().unwrap();
                    assert_eq!(object.body.into_blocking().bytes().unwrap(), "xxx");
                }
            });
        }
    });
    assert_eq!(transport.sent().len(), 320);
}

#[test]
fn listings_are_iterators() {
    let (client, transport) = client([page(&["a", "b"], Some("t")), page(&["c"], None)]);
    let request = ListObjectsV2Request::new("bucket");
    let keys: Result<Vec<String>, Error> = client
        .list_objects_v2(request)
        .items()
        .map(|object| object.map(|object| object.key))
        .collect();
    assert_eq!(keys.unwrap(), ["a", "b", "c"]);
    assert!(transport.sent()[1].url.contains("continuation-token=t"));
}

#[test]
fn an_iterator_ends_after_an_error_and_a_loop_can_go_on() {
    let (client, _transport) = client([
        page(&["a"], Some("t")),
        Answer::error(403, "AccessDenied").into(),
        page(&["b"], None),
    ]);
    let mut pages = client.list_objects_v2(ListObjectsV2Request::new("bucket")).paginate();
    assert_eq!(pages.next().unwrap().unwrap().contents.len(), 1);
    assert!(pages.next().unwrap().unwrap_err().is_access_denied());
    assert!(pages.next().is_none());
    assert_eq!(pages.next_request().continuation_token.as_deref(), Some("t"));
    assert_eq!(pages.try_next().unwrap().unwrap().contents[0].key, "b");
    assert!(pages.try_next().unwrap().is_none());
}

#[test]
fn waits_and_convenience_return_when_they_are_done() {
    let (client, _transport) = client([
        Answer::error(404, "NoSuchKey").into(),
        Answer::new(200, "").header("content-length", "0").into(),
        Answer::error(404, "NoSuchKey").into(),
    ]);
    client
        .wait_until_object_exists(HeadObjectRequest::new("bucket", "k"))
        .delay(Duration::from_millis(1))
        .wait()
        .unwrap();
    assert!(!client.object_exists("bucket", "k").unwrap());
    let url = client.get_object(get()).presign(Duration::from_secs(60)).unwrap().url;
    assert!(url.contains("x-oss-signature="), "{url}");
}

#[test]
fn a_payload_is_a_reader_of_lines_and_bytes() {
    let text = "first\nsecond\nrest of it";
    let (client, _transport) = client([Answer::new(200, text).into()]);
    let mut body = client.get_object(get()).send().unwrap().body.into_blocking();
    assert_eq!(body.content_length(), Some(text.len() as u64));
    let mut line = String::new();
    body.read_line(&mut line).unwrap();
    assert_eq!(line, "first\n");
    let mut three = [0; 3];
    body.read_exact(&mut three).unwrap();
    assert_eq!(&three, b"sec");
    let mut rest = Vec::new();
    assert_eq!(body.write_to(&mut rest).unwrap(), 14);
    assert_eq!(rest, b"ond\nrest of it");
}

#[test]
fn what_was_not_read_is_handed_on() {
    let mut body = ResponseBody::from(crate::ResponseBody::from(Bytes::from_static(b"0123456789")));
    body.read_exact(&mut [0; 4]).unwrap();
    assert_eq!(body.bytes().unwrap(), "456789");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    let mut body = ResponseBody::from(crate::ResponseBody::from(Bytes::from_static(b"0123456789")));
    body.read_exact(&mut [0; 9]).unwrap();
    assert_eq!(body.save_to(&path).unwrap(), 1);
    assert_eq!(std::fs::read(path).unwrap(), b"9");
}

#[tokio::test]
async fn what_was_read_in_part_without_blocking_is_handed_on() {
    let begun = async || {
        let mut body = crate::ResponseBody::from(Bytes::from_static(b"0123456789"));
        tokio::io::AsyncReadExt::read_exact(&mut body, &mut [0; 4])
            .await
            .unwrap();
        body.into_blocking()
    };
    let mut text = String::new();
    begun().await.read_to_string(&mut text).unwrap();
    assert_eq!(text, "456789");
    assert_eq!(begun().await.bytes().unwrap(), "456789");
    assert_eq!(begun().await.into_inner().bytes().await.unwrap(), "456789");
}

#[tokio::test]
async fn a_fetch_of_credentials_on_this_thread_holds_up_no_blocking_call() {
    use crate::time::Clock as _;
    let provider = crate::credentials::from_fn(|| async {
        tokio::task::yield_now().await;
        let end = crate::Timestamp::from(crate::SystemClock.now()).saturating_add(Duration::from_secs(3600));
        Ok(crate::Credentials::new("id", "secret").with_expiration(end))
    });
    let transport = FakeTransport::new([Answer::new(200, "").into(), Answer::new(200, "").into()]);
    let client = crate::Client::builder()
        .region("cn-hangzhou")
        .credentials_provider(provider)
        .transport(transport)
        .build()
        .unwrap();
    let put = || PutObjectRequest::new("bucket", "k");
    let mut first = client.put_object(put()).into_future();
    assert!(
        futures_util::poll!(&mut first).is_pending(),
        "it waits for the credentials"
    );
    Client::from(&client).put_object(put()).send().unwrap();
    first.await.unwrap();
}

#[test]
fn a_payload_that_breaks_off_fails_the_reader() {
    let broken = Answer::chunks(200, Some(9), [Chunk::Data("four".into()), Chunk::Break]);
    let (client, _transport) = client([broken.into()]);
    let request = crate::OperationInput::new("GetThing", http::Method::GET).bucket("bucket");
    let mut body = client.invoke_operation(request).send().unwrap().body.into_blocking();
    let error = io::copy(&mut body, &mut io::sink()).unwrap_err();
    let error = error.get_ref().unwrap().downcast_ref::<Error>().unwrap();
    assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
}

#[test]
fn a_reader_is_sent_block_by_block() {
    let (client, transport) = client([Answer::new(200, "").into(), Answer::new(200, "").into()]);
    let content: Vec<u8> = (0..3_000_000_u32).map(|number| number as u8).collect();
    for length in [Some(3_000_000), None] {
        let body = Body::from_read(io::Cursor::new(content.clone()), length);
        client
            .put_object(PutObjectRequest::new("bucket", "k").body(body))
            .send()
            .unwrap();
    }
    assert!(transport.sent().iter().all(|sent| sent.body == content));
}

#[test]
fn a_reader_that_fails_or_panics_fails_its_call_only() {
    struct Bad(bool);
    impl Read for Bad {
        fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
            assert!(self.0, "a reader with a mistake");
            Err(io::Error::other("unplugged"))
        }
    }
    let (client, _transport) = client([
        Answer::new(200, "").into(),
        Answer::new(200, "").into(),
        Answer::new(200, "").into(),
    ]);
    let put = |body: Body| {
        client
            .put_object(PutObjectRequest::new("bucket", "k").body(body))
            .send()
    };
    for fails in [true, false] {
        let error = put(Body::from_read(Bad(fails), None)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Body, "{error}");
    }
    put("fine".into()).unwrap();
}

#[test]
fn a_timeout_ends_a_call_and_the_reading_of_its_answer() {
    let stalled = Answer::chunks(200, Some(2), [Chunk::Data("1".into()), Chunk::Hang]);
    let (client, _transport) = client([Step::Hang, stalled.into()]);
    let soon = Duration::from_millis(20);
    let error = client.get_object(get()).timeout(soon).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    let body = client
        .get_object(get())
        .timeout(soon)
        .send()
        .unwrap()
        .body
        .into_blocking();
    assert_eq!(body.bytes().unwrap_err().kind(), ErrorKind::Timeout);
}

#[test]
fn another_thread_can_cancel_a_call_or_shut_the_client_down() {
    let (client, transport) = client([Step::Hang, Step::Hang]);
    let token = CancellationToken::new();
    let until_sent = |count| {
        while transport.sent().len() < count {
            thread::yield_now();
        }
    };
    thread::scope(|scope| {
        let call = scope.spawn(|| client.get_object(get()).cancel_on(token.clone()).send());
        until_sent(1);
        token.cancel();
        assert_eq!(call.join().unwrap().unwrap_err().kind(), ErrorKind::Canceled);
        let call = scope.spawn(|| client.get_object(get()).send());
        until_sent(2);
        client.shutdown().wait().unwrap();
        assert_eq!(call.join().unwrap().unwrap_err().kind(), ErrorKind::Closed);
    });
    assert!(client.is_shut_down());
    assert_eq!(client.get_object(get()).send().unwrap_err().kind(), ErrorKind::Closed);
    client.resume();
    transport.then(Answer::ok("again"));
    client.get_object(get()).send().unwrap();
}

#[test]
fn a_panic_ends_its_call_and_no_other() {
    let panics = Step::with(|_| panic!("a transport with a mistake"));
    let (client, _transport) = client([panics, Answer::new(200, "fine").into()]);
    assert!(catch_unwind(AssertUnwindSafe(|| client.get_object(get()).send())).is_err());
    let object = client.get_object(get()).send().unwrap();
    assert_eq!(object.body.into_blocking().text().unwrap(), "fine");
}

#[test]
fn a_call_on_the_thread_of_the_connections_is_refused() {
    let (client, transport) = client([]);
    let call = async move { Ok::<_, Error>(client.get_object(get()).send()) };
    let refused = block_on(async { tokio::spawn(call).await.unwrap() })
        .unwrap()
        .unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Io, "{refused}");
    assert!(transport.sent().is_empty());
}

#[test]
fn the_end_of_a_wait_drops_what_it_waited_for() {
    struct Guard(Arc<AtomicUsize>);
    impl Drop for Guard {
        fn drop(&mut self) {
            // In the context of the runtime, so that a drop may spawn.
            assert!(tokio::runtime::Handle::try_current().is_ok());
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let dropped = Arc::new(AtomicUsize::new(0));
    let guard = Guard(Arc::clone(&dropped));
    let done = block_on(async {
        let _guard = guard;
        let forever = tokio::time::timeout(Duration::from_millis(1), std::future::pending::<()>());
        forever.await.map_err(|_| Error::new(ErrorKind::Timeout, "late"))
    });
    assert_eq!(done.unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(dropped.load(Ordering::SeqCst), 1);
}

#[test]
fn a_client_made_from_an_async_one_shares_its_state() {
    let transport = FakeTransport::new([]);
    let shared = transport.client();
    let client = Client::from(&shared);
    shared.shutdown();
    assert!(client.is_shut_down());
    assert!(client.as_async().is_shut_down());
    const fn crosses_threads<T: Send + Sync + Clone>() {}
    crosses_threads::<Client>();
}
