//! A loopback HTTP proxy, as companies have them: it forwards requests and opens tunnels, and may want a password.
//!
//! Whatever host is asked for, the connection goes to one address: the proxy stands in for the name service too.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Longest head that is read.
const MAX_HEAD: usize = 64 * 1024;

/// A proxy; dropping it stops it.
#[derive(Debug)]
pub struct ForwardProxy {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
    accepting: JoinHandle<()>,
}

impl ForwardProxy {
    /// Starts a proxy that leads everybody to `target`, and lets in only who sends `Basic` and these letters, if any.
    ///
    /// # Panics
    ///
    /// When the loopback address cannot be bound: there is nothing to test then.
    pub async fn start(target: SocketAddr, password: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("a listener has an address");
        let heads: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = Arc::clone(&heads);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, target, password, Arc::clone(&seen)));
            }
        });
        Self {
            address,
            heads,
            accepting,
        }
    }

    /// `http://` and the address, with a user and password if there are some.
    pub fn url(&self, user: &str) -> String {
        let at = if user.is_empty() { "" } else { "@" };
        format!("http://{user}{at}{}", self.address)
    }

    /// The heads of the requests to the proxy.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Their first lines.
    pub fn lines(&self) -> Vec<String> {
        let first = |head: &String| head.lines().next().unwrap_or_default().to_owned();
        self.heads().iter().map(first).collect()
    }
}

impl Drop for ForwardProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// One connection, which carries one request. Errors are those of either end going away.
async fn serve(
    mut client: TcpStream,
    target: SocketAddr,
    password: Option<&'static str>,
    heads: Arc<Mutex<Vec<String>>>,
) -> Option<()> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if bytes.len() > MAX_HEAD || client.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let behind = bytes.split_off(end + 4);
    let is_let_in = password.is_none_or(|password| {
        let wanted = format!("proxy-authorization: basic {}", password.to_ascii_lowercase());
        head.to_ascii_lowercase().lines().any(|line| line == wanted)
    });
    heads.lock().unwrap_or_else(PoisonError::into_inner).push(head.clone());
    if !is_let_in {
        let answer = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\
                      Content-Length: 0\r\nConnection: close\r\n\r\n";
        return client.write_all(answer.as_bytes()).await.ok();
    }
    let mut server = TcpStream::connect(target).await.ok()?;
    let (line, rest) = head.split_once("\r\n").unwrap_or((&head, ""));
    if line.starts_with("CONNECT ") {
        client
            .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
            .await
            .ok()?;
    } else {
        // The server wants the path alone, and nothing that was for the proxy. The connection serves no second request.
        let (method, url) = line.split_once(" http://")?;
        let path = url.find('/').map_or("/ HTTP/1.1", |at| &url[at..]);
        let mut forwarded = format!("{method} {path}\r\nconnection: close\r\n");
        for line in rest
            .lines()
            .filter(|line| !line.to_ascii_lowercase().starts_with("proxy-"))
        {
            forwarded.push_str(line);
            forwarded.push_str("\r\n");
        }
        forwarded.push_str("\r\n");
        server.write_all(forwarded.as_bytes()).await.ok()?;
    }
    server.write_all(&behind).await.ok()?;
    copy_bidirectional(&mut client, &mut server).await.ok().map(|_| ())
}
