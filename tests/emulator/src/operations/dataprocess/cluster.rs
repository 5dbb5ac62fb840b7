//! Smart clusters of a dataset: their rules. Nobody looks into the objects, so the groups have no members.

use std::collections::BTreeSet;

use oss_codegen::api::Type;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{Call, check_open, dataset, page, read, time_of, token_of, write};
use crate::answer::Answer;
use crate::document::json;
use crate::error::ServiceError;
use crate::store::Documents;
use crate::value::{Record, Value};
use crate::{text, time};

const KIND: &str = "dataprocess/cluster";
const MAX_TEXT: usize = 128;
const DEFAULT_PAGE: usize = 100;
const MAX_PICTURES: usize = 3;

/// A smart cluster as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Cluster {
    id: String,
    cluster_type: String,
    name: String,
    description: Option<String>,
    rules: Json,
    notification: Option<Json>,
    /// Seconds since 1970.
    created: i64,
    updated: i64,
}

pub(super) async fn create(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let cluster_type = call.input.text_or_empty("cluster_type").to_owned();
    let rules = given_rules(call).unwrap_or_default();
    check_rules(call, &cluster_type, &rules)?;
    let cluster = Cluster {
        id: format!("SmartCluster-{}", call.request_id),
        cluster_type,
        name: short(call, "name")?.unwrap_or_default(),
        description: short(call, "description")?,
        rules: stored(call, "rules", &rules.into()).unwrap_or(Json::Null),
        notification: notification(call),
        created: time::unix_seconds(call.now),
        updated: time::unix_seconds(call.now),
    };
    if cluster.name.is_empty() {
        return Err(ServiceError::invalid_argument("The name is empty.", "name", ""));
    }
    let (dataset, id) = (dataset::name(call).to_owned(), cluster.id.clone());
    let create = move |documents: &Documents| {
        if !check_open(documents)?.is_routed() {
            return Err(ServiceError::new(
                400,
                "OperationNotSupported",
                "Smart clusters need an index that was opened with a routing rule.",
            ));
        }
        dataset::check_exists(documents, &dataset)?;
        check_name(documents, &dataset, &cluster)?;
        Ok((Some((kind(&dataset, &cluster.id), Some(write(&cluster)?))), ()))
    };
    call.store().change_config(call.bucket()?, create).await??;
    Ok(Answer::ok(Record::new().with("object_id", id)))
}

pub(super) fn get(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let documents = dataset::documents(call)?;
    let name = dataset::name(call);
    dataset::check_exists(&documents, name)?;
    let cluster = find(&documents, name, call.input.text_or_empty("object_id"))?;
    let shown = described(call, &cluster)?;
    Ok(Answer::ok(Record::new().with("smart_cluster", shown)))
}

pub(super) async fn update(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let (name, description) = (short(call, "name")?, short(call, "description")?);
    let rules = given_rules(call);
    if let Some(rules) = &rules {
        let documents = dataset::documents(call)?;
        dataset::check_exists(&documents, dataset::name(call))?;
        let id = call.input.text_or_empty("object_id");
        let cluster = find(&documents, dataset::name(call), id)?;
        check_rules(call, &cluster.cluster_type, rules)?;
    }
    let rules = rules.and_then(|rules| stored(call, "rules", &rules.into()));
    let notification = notification(call);
    let (dataset, id) = (
        dataset::name(call).to_owned(),
        call.input.text_or_empty("object_id").to_owned(),
    );
    let now = time::unix_seconds(call.now);
    let update = move |documents: &Documents| {
        check_open(documents)?;
        dataset::check_exists(documents, &dataset)?;
        let mut cluster = find(documents, &dataset, &id)?;
        cluster.name = name.filter(|name| !name.is_empty()).unwrap_or(cluster.name);
        cluster.description = description.or(cluster.description);
        cluster.rules = rules.unwrap_or(cluster.rules);
        cluster.notification = notification.or(cluster.notification);
        cluster.updated = now;
        check_name(documents, &dataset, &cluster)?;
        Ok::<_, ServiceError>((Some((kind(&dataset, &id), Some(write(&cluster)?))), id))
    };
    let id = call.store().change_config(call.bucket()?, update).await??;
    Ok(Answer::ok(Record::new().with("object_id", id)))
}

pub(super) async fn delete(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let (dataset, id) = (
        dataset::name(call).to_owned(),
        call.input.text_or_empty("object_id").to_owned(),
    );
    let delete = move |documents: &Documents| {
        check_open(documents)?;
        dataset::check_exists(documents, &dataset)?;
        find(documents, &dataset, &id)?;
        Ok::<_, ServiceError>((Some((kind(&dataset, &id), None)), ()))
    };
    call.store().change_config(call.bucket()?, delete).await??;
    Ok(Answer::empty())
}

pub(super) fn list(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let input = &call.input;
    let documents = dataset::documents(call)?;
    let name = dataset::name(call);
    dataset::check_exists(&documents, name)?;
    let most = input.integer("max_results").and_then(|most| usize::try_from(most).ok());
    let wanted: BTreeSet<&str> = texts(input.list("rule_types")).collect();
    let mut found = Vec::new();
    for (kind, document) in of_dataset(&documents, name) {
        let cluster: Cluster = read(document)?;
        let shown = described(call, &cluster)?;
        let fits_kind = input
            .text("cluster_type")
            .is_none_or(|kind| kind == cluster.cluster_type);
        let fits_rules = wanted.is_empty()
            || shown
                .records("rules")
                .any(|rule| wanted.contains(rule.text_or_empty("rule_type")));
        if fits_kind && fits_rules {
            found.push((kind.clone(), shown));
        }
    }
    let (shown, next) = page(found, &token_of(call)?, most.unwrap_or(DEFAULT_PAGE));
    Ok(Answer::ok(
        Record::new()
            .with("smart_clusters", shown)
            .with_some("next_token", next),
    ))
}

/// Where the clusters of a dataset are kept.
pub(super) fn folder(dataset: &str) -> String {
    format!("{KIND}/{}/", text::encode(dataset))
}

fn kind(dataset: &str, id: &str) -> String {
    format!("{}{id}", folder(dataset))
}

fn of_dataset<'d>(
    documents: &'d Documents,
    dataset: &str,
) -> impl Iterator<Item = (&'d String, &'d std::sync::Arc<Vec<u8>>)> {
    let folder = folder(dataset);
    documents
        .range(folder.clone()..)
        .take_while(move |(kind, _)| kind.starts_with(&folder))
}

fn find(documents: &Documents, dataset: &str, id: &str) -> Result<Cluster, ServiceError> {
    let missing = || ServiceError::invalid_argument("The dataset has no smart cluster of this ID.", "objectId", id);
    read(documents.get(&kind(dataset, id)).ok_or_else(missing)?)
}

fn check_name(documents: &Documents, dataset: &str, cluster: &Cluster) -> Result<(), ServiceError> {
    for (_, document) in of_dataset(documents, dataset) {
        let other: Cluster = read(document)?;
        if other.name == cluster.name && other.id != cluster.id {
            return Err(ServiceError::new(
                409,
                "SmartClusterAlreadyExist",
                "The dataset has a smart cluster of this name already.",
            ));
        }
    }
    Ok(())
}

fn short(call: &Call<'_>, name: &str) -> Result<Option<String>, ServiceError> {
    match call.input.text(name) {
        Some(text) if text.chars().count() > MAX_TEXT => Err(ServiceError::invalid_argument(
            "The text has more than 128 characters.",
            name,
            text,
        )),
        text => Ok(text.map(str::to_owned)),
    }
}

/// The rules of the request, or the single one.
fn given_rules(call: &Call<'_>) -> Option<Vec<Value>> {
    match call.input.has("rules") {
        true => Some(call.input.list("rules").to_vec()),
        false => call.input.get("rule").map(|rule| vec![rule.clone()]),
    }
}

fn check_rules(call: &Call<'_>, cluster_type: &str, rules: &[Value]) -> Result<(), ServiceError> {
    let invalid = |why: &str, value: &str| Err(ServiceError::invalid_argument(why, "rules", value));
    if rules.is_empty() {
        return invalid("There is no rule.", "");
    }
    for rule in rules {
        let Value::Record(rule) = rule else {
            return invalid("A rule is not an object.", "");
        };
        let kind = rule.text_or_empty("rule_type");
        match (cluster_type, kind) {
            ("figure", "face") => {
                let pictures = rule.list("base_uris");
                if pictures.is_empty() || pictures.len() > MAX_PICTURES {
                    return invalid("A rule for a face has 1 to 3 pictures.", "");
                }
                for uri in texts(pictures) {
                    let object = uri.strip_prefix("oss://").and_then(|rest| rest.split_once('/'));
                    let exists = object.is_some_and(|(bucket, key)| {
                        call.bucket().is_ok_and(|own| own == bucket) && call.store().object(bucket, key, None).is_ok()
                    });
                    if !exists {
                        return invalid("A picture is not an object of the bucket.", uri);
                    }
                }
            }
            ("knowledge", "keywords") => {
                if texts(rule.list("keywords")).all(str::is_empty) {
                    return invalid("A rule by keywords has none.", "");
                }
            }
            _ => return invalid("The kind of the rule does not fit that of the group.", kind),
        }
    }
    Ok(())
}

fn texts(values: &[Value]) -> impl Iterator<Item = &str> {
    values.iter().filter_map(|value| match value {
        Value::Text(text) => Some(text.as_str()),
        _ => None,
    })
}

fn notification(call: &Call<'_>) -> Option<Json> {
    stored(call, "notification", call.input.get("notification")?)
}

/// A member of CreateSmartCluster as it is stored.
fn stored(call: &Call<'_>, member: &str, value: &Value) -> Option<Json> {
    Some(json::write_value(call.service, type_of(call, member)?, value))
}

fn type_of<'c>(call: &Call<'c>, member: &str) -> Option<&'c Type> {
    let create = call.service.operation("CreateSmartCluster")?;
    let member = create.request.iter().find(|known| known.name == member)?;
    Some(&member.ty)
}

fn described(call: &Call<'_>, cluster: &Cluster) -> Result<Record, ServiceError> {
    let value = |member: &str, json: &Json| -> Result<Value, ServiceError> {
        let ty = type_of(call, member).ok_or("it has no type".to_owned());
        ty.and_then(|ty| json::read_value(call.service, ty, member, json))
            .map_err(|why| ServiceError::internal(format!("A stored smart cluster cannot be read: {why}.")))
    };
    let notification = cluster.notification.as_ref();
    let notification = notification.map(|json| value("notification", json)).transpose()?;
    Ok(Record::new()
        .with("object_id", &cluster.id)
        .with("cluster_type", &cluster.cluster_type)
        .with("name", &cluster.name)
        .with_some("description", cluster.description.as_ref())
        .with("rules", value("rules", &cluster.rules)?)
        .with_some("notification", notification)
        .with("create_time", time_of(cluster.created))
        .with("update_time", time_of(cluster.updated)))
}
