//! Vector buckets: indexes of vectors, and queries for the nearest.
//!
//! [`Client`] is a client of its own over the same settings as [`oss_sdk::Client`](crate::Client). It needs an account
//! id besides.

pub use crate::generated::vectors::operations::*;
pub use crate::generated::vectors::{errors, types};

crate::client::service_client! {
    /// A client of the vector service.
    ///
    /// Cloning it is cheap and shares connections. Settings are those of [`Config`](crate::Config), of which
    /// [`account_id`](crate::Config::account_id) is required: it is part of host names and signatures.
    crate::generated::vectors::SERVICE, user_agent = "vectors-client"
}

/// The numbers of a vector of an ordinary index.
impl From<Vec<f32>> for types::VectorData {
    fn from(numbers: Vec<f32>) -> Self {
        Self::new().float32(numbers)
    }
}

/// The numbers of a vector of an ordinary index.
impl From<&[f32]> for types::VectorData {
    fn from(numbers: &[f32]) -> Self {
        numbers.to_vec().into()
    }
}

/// The numbers of a vector of an ordinary index.
impl<const N: usize> From<[f32; N]> for types::VectorData {
    fn from(numbers: [f32; N]) -> Self {
        numbers.to_vec().into()
    }
}
