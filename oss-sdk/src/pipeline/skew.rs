//! The difference between the service's clock and ours: learnt from a refusal, kept by the client.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::SystemTime;

use super::Prepared;
use crate::error::Error;
use crate::time::{Clock, Timestamp};

/// Smaller differences cannot be why a date was called invalid: the service accepts 15 minutes.
const TOLERANCE: i64 = 15 * 60;

/// Differences up to this are the way of the answer and the drift of clocks, not news.
const NEWS: i64 = 60;

/// 2025-01-01. A service that shows an earlier time has lost its own: embedded gateways begin at 1970.
const EARLIEST: i64 = 1_735_689_600;

/// Seconds that the service's clock is ahead of ours.
#[derive(Debug, Default)]
pub(crate) struct Skew(AtomicI64);

impl Skew {
    /// Seconds that the service's clock is ahead of ours, as far as is known.
    pub(crate) fn ahead(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    /// The service's time at our time `now`.
    pub(crate) fn correct(&self, now: Timestamp) -> Timestamp {
        shifted(now, self.ahead())
    }

    /// Keeps what was learnt, unless it is what is known already.
    fn learn(&self, ahead: i64) {
        if is_news(ahead, self.ahead()) {
            tracing::debug!(seconds = ahead, "the service's clock differs from ours");
            self.0.store(ahead, Ordering::Relaxed);
        }
    }
}

/// The client's clock, set right: what credentials end by.
#[derive(Debug)]
pub(crate) struct ServiceClock {
    local: Arc<dyn Clock>,
    skew: Arc<Skew>,
}

impl ServiceClock {
    pub(crate) fn new(local: Arc<dyn Clock>, skew: Arc<Skew>) -> Self {
        Self { local, skew }
    }
}

impl Clock for ServiceClock {
    fn now(&self) -> SystemTime {
        let local = self.local.now();
        SystemTime::try_from(self.skew.correct(Timestamp::from(local))).unwrap_or(local)
    }
}

/// The time `ahead` seconds after `now`.
pub(super) fn shifted(now: Timestamp, ahead: i64) -> Timestamp {
    if ahead == 0 {
        now
    } else {
        Timestamp::new(now.unix_seconds().saturating_add(ahead), now.subsec_nanos()).unwrap_or(now)
    }
}

fn is_news(ahead: i64, known: i64) -> bool {
    ahead.saturating_sub(known).saturating_abs() > NEWS
}

/// Takes the service's time from an error that says that the time of a request was wrong, which was signed for
/// `signed_ahead` seconds ahead of our clock.
///
/// Returns whether the request would have another time if it was signed again: only then is there a point in it.
pub(super) fn learn(prepared: &Prepared, error: &Error, signed_ahead: i64) -> bool {
    let core = &prepared.core;
    if !core.corrects_skew || !is_about_time(error) {
        return false;
    }
    let Some(server) = server_time(error) else {
        return false;
    };
    let ahead = server.unix_seconds().saturating_sub(core.local_now().unix_seconds());
    // Against what the request was signed for: another call may have learnt the difference in the meantime.
    let is_far = ahead.saturating_sub(signed_ahead).saturating_abs() >= TOLERANCE;
    if !is_news(ahead, signed_ahead) || (is_invalid_date(error) && !is_far) {
        return false;
    }
    core.skew.learn(ahead);
    true
}

fn server_time(error: &Error) -> Option<Timestamp> {
    let is_sane = |time: &Timestamp| time.unix_seconds() >= EARLIEST;
    error.timestamp().filter(is_sane).or_else(|| {
        Timestamp::parse_iso8601(error.field("ServerTime")?)
            .ok()
            .filter(is_sane)
    })
}

/// Whether the service refused the time of a request. `InvalidTimeStamp.Expired` is STS's word for it.
pub(super) fn is_about_time(error: &Error) -> bool {
    matches!(error.code(), Some("RequestTimeTooSkewed" | "InvalidTimeStamp.Expired")) || is_invalid_date(error)
}

fn is_invalid_date(error: &Error) -> bool {
    error.status() == Some(400)
        && error.code() == Some("InvalidArgument")
        && error
            .message()
            .starts_with("Invalid signing date in Authorization header")
}
