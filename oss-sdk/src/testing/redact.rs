//! What a tape must not hold: secrets, tokens and signatures, in URLs, headers and documents.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::HeaderMap;

/// What stands in place of a secret.
const REDACTED: &str = "redacted";

/// Parameters that a signature adds to a query, in lower case.
const PARAMETERS: &[&str] = &[
    "expires",
    "ossaccesskeyid",
    "security-token",
    "securitytoken",
    "signature",
    "signaturenonce",
    "x-oss-additional-headers",
    "x-oss-credential",
    "x-oss-date",
    "x-oss-expires",
    "x-oss-security-token",
    "x-oss-signature",
    "x-oss-signature-version",
];

/// Headers of answers that are left out, in lower case.
const HEADERS: &[&str] = &[
    "authorization",
    "proxy-authenticate",
    "set-cookie",
    "www-authenticate",
    "x-oss-security-token",
];

/// Elements of XML and members of JSON whose value is a secret, or shows a signature.
const VALUES: &[&str] = &[
    "AccessKeySecret",
    "CanonicalRequest",
    "CanonicalRequestBytes",
    "SecurityToken",
    "SignatureProvided",
    "StringToSign",
    "StringToSignBytes",
    "access_key_secret",
    "security_token",
    "sts_token",
];

/// Where a metadata service gives its token, as plain text.
const METADATA_TOKEN: &str = "/latest/api/token";

/// Headers that tell of the bytes of a payload.
const OF_CONTENT: &[&str] = &["content-length", "content-md5", "x-oss-hash-crc64ecma"];

/// A header with an error document in Base64, of answers that have no payload.
const ERROR_HEADER: &str = "x-oss-err";

/// The URL without what a signature adds, and without a user.
pub(super) fn url(url: &str) -> String {
    let (address, query) = url.split_once('?').unwrap_or((url, ""));
    let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = host.rsplit('@').next().unwrap_or(host);
    let mut kept: Vec<&str> = query
        .split('&')
        .filter(|pair| {
            let name = pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
            !name.is_empty() && !PARAMETERS.contains(&&*name)
        })
        .collect();
    kept.sort_unstable();
    let mark = if kept.is_empty() { "" } else { "?" };
    format!("{scheme}://{host}{path}{mark}{}", kept.join("&"))
}

/// The headers and the payload of an answer, harmless.
pub(super) fn answer(url: &str, headers: &HeaderMap, body: &[u8]) -> (Vec<(String, String)>, Bytes) {
    let path = url.split('?').next().unwrap_or_default();
    let clean = if path.ends_with(METADATA_TOKEN) {
        Some(REDACTED.to_owned())
    } else {
        document(body)
    };
    let mut kept = Vec::new();
    for (name, value) in headers {
        let name = name.as_str();
        let Ok(value) = value.to_str() else { continue };
        if HEADERS.contains(&name) || value.is_empty() || clean.is_some() && OF_CONTENT.contains(&name) {
            continue;
        }
        let value = match name {
            ERROR_HEADER => match BASE64.decode(value).ok().and_then(|error| document(&error)) {
                Some(error) => BASE64.encode(error),
                None => value.to_owned(),
            },
            _ => value.to_owned(),
        };
        kept.push((name.to_owned(), value));
    }
    (kept, clean.map_or_else(|| Bytes::copy_from_slice(body), Bytes::from))
}

/// The document with its secrets replaced, or nothing when it has none.
fn document(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let mut clean: Option<String> = None;
    for name in VALUES {
        let now = clean.as_deref().unwrap_or(text);
        let replaced = replace(now, &format!("<{name}>"), |rest| rest.find("</"))
            .or_else(|| replace(now, &format!("\"{name}\""), json_value));
        clean = replaced.or(clean);
    }
    clean
}

/// Replaces what follows each `mark`, as far as `end` says, or nothing when there is no mark.
fn replace(text: &str, mark: &str, end: fn(&str) -> Option<usize>) -> Option<String> {
    let mut rest = text;
    let mut out = String::new();
    while let Some(at) = rest.find(mark) {
        let (before, behind) = rest.split_at(at + mark.len());
        out.push_str(before);
        // A text of that name is no member of that name.
        if mark.starts_with('"') && !behind.trim_start().starts_with(':') {
            rest = behind;
            continue;
        }
        // A document that ends early ends within the secret.
        let length = end(behind).unwrap_or(behind.len());
        out.push_str(if mark.starts_with('<') {
            REDACTED
        } else {
            ":\"redacted\""
        });
        rest = &behind[length..];
    }
    if out.is_empty() {
        return None;
    }
    out.push_str(rest);
    Some(out)
}

/// Where the value of a member ends: behind its closing quote, or before what follows a value that is no text.
fn json_value(rest: &str) -> Option<usize> {
    let open = rest.find(['"', ',', '}'])?;
    if !rest[open..].starts_with('"') {
        return Some(open);
    }
    let mut is_escaped = false;
    let text = rest[open + 1..].char_indices();
    for (at, char) in text {
        match char {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return Some(open + 1 + at + 1),
            _ => {}
        }
    }
    None
}
