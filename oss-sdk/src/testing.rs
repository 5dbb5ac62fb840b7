//! Testing one's own code without a network: transports that answer from a script, or from a recording.
//!
//! Code that takes a [`Client`] is tested with a client whose transport is one of these. Everything else
//! is real: requests are encoded and signed, answers are classified, retried, verified and decoded, so a test sees what
//! the code would send and what it would make of an answer.
//!
//! # A script
//!
//! [`ScriptedTransport`] gives the answers that it was told, in order or by what is asked, and remembers what was sent.
//!
//! ```
//! use oss_sdk::http::Method;
//! use oss_sdk::testing::{Answer, ScriptedTransport};
//! use oss_sdk::{Client, Error, GetObjectRequest, PutObjectRequest};
//!
//! /// The code under test: adds one to a counter in an object.
//! async fn count(client: &Client) -> Result<u64, Error> {
//!     let count = match client.get_object(GetObjectRequest::new("bucket", "count")).await {
//!         Ok(object) => object.body.text().await?.parse().unwrap_or(0),
//!         Err(error) if error.is_not_found() => 0,
//!         Err(error) => return Err(error),
//!     };
//!     let request = PutObjectRequest::new("bucket", "count").body((count + 1).to_string());
//!     client.put_object(request).await?;
//!     Ok(count + 1)
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Error> {
//! let transport = ScriptedTransport::new([
//!     Answer::error(404, "NoSuchKey").when(|request| request.method == Method::GET),
//!     Answer::ok("").when(|request| request.method == Method::PUT),
//! ]);
//! assert_eq!(count(&transport.client()).await?, 1);
//! assert_eq!(transport.sent()[1].body, "1");
//! assert_eq!(transport.sent()[1].path(), "/count");
//! transport.assert_finished();
//! # Ok(())
//! # }
//! ```
//!
//! Connections that fail, hang or break in the middle are answers too:
//!
//! ```
//! use oss_sdk::testing::{Answer, ScriptedTransport, Step};
//! use oss_sdk::transport::TransportErrorKind;
//! use oss_sdk::GetObjectRequest;
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), oss_sdk::Error> {
//! let transport = ScriptedTransport::new([
//!     Step::Fail(TransportErrorKind::Connect),
//!     Answer::ok("0123456789").header("etag", "\"A\"").break_after(4).into(),
//!     Answer::new(206, "456789").header("etag", "\"A\"").header("content-range", "bytes 4-9/10").into(),
//! ]);
//! let object = transport.client().get_object(GetObjectRequest::new("bucket", "k")).await?;
//! assert_eq!(object.body.text().await?, "0123456789");
//! assert_eq!(transport.sent()[2].header("range"), Some("bytes=4-9"));
//! # Ok(())
//! # }
//! ```
//!
//! # Time
//!
//! The settings that a script comes with have a [`FixedClock`], so that dates and signatures are the
//! same on every run; [`Config::clock`](crate::Config::clock) sets another, such as one that the test moves on. Pauses
//! between retries are those of tokio's clock: with `tokio::time::pause` of its feature `test-util` they take no time. A
//! test that wants no retries says so by [`Config::retry_attempts`](crate::Config::retry_attempts).
//!
//! # A recording
//!
//! [`Recorder`] passes requests on to the service, or to an emulator of it, and keeps the answers on a [`Tape`];
//! [`Replay`] gives them again. A tape is a text without secrets, signatures and tokens, made to be read and committed.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use oss_sdk::testing::{Recorder, Replay};
//! use oss_sdk::transport::{ReqwestTransport, TransportOptions};
//! use oss_sdk::{Client, Config, GetObjectRequest};
//!
//! // Once, with credentials and a network:
//! let recorder = Recorder::new(ReqwestTransport::new(TransportOptions::default())?);
//! let client = Client::new(Config::from_env()?.transport(recorder.clone()))?;
//! client.get_object(GetObjectRequest::new("bucket", "k")).await?.body.bytes().await?;
//! recorder.tape().save("tests/data/get.tape")?;
//!
//! // In the test, without either:
//! let replay = Replay::load("tests/data/get.tape")?;
//! let object = replay.client().get_object(GetObjectRequest::new("bucket", "k")).await?;
//! assert_eq!(object.body.text().await?, "hi oss");
//! replay.assert_finished();
//! # Ok(())
//! # }
//! ```
//!
//! Both work with the clients of `oss_sdk::blocking` and of the other services: hand the transport to
//! [`Config::transport`](crate::Config::transport), or begin with [`ScriptedTransport::config`].

use crate::client::Client;
use crate::config::Config;
use crate::credentials::Credentials;
use crate::time::{FixedClock, Timestamp};
use crate::transport::Transport;

mod answer;
mod record;
mod redact;
mod replay;
mod scripted;
mod tape;

pub use self::answer::Answer;
pub use self::record::Recorder;
pub use self::replay::Replay;
pub use self::scripted::{ScriptedTransport, SentRequest, Step};
pub use self::tape::Tape;

#[cfg(test)]
pub(crate) use self::answer::Chunk;

/// Settings with a transport of a test, a clock that stands still, and keys that open nothing.
fn config(transport: impl Transport) -> Config {
    Config::new()
        .region("cn-hangzhou")
        .credentials(Credentials::new("ak", "5ec4e7"))
        .transport(transport)
        .clock(FixedClock::new(now()))
}

/// A client with these settings.
fn client(transport: impl Transport) -> Client {
    match Client::new(config(transport)) {
        Ok(client) => client,
        // Every setting is given above.
        Err(error) => unreachable!("the settings of tests are good: {error}"),
    }
}

/// The time of tests: 2026-01-02 03:04:05 UTC.
pub(crate) fn now() -> Timestamp {
    const NOW: Timestamp = Timestamp::from_unix(1_767_323_045).expect("the time is within range");
    NOW
}

#[cfg(test)]
mod tests;
