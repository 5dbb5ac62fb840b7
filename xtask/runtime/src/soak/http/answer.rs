//! Reads what came back on a connection: whole HTTP answers, one after the other, and nothing that no service would say.

use std::collections::BTreeMap;

/// Requests by how they were answered.
pub(super) type Classes = BTreeMap<&'static str, u64>;

/// What must not be in any answer.
#[derive(Debug, Clone)]
pub(super) struct Secrets(pub(super) Vec<String>);

/// Counts the answers on a connection, or says what is wrong with one. `may_be_cut` where this side ended the connection first.
pub(super) fn judge(raw: &[u8], secrets: &Secrets, may_be_cut: bool, has_head: bool) -> Result<Classes, String> {
    for secret in &secrets.0 {
        if raw.windows(secret.len()).any(|window| window == secret.as_bytes()) {
            return Err(format!("an answer tells `{secret}`"));
        }
    }
    let mut classes = Classes::new();
    let mut rest = raw;
    if rest.is_empty() {
        return match may_be_cut {
            true => Ok(Classes::from([("no answer to a broken connection", 1)])),
            false => Err("no answer".to_owned()),
        };
    }
    while !rest.is_empty() {
        let Some((head, body)) = split(rest) else {
            return if may_be_cut && rest.starts_with(b"HTTP/1.") {
                Ok(classes)
            } else {
                Err("an answer has no whole head".to_owned())
            };
        };
        let begins = head.len() + 4;
        let head = Head::parse(head)?;
        let Some((body, length)) = head.body(body, has_head) else {
            return if may_be_cut {
                Ok(classes)
            } else {
                Err("an answer ends early".to_owned())
            };
        };
        *classes.entry(head.class(&body)?).or_default() += 1;
        rest = &rest[begins + length..];
    }
    Ok(classes)
}

fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some((&bytes[..end], &bytes[end + 4..]))
}

struct Head {
    status: u16,
    headers: BTreeMap<String, String>,
}

impl Head {
    fn parse(head: &[u8]) -> Result<Self, String> {
        let head = String::from_utf8_lossy(head);
        let mut lines = head.split("\r\n");
        // A damaged request may ask for the older HTTP.
        let status = lines.next().and_then(|line| {
            let older = line.strip_prefix("HTTP/1.0 ");
            older.or_else(|| line.strip_prefix("HTTP/1.1 "))
        });
        let status = status.and_then(|line| line.get(..3)).and_then(|code| code.parse().ok());
        let status = status.ok_or("an answer is not HTTP")?;
        let headers = lines.map(|line| line.split_once(": ").or_else(|| line.split_once(':')));
        let headers = headers.map(|header| header.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())));
        let headers = headers
            .collect::<Option<_>>()
            .ok_or("a header of an answer has no colon")?;
        Ok(Self { status, headers })
    }

    /// The body, and how many bytes it takes; nothing when it is not whole.
    fn body(&self, rest: &[u8], has_head: bool) -> Option<(Vec<u8>, usize)> {
        let is_bare = self.status < 200 || self.status == 204 || self.status == 304;
        // Whether it answers a HEAD request, whose bytes may be damaged, shows in what follows.
        if is_bare || has_head && (rest.is_empty() || rest.starts_with(b"HTTP/1.")) {
            return Some((Vec::new(), 0));
        }
        if self.headers.contains_key("transfer-encoding") {
            return unchunked(rest);
        }
        let length = self
            .headers
            .get("content-length")
            .and_then(|length| length.parse().ok());
        let length: usize = length.unwrap_or(rest.len());
        Some((rest.get(..length)?.to_vec(), length))
    }

    fn class(&self, body: &[u8]) -> Result<&'static str, String> {
        let is_ours = self.headers.contains_key("x-oss-request-id");
        match self.status {
            100..=199 => Ok("1xx"),
            200..=299 => Ok("2xx"),
            300..=399 => Ok("3xx"),
            400..=499 | 501 | 502 | 503 if is_ours => {
                let text = String::from_utf8_lossy(body);
                let has_code = body.is_empty()
                    || text.contains("<Code>")
                    || text.contains("\"Code\":")
                    || text.contains("\"code\":");
                match (has_code || text.starts_with("<html"), self.status) {
                    (false, status) => Err(format!("an error document of {status} has no Code: {text:.300}")),
                    (true, 501) => Ok("501"),
                    (true, 502 | 503) => Ok("502 and 503"),
                    (true, 403) if text.contains("SignatureDoesNotMatch") => Ok("403 for the signature"),
                    (true, 403) => Ok("other 403"),
                    (true, 404) => Ok("404"),
                    (true, _) => Ok("other 4xx"),
                }
            }
            400 | 414 | 431 if body.is_empty() => Ok("refused as HTTP"),
            status => Err(format!("status {status}: {:.500}", String::from_utf8_lossy(body))),
        }
    }
}

fn unchunked(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let line = bytes[at..].windows(2).position(|pair| pair == b"\r\n")?;
        let size = std::str::from_utf8(&bytes[at..at + line]).ok()?;
        let size = usize::from_str_radix(size, 16).ok()?;
        at += line + 2;
        let end = at.checked_add(size)?.checked_add(2)?;
        body.extend_from_slice(bytes.get(at..end - 2)?);
        if end > bytes.len() {
            return None;
        }
        at = end;
        if size == 0 {
            return Some((body, at));
        }
    }
}
