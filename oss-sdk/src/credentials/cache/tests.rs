//! The cache under a clock that is moved and a source that fails on demand.

use std::future::Future as _;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::*;
use crate::time::FixedClock;

/// Gives a new key at each call, valid for some time, or fails while it is told to.
#[derive(Debug)]
struct Source {
    clock: Arc<FixedClock>,
    life: Option<Duration>,
    /// Good beyond that time.
    endless: bool,
    calls: AtomicU32,
    broken: AtomicBool,
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
            Ok(match self.life.map(|life| now.saturating_add(life)) {
                Some(end) if self.endless => credentials.with_renewal(end),
                Some(end) => credentials.with_expiration(end),
                None => credentials,
            })
        })
    }
}

type Cache = Arc<CachedCredentials<Source>>;

fn cache_of(life: Option<u64>, endless: bool, permits: usize) -> (Cache, Arc<FixedClock>) {
    let clock = Arc::new(FixedClock::new(Timestamp::from_unix(1_000_000).unwrap()));
    let source = Source {
        clock: clock.clone(),
        life: life.map(Duration::from_secs),
        endless,
        calls: AtomicU32::new(0),
        broken: AtomicBool::new(false),
        gate: tokio::sync::Semaphore::new(permits),
    };
    (Arc::new(CachedCredentials::with_clock(source, clock.clone())), clock)
}

fn cache(life: Option<u64>, permits: usize) -> (Cache, Arc<FixedClock>) {
    cache_of(life, false, permits)
}

fn source(cache: &Cache) -> &Source {
    &cache.shared.provider
}

fn calls(cache: &Cache) -> u32 {
    source(cache).calls.load(Ordering::SeqCst)
}

async fn ask(cache: &Cache, request: &CredentialsRequest) -> String {
    match cache.credentials(request).await {
        Ok(credentials) => credentials.access_key_id().to_owned(),
        Err(error) => error.to_string(),
    }
}

async fn id(cache: &Cache) -> String {
    ask(cache, &CredentialsRequest::default()).await
}

/// Lets the renewal in the background come to its end.
async fn settle() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

fn refused(id: &str) -> CredentialsRequest {
    CredentialsRequest {
        refused: Some(Credentials::new(id, "secret")),
        ..CredentialsRequest::default()
    }
}

#[tokio::test]
async fn credentials_are_renewed_in_the_background_in_the_last_fifth_of_their_life() {
    let (cache, clock) = cache(Some(1000), 1);
    assert_eq!(id(&cache).await, "key1");
    clock.advance(Duration::from_secs(799));
    assert_eq!(id(&cache).await, "key1");
    settle().await;
    assert_eq!(calls(&cache), 1);
    clock.advance(Duration::from_secs(51));
    assert_eq!(id(&cache).await, "key1", "nobody waits");
    settle().await;
    assert_eq!(id(&cache).await, "key2");
    settle().await;
    assert_eq!(calls(&cache), 2);
}

#[test]
fn the_time_of_the_renewal_is_spread() {
    let windows: Vec<Duration> = (0..1000).map(|_| window(Duration::from_secs(3600))).collect();
    let bounds = Duration::from_secs(540)..=Duration::from_secs(720);
    assert!(windows.iter().all(|window| bounds.contains(window)));
    let distinct: std::collections::HashSet<_> = windows.iter().collect();
    assert!(distinct.len() > 900);
    assert!(window(Duration::from_secs(43_200)) <= WIDEST_WINDOW);
}

#[tokio::test]
async fn a_renewal_that_fails_leaves_the_old_key_until_its_end() {
    let (cache, clock) = cache(Some(1000), 1);
    assert_eq!(id(&cache).await, "key1");
    source(&cache).broken.store(true, Ordering::SeqCst);
    clock.advance(Duration::from_secs(850));
    for _ in 0..3 {
        assert_eq!(id(&cache).await, "key1");
        settle().await;
    }
    assert_eq!(calls(&cache), 2, "one attempt, then a pause");
    clock.advance(2 * PAUSE);
    assert_eq!(id(&cache).await, "key1");
    settle().await;
    assert_eq!(calls(&cache), 3);
    // In the last seconds everybody waits for a fetch, and has the old key when it fails.
    clock.advance(Duration::from_secs(125));
    assert_eq!(id(&cache).await, "key1");
    assert_eq!(calls(&cache), 4);
    clock.advance(Duration::from_secs(5));
    assert_eq!(id(&cache).await, "failure 5");
    source(&cache).broken.store(false, Ordering::SeqCst);
    assert_eq!(id(&cache).await, "key6");
}

#[tokio::test]
async fn many_callers_share_one_fetch() {
    for broken in [false, true] {
        let (cache, _clock) = cache(Some(1000), 0);
        source(&cache).broken.store(broken, Ordering::SeqCst);
        let waiting: Vec<_> = (0..20)
            .map(|_| {
                let cache = cache.clone();
                tokio::spawn(async move { id(&cache).await })
            })
            .collect();
        tokio::task::yield_now().await;
        source(&cache).gate.add_permits(20);
        for call in waiting {
            assert_eq!(call.await.unwrap(), if broken { "failure 1" } else { "key1" });
        }
        assert_eq!(calls(&cache), 1);
    }
}

#[tokio::test]
async fn a_fetch_goes_on_when_the_caller_gives_up() {
    let (cache, _clock) = cache(Some(1000), 0);
    let first = tokio::spawn({
        let cache = cache.clone();
        async move { id(&cache).await }
    });
    settle().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    source(&cache).gate.add_permits(1);
    assert_eq!(id(&cache).await, "key1", "which is not fetched again");
}

#[tokio::test]
async fn a_caller_that_is_not_polled_holds_up_nobody() {
    let (cache, _clock) = cache(Some(1000), 1);
    let mut first = Box::pin(id(&cache));
    let waker = std::task::Waker::noop();
    assert!(
        first
            .as_mut()
            .poll(&mut std::task::Context::from_waker(waker))
            .is_pending()
    );
    assert_eq!(id(&cache).await, "key1");
    assert_eq!(first.await, "key1");
}

#[tokio::test]
async fn a_fetch_on_a_runtime_that_stands_still_holds_up_no_other() {
    let (cache, _clock) = cache(Some(1000), 1);
    let idle = runtime::Builder::new_current_thread().enable_time().build().unwrap();
    {
        let _entered = idle.enter();
        cache.spawn(&Handle::current(), &CredentialsRequest::default());
    }
    assert_eq!(id(&cache).await, "key1", "it was never begun there");
    assert_eq!(calls(&cache), 1);
    idle.shutdown_background();
    assert_eq!(id(&cache).await, "key1", "and its end changes nothing");
}

#[tokio::test]
async fn a_source_that_panics_is_a_failure_and_not_a_wait() {
    let panicking = CachedCredentials::new(crate::credentials::from_fn(|| async {
        panic!("a bug of the provider")
    }));
    let error = panicking.credentials(&CredentialsRequest::default()).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
}

#[tokio::test]
async fn lasting_keys_are_asked_for_side_by_side() {
    let (cache, _clock) = cache(None, 1);
    assert_eq!(id(&cache).await, "key1");
    let gate = source(&cache).gate.acquire().await.unwrap();
    let waiting: Vec<_> = (0..20)
        .map(|_| {
            let cache = cache.clone();
            tokio::spawn(async move { id(&cache).await })
        })
        .collect();
    settle().await;
    assert_eq!(calls(&cache), 21, "nobody waits for another");
    drop(gate);
    for call in waiting {
        assert!(call.await.unwrap().starts_with("key"));
    }
}

#[test]
fn credentials_can_be_had_without_a_runtime() {
    let (cache, clock) = cache(Some(1000), 1);
    let ask = || {
        let mut asking = Box::pin(id(&cache));
        let waker = std::task::Waker::noop();
        match asking.as_mut().poll(&mut std::task::Context::from_waker(waker)) {
            std::task::Poll::Ready(id) => id,
            std::task::Poll::Pending => "nothing".to_owned(),
        }
    };
    assert_eq!(ask(), "key1");
    clock.advance(Duration::from_secs(900));
    assert_eq!(ask(), "key1", "nobody could renew it besides");
    clock.advance(Duration::from_secs(95));
    assert_eq!(ask(), "key2");
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_never_ends_is_given_up_and_ends_with_the_cache() {
    let (cache, clock) = cache(Some(1000), 1);
    assert_eq!(id(&cache).await, "key1");
    clock.advance(Duration::from_secs(850));
    let gate = source(&cache).gate.acquire().await.unwrap();
    assert_eq!(id(&cache).await, "key1");
    tokio::time::sleep(LONGEST_FETCH + Duration::from_secs(1)).await;
    clock.advance(2 * PAUSE);
    drop(gate);
    assert_eq!(id(&cache).await, "key1");
    settle().await;
    assert_eq!(id(&cache).await, "key3");

    let (cache, clock) = self::cache(Some(1000), 1);
    assert_eq!(id(&cache).await, "key1");
    clock.advance(Duration::from_secs(850));
    source(&cache).gate.acquire().await.unwrap().forget();
    assert_eq!(id(&cache).await, "key1");
    settle().await;
    let shared = Arc::downgrade(&cache.shared);
    drop(cache);
    settle().await;
    assert!(shared.upgrade().is_none(), "the task has ended");
}

#[tokio::test]
async fn credentials_without_an_end_are_asked_for_every_time() {
    let (cache, _clock) = cache(None, 1);
    assert_eq!(id(&cache).await, "key1");
    assert_eq!(id(&cache).await, "key2");
}

#[tokio::test]
async fn credentials_that_only_have_to_be_looked_after_are_never_without() {
    let (cache, clock) = cache_of(Some(1000), true, 1);
    assert_eq!(id(&cache).await, "key1");
    assert_eq!(id(&cache).await, "key1");
    source(&cache).broken.store(true, Ordering::SeqCst);
    clock.advance(Duration::from_secs(5000));
    for _ in 0..3 {
        assert_eq!(id(&cache).await, "key1");
        settle().await;
    }
    source(&cache).broken.store(false, Ordering::SeqCst);
    clock.advance(2 * PAUSE);
    assert_eq!(id(&cache).await, "key1");
    settle().await;
    assert_eq!(id(&cache).await, "key3");
}

#[tokio::test]
async fn a_refused_key_is_replaced_once_however_many_were_refused() {
    let (cache, clock) = cache(Some(1000), 1);
    assert_eq!(id(&cache).await, "key1");
    for _ in 0..5 {
        assert_eq!(ask(&cache, &refused("key1")).await, "key2");
    }
    assert_eq!(calls(&cache), 2);
    assert_eq!(
        ask(&cache, &refused("key2")).await,
        "key2",
        "what replaces it is kept for a while"
    );
    clock.advance(PAUSE);
    source(&cache).broken.store(true, Ordering::SeqCst);
    assert_eq!(
        ask(&cache, &refused("key2")).await,
        "failure 3",
        "it would be refused again"
    );
    assert_eq!(id(&cache).await, "key2", "others may still use it");
}

#[tokio::test]
async fn refused_at_once_is_fetched_once() {
    let (cache, _clock) = cache(Some(1000), 1);
    assert_eq!(id(&cache).await, "key1");
    let gate = source(&cache).gate.acquire().await.unwrap();
    let waiting: Vec<_> = (0..20)
        .map(|_| {
            let cache = cache.clone();
            tokio::spawn(async move { ask(&cache, &refused("key1")).await })
        })
        .collect();
    settle().await;
    drop(gate);
    for call in waiting {
        assert_eq!(call.await.unwrap(), "key2");
    }
    assert_eq!(calls(&cache), 2);
}

#[tokio::test]
async fn a_life_that_is_asked_for_is_given_if_it_can_be() {
    let (cache, clock) = cache(Some(1000), 1);
    let wanting = |seconds| CredentialsRequest {
        min_life: Some(Duration::from_secs(seconds)),
        ..CredentialsRequest::default()
    };
    assert_eq!(ask(&cache, &wanting(600)).await, "key1");
    clock.advance(Duration::from_secs(300));
    assert_eq!(ask(&cache, &wanting(600)).await, "key1");
    clock.advance(Duration::from_secs(150));
    assert_eq!(ask(&cache, &wanting(300)).await, "key1");
    assert_eq!(ask(&cache, &wanting(600)).await, "key2");
    assert_eq!(ask(&cache, &wanting(604_800)).await, "key2", "none lasts so long");
    clock.advance(Duration::from_secs(500));
    source(&cache).broken.store(true, Ordering::SeqCst);
    assert_eq!(
        ask(&cache, &wanting(600)).await,
        "key2",
        "a short one is better than none"
    );
    assert_eq!(calls(&cache), 3);
}

#[tokio::test]
async fn a_damaged_key_is_refused() {
    let damaged = CachedCredentials::new(crate::credentials::from_fn(|| async {
        Ok(Credentials::new("id", "secret "))
    }));
    let error = damaged.credentials(&CredentialsRequest::default()).await.unwrap_err();
    assert_eq!(error.field(), Some("access_key_secret"));
}
