//! Plain HTTP, by a client that knows nothing of OSS.

use std::collections::BTreeMap;

use oss_sdk::PresignedRequest;
use oss_sdk::http::Request;

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers that are text, by lower-case name.
    pub headers: BTreeMap<String, String>,
    /// The payload.
    pub text: String,
}

/// Sends exactly what a presigned request says.
///
/// # Panics
///
/// When there is no answer, or its payload is not text.
pub async fn send(presigned: &PresignedRequest, body: &'static str) -> Answer {
    let agent = agent();
    let mut request = Request::builder().method(&presigned.method).uri(&presigned.url);
    for (name, value) in &presigned.signed_headers {
        request = request.header(name, value);
    }
    let request = request
        .body(body.as_bytes().to_vec())
        .expect("a presigned request is a request");
    let sent = tokio::task::spawn_blocking(move || run(&agent, request));
    sent.await.expect("sending does not panic")
}

/// Sends requests one after the other over one connection.
///
/// # Panics
///
/// When one gets no answer, or its payload is not text.
pub async fn send_all(requests: Vec<Request<Vec<u8>>>) -> Vec<Answer> {
    let agent = agent();
    let sent = tokio::task::spawn_blocking(move || {
        let answers = requests.into_iter().map(|request| run(&agent, request));
        answers.collect()
    });
    sent.await.expect("sending does not panic")
}

/// A form with a file, as a browser sends it.
///
/// # Panics
///
/// When the URL is none.
pub fn form<'f>(url: &str, fields: impl IntoIterator<Item = (&'f str, &'f str)>, content: &str) -> Request<Vec<u8>> {
    const BOUNDARY: &str = "----of-a-browser-7MA4YWxkTrZu0gW";
    let mut body = String::new();
    for (name, value) in fields {
        body.push_str(&format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        ));
    }
    body.push_str(&format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n\
         {content}\r\n--{BOUNDARY}--\r\n"
    ));
    Request::post(url)
        .header("content-type", format!("multipart/form-data; boundary={BOUNDARY}"))
        .body(body.into_bytes())
        .expect("the URL of a form is a URL")
}

fn agent() -> ureq::Agent {
    let settings = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .allow_non_standard_methods(true);
    settings.build().new_agent()
}

fn run(agent: &ureq::Agent, request: Request<Vec<u8>>) -> Answer {
    let mut answer = agent.run(request).expect("there is an answer");
    let text = |value: &oss_sdk::http::HeaderValue| value.to_str().unwrap_or_default().to_owned();
    Answer {
        status: answer.status().as_u16(),
        headers: answer
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), text(value)))
            .collect(),
        text: answer.body_mut().read_to_string().expect("the payload is text"),
    }
}
