//! Operations as HTTP text: each sample request is sent by a real client through a transport that keeps it and gives the
//! sample answer. Clock and credentials are fixed, so the text is the same on every run.

use std::fmt::{Debug, Write};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use oss_sdk::__private::Output;
use oss_sdk::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use oss_sdk::transport::{Transport, TransportFuture, TransportRequest, TransportResponse};
use oss_sdk::{Client, Config, Crc64, Credentials, FixedClock, Operation, Timestamp};

/// Time of all requests.
const NOW: i64 = 1_767_323_045;

const CRC64: HeaderName = HeaderName::from_static("x-oss-hash-crc64ecma");

/// A sample answer.
#[derive(Debug, Clone, Copy)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Names and values.
    pub headers: &'static [(&'static str, &'static str)],
    /// The payload.
    pub body: &'static [u8],
}

/// The samples of one operation.
pub struct Case {
    /// The service.
    pub service: &'static str,
    /// The operation.
    pub operation: &'static str,
    answer: Answer,
    render: Box<dyn Fn() -> Rendering + Send + Sync>,
}

type Rendering = Pin<Box<dyn Future<Output = String> + Send>>;

/// A client of any service.
pub trait Invoke: Sized + Send + Sync + 'static {
    /// A client with these settings.
    ///
    /// # Errors
    ///
    /// When the settings do not fit.
    fn with(config: Config) -> Result<Self, oss_sdk::Error>;

    /// Calls an operation.
    fn call<O: Operation + 'static>(
        &self,
        operation: O,
    ) -> impl Future<Output = Result<O::Output, oss_sdk::Error>> + Send;
}

macro_rules! clients {
    ($($client:ty),+) => {$(
        impl Invoke for $client {
            fn with(config: Config) -> Result<Self, oss_sdk::Error> {
                Self::new(config)
            }

            async fn call<O: Operation + 'static>(&self, operation: O) -> Result<O::Output, oss_sdk::Error> {
                self.invoke(operation).await
            }
        }
    )+};
}

clients!(
    Client,
    oss_sdk::agentic::Client,
    oss_sdk::dataprocess::Client,
    oss_sdk::sts::Client,
    oss_sdk::tables::Client,
    oss_sdk::vectors::Client
);

impl Case {
    /// The samples of an operation: a request with what is required, one with every member, and an answer.
    pub fn new<C, O>(service: &'static str, operation: &'static str, minimal: O, filled: O, answer: Answer) -> Self
    where
        C: Invoke,
        O: Operation + Clone + 'static,
        O::Output: Debug + Output,
    {
        let render = move || -> Rendering {
            let (minimal, filled) = (minimal.clone(), filled.clone());
            Box::pin(async move {
                // The answer is that to the minimal request: the filled one may ask for a callback, whose answer would
                // hide the document.
                let (first, output) = exchange::<C, O>(minimal, answer).await;
                let (second, _) = exchange::<C, O>(filled, answer).await;
                let mut text = format!(
                    "----- minimal request -----\n\n{}\n----- filled request -----\n\n{}\n\
                     ----- answer -----\n\n{}\n----- result -----\n\n{}\n",
                    first.request, second.request, first.answer, first.result,
                );
                if let Some(payload) = payload(output).await {
                    let _ = write!(text, "\n----- payload -----\n\n{payload}\n");
                }
                text
            })
        };
        Self {
            service,
            operation,
            answer,
            render: Box::new(render),
        }
    }

    /// A transport that gives the sample answer to whatever is sent.
    pub fn recorded(&self) -> impl Transport + use<> {
        Recorder {
            answer: self.answer,
            exchange: Arc::default(),
        }
    }

    /// Requests, answer and result as text.
    pub async fn render(&self) -> String {
        (self.render)().await
    }
}

impl Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Case({}/{})", self.service, self.operation)
    }
}

/// A time of samples.
///
/// # Panics
///
/// When the year is not one of four digits.
pub fn timestamp(unix_seconds: i64) -> Timestamp {
    match Timestamp::from_unix(unix_seconds) {
        Some(time) => time,
        None => panic!("{unix_seconds} is out of range"),
    }
}

/// The request of an operation as HTTP text, as a client sends it.
pub async fn request_text<O: Operation + 'static>(operation: O) -> String
where
    O::Output: Debug,
{
    exchange::<Client, O>(
        operation,
        Answer {
            status: 200,
            headers: &[],
            body: b"",
        },
    )
    .await
    .0
    .request
}

/// What an answer to an operation becomes: the result, or the error as text.
///
/// # Errors
///
/// When the operation fails.
pub async fn result_of<O: Operation + 'static>(operation: O, answer: Answer) -> Result<O::Output, String>
where
    O::Output: Debug,
{
    let (exchange, output) = exchange::<Client, O>(operation, answer).await;
    output.ok_or(exchange.result)
}

/// The texts of one request and what became of it.
#[derive(Debug, Default, Clone)]
struct Exchange {
    request: String,
    answer: String,
    result: String,
}

/// What a streamed answer holds when it is read to its end.
async fn payload<T: Output>(output: Option<T>) -> Option<String> {
    let mut output = output?;
    let stream = std::mem::take(output.stream()?);
    Some(match stream.bytes().await {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => format!("error: {error:#?}"),
    })
}

async fn exchange<C: Invoke, O: Operation + 'static>(request: O, answer: Answer) -> (Exchange, Option<O::Output>)
where
    O::Output: Debug,
{
    let recorder = Recorder {
        answer,
        exchange: Arc::default(),
    };
    let exchange = Arc::clone(&recorder.exchange);
    let config = Config::new()
        .region("cn-hangzhou")
        .account_id("1234567890123456")
        .credentials(Credentials::new("ak", "sk"))
        .retry_attempts(1)
        .clock(FixedClock::new(timestamp(NOW)))
        .transport(recorder);
    let outcome = match C::with(config) {
        Ok(client) => client.call(request).await,
        Err(error) => Err(error),
    };
    let mut exchange = exchange.lock().unwrap_or_else(PoisonError::into_inner).clone();
    exchange.result = match &outcome {
        Ok(result) => format!("{result:#?}"),
        Err(error) => format!("error: {error:#?}"),
    };
    if exchange.request.is_empty() {
        exchange.request = format!("nothing was sent: {}\n", exchange.result);
    }
    (exchange, outcome.ok())
}

/// Keeps the request and answers it.
#[derive(Debug)]
struct Recorder {
    answer: Answer,
    exchange: Arc<Mutex<Exchange>>,
}

impl Transport for Recorder {
    fn send(&self, mut request: TransportRequest) -> TransportFuture<'_> {
        Box::pin(async move {
            let mut payload = Vec::new();
            while let Some(chunk) = std::future::poll_fn(|cx| request.body.poll_chunk(cx)).await {
                match chunk {
                    Ok(chunk) => payload.extend_from_slice(&chunk),
                    Err(error) => payload.extend_from_slice(format!("<broken: {error}>").as_bytes()),
                }
            }
            let response = self.answer.response(&payload);
            let mut exchange = self.exchange.lock().unwrap_or_else(PoisonError::into_inner);
            exchange.request = http_text(&request, &payload);
            exchange.answer = answer_text(&response, self.answer.body);
            Ok(response)
        })
    }
}

impl Answer {
    fn response(&self, uploaded: &[u8]) -> TransportResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::IM_A_TEAPOT);
        let mut response = TransportResponse::new(status, Bytes::from_static(self.body));
        response.headers = self.header_map();
        // The client compares it with what was transferred.
        if response.headers.contains_key(&CRC64) {
            let mut crc = Crc64::new();
            crc.update(if self.body.is_empty() { uploaded } else { self.body });
            response.headers.insert(CRC64, HeaderValue::from(crc.value()));
        }
        response
    }

    fn header_map(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in self.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
                headers.insert(name, value);
            }
        }
        headers
    }
}

/// An answer as it would stand on the wire.
fn answer_text(response: &TransportResponse, body: &[u8]) -> String {
    let mut text = format!("HTTP/1.1 {}\n", response.status);
    for (name, value) in &response.headers {
        let _ = writeln!(text, "{name}: {}", String::from_utf8_lossy(value.as_bytes()));
    }
    match std::str::from_utf8(body) {
        Ok(body) if !body.contains('\0') => {
            let _ = writeln!(text, "\n{}", body.trim_end());
        }
        _ => {
            text.push('\n');
            for line in body.chunks(16) {
                let bytes: Vec<String> = line.iter().map(|byte| format!("{byte:02x}")).collect();
                let _ = writeln!(text, "{}", bytes.join(" "));
            }
        }
    }
    text
}

/// A request as it would stand on the wire, with sorted headers. What differs by machine or by chance is left out: the
/// user agent, and the nonce of services that have one, with the signature over it.
fn http_text(request: &TransportRequest, payload: &[u8]) -> String {
    let rest = request
        .url
        .split_once("://")
        .map_or(request.url.as_str(), |(_, rest)| rest);
    let (host, target) = match rest.find(['/', '?']) {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    };
    let has_nonce = request.headers.contains_key("x-acs-signature-nonce");
    let mut text = format!("{} {target} HTTP/1.1\nhost: {host}\n", request.method);
    let mut headers: Vec<(&str, String)> = request
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .filter(|(name, _)| *name != "user-agent")
        .collect();
    headers.sort();
    for (name, value) in headers {
        let value = match name {
            "x-acs-signature-nonce" => "(by chance)",
            "authorization" if has_nonce => value.split("Signature=").next().unwrap_or_default(),
            _ => &value,
        };
        let _ = writeln!(text, "{name}: {value}");
    }
    let _ = writeln!(text, "\n{}", String::from_utf8_lossy(payload));
    text
}
