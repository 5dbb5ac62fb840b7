//! A request in parts that can be damaged one by one, signed with V4 as it then is, and written as bytes.

use hmac::{Hmac, KeyInit as _, Mac as _};
use oss_suite::random::Random;
use oss_suite::requests::ACCOUNT_ID;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::soak::mutate::mutate;
use crate::soak::server::{KEY, REGION};

const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const UNRESERVED_AND_SLASH: &AsciiSet = &UNRESERVED.remove(b'/');
const ALGORITHM: &str = "OSS4-HMAC-SHA256";
const TERMINATOR: &str = "aliyun_v4_request";
/// Headers that the connection writes, or that are part of a signature.
const OWN: [&str; 7] = [
    "authorization",
    "connection",
    "content-length",
    "host",
    "transfer-encoding",
    "x-oss-content-sha256",
    "x-oss-date",
];

/// A request. Path and query are decoded.
#[derive(Debug, Clone)]
pub(super) struct Wire {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) body: Vec<u8>,
    /// What the scope of the signature names.
    product: String,
}

impl Wire {
    pub(super) fn new(method: &str, path: &str, body: &[u8]) -> Self {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        Self {
            method: method.to_owned(),
            path: decode(path),
            query: pairs(query),
            headers: Vec::new(),
            body: body.to_vec(),
            product: "oss".to_owned(),
        }
    }

    /// What the SDK sends for an operation.
    pub(super) fn recorded(sent: &Value) -> Option<Self> {
        let url = sent["url"].as_str()?.split_once("://")?.1;
        let target = url.find('/').map_or("/", |at| &url[at..]);
        let body = sent["body"].as_str()?.as_bytes();
        let mut wire = Self::new(sent["method"].as_str()?, target, body);
        for header in sent["headers"].as_array()? {
            let (name, value) = (header[0].as_str()?, header[1].as_str()?);
            if name == "authorization" {
                let scope = value.split(['=', ',', ' ']).find(|part| part.contains(TERMINATOR));
                if let Some(product) = scope.and_then(|scope| scope.rsplit('/').nth(1)) {
                    product.clone_into(&mut wire.product);
                }
            } else if !OWN.contains(&name) {
                wire.headers.push((name.to_owned(), value.as_bytes().to_vec()));
            }
        }
        Some(wire)
    }

    /// Moves the request to another bucket, and often to a key that is there.
    pub(super) fn settle(&mut self, bucket: &str, key: Option<&str>) {
        let mut parts = self.path.splitn(3, '/').skip(1);
        let (first, rest) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        if !first.is_empty() {
            let rest = key.filter(|_| !rest.is_empty()).unwrap_or(rest);
            self.path = format!("/{bucket}/{rest}");
        }
    }

    /// Damages one or more parts.
    pub(super) fn damage(&mut self, random: &mut Random, others: &[&[u8]]) {
        for _ in 0..=random.below(2) {
            match random.below(8) {
                0 => text(random, &mut self.path),
                1 | 2 if !self.query.is_empty() => {
                    let at = index(random, self.query.len());
                    let pair = &mut self.query[at];
                    let part = if random.below(4) == 0 { &mut pair.0 } else { &mut pair.1 };
                    text(random, part);
                }
                3 if !self.headers.is_empty() => {
                    let at = index(random, self.headers.len());
                    let value = &mut self.headers[at].1;
                    mutate(random, value, &[]);
                    value.truncate(64 * 1024);
                    value.retain(|byte| *byte >= b' ' && *byte != 0x7f);
                }
                4 => {
                    const NAMES: [&str; 8] = [
                        "range",
                        "content-md5",
                        "x-oss-tagging",
                        "x-oss-copy-source",
                        "x-oss-callback",
                        "if-modified-since",
                        "x-oss-meta-a",
                        "content-type",
                    ];
                    let length = index(random, 40);
                    let mut value = random.bytes(length);
                    value.retain(|byte| *byte >= b' ' && *byte != 0x7f);
                    self.headers.push((NAMES[index(random, NAMES.len())].to_owned(), value));
                }
                5 => {
                    const METHODS: [&str; 6] = ["GET", "PUT", "POST", "DELETE", "HEAD", "OPTIONS"];
                    METHODS[index(random, METHODS.len())].clone_into(&mut self.method);
                }
                _ => mutate(random, &mut self.body, others),
            }
        }
    }

    /// Signs the request as it is.
    pub(super) fn sign(&mut self, stamp: &str) {
        let mut own = vec![
            ("x-oss-content-sha256".to_owned(), b"UNSIGNED-PAYLOAD".to_vec()),
            ("x-oss-date".to_owned(), stamp.as_bytes().to_vec()),
        ];
        self.headers.append(&mut own);
        let mut query: Vec<String> = self.query.iter().map(written).collect();
        query.sort();
        let is_signed = |name: &str| matches!(name, "content-type" | "content-md5") || name.starts_with("x-oss-");
        let mut names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        names.retain(|name| is_signed(name));
        names.sort_unstable();
        names.dedup();
        let line = |name: &str| {
            let values = self.headers.iter().filter(|(other, _)| other == name);
            let values = values.map(|(_, value)| String::from_utf8_lossy(value).trim().to_owned());
            format!("{name}:{}\n", values.collect::<Vec<_>>().join(","))
        };
        let canonical = format!(
            "{}\n{}\n{}\n{}\n\nUNSIGNED-PAYLOAD",
            self.method,
            utf8_percent_encode(&self.resource(), UNRESERVED_AND_SLASH),
            query.join("&"),
            names.into_iter().map(line).collect::<String>()
        );
        let scope = format!("{}/{REGION}/{}/{TERMINATOR}", &stamp[..8], self.product);
        let text = format!("{ALGORITHM}\n{stamp}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
        let key = scope
            .split('/')
            .fold(format!("aliyun_v4{}", KEY.1).into_bytes(), |key, part| hmac(&key, part));
        let value = format!(
            "{ALGORITHM} Credential={}/{scope},Signature={}",
            KEY.0,
            hex(&hmac(&key, &text))
        );
        self.headers.push(("authorization".to_owned(), value.into_bytes()));
    }

    /// What the signature calls the resource.
    fn resource(&self) -> String {
        let is_bucket_only = self.path.len() > 1 && self.path.matches('/').count() == 1;
        let path = format!("{}{}", self.path, if is_bucket_only { "/" } else { "" });
        match (self.product.as_str(), path.as_str()) {
            ("oss-vectors", "/") => format!("/acs:ossvector:{REGION}::/"),
            ("oss-vectors", path) => format!("/acs:ossvector:{REGION}:{ACCOUNT_ID}:{}", path.trim_start_matches('/')),
            _ => path,
        }
    }

    /// The bytes of the request.
    pub(super) fn bytes(&self, random: &mut Random, host: &str, is_last: bool) -> Vec<u8> {
        let query: Vec<String> = self.query.iter().map(written).collect();
        let separator = if query.is_empty() { "" } else { "?" };
        let path = utf8_percent_encode(&self.path, UNRESERVED_AND_SLASH);
        let mut bytes = format!(
            "{} {path}{separator}{} HTTP/1.1\r\nhost: {host}\r\n",
            self.method,
            query.join("&")
        )
        .into_bytes();
        for (name, value) in &self.headers {
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        }
        if is_last {
            bytes.extend_from_slice(b"connection: close\r\n");
        }
        if random.below(6) == 0 {
            bytes.extend_from_slice(b"transfer-encoding: chunked\r\n\r\n");
            let size = 1 + index(random, self.body.len().max(1));
            for chunk in self.body.chunks(size) {
                bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                bytes.extend_from_slice(chunk);
                bytes.extend_from_slice(b"\r\n");
            }
            bytes.extend_from_slice(b"0\r\n\r\n");
        } else {
            bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", self.body.len()).as_bytes());
            bytes.extend_from_slice(&self.body);
        }
        bytes
    }
}

fn written((name, value): &(String, String)) -> String {
    let encode = |text: &str| utf8_percent_encode(text, UNRESERVED).to_string();
    match value.as_str() {
        "" => encode(name),
        value => format!("{}={}", encode(name), encode(value)),
    }
}

fn pairs(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.map(|(name, value)| (decode(name), decode(value))).collect()
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Damages text, which stays text.
fn text(random: &mut Random, text: &mut String) {
    let mut bytes = std::mem::take(text).into_bytes();
    mutate(random, &mut bytes, &[]);
    bytes.truncate(16 * 1024);
    *text = String::from_utf8_lossy(&bytes).into_owned();
}

pub(super) fn index(random: &mut Random, limit: usize) -> usize {
    usize::try_from(random.below(limit as u64)).unwrap_or_default()
}

fn hmac(key: &[u8], message: &str) -> Vec<u8> {
    // A key of any length will do.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return Vec::new();
    };
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
