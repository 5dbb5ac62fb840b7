//! Judging answers, and turning a good one into a reply.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING};
use http::{HeaderMap, StatusCode};
use tracing::Span;

use super::Prepared;
use super::patience::asks_for_callback;
use super::resume::{Extent, Resumption};
use crate::body::{Download, ResponseBody, Resume};
use crate::checksum::Crc64;
use crate::error::{Error, parse_service_error};
use crate::frames::{FrameReader, FrameSet};
use crate::limiter::Throttle;
use crate::limits::Limits;
use crate::observe::Received;
use crate::operation::{OperationInput, Payload, Reply, ResultMeta};
use crate::transport::TransportBody;
use crate::xml::XmlReader;

/// A successful answer.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// Requests that it took.
    pub(super) attempts: u32,
    /// Time from the start of the call.
    pub(super) elapsed: Duration,
    /// The span of the attempt.
    pub(super) span: Span,
    pub(super) body: AnswerBody,
}

pub(super) enum AnswerBody {
    Document(Bytes),
    Stream(TransportBody),
}

/// Whether a status is a success for a request.
pub(super) fn is_success(input: &OperationInput, status: StatusCode) -> bool {
    // The object was stored, but the application did not take the callback.
    if input.traits.callback && status == StatusCode::NON_AUTHORITATIVE_INFORMATION && asks_for_callback(input) {
        return false;
    }
    status.is_success() || input.success.contains(&status.as_u16())
}

pub(super) fn service_error(status: StatusCode, headers: HeaderMap, document: &[u8]) -> Error {
    let answer = parse_service_error(status, &headers, document);
    Error::service(status, headers, answer)
}

/// Whether a document that came with a success says otherwise.
pub(super) fn is_error_document(document: &[u8]) -> bool {
    XmlReader::new(document).root(Some("Error")).is_ok()
}

/// Whether the service left the frames out, as the request can ask for.
fn is_raw(headers: &HeaderMap) -> bool {
    headers
        .get("x-oss-select-output-raw")
        .is_some_and(|value| value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"true"))
}

/// The service's CRC-64 of a payload.
pub(super) fn crc64(headers: &HeaderMap) -> Option<u64> {
    headers.get("x-oss-hash-crc64ecma")?.to_str().ok()?.trim().parse().ok()
}

impl Answer {
    pub(super) fn request_id(&self) -> &str {
        self.headers
            .get("x-oss-request-id")
            .and_then(|id| id.to_str().ok())
            .unwrap_or_default()
    }

    pub(super) fn into_reply(self, prepared: &Arc<Prepared>, limits: Limits) -> Result<Reply, Error> {
        let input = &prepared.input;
        let payload = match self.body {
            AnswerBody::Document(document) => Payload::Document(document),
            AnswerBody::Stream(source) => {
                let observed = Received::new(self.span);
                let download = download(prepared, self.status, &self.headers, source.length(), limits, observed);
                Payload::Stream(ResponseBody::new(source, download))
            }
        };
        let callback = input.traits.callback && asks_for_callback(input);
        Ok(Reply::new(
            ResultMeta::new(self.status, self.headers).with_attempts(self.attempts, self.elapsed),
            payload,
            callback,
        ))
    }
}

/// How a streamed payload is checked and continued.
fn download(
    prepared: &Arc<Prepared>,
    status: StatusCode,
    headers: &HeaderMap,
    length: Option<u64>,
    limits: Limits,
    observed: Received,
) -> Download {
    let input = &prepared.input;
    let extent = Extent::of(status, headers, length);
    // What was processed on the way, or compressed because we asked for it, is not what the checksum is of.
    let is_compressed_for_us =
        input.headers.contains_key(ACCEPT_ENCODING) && headers.contains_key(CONTENT_ENCODING) && length.is_none();
    let is_stored_form = !input.has_query("x-oss-process") && !is_compressed_for_us;
    let crc = crc64(headers).filter(|_| {
        let is_whole = extent
            .as_ref()
            .map_or(status != StatusCode::PARTIAL_CONTENT, Extent::is_whole);
        input.traits.download_crc64 && prepared.core.checks_download_crc64 && is_stored_form && is_whole
    });
    let resume = extent
        .filter(|_| input.traits.resumable_download && is_stored_form)
        .and_then(|extent| {
            let resumption = Resumption::new(Arc::clone(prepared), extent, headers)?;
            Some(Box::new(resumption) as Box<dyn Resume>)
        });
    let is_framed = input.traits.select_frames && !is_raw(headers);
    Download {
        operation: input.name.clone(),
        length,
        crc: crc.map(|expected| (Crc64::new(), expected)),
        resume: resume.filter(|_| !is_framed),
        frames: is_framed.then(|| FrameReader::new(FrameSet::Select)),
        limits,
        idle: prepared.idle,
        throttle: Throttle::new(prepared.download_limiters()),
        progress: prepared.progress.clone(),
        observed,
    }
}
