//! RestoreObject and CleanRestoredObject, and what the archive classes mean for reading.

use std::time::{Duration, SystemTime};

use super::{Call, read, stored};
use crate::answer::Answer;
use crate::error::ServiceError;
use crate::store::{ObjectInfo, Restore};
use crate::time;
use crate::value::Record;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: Duration = Duration::from_secs(24 * HOUR);

/// An archive class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Archive {
    Plain,
    Cold,
    DeepCold,
}

impl Archive {
    fn of(info: &ObjectInfo) -> Option<Self> {
        match info.meta.storage_class.as_str() {
            "Archive" => Some(Self::Plain),
            "ColdArchive" => Some(Self::Cold),
            "DeepColdArchive" => Some(Self::DeepCold),
            _ => None,
        }
    }

    /// The longest that a restored object stays readable.
    fn most_days(self) -> u32 {
        match self {
            Self::Plain => 7,
            Self::Cold | Self::DeepCold => 365,
        }
    }

    /// How long a restore takes: the longest that the service promises. Nothing for a speed that the class does not have.
    fn duration(self, tier: &str) -> Option<Duration> {
        let seconds = match (self, tier) {
            (Self::Plain, _) => MINUTE,
            (Self::Cold, "Expedited") => HOUR,
            (Self::Cold, "Standard") => 5 * HOUR,
            (Self::Cold, "Bulk") | (Self::DeepCold, "Expedited") => 12 * HOUR,
            (Self::DeepCold, "Standard") => 48 * HOUR,
            _ => return None,
        };
        Some(Duration::from_secs(seconds))
    }
}

/// Where an archived object is between the archive and its reader.
#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Frozen,
    Restoring,
    Restored { expires: SystemTime },
}

impl State {
    fn of(restore: Option<&Restore>, now: SystemTime) -> Self {
        match restore {
            Some(restore) if now < restore.ready => Self::Restoring,
            Some(restore) if now < restore.expires => Self::Restored {
                expires: restore.expires,
            },
            _ => Self::Frozen,
        }
    }
}

/// The text of `x-oss-restore` and `RestoreInfo`; nothing for what is not archived or not restored.
pub(super) fn shown(info: &ObjectInfo, now: SystemTime) -> Option<String> {
    Archive::of(info)?;
    match State::of(info.meta.restore.as_ref(), now) {
        State::Frozen => None,
        State::Restoring => Some("ongoing-request=\"true\"".to_owned()),
        State::Restored { expires } => Some(format!(
            "ongoing-request=\"false\", expiry-date=\"{}\"",
            time::http_date(expires)
        )),
    }
}

/// Objects of the archive classes cannot be read before they are restored, unless the bucket allows it for the least of them.
pub(super) fn refuse_archived(call: &Call<'_>, bucket: &str, info: &ObjectInfo) -> Result<(), ServiceError> {
    let Some(class) = Archive::of(info) else {
        return Ok(());
    };
    if matches!(State::of(info.meta.restore.as_ref(), call.now), State::Restored { .. }) {
        return Ok(());
    }
    if class == Archive::Plain
        && stored::document(call, bucket, "GetBucketArchiveDirectRead")?.is_some_and(|config| config.flag("enabled"))
    {
        return Ok(());
    }
    Err(ServiceError::new(
        403,
        "InvalidObjectState",
        "The operation is not valid for the object's state.",
    )
    .detail("ObjectName", &info.key))
}

/// What a request came to.
struct Begun {
    /// Whether the object was readable already.
    readable: bool,
    /// The speed, for classes that have several.
    tier: Option<String>,
}

pub(super) async fn restore(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let opened = read::open(call)?;
    let request = call.input.record("restore_request").cloned().unwrap_or_default();
    let now = call.now;
    let begun = call
        .store()
        .revise_object(call.bucket()?, call.key()?, call.version(), move |info| {
            begin(info, &request, now)
        })
        .await??;
    let values = Record::new()
        .with_some("version_id", call.shown_version(opened.info())?)
        .with_some("restore_priority", begun.tier);
    Ok(Answer::ok(call.modelled(values)).status(if begun.readable { 200 } else { 202 }))
}

fn begin(info: &mut ObjectInfo, request: &Record, now: SystemTime) -> Result<Begun, ServiceError> {
    let class = Archive::of(info).ok_or_else(|| not_supported(info))?;
    let days = match request.integer("days") {
        None => 1,
        Some(days) => u32::try_from(days)
            .ok()
            .filter(|days| (1..=class.most_days()).contains(days))
            .ok_or_else(|| {
                let message = format!("The value of Days is not within 1 and {}.", class.most_days());
                ServiceError::invalid_argument(message, "Days", &days.to_string())
            })?,
    };
    let asked = request.record("job_parameters").and_then(|job| job.text("tier"));
    let tier = match class {
        Archive::Plain => "",
        Archive::Cold | Archive::DeepCold => asked.unwrap_or("Standard"),
    };
    let duration = class.duration(tier).ok_or_else(|| {
        ServiceError::invalid_argument("The storage class does not have this restore priority.", "Tier", tier)
    })?;
    let shown = (!tier.is_empty()).then(|| tier.to_owned());
    let old = info.meta.restore.as_ref();
    match State::of(old, now) {
        State::Restored { expires } => {
            let prolonged = now + DAY * days;
            if let Some(restore) = &mut info.meta.restore {
                restore.expires = expires.max(prolonged);
            }
            return Ok(Begun {
                readable: true,
                tier: shown,
            });
        }
        State::Restoring => {
            let faster = old
                .and_then(|old| class.duration(&old.tier))
                .is_some_and(|old| duration < old);
            // Without a priority of its own a request does not ask for a faster one.
            if asked.is_none() || !faster {
                return Err(ServiceError::new(
                    409,
                    "RestoreAlreadyInProgress",
                    "The restore operation is in progress.",
                )
                .detail("Key", &info.key));
            }
        }
        State::Frozen => {}
    }
    let ready = now + duration;
    info.meta.restore = Some(Restore {
        tier: tier.to_owned(),
        ready,
        expires: ready + DAY * days,
    });
    Ok(Begun {
        readable: false,
        tier: shown,
    })
}

pub(super) async fn clean(call: &Call<'_>) -> Result<Answer, ServiceError> {
    read::open(call)?;
    let now = call.now;
    call.store()
        .revise_object(call.bucket()?, call.key()?, call.version(), move |info| {
            match Archive::of(info) {
                None | Some(Archive::Plain) => return Err(not_supported(info)),
                Some(Archive::Cold | Archive::DeepCold) => {}
            }
            let conflict = |code: &str, message: &str| ServiceError::new(409, code, message).detail("Key", &info.key);
            match State::of(info.meta.restore.as_ref(), now) {
                State::Frozen => Err(conflict(
                    "ArchiveRestoreFileStale",
                    "The archive file or restore info stale",
                )),
                State::Restoring => Err(conflict(
                    "ArchiveRestoreNotFinished",
                    "The restore of the archived object has not finished.",
                )),
                State::Restored { .. } => {
                    info.meta.restore = None;
                    Ok(())
                }
            }
        })
        .await??;
    Ok(Answer::empty())
}

fn not_supported(info: &ObjectInfo) -> ServiceError {
    ServiceError::new(
        400,
        "OperationNotSupported",
        "The operation is not supported for this resource.",
    )
    .detail("ResourceType", "Object")
    .detail("StorageClass", &info.meta.storage_class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restore_passes_through_its_states() {
        let at = |seconds: i64| time::from_unix(seconds).unwrap();
        let restore = Restore {
            tier: String::new(),
            ready: at(60),
            expires: at(120),
        };
        for (now, state) in [
            (0, State::Restoring),
            (59, State::Restoring),
            (60, State::Restored { expires: at(120) }),
            (119, State::Restored { expires: at(120) }),
            (120, State::Frozen),
        ] {
            assert_eq!(State::of(Some(&restore), at(now)), state, "{now}");
        }
        assert_eq!(State::of(None, at(0)), State::Frozen);
    }
}
