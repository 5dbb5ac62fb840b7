//! Why an emulator did not start.

use std::{error, fmt, io};

use crate::store::StoreError;

/// Why an emulator did not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// The address cannot be listened on.
    Bind {
        /// The address.
        address: String,
        /// What the system says.
        source: io::Error,
    },
    /// The data directory cannot be opened.
    Store(StoreError),
    /// The embedded models are broken.
    Models(String),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Bind { address, .. } => write!(f, "cannot listen on `{address}`"),
            StartError::Store(_) => f.write_str("cannot open the data directory"),
            StartError::Models(report) => write!(f, "the models are broken:\n{report}"),
        }
    }
}

impl error::Error for StartError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            StartError::Bind { source, .. } => Some(source),
            StartError::Store(error) => Some(error),
            StartError::Models(_) => None,
        }
    }
}
