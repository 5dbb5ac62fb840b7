//! A table of requests that no client should send, as bytes on a connection, and what each is answered with.
//!
//! One emulator gets them all. Whatever comes, the answer is complete, its document can be read, nothing of the machine stands
//! in it, and the next request is answered as if nothing had been.

mod documents;
mod framing;
mod parameters;
mod signatures;
mod targets;
mod uploads;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::{StreamExt as _, stream};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::client::{Client, Request, Response, parse, start_with_bucket};

/// What a row is answered with.
enum Expected {
    /// The service's error document, with this status and code.
    Error(u16, &'static str),
    /// No error: the service forgives this.
    Fine(u16),
    /// Bytes that HTTP itself refuses: 400, 414 or 431 without a document, or an end of the connection.
    Transport,
}

struct Row {
    name: String,
    bytes: Vec<u8>,
    /// Whether the client stops sending after the bytes.
    cut: bool,
    expected: Expected,
}

/// Adds the rows of a subject.
type Fill = fn(&mut Table);

/// The rows of one subject.
struct Table {
    client: Client,
    /// An upload of `/bucket/up` that has part 1.
    upload: String,
    etag: String,
    rows: Vec<Row>,
}

impl Table {
    /// A request that is signed as it stands. Without a code it is expected to succeed.
    fn signed(&mut self, name: impl Into<String>, request: Request, status: u16, code: &'static str) {
        let bytes = self.client.raw(&self.client.sign(request));
        self.bytes(name, bytes, status, code);
    }

    fn unsigned(&mut self, name: impl Into<String>, request: &Request, status: u16, code: &'static str) {
        self.bytes(name, self.client.raw(request), status, code);
    }

    fn bytes(&mut self, name: impl Into<String>, bytes: impl Into<Vec<u8>>, status: u16, code: &'static str) {
        let expected = match code {
            "" => Expected::Fine(status),
            code => Expected::Error(status, code),
        };
        self.push(name, bytes, expected);
    }

    fn transport(&mut self, name: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.push(name, bytes, Expected::Transport);
    }

    /// The same of a client that ends its side of the connection, as one that crashes does.
    fn cut(&mut self, name: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.transport(name, bytes);
        if let Some(row) = self.rows.last_mut() {
            row.cut = true;
        }
    }

    fn push(&mut self, name: impl Into<String>, bytes: impl Into<Vec<u8>>, expected: Expected) {
        self.rows.push(Row {
            name: name.into(),
            bytes: bytes.into(),
            cut: false,
            expected,
        });
    }
}

/// A head with a host and further lines, for requests that are not signed.
fn head(start: &str, lines: &str) -> String {
    format!("{start} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{lines}\r\n")
}

#[tokio::test]
async fn every_malformed_request_is_refused_as_the_service_does() {
    let (_emulator, client) = start_with_bucket().await;
    prepare(&client).await;
    let (upload, etag) = begin_upload(&client).await;
    let groups: [(&str, Fill); 6] = [
        ("targets", targets::rows),
        ("framing", framing::rows),
        ("parameters", parameters::rows),
        ("documents", documents::rows),
        ("signatures", signatures::rows),
        ("uploads", uploads::rows),
    ];
    let (mut count, mut failures) = (0, Vec::new());
    for (group, fill) in groups {
        let mut table = Table {
            client: client.clone(),
            upload: upload.clone(),
            etag: etag.clone(),
            rows: Vec::new(),
        };
        fill(&mut table);
        count += table.rows.len();
        let outcomes = stream::iter(&table.rows).map(async |row| {
            let answer = exchange(&client.address, row).await;
            let problem = judge(row, &answer).err()?;
            let answer: String = String::from_utf8_lossy(&answer).chars().take(700).collect();
            Some(format!("{group}: {}: {problem}\n{answer}\n", row.name))
        });
        failures.extend(
            outcomes
                .buffer_unordered(8)
                .filter_map(async |problem| problem)
                .collect::<Vec<_>>()
                .await,
        );
        let after = client.send(Request::get("/bucket/k")).await;
        assert_eq!(
            (after.status, after.text().as_str()),
            (200, "0123456789"),
            "after {group}"
        );
    }
    assert!(
        failures.is_empty(),
        "{} of {count} rows:\n{}",
        failures.len(),
        failures.join("\n")
    );
    assert!(count >= 220, "only {count} rows");
}

/// Objects that the rows are about.
async fn prepare(client: &Client) {
    for target in ["/spare", "/open"] {
        assert_eq!(client.send(Request::put(target)).await.status, 200, "{target}");
    }
    for target in ["/bucket/k", "/spare/k"] {
        let put = Request::put(target).body("0123456789");
        assert_eq!(client.send(put).await.status, 200, "{target}");
    }
    let open = Request::put("/open?acl").header("x-oss-acl", "public-read-write");
    assert_eq!(client.send(open).await.status, 200);
}

async fn begin_upload(client: &Client) -> (String, String) {
    let begun = client.send(Request::post("/bucket/up?uploads")).await;
    let id = begun.element("UploadId").unwrap();
    let part = Request::put(&format!("/bucket/up?partNumber=1&uploadId={id}")).body("part");
    let part = client.send(part).await;
    (id, part.header("etag").unwrap().to_owned())
}

/// Sends bytes and gathers what comes until the connection ends, however it ends.
async fn exchange(address: &str, row: &Row) -> Vec<u8> {
    let (mut read, mut write) = TcpStream::connect(address).await.unwrap().into_split();
    let mut answer = Vec::new();
    let sending = async {
        // A server that refuses early may close before it has read everything.
        let _ = write.write_all(&row.bytes).await;
        if row.cut {
            let _ = write.shutdown().await;
        }
        write
    };
    let receiving = async {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = read.read(&mut buffer).await {
            answer.extend_from_slice(&buffer[..length]);
        }
    };
    let both = async { tokio::join!(sending, receiving) };
    if tokio::time::timeout(Duration::from_secs(30), both).await.is_err() {
        answer = b"no end of the answer within 30 s".to_vec();
    }
    answer
}

/// Holds an answer against its row, and against what is true of all answers.
fn judge(row: &Row, raw: &[u8]) -> Result<(), String> {
    let text = String::from_utf8_lossy(raw);
    for trace in [
        "panicked",
        "oss_emulator",
        "core::",
        "std::",
        "alloc::",
        "serde_json::",
        ".rs:",
        env!("CARGO_MANIFEST_DIR"),
    ] {
        if text.contains(trace) {
            return Err(format!("the answer tells `{trace}`"));
        }
    }
    if matches!(row.expected, Expected::Transport) {
        let refused = ["HTTP/1.1 400 ", "HTTP/1.1 414 ", "HTTP/1.1 431 "];
        return match raw.is_empty() || refused.iter().any(|start| text.starts_with(start)) {
            true => Ok(()),
            false => Err("not refused as HTTP".to_owned()),
        };
    }
    let is_head = row.bytes.starts_with(b"HEAD ");
    let response = parse(raw, is_head)?;
    let id = response.header("x-oss-request-id").ok_or("no x-oss-request-id")?;
    let (status, code) = match row.expected {
        Expected::Error(status, code) => (status, code),
        Expected::Fine(status) if response.status == status => return Ok(()),
        Expected::Fine(status) => return Err(format!("{} instead of {status}", response.status)),
        Expected::Transport => return Ok(()),
    };
    let document = match is_head {
        true => STANDARD
            .decode(response.header("x-oss-err").ok_or("no x-oss-err")?)
            .map_err(|error| error.to_string())?,
        false => response.body.clone(),
    };
    let fields = fields(&response, &document)?;
    let field = |name: &str| {
        fields
            .iter()
            .find(|(field, _)| field == name)
            .map(|(_, value)| value.as_str())
    };
    if (response.status, field("Code")) != (status, Some(code)) {
        return Err(format!(
            "{} {} instead of {status} {code}",
            response.status,
            field("Code").unwrap_or_default()
        ));
    }
    // The RPC services number no causes.
    let is_rpc = response
        .header("content-type")
        .is_some_and(|kind| kind.contains("charset"));
    for name in ["Message", "HostId", "EC"] {
        if field(name).is_none_or(str::is_empty) && !(name == "EC" && is_rpc) && !(name == "HostId" && no_host(row)) {
            return Err(format!("the document has no {name}"));
        }
    }
    match field("RequestId") {
        Some(told) if told == id => Ok(()),
        told => Err(format!("RequestId is {told:?} and x-oss-request-id {id}")),
    }
}

/// Whether a request names no host, so that none can be told.
fn no_host(row: &Row) -> bool {
    let head = String::from_utf8_lossy(&row.bytes).to_ascii_lowercase();
    let named = |host: &str| !host.starts_with("\r\n") && !host.starts_with('\u{fffd}');
    !head.contains("http://") && !head.split("\r\nhost: ").nth(1).is_some_and(named)
}

/// The fields of an error document, which must be well-formed.
fn fields(response: &Response, document: &[u8]) -> Result<Vec<(String, String)>, String> {
    let is_json = response
        .header("content-type")
        .is_some_and(|kind| kind.contains("json"));
    if is_json {
        let json: serde_json::Value = serde_json::from_slice(document).map_err(|error| error.to_string())?;
        let fields = json.get("Error").unwrap_or(&json).as_object().ok_or("no object")?;
        return Ok(fields
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
            .collect());
    }
    let text = std::str::from_utf8(document).map_err(|error| error.to_string())?;
    if text.chars().any(|c| c < ' ' && !matches!(c, '\t' | '\r' | '\n')) {
        return Err("the document has characters that XML has not".to_owned());
    }
    let mut reader = quick_xml::Reader::from_str(text);
    let (mut path, mut fields) = (Vec::new(), Vec::<(String, String)>::new());
    loop {
        use quick_xml::events::Event;
        match reader.read_event().map_err(|error| format!("the document: {error}"))? {
            Event::Start(start) => {
                let name = start.local_name().as_ref().to_owned();
                if path.len() == 1 {
                    fields.push((name.clone(), String::new()));
                }
                path.push(name);
            }
            Event::End(_) => drop(path.pop()),
            Event::Text(piece) if path.len() == 2 => {
                if let Some((_, text)) = fields.last_mut() {
                    text.push_str(&piece.xml10_content());
                }
            }
            Event::GeneralRef(_) if path.len() == 2 => {
                if let Some((_, text)) = fields.last_mut() {
                    text.push('&');
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    match path.is_empty() && !fields.is_empty() {
        true => Ok(fields),
        false => Err("no whole document".to_owned()),
    }
}
