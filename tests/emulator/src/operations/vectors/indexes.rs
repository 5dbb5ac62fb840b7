//! Indexes of a vector bucket: their life and their settings.

use std::time::SystemTime;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::distance::Metric;
use super::{Call, bucket, stored};
use crate::answer::Answer;
use crate::error::ServiceError;
use crate::store::Documents;
use crate::time;
use crate::value::{Record, Value};

/// Indexes that a bucket may have.
const MAX_INDEXES: usize = 100;
const DEFAULT_PAGE: i64 = 100;
const KIND: &str = "index/";

/// An index as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Index {
    /// Names the batches of this index, so that a later index of the same name has nothing of its vectors.
    pub(super) id: String,
    /// Seconds since 1970.
    created: i64,
    pub(super) dimension: usize,
    pub(super) metric: Metric,
    /// Metadata that filters cannot use.
    pub(super) non_filterable: Vec<String>,
}

pub(super) async fn put(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let input = &call.input;
    let container = bucket(call)?;
    let index = Index {
        id: call.state.keys.random_text(16),
        created: time::unix_seconds(call.now),
        dimension: usize::try_from(input.integer("dimension").unwrap_or_default()).unwrap_or_default(),
        metric: match input.text("distance_metric") {
            Some("cosine") => Metric::Cosine,
            _ => Metric::Euclidean,
        },
        non_filterable: hidden_keys(input)?,
    };
    let kind = format!("{KIND}{}", input.text_or_empty("index_name"));
    let document = write(&index)?;
    let create = move |documents: &Documents| {
        if documents.contains_key(&kind) {
            return Err(ServiceError::new(
                409,
                "VectorIndexAlreadyExists",
                "The vector index already exists.",
            ));
        }
        if all(documents).count() >= MAX_INDEXES {
            return Err(ServiceError::invalid_argument(
                "The vector bucket has 100 indexes already.",
                "indexName",
                kind.trim_start_matches(KIND),
            ));
        }
        Ok((Some((kind, Some(document))), ()))
    };
    call.store().change_config(&container, create).await??;
    Ok(Answer::empty())
}

pub(super) fn get(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let container = bucket(call)?;
    let name = call.input.text_or_empty("index_name");
    let index = open(call, &container, name)?;
    Ok(Answer::ok(Record::new().with("index", described(call, name, &index)?)))
}

pub(super) fn list(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let container = bucket(call)?;
    let input = &call.input;
    let prefix = format!("{KIND}{}", input.text_or_empty("prefix"));
    let max = match input.integer("max_results") {
        None | Some(0) => DEFAULT_PAGE,
        Some(max) => max,
    };
    let max = usize::try_from(max).unwrap_or_default();
    let after = match input.text("next_token").filter(|token| !token.is_empty()) {
        Some(token) => format!("{KIND}{}", super::data::read_token(token)?),
        None => String::new(),
    };
    let mut found = call.store().configs_after(&container, &prefix, "")?;
    found.retain(|(kind, _)| *kind > after);
    let truncated = found.len() > max;
    found.truncate(max);
    let name_of = |kind: &str| kind.trim_start_matches(KIND).to_owned();
    let next = found
        .last()
        .filter(|_| truncated)
        .map(|(kind, _)| super::data::token(&name_of(kind)));
    let indexes = found
        .iter()
        .map(|(kind, document)| described(call, &name_of(kind), &read(document)?))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Answer::ok(
        Record::new().with("indexes", indexes).with_some("next_token", next),
    ))
}

pub(super) async fn delete(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let container = bucket(call)?;
    let kind = format!("{KIND}{}", call.input.text_or_empty("index_name"));
    let remove = move |documents: &Documents| {
        let index: Index = read(documents.get(&kind).ok_or_else(no_such_index)?)?;
        Ok::<_, ServiceError>((Some((kind, None)), index.id))
    };
    let id = call.store().change_config(&container, remove).await??;
    call.state.vector_indexes.forget(&id);
    stored::sweep(call.store(), &container).await;
    Ok(Answer::no_content(Record::new()))
}

/// The index of this name.
pub(super) fn open(call: &Call<'_>, container: &str, name: &str) -> Result<Index, ServiceError> {
    let document = call.store().config(container, &format!("{KIND}{name}"))?;
    read(&document.ok_or_else(no_such_index)?)
}

/// The documents of all indexes of a bucket.
pub(super) fn all(documents: &Documents) -> impl Iterator<Item = &[u8]> {
    documents
        .range(KIND.to_owned()..)
        .take_while(|(kind, _)| kind.starts_with(KIND))
        .map(|(_, document)| document.as_slice())
}

/// The ids of all indexes of a bucket.
pub(super) fn ids(documents: &Documents) -> Vec<String> {
    all(documents)
        .filter_map(|document| read::<Index>(document).ok())
        .map(|index| index.id)
        .collect()
}

pub(super) fn no_such_index() -> ServiceError {
    ServiceError::new(404, "NoSuchVectorIndex", "The specified vector index does not exist.")
}

/// The keys that the request keeps out of filters.
fn hidden_keys(input: &Record) -> Result<Vec<String>, ServiceError> {
    let Some(metadata) = input.record("metadata") else {
        return Ok(Vec::new());
    };
    let keys = metadata.list("non_filterable_metadata_keys").iter();
    keys.map(|key| match key {
        Value::Text(key) if (1..=63).contains(&key.len()) => Ok(key.clone()),
        _ => Err(ServiceError::invalid_argument(
            "A key of non-filterable metadata must have 1 to 63 bytes.",
            "nonFilterableMetadataKeys",
            "",
        )),
    })
    .collect()
}

fn described(call: &Call<'_>, name: &str, index: &Index) -> Result<Record, ServiceError> {
    let hidden: Vec<_> = index.non_filterable.iter().map(Value::from).collect();
    let metadata = (!hidden.is_empty()).then(|| Record::new().with("non_filterable_metadata_keys", hidden));
    Ok(Record::new()
        .with(
            "create_time",
            time::from_unix(index.created).unwrap_or(SystemTime::UNIX_EPOCH),
        )
        .with("data_type", "float32")
        .with("dimension", index.dimension)
        .with("distance_metric", index.metric.as_str())
        .with("index_name", name)
        .with_some("metadata", metadata)
        .with("status", "enable")
        .with("vector_bucket_name", call.bucket()?))
}

fn read<T: DeserializeOwned>(document: &[u8]) -> Result<T, ServiceError> {
    serde_json::from_slice(document)
        .map_err(|error| ServiceError::internal(format!("A stored index cannot be read: {error}.")))
}

fn write(index: &Index) -> Result<Vec<u8>, ServiceError> {
    serde_json::to_vec(index).map_err(|error| ServiceError::internal(format!("An index cannot be written: {error}.")))
}
