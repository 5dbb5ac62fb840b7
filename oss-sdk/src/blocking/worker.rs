//! The thread that moves connections along, and waiting for a future on the thread of the caller.
//!
//! A future is polled by the thread that waits for it, in the context of the worker's runtime: what it spawns, its timers
//! and its sockets belong to the worker, everything else is the caller's. So callers share the worker but no locks, and a
//! panic stays with its caller.

use std::cell::Cell;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread, ThreadId};

use tokio::runtime::{Builder, Handle};

use crate::error::{Error, ErrorKind};

/// The worker of this process. One that was inherited by `fork` has no thread and is replaced.
static WORKER: Mutex<Option<Worker>> = Mutex::new(None);

#[derive(Clone)]
struct Worker {
    runtime: Handle,
    thread: ThreadId,
    process: u32,
}

thread_local! {
    /// Whether this thread waits for a future right now, or is the worker.
    static WAITS: Cell<bool> = const { Cell::new(false) };
}

/// Whether the caller is a future that a blocking call waits for, or a task of the worker. Its connections must be the
/// worker's: those of a runtime that the waiting thread belongs to would not move.
#[cfg(feature = "reqwest")]
pub(crate) fn is_here() -> bool {
    WAITS.get()
}

/// Drives a future to its end on this thread.
pub(super) fn block_on<T, E: From<Error>>(future: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let worker = worker()?;
    if worker.thread == thread::current().id() {
        let message = "a blocking call was made by a function that runs on the thread of the connections, and could \
                       never end there";
        return Err(Error::new(ErrorKind::Io, message).with_retryable(false).into());
    }
    // Dropped after the future, which may spawn when it is dropped.
    let _context = worker.runtime.enter();
    let _waits = Waits::new();
    // Without the budget of a task that this may be a part of: once it is used up, nothing would be ready any more.
    let mut future = pin!(tokio::task::unconstrained(future));
    let parker = Arc::new(Parker {
        thread: thread::current(),
        woken: AtomicBool::new(false),
    });
    let waker = Waker::from(Arc::clone(&parker));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        parker.park();
    }
}

fn worker() -> Result<Worker, Error> {
    let mut worker = WORKER.lock().unwrap_or_else(PoisonError::into_inner);
    let process = std::process::id();
    if let Some(worker) = worker.as_ref().filter(|worker| worker.process == process) {
        return Ok(worker.clone());
    }
    let started = start(process).map_err(|source| {
        Error::new(ErrorKind::Io, "the thread of the connections could not be started").with_source(source)
    })?;
    Ok(worker.insert(started).clone())
}

fn start(process: u32) -> io::Result<Worker> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let thread = thread::Builder::new()
        .name("oss-sdk-blocking".to_owned())
        .spawn(move || {
            let runtime = match Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(sender.send(Err(error))),
            };
            WAITS.set(true);
            if sender.send(Ok(runtime.handle().clone())).is_ok() {
                runtime.block_on(std::future::pending::<()>());
            }
        })?;
    let runtime = receiver.recv().map_err(io::Error::other)??;
    Ok(Worker {
        runtime,
        thread: thread.thread().id(),
        process,
    })
}

/// Marks the thread as waiting while it lives. Waits can be nested: a future may make blocking calls.
struct Waits {
    before: bool,
}

impl Waits {
    fn new() -> Self {
        Waits {
            before: WAITS.replace(true),
        }
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        WAITS.set(self.before);
    }
}

/// Wakes a thread. The flag tells a wake-up that was meant for this wait from others.
struct Parker {
    thread: Thread,
    woken: AtomicBool,
}

impl Parker {
    fn park(&self) {
        while !self.woken.swap(false, Ordering::Acquire) {
            thread::park();
        }
    }
}

impl Wake for Parker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.woken.swap(true, Ordering::Release) {
            self.thread.unpark();
        }
    }
}
