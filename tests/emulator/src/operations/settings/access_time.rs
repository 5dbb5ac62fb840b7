//! When objects were read last, in buckets that track it.

use std::time::Duration;

use super::lifecycle::LAST_ACCESS;
use super::overview;
use crate::error::ServiceError;
use crate::operations::Call;
use crate::time;

/// Accesses are kept to the day, as rules count them.
const PRECISION: Duration = Duration::from_secs(86_400);

/// Remembers that the object of a call is being read.
pub(in crate::operations) async fn note(call: &Call<'_>) -> Result<(), ServiceError> {
    let (bucket, key) = (call.bucket()?, call.key()?);
    if overview::setting(call, bucket, "accessmonitor", "Status")?.as_deref() != Some("Enabled") {
        return Ok(());
    }
    let Ok(object) = call.store().object(bucket, key, call.version()) else {
        return Ok(());
    };
    let noted = object
        .info()
        .meta
        .extra
        .get(LAST_ACCESS)
        .and_then(|text| text.parse().ok());
    let noted = noted.and_then(time::from_unix);
    if noted.is_some_and(|noted| call.now.duration_since(noted).is_ok_and(|age| age < PRECISION)) {
        return Ok(());
    }
    let now = time::unix_seconds(call.now).to_string();
    let update = call.store().update_object(bucket, key, call.version(), move |meta| {
        meta.extra.insert(LAST_ACCESS.to_owned(), now);
    });
    update.await?;
    Ok(())
}
