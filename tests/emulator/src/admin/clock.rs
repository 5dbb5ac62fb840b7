//! `/_admin/clock`: the time that the emulator goes by.

use std::time::Duration;

use http::Method;
use serde::Deserialize;
use serde_json::json;

use super::Admin;
use super::answers::{Refusal, Reply, json_reply};
use super::router::Ask;
use crate::time;

/// One change of the clock, or several, done in this order.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Change {
    /// Stops the clock where it is, or lets it go on from there.
    freeze: Option<bool>,
    /// Shows this time, as `2026-01-31T08:05:09Z`.
    set: Option<String>,
    /// Seconds from the system's clock; negative is behind.
    offset_seconds: Option<i64>,
    /// Seconds to go forward.
    advance_seconds: Option<u64>,
}

pub(super) async fn answer(admin: &Admin, mut ask: Ask) -> Result<Reply, Refusal> {
    let clock = &admin.state.clock;
    match ask.parts.method {
        Method::GET | Method::HEAD => {}
        Method::POST => {
            let change: Change = ask.json().await?;
            let set = change.set.as_deref().map(|text| {
                time::parse_iso8601(text)
                    .ok_or_else(|| Refusal::bad_request("`set` must be of the form 2026-01-31T08:05:09Z."))
            });
            let set = set.transpose()?;
            match change.freeze {
                Some(true) => clock.freeze(),
                Some(false) => clock.resume(),
                None => {}
            }
            if let Some(time) = set {
                clock.set(time);
            }
            if let Some(seconds) = change.offset_seconds {
                clock.set_offset(seconds);
            }
            if let Some(seconds) = change.advance_seconds {
                clock.advance(Duration::from_secs(seconds));
            }
            tracing::info!(now = %time::iso8601(clock.now()), frozen = clock.is_frozen(), "the clock was changed");
        }
        _ => return Err(Refusal::method("GET, POST")),
    }
    Ok(json_reply(
        200,
        &json!({
            "now": time::iso8601_millis(clock.now()),
            "frozen": clock.is_frozen(),
            "offset_seconds": clock.offset_seconds(),
        }),
    ))
}
