//! A small HTTP client with its own signer, so that nothing of the SDK or the emulator helps.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::Md5;
use oss_emulator::Emulator;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

const UNRESERVED_AND_SLASH: &AsciiSet = &UNRESERVED.remove(b'/');

pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}

pub(crate) fn encode_path(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED_AND_SLASH).to_string()
}

pub(crate) fn md5_base64(bytes: &[u8]) -> String {
    STANDARD.encode(Md5::digest(bytes))
}

pub(crate) fn md5_hex(bytes: &[u8]) -> String {
    Md5::digest(bytes).iter().map(|byte| format!("{byte:02X}")).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hmac_sha256(key: &[u8], message: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

pub(crate) fn hmac_sha1_base64(key: &str, message: &str) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(message.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// 2023-12-17T16:20:57Z, where tests with a fixed clock begin.
pub(crate) fn noon() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_702_830_057)
}

pub(crate) const NOON: &str = "20231217T162057Z";
pub(crate) const NOON_HTTP: &str = "Sun, 17 Dec 2023 16:20:57 GMT";

/// An emulator whose clock stands at [`noon`], and a client of it.
pub(crate) async fn start() -> (Emulator, Client) {
    let emulator = Emulator::builder()
        .clock(oss_emulator::Clock::fixed(noon()))
        .start()
        .await
        .unwrap();
    let client = Client::of(&emulator);
    (emulator, client)
}

/// The same with a bucket.
pub(crate) async fn start_with_bucket() -> (Emulator, Client) {
    let (emulator, client) = start().await;
    assert_eq!(client.send(Request::put("/bucket")).await.status, 200);
    (emulator, client)
}

#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) address: String,
    pub(crate) host: String,
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) token: Option<String>,
    pub(crate) region: String,
    /// Product in the scope of signatures.
    pub(crate) product: String,
    /// Time of signatures, in the notation of V4.
    pub(crate) stamp: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Decoded path, path-style.
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// What the signature calls the resource, where that is not the path.
    pub(crate) resource: Option<String>,
    /// Whether the path is encoded already, for segments with slashes in them.
    pub(crate) is_encoded: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn new(method: &str, target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let pairs = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            headers: Vec::new(),
            body: Vec::new(),
            resource: None,
            is_encoded: false,
        }
    }

    pub(crate) fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    pub(crate) fn put(target: &str) -> Self {
        Self::new("PUT", target)
    }

    pub(crate) fn post(target: &str) -> Self {
        Self::new("POST", target)
    }

    pub(crate) fn delete(target: &str) -> Self {
        Self::new("DELETE", target)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.to_owned()));
        self
    }

    pub(crate) fn query(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn resource(mut self, resource: &str) -> Self {
        self.resource = Some(resource.to_owned());
        self
    }

    fn encoded_query(&self) -> String {
        let pair = |(name, value): &(String, String)| match value.as_str() {
            "" => encode(name),
            value => format!("{}={}", encode(name), encode(value)),
        };
        self.query.iter().map(pair).collect::<Vec<_>>().join("&")
    }

    /// Leaves the path as it is.
    pub(crate) fn encoded(mut self) -> Self {
        self.is_encoded = true;
        self
    }

    pub(crate) fn target(&self) -> String {
        let path = match self.is_encoded {
            true => self.path.clone(),
            false => encode_path(&self.path),
        };
        match self.query.is_empty() {
            true => path,
            false => format!("{path}?{}", self.encoded_query()),
        }
    }
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// Text of the first element of a name.
    pub(crate) fn element(&self, name: &str) -> Option<String> {
        self.elements(name).into_iter().next()
    }

    /// Texts of all elements of a name.
    pub(crate) fn elements(&self, name: &str) -> Vec<String> {
        let (text, open, close) = (self.text(), format!("<{name}>"), format!("</{name}>"));
        let pieces = text.split(&open).skip(1);
        pieces
            .filter_map(|piece| piece.split_once(&close))
            .map(|(text, _)| text.to_owned())
            .collect()
    }

    /// Status and error code.
    pub(crate) fn error(&self) -> (u16, String) {
        (self.status, self.element("Code").unwrap_or_default())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

impl Client {
    pub(crate) fn of(emulator: &Emulator) -> Self {
        Self {
            address: emulator.address().to_string(),
            host: emulator.address().to_string(),
            id: emulator.access_key_id().to_owned(),
            secret: emulator.access_key_secret().to_owned(),
            token: None,
            region: emulator.region().to_owned(),
            product: "oss".to_owned(),
            stamp: NOON.to_owned(),
        }
    }

    fn scope(&self) -> String {
        format!(
            "{}/{}/{}/aliyun_v4_request",
            &self.stamp[..8],
            self.region,
            self.product
        )
    }

    fn signature(&self, request: &Request) -> String {
        // Path-style paths name the resource already, only a bucket wants its slash.
        let bucket_only = request.path.len() > 1 && request.path.matches('/').count() == 1;
        let resource = request
            .resource
            .clone()
            .unwrap_or_else(|| request.path.clone() + if bucket_only { "/" } else { "" });
        let mut query: Vec<_> = request
            .query
            .iter()
            .map(|(name, value)| (encode(name), encode(value)))
            .collect();
        query.sort();
        let query: Vec<_> = query
            .iter()
            .map(|(n, v)| if v.is_empty() { n.clone() } else { format!("{n}={v}") })
            .collect();
        let signed = |name: &str| name == "content-type" || name == "content-md5" || name.starts_with("x-oss-");
        let headers: BTreeMap<_, _> = request
            .headers
            .iter()
            .filter(|(name, _)| signed(name))
            .cloned()
            .collect();
        let headers: String = headers
            .iter()
            .map(|(name, value)| format!("{name}:{}\n", value.trim()))
            .collect();
        let canonical = format!(
            "{}\n{}\n{}\n{headers}\n\nUNSIGNED-PAYLOAD",
            request.method,
            encode_path(&resource),
            query.join("&")
        );
        let text = format!(
            "OSS4-HMAC-SHA256\n{}\n{}\n{}",
            self.stamp,
            self.scope(),
            hex(&Sha256::digest(canonical))
        );
        let key = hmac_sha256(format!("aliyun_v4{}", self.secret).as_bytes(), &self.stamp[..8]);
        let key = hmac_sha256(
            &hmac_sha256(&hmac_sha256(&key, &self.region), &self.product),
            "aliyun_v4_request",
        );
        hex(&hmac_sha256(&key, &text))
    }

    /// Signs with V4 in the header.
    pub(crate) fn sign(&self, request: Request) -> Request {
        let mut request = request
            .header("x-oss-date", &self.stamp)
            .header("x-oss-content-sha256", "UNSIGNED-PAYLOAD");
        if let Some(token) = &self.token {
            request = request.header("x-oss-security-token", token);
        }
        let signature = self.signature(&request);
        let value = format!(
            "OSS4-HMAC-SHA256 Credential={}/{},Signature={signature}",
            self.id,
            self.scope()
        );
        request.header("authorization", &value)
    }

    /// Signs with V4 in the query.
    pub(crate) fn presign(&self, request: Request, seconds: u64) -> Request {
        let mut request = request
            .query("x-oss-signature-version", "OSS4-HMAC-SHA256")
            .query("x-oss-date", &self.stamp)
            .query("x-oss-expires", &seconds.to_string())
            .query("x-oss-credential", &format!("{}/{}", self.id, self.scope()));
        if let Some(token) = &self.token {
            request = request.query("x-oss-security-token", token);
        }
        let signature = self.signature(&request);
        request.query("x-oss-signature", &signature)
    }

    pub(crate) async fn send(&self, request: Request) -> Response {
        self.send_as_is(self.sign(request)).await
    }

    pub(crate) async fn send_as_is(&self, request: Request) -> Response {
        self.try_send(request).await.unwrap()
    }

    /// The bytes of a request.
    pub(crate) fn raw(&self, request: &Request) -> Vec<u8> {
        let length = if request.body.is_empty() && (request.method == "GET" || request.method == "HEAD") {
            None
        } else {
            Some(request.body.len())
        };
        let mut head = format!(
            "{} {} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n",
            request.method,
            request.target(),
            self.host
        );
        if let Some(length) = length
            && !request
                .headers
                .iter()
                .any(|(name, _)| name == "content-length" || name == "transfer-encoding")
        {
            head.push_str(&format!("content-length: {length}\r\n"));
        }
        for (name, value) in &request.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        [head.into_bytes(), request.body.clone()].concat()
    }

    /// Sends without signing; an error is a connection that ended without a complete answer.
    pub(crate) async fn try_send(&self, request: Request) -> Result<Response, String> {
        let raw = self.raw(&request);
        parse(&self.exchange(&raw).await?, request.method == "HEAD")
    }

    /// Sends bytes and reads until the connection ends.
    pub(crate) async fn exchange(&self, raw: &[u8]) -> Result<Vec<u8>, String> {
        let mut stream = TcpStream::connect(&self.address)
            .await
            .map_err(|error| error.to_string())?;
        // A server that refuses early may close before it has read everything.
        let _ = stream.write_all(raw).await;
        let mut answer = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut answer));
        read.await
            .map_err(|_| "no end of the answer".to_owned())?
            .map_err(|error| error.to_string())?;
        Ok(answer)
    }
}

pub(crate) fn parse(raw: &[u8], is_head: bool) -> Result<Response, String> {
    let end = raw
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .ok_or("the answer has no head")?;
    let head = String::from_utf8(raw[..end].to_vec()).map_err(|error| error.to_string())?;
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .and_then(|status| status.parse().ok())
        .ok_or("no status")?;
    let headers: BTreeMap<_, _> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let body = raw[end + 4..].to_vec();
    let expected = headers
        .get("content-length")
        .and_then(|length| length.parse::<usize>().ok());
    match expected {
        Some(expected) if !is_head && body.len() != expected => Err(format!("{} of {expected} bytes", body.len())),
        _ => Ok(Response { status, headers, body }),
    }
}
