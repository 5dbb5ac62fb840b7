//! Data processing: the metadata index of a bucket, its datasets with their smart clusters, and the pipelines of the account.
//! What is known of objects from outside is searched; nobody looks into them.

mod cluster;
mod dataset;
mod meta_query;
mod pipeline;
mod query;

use std::time::SystemTime;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Call;
use crate::answer::Answer;
use crate::error::ServiceError;
use crate::store::Documents;
use crate::value::Record;
use crate::{text, time};

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
        "SimpleQuery" => query::simple(call).await,
        "DoMetaQuery" => query::of_default(call).await,
        "DeleteFileMeta" => query::forget(call).await,
        "CreateSmartCluster" => cluster::create(call).await,
        "GetSmartCluster" => cluster::get(call),
        "UpdateSmartCluster" => cluster::update(call).await,
        "DeleteSmartCluster" => cluster::delete(call).await,
        "ListSmartClusters" => cluster::list(call),
        "PutDataPipelineConfiguration" => pipeline::put(call).await,
        "GetDataPipelineConfiguration" => pipeline::get(call),
        "DeleteDataPipelineConfiguration" => pipeline::delete(call).await,
        "PauseDataPipeline" => pipeline::pause(call).await,
        "RestartDataPipeline" => pipeline::restart(call).await,
        "ListDataPipelineConfigurations" => pipeline::list(call),
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

/// What the token of a request stands for: the kind of the last document of the page before.
fn token_of(call: &Call<'_>) -> Result<String, ServiceError> {
    match call.input.text("next_token").filter(|token| !token.is_empty()) {
        None => Ok(String::new()),
        Some(token) => text::base64_decode(token)
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or_else(|| ServiceError::invalid_argument("The token is not valid.", "nextToken", token)),
    }
}

/// Cuts a page out of what documents of some kinds describe, in their order, and names the token of the next.
fn page(mut found: Vec<(String, Record)>, after: &str, most: usize) -> (Vec<Record>, Option<String>) {
    found.retain(|(kind, _)| kind.as_str() > after);
    let more = found.len() > most;
    found.truncate(most);
    let last = found.last().filter(|_| more);
    let next = last.map(|(kind, _)| text::base64(kind.as_bytes()));
    (found.into_iter().map(|(_, shown)| shown).collect(), next)
}

/// A time of the store as answers show it.
fn time_of(seconds: i64) -> String {
    super::settings::meta_query::search::written(time::from_unix(seconds).unwrap_or(SystemTime::UNIX_EPOCH))
}

/// Removes all documents whose kind begins with a prefix, one by one and the first of them last.
async fn purge(call: &Call<'_>, prefix: &str) -> Result<(), ServiceError> {
    loop {
        let wanted = prefix.to_owned();
        let remove = move |documents: &Documents| {
            let kinds = documents.range(wanted.clone()..).map(|(kind, _)| kind);
            let last = kinds.take_while(|kind| kind.starts_with(&wanted)).last().cloned();
            let found = last.is_some();
            Ok::<_, ServiceError>((last.map(|kind| (kind, None)), found))
        };
        if !call.store().change_config(call.bucket()?, remove).await?? {
            return Ok(());
        }
    }
}
