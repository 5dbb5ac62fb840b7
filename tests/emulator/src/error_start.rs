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
    /// A policy of a RAM user cannot be judged.
    Policy {
        /// Name of the user.
        user: String,
        /// What is wrong with the policy.
        why: String,
    },
    /// The folder to begin with cannot be used; the text says where.
    Seed(String),
    /// The embedded models are broken.
    Models(String),
    /// The certificate of the HTTPS listener cannot be used.
    Tls(String),
    /// A role or an identity provider cannot be judged.
    Identity(String),
    /// The address can be reached from other machines, and everybody knows the default key.
    DefaultKey {
        /// The address.
        host: String,
    },
    /// The management listener cannot be opened as it was asked for.
    Admin(String),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Bind { address, .. } => write!(f, "cannot listen on `{address}`"),
            StartError::Store(_) => f.write_str("cannot open the data directory"),
            StartError::Seed(why) => write!(f, "cannot begin with the folder: {why}"),
            StartError::Tls(why) => write!(f, "cannot serve HTTPS: {why}"),
            StartError::Identity(why) => write!(f, "cannot use {why}"),
            StartError::DefaultKey { host } => write!(
                f,
                "the default access key is known to everybody, so it is refused on `{host}`, which is not a loopback address: \
                 give a key of your own (`--access-key`, `--access-key-file` or OSS_EMULATOR_ACCESS_KEY_ID and \
                 OSS_EMULATOR_ACCESS_KEY_SECRET), or listen on 127.0.0.1"
            ),
            StartError::Policy { user, why } => write!(f, "a policy of the user `{user}` cannot be judged: {why}"),
            StartError::Models(report) => write!(f, "the models are broken:\n{report}"),
            StartError::Admin(why) => write!(f, "the management listener cannot be opened: {why}"),
        }
    }
}

impl error::Error for StartError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            StartError::Bind { source, .. } => Some(source),
            StartError::Store(error) => Some(error),
            StartError::Models(_)
            | StartError::Policy { .. }
            | StartError::Seed(_)
            | StartError::Tls(_)
            | StartError::Identity(_)
            | StartError::DefaultKey { .. }
            | StartError::Admin(_) => None,
        }
    }
}
