//! What expansions of the derive macros, and generated code of other crates, refer to. Nothing here is stable for anyone
//! else: every item that users may name has a path of its own.

pub use bytes::Bytes;
pub use http::{HeaderMap, Method};
#[cfg(feature = "json")]
pub use serde_json::Value;

pub use crate::body::{Body, ResponseBody};
pub use crate::client::Call;
pub use crate::error::Error;
#[cfg(feature = "json")]
pub use crate::json::{FromJson, JsonError, JsonObject, JsonReader, Names, ToJson};
pub use crate::operation::{Encoder, Operation, Paginate, Presign, Reply, ResultMeta, Spec};
pub use crate::service::{BucketHost, Protocol, ServiceSpec, SigningResource};
pub use crate::text::{FromText, TextError, ToText, UrlDecode};
pub use crate::time::Timestamp;
pub use crate::xml::{ReadXml, WriteXml, XmlError, XmlReader, XmlWriter};

pub use crate::generated::oss::SERVICE;

/// What a derived operation gives: a struct that derives `FromXml`, or `()`.
pub trait FromReply: Sized {
    /// Whether the payload is handed out as a stream.
    const STREAMS: bool;

    /// Reads the answer.
    ///
    /// # Errors
    ///
    /// When the answer is not of the expected form.
    fn from_reply(reply: Reply) -> Result<Self, Error>;
}

impl FromReply for () {
    const STREAMS: bool = false;

    fn from_reply(_reply: Reply) -> Result<Self, Error> {
        Ok(())
    }
}

/// The name of the root element of a struct that derives `ToXml`, when it is a document of its own.
pub trait XmlRoot {
    /// The element's name.
    const ROOT: &'static str;
}
