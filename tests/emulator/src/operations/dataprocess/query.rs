//! Searches of the objects of a dataset by what is known of them from outside, and what is forgotten of them.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use oss_codegen::api::Type;
use serde::{Deserialize, Serialize};

use super::{Call, check_open, dataset, read, write};
use crate::answer::Answer;
use crate::document::json;
use crate::error::ServiceError;
use crate::operations::settings::meta_query::search::{Outcome, search};
use crate::store::{Documents, ListQuery, ObjectInfo};
use crate::text;
use crate::value::{Record, Value};

const FORGOTTEN: &str = "dataprocess/forgotten";
const MAX_URI: usize = 1024;

/// Which state of an object a dataset does not know any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Forgotten {
    version: String,
    etag: String,
    /// Nanoseconds since 1970.
    modified: u64,
}

impl Forgotten {
    fn of(object: &ObjectInfo) -> Self {
        let modified = object.last_modified.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            version: object.version_id.clone(),
            etag: object.etag.clone(),
            modified: u64::try_from(modified.as_nanos()).unwrap_or(u64::MAX),
        }
    }
}

/// SimpleQuery.
pub(super) async fn simple(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let input = &call.input;
    let documents = dataset::documents(call)?;
    let name = dataset::name(call);
    dataset::check_exists(&documents, name)?;
    let condition = input.get("query").and_then(|query| {
        let ty = query_type(call)?;
        Some(json::write_value(call.service, ty, query).to_string())
    });
    let found = search(
        call.bucket()?,
        members(call, &documents, Some(name))?,
        condition.as_deref(),
        input,
    )
    .await?;
    let fields = wanted_fields(input);
    let counted = !input.flag("without_total_hits");
    let most = input.integer("max_results").filter(|most| *most > 0).unwrap_or(100);
    let answer = answer(found, Some(name), &fields, counted).with("max_results", most);
    Ok(Answer::ok(answer))
}

/// DoMetaQuery, which searches what is in no dataset that was made.
pub(super) async fn of_default(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let documents = dataset::documents(call)?;
    let index = check_open(&documents)?;
    if call.input.text("mode") == Some("semantic") {
        return match index.is_semantic() {
            true => Err(ServiceError::not_implemented("the mode semantic of DoMetaQuery")),
            false => Err(ServiceError::invalid_argument(
                "The metadata index was opened in another mode.",
                "mode",
                "semantic",
            )),
        };
    }
    let nothing = Record::new();
    let wanted = call.input.record("meta_query_body").unwrap_or(&nothing);
    for (member, element) in [
        ("media_types", "MediaTypes"),
        ("simple_query", "SimpleQuery"),
        ("smart_cluster_ids", "SmartClusterIds"),
    ] {
        if wanted.has(member) {
            let why = "The element is for semantic searches only.";
            return Err(ServiceError::invalid_argument(why, element, ""));
        }
    }
    let found = search(
        call.bucket()?,
        members(call, &documents, None)?,
        wanted.text("query").filter(|query| !query.trim().is_empty()),
        wanted,
    )
    .await?;
    let fields = wanted_fields(wanted);
    let declined = wanted.text_or_empty("without_total_hits").eq_ignore_ascii_case("true");
    Ok(Answer::ok(answer(found, None, &fields, !declined)))
}

/// DeleteFileMeta: the dataset forgets an object until that is written again.
pub(super) async fn forget(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let (bucket, uri) = (call.bucket()?, call.input.text_or_empty("uri"));
    let invalid = |why: &str| ServiceError::invalid_argument(why, "uri", uri);
    if uri.chars().count() > MAX_URI {
        return Err(invalid("The address has more than 1024 characters."));
    }
    let key = match uri.strip_prefix("oss://").and_then(|rest| rest.split_once('/')) {
        Some((own, key)) if own == bucket && !key.is_empty() => key,
        Some((own, _)) if own != bucket => return Err(invalid("The object is in another bucket.")),
        _ => return Err(invalid("The address is not of the form oss://{bucket}/{key}.")),
    };
    let documents = dataset::documents(call)?;
    let name = dataset::name(call).to_owned();
    dataset::check_exists(&documents, &name)?;
    let members = members(call, &documents, Some(&name))?;
    if let Some(object) = members.iter().find(|object| object.key == key) {
        let (kind, document) = (format!("{}{key}", folder(&name)), write(&Forgotten::of(object))?);
        let forget = move |documents: &Documents| {
            check_open(documents)?;
            dataset::check_exists(documents, &name)?;
            Ok::<_, ServiceError>((Some((kind, Some(document))), ()))
        };
        call.store().change_config(bucket, forget).await??;
    }
    Ok(Answer::empty())
}

/// The objects of a dataset, or those that no routing rule puts into one.
pub(super) fn members(
    call: &Call<'_>,
    documents: &Documents,
    dataset: Option<&str>,
) -> Result<Vec<Arc<ObjectInfo>>, ServiceError> {
    let index = check_open(documents)?;
    if index.is_filtered() {
        return Err(ServiceError::not_implemented("searches of an index with Filters"));
    }
    let everything = ListQuery {
        max: usize::MAX,
        ..ListQuery::default()
    };
    let mut found = call.store().list_objects(call.bucket()?, &everything)?.entries;
    found.retain(|object| {
        let tag = index.route_tag().and_then(|wanted| {
            let mut tags = object.meta.tags.iter();
            tags.find(|(key, _)| key == wanted).map(|(_, value)| value.as_str())
        });
        tag == dataset
    });
    if let Some(dataset) = dataset {
        let folder = folder(dataset);
        found.retain(|object| {
            let forgotten = documents.get(&format!("{folder}{}", object.key));
            forgotten.and_then(|document| read(document).ok()) != Some(Forgotten::of(object))
        });
    }
    Ok(found)
}

/// Where is kept what a dataset forgot.
pub(super) fn folder(dataset: &str) -> String {
    format!("{FORGOTTEN}/{}/", text::encode(dataset))
}

fn answer(found: Outcome, dataset: Option<&str>, fields: &HashSet<String>, counted: bool) -> Record {
    match found {
        Outcome::Statistics(statistics) => Record::new().with("aggregations", statistics),
        Outcome::Page { files, next, total } => {
            let files = files
                .into_iter()
                .map(|file| only(file.with_some("dataset_name", dataset), fields));
            Record::new()
                .with("files", files.collect::<Vec<_>>())
                .with_some("next_token", next)
                .with_some("total_hits", counted.then_some(total))
        }
    }
}

/// What was asked for of an object. Names of fields and of members differ by capitals and underscores only.
fn only(file: Record, fields: &HashSet<String>) -> Record {
    if fields.is_empty() {
        return file;
    }
    let names: Vec<String> = file.names().map(str::to_owned).collect();
    let is_wanted = |name: &str| fields.contains(&name.replace('_', ""));
    let left_out = names.into_iter().filter(|name| !is_wanted(name));
    left_out.fold(file, |file, name| file.without(&name))
}

/// The fields that a request names, in lower case.
fn wanted_fields(wanted: &Record) -> HashSet<String> {
    let fields = wanted.list("with_fields").iter().filter_map(|value| match value {
        Value::Text(text) => Some(text.to_ascii_lowercase()),
        _ => None,
    });
    fields.collect()
}

fn query_type<'c>(call: &Call<'c>) -> Option<&'c Type> {
    let query = call.service.operation("SimpleQuery")?;
    let member = query.request.iter().find(|member| member.name == "query")?;
    Some(&member.ty)
}
