//! `GET /healthz` on the service's own address, for probes that know no other.
//!
//! `healthz` could be the name of a bucket, and then requests for it mean the bucket. Without one, only a request that is not signed
//! and has no query is taken for a probe; the service would answer it with `NoSuchBucket`, which no client waits for.

use http::request::Parts;
use http::{HeaderValue, Method, Response};
use http_body_util::{BodyExt as _, Full};

use crate::handle::AnswerBody;
use crate::request::header;
use crate::state::State;

const BUCKET: &str = "healthz";

/// Whether a request is a probe.
pub(crate) fn asks(state: &State, parts: &Parts) -> bool {
    let is_plain = (parts.method == Method::GET || parts.method == Method::HEAD)
        && parts.uri.path() == "/healthz"
        && parts.uri.query().is_none()
        && !parts.headers.contains_key("authorization");
    if !is_plain || state.store.bucket(BUCKET).is_ok() {
        return false;
    }
    let host = header(&parts.headers, "host").unwrap_or_default();
    let names = state.names.read().unwrap_or_else(std::sync::PoisonError::into_inner);
    names
        .resolve(host, parts.uri.path())
        .is_ok_and(|address| !address.hosted && address.bucket.as_deref() == Some(BUCKET))
}

pub(crate) fn answer() -> Response<AnswerBody> {
    let body = Full::new("ok\n".into()).map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    response
        .headers_mut()
        .insert("content-type", HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
