//! Alibaba Cloud Object Storage Service (OSS) for Rust.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[doc(hidden)]
pub mod __private;
pub mod body;
mod check;
mod checksum;
mod client;
mod config;
mod content_type;
pub mod credentials;
#[cfg(feature = "dynamic")]
pub mod dynamic;
mod endpoint;
mod error;
#[cfg(test)]
mod fake;
mod future;
#[rustfmt::skip]
mod generated;
#[cfg(feature = "json")]
pub mod json;
mod limits;
pub mod operation;
mod paginate;
mod percent;
mod pipeline;
mod presign;
mod random;
pub mod retry;
mod secret;
pub mod service;
pub mod signer;
#[cfg(feature = "sts")]
pub mod sts;
mod text;
mod time;
pub mod transport;
#[cfg(feature = "vectors")]
pub mod vectors;
pub mod xml;

pub use body::{Body, Progress, ResponseBody};
pub use check::Invalid;
pub use checksum::Crc64;
pub use client::{Call, CallFuture, Client, ClientBuilder, FromConfig};
pub use config::{AddressingStyle, Config, SignatureVersion};
pub use credentials::Credentials;
pub use error::{Error, ErrorKind, Result};
pub use future::BoxFuture;
pub use generated::oss::operations::*;
pub use generated::oss::{errors, operations, types};
pub use http;
#[cfg(feature = "derive")]
pub use oss_sdk_macros::{FromXml, OssOperation, ToXml};
pub use operation::{Operation, OperationInput, OperationOutput, Paginate, Presign};
pub use paginate::{Items, Pages};
pub use presign::PresignedRequest;
pub use secret::Secret;
pub use text::{FromText, TextError, ToText, UrlDecode};
pub use time::{Clock, FixedClock, SystemClock, Timestamp};
