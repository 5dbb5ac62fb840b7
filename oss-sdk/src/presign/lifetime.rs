//! How long what is signed for others is valid: as asked for, and as the rules and the credentials allow.

use std::task::Poll;
use std::time::{Duration, SystemTime};

use tokio::runtime::Handle;

use crate::client::Core;
use crate::config::SignatureVersion;
use crate::credentials::{Credentials, CredentialsRequest};
use crate::error::{Error, ErrorKind};
use crate::limits::Limits;
use crate::pipeline::Prepared;
use crate::retry::{Decision, FailedAttempt, is_timeout};
use crate::time::{Timestamp, monotonic};

/// What signature V4 allows at most.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Until when a link or a form is valid: for a while, or up to a moment. Made from a [`Duration`], a [`Timestamp`] or a
/// [`SystemTime`]; whole seconds count.
///
/// ```
/// use std::time::Duration;
///
/// use oss_sdk::{Expires, Timestamp};
///
/// assert_eq!(Expires::from(Duration::from_secs(600)), Expires::In(Duration::from_secs(600)));
/// let end = Timestamp::parse_iso8601("2027-01-01T00:00:00Z")?;
/// assert_eq!(Expires::from(end), Expires::At(end));
/// # Ok::<(), oss_sdk::TextError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expires {
    /// So long from the moment of signing.
    In(Duration),
    /// At this time, by the service's clock.
    At(Timestamp),
}

impl From<Duration> for Expires {
    fn from(duration: Duration) -> Self {
        Expires::In(duration)
    }
}

impl From<Timestamp> for Expires {
    fn from(time: Timestamp) -> Self {
        Expires::At(time)
    }
}

impl From<SystemTime> for Expires {
    fn from(time: SystemTime) -> Self {
        Expires::At(time.into())
    }
}

impl Expires {
    /// Time left from `now`, counted in the whole seconds that the wire has.
    fn left(self, now: Timestamp) -> Duration {
        match self {
            Expires::In(duration) => Duration::from_secs(duration.as_secs()),
            Expires::At(end) => whole_seconds(now, end),
        }
    }

    /// What is wrong with it, found before credentials can shorten it; otherwise the life that credentials should have.
    pub(crate) fn check(self, core: &Core) -> Result<Duration, Error> {
        let left = self.left(core.now());
        if left.is_zero() {
            return Err(match self {
                Expires::In(_) => Error::invalid_input("expires_in", "must be at least 1 second"),
                Expires::At(end) => Error::invalid_input(
                    "expiration",
                    format!("must be in the future, it is {}", end.to_iso8601_seconds()),
                ),
            });
        }
        if left > LONGEST && core.signature == Some(SignatureVersion::V4) {
            let member = match self {
                Expires::In(_) => "expires_in",
                Expires::At(_) => "expiration",
            };
            let rule = format!(
                "must be at most 7 days (604800 seconds), it is {} seconds",
                left.as_secs()
            );
            return Err(Error::invalid_input(member, rule));
        }
        Ok(left)
    }
}

/// The time during which something is valid.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lifetime {
    pub(crate) now: Timestamp,
    /// At least one second.
    pub(crate) length: Duration,
    pub(crate) end: Timestamp,
    /// Whether the credentials end it before its time.
    pub(crate) is_capped: bool,
}

impl Lifetime {
    /// From now on, at most as long as the credentials are good.
    pub(crate) fn start(core: &Core, expires: Expires, credentials: &Credentials) -> Result<Self, Error> {
        let now = core.now();
        // A moment may have passed while credentials were fetched.
        let asked = expires.left(now).max(Duration::from_secs(1));
        let mut length = asked;
        if let Some(end) = credentials.expiration() {
            length = length.min(whole_seconds(now, end));
            if length.is_zero() {
                return Err(Error::new(ErrorKind::Credentials, "the credentials have expired"));
            }
        }
        let start = Timestamp::from_unix(now.unix_seconds()).unwrap_or(now);
        Ok(Self {
            now,
            length,
            end: start.saturating_add(length),
            is_capped: length < asked,
        })
    }
}

fn whole_seconds(from: Timestamp, to: Timestamp) -> Duration {
    let seconds = to.unix_seconds().saturating_sub(from.unix_seconds());
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

/// What every signature that is given away is made with: credentials that exist, and that last if they can.
///
/// Fetching them may take requests, so it ends and is repeated as a call is.
pub(crate) async fn credentials(prepared: &Prepared, mut limits: Limits, life: Duration) -> Result<Credentials, Error> {
    let core = &prepared.core;
    let _under_way = limits.begin_call();
    // What was given up before it began is not begun.
    std::future::poll_fn(|cx| Poll::Ready(limits.check(cx))).await?;
    let started = monotonic();
    let mut attempt = 0;
    let mut spent = None;
    let credentials = loop {
        attempt += 1;
        let error = match limits.guard(ask(core, life)).await? {
            Ok(credentials) => break credentials,
            Err(error) => error,
        };
        let mut failed = FailedAttempt::new(attempt, prepared.max_attempts, &error);
        failed.operation = &prepared.input.name;
        failed.elapsed = started.elapsed();
        // Without a runtime there is nothing to wait with.
        if attempt >= prepared.max_attempts || !error.is_retryable() || Handle::try_current().is_err() {
            return Err(error);
        }
        let Decision::RetryAfter(delay) = prepared.retry.decide(&failed) else {
            return Err(error);
        };
        if limits.left().is_some_and(|left| left <= delay) {
            return Err(error);
        }
        spent = core.budget.spend(is_timeout(&error));
        if spent.is_none() {
            return Err(error);
        }
        limits.guard(tokio::time::sleep(delay)).await?;
    };
    core.budget.refill(spent);
    if credentials.is_anonymous() {
        return Err(Error::new(
            ErrorKind::Credentials,
            "what is given to others cannot be signed without credentials",
        ));
    }
    Ok(credentials)
}

async fn ask(core: &Core, life: Duration) -> Result<Credentials, Error> {
    // What is signed ends with its credentials, so ones that are about to end are not used if there can be others.
    let request = CredentialsRequest {
        min_life: Some(life),
        ..CredentialsRequest::default()
    };
    let credentials = core.credentials.credentials(&request).await?;
    credentials.check()?;
    Ok(credentials)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use crate::credentials::{CredentialsError, from_fn};
    use crate::fake::{FakeTransport, now};
    use crate::{Client, Clock, Credentials, ErrorKind, FixedClock, GetObjectRequest, PostPolicy, Timestamp};

    const HOUR: Duration = Duration::from_secs(3600);

    #[tokio::test(start_paused = true)]
    async fn what_is_given_away_is_signed_with_credentials_that_last() {
        let clock = Arc::new(FixedClock::new(now()));
        let given = AtomicU64::new(0);
        let provider = from_fn({
            let clock = Arc::clone(&clock);
            move || {
                let number = given.fetch_add(1, Ordering::Relaxed);
                let end = Timestamp::from(clock.now()).saturating_add(HOUR);
                async move { Ok(Credentials::new(format!("key{number}"), "secret").with_expiration(end)) }
            }
        });
        let config = FakeTransport::new([]).config().clock(Arc::clone(&clock));
        let client = Client::new(config.credentials_provider(provider)).unwrap();
        let link = async |expires| {
            let get = client.get_object(GetObjectRequest::new("bucket", "key"));
            get.presign(expires).await.unwrap()
        };
        let first = link(HOUR).await;
        assert!(first.url.contains("=key0%2F") && !first.is_capped, "{}", first.url);
        // Half of its life is left, so nothing but the link's length asks for another.
        clock.advance(HOUR / 2);
        let short = link(HOUR / 3).await;
        assert!(short.url.contains("=key0%2F") && !short.is_capped, "{}", short.url);
        let long = link(HOUR * 3 / 4).await;
        assert!(long.url.contains("=key1%2F") && !long.is_capped, "{}", long.url);
        clock.advance(HOUR / 2);
        let policy = PostPolicy::for_key("bucket", "key");
        let form = client.presign_post(policy, HOUR * 3 / 4).await.unwrap();
        let credential = form.fields.iter().find(|(name, _)| name == "x-oss-credential").unwrap();
        assert!(credential.1.starts_with("key2/") && !form.is_capped, "{}", credential.1);
    }

    /// A client whose credentials need two attempts, or never come, and how often they were asked for.
    fn client(is_silent: bool) -> (Client, Arc<AtomicU64>) {
        let asked = Arc::new(AtomicU64::new(0));
        let provider = from_fn({
            let asked = Arc::clone(&asked);
            move || {
                let number = asked.fetch_add(1, Ordering::Relaxed);
                async move {
                    match number {
                        _ if is_silent => std::future::pending().await,
                        0 => Err(CredentialsError::retryable("busy")),
                        _ => Ok(Credentials::new("ak", "5ec4e7")),
                    }
                }
            }
        });
        let config = FakeTransport::new([]).config().credentials_provider(provider);
        (Client::new(config).unwrap(), asked)
    }

    #[tokio::test(start_paused = true)]
    async fn credentials_for_others_are_asked_for_again_as_the_policy_says() {
        let get = || GetObjectRequest::new("bucket", "key");
        let (patient, asked) = client(false);
        patient.get_object(get()).presign(HOUR).await.unwrap();
        assert_eq!(asked.load(Ordering::Relaxed), 2);
        let (patient, _) = client(false);
        patient
            .presign_post(PostPolicy::for_key("bucket", "key"), HOUR)
            .await
            .unwrap();

        let (hasty, asked) = client(false);
        let once = hasty.get_object(get()).retry_attempts(1).presign(HOUR).await;
        assert_eq!(once.unwrap_err().kind(), ErrorKind::Credentials);
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_for_credentials_ends_as_a_call_does() {
        let (client, asked) = client(true);
        let get = || client.get_object(GetObjectRequest::new("bucket", "key"));
        let second = Duration::from_secs(1);
        let canceled = get().cancel_on(tokio::time::sleep(second)).presign(HOUR).await;
        assert_eq!(canceled.unwrap_err().kind(), ErrorKind::Canceled);
        let late = get().timeout(second).presign(HOUR).await.unwrap_err();
        assert_eq!((late.kind(), late.operation()), (ErrorKind::Timeout, Some("GetObject")));
        let stop = async {
            tokio::time::sleep(second).await;
            client.shutdown().await;
        };
        let post = client.presign_post(PostPolicy::for_key("bucket", "key"), HOUR);
        let (link, form, ()) = tokio::join!(get().presign(HOUR), post, stop);
        assert_eq!(link.unwrap_err().kind(), ErrorKind::Closed);
        assert_eq!(form.unwrap_err().kind(), ErrorKind::Closed);
        let asked_before = asked.load(Ordering::Relaxed);
        let closed = get().presign(HOUR).await.unwrap_err();
        assert_eq!(closed.kind(), ErrorKind::Closed);
        assert_eq!(asked.load(Ordering::Relaxed), asked_before);
    }
}
