//! What a client gives to its source of credentials: its way to the network and its clock.

use std::fmt;
use std::sync::Arc;

use crate::time::{Clock, Timestamp};
use crate::transport::Transport;

/// What a client lends to its [`CredentialsProvider`](super::CredentialsProvider), so that sources that speak to a
/// service use the client's proxy, TLS settings and connections, and judge time as the client does.
#[derive(Clone)]
pub struct CredentialsContext {
    transport: Arc<dyn Transport>,
    is_own_transport: bool,
    clock: Arc<dyn Clock>,
}

impl CredentialsContext {
    pub(crate) fn new(transport: Arc<dyn Transport>, is_own_transport: bool, clock: Arc<dyn Clock>) -> Self {
        Self {
            transport,
            is_own_transport,
            clock,
        }
    }

    /// How the client sends requests.
    pub fn transport(&self) -> &Arc<dyn Transport> {
        &self.transport
    }

    /// The client's clock, set right by what the client has learnt of the service's.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// What that clock shows.
    pub fn now(&self) -> Timestamp {
        Timestamp::from(self.clock.now())
    }

    /// Whether the application made the transport, which then is the only one that is used.
    #[cfg(feature = "credentials")]
    pub(super) fn is_own_transport(&self) -> bool {
        self.is_own_transport
    }
}

impl fmt::Debug for CredentialsContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialsContext")
            .field("is_own_transport", &self.is_own_transport)
            .finish_non_exhaustive()
    }
}
