//! The running emulator as its user holds it.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::address::Names;
use crate::auth::keys::Keys;
use crate::auth::nonces::Nonces;
use crate::auth::sessions;
use crate::callback::Reach;
use crate::config::Builder;
use crate::error_start::StartError;
use crate::fault::Faults;
use crate::handle::handle;
use crate::metrics::Metrics;
use crate::oidc::Providers;
use crate::operations::VectorIndexes;
use crate::operations::inventory::{self, InventoryReport};
use crate::operations::lifecycle::{self, LifecycleReport};
use crate::request_log::RequestLog;
use crate::roles::Roles;
use crate::state::State;
use crate::store::Store;
use crate::time::Clock;
use crate::{admin, metadata_server, model, operations, seed, server};

/// A running emulator. Dropping it stops it at once; [`Emulator::shutdown`] lets requests end first.
pub struct Emulator {
    address: SocketAddr,
    plain_address: Option<SocketAddr>,
    metadata_address: Option<SocketAddr>,
    metadata_failing: Arc<AtomicU16>,
    secure: bool,
    authority: Option<String>,
    host: String,
    access_key_id: String,
    access_key_secret: String,
    state: Arc<State>,
    stop: watch::Sender<bool>,
    servers: Vec<JoinHandle<()>>,
    admin: Option<admin::Listener>,
    /// The metadata service, whose requests are not waited for.
    auxiliary: Option<JoinHandle<()>>,
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
        let users = builder.ram_users()?;
        let clock = builder.clock.clone();
        let store_clock = Arc::new(move || clock.now());
        let store = match &builder.data_dir {
            Some(directory) => Store::open(directory, store_clock).await.map_err(StartError::Store)?,
            None => Store::in_memory(store_clock),
        };
        let roles = Roles::new(&builder.account_id, &builder.roles).map_err(StartError::Identity)?;
        let oidc = Providers::new(&builder.account_id, &builder.oidc_providers).map_err(StartError::Identity)?;
        if let Some(metadata) = &builder.ecs_metadata {
            metadata
                .check(&roles, &builder.account_id)
                .map_err(StartError::Identity)?;
        }
        let names = Arc::new(RwLock::new(Names::new(&builder.domains, &builder.cnames)));
        let tls = match &builder.tls {
            Some(tls) => Some(
                tls.prepare(&builder.host_names(), Arc::clone(&names), builder.data_dir.as_deref())
                    .map_err(StartError::Tls)?,
            ),
            None => None,
        };
        let (listener, address) = bind(builder.bare_host(), builder.port).await?;
        if !address.ip().is_loopback() && builder.has_default_key() {
            return Err(StartError::DefaultKey { host: builder.host });
        }
        let plain = match builder.plain_port.filter(|_| tls.is_some()) {
            Some(port) => Some(bind(builder.bare_host(), port).await?),
            None => None,
        };
        let metadata = match &builder.ecs_metadata {
            Some(metadata) => Some((bind("127.0.0.1", metadata.port).await?, metadata.clone())),
            None => None,
        };
        let (keys, (access_key_id, access_key_secret)) = builder.all_keys();
        let keys = Keys::new(keys.into_iter().collect::<BTreeMap<_, _>>()).with_users(users);
        sessions::restore(&keys, &store, &roles).map_err(StartError::Store)?;
        let state = Arc::new(State {
            api,
            store,
            keys,
            nonces: Nonces::default(),
            roles,
            oidc,
            names,
            region: builder.region,
            account_id: builder.account_id,
            clock: builder.clock,
            faults: Faults::default(),
            log: RequestLog::default(),
            metrics: Metrics::default(),
            access_log: builder.access_log,
            vector_indexes: VectorIndexes::default(),
            callbacks: OnceLock::new(),
        });
        for fault in builder.faults {
            state.faults.add(fault);
        }
        if let Some(folder) = &builder.seed {
            seed::plant(&state.store, &state.account_id, &state.region, folder)
                .await
                .map_err(StartError::Seed)?;
        }
        operations::bind_cnames(&state);
        let (stop, stopped) = watch::channel(false);
        let admin = match builder.admin {
            Some(options) => Some(admin::start(options, Arc::clone(&state), stopped.clone()).await?),
            None => None,
        };
        let of_service = [Some(address), plain.as_ref().map(|(_, address)| *address)];
        let others = [
            admin.as_ref().map(|admin| admin.address),
            metadata.as_ref().map(|((_, address), _)| *address),
        ];
        let reach = Reach::new(of_service.into_iter().flatten(), others.into_iter().flatten());
        let _ = state.callbacks.set(reach);
        let served = Arc::clone(&state);
        let handler: server::Handler = Arc::new(move |request| {
            let state = Arc::clone(&served);
            Box::pin(async move { handle(&state, request).await })
        });
        let mut servers = Vec::new();
        let plain_address = plain.as_ref().map(|(_, address)| *address);
        if let Some((listener, _)) = plain {
            let served = server::serve(listener, None, Arc::clone(&handler), stopped.clone());
            servers.push(tokio::spawn(served));
        }
        let (acceptor, authority) = tls.map(|tls| (tls.acceptor, tls.authority)).unzip();
        servers.push(tokio::spawn(server::serve(
            listener,
            acceptor,
            handler,
            stopped.clone(),
        )));
        let mut auxiliary = None;
        let metadata_failing = Arc::default();
        let metadata_address = metadata.as_ref().map(|((_, address), _)| *address);
        if let Some(((listener, _), settings)) = metadata {
            let served = metadata_server::Server::new(settings, Arc::clone(&state), Arc::clone(&metadata_failing))
                .serve(listener, stopped);
            auxiliary = Some(tokio::spawn(served));
        }
        Ok(Self {
            address,
            metadata_address,
            metadata_failing,
            auxiliary,
            plain_address,
            secure: builder.tls.is_some(),
            authority: authority.flatten(),
            host: builder.host,
            access_key_id,
            access_key_secret,
            state,
            stop,
            servers,
            admin,
        })
    }

    /// Where the emulator listens, as `http://HOST:PORT`, or `https://HOST:PORT` with [`Builder::tls`].
    pub fn endpoint(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        self.url(scheme, self.address)
    }

    /// Where the emulator listens without TLS: the same as [`Emulator::endpoint`], unless that is HTTPS. `None` when all is HTTPS.
    pub fn plain_endpoint(&self) -> Option<String> {
        let address = if self.secure {
            self.plain_address
        } else {
            Some(self.address)
        };
        address.map(|address| self.url("http", address))
    }

    /// Certificate of the authority that clients have to trust, in PEM, with [`Tls::generated`](crate::Tls::generated).
    pub fn ca_certificate_pem(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// Where the metadata of an ECS instance is served, in place of `http://100.100.100.200`, with
    /// [`Builder::ecs_metadata`].
    pub fn ecs_metadata_endpoint(&self) -> Option<String> {
        self.metadata_address.map(metadata_server::endpoint)
    }

    /// What `ALIBABA_CLOUD_CREDENTIALS_URI` would hold, with [`Builder::ecs_metadata`].
    pub fn credentials_uri(&self) -> Option<String> {
        let endpoint = self.ecs_metadata_endpoint();
        endpoint.map(|endpoint| format!("{endpoint}{}", metadata_server::URI_PATH))
    }

    /// Lets the metadata service and the credentials URI answer everything with this status, until told `None`.
    pub fn fail_ecs_metadata(&self, status: Option<u16>) {
        self.metadata_failing.store(status.unwrap_or(0), Ordering::Relaxed);
    }

    fn url(&self, scheme: &str, address: SocketAddr) -> String {
        let host = if self.host.contains(':') && !self.host.starts_with('[') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        format!("{scheme}://{host}:{}", address.port())
    }

    /// The socket's address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the management listener is, as `http://ADDRESS:PORT`, when there is one.
    pub fn admin_endpoint(&self) -> Option<String> {
        self.admin.as_ref().map(|admin| format!("http://{}", admin.address))
    }

    /// The token of the management listener, when there is one.
    pub fn admin_token(&self) -> Option<&str> {
        self.admin.as_ref().map(|admin| admin.token.as_str())
    }

    /// The variables that programs of many languages read their settings from: `OSS_ENDPOINT`, `OSS_REGION`,
    /// `OSS_ACCESS_KEY_ID` and `OSS_ACCESS_KEY_SECRET`, for [`std::process::Command::envs`].
    pub fn environment(&self) -> [(&'static str, String); 4] {
        [
            ("OSS_ENDPOINT", self.endpoint()),
            ("OSS_REGION", self.region().to_owned()),
            ("OSS_ACCESS_KEY_ID", self.access_key_id.clone()),
            ("OSS_ACCESS_KEY_SECRET", self.access_key_secret.clone()),
        ]
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

    /// What bucket policies call a RAM user of the settings.
    pub fn ram_user_id(&self, name: &str) -> Option<&str> {
        self.state.keys.user(name).map(|user| user.id.as_str())
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

    #[cfg(test)]
    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    /// Binds a host name to a bucket, which need not exist yet.
    pub fn bind_cname(&self, host: &str, bucket: &str) {
        self.state
            .names
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .bind(host, bucket);
    }

    /// Carries out the lifecycle rules of all buckets: what is due by the emulator's clock happens now.
    ///
    /// Days are counted from the last change and end at the next midnight in UTC. The service does this once a day by itself; the
    /// emulator does it only when asked.
    ///
    /// # Errors
    ///
    /// When the store fails or a stored rule cannot be read; the text says which.
    pub async fn run_lifecycle(&self) -> Result<LifecycleReport, String> {
        let report = lifecycle::run(&self.state, self.state.clock.now()).await;
        report.map_err(|error| error.message)
    }

    /// Writes an inventory list for every rule that is on, whatever its schedule.
    ///
    /// # Errors
    ///
    /// When the store fails or a stored rule cannot be read; the text says which.
    pub async fn run_inventory(&self) -> Result<InventoryReport, String> {
        let report = inventory::run(&self.state, self.state.clock.now()).await;
        report.map_err(|error| error.message)
    }

    /// Takes no new connection, lets requests end for at most ten seconds, and stops.
    pub async fn shutdown(mut self) {
        let _ = self.stop.send(true);
        for server in self.servers.drain(..) {
            let _ = server.await;
        }
        if let Some(metadata) = self.auxiliary.take() {
            let _ = metadata.await;
        }
        if let Some(admin) = self.admin.take() {
            let _ = admin.server.await;
        }
    }
}

async fn bind(host: &str, port: u16) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Bind {
        address: format!("{host}:{port}"),
        source,
    };
    let listener = TcpListener::bind((host, port)).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

impl Drop for Emulator {
    fn drop(&mut self) {
        for server in self.servers.iter().chain(&self.auxiliary) {
            server.abort();
        }
        if let Some(admin) = &self.admin {
            admin.server.abort();
        }
    }
}
