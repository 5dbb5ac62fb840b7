//! The untyped form of a request and of its answer.

use std::borrow::Cow;
use std::fmt;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};

use super::{ResultMeta, ServiceSpec, Spec, Traits};
use crate::body::{Body, ResponseBody};
use crate::check::Invalid;
use crate::percent;

/// Query parameters, not encoded; `None` is a flag without a value.
type Query = Vec<(Cow<'static, str>, Option<String>)>;

/// A request to any operation, modelled or not: what
/// [`Client::invoke_operation`](crate::Client::invoke_operation) sends.
///
/// Names and values are given as they are; encoding and signing is the client's. Only what is set is sent: no content
/// type is guessed and no checksum is added unless asked for.
///
/// ```
/// use http::Method;
/// use oss_sdk::OperationInput;
///
/// let input = OperationInput::new("PutBucketCors", Method::PUT)
///     .bucket("examplebucket")
///     .query_flag("cors")
///     .header("content-type", "application/xml")
///     .body("<CORSConfiguration>...</CORSConfiguration>")
///     .content_md5();
/// ```
#[derive(Clone)]
#[must_use = "an input does nothing until it is invoked"]
pub struct OperationInput {
    pub(crate) name: Cow<'static, str>,
    /// `None` for inputs of a caller, which belong to the client's service.
    pub(crate) service: Option<&'static ServiceSpec>,
    pub(crate) method: Method,
    pub(crate) bucket: Option<String>,
    pub(crate) key: Option<String>,
    /// Percent-encoded path, without its first slash, of operations that have a path of their own.
    pub(crate) path: Option<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) query: Query,
    pub(crate) subresources: Cow<'static, [&'static str]>,
    pub(crate) body: Body,
    pub(crate) success: &'static [u16],
    pub(crate) traits: Traits,
    pub(crate) initial_crc64: Option<u64>,
    pub(crate) problem: Option<Invalid>,
}

impl OperationInput {
    /// A request to the service itself, without parameters; `name` stands in errors and logs.
    ///
    /// It may be repeated after an answer got lost unless the method is `POST` or `PATCH`.
    pub fn new(name: impl Into<Cow<'static, str>>, method: Method) -> Self {
        let traits = Traits {
            not_idempotent: matches!(method, Method::POST | Method::PATCH),
            ..Traits::default()
        };
        OperationInput {
            name: name.into(),
            service: None,
            method,
            bucket: None,
            key: None,
            path: None,
            headers: HeaderMap::new(),
            query: Vec::new(),
            subresources: Cow::Borrowed(&[]),
            body: Body::empty(),
            success: &[],
            traits: Traits {
                streams_response: true,
                ..traits
            },
            initial_crc64: None,
            problem: None,
        }
    }

    /// The input of a modelled operation, with its fixed query and headers.
    pub(super) fn of(spec: &'static Spec) -> Self {
        let mut headers = HeaderMap::new();
        for (name, value) in spec.headers {
            if let Ok(name) = HeaderName::from_bytes(name.as_bytes()) {
                headers.insert(name, HeaderValue::from_static(value));
            }
        }
        OperationInput {
            name: Cow::Borrowed(spec.name),
            service: Some(spec.service),
            method: spec.method.clone(),
            bucket: None,
            key: None,
            path: None,
            headers,
            query: spec
                .query
                .iter()
                .map(|(name, value)| (Cow::Borrowed(*name), value.map(str::to_owned)))
                .collect(),
            subresources: Cow::Borrowed(spec.subresources),
            body: Body::empty(),
            success: spec.success,
            traits: spec.traits,
            initial_crc64: None,
            problem: None,
        }
    }

    /// Name of the operation, for errors and logs.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Addresses a bucket: by its name, or a table bucket by its ARN.
    pub fn bucket(mut self, bucket: impl Into<String>) -> Self {
        self.bucket = Some(bucket.into());
        self
    }

    /// Addresses an object of the bucket.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Addresses a resource by the segments of its path, for services whose operations have paths of their own, such as
    /// `/namespaces/{table bucket ARN}/{namespace}`. Each is encoded as one segment, slashes in it too.
    pub fn path_segments<S: AsRef<str>>(mut self, segments: impl IntoIterator<Item = S>) -> Self {
        let mut path = String::new();
        for (index, segment) in segments.into_iter().enumerate() {
            if index > 0 {
                path.push('/');
            }
            percent::push_component(&mut path, segment.as_ref());
        }
        self.path = Some(path);
        self
    }

    /// Sets a header, replacing an earlier value.
    ///
    /// A name or value that HTTP cannot carry is reported when the input is invoked.
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.set_header(name.as_ref(), name.as_ref(), value.as_ref());
        self
    }

    /// Sets a query parameter, replacing an earlier value.
    pub fn query(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        self.set_query(name.into(), Some(value.into()));
        self
    }

    /// Sets a query parameter without a value, such as `cors`.
    pub fn query_flag(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.set_query(name.into(), None);
        self
    }

    /// Names a query parameter that signature V1 has to sign and that the SDK does not know as a sub-resource.
    /// Signature V4, the default, signs every parameter.
    pub fn subresource(mut self, name: &'static str) -> Self {
        self.subresources.to_mut().push(name);
        self
    }

    /// Sets the payload.
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends `Content-MD5` of the payload, which must be in memory.
    pub fn content_md5(mut self) -> Self {
        self.traits.content_md5 = true;
        self
    }

    /// Says whether the request may be repeated when its answer may have got lost.
    pub fn idempotent(mut self, idempotent: bool) -> Self {
        self.traits.not_idempotent = !idempotent;
        self
    }

    /// Sends the request without a signature.
    pub fn unsigned(mut self) -> Self {
        self.traits.unsigned = true;
        self
    }

    /// Compares CRC-64 of the payload with `x-oss-hash-crc64ecma` of the answer, when that has it.
    pub fn check_upload_crc64(mut self) -> Self {
        self.traits.upload_crc64 = true;
        self
    }

    /// Compares CRC-64 of a whole-object answer with `x-oss-hash-crc64ecma` at its end, and continues a broken answer.
    pub fn check_download_crc64(mut self) -> Self {
        self.traits.download_crc64 = true;
        self.traits.resumable_download = true;
        self
    }

    pub(crate) fn set_header(&mut self, member: &str, name: &str, value: &str) {
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
            return self.problem(member, "is not the name of a header");
        };
        match HeaderValue::from_bytes(value.as_bytes()) {
            Ok(value) => {
                self.headers.insert(name, value);
            }
            Err(_) => self.problem(member, "must not contain control characters, as the value of a header"),
        }
    }

    pub(crate) fn set_query(&mut self, name: Cow<'static, str>, value: Option<String>) {
        match self.query.iter_mut().find(|(known, _)| *known == name) {
            Some(parameter) => parameter.1 = value,
            None => self.query.push((name, value)),
        }
    }

    pub(crate) fn problem(&mut self, member: &str, rule: &str) {
        self.problem.get_or_insert_with(|| Invalid::new(member, rule));
    }

    /// Whether a query parameter is there, with or without a value.
    pub(crate) fn has_query(&self, name: &str) -> bool {
        self.query.iter().any(|(known, _)| known == name)
    }
}

/// Values of headers and parameters are left out: they may hold tokens.
impl fmt::Debug for OperationInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperationInput")
            .field("name", &self.name)
            .field("method", &self.method)
            .field("bucket", &self.bucket)
            .field("key", &self.key)
            .field(
                "headers",
                &self.headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(),
            )
            .field("query", &self.query.iter().map(|(name, _)| name).collect::<Vec<_>>())
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

/// The answer to an [`OperationInput`].
#[derive(Debug)]
#[non_exhaustive]
pub struct OperationOutput {
    /// The payload, not yet read.
    pub body: ResponseBody,
    pub(crate) meta: ResultMeta,
}

impl OperationOutput {
    /// HTTP status.
    pub fn status(&self) -> StatusCode {
        self.meta.status_code()
    }

    /// Headers.
    pub fn headers(&self) -> &HeaderMap {
        self.meta.headers()
    }

    /// Id of the request, to give to support.
    pub fn request_id(&self) -> &str {
        self.meta.request_id()
    }
}
