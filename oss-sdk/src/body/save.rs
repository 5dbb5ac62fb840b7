//! Writing a payload to a file: complete and verified under its final name, or not there at all.

use std::fs::{File, OpenOptions};
use std::future::Future;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::pin::Pin;

use tokio::task::{JoinHandle, spawn_blocking};

use super::ResponseBody;
use crate::error::{Error, ErrorKind};
use crate::random;

/// Bytes that are gathered for one visit to the blocking pool. While one batch is written the next one comes.
const BATCH: usize = 1024 * 1024;

/// Names that are tried for the temporary file before the directory is given up.
const NAMES: u32 = 16;

pub(super) async fn save(mut body: ResponseBody, path: &Path, durable: bool) -> Result<u64, Error> {
    let operation = body.operation();
    let failed = |what: &str, source: io::Error| {
        Error::new(ErrorKind::Io, format!("{what} `{}` failed", path.display()))
            .with_operation(operation.clone())
            .with_source(source)
    };
    let target = path.to_owned();
    let partial = blocking(move || Partial::create(&target))
        .await
        .map_err(|source| failed("creating", source))?;
    let mut writer = Writer {
        state: State::Idle(partial, Vec::new()),
    };
    let mut batch = Vec::new();
    let mut total = 0;
    loop {
        let chunk = match body.chunk().await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => break,
            Err(error) => {
                // A write under way would keep the temporary file a little longer than this call.
                drop(writer.idle().await);
                return Err(error);
            }
        };
        total += chunk.len() as u64;
        // Copied, so that the connection can use its buffer again: keeping the chunks until they are written was
        // measured to cost several times as much, in fresh memory for each read.
        batch.extend_from_slice(&chunk);
        if batch.len() >= BATCH {
            batch = writer.write(batch).await.map_err(|source| failed("writing", source))?;
        }
    }
    writer.write(batch).await.map_err(|source| failed("writing", source))?;
    let partial = writer.finish().await.map_err(|source| failed("writing", source))?;
    blocking(move || partial.complete(durable))
        .await
        .map_err(|source| failed("completing", source))?;
    Ok(total)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    spawn_blocking(work).await.map_err(io::Error::from)?
}

/// Writes one batch while the caller gathers the next; two buffers go back and forth.
struct Writer {
    state: State,
}

enum State {
    /// The file, and the empty buffer of the batch before.
    Idle(Partial, Vec<u8>),
    Writing(JoinHandle<io::Result<(Partial, Vec<u8>)>>),
    Failed,
}

impl Writer {
    async fn idle(&mut self) -> io::Result<(Partial, Vec<u8>)> {
        match &mut self.state {
            State::Writing(writing) => {
                let written = std::future::poll_fn(|cx| Pin::new(&mut *writing).poll(cx)).await;
                self.state = State::Failed;
                written.map_err(io::Error::from)?
            }
            state => match std::mem::replace(state, State::Failed) {
                State::Idle(partial, buffer) => Ok((partial, buffer)),
                State::Writing(_) | State::Failed => Err(io::Error::other("an earlier write failed")),
            },
        }
    }

    /// Starts to write a batch; returns an empty buffer for the next.
    async fn write(&mut self, mut batch: Vec<u8>) -> io::Result<Vec<u8>> {
        let (mut partial, buffer) = self.idle().await?;
        self.state = State::Writing(spawn_blocking(move || {
            partial.write(&batch)?;
            batch.clear();
            Ok((partial, batch))
        }));
        Ok(buffer)
    }

    async fn finish(mut self) -> io::Result<Partial> {
        self.idle().await.map(|(partial, _)| partial)
    }
}

/// A file on its way; removed when dropped before it is complete.
struct Partial {
    file: Option<File>,
    temporary: PathBuf,
    target: PathBuf,
}

impl Partial {
    fn create(target: &Path) -> io::Result<Self> {
        let Some(name) = target.file_name() else {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the path does not end in a file name",
            ));
        };
        if target.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory"));
        }
        let mut last = None;
        for _ in 0..NAMES {
            let unique = random::bits();
            let mut temporary = std::ffi::OsString::from(".");
            temporary.push(name);
            temporary.push(format!(".{unique:016x}.part"));
            let temporary = target.with_file_name(temporary);
            match OpenOptions::new().write(true).create_new(true).open(&temporary) {
                Ok(file) => {
                    return Ok(Partial {
                        file: Some(file),
                        temporary,
                        target: target.to_owned(),
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(last.unwrap_or_else(|| io::Error::from(io::ErrorKind::AlreadyExists)))
    }

    fn write(&mut self, batch: &[u8]) -> io::Result<()> {
        match &mut self.file {
            Some(file) => file.write_all(batch),
            None => Ok(()),
        }
    }

    fn complete(mut self, durable: bool) -> io::Result<()> {
        if let Some(file) = self.file.take()
            && durable
        {
            file.sync_all()?;
        }
        std::fs::rename(&self.temporary, &self.target)?;
        self.temporary = PathBuf::new();
        if durable && cfg!(unix) {
            let parent = self.target.parent().filter(|parent| !parent.as_os_str().is_empty());
            // The name itself lives in the directory.
            File::open(parent.unwrap_or(Path::new(".")))?.sync_all()?;
        }
        Ok(())
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // Closed first: an open file cannot be removed everywhere.
        self.file = None;
        if !self.temporary.as_os_str().is_empty() {
            // Nothing can be done about a failure here, and the error that led here is the one to report.
            let _ = std::fs::remove_file(&self.temporary);
        }
    }
}
