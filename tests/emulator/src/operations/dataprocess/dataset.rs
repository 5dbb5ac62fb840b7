//! Datasets of a metadata index: their settings, and how much they hold.

use std::time::SystemTime;

use oss_codegen::api::Type;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{Call, check_open, cluster, query, read, token_of, write};
use crate::answer::Answer;
use crate::document::json;
use crate::error::ServiceError;
use crate::store::Documents;
use crate::value::{Record, Value};
use crate::{text, time};

const KIND: &str = "dataprocess/dataset/";
const DEFAULT_PAGE: i64 = 100;
const MAX_DESCRIPTION: usize = 256;

/// A dataset as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Dataset {
    name: String,
    description: Option<String>,
    template_id: Option<String>,
    config: Option<Json>,
    /// Seconds since 1970.
    created: i64,
    updated: i64,
}

pub(super) async fn create(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let dataset = Dataset {
        name: name(call).to_owned(),
        description: description(call)?,
        template_id: call.input.text("template_id").map(str::to_owned),
        config: config(call),
        created: time::unix_seconds(call.now),
        updated: time::unix_seconds(call.now),
    };
    call.refuse(&["workflow_parameters", "cluster_type"])?;
    let document = write(&dataset)?;
    let kind = format!("{KIND}{}", dataset.name);
    let create = move |documents: &Documents| {
        if !check_open(documents)?.is_semantic() {
            return Err(ServiceError::invalid_argument(
                "Datasets need an index of mode semantic.",
                "mode",
                "basic",
            ));
        }
        if documents.contains_key(&kind) {
            return Err(ServiceError::new(
                400,
                "ResourceAlreadyExists",
                "The dataset exists already.",
            ));
        }
        Ok((Some((kind, Some(document))), ()))
    };
    call.store().change_config(call.bucket()?, create).await??;
    answer(call, &dataset)
}

pub(super) fn get(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let documents = documents(call)?;
    let dataset = find(&documents, name(call))?;
    let mut shown = described(call, &dataset)?;
    if call.input.flag("with_statistics") {
        let members = query::members(call, &documents, Some(&dataset.name))?;
        let size: u64 = members.iter().map(|object| object.size).sum();
        shown = shown.with("file_count", members.len()).with("total_file_size", size);
    }
    Ok(Answer::ok(Record::new().with("dataset", shown)))
}

pub(super) async fn update(call: &Call<'_>) -> Result<Answer, ServiceError> {
    call.refuse(&["workflow_parameters"])?;
    let (name, description, config) = (name(call).to_owned(), description(call)?, config(call));
    let template_id = call.input.text("template_id").map(str::to_owned);
    let now = time::unix_seconds(call.now);
    let update = move |documents: &Documents| {
        check_open(documents)?;
        let mut dataset = find(documents, &name)?;
        dataset.description = description.or(dataset.description);
        dataset.template_id = template_id.or(dataset.template_id);
        dataset.config = config.or(dataset.config);
        dataset.updated = now;
        let document = write(&dataset)?;
        Ok::<_, ServiceError>((Some((format!("{KIND}{name}"), Some(document))), dataset))
    };
    let dataset = call.store().change_config(call.bucket()?, update).await??;
    answer(call, &dataset)
}

pub(super) async fn delete(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let name = name(call).to_owned();
    let held = documents(call)?;
    find(&held, &name)?;
    if !query::members(call, &held, Some(&name))?.is_empty() {
        return Err(ServiceError::new(
            409,
            "StatusConflict",
            "The dataset still holds entries.",
        ));
    }
    super::purge(call, &cluster::folder(&name)).await?;
    super::purge(call, &query::folder(&name)).await?;
    let delete = move |documents: &Documents| {
        check_open(documents)?;
        find(documents, &name)?;
        Ok::<_, ServiceError>((Some((format!("{KIND}{name}"), None)), ()))
    };
    call.store().change_config(call.bucket()?, delete).await??;
    Ok(Answer::empty())
}

pub(super) fn list(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let input = &call.input;
    let max = input.integer("max_results").unwrap_or(DEFAULT_PAGE);
    let prefix = format!("{KIND}{}", input.text_or_empty("prefix"));
    let after = token_of(call)?;
    let documents = documents(call)?;
    let limit = usize::try_from(max).unwrap_or_default();
    let mut found: Vec<_> = documents
        .range(prefix.clone()..)
        .take_while(|(kind, _)| kind.starts_with(&prefix))
        .filter(|(kind, _)| **kind > after)
        .take(limit + 1)
        .collect();
    let truncated = found.len() > limit;
    found.truncate(limit);
    let next = found
        .last()
        .filter(|_| truncated)
        .map(|(kind, _)| text::base64(kind.as_bytes()));
    let datasets = found
        .iter()
        .map(|(_, document)| described(call, &read(document)?))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Answer::ok(
        Record::new()
            .with("datasets", datasets)
            .with("max_results", max)
            .with_some("next_token", next),
    ))
}

pub(super) fn name<'c>(call: &'c Call<'_>) -> &'c str {
    call.input.text_or_empty("dataset_name")
}

/// The documents of the index, which must be open.
pub(super) fn documents(call: &Call<'_>) -> Result<Documents, ServiceError> {
    let documents = call.store().configs(call.bucket()?, super::meta_query::KIND)?;
    let documents: Documents = documents.into_iter().collect();
    check_open(&documents)?;
    Ok(documents)
}

/// Refuses the name of a dataset that there is not.
pub(super) fn check_exists(documents: &Documents, name: &str) -> Result<(), ServiceError> {
    find(documents, name).map(|_| ())
}

fn find(documents: &Documents, name: &str) -> Result<Dataset, ServiceError> {
    let missing = || ServiceError::new(404, "DatasetNotExist", "The dataset does not exist.");
    read(documents.get(&format!("{KIND}{name}")).ok_or_else(missing)?)
}

fn description(call: &Call<'_>) -> Result<Option<String>, ServiceError> {
    match call.input.text("description") {
        Some(text) if text.chars().count() > MAX_DESCRIPTION => Err(ServiceError::invalid_argument(
            "The description has more than 256 characters.",
            "description",
            text,
        )),
        text => Ok(text.map(str::to_owned)),
    }
}

/// The type of the settings of a dataset.
fn config_type<'c>(call: &Call<'c>) -> Option<&'c Type> {
    let create = call.service.operation("CreateDataset")?;
    let member = create.request.iter().find(|member| member.name == "dataset_config")?;
    Some(&member.ty)
}

fn config(call: &Call<'_>) -> Option<Json> {
    let value = call.input.get("dataset_config")?;
    Some(json::write_value(call.service, config_type(call)?, value))
}

fn answer(call: &Call<'_>, dataset: &Dataset) -> Result<Answer, ServiceError> {
    Ok(Answer::ok(Record::new().with("dataset", described(call, dataset)?)))
}

fn described(call: &Call<'_>, dataset: &Dataset) -> Result<Record, ServiceError> {
    let at = |seconds: i64| time::iso8601_millis(time::from_unix(seconds).unwrap_or(SystemTime::UNIX_EPOCH));
    let config: Option<Value> = match (&dataset.config, config_type(call)) {
        (Some(config), Some(ty)) => Some(
            json::read_value(call.service, ty, "datasetConfig", config)
                .map_err(|why| ServiceError::internal(format!("A stored dataset cannot be read: {why}.")))?,
        ),
        _ => None,
    };
    Ok(Record::new()
        .with("dataset_name", &dataset.name)
        .with_some("description", dataset.description.as_ref())
        .with_some("template_id", dataset.template_id.as_ref())
        .with_some("dataset_config", config)
        .with("create_time", at(dataset.created))
        .with("update_time", at(dataset.updated)))
}
