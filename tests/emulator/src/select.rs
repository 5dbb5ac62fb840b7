//! Queries over CSV and JSON objects, which stream from the object to the answer with bounded memory.

mod engine;
mod rows;
mod sql;
mod token;
mod value;

use std::io::{self, Write as _};

use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use futures_util::{StreamExt as _, stream};
use tokio::sync::mpsc;

use crate::error::ServiceError;
use crate::frames;
use crate::store::ContentStream;
use engine::Engine;
pub(crate) use engine::{Header, Options, Output};
pub(crate) use rows::Format;
use rows::{RowView, Rows};
pub(crate) use sql::Query;

/// Longest query.
const MAX_SQL: usize = 16 * 1024;
/// How much output is gathered for one frame.
const FRAME: usize = 64 * 1024;
/// How much of a compressed object is unpacked at once: a byte of gzip makes at most about a thousand.
const GZIP_STEP: usize = 4096;
/// Bytes of an object whose rows make a split.
pub(crate) const SPLIT: u64 = 4 * 1024 * 1024;

/// Which rows are queried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Range {
    All,
    /// First and last row.
    Lines(u64, u64),
    /// First and last split, each the rows that begin within [`SPLIT`] bytes.
    Splits(u64, u64),
}

/// A query with everything that it needs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plan {
    pub(crate) query: Query,
    pub(crate) format: Format,
    pub(crate) options: Options,
    pub(crate) range: Range,
    pub(crate) gzip: bool,
    /// Whether the answer has no frames.
    pub(crate) raw: bool,
    pub(crate) payload_crc: bool,
}

/// Parses the SQL of a query.
pub(crate) fn parse(sql: &str) -> Result<Query, ServiceError> {
    if sql.trim().is_empty() || sql.len() > MAX_SQL {
        return Err(ServiceError::new(
            400,
            "InvalidSqlParameter",
            "The SQL expression is empty or longer than 16 KB.",
        ));
    }
    sql::parse(sql).map_err(|why| {
        ServiceError::new(
            400,
            "SqlSyntaxError",
            format!("The SQL expression is not valid: {why}."),
        )
    })
}

/// Begins a query. What goes wrong before anything was found is an error, later the end frame tells it.
pub(crate) async fn run(plan: Plan, content: ContentStream) -> Result<ContentStream, ServiceError> {
    let (sender, mut receiver) = mpsc::channel::<Result<Bytes, ServiceError>>(2);
    let raw = plan.raw;
    let mut worker = Worker {
        rows: Rows::new(&plan.format)?,
        engine: Engine::new(plan.query.clone(), plan.options.clone()),
        number: 0,
        plan,
    };
    tokio::spawn(async move { worker.run(content, &sender).await });
    let first = match receiver.recv().await {
        Some(Ok(first)) => first,
        Some(Err(error)) => return Err(error),
        None => Bytes::new(),
    };
    let rest = stream::unfold(receiver, move |mut receiver| async move {
        let next = receiver.recv().await?;
        let piece = next.map_err(|error| match raw {
            // Without frames an error in the middle can only be told by breaking off.
            true => io::Error::other(error.message),
            false => io::Error::other("the query ended early"),
        });
        Some((piece, receiver))
    });
    Ok(Box::pin(stream::once(async move { Ok(first) }).chain(rest)))
}

type Sender = mpsc::Sender<Result<Bytes, ServiceError>>;

struct Worker {
    plan: Plan,
    rows: Rows,
    engine: Engine,
    /// Rows read so far.
    number: u64,
}

/// Nobody reads the answer any more.
struct Gone;

impl Worker {
    async fn run(&mut self, content: ContentStream, sender: &Sender) {
        let (mut scanned, mut sent) = (0_u64, false);
        let outcome = self.read(content, sender, &mut scanned, &mut sent).await;
        let Ok(outcome) = outcome else { return };
        if let Err(error) = &outcome
            && (!sent || self.plan.raw)
        {
            let _ = sender.send(Err(error.clone())).await;
            return;
        }
        if self.plan.raw {
            let rest = std::mem::take(&mut self.engine.out);
            let _ = sender.send(Ok(Bytes::from(rest))).await;
            return;
        }
        let mut last = Vec::new();
        if !self.engine.out.is_empty() {
            last = frames::data_frame(scanned, &self.engine.out, self.plan.payload_crc);
        }
        let (status, message) = match &outcome {
            Ok(()) => (206, String::new()),
            Err(error) => (error.status, format!("{}.{}", error.code, error.message)),
        };
        last.extend(frames::end_frame(scanned, status, &message, self.plan.payload_crc));
        let _ = sender.send(Ok(Bytes::from(last))).await;
    }

    async fn read(
        &mut self,
        mut content: ContentStream,
        sender: &Sender,
        scanned: &mut u64,
        sent: &mut bool,
    ) -> Result<Result<(), ServiceError>, Gone> {
        let mut unpacker = self.plan.gzip.then(|| MultiGzDecoder::new(Vec::new()));
        while let Some(chunk) = content.next().await {
            let chunk = match chunk {
                Ok(chunk) => chunk,
                Err(error) => {
                    return Ok(Err(ServiceError::internal(format!(
                        "The object cannot be read: {error}."
                    ))));
                }
            };
            *scanned += u64::try_from(chunk.len()).unwrap_or_default();
            let step = if unpacker.is_some() { GZIP_STEP } else { FRAME };
            for piece in chunk.chunks(step) {
                let goes_on = match unpacker.as_mut() {
                    None => self.feed(piece),
                    Some(unpacker) => unpack(unpacker, piece).and_then(|piece| match piece.is_empty() {
                        true => Ok(true),
                        false => self.feed(&piece),
                    }),
                };
                match goes_on {
                    Ok(true) => {}
                    Ok(false) => {
                        self.engine.finish();
                        return Ok(Ok(()));
                    }
                    Err(error) => return Ok(Err(error)),
                }
                if self.engine.out.len() >= FRAME {
                    let out = std::mem::take(&mut self.engine.out);
                    let frame = match self.plan.raw {
                        true => out,
                        false => frames::data_frame(*scanned, &out, self.plan.payload_crc),
                    };
                    *sent = true;
                    sender.send(Ok(Bytes::from(frame))).await.map_err(|_| Gone)?;
                }
            }
        }
        if let Some(unpacker) = unpacker {
            let rest = match unpacker.finish() {
                Ok(rest) => rest,
                Err(_) => return Ok(Err(not_gzip())),
            };
            if !rest.is_empty()
                && let Err(error) = self.feed(&rest)
            {
                return Ok(Err(error));
            }
        }
        Ok(self.feed(&[]).map(|_| self.engine.finish()))
    }

    /// Feeds a piece to the reader and its rows to the engine; false when the query wants no more.
    fn feed(&mut self, piece: &[u8]) -> Result<bool, ServiceError> {
        let Self {
            plan,
            rows,
            engine,
            number,
        } = self;
        rows.feed(piece, &mut |start, row| {
            let line = *number;
            *number += 1;
            if engine.wants_header()
                && let RowView::Csv(fields) = row
            {
                engine.header(fields);
                return Ok(true);
            }
            let (at, first, last) = match plan.range {
                Range::All => return engine.row(row),
                Range::Lines(first, last) => (line, first, last),
                Range::Splits(first, last) => (start / SPLIT, first, last),
            };
            match at {
                at if at > last => Ok(false),
                at if at < first => Ok(true),
                _ => engine.row(row),
            }
        })
    }
}

fn unpack(unpacker: &mut MultiGzDecoder<Vec<u8>>, piece: &[u8]) -> Result<Vec<u8>, ServiceError> {
    unpacker.write_all(piece).map_err(|_| not_gzip())?;
    Ok(std::mem::take(unpacker.get_mut()))
}

fn not_gzip() -> ServiceError {
    ServiceError::new(400, "DecompressFailure", "The object is not proper gzip.")
}

/// What an object's rows come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) rows: u64,
    pub(crate) columns: u64,
    pub(crate) splits: u64,
}

/// Counts the rows of an object.
pub(crate) async fn count(format: &Format, mut content: ContentStream) -> Result<Counts, ServiceError> {
    let mut rows = Rows::new(format)?;
    let mut counts = Counts::default();
    let mut sink = |start: u64, row: RowView<'_>| {
        counts.rows += 1;
        counts.splits = start / SPLIT + 1;
        if let RowView::Csv(fields) = row {
            counts.columns = counts.columns.max(u64::try_from(fields.len()).unwrap_or_default());
        }
        Ok(true)
    };
    while let Some(chunk) = content.next().await {
        let chunk = chunk.map_err(|error| ServiceError::internal(format!("The object cannot be read: {error}.")))?;
        rows.feed(&chunk, &mut sink)?;
    }
    rows.feed(&[], &mut sink)?;
    Ok(counts)
}
