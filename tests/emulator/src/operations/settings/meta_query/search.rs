//! The same searches for data processing, whose documents have other members and whose datasets hold some objects each.

use std::sync::Arc;
use std::time::SystemTime;

use super::query::Query;
use super::{aggregate, fields, page};
use crate::error::ServiceError;
use crate::store::ObjectInfo;
use crate::value::{Record, Value};

/// What a search comes to.
pub(in crate::operations) enum Outcome {
    /// Statistics were asked for, so no objects are listed.
    Statistics(Vec<Record>),
    Page {
        files: Vec<Record>,
        next: Option<String>,
        total: usize,
    },
}

/// Searches among objects of a bucket by a condition in JSON; `wanted` has the order and the size of the page.
pub(in crate::operations) fn search<'r>(
    bucket: &str,
    mut found: Vec<Arc<ObjectInfo>>,
    condition: Option<&str>,
    wanted: &Record,
    aggregations: impl Iterator<Item = &'r Record>,
) -> Result<Outcome, ServiceError> {
    if let Some(condition) = condition {
        let query = Query::parse(condition)?;
        found.retain(|object| query.fits(object));
    }
    let statistics = aggregations.map(|wanted| statistic(wanted, &found));
    let statistics = statistics.collect::<Result<Vec<_>, _>>()?;
    if !statistics.is_empty() {
        return Ok(Outcome::Statistics(statistics));
    }
    let total = found.len();
    let (files, next) = page(wanted, found)?;
    let files = files.iter().map(|object| {
        let file = fields::file(bucket, object);
        let tag = file.text("etag").map(str::to_owned);
        file.without("etag").with_some("e_tag", tag).with("object_type", "file")
    });
    Ok(Outcome::Page {
        files: files.collect(),
        next,
        total,
    })
}

/// A statistic, whose groups stand in a list of their own.
fn statistic(wanted: &Record, found: &[Arc<ObjectInfo>]) -> Result<Record, ServiceError> {
    let statistic = aggregate(wanted, found)?;
    let groups = statistic.record("groups").map(|groups| groups.list("groups").to_vec());
    Ok(match groups {
        Some(groups) => statistic.with("groups", Value::List(groups)),
        None => statistic,
    })
}

/// A time as the service writes it.
pub(in crate::operations) fn written(at: SystemTime) -> String {
    fields::rfc3339(at)
}
