//! Queries over CSV and JSON objects, which stream from the object to the answer with bounded memory.

mod engine;
mod like;
mod outlet;
mod parser;
mod rows;
mod sql;
mod token;
mod value;

use std::io::{self, Write as _};
use std::time::Duration;

use flate2::write::MultiGzDecoder;
use futures_util::{StreamExt as _, stream};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, SemaphorePermit, mpsc, oneshot};
use tokio::time::timeout;

use crate::error::ServiceError;
use crate::store::ContentStream;
use engine::Engine;
pub(crate) use engine::{Header, Options, Output};
use outlet::{Outlet, Piece};
pub(crate) use rows::Format;
use rows::{RowView, Rows};
pub(crate) use sql::Query;

/// Longest query.
const MAX_SQL: usize = 16 * 1024;
/// How much of an object is worked on at once.
const STEP: usize = 64 * 1024;
/// How much of a compressed object is unpacked at once: a byte of gzip makes at most about a thousand.
const GZIP_STEP: usize = 4096;
/// Bytes of an object whose rows make a split.
pub(crate) const SPLIT: u64 = 4 * 1024 * 1024;

/// How long a query waits for its turn.
const PATIENCE: Duration = Duration::from_secs(30);

/// Queries have threads of their own, and memory for a document each, so only so many run at once.
static WORKERS: Semaphore = Semaphore::const_new(8);

async fn worker() -> Result<SemaphorePermit<'static>, ServiceError> {
    let busy = || ServiceError::new(503, "ServiceUnavailable", "Too many objects are being queried.");
    let permit = timeout(PATIENCE, WORKERS.acquire()).await.map_err(|_| busy())?;
    permit.map_err(|_| busy())
}

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
    parser::parse(sql).map_err(|why| {
        ServiceError::new(
            400,
            "SqlSyntaxError",
            format!("The SQL expression is not valid: {why}."),
        )
    })
}

/// Begins a query. What goes wrong before anything was found is an error, later the end frame tells it.
pub(crate) async fn run(plan: Plan, content: ContentStream) -> Result<ContentStream, ServiceError> {
    let permit = worker().await?;
    let (sender, mut receiver) = mpsc::channel(2);
    let mut worker = Worker {
        rows: Rows::new(&plan.format)?,
        engine: Engine::new(
            plan.query.clone(),
            plan.options.clone(),
            Outlet::new(sender, plan.raw, plan.payload_crc),
        ),
        number: 0,
        plan,
    };
    tokio::task::spawn_blocking(move || {
        let _permit = permit;
        let outcome = worker.read(content);
        worker.engine.out.finish(outcome);
    });
    let (first, ended) = match receiver.recv().await {
        Some(Ok(Piece::Part(first))) => (first, false),
        Some(Ok(Piece::Last(first))) => (first, true),
        Some(Err(error)) => return Err(error),
        None => return Err(broken_off()),
    };
    let rest = stream::unfold((receiver, ended), |(mut receiver, ended)| async move {
        if ended {
            return None;
        }
        // An error in the middle that no frame tells can only be told by breaking off.
        let (piece, ended) = match receiver.recv().await {
            Some(Ok(Piece::Part(piece))) => (Ok(piece), false),
            Some(Ok(Piece::Last(piece))) => (Ok(piece), true),
            Some(Err(error)) => (Err(io::Error::other(error.message)), true),
            None => (Err(io::Error::other(broken_off().message)), true),
        };
        Some((piece, (receiver, ended)))
    });
    Ok(Box::pin(stream::once(async move { Ok(first) }).chain(rest)))
}

fn broken_off() -> ServiceError {
    ServiceError::internal("The query ended early.")
}

fn unreadable(error: &io::Error) -> ServiceError {
    ServiceError::internal(format!("The object cannot be read: {error}."))
}

/// A query on its thread.
struct Worker {
    plan: Plan,
    rows: Rows,
    engine: Engine,
    /// Rows read so far.
    number: u64,
}

impl Worker {
    fn read(&mut self, mut content: ContentStream) -> Result<(), ServiceError> {
        let mut unpacker = self.plan.gzip.then(|| MultiGzDecoder::new(Vec::new()));
        let step = if unpacker.is_some() { GZIP_STEP } else { STEP };
        while let Some(chunk) = Handle::current().block_on(content.next()) {
            let chunk = chunk.map_err(|error| unreadable(&error))?;
            self.engine.out.scanned += u64::try_from(chunk.len()).unwrap_or_default();
            for piece in chunk.chunks(step) {
                let goes_on = match unpacker.as_mut() {
                    None => self.feed(piece)?,
                    Some(unpacker) => match unpack(unpacker, piece)? {
                        unpacked if unpacked.is_empty() => true,
                        unpacked => self.feed(&unpacked)?,
                    },
                };
                if !goes_on {
                    self.engine.finish();
                    return Ok(());
                }
            }
            if self.engine.out.is_gone() {
                return Ok(());
            }
        }
        if let Some(unpacker) = unpacker {
            let rest = unpacker.finish().map_err(|_| not_gzip())?;
            if !rest.is_empty() {
                self.feed(&rest)?;
            }
        }
        self.feed(&[])?;
        self.engine.finish();
        Ok(())
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
pub(crate) async fn count(format: &Format, content: ContentStream) -> Result<Counts, ServiceError> {
    let permit = worker().await?;
    let rows = Rows::new(format)?;
    let (sender, receiver) = oneshot::channel();
    tokio::task::spawn_blocking(move || {
        let _permit = permit;
        let counts = count_rows(rows, content, &|| !sender.is_closed());
        let _ = sender.send(counts);
    });
    receiver.await.map_err(|_| broken_off())?
}

fn count_rows(
    mut rows: Rows,
    mut content: ContentStream,
    is_wanted: &(dyn Fn() -> bool + Sync),
) -> Result<Counts, ServiceError> {
    let mut counts = Counts::default();
    let mut sink = |start: u64, row: RowView<'_>| {
        counts.rows += 1;
        counts.splits = start / SPLIT + 1;
        if let RowView::Csv(fields) = row {
            counts.columns = counts.columns.max(u64::try_from(fields.len()).unwrap_or_default());
        }
        Ok(is_wanted())
    };
    while let Some(chunk) = Handle::current().block_on(content.next()) {
        let chunk = chunk.map_err(|error| unreadable(&error))?;
        if !rows.feed(&chunk, &mut sink)? {
            return Err(broken_off());
        }
    }
    rows.feed(&[], &mut sink)?;
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn plan(sql: &str, raw: bool) -> Plan {
        Plan {
            query: parse(sql).unwrap(),
            format: Format::Csv {
                record: b"\n".to_vec(),
                field: b',',
                quote: b'"',
                comment: None,
            },
            options: Options {
                output: Output::Csv {
                    record: b"\n".to_vec(),
                    field: b',',
                    quote: b'"',
                    keep_all_columns: false,
                    header: false,
                },
                header: Header::None,
                skip_partial: false,
                max_skipped: 0,
                numbers_as_text: false,
            },
            range: Range::All,
            gzip: false,
            raw,
            payload_crc: false,
        }
    }

    /// An object whose end cannot be read without a panic.
    fn panics_after(rows: usize) -> ContentStream {
        let chunks = std::iter::repeat_with(|| Ok(Bytes::from_static(b"some,row\n"))).take(rows);
        Box::pin(stream::iter(chunks).chain(stream::poll_fn(|_| panic!("the object is cursed"))))
    }

    #[tokio::test]
    async fn a_panic_is_no_empty_answer() {
        for raw in [true, false] {
            let refused = run(plan("select * from ossobject", raw), panics_after(1)).await;
            assert_eq!(refused.err().map(|error| error.status), Some(500));
            let answer = run(plan("select * from ossobject", raw), panics_after(100_000))
                .await
                .unwrap();
            let pieces: Vec<_> = answer.collect().await;
            assert!(pieces.len() > 1 && pieces.last().unwrap().is_err());
        }
        let format = plan("select * from ossobject", true).format;
        let counted = count(&format, panics_after(1)).await;
        assert_eq!(counted.map_err(|error| error.status), Err(500));
    }

    #[tokio::test]
    async fn a_client_that_leaves_ends_the_reading() {
        let (sender, read) = mpsc::unbounded_channel();
        let endless = stream::repeat_with(move || {
            let _ = sender.send(());
            Ok(Bytes::from(b"some,row\n".repeat(10_000)))
        });
        let answer = run(plan("select * from ossobject", false), Box::pin(endless))
            .await
            .unwrap();
        drop(answer);
        gone(read).await;
        // Neither does a query that finds nothing go on.
        let (sender, mut read) = mpsc::unbounded_channel();
        let endless = stream::repeat_with(move || {
            let _ = sender.send(());
            Ok(Bytes::from_static(b"some,row\n"))
        });
        let query = run(plan("select * from ossobject where _1 = 'x'", false), Box::pin(endless));
        tokio::select! {
            _ = query => panic!("an endless object has an end"),
            _ = read.recv() => {}
        }
        gone(read).await;
    }

    /// Waits until an object is read no more.
    async fn gone(mut read: mpsc::UnboundedReceiver<()>) {
        while read.recv().await.is_some() {}
    }

    #[tokio::test]
    async fn rows_go_out_one_by_one_and_have_a_most() {
        let row = format!("{}\n", "x".repeat(100_000));
        let content = |row: String| -> ContentStream { Box::pin(stream::once(async { Ok(Bytes::from(row)) })) };
        let wide = format!("select _1{} from ossobject", ",_1".repeat(9));
        let answer = run(plan(&wide, true), content(row.repeat(5))).await.unwrap();
        let pieces: Vec<_> = answer.map(|piece| piece.unwrap().len()).collect().await;
        assert_eq!(pieces.iter().sum::<usize>(), 5 * 1_000_010);
        assert!(pieces.iter().all(|length| *length <= 1_000_010), "{pieces:?}");
        let wider = format!("select _1{} from ossobject", ",_1".repeat(999));
        let refused = run(plan(&wider, true), content(row)).await;
        assert_eq!(refused.err().map(|error| error.code), Some("InvalidCsvLine".into()));
    }

    fn row(row: impl Into<Bytes>) -> ContentStream {
        let row = row.into();
        Box::pin(stream::once(async { Ok(row) }))
    }

    #[tokio::test]
    async fn what_aggregates_keep_has_a_most() {
        let wide = "x".repeat(1_000_000);
        let same = |times: usize| format!("select min(_1){} from ossobject", ",max(_1)".repeat(times - 1));
        let answer = run(plan(&same(10), true), row(wide.clone())).await.unwrap();
        let length: usize = answer
            .map(|piece| piece.unwrap().len())
            .collect::<Vec<_>>()
            .await
            .iter()
            .sum();
        assert_eq!(length, 10_000_010);
        let refused = run(plan(&same(1000), true), row(wide.clone())).await;
        assert_eq!(refused.err().map(|error| error.code), Some("InvalidCsvLine".into()));
        // Each row adds a little to what the ones before it left.
        let columns: Vec<_> = (1..=40).map(|column| format!("max(_{column})")).collect();
        let each = format!("select {} from ossobject", columns.join(","));
        let rows = |rows: usize| {
            let rows = (0..rows).map(|row| format!("{}{wide}{}\n", "a,".repeat(row), ",a".repeat(39 - row)));
            stream::iter(rows.map(|row| Ok(Bytes::from(row))).collect::<Vec<_>>())
        };
        assert!(run(plan(&each, true), Box::pin(rows(30))).await.is_ok());
        let refused = run(plan(&each, true), Box::pin(rows(40))).await;
        assert_eq!(refused.err().map(|error| error.code), Some("InvalidCsvLine".into()));
    }

    #[tokio::test]
    async fn a_row_that_costs_too_much_does_not_fit() {
        let lines = |sql: &str| {
            let csv = plan(sql, true);
            let output = Output::Json { record: b"\n".to_vec() };
            Plan {
                format: Format::Lines,
                options: Options { output, ..csv.options },
                ..csv
            }
        };
        let list = format!("{{\"a\":[0{}]}}\n", ",0".repeat(500_000));
        let many = |condition: &str| {
            format!(
                "select b from ossobject where b = 1{}",
                format!(" or {condition}").repeat(50)
            )
        };
        for (condition, code) in [
            ("a is null", None),
            ("a is not null", None),
            ("b = 1", None),
            ("a = null", Some("InvalidJsonData".to_owned())),
            ("cast(a as string) = 'x'", Some("InvalidJsonData".to_owned())),
        ] {
            let found = run(lines(&many(condition)), row(list.clone())).await;
            assert_eq!(found.err().map(|error| error.code), code, "{condition}");
        }
    }
}
