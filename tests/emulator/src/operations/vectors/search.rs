//! The nearest vectors, by measuring all that fulfil the filter.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::batch::Slot;
use super::filter::Filter;
use super::stored::Loaded;
use super::{Call, bucket, data, indexes};
use crate::answer::Answer;
use crate::error::ServiceError;
use crate::value::{Record, Value};

pub(super) async fn query(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let container = bucket(call)?;
    let input = &call.input;
    let index = indexes::open(call, &container, input.text_or_empty("index_name"))?;
    let wanted = data::numbers(&index, input.record("query_vector"), "queryVector")?;
    let filter =
        match input.get("filter") {
            Some(Value::Json(filter)) => Some(Filter::parse(filter, &index.non_filterable).map_err(|why| {
                ServiceError::invalid_argument(format!("The filter is not valid: {why}."), "filter", "")
            })?),
            _ => None,
        };
    let most = usize::try_from(input.integer("top_k").unwrap_or_default()).unwrap_or_default();
    let (with_distance, with_metadata) = (input.flag("return_distance"), input.flag("return_metadata"));
    let metric = index.metric;
    let search = move |loaded: &Loaded| {
        let matching = loaded
            .vectors
            .iter()
            .filter(|(_, slot)| filter.as_ref().is_none_or(|filter| filter.matches(&slot.metadata)));
        let measured = matching.map(|(key, slot)| Neighbour {
            distance: metric.distance(&wanted, slot.numbers()),
            key,
            slot,
        });
        let summary = |found: Neighbour<'_>| {
            Record::new()
                .with("key", found.key)
                .with_some("distance", with_distance.then_some(Value::Float(found.distance)))
                .with_some("metadata", with_metadata.then(|| data::shown_metadata(found.slot)))
        };
        nearest(measured, most).into_iter().map(summary).collect::<Vec<_>>()
    };
    let found = call
        .state
        .vector_indexes
        .read(call.store(), &container, &index, search)
        .await?;
    Ok(Answer::ok(Record::new().with("vectors", found)))
}

struct Neighbour<'l> {
    distance: f64,
    key: &'l str,
    slot: &'l Slot,
}

impl Ord for Neighbour<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.distance
            .total_cmp(&other.distance)
            .then_with(|| self.key.cmp(other.key))
    }
}

impl PartialOrd for Neighbour<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Neighbour<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Neighbour<'_> {}

/// The nearest ones, the nearest first. Holds no more than are wanted.
fn nearest<'l>(measured: impl Iterator<Item = Neighbour<'l>>, most: usize) -> Vec<Neighbour<'l>> {
    let mut heap = BinaryHeap::with_capacity(most + 1);
    for neighbour in measured {
        heap.push(neighbour);
        if heap.len() > most {
            heap.pop();
        }
    }
    heap.into_sorted_vec()
}
