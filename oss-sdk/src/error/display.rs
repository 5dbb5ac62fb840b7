//! The text of an error: one line, complete, without secrets.

use std::fmt;

use super::{ErrorKind, Inner, OneLine, SignatureCause};

/// Longest message of the service that the text repeats, in characters.
const MESSAGE: usize = 1024;

/// Query parameters whose values never appear in a text.
const SECRET_PARAMETERS: [&str; 7] = [
    "Signature",
    "OSSAccessKeyId",
    "security-token",
    "x-oss-credential",
    "x-oss-security-token",
    "x-oss-signature",
    "SecurityToken",
];

/// `get object: NoSuchKey: The specified key does not exist (status 404, request id 66F1, ...)`.
pub(super) fn write(error: &Inner, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if let Some(operation) = &error.operation {
        write!(f, "{}: ", Words(operation))?;
    }
    match (&error.member, error.kind) {
        (Some(member), ErrorKind::InvalidInput | ErrorKind::Config | ErrorKind::Credentials) => {
            let what = if error.kind == ErrorKind::Config {
                "setting "
            } else {
                ""
            };
            write!(f, "{what}`{}` {}", OneLine(member), OneLine(&error.message))?;
        }
        _ => {
            if let Some(code) = &error.code {
                write!(f, "{}: ", OneLine(code))?;
            }
            let message = error.message.trim();
            let message = message.strip_suffix('.').unwrap_or(message);
            match message.char_indices().nth(MESSAGE) {
                Some((end, _)) => write!(f, "{}...", OneLine(&message[..end]))?,
                None => write!(f, "{}", OneLine(message))?,
            }
        }
    }
    let mut facts = Facts { f, any: false };
    if let Some(status) = error.status {
        facts.add(format_args!("status {}", status.as_u16()))?;
    }
    if let Some(id) = &error.request_id {
        facts.add(format_args!("request id {}", OneLine(id)))?;
    }
    if let Some(ec) = &error.ec {
        facts.add(format_args!("EC {}", OneLine(ec)))?;
    }
    if let Some(timestamp) = error.timestamp {
        facts.add(format_args!("at {timestamp}"))?;
    }
    if let Some(target) = &error.target {
        facts.add(format_args!("{}", OneLine(target)))?;
    }
    if error.attempts > 0 {
        facts.add(format_args!("attempt {} of {}", error.attempts, error.max_attempts))?;
        if let Some(elapsed) = error.elapsed {
            facts.add(format_args!("after {:.1} s", elapsed.as_secs_f64()))?;
        }
    }
    if let Some(mismatch) = &error.signature {
        if let Some(difference) = &mismatch.difference {
            facts.add(format_args!("{difference}"))?;
        }
        if mismatch.likely_cause != SignatureCause::Unknown {
            facts.add(format_args!("likely cause: {}", mismatch.likely_cause))?;
        }
    }
    if let Some(reason) = error.not_retried {
        facts.add(format_args!("not sent again {reason}"))?;
    }
    facts.end()
}

/// The list in parentheses; nothing when there are no facts.
struct Facts<'a, 'f> {
    f: &'a mut fmt::Formatter<'f>,
    any: bool,
}

impl Facts<'_, '_> {
    fn add(&mut self, fact: fmt::Arguments<'_>) -> fmt::Result {
        self.f.write_str(if self.any { ", " } else { " (" })?;
        self.any = true;
        self.f.write_fmt(fact)
    }

    fn end(self) -> fmt::Result {
        if self.any { self.f.write_str(")") } else { Ok(()) }
    }
}

/// `GetObject` as `get object`, `ListObjectsV2` as `list objects v2`.
struct Words<'a>(&'a str);

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        let mut before_is_lower = false;
        for c in self.0.chars() {
            if c.is_ascii_uppercase() && before_is_lower {
                f.write_char(' ')?;
            }
            before_is_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
            write!(f, "{}", OneLine(c.to_ascii_lowercase().encode_utf8(&mut [0; 4])))?;
        }
        Ok(())
    }
}

/// Method and URL, with the values of secret parameters replaced.
pub(super) fn target(method: &str, url: &str) -> String {
    format!("{method} {}", redacted_url(url))
}

/// A URL, with the values of secret parameters replaced.
pub(crate) fn redacted_url(url: &str) -> String {
    let Some((address, query)) = url.split_once('?') else {
        return url.to_owned();
    };
    let mut out = address.to_owned();
    for (index, pair) in query.split('&').enumerate() {
        out.push(if index == 0 { '?' } else { '&' });
        match pair.split_once('=') {
            Some((name, _)) if SECRET_PARAMETERS.contains(&name) => {
                out.push_str(name);
                out.push_str("=[redacted]");
            }
            _ => out.push_str(pair),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::{HeaderMap, StatusCode};

    use super::super::{Error, ErrorKind, parse_service_error};
    use super::*;

    fn not_found() -> Error {
        let mut headers = HeaderMap::new();
        headers.insert("x-oss-request-id", "66F1".parse().unwrap());
        headers.insert("date", "Fri, 07 Mar 2025 07:13:46 GMT".parse().unwrap());
        let body = b"<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message>\
            <EC>0026-00000001</EC></Error>";
        let answer = parse_service_error(StatusCode::NOT_FOUND, &headers, body);
        Error::service(StatusCode::NOT_FOUND, headers, answer)
            .with_operation("GetObject")
            .with_target("GET", "https://b.oss-cn-hangzhou.aliyuncs.com/k")
            .with_attempts(1, 3, Duration::from_millis(1234))
    }

    #[test]
    fn an_answer_of_the_service_is_shown_whole() {
        assert_eq!(
            not_found().to_string(),
            "get object: NoSuchKey: The specified key does not exist (status 404, request id 66F1, EC 0026-00000001, \
             at 2025-03-07T07:13:46Z, GET https://b.oss-cn-hangzhou.aliyuncs.com/k, attempt 1 of 3, after 1.2 s)"
        );
    }

    #[test]
    fn other_kinds_show_what_they_know() {
        let rows = [
            (
                Error::invalid_input("part_number", "must be from 1 to 10000, it is 0").with_operation("UploadPart"),
                "upload part: `part_number` must be from 1 to 10000, it is 0",
            ),
            (
                Error::config("region", "must consist of `a-z`, `0-9` and `-`, it is `cn hangzhou`"),
                "setting `region` must consist of `a-z`, `0-9` and `-`, it is `cn hangzhou`",
            ),
            (
                Error::new(ErrorKind::Connect, "no connection")
                    .with_operation("ListObjectsV2")
                    .with_attempts(3, 3, Duration::from_secs(2)),
                "list objects v2: no connection (attempt 3 of 3, after 2.0 s)",
            ),
            (
                Error::checksum_mismatch(1, 2).with_operation("PutObject"),
                "put object: crc-64 differs: 1 of the bytes transferred, 2 by the service",
            ),
            (Error::new(ErrorKind::Canceled, "canceled"), "canceled"),
        ];
        for (error, expected) in rows {
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn the_text_is_one_line_and_bounded() {
        let long = "a\r\nb\u{2028}".repeat(10_000);
        let text = Error::new(ErrorKind::Decode, long).to_string();
        assert!(!text.chars().any(|c| c.is_control() || c == '\u{2028}'));
        assert!(text.starts_with("a\\r\\nb\\u{2028}a"), "{text}");
        assert!(text.len() < 8 * MESSAGE);
    }

    #[test]
    fn secrets_in_the_query_are_not_shown() {
        let url = "https://b.host/k?acl&x-oss-signature=5ec4e7&x-oss-credential=AKID%2F2023&versionId=1&Signature=5ec4e7\
            &OSSAccessKeyId=AKID&security-token=5ec4e7&x-oss-security-token=5ec4e7";
        let error = Error::new(ErrorKind::Transport, "broken").with_target("GET", url);
        let shown = format!("{error} {error:?} {}", error.target().unwrap());
        assert!(!shown.contains("5ec4e7") && !shown.contains("AKID"), "{shown}");
        assert!(
            shown.contains("?acl&x-oss-signature=[redacted]&") && shown.contains("&versionId=1&"),
            "{shown}"
        );
    }
}
