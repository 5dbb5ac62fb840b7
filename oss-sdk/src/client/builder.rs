//! The builder of clients.

use std::fmt;
use std::marker::PhantomData;

use crate::config::Config;
use crate::error::Error;

/// Collects the settings of a client; its methods are those of [`Config`].
#[must_use = "a builder does nothing until `build` is called"]
pub struct ClientBuilder<C> {
    pub(crate) config: Config,
    client: PhantomData<fn() -> C>,
}

/// A client that is made from settings.
pub trait FromConfig: Sized + sealed::Sealed {
    /// Makes the client.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) with the name of a setting that is missing or wrong, or that
    /// contradicts another.
    fn from_config(config: Config) -> Result<Self, Error>;
}

pub(crate) mod sealed {
    pub trait Sealed {}
}

impl<C: FromConfig> ClientBuilder<C> {
    pub(crate) fn new(config: Config) -> Self {
        ClientBuilder {
            config,
            client: PhantomData,
        }
    }

    /// Takes credentials from where programs of Alibaba Cloud look for them; as
    /// [`Config::default_credentials`].
    #[cfg(feature = "credentials")]
    pub fn default_credentials(mut self) -> Self {
        self.config = self.config.default_credentials();
        self
    }

    /// Makes the client. Nothing is sent and nothing is read.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) with the name of a setting that is missing or wrong, or that
    /// contradicts another.
    pub fn build(self) -> Result<C, Error> {
        C::from_config(self.config)
    }
}

impl<C> fmt::Debug for ClientBuilder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ClientBuilder").field(&self.config).finish()
    }
}
