//! Tables: their life, and which metadata file is theirs.

use serde::{Deserialize, Serialize};

use super::maintenance::TableTasks;
use super::{Bucket, Call, bad_request, bucket, check_name, conflict, named_bucket, namespaces, not_found, page};
use super::{new_id, read, settings, write, written_time};
use crate::answer::Answer;
use crate::error::ServiceError;
use crate::store::Documents;
use crate::time;
use crate::value::{Record, Value};

const KIND: &str = "table/";

/// A table as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Table {
    pub(super) id: String,
    pub(super) namespace: String,
    pub(super) name: String,
    /// Seconds since 1970.
    created: i64,
    created_by: String,
    modified: i64,
    modified_by: String,
    metadata_location: Option<String>,
    warehouse_location: String,
    /// Another one for every state of the table.
    version_token: String,
    pub(super) encryption: Option<String>,
    pub(super) policy: Option<String>,
    pub(super) tasks: TableTasks,
}

impl Table {
    pub(super) fn arn(&self, bucket: &Bucket) -> String {
        format!("{}/table/{}", bucket.arn, self.id)
    }

    /// Marks that the table was changed.
    fn touch(&mut self, change: &Change) {
        self.modified = change.at;
        self.modified_by.clone_from(&change.by);
        self.version_token.clone_from(&change.token);
    }
}

/// Who changes a table, when, and the token that comes of it.
struct Change {
    at: i64,
    by: String,
    token: String,
}

impl Change {
    fn of(call: &Call<'_>) -> Self {
        Self {
            at: time::unix_seconds(call.now),
            by: call.account().to_owned(),
            token: call.state.keys.random_text(20).to_lowercase(),
        }
    }
}

/// All tables of a bucket.
pub(super) fn all(documents: &Documents) -> Result<Vec<Table>, ServiceError> {
    documents
        .range(KIND.to_owned()..)
        .take_while(|(kind, _)| kind.starts_with(KIND))
        .map(|(_, document)| read(document))
        .collect()
}

/// The table that the request names by namespace and name.
pub(super) fn find(call: &Call<'_>, bucket: &Bucket) -> Result<Table, ServiceError> {
    let (namespace, name) = (call.input.text_or_empty("namespace"), call.input.text_or_empty("name"));
    stored(call, bucket)?
        .into_iter()
        .find(|table| table.namespace == namespace && table.name == name)
        .ok_or_else(missing)
}

/// Changes the table that the request names, if the change is allowed.
pub(super) async fn update<F>(call: &Call<'_>, bucket: &Bucket, change: F) -> Result<Table, ServiceError>
where
    F: FnOnce(&mut Table, &Documents) -> Result<(), ServiceError> + Send + 'static,
{
    let (namespace, name) = (
        call.input.text_or_empty("namespace").to_owned(),
        call.input.text_or_empty("name").to_owned(),
    );
    let update = move |documents: &Documents| {
        let mut table = all(documents)?
            .into_iter()
            .find(|table| table.namespace == namespace && table.name == name)
            .ok_or_else(missing)?;
        change(&mut table, documents)?;
        let document = write(&table)?;
        Ok((Some((format!("{KIND}{}", table.id), Some(document))), table))
    };
    call.store().change_config(&bucket.container, update).await?
}

pub(super) async fn create(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let bucket = bucket(call)?;
    let input = &call.input;
    let name = input.text_or_empty("name");
    check_name("table", name, '_', 255)?;
    let encryption = match settings::encryption(input)? {
        Some(own) => Some(own),
        None => settings::of_bucket(call, &bucket)?,
    };
    let id = new_id(call);
    let warehouse_location = format!("oss://{id}--table-oss");
    let metadata_location = first_metadata(call, &warehouse_location)?;
    let change = Change::of(call);
    let table = Table {
        id,
        namespace: input.text_or_empty("namespace").to_owned(),
        name: name.to_owned(),
        created: change.at,
        created_by: change.by.clone(),
        modified: change.at,
        modified_by: change.by,
        metadata_location,
        warehouse_location,
        version_token: change.token,
        encryption,
        policy: None,
        tasks: TableTasks::default(),
    };
    let values = Record::new()
        .with("table_arn", table.arn(&bucket))
        .with("version_token", &table.version_token);
    let create = move |documents: &Documents| {
        check_free(documents, &table.namespace, &table.name)?;
        let document = write(&table)?;
        Ok::<_, ServiceError>((Some((format!("{KIND}{}", table.id), Some(document))), ()))
    };
    call.store().change_config(&bucket.container, create).await??;
    Ok(Answer::ok(values))
}

pub(super) fn get(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let (bucket, table) = match call.input.text("table_arn") {
        Some(arn) => {
            let (bucket, id) = arn
                .split_once("/table/")
                .ok_or_else(|| bad_request("The ARN is not that of a table."))?;
            let bucket = named_bucket(call, bucket)?;
            let document = call.store().config(&bucket.container, &format!("{KIND}{id}"))?;
            let table = read(&document.ok_or_else(missing)?)?;
            (bucket, table)
        }
        None => {
            let bucket = bucket(call)?;
            let table = find(call, &bucket)?;
            (bucket, table)
        }
    };
    let namespace = namespaces::find(call, &bucket, &table.namespace)?;
    Ok(Answer::ok(
        summary(&bucket, &table)
            .with("created_by", &table.created_by)
            .with("format", "ICEBERG")
            .with_some("metadata_location", table.metadata_location.as_ref())
            .with("modified_by", &table.modified_by)
            .with("namespace_id", namespace.id)
            .with("owner_account_id", &bucket.owner)
            .with("table_bucket_id", &bucket.id)
            .with("version_token", &table.version_token)
            .with("warehouse_location", &table.warehouse_location),
    ))
}

pub(super) fn list(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let bucket = bucket(call)?;
    let mut tables = stored(call, &bucket)?;
    if let Some(namespace) = call.input.text("namespace") {
        namespaces::find(call, &bucket, namespace)?;
        tables.retain(|table| table.namespace == namespace);
    }
    let page = page(&call.input, "max_tables", tables, |table| {
        format!("{}/{}", table.namespace, table.name)
    })?;
    let tables: Vec<_> = page.items.iter().map(|table| summary(&bucket, table)).collect();
    Ok(Answer::ok(
        Record::new()
            .with("tables", tables)
            .with_some("continuation_token", page.token),
    ))
}

pub(super) async fn delete(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let bucket = bucket(call)?;
    let (namespace, name, token) = (
        call.input.text_or_empty("namespace").to_owned(),
        call.input.text_or_empty("name").to_owned(),
        call.input.text("version_token").map(str::to_owned),
    );
    let delete = move |documents: &Documents| {
        let table = all(documents)?
            .into_iter()
            .find(|table| table.namespace == namespace && table.name == name)
            .ok_or_else(missing)?;
        check_token(&table, token.as_deref())?;
        Ok::<_, ServiceError>((Some((format!("{KIND}{}", table.id), None)), ()))
    };
    call.store().change_config(&bucket.container, delete).await??;
    Ok(Answer::empty())
}

pub(super) async fn rename(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let bucket = bucket(call)?;
    let input = &call.input;
    let text = |name: &str| input.text(name).filter(|text| !text.is_empty()).map(str::to_owned);
    let (namespace, name, token) = (text("new_namespace_name"), text("new_name"), text("version_token"));
    if namespace.is_none() && name.is_none() {
        return Err(bad_request("A new name or a new namespace must be given."));
    }
    if let Some(name) = &name {
        check_name("table", name, '_', 255)?;
    }
    let change = Change::of(call);
    update(call, &bucket, move |table, documents| {
        check_token(table, token.as_deref())?;
        let namespace = namespace.unwrap_or_else(|| table.namespace.clone());
        let name = name.unwrap_or_else(|| table.name.clone());
        check_free(documents, &namespace, &name)?;
        table.namespace = namespace;
        table.name = name;
        table.touch(&change);
        Ok(())
    })
    .await?;
    Ok(Answer::empty())
}

pub(super) fn location(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let bucket = bucket(call)?;
    let table = find(call, &bucket)?;
    Ok(Answer::ok(
        Record::new()
            .with_some("metadata_location", table.metadata_location)
            .with("warehouse_location", table.warehouse_location)
            .with("version_token", table.version_token),
    ))
}

pub(super) async fn update_location(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let bucket = bucket(call)?;
    let location = call.input.text_or_empty("metadata_location").to_owned();
    let token = call.input.text_or_empty("version_token").to_owned();
    let change = Change::of(call);
    let table = update(call, &bucket, move |table, _| {
        check_token(table, Some(&token))?;
        let within = location.strip_prefix(&table.warehouse_location);
        if !within.is_some_and(|path| path.starts_with('/') && path.len() > 1) {
            return Err(bad_request(
                "The metadata location is not within the warehouse location of the table.",
            ));
        }
        table.metadata_location = Some(location);
        table.touch(&change);
        Ok(())
    })
    .await?;
    Ok(Answer::ok(
        Record::new()
            .with_some("metadata_location", table.metadata_location.as_ref())
            .with("name", &table.name)
            .with("namespace", vec![Value::from(&table.namespace)])
            .with("table_arn", table.arn(&bucket))
            .with("version_token", &table.version_token),
    ))
}

pub(super) fn stored(call: &Call<'_>, bucket: &Bucket) -> Result<Vec<Table>, ServiceError> {
    let documents = call.store().configs(&bucket.container, KIND)?;
    documents.iter().map(|(_, document)| read(document)).collect()
}

fn missing() -> ServiceError {
    not_found("The specified table does not exist.")
}

/// The namespace must be there, and the name must not.
fn check_free(documents: &Documents, namespace: &str, name: &str) -> Result<(), ServiceError> {
    if !documents.contains_key(&format!("{}{namespace}", namespaces::KIND)) {
        return Err(namespaces::missing());
    }
    let is_taken = all(documents)?
        .iter()
        .any(|table| table.namespace == namespace && table.name == name);
    if is_taken {
        return Err(conflict("A table with this name already exists in the namespace."));
    }
    Ok(())
}

fn check_token(table: &Table, token: Option<&str>) -> Result<(), ServiceError> {
    match token {
        Some(token) if token != table.version_token => Err(conflict(
            "The version token is not that of the current state of the table.",
        )),
        _ => Ok(()),
    }
}

/// Where the service puts the metadata that a table is created with.
fn first_metadata(call: &Call<'_>, warehouse: &str) -> Result<Option<String>, ServiceError> {
    let Some(metadata) = call.input.record("metadata") else {
        return Ok(None);
    };
    let schema = metadata
        .record("iceberg")
        .and_then(|iceberg| iceberg.record("schema"))
        .ok_or_else(|| bad_request("The metadata has no schema."))?;
    let fields: Vec<&Record> = schema.records("fields").collect();
    let is_named = |field: &&Record| !field.text_or_empty("name").is_empty() && !field.text_or_empty("type").is_empty();
    if fields.is_empty() || !fields.iter().all(is_named) {
        return Err(bad_request(
            "The schema of the metadata needs fields, each with a name and a type.",
        ));
    }
    Ok(Some(format!(
        "{warehouse}/metadata/00000-{}.metadata.json",
        new_id(call)
    )))
}

fn summary(bucket: &Bucket, table: &Table) -> Record {
    Record::new()
        .with("created_at", written_time(table.created))
        .with("modified_at", written_time(table.modified))
        .with("name", &table.name)
        .with("namespace", vec![Value::from(&table.namespace)])
        .with("table_arn", table.arn(bucket))
        .with("type", "customer")
}
