//! `/_admin/reset`: back to an emulator without buckets, for the next test of a process that keeps running.

use std::sync::PoisonError;

use serde_json::json;

use super::Admin;
use super::answers::{Refusal, Reply, json_reply};
use super::router::Ask;

/// Forgets buckets, faults and requests. Refused when the data is kept in a directory, where a slip would cost more than a test.
pub(super) async fn answer(admin: &Admin, mut ask: Ask) -> Result<Reply, Refusal> {
    ask.command().await?;
    let Some(buckets) = admin.state.store.forget_all() else {
        return Err(Refusal::new(
            409,
            "KeptOnDisk",
            "The data is kept in a directory and is not forgotten; delete the buckets instead.",
        ));
    };
    let mut names = admin.state.names.write().unwrap_or_else(PoisonError::into_inner);
    names.release_all();
    drop(names);
    admin.state.faults.clear();
    admin.state.log.clear();
    tracing::info!(buckets, "everything was forgotten");
    Ok(json_reply(200, &json!({"buckets": buckets})))
}
