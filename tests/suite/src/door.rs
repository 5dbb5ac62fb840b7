//! Two doors to one behaviour: the async API and the blocking one.
//!
//! A test that is written against what both modules here have in common is compiled twice, once for each; see
//! `tests/behaviour.rs`. Such tests are async functions of a runtime with several threads: a blocking call blocks the
//! thread of the test, not those of the server.

use std::future::{Future, IntoFuture};

use oss_sdk::blocking::{self as sync, Blocking};
use oss_sdk::wait::Wait;
use oss_sdk::{Awaited, Call, Error, Expires, Items, Operation, Paginate, Presign, PresignedRequest};

/// What can be made: a call or a wait of either API.
pub trait Go {
    /// What it gives.
    type Output;

    /// Makes it.
    fn go(self) -> impl Future<Output = Result<Self::Output, Error>> + Send;
}

impl<O: Operation> Go for Call<'_, O, Awaited> {
    type Output = O::Output;

    fn go(self) -> impl Future<Output = Result<O::Output, Error>> + Send {
        self.into_future()
    }
}

impl<O: Operation> Go for Call<'_, O, Blocking> {
    type Output = O::Output;

    async fn go(self) -> Result<O::Output, Error> {
        self.send()
    }
}

impl<'c, O: Operation + 'c> Go for Wait<'c, O, Awaited> {
    type Output = ();

    fn go(self) -> impl Future<Output = Result<(), Error>> + Send {
        self.into_future()
    }
}

impl<O: Operation> Go for Wait<'_, O, Blocking> {
    type Output = ();

    async fn go(self) -> Result<(), Error> {
        self.wait()
    }
}

/// What can be given to others: a call of either API.
pub trait Link {
    /// Makes a URL of it.
    fn link(self, expires: impl Into<Expires>) -> impl Future<Output = Result<PresignedRequest, Error>>;
}

impl<O: Presign> Link for Call<'_, O, Awaited> {
    async fn link(self, expires: impl Into<Expires>) -> Result<PresignedRequest, Error> {
        self.presign(expires).await
    }
}

impl<O: Presign> Link for Call<'_, O, Blocking> {
    async fn link(self, expires: impl Into<Expires>) -> Result<PresignedRequest, Error> {
        self.presign(expires)
    }
}

/// A listing of either API.
pub trait Listing {
    /// What it lists.
    type Item;

    /// The next item.
    fn following(&mut self) -> impl Future<Output = Result<Option<Self::Item>, Error>>;
}

impl<O: Paginate> Listing for Items<O> {
    type Item = O::Item;

    async fn following(&mut self) -> Result<Option<O::Item>, Error> {
        self.try_next().await
    }
}

impl<O> Listing for sync::Items<O>
where
    O: Paginate + Unpin,
    O::Item: Unpin,
{
    type Item = O::Item;

    async fn following(&mut self) -> Result<Option<O::Item>, Error> {
        self.next().transpose()
    }
}

/// A client, a server for it, and settings of further ones.
macro_rules! clients {
    ($client:ty) => {
        /// The client.
        pub type Client = $client;

        /// A server of its own for one test.
        #[derive(Debug)]
        pub struct Fixture {
            /// The server; dropping it stops it.
            pub emulator: Emulator,
            /// A client of it with its default key.
            pub client: Client,
        }

        impl Fixture {
            /// Starts an emulator in memory and makes [`BUCKET`].
            ///
            /// # Panics
            ///
            /// When it cannot: there is nothing to test then.
            pub async fn start() -> Self {
                let emulator = Emulator::start().await.expect("the emulator starts");
                let client = builder(&emulator).build().expect("the client builds");
                let made = client.put_bucket(PutBucketRequest::new(BUCKET)).go().await;
                made.expect("the bucket is made");
                Self { emulator, client }
            }
        }

        /// Settings of a client for an emulator, to be refined.
        pub fn builder(emulator: &Emulator) -> ClientBuilder<Client> {
            let credentials = Credentials::new(emulator.access_key_id(), emulator.access_key_secret());
            Client::builder()
                .region("cn-hangzhou")
                .endpoint(emulator.endpoint())
                .credentials(credentials)
        }
    };
}

/// The async API.
pub mod awaited {
    use std::future::Future;
    use std::path::Path;

    use bytes::Bytes;
    use oss_emulator::Emulator;
    use oss_sdk::{ClientBuilder, Credentials, Error, OperationInput, OperationOutput, PutBucketRequest, ResponseBody};

    pub use super::{Go, Link, Listing};
    pub use crate::fixture::BUCKET;

    pub use oss_sdk::{sts, tables, vectors};

    clients!(oss_sdk::Client);

    /// What is done with a payload.
    pub trait Payload {
        /// Reads it as text.
        fn read_text(self) -> impl Future<Output = Result<String, Error>>;
        /// Reads it.
        fn read(self) -> impl Future<Output = Result<Bytes, Error>>;
        /// Writes it to a file.
        fn save(self, path: impl AsRef<Path>) -> impl Future<Output = Result<u64, Error>>;
    }

    impl Payload for ResponseBody {
        async fn read_text(self) -> Result<String, Error> {
            self.text().await
        }

        async fn read(self) -> Result<Bytes, Error> {
            self.bytes().await
        }

        async fn save(self, path: impl AsRef<Path>) -> Result<u64, Error> {
            self.save_to(path).await
        }
    }

    /// Whether there is an object.
    ///
    /// # Errors
    ///
    /// When that cannot be told.
    pub async fn exists(client: &Client, bucket: &str, key: &str) -> Result<bool, Error> {
        client.object_exists(bucket, key).await
    }

    /// Carries out an operation that no type exists for.
    ///
    /// # Errors
    ///
    /// As any call.
    pub async fn invoke(client: &Client, input: OperationInput) -> Result<OperationOutput, Error> {
        client.invoke_operation(input).await
    }

    /// Both at once.
    pub async fn both<A: Send, B: Send>(
        one: impl Future<Output = A> + Send,
        other: impl Future<Output = B> + Send,
    ) -> (A, B) {
        tokio::join!(one, other)
    }
}

/// The blocking API.
pub mod blocking {
    use std::future::Future;
    use std::io::Read;
    use std::path::Path;

    use bytes::Bytes;
    use oss_emulator::Emulator;
    use oss_sdk::{ClientBuilder, Credentials, Error, OperationInput, OperationOutput, PutBucketRequest, ResponseBody};
    use tokio::runtime::Handle;

    pub use super::{Go, Link, Listing};
    pub use crate::fixture::BUCKET;

    pub use oss_sdk::blocking::{sts, tables, vectors};

    clients!(oss_sdk::blocking::Client);

    /// What is done with a payload.
    pub trait Payload {
        /// Reads it as text.
        fn read_text(self) -> impl Future<Output = Result<String, Error>>;
        /// Reads it.
        fn read(self) -> impl Future<Output = Result<Bytes, Error>>;
        /// Writes it to a file.
        fn save(self, path: impl AsRef<Path>) -> impl Future<Output = Result<u64, Error>>;
    }

    impl Payload for ResponseBody {
        async fn read_text(self) -> Result<String, Error> {
            self.into_blocking().text()
        }

        async fn read(self) -> Result<Bytes, Error> {
            let mut all = Vec::new();
            match self.into_blocking().read_to_end(&mut all) {
                Ok(_) => Ok(all.into()),
                Err(error) => Err(error.downcast().expect("the error is the SDK's")),
            }
        }

        async fn save(self, path: impl AsRef<Path>) -> Result<u64, Error> {
            self.into_blocking().save_to(path)
        }
    }

    /// Whether there is an object.
    ///
    /// # Errors
    ///
    /// When that cannot be told.
    pub async fn exists(client: &Client, bucket: &str, key: &str) -> Result<bool, Error> {
        client.object_exists(bucket, key)
    }

    /// Carries out an operation that no type exists for.
    ///
    /// # Errors
    ///
    /// As any call.
    pub async fn invoke(client: &Client, input: OperationInput) -> Result<OperationOutput, Error> {
        client.invoke_operation(input).send()
    }

    /// Both at once, each on a thread of its own.
    ///
    /// # Panics
    ///
    /// When one of them does.
    pub async fn both<A: Send, B: Send>(
        one: impl Future<Output = A> + Send,
        other: impl Future<Output = B> + Send,
    ) -> (A, B) {
        let runtime = Handle::current();
        std::thread::scope(|scope| {
            let one = scope.spawn(|| runtime.block_on(one));
            let other = scope.spawn(|| runtime.block_on(other));
            (one.join().expect("no panic"), other.join().expect("no panic"))
        })
    }
}
