//! The metadata index of a bucket: opened, scanned, searched, closed. Searches look at the objects as they are.

mod fields;
mod query;
pub(in crate::operations) mod search;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::{items, lifecycle};
use crate::answer::Answer;
use crate::error::ServiceError;
use crate::operations::Call;
use crate::store::{ListQuery, ObjectInfo};
use crate::text;
use crate::time;
use crate::value::Record;
use fields::Content;
use query::Query;
use search::{Found, look, take_groups};

const KIND: &str = "metaQuery";
/// How long a new index takes no questions, and how long its first scan lasts.
const MAKING: Duration = Duration::from_secs(2);
const SCAN: Duration = Duration::from_secs(60);
const MOST: usize = 100;

#[derive(Clone, Serialize, Deserialize)]
struct Index {
    mode: String,
    /// Seconds since 1970.
    created: i64,
}

impl Index {
    fn age(&self, now: SystemTime) -> Duration {
        let created = time::from_unix(self.created).unwrap_or(SystemTime::UNIX_EPOCH);
        now.duration_since(created).unwrap_or_default()
    }
}

pub(super) async fn open(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let mode = call.input.text("mode").unwrap_or("basic");
    if mode != "basic" {
        return Err(ServiceError::not_implemented(format!(
            "the mode {mode} of OpenMetaQuery"
        )));
    }
    let index = Index {
        mode: mode.to_owned(),
        created: time::unix_seconds(call.now),
    };
    items::change(call, KIND, move |old: Option<Index>| match old {
        Some(_) => Err(ServiceError::new(
            400,
            "MetaQueryAlreadyExist",
            "The bucket has a metadata index.",
        )),
        None => Ok((Some(index), ())),
    })
    .await?;
    Ok(Answer::empty())
}

pub(super) fn status(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let index = find(call)?;
    let age = index.age(call.now);
    let created = time::from_unix(index.created).unwrap_or(SystemTime::UNIX_EPOCH);
    let record = Record::new()
        .with("create_time", fields::rfc3339(created))
        .with("update_time", fields::rfc3339(call.now))
        .with("state", if age < MAKING { "Ready" } else { "Running" })
        .with(
            "phase",
            if age < SCAN {
                "FullScanning"
            } else {
                "IncrementalScanning"
            },
        )
        .with("meta_query_mode", &index.mode);
    Ok(Answer::ok(Record::new().with("meta_query_status", record)))
}

pub(super) async fn close(call: &Call<'_>) -> Result<Answer, ServiceError> {
    call.store().delete_config(call.bucket()?, KIND).await?;
    Ok(Answer::empty())
}

pub(super) async fn query(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let index = find(call)?;
    if index.age(call.now) < MAKING {
        return Err(ServiceError::new(
            409,
            "MetaQueryNotReady",
            "The metadata index is being made.",
        ));
    }
    if call.input.text("mode").is_some_and(|mode| mode != index.mode) {
        return Err(ServiceError::invalid_argument(
            "The metadata index was opened in another mode.",
            "mode",
            call.input.text_or_empty("mode"),
        ));
    }
    let empty = Record::new();
    let wanted = call.input.record("meta_query").unwrap_or(&empty);
    for (member, element) in [("media_types", "MediaTypes"), ("simple_query", "SimpleQuery")] {
        if wanted.has(member) {
            return Err(ServiceError::invalid_argument(
                "The element is for semantic searches only.",
                element,
                wanted.text_or_empty(member),
            ));
        }
    }
    let query = Query::parse(wanted.text_or_empty("query"))?;
    let bucket = call.bucket()?;
    let everything = ListQuery {
        max: usize::MAX,
        ..ListQuery::default()
    };
    let objects = call.store().list_objects(bucket, &everything)?.entries;
    let aggregations = wanted.record("aggregations").unwrap_or(&empty);
    let found = look(objects, Some(query), wanted, aggregations.records("aggregations"));
    let (objects, next) = match found.await? {
        Found::Page { objects, next, .. } => (objects, next),
        Found::Statistics(all) => {
            return Ok(Answer::ok(
                Record::new().with("next_token", "").with("aggregations", all),
            ));
        }
    };
    let rules = lifecycle::rules_of(call.state, bucket)?;
    let file = |object: &Arc<ObjectInfo>| {
        let expiry = lifecycle::expiry_of(&rules, object);
        fields::file(bucket, object).with_some("oss_expiration", expiry.map(|(at, _)| fields::rfc3339(at)))
    };
    let files: Vec<Record> = objects.iter().map(file).collect();
    Ok(Answer::ok(
        Record::new()
            .with("next_token", next.unwrap_or_default())
            .with("files", files),
    ))
}

fn find(call: &Call<'_>) -> Result<Index, ServiceError> {
    let index = items::find(call.store(), call.bucket()?, KIND)?;
    index.ok_or_else(|| ServiceError::new(404, "MetaQueryNotExist", "The bucket has no metadata index."))
}

/// Sorts what was found and cuts a page; its token says after which object the next begins.
fn page(
    wanted: &Record,
    mut found: Vec<Arc<ObjectInfo>>,
) -> Result<(Vec<Arc<ObjectInfo>>, Option<String>), ServiceError> {
    let sort = wanted.text("sort").filter(|field| !field.is_empty());
    if let Some(field) = sort {
        fields::check(field, "Sort")?;
    }
    let ascending = sort.is_none() || wanted.text("order") == Some("asc");
    let order = |left: &ObjectInfo, right: &ObjectInfo| {
        let values = sort.map_or(Ordering::Equal, |field| {
            fields::order(
                fields::content(left, field).as_ref(),
                fields::content(right, field).as_ref(),
            )
        });
        let values = if ascending { values } else { values.reverse() };
        values.then_with(|| left.key.cmp(&right.key))
    };
    found.sort_by(|left, right| order(left, right));
    if let Some(token) = wanted.text("next_token").filter(|token| !token.is_empty()) {
        let last = text::base64_decode(token).and_then(|key| String::from_utf8(key).ok());
        let at = last.and_then(|last| found.iter().position(|object| object.key == last));
        let at = at.ok_or_else(|| ServiceError::invalid_argument("The token is not valid.", "NextToken", token))?;
        found.drain(..=at);
    }
    let most = match wanted.integer("max_results") {
        None | Some(0) => MOST,
        Some(most) => usize::try_from(most).unwrap_or(MOST),
    };
    let more = found.len() > most;
    found.truncate(most);
    let next = found
        .last()
        .filter(|_| more)
        .map(|last| text::base64(last.key.as_bytes()));
    Ok((found, next))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "the service answers with floating-point numbers"
)]
fn aggregate(wanted: &Record, found: &[Arc<ObjectInfo>], groups_left: &mut usize) -> Result<Record, ServiceError> {
    let (field, operation) = (wanted.text_or_empty("field"), wanted.text_or_empty("operation"));
    fields::check(field, "Field")?;
    let contents: Vec<Content> = found
        .iter()
        .filter_map(|object| fields::content(object, field))
        .collect();
    let shown = Record::new().with("field", field).with("operation", operation);
    let counts = || {
        let mut counts: BTreeMap<String, i64> = BTreeMap::new();
        for content in &contents {
            *counts.entry(content.text()).or_default() += 1;
        }
        counts
    };
    let numbers = || -> Result<Vec<f64>, ServiceError> {
        let numbers: Option<Vec<f64>> = match fields::is_number(field) {
            true => contents.iter().map(Content::number).collect(),
            false => None,
        };
        numbers.ok_or_else(|| ServiceError::invalid_argument("The field is no number.", "Field", field))
    };
    let value = match operation {
        "group" => {
            let counts = counts();
            take_groups(groups_left, counts.len())?;
            let groups = counts
                .into_iter()
                .map(|(value, count)| Record::new().with("value", value).with("count", count));
            let groups: Vec<Record> = groups.collect();
            return Ok(shown.with("groups", Record::new().with("groups", groups)));
        }
        "count" => contents.len() as f64,
        "distinct" => counts().len() as f64,
        "sum" => numbers()?.iter().sum(),
        "average" => {
            let numbers = numbers()?;
            if numbers.is_empty() {
                0.0
            } else {
                numbers.iter().sum::<f64>() / numbers.len() as f64
            }
        }
        "min" => numbers()?.into_iter().reduce(f64::min).unwrap_or_default(),
        "max" => numbers()?.into_iter().reduce(f64::max).unwrap_or_default(),
        _ => {
            return Err(ServiceError::invalid_argument(
                "The aggregation has no operation.",
                "Operation",
                operation,
            ));
        }
    };
    Ok(shown.with("value", crate::value::Value::Float(value)))
}
