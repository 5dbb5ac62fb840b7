//! Keeps temporary credentials and renews them in time, with one fetch for all callers.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::runtime::{self, Handle};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::{Credentials, CredentialsContext, CredentialsError, CredentialsProvider, CredentialsRequest};
use crate::future::BoxFuture;
use crate::random;
use crate::time::{Clock, SystemClock, Timestamp, monotonic};

/// Credentials are not used in the last moments of their life: the request must still arrive.
const MARGIN: Duration = Duration::from_secs(10);

/// After a fetch that failed, the next early renewal is not tried for so long, and up to twice that by chance. As long is
/// a key kept that came in place of a refused one.
const PAUSE: Duration = Duration::from_secs(10);

/// A fetch that takes longer is given up: it belongs to no caller, so nobody else would end it.
const LONGEST_FETCH: Duration = Duration::from_secs(60);

/// Longest time before their end that credentials are renewed.
const WIDEST_WINDOW: Duration = Duration::from_secs(15 * 60);

/// Keeps what another provider gives until shortly before its end.
///
/// Credentials without an end are passed through and asked for every time. When nothing usable is there, they are fetched
/// once, and all callers wait for the result, good or bad. In the last fifth of the credentials' life (at most 15
/// minutes, and a little later by chance, so that a fleet does not renew all at once) they are renewed while everybody
/// goes on with the old ones; if that fails, so does it, and the renewal is tried again after 10 to 20 seconds.
///
/// Credentials that the service has refused are fetched anew once, however many calls were refused with them; when those
/// that came instead are refused as well, they are kept for 10 seconds before others are asked for.
///
/// Fetching is a task of the runtime that the first caller is on. It goes on when that caller gives up, so that a source
/// that takes longer than a call may is still of use to the next one, and it is given up after 60 seconds. Callers on several
/// runtimes do not wait for each other's.
///
/// The client puts this around every provider. Around a provider that another one builds on, it is put by hand.
pub struct CachedCredentials<P> {
    shared: Arc<Shared<P>>,
    /// The last fetch, which ends with the cache.
    task: Mutex<Option<AbortHandle>>,
}

struct Shared<P> {
    provider: P,
    clock: OnceLock<Arc<dyn Clock>>,
    state: Mutex<State>,
    /// Changes whenever a fetch has ended.
    ended: watch::Sender<()>,
}

#[derive(Default)]
struct State {
    current: Option<Held>,
    /// A fetch failed then, and the next early renewal is not tried for so long.
    pause: Option<(Timestamp, Duration)>,
    /// Counts ended fetches, so that those who waited for one know how it ended.
    generation: u64,
    /// How the last fetch ended, for those who waited for it.
    outcome: Option<Result<Credentials, CredentialsError>>,
    /// The provider gives credentials without an end: there is nothing to keep.
    passes_through: bool,
    /// The fetches that are under way: one on each runtime, for a runtime may stand still while another waits.
    under_way: Vec<UnderWay>,
    begun: u64,
}

struct UnderWay {
    number: u64,
    runtime: Option<runtime::Id>,
    since: Instant,
}

#[derive(Clone)]
struct Held {
    credentials: Credentials,
    since: Timestamp,
    /// From when on they are not what should be used any more.
    end: Timestamp,
    /// How long they were good for when they came.
    life: Duration,
    /// How long before the end they are renewed.
    window: Duration,
    /// They came in place of others that were refused.
    is_replacement: bool,
}

enum Found {
    Usable(Credentials),
    /// Usable, but it is time to renew.
    Aging(Credentials),
    PassThrough,
    /// A fetch is needed; if it fails there may be something to go on with.
    Wanting(Option<Credentials>),
}

impl<P: CredentialsProvider + 'static> CachedCredentials<P> {
    /// Keeps what `provider` gives. The time is the client's, once a client is made with it.
    pub fn new(provider: P) -> Self {
        Self {
            shared: Arc::new(Shared {
                provider,
                clock: OnceLock::new(),
                state: Mutex::default(),
                ended: watch::Sender::new(()),
            }),
            task: Mutex::default(),
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
        let before = shared.state().generation;
        loop {
            // From before the look, so that no end is missed.
            let mut ended = shared.ended.subscribe();
            let outcome = shared.outcome_since(before);
            match (shared.look(request), outcome) {
                // What has just been fetched is the answer: asking again at once would give the same.
                (Found::PassThrough, Some(outcome)) => return outcome,
                (Found::Wanting(fallback), Some(outcome)) => {
                    return outcome.or_else(|error| fallback.ok_or(error));
                }
                (Found::PassThrough, None) => return shared.pass(request).await,
                (Found::Usable(credentials), _) => return Ok(credentials),
                (Found::Aging(credentials), _) => {
                    if let Ok(runtime) = Handle::try_current() {
                        self.spawn(&runtime, &CredentialsRequest::default());
                    }
                    return Ok(credentials);
                }
                (Found::Wanting(_), None) => {}
            }
            if let Ok(runtime) = Handle::try_current() {
                self.spawn(&runtime, request);
                drop(tokio::time::timeout(LONGEST_FETCH, ended.changed()).await);
            } else if let Some(fetch) = shared.begin(None) {
                let outcome = shared.ask(request).await;
                fetch.end(request, outcome);
            } else {
                drop(ended.changed().await);
            }
        }
    }

    /// Fetches in a task of its own, unless somebody does already.
    fn spawn(&self, runtime: &Handle, request: &CredentialsRequest) {
        let Some(fetch) = self.shared.begin(Some(runtime.id())) else {
            return;
        };
        let request = request.clone();
        let task = runtime.spawn(async move {
            let outcome = tokio::time::timeout(LONGEST_FETCH, fetch.shared.ask(&request)).await;
            let late = |_| Err(CredentialsError::retryable("the source of credentials does not answer"));
            fetch.end(&request, outcome.unwrap_or_else(late));
        });
        let mut last = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some(task.abort_handle());
    }
}

/// The right to fetch, of one at a time on each runtime. When it is dropped without an outcome (a provider has panicked, or a runtime has
/// ended), that is a failure for those who wait.
struct Fetch<P: CredentialsProvider> {
    shared: Arc<Shared<P>>,
    number: u64,
    is_done: bool,
}

impl<P: CredentialsProvider> Fetch<P> {
    fn end(mut self, request: &CredentialsRequest, outcome: Result<Credentials, CredentialsError>) {
        self.is_done = true;
        self.finish(request, &outcome);
    }

    fn finish(&self, request: &CredentialsRequest, outcome: &Result<Credentials, CredentialsError>) {
        let is_mine = {
            let mut state = self.shared.state();
            let before = state.under_way.len();
            state.under_way.retain(|fetch| fetch.number != self.number);
            state.under_way.len() < before
        };
        // Who was given up has nothing to say any more.
        if is_mine {
            self.shared.keep(request, outcome);
            self.shared.ended.send_replace(());
        }
    }
}

impl<P: CredentialsProvider> Drop for Fetch<P> {
    fn drop(&mut self) {
        if !self.is_done {
            let outcome = Err(CredentialsError::retryable("the source of credentials was given up"));
            self.finish(&CredentialsRequest::default(), &outcome);
        }
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

    /// Takes the right to fetch on a runtime, if it is not taken there, or was for too long.
    fn begin(self: &Arc<Self>, runtime: Option<runtime::Id>) -> Option<Fetch<P>> {
        let now = monotonic();
        let mut state = self.state();
        state
            .under_way
            .retain(|fetch| now.saturating_duration_since(fetch.since) < LONGEST_FETCH);
        if state.under_way.iter().any(|fetch| fetch.runtime == runtime) {
            return None;
        }
        state.begun += 1;
        let number = state.begun;
        state.under_way.push(UnderWay {
            number,
            runtime,
            since: now,
        });
        Some(Fetch {
            shared: Arc::clone(self),
            number,
            is_done: false,
        })
    }

    fn look(&self, request: &CredentialsRequest) -> Found {
        let now = self.now();
        let state = self.state();
        if state.passes_through {
            return Found::PassThrough;
        }
        let Some(held) = &state.current else {
            return Found::Wanting(None);
        };
        if request.refuses(&held.credentials) {
            // A key that is refused for good must not cost a fetch for every call.
            let is_new = held.is_replacement && now < held.since.saturating_add(PAUSE);
            return if is_new {
                Found::Usable(held.credentials.clone())
            } else {
                Found::Wanting(None)
            };
        }
        let is_usable = |from: Timestamp| held.credentials.expiration().is_none_or(|end| end > from);
        if !is_usable(now.saturating_add(MARGIN)) {
            // In its last moments a key is better than none.
            return Found::Wanting(Some(held.credentials.clone()).filter(|_| is_usable(now)));
        }
        let left = held.end.saturating_since(now);
        let is_paused = state
            .pause
            .is_some_and(|(begun, length)| begun <= now && now < begun.saturating_add(length));
        // Longer than a fresh key would last is not asked for: it would be fetched for nothing, every time.
        let wanted = request
            .min_life
            .filter(|_| held.credentials.expiration().is_some())
            .map(|wanted| wanted.min(held.life.saturating_sub(held.window)));
        if wanted.is_some_and(|wanted| left < wanted) && !is_paused {
            return Found::Wanting(Some(held.credentials.clone()));
        }
        if left <= held.window && !is_paused {
            Found::Aging(held.credentials.clone())
        } else {
            Found::Usable(held.credentials.clone())
        }
    }

    /// How the last fetch ended, if one has since then.
    fn outcome_since(&self, before: u64) -> Option<Result<Credentials, CredentialsError>> {
        let state = self.state();
        state.outcome.clone().filter(|_| state.generation != before)
    }

    async fn ask(&self, request: &CredentialsRequest) -> Result<Credentials, CredentialsError> {
        let credentials = self.provider.credentials(request).await?;
        credentials.check()?;
        Ok(credentials)
    }

    /// Asks for what is not kept, unless it turns out to have an end by now.
    async fn pass(&self, request: &CredentialsRequest) -> Result<Credentials, CredentialsError> {
        let outcome = self.ask(request).await;
        if outcome
            .as_ref()
            .is_ok_and(|credentials| credentials.renewal().is_some())
        {
            self.keep(request, &outcome);
        }
        outcome
    }

    fn keep(&self, request: &CredentialsRequest, outcome: &Result<Credentials, CredentialsError>) {
        let now = self.now();
        let mut state = self.state();
        state.generation += 1;
        state.outcome = Some(outcome.clone());
        match outcome {
            Ok(credentials) => {
                state.pause = None;
                state.passes_through = credentials.renewal().is_none();
                state.current = credentials.renewal().map(|end| {
                    let life = end.saturating_since(now);
                    Held {
                        credentials: credentials.clone(),
                        since: now,
                        end,
                        life,
                        window: window(life),
                        is_replacement: request.refused.is_some(),
                    }
                });
            }
            Err(error) => {
                tracing::debug!(%error, "no new credentials");
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
        let task = self.task.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(task) = task.take() {
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
