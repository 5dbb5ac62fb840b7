//! A server that answers what a test tells it to, byte for byte.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A running server; dropping it stops it. Every request, whatever it asks for, gets the same bytes; then the connection is closed.
#[derive(Debug)]
pub struct ScriptedServer {
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

impl ScriptedServer {
    /// Answers each request with `answer`, a whole HTTP answer or the beginning of one.
    ///
    /// # Errors
    ///
    /// When no port can be had.
    pub async fn start(answer: impl Into<Vec<u8>>) -> std::io::Result<Self> {
        let answer: Arc<[u8]> = answer.into().into();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&requests);
        let accepting = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(serve(connection, Arc::clone(&answer), Arc::clone(&counted)));
            }
        });
        Ok(Self {
            address,
            requests,
            accepting,
        })
    }

    /// `http://` and the address.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Requests received.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

impl Drop for ScriptedServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(mut connection: TcpStream, answer: Arc<[u8]>, requests: Arc<AtomicUsize>) {
    let mut head = Vec::new();
    let mut buffer = [0; 4096];
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        match connection.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(read) => head.extend_from_slice(&buffer[..read]),
        }
    }
    requests.fetch_add(1, Ordering::SeqCst);
    // The client may have gone; it is the client that is tested.
    let _ = connection.write_all(&answer).await;
    let _ = connection.shutdown().await;
}
