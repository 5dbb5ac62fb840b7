//! Calls that are given up leave nothing behind, and a shutdown waits for nobody.
//!
//! The service runs on threads of its own, so that the tasks of the client's runtime are the client's alone.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::future::{Future, IntoFuture, poll_fn};
use std::path::Path;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use oss_emulator::{Emulator, Fault, FaultAction};
use oss_sdk::{Body, Client, ErrorKind, GetObjectRequest, ListObjectsV2Request, PutBucketRequest, PutObjectRequest};
use oss_suite::fixture::{BUCKET, builder};
use oss_suite::random::Random;
use tokio::runtime::{Builder, Handle, Runtime};

/// An emulator with a runtime of its own.
struct Service {
    emulator: Option<Emulator>,
    runtime: Option<Runtime>,
}

impl Service {
    fn start() -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let emulator = runtime.block_on(Emulator::start()).unwrap();
        Service {
            emulator: Some(emulator),
            runtime: Some(runtime),
        }
    }

    fn emulator(&self) -> &Emulator {
        self.emulator.as_ref().unwrap()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.emulator.take();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Polls a future so many times, then drops it. Returns whether it got to its end.
async fn give_up_after<F: Future>(polls: u64, future: F) -> bool {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(_) => Poll::Ready(true),
            // Given up as soon as it has moved for the last time, not when it would move next.
            Poll::Pending if left == 0 => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// One call of a random kind, given up at a random point.
async fn one(client: &Client, directory: &Path, number: u64, random: u64) -> bool {
    let polls = random % 6;
    let get = || GetObjectRequest::new(BUCKET, "large");
    match (random >> 8) % 6 {
        0 => {
            let request = PutObjectRequest::new(BUCKET, format!("k{}", number % 50)).body("small");
            give_up_after(polls, client.put_object(request).into_future()).await
        }
        1 => {
            let chunks = stream::iter([b"0123456789abcdef"; 8]).map(|chunk| Ok::<_, std::io::Error>(chunk[..].into()));
            let body = Body::from_stream(chunks, Some(128));
            let request = PutObjectRequest::new(BUCKET, format!("k{}", number % 50)).body(body);
            give_up_after(polls, client.put_object(request).into_future()).await
        }
        2 => {
            let read = async {
                let mut object = client.get_object(get()).await.unwrap();
                while object.body.chunk().await.unwrap().is_some() {}
            };
            give_up_after(polls, read).await
        }
        3 => {
            let path = directory.join(format!("file{}", number % 20));
            give_up_after(polls, client.get_object_to_file(get(), path)).await
        }
        4 => {
            let request = GetObjectRequest::new(BUCKET, "missing");
            give_up_after(polls, client.get_object(request).into_future()).await
        }
        _ => {
            let list = async {
                let request = ListObjectsV2Request::new(BUCKET).max_keys(7);
                let mut pages = client.list_objects_v2(request).paginate();
                while pages.try_next().await.unwrap().is_some() {}
            };
            give_up_after(polls, list).await
        }
    }
}

/// Lets the runtime work until it has no task besides those given.
async fn until_alone(tasks: usize) {
    let metrics = Handle::current().metrics();
    let alone = async {
        while metrics.num_alive_tasks() > tasks {
            tokio::task::yield_now().await;
        }
    };
    let ended = tokio::time::timeout(Duration::from_secs(60), alone).await;
    assert!(ended.is_ok(), "{} tasks are alive", metrics.num_alive_tasks());
}

#[test]
fn ten_thousand_calls_that_are_given_up_leave_nothing_behind() {
    const CALLS: u64 = 10_000;
    const AT_ONCE: u64 = 20;
    let service = Service::start();
    let directory = tempfile::tempdir().unwrap();
    let content: Vec<u8> = Random::new(1).bytes(100_000);
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let client = builder(service.emulator()).build().unwrap();
    runtime.block_on(async {
        client.put_bucket(PutBucketRequest::new(BUCKET)).await.unwrap();
        client
            .put_object(PutObjectRequest::new(BUCKET, "large").body(content.clone()))
            .await
            .unwrap();
    });

    let random = Arc::new(Mutex::new(Random::new(0x0c5)));
    let (ended, given_up) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    runtime.block_on(async {
        let callers: Vec<_> = (0..AT_ONCE)
            .map(|caller| {
                let (client, directory) = (client.clone(), directory.path().to_owned());
                let (random, ended, given_up) = (Arc::clone(&random), Arc::clone(&ended), Arc::clone(&given_up));
                tokio::spawn(async move {
                    for number in 0..CALLS / AT_ONCE {
                        let chance = random.lock().unwrap().number();
                        let count = if one(&client, &directory, caller * 1000 + number, chance).await {
                            &ended
                        } else {
                            &given_up
                        };
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        for caller in callers {
            caller.await.unwrap();
        }
        // The pool works, for more calls at once than there were before.
        let reads = (0..2 * AT_ONCE).map(|_| async {
            let object = client.get_object(GetObjectRequest::new(BUCKET, "large")).await.unwrap();
            object.body.bytes().await.unwrap()
        });
        for read in futures_util::future::join_all(reads).await {
            assert!(read == content, "another object");
        }
        // No call is under way.
        client.shutdown().await;
    });
    // Both happened, or the points were badly chosen.
    let (ended, given_up) = (ended.load(Ordering::Relaxed), given_up.load(Ordering::Relaxed));
    assert_eq!(ended + given_up, CALLS as usize);
    assert!(
        ended > 500 && given_up > 5000,
        "{ended} ended, {given_up} were given up"
    );

    // What is left are idle connections, which go with the client.
    drop(client);
    runtime.block_on(until_alone(0));

    // Files that came whole have their names; of the others there is nothing.
    for entry in std::fs::read_dir(directory.path()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with("file"), "{name} was left behind");
        assert!(std::fs::read(&path).unwrap() == content, "{name} is not whole");
    }
}

#[test]
fn a_shutdown_under_load_waits_for_no_answer() {
    const CALLS: usize = 200;
    let service = Service::start();
    let emulator = service.emulator();
    let directory = tempfile::tempdir().unwrap();
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let client = builder(emulator).build().unwrap();
    runtime.block_on(async {
        client.put_bucket(PutBucketRequest::new(BUCKET)).await.unwrap();
        let request = PutObjectRequest::new(BUCKET, "large").body(vec![7; 3 << 20]);
        client.put_object(request).await.unwrap();
        // Answers would take longer than this test may.
        emulator.faults().add(
            Fault::new(FaultAction::StallBody(1 << 20))
                .operation("GetObject")
                .always(),
        );
        emulator.faults().add(
            Fault::new(FaultAction::Delay(Duration::from_secs(3600)))
                .operation("PutObject")
                .always(),
        );

        let calls: Vec<_> = (0..CALLS)
            .map(|index| {
                let client = client.clone();
                let path = directory.path().join(format!("file{index}"));
                tokio::spawn(async move {
                    if index % 4 == 0 {
                        let request = GetObjectRequest::new(BUCKET, "large");
                        client.get_object_to_file(request, path).await.map(drop)
                    } else {
                        let request = PutObjectRequest::new(BUCKET, format!("put{index}")).body("x");
                        client.put_object(request).await.map(drop)
                    }
                })
            })
            .collect();
        // Everything is on its way: all downloads are being written.
        let partials = || std::fs::read_dir(directory.path()).unwrap().count();
        while partials() < CALLS / 4 {
            tokio::task::yield_now().await;
        }
        client.shutdown().await;
        for call in calls {
            assert_eq!(call.await.unwrap().unwrap_err().kind(), ErrorKind::Closed);
        }
        // Partial files are removed on the pool of blocking threads.
        let removed = async {
            while partials() > 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), removed).await.unwrap();

        // The same client works again.
        emulator.faults().clear();
        client.resume();
        let request = PutObjectRequest::new(BUCKET, "after").body("works");
        client.put_object(request).await.unwrap();
    });
    drop(client);
    runtime.block_on(until_alone(0));
}
