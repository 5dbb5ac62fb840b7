//! The metadata service of ECS instances and a credentials URI, on a listener of their own: where programs in the cloud get their
//! temporary keys from without having any.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::auth::keys::Session;
use crate::auth::sessions::{self, Wanted};
use crate::error::ServiceError;
use crate::request::header;
use crate::roles::{Asks, Roles};
use crate::state::State;
use crate::store::StoreError;
use crate::{text, time};

const SERVICE: &str = "ecs.aliyuncs.com";
const INSTANCE: &str = "i-emulator";
const TOKEN_PATH: &str = "/latest/api/token";
const TOKEN_HEADER: &str = "x-aliyun-ecs-metadata-token";
const TOKEN_TTL_HEADER: &str = "x-aliyun-ecs-metadata-token-ttl-seconds";
const LONGEST_TTL: u64 = 21_600;
const CREDENTIALS: &str = "/latest/meta-data/ram/security-credentials";
/// Path of the credentials URI.
pub(crate) const URI_PATH: &str = "/credentials";
/// More tokens than that at once are refused.
const MAX_TOKENS: usize = 10_000;
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The metadata service of an ECS instance with a role, and a credentials URI beside it, on a loopback address.
///
/// ```
/// use std::time::Duration;
///
/// use oss_emulator::EcsMetadata;
///
/// let metadata = EcsMetadata::new("reader").hardened().lifetime(Duration::from_secs(900)).rotate_after(Duration::from_secs(600));
/// # let _ = metadata;
/// ```
#[derive(Debug, Clone)]
pub struct EcsMetadata {
    role: String,
    pub(crate) port: u16,
    hardened: bool,
    lifetime: Duration,
    rotate_after: Option<Duration>,
}

impl EcsMetadata {
    /// Hands out credentials of this role, on any free port. Where roles are configured, it has to be one of them and to trust
    /// the service `ecs.aliyuncs.com`.
    #[must_use]
    pub fn new(role: impl Into<String>) -> Self {
        Self {
            role: role.into(),
            port: 0,
            hardened: false,
            lifetime: Duration::from_secs(6 * 3600),
            rotate_after: None,
        }
    }

    /// Port to listen on.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Answers only requests with a token of `PUT /latest/api/token`. By default a token is checked when there is one.
    #[must_use]
    pub fn hardened(mut self) -> Self {
        self.hardened = true;
        self
    }

    /// How long credentials are good; by default six hours.
    #[must_use]
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Age at which credentials are replaced by new ones; by default five sixths of their lifetime. The old ones stay good to their
    /// end.
    #[must_use]
    pub fn rotate_after(mut self, age: Duration) -> Self {
        self.rotate_after = Some(age);
        self
    }

    /// Whether the role can be handed out.
    pub(crate) fn check(&self, roles: &Roles, account: &str) -> Result<(), String> {
        if !roles.are_known() {
            return Ok(());
        }
        let role = roles
            .find(account, &self.role)
            .ok_or_else(|| format!("the role `{}` of the ECS metadata: there is no such role", self.role))?;
        if role.trust.admits(&Asks::Service(SERVICE), &BTreeMap::new()) {
            return Ok(());
        }
        Err(format!(
            "the role `{}` of the ECS metadata: it does not trust the service {SERVICE}",
            self.role
        ))
    }
}

impl<T: Into<String>> From<T> for EcsMetadata {
    fn from(role: T) -> Self {
        Self::new(role)
    }
}

/// Credentials that were handed out last, and when they were made.
type Current = tokio::sync::Mutex<Option<(Arc<Session>, SystemTime)>>;

/// The service as it runs.
pub(crate) struct Server {
    settings: EcsMetadata,
    state: Arc<State>,
    /// Status of all answers while somebody wants it so, else 0.
    failing: Arc<AtomicU16>,
    /// Tokens with the ends of their lives.
    tokens: Mutex<HashMap<String, SystemTime>>,
    instance: Current,
    uri: Current,
}

type Answer = Result<(StatusCode, &'static str, String), ServiceError>;

impl Server {
    pub(crate) fn new(settings: EcsMetadata, state: Arc<State>, failing: Arc<AtomicU16>) -> Self {
        Self {
            settings,
            state,
            failing,
            tokens: Mutex::default(),
            instance: Current::default(),
            uri: Current::default(),
        }
    }

    /// Accepts connections until it is stopped or its task is aborted. Connections end with it, and nothing of the emulator is
    /// held any more when it returns.
    pub(crate) async fn serve(self, listener: TcpListener, mut stopped: watch::Receiver<bool>) {
        let server = Arc::new(self);
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = stopped.wait_for(|stopped| *stopped) => break,
            };
            match accepted {
                Ok((stream, _)) => {
                    let server = Arc::clone(&server);
                    connections.spawn(async move {
                        let service = service_fn(move |request| {
                            let server = Arc::clone(&server);
                            async move { server.handle(&request).await }
                        });
                        let connection = http1::Builder::new()
                            .timer(TokioTimer::new())
                            .header_read_timeout(HEADER_TIMEOUT)
                            .serve_connection(TokioIo::new(stream), service);
                        if let Err(error) = connection.await {
                            tracing::debug!(%error, "a connection of the metadata service broke");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "the metadata service cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
            while connections.try_join_next().is_some() {}
        }
        connections.shutdown().await;
    }

    async fn handle(&self, request: &Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let path = request.uri().path();
        let outcome = match self.failing.load(Ordering::Relaxed) {
            0 => self.answer(request, path, self.state.clock.now()).await,
            status => Err(ServiceError::new(status, "Fault", "A fault was asked for.")),
        };
        let (status, content_type, body) = outcome.unwrap_or_else(|error| {
            let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, "text/plain", format!("{}: {}\n", error.code, error.message))
        });
        tracing::info!(method = %request.method(), path, status = status.as_u16(), "metadata");
        let mut response = Response::new(Full::new(Bytes::from(body)));
        *response.status_mut() = status;
        crate::answer::insert(response.headers_mut(), "content-type", content_type);
        crate::answer::insert(response.headers_mut(), "cache-control", "no-store");
        Ok(response)
    }

    async fn answer(&self, request: &Request<Incoming>, path: &str, now: SystemTime) -> Answer {
        let host = header(request.headers(), "host").unwrap_or_default();
        if !is_address(host) {
            // A page of another site that makes its name mean this machine must not read keys.
            return Err(forbidden());
        }
        match (request.method(), path) {
            (&Method::PUT, TOKEN_PATH) => self.token(request, now),
            (&Method::GET, URI_PATH) => {
                let session = self.current(&self.uri, "credentials-uri", now).await?.0;
                Ok((StatusCode::OK, "application/json", document(&session, None)))
            }
            (&Method::GET, _) => {
                self.check_token(request, now)?;
                self.metadata(path, now).await
            }
            _ => Err(ServiceError::new(
                405,
                "MethodNotAllowed",
                "The method is not allowed here.",
            )),
        }
    }

    fn token(&self, request: &Request<Incoming>, now: SystemTime) -> Answer {
        if request.headers().contains_key("x-forwarded-for") {
            return Err(forbidden());
        }
        let seconds = header(request.headers(), TOKEN_TTL_HEADER)
            .and_then(|text| text.trim().parse().ok())
            .filter(|seconds| (1..=LONGEST_TTL).contains(seconds))
            .ok_or_else(|| {
                ServiceError::new(
                    400,
                    "BadRequest",
                    format!("{TOKEN_TTL_HEADER} has to be 1 to {LONGEST_TTL} seconds."),
                )
            })?;
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= MAX_TOKENS {
            tokens.retain(|_, end| *end > now);
        }
        if tokens.len() >= MAX_TOKENS {
            return Err(ServiceError::new(429, "TooManyRequests", "There are too many tokens."));
        }
        let token = self.state.keys.random_text(56);
        tokens.insert(text::sha256_hex(token.as_bytes()), now + Duration::from_secs(seconds));
        Ok((StatusCode::OK, "text/plain", token))
    }

    fn check_token(&self, request: &Request<Incoming>, now: SystemTime) -> Result<(), ServiceError> {
        let Some(token) = header(request.headers(), TOKEN_HEADER) else {
            return if self.settings.hardened {
                Err(forbidden())
            } else {
                Ok(())
            };
        };
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        match tokens.get(&text::sha256_hex(token.as_bytes())) {
            Some(end) if *end > now => Ok(()),
            _ => Err(ServiceError::new(
                401,
                "Unauthorized",
                "The metadata token is not valid.",
            )),
        }
    }

    async fn metadata(&self, path: &str, now: SystemTime) -> Answer {
        let plain = |text: &str| Ok((StatusCode::OK, "text/plain", text.to_owned()));
        let role = self.settings.role.as_str();
        match path {
            "/latest/meta-data/instance-id" => return plain(INSTANCE),
            "/latest/meta-data/region-id" => return plain(&self.state.region),
            "/latest/meta-data/owner-account-id" => return plain(&self.state.account_id),
            _ => {}
        }
        match path.strip_prefix(CREDENTIALS) {
            Some("" | "/") => plain(role),
            Some(named) if named.strip_prefix('/') == Some(role) => {
                let (session, made) = self.current(&self.instance, INSTANCE, now).await?;
                Ok((StatusCode::OK, "application/json", document(&session, Some(made))))
            }
            _ => Err(ServiceError::new(404, "NotFound", "There is no such metadata.")),
        }
    }

    /// The credentials of the moment, new ones when they are due.
    async fn current(
        &self,
        slot: &Current,
        session_name: &str,
        now: SystemTime,
    ) -> Result<(Arc<Session>, SystemTime), StoreError> {
        let rotate_after = self.settings.rotate_after.unwrap_or(self.settings.lifetime / 6 * 5);
        let mut slot = slot.lock().await;
        if let Some((session, made)) = slot.as_ref()
            && now < *made + rotate_after
            && now < session.expires
        {
            return Ok((Arc::clone(session), *made));
        }
        let state = &self.state;
        let wanted = Wanted {
            account: &state.account_id,
            role_account: &state.account_id,
            role: &self.settings.role,
            session: session_name,
            policy: None,
            expires: now + self.settings.lifetime,
        };
        let session = sessions::mint(&state.keys, &state.store, &state.roles, wanted, now).await?;
        *slot = Some((Arc::clone(&session), now));
        Ok((session, now))
    }
}

/// The document with credentials; that of an instance tells when they were made.
fn document(session: &Session, made: Option<SystemTime>) -> String {
    let mut document = json!({
        "Code": "Success",
        "AccessKeyId": session.access_key_id,
        "AccessKeySecret": session.secret,
        "SecurityToken": session.token,
        "Expiration": time::iso8601(session.expires),
    });
    if let Some(made) = made {
        document["LastUpdated"] = time::iso8601(made).into();
    }
    document.to_string()
}

/// Whether a Host names this machine by its address or as `localhost`.
fn is_address(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost") || bare.parse::<std::net::IpAddr>().is_ok()
}

fn forbidden() -> ServiceError {
    ServiceError::new(403, "Forbidden", "The metadata service does not answer this request.")
}

/// Where the service listens.
pub(crate) fn endpoint(address: SocketAddr) -> String {
    format!("http://{address}")
}
