//! What a client gives to its source of credentials: its way to the network and its clock.

use std::fmt;
use std::sync::Arc;

use crate::time::{Clock, Timestamp};
use crate::transport::Transport;
#[cfg(all(feature = "credentials", feature = "reqwest"))]
use crate::transport::TransportOptions;

/// What a client lends to its [`CredentialsProvider`](super::CredentialsProvider), so that sources that speak to a
/// service use the client's proxy, TLS settings and connections, and judge time as the client does.
#[derive(Clone)]
pub struct CredentialsContext {
    transport: Arc<dyn Transport>,
    is_own_transport: bool,
    clock: Arc<dyn Clock>,
    /// The client's settings of TLS, for other transports.
    #[cfg(all(feature = "credentials", feature = "reqwest"))]
    tls: Option<Arc<TransportOptions>>,
}

impl CredentialsContext {
    pub(crate) fn new(transport: Arc<dyn Transport>, is_own_transport: bool, clock: Arc<dyn Clock>) -> Self {
        Self {
            transport,
            is_own_transport,
            clock,
            #[cfg(all(feature = "credentials", feature = "reqwest"))]
            tls: None,
        }
    }

    /// Adds what other transports have to go by.
    #[cfg(all(feature = "credentials", feature = "reqwest"))]
    pub(crate) fn with_tls(mut self, options: TransportOptions) -> Self {
        self.tls = Some(Arc::new(options));
        self
    }

    /// Settings of a transport that has those of TLS from the client, and no others.
    #[cfg(all(feature = "credentials", feature = "reqwest"))]
    pub(super) fn tls(&self) -> TransportOptions {
        self.tls
            .as_ref()
            .map_or_else(TransportOptions::default, |options| (**options).clone())
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
