//! The management listener: health, metrics, faults, the clock, recent requests and the page, apart from the service itself.
//!
//! It exists only when asked for. It can change and read everything, so it is guarded against whoever should not get in:
//!
//! - [`guard`](self) judges every request before anything else looks at it: the `Host` must be an address of the listener (no
//!   DNS name that somebody else points at it), the token must be right, and a browser must not have been sent by another site.
//! - No answer carries a CORS header, so no script of another site reads one.
//! - It listens on loopback unless told otherwise, and elsewhere only with a token that was chosen, never with a drawn one.

mod answers;
mod browse;
mod buckets;
mod clock;
mod faults;
mod guard;
mod metrics;
mod options;
mod requests;
mod reset;
mod router;
mod runs;
mod token;
mod ui;

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::error_start::StartError;
use crate::server::{self, Handler};
use crate::state::State;

pub use options::AdminOptions;
pub(crate) use token::Token;

/// What all requests of the management listener share.
pub(crate) struct Admin {
    /// The emulator that is managed.
    pub(crate) state: Arc<State>,
    pub(crate) guard: guard::Guard,
}

/// The running listener.
pub(crate) struct Listener {
    pub(crate) address: SocketAddr,
    pub(crate) token: Token,
    pub(crate) server: JoinHandle<()>,
}

/// Starts the listener.
pub(crate) async fn start(
    options: AdminOptions,
    state: Arc<State>,
    stop: watch::Receiver<bool>,
) -> Result<Listener, StartError> {
    let bare_host = options.host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let bind = |source| StartError::Bind {
        address: format!("{}:{}", options.host, options.port),
        source,
    };
    let listener = TcpListener::bind((bare_host.as_str(), options.port))
        .await
        .map_err(bind)?;
    let address = listener.local_addr().map_err(bind)?;
    let token = match &options.token {
        Some(token) => Token::given(token)?,
        None if address.ip().is_loopback() => Token::drawn()?,
        None => return Err(StartError::Admin(token::NEEDED.to_owned())),
    };
    let admin = Arc::new(Admin {
        guard: guard::Guard::new(&options, address, &token),
        state,
    });
    let handler: Handler = Arc::new(move |request| {
        let admin = Arc::clone(&admin);
        Box::pin(async move { Ok(router::answer(&admin, request).await) })
    });
    let server = tokio::spawn(server::serve(listener, None, handler, stop));
    Ok(Listener { address, token, server })
}
