//! Vectors by key: written, read, listed and deleted.

use std::collections::BTreeSet;
use std::ops::Bound;

use serde_json::Value as Json;

use super::batch::{Entry, Metadata, Slot};
use super::indexes::{self, Index};
use super::{Call, bucket};
use crate::answer::Answer;
use crate::error::ServiceError;
use crate::text;
use crate::value::{Record, Value};

/// Largest metadata of one vector, in bytes of JSON, and largest part of it that filters can use.
const MAX_METADATA: usize = 40 * 1024;
const MAX_FILTERABLE: usize = 2 * 1024;
const MAX_KEY: usize = 1024;
const MAX_DELETED: usize = 500;
const DEFAULT_PAGE: i64 = 500;
/// A page of a list ends when it has this many bytes.
const MAX_PAGE_BYTES: usize = 1024 * 1024;

pub(super) async fn put(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let container = bucket(call)?;
    let index = indexes::open(call, &container, call.input.text_or_empty("index_name"))?;
    let mut keys = BTreeSet::new();
    let mut entries = Vec::new();
    for vector in call.input.records("vectors") {
        let key = vector.text_or_empty("key");
        check_key(key)?;
        if !keys.insert(key) {
            return Err(ServiceError::invalid_argument(
                "Two vectors have the same key.",
                "key",
                key,
            ));
        }
        let metadata = metadata(&index, key, vector.get("metadata"))?;
        let numbers = numbers(&index, vector.record("data"), key)?;
        entries.push(Entry {
            key: key.to_owned(),
            vector: Some((numbers, metadata)),
        });
    }
    if entries.is_empty() {
        return Err(ServiceError::invalid_argument(
            "The list of vectors is empty.",
            "vectors",
            "",
        ));
    }
    let indexes = &call.state.vector_indexes;
    indexes.write(call.store(), &container, &index, &entries).await?;
    Ok(Answer::empty())
}

pub(super) async fn delete(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let container = bucket(call)?;
    let index = indexes::open(call, &container, call.input.text_or_empty("index_name"))?;
    let keys: BTreeSet<String> = keys(call, MAX_DELETED)?.into_iter().collect();
    let indexes = &call.state.vector_indexes;
    // Keys without a vector would only grow the batches.
    let known = move |loaded: &super::stored::Loaded| {
        let known = keys.into_iter().filter(|key| loaded.vectors.contains_key(key));
        known.map(|key| Entry { key, vector: None }).collect::<Vec<_>>()
    };
    let entries = indexes.read(call.store(), &container, &index, known).await?;
    if !entries.is_empty() {
        indexes.write(call.store(), &container, &index, &entries).await?;
    }
    Ok(Answer::no_content(Record::new()))
}

pub(super) async fn get(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let container = bucket(call)?;
    let index = indexes::open(call, &container, call.input.text_or_empty("index_name"))?;
    let keys = keys(call, usize::MAX)?;
    let shown = Shown::of(&call.input);
    let read = move |loaded: &super::stored::Loaded| {
        let found = keys
            .iter()
            .filter_map(|key| Some((key, loaded.vectors.get(key)?)))
            .map(|(key, slot)| shown.summary(key, slot));
        found.collect::<Vec<_>>()
    };
    let found = call
        .state
        .vector_indexes
        .read(call.store(), &container, &index, read)
        .await?;
    Ok(Answer::ok(Record::new().with("vectors", found)))
}

pub(super) async fn list(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let container = bucket(call)?;
    let input = &call.input;
    let index = indexes::open(call, &container, input.text_or_empty("index_name"))?;
    let max = match input.integer("max_results") {
        None | Some(0) => DEFAULT_PAGE,
        Some(max) => max,
    };
    let max = usize::try_from(max).unwrap_or_default();
    let (segments, segment) = segment(input)?;
    let after = input
        .text("next_token")
        .filter(|token| !token.is_empty())
        .map(read_token)
        .transpose()?;
    let shown = Shown::of(input);
    let read = move |loaded: &super::stored::Loaded| {
        let start = after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let mut rest = loaded
            .vectors
            .range::<str, _>((start, Bound::Unbounded))
            .filter(|(key, _)| crc32fast::hash(key.as_bytes()) % segments == segment)
            .peekable();
        let (mut page, mut bytes, mut last) = (Vec::new(), 0, None);
        while page.len() < max && bytes < MAX_PAGE_BYTES {
            let Some((key, slot)) = rest.next() else { break };
            bytes += shown.size(key, slot);
            page.push(shown.summary(key, slot));
            last = Some(key);
        }
        let next = last.filter(|_| rest.peek().is_some()).map(|key| token(key));
        (page, next)
    };
    let (page, next) = call
        .state
        .vector_indexes
        .read(call.store(), &container, &index, read)
        .await?;
    Ok(Answer::ok(
        Record::new().with("vectors", page).with_some("next_token", next),
    ))
}

/// What of a vector an answer shows.
#[derive(Clone, Copy)]
struct Shown {
    data: bool,
    metadata: bool,
}

impl Shown {
    fn of(input: &Record) -> Self {
        Self {
            data: input.flag("return_data"),
            metadata: input.flag("return_metadata"),
        }
    }

    fn summary(self, key: &str, slot: &Slot) -> Record {
        let data = self.data.then(|| {
            let numbers: Vec<Value> = slot.numbers().map(|number| Value::Float(shortest(number))).collect();
            Record::new().with("float32", numbers)
        });
        Record::new()
            .with("key", key)
            .with_some("data", data)
            .with_some("metadata", self.metadata.then(|| shown_metadata(slot)))
    }

    /// About how many bytes the summary has in an answer.
    fn size(self, key: &str, slot: &Slot) -> usize {
        let data = if self.data { slot.numbers().count() * 12 } else { 0 };
        let metadata = if self.metadata { length(&slot.metadata) } else { 0 };
        key.len() + data + metadata + 16
    }
}

/// Metadata as answers have it.
pub(super) fn shown_metadata(slot: &Slot) -> Value {
    Value::Json(Json::Object(slot.metadata.clone()))
}

/// The number that has the shortest notation among those that are the same in 32 bits.
fn shortest(number: f32) -> f64 {
    number.to_string().parse().unwrap_or_else(|_| f64::from(number))
}

/// A token of a list that goes on behind a name.
pub(super) fn token(last: &str) -> String {
    text::base64(last.as_bytes())
}

/// The name that a token goes on behind.
pub(super) fn read_token(token: &str) -> Result<String, ServiceError> {
    text::base64_decode(token)
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| ServiceError::invalid_argument("The token is none of this service.", "nextToken", token))
}

/// Into how many segments an index is divided and which of them is asked for.
fn segment(input: &Record) -> Result<(u32, u32), ServiceError> {
    match (input.integer("segment_count"), input.integer("segment_index")) {
        (None, None) => Ok((1, 0)),
        (Some(count), Some(index)) if index < count => {
            let number = |value: i64| u32::try_from(value).unwrap_or_default();
            Ok((number(count).max(1), number(index)))
        }
        (Some(_), Some(index)) => Err(ServiceError::invalid_argument(
            "The index of the segment must be less than their count.",
            "segmentIndex",
            &index.to_string(),
        )),
        _ => Err(ServiceError::invalid_argument(
            "segmentCount and segmentIndex go together.",
            "segmentCount",
            "",
        )),
    }
}

fn keys(call: &Call<'_>, max: usize) -> Result<Vec<String>, ServiceError> {
    let given = call.input.list("keys");
    if given.is_empty() || given.len() > max {
        return Err(ServiceError::invalid_argument(
            format!("The list of keys has {} items.", given.len()),
            "keys",
            "",
        ));
    }
    let mut keys = Vec::with_capacity(given.len());
    for key in given {
        let Value::Text(key) = key else { continue };
        check_key(key)?;
        keys.push(key.clone());
    }
    Ok(keys)
}

fn check_key(key: &str) -> Result<(), ServiceError> {
    if (1..=MAX_KEY).contains(&key.chars().count()) {
        return Ok(());
    }
    Err(ServiceError::invalid_argument(
        "A key must have 1 to 1024 characters.",
        "key",
        key,
    ))
}

fn length(metadata: &Metadata) -> usize {
    serde_json::to_string(metadata).map_or(0, |text| text.len())
}

/// The metadata of a vector: an object of scalars and lists of scalars, within its limits.
fn metadata(index: &Index, key: &str, given: Option<&Value>) -> Result<Metadata, ServiceError> {
    let invalid =
        |why: &str| ServiceError::invalid_argument(format!("The metadata of a vector {why}."), "metadata", key);
    let metadata = match given {
        None => return Ok(Metadata::new()),
        Some(Value::Json(Json::Object(metadata))) => metadata.clone(),
        Some(_) => return Err(invalid("is not an object")),
    };
    let is_scalar = |value: &Json| matches!(value, Json::String(_) | Json::Number(_) | Json::Bool(_));
    let is_valid = |value: &Json| match value {
        Json::Array(items) => items.iter().all(is_scalar),
        value => is_scalar(value),
    };
    if !metadata.values().all(is_valid) {
        return Err(invalid("has a value that is neither a scalar nor a list of scalars"));
    }
    if length(&metadata) > MAX_METADATA {
        return Err(invalid("is larger than 40 KiB"));
    }
    let mut filterable = metadata.clone();
    filterable.retain(|name, _| !index.non_filterable.contains(name));
    if !filterable.is_empty() && length(&filterable) > MAX_FILTERABLE {
        return Err(invalid("has more than 2 KiB that filters can use"));
    }
    Ok(metadata)
}

/// The numbers of a vector, in the precision and dimension of the index.
pub(super) fn numbers(index: &Index, data: Option<&Record>, name: &str) -> Result<Vec<f32>, ServiceError> {
    let values = data.map(|data| data.list("float32")).unwrap_or_default();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the index keeps 32 bits; what does not fit becomes infinite and is refused"
    )]
    let single = |value: &Value| match value {
        Value::Float(number) => Some(*number as f32).filter(|number| number.is_finite()),
        _ => None,
    };
    let numbers: Option<Vec<f32>> = values.iter().map(single).collect();
    let numbers = numbers.ok_or_else(|| {
        ServiceError::invalid_argument("A number of the vector is not a finite float32.", "data", name)
    })?;
    if data.is_some_and(|data| data.has("fields")) {
        return Err(ServiceError::invalid_argument(
            "Only vectors of fusion indexes have other fields than float32.",
            "data",
            name,
        ));
    }
    if numbers.len() != index.dimension {
        let message = format!(
            "The vector has {} numbers, the index has the dimension {}.",
            numbers.len(),
            index.dimension
        );
        return Err(ServiceError::invalid_argument(message, "data", name));
    }
    if index.metric == super::distance::Metric::Cosine && numbers.iter().all(|number| *number == 0.0) {
        return Err(ServiceError::invalid_argument(
            "The zero vector has no direction to compare.",
            "data",
            name,
        ));
    }
    Ok(numbers)
}
