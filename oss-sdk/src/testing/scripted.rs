//! A transport that plays a script and remembers what it was sent.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method};

use super::Answer;
use crate::client::Client;
use crate::config::Config;
use crate::percent;
use crate::transport::{Transport, TransportError, TransportErrorKind, TransportFuture, TransportRequest};

type Condition = Arc<dyn Fn(&SentRequest) -> bool + Send + Sync>;
type Answering = Arc<dyn Fn(&SentRequest) -> Answer + Send + Sync>;

/// What is done with one request.
#[derive(Clone)]
#[non_exhaustive]
pub enum Step {
    /// Reads the request and answers.
    Answer(Answer),
    /// Fails before anything is sent.
    Fail(TransportErrorKind),
    /// Reads the request and never answers.
    Hang,
    /// Reads the request and answers by it; made by [`with`](Step::with).
    With(Answering),
    /// Another step, for a request that fits; made by [`when`](Step::when).
    When(Condition, Box<Step>),
    /// Another step, as often as needed; made by [`always`](Step::always).
    Always(Box<Step>),
}

impl Step {
    /// Answers by what was sent, its payload included.
    pub fn with(answer: impl Fn(&SentRequest) -> Answer + Send + Sync + 'static) -> Self {
        Step::With(Arc::new(answer))
    }

    /// Keeps the step for the first request that fits. The condition sees the request without its payload, which is not
    /// read yet.
    #[must_use]
    pub fn when(self, condition: impl Fn(&SentRequest) -> bool + Send + Sync + 'static) -> Self {
        Step::When(Arc::new(condition), Box::new(self))
    }

    /// Does the step for every request that no earlier step takes, however often.
    #[must_use]
    pub fn always(self) -> Self {
        Step::Always(Box::new(self))
    }

    fn takes(&self, request: &SentRequest) -> bool {
        match self {
            Step::When(condition, step) => condition(request) && step.takes(request),
            Step::Always(step) => step.takes(request),
            _ => true,
        }
    }

    fn is_repeated(&self) -> bool {
        match self {
            Step::Always(_) => true,
            Step::When(_, step) => step.is_repeated(),
            _ => false,
        }
    }

    /// What is to be done, without the conditions.
    fn action(self) -> Step {
        match self {
            Step::When(_, step) | Step::Always(step) => step.action(),
            step => step,
        }
    }
}

impl From<Answer> for Step {
    fn from(answer: Answer) -> Self {
        Step::Answer(answer)
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Answer(answer) => f.debug_tuple("Answer").field(answer).finish(),
            Step::Fail(kind) => f.debug_tuple("Fail").field(kind).finish(),
            Step::Hang => f.write_str("Hang"),
            Step::With(_) => f.write_str("With"),
            Step::When(_, step) => f.debug_tuple("When").field(step).finish(),
            Step::Always(step) => f.debug_tuple("Always").field(step).finish(),
        }
    }
}

/// A request as it was sent, signed and encoded.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SentRequest {
    /// HTTP method.
    pub method: Method,
    /// Absolute URL, percent-encoded.
    pub url: String,
    /// Headers.
    pub headers: HeaderMap,
    /// Payload: everything up to its end, or to its error.
    pub body: Bytes,
    /// Why the payload could not be read.
    pub body_error: Option<String>,
}

impl SentRequest {
    /// A header, if it was sent and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The path of the URL, percent-encoded, such as `/a%20key`. Addressed by path, it begins with the bucket.
    pub fn path(&self) -> &str {
        let behind_scheme = self.url.split_once("://").map_or(&*self.url, |(_, rest)| rest);
        let path = behind_scheme.find('/').map_or("/", |at| &behind_scheme[at..]);
        path.split('?').next().unwrap_or(path)
    }

    /// A parameter of the query, decoded; empty for a flag.
    pub fn query(&self, name: &str) -> Option<Cow<'_, str>> {
        let (_, query) = self.url.split_once('?')?;
        query.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let fits = percent::decode(key).is_some_and(|key| key == name);
            fits.then(|| percent::decode(value)).flatten()
        })
    }
}

/// A transport that plays a script and remembers what it was sent.
///
/// A request takes the first step of the script that fits it; a step without a condition fits any request, and is used
/// up unless it is [`always`](Step::always) there. A request that no step fits fails with
/// [`TransportErrorKind::Unsupported`], which is not retried.
///
/// Clones share the script: keep one, and give another to the client.
#[derive(Clone, Default)]
pub struct ScriptedTransport {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    /// The script, each step with its number.
    steps: Vec<(u64, Step)>,
    written: u64,
    sent: Vec<SentRequest>,
    /// Requests that no step fitted.
    unexpected: Vec<String>,
}

impl ScriptedTransport {
    /// Plays these steps.
    pub fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        let transport = ScriptedTransport::default();
        for step in steps {
            transport.then(step);
        }
        transport
    }

    /// Adds a step at the end, also while a test runs.
    pub fn then(&self, step: impl Into<Step>) {
        let mut shared = self.shared();
        shared.written += 1;
        let number = shared.written;
        shared.steps.push((number, step.into()));
    }

    /// What was sent until now, in the order of sending.
    pub fn sent(&self) -> Vec<SentRequest> {
        self.shared().sent.clone()
    }

    /// Checks that every step was used, except for those that are always there, and that no request was without one.
    ///
    /// # Panics
    ///
    /// When that is not so; the message lists the steps and the requests.
    #[track_caller]
    pub fn assert_finished(&self) {
        let shared = self.shared();
        let steps = shared.steps.iter().map(|(_, step)| step);
        let left: Vec<&Step> = steps.filter(|step| !step.is_repeated()).collect();
        let unexpected = &shared.unexpected;
        assert!(
            left.is_empty() && unexpected.is_empty(),
            "the script is not finished: steps left {left:?}, requests without a step {unexpected:?}"
        );
    }

    /// Settings with this transport, a [clock](crate::FixedClock) that stands still at the beginning of 2026, the region
    /// `cn-hangzhou` and keys that open nothing.
    pub fn config(&self) -> Config {
        super::config(self.clone())
    }

    /// A client with these settings.
    pub fn client(&self) -> Client {
        super::client(self.clone())
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Finds what is to be done, and takes it out of the script if it is done once.
    fn take(&self, head: &SentRequest) -> Option<Step> {
        loop {
            // Conditions are the caller's code, which may look at the transport.
            let steps = self.shared().steps.clone();
            let found = steps.into_iter().find(|(_, step)| step.takes(head));
            let mut shared = self.shared();
            let Some((number, step)) = found else {
                let request = format!("{} {}", head.method, head.path());
                shared.unexpected.push(request);
                return None;
            };
            if step.is_repeated() {
                return Some(step.action());
            }
            if let Some(at) = shared.steps.iter().position(|(known, _)| *known == number) {
                shared.steps.remove(at);
                return Some(step.action());
            }
            // Another request has taken it in between.
        }
    }

    fn remember(&self, sent: &SentRequest) {
        self.shared().sent.push(sent.clone());
    }
}

impl Transport for ScriptedTransport {
    fn send(&self, mut request: TransportRequest) -> TransportFuture<'_> {
        Box::pin(async move {
            let mut sent = SentRequest {
                method: request.method.clone(),
                url: request.url.clone(),
                headers: request.headers.clone(),
                body: Bytes::new(),
                body_error: None,
            };
            let Some(step) = self.take(&sent) else {
                self.remember(&sent);
                let message = format!("the script has no step for {} {}", sent.method, sent.path());
                return Err(TransportError::new(TransportErrorKind::Unsupported, message));
            };
            if let Step::Fail(kind) = step {
                self.remember(&sent);
                return Err(TransportError::new(kind, "scripted"));
            }
            let mut body = BytesMut::new();
            while let Some(chunk) = std::future::poll_fn(|cx| request.body.poll_chunk(cx)).await {
                match chunk {
                    Ok(chunk) => body.extend_from_slice(&chunk),
                    Err(problem) => {
                        sent.body_error = Some(problem.to_string());
                        break;
                    }
                }
            }
            sent.body = body.freeze();
            self.remember(&sent);
            if let Some(error) = sent.body_error {
                return Err(TransportError::new(TransportErrorKind::Body, error));
            }
            match step {
                Step::Answer(answer) => Ok(answer.into_response()),
                Step::With(answer) => Ok(answer(&sent).into_response()),
                _ => std::future::pending().await,
            }
        })
    }
}

impl fmt::Debug for ScriptedTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedTransport")
            .field("steps", &self.shared().steps.len())
            .finish_non_exhaustive()
    }
}
