//! Retention and legal hold of single objects: the four operations, and the headers of uploads.

use std::time::SystemTime;

use super::{Call, read, retention};
use crate::answer::Answer;
use crate::error::ServiceError;
use crate::store::{ObjectInfo, ObjectKind, ObjectLock, Retention, RetentionMode};
use crate::time;
use crate::value::Record;

/// What an upload says about the protection of its object.
pub(super) fn requested(call: &Call<'_>, bucket: &str) -> Result<ObjectLock, ServiceError> {
    let input = &call.input;
    let hold = input.text("object_worm_legal_hold").map(|status| status == "ON");
    let (mode, until) = (
        input.text("object_worm_mode"),
        input.text("object_worm_retain_until_date"),
    );
    if mode.is_none() && until.is_none() && hold.is_none() {
        return Ok(ObjectLock::default());
    }
    require_worm(call, bucket)?;
    let retention = match (mode, until) {
        (None, None) => None,
        (Some(mode), Some(until)) => Some(parse(mode, until, "x-oss-object-worm-retain-until-date", call.now)?),
        _ => {
            return Err(ServiceError::invalid_argument(
                "x-oss-object-worm-mode and x-oss-object-worm-retain-until-date must be given together.",
                "x-oss-object-worm-mode",
                mode.unwrap_or_default(),
            ));
        }
    };
    Ok(ObjectLock {
        retention,
        legal_hold: hold,
    })
}

/// Adds what answers show of the protection of an object, by the names of the models.
pub(super) fn show(info: &ObjectInfo, values: Record) -> Record {
    let lock = &info.meta.lock;
    values
        .with_some(
            "object_worm_mode",
            lock.retention.map(|retention| retention.mode.as_str()),
        )
        .with_some(
            "object_worm_retain_until_date",
            lock.retention.map(|retention| time::iso8601_millis(retention.until)),
        )
        .with_some("object_worm_legal_hold", lock.legal_hold.map(on_off))
}

pub(super) async fn put_retention(call: &Call<'_>) -> Result<Answer, ServiceError> {
    require_worm(call, call.bucket()?)?;
    read::open(call)?;
    let document = call.input.record("retention").cloned().unwrap_or_default();
    let wanted = match (document.text("mode"), document.text("retain_until_date")) {
        (None, None) => None,
        (Some(mode), Some(until)) => Some(parse(mode, until, "RetainUntilDate", call.now)?),
        _ => return Err(ServiceError::malformed_xml("Mode and RetainUntilDate go together")),
    };
    let (now, bypass) = (call.now, call.input.flag("bypass_governance_retention"));
    call.store()
        .revise_object(call.bucket()?, call.key()?, call.version(), move |info| {
            if info.kind == ObjectKind::Appendable {
                return Err(invalid_request("An appendable object cannot be retained."));
            }
            check_change(info.meta.lock.retention, wanted, now, bypass)?;
            info.meta.lock.retention = wanted;
            Ok(())
        })
        .await??;
    Ok(Answer::empty())
}

/// A retention in force can be put off by anybody and weakened by nobody, but for governance with the right to bypass it.
fn check_change(
    old: Option<Retention>,
    new: Option<Retention>,
    now: SystemTime,
    bypass: bool,
) -> Result<(), ServiceError> {
    let Some(old) = old.filter(|old| now < old.until) else {
        return Ok(());
    };
    let weaker =
        new.is_none_or(|new| new.until < old.until || old.mode == RetentionMode::Compliance && new.mode != old.mode);
    if weaker && !(bypass && old.mode == RetentionMode::Governance) {
        return Err(ServiceError::access_denied(
            "The retention of the object cannot be shortened or taken off.",
        ));
    }
    Ok(())
}

pub(super) fn retention(call: &Call<'_>) -> Result<Answer, ServiceError> {
    require_worm(call, call.bucket()?)?;
    let object = read::open(call)?;
    let retention = object.info().meta.lock.retention;
    let document = Record::new()
        .with_some("mode", retention.map(|retention| retention.mode.as_str()))
        .with_some(
            "retain_until_date",
            retention.map(|retention| time::iso8601_millis(retention.until)),
        );
    Ok(Answer::ok(Record::new().with("retention", document)))
}

pub(super) async fn put_legal_hold(call: &Call<'_>) -> Result<Answer, ServiceError> {
    require_worm(call, call.bucket()?)?;
    read::open(call)?;
    let status = call
        .input
        .record("legal_hold")
        .and_then(|document| document.text("status"));
    let hold = status == Some("ON");
    call.store()
        .update_object(call.bucket()?, call.key()?, call.version(), move |meta| {
            meta.lock.legal_hold = Some(hold);
        })
        .await?;
    Ok(Answer::empty())
}

pub(super) fn legal_hold(call: &Call<'_>) -> Result<Answer, ServiceError> {
    require_worm(call, call.bucket()?)?;
    let object = read::open(call)?;
    let status = on_off(object.info().meta.lock.legal_hold == Some(true));
    Ok(Answer::ok(
        Record::new().with("legal_hold", Record::new().with("status", status)),
    ))
}

fn on_off(hold: bool) -> &'static str {
    if hold { "ON" } else { "OFF" }
}

fn parse(mode: &str, until: &str, name: &str, now: SystemTime) -> Result<Retention, ServiceError> {
    let invalid = |why: &str| ServiceError::invalid_argument(why, name, until);
    let mode = RetentionMode::parse(mode).ok_or_else(|| invalid("The retention mode is not known."))?;
    let date = time::parse_iso8601(until).ok_or_else(|| invalid("The retain until date is not an ISO 8601 time."))?;
    if date <= now {
        return Err(invalid("The retain until date must be in the future."));
    }
    Ok(Retention { mode, until: date })
}

fn require_worm(call: &Call<'_>, bucket: &str) -> Result<(), ServiceError> {
    match retention::object_worm(call, bucket)? {
        Some(_) => Ok(()),
        None => Err(invalid_request(
            "The bucket is missing the configuration of object retention.",
        )),
    }
}

fn invalid_request(message: &str) -> ServiceError {
    ServiceError::new(400, "InvalidRequest", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retention_in_force_is_never_weakened_but_by_bypass() {
        use RetentionMode::{Compliance, Governance};
        let at = |seconds: i64| time::from_unix(seconds).unwrap();
        let some = |mode, seconds| {
            Some(Retention {
                mode,
                until: at(seconds),
            })
        };
        for (old, new, bypass, allowed) in [
            (None, some(Compliance, 20), false, true),
            (some(Compliance, 20), some(Compliance, 30), false, true),
            (some(Compliance, 20), some(Compliance, 19), true, false),
            (some(Compliance, 20), some(Governance, 30), true, false),
            (some(Compliance, 20), None, true, false),
            (some(Compliance, 9), None, false, true),
            (some(Governance, 20), some(Governance, 19), false, false),
            (some(Governance, 20), some(Governance, 19), true, true),
            (some(Governance, 20), some(Compliance, 20), false, true),
            (some(Governance, 20), None, false, false),
            (some(Governance, 20), None, true, true),
        ] {
            assert_eq!(
                check_change(old, new, at(10), bypass).is_ok(),
                allowed,
                "{old:?} to {new:?}, {bypass}"
            );
        }
    }
}
