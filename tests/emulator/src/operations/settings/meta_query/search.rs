//! Searches, within limits and where they may take their time. Those for data processing have other documents.

use std::sync::Arc;
use std::time::SystemTime;

use super::query::Query;
use super::{aggregate, fields, page};
use crate::error::ServiceError;
use crate::store::ObjectInfo;
use crate::value::{Record, Value};

/// Aggregations of a search: each looks at all that was found.
const MOST_AGGREGATIONS: usize = 100;
/// Groups of all aggregations of an answer.
const MOST_GROUPS: usize = 10_000;

/// Objects that were found, or statistics about them.
pub(super) enum Found {
    /// Statistics were asked for, so no objects are listed.
    Statistics(Vec<Record>),
    Page {
        objects: Vec<Arc<ObjectInfo>>,
        next: Option<String>,
        total: usize,
    },
}

/// Looks which objects meet a condition; `wanted` has the order and the size of the page.
pub(super) async fn look(
    mut found: Vec<Arc<ObjectInfo>>,
    query: Option<Query>,
    wanted: &Record,
    aggregations: impl Iterator<Item = &Record>,
) -> Result<Found, ServiceError> {
    let aggregations: Vec<Record> = aggregations.take(MOST_AGGREGATIONS + 1).cloned().collect();
    if aggregations.len() > MOST_AGGREGATIONS {
        let why = format!("A search has at most {MOST_AGGREGATIONS} aggregations.");
        return Err(ServiceError::invalid_argument(why, "Aggregations", ""));
    }
    let wanted = wanted.clone();
    let work = move || {
        if let Some(query) = query {
            found.retain(|object| query.fits(object));
        }
        let mut groups = MOST_GROUPS;
        let statistics = aggregations.iter().map(|wanted| aggregate(wanted, &found, &mut groups));
        let statistics = statistics.collect::<Result<Vec<_>, _>>()?;
        if !statistics.is_empty() {
            return Ok(Found::Statistics(statistics));
        }
        let total = found.len();
        let (objects, next) = page(&wanted, found)?;
        Ok(Found::Page { objects, next, total })
    };
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| ServiceError::internal(format!("A search broke off: {error}.")))?
}

/// Takes groups from those that an answer may still have.
pub(super) fn take_groups(left: &mut usize, groups: usize) -> Result<(), ServiceError> {
    *left = left
        .checked_sub(groups)
        .ok_or_else(|| ServiceError::not_implemented(format!("an answer with more than {MOST_GROUPS} groups")))?;
    Ok(())
}

/// What a search for data processing comes to.
pub(in crate::operations) enum Outcome {
    Statistics(Vec<Record>),
    Page {
        files: Vec<Record>,
        next: Option<String>,
        total: usize,
    },
}

/// Searches among objects of a bucket by a condition in JSON.
pub(in crate::operations) async fn search(
    bucket: &str,
    found: Vec<Arc<ObjectInfo>>,
    condition: Option<&str>,
    wanted: &Record,
) -> Result<Outcome, ServiceError> {
    let query = condition.map(Query::parse).transpose()?;
    Ok(
        match look(found, query, wanted, wanted.records("aggregations")).await? {
            Found::Statistics(all) => Outcome::Statistics(all.into_iter().map(flat).collect()),
            Found::Page { objects, next, total } => {
                let files = objects.iter().map(|object| {
                    let file = fields::file(bucket, object);
                    let tag = file.text("etag").map(str::to_owned);
                    file.without("etag").with_some("e_tag", tag).with("object_type", "file")
                });
                Outcome::Page {
                    files: files.collect(),
                    next,
                    total,
                }
            }
        },
    )
}

/// A statistic, whose groups stand in a list of their own.
fn flat(statistic: Record) -> Record {
    let groups = statistic.record("groups").map(|groups| groups.list("groups").to_vec());
    match groups {
        Some(groups) => statistic.with("groups", Value::List(groups)),
        None => statistic,
    }
}

/// A time as the service writes it.
pub(in crate::operations) fn written(at: SystemTime) -> String {
    fields::rfc3339(at)
}
