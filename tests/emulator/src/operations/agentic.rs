//! Agentic buckets: templates of bucket spaces, and the settings that new spaces get.
//!
//! The documents work from their models. What GetAgenticBucket shows of them is kept beside the bucket as well.

use std::time::Duration;

use super::{Call, configuration, own_buckets, owner};
use crate::answer::Answer;
use crate::error::ServiceError;
use crate::store::{BucketInfo, StoreError};
use crate::value::Record;
use crate::{text, time};

/// How long an agentic bucket must have been disabled before it can be deleted.
const REST: Duration = Duration::from_secs(24 * 3600);
const DEFAULT_PAGE: i64 = 100;
const SUFFIX: &str = "-ab-apsr";
/// What is kept beside a bucket.
const STATUS: &str = "status";
const DISABLED_AT: &str = "disabled-at";

/// Runs an operation of the service.
pub(super) async fn run(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let name = call.head.bucket().unwrap_or("*");
    call.allow(&format!("acs:oss:{}:{}:{name}", call.state.region, call.account()))?;
    match call.operation.name.as_str() {
        "CreateAgenticBucket" => return create(call).await,
        "ListAgenticBuckets" => return list(call),
        _ => {}
    }
    let container = call.container(call.bucket()?);
    let info = call.store().bucket(&container).map_err(|_| not_found(call))?;
    let extra = |name: &str| info.meta.extra.get(name).cloned();
    match call.operation.name.as_str() {
        "GetAgenticBucket" => Ok(get(call, &info)),
        "DeleteAgenticBucket" => delete(call, &info).await,
        "PutAgenticBucketStatus" => {
            let wanted = call
                .input
                .record("agentic_bucket_status")
                .and_then(|status| status.text("status"));
            put_status(call, &container, wanted.unwrap_or("Enabled")).await
        }
        "ListBucketSpaces" => Ok(spaces(call)),
        "PutAgenticBucketAcl" => {
            let acl = call.input.text_or_empty("acl").to_owned();
            if acl != "private" && extra("publicAccessBlock").as_deref() == Some("true") {
                return Err(ServiceError::access_denied(
                    "Put public bucket acl is not allowed because public access is blocked.",
                ));
            }
            call.store()
                .update_bucket(&container, move |meta| meta.acl = acl)
                .await?;
            Ok(Answer::empty())
        }
        "GetAgenticBucketAcl" => Ok(Answer::ok(
            Record::new()
                .with("acl", &info.meta.acl)
                .with("owner", owner(&info.meta.owner)),
        )),
        "GetAgenticBucketVersioning" => Ok(Answer::ok(
            Record::new().with_some("version_status", extra("versioning")),
        )),
        "GetAgenticBucketPublicAccessBlock" => {
            let blocked = extra("publicAccessBlock").as_deref() == Some("true");
            let configuration = Record::new().with("block_public_access", blocked);
            Ok(Answer::ok(
                Record::new().with("public_access_block_configuration", configuration),
            ))
        }
        "PutAgenticBucketPolicy" => {
            own_buckets::check_policy(call)?;
            configured(call, &container).await
        }
        "PutAgenticBucketStorageQuota" => {
            let quota = call
                .input
                .record("quota_configuration")
                .and_then(|quota| quota.integer("storage_quota"));
            if quota.is_none_or(|bytes| bytes <= 0) {
                return Err(ServiceError::invalid_argument(
                    "The quota must be greater than 0.",
                    "StorageQuota",
                    &quota.unwrap_or_default().to_string(),
                ));
            }
            configured(call, &container).await
        }
        _ => configured(call, &container).await,
    }
}

/// Runs an operation by its model, and keeps beside the bucket what it says.
async fn configured(call: &Call<'_>, container: &str) -> Result<Answer, ServiceError> {
    let answer = configuration::run_in(call, container).await?;
    let input = &call.input;
    let operation = call.operation.name.as_str();
    if operation.starts_with("Get") {
        return Ok(answer);
    }
    let kept = match operation {
        "PutAgenticBucketVersioning" => input
            .record("versioning_configuration")
            .and_then(|configuration| configuration.text("status"))
            .map(str::to_owned),
        "PutAgenticBucketPublicAccessBlock" => input
            .record("public_access_block_configuration")
            .map(|configuration| configuration.flag("block_public_access").to_string()),
        "PutAgenticBucketPolicy" => input.text("body").map(str::to_owned),
        _ => None,
    };
    let name = match operation {
        name if name.ends_with("Versioning") => "versioning",
        name if name.ends_with("PublicAccessBlock") => "publicAccessBlock",
        name if name.ends_with("Policy") => "policy",
        _ => return Ok(answer),
    };
    let change = move |meta: &mut crate::store::BucketMeta| match kept {
        Some(value) => drop(meta.extra.insert(name.to_owned(), value)),
        None => drop(meta.extra.remove(name)),
    };
    call.store().update_bucket(container, change).await?;
    Ok(answer)
}

async fn create(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let name = call.bucket()?;
    let ending = format!("-{}-{}{SUFFIX}", call.account(), call.state.region);
    if name.strip_suffix(&ending).is_none_or(|short| short.len() < 3) {
        return Err(
            ServiceError::new(400, "InvalidBucketName", "The specified bucket is not valid.")
                .detail("BucketName", name),
        );
    }
    let empty = Record::new();
    let wanted = call
        .input
        .record("create_agentic_bucket_configuration")
        .unwrap_or(&empty);
    let mut meta = call.container_meta();
    wanted
        .text("storage_class")
        .unwrap_or("Standard")
        .clone_into(&mut meta.storage_class);
    wanted
        .text("data_redundancy_type")
        .unwrap_or("LRS")
        .clone_into(&mut meta.redundancy);
    meta.extra.insert(STATUS.to_owned(), "Enabled".to_owned());
    meta.extra.insert("publicAccessBlock".to_owned(), "true".to_owned());
    match call.store().create_bucket(&call.container(name), meta).await {
        // Like a bucket of objects, it can be created again by its owner.
        Ok(_) | Err(StoreError::BucketAlreadyExists { .. }) => Ok(Answer::empty()),
        Err(error) => Err(error.into()),
    }
}

async fn put_status(call: &Call<'_>, container: &str, wanted: &str) -> Result<Answer, ServiceError> {
    let (wanted, now) = (wanted.to_owned(), time::unix_seconds(call.now).to_string());
    let change = move |meta: &mut crate::store::BucketMeta| {
        if meta.extra.get(STATUS) == Some(&wanted) {
            return;
        }
        if wanted == "Disabled" {
            meta.extra.insert(DISABLED_AT.to_owned(), now);
        } else {
            meta.extra.remove(DISABLED_AT);
        }
        meta.extra.insert(STATUS.to_owned(), wanted);
    };
    call.store().update_bucket(container, change).await?;
    Ok(Answer::empty())
}

async fn delete(call: &Call<'_>, info: &BucketInfo) -> Result<Answer, ServiceError> {
    let refuse = |code: &str, message: &str| Err(ServiceError::new(409, code, message));
    let disabled_at = info.meta.extra.get(DISABLED_AT).and_then(|at| at.parse().ok());
    let Some(disabled_at) = disabled_at.and_then(time::from_unix) else {
        return refuse("AgenticBucketNotDisabled", "The agentic bucket is not disabled.");
    };
    if call.now < disabled_at + REST {
        return refuse(
            "AgenticBucketNotReady",
            "The agentic bucket was disabled less than a day ago.",
        );
    }
    call.store().delete_bucket(&info.name).await?;
    Ok(Answer::no_content(Record::new()))
}

fn get(call: &Call<'_>, info: &BucketInfo) -> Answer {
    let meta = &info.meta;
    let extra = |name: &str| meta.extra.get(name);
    let shown = Record::new()
        .with("name", call.head.bucket().unwrap_or_default())
        .with("owner", &meta.owner)
        .with("region", &meta.region)
        .with("storage_class", &meta.storage_class)
        .with("data_redundancy_type", &meta.redundancy)
        .with_some("status", extra(STATUS))
        .with("create_time", time::iso8601_millis(info.created))
        .with("acl", &meta.acl)
        .with(
            "public_access_block",
            extra("publicAccessBlock").map_or("false", String::as_str),
        )
        .with_some("versioning", extra("versioning"))
        .with_some("bucket_policy", extra("policy"));
    Answer::ok(Record::new().with("agentic_bucket_info", shown))
}

fn list(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let input = &call.input;
    let max = input.integer("max_keys").unwrap_or(DEFAULT_PAGE);
    let invalid = |name: &str, value: &str| {
        ServiceError::invalid_argument("The value of the parameter is not valid.", name, value)
    };
    let max = usize::try_from(max)
        .ok()
        .filter(|max| (1..=1000).contains(max))
        .ok_or_else(|| invalid("max-keys", &max.to_string()))?;
    let token = input.text("continuation_token").filter(|token| !token.is_empty());
    let after = match token {
        None => String::new(),
        Some(token) => text::base64_decode(token)
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or_else(|| invalid("continuation-token", token))?,
    };
    let mut found = call.containers("", &after);
    let truncated = found.len() > max;
    found.truncate(max);
    let next = found
        .last()
        .filter(|_| truncated)
        .map(|(name, _)| text::base64(name.as_bytes()));
    let buckets = found.iter().map(|(name, info)| {
        Record::new()
            .with("name", name)
            .with("storage_class", &info.meta.storage_class)
            .with("data_redundancy_type", &info.meta.redundancy)
            .with("create_time", time::iso8601_millis(info.created))
    });
    Ok(Answer::ok(
        Record::new()
            .with("region", &call.state.region)
            .with("owner", call.account())
            .with_some("continuation_token", token)
            .with_some("next_continuation_token", next)
            .with("is_truncated", truncated)
            .with("agentic_buckets", buckets.collect::<Vec<_>>()),
    ))
}

/// Bucket spaces cannot be created here, so there are none to list.
fn spaces(call: &Call<'_>) -> Answer {
    Answer::ok(
        Record::new()
            .with("owner", owner(call.account()))
            .with("bucket_spaces", Vec::<Record>::new())
            .with("prefix", call.input.text_or_empty("prefix"))
            .with("max_keys", call.input.integer("max_keys").unwrap_or(DEFAULT_PAGE))
            .with("is_truncated", false),
    )
}

fn not_found(call: &Call<'_>) -> ServiceError {
    ServiceError::new(
        404,
        "AgenticBucketNotFound",
        "The specified agentic bucket does not exist.",
    )
    .detail("BucketName", call.head.bucket().unwrap_or_default())
}
