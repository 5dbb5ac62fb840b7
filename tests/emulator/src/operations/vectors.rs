//! Vector indexes: created, filled and searched by measuring every vector.
//!
//! An index is a document of its bucket. Each PutVectors is one more document, numbered by the index, so a request is stored whole
//! or not at all and never rewrites what was there; of vectors with the same key the last one counts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::vector_filter::Filter;
use super::{Call, configuration};
use crate::answer::Answer;
use crate::error::ServiceError;
use crate::value::{Record, Value};

/// Largest metadata of one vector, in bytes of JSON.
const MAX_METADATA: usize = 40 * 1024;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Index {
    dimension: usize,
    metric: Metric,
    non_filterable: Vec<String>,
    /// Documents written so far.
    batches: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Metric {
    Euclidean,
    Cosine,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Vector {
    data: Vec<f32>,
    metadata: Map<String, Json>,
}

type Batch = BTreeMap<String, Vector>;

/// Runs an operation of the service.
pub(super) async fn run(call: &Call<'_>) -> Result<Answer, ServiceError> {
    match call.operation.name.as_str() {
        "PutVectorIndex" => put_index(call).await,
        "PutVectors" => put(call).await,
        "QueryVectors" => query(call),
        _ => configuration::run(call).await,
    }
}

async fn put_index(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let input = &call.input;
    let metric = match input.text("distance_metric") {
        Some("cosine") => Metric::Cosine,
        _ => Metric::Euclidean,
    };
    let hidden = input
        .record("metadata")
        .map(|metadata| metadata.list("non_filterable_metadata_keys"))
        .unwrap_or_default();
    let text = |value: &Value| match value {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    };
    let index = Index {
        dimension: usize::try_from(input.integer("dimension").unwrap_or_default()).unwrap_or_default(),
        metric,
        non_filterable: hidden.iter().filter_map(text).collect(),
        batches: 0,
    };
    let name = input.text_or_empty("index_name");
    let document = write(&index)?;
    let create = move |stored: Option<&[u8]>| match stored {
        Some(_) => Err(ServiceError::new(
            409,
            "VectorIndexAlreadyExists",
            "The vector index already exists.",
        )),
        None => Ok((Some(document), ())),
    };
    call.store()
        .update_config(call.bucket()?, &index_kind(name), create)
        .await??;
    Ok(Answer::empty())
}

async fn put(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let name = call.input.text_or_empty("index_name");
    let index = open(call, name)?;
    let mut batch = Batch::new();
    let given: Vec<&Record> = call.input.records("vectors").collect();
    if given.is_empty() {
        return Err(ServiceError::invalid_argument(
            "The list of vectors is empty.",
            "vectors",
            "",
        ));
    }
    for vector in given {
        let key = vector.text_or_empty("key");
        let metadata = match vector.get("metadata") {
            None => Map::new(),
            Some(Value::Json(Json::Object(metadata))) => metadata.clone(),
            Some(_) => {
                return Err(ServiceError::invalid_argument(
                    "The metadata of a vector is not an object.",
                    "metadata",
                    key,
                ));
            }
        };
        if Json::Object(metadata.clone()).to_string().len() > MAX_METADATA {
            return Err(ServiceError::invalid_argument(
                "The metadata of a vector is larger than 40 KiB.",
                "metadata",
                key,
            ));
        }
        let data = numbers(&index, vector.record("data"), key)?;
        if batch.insert(key.to_owned(), Vector { data, metadata }).is_some() {
            return Err(ServiceError::invalid_argument(
                "Two vectors have the same key.",
                "key",
                key,
            ));
        }
    }
    let count = |stored: Option<&[u8]>| {
        let mut index: Index = read(stored.ok_or_else(no_such_index)?)?;
        index.batches += 1;
        Ok::<_, ServiceError>((Some(write(&index)?), index.batches))
    };
    let number = call
        .store()
        .update_config(call.bucket()?, &index_kind(name), count)
        .await??;
    call.store()
        .put_config(
            call.bucket()?,
            &format!("{}{number:020}", batch_prefix(name)),
            write(&batch)?,
        )
        .await?;
    Ok(Answer::empty())
}

fn query(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let input = &call.input;
    let name = input.text_or_empty("index_name");
    let index = open(call, name)?;
    let wanted = numbers(&index, input.record("query_vector"), "queryVector")?;
    let filter =
        match input.get("filter") {
            Some(Value::Json(filter)) => Some(Filter::parse(filter, &index.non_filterable).map_err(|why| {
                ServiceError::invalid_argument(format!("The filter is not valid: {why}."), "filter", "")
            })?),
            _ => None,
        };
    let mut vectors = Batch::new();
    for (_, document) in call.store().configs(call.bucket()?, &batch_prefix(name))? {
        vectors.extend(read::<Batch>(&document)?);
    }
    let matching = vectors
        .iter()
        .filter(|(_, vector)| filter.as_ref().is_none_or(|filter| filter.matches(&vector.metadata)));
    let mut found: Vec<(f64, &String, &Vector)> = matching
        .map(|(key, vector)| (distance(index.metric, &wanted, &vector.data), key, vector))
        .collect();
    found.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(b.1)));
    found.truncate(usize::try_from(input.integer("top_k").unwrap_or_default()).unwrap_or_default());
    let summaries = found.into_iter().map(|(distance, key, vector)| {
        let metadata = input
            .flag("return_metadata")
            .then(|| Value::Json(Json::Object(vector.metadata.clone())));
        Record::new()
            .with("key", key)
            .with_some(
                "distance",
                input.flag("return_distance").then_some(Value::Float(distance)),
            )
            .with_some("metadata", metadata)
    });
    Ok(Answer::ok(Record::new().with("vectors", summaries.collect::<Vec<_>>())))
}

fn index_kind(name: &str) -> String {
    format!("vector-index/{name}")
}

fn batch_prefix(name: &str) -> String {
    format!("vectors/{name}/")
}

fn no_such_index() -> ServiceError {
    ServiceError::new(404, "NoSuchVectorIndex", "The specified vector index does not exist.")
}

fn open(call: &Call<'_>, name: &str) -> Result<Index, ServiceError> {
    read(
        &call
            .store()
            .config(call.bucket()?, &index_kind(name))?
            .ok_or_else(no_such_index)?,
    )
}

fn read<T: for<'de> Deserialize<'de>>(document: &[u8]) -> Result<T, ServiceError> {
    serde_json::from_slice(document)
        .map_err(|error| ServiceError::internal(format!("A stored vector document cannot be read: {error}.")))
}

fn write<T: Serialize>(value: &T) -> Result<Vec<u8>, ServiceError> {
    serde_json::to_vec(value)
        .map_err(|error| ServiceError::internal(format!("A vector document cannot be written: {error}.")))
}

/// The numbers of a vector, in the precision and dimension of the index.
fn numbers(index: &Index, data: Option<&Record>, name: &str) -> Result<Vec<f32>, ServiceError> {
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
    if numbers.len() != index.dimension {
        let message = format!(
            "The vector has {} numbers, the index has the dimension {}.",
            numbers.len(),
            index.dimension
        );
        return Err(ServiceError::invalid_argument(message, "data", name));
    }
    if index.metric == Metric::Cosine && numbers.iter().all(|number| *number == 0.0) {
        return Err(ServiceError::invalid_argument(
            "The zero vector has no direction to compare.",
            "data",
            name,
        ));
    }
    Ok(numbers)
}

fn distance(metric: Metric, a: &[f32], b: &[f32]) -> f64 {
    let pairs = || a.iter().zip(b).map(|(a, b)| (f64::from(*a), f64::from(*b)));
    match metric {
        Metric::Euclidean => pairs().map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt(),
        Metric::Cosine => {
            let dot: f64 = pairs().map(|(a, b)| a * b).sum();
            let length = |side: &[f32]| side.iter().map(|number| f64::from(*number).powi(2)).sum::<f64>().sqrt();
            1.0 - dot / (length(a) * length(b))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_geometry() {
        assert_eq!(distance(Metric::Euclidean, &[0.0, 0.0], &[3.0, 4.0]), 5.0);
        assert!(distance(Metric::Cosine, &[1.0, 1.0], &[2.0, 2.0]).abs() < 1e-9);
        assert!((distance(Metric::Cosine, &[1.0, 0.0], &[0.0, 1.0]) - 1.0).abs() < 1e-9);
        assert!((distance(Metric::Cosine, &[1.0, 0.0], &[-1.0, 0.0]) - 2.0).abs() < 1e-9);
    }
}
