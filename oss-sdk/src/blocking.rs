//! The API without async: the same operations, made by a method that returns when they are done.
//!
//! ```no_run
//! use std::io::{Read, Write};
//!
//! use oss_sdk::blocking::Client;
//! use oss_sdk::{GetObjectRequest, ListObjectsV2Request, PutObjectRequest};
//!
//! # fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::from_env()?;
//! client.put_object(PutObjectRequest::new("bucket", "hello.txt").body("hi oss")).send()?;
//!
//! let object = client.get_object(GetObjectRequest::new("bucket", "hello.txt")).send()?;
//! let mut text = String::new();
//! object.body.into_blocking().read_to_string(&mut text)?;
//!
//! for object in client.list_objects_v2(ListObjectsV2Request::new("bucket").prefix("logs/")).items() {
//!     println!("{}", object?.key);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Requests, results, settings, errors and promises are those of the async clients. What differs:
//!
//! | async | here |
//! | --- | --- |
//! | `client.put_object(request).await` | `client.put_object(request).send()`, see [`Call`] |
//! | `client.wait_until_object_exists(request).await` | `.wait()`, see [`Wait`] |
//! | streams of pages and items | iterators: [`Pages`], [`Items`] |
//! | `result.body`, a stream | `result.body.into_blocking()`, a [`Read`](std::io::Read): [`ResponseBody`] |
//! | [`Body::from_reader`](crate::Body::from_reader), of an `AsyncRead` | [`Body::from_read`](crate::Body::from_read), of a `Read` |
//!
//! The refinements of a call are the same: timeouts, deadlines, attempts, headers, progress. Another thread ends a call
//! by a [`CancellationToken`](crate::CancellationToken) that the call was given by
//! [`cancel_on`](crate::Call::cancel_on), and all calls of a client by [`Client::shutdown`]. Dropping a listing or a
//! payload gives it up.
//!
//! ```no_run
//! # fn example(client: &oss_sdk::blocking::Client) -> Result<(), oss_sdk::Error> {
//! use oss_sdk::{CancellationToken, GetObjectRequest};
//!
//! let token = CancellationToken::new();
//! std::thread::scope(|scope| {
//!     scope.spawn(|| client.get_object(GetObjectRequest::new("bucket", "k")).cancel_on(token.clone()).send());
//!     // Something else was faster.
//!     token.cancel();
//! });
//! # Ok(())
//! # }
//! ```
//!
//! # Threads
//!
//! A client can be used by any number of threads at once; cloning it is cheap. Requests are signed and answers read and
//! verified on the thread that makes the call. The connections of all blocking clients of the process are moved along by
//! one more thread, `oss-sdk-blocking`, which is started by the first call, sleeps when there is nothing to do, and lives
//! as long as the process. On it run also payloads on their way out (their sources, their checksum and the reports of
//! their progress), and the renewal of credentials: a function of yours that blocks there holds up all blocking clients.
//!
//! Calls can be made anywhere, inside an async runtime too: they block the thread that they are made on, as any such
//! call does, and need no runtime of the caller. Only functions that run on the thread of the connections cannot make
//! calls, such as one given to [`on_progress`](crate::Call::on_progress) of an upload; they get an error of kind
//! [`Io`](crate::ErrorKind::Io). A panic of a caller's function ends its call, and no other.
//!
//! A child process that was made by `fork` starts a thread of its own, but has to make clients of its own: connections
//! cannot be shared by processes.

use crate::client::Call as AnyCall;
use crate::wait::Wait as AnyWait;

mod body;
mod call;
mod client;
mod paginate;
mod services;
mod worker;

pub use self::body::ResponseBody;
pub use self::client::Client;
pub use self::paginate::{Items, Pages};
#[cfg(feature = "agentic")]
pub use self::services::agentic;
#[cfg(feature = "dataprocess")]
pub use self::services::dataprocess;
#[cfg(feature = "sts")]
pub use self::services::sts;
#[cfg(feature = "tables")]
pub use self::services::tables;
#[cfg(feature = "vectors")]
pub use self::services::vectors;

#[cfg(feature = "reqwest")]
pub(crate) use self::worker::is_here;

/// How the calls of blocking clients are made: by [`send`](Call::send) and [`wait`](Wait::wait).
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Blocking;

/// A call that is ready to be made: [`send`](Call::send) makes it.
///
/// Each other method refines it and returns it.
pub type Call<'c, O> = AnyCall<'c, O, Blocking>;

/// A wait that is ready to start: [`wait`](Wait::wait) starts it.
pub type Wait<'c, O> = AnyWait<'c, O, Blocking>;

#[cfg(test)]
mod tests;
