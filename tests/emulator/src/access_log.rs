//! The access log: one line of JSON per request.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::{fmt, mem};

use serde::Serialize;

/// Where the lines of the access log go. Each line is written at once and whole, so that lines of several requests never mix and a
/// reader of the file is not behind.
#[derive(Clone)]
pub struct AccessLog {
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    writer: Box<dyn Write + Send>,
    /// Whether the last line could not be written: said once, not for every request of a full disk.
    failing: bool,
}

impl fmt::Debug for AccessLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessLog").finish_non_exhaustive()
    }
}

/// One line.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Entry {
    /// When the request came, by the emulator's clock.
    pub(crate) time: String,
    pub(crate) request_id: String,
    /// The client's address.
    pub(crate) remote: Option<String>,
    pub(crate) method: String,
    /// Without the values of signatures and tokens.
    pub(crate) target: String,
    pub(crate) operation: Option<String>,
    pub(crate) bucket: Option<String>,
    pub(crate) key: Option<String>,
    /// 0 when the connection broke instead of an answer.
    pub(crate) status: u16,
    pub(crate) code: Option<String>,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    pub(crate) duration_us: u64,
    pub(crate) principal: Option<String>,
    pub(crate) fault: Option<String>,
}

impl AccessLog {
    /// Appends to a file, which is created when missing.
    ///
    /// # Errors
    ///
    /// The file cannot be opened.
    pub fn file(path: impl AsRef<Path>) -> io::Result<Self> {
        let file: File = OpenOptions::new().append(true).create(true).open(path)?;
        Ok(Self::to(file))
    }

    /// Writes to anything.
    pub fn to(writer: impl Write + Send + 'static) -> Self {
        Self {
            inner: Arc::new(Mutex::new(Inner {
                writer: Box::new(writer),
                failing: false,
            })),
        }
    }

    pub(crate) fn write(&self, entry: &Entry) {
        let Ok(mut line) = serde_json::to_vec(entry) else {
            return;
        };
        line.push(b'\n');
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let written = inner.writer.write_all(&line).and_then(|()| inner.writer.flush());
        let was_failing = mem::replace(&mut inner.failing, written.is_err());
        if let Err(error) = written
            && !was_failing
        {
            tracing::warn!(%error, "the access log cannot be written");
        }
    }
}
