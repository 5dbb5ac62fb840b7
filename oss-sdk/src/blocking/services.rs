//! The blocking clients of the other services.

#[cfg(any(
    feature = "agentic",
    feature = "dataprocess",
    feature = "sts",
    feature = "tables",
    feature = "vectors"
))]
use super::client::blocking_client;

/// Agentic buckets without async; requests and results are those of [`oss_sdk::agentic`](crate::agentic).
#[cfg(feature = "agentic")]
pub mod agentic {
    use crate::config::Config;
    use crate::error::Error;

    super::blocking_client! {
        /// A client of the agentic bucket service; see [`agentic::Client`](crate::agentic::Client).
        crate::agentic::Client
    }

    /// A client of the object service whose buckets are bucket spaces; see
    /// [`agentic::bucket_space_client`](crate::agentic::bucket_space_client).
    ///
    /// # Errors
    ///
    /// As the async one.
    pub fn bucket_space_client(config: Config) -> Result<crate::blocking::Client, Error> {
        crate::agentic::bucket_space_client(config).map(crate::blocking::Client::from)
    }
}

/// Datasets and pipelines without async; requests and results are those of [`oss_sdk::dataprocess`](crate::dataprocess).
#[cfg(feature = "dataprocess")]
pub mod dataprocess {
    super::blocking_client! {
        /// A client of the data processing service; see [`dataprocess::Client`](crate::dataprocess::Client).
        crate::dataprocess::Client
    }
}

/// Temporary credentials without async; requests and results are those of [`oss_sdk::sts`](crate::sts).
#[cfg(feature = "sts")]
pub mod sts {
    super::blocking_client! {
        /// A client of the security token service; see [`sts::Client`](crate::sts::Client).
        crate::sts::Client
    }
}

/// Table buckets without async; requests and results are those of [`oss_sdk::tables`](crate::tables).
#[cfg(feature = "tables")]
pub mod tables {
    super::blocking_client! {
        /// A client of the table service; see [`tables::Client`](crate::tables::Client).
        crate::tables::Client
    }
}

/// Vector buckets without async; requests and results are those of [`oss_sdk::vectors`](crate::vectors).
#[cfg(feature = "vectors")]
pub mod vectors {
    super::blocking_client! {
        /// A client of the vector service; see [`vectors::Client`](crate::vectors::Client).
        crate::vectors::Client
    }
}
