//! Reports of bytes as they pass.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How far a payload has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Bytes handed to or received from the network.
    pub transferred: u64,
    /// Bytes in all, when known.
    pub total: Option<u64>,
}

/// A caller's function with the mark up to which it has been told, so that a repeated attempt does not count twice.
#[derive(Clone)]
pub(crate) struct ProgressHook {
    shared: Arc<Shared>,
}

struct Shared {
    high: AtomicU64,
    report: Box<dyn Fn(Progress) + Send + Sync>,
}

impl ProgressHook {
    pub(crate) fn new(report: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        ProgressHook {
            shared: Arc::new(Shared {
                high: AtomicU64::new(0),
                report: Box::new(report),
            }),
        }
    }

    /// Reports that `transferred` bytes of this attempt have passed, unless an earlier attempt got further.
    pub(crate) fn report(&self, transferred: u64, total: Option<u64>) {
        if self.shared.high.fetch_max(transferred, Ordering::Relaxed) < transferred {
            (self.shared.report)(Progress { transferred, total });
        }
    }
}

impl fmt::Debug for ProgressHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProgressHook")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn a_repeated_attempt_reports_only_what_is_new() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&seen);
        let hook = ProgressHook::new(move |progress| sink.lock().unwrap().push(progress.transferred));
        for transferred in [10, 20, 5, 20, 30] {
            hook.report(transferred, None);
        }
        assert_eq!(*seen.lock().unwrap(), [10, 20, 30]);
    }
}
