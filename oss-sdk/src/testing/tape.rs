//! A recording as a text: written to be read by people, and read back without loss.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode};

use crate::error::{Error, ErrorKind};
use crate::transport::TransportErrorKind;

/// First line of a tape.
const TITLE: &str = "oss-sdk tape 1";

/// Bytes of a line of Base64, before they are encoded.
const LINE: usize = 72;

/// Requests and their answers, in the order in which the requests were sent.
///
/// As text it has a block for each request:
///
/// ```text
/// oss-sdk tape 1
///
/// > GET https://bucket.oss-cn-hangzhou.aliyuncs.com/k?versionId=1
/// < 200
/// < etag: "5B3C1A2E053D763E1B002CC607C5A0FE"
/// | hi oss
/// ```
///
/// `>` is the request, without what a signature adds; its headers and payload are not kept. `<` is the status, then the
/// headers of the answer. The payload has `|` before each of its lines, or `=` before lines of Base64 when it is not
/// text. `!` says that the connection failed there, and how.
///
/// Secrets, tokens and signatures are replaced before anything gets onto a tape. Everything else that the service
/// answered is there, the content of objects too.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tape {
    pub(super) exchanges: Vec<Exchange>,
}

/// A request and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Exchange {
    pub(super) method: Method,
    pub(super) url: String,
    /// The head of the answer; without one the connection failed before.
    pub(super) status: Option<StatusCode>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Bytes,
    /// How the connection failed.
    pub(super) failure: Option<TransportErrorKind>,
}

impl Tape {
    /// Reads a tape from a file.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] when the file cannot be read, [`ErrorKind::Decode`] with the line that is no part of a tape.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|source| {
            Error::new(ErrorKind::Io, format!("reading the tape `{}` failed", path.display())).with_source(source)
        })?;
        text.parse()
    }

    /// Writes the tape to a file.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] when the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        std::fs::write(path, self.to_string()).map_err(|source| {
            Error::new(ErrorKind::Io, format!("writing the tape `{}` failed", path.display())).with_source(source)
        })
    }
}

impl fmt::Display for Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{TITLE}")?;
        for exchange in &self.exchanges {
            writeln!(f, "\n> {} {}", exchange.method, exchange.url)?;
            if let Some(status) = exchange.status {
                writeln!(f, "< {}", status.as_u16())?;
            }
            for (name, value) in &exchange.headers {
                writeln!(f, "< {name}: {value}")?;
            }
            match text(&exchange.body) {
                Some("") => {}
                Some(text) => text.split('\n').try_for_each(|line| writeln!(f, "| {line}"))?,
                None => exchange
                    .body
                    .chunks(LINE)
                    .try_for_each(|line| writeln!(f, "= {}", BASE64.encode(line)))?,
            }
            if let Some(failure) = exchange.failure {
                writeln!(f, "! {}", name_of(failure))?;
            }
        }
        Ok(())
    }
}

/// A payload that a tape can show as it is: lines of visible text.
fn text(body: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(body).ok()?;
    let is_plain = |char: char| !char.is_control() || char == '\n' || char == '\t';
    text.chars().all(is_plain).then_some(text)
}

impl FromStr for Tape {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut lines = text.lines().enumerate();
        if lines.next().map(|(_, line)| line) != Some(TITLE) {
            return Err(Error::new(ErrorKind::Decode, format!("a tape begins with `{TITLE}`")));
        }
        let mut tape = Tape::default();
        // Lines of text have a line break between them, which the first does not know of.
        let mut body: Option<Vec<u8>> = None;
        for (at, line) in lines {
            if line.is_empty() {
                continue;
            }
            let wrong = || {
                let message = format!("line {} is no part of a tape", at + 1);
                Error::new(ErrorKind::Decode, message)
            };
            let (mark, rest) = line.split_at_checked(1).ok_or_else(wrong)?;
            let rest = rest.strip_prefix(' ').unwrap_or(rest);
            if mark == ">" {
                finish(&mut tape, body.take());
                tape.exchanges.push(request(rest).ok_or_else(wrong)?);
                continue;
            }
            let exchange = tape.exchanges.last_mut().ok_or_else(wrong)?;
            match mark {
                "<" if exchange.status.is_none() => {
                    exchange.status = Some(rest.parse().map_err(|_| wrong())?);
                }
                "<" => exchange.headers.push(header(rest).ok_or_else(wrong)?),
                "|" => {
                    match &mut body {
                        Some(body) => body.push(b'\n'),
                        None => body = Some(Vec::new()),
                    }
                    body.get_or_insert_default().extend_from_slice(rest.as_bytes());
                }
                "=" => {
                    let bytes = BASE64.decode(rest).map_err(|_| wrong())?;
                    body.get_or_insert_default().extend_from_slice(&bytes);
                }
                "!" => exchange.failure = Some(kind_of(rest).ok_or_else(wrong)?),
                _ => return Err(wrong()),
            }
        }
        finish(&mut tape, body);
        match tape
            .exchanges
            .iter()
            .find(|exchange| exchange.status.is_none() && exchange.failure.is_none())
        {
            Some(exchange) => {
                let message = format!("the tape has no answer to {} {}", exchange.method, exchange.url);
                Err(Error::new(ErrorKind::Decode, message))
            }
            None => Ok(tape),
        }
    }
}

fn finish(tape: &mut Tape, body: Option<Vec<u8>>) {
    if let (Some(exchange), Some(body)) = (tape.exchanges.last_mut(), body) {
        exchange.body = body.into();
    }
}

fn request(text: &str) -> Option<Exchange> {
    let (method, url) = text.split_once(' ')?;
    Some(Exchange {
        method: method.parse().ok()?,
        url: url.to_owned(),
        status: None,
        headers: Vec::new(),
        body: Bytes::new(),
        failure: None,
    })
}

fn header(text: &str) -> Option<(String, String)> {
    let (name, value) = text.split_once(": ")?;
    HeaderName::from_bytes(name.as_bytes()).ok()?;
    HeaderValue::from_str(value).ok()?;
    Some((name.to_owned(), value.to_owned()))
}

const KINDS: &[TransportErrorKind] = &[
    TransportErrorKind::Dns,
    TransportErrorKind::Connect,
    TransportErrorKind::Tls,
    TransportErrorKind::Proxy,
    TransportErrorKind::Timeout,
    TransportErrorKind::Closed,
    TransportErrorKind::Body,
    TransportErrorKind::Canceled,
    TransportErrorKind::Unsupported,
    TransportErrorKind::Other,
];

fn name_of(kind: TransportErrorKind) -> &'static str {
    match kind {
        TransportErrorKind::Dns => "dns",
        TransportErrorKind::Connect => "connect",
        TransportErrorKind::Tls => "tls",
        TransportErrorKind::Proxy => "proxy",
        TransportErrorKind::Timeout => "timeout",
        TransportErrorKind::Closed => "closed",
        TransportErrorKind::Body => "body",
        TransportErrorKind::Canceled => "canceled",
        TransportErrorKind::Unsupported => "unsupported",
        TransportErrorKind::Other => "other",
    }
}

fn kind_of(name: &str) -> Option<TransportErrorKind> {
    KINDS.iter().copied().find(|kind| name_of(*kind) == name)
}
