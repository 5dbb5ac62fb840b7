//! What was asked, for tests that count requests and look at their headers.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::text;

/// Most requests that are remembered; older ones are forgotten.
const CAPACITY: usize = 10_000;
/// Bytes that all of them may take up; older ones are forgotten beyond that.
const CAPACITY_BYTES: usize = 32 * 1024 * 1024;
/// Bytes of a target, of the headers together and of a string to sign that are remembered.
const MAX_TEXT: usize = 8 * 1024;
/// Headers whose values are secrets as a whole.
const SECRET_HEADERS: &[&str] = &[
    "x-oss-security-token",
    "x-acs-security-token",
    "security-token",
    "cookie",
    "proxy-authorization",
];
/// Stands where a text was cut.
const CUT: &str = "[...]";

/// One request and its answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RequestRecord {
    /// When the request came, by the emulator's clock, as `2026-01-31T08:05:09.000Z`.
    pub time: String,
    /// HTTP method.
    pub method: String,
    /// Path and query as sent, with the values of signatures and tokens replaced by `***`.
    pub target: String,
    /// Headers in lower case. The signature in `authorization` and security tokens are replaced by `***`.
    pub headers: Vec<(String, String)>,
    /// Operation, when one was found.
    pub operation: Option<String>,
    /// Bucket, when one was addressed.
    pub bucket: Option<String>,
    /// Key, when one was addressed.
    pub key: Option<String>,
    /// Status of the answer; 0 when a fault left the request without one.
    pub status: u16,
    /// Error code of the answer.
    pub code: Option<String>,
    /// Request id of the answer.
    pub request_id: String,
    /// Who was recognised by the signature; nothing for anonymous requests and for those that were refused before.
    pub principal: Option<String>,
    /// What the signature of the request was verified over, when it was right: the string to sign of V1 and of RPC 1.0, that of
    /// V4 and of ACS3 after its canonical request, and the policy of a form. The values of security tokens are replaced by `***`.
    pub string_to_sign: Option<String>,
    /// The fault that the request suffered, as [`Fault`](crate::Fault) writes its action.
    pub fault: Option<String>,
    /// Bytes of the request's body that were read.
    pub bytes_in: u64,
    /// Time until the answer began.
    #[serde(rename = "duration_us", serialize_with = "as_micros")]
    pub duration: Duration,
}

fn as_micros<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
}

impl RequestRecord {
    /// Value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    }

    /// The record as it is remembered: texts that clients can make as long as they like are cut.
    fn cut(mut self) -> Self {
        cut(&mut self.target, MAX_TEXT);
        if let Some(text) = &mut self.string_to_sign {
            cut(text, MAX_TEXT);
        }
        for text in [&mut self.bucket, &mut self.key, &mut self.principal]
            .into_iter()
            .flatten()
        {
            cut(text, MAX_TEXT);
        }
        let sent = self.headers.len();
        let mut left = MAX_TEXT;
        self.headers.retain_mut(|(name, value)| {
            let Some(rest) = left.checked_sub(name.len()) else {
                return false;
            };
            cut(value, rest);
            left = rest.saturating_sub(value.len());
            true
        });
        if self.headers.len() < sent {
            self.headers.shrink_to_fit();
        }
        self
    }

    /// Bytes that it takes up, with what its texts have set aside.
    fn weight(&self) -> usize {
        let headers = self.headers.iter().flat_map(|(name, value)| [name, value]);
        let sometimes = [
            &self.operation,
            &self.bucket,
            &self.key,
            &self.code,
            &self.principal,
            &self.string_to_sign,
            &self.fault,
        ];
        let always = [&self.time, &self.method, &self.target, &self.request_id];
        let texts = headers.chain(always).chain(sometimes.into_iter().flatten());
        let places = self.headers.capacity() * size_of::<(String, String)>();
        size_of::<Self>() + places + texts.map(String::capacity).sum::<usize>()
    }
}

/// Cuts a text to so many bytes, says so, and gives back the memory of the rest.
fn cut(text: &mut String, most: usize) {
    if text.len() <= most {
        return;
    }
    let mut end = most;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text.push_str(CUT);
    text.shrink_to_fit();
}

/// The requests of an emulator, oldest first.
#[derive(Debug, Default)]
pub struct RequestLog {
    records: Mutex<Records>,
}

#[derive(Debug, Default)]
struct Records {
    all: VecDeque<RequestRecord>,
    bytes: usize,
}

impl RequestLog {
    pub(crate) fn push(&self, record: RequestRecord) {
        let record = record.cut();
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.bytes += record.weight();
        records.all.push_back(record);
        while records.all.len() > CAPACITY || records.bytes > CAPACITY_BYTES {
            let Some(oldest) = records.all.pop_front() else { break };
            records.bytes -= oldest.weight();
        }
    }

    /// All remembered requests.
    pub fn all(&self) -> Vec<RequestRecord> {
        self.records
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .all
            .iter()
            .cloned()
            .collect()
    }

    /// The last ones, newest first.
    pub(crate) fn latest(&self, limit: usize) -> Vec<RequestRecord> {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.all.iter().rev().take(limit).cloned().collect()
    }

    /// Those of one operation.
    pub fn of(&self, operation: &str) -> Vec<RequestRecord> {
        self.all()
            .into_iter()
            .filter(|record| record.operation.as_deref() == Some(operation))
            .collect()
    }

    /// How many requests one operation had.
    pub fn count(&self, operation: &str) -> usize {
        self.of(operation).len()
    }

    /// Forgets everything.
    pub fn clear(&self) {
        *self.records.lock().unwrap_or_else(PoisonError::into_inner) = Records::default();
    }
}

/// Replaces what must not be seen in a query.
pub(crate) fn redact_target(target: &str) -> String {
    let Some((path, query)) = target.split_once('?') else {
        return target.to_owned();
    };
    let secret = [
        "Signature",
        "x-oss-signature",
        "security-token",
        "x-oss-security-token",
        "SecurityToken",
        "OIDCToken",
    ];
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        // Whoever verifies decodes names first, so an escaped one is a secret as well.
        Some((name, _)) if secret.contains(&text::decode(name).as_deref().unwrap_or(name)) => format!("{name}=***"),
        _ => pair.to_owned(),
    });
    format!("{path}?{}", pairs.collect::<Vec<_>>().join("&"))
}

/// Replaces what must not be seen in a header.
pub(crate) fn redact_header(name: &str, value: &str) -> String {
    match name {
        _ if SECRET_HEADERS.contains(&name) => "***".to_owned(),
        "authorization" => match value.rsplit_once("Signature=") {
            Some((head, _)) => format!("{head}Signature=***"),
            None => value
                .rsplit_once(':')
                .map_or_else(|| "***".to_owned(), |(head, _)| format!("{head}:***")),
        },
        _ => value.to_owned(),
    }
}

/// Replaces secrets in what a signature covers: a header's line of any signature, and a parameter of the query.
pub(crate) fn redact_signed(text: &str) -> String {
    let line = |line: &str| match line.split_once(':') {
        Some((name, _)) if SECRET_HEADERS.contains(&name) => format!("{name}:***"),
        _ => redact_parameters(line),
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// A line may be a query of V4, the resource of V1, or the form of an RPC request with its escapes escaped.
fn redact_parameters(line: &str) -> String {
    let mut text = line.to_owned();
    // Part of all the names below: most lines are searched once and not five times.
    if !line.contains("oken") {
        return text;
    }
    for (name, end) in [
        ("security-token=", "&"),
        ("SecurityToken%3D", "%26"),
        ("SecurityToken=", "&"),
        ("OIDCToken%3D", "%26"),
        ("OIDCToken=", "&"),
    ] {
        let mut from = 0;
        while let Some(at) = text.get(from..).and_then(|rest| rest.find(name)) {
            let start = from + at + name.len();
            let length = text[start..].find(end).unwrap_or(text.len() - start);
            text.replace_range(start..start + length, "***");
            from = start + "***".len();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_replaced() {
        assert_eq!(
            redact_target("/b/k?a=1&x-oss-signature=ab&Signature=cd"),
            "/b/k?a=1&x-oss-signature=***&Signature=***"
        );
        assert_eq!(
            redact_target("/b/k?x-oss-%73ignature=ab&%53ecurityToken=cd&%=e"),
            "/b/k?x-oss-%73ignature=***&%53ecurityToken=***&%=e"
        );
        assert_eq!(redact_header("cookie", "oss-emulator-9001=secret"), "***");
        assert_eq!(redact_header("proxy-authorization", "Basic c2VjcmV0"), "***");
        let value = "OSS4-HMAC-SHA256 Credential=id/20260101/r/oss/aliyun_v4_request,Signature=abc";
        assert!(redact_header("authorization", value).ends_with("aliyun_v4_request,Signature=***"));
        assert_eq!(redact_header("authorization", "OSS id:sig"), "OSS id:***");
        assert_eq!(redact_header("x-oss-security-token", "t"), "***");
    }

    fn record(target: &str) -> RequestRecord {
        let headers = ["a", "b", "c"].map(|name| (name.to_owned(), "v".repeat(6000)));
        RequestRecord {
            time: String::new(),
            method: "GET".to_owned(),
            target: target.to_owned(),
            headers: headers.to_vec(),
            operation: None,
            bucket: None,
            key: None,
            status: 200,
            code: None,
            request_id: String::new(),
            principal: None,
            string_to_sign: Some("s".repeat(100_000)),
            fault: None,
            bytes_in: 0,
            duration: Duration::ZERO,
        }
    }

    #[test]
    fn what_is_remembered_is_bounded_in_bytes() {
        let log = RequestLog::default();
        log.push(record(&"\u{e4}".repeat(100_000)));
        let kept = log.all().remove(0);
        assert_eq!(kept.target.len(), MAX_TEXT + CUT.len());
        assert!(kept.target.ends_with(CUT) && kept.string_to_sign.is_some_and(|text| text.ends_with(CUT)));
        assert_eq!(kept.headers[0].1.len(), 6000);
        assert!(kept.headers[1].1.ends_with(CUT) && kept.headers.len() == 2);

        for number in 0..3000 {
            log.push(record(&number.to_string()));
        }
        let all = log.all();
        assert!((1000..3000).contains(&all.len()), "{}", all.len());
        assert_eq!(all.last().map(|record| record.target.as_str()), Some("2999"));
        assert!(all.iter().map(RequestRecord::weight).sum::<usize>() <= CAPACITY_BYTES);
        log.clear();
        for number in 0..=CAPACITY {
            let small = RequestRecord {
                headers: Vec::new(),
                string_to_sign: None,
                ..record(&number.to_string())
            };
            log.push(small);
        }
        assert_eq!((log.all().len(), log.all()[0].target.as_str()), (CAPACITY, "1"));
    }

    #[test]
    fn what_was_cut_gives_its_memory_back() {
        let log = RequestLog::default();
        let long = record(&"t".repeat(1_000_000));
        let long = RequestRecord {
            headers: vec![("a".to_owned(), "v".repeat(1_000_000)); 5],
            key: Some("k".repeat(1_000_000)),
            ..long
        };
        log.push(long);
        // What stands in the log and not a copy, which would have no more memory than it needs.
        let records = log.records.lock().unwrap();
        let kept = &records.all[0];
        let most = MAX_TEXT + 2 * CUT.len();
        let texts = [Some(&kept.target), kept.key.as_ref(), kept.string_to_sign.as_ref()];
        let values = kept.headers.iter().map(|(_, value)| value);
        for text in texts.into_iter().flatten().chain(values) {
            assert!(text.capacity() <= most, "{}", text.capacity());
        }
        assert!(kept.headers.capacity() <= 2, "{}", kept.headers.capacity());
        assert_eq!(records.bytes, kept.weight());
    }

    #[test]
    fn many_small_headers_count() {
        let log = RequestLog::default();
        for _ in 0..300 {
            let headers = vec![("a".to_owned(), String::new()); 4096];
            let many = RequestRecord {
                headers,
                ..RequestRecord::default()
            };
            log.push(many);
        }
        let all = log.all();
        let places: usize = all.iter().map(|record| record.headers.len()).sum();
        assert!(
            places > 0 && places * size_of::<(String, String)>() <= CAPACITY_BYTES,
            "{places}"
        );
    }

    #[test]
    fn tokens_are_replaced_in_what_was_signed() {
        for (signed, shown) in [
            (
                "PUT\nx-oss-date:d\nx-oss-security-token:CAIS/+=\n/b/",
                "PUT\nx-oss-date:d\nx-oss-security-token:***\n/b/",
            ),
            ("/b/k?security-token=CAIS+/&uploads", "/b/k?security-token=***&uploads"),
            (
                "x-oss-expires=1&x-oss-security-token=CAIS%2B",
                "x-oss-expires=1&x-oss-security-token=***",
            ),
            (
                "POST&%2F&Format%3DJSON%26SecurityToken%3DCAIS%252B%26Version%3D1",
                "POST&%2F&Format%3DJSON%26SecurityToken%3D***%26Version%3D1",
            ),
            (
                "GET\n/b/k\n\ncookie:session=a\nproxy-authorization:Basic b\nx-oss-date:d\n\ncookie;proxy-authorization",
                "GET\n/b/k\n\ncookie:***\nproxy-authorization:***\nx-oss-date:d\n\ncookie;proxy-authorization",
            ),
            ("/b/k", "/b/k"),
        ] {
            assert_eq!(redact_signed(signed), shown);
        }
    }
}
