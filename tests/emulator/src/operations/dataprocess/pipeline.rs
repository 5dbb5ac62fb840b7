//! Data pipelines of the account: their configuration and whether they are paused. They process nothing, so one that was
//! made stays `Ready`.

use oss_codegen::api::Type;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{Call, page, read, time_of, token_of, write};
use crate::address::is_bucket_name;
use crate::answer::Answer;
use crate::document::json;
use crate::error::ServiceError;
use crate::time;
use crate::value::Record;

const KIND: &str = "dataprocess/pipeline";
const MOST: usize = 1000;
const DEFAULT_PAGE: usize = 100;
const MAX_DESCRIPTION: usize = 200;
const READY: &str = "Ready";
const PAUSED: &str = "Paused";

/// A pipeline as it is stored. The key for its model is masked already: nobody needs it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Pipeline {
    name: String,
    role: String,
    status: String,
    /// Seconds since 1970.
    created: i64,
    configuration: Json,
}

pub(super) async fn put(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let name = name(call)?.to_owned();
    let role = call.input.text_or_empty("role");
    if !is_role(role) {
        return Err(ServiceError::invalid_argument(
            "The role is not of the form acs:ram::{account}:role/{name}.",
            "role",
            role,
        ));
    }
    let nothing = Record::new();
    let configuration = call.input.record("configuration").unwrap_or(&nothing);
    check(call, configuration)?;
    let ty = body_type(call).ok_or_else(stale)?;
    let pipeline = Pipeline {
        name: name.clone(),
        role: role.to_owned(),
        status: READY.to_owned(),
        created: time::unix_seconds(call.now),
        configuration: json::write_value(call.service, ty, &masked(configuration).into()),
    };
    let document = write(&pipeline)?;
    if call.store().account_configs(&folder(call)).len() >= MOST {
        return Err(ServiceError::invalid_argument(
            "The account has 1000 data pipelines already.",
            "dataPipelineName",
            &name,
        ));
    }
    let put = move |stored: Option<&[u8]>| match stored {
        Some(_) => Err(ServiceError::invalid_argument(
            "The account has a data pipeline of this name already.",
            "dataPipelineName",
            &name,
        )),
        None => Ok((Some(document), ())),
    };
    call.store().update_account_config(&kind(call)?, put).await??;
    Ok(Answer::empty())
}

pub(super) fn get(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let document = call.store().account_config(&kind(call)?).ok_or_else(missing)?;
    let shown = described(call, &read(&document)?)?;
    Ok(Answer::ok(Record::new().with("configuration", shown)))
}

pub(super) async fn delete(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let delete = |stored: Option<&[u8]>| match stored {
        Some(_) => Ok((None, ())),
        None => Err(missing()),
    };
    call.store().update_account_config(&kind(call)?, delete).await??;
    Ok(Answer::empty())
}

pub(super) async fn pause(call: &Call<'_>) -> Result<Answer, ServiceError> {
    turn(call, READY, PAUSED).await
}

pub(super) async fn restart(call: &Call<'_>) -> Result<Answer, ServiceError> {
    turn(call, PAUSED, READY).await
}

async fn turn(call: &Call<'_>, from: &'static str, to: &'static str) -> Result<Answer, ServiceError> {
    let name = name(call)?.to_owned();
    let turn = move |stored: Option<&[u8]>| {
        let mut pipeline: Pipeline = read(stored.ok_or_else(missing)?)?;
        if pipeline.status != from {
            return Err(ServiceError::invalid_argument(
                format!("The data pipeline is {}.", pipeline.status),
                "dataPipelineName",
                &name,
            ));
        }
        to.clone_into(&mut pipeline.status);
        Ok((Some(write(&pipeline)?), ()))
    };
    call.store().update_account_config(&kind(call)?, turn).await??;
    Ok(Answer::empty())
}

pub(super) fn list(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let input = &call.input;
    let most = match input.integer("max_results") {
        None | Some(0) => DEFAULT_PAGE,
        Some(most) => usize::try_from(most).unwrap_or(DEFAULT_PAGE),
    };
    let prefix = format!("{}{}", folder(call), input.text_or_empty("prefix"));
    let bucket = input.text("input_bucket").filter(|bucket| !bucket.is_empty());
    let mut found = Vec::new();
    for (kind, document) in call.store().account_configs(&prefix) {
        let shown = described(call, &read(&document)?)?;
        let reads = |bucket: &str| {
            shown
                .records("sources")
                .any(|source| source.text("input_bucket") == Some(bucket))
        };
        if bucket.is_none_or(reads) {
            found.push((kind, shown));
        }
    }
    let (shown, next) = page(found, &token_of(call)?, most);
    Ok(Answer::ok(
        Record::new()
            .with("data_pipeline_configurations", shown)
            .with_some("next_token", next),
    ))
}

/// What shapes cannot say of a configuration.
fn check(call: &Call<'_>, configuration: &Record) -> Result<(), ServiceError> {
    let invalid = |why: &str, element: &str, value: &str| Err(ServiceError::invalid_argument(why, element, value));
    let description = configuration.text_or_empty("data_pipeline_description");
    if description.chars().count() > MAX_DESCRIPTION {
        let why = "The description has more than 200 characters.";
        return invalid(why, "DataPipelineDescription", description);
    }
    let mut sources = configuration.records("sources");
    let (Some(source), None) = (sources.next(), sources.next()) else {
        return invalid("A data pipeline has exactly one source.", "Sources", "");
    };
    let bucket = source.text_or_empty("input_bucket");
    // Buckets of others must not be told from those that do not exist, nor may containers of other services.
    let info = call.store().bucket(bucket).ok().filter(|_| is_bucket_name(bucket));
    if info.is_none_or(|info| Some(info.meta.owner.as_str()) != call.principal.account()) {
        return invalid("There is no such bucket in the region.", "InputBucket", bucket);
    }
    let Some(destination) = configuration.record("destination") else {
        return invalid("The destination is missing.", "Destination", "");
    };
    let own = configuration.record("data_pipeline_embedding_configuration");
    let of_service = configuration.has("model_tier") || configuration.has("data_pipeline_data_process_configuration");
    match own {
        Some(_) if of_service => {
            let why = "Vectors come from a model of the caller or from those of the service, not from both.";
            return invalid(why, "DataPipelineEmbeddingConfiguration", "");
        }
        None if !of_service => {
            let why = "Nothing says which model computes the vectors.";
            return invalid(why, "DataPipelineEmbeddingConfiguration", "");
        }
        Some(model) => {
            let provider = model.text_or_empty("embedding_provider");
            if provider != "bailian" {
                return invalid("The provider is not bailian.", "EmbeddingProvider", provider);
            }
            if !model.text_or_empty("api_key").starts_with("sk-") {
                return invalid("The key does not begin with sk-.", "ApiKey", "");
            }
            if model.text_or_empty("model").is_empty() {
                return invalid("The model is missing.", "Model", "");
            }
            if destination.text_or_empty("vector_bucket_name").is_empty() {
                return invalid("The vector bucket is missing.", "VectorBucketName", "");
            }
            if destination.list("vector_index_names").len() != 1 {
                let why = "The destination has exactly one vector index.";
                return invalid(why, "VectorIndexNames", "");
            }
        }
        None => {}
    }
    match configuration.record("data_pipeline_error") {
        Some(error)
            if error.text("error_mode") == Some("ignoreAndRecord")
                && error.text_or_empty("error_bucket").is_empty() =>
        {
            invalid("The mode ignoreAndRecord needs a bucket.", "ErrorBucket", "")
        }
        _ => Ok(()),
    }
}

fn masked(configuration: &Record) -> Record {
    let mut masked = configuration.clone();
    if let Some(model) = configuration.record("data_pipeline_embedding_configuration") {
        let key: Vec<char> = model.text_or_empty("api_key").chars().collect();
        let end: String = key.iter().skip(key.len().saturating_sub(4).max(7)).collect();
        let model = model.clone().with("api_key", format!("sk-****{end}"));
        masked.set("data_pipeline_embedding_configuration", model);
    }
    masked
}

fn described(call: &Call<'_>, pipeline: &Pipeline) -> Result<Record, ServiceError> {
    let ty = body_type(call).ok_or_else(stale)?;
    let stored = json::read_value(call.service, ty, "DataPipelineConfiguration", &pipeline.configuration);
    let configuration = match stored {
        Ok(crate::value::Value::Record(configuration)) => configuration,
        _ => return Err(stale()),
    };
    Ok(configuration
        .with("data_pipeline_name", &pipeline.name)
        .with("data_pipeline_role", &pipeline.role)
        .with("status", &pipeline.status)
        .with("phase", "FullScanning")
        .with("create_time", time_of(pipeline.created)))
}

fn stale() -> ServiceError {
    ServiceError::internal("A stored data pipeline cannot be read.")
}

fn missing() -> ServiceError {
    ServiceError::new(404, "NoSuchDataPipeline", "The data pipeline does not exist.")
}

fn name<'c>(call: &'c Call<'_>) -> Result<&'c str, ServiceError> {
    let name = call.input.text_or_empty("data_pipeline_name");
    let is_known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    match !name.is_empty() && name.bytes().all(is_known) {
        true => Ok(name),
        false => Err(ServiceError::invalid_argument(
            "The name is not of letters, digits, hyphens and underscores.",
            "dataPipelineName",
            name,
        )),
    }
}

fn is_role(arn: &str) -> bool {
    let named = arn.strip_prefix("acs:ram::").and_then(|rest| rest.split_once(":role/"));
    named.is_some_and(|(account, name)| {
        !name.is_empty() && !account.is_empty() && account.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Every account has pipelines of its own.
fn folder(call: &Call<'_>) -> String {
    format!("{KIND}/{}/", call.principal.account().unwrap_or_default())
}

fn kind(call: &Call<'_>) -> Result<String, ServiceError> {
    Ok(format!("{}{}", folder(call), name(call)?))
}

/// The type of a configuration in requests.
fn body_type<'c>(call: &Call<'c>) -> Option<&'c Type> {
    let put = call.service.operation("PutDataPipelineConfiguration")?;
    let member = put.request.iter().find(|member| member.name == "configuration")?;
    Some(&member.ty)
}
