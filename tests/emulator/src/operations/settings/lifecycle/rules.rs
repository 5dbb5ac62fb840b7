//! A lifecycle rule, and what it means for one object.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::store::ObjectInfo;
use crate::time;
use crate::value::{Record, Value};

const DAY: Duration = Duration::from_secs(86_400);
/// Smaller objects stay where they are unless a rule by access time says otherwise.
const SMALL: u64 = 64 * 1024;
/// Where the last access of an object is kept, in seconds since 1970.
pub(in crate::operations) const LAST_ACCESS: &str = "last-access-time";

/// Storage classes, each colder than the one before.
const CLASSES: &[&str] = &["Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive"];

/// How cold a class is.
pub(super) fn class_rank(class: &str) -> usize {
    CLASSES.iter().position(|known| *known == class).unwrap_or_default()
}

/// A rule as it was stored.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) id: String,
    is_on: bool,
    prefix: String,
    tags: Vec<(String, String)>,
    excluded: Vec<Excluded>,
    larger_than: Option<u64>,
    smaller_than: Option<u64>,
    expiration: Option<When>,
    /// Whether delete markers go that hide nothing any more.
    pub(super) removes_markers: bool,
    transitions: Vec<Transition>,
    pub(super) noncurrent_expiration: Option<When>,
    noncurrent_transitions: Vec<Transition>,
    abort: Option<When>,
    atime_base: Option<SystemTime>,
}

#[derive(Debug, Clone)]
struct Excluded {
    prefix: String,
    tag: Option<(String, String)>,
}

#[derive(Debug, Clone)]
struct Transition {
    when: When,
    class: String,
    by_access: bool,
    /// Whether who reads an object makes it a standard one again.
    returns: bool,
    takes_small: bool,
}

/// When an action is due.
#[derive(Debug, Clone, Copy)]
pub(super) enum When {
    /// So many days later, at the next midnight in UTC.
    Days(u64),
    /// From a date on, for what is older than it.
    Before(SystemTime),
    /// From a date on, for everything.
    From(SystemTime),
}

impl When {
    fn read(action: &Record, days: &str) -> Option<Self> {
        if let Some(days) = action.integer(days) {
            return u64::try_from(days).ok().map(Self::Days);
        }
        let date = |member: &str| match action.get(member) {
            Some(Value::Time(at)) => Some(*at),
            Some(Value::Text(text)) => time::parse_iso8601(text),
            _ => None,
        };
        date("created_before_date")
            .map(Self::Before)
            .or_else(|| date("date").map(Self::From))
    }

    /// The instant for something that began at `base`.
    pub(super) fn due(self, base: SystemTime) -> Option<SystemTime> {
        match self {
            Self::Days(days) => midnight(base.checked_add(DAY.checked_mul(u32::try_from(days).ok()?)?)?),
            Self::Before(date) => (base < date).then_some(date),
            Self::From(date) => Some(date),
        }
    }
}

/// The first midnight in UTC that is not before a time.
fn midnight(at: SystemTime) -> Option<SystemTime> {
    let since = at.duration_since(UNIX_EPOCH).ok()?;
    let days = since.as_millis().div_ceil(DAY.as_millis());
    UNIX_EPOCH.checked_add(DAY.checked_mul(u32::try_from(days).ok()?)?)
}

impl Rule {
    /// Reads a rule of a stored document.
    pub(super) fn read(record: &Record) -> Self {
        let tag = |tag: &Record| {
            (
                tag.text_or_empty("key").to_owned(),
                tag.text_or_empty("value").to_owned(),
            )
        };
        let transition = |record: &Record, days: &str| {
            Some(Transition {
                when: When::read(record, days)?,
                class: record.text_or_empty("storage_class").to_owned(),
                by_access: record.flag("is_access_time"),
                returns: record.flag("is_access_time") && record.flag("return_to_std_when_visit"),
                takes_small: !record.flag("is_access_time") || record.flag("allow_small_file"),
            })
        };
        let filter = record.record("filter");
        let size = |name: &str| filter?.integer(name).and_then(|size| u64::try_from(size).ok());
        let excluded = filter.into_iter().flat_map(|filter| filter.records("nots"));
        let expiration = record.record("expiration");
        let of_noncurrent = record.record("noncurrent_version_expiration");
        Self {
            id: record.text_or_empty("id").to_owned(),
            is_on: record.text("status") == Some("Enabled"),
            prefix: record.text_or_empty("prefix").to_owned(),
            tags: record.records("tags").map(tag).collect(),
            excluded: excluded
                .map(|not| Excluded {
                    prefix: not.text_or_empty("prefix").to_owned(),
                    tag: not.record("tag").map(tag),
                })
                .collect(),
            larger_than: size("object_size_greater_than"),
            smaller_than: size("object_size_less_than"),
            expiration: expiration.and_then(|expiration| When::read(expiration, "days")),
            removes_markers: expiration.is_some_and(|expiration| expiration.flag("expired_object_delete_marker")),
            transitions: record
                .records("transitions")
                .filter_map(|record| transition(record, "days"))
                .collect(),
            noncurrent_expiration: of_noncurrent.and_then(|record| When::read(record, "noncurrent_days")),
            noncurrent_transitions: record
                .records("noncurrent_version_transitions")
                .filter_map(|record| transition(record, "noncurrent_days"))
                .collect(),
            abort: record
                .record("abort_multipart_upload")
                .and_then(|abort| When::read(abort, "days")),
            atime_base: record.integer("atime_base").and_then(time::from_unix),
        }
    }

    /// Whether the rule is for a key, whatever the object.
    pub(super) fn takes_key(&self, key: &str) -> bool {
        self.is_on && key.starts_with(&self.prefix)
    }

    /// Whether the rule is for an object.
    pub(super) fn takes(&self, object: &ObjectInfo) -> bool {
        let tags = &object.meta.tags;
        let is_excluded = self
            .excluded
            .iter()
            .any(|not| object.key.starts_with(&not.prefix) && not.tag.as_ref().is_none_or(|tag| tags.contains(tag)));
        self.takes_key(&object.key)
            && self.tags.iter().all(|tag| tags.contains(tag))
            && self.larger_than.is_none_or(|least| object.size > least)
            && self.smaller_than.is_none_or(|most| object.size < most)
            && !is_excluded
    }

    /// When an unfinished upload of a key is given up.
    pub(super) fn aborts(&self, key: &str, initiated: SystemTime) -> Option<SystemTime> {
        self.abort.filter(|_| self.takes_key(key))?.due(initiated)
    }

    /// The class that an object should have by now; `since` is when it became noncurrent, if it is.
    pub(super) fn class_at(&self, object: &ObjectInfo, since: Option<SystemTime>, now: SystemTime) -> Option<&str> {
        let steps = match since {
            Some(_) => &self.noncurrent_transitions,
            None => &self.transitions,
        };
        let due = steps.iter().filter(|step| {
            let base = match since {
                Some(since) => since,
                None if step.by_access => self.last_access(object),
                None => object.last_modified,
            };
            (step.takes_small || object.size >= SMALL) && step.when.due(base).is_some_and(|due| due <= now)
        });
        due.max_by_key(|step| class_rank(&step.class))
            .map(|step| step.class.as_str())
    }

    /// Whether an object that the rule moved returns when it is read.
    pub(crate) fn returns(&self, object: &ObjectInfo) -> bool {
        let mut steps = self.transitions.iter().chain(&self.noncurrent_transitions);
        self.takes(object) && steps.any(|step| step.returns && step.class == object.meta.storage_class)
    }

    fn last_access(&self, object: &ObjectInfo) -> SystemTime {
        let noted = object.meta.extra.get(LAST_ACCESS).and_then(|text| text.parse().ok());
        let noted = noted.and_then(time::from_unix).or(self.atime_base);
        noted.map_or(object.last_modified, |noted| noted.max(object.last_modified))
    }
}

/// When an object expires, and by which rule: the earliest of those that take it.
pub(crate) fn expiry_of(rules: &[Rule], object: &ObjectInfo) -> Option<(SystemTime, String)> {
    let due = rules.iter().filter(|rule| rule.takes(object)).filter_map(|rule| {
        let due = rule.expiration?.due(object.last_modified)?;
        Some((due, rule.id.clone()))
    });
    due.min()
}
