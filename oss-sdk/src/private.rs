//! What the expansions of the derive macros, and generated code outside this crate, refer to. Not part of the API.

pub use bytes::Bytes;
pub use http::{HeaderMap, Method};
#[cfg(feature = "json")]
pub use serde_json::Value;

pub use crate::body::{Body, ResponseBody};
pub use crate::client::Call;
#[cfg(feature = "dynamic")]
pub use crate::dynamic::{Entry, Output};
pub use crate::error::Error;
pub use crate::generated::oss::SERVICE;
#[cfg(feature = "json")]
pub use crate::json::{FromJson, JsonError, JsonObject, JsonReader, Names, ToJson};
pub use crate::operation::{Encoder, NextPage, Operation, Paginate, Presign, Reply, ResultMeta, Spec};
pub use crate::service::{BucketHost, Protocol, ServiceSpec, SigningResource};
pub use crate::text::{FromText, TextError, ToText, UrlDecode, WireText, from_base64, without_prefix};
pub use crate::time::Timestamp;
pub use crate::wait::{Verdict, Wait, WaiterSpec};
pub use crate::xml::{ReadXml, WriteXml, XmlError, XmlReader, XmlWriter};

/// What a derived operation gives: a struct that derives `FromXml`, or `()`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the output of an operation",
    label = "derive `FromXml` for this type",
    note = "an operation without a result of interest has the output `()`"
)]
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

/// A token of a listing, in a request or in its answer.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the token of a page",
    label = "a token is a `String` or an `i64`, or an `Option` of one"
)]
pub trait PageToken {
    /// What both sides have in common.
    type Value: PartialEq;

    /// The token, unless there is none or it is empty.
    fn token(&self) -> Option<Self::Value>;

    /// Replaces the token.
    fn put(&mut self, token: Option<Self::Value>);
}

impl PageToken for String {
    type Value = String;

    fn token(&self) -> Option<String> {
        (!self.is_empty()).then(|| self.clone())
    }

    fn put(&mut self, token: Option<String>) {
        *self = token.unwrap_or_default();
    }
}

impl PageToken for i64 {
    type Value = i64;

    fn token(&self) -> Option<i64> {
        Some(*self)
    }

    fn put(&mut self, token: Option<i64>) {
        *self = token.unwrap_or_default();
    }
}

impl<T: PageToken + Default> PageToken for Option<T> {
    type Value = T::Value;

    fn token(&self) -> Option<T::Value> {
        self.as_ref().and_then(T::token)
    }

    fn put(&mut self, token: Option<T::Value>) {
        *self = token.map(|token| {
            let mut value = T::default();
            value.put(Some(token));
            value
        });
    }
}

/// What an answer says about there being another page.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot say whether there is another page",
    label = "a `bool` or an `Option<bool>` can"
)]
pub trait MorePages {
    /// Whether there is another page; without a word there is none.
    fn has_more(&self) -> bool;
}

impl MorePages for bool {
    fn has_more(&self) -> bool {
        *self
    }
}

impl MorePages for Option<bool> {
    fn has_more(&self) -> bool {
        self.unwrap_or_default()
    }
}

/// The name of the root element of a struct that derives `ToXml`, when it is a document of its own.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a document",
    label = "derive `ToXml` for this type",
    note = "or name the root element: `#[oss(body = \"Root\")]`"
)]
pub trait XmlRoot {
    /// The element's name.
    const ROOT: &'static str;
}
