//! Why a failure that may pass was not retried.

use std::fmt;

/// Why a request was not sent again, although its failure could pass: [`Error::not_retried`](crate::Error::not_retried).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NotRetried {
    /// The payload can be read only once, and that was done. [`Body::from_fn`](crate::Body::from_fn), a file and bytes
    /// in memory can be sent again.
    Body,
    /// The operation may have been carried out, and doing it twice would not be the same.
    NotIdempotent,
    /// So many requests of the client failed lately that its budget of retries is spent.
    Budget,
    /// The deadline of the call is nearer than the next attempt.
    Deadline,
}

/// The rest of a sentence that begins with `not sent again`.
impl fmt::Display for NotRetried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NotRetried::Body => {
                "because the body can be read only once; a file, bytes in memory or `Body::from_fn` can be sent again"
            }
            NotRetried::NotIdempotent => "because the operation may have been carried out already",
            NotRetried::Budget => "because too many requests of the client failed lately",
            NotRetried::Deadline => "because the deadline is nearer than the next attempt",
        })
    }
}
