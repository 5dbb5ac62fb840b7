//! Which lifecycle rules the service takes.

use std::time::Duration;

use super::rules::class_rank;
use crate::error::ServiceError;
use crate::time;
use crate::value::Record;

const MOST_DAYS: i64 = i32::MAX as i64;
const DAY: Duration = Duration::from_secs(86_400);

/// Refuses rules that are none, that contradict themselves, or that contradict each other.
pub(super) fn rules(document: &Record, is_monitored: bool, may_overlap: bool) -> Result<(), ServiceError> {
    let rules: Vec<&Record> = document.records("rules").collect();
    for (at, rule) in rules.iter().enumerate() {
        let id = rule.text_or_empty("id");
        if !id.is_empty() && rules[..at].iter().any(|other| other.text_or_empty("id") == id) {
            return Err(ServiceError::invalid_argument("Two rules have the same ID.", "ID", id));
        }
        one(rule, is_monitored)?;
        if !may_overlap && let Some(other) = rules[..at].iter().find(|other| overlaps(rule, other)) {
            return Err(ServiceError::invalid_argument(
                "Rules with the same action have prefixes of which one begins the other.",
                "Prefix",
                other.text_or_empty("prefix"),
            ));
        }
    }
    Ok(())
}

fn one(rule: &Record, is_monitored: bool) -> Result<(), ServiceError> {
    let transitions: Vec<&Record> = rule.records("transitions").collect();
    if actions(rule).is_empty() {
        return Err(ServiceError::malformed_xml("a Rule has no action"));
    }
    if rule.has("atime_base") {
        return Err(ServiceError::malformed_xml("the element AtimeBase is of answers only"));
    }
    let has_tags = !rule.list("tags").is_empty();
    if let Some(abort) = rule.record("abort_multipart_upload") {
        exactly_one(abort, &["days", "created_before_date", "date"], "AbortMultipartUpload")?;
        when(abort)?;
        if has_tags {
            return Err(ServiceError::invalid_argument(
                "A rule for unfinished uploads has no tags.",
                "AbortMultipartUpload",
                "",
            ));
        }
    }
    if let Some(expiration) = rule.record("expiration") {
        let members = ["days", "created_before_date", "date", "expired_object_delete_marker"];
        exactly_one(expiration, &members, "Expiration")?;
        when(expiration)?;
        if expiration.flag("expired_object_delete_marker") && has_tags {
            return Err(ServiceError::invalid_argument(
                "A rule for delete markers has no tags.",
                "ExpiredObjectDeleteMarker",
                "true",
            ));
        }
    }
    filter(rule)?;
    for transition in &transitions {
        exactly_one(transition, &["days", "created_before_date"], "Transition")?;
        when(transition)?;
        target(rule, transition, is_monitored)?;
    }
    let noncurrent: Vec<&Record> = rule.records("noncurrent_version_transitions").collect();
    for transition in &noncurrent {
        days("NoncurrentDays", transition.integer("noncurrent_days"))?;
        target(rule, transition, is_monitored)?;
    }
    let expiration = rule
        .record("expiration")
        .and_then(|expiration| expiration.integer("days"));
    increasing(&transitions, "days", expiration)?;
    let expiration = rule.record("noncurrent_version_expiration");
    let expiration = expiration.and_then(|expiration| expiration.integer("noncurrent_days"));
    days("NoncurrentDays", expiration)?;
    increasing(&noncurrent, "noncurrent_days", expiration)
}

fn exactly_one(action: &Record, members: &[&str], element: &str) -> Result<(), ServiceError> {
    match members.iter().filter(|name| action.has(name)).count() {
        1 => Ok(()),
        _ => Err(ServiceError::malformed_xml(format!(
            "{element} does not say exactly one time"
        ))),
    }
}

/// Days count from 1, and dates are midnights in UTC.
fn when(action: &Record) -> Result<(), ServiceError> {
    days("Days", action.integer("days"))?;
    for (member, element) in [("created_before_date", "CreatedBeforeDate"), ("date", "Date")] {
        let Some(text) = action.text(member) else { continue };
        let at = time::parse_iso8601(text);
        let midnight = at.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
        if midnight.is_none_or(|since| since.as_millis() % DAY.as_millis() != 0) {
            return Err(ServiceError::invalid_argument(
                "The date is no midnight in UTC.",
                element,
                text,
            ));
        }
    }
    Ok(())
}

fn days(element: &str, days: Option<i64>) -> Result<(), ServiceError> {
    match days {
        Some(days) if !(1..=MOST_DAYS).contains(&days) => Err(ServiceError::invalid_argument(
            "Days are counted from 1.",
            element,
            &days.to_string(),
        )),
        _ => Ok(()),
    }
}

fn target(rule: &Record, transition: &Record, is_monitored: bool) -> Result<(), ServiceError> {
    let invalid = |why: &str, element: &str| Err(ServiceError::invalid_argument(why, element, ""));
    if transition.text_or_empty("storage_class") == "Standard" {
        return invalid("Objects do not move to the standard class.", "StorageClass");
    }
    let by_access = transition.flag("is_access_time");
    if by_access != transition.has("return_to_std_when_visit") {
        return invalid(
            "ReturnToStdWhenVisit is for rules by access time, which need it.",
            "ReturnToStdWhenVisit",
        );
    }
    if by_access && !is_monitored {
        return invalid("Accesses of the bucket are not tracked.", "IsAccessTime");
    }
    let sized = rule
        .record("filter")
        .is_some_and(|filter| filter.has("object_size_greater_than") || filter.has("object_size_less_than"));
    if transition.has("allow_small_file") && sized {
        return invalid("AllowSmallFile cannot stand beside a filter by size.", "AllowSmallFile");
    }
    Ok(())
}

/// The colder the class the later, and the end last of all.
fn increasing(transitions: &[&Record], member: &str, end: Option<i64>) -> Result<(), ServiceError> {
    let mut steps: Vec<(usize, i64)> = transitions
        .iter()
        .filter_map(|step| Some((class_rank(step.text_or_empty("storage_class")), step.integer(member)?)))
        .collect();
    steps.sort_unstable();
    let in_order = steps
        .windows(2)
        .all(|pair| pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1);
    let ends_last = match (end, steps.last()) {
        (Some(end), Some((_, last))) => *last < end,
        _ => true,
    };
    if in_order && ends_last {
        return Ok(());
    }
    Err(ServiceError::invalid_argument(
        "Colder classes come later, and expiration comes last.",
        "Days",
        "",
    ))
}

fn filter(rule: &Record) -> Result<(), ServiceError> {
    let Some(filter) = rule.record("filter") else {
        return Ok(());
    };
    let prefix = rule.text_or_empty("prefix");
    for not in filter.records("nots") {
        let excluded = not.text_or_empty("prefix");
        let narrows = excluded.starts_with(prefix) && (excluded != prefix || not.has("tag"));
        if !narrows {
            return Err(ServiceError::invalid_argument(
                "What is excluded begins with the prefix of the rule and says more.",
                "Not",
                excluded,
            ));
        }
    }
    let (least, most) = (
        filter.integer("object_size_greater_than"),
        filter.integer("object_size_less_than"),
    );
    if least.zip(most).is_some_and(|(least, most)| least >= most) || least.or(most).is_some_and(|size| size < 0) {
        return Err(ServiceError::invalid_argument(
            "No size is within the limits.",
            "ObjectSizeGreaterThan",
            &least.unwrap_or_default().to_string(),
        ));
    }
    Ok(())
}

fn actions(rule: &Record) -> Vec<&'static str> {
    let one = ["abort_multipart_upload", "expiration", "noncurrent_version_expiration"];
    let many = ["transitions", "noncurrent_version_transitions"];
    let one = one.into_iter().filter(|name| rule.has(name));
    one.chain(many.into_iter().filter(|name| !rule.list(name).is_empty()))
        .collect()
}

/// Whether two rules do the same to some of the same keys.
fn overlaps(rule: &Record, other: &Record) -> bool {
    let (prefix, other_prefix) = (rule.text_or_empty("prefix"), other.text_or_empty("prefix"));
    let nested = prefix.starts_with(other_prefix) || other_prefix.starts_with(prefix);
    let same_tags = rule.list("tags") == other.list("tags");
    let known = actions(other);
    nested && same_tags && actions(rule).iter().any(|action| known.contains(action))
}
