//! Inventory rules: a collection of a bucket, and writing the lists when asked.

mod list;

pub use list::InventoryReport;
pub(crate) use list::run;

use oss_codegen::api::{Service, ShapeId};

use super::items;
use crate::answer::Answer;
use crate::error::ServiceError;
use crate::operations::{Call, configuration};
use crate::value::{Record, Value};

const PREFIX: &str = "inventory/";
const MOST: usize = 1000;
const PAGE: usize = 100;
/// Fields that only lists of changes have.
const INCREMENTAL: &[&str] = &[
    "SequenceNumber",
    "RecordType",
    "RecordTimestamp",
    "Requester",
    "SourceIp",
    "RequestId",
];

pub(super) async fn put(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let empty = Record::new();
    let rule = call.input.record("inventory_configuration").unwrap_or(&empty);
    let id = call.input.text_or_empty("inventory_id");
    check_id(id)?;
    if rule.text_or_empty("id") != id {
        return Err(ServiceError::invalid_argument(
            "The ID in the document is another one than that of the request.",
            "Id",
            rule.text_or_empty("id"),
        ));
    }
    check_destination(call, rule)?;
    check_rest(rule)?;
    let (kind, document) = configuration::document(call, &call.input)?;
    let id = id.to_owned();
    items::change_bucket(call, move |draft| {
        if draft.document(&kind).is_some() {
            return Err(ServiceError::new(
                409,
                "InventoryAlreadyExist",
                "The bucket has an inventory rule of this name.",
            )
            .detail("InventoryId", id));
        }
        if draft.named(PREFIX).count() >= MOST {
            return Err(ServiceError::new(
                400,
                "InventoryExceedLimit",
                "The bucket has as many inventory rules as it may have.",
            ));
        }
        draft.put(kind, document);
        Ok(())
    })
    .await?;
    Ok(Answer::empty())
}

fn check_id(id: &str) -> Result<(), ServiceError> {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    let fits = (1..=64).contains(&id.len())
        && id.bytes().all(|byte| inner(byte) || byte.is_ascii_uppercase())
        && !id.starts_with('-')
        && !id.ends_with('-');
    if fits {
        return Ok(());
    }
    Err(ServiceError::invalid_argument(
        "A rule has a name of letters, digits, underscores and inner hyphens.",
        "inventoryId",
        id,
    ))
}

fn check_destination(call: &Call<'_>, rule: &Record) -> Result<(), ServiceError> {
    let empty = Record::new();
    let destination = rule.record("destination");
    let destination = destination
        .and_then(|destination| destination.record("oss_bucket_destination"))
        .unwrap_or(&empty);
    let (arn, own) = (destination.text_or_empty("bucket"), call.bucket_info()?);
    let found = arn
        .strip_prefix("acs:oss:::")
        .and_then(|name| call.store().bucket(name).ok());
    if found.is_none_or(|found| found.meta.region != own.meta.region || found.meta.owner != own.meta.owner) {
        return Err(ServiceError::invalid_argument(
            "The bucket for the lists does not exist, lies elsewhere or belongs to someone else.",
            "Bucket",
            arn,
        ));
    }
    let role = destination.text_or_empty("role_arn");
    if !role.starts_with("acs:ram::") || !role.contains(":role/") {
        return Err(ServiceError::invalid_argument(
            "The role is not valid.",
            "RoleArn",
            role,
        ));
    }
    Ok(())
}

fn check_rest(rule: &Record) -> Result<(), ServiceError> {
    if let Some(filter) = rule.record("filter") {
        for (least, most, element) in [
            (
                "last_modify_begin_time_stamp",
                "last_modify_end_time_stamp",
                "LastModifyEndTimeStamp",
            ),
            ("lower_size_bound", "upper_size_bound", "UpperSizeBound"),
        ] {
            let bounds = filter.integer(least).zip(filter.integer(most));
            if bounds.is_some_and(|(least, most)| least > most) {
                return Err(ServiceError::invalid_argument(
                    "Nothing is within the limits.",
                    element,
                    "",
                ));
            }
        }
    }
    let fields = rule
        .record("optional_fields")
        .map(|fields| fields.list("fields"))
        .unwrap_or_default();
    for (at, field) in fields.iter().enumerate() {
        if let Value::Text(name) = field
            && (fields[..at].contains(field) || INCREMENTAL.contains(&name.as_str()))
        {
            return Err(ServiceError::invalid_argument(
                "A field occurs twice or is not of full lists.",
                "Field",
                name,
            ));
        }
    }
    Ok(())
}

pub(super) fn list(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let documents = call.store().configs(call.bucket()?, PREFIX)?;
    if documents.is_empty() {
        return Err(ServiceError::new(
            404,
            "NoSuchInventory",
            "The bucket has no inventory rules.",
        ));
    }
    let shape = shape(call.service)?;
    let mut rules = Vec::new();
    for (kind, document) in documents {
        let id = kind.strip_prefix(PREFIX).unwrap_or(&kind).to_owned();
        rules.push((id, configuration::read_shape(call.service, shape, &document)?));
    }
    let page = items::page(rules, call.input.text("continuation_token"), PAGE);
    let shown: Vec<Record> = page.items.into_iter().map(|(_, rule)| rule).collect();
    Ok(Answer::ok(
        Record::new().with(
            "list_inventory_configurations_result",
            Record::new()
                .with("inventory_configurations", shown)
                .with("is_truncated", page.next.is_some())
                .with_some("next_continuation_token", page.next),
        ),
    ))
}

fn shape(service: &Service) -> Result<ShapeId, ServiceError> {
    let operation = service.operation("GetBucketInventory");
    let shape = operation.and_then(|operation| configuration::whole_shape(&operation.result));
    shape
        .map(|(_, shape)| shape)
        .ok_or_else(|| ServiceError::internal("Inventory rules have no model."))
}
