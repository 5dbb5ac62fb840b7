//! What came back: the head of the answer, and its payload as a document or a stream.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};

use super::frames::{self, MetaFrame};
use crate::body::ResponseBody;
use crate::error::Error;
use crate::text::{FromText, TextError, UrlDecode};
use crate::xml::{self, ReadXml};

/// Status, headers and request id of an answer; part of every result.
#[derive(Clone, Default)]
pub struct ResultMeta {
    status: StatusCode,
    headers: HeaderMap,
    attempts: u32,
    elapsed: Duration,
}

/// What the service said; not how long it took, so that the same answer looks the same.
impl fmt::Debug for ResultMeta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResultMeta")
            .field("status", &self.status)
            .field("headers", &self.headers)
            .finish()
    }
}

impl ResultMeta {
    pub(crate) fn new(status: StatusCode, headers: HeaderMap) -> Self {
        ResultMeta {
            status,
            headers,
            attempts: 0,
            elapsed: Duration::ZERO,
        }
    }

    /// How many requests it took, and how long.
    #[must_use]
    pub(crate) fn with_attempts(mut self, attempts: u32, elapsed: Duration) -> Self {
        self.attempts = attempts;
        self.elapsed = elapsed;
        self
    }

    /// HTTP status.
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    pub(crate) fn status_code(&self) -> StatusCode {
        self.status
    }

    /// Headers of the answer.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Id of the request at the service, to give to support. Empty if the answer had none.
    pub fn request_id(&self) -> &str {
        ["x-oss-request-id", "x-acs-request-id"]
            .iter()
            .find_map(|name| self.headers.get(*name)?.to_str().ok())
            .unwrap_or_default()
    }

    /// Requests that were sent for it, the last one included: 1 when nothing went wrong. The same as
    /// [`Error::attempts`] of a call that failed. 0 for a result that did not come from a call.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Time from the start of the call to the answer, waits between attempts included. For a streamed payload to its
    /// head.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }
}

/// The payload of an answer.
pub(crate) enum Payload {
    Document(Bytes),
    Stream(ResponseBody),
    Taken,
}

/// A successful answer, for [`Operation::decode`](super::Operation::decode).
pub struct Reply {
    meta: ResultMeta,
    payload: Payload,
    /// The payload is what the application answered to the service's callback.
    callback: bool,
}

impl Reply {
    pub(crate) fn new(meta: ResultMeta, payload: Payload, callback: bool) -> Self {
        Reply {
            meta,
            payload,
            callback,
        }
    }

    /// Status, headers and request id.
    pub fn meta(&self) -> &ResultMeta {
        &self.meta
    }

    /// Status, headers and request id, to keep.
    pub fn into_meta(self) -> ResultMeta {
        self.meta
    }

    pub(crate) fn into_output(mut self) -> super::OperationOutput {
        super::OperationOutput {
            body: self.stream(),
            meta: self.meta,
        }
    }

    /// HTTP status.
    pub fn status(&self) -> u16 {
        self.meta.status()
    }

    /// A header, if it is there and not empty.
    ///
    /// # Errors
    ///
    /// When its value is not of the type's form.
    pub fn header<T: FromText>(&self, name: &str) -> Result<Option<T>, Error> {
        let Some(value) = self.meta.headers.get(name) else {
            return Ok(None);
        };
        let text = String::from_utf8_lossy(value.as_bytes());
        if text.is_empty() {
            return Ok(None);
        }
        T::from_text(&text)
            .map(Some)
            .map_err(|source| self.undecodable(name, source))
    }

    /// A header that is read with a function, for forms that their type does not determine.
    ///
    /// # Errors
    ///
    /// As [`header`](Reply::header).
    pub fn header_with<T>(
        &self,
        name: &str,
        read: impl FnOnce(&str) -> Result<T, TextError>,
    ) -> Result<Option<T>, Error> {
        let text: Option<String> = self.header(name)?;
        let value = text.map(|text| read(&text)).transpose();
        value.map_err(|source| self.undecodable(name, source))
    }

    /// A header that must be there.
    ///
    /// # Errors
    ///
    /// When it is missing, or its value is not of the type's form.
    pub fn header_required<T: FromText>(&self, name: &str) -> Result<T, Error> {
        match self.header(name)? {
            Some(value) => Ok(value),
            None => Err(Error::decode(format!("the header `{name}` is missing"))
                .with_answer(self.meta.status, &self.meta.headers)),
        }
    }

    fn undecodable(&self, name: &str, source: TextError) -> Error {
        Error::decode(format!("header `{name}`: {source}")).with_answer(self.meta.status, &self.meta.headers)
    }

    /// All headers that begin with a prefix, by the rest of their names, in lower case. The first of several values
    /// with one name is taken.
    pub fn header_map(&self, prefix: &str) -> BTreeMap<String, String> {
        let prefix = prefix.to_ascii_lowercase();
        let mut map = BTreeMap::new();
        for (name, value) in &self.meta.headers {
            if let Some(rest) = name.as_str().strip_prefix(&*prefix)
                && !rest.is_empty()
            {
                map.entry(rest.to_owned())
                    .or_insert_with(|| String::from_utf8_lossy(value.as_bytes()).into_owned());
            }
        }
        map
    }

    fn document(&self) -> &[u8] {
        match &self.payload {
            Payload::Document(bytes) => bytes,
            Payload::Stream(_) | Payload::Taken => &[],
        }
    }

    fn decode_error(&self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        Error::decode(source).with_answer(self.meta.status, &self.meta.headers)
    }

    /// Reads the XML document; its root must be `root` if that is given.
    ///
    /// The answer of a callback is no document of the service and leaves the value as it is.
    ///
    /// # Errors
    ///
    /// When the document is not well-formed, is not complete, or lacks what the value requires.
    pub fn read_xml<T: ReadXml>(&self, root: Option<&str>, value: &mut T) -> Result<(), Error> {
        if self.callback {
            return Ok(());
        }
        xml::read_document(self.document(), root, value).map_err(|source| self.decode_error(source))
    }

    /// Reads the XML document if there is one; says whether there was.
    ///
    /// # Errors
    ///
    /// As [`read_xml`](Reply::read_xml).
    pub fn read_xml_optional<T: ReadXml>(&self, root: Option<&str>, value: &mut T) -> Result<bool, Error> {
        if self.callback || self.document().trim_ascii().is_empty() {
            return Ok(false);
        }
        self.read_xml(root, value).map(|()| true)
    }

    /// The answer with its JSON document, if its `Content-Type` says that it is one, as the XML document that says the
    /// same under `root`. For operations that answer in either form.
    ///
    /// # Errors
    ///
    /// When the document is not JSON, or no object.
    pub fn json_as_xml(mut self, root: &str) -> Result<Self, Error> {
        let is_empty = self.document().trim_ascii().is_empty();
        if !self.callback && !is_empty && self.says_json() {
            let document = xml::from_json(root, self.document()).map_err(|source| self.decode_error(source))?;
            self.payload = Payload::Document(document.into());
        }
        Ok(self)
    }

    fn says_json(&self) -> bool {
        let content_type = self.meta.headers.get(CONTENT_TYPE);
        let media_type = content_type.and_then(|value| value.to_str().ok()?.split(';').next());
        media_type.is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case("application/json"))
    }

    /// Percent-decodes the members of a result that came encoded.
    ///
    /// # Errors
    ///
    /// When a decoded member is not UTF-8.
    pub fn url_decode<T: UrlDecode>(&self, value: &mut T) -> Result<(), Error> {
        value.url_decode().map_err(|source| self.decode_error(source))
    }

    /// The text of the XML root element.
    ///
    /// # Errors
    ///
    /// As [`read_xml`](Reply::read_xml).
    pub fn root_text<T: FromText>(&self, root: Option<&str>) -> Result<T, Error> {
        let text = xml::read_root_text(self.document(), root).map_err(|source| self.decode_error(source))?;
        T::from_text(&text).map_err(|source| self.decode_error(source))
    }

    /// The JSON document, or the part of it under `root`.
    ///
    /// # Errors
    ///
    /// When the document is not JSON, is not complete, or has no such root.
    #[cfg(feature = "json")]
    pub fn json(&self, root: Option<&str>) -> Result<serde_json::Value, Error> {
        let mut value = crate::json::parse(self.document()).map_err(|source| self.decode_error(source))?;
        match root {
            None => Ok(value),
            Some(root) => match value.get_mut(root) {
                Some(inner) => Ok(inner.take()),
                None => Err(self.decode_error(format!("the document has no `{root}`"))),
            },
        }
    }

    /// The payload as text.
    ///
    /// # Errors
    ///
    /// When it is not UTF-8.
    pub fn text(&self) -> Result<String, Error> {
        match std::str::from_utf8(self.document()) {
            Ok(text) => Ok(text.to_owned()),
            Err(source) => Err(self.decode_error(source)),
        }
    }

    /// The last frame of an answer that consists of frames.
    ///
    /// # Errors
    ///
    /// When a frame is damaged or the last one is missing, or when it says that the operation failed.
    pub fn frames(&self) -> Result<MetaFrame, Error> {
        frames::read(self.document())
            .map_err(|fault| fault.into_error().with_answer(self.meta.status, &self.meta.headers))
    }

    /// Takes the payload as a stream.
    pub fn stream(&mut self) -> ResponseBody {
        match std::mem::replace(&mut self.payload, Payload::Taken) {
            Payload::Stream(body) => body,
            Payload::Document(bytes) => ResponseBody::from(bytes),
            Payload::Taken => ResponseBody::default(),
        }
    }

    /// What the application answered to the service's callback, if the request asked for one.
    pub fn callback_text(&self) -> Option<String> {
        self.callback
            .then(|| String::from_utf8_lossy(self.document()).into_owned())
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("meta", &self.meta)
            .finish_non_exhaustive()
    }
}
