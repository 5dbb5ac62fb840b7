//! Callbacks: after an upload the server that the request names is told about the object, and its answer becomes ours.
//!
//! The emulator posts for real, but to loopback addresses only, see [`reach`], and follows no redirects.

mod post;
mod reach;

use std::collections::BTreeMap;
use std::io::Cursor;
use std::net::IpAddr;

use bytes::Bytes;
use futures_util::StreamExt as _;

use crate::error::ServiceError;
use crate::request::Head;
use crate::store::{Object, ObjectInfo};
use crate::text;
pub(crate) use reach::Reach;

const MAX_URLS: usize = 5;
/// Largest body, filled.
const MAX_BODY: usize = 1024 * 1024;
/// How much of an image is read to find its size.
const IMAGE_HEAD: u64 = 1024 * 1024;

/// A callback as the request asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Callback {
    urls: Vec<String>,
    host: Option<String>,
    body: String,
    is_json: bool,
    /// Own variables, with their `x:`.
    variables: BTreeMap<String, String>,
}

/// What a callback tells about the request, besides the object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'f> {
    pub(crate) bucket: &'f str,
    pub(crate) operation: &'f str,
    pub(crate) request_id: &'f str,
    pub(crate) client: Option<IpAddr>,
    /// Where callbacks may go; nowhere before that is known.
    pub(crate) reach: Option<&'f Reach>,
}

impl Callback {
    /// Reads the callback of a request, from its headers or from the query of a presigned URL.
    pub(crate) fn of(head: &Head) -> Result<Option<Self>, ServiceError> {
        let find = |header: &str, parameter: &str| {
            head.header(header)
                .or_else(|| head.query.get(header))
                .or_else(|| head.query.get(parameter))
        };
        let Some(parameter) = find("x-oss-callback", "callback") else {
            return Ok(None);
        };
        Self::parse(parameter, find("x-oss-callback-var", "callback-var")).map(Some)
    }

    /// Reads the two JSON documents in Base64.
    pub(crate) fn parse(callback: &str, variables: Option<&str>) -> Result<Self, ServiceError> {
        let invalid = |why: &str| {
            ServiceError::invalid_argument(
                format!("The callback configuration is not valid: {why}."),
                "callback",
                callback,
            )
        };
        let object = json_object(callback).ok_or_else(|| invalid("it is not a JSON object in Base64"))?;
        let text = |name: &str| match object.get(name) {
            None | Some(serde_json::Value::Null) => Ok(None),
            Some(serde_json::Value::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(invalid(&format!("{name} is not text"))),
        };
        let urls: Vec<String> = text("callbackUrl")?
            .unwrap_or_default()
            .split(';')
            .map(str::trim)
            .filter(|url| !url.is_empty())
            .map(str::to_owned)
            .collect();
        if urls.is_empty() || urls.len() > MAX_URLS {
            return Err(invalid("callbackUrl must have one to five addresses"));
        }
        let body = text("callbackBody")?
            .filter(|body| !body.is_empty())
            .ok_or_else(|| invalid("callbackBody is missing or empty"))?;
        let is_json = match text("callbackBodyType")? {
            None | Some("" | "application/x-www-form-urlencoded") => false,
            Some("application/json") => true,
            Some(_) => {
                return Err(invalid(
                    "callbackBodyType is neither application/json nor application/x-www-form-urlencoded",
                ));
            }
        };
        if !matches!(object.get("callbackSNI"), None | Some(serde_json::Value::Bool(_))) {
            return Err(invalid("callbackSNI is not true or false"));
        }
        Ok(Self {
            urls,
            host: text("callbackHost")?.filter(|host| !host.is_empty()).map(str::to_owned),
            body: body.to_owned(),
            is_json,
            variables: variables.map(read_variables).transpose()?.unwrap_or_default(),
        })
    }

    /// Adds own variables that came apart, as fields of a form do.
    pub(crate) fn with_variables(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        self.variables.extend(variables);
        self
    }

    /// Posts to the servers, one after the other, until one answers as it should.
    pub(crate) async fn call(
        &self,
        info: &ObjectInfo,
        object: Option<&Object>,
        facts: Facts<'_>,
    ) -> Result<Bytes, ServiceError> {
        let body = self
            .fill(&self.values(info, object, facts).await)
            .ok_or_else(|| ServiceError::new(203, "CallbackFailed", "The body of the callback is larger than 1 MB."))?;
        let content_type = match self.is_json {
            true => "application/json",
            false => "application/x-www-form-urlencoded",
        };
        let mut last = String::new();
        for url in &self.urls {
            let request = post::Post {
                url,
                host: self.host.as_deref(),
                content_type,
                request_id: facts.request_id,
                bucket: facts.bucket,
                body: &body,
                reach: facts.reach,
            };
            match post::post(request).await {
                Ok(answer) => return Ok(answer),
                Err(why) => last = why,
            }
        }
        Err(ServiceError::new(203, "CallbackFailed", last))
    }

    /// All variables that a body may use. Numbers are marked, since JSON writes them without quotes.
    async fn values(
        &self,
        info: &ObjectInfo,
        object: Option<&Object>,
        facts: Facts<'_>,
    ) -> BTreeMap<String, (String, bool)> {
        let image = match object.filter(|_| self.body.contains("${imageInfo.")) {
            Some(object) => image_info(object).await,
            None => None,
        };
        let md5 = (info.etag.len() == 32).then(|| md5_base64(&info.etag)).flatten();
        let words = [
            ("bucket", facts.bucket.to_owned()),
            ("object", info.key.clone()),
            ("etag", info.etag.clone()),
            (
                "mimeType",
                info.meta
                    .content_type
                    .clone()
                    .unwrap_or_else(|| "application/octet-stream".to_owned()),
            ),
            (
                "imageInfo.format",
                image.map_or_else(String::new, |(_, _, format)| format.to_owned()),
            ),
            ("crc64", info.crc64.to_string()),
            ("contentMd5", md5.unwrap_or_default()),
            ("vpcId", String::new()),
            ("clientIp", facts.client.map_or_else(String::new, |ip| ip.to_string())),
            ("reqId", facts.request_id.to_owned()),
            ("operation", facts.operation.to_owned()),
        ];
        let numbers = [
            ("size", Some(info.size)),
            ("imageInfo.height", image.map(|(_, height, _)| u64::from(height))),
            ("imageInfo.width", image.map(|(width, ..)| u64::from(width))),
        ];
        let words = words.into_iter().map(|(name, value)| (name.to_owned(), (value, false)));
        let numbers = numbers.into_iter().map(|(name, value)| {
            let value = value.map_or_else(|| (String::new(), false), |number| (number.to_string(), true));
            (name.to_owned(), value)
        });
        let own = self
            .variables
            .iter()
            .map(|(name, value)| (name.clone(), (value.clone(), false)));
        words.chain(numbers).chain(own).collect()
    }

    /// Puts values in the place of `${...}`. A variable that does not exist is empty. Nothing when it gets too large.
    fn fill(&self, values: &BTreeMap<String, (String, bool)>) -> Option<String> {
        let mut filled = String::new();
        let mut rest = self.body.as_str();
        while let Some((before, after)) = rest.split_once("${") {
            filled.push_str(before);
            let Some((name, behind)) = after.split_once('}') else {
                filled.push_str("${");
                rest = after;
                continue;
            };
            let (value, is_number) = values
                .get(name)
                .map_or(("", false), |(value, number)| (value.as_str(), *number));
            match self.is_json {
                true if !is_number => filled.push_str(&serde_json::Value::from(value).to_string()),
                true => filled.push_str(value),
                false => filled.push_str(&text::encode(value)),
            }
            if filled.len() > MAX_BODY {
                return None;
            }
            rest = behind;
        }
        filled.push_str(rest);
        (filled.len() <= MAX_BODY).then_some(filled)
    }
}

fn json_object(base64: &str) -> Option<serde_json::Map<String, serde_json::Value>> {
    serde_json::from_slice(&text::base64_decode(base64)?).ok()
}

fn read_variables(raw: &str) -> Result<BTreeMap<String, String>, ServiceError> {
    let invalid = |why: &str| {
        ServiceError::invalid_argument(
            format!("The callback variables are not valid: {why}."),
            "callback-var",
            raw,
        )
    };
    let object = json_object(raw).ok_or_else(|| invalid("they are not a JSON object in Base64"))?;
    let own = object.into_iter().map(|(name, value)| {
        if !name.starts_with("x:") || name.chars().any(|c| c.is_ascii_uppercase()) {
            return Err(invalid("a name does not begin with x: or has capital letters"));
        }
        match value {
            serde_json::Value::String(text) => Ok((name, text)),
            _ => Err(invalid("a value is not text")),
        }
    });
    own.collect()
}

/// The MD5 that an ETag is, in Base64.
fn md5_base64(etag: &str) -> Option<String> {
    let byte = |at: usize| u8::from_str_radix(etag.get(at..at + 2)?, 16).ok();
    let bytes: Option<Vec<u8>> = (0..etag.len()).step_by(2).map(byte).collect();
    bytes.map(|bytes| text::base64(&bytes))
}

/// Width, height and format of an image; nothing for anything else.
async fn image_info(object: &Object) -> Option<(u32, u32, &'static str)> {
    let mut stream = object.read(0..object.info().size.min(IMAGE_HEAD)).ok()?;
    let mut head = Vec::new();
    while let Some(Ok(chunk)) = stream.next().await {
        head.extend_from_slice(&chunk);
    }
    let reader = image::ImageReader::new(Cursor::new(head)).with_guessed_format().ok()?;
    let format = reader.format()?.extensions_str().first()?;
    let (width, height) = reader.into_dimensions().ok()?;
    Some((width, height, format))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn callback(json: &str) -> Result<Callback, ServiceError> {
        Callback::parse(&text::base64(json.as_bytes()), None)
    }

    #[test]
    fn bodies_are_filled_by_their_type() {
        let values = BTreeMap::from([
            ("object".to_owned(), ("a b\"/c".to_owned(), false)),
            ("size".to_owned(), ("5".to_owned(), true)),
        ]);
        for (kind, body, expected) in [
            (
                "application/x-www-form-urlencoded",
                "o=${object}&s=${size}&n=${none}",
                "o=a%20b%22%2Fc&s=5&n=",
            ),
            (
                "application/json",
                "{\"o\":${object},\"s\":${size},\"n\":${none}}",
                "{\"o\":\"a b\\\"/c\",\"s\":5,\"n\":\"\"}",
            ),
            ("application/json", "${", "${"),
            ("application/json", "${${size}", "\"\""),
        ] {
            let json =
                serde_json::json!({"callbackUrl": "http://localhost", "callbackBody": body, "callbackBodyType": kind});
            let filled = callback(&json.to_string()).unwrap().fill(&values);
            assert_eq!(filled.as_deref(), Some(expected), "{body}");
        }
    }

    #[test]
    fn bodies_do_not_grow_without_end() {
        let values = BTreeMap::from([("x:a".to_owned(), ("a".repeat(8192), false))]);
        for (times, fits) in [(100, true), (1000, false)] {
            let json = serde_json::json!({"callbackUrl": "http://localhost", "callbackBody": "${x:a}".repeat(times)});
            let filled = callback(&json.to_string()).unwrap().fill(&values);
            assert_eq!(filled.is_some(), fits, "{times}");
        }
    }

    #[test]
    fn malformed_callbacks_are_invalid_arguments() {
        for json in [
            "",
            "[]",
            "{}",
            r#"{"callbackUrl":"http://localhost"}"#,
            r#"{"callbackUrl":"http://localhost","callbackBody":""}"#,
            r#"{"callbackUrl":";","callbackBody":"a"}"#,
            r#"{"callbackUrl":"a;b;c;d;e;f","callbackBody":"a"}"#,
            r#"{"callbackUrl":1,"callbackBody":"a"}"#,
            r#"{"callbackUrl":"a","callbackBody":"a","callbackBodyType":"text/plain"}"#,
            r#"{"callbackUrl":"a","callbackBody":"a","callbackSNI":"yes"}"#,
        ] {
            assert_eq!(callback(json).unwrap_err().code, "InvalidArgument", "{json}");
        }
        assert!(Callback::parse("%%%", None).is_err());
        for variables in [r#"{"a":"b"}"#, r#"{"x:A":"b"}"#, r#"{"x:a":1}"#, "[]"] {
            let good = text::base64(br#"{"callbackUrl":"a","callbackBody":"a"}"#);
            assert!(
                Callback::parse(&good, Some(&text::base64(variables.as_bytes()))).is_err(),
                "{variables}"
            );
        }
    }
}
