//! The client of the object service, and the core that every client is built on.

use crate::error::Error;
use crate::operation::OperationInput;
use crate::post_policy::{self, PostForm, PostPolicy};
use crate::presign::{self, Expires, PresignedRequest};

mod builder;
mod call;
mod convenience;
mod core;

pub use self::builder::{ClientBuilder, FromConfig};
pub use self::call::{Awaited, Call, CallFuture};

pub(crate) use self::builder::sealed;
#[cfg(feature = "dynamic")]
pub(crate) use self::call::encode;
pub(crate) use self::call::{CallOptions, start as start_call};
pub(crate) use self::core::Core;

/// Defines a client over the core: what all clients have in common.
macro_rules! service_client {
    ($(#[$doc:meta])* $service:path $(, user_agent = $tag:literal)?) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct Client {
            core: std::sync::Arc<$crate::client::Core>,
        }

        impl Client {
            /// Starts a client with the default settings.
            pub fn builder() -> $crate::ClientBuilder<Client> {
                $crate::ClientBuilder::new($crate::Config::new())
            }

            /// A client with settings from the environment; [`Config::from_env`](crate::Config::from_env) lists the
            /// variables.
            ///
            /// # Errors
            ///
            /// [`ErrorKind::Config`](crate::ErrorKind::Config) with the name of a variable or setting that is missing
            /// or wrong.
            pub fn from_env() -> Result<Self, $crate::Error> {
                Self::new($crate::Config::from_env()?)
            }

            /// A client with these settings. Nothing is sent and nothing is read.
            ///
            /// # Errors
            ///
            /// [`ErrorKind::Config`](crate::ErrorKind::Config) with the name of a setting that is missing or wrong, or
            /// that contradicts another.
            pub fn new(config: $crate::Config) -> Result<Self, $crate::Error> {
                $(let config = config.tagged($tag);)?
                Ok(Client { core: $crate::client::Core::new(config, &$service)? })
            }

            /// Calls an operation that is given as a type: from the models, or of one's own.
            pub fn invoke<O: $crate::Operation>(&self, operation: O) -> $crate::Call<'_, O> {
                self.call(operation)
            }

            /// Calls an operation that no type exists for, with the same refinements as any [`Call`](crate::Call).
            ///
            /// The answer's payload is not read, and its connection is not free for others, until
            /// [`OperationOutput::body`](crate::OperationOutput::body) is read or dropped.
            ///
            /// # Errors
            ///
            /// As any call; an answer that is not a success becomes [`ErrorKind::Service`](crate::ErrorKind::Service).
            pub fn invoke_operation(&self, input: $crate::OperationInput) -> $crate::Call<'_, $crate::OperationInput> {
                $crate::Call::new(&self.core, input)
            }

            /// Refuses calls from now on and ends those that are under way, with
            /// [`ErrorKind::Closed`](crate::ErrorKind::Closed); clones of the client included.
            ///
            /// That is done on return. Awaiting what is returned besides waits until the calls under way have ended,
            /// which takes no answer of the service. A call that its owner holds without polling it does not notice,
            /// so do not await this in a task that holds one; payloads of answers that were not read to their end are
            /// not waited for. Requests that are on their way may still be carried out by the service.
            pub fn shutdown(&self) -> $crate::ShutdownEnded {
                self.core.shutdown.start()
            }

            /// Takes calls again after a [`shutdown`](Client::shutdown). What the shutdown ended stays ended, also when
            /// it has not noticed yet.
            pub fn resume(&self) {
                self.core.shutdown.resume();
            }

            /// Whether [`shutdown`](Client::shutdown) was called, and [`resume`](Client::resume) was not since.
            pub fn is_shut_down(&self) -> bool {
                self.core.shutdown.has_started()
            }

            #[cfg(test)]
            #[allow(dead_code, reason = "not the tests of every client look at it")]
            pub(crate) fn core(&self) -> &std::sync::Arc<$crate::client::Core> {
                &self.core
            }

            pub(crate) fn call<O: $crate::Operation>(&self, operation: O) -> $crate::Call<'_, O> {
                $crate::Call::new(&self.core, operation)
            }

            /// Calls an operation by its name, JSON in and JSON out; see [`dynamic`](crate::dynamic).
            ///
            /// # Errors
            ///
            /// [`DynamicError`](crate::dynamic::DynamicError) for an unknown name, a wrong input, and a call that failed.
            #[cfg(feature = "dynamic")]
            pub async fn call_by_name(
                &self,
                operation: &str,
                input: serde_json::Value,
            ) -> Result<serde_json::Value, $crate::dynamic::DynamicError> {
                $crate::dynamic::by_name(&self.core, operation, input).await
            }
        }

        impl $crate::client::sealed::Sealed for Client {}

        impl $crate::FromConfig for Client {
            fn from_config(config: $crate::Config) -> Result<Self, $crate::Error> {
                Self::new(config)
            }
        }

        impl std::fmt::Debug for Client {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_tuple("Client").field(&self.core).finish()
            }
        }
    };
}

#[cfg(any(
    feature = "agentic",
    feature = "dataprocess",
    feature = "sts",
    feature = "tables",
    feature = "vectors"
))]
pub(crate) use service_client;

service_client! {
    /// A client of the object service.
    ///
    /// It holds connections, credentials and what was learnt of the service's clock. Cloning it is cheap and shares all of
    /// that, so make one and clone it. It can be used from any number of tasks at once.
    ///
    /// A method for an operation takes a request and returns a [`Call`], which is sent when it is awaited.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), oss_sdk::Error> {
    /// use oss_sdk::{Client, Credentials};
    ///
    /// let from_environment = Client::from_env()?;
    /// let from_code = Client::builder()
    ///     .region("cn-hangzhou")
    ///     .credentials(Credentials::new("access key id", "access key secret"))
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    crate::generated::oss::SERVICE
}

impl Client {
    /// Makes a URL that carries out any operation for whoever holds it, for a
    /// [`Duration`](std::time::Duration) from now or up to a [`Timestamp`](crate::Timestamp).
    ///
    /// Typed operations have [`Call::presign`]; so has what [`invoke_operation`](Client::invoke_operation) returns, with
    /// the refinements of a call.
    ///
    /// # Errors
    ///
    /// As [`Call::presign`].
    pub async fn presign(&self, input: OperationInput, expires: impl Into<Expires>) -> Result<PresignedRequest, Error> {
        presign::presign(&self.core, input, CallOptions::default(), expires.into()).await
    }

    /// Makes a URL that carries out an operation that is given by its name and in JSON; see [`dynamic`](crate::dynamic).
    ///
    /// # Errors
    ///
    /// [`DynamicError`](crate::dynamic::DynamicError) for an unknown name and a wrong input, and as [`Call::presign`].
    #[cfg(feature = "dynamic")]
    pub async fn presign_by_name(
        &self,
        operation: &str,
        input: serde_json::Value,
        expires: impl Into<Expires>,
    ) -> Result<PresignedRequest, crate::dynamic::DynamicError> {
        crate::dynamic::presign_by_name(&self.core, operation, input, expires.into()).await
    }

    /// Makes a form by which whoever holds it uploads one object, such as a visitor of a page; see
    /// [`post_policy`](crate::post_policy).
    ///
    /// Nothing is sent; only credentials may be fetched. The form is valid for a [`Duration`](std::time::Duration) from
    /// now or up to a [`Timestamp`](crate::Timestamp), with signature V4 for at most 7 days, and not longer than the
    /// credentials.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) for a field, a condition or a time that cannot be;
    /// [`ErrorKind::Credentials`](crate::ErrorKind::Credentials) when there are none, also for anonymous clients.
    pub async fn presign_post(&self, policy: PostPolicy, expires: impl Into<Expires>) -> Result<PostForm, Error> {
        post_policy::sign(&self.core, policy, expires.into()).await
    }
}

#[cfg(test)]
mod tests;
