//! `/_admin/faults`: the faults in store.

use http::Method;
use serde_json::json;

use super::Admin;
use super::answers::{Refusal, Reply, json_reply};
use super::router::Ask;
use crate::fault::Fault;

/// GET lists, POST adds one, DELETE removes the one of `?id=`, or all.
pub(super) async fn answer(admin: &Admin, mut ask: Ask) -> Result<Reply, Refusal> {
    let faults = &admin.state.faults;
    match ask.parts.method {
        Method::GET | Method::HEAD => Ok(json_reply(200, &json!({"faults": faults.list()}))),
        Method::POST => {
            let fault: Fault = ask.json().await?;
            tracing::info!(%fault, "a fault was added");
            let id = faults.add(fault);
            Ok(json_reply(201, &json!({"id": id})))
        }
        Method::DELETE => {
            match ask.query.get("id") {
                None => faults.clear(),
                Some(id) => {
                    let id = id
                        .parse()
                        .map_err(|_| Refusal::bad_request("`id` must be a whole number."))?;
                    if !faults.remove(id) {
                        return Err(Refusal::not_found("There is no fault with this id."));
                    }
                }
            }
            Ok(json_reply(200, &json!({"faults": faults.list()})))
        }
        _ => Err(Refusal::method("GET, POST, DELETE")),
    }
}
