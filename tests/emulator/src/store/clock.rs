//! Where the store takes the time from, so that tests can fix it.

use std::time::SystemTime;

/// A source of timestamps.
///
/// Closures are clocks too: `Arc::new(|| fixed_time)`.
pub(crate) trait Clock: Send + Sync + 'static {
    /// The current time.
    fn now(&self) -> SystemTime;
}

impl<F> Clock for F
where
    F: Fn() -> SystemTime + Send + Sync + 'static,
{
    fn now(&self) -> SystemTime {
        self()
    }
}
