//! What may not be overwritten or deleted: the retention policy of a bucket, its rules against overwriting, the locks of its objects.

use std::time::Duration;

use super::settings::worm;
use super::{Call, stored};
use crate::auth::Principal;
use crate::error::ServiceError;
use crate::store::{Guard, Retention, RetentionMode};
use crate::value::Record;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const DAYS_OF_YEAR: u32 = 365;

/// The rules that a write or a deletion in a bucket is under.
pub(super) fn guard(call: &Call<'_>, bucket: &str) -> Result<Guard, ServiceError> {
    Ok(Guard {
        bucket_retention: worm::retention(call.store(), bucket, call.now)?,
        bypass_governance: call.input.flag("bypass_governance_retention"),
    })
}

/// Whether this write must not replace an object, by its own header or by the rules of the bucket.
pub(super) fn forbids_overwrite(call: &Call<'_>, bucket: &str, key: &str) -> Result<bool, ServiceError> {
    if call.input.flag("forbid_overwrite") {
        return Ok(true);
    }
    let rules = stored::document(call, bucket, "GetBucketOverwriteConfig")?.unwrap_or_default();
    Ok(rules.records("rules").any(|rule| {
        let principals = rule.record("principals").map(|all| all.list("principals"));
        rule.text("action").is_none_or(|action| action == "forbid")
            && key.starts_with(rule.text_or_empty("prefix"))
            && key.ends_with(rule.text_or_empty("suffix"))
            && principals.is_none_or(|all| {
                all.is_empty()
                    || all.iter().any(|one| match one {
                        crate::value::Value::Text(pattern) => applies_to(pattern, &call.principal),
                        _ => false,
                    })
            })
    }))
}

/// Whether a principal of a rule, in which `*` stands for anything, means the caller.
fn applies_to(pattern: &str, principal: &Principal) -> bool {
    match principal.account() {
        Some(account) => is_like(pattern, account),
        None => pattern == "*",
    }
}

fn is_like(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut pieces = pieces.peekable();
    if pieces.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return rest.ends_with(piece);
        }
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    true
}

/// The configuration of object retention, where the bucket has it turned on.
pub(super) fn object_worm(call: &Call<'_>, bucket: &str) -> Result<Option<Record>, ServiceError> {
    let configuration = stored::document(call, bucket, "GetBucketObjectWormConfiguration")?;
    Ok(configuration.filter(|document| document.text("object_worm_enabled") == Some("Enabled")))
}

/// How the bucket retains objects that say nothing about it themselves.
pub(super) fn default_retention(call: &Call<'_>, bucket: &str) -> Result<Option<Retention>, ServiceError> {
    let configuration = object_worm(call, bucket)?;
    let rule = configuration
        .as_ref()
        .and_then(|document| document.record("rule"))
        .and_then(|rule| rule.record("default_retention"));
    let Some(rule) = rule else { return Ok(None) };
    let number = |name: &str| rule.integer(name).and_then(|number| u32::try_from(number).ok());
    let days = number("days").or_else(|| number("years").map(|years| years.saturating_mul(DAYS_OF_YEAR)));
    let mode = rule.text("mode").and_then(RetentionMode::parse);
    Ok(mode
        .zip(days)
        .and_then(|(mode, days)| Some((mode, call.now.checked_add(DAY * days)?)))
        .map(|(mode, until)| Retention { mode, until }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*", "1234", true),
            ("12*", "1234", true),
            ("*34", "1234", true),
            ("1*3*", "1234", true),
            ("1*4", "1234", true),
            ("1234", "1234", true),
            ("123", "1234", false),
            ("*3", "1234", false),
            ("1*5*4", "1234", false),
        ] {
            assert_eq!(is_like(pattern, text), expected, "{pattern} {text}");
        }
    }
}
