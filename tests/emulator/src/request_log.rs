//! What was asked, for tests that count requests and look at their headers.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Most requests that are remembered; older ones are forgotten.
const CAPACITY: usize = 10_000;

/// One request and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestRecord {
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
}

impl RequestRecord {
    /// Value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    }
}

/// The requests of an emulator, oldest first.
#[derive(Debug, Default)]
pub struct RequestLog {
    records: Mutex<VecDeque<RequestRecord>>,
}

impl RequestLog {
    pub(crate) fn push(&self, record: RequestRecord) {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        if records.len() == CAPACITY {
            records.pop_front();
        }
        records.push_back(record);
    }

    /// All remembered requests.
    pub fn all(&self) -> Vec<RequestRecord> {
        self.records
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .cloned()
            .collect()
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
        self.records.lock().unwrap_or_else(PoisonError::into_inner).clear();
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
    ];
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if secret.contains(&name) => format!("{name}=***"),
        _ => pair.to_owned(),
    });
    format!("{path}?{}", pairs.collect::<Vec<_>>().join("&"))
}

/// Replaces what must not be seen in a header.
pub(crate) fn redact_header(name: &str, value: &str) -> String {
    match name {
        "x-oss-security-token" | "x-acs-security-token" | "security-token" => "***".to_owned(),
        "authorization" => match value.rsplit_once("Signature=") {
            Some((head, _)) => format!("{head}Signature=***"),
            None => value
                .rsplit_once(':')
                .map_or_else(|| "***".to_owned(), |(head, _)| format!("{head}:***")),
        },
        _ => value.to_owned(),
    }
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
        let value = "OSS4-HMAC-SHA256 Credential=id/20260101/r/oss/aliyun_v4_request,Signature=abc";
        assert!(redact_header("authorization", value).ends_with("aliyun_v4_request,Signature=***"));
        assert_eq!(redact_header("authorization", "OSS id:sig"), "OSS id:***");
        assert_eq!(redact_header("x-oss-security-token", "t"), "***");
    }
}
