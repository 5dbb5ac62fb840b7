//! Clients whose calls return when they are done: each is an async client that is waited for.

use std::path::{Path, PathBuf};

use super::Call;
use super::worker::block_on;
use crate::error::Error;
use crate::limits::ShutdownEnded;
use crate::operation::OperationInput;
use crate::operations::{GetObjectRequest, GetObjectResult, PutObjectRequest};
use crate::post_policy::{PostForm, PostPolicy};
use crate::presign::{Expires, PresignedRequest};

/// Defines the blocking client of a service: what all of them have in common.
macro_rules! blocking_client {
    ($(#[$doc:meta])* $client:path) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct Client {
            client: $client,
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
                Ok(Client { client: <$client>::new(config)? })
            }

            /// Calls an operation that is given as a type: from the models, or of one's own.
            pub fn invoke<O: $crate::Operation>(&self, operation: O) -> $crate::blocking::Call<'_, O> {
                self.client.call(operation).with_mode()
            }

            /// Calls an operation that no type exists for, with the same refinements as any call.
            pub fn invoke_operation(
                &self,
                input: $crate::OperationInput,
            ) -> $crate::blocking::Call<'_, $crate::OperationInput> {
                self.client.invoke_operation(input).with_mode()
            }

            /// Refuses calls from now on and ends those that are under way on other threads, with
            /// [`ErrorKind::Closed`](crate::ErrorKind::Closed); clones of the client included.
            ///
            /// That is done on return; [`wait`](crate::ShutdownEnded::wait) of what is returned besides waits until the
            /// calls under way have ended, which takes no answer of the service. Requests that are on their way may still
            /// be carried out by the service.
            pub fn shutdown(&self) -> $crate::ShutdownEnded {
                self.client.shutdown()
            }

            /// Takes calls again after a [`shutdown`](Client::shutdown). What the shutdown ended stays ended.
            pub fn resume(&self) {
                self.client.resume();
            }

            /// Whether [`shutdown`](Client::shutdown) was called, and [`resume`](Client::resume) was not since.
            pub fn is_shut_down(&self) -> bool {
                self.client.is_shut_down()
            }

            /// Calls an operation by its name, JSON in and JSON out; see [`dynamic`](crate::dynamic).
            ///
            /// # Errors
            ///
            /// [`DynamicError`](crate::dynamic::DynamicError) for an unknown name, a wrong input, and a call that failed.
            #[cfg(feature = "dynamic")]
            pub fn call_by_name(
                &self,
                operation: &str,
                input: serde_json::Value,
            ) -> Result<serde_json::Value, $crate::dynamic::DynamicError> {
                $crate::blocking::worker::block_on(self.client.call_by_name(operation, input))
            }

            /// The async client that shares settings, credentials and state with this one. Each has connections of its
            /// own.
            pub fn as_async(&self) -> &$client {
                &self.client
            }
        }

        impl From<$client> for Client {
            fn from(client: $client) -> Self {
                Client { client }
            }
        }

        impl From<&$client> for Client {
            fn from(client: &$client) -> Self {
                client.clone().into()
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
                self.client.fmt(f)
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
pub(super) use blocking_client;

blocking_client! {
    /// A client of the object service, without async.
    ///
    /// It holds connections, credentials and what was learnt of the service's clock. Cloning it is cheap and shares all of
    /// that, so make one and clone it. It can be used by any number of threads at once.
    ///
    /// A method for an operation takes a request and returns a [`Call`], which is made by [`send`](Call::send).
    ///
    /// ```no_run
    /// # fn example() -> Result<(), oss_sdk::Error> {
    /// use std::time::Duration;
    ///
    /// use oss_sdk::blocking::Client;
    /// use oss_sdk::{Credentials, HeadObjectRequest};
    ///
    /// let client = Client::builder()
    ///     .region("cn-hangzhou")
    ///     .credentials(Credentials::new("access key id", "access key secret"))
    ///     .build()?;
    /// let request = HeadObjectRequest::new("bucket", "report.csv");
    /// let head = client.head_object(request).timeout(Duration::from_secs(10)).send()?;
    /// println!("{} bytes", head.content_length);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// One made `From` an async client shares its settings, credentials and state:
    ///
    /// ```no_run
    /// # fn example(client: &oss_sdk::Client) {
    /// let blocking = oss_sdk::blocking::Client::from(client);
    /// # }
    /// ```
    crate::Client
}

impl Client {
    /// Makes a URL that carries out any operation for whoever holds it, for a [`Duration`](std::time::Duration) from now
    /// or up to a [`Timestamp`](crate::Timestamp).
    ///
    /// Typed operations have [`Call::presign`].
    ///
    /// # Errors
    ///
    /// As [`Call::presign`].
    pub fn presign(&self, input: OperationInput, expires: impl Into<Expires>) -> Result<PresignedRequest, Error> {
        block_on(self.client.presign(input, expires))
    }

    /// Makes a URL that carries out an operation that is given by its name and in JSON; see [`dynamic`](crate::dynamic).
    ///
    /// # Errors
    ///
    /// As the async client's `presign_by_name`.
    #[cfg(feature = "dynamic")]
    pub fn presign_by_name(
        &self,
        operation: &str,
        input: serde_json::Value,
        expires: impl Into<Expires>,
    ) -> Result<PresignedRequest, crate::dynamic::DynamicError> {
        block_on(self.client.presign_by_name(operation, input, expires))
    }

    /// Makes a form by which whoever holds it uploads one object; see [`post_policy`](crate::post_policy).
    ///
    /// # Errors
    ///
    /// As the async client's `presign_post`.
    pub fn presign_post(&self, policy: PostPolicy, expires: impl Into<Expires>) -> Result<PostForm, Error> {
        block_on(self.client.presign_post(policy, expires))
    }

    /// Whether an object exists; asks for its metadata.
    ///
    /// # Errors
    ///
    /// Everything but the answer that the object does not exist, so also that the bucket does not.
    pub fn object_exists(&self, bucket: impl Into<String>, key: impl Into<String>) -> Result<bool, Error> {
        block_on(self.client.object_exists(bucket, key))
    }

    /// Whether a bucket exists, whoever owns it; asks for its ACL.
    ///
    /// # Errors
    ///
    /// When the service gives no answer. An answer other than `NoSuchBucket`, such as `AccessDenied`, means that the
    /// bucket exists.
    pub fn bucket_exists(&self, bucket: impl Into<String>) -> Result<bool, Error> {
        block_on(self.client.bucket_exists(bucket))
    }

    /// Uploads a file; see [`Body::from_file`](crate::Body::from_file).
    pub fn put_object_from_file(
        &self,
        request: PutObjectRequest,
        path: impl Into<PathBuf>,
    ) -> Call<'_, PutObjectRequest> {
        self.client.put_object_from_file(request, path).with_mode()
    }

    /// Downloads an object to a file, which has its name only when it is complete and verified; see
    /// [`ResponseBody::save_to`](super::ResponseBody::save_to). The payload of the result is empty.
    ///
    /// # Errors
    ///
    /// As [`get_object`](Client::get_object) and [`ResponseBody::save_to`](super::ResponseBody::save_to).
    pub fn get_object_to_file(
        &self,
        request: GetObjectRequest,
        path: impl AsRef<Path>,
    ) -> Result<GetObjectResult, Error> {
        block_on(self.client.get_object_to_file(request, path))
    }
}

impl ShutdownEnded {
    /// Returns when the calls that were under way have ended, without async.
    ///
    /// It waits without a limit, so it must not be called where it keeps one of those calls from ending: on the thread
    /// of an async runtime that has them to poll, if the client shares its state with an async one, or in the body,
    /// progress function or provider of one of them.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) when the thread of the connections cannot be started, or would be the one
    /// to wait.
    pub fn wait(self) -> Result<(), Error> {
        block_on(async {
            self.await;
            Ok(())
        })
    }
}
