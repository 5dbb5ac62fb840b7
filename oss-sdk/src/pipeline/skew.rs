//! The difference between the service's clock and ours: learnt from a refusal, kept by the client.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::SystemTime;

use crate::client::Core;
use crate::error::Error;
use crate::time::{Clock, Timestamp};

/// Smaller differences cannot be why a date was called invalid: the service accepts 15 minutes.
const TOLERANCE: i64 = 15 * 60;

/// Seconds that the service's clock is ahead of ours.
#[derive(Debug, Default)]
pub(crate) struct Skew(AtomicI64);

impl Skew {
    /// The service's time at our time `now`.
    pub(crate) fn correct(&self, now: Timestamp) -> Timestamp {
        let ahead = self.0.load(Ordering::Relaxed);
        if ahead == 0 {
            now
        } else {
            Timestamp::from_unix(now.unix_seconds().saturating_add(ahead)).unwrap_or(now)
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

/// Takes the service's time from an error that says that ours is wrong.
pub(super) fn learn(core: &Core, error: &Error) {
    if !core.corrects_skew {
        return;
    }
    let Some(server) = server_time(error) else {
        return;
    };
    let ahead = server.unix_seconds().saturating_sub(core.local_now().unix_seconds());
    if !is_refused_for_its_time(error, ahead) {
        return;
    }
    tracing::debug!(seconds = ahead, "the service's clock differs from ours");
    core.skew.0.store(ahead, Ordering::Relaxed);
}

fn server_time(error: &Error) -> Option<Timestamp> {
    error
        .timestamp()
        .or_else(|| Timestamp::parse_iso8601(error.field("ServerTime")?).ok())
}

/// Whether the service refused the time of a request, ours being `ahead` seconds wrong.
fn is_refused_for_its_time(error: &Error, ahead: i64) -> bool {
    match error.code() {
        Some("RequestTimeTooSkewed") => true,
        Some("InvalidArgument") => is_invalid_date(error) && ahead.saturating_abs() >= TOLERANCE,
        _ => false,
    }
}

pub(super) fn is_invalid_date(error: &Error) -> bool {
    error.status() == Some(400)
        && error
            .message()
            .starts_with("Invalid signing date in Authorization header")
}
