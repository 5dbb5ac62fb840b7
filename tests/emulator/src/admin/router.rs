//! From a request to the management listener to what answers it.

use bytes::{Bytes, BytesMut};
use http::request::Parts;
use http::{Method, Request};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::answers::{Refusal, Reply, reply, seal};
use super::{Admin, browse, buckets, clock, faults, metrics, requests, reset, runs, ui};
use crate::request::{Query, header};

/// Largest JSON document.
const MAX_DOCUMENT: usize = 1024 * 1024;

/// A request that was admitted.
pub(crate) struct Ask {
    pub(crate) parts: Parts,
    pub(crate) query: Query,
    pub(crate) body: Incoming,
}

pub(super) async fn answer(admin: &Admin, request: Request<Incoming>) -> Reply {
    let (parts, body) = request.into_parts();
    let outcome = Box::pin(route(admin, parts, body)).await;
    seal(outcome.unwrap_or_else(|refusal| refusal.reply()))
}

async fn route(admin: &Admin, parts: Parts, body: Incoming) -> Result<Reply, Refusal> {
    let path = parts.uri.path().to_owned();
    if path == "/healthz" {
        // For probes, which have no token and call by whatever address they know.
        return match parts.method {
            Method::GET | Method::HEAD => Ok(reply(200, "text/plain; charset=utf-8", "ok\n")),
            _ => Err(Refusal::method("GET, HEAD")),
        };
    }
    let query = Query::parse(parts.uri.query().unwrap_or_default())
        .map_err(|_| Refusal::bad_request("The query is not UTF-8."))?;
    if path == "/_ui" || path.starts_with("/_ui/") {
        // The page judges by itself, since a browser that comes for the first time shows the token in the query.
        return ui::answer(admin, Ask { parts, query, body }).await;
    }
    if path == "/metrics" && admin.guard.open_metrics {
        admin.guard.check_host(&parts)?;
    } else {
        admin.guard.admit(&parts)?;
    }
    let ask = Ask { parts, query, body };
    match path.strip_prefix("/_admin/").unwrap_or(&path) {
        "/metrics" => metrics::answer(admin, &ask),
        "faults" => faults::answer(admin, ask).await,
        "clock" => clock::answer(admin, ask).await,
        "requests" => requests::answer(admin, &ask),
        "buckets" => buckets::answer(admin, &ask),
        "reset" => reset::answer(admin, ask).await,
        "lifecycle/run" => runs::lifecycle(admin, ask).await,
        "inventory/run" => runs::inventory(admin, ask).await,
        what => browse::answer(admin, what, ask).await,
    }
}

/// A document in which there is nothing to choose.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

impl Ask {
    /// Takes a `POST` that says nothing more than that something is to be done.
    pub(super) async fn command(&mut self) -> Result<(), Refusal> {
        if self.parts.method != Method::POST {
            return Err(Refusal::method("POST"));
        }
        let Nothing {} = self.json().await?;
        Ok(())
    }

    /// Reads a JSON document. Nothing at all counts as an empty object.
    pub(super) async fn json<T: DeserializeOwned>(&mut self) -> Result<T, Refusal> {
        let body = self.collect().await?;
        // Scripts of other sites can send forms and plain text without asking us first, but not this type.
        let content_type = header(&self.parts.headers, "content-type").unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        if !body.is_empty() && !essence.eq_ignore_ascii_case("application/json") {
            return Err(Refusal::new(
                415,
                "UnsupportedMediaType",
                "The body must be application/json.",
            ));
        }
        let document: &[u8] = if body.is_empty() { b"{}" } else { &body };
        serde_json::from_slice(document)
            .map_err(|error| Refusal::bad_request(format!("The document is wrong: {error}.")))
    }

    async fn collect(&mut self) -> Result<Bytes, Refusal> {
        let too_large = || Refusal::new(413, "TooLarge", format!("Documents have at most {MAX_DOCUMENT} bytes."));
        let declared = header(&self.parts.headers, "content-length").and_then(|text| text.parse::<usize>().ok());
        if declared.is_some_and(|length| length > MAX_DOCUMENT) {
            return Err(too_large());
        }
        let mut gathered = BytesMut::new();
        while let Some(frame) = self.body.frame().await {
            let frame = frame.map_err(|_| Refusal::bad_request("The body ended early."))?;
            if let Ok(data) = frame.into_data() {
                if gathered.len() + data.len() > MAX_DOCUMENT {
                    return Err(too_large());
                }
                gathered.extend_from_slice(&data);
            }
        }
        Ok(gathered.freeze())
    }

    /// A parameter of the query that has to be there.
    pub(super) fn needed(&self, name: &str) -> Result<&str, Refusal> {
        let value = self.query.get(name).filter(|value| !value.is_empty());
        value.ok_or_else(|| Refusal::bad_request(format!("`{name}` is missing.")))
    }

    /// A number of the query, or the default.
    pub(super) fn number(&self, name: &str, default: usize) -> Result<usize, Refusal> {
        match self.query.get(name) {
            None => Ok(default),
            Some(text) => text
                .parse()
                .map_err(|_| Refusal::bad_request(format!("`{name}` must be a whole number."))),
        }
    }
}
