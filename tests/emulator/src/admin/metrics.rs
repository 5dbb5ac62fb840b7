//! `/metrics`: figures in the text format of Prometheus.

use http::Method;

use super::Admin;
use super::answers::{Refusal, Reply, reply};
use super::router::Ask;

pub(super) fn answer(admin: &Admin, ask: &Ask) -> Result<Reply, Refusal> {
    if ask.parts.method != Method::GET && ask.parts.method != Method::HEAD {
        return Err(Refusal::method("GET, HEAD"));
    }
    let text = admin.state.metrics.text(&admin.state.store);
    Ok(reply(200, "text/plain; version=0.0.4; charset=utf-8", text))
}
