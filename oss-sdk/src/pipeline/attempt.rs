//! One attempt: credentials, payload, signature, transport, classification.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, HeaderMap, HeaderValue};
use tracing::Span;

use super::answer::{self, Answer, AnswerBody};
use super::{Prepared, redirect, skew};
use crate::body::{BodyFault, Upload, UploadOutcome, lock_outcome};
use crate::checksum::Crc64;
use crate::client::Core;
use crate::credentials::{Credentials, CredentialsRequest};
use crate::error::{Error, ErrorKind};
use crate::limiter::Throttle;
use crate::limits::{Activity, IdleTimer, silent};
use crate::observe;
use crate::operation::SigningResource;
use crate::random;
use crate::retry::Spent;
use crate::signer::{Signature, SigningRequest};
use crate::time::Timestamp;
use crate::transport::{TransportBody, TransportError, TransportErrorKind, TransportRequest, TransportResponse};

/// Longest document that is read into memory. The largest answers of the service are listings of about 1 MiB.
const MAX_DOCUMENT: usize = 64 * 1024 * 1024;

/// As much of an error document as is read. Those of the service are below 4 KiB; what is longer comes from somewhere else.
const MAX_ERROR_DOCUMENT: usize = 1024 * 1024;

/// What attempts leave to the next one.
#[derive(Debug, Default)]
pub(super) struct AttemptState {
    /// Requests handed to the transport.
    pub(super) sent: u32,
    /// Attempts that the policy counts: all but the one that follows a correction of the clock.
    pub(super) counted: u32,
    /// The payload was opened: if it is one-shot, there is no other attempt.
    pub(super) opened: bool,
    /// What the last attempt was signed with.
    pub(super) used: Option<Credentials>,
    /// Credentials that the service refused: others are wanted.
    pub(super) refused: Option<Credentials>,
    /// Why the last attempt failed.
    pub(super) last: Option<Error>,
    /// It was a refusal of credentials, and it has to be seen whether there are others. Without them it is the result.
    pub(super) is_refusal: bool,
    /// There are none.
    pub(super) unchanged: bool,
    /// The last answer is that of a host that the request was redirected to, and that nothing was signed for.
    pub(super) is_from_stranger: bool,
    /// Seconds ahead of our clock that the last request was signed for.
    pub(super) signed_ahead: i64,
    /// Bytes of the last payload that were handed to the connection.
    pub(super) bytes_sent: u64,
    /// What the last request was signed over, for when the service disagrees.
    pub(super) signature: Option<Signature>,
    /// The clock was set right for this call once.
    pub(super) skew_healed: bool,
    /// What the retry under way has cost.
    pub(super) spent: Option<Spent>,
    /// Credentials were fetched anew for this call once.
    pub(super) refreshed: bool,
}

impl AttemptState {
    /// Keeps the error of an attempt that is followed by another one: for a call that ends before that has an answer.
    /// After a refusal of credentials that others may heal it is the call's result if there are no others.
    pub(super) fn keep(&mut self, error: Error) {
        self.is_refusal = self.refreshed && self.refused.is_some() && error.kind() == ErrorKind::Service;
        self.last = Some(error);
    }
}

pub(super) async fn make(prepared: &Prepared, state: &mut AttemptState) -> Result<Answer, Error> {
    let core = &prepared.core;
    state.is_from_stranger = false;
    let credentials = if prepared.input.traits.unsigned {
        Credentials::anonymous()
    } else {
        credentials(core, state).await?
    };

    let mut headers = prepared.input.headers.clone();
    state.opened = true;
    let activity = Activity::new();
    let (body, outcome) = open(prepared, &mut headers, &activity).await?;
    state.signed_ahead = core.skew.ahead();
    let now = skew::shifted(core.local_now(), state.signed_ahead);
    state.signature = sign(prepared, &credentials, &mut headers, now)?;

    let mut request = TransportRequest::new(prepared.input.method.clone(), prepared.url.as_str());
    request.headers = headers;
    request.body = body;
    state.sent += 1;
    let sent = send(prepared, request, activity).await;
    state.bytes_sent = lock_outcome(&outcome).bytes;
    // Nobody else looks at the outcome any more, and what it says is more precise.
    if let Some(fault) = lock_outcome(&outcome).fault.take() {
        return Err(body_error(fault));
    }
    let response = redirect::follow(prepared, &credentials, sent?, &mut state.is_from_stranger).await?;
    let uploaded = lock_outcome(&outcome).crc;
    receive(prepared, response, uploaded).await
}

async fn credentials(core: &Core, state: &mut AttemptState) -> Result<Credentials, Error> {
    let request = CredentialsRequest {
        refused: state.refused.clone(),
        ..CredentialsRequest::default()
    };
    let credentials = core.credentials.credentials(&request).await?;
    credentials.check()?;
    let is_refusal = std::mem::take(&mut state.is_refusal);
    match &state.refused {
        Some(refused) if refused.is_same_key(&credentials) => {
            if let Some(refusal) = state.last.take_if(|_| is_refusal) {
                state.unchanged = true;
                return Err(refusal);
            }
        }
        _ => state.refused = None,
    }
    state.used = Some(credentials.clone());
    Ok(credentials)
}

fn body_error(fault: BodyFault) -> Error {
    let error = Error::new(ErrorKind::Body, fault.to_string()).with_member("body");
    match fault {
        BodyFault::Open { source, .. } => error.with_source(source),
        BodyFault::Read(source) => error.with_source(source),
        _ => error,
    }
}

/// Starts the payload and says its length in the headers.
async fn open(
    prepared: &Prepared,
    headers: &mut HeaderMap,
    activity: &Activity,
) -> Result<(TransportBody, Arc<Mutex<UploadOutcome>>), Error> {
    let input = &prepared.input;
    let mut body = input.body.open().await.map_err(body_error)?;
    let demanded = match headers.get(CONTENT_LENGTH) {
        None => None,
        Some(value) => match value.to_str().ok().and_then(|text| text.trim().parse::<u64>().ok()) {
            Some(length) => Some(length),
            None => {
                return Err(Error::invalid_input("content_length", "must be a number of bytes"));
            }
        },
    };
    let declared = match (body.length(), demanded) {
        (Some(actual), Some(declared)) if actual != declared => {
            return Err(body_error(BodyFault::Contradiction { declared, actual }));
        }
        (actual, declared) => actual.or(declared),
    };
    if declared == Some(0) && body.as_bytes().is_none() {
        // A transport does not look at a payload of no bytes, so it is looked at here.
        match std::future::poll_fn(|cx| body.poll_chunk(cx)).await {
            None => body = TransportBody::empty(),
            Some(Ok(_)) => return Err(body_error(BodyFault::TooLong { declared: 0 })),
            Some(Err(error)) => return Err(body_error(BodyFault::Read(error))),
        }
    }
    let has_payload = declared != Some(0) || !matches!(input.method.as_str(), "GET" | "HEAD" | "DELETE" | "OPTIONS");
    match declared {
        Some(length) if has_payload => {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        _ => {
            headers.remove(CONTENT_LENGTH);
        }
    }
    let crc = if !prepared.core.checks_upload_crc64 {
        None
    } else if input.traits.append_crc64 {
        input.initial_crc64.map(Crc64::continued)
    } else {
        (input.traits.upload_crc64).then(Crc64::new)
    };
    let progress = prepared.progress.clone().filter(|_| has_payload);
    let throttle = Throttle::new(prepared.upload_limiters());
    Ok(Upload::start(body, declared, crc, activity.clone(), throttle, progress))
}

pub(super) fn sign(
    prepared: &Prepared,
    credentials: &Credentials,
    headers: &mut HeaderMap,
    now: Timestamp,
) -> Result<Option<Signature>, Error> {
    let core = &prepared.core;
    if credentials.is_anonymous() {
        if prepared.service.signing == SigningResource::Acs3 {
            // What the signature would cover is asked for without one too.
            for (name, value) in [
                ("x-acs-date", now.to_iso8601_seconds()),
                ("x-acs-signature-nonce", random::nonce()),
            ] {
                if let Ok(value) = HeaderValue::from_str(&value) {
                    headers.insert(name, value);
                }
            }
        }
        return Ok(None);
    }
    let input = &prepared.input;
    let mut request = SigningRequest::new(&input.method, prepared.service, headers, now);
    prepared.describe(&mut request);
    let nonce;
    if prepared.service.signing == SigningResource::Acs3 {
        nonce = random::nonce();
        request.nonce = &nonce;
        request.body = input.body.as_bytes().map_or(&[], |bytes| bytes);
    }
    let mut signature = core.signer.sign(&request, credentials)?;
    for (name, value) in signature.headers.drain(..) {
        headers.insert(name, value);
    }
    Ok(Some(signature))
}

/// Hands the request to the transport and watches for silence.
pub(super) async fn send(
    prepared: &Prepared,
    mut request: TransportRequest,
    activity: Activity,
) -> Result<TransportResponse, Error> {
    request.activity = Some(activity.clone());
    let mut idle = IdleTimer::new(activity, prepared.idle);
    observe::request(&request.method, &request.url, &request.headers);
    let mut sending = prepared.core.transport.send(request);
    std::future::poll_fn(|cx| match sending.as_mut().poll(cx) {
        std::task::Poll::Ready(sent) => std::task::Poll::Ready(sent.map_err(transport_error)),
        std::task::Poll::Pending => idle.poll(cx).map(|limit| Err(silent(limit))),
    })
    .await
}

fn transport_error(error: TransportError) -> Error {
    let (kind, retryable) = match error.kind() {
        TransportErrorKind::Dns | TransportErrorKind::Connect | TransportErrorKind::Timeout => {
            (ErrorKind::Connect, true)
        }
        // A wrong certificate stays wrong. A connection that is cut during the handshake is `Connect`.
        TransportErrorKind::Tls | TransportErrorKind::Proxy => (ErrorKind::Connect, false),
        TransportErrorKind::Closed | TransportErrorKind::Other => (ErrorKind::Transport, true),
        TransportErrorKind::Body => (ErrorKind::Body, false),
        TransportErrorKind::Canceled => (ErrorKind::Canceled, false),
        TransportErrorKind::Unsupported => (ErrorKind::Transport, false),
    };
    Error::new(kind, error.to_string())
        .with_retryable(retryable)
        .with_source(error)
}

/// Judges the head of an answer and reads its document. A document is part of the attempt, so that one that breaks off
/// is asked for again.
async fn receive(prepared: &Prepared, response: TransportResponse, uploaded: Option<u64>) -> Result<Answer, Error> {
    let input = &prepared.input;
    let TransportResponse {
        status, headers, body, ..
    } = response;
    observe::response(status, &headers);
    if !answer::is_success(input, status) {
        // An error whose document breaks off is still that error.
        let document = match collect(body, prepared, MAX_ERROR_DOCUMENT).await {
            Ok(document) => document,
            Err(broken) => broken.read,
        };
        return Err(answer::service_error(status, headers, &document));
    }
    if let Some(client) = uploaded
        && let Some(server) = answer::crc64(&headers)
        && client != server
    {
        let is_replaced = !input.traits.append_crc64;
        return Err(Error::checksum_mismatch(client, server)
            .with_retryable(is_replaced)
            .with_answer(status, &headers));
    }
    if input.traits.streams_response {
        return Ok(Answer {
            status,
            headers,
            attempts: 0,
            elapsed: Duration::ZERO,
            span: Span::none(),
            body: AnswerBody::Stream(body),
        });
    }
    let document = collect(body, prepared, MAX_DOCUMENT)
        .await
        .map_err(|broken| broken.error.with_answer(status, &headers))?;
    if input.traits.error_in_success && answer::is_error_document(&document) {
        return Err(answer::service_error(status, headers, &document));
    }
    Ok(Answer {
        status,
        headers,
        attempts: 0,
        elapsed: Duration::ZERO,
        span: Span::none(),
        body: AnswerBody::Document(document),
    })
}

/// A document that did not come whole, or is too long.
struct Broken {
    /// What came of it.
    read: Bytes,
    error: Error,
}

/// Reads a whole document, of at most `limit` bytes.
async fn collect(mut body: TransportBody, prepared: &Prepared, limit: usize) -> Result<Bytes, Broken> {
    let mut idle = IdleTimer::new(Activity::new(), prepared.idle);
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    let declared = body.length();
    let error = loop {
        let chunk = std::future::poll_fn(|cx| match body.poll_chunk(cx) {
            std::task::Poll::Ready(chunk) => std::task::Poll::Ready(Ok(chunk)),
            std::task::Poll::Pending => idle.poll(cx).map(|limit| Err(silent(limit))),
        })
        .await;
        idle.moved();
        let read = first.len().max(all.len());
        let broke_off = || Error::new(ErrorKind::Transport, format!("the answer broke off after {read} bytes"));
        match chunk {
            Err(silent) => break silent,
            Ok(None) if declared.is_some_and(|declared| (read as u64) < declared) => break broke_off(),
            Ok(None) if all.is_empty() => return Ok(first),
            Ok(None) => return Ok(all.freeze()),
            Ok(Some(Err(source))) => break broke_off().with_source(source),
            Ok(Some(Ok(mut chunk))) if read + chunk.len() > limit => {
                chunk.truncate(limit - read);
                if first.is_empty() {
                    first = chunk;
                } else {
                    if all.is_empty() {
                        all.extend_from_slice(&first);
                    }
                    all.extend_from_slice(&chunk);
                }
                let message = format!("the document is longer than {limit} bytes");
                break Error::new(ErrorKind::Decode, message);
            }
            Ok(Some(Ok(chunk))) if first.is_empty() => first = chunk,
            Ok(Some(Ok(chunk))) => {
                if all.is_empty() {
                    all.reserve(declared.unwrap_or(0).min(limit as u64) as usize);
                    all.extend_from_slice(&first);
                }
                all.extend_from_slice(&chunk);
            }
        }
    };
    let read = if all.is_empty() { first } else { all.freeze() };
    Err(Broken { read, error })
}
