//! The metadata index of a bucket: opened, described and closed.

use std::time::SystemTime;

use oss_codegen::api::Type;
use serde::{Deserialize, Serialize};

use super::{Call, read, write};
use crate::answer::Answer;
use crate::document::xml::{self, Strictness};
use crate::error::ServiceError;
use crate::store::Documents;
use crate::time;
use crate::value::Record;

/// Everything of the index begins with this, and its own document, the first of them, is just this.
pub(super) const KIND: &str = "dataprocess";
/// Settings that an index of mode `basic` cannot have.
const SEMANTIC: &[&str] = &["dataset_config", "index_options", "route_rule"];

/// An index as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Index {
    mode: String,
    /// Seconds since 1970.
    opened: i64,
    /// The configuration as XML.
    configuration: Option<String>,
    /// Whether a rule spreads objects over datasets, and the tag whose value is the name of the dataset.
    #[serde(default)]
    routed: bool,
    #[serde(default)]
    route_tag: Option<String>,
    /// Whether only some objects are indexed.
    #[serde(default)]
    filtered: bool,
}

impl Index {
    pub(super) fn is_semantic(&self) -> bool {
        self.mode == "semantic"
    }

    pub(super) fn is_routed(&self) -> bool {
        self.routed
    }

    pub(super) fn route_tag(&self) -> Option<&str> {
        self.route_tag.as_deref()
    }

    pub(super) fn is_filtered(&self) -> bool {
        self.filtered
    }
}

pub(super) async fn open(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let mode = call.input.text("mode").unwrap_or("basic");
    let body = call.input.record("meta_query_body");
    let stray = SEMANTIC
        .iter()
        .find(|name| mode != "semantic" && body.is_some_and(|body| body.has(name)));
    if let Some(name) = stray {
        return Err(ServiceError::invalid_argument(
            "The setting needs an index of mode semantic.",
            name,
            "",
        ));
    }
    let rule = body.and_then(|body| body.record("route_rule"));
    let index = Index {
        routed: rule.is_some(),
        route_tag: rule.and_then(|rule| rule.text("oss_tag_key")).map(str::to_owned),
        filtered: body.is_some_and(|body| !body.list("filters").is_empty()),
        mode: mode.to_owned(),
        opened: time::unix_seconds(call.now),
        configuration: body.and_then(|body| written(call, body)),
    };
    let document = write(&index)?;
    let open = move |documents: &Documents| match documents.contains_key(KIND) {
        true => Err(ServiceError::new(
            400,
            "MetaQueryAlreadyExist",
            "The metadata index of the bucket exists already.",
        )),
        false => Ok((Some((KIND.to_owned(), Some(document))), ())),
    };
    call.store().change_config(call.bucket()?, open).await??;
    Ok(Answer::empty())
}

pub(super) fn status(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let document = call.store().config(call.bucket()?, KIND)?.ok_or_else(missing)?;
    let index: Index = read(&document)?;
    let opened = time::from_unix(index.opened).unwrap_or(SystemTime::UNIX_EPOCH);
    let configuration = match &index.configuration {
        Some(text) => configuration(call, text)?,
        None => Record::new(),
    };
    let status = configuration
        .with("state", "Running")
        .with("phase", "IncrementalScanning")
        .with("create_time", time::iso8601_millis(opened))
        .with("update_time", time::iso8601_millis(opened))
        .with("meta_query_mode", index.mode);
    Ok(Answer::ok(Record::new().with("status", status)))
}

/// Removes the datasets one by one, and the index last, so that an index that is opened again has none of them.
pub(super) async fn close(call: &Call<'_>) -> Result<Answer, ServiceError> {
    super::purge(call, KIND).await?;
    Ok(Answer::empty())
}

pub(super) fn missing() -> ServiceError {
    ServiceError::new(404, "MetaQueryNotExist", "The bucket has no metadata index.")
}

/// The type of the configuration in requests.
fn body_type<'c>(call: &Call<'c>) -> Option<&'c Type> {
    let open = call.service.operation("OpenMetaQuery")?;
    let member = open.request.iter().find(|member| member.name == "meta_query_body")?;
    Some(&member.ty)
}

fn written(call: &Call<'_>, body: &Record) -> Option<String> {
    let Some(Type::Shape(id)) = body_type(call) else {
        return None;
    };
    let shape = call.service.shape(*id);
    let members: Vec<_> = shape.members.iter().collect();
    Some(xml::write(call.service, &shape.wire, &members, body, false))
}

fn configuration(call: &Call<'_>, text: &str) -> Result<Record, ServiceError> {
    let stale = |why: String| ServiceError::internal(format!("A stored index cannot be read: {why}."));
    let Some(Type::Shape(id)) = body_type(call) else {
        return Ok(Record::new());
    };
    let root = xml::parse(text).map_err(stale)?;
    xml::read_shape(call.service, *id, &root, Strictness::Stored).map_err(stale)
}
