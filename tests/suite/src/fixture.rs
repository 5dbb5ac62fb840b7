//! An emulator with a bucket and a client for it.

use oss_emulator::Emulator;
use oss_sdk::{Client, ClientBuilder, Credentials, PutBucketRequest};

/// Name of the bucket that [`Fixture::start`] makes.
pub const BUCKET: &str = "suite";

/// A server of its own for one test.
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
        client
            .put_bucket(PutBucketRequest::new(BUCKET))
            .await
            .expect("the bucket is made");
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
