//! What one call says of its attempts and of its speed.

use std::sync::Arc;
use std::time::Duration;

use super::Call;
use crate::limiter::Bandwidth;
use crate::retry::RetryPolicy;

impl<O, M> Call<'_, O, M> {
    /// Limits each attempt until its answer's head, or whole document, is there, in place of the client's
    /// [`attempt_timeout`](crate::Config::attempt_timeout).
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.options.attempt_timeout = Some(timeout);
        self
    }

    /// Sets how long the connection may be silent, in place of the client's [`idle_timeout`](crate::Config::idle_timeout);
    /// zero means for ever. It counts as it is, also for operations that get more time by default.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.options.idle_timeout = Some(timeout);
        self
    }

    /// Sets when and after which delay a failed attempt is repeated, in place of the client's
    /// [`retry_policy`](crate::Config::retry_policy). It also says how many attempts there are, unless
    /// [`retry_attempts`](Call::retry_attempts) does.
    pub fn retry_policy(mut self, policy: impl RetryPolicy + 'static) -> Self {
        self.options.retry = Some(Arc::new(policy));
        self
    }

    /// Limits how fast the payload is sent, beside the client's [`upload_limit`](crate::Config::upload_limit).
    pub fn upload_limit(mut self, limit: Bandwidth) -> Self {
        self.options.upload_limit = Some(limit);
        self
    }

    /// Limits how fast a streamed answer is read, beside the client's
    /// [`download_limit`](crate::Config::download_limit).
    pub fn download_limit(mut self, limit: Bandwidth) -> Self {
        self.options.download_limit = Some(limit);
        self
    }
}
