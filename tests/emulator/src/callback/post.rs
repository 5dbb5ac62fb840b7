//! One POST of a callback, to a loopback address, with limits on time and size.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Request, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::Reach;

/// How long a server may take from the connection to the end of its answer.
const TIMEOUT: Duration = Duration::from_secs(5);
const MAX_ANSWER: usize = 3 * 1024 * 1024;

/// What is sent, and where to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Post<'p> {
    pub(super) url: &'p str,
    /// Host header, where it is not that of the address.
    pub(super) host: Option<&'p str>,
    pub(super) content_type: &'p str,
    pub(super) request_id: &'p str,
    pub(super) bucket: &'p str,
    pub(super) body: &'p str,
    pub(super) reach: Option<&'p Reach>,
}

/// Posts and returns the answer; the error says what went wrong.
pub(super) async fn post(request: Post<'_>) -> Result<Bytes, String> {
    match tokio::time::timeout(TIMEOUT, send(request)).await {
        Ok(outcome) => outcome,
        Err(_) => Err("Error status : -1. The callback server took longer than 5 seconds.".to_owned()),
    }
}

async fn send(request: Post<'_>) -> Result<Bytes, String> {
    let url = match request.url.contains("://") {
        true => request.url.to_owned(),
        false => format!("http://{}", request.url),
    };
    let uri: Uri = url
        .parse()
        .map_err(|_| "Error status : -1. The callbackUrl is not a URL.".to_owned())?;
    let authority = uri
        .authority()
        .ok_or("Error status : -1. The callbackUrl has no host.")?;
    match uri.scheme_str() {
        Some("http") => {}
        Some("https") => return Err("Error status : -1. The emulator makes no callbacks by HTTPS.".to_owned()),
        _ => return Err("Error status : -1. The callbackUrl is neither http nor https.".to_owned()),
    }
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let reach = request
        .reach
        .ok_or("Error status : -1. The emulator has not started yet.")?;
    let addresses = reach.addresses(host, authority.port_u16().unwrap_or(80))?;
    let stream = TcpStream::connect(addresses.as_slice())
        .await
        .map_err(|error| format!("Error status : -1. The callbackUrl cannot be reached: {error}."))?;
    let broken = |error: hyper::Error| format!("Error status : -1. The callback server broke the connection: {error}.");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let driver = AbortOnDrop(tokio::spawn(connection));
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let post = Request::post(target)
        .header("host", request.host.unwrap_or(authority.as_str()))
        .header("content-type", request.content_type)
        .header("user-agent", "oss-emulator")
        .header("x-oss-tag", "CALLBACK")
        .header("x-oss-request-id", request.request_id)
        .header("x-oss-bucket", request.bucket)
        .body(Full::new(Bytes::from(request.body.to_owned())))
        .map_err(|_| "Error status : -1. The callbackHost cannot stand in a header.".to_owned())?;
    let response = sender.send_request(post).await.map_err(broken)?;
    let status = response.status();
    if status != 200 {
        return Err(format!(
            "Error status : {}. The callback server did not answer 200.",
            status.as_u16()
        ));
    }
    let length = response
        .headers()
        .get("content-length")
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if length.is_none_or(|length| length > MAX_ANSWER) {
        return Err(
            "Error status : 400. The answer of the callback server has no Content-Length up to 3 MB.".to_owned(),
        );
    }
    let mut body = response.into_body();
    let mut answer = BytesMut::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(broken)?.into_data() {
            answer.extend_from_slice(&data);
        }
    }
    drop(driver);
    serde_json::from_slice::<serde::de::IgnoredAny>(&answer)
        .map_err(|_| "Response body is not valid json format.".to_owned())?;
    Ok(answer.freeze())
}

/// A connection must not outlive its callback.
struct AbortOnDrop(tokio::task::JoinHandle<Result<(), hyper::Error>>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
