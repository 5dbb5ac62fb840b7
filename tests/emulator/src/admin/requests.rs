//! `/_admin/requests`: what was asked lately, newest first.

use http::Method;
use serde_json::json;

use super::Admin;
use super::answers::{Refusal, Reply, json_reply};
use super::router::Ask;

/// Requests in an answer that does not say how many.
const USUAL: usize = 100;
/// Requests in an answer, however many are asked for.
const MOST: usize = 1000;

pub(super) fn answer(admin: &Admin, ask: &Ask) -> Result<Reply, Refusal> {
    let log = &admin.state.log;
    match ask.parts.method {
        Method::GET | Method::HEAD => {
            let limit = ask.number("limit", USUAL)?.min(MOST);
            Ok(json_reply(200, &json!({"requests": log.latest(limit)})))
        }
        Method::DELETE => {
            log.clear();
            Ok(json_reply(200, &json!({"requests": []})))
        }
        _ => Err(Refusal::method("GET, DELETE")),
    }
}
