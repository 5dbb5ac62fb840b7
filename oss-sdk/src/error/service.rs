//! Reading the error answers of the services: XML documents, JSON in three forms, and the headers of HEAD.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{HeaderMap, StatusCode};

use super::{signature, tokens};
use crate::text::OneLine;
use crate::time::Timestamp;
use crate::xml::{XmlError, XmlReader};

/// Code of an answer that is no error document of the service.
const BAD_ERROR_RESPONSE: &str = "BadErrorResponse";

/// As much of an answer as an error message repeats, in bytes.
const SNIPPET: usize = 256;

/// Longest code or id, in characters. Those of the service are shorter; they stand whole in every text of an error.
const NAME: usize = 128;

/// What an error answer says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ServiceError {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) request_id: Option<String>,
    pub(crate) ec: Option<String>,
    pub(crate) timestamp: Option<Timestamp>,
    /// Top-level text elements of the document.
    pub(crate) fields: BTreeMap<String, String>,
    /// Of the texts that the service would have had signed.
    pub(super) signed: signature::Fingerprints,
}

/// Reads an answer whose status is no success. Never fails: an answer that is not understood becomes `BadErrorResponse`
/// with the beginning of its body.
pub(crate) fn parse_service_error(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> ServiceError {
    // A HEAD answer has no body: its document stands in a header, in base64.
    let from_header = if body.is_empty() {
        headers
            .get("x-oss-err")
            .and_then(|value| BASE64.decode(value.as_bytes().trim_ascii()).ok())
    } else {
        None
    };
    let body = from_header.as_deref().unwrap_or(body);
    let mut error = if is_json(headers, body) {
        parse_json(status, headers, body)
    } else {
        parse_xml(status, body)
    };
    if error.code == BAD_ERROR_RESPONSE
        && let Some(code) = error_type(headers)
    {
        error.code = code;
    }
    if error.request_id.is_none() {
        error.request_id =
            header_text(headers, "x-oss-request-id").or_else(|| header_text(headers, "x-acs-request-id"));
    }
    if error.ec.is_none() {
        error.ec = header_text(headers, "x-oss-ec");
    }
    error.timestamp = answer_time(headers);
    error
}

pub(super) fn header_text(headers: &HeaderMap, name: &str) -> Option<String> {
    let text = headers.get(name)?.to_str().ok()?.trim();
    (!text.is_empty()).then(|| cut(text.to_owned()))
}

fn cut(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(NAME) {
        text.truncate(end);
    }
    text
}

/// The server's clock, as its answer shows it.
pub(super) fn answer_time(headers: &HeaderMap) -> Option<Timestamp> {
    Timestamp::parse_http_date(headers.get("date")?.to_str().ok()?).ok()
}

/// The code that the table service writes in a header, as `NotFoundException` or `NotFoundException:http://...`.
fn error_type(headers: &HeaderMap) -> Option<String> {
    let text = header_text(headers, "x-oss-error-type")?;
    let code = text.split(':').next().unwrap_or_default().trim();
    (!code.is_empty()).then(|| code.to_owned())
}

fn is_json(headers: &HeaderMap, body: &[u8]) -> bool {
    let declared = headers
        .get("content-type")
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| {
            value
                .split(';')
                .next()
                .is_some_and(|value| value.trim().eq_ignore_ascii_case("application/json"))
        });
    declared || body.trim_ascii_start().starts_with(b"{")
}

impl ServiceError {
    fn from_fields(mut fields: BTreeMap<String, String>) -> Self {
        let mut take = |name: &str| fields.remove(name).filter(|text| !text.is_empty());
        let message = take("Message").unwrap_or_else(|| "the service gave no message".to_owned());
        let mut take_name = |name: &str| take(name).map(cut);
        let code = take_name("Code").unwrap_or_else(|| BAD_ERROR_RESPONSE.to_owned());
        let request_id = take_name("RequestId");
        let ec = take_name("EC");
        let signed = signature::clean(&mut fields);
        Self {
            code,
            // Some services repeat the string to sign in it.
            message: tokens::redacted(&message),
            request_id,
            ec,
            timestamp: None,
            fields,
            signed,
        }
    }

    fn not_understood(status: StatusCode, format: &str, why: &dyn std::fmt::Display, body: &[u8]) -> Self {
        let message = if body.is_empty() {
            match status.canonical_reason() {
                Some(reason) => format!("the answer has no body, only the status {} ({reason})", status.as_u16()),
                None => format!("the answer has no body, only the status {}", status.as_u16()),
            }
        } else {
            let snippet = String::from_utf8_lossy(&body[..body.len().min(SNIPPET)]);
            format!(
                "the answer is not an error document in {format}: {why}; it begins with `{}`",
                OneLine(&tokens::redacted(&snippet))
            )
        };
        Self {
            code: BAD_ERROR_RESPONSE.to_owned(),
            message,
            ..Self::default()
        }
    }
}

fn parse_xml(status: StatusCode, body: &[u8]) -> ServiceError {
    match xml_fields(body) {
        Ok(fields) => ServiceError::from_fields(fields),
        Err(why) => ServiceError::not_understood(status, "XML", &why, body),
    }
}

/// The children of `<Error>` that hold text. Children with children are passed over.
fn xml_fields(body: &[u8]) -> Result<BTreeMap<String, String>, XmlError> {
    let mut reader = XmlReader::new(body);
    reader.root(Some("Error"))?;
    let mut fields = BTreeMap::new();
    while let Some(name) = reader.next_child()? {
        let name = String::from_utf8_lossy(name).into_owned();
        if let Some(text) = reader.text_or_skip()? {
            fields.entry(name).or_insert(text);
        }
    }
    Ok(fields)
}

#[cfg(not(feature = "json"))]
fn parse_json(status: StatusCode, _headers: &HeaderMap, body: &[u8]) -> ServiceError {
    ServiceError::not_understood(status, "XML", &"it is JSON", body)
}

/// `{"Error": {"Code", "Message", ...}}`, `{"Code", "Message", ...}`, and `{"message"}` with the code in a header.
#[cfg(feature = "json")]
fn parse_json(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> ServiceError {
    use serde_json::Value;

    let document = match crate::json::parse(body) {
        Ok(Value::Object(object)) => object,
        Ok(_) => return ServiceError::not_understood(status, "JSON", &"it is no object", body),
        Err(why) => return ServiceError::not_understood(status, "JSON", &why, body),
    };
    let object = match document.get("Error") {
        Some(Value::Object(inner)) => inner,
        _ => &document,
    };
    let mut fields: BTreeMap<String, String> = object
        .iter()
        .filter_map(|(name, value)| match value {
            Value::String(text) => Some((name.clone(), text.clone())),
            Value::Number(number) => Some((name.clone(), number.to_string())),
            _ => None,
        })
        .collect();
    for (lower, name) in [("message", "Message"), ("code", "Code"), ("requestId", "RequestId")] {
        if let Some(text) = fields.remove(lower) {
            fields.entry(name.to_owned()).or_insert(text);
        }
    }
    if let Some(code) = error_type(headers) {
        fields.entry("Code".to_owned()).or_insert(code);
    }
    if !fields.contains_key("Code") && !fields.contains_key("Message") {
        return ServiceError::not_understood(status, "JSON", &"it has neither `Code` nor `Message`", body);
    }
    ServiceError::from_fields(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse::<http::HeaderName>().unwrap(), value.parse().unwrap()))
            .collect()
    }

    const DOCUMENT: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>\n  <Code>AccessDenied</Code>\n  \
        <Message>a &lt;b&gt; &amp; c</Message>\n  <RequestId>R1</RequestId>\n  <HostId>h</HostId>\n  \
        <Nested><A>1</A></Nested>\n  <EC>0003-1</EC>\n</Error>";

    fn read(status: u16, headers: &HeaderMap, body: &[u8]) -> ServiceError {
        parse_service_error(StatusCode::from_u16(status).unwrap(), headers, body)
    }

    #[test]
    fn an_error_document_is_read() {
        let error = read(
            403,
            &headers(&[("x-oss-request-id", "other"), ("x-oss-ec", "other")]),
            DOCUMENT.as_bytes(),
        );
        assert_eq!(
            (error.code.as_str(), error.message.as_str()),
            ("AccessDenied", "a <b> & c")
        );
        assert_eq!(
            (error.request_id.as_deref(), error.ec.as_deref()),
            (Some("R1"), Some("0003-1"))
        );
        assert_eq!(
            error.fields.into_iter().collect::<Vec<_>>(),
            [("HostId".to_owned(), "h".to_owned())]
        );
    }

    #[test]
    fn the_document_of_a_head_answer_stands_in_a_header() {
        let encoded = BASE64.encode(DOCUMENT);
        let error = read(403, &headers(&[("x-oss-err", &encoded)]), b"");
        assert_eq!(error.code, "AccessDenied");
        let error = read(
            404,
            &headers(&[("x-oss-err", "***"), ("x-oss-request-id", "R2"), ("x-oss-ec", "E")]),
            b"",
        );
        assert_eq!(error.code, BAD_ERROR_RESPONSE);
        assert_eq!(error.message, "the answer has no body, only the status 404 (Not Found)");
        assert_eq!(
            (error.request_id.as_deref(), error.ec.as_deref()),
            (Some("R2"), Some("E"))
        );
    }

    #[test]
    fn an_answer_that_is_no_error_document_is_quoted() {
        let rows: [(&[u8], &str); 5] = [
            (
                b"<html><body>502 Bad Gateway</body></html>",
                "expected the root element `Error`, found `html`",
            ),
            (b"upstream\nbroke", "it begins with `upstream\\nbroke`"),
            (b"<Error><Code>X</Code><Mess", "ends in the middle"),
            (b"\xff\xfe\x00binary", "it begins with"),
            (&[b'x'; 100_000], "it begins with `xxx"),
        ];
        for (body, expected) in rows {
            let error = read(502, &HeaderMap::new(), body);
            assert_eq!(error.code, BAD_ERROR_RESPONSE);
            assert!(error.message.contains(expected), "{}", error.message);
            assert!(
                error.message.len() < 1200 && !error.message.contains('\n'),
                "{}",
                error.message
            );
        }
    }

    #[test]
    fn the_servers_time_is_taken_from_the_answer() {
        let error = read(
            403,
            &headers(&[("date", "Sun, 06 Nov 1994 08:49:37 GMT")]),
            DOCUMENT.as_bytes(),
        );
        assert_eq!(error.timestamp, Timestamp::from_unix(784_111_777));
        assert_eq!(
            read(403, &headers(&[("date", "yesterday")]), DOCUMENT.as_bytes()).timestamp,
            None
        );
    }

    #[test]
    fn error_documents_of_an_attacker_are_only_quoted() {
        let nested = format!("<Error>{}</Error>", "<Code>".repeat(100_000));
        let entity = "<!DOCTYPE Error [<!ENTITY a 'b'>]><Error><Code>&a;</Code></Error>";
        let flood = format!("<Error>{}<Code>X</Code></Error>", "<A/>".repeat(600_000));
        let name = format!("<Error><{}", "n".repeat(1 << 20));
        let json = format!("{{\"Error\":{}", "[".repeat(100_000));
        let rows: [&[u8]; 8] = [
            nested.as_bytes(),
            entity.as_bytes(),
            flood.as_bytes(),
            name.as_bytes(),
            json.as_bytes(),
            b"<Error><Code>\xff</Code></Error>",
            b"{\"Code\": \"\xff\"}",
            b"{\"Error\": {\"Code\": {\"Code\": 1}}}",
        ];
        for body in rows {
            let error = read(500, &HeaderMap::new(), body);
            assert_eq!(error.code, BAD_ERROR_RESPONSE);
            assert!(error.message.len() < 1500, "{}", error.message.len());
            // The same in the header of a HEAD answer.
            let encoded = BASE64.encode(body);
            let from_header = read(500, &headers(&[("x-oss-err", &encoded)]), b"");
            assert_eq!(from_header.code, BAD_ERROR_RESPONSE);
        }
        let long = format!(
            "<Error><Code>{0}</Code><RequestId>{0}</RequestId></Error>",
            "é".repeat(1000)
        );
        let error = read(500, &headers(&[("x-oss-ec", &"e".repeat(1000))]), long.as_bytes());
        let lengths = [Some(error.code), error.request_id, error.ec].map(|text| text.unwrap().chars().count());
        assert_eq!(lengths, [NAME; 3]);
        let twins = b"<Error><Code>A</Code><Code>B</Code><Message>m</Message></Error>";
        assert_eq!(read(500, &HeaderMap::new(), twins).code, "A");
    }

    #[test]
    fn a_code_in_a_header_counts_when_there_is_no_other() {
        let only = headers(&[("x-oss-error-type", "ForbiddenException")]);
        for body in [&b""[..], b"<html/>", b"not JSON"] {
            assert_eq!(read(403, &only, body).code, "ForbiddenException");
        }
        assert_eq!(read(403, &only, DOCUMENT.as_bytes()).code, "AccessDenied");
        for odd in [":", " : x", ""] {
            assert_eq!(
                read(403, &headers(&[("x-oss-error-type", odd)]), b"").code,
                BAD_ERROR_RESPONSE
            );
        }
    }

    #[cfg(feature = "json")]
    #[test]
    fn three_forms_of_json_are_read() {
        let json = [("content-type", "Application/JSON; charset=utf-8")];
        let rows = [
            (
                &json[..],
                r#"{"Error": {"Code": "A", "Message": "m", "RequestId": "R"}}"#,
                "A",
                "m",
            ),
            (
                &json,
                r#"{"Code": "B", "Message": "n", "RequestId": "R", "HostId": 1}"#,
                "B",
                "n",
            ),
            (
                &[("x-oss-error-type", "C"), ("x-oss-request-id", "R")],
                r#"{"message": "o"}"#,
                "C",
                "o",
            ),
            (&json, r#"{"code": "D", "message": "p", "requestId": "R"}"#, "D", "p"),
            (
                &[
                    ("x-oss-error-type", "NotFoundException:http://a/b"),
                    ("x-oss-request-id", "R"),
                ],
                r#"{"message": "q", "nested": {"Code": "no"}, "Error": "text"}"#,
                "NotFoundException",
                "q",
            ),
            (
                &[("x-oss-error-type", "InHeader"), ("x-oss-request-id", "R")],
                r#"{"Code": "InBody", "Message": "r"}"#,
                "InBody",
                "r",
            ),
        ];
        for (pairs, body, code, message) in rows {
            let error = read(400, &headers(pairs), body.as_bytes());
            assert_eq!((error.code.as_str(), error.message.as_str()), (code, message), "{body}");
            assert_eq!(error.request_id.as_deref(), Some("R"), "{body}");
        }
        for body in ["[]", "{", r#"{"a": 1}"#, "null", ""] {
            assert_eq!(
                read(400, &headers(&json), body.as_bytes()).code,
                BAD_ERROR_RESPONSE,
                "{body}"
            );
        }
    }
}
