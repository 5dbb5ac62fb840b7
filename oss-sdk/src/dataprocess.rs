//! Data processing: datasets over the objects of a bucket, searched by their metadata and their meaning, and pipelines that
//! fill them.
//!
//! [`Client`] is a client of its own over the same settings as [`oss_sdk::Client`](crate::Client), and talks to the same
//! hosts.

pub use crate::generated::dataprocess::operations::*;
pub use crate::generated::dataprocess::{errors, types};

crate::client::service_client! {
    /// A client of the data processing service.
    ///
    /// Cloning it is cheap and shares connections. Settings are those of [`Config`](crate::Config).
    crate::generated::dataprocess::SERVICE, user_agent = "dataprocess-client"
}
