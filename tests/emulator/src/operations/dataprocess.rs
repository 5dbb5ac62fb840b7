//! Data processing: the metadata index of a bucket and its datasets, as far as they are settings. Objects are not indexed, so
//! queries, smart clusters and pipelines are not served.

mod dataset;
mod meta_query;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Call;
use crate::answer::Answer;
use crate::error::ServiceError;
use crate::store::Documents;

/// Runs an operation of the service.
pub(super) async fn run(call: &Call<'_>) -> Result<Answer, ServiceError> {
    match call.operation.name.as_str() {
        "OpenMetaQuery" => meta_query::open(call).await,
        "GetMetaQueryStatus" => meta_query::status(call),
        "CloseMetaQuery" => meta_query::close(call).await,
        "CreateDataset" => dataset::create(call).await,
        "GetDataset" => dataset::get(call),
        "UpdateDataset" => dataset::update(call).await,
        "DeleteDataset" => dataset::delete(call).await,
        "ListDatasets" => dataset::list(call),
        other => Err(ServiceError::not_implemented(other)),
    }
}

fn read<T: DeserializeOwned>(document: &[u8]) -> Result<T, ServiceError> {
    serde_json::from_slice(document)
        .map_err(|error| ServiceError::internal(format!("A stored document cannot be read: {error}.")))
}

fn write<T: Serialize>(value: &T) -> Result<Vec<u8>, ServiceError> {
    serde_json::to_vec(value).map_err(|error| ServiceError::internal(format!("A document cannot be written: {error}.")))
}

/// Refuses what needs an index when the bucket has none.
fn check_open(documents: &Documents) -> Result<meta_query::Index, ServiceError> {
    match documents.get(meta_query::KIND) {
        Some(document) => read(document),
        None => Err(meta_query::missing()),
    }
}
