//! A loopback proxy that cuts connections after a number of bytes of the answer.
//!
//! It knows nothing of HTTP: what it breaks is the connection itself, at any byte, as a network does.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// How a connection ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// After so many bytes of the answer, closed in order (FIN).
    Close(u64),
    /// After so many bytes of the answer, reset (RST).
    Reset(u64),
}

/// A running proxy; dropping it stops it.
#[derive(Debug)]
pub struct CuttingProxy {
    address: SocketAddr,
    cuts: Arc<Mutex<VecDeque<Cut>>>,
    accepting: JoinHandle<()>,
}

impl CuttingProxy {
    /// Listens on a free port and forwards to `target`.
    ///
    /// # Errors
    ///
    /// When no port can be had.
    pub async fn start(target: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let cuts = Arc::new(Mutex::new(VecDeque::new()));
        let planned = Arc::clone(&cuts);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let cut = planned.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                tokio::spawn(forward(client, target, cut));
            }
        });
        Ok(Self {
            address,
            cuts,
            accepting,
        })
    }

    /// What the next connections will suffer, one each; later ones are left alone.
    pub fn plan(&self, cuts: impl IntoIterator<Item = Cut>) {
        self.cuts.lock().unwrap_or_else(PoisonError::into_inner).extend(cuts);
    }

    /// Cuts that no connection has met yet.
    pub fn left(&self) -> usize {
        self.cuts.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Forgets the cuts that no connection has met.
    pub fn clear(&self) {
        self.cuts.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// `http://` and the address.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for CuttingProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// One connection. Its errors are those of either end going away, which both ends notice by themselves.
async fn forward(client: TcpStream, target: SocketAddr, cut: Option<Cut>) {
    let Ok(server) = TcpStream::connect(target).await else {
        return;
    };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let requests = tokio::spawn(async move {
        let _ = copy(&mut from_client, &mut to_server).await;
        from_client
    });
    let limit = match cut {
        None => u64::MAX,
        Some(Cut::Close(bytes) | Cut::Reset(bytes)) => bytes,
    };
    let ended_early = answer(&mut from_server, &mut to_client, limit).await;
    if !ended_early {
        let _ = to_client.shutdown().await;
    } else if let Some(Cut::Reset(_)) = cut {
        // Without lingering, dropping the socket sends a reset instead of a close.
        let _ = to_client.as_ref().set_zero_linger();
    }
    requests.abort();
}

/// Passes on at most `limit` bytes; returns whether the limit ended it.
async fn answer(from: &mut (impl AsyncReadExt + Unpin), to: &mut (impl AsyncWriteExt + Unpin), limit: u64) -> bool {
    let mut buffer = vec![0; 64 * 1024];
    let mut passed = 0;
    while passed < limit {
        let Ok(read) = from.read(&mut buffer).await else {
            return false;
        };
        if read == 0 {
            return false;
        }
        let part = usize::try_from(limit - passed).map_or(read, |left| left.min(read));
        if to.write_all(&buffer[..part]).await.is_err() {
            return false;
        }
        passed += part as u64;
    }
    true
}
