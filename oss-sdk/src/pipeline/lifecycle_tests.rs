//! What ends calls from outside, and what they leave behind.

use std::error::Error as _;
use std::time::Duration;

use crate::cancellation::CancellationToken;
use crate::client::Client;
use crate::error::{Error, ErrorKind};
use crate::fake::{Answer, Chunk, FakeTransport, LONG, Step};
use crate::operations::{DeleteObjectRequest, GetObjectRequest, ListObjectsV2Request};
use crate::time::monotonic;

fn get() -> GetObjectRequest {
    GetObjectRequest::new("bucket", "key")
}

fn page(next: Option<&str>) -> Step {
    let more = next.map_or(String::new(), |token| {
        format!("<NextContinuationToken>{token}</NextContinuationToken>")
    });
    let document = format!(
        "<ListBucketResult><Name>bucket</Name><IsTruncated>{}</IsTruncated>{more}</ListBucketResult>",
        next.is_some()
    );
    Answer::new(200, document).into()
}

#[tokio::test(start_paused = true)]
async fn a_client_goes_on_after_a_shutdown_and_what_it_ended_does_not() {
    let half = Answer::chunks(200, Some(4), [Chunk::Data("ab".into()), Chunk::Hang]);
    let transport = FakeTransport::new([half.into(), Step::Hang, Answer::new(204, "").into()]);
    let client = transport.client();
    let mut object = client.get_object(get()).await.unwrap();
    let call = tokio::spawn(client.get_object(get()).into_future());
    tokio::time::sleep(Duration::from_secs(1)).await;

    // Neither has a chance to notice before the client is taken up again.
    drop(client.shutdown());
    client.resume();
    assert!(!client.is_shut_down());
    assert_eq!(call.await.unwrap().unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(object.body.chunk().await.unwrap_err().kind(), ErrorKind::Closed);

    client
        .delete_object(DeleteObjectRequest::new("bucket", "key"))
        .await
        .unwrap();
    // Both can be said more than once.
    client.resume();
    drop(client.shutdown());
    drop(client.shutdown());
    assert!(client.is_shut_down());
    assert_eq!(client.get_object(get()).await.unwrap_err().kind(), ErrorKind::Closed);
    client.resume();
    assert!(!client.is_shut_down());
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_can_be_waited_for() {
    let transport = FakeTransport::new((0..100).map(|_| Step::Hang));
    let client = transport.client();
    // Nothing is under way: nothing to wait for.
    client.shutdown().await;
    client.resume();

    let calls: Vec<_> = (0..100)
        .map(|_| tokio::spawn(client.get_object(get()).into_future()))
        .collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(transport.sent().len(), 100);
    let start = monotonic();
    client.shutdown().await;
    assert_eq!(start.elapsed(), Duration::ZERO, "no answer was waited for");
    for call in calls {
        assert!(call.is_finished());
        assert_eq!(call.await.unwrap().unwrap_err().kind(), ErrorKind::Closed);
    }
    // It is told of calls that were given up, too.
    client.resume();
    let transport = FakeTransport::new([Step::Hang]);
    let client = transport.client();
    let mut held = Box::pin(client.get_object(get()).into_future());
    std::future::poll_fn(|cx| {
        assert!(held.as_mut().poll(cx).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
    let ended = client.shutdown();
    let ended = tokio::spawn(ended);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!ended.is_finished());
    drop(held);
    ended.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn one_token_ends_many_calls() {
    let transport = FakeTransport::new((0..20).map(|_| Step::Hang));
    let client = transport.client();
    let token = CancellationToken::new();
    let child = token.child();
    let calls: Vec<_> = (0..20)
        .map(|index| {
            let token = if index % 2 == 0 { &token } else { &child };
            tokio::spawn(client.get_object(get()).cancel_on(token).into_future())
        })
        .collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    token.cancel();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap_err().kind(), ErrorKind::Canceled);
    }
    // A token that was cancelled lets nothing begin.
    assert_eq!(
        client.get_object(get()).cancel_on(token).await.unwrap_err().kind(),
        ErrorKind::Canceled
    );
    assert_eq!(transport.sent().len(), 20);
}

#[tokio::test(start_paused = true)]
async fn a_listing_keeps_its_signal_for_all_pages() {
    let transport = FakeTransport::new([page(Some("t1")), page(Some("t2")), Step::Hang]);
    let client = transport.client();
    let token = CancellationToken::new();
    let mut pages = client
        .list_objects_v2(ListObjectsV2Request::new("bucket"))
        .cancel_on(&token)
        .paginate();
    assert!(pages.try_next().await.unwrap().is_some());
    assert!(pages.try_next().await.unwrap().is_some());
    token.cancel_after(Duration::from_secs(5));
    let start = monotonic();
    let error = pages.try_next().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.operation()),
        (ErrorKind::Canceled, Some("ListObjectsV2"))
    );
    assert_eq!(start.elapsed(), Duration::from_secs(5));
    // And between pages, where nothing is under way.
    assert_eq!(pages.try_next().await.unwrap_err().kind(), ErrorKind::Canceled);
    assert_eq!(transport.sent().len(), 3);

    // Any future will do, although it completes once only.
    let transport = FakeTransport::new([page(Some("t1")), page(None)]);
    let client = transport.client();
    let call = client.list_objects_v2(ListObjectsV2Request::new("bucket"));
    let mut pages = call.cancel_on(tokio::time::sleep(LONG)).paginate();
    while pages.try_next().await.unwrap().is_some() {}
    let ready = client
        .list_objects_v2(ListObjectsV2Request::new("bucket"))
        .cancel_on(std::future::ready(()));
    let mut pages = ready.paginate();
    for _ in 0..3 {
        assert_eq!(pages.try_next().await.unwrap_err().kind(), ErrorKind::Canceled);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_gives_its_request_up() {
    let transport = FakeTransport::new([Step::Hang, Answer::new(204, "").into()]);
    let client = Client::new(transport.config()).unwrap();
    let call = tokio::time::timeout(Duration::from_secs(1), client.get_object(get()));
    assert!(call.await.is_err());
    client
        .delete_object(DeleteObjectRequest::new("bucket", "key"))
        .await
        .unwrap();
    client.shutdown().await;
}

/// The attempts and the code of what a call was about to recover from when it was given up.
fn of_last(error: &Error) -> (u32, Option<&str>) {
    let last = error.source().and_then(|source| source.downcast_ref::<Error>());
    (error.attempts(), last.and_then(Error::code))
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_given_up_between_attempts_tells_of_those_it_made() {
    let busy = || -> Step { Answer::error(503, "Busy").header("retry-after", "30").into() };
    let transport = FakeTransport::new([busy(), busy()]);
    let client = transport.client();
    let token = CancellationToken::new();
    token.cancel_after(Duration::from_secs(1));
    let error = client.get_object(get()).cancel_on(&token).await.unwrap_err();
    assert_eq!(
        (error.kind(), of_last(&error)),
        (ErrorKind::Canceled, (1, Some("Busy")))
    );
    assert_eq!(error.elapsed(), Some(Duration::from_secs(1)));
    assert!(error.target().unwrap().starts_with("GET http"), "{error}");
    assert!(error.to_string().contains("attempt 1 of 3"), "{error}");

    let call = tokio::spawn(client.get_object(get()).into_future());
    tokio::time::sleep(Duration::from_secs(1)).await;
    client.shutdown().await;
    let error = call.await.unwrap().unwrap_err();
    assert_eq!((error.kind(), of_last(&error)), (ErrorKind::Closed, (1, Some("Busy"))));

    // A deadline in a later attempt.
    let transport = FakeTransport::new([Answer::error(503, "Busy").into(), Step::Hang]);
    let call = transport
        .client()
        .get_object(get())
        .timeout(Duration::from_secs(5))
        .await;
    let error = call.unwrap_err();
    assert_eq!((error.kind(), of_last(&error)), (ErrorKind::Timeout, (2, Some("Busy"))));
    // And in the first one, where there is nothing more to tell.
    let transport = FakeTransport::new([Step::Hang]);
    let call = transport
        .client()
        .get_object(get())
        .timeout(Duration::from_secs(5))
        .await;
    let error = call.unwrap_err();
    assert_eq!((error.kind(), of_last(&error)), (ErrorKind::Timeout, (1, None)));
}

#[tokio::test(start_paused = true)]
async fn each_of_several_signals_ends_a_call() {
    for cancelled in 0..3 {
        let transport = FakeTransport::new([Step::Hang]);
        let tokens = [(); 3].map(|()| CancellationToken::new());
        tokens[cancelled].cancel_after(Duration::from_secs(2));
        let client = transport.client();
        let call = tokens
            .iter()
            .fold(client.get_object(get()), |call, token| call.cancel_on(token));
        let start = monotonic();
        assert_eq!(call.await.unwrap_err().kind(), ErrorKind::Canceled);
        assert_eq!(start.elapsed(), Duration::from_secs(2), "{cancelled}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_attempt_begins_after_the_end_of_its_call() {
    let back_off = Duration::from_secs(30);
    let busy = Answer::error(503, "Busy").header("retry-after", "30");
    let transport = FakeTransport::new([busy.into(), Answer::new(200, "").into()]);
    // Both fall into one moment.
    let client = transport.client();
    let call = client.get_object(get()).cancel_on(tokio::time::sleep(back_off));
    assert_eq!(call.await.unwrap_err().kind(), ErrorKind::Canceled);
    assert_eq!(transport.sent().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_waits_for_no_call_that_begins_after_it() {
    let transport = FakeTransport::new([Step::Hang, Step::Hang]);
    let client = transport.client();
    let old = tokio::spawn(client.get_object(get()).into_future());
    tokio::time::sleep(Duration::from_secs(1)).await;
    let ended = client.shutdown();
    client.resume();
    let new = tokio::spawn(
        client
            .get_object(get())
            .cancel_on(tokio::time::sleep(LONG))
            .into_future(),
    );
    tokio::time::timeout(Duration::from_secs(10), ended).await.unwrap();
    assert!(old.is_finished() && !new.is_finished());
    // The next one is that of the new call.
    client.shutdown().await;
    assert!(new.is_finished());
}
