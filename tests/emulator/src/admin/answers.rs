//! What the management listener answers with: JSON, and headers that keep browsers from making anything else of it.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use serde::Serialize;
use serde_json::json;

use crate::error::ServiceError;
use crate::handle::AnswerBody;
use crate::store::StoreError;

/// An answer of the management listener.
pub(crate) type Reply = Response<AnswerBody>;

/// Headers of every answer. An answer that sets one of them itself keeps its own.
const HEADERS: [(&str, &str); 7] = [
    (
        "content-security-policy",
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cache-control", "no-store"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
];

/// Why a request is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: Cow<'static, str>,
    pub(crate) message: String,
    pub(crate) allow: Option<&'static str>,
}

impl Refusal {
    pub(crate) fn new(status: u16, code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
            allow: None,
        }
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(
            401,
            "Unauthorized",
            "Show the token that the emulator was started with, as `Authorization: Bearer ...`.",
        )
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(404, "NotFound", message)
    }

    pub(crate) fn method(allow: &'static str) -> Self {
        Self {
            allow: Some(allow),
            ..Self::new(405, "MethodNotAllowed", format!("This address takes {allow}."))
        }
    }

    pub(super) fn reply(&self) -> Reply {
        let document = json!({"error": {"code": self.code, "message": self.message}});
        let mut reply = json_reply(self.status, &document);
        if let Some(allow) = self.allow {
            reply.headers_mut().insert("allow", HeaderValue::from_static(allow));
        }
        if self.status == 401 {
            reply
                .headers_mut()
                .insert("www-authenticate", HeaderValue::from_static("Bearer"));
        }
        reply
    }
}

impl From<ServiceError> for Refusal {
    fn from(error: ServiceError) -> Self {
        Self::new(error.status, error.code, error.message)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        ServiceError::from(error).into()
    }
}

/// An answer of bytes at hand.
pub(crate) fn reply(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Reply {
    let body = Full::new(body.into()).map_err(|never| match never {}).boxed_unsync();
    let mut reply = Response::new(body);
    *reply.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    reply
        .headers_mut()
        .insert("content-type", HeaderValue::from_static(content_type));
    reply
}

/// An answer of a JSON document.
pub(crate) fn json_reply(status: u16, document: &impl Serialize) -> Reply {
    match serde_json::to_vec(document) {
        Ok(bytes) => reply(status, "application/json", bytes),
        Err(_) => reply(500, "application/json", "{}"),
    }
}

/// Adds the headers that every answer has.
pub(super) fn seal(mut reply: Reply) -> Reply {
    for (name, value) in HEADERS {
        reply
            .headers_mut()
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    reply
}
