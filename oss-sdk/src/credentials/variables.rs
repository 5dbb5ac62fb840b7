//! Variables of the environment, or of a test that stands in for it.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::{CredentialsError, providers};
use crate::config;

type Lookup = dyn Fn(&str) -> Option<OsString> + Send + Sync;

/// Where the values of variables come from.
#[derive(Clone)]
pub(super) struct Variables(Arc<Lookup>);

impl Variables {
    pub(super) fn of_process() -> Self {
        Self::new(|name| std::env::var_os(name))
    }

    pub(super) fn new<T: Into<OsString>>(lookup: impl Fn(&str) -> Option<T> + Send + Sync + 'static) -> Self {
        Self(Arc::new(move |name| lookup(name).map(Into::into)))
    }

    /// A value as it is.
    pub(super) fn raw(&self, name: &str) -> Option<OsString> {
        (self.0)(name)
    }

    /// A text; an empty one is none.
    pub(super) fn get(&self, name: &str) -> Result<Option<String>, CredentialsError> {
        providers::text(name, self.raw(name))
    }

    /// A text that must be there for a source to be set up.
    pub(super) fn needed(&self, name: &str) -> Result<String, CredentialsError> {
        self.get(name)?.ok_or_else(|| missing(name))
    }

    /// A path, of whatever bytes.
    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        self.raw(name).filter(|value| !value.is_empty()).map(PathBuf::from)
    }

    /// A path that must be there for a source to be set up.
    pub(super) fn needed_path(&self, name: &str) -> Result<PathBuf, CredentialsError> {
        self.path(name).ok_or_else(|| missing(name))
    }

    /// Whether a variable says `true`, in any case.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.raw(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// The user's directory.
    pub(super) fn home(&self) -> Option<PathBuf> {
        config::HOME.into_iter().find_map(|name| self.path(name))
    }
}

fn missing(name: &str) -> CredentialsError {
    CredentialsError::not_configured(format!("the environment variable `{name}` is not set or empty"))
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Variables")
    }
}
