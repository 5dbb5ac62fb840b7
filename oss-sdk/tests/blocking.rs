//! The blocking API over real sockets: beside async clients, in many threads, with little memory, and what it leaves
//! behind.

#![cfg(all(feature = "blocking", feature = "reqwest"))]
#![expect(clippy::unwrap_used, reason = "the functions that the tests share are tests too")]

use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::thread;
use std::time::Duration;

use oss_emulator::Emulator;
use oss_sdk::blocking::Client;
use oss_sdk::body::Body;
use oss_sdk::transport::{ReqwestTransport, Transport, TransportFuture, TransportOptions, TransportRequest};
use oss_sdk::{
    Config, Credentials, ErrorKind, GetObjectRequest, ListObjectsV2Request, PutBucketRequest, PutObjectRequest,
};
use tokio::runtime::{Handle, Runtime};

const BUCKET: &str = "blocking";

/// A hang of these tests becomes a failure.
const PATIENCE: Duration = Duration::from_secs(60);

/// Held for writing by the test that counts the tasks of all.
static TASKS: RwLock<()> = RwLock::new(());

/// A server with threads of its own, so that a test may block its thread.
struct Server {
    emulator: Emulator,
    _runtime: Runtime,
}

impl Server {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let emulator = thread::scope(|scope| scope.spawn(|| runtime.block_on(Emulator::start())).join());
        let server = Server {
            emulator: emulator.unwrap().unwrap(),
            _runtime: runtime,
        };
        let client = Client::new(server.config()).unwrap();
        client.put_bucket(PutBucketRequest::new(BUCKET)).send().unwrap();
        server
    }

    fn config(&self) -> Config {
        Config::new()
            .region("cn-hangzhou")
            .endpoint(self.emulator.endpoint())
            .credentials(Credentials::new(
                self.emulator.access_key_id(),
                self.emulator.access_key_secret(),
            ))
            .timeout(PATIENCE)
    }
}

fn put(key: &str, body: impl Into<Body>) -> PutObjectRequest {
    PutObjectRequest::new(BUCKET, key).body(body)
}

fn get(key: &str) -> GetObjectRequest {
    GetObjectRequest::new(BUCKET, key)
}

#[test]
fn an_async_client_and_a_blocking_one_take_turns_on_one_thread() {
    let _shared = TASKS.read().unwrap_or_else(PoisonError::into_inner);
    let server = Server::start();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let awaited = oss_sdk::Client::new(server.config()).unwrap();
        let blocking = Client::from(&awaited);
        for turn in 0..3 {
            // The connection of the first is kept by a runtime that stands still while the second waits.
            let text = format!("turn {turn}");
            awaited.put_object(put("k", text.clone())).await.unwrap();
            let object = blocking.get_object(get("k")).send().unwrap();
            assert_eq!(object.body.into_blocking().text().unwrap(), text);
            let object = awaited.get_object(get("k")).await.unwrap();
            assert_eq!(object.body.text().await.unwrap(), text);
        }
    });
}

#[test]
fn every_worker_of_a_runtime_can_block_at_once() {
    let _shared = TASKS.read().unwrap_or_else(PoisonError::into_inner);
    let server = Server::start();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let client = Client::new(server.config()).unwrap();
    client.put_object(put("k", vec![7; 300_000])).send().unwrap();
    runtime.block_on(async {
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let client = client.clone();
                tokio::spawn(async move {
                    let object = client.get_object(get("k")).send().unwrap();
                    object.body.into_blocking().bytes().unwrap().len()
                })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), 300_000);
        }
    });
}

#[test]
fn a_long_reader_is_sent_with_little_memory() {
    const LENGTH: u64 = 48 * 1024 * 1024;
    /// Tells how far it was read.
    struct Counted(io::Take<io::Repeat>, Arc<AtomicU64>);
    impl Read for Counted {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let size = self.0.read(buffer)?;
            self.1.fetch_add(size as u64, Ordering::SeqCst);
            Ok(size)
        }
    }
    let _shared = TASKS.read().unwrap_or_else(PoisonError::into_inner);
    let server = Server::start();
    let client = Client::new(server.config()).unwrap();
    let read = Arc::new(AtomicU64::new(0));
    let ahead = Arc::new(AtomicU64::new(0));
    let reader = Counted(io::repeat(3).take(LENGTH), Arc::clone(&read));
    let (is_read, most) = (Arc::clone(&read), Arc::clone(&ahead));
    client
        .put_object(put("long", Body::from_read(reader, LENGTH)))
        .on_progress(move |progress| {
            let held = is_read.load(Ordering::SeqCst) - progress.transferred;
            most.fetch_max(held, Ordering::SeqCst);
        })
        .send()
        .unwrap();
    assert_eq!(read.load(Ordering::SeqCst), LENGTH);
    let ahead = ahead.load(Ordering::SeqCst);
    assert!(ahead <= 2 * 1024 * 1024, "{ahead} bytes were read ahead");
    let mut body = client.get_object(get("long")).send().unwrap().body.into_blocking();
    assert_eq!(io::copy(&mut body, &mut io::sink()).unwrap(), LENGTH);
}

/// The transport of all, that tells which runtime it is used in.
#[derive(Debug, Clone)]
struct Watched {
    transport: Arc<ReqwestTransport>,
    runtime: Arc<OnceLock<Handle>>,
}

impl Transport for Watched {
    fn send(&self, request: TransportRequest) -> TransportFuture<'_> {
        self.runtime.get_or_init(Handle::current);
        self.transport.send(request)
    }
}

/// Numbers without a pattern, the same on every run.
fn next(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed
}

#[test]
fn calls_listings_and_payloads_that_are_given_up_leave_nothing_behind() {
    let _alone = TASKS.write().unwrap_or_else(PoisonError::into_inner);
    let server = Server::start();
    let watched = Watched {
        transport: Arc::new(ReqwestTransport::new(TransportOptions::default()).unwrap()),
        runtime: Arc::default(),
    };
    let runtime = Arc::clone(&watched.runtime);
    let client = Client::new(server.config().transport(watched)).unwrap();
    for key in ["a", "b", "c"] {
        client.put_object(put(key, vec![1; 500_000])).send().unwrap();
    }
    let threads: Vec<_> =
        (1..=4)
            .map(|seed| {
                let client = client.clone();
                thread::spawn(move || {
                    let mut seed = seed * 0x9E37_79B9;
                    for _ in 0..100 {
                        let soon = Duration::from_micros(next(&mut seed) % 3000);
                        match next(&mut seed) % 4 {
                            0 => {
                                let mut body = client.get_object(get("a")).send().unwrap().body.into_blocking();
                                let mut buffer = vec![0; (next(&mut seed) % 400_000) as usize];
                                body.read_exact(&mut buffer).unwrap();
                            }
                            1 => {
                                let request = ListObjectsV2Request::new(BUCKET).max_keys(1);
                                let mut pages = client.list_objects_v2(request).paginate();
                                pages.next().unwrap().unwrap();
                            }
                            2 => {
                                let body = Body::from_read(io::repeat(1).take(400_000), 400_000);
                                let ended = client.put_object(put("d", body)).timeout(soon).send();
                                assert!(ended.map_or_else(|error| error.kind() == ErrorKind::Timeout, |_| true));
                            }
                            _ => {
                                let ended = client.get_object(get("b")).timeout(soon).send();
                                let ended = ended.and_then(|object| object.body.into_blocking().bytes());
                                assert!(ended.map_or_else(
                                    |error| error.kind() == ErrorKind::Timeout,
                                    |all| all.len() == 500_000
                                ));
                            }
                        }
                    }
                })
            })
            .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    // It still works, ...
    let object = client.get_object(get("c")).send().unwrap();
    assert_eq!(object.body.into_blocking().bytes().unwrap().len(), 500_000);
    // ... and its connections go with it.
    drop(client);
    let runtime = runtime.get().unwrap();
    for _ in 0..10_000 {
        if runtime.metrics().num_alive_tasks() == 0 {
            break;
        }
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(runtime.metrics().num_alive_tasks(), 0);
    #[cfg(target_os = "linux")]
    {
        let threads = std::fs::read_dir("/proc/self/task").unwrap();
        let names = threads.filter_map(|thread| std::fs::read_to_string(thread.unwrap().path().join("comm")).ok());
        // The kernel keeps 15 bytes of a name.
        assert_eq!(names.filter(|name| name.starts_with("oss-sdk-blockin")).count(), 1);
    }
}
