//! What lifecycle rules mean for an object: `x-oss-expiration` tells when one will delete it, `x-oss-transition-time` when one moved it.

use super::Call;
use super::settings::lifecycle::{TRANSITION_TIME, expiry_of, rules_of};
use crate::error::ServiceError;
use crate::store::ObjectInfo;
use crate::time;

/// The header's text, by the rule that comes first; nothing when no rule applies.
pub(super) fn shown(call: &Call<'_>, info: &ObjectInfo) -> Result<Option<String>, ServiceError> {
    let rules = rules_of(call.state, call.bucket()?)?;
    Ok(expiry_of(&rules, info).map(|(due, id)| format!("expiry-date=\"{}\", rule-id=\"{id}\"", time::http_date(due))))
}

/// When a rule moved the object to a cold or deep cold archive, as an HTTP date.
pub(super) fn transition(info: &ObjectInfo) -> Option<&str> {
    let is_cold = matches!(info.meta.storage_class.as_str(), "ColdArchive" | "DeepColdArchive");
    let moved = info.meta.extra.get(TRANSITION_TIME)?;
    is_cold.then_some(moved)
}
