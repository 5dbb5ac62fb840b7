//! Namespaces of a table bucket.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::{Bucket, Call, bad_request, bucket, check_name, check_not_reserved, conflict, not_found, page, table};
use super::{new_id, read, write, written_time};
use crate::answer::Answer;
use crate::error::ServiceError;
use crate::store::Documents;
use crate::time;
use crate::value::{Record, Value};

pub(super) const KIND: &str = "namespace/";

/// A namespace as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Namespace {
    pub(super) id: String,
    pub(super) name: String,
    /// Seconds since 1970.
    created: i64,
    created_by: String,
}

pub(super) async fn create(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let bucket = bucket(call)?;
    let [Value::Text(name)] = call.input.list("namespace") else {
        return Err(bad_request("The list namespace must have exactly one name."));
    };
    check_name("namespace", name, '_', 255)?;
    check_not_reserved("namespace", name)?;
    let namespace = Namespace {
        id: new_id(call),
        name: name.clone(),
        created: time::unix_seconds(call.now),
        created_by: call.account().to_owned(),
    };
    let document = write(&namespace)?;
    let kind = format!("{KIND}{name}");
    let create = move |documents: &Documents| match documents.contains_key(&kind) {
        true => Err(conflict("The namespace already exists.")),
        false => Ok((Some((kind, Some(document))), ())),
    };
    call.store().change_config(&bucket.container, create).await??;
    Ok(Answer::ok(
        Record::new()
            .with("namespace", vec![Value::from(name)])
            .with("table_bucket_arn", bucket.arn),
    ))
}

pub(super) fn get(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let bucket = bucket(call)?;
    let namespace = find(call, &bucket, call.input.text_or_empty("namespace"))?;
    let record = described(&bucket, &namespace).with("created_at", written_time(namespace.created));
    Ok(Answer::ok(record))
}

pub(super) fn list(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let bucket = bucket(call)?;
    let all = call.store().configs(&bucket.container, KIND)?;
    let all = all
        .iter()
        .map(|(_, document)| read::<Namespace>(document))
        .collect::<Result<Vec<_>, _>>()?;
    let page = page(&call.input, "max_namespaces", all, |namespace| namespace.name.clone())?;
    let summaries = page.items.iter().map(|namespace| {
        let created = time::from_unix(namespace.created).unwrap_or(SystemTime::UNIX_EPOCH);
        described(&bucket, namespace).with("created_at", created)
    });
    Ok(Answer::ok(
        Record::new()
            .with("namespaces", summaries.collect::<Vec<_>>())
            .with_some("continuation_token", page.token),
    ))
}

pub(super) async fn delete(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let bucket = bucket(call)?;
    let name = call.input.text_or_empty("namespace").to_owned();
    let delete = move |documents: &Documents| {
        let kind = format!("{KIND}{name}");
        if !documents.contains_key(&kind) {
            return Err(missing());
        }
        if table::all(documents)?.iter().any(|table| table.namespace == name) {
            return Err(conflict("The namespace that you tried to delete is not empty."));
        }
        Ok((Some((kind, None)), ()))
    };
    call.store().change_config(&bucket.container, delete).await??;
    Ok(Answer::empty())
}

/// The namespace of this name.
pub(super) fn find(call: &Call<'_>, bucket: &Bucket, name: &str) -> Result<Namespace, ServiceError> {
    let document = call.store().config(&bucket.container, &format!("{KIND}{name}"))?;
    read(&document.ok_or_else(missing)?)
}

pub(super) fn missing() -> ServiceError {
    not_found("The specified namespace does not exist.")
}

fn described(bucket: &Bucket, namespace: &Namespace) -> Record {
    Record::new()
        .with("created_by", &namespace.created_by)
        .with("namespace", vec![Value::from(&namespace.name)])
        .with("namespace_id", &namespace.id)
        .with("owner_account_id", &bucket.owner)
        .with("table_bucket_id", &bucket.id)
}
