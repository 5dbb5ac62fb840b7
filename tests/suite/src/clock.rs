//! One clock for the emulator and its clients, and providers of credentials that count.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use oss_sdk::BoxFuture;
use oss_sdk::credentials::{
    Credentials, CredentialsContext, CredentialsError, CredentialsProvider, CredentialsRequest,
};

/// The emulator's clock as the SDK wants one: moving it moves both.
#[derive(Debug, Clone)]
pub struct SharedClock(pub oss_emulator::Clock);

impl SharedClock {
    /// A clock that stands still at a time in the year 2027.
    pub fn fixed() -> Self {
        Self(oss_emulator::Clock::fixed(
            UNIX_EPOCH + Duration::from_secs(1_800_000_000),
        ))
    }

    /// Moves it.
    pub fn advance(&self, seconds: u64) {
        self.0.advance(Duration::from_secs(seconds));
    }
}

impl oss_sdk::Clock for SharedClock {
    fn now(&self) -> SystemTime {
        self.0.now()
    }
}

/// Counts what another provider is asked and what it has answered.
#[derive(Debug, Clone)]
pub struct Counted<P> {
    provider: P,
    counts: Arc<[AtomicU32; 2]>,
}

impl<P> Counted<P> {
    /// Begins at zero.
    pub fn new(provider: P) -> Self {
        Self {
            provider,
            counts: Arc::default(),
        }
    }

    /// How often it was asked.
    pub fn asked(&self) -> u32 {
        self.counts[0].load(Ordering::SeqCst)
    }

    /// How often it has answered, well or badly.
    pub fn answered(&self) -> u32 {
        self.counts[1].load(Ordering::SeqCst)
    }

    /// Waits until it has answered so often.
    ///
    /// # Panics
    ///
    /// When that takes longer than any machine needs.
    pub async fn wait_answered(&self, times: u32) {
        let waited = async {
            while self.answered() < times {
                tokio::task::yield_now().await;
            }
            // The cache takes the answer in the same step of the same task, which may be on another thread.
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), waited)
            .await
            .expect("the provider answers");
    }
}

impl<P: CredentialsProvider> CredentialsProvider for Counted<P> {
    fn credentials<'a>(
        &'a self,
        request: &'a CredentialsRequest,
    ) -> BoxFuture<'a, Result<Credentials, CredentialsError>> {
        Box::pin(async {
            self.counts[0].fetch_add(1, Ordering::SeqCst);
            let outcome = self.provider.credentials(request).await;
            self.counts[1].fetch_add(1, Ordering::SeqCst);
            outcome
        })
    }

    fn attach(&self, context: &CredentialsContext) {
        self.provider.attach(context);
    }
}
