//! The retention policy of a bucket: begun, locked within a day or gone, and then only ever extended.
//!
//! It is the document `worm` of the bucket, as JSON: `{"id": text, "locked": bool, "days": number, "created": seconds}`. Whoever
//! deletes or overwrites objects asks [`retention`].

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::{items, validate};
use crate::answer::Answer;
use crate::error::ServiceError;
use crate::operations::{Call, configuration, retention as rules};
use crate::store::{Documents, Versioning};
use crate::time;
use crate::value::Record;

const KIND: &str = "worm";
const DAY: Duration = Duration::from_secs(86_400);

#[derive(Clone, Serialize, Deserialize)]
struct Worm {
    id: String,
    locked: bool,
    days: i64,
    /// Seconds since 1970.
    created: i64,
}

impl Worm {
    /// When a policy that nobody locked is gone.
    fn ends(&self) -> SystemTime {
        time::from_unix(self.created).unwrap_or(SystemTime::UNIX_EPOCH) + DAY
    }

    fn holds(&self, now: SystemTime) -> bool {
        self.locked || now < self.ends()
    }
}

/// How long the objects of a bucket must stay after they were written; nothing when they need not.
pub(crate) fn retention(documents: &Documents, now: SystemTime) -> Result<Option<Duration>, ServiceError> {
    let worm: Option<Worm> = documents.get(KIND).map(|document| items::read(document)).transpose()?;
    let days = worm.filter(|worm| worm.holds(now)).map(|worm| worm.days);
    Ok(days.map(|days| DAY * u32::try_from(days).unwrap_or(u32::MAX)))
}

pub(super) async fn initiate(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let now = call.now;
    let worm = Worm {
        id: call.state.request_id(),
        locked: false,
        days: days(call, "initiate_worm_configuration"),
        created: time::unix_seconds(now),
    };
    let (id, api) = (worm.id.clone(), call.state.api);
    items::change_bucket(call, move |draft| {
        let old: Option<Worm> = draft.document(KIND).map(items::read).transpose()?;
        if old.is_some_and(|old| old.holds(now)) {
            return Err(ServiceError::new(
                409,
                "WORMConfigurationAlreadyExists",
                "The bucket has a retention policy already.",
            ));
        }
        let invalid = |why: &str| Err(ServiceError::new(400, "InvalidWORMConfiguration", why));
        if draft.meta.versioning == Versioning::Suspended {
            return invalid("A bucket whose versioning is suspended cannot have a retention policy.");
        }
        if rules::object_worm_among(api, draft.documents)?.is_some() {
            return invalid("A bucket whose objects are retained one by one cannot have a retention policy.");
        }
        draft.put(KIND, items::write(&worm)?);
        Ok(())
    })
    .await?;
    Ok(Answer::ok(Record::new().with("worm_id", id)))
}

/// Lets single objects of a bucket be retained, which needs versions and excludes a retention policy. It cannot be undone.
pub(super) async fn put_of_objects(call: &Call<'_>) -> Result<Answer, ServiceError> {
    validate::object_worm(validate::document(call))?;
    let (kind, document) = configuration::document(call, &call.input)?;
    let now = call.now;
    items::change_bucket(call, move |draft| {
        let invalid = |why: &str| Err(ServiceError::new(400, "InvalidRequest", why));
        if draft.meta.versioning != Versioning::Enabled {
            return invalid("Object retention needs a bucket whose versioning is enabled.");
        }
        if retention(draft.documents, now)?.is_some() {
            return invalid("A bucket with a retention policy cannot have object retention.");
        }
        draft.put(kind, document);
        Ok(())
    })
    .await?;
    Ok(Answer::empty())
}

pub(super) async fn complete(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let (now, id) = (call.now, call.input.text_or_empty("worm_id").to_owned());
    items::change(call, KIND, move |old: Option<Worm>| {
        let old = named(old, Some(&id), now)?;
        if old.locked {
            return Err(locked());
        }
        Ok((Some(Worm { locked: true, ..old }), ()))
    })
    .await?;
    Ok(Answer::empty())
}

pub(super) async fn extend(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let (now, id) = (call.now, call.input.text_or_empty("worm_id").to_owned());
    let days = days(call, "extend_worm_configuration");
    items::change(call, KIND, move |old: Option<Worm>| {
        let old = named(old, Some(&id), now)?;
        if !old.locked || days <= old.days {
            return Err(ServiceError::new(
                400,
                "InvalidWORMConfiguration",
                "Only a locked retention policy can be extended, and only to more days.",
            ));
        }
        Ok((Some(Worm { days, ..old }), ()))
    })
    .await?;
    Ok(Answer::empty())
}

pub(super) async fn abort(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let now = call.now;
    items::change(call, KIND, move |old: Option<Worm>| {
        let old = named(old, None, now)?;
        if old.locked {
            return Err(locked());
        }
        Ok((None, ()))
    })
    .await?;
    Ok(Answer::no_content(Record::new()))
}

pub(super) fn get(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let worm = named(items::find(call.store(), call.bucket()?, KIND)?, None, call.now)?;
    let created = time::from_unix(worm.created).unwrap_or(SystemTime::UNIX_EPOCH);
    let record = Record::new()
        .with("worm_id", &worm.id)
        .with("state", if worm.locked { "Locked" } else { "InProgress" })
        .with("retention_period_in_days", worm.days)
        .with("creation_date", time::iso8601_millis(created))
        .with("expiration_date", time::iso8601_millis(worm.ends()));
    Ok(Answer::ok(Record::new().with("worm_configuration", record)))
}

/// The policy that is in force, if its id is the one asked for.
fn named(worm: Option<Worm>, id: Option<&str>, now: SystemTime) -> Result<Worm, ServiceError> {
    worm.filter(|worm| worm.holds(now) && id.is_none_or(|id| id == worm.id))
        .ok_or_else(|| {
            ServiceError::new(
                404,
                "NoSuchWORMConfiguration",
                "The bucket has no such retention policy.",
            )
        })
}

fn locked() -> ServiceError {
    ServiceError::new(403, "WORMConfigurationLocked", "The retention policy is locked.")
}

fn days(call: &Call<'_>, member: &str) -> i64 {
    let document = call.input.record(member);
    document
        .and_then(|document| document.integer("retention_period_in_days"))
        .unwrap_or_default()
}
