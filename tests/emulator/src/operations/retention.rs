//! What may not be overwritten or deleted: the retention policy of a bucket, its rules against overwriting, the locks of its objects.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use oss_codegen::api::Api;

use super::settings::{quota, worm};
use super::{Call, stored};
use crate::error::ServiceError;
use crate::store::{Documents, Guard, Retention, RetentionMode, Rules, StoreError, Terms};
use crate::value::{Record, Value};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const DAYS_OF_YEAR: u32 = 365;

/// The rules that a deletion in a bucket is under, or a write that replaces nothing.
pub(super) fn guard(call: &Call<'_>) -> Guard {
    guard_of(call, None)
}

/// The rules that writing an object is under.
pub(super) fn guard_of(call: &Call<'_>, key: Option<&str>) -> Guard {
    Guard {
        rules: Some(Arc::new(BucketRules {
            api: call.state.api,
            key: key.map(str::to_owned),
            account: call.principal.account().map(str::to_owned),
        })),
        bypass_governance: call.input.flag("bypass_governance_retention"),
    }
}

/// The rules for what the service does by itself.
pub(super) fn guard_of_service(api: &'static Api) -> Guard {
    Guard {
        rules: Some(Arc::new(BucketRules {
            api,
            key: None,
            account: None,
        })),
        bypass_governance: false,
    }
}

/// Reads the rules of a bucket when a change happens.
struct BucketRules {
    api: &'static Api,
    /// The object that would be replaced.
    key: Option<String>,
    /// Who asks; nobody when the request is anonymous.
    account: Option<String>,
}

impl fmt::Debug for BucketRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BucketRules")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

impl Rules for BucketRules {
    fn read(&self, documents: &Documents, now: SystemTime) -> Result<Terms, StoreError> {
        let terms = || -> Result<Terms, ServiceError> {
            let worm = object_worm_among(self.api, documents)?;
            Ok(Terms {
                bucket_retention: worm::retention(documents, now)?,
                forbid_overwrite: match &self.key {
                    Some(key) => forbids(self.api, documents, key, self.account.as_deref())?,
                    None => false,
                },
                forbid_append: worm.is_some(),
                default_retention: worm.and_then(|worm| default_of(&worm, now)),
                quota: quota::strict(documents),
            })
        };
        terms().map_err(|error| StoreError::Corrupt(error.message))
    }
}

/// Whether this write must not replace an object, by its own header or by the rules of the bucket.
pub(super) fn forbids_overwrite(call: &Call<'_>, bucket: &str, key: &str) -> Result<bool, ServiceError> {
    if call.input.flag("forbid_overwrite") {
        return Ok(true);
    }
    let account = call.principal.account();
    call.store()
        .read_documents(bucket, |documents| forbids(call.state.api, documents, key, account))?
}

fn forbids(api: &'static Api, documents: &Documents, key: &str, account: Option<&str>) -> Result<bool, ServiceError> {
    let rules = stored::among(api, documents, "GetBucketOverwriteConfig")?.unwrap_or_default();
    Ok(rules.records("rules").any(|rule| {
        let principals = rule.record("principals").map(|all| all.list("principals"));
        rule.text("action").is_none_or(|action| action == "forbid")
            && key.starts_with(rule.text_or_empty("prefix"))
            && key.ends_with(rule.text_or_empty("suffix"))
            && principals.is_none_or(|all| {
                all.is_empty()
                    || all.iter().any(|one| match one {
                        Value::Text(pattern) => applies_to(pattern, account),
                        _ => false,
                    })
            })
    }))
}

/// Whether a principal of a rule, in which `*` stands for anything, means the caller.
fn applies_to(pattern: &str, account: Option<&str>) -> bool {
    match account {
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
    call.store()
        .read_documents(bucket, |documents| object_worm_among(call.state.api, documents))?
}

pub(super) fn object_worm_among(api: &'static Api, documents: &Documents) -> Result<Option<Record>, ServiceError> {
    let configuration = stored::among(api, documents, "GetBucketObjectWormConfiguration")?;
    Ok(configuration.filter(|document| document.text("object_worm_enabled") == Some("Enabled")))
}

/// How a bucket retains objects that say nothing about it themselves and are written now.
fn default_of(worm: &Record, now: SystemTime) -> Option<Retention> {
    let rule = worm.record("rule")?.record("default_retention")?;
    let number = |name: &str| rule.integer(name).and_then(|number| u32::try_from(number).ok());
    let days = number("days").or_else(|| number("years").map(|years| years.saturating_mul(DAYS_OF_YEAR)))?;
    Some(Retention {
        mode: rule.text("mode").and_then(RetentionMode::parse)?,
        until: now.checked_add(DAY.checked_mul(days)?)?,
    })
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
