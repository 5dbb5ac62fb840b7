//! Metadata tables of a bucket: the configuration and its states. No table is ever written.

use std::time::{Duration, SystemTime};

use oss_codegen::api::{Service, ShapeId};
use serde::{Deserialize, Serialize};

use super::items;
use crate::answer::Answer;
use crate::error::ServiceError;
use crate::operations::{Call, configuration};
use crate::time;
use crate::value::Record;

const KIND: &str = "metadataConfiguration";
/// How long the tables are being made.
const MAKING: Duration = Duration::from_secs(60);
const LEAST_DAYS: i64 = 7;

#[derive(Clone, Serialize, Deserialize)]
struct Tables {
    /// Seconds since 1970.
    created: i64,
    /// `MetadataConfiguration` as XML.
    document: String,
}

pub(super) async fn create(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let empty = Record::new();
    let wanted = call.input.record("metadata_configuration").unwrap_or(&empty);
    let Some(journal) = wanted.record("journal_table_configuration") else {
        return Err(ServiceError::malformed_xml(
            "the element JournalTableConfiguration is missing",
        ));
    };
    check_journal(journal)?;
    check_encryption(journal)?;
    if let Some(inventory) = wanted.record("inventory_table_configuration") {
        check_encryption(inventory)?;
    }
    let tables = Tables {
        created: time::unix_seconds(call.now),
        document: write(call.service, wanted)?,
    };
    items::change(call, KIND, move |old: Option<Tables>| match old {
        Some(_) => Err(ServiceError::new(
            409,
            "MetadataConfigurationAlreadyExists",
            "The bucket has a metadata configuration.",
        )),
        None => Ok((Some(tables), ())),
    })
    .await?;
    Ok(Answer::empty())
}

pub(super) fn get(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let tables: Option<Tables> = items::find(call.store(), call.bucket()?, KIND)?;
    let tables = tables.ok_or_else(missing)?;
    let configured = read(call.service, &tables)?;
    let bucket = call.bucket_info()?;
    let arn = format!(
        "acs:osstables:{}:{}:bucket/oss-managed",
        call.state.region, bucket.meta.owner
    );
    let ready = time::from_unix(tables.created).unwrap_or(SystemTime::UNIX_EPOCH) + MAKING;
    let status = if call.now < ready { "CREATING" } else { "ACTIVE" };
    let table = |name: &str, wanted: &Record| {
        Record::new()
            .with("table_status", status)
            .with("table_name", name)
            .with("table_arn", format!("{arn}/table/{}-{name}", bucket.name))
            .with_some(
                "encryption_configuration",
                wanted.record("encryption_configuration").cloned(),
            )
    };
    let journal = configured.record("journal_table_configuration").map(|wanted| {
        table("journal", wanted).with_some("record_expiration", wanted.record("record_expiration").cloned())
    });
    let inventory = configured.record("inventory_table_configuration").map(|wanted| {
        let state = wanted.text("configuration_state").unwrap_or("DISABLED");
        let shown = if state == "ENABLED" {
            table("inventory", wanted)
        } else {
            Record::new()
        };
        shown.with("configuration_state", state)
    });
    let result = Record::new()
        .with(
            "destination_result",
            Record::new()
                .with("table_bucket_type", "oss-managed")
                .with("table_bucket_arn", &arn)
                .with("table_namespace", format!("b_{}", bucket.name)),
        )
        .with_some("journal_table_configuration_result", journal)
        .with_some("inventory_table_configuration_result", inventory);
    Ok(Answer::ok(Record::new().with("metadata_configuration_result", result)))
}

/// Replaces the part of the configuration that the request's document is.
pub(super) async fn update(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let (part, changed) = ["journal_table_configuration", "inventory_table_configuration"]
        .iter()
        .find_map(|part| Some((*part, call.input.record(part)?.clone())))
        .ok_or_else(|| ServiceError::malformed_xml("the document is empty"))?;
    if part == "journal_table_configuration" {
        check_journal(&changed)?;
    }
    check_encryption(&changed)?;
    let service = call.service;
    items::change(call, KIND, move |old: Option<Tables>| {
        let old = old.ok_or_else(missing)?;
        let document = write(service, &read(service, &old)?.with(part, changed))?;
        Ok((Some(Tables { document, ..old }), ()))
    })
    .await?;
    Ok(Answer::empty())
}

fn check_journal(journal: &Record) -> Result<(), ServiceError> {
    let Some(expiration) = journal.record("record_expiration") else {
        return Ok(());
    };
    let days = expiration.integer("days");
    let fits = match expiration.text("expiration") {
        Some("ENABLED") => days.is_some_and(|days| days >= LEAST_DAYS),
        _ => days.is_none(),
    };
    if fits {
        return Ok(());
    }
    Err(ServiceError::invalid_argument(
        format!("Records that expire do so after {LEAST_DAYS} days at least, others have no days."),
        "Days",
        &days.map(|days| days.to_string()).unwrap_or_default(),
    ))
}

fn check_encryption(table: &Record) -> Result<(), ServiceError> {
    let Some(encryption) = table.record("encryption_configuration") else {
        return Ok(());
    };
    if (encryption.text("sse_algorithm") == Some("oss:kms")) == encryption.has("kms_key_arn") {
        return Ok(());
    }
    Err(ServiceError::invalid_argument(
        "Encryption by oss:kms needs a key, other encryption has none.",
        "KmsKeyArn",
        encryption.text_or_empty("kms_key_arn"),
    ))
}

fn shape(service: &Service) -> Result<ShapeId, ServiceError> {
    let create = service.operation("CreateBucketMetadataConfiguration");
    let shape = create.and_then(|create| configuration::whole_shape(&create.request));
    shape
        .map(|(_, shape)| shape)
        .ok_or_else(|| ServiceError::internal("Metadata tables have no model."))
}

fn write(service: &Service, wanted: &Record) -> Result<String, ServiceError> {
    let document = configuration::write_shape(service, shape(service)?, wanted);
    Ok(String::from_utf8_lossy(&document).into_owned())
}

fn read(service: &Service, tables: &Tables) -> Result<Record, ServiceError> {
    configuration::read_shape(service, shape(service)?, tables.document.as_bytes())
}

fn missing() -> ServiceError {
    ServiceError::new(
        404,
        "NoSuchMetadataConfiguration",
        "The bucket has no metadata configuration.",
    )
}
