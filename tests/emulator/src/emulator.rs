//! The running emulator as its user holds it.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::address::Names;
use crate::auth::keys::Keys;
use crate::config::Builder;
use crate::error_start::StartError;
use crate::fault::Faults;
use crate::request_log::RequestLog;
use crate::state::State;
use crate::store::Store;
use crate::time::Clock;
use crate::{model, server};

/// A running emulator. Dropping it stops it at once; [`Emulator::shutdown`] lets requests end first.
pub struct Emulator {
    address: SocketAddr,
    host: String,
    access_key_id: String,
    access_key_secret: String,
    state: Arc<State>,
    stop: watch::Sender<bool>,
    server: Option<JoinHandle<()>>,
}

impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emulator")
            .field("endpoint", &self.endpoint())
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

impl Emulator {
    /// Settings to start from.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Starts with all defaults: in memory, on any free port of `127.0.0.1`.
    ///
    /// # Errors
    ///
    /// As [`Builder::start`].
    pub async fn start() -> Result<Self, StartError> {
        Self::builder().start().await
    }

    pub(crate) async fn run(builder: Builder) -> Result<Self, StartError> {
        let api = model::api().map_err(StartError::Models)?;
        let clock = builder.clock.clone();
        let store_clock = Arc::new(move || clock.now());
        let store = match &builder.data_dir {
            Some(directory) => Store::open(directory, store_clock).await.map_err(StartError::Store)?,
            None => Store::in_memory(store_clock),
        };
        let bare_host = builder.host.trim_start_matches('[').trim_end_matches(']');
        let listening = |source| StartError::Bind {
            address: format!("{}:{}", builder.host, builder.port),
            source,
        };
        let listener = TcpListener::bind((bare_host, builder.port)).await.map_err(listening)?;
        let address = listener.local_addr().map_err(listening)?;
        let (keys, (access_key_id, access_key_secret)) = builder.all_keys();
        let state = Arc::new(State {
            api,
            store,
            keys: Keys::new(keys.into_iter().collect::<BTreeMap<_, _>>()),
            names: RwLock::new(Names::new(&builder.domains, &builder.cnames)),
            region: builder.region,
            account_id: builder.account_id,
            clock: builder.clock,
            faults: Faults::default(),
            log: RequestLog::default(),
        });
        let (stop, stopped) = watch::channel(false);
        let server = tokio::spawn(server::serve(listener, Arc::clone(&state), stopped));
        Ok(Self {
            address,
            host: builder.host,
            access_key_id,
            access_key_secret,
            state,
            stop,
            server: Some(server),
        })
    }

    /// Where the emulator listens, as `http://HOST:PORT`.
    pub fn endpoint(&self) -> String {
        let host = if self.host.contains(':') && !self.host.starts_with('[') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        format!("http://{host}:{}", self.address.port())
    }

    /// The socket's address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Id of the first key of the emulator's account.
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// Its secret.
    pub fn access_key_secret(&self) -> &str {
        &self.access_key_secret
    }

    /// Region that signatures must name.
    pub fn region(&self) -> &str {
        &self.state.region
    }

    /// Account that owns the keys.
    pub fn account_id(&self) -> &str {
        &self.state.account_id
    }

    /// The clock that requests are judged by.
    pub fn clock(&self) -> &Clock {
        &self.state.clock
    }

    /// Faults to come.
    pub fn faults(&self) -> &Faults {
        &self.state.faults
    }

    /// Requests that were served, or refused.
    pub fn requests(&self) -> &RequestLog {
        &self.state.log
    }

    /// Binds a host name to a bucket, which need not exist yet.
    pub fn bind_cname(&self, host: &str, bucket: &str) {
        self.state
            .names
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .bind(host, bucket);
    }

    /// Takes no new connection, lets requests end for at most ten seconds, and stops.
    pub async fn shutdown(mut self) {
        let _ = self.stop.send(true);
        if let Some(server) = self.server.take() {
            let _ = server.await;
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            server.abort();
        }
    }
}
