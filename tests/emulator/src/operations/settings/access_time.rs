//! When objects were read last, in buckets that track it.

use std::time::{Duration, SystemTime};

use super::lifecycle::{self, LAST_ACCESS, TRANSITION_TIME};
use super::overview;
use crate::error::ServiceError;
use crate::operations::Call;
use crate::store::ObjectInfo;
use crate::time;

/// Accesses are kept to the day, as rules count them.
const PRECISION: Duration = Duration::from_secs(86_400);

/// Remembers that the object of a call is being read. Who reads is not kept from it when that cannot be remembered.
pub(in crate::operations) async fn note(call: &Call<'_>) {
    if let Err(error) = try_note(call).await {
        tracing::warn!(code = %error.code, message = %error.message, "the time of an access could not be noted");
    }
}

async fn try_note(call: &Call<'_>) -> Result<(), ServiceError> {
    let (bucket, key) = (call.bucket()?, call.key()?);
    if !is_tracked(call)? {
        return Ok(());
    }
    let Ok(object) = call.store().object(bucket, key, call.version()) else {
        return Ok(());
    };
    let returns = returns(call, object.info())?;
    if !returns
        && noted(object.info()).is_some_and(|noted| call.now.duration_since(noted).is_ok_and(|age| age < PRECISION))
    {
        return Ok(());
    }
    let now = time::unix_seconds(call.now).to_string();
    let update = call.store().update_object(bucket, key, call.version(), move |meta| {
        meta.extra.insert(LAST_ACCESS.to_owned(), now);
        // Unless somebody else has changed it meanwhile.
        if returns && meta.extra.remove(TRANSITION_TIME).is_some() {
            "Standard".clone_into(&mut meta.storage_class);
        }
    });
    update.await?;
    Ok(())
}

/// Whether a rule moved the object to infrequent access until somebody reads it.
fn returns(call: &Call<'_>, info: &ObjectInfo) -> Result<bool, ServiceError> {
    if info.meta.storage_class != "IA" || !info.meta.extra.contains_key(TRANSITION_TIME) {
        return Ok(false);
    }
    let rules = lifecycle::rules_of(call.state, call.bucket()?)?;
    Ok(rules.iter().any(|rule| rule.returns(info)))
}

/// When an object was read last, or written when that was later; nothing in buckets that do not track it.
pub(in crate::operations) fn shown(call: &Call<'_>, info: &ObjectInfo) -> Result<Option<SystemTime>, ServiceError> {
    let last = noted(info).map_or(info.last_modified, |noted| noted.max(info.last_modified));
    Ok(is_tracked(call)?.then_some(last))
}

fn is_tracked(call: &Call<'_>) -> Result<bool, ServiceError> {
    let status = overview::setting(call, call.bucket()?, "accessmonitor", "Status")?;
    Ok(status.as_deref() == Some("Enabled"))
}

fn noted(info: &ObjectInfo) -> Option<SystemTime> {
    let text = info.meta.extra.get(LAST_ACCESS)?;
    time::from_unix(text.parse().ok()?)
}
