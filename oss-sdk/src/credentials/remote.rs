//! Credentials that a service hands out: requests over a transport, without anything of the client above it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use zeroize::Zeroizing;

use super::{CredentialsContext, CredentialsError};
use crate::transport::{Transport, TransportErrorKind, TransportRequest};

mod ecs;
mod oidc;
mod role;
mod sts;
mod uri;

pub use ecs::EcsRoleCredentials;
pub use oidc::OidcRoleCredentials;
pub use role::RamRoleCredentials;
pub use uri::UriCredentials;

/// As much of an answer as is read. Those of the services are below 8 KiB.
const MAX_ANSWER: usize = 256 * 1024;

/// What a provider got from the client, or makes for itself when it is used without one.
#[derive(Debug, Default)]
pub(super) struct Link(OnceLock<CredentialsContext>);

impl Link {
    pub(super) fn attach(&self, context: &CredentialsContext) {
        // The first client counts.
        drop(self.0.set(context.clone()));
    }

    pub(super) fn context(&self) -> Result<&CredentialsContext, CredentialsError> {
        if let Some(context) = self.0.get() {
            return Ok(context);
        }
        let transport = default_transport()?;
        let clock = Arc::new(crate::time::SystemClock);
        Ok(self.0.get_or_init(|| CredentialsContext::new(transport, false, clock)))
    }
}

#[cfg(feature = "reqwest")]
fn default_transport() -> Result<Arc<dyn Transport>, CredentialsError> {
    transport_of(crate::transport::TransportOptions::default())
}

#[cfg(feature = "reqwest")]
fn transport_of(options: crate::transport::TransportOptions) -> Result<Arc<dyn Transport>, CredentialsError> {
    match crate::transport::ReqwestTransport::new(options) {
        Ok(transport) => Ok(Arc::new(transport)),
        Err(error) => Err(CredentialsError::new("no transport can be made").with_source(error)),
    }
}

#[cfg(not(feature = "reqwest"))]
fn default_transport() -> Result<Arc<dyn Transport>, CredentialsError> {
    let message = "a source of credentials needs a client with a transport, or the feature `reqwest`";
    Err(CredentialsError::new(message))
}

/// A transport that never uses a proxy, for addresses that mean something on this machine only. One that the application
/// made is used as it is.
#[cfg(feature = "reqwest")]
fn direct(context: &CredentialsContext, connect_timeout: Duration) -> Result<Arc<dyn Transport>, CredentialsError> {
    if context.is_own_transport() {
        return Ok(Arc::clone(context.transport()));
    }
    transport_of(crate::transport::TransportOptions {
        connect_timeout,
        ..context.tls()
    })
}

#[cfg(not(feature = "reqwest"))]
fn direct(context: &CredentialsContext, _connect_timeout: Duration) -> Result<Arc<dyn Transport>, CredentialsError> {
    debug_assert!(context.is_own_transport(), "there is no other");
    Ok(Arc::clone(context.transport()))
}

/// An answer with its whole document, which is wiped afterwards.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Zeroizing<Vec<u8>>,
}

impl Answer {
    /// Whether asking again may help.
    fn may_pass(&self) -> bool {
        self.status.is_server_error() || matches!(self.status.as_u16(), 408 | 429)
    }
}

/// Why there is no answer.
struct Unanswered {
    /// Whether somebody was there; `None` when time ran out, perhaps while connecting.
    is_reached: Option<bool>,
    error: CredentialsError,
}

impl From<Unanswered> for CredentialsError {
    fn from(unanswered: Unanswered) -> Self {
        unanswered.error
    }
}

/// Sends a request to `whom` once and reads the answer, all of it within `limit`.
async fn exchange(
    transport: &dyn Transport,
    request: TransportRequest,
    limit: Duration,
    whom: &str,
) -> Result<Answer, Unanswered> {
    let exchanged = async {
        let response = transport.send(request).await.map_err(|error| {
            let kind = error.kind();
            let message = format!("{whom} cannot be asked");
            let is_lasting = matches!(kind, TransportErrorKind::Tls | TransportErrorKind::Unsupported);
            let problem = if is_lasting {
                CredentialsError::new(message)
            } else {
                CredentialsError::retryable(message)
            };
            Unanswered {
                is_reached: Some(!matches!(
                    kind,
                    TransportErrorKind::Connect | TransportErrorKind::Dns | TransportErrorKind::Timeout
                )),
                error: problem.with_source(error),
            }
        })?;
        let mut answer = Answer {
            status: response.status,
            headers: response.headers,
            body: Zeroizing::default(),
        };
        let mut body = response.body;
        while let Some(chunk) = std::future::poll_fn(|cx| body.poll_chunk(cx)).await {
            let broken = |error| Unanswered {
                is_reached: Some(true),
                error,
            };
            let chunk = chunk.map_err(|error| {
                broken(CredentialsError::retryable(format!("the answer of {whom} broke off")).with_source(error))
            })?;
            if answer.body.len() + chunk.len() > MAX_ANSWER {
                return Err(broken(CredentialsError::new(format!(
                    "the answer of {whom} does not end"
                ))));
            }
            answer.body.extend_from_slice(&chunk);
        }
        Ok(answer)
    };
    tokio::time::timeout(limit, exchanged).await.unwrap_or_else(|_| {
        let message = format!("{whom} has not answered within {} s", limit.as_secs_f64());
        Err(Unanswered {
            is_reached: None,
            error: CredentialsError::retryable(message),
        })
    })
}
