//! A connection that does as little as HTTP/1.1 allows, so that what is measured is the server.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Bytes that are read or written at once.
pub(super) const BLOCK: usize = 1024 * 1024;
/// Longest head of an answer.
const MAX_HEAD: usize = 64 * 1024;

/// A connection that is kept for many requests.
pub(super) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// Status and length of an answer whose body was read and dropped.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) length: u64,
}

impl Connection {
    pub(super) async fn open(address: &str) -> Result<Self, String> {
        let stream = TcpStream::connect(address)
            .await
            .map_err(|error| format!("{address}: {error}"))?;
        stream
            .set_nodelay(true)
            .map_err(|error| format!("{address}: {error}"))?;
        Ok(Self {
            stream,
            buffer: vec![0; BLOCK],
        })
    }

    /// Sends a head and, `times` times, a block; reads the whole answer.
    pub(super) async fn send(&mut self, head: &[u8], block: &[u8], times: u64) -> Result<Answer, String> {
        self.exchange(head, block, times)
            .await
            .map_err(|error| format!("a connection broke: {error}"))
    }

    async fn exchange(&mut self, head: &[u8], block: &[u8], times: u64) -> std::io::Result<Answer> {
        let invalid = |why: &'static str| std::io::Error::new(std::io::ErrorKind::InvalidData, why);
        if block.len() < BLOCK && times == 1 {
            self.stream.write_all(&[head, block].concat()).await?;
        } else {
            self.stream.write_all(head).await?;
            for _ in 0..times {
                self.stream.write_all(block).await?;
            }
        }
        let mut filled = 0;
        let end = loop {
            if filled >= MAX_HEAD {
                return Err(invalid("the head of an answer is too long"));
            }
            let read = self.stream.read(&mut self.buffer[filled..]).await?;
            if read == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            filled += read;
            let from = filled.saturating_sub(read + 3);
            let found = self.buffer[from..filled]
                .windows(4)
                .position(|four| four == b"\r\n\r\n");
            if let Some(at) = found {
                break from + at + 4;
            }
        };
        let head = String::from_utf8_lossy(&self.buffer[..end]).to_ascii_lowercase();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| invalid("an answer has no status"))?;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
        let length: u64 = match length {
            Some(length) => length.trim().parse().map_err(|_| invalid("a length is not a number"))?,
            None => 0,
        };
        let mut left = length.saturating_sub((filled - end) as u64);
        while left > 0 {
            let wanted = usize::try_from(left).map_or(BLOCK, |left| left.min(BLOCK));
            let read = self.stream.read(&mut self.buffer[..wanted]).await?;
            if read == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            left -= read as u64;
        }
        Ok(Answer { status, length })
    }
}
