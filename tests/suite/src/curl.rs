//! What is given to others, used by `curl`: a program that knows nothing of OSS and nothing of us.
//!
//! `curl` is required: a test fails where it is missing.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use oss_sdk::{PostForm, PresignedRequest};

use crate::plain::Answer;

/// Sends exactly what a presigned request says. `more` are further arguments, such as `--resolve`.
///
/// # Panics
///
/// When `curl` is missing or gets no answer.
pub async fn send(presigned: &PresignedRequest, body: &str, more: &[&str]) -> Answer {
    let mut arguments: Vec<String> = match presigned.method.as_str() {
        "HEAD" => vec!["--head".to_owned()],
        method => vec!["--request".to_owned(), method.to_owned()],
    };
    if !body.is_empty() {
        arguments.extend(["--data-binary".to_owned(), "@-".to_owned()]);
        // It would name a type of its own, which nobody signed.
        if !presigned.signed_headers.contains_key("content-type") {
            arguments.extend(["--header".to_owned(), "Content-Type:".to_owned()]);
        }
    }
    for (name, value) in &presigned.signed_headers {
        let value = value.to_str().expect("the tests sign text only");
        arguments.extend(["--header".to_owned(), format!("{name}: {value}")]);
    }
    arguments.extend(more.iter().map(|&argument| argument.to_owned()));
    arguments.push(presigned.url.clone());
    run(arguments, body.to_owned()).await
}

/// Sends a form with a file, as a browser does. `filled` are the fields that the page fills in.
///
/// # Panics
///
/// When `curl` is missing or gets no answer.
pub async fn upload(form: &PostForm, filled: &[(&str, &str)], file_name: &str, content: &str) -> Answer {
    let mut arguments = Vec::new();
    let fields = form.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in fields.chain(filled.iter().copied()) {
        arguments.extend(["--form-string".to_owned(), format!("{name}={value}")]);
    }
    let file = format!("file=@-;filename={file_name};type=application/x-of-curl");
    arguments.extend(["--form".to_owned(), file, form.url.clone()]);
    run(arguments, content.to_owned()).await
}

async fn run(arguments: Vec<String>, input: String) -> Answer {
    let ran = tokio::task::spawn_blocking(move || {
        let mut curl = Command::new("curl")
            .args(["--silent", "--show-error", "--include", "--path-as-is", "--globoff"])
            .args(["--noproxy", "*", "--max-time", "30"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("curl is installed");
        if let Some(mut stdin) = curl.stdin.take() {
            // It need not read what it does not send.
            let _ = stdin.write_all(input.as_bytes());
        }
        let output = curl.wait_with_output().expect("curl ends");
        assert!(output.status.success(), "curl got no answer: {}", output.status);
        answer(&String::from_utf8(output.stdout).expect("the answer is text"))
    });
    ran.await.expect("curl does not panic")
}

/// Takes an answer apart; the interim ones before it are left out.
fn answer(text: &str) -> Answer {
    let (head, rest) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let status = status.expect("an answer begins with its status");
    if status < 200 {
        return answer(rest);
    }
    let headers: BTreeMap<_, _> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    Answer {
        status,
        headers,
        text: rest.to_owned(),
    }
}
