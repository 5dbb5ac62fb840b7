//! Table buckets, their namespaces and tables.
//!
//! A bucket keeps a document for each namespace, under its name, and for each table, under its id, so that a table can be
//! renamed in one step. What is in the files of tables is not looked at.

mod buckets;
mod guard;
mod maintenance;
mod namespaces;
mod settings;
mod table;

use std::time::SystemTime;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Call;
use crate::answer::Answer;
use crate::error::ServiceError;
use crate::text;
use crate::time;
use crate::value::Record;

/// Beginnings of names that the service keeps to itself.
const RESERVED: &[&str] = &["oss", "acs", "aliyun", "alibaba", "aws"];
const MAX_PAGE: i64 = 1000;

/// Runs an operation of the service.
pub(super) async fn run(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let answer = match call.operation.name.as_str() {
        "CreateTableBucket" => buckets::create(call).await,
        "ListTableBuckets" => buckets::list(call),
        "GetTableBucket" => buckets::get(call),
        "DeleteTableBucket" => buckets::delete(call).await,
        "CreateNamespace" => namespaces::create(call).await,
        "GetNamespace" => namespaces::get(call),
        "ListNamespaces" => namespaces::list(call),
        "DeleteNamespace" => namespaces::delete(call).await,
        "CreateTable" => table::create(call).await,
        "GetTable" => table::get(call),
        "ListTables" => table::list(call),
        "DeleteTable" => table::delete(call).await,
        "RenameTable" => table::rename(call).await,
        "GetTableMetadataLocation" => table::location(call),
        "UpdateTableMetadataLocation" => table::update_location(call).await,
        "PutTableBucketEncryption" => settings::put_bucket_encryption(call).await,
        "GetTableBucketEncryption" => settings::bucket_encryption(call),
        "DeleteTableBucketEncryption" => settings::delete_bucket_encryption(call).await,
        "GetTableEncryption" => settings::table_encryption(call),
        "PutTableBucketPolicy" => settings::put_bucket_policy(call).await,
        "GetTableBucketPolicy" => settings::bucket_policy(call),
        "DeleteTableBucketPolicy" => settings::delete_bucket_policy(call).await,
        "PutTablePolicy" => settings::put_table_policy(call).await,
        "GetTablePolicy" => settings::table_policy(call),
        "DeleteTablePolicy" => settings::delete_table_policy(call).await,
        "GetTableBucketMaintenanceConfiguration" => maintenance::bucket(call),
        "PutTableBucketMaintenanceConfiguration" => maintenance::put_bucket(call).await,
        "GetTableMaintenanceConfiguration" => maintenance::table(call),
        "PutTableMaintenanceConfiguration" => maintenance::put_table(call).await,
        "GetTableMaintenanceJobStatus" => maintenance::job_status(call),
        other => return Err(ServiceError::not_implemented(other)),
    }?;
    let success = call.operation.success.first().copied();
    Ok(answer.status(success.unwrap_or(200)))
}

/// A table bucket that exists.
struct Bucket {
    /// The name under which the store has it.
    container: String,
    arn: String,
    /// The UUID of the bucket.
    id: String,
    /// The account that owns it.
    owner: String,
    /// Document of its policy.
    policy: Option<String>,
}

/// The bucket that the request names by its ARN.
fn bucket(call: &Call<'_>) -> Result<Bucket, ServiceError> {
    named_bucket(call, call.input.text_or_empty("table_bucket_arn"))
}

fn named_bucket(call: &Call<'_>, arn: &str) -> Result<Bucket, ServiceError> {
    let invalid = || bad_request("The ARN is not that of a table bucket.");
    let mut parts = arn.splitn(5, ':');
    let (Some("acs"), Some("osstables"), Some(region), Some(account), Some(name)) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(invalid());
    };
    let name = name
        .strip_prefix("bucket/")
        .filter(|name| !name.is_empty())
        .ok_or_else(invalid)?;
    if name.contains(['/', ':']) {
        return Err(invalid());
    }
    let container = format!("{}:{account}:{name}", call.service.name);
    let found = (region == call.state.region)
        .then(|| call.store().bucket(&container).ok())
        .flatten();
    let Some(info) = found else {
        if account != call.account() {
            return Err(super::own_buckets::foreign());
        }
        call.allow(arn)?;
        return Err(not_found("The specified bucket does not exist."));
    };
    let extra = |name: &str| info.meta.extra.get(name).cloned();
    let bucket = Bucket {
        container,
        arn: arn.to_owned(),
        id: extra(buckets::ID).unwrap_or_default(),
        owner: account.to_owned(),
        policy: extra(settings::POLICY),
    };
    guard::check(call, &bucket)?;
    Ok(bucket)
}

fn bad_request(message: &str) -> ServiceError {
    ServiceError::new(400, "BadRequestException", message)
}

fn not_found(message: &str) -> ServiceError {
    ServiceError::new(404, "NotFoundException", message)
}

fn conflict(message: &str) -> ServiceError {
    ServiceError::new(409, "ConflictException", message)
}

/// Lower-case letters, digits and inner separators of a name.
fn check_name(what: &str, name: &str, separator: char, max: usize) -> Result<(), ServiceError> {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == separator;
    let is_valid = (1..=max).contains(&name.len())
        && name.chars().all(inner)
        && !name.starts_with(separator)
        && !name.ends_with(separator);
    if is_valid {
        return Ok(());
    }
    Err(bad_request(&format!("The specified {what} name is not valid.")))
}

fn check_not_reserved(what: &str, name: &str) -> Result<(), ServiceError> {
    match RESERVED.iter().find(|reserved| name.starts_with(**reserved)) {
        Some(reserved) => Err(bad_request(&format!("A {what} name must not begin with {reserved}."))),
        None => Ok(()),
    }
}

/// A random UUID.
fn new_id(call: &Call<'_>) -> String {
    let hex = text::sha256_hex(call.state.keys.random_text(32).as_bytes());
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!(
        "{}-{}-4{}-a{}-{}",
        part(0, 8),
        part(8, 12),
        part(13, 16),
        part(17, 20),
        part(20, 32)
    )
}

/// A time as the service writes it.
fn written_time(seconds: i64) -> String {
    time::iso8601(time::from_unix(seconds).unwrap_or(SystemTime::UNIX_EPOCH))
}

fn read<T: DeserializeOwned>(document: &[u8]) -> Result<T, ServiceError> {
    serde_json::from_slice(document)
        .map_err(|error| ServiceError::internal(format!("A stored document cannot be read: {error}.")))
}

fn write<T: Serialize>(value: &T) -> Result<Vec<u8>, ServiceError> {
    serde_json::to_vec(value).map_err(|error| ServiceError::internal(format!("A document cannot be written: {error}.")))
}

/// A page of items that are sorted by their names, and the token of the next one.
struct Page<T> {
    items: Vec<T>,
    token: Option<String>,
}

fn page<T>(
    input: &Record,
    limit: &str,
    items: Vec<T>,
    name_of: impl Fn(&T) -> String,
) -> Result<Page<T>, ServiceError> {
    let max = usize::try_from(input.integer(limit).unwrap_or(MAX_PAGE)).unwrap_or_default();
    let after = match input.text("continuation_token").filter(|token| !token.is_empty()) {
        None => None,
        Some(token) => Some(
            text::base64_decode(token)
                .and_then(|bytes| String::from_utf8(bytes).ok())
                .ok_or_else(|| bad_request("The continuation token is not valid."))?,
        ),
    };
    let prefix = input.text_or_empty("prefix").to_owned();
    let mut items: Vec<T> = items;
    items.retain(|item| after.as_ref().is_none_or(|after| name_of(item) > *after));
    // Tables are named by namespace and table, and the prefix is that of the table.
    items.retain(|item| {
        name_of(item)
            .rsplit('/')
            .next()
            .is_some_and(|name| name.starts_with(&prefix))
    });
    items.sort_by_key(&name_of);
    let truncated = items.len() > max;
    items.truncate(max);
    let token = items
        .last()
        .filter(|_| truncated)
        .map(|last| text::base64(name_of(last).as_bytes()));
    Ok(Page { items, token })
}
