//! The client that the generated operations of the obstacle models get their methods from. That they compile is the test:
//! their names are keywords, items of the prelude, and types of the runtime.

use oss_sdk::{Call, Operation};

/// A client with a method for each operation of the obstacle models.
#[derive(Debug, Clone)]
pub struct Client {
    inner: oss_sdk::Client,
}

impl Client {
    /// Calls through an ordinary client.
    pub fn new(inner: oss_sdk::Client) -> Self {
        Self { inner }
    }

    pub(crate) fn call<O: Operation>(&self, operation: O) -> Call<'_, O> {
        self.inner.invoke(operation)
    }
}
