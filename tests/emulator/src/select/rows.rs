//! From bytes to rows: CSV, lines of JSON, and one JSON document, each fed piece by piece.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder, Terminator};
use serde_json::Value as Json;

use crate::error::ServiceError;

/// Longest row of a CSV object, and longest line of JSON.
const MAX_ROW: usize = 1024 * 1024;
/// Most columns of a row.
const MAX_COLUMNS: usize = 1000;
/// Largest JSON document, which is read as a whole.
const MAX_DOCUMENT: usize = 16 * 1024 * 1024;

/// A row as it was read.
#[derive(Debug, Clone, Copy)]
pub(super) enum RowView<'r> {
    Csv(&'r [&'r str]),
    Json(&'r Json),
}

/// Gets every row with the position of its first byte; false ends the reading.
pub(super) type Sink<'s> = &'s mut (dyn FnMut(u64, RowView<'_>) -> Result<bool, ServiceError> + Send);

/// How the rows of an object are told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Format {
    Csv {
        record: Vec<u8>,
        field: u8,
        quote: u8,
        comment: Option<u8>,
    },
    Lines,
    Document,
}

/// A reader in the middle of an object.
pub(super) enum Rows {
    Csv(Box<Csv>),
    Lines { line: Vec<u8>, start: u64 },
    Document(Vec<u8>),
}

impl Rows {
    pub(super) fn new(format: &Format) -> Result<Self, ServiceError> {
        Ok(match format {
            Format::Csv {
                record,
                field,
                quote,
                comment,
            } => {
                let terminator = match record.as_slice() {
                    b"\r\n" => Terminator::CRLF,
                    [one] => Terminator::Any(*one),
                    _ => {
                        return Err(ServiceError::not_implemented(
                            "a RecordDelimiter of two bytes other than CR LF",
                        ));
                    }
                };
                let mut builder = ReaderBuilder::new();
                let reader = builder
                    .delimiter(*field)
                    .terminator(terminator)
                    .quote(*quote)
                    .comment(*comment)
                    .build();
                Self::Csv(Box::new(Csv {
                    reader,
                    output: vec![0; 4096],
                    output_length: 0,
                    ends: vec![0; 64],
                    ends_length: 0,
                    position: 0,
                    start: 0,
                }))
            }
            Format::Lines => Self::Lines {
                line: Vec::new(),
                start: 0,
            },
            Format::Document => Self::Document(Vec::new()),
        })
    }

    /// Takes a piece of the object; an empty one is its end. False when the sink wants no more.
    pub(super) fn feed(&mut self, piece: &[u8], sink: Sink<'_>) -> Result<bool, ServiceError> {
        match self {
            Self::Csv(csv) => csv.feed(piece, sink),
            Self::Lines { line, start } => lines(line, start, piece, sink),
            Self::Document(document) => {
                if document.len() + piece.len() > MAX_DOCUMENT {
                    return Err(invalid_json("the document is longer than 16 MB"));
                }
                document.extend_from_slice(piece);
                match piece.is_empty() {
                    true => sink(0, RowView::Json(&json(document)?)),
                    false => Ok(true),
                }
            }
        }
    }
}

pub(super) struct Csv {
    reader: Reader,
    output: Vec<u8>,
    output_length: usize,
    ends: Vec<usize>,
    ends_length: usize,
    /// Bytes read so far, and where the row in work began.
    position: u64,
    start: u64,
}

impl Csv {
    fn feed(&mut self, mut piece: &[u8], sink: Sink<'_>) -> Result<bool, ServiceError> {
        let at_end = piece.is_empty();
        loop {
            let (output, ends) = (
                self.output.get_mut(self.output_length..).unwrap_or_default(),
                self.ends.get_mut(self.ends_length..).unwrap_or_default(),
            );
            let (result, read, written, ended) = self.reader.read_record(piece, output, ends);
            piece = piece.get(read..).unwrap_or_default();
            self.position += u64::try_from(read).unwrap_or_default();
            self.output_length += written;
            self.ends_length += ended;
            match result {
                ReadRecordResult::InputEmpty if at_end => {}
                ReadRecordResult::InputEmpty => return Ok(true),
                ReadRecordResult::OutputFull if self.output.len() >= MAX_ROW => {
                    return Err(invalid_line("a row is longer than 1 MB"));
                }
                ReadRecordResult::OutputFull => self.output.resize(self.output.len() * 2, 0),
                ReadRecordResult::OutputEndsFull if self.ends.len() >= MAX_COLUMNS => {
                    return Err(invalid_line("a row has more than 1000 columns"));
                }
                ReadRecordResult::OutputEndsFull => self.ends.resize((self.ends.len() * 2).min(MAX_COLUMNS), 0),
                ReadRecordResult::Record => {
                    let goes_on = self.emit(sink)?;
                    self.start = self.position;
                    (self.output_length, self.ends_length) = (0, 0);
                    if !goes_on {
                        return Ok(false);
                    }
                }
                ReadRecordResult::End => return Ok(true),
            }
        }
    }

    fn emit(&self, sink: Sink<'_>) -> Result<bool, ServiceError> {
        let text = std::str::from_utf8(self.output.get(..self.output_length).unwrap_or_default())
            .map_err(|_| ServiceError::new(400, "InvalidTextEncoding", "The object is not UTF-8."))?;
        let mut fields = Vec::with_capacity(self.ends_length);
        let mut from = 0;
        for end in self.ends.get(..self.ends_length).unwrap_or_default() {
            // A delimiter inside a character would be no UTF-8 on either side.
            fields.push(
                text.get(from..*end)
                    .ok_or_else(|| invalid_line("a column ends inside a character"))?,
            );
            from = *end;
        }
        sink(self.start, RowView::Csv(&fields))
    }
}

fn lines(line: &mut Vec<u8>, start: &mut u64, piece: &[u8], sink: Sink<'_>) -> Result<bool, ServiceError> {
    let mut emit = |line: &[u8], start: u64| match line.iter().all(u8::is_ascii_whitespace) {
        true => Ok(true),
        false => sink(start, RowView::Json(&json(line)?)),
    };
    if piece.is_empty() {
        return emit(line, *start);
    }
    for part in piece.split_inclusive(|byte| *byte == b'\n') {
        if line.len() + part.len() > MAX_ROW {
            return Err(invalid_json("a line is longer than 1 MB"));
        }
        line.extend_from_slice(part);
        if part.ends_with(b"\n") {
            let goes_on = emit(line, *start)?;
            *start += u64::try_from(line.len()).unwrap_or_default();
            line.clear();
            if !goes_on {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn json(text: &[u8]) -> Result<Json, ServiceError> {
    serde_json::from_slice(text).map_err(|error| invalid_json(&error.to_string()))
}

pub(super) fn invalid_json(why: &str) -> ServiceError {
    ServiceError::new(400, "InvalidJsonData", format!("The object is not proper JSON: {why}."))
}

pub(super) fn invalid_line(why: &str) -> ServiceError {
    ServiceError::new(400, "InvalidCsvLine", format!("The CSV object is not valid: {why}."))
}
