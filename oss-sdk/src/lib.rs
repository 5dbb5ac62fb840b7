//! Alibaba Cloud Object Storage Service (OSS) for Rust: typed operations over a runtime that signs, retries, streams and
//! verifies.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use oss_sdk::{Client, GetObjectRequest, ListObjectsV2Request, PutObjectRequest};
//!
//! # async fn example() -> Result<(), oss_sdk::Error> {
//! // Endpoint, region and credentials from the environment.
//! let client = Client::from_env()?;
//!
//! client.put_object(PutObjectRequest::new("bucket", "hello.txt").body("hi oss")).await?;
//!
//! let object = client.get_object(GetObjectRequest::new("bucket", "hello.txt")).await?;
//! let text = object.body.text().await?;
//!
//! let request = GetObjectRequest::new("bucket", "hello.txt");
//! let link = client.get_object(request).presign(Duration::from_secs(600)).await?;
//!
//! let mut keys = client.list_objects_v2(ListObjectsV2Request::new("bucket").prefix("logs/")).items();
//! while let Some(object) = keys.try_next().await? {
//!     println!("{}", object.key);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Where to look
//!
//! | for | see |
//! | --- | --- |
//! | settings and the variables of the environment | [`Client::builder`], [`Config`] |
//! | timeouts, cancellation, headers and parameters of one call | [`Call`] |
//! | what can be sent, and how often | [`Body`] |
//! | reading, saving and verifying an answer | [`ResponseBody`] |
//! | requests and results of all operations | [`operations`] |
//! | the structures and vocabularies in them | [`types`] |
//! | what went wrong | [`Error`], and [`errors`] for the codes of the service |
//! | listings | [`Pages`], [`Items`] |
//! | waiting until something has happened | [`wait`] |
//! | links for others | [`Call::presign`], [`PresignedRequest`] |
//! | upload forms for browsers | [`post_policy`], [`Client::presign_post`] |
//! | keys, and where they come from | [`credentials`] |
//! | when requests are repeated | [`retry`] |
//! | what calls do, for logs and tracing | [`observe`] |
//! | ending many calls at once | [`CancellationToken`], [`Client::shutdown`] |
//! | why a signature was refused | [`Error::signature_mismatch`] |
//! | operations that no type exists for | [`OperationInput`], [`Operation`] |
//! | connections, proxies, TLS, and another HTTP stack | [`Client::builder`], [`transport`] |
//! | how fast payloads move | [`Bandwidth`] |
//! | the same without async | `oss_sdk::blocking` |
//! | tests without a network | `oss_sdk::testing` |
//!
//! # What it promises
//!
//! - Data is never silently wrong: CRC-64 of every upload and of every whole-object download is compared with the
//!   service's, a payload that ends early is an error, and a file has its name only when it is complete.
//! - A broken connection costs a retry: payloads that can be sent again are, and a download continues from the byte it
//!   has reached.
//! - Retries are spread by chance, follow `Retry-After` and share a budget, so they do not make an outage worse.
//! - No secret appears in `Debug`, errors or logs, and bad input is refused by its name before anything is sent.
//!
//! Spans and events of `tracing` tell of calls, attempts and the wire: [`observe`].
//!
//! # Features
//!
//! | feature | default | adds |
//! | --- | --- | --- |
//! | `rustls` | yes | TLS by rustls with ring and the platform's certificates |
//! | `reqwest` | yes, by `rustls` | the HTTP transport; without it a transport of one's own is required |
//! | `vectors` | | vector buckets: `oss_sdk::vectors` |
//! | `tables` | | table buckets: `oss_sdk::tables` |
//! | `dataprocess` | | datasets and pipelines: `oss_sdk::dataprocess` |
//! | `agentic` | | agentic buckets and bucket spaces: `oss_sdk::agentic` |
//! | `sts` | | temporary credentials: `oss_sdk::sts` |
//! | `dynamic` | | calls by name, JSON in and JSON out: `oss_sdk::dynamic` |
//! | `credentials` | | credentials of roles, processes, files and metadata services, and the default chain |
//! | `blocking` | | the API without async: `oss_sdk::blocking` |
//! | `testing` | | transports for tests of one's own: `oss_sdk::testing` |
//! | `derive` | | derive macros for operations of one's own |
//! | `json` | by those that need it | JSON documents |
//!
//! The runtime is tokio. A client can be made outside of it; calls are made within.
//!
//! The feature `rustls` gives its provider to the transport of this crate alone and installs none for the process. An
//! application that makes `reqwest` clients of its own has to choose a TLS feature of reqwest or install a provider: the
//! one that this crate switches on, `rustls-no-provider`, brings none.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
#[cfg(feature = "agentic")]
pub mod agentic;
#[cfg(feature = "blocking")]
pub mod blocking;
pub mod body;
mod cancellation;
mod check;
mod checksum;
mod client;
mod config;
mod content_type;
pub mod credentials;
#[cfg(feature = "dataprocess")]
pub mod dataprocess;
#[cfg(feature = "dynamic")]
pub mod dynamic;
mod endpoint;
mod error;
#[cfg(test)]
mod fake;
mod frames;
mod future;
#[rustfmt::skip]
#[cfg_attr(feature = "sts", expect(clippy::module_inception, reason = "the service has one group of its own name"))]
mod generated;
mod ini;
#[cfg(feature = "json")]
pub mod json;
mod limiter;
mod limits;
mod naming;
pub mod observe;
pub mod operation;
mod paginate;
mod percent;
mod pipeline;
pub mod post_policy;
mod presign;
mod random;
pub mod retry;
mod secret;
pub mod service;
pub mod signer;
#[cfg(feature = "sts")]
pub mod sts;
#[cfg(feature = "tables")]
pub mod tables;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod text;
mod time;
pub mod transport;
#[cfg(feature = "vectors")]
pub mod vectors;
pub mod wait;
pub mod xml;

pub use body::{Body, Progress, ResponseBody};
pub use cancellation::{CancellationToken, Cancelled};
pub use check::Invalid;
pub use checksum::Crc64;
pub use client::{Awaited, Call, CallFuture, Client, ClientBuilder, FromConfig};
pub use config::{AddressingStyle, Config, SignatureVersion};
pub use credentials::Credentials;
pub use error::{
    Error, ErrorKind, NotRetried, Result, SignatureCause, SignatureDifference, SignatureMismatch, SignedText,
};
pub use future::BoxFuture;
pub use generated::oss::operations::*;
pub use generated::oss::{errors, operations, types};
pub use http;
pub use limiter::Bandwidth;
pub use limits::ShutdownEnded;
pub use operation::{Operation, OperationInput, OperationOutput, Paginate, Presign};
#[cfg(feature = "derive")]
pub use oss_sdk_macros::{FromXml, OssEnum, OssOperation, ToXml};
pub use paginate::{Items, Pages};
pub use post_policy::{PostForm, PostPolicy};
pub use presign::{Expires, PresignedRequest};
pub use secret::Secret;
pub use text::{FromText, TextError, ToText, UrlDecode};
pub use time::{Clock, FixedClock, SystemClock, Timestamp};

/// The examples of the README, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct ReadmeExamples;
