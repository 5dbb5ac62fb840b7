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
    let mut request = Request::builder().method(&presigned.method).uri(&presigned.url);
    for (name, value) in &presigned.signed_headers {
        request = request.header(name, value);
    }
    let request = request.body(body).expect("a presigned request is a request");
    let sent = tokio::task::spawn_blocking(move || {
        let settings = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .allow_non_standard_methods(true);
        let mut answer = settings.build().new_agent().run(request).expect("there is an answer");
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
    });
    sent.await.expect("sending does not panic")
}
