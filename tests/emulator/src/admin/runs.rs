//! `/_admin/lifecycle/run` and `/_admin/inventory/run`: what the service does by itself from time to time, done now.

use super::Admin;
use super::answers::{Refusal, Reply, json_reply};
use super::router::Ask;
use crate::error::ServiceError;
use crate::operations::{inventory, lifecycle};

pub(super) async fn lifecycle(admin: &Admin, mut ask: Ask) -> Result<Reply, Refusal> {
    ask.command().await?;
    let run = Box::pin(lifecycle::run(&admin.state, admin.state.clock.now())).await;
    Ok(json_reply(200, &run.map_err(failed)?))
}

pub(super) async fn inventory(admin: &Admin, mut ask: Ask) -> Result<Reply, Refusal> {
    ask.command().await?;
    let run = Box::pin(inventory::run(&admin.state, admin.state.clock.now())).await;
    Ok(json_reply(200, &run.map_err(failed)?))
}

fn failed(error: ServiceError) -> Refusal {
    Refusal::new(500, "Failed", error.message)
}
