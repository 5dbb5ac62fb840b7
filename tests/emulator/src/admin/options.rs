//! How the management listener is set up.

use std::fmt;

/// Settings of the management listener, for [`Builder::admin`](crate::Builder::admin).
///
/// ```no_run
/// # async fn run() -> Result<(), oss_emulator::StartError> {
/// use oss_emulator::{AdminOptions, Emulator};
/// let emulator = Emulator::builder().admin(AdminOptions::new()).start().await?;
/// println!("{:?} {:?}", emulator.admin_endpoint(), emulator.admin_token());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct AdminOptions {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) token: Option<String>,
    pub(super) names: Vec<String>,
    pub(super) open_metrics: bool,
}

impl Default for AdminOptions {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 0,
            token: None,
            names: Vec::new(),
            open_metrics: false,
        }
    }
}

impl fmt::Debug for AdminOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminOptions")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("open_metrics", &self.open_metrics)
            .finish_non_exhaustive()
    }
}

impl AdminOptions {
    /// On any free port of `127.0.0.1`, with a token drawn at the start.
    pub fn new() -> Self {
        Self::default()
    }

    /// Address to listen on; by default `127.0.0.1`. Any address that is not loopback needs a [`AdminOptions::token`].
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = host.into();
        self
    }

    /// Port to listen on; by default 0, which takes any free one.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// What requests must show as `Authorization: Bearer ...`: at least 16 characters of ASCII, without blanks. By default a
    /// random one is drawn at the start.
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Accepts requests that call the listener by this host name, such as the name of a container. Without it only IP addresses
    /// and `localhost` are accepted, since a name can be pointed at the listener by somebody else.
    #[must_use]
    pub fn allow_host(mut self, name: impl Into<String>) -> Self {
        self.names.push(name.into());
        self
    }

    /// Whether `/metrics` is answered without the token.
    #[must_use]
    pub fn open_metrics(mut self, open: bool) -> Self {
        self.open_metrics = open;
        self
    }
}
