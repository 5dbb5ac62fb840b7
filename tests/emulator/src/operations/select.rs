//! SelectObject and CreateSelectObjectMeta.

use bytes::Bytes;
use futures_util::stream;

use super::{Call, read, restore};
use crate::answer::Answer;
use crate::error::ServiceError;
use crate::frames;
use crate::select::{self, Counts, Format, Header, Options, Output, Plan, Range};
use crate::store::ObjectInfo;
use crate::value::Record;

/// Where the counts of an object are kept beside its metadata.
const COUNTS: &str = "select-meta";

pub(super) async fn select(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let nothing = Record::new();
    let request = call
        .input
        .record("select_request")
        .ok_or_else(|| ServiceError::malformed_xml("the document is empty"))?;
    let input = request.record("input_serialization").unwrap_or(&nothing);
    let output = request.record("output_serialization").unwrap_or(&nothing);
    let options = request.record("options").unwrap_or(&nothing);
    let is_json = call
        .head
        .query
        .get("x-oss-process")
        .is_some_and(|process| process.starts_with("json/"));
    let kind = if is_json { "json" } else { "csv" };
    let other = if is_json { "csv" } else { "json" };
    if input.has(other) || output.has(other) {
        return Err(invalid(
            "The formats of the input and the output do not fit the kind of query.",
        ));
    }
    let (given_input, given_output) = (
        input.record(kind).unwrap_or(&nothing),
        output.record(kind).unwrap_or(&nothing),
    );
    let (raw, payload_crc) = (output.flag("output_raw_data"), output.flag("enable_payload_crc"));
    if raw && payload_crc {
        return Err(invalid("OutputRawData and EnablePayloadCrc cannot go together."));
    }
    let query = select::parse(request.text_or_empty("expression"))?;
    if !is_json && !query.from.is_empty() {
        return Err(ServiceError::new(
            400,
            "SqlSyntaxError",
            "The SQL expression is not valid: rows of CSV have no paths.",
        ));
    }
    let format = if is_json {
        json_format(given_input)
    } else {
        csv_format(given_input)?
    };
    let record = record_delimiter(given_output)?;
    let header = match given_input
        .text_or_empty("file_header_info")
        .to_ascii_lowercase()
        .as_str()
    {
        "use" => Header::Use,
        "ignore" => Header::Ignore,
        _ => Header::None,
    };
    let options = Options {
        output: match is_json {
            true => Output::Json { record },
            false => Output::Csv {
                record,
                field: byte(given_output, "field_delimiter", b',')?,
                quote: byte(given_output, "quote_character", b'"')?,
                keep_all_columns: output.flag("keep_all_columns"),
                header: output.flag("output_header"),
            },
        },
        header: if is_json { Header::None } else { header },
        skip_partial: options.flag("skip_partial_data_record"),
        max_skipped: options
            .integer("max_skipped_records_allowed")
            .and_then(|most| u64::try_from(most).ok())
            .unwrap_or_default(),
        numbers_as_text: given_input.flag("parse_json_number_as_string"),
    };
    let found = read::find(call)?;
    let info = found.target.info();
    restore::refuse_archived(call, call.bucket()?, info)?;
    let gzip = input.text_or_empty("compression_type").eq_ignore_ascii_case("gzip");
    let range = range(given_input, &format, gzip, info)?;
    let plan = Plan {
        query,
        format,
        options,
        range,
        gzip,
        raw,
        payload_crc,
    };
    let content = select::run(plan, found.target.read_all()).await?;
    Ok(Answer::empty()
        .status(206)
        .header("x-oss-select-output-raw", raw.to_string())
        .header("content-type", "application/octet-stream")
        .open_payload(content))
}

pub(super) async fn create_meta(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let nothing = Record::new();
    let request = call
        .input
        .record("select_meta_request")
        .ok_or_else(|| ServiceError::malformed_xml("the document is empty"))?;
    let (is_json, request) = match (request.record("json"), request.record("csv")) {
        (Some(json), _) => (true, json),
        (None, csv) => (false, csv.unwrap_or(&nothing)),
    };
    let input = request.record("input_serialization").unwrap_or(&nothing);
    if input.text_or_empty("compression_type").eq_ignore_ascii_case("gzip") {
        return Err(invalid("Compressed objects cannot be counted."));
    }
    let given = input.record(if is_json { "json" } else { "csv" }).unwrap_or(&nothing);
    let format = if is_json {
        json_format(given)
    } else {
        csv_format(given)?
    };
    if format == Format::Document {
        return Err(invalid("Only JSON lines can be counted."));
    }
    let found = read::find(call)?;
    let info = found.target.info();
    restore::refuse_archived(call, call.bucket()?, info)?;
    let known = stored(info).filter(|_| !request.flag("overwrite_if_exists"));
    let counts = match known {
        Some(counts) => counts,
        None => select::count(&format, found.target.read_all()).await?,
    };
    if known.is_none() {
        let text = format!("{} {} {} {}", info.size, counts.rows, counts.columns, counts.splits);
        let (bucket, version) = (call.bucket()?, info.version_id.clone());
        call.store()
            .update_object(bucket, &info.key, Some(&version), move |meta| {
                meta.extra.insert(COUNTS.to_owned(), text);
            })
            .await?;
    }
    let values = Record::new()
        .with("offset", info.size)
        .with("total_scanned_bytes", info.size)
        .with("meta_status", 200_i64)
        .with("splits_count", counts.splits)
        .with("rows_count", counts.rows)
        .with_some("cols_count", (!is_json).then_some(counts.columns));
    let frame = Bytes::from(frames::meta(&values));
    let length = u64::try_from(frame.len()).unwrap_or(u64::MAX);
    Ok(Answer::empty().payload(length, Box::pin(stream::once(async move { Ok(frame) }))))
}

/// The counts of an object, unless it has grown since.
fn stored(info: &ObjectInfo) -> Option<Counts> {
    let numbers: Option<Vec<u64>> = info
        .meta
        .extra
        .get(COUNTS)?
        .split(' ')
        .map(|number| number.parse().ok())
        .collect();
    match numbers?.as_slice() {
        [size, rows, columns, splits] if *size == info.size => Some(Counts {
            rows: *rows,
            columns: *columns,
            splits: *splits,
        }),
        _ => None,
    }
}

fn invalid(message: &str) -> ServiceError {
    ServiceError::new(400, "InvalidOSSSelectParameters", message)
}

fn json_format(given: &Record) -> Format {
    match given.text_or_empty("type").eq_ignore_ascii_case("document") {
        true => Format::Document,
        false => Format::Lines,
    }
}

fn csv_format(given: &Record) -> Result<Format, ServiceError> {
    let comment = given.text("comment_character").filter(|text| !text.is_empty());
    Ok(Format::Csv {
        record: record_delimiter(given)?,
        field: byte(given, "field_delimiter", b',')?,
        quote: byte(given, "quote_character", b'"')?,
        comment: comment.map(|_| byte(given, "comment_character", b'#')).transpose()?,
    })
}

fn record_delimiter(given: &Record) -> Result<Vec<u8>, ServiceError> {
    match given.text("record_delimiter").map(str::as_bytes) {
        None | Some([]) => Ok(b"\n".to_vec()),
        Some(bytes) if bytes.len() <= 2 => Ok(bytes.to_vec()),
        Some(_) => Err(invalid("A RecordDelimiter has one or two bytes.")),
    }
}

fn byte(given: &Record, name: &str, default: u8) -> Result<u8, ServiceError> {
    match given.text(name).map(str::as_bytes) {
        None | Some([]) => Ok(default),
        Some([byte]) => Ok(*byte),
        Some(_) => Err(invalid(
            "A FieldDelimiter, QuoteCharacter and CommentCharacter has one byte.",
        )),
    }
}

/// Reads `{first}-{last}`, either of which may be left out, by the counts of the object.
fn range(given: &Record, format: &Format, gzip: bool, info: &ObjectInfo) -> Result<Range, ServiceError> {
    let (text, of_lines) = match (given.text("range"), given.text("split_range")) {
        (None, None) => return Ok(Range::All),
        (Some(text), _) => (text, true),
        (None, Some(text)) => (text, false),
    };
    let wrong = || ServiceError::new(400, "InvalidRange", "The range of rows or splits is not valid.");
    if gzip || *format == Format::Document {
        return Err(invalid("Compressed objects and JSON documents have no ranges."));
    }
    let counts = stored(info).ok_or_else(|| {
        ServiceError::new(
            400,
            "SelectCsvMetaUnavailable",
            "A range needs CreateSelectObjectMeta to be called first.",
        )
    })?;
    let total = if of_lines { counts.rows } else { counts.splits };
    let number = |text: &str| match text {
        "" => Ok(None),
        digits => digits.parse::<u64>().map(Some).map_err(|_| wrong()),
    };
    let (first, last) = text.split_once('-').ok_or_else(wrong)?;
    let (first, last) = match (number(first)?, number(last)?) {
        (Some(first), Some(last)) if first <= last => (first, last),
        (Some(first), None) => (first, u64::MAX),
        (None, Some(length)) => (total.saturating_sub(length), u64::MAX),
        _ => return Err(wrong()),
    };
    match of_lines {
        true => Ok(Range::Lines(first, last)),
        false => Ok(Range::Splits(first, last)),
    }
}
