//! Keeps temporary credentials and renews them in time, with one caller fetching for all.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::OwnedMutexGuard;
use tokio::task::AbortHandle;

use super::{Credentials, CredentialsContext, CredentialsError, CredentialsProvider, CredentialsRequest};
use crate::future::BoxFuture;
use crate::random;
use crate::time::{Clock, SystemClock, Timestamp};

/// Credentials are not used in the last moments of their life: the request must still arrive.
const MARGIN: Duration = Duration::from_secs(10);

/// After an early renewal that failed, the next one is not tried for so long, and up to twice that by chance.
const PAUSE: Duration = Duration::from_secs(10);

/// An early renewal that takes longer is given up: nobody waits for it, so nobody else would end it.
const LONGEST_RENEWAL: Duration = Duration::from_secs(60);

/// Longest time before their end that credentials are renewed.
const WIDEST_WINDOW: Duration = Duration::from_secs(15 * 60);

/// Keeps what another provider gives until shortly before its end.
///
/// Credentials without an end are passed through and asked for every time. When nothing usable is there, one caller
/// fetches and all others wait for its result, good or bad. In the last fifth of the credentials' life (at most 15
/// minutes, and a little later by chance, so that a fleet does not renew all at once) they are renewed in the background
/// while everybody goes on with the old ones; if that fails, so does it, and the renewal is tried again after 10 to 20
/// seconds.
///
/// Credentials that the service has refused are fetched anew once, however many calls were refused with them.
///
/// The client puts this around every provider. Around a provider that another one builds on, it is put by hand.
pub struct CachedCredentials<P> {
    shared: Arc<Shared<P>>,
    /// The renewal in the background, which ends with the cache.
    renewal: Mutex<Option<AbortHandle>>,
}

struct Shared<P> {
    provider: P,
    clock: OnceLock<Arc<dyn Clock>>,
    state: Mutex<State>,
    /// Held while fetching.
    fetching: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct State {
    current: Option<Held>,
    /// An early renewal failed then, and the next one is not tried for so long.
    pause: Option<(Timestamp, Duration)>,
    /// Counts finished fetches, so that those who waited for one know how it ended.
    generation: u64,
    failure: Option<CredentialsError>,
    /// The provider gives credentials without an end: there is nothing to keep.
    passes_through: bool,
}

#[derive(Clone)]
struct Held {
    credentials: Credentials,
    /// From when on they are not what should be used any more.
    end: Timestamp,
    /// How long they were good for when they came.
    life: Duration,
    /// How long before the end they are renewed.
    window: Duration,
}

enum Found {
    Usable(Credentials),
    /// Usable, but it is time to renew.
    Aging(Credentials),
    PassThrough,
    Wanting {
        generation: u64,
        /// To go on with when the fetch fails.
        fallback: Option<Credentials>,
    },
}

impl<P: CredentialsProvider + 'static> CachedCredentials<P> {
    /// Keeps what `provider` gives. The time is the client's, once a client is made with it.
    pub fn new(provider: P) -> Self {
        Self {
            shared: Arc::new(Shared {
                provider,
                clock: OnceLock::new(),
                state: Mutex::default(),
                fetching: Arc::default(),
            }),
            renewal: Mutex::default(),
        }
    }

    /// The same with a clock of the caller's.
    pub fn with_clock(provider: P, clock: Arc<dyn Clock>) -> Self {
        let cache = Self::new(provider);
        cache.shared.set_clock(clock);
        cache
    }

    async fn get(&self, request: &CredentialsRequest) -> Result<Credentials, CredentialsError> {
        let shared = &self.shared;
        let before = match shared.look(request) {
            Found::PassThrough => return shared.fetch(request).await,
            Found::Usable(credentials) => return Ok(credentials),
            Found::Aging(credentials) => return Ok(self.renew(credentials).await),
            Found::Wanting { generation, .. } => generation,
        };
        let _guard = shared.fetching.lock().await;
        match shared.look(request) {
            Found::Usable(credentials) | Found::Aging(credentials) => Ok(credentials),
            Found::Wanting { generation, fallback } if generation != before => {
                // Somebody has just fetched: asking again at once would give the same.
                shared.last_outcome().or_else(|error| fallback.ok_or(error))
            }
            Found::Wanting { fallback, .. } => {
                let fetched = shared.fetch(request).await;
                fetched.or_else(|error| fallback.ok_or(error))
            }
            Found::PassThrough => shared.fetch(request).await,
        }
    }

    /// Starts a renewal unless one is under way, and gives what can be used until it is done.
    async fn renew(&self, current: Credentials) -> Credentials {
        let Ok(guard) = Arc::clone(&self.shared.fetching).try_lock_owned() else {
            return current;
        };
        let shared = Arc::clone(&self.shared);
        let Ok(runtime) = Handle::try_current() else {
            return shared.renew(guard).await.unwrap_or(current);
        };
        let task = runtime.spawn(async move { drop(shared.renew(guard).await) });
        let mut renewal = self.renewal.lock().unwrap_or_else(PoisonError::into_inner);
        *renewal = Some(task.abort_handle());
        current
    }
}

impl<P: CredentialsProvider> Shared<P> {
    fn set_clock(&self, clock: Arc<dyn Clock>) {
        // The first one counts.
        drop(self.clock.set(clock));
    }

    fn now(&self) -> Timestamp {
        Timestamp::from(self.clock.get().map_or_else(|| SystemClock.now(), |clock| clock.now()))
    }

    fn look(&self, request: &CredentialsRequest) -> Found {
        let now = self.now();
        let state = self.state();
        if state.passes_through {
            return Found::PassThrough;
        }
        let wanting = |fallback| Found::Wanting {
            generation: state.generation,
            fallback,
        };
        let Some(held) = &state.current else {
            return wanting(None);
        };
        if request.refuses(&held.credentials) {
            return wanting(None);
        }
        let is_usable = |from: Timestamp| held.credentials.expiration().is_none_or(|end| end > from);
        if !is_usable(now.saturating_add(MARGIN)) {
            // In its last moments a key is better than none.
            return wanting(Some(held.credentials.clone()).filter(|_| is_usable(now)));
        }
        let left = held.end.saturating_since(now);
        let is_paused = state
            .pause
            .is_some_and(|(begun, length)| begun <= now && now < begun.saturating_add(length));
        // Longer than a fresh key would last is not asked for: it would be fetched for nothing, every time.
        let wanted = request
            .min_life
            .map(|wanted| wanted.min(held.life.saturating_sub(held.window)));
        if wanted.is_some_and(|wanted| left < wanted) && !is_paused {
            return wanting(Some(held.credentials.clone()));
        }
        if left <= held.window && !is_paused {
            Found::Aging(held.credentials.clone())
        } else {
            Found::Usable(held.credentials.clone())
        }
    }

    /// How the last fetch ended.
    fn last_outcome(&self) -> Result<Credentials, CredentialsError> {
        let state = self.state();
        match (&state.failure, &state.current) {
            (None, Some(held)) => Ok(held.credentials.clone()),
            (Some(failure), _) => Err(failure.clone()),
            (None, None) => Err(CredentialsError::retryable("the credentials are gone")),
        }
    }

    async fn fetch(&self, request: &CredentialsRequest) -> Result<Credentials, CredentialsError> {
        let outcome = self.provider.credentials(request).await.and_then(|credentials| {
            credentials.check()?;
            Ok(credentials)
        });
        self.keep(&outcome);
        outcome
    }

    /// Fetches before it is necessary.
    async fn renew(&self, _guard: OwnedMutexGuard<()>) -> Result<Credentials, CredentialsError> {
        let request = CredentialsRequest::default();
        match tokio::time::timeout(LONGEST_RENEWAL, self.fetch(&request)).await {
            Ok(outcome) => outcome,
            Err(_) => {
                let outcome = Err(CredentialsError::retryable("the source of credentials does not answer"));
                self.keep(&outcome);
                outcome
            }
        }
    }

    fn keep(&self, outcome: &Result<Credentials, CredentialsError>) {
        let now = self.now();
        let mut state = self.state();
        state.generation += 1;
        match outcome {
            Ok(credentials) => {
                state.failure = None;
                state.pause = None;
                state.passes_through = credentials.renewal().is_none();
                state.current = credentials.renewal().map(|end| {
                    let life = end.saturating_since(now);
                    Held {
                        credentials: credentials.clone(),
                        end,
                        life,
                        window: window(life),
                    }
                });
            }
            Err(error) => {
                tracing::debug!(%error, "no new credentials");
                state.failure = Some(error.clone());
                state.pause = Some((now, PAUSE.mul_f64(1.0 + random::unit())));
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change of the state is complete in itself, so a panic elsewhere leaves it usable.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long before their end credentials are renewed: a fifth of their life within bounds, less up to a quarter of that
/// by chance.
fn window(life: Duration) -> Duration {
    (life / 5).min(WIDEST_WINDOW).mul_f64(1.0 - random::unit() / 4.0)
}

impl<P: CredentialsProvider + 'static> CredentialsProvider for CachedCredentials<P> {
    fn credentials<'a>(
        &'a self,
        request: &'a CredentialsRequest,
    ) -> BoxFuture<'a, Result<Credentials, CredentialsError>> {
        Box::pin(self.get(request))
    }

    fn attach(&self, context: &CredentialsContext) {
        self.shared.set_clock(Arc::clone(context.clock()));
        self.shared.provider.attach(context);
    }
}

impl<P> Drop for CachedCredentials<P> {
    fn drop(&mut self) {
        let renewal = self.renewal.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(task) = renewal.take() {
            task.abort();
        }
    }
}

impl<P: fmt::Debug> fmt::Debug for CachedCredentials<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CachedCredentials").field(&self.shared.provider).finish()
    }
}

#[cfg(test)]
mod tests;
