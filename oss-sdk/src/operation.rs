//! What an operation is: a request that encodes itself and a result that decodes itself.
//!
//! Requests of the models and of derive macros implement [`Operation`]; their facts stand in a static [`Spec`]. An
//! [`Encoder`] collects a request as an untyped [`OperationInput`], which is all that the pipeline sees; a [`Reply`]
//! is what comes back.

use http::Method;

use crate::error::Error;
pub use crate::service::{BucketHost, Protocol, ServiceSpec, SigningResource};

mod encoder;
mod frames;
mod input;
mod reply;

pub use self::encoder::Encoder;
pub use self::frames::MetaFrame;
pub use self::input::{OperationInput, OperationOutput};
pub use self::reply::{Reply, ResultMeta};

pub(crate) use self::reply::Payload;

/// A request that a [`Client`](crate::Client) can send.
///
/// Generated requests implement it, and so do types that derive `OssOperation`.
pub trait Operation: Send + Sync {
    /// What a successful answer is read into.
    type Output: Send;

    /// The facts of the operation.
    fn spec() -> &'static Spec;

    /// Writes the members to where they belong. Problems are kept by the encoder, which names the member.
    fn encode(&self, out: &mut Encoder);

    /// Reads the answer.
    ///
    /// # Errors
    ///
    /// When the answer is not of the expected form.
    fn decode(reply: Reply) -> Result<Self::Output, Error>;
}

/// An operation that can be presigned: given as a URL to someone without credentials.
pub trait Presign: Operation {}

/// An operation whose answer comes in pages.
pub trait Paginate: Operation + Clone {
    /// What the pages list.
    type Item: Send;

    /// Moves the request to the page after `page`.
    fn next_page(&mut self, page: &Self::Output) -> NextPage;

    /// What the page lists.
    fn items(page: Self::Output) -> Vec<Self::Item>;
}

/// What comes after a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NextPage {
    /// Another page; the request asks for it now.
    More,
    /// Nothing, the listing is complete.
    Last,
    /// Another page, but the answer does not say where it begins, or says that it is the same page again.
    Lost,
}

/// Named behaviours of the runtime that an operation asks for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Traits {
    pub(crate) content_type_from_key: bool,
    pub(crate) upload_crc64: bool,
    pub(crate) append_crc64: bool,
    pub(crate) download_crc64: bool,
    pub(crate) resumable_download: bool,
    pub(crate) callback: bool,
    pub(crate) error_in_success: bool,
    pub(crate) slow: bool,
    pub(crate) unsigned: bool,
    pub(crate) content_md5: bool,
    pub(crate) not_idempotent: bool,
    pub(crate) streams_response: bool,
    pub(crate) select_frames: bool,
    pub(crate) meta_frames: bool,
}

/// Facts of an operation, built in a `static`.
///
/// ```
/// use oss_sdk::operation::{Protocol, ServiceSpec, Spec};
///
/// static SERVICE: ServiceSpec = ServiceSpec::new("oss", Protocol::RestXml);
/// static PUT_BUCKET_CORS: Spec =
///     Spec::new(&SERVICE, "PutBucketCors", http::Method::PUT).query(&[("cors", None)]).content_md5();
/// ```
#[derive(Debug)]
pub struct Spec {
    pub(crate) service: &'static ServiceSpec,
    pub(crate) name: &'static str,
    pub(crate) method: Method,
    pub(crate) query: &'static [(&'static str, Option<&'static str>)],
    pub(crate) headers: &'static [(&'static str, &'static str)],
    pub(crate) subresources: &'static [&'static str],
    pub(crate) success: &'static [u16],
    pub(crate) traits: Traits,
}

impl Spec {
    /// An operation of `service`, idempotent unless its method is `POST`.
    pub const fn new(service: &'static ServiceSpec, name: &'static str, method: Method) -> Self {
        Spec {
            service,
            name,
            method,
            query: &[],
            headers: &[],
            subresources: &[],
            success: &[],
            traits: Traits {
                content_type_from_key: false,
                upload_crc64: false,
                append_crc64: false,
                download_crc64: false,
                resumable_download: false,
                callback: false,
                error_in_success: false,
                slow: false,
                unsigned: false,
                content_md5: false,
                not_idempotent: false,
                streams_response: false,
                select_frames: false,
                meta_frames: false,
            },
        }
    }

    /// The service it belongs to.
    pub fn service(&self) -> &'static ServiceSpec {
        self.service
    }

    /// Its name, as in the API reference.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Its HTTP method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Sets the fixed query; `None` is a flag without a value.
    #[must_use]
    pub const fn query(mut self, query: &'static [(&'static str, Option<&'static str>)]) -> Self {
        self.query = query;
        self
    }

    /// Sets the fixed headers.
    #[must_use]
    pub const fn headers(mut self, headers: &'static [(&'static str, &'static str)]) -> Self {
        self.headers = headers;
        self
    }

    /// Sets the query keys that signature V1 signs for this operation besides those of the service.
    #[must_use]
    pub const fn subresources(mut self, subresources: &'static [&'static str]) -> Self {
        self.subresources = subresources;
        self
    }

    /// Sets the statuses that are a success besides every 2xx.
    #[must_use]
    pub const fn success(mut self, statuses: &'static [u16]) -> Self {
        self.success = statuses;
        self
    }
}

macro_rules! behaviours {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        impl Spec {
            $(
                $(#[$doc])*
                #[must_use]
                pub const fn $name(mut self) -> Self {
                    self.traits.$name = true;
                    self
                }
            )+
        }
    };
}

behaviours! {
    /// Sends `Content-MD5` of the payload.
    content_md5,
    /// The request must not be repeated once its answer may have got lost.
    not_idempotent,
    /// Without a `Content-Type` of the caller it is derived from the key's extension.
    content_type_from_key,
    /// CRC-64 of the payload is compared with the answer's.
    upload_crc64,
    /// The same, continued from the value given to [`Encoder::initial_crc64`], and not compared without it.
    append_crc64,
    /// CRC-64 of a whole-object answer is compared at its end.
    download_crc64,
    /// A broken answer is continued with a range request pinned to the `ETag`.
    resumable_download,
    /// A 203 answer is an error, and the answer is the callback's when the request asked for one.
    callback,
    /// A 2xx answer whose document is `Error` is an error.
    error_in_success,
    /// The service may stay silent for long.
    slow,
    /// The request is sent without a signature.
    unsigned,
    /// The answer's payload is handed out as a stream.
    streams_response,
    /// The answer's payload is data in the frames of `SelectObject`, which are taken off.
    select_frames,
    /// The answer is the frames of `CreateSelectObjectMeta`; [`Reply::frames`] reads the last one.
    meta_frames,
}
