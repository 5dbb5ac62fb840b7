//! The payload of an answer as a reader.

use std::fmt;
use std::io::{self, BufRead, Read, Write};
use std::path::Path;

use bytes::{Buf, Bytes};

use super::worker::block_on;
use crate::body;
use crate::error::{Error, ErrorKind};

/// The payload of an answer, without async.
///
/// It is a [`Read`] and a [`BufRead`]; made by [`into_blocking`](body::ResponseBody::into_blocking). Nothing is read ahead
/// of the reader. Dropping it before its end closes the connection. It goes on after a broken connection and verifies
/// what it delivered as the [async one](body::ResponseBody) does, and an error of it is the source of the [`io::Error`].
pub struct ResponseBody {
    body: body::ResponseBody,
    /// Rest of a chunk that a reader had no room for.
    rest: Bytes,
}

impl body::ResponseBody {
    /// The same payload for use without async.
    ///
    /// It is meant for the results of [blocking clients](crate::blocking::Client). The connection of what an async client
    /// received is moved along by the runtime of that client, so reading it here must not block that runtime.
    pub fn into_blocking(mut self) -> ResponseBody {
        let rest = self.take_rest();
        ResponseBody { body: self, rest }
    }
}

impl ResponseBody {
    /// Length in bytes of the whole payload, if the answer declared it.
    pub fn content_length(&self) -> Option<u64> {
        self.body.content_length()
    }

    /// The next piece, `None` at the verified end. A failed payload goes on failing.
    ///
    /// # Errors
    ///
    /// As those of the async payload's `chunk`.
    pub fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        if !self.rest.is_empty() {
            return Ok(Some(std::mem::take(&mut self.rest)));
        }
        block_on(self.body.chunk())
    }

    /// Reads everything into memory.
    ///
    /// # Errors
    ///
    /// As [`chunk`](ResponseBody::chunk).
    pub fn bytes(self) -> Result<Bytes, Error> {
        block_on(self.into_inner().bytes())
    }

    /// Reads everything as UTF-8 text.
    ///
    /// # Errors
    ///
    /// As [`chunk`](ResponseBody::chunk), and [`ErrorKind::Decode`] when the payload is not UTF-8.
    pub fn text(self) -> Result<String, Error> {
        block_on(self.into_inner().text())
    }

    /// Writes everything to a writer and flushes it; returns the number of bytes.
    ///
    /// # Errors
    ///
    /// As [`chunk`](ResponseBody::chunk), and [`ErrorKind::Io`] when the writer fails. What was written until then is
    /// not verified.
    pub fn write_to(mut self, writer: &mut (impl Write + ?Sized)) -> Result<u64, Error> {
        let operation = self.body.operation();
        let failed = |source: io::Error| {
            Error::new(ErrorKind::Io, "writing the payload failed")
                .with_operation(operation.clone())
                .with_source(source)
        };
        let mut written = 0;
        while let Some(chunk) = self.chunk()? {
            writer.write_all(&chunk).map_err(&failed)?;
            written += chunk.len() as u64;
        }
        writer.flush().map_err(&failed)?;
        Ok(written)
    }

    /// Writes everything that was not read yet to a file, which has its name only when it is complete and verified;
    /// returns the number of bytes. Otherwise as the async payload's `save_to`.
    ///
    /// # Errors
    ///
    /// As [`chunk`](ResponseBody::chunk), and [`ErrorKind::Io`] when the file cannot be written.
    pub fn save_to(self, path: impl AsRef<Path>) -> Result<u64, Error> {
        block_on(self.into_inner().save_to(path))
    }

    /// Writes everything to a file that survives a power failure after this returns; otherwise as
    /// [`save_to`](ResponseBody::save_to).
    ///
    /// # Errors
    ///
    /// As [`save_to`](ResponseBody::save_to).
    pub fn save_durably_to(self, path: impl AsRef<Path>) -> Result<u64, Error> {
        block_on(self.into_inner().save_durably_to(path))
    }

    /// The async payload, with what was not read yet.
    pub fn into_inner(mut self) -> body::ResponseBody {
        self.body.put_back(self.rest);
        self.body
    }
}

impl Read for ResponseBody {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let size = self.fill_buf()?.read(buffer)?;
        self.consume(size);
        Ok(size)
    }
}

impl BufRead for ResponseBody {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.rest.is_empty()
            && let Some(chunk) = self.chunk().map_err(io::Error::other)?
        {
            self.rest = chunk;
        }
        Ok(&self.rest)
    }

    fn consume(&mut self, amount: usize) {
        self.rest.advance(amount.min(self.rest.len()));
    }
}

impl From<body::ResponseBody> for ResponseBody {
    fn from(body: body::ResponseBody) -> Self {
        body.into_blocking()
    }
}

impl From<ResponseBody> for body::Body {
    /// Sends what is being received; at most once, since it cannot be read again.
    fn from(body: ResponseBody) -> Self {
        body.into_inner().into()
    }
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.body.fmt(f)
    }
}
