//! Keeps temporary credentials and renews them in time, with one caller fetching for all.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Credentials, CredentialsError, CredentialsProvider, CredentialsRequest, renewal_window};
use crate::future::BoxFuture;
use crate::time::{Clock, SystemClock, Timestamp};

/// Credentials are not used in the last moments of their life: the request must still arrive.
const MARGIN: Duration = Duration::from_secs(10);

/// After an early renewal that failed, the old credentials are used for at least this long before the next.
const PAUSE: Duration = Duration::from_secs(30);

/// Keeps what another provider gives until shortly before its end.
///
/// Credentials without an end are passed through and asked for every time. When nothing usable is there, one caller
/// fetches and all others wait for its result, good or bad. In the last fifth of the credentials' life (at most 15 minutes)
/// one caller at a time renews them while the others go on with the old ones; if that fails, so does it. The client puts
/// this around every provider.
pub struct CachedCredentials<P> {
    provider: P,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// Held while fetching.
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    current: Option<Credentials>,
    /// From when on to renew.
    renew_at: Option<Timestamp>,
    /// Counts finished fetches, so that those who waited for one know how it ended.
    generation: u64,
    failure: Option<CredentialsError>,
    /// The provider gives credentials without an end: there is nothing to keep.
    passes_through: bool,
}

enum Found {
    Usable(Credentials),
    /// Usable, but it is time to renew.
    Aging(Credentials),
    PassThrough,
    Nothing {
        generation: u64,
    },
}

impl<P: CredentialsProvider> CachedCredentials<P> {
    /// Keeps what `provider` gives.
    pub fn new(provider: P) -> Self {
        Self::with_clock(provider, Arc::new(SystemClock))
    }

    /// The same with a clock of the caller's.
    pub fn with_clock(provider: P, clock: Arc<dyn Clock>) -> Self {
        Self {
            provider,
            clock,
            state: Mutex::default(),
            fetching: tokio::sync::Mutex::new(()),
        }
    }

    async fn get(&self, request: &CredentialsRequest) -> Result<Credentials, CredentialsError> {
        match self.look(request) {
            Found::Usable(credentials) => Ok(credentials),
            Found::PassThrough => self.fetch(request).await,
            Found::Aging(credentials) => match self.fetching.try_lock() {
                Ok(_guard) => Ok(self.fetch(request).await.unwrap_or(credentials)),
                Err(_) => Ok(credentials),
            },
            Found::Nothing { generation } => {
                let _guard = self.fetching.lock().await;
                if let Some(outcome) = self.outcome_since(generation) {
                    return outcome;
                }
                self.fetch(request).await
            }
        }
    }

    fn look(&self, request: &CredentialsRequest) -> Found {
        let now = Timestamp::from(self.clock.now());
        let state = self.state();
        if state.passes_through {
            return Found::PassThrough;
        }
        match &state.current {
            Some(current) if !request.force_refresh && is_usable(current, now) => {
                if state.renew_at.is_some_and(|at| now >= at) {
                    Found::Aging(current.clone())
                } else {
                    Found::Usable(current.clone())
                }
            }
            _ => Found::Nothing {
                generation: state.generation,
            },
        }
    }

    /// How the fetch ended that finished while the caller waited, if one did.
    fn outcome_since(&self, generation: u64) -> Option<Result<Credentials, CredentialsError>> {
        let state = self.state();
        if state.generation == generation {
            return None;
        }
        match (&state.failure, &state.current) {
            (Some(failure), _) => Some(Err(failure.clone())),
            (None, Some(current)) => Some(Ok(current.clone())),
            (None, None) => None,
        }
    }

    async fn fetch(&self, request: &CredentialsRequest) -> Result<Credentials, CredentialsError> {
        let outcome = self.provider.credentials(request).await.and_then(|credentials| {
            credentials.check()?;
            Ok(credentials)
        });
        let now = Timestamp::from(self.clock.now());
        let mut state = self.state();
        state.generation += 1;
        match &outcome {
            Ok(credentials) => {
                state.failure = None;
                state.passes_through = credentials.expiration().is_none();
                state.renew_at = credentials.expiration().map(|end| {
                    let life = end.saturating_since(now);
                    now.saturating_add(life.saturating_sub(renewal_window(life)))
                });
                state.current = (!state.passes_through).then(|| credentials.clone());
            }
            Err(error) => {
                state.failure = Some(error.clone());
                state.renew_at = Some(now.saturating_add(PAUSE));
            }
        }
        outcome
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change of the state is complete in itself, so a panic elsewhere leaves it usable.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_usable(credentials: &Credentials, now: Timestamp) -> bool {
    credentials
        .expiration()
        .is_none_or(|end| end > now.saturating_add(MARGIN))
}

impl<P: CredentialsProvider> CredentialsProvider for CachedCredentials<P> {
    fn credentials<'a>(
        &'a self,
        request: &'a CredentialsRequest,
    ) -> BoxFuture<'a, Result<Credentials, CredentialsError>> {
        Box::pin(self.get(request))
    }
}

impl<P: fmt::Debug> fmt::Debug for CachedCredentials<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CachedCredentials").field(&self.provider).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::time::FixedClock;

    /// Gives a new key at each call, valid for some time, or fails while it is told to.
    #[derive(Debug)]
    struct Source {
        clock: Arc<FixedClock>,
        life: Option<Duration>,
        calls: AtomicU32,
        broken: std::sync::atomic::AtomicBool,
        gate: tokio::sync::Semaphore,
    }

    impl CredentialsProvider for Source {
        fn credentials<'a>(
            &'a self,
            _request: &'a CredentialsRequest,
        ) -> BoxFuture<'a, Result<Credentials, CredentialsError>> {
            Box::pin(async {
                let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
                let _permit = self.gate.acquire().await.unwrap();
                if self.broken.load(Ordering::SeqCst) {
                    return Err(CredentialsError::retryable(format!("failure {call}")));
                }
                let credentials = Credentials::new(format!("key{call}"), "secret");
                let now = Timestamp::from(self.clock.now());
                Ok(match self.life {
                    Some(life) => credentials.with_expiration(now.saturating_add(life)),
                    None => credentials,
                })
            })
        }
    }

    fn cache(life: Option<u64>, permits: usize) -> (Arc<CachedCredentials<Source>>, Arc<FixedClock>) {
        let clock = Arc::new(FixedClock::new(Timestamp::from_unix(1_000_000).unwrap()));
        let source = Source {
            clock: clock.clone(),
            life: life.map(Duration::from_secs),
            calls: AtomicU32::new(0),
            broken: false.into(),
            gate: tokio::sync::Semaphore::new(permits),
        };
        (Arc::new(CachedCredentials::with_clock(source, clock.clone())), clock)
    }

    async fn id(cache: &CachedCredentials<Source>) -> String {
        match cache.credentials(&CredentialsRequest::default()).await {
            Ok(credentials) => credentials.access_key_id().to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[tokio::test]
    async fn credentials_are_kept_until_the_last_fifth_of_their_life() {
        let (cache, clock) = cache(Some(1000), 1);
        assert_eq!(id(&cache).await, "key1");
        clock.advance(Duration::from_secs(799));
        assert_eq!(id(&cache).await, "key1");
        clock.advance(Duration::from_secs(1));
        assert_eq!(id(&cache).await, "key2");
        assert_eq!(id(&cache).await, "key2");
    }

    #[tokio::test]
    async fn a_renewal_that_fails_leaves_the_old_key_until_its_end() {
        let (cache, clock) = cache(Some(1000), 1);
        assert_eq!(id(&cache).await, "key1");
        cache.provider.broken.store(true, Ordering::SeqCst);
        clock.advance(Duration::from_secs(850));
        for _ in 0..3 {
            assert_eq!(id(&cache).await, "key1");
        }
        assert_eq!(
            cache.provider.calls.load(Ordering::SeqCst),
            2,
            "one attempt, then a pause"
        );
        clock.advance(PAUSE);
        assert_eq!(id(&cache).await, "key1");
        assert_eq!(cache.provider.calls.load(Ordering::SeqCst), 3);
        clock.advance(Duration::from_secs(200));
        assert_eq!(id(&cache).await, "failure 4");
        cache.provider.broken.store(false, Ordering::SeqCst);
        assert_eq!(id(&cache).await, "key5");
    }

    #[tokio::test]
    async fn many_callers_share_one_fetch() {
        for broken in [false, true] {
            let (cache, _clock) = cache(Some(1000), 0);
            cache.provider.broken.store(broken, Ordering::SeqCst);
            let calls: Vec<_> = (0..20)
                .map(|_| {
                    let cache = cache.clone();
                    tokio::spawn(async move { id(&cache).await })
                })
                .collect();
            tokio::task::yield_now().await;
            cache.provider.gate.add_permits(20);
            for call in calls {
                assert_eq!(call.await.unwrap(), if broken { "failure 1" } else { "key1" });
            }
            assert_eq!(cache.provider.calls.load(Ordering::SeqCst), 1);
        }
    }

    #[tokio::test]
    async fn a_cancelled_fetch_hands_over_to_the_next_caller() {
        let (cache, _clock) = cache(Some(1000), 0);
        let first = tokio::spawn({
            let cache = cache.clone();
            async move { id(&cache).await }
        });
        tokio::task::yield_now().await;
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        cache.provider.gate.add_permits(1);
        assert_eq!(id(&cache).await, "key2");
    }

    #[tokio::test]
    async fn others_go_on_with_the_old_key_during_a_renewal() {
        let (cache, clock) = cache(Some(1000), 1);
        assert_eq!(id(&cache).await, "key1");
        clock.advance(Duration::from_secs(900));
        let permit = cache.provider.gate.acquire().await.unwrap();
        let renewing = tokio::spawn({
            let cache = cache.clone();
            async move { id(&cache).await }
        });
        tokio::task::yield_now().await;
        assert_eq!(id(&cache).await, "key1");
        drop(permit);
        assert_eq!(renewing.await.unwrap(), "key2");
    }

    #[tokio::test]
    async fn credentials_without_an_end_are_asked_for_every_time() {
        let (cache, _clock) = cache(None, 1);
        assert_eq!(id(&cache).await, "key1");
        assert_eq!(id(&cache).await, "key2");
    }

    #[tokio::test]
    async fn a_forced_refresh_fetches_and_damaged_keys_are_refused() {
        let (cache, _clock) = cache(Some(1000), 1);
        assert_eq!(id(&cache).await, "key1");
        let forced = CredentialsRequest { force_refresh: true };
        assert_eq!(cache.credentials(&forced).await.unwrap().access_key_id(), "key2");
        let damaged = CachedCredentials::new(super::super::from_fn(|| async {
            Ok(Credentials::new("id", "secret "))
        }));
        let error = damaged.credentials(&CredentialsRequest::default()).await.unwrap_err();
        assert_eq!(error.field(), Some("access_key_secret"));
    }
}
