//! What a shape cannot say about a document: values that depend on each other, and on what else there is.

use super::{policy, replication, tags};
use crate::error::ServiceError;
use crate::operations::{Call, configuration};
use crate::value::{Record, Value};

/// Most bytes of all referers of a list together.
const MOST_REFERER_BYTES: usize = 20 * 1024;
const MOST_LOG_PREFIX: usize = 32;

/// Refuses what the service would not store.
pub(super) fn check(call: &Call<'_>) -> Result<(), ServiceError> {
    match call.operation.name.as_str() {
        "PutBucketTags" => tags::check(call),
        "PutBucketPolicy" => policy::check(call),
        "PutBucketReferer" => referer(document(call)),
        "PutBucketLogging" => logging(call, document(call)),
        "PutUserDefinedLogFieldsConfig" => log_fields(document(call)),
        "PutBucketEncryption" => encryption(document(call)),
        "PutBucketHttpsConfig" => https(document(call)),
        "PutBucketStorageQuota" => quota(document(call)),
        "PutBucketResourceGroup" => resource_group(document(call)),
        "PutBucketTransferAcceleration" => acceleration(call, document(call)),
        "PutBucketOverwriteConfig" => overwrite(document(call)),
        _ => Ok(()),
    }
}

/// The document of a request.
pub(super) fn document<'c>(call: &'c Call<'_>) -> &'c Record {
    static NONE: std::sync::LazyLock<Record> = std::sync::LazyLock::new(Record::new);
    let whole = configuration::whole_shape(&call.operation.request);
    whole
        .and_then(|(member, _)| call.input.record(&member.name))
        .unwrap_or(&NONE)
}

fn texts<'r>(record: Option<&'r Record>, name: &str) -> Vec<&'r str> {
    let items = record.map(|record| record.list(name)).unwrap_or_default();
    items
        .iter()
        .filter_map(|item| match item {
            Value::Text(text) => Some(text.as_str()),
            _ => None,
        })
        .collect()
}

fn first_repeated<'t>(texts: &[&'t str]) -> Option<&'t str> {
    let repeated = texts.iter().enumerate().find(|(at, text)| texts[..*at].contains(text));
    repeated.map(|(_, text)| *text)
}

fn referer(document: &Record) -> Result<(), ServiceError> {
    let truncates_query =
        document.get("allow_truncate_query_string").is_none() || document.flag("allow_truncate_query_string");
    if document.flag("truncate_path") && !truncates_query {
        return Err(ServiceError::invalid_argument(
            "A path cannot be cut off while the query is kept.",
            "TruncatePath",
            "true",
        ));
    }
    for (list, element) in [
        ("referer_list", "RefererList"),
        ("referer_blacklist", "RefererBlacklist"),
    ] {
        let referers = texts(document.record(list), "referers");
        if referers.iter().map(|referer| referer.len()).sum::<usize>() > MOST_REFERER_BYTES {
            return Err(ServiceError::invalid_argument(
                format!("All referers together have more than {MOST_REFERER_BYTES} bytes."),
                element,
                "",
            ));
        }
    }
    Ok(())
}

fn logging(call: &Call<'_>, document: &Record) -> Result<(), ServiceError> {
    let Some(enabled) = document.record("logging_enabled") else {
        return Ok(());
    };
    let (target, own) = (enabled.text_or_empty("target_bucket"), call.bucket_info()?);
    let found = call.store().bucket(target).ok();
    let fits = found.is_some_and(|found| found.meta.owner == own.meta.owner && found.meta.region == own.meta.region);
    if !fits {
        return Err(ServiceError::new(
            400,
            "InvalidTargetBucketForLogging",
            "The bucket for logs does not exist, lies elsewhere or belongs to someone else.",
        )
        .detail("TargetBucket", target));
    }
    let prefix = enabled.text_or_empty("target_prefix");
    let is_prefix = prefix.len() <= MOST_LOG_PREFIX
        && prefix
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'/' | b'_' | b'.'));
    if is_prefix {
        return Ok(());
    }
    Err(ServiceError::invalid_argument(
        format!("The prefix of logs has at most {MOST_LOG_PREFIX} letters, digits, hyphens and slashes."),
        "TargetPrefix",
        prefix,
    ))
}

fn log_fields(document: &Record) -> Result<(), ServiceError> {
    for (set, list, element) in [
        ("header_set", "headers", "header"),
        ("param_set", "parameters", "parameter"),
    ] {
        let names = texts(document.record(set), list);
        let bad = first_repeated(&names).or_else(|| names.iter().copied().find(|name| name.trim().is_empty()));
        if let Some(bad) = bad {
            return Err(ServiceError::invalid_argument(
                "A field is empty or occurs twice.",
                element,
                bad,
            ));
        }
    }
    if document.has("header_set") || document.has("param_set") {
        return Ok(());
    }
    Err(ServiceError::malformed_xml("there is neither HeaderSet nor ParamSet"))
}

fn encryption(document: &Record) -> Result<(), ServiceError> {
    let Some(rule) = document.record("apply_server_side_encryption_by_default") else {
        return Ok(());
    };
    let algorithm = rule.text_or_empty("sse_algorithm");
    if algorithm == "None" {
        return Err(ServiceError::new(
            400,
            "InvalidEncryptionAlgorithmError",
            "The encryption algorithm is none that objects can be encrypted with.",
        ));
    }
    let of_kms = |name: &str| rule.text(name).is_some_and(|value| !value.is_empty());
    if algorithm != "KMS" && (of_kms("kms_master_key_id") || of_kms("kms_data_encryption")) {
        return Err(ServiceError::new(
            400,
            "InvalidEncryptionRequest",
            "A key and a cipher of Key Management Service need the algorithm KMS.",
        ));
    }
    Ok(())
}

fn https(document: &Record) -> Result<(), ServiceError> {
    let Some(tls) = document.record("tls") else {
        return Err(ServiceError::malformed_xml("the element TLS is missing"));
    };
    let versions = texts(Some(tls), "tls_versions");
    if tls.flag("enable") && versions.is_empty() {
        return Err(ServiceError::malformed_xml("the element TLSVersion is missing in TLS"));
    }
    if let Some(version) = first_repeated(&versions) {
        return Err(ServiceError::invalid_argument(
            "A version occurs twice.",
            "TLSVersion",
            version,
        ));
    }
    let Some(suite) = document.record("cipher_suite").filter(|suite| suite.flag("enable")) else {
        return Ok(());
    };
    let lists = ["custom_cipher_suites", "tls13_custom_cipher_suites"];
    let is_custom = lists.iter().any(|list| !suite.list(list).is_empty());
    if suite.flag("strong_cipher_suite") == is_custom {
        return Err(ServiceError::invalid_argument(
            "Suites are either the strong ones or those that are listed.",
            "StrongCipherSuite",
            "",
        ));
    }
    Ok(())
}

fn quota(document: &Record) -> Result<(), ServiceError> {
    let most = document.integer("storage_quota").unwrap_or_default();
    if document.has("current_usage") {
        return Err(ServiceError::malformed_xml(
            "the element CurrentUsage is of answers only",
        ));
    }
    if most > 0 {
        return Ok(());
    }
    Err(ServiceError::invalid_argument(
        "A quota is above 0.",
        "StorageQuota",
        &most.to_string(),
    ))
}

pub(in crate::operations) fn resource_group(document: &Record) -> Result<(), ServiceError> {
    let id = document.text_or_empty("resource_group_id");
    let tail = id.strip_prefix("rg-").unwrap_or_default();
    if !tail.is_empty() && tail.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Ok(());
    }
    Err(ServiceError::new(
        400,
        "ResourceGroupIdPreCheckError",
        "The resource group does not exist.",
    )
    .detail("ResourceGroupId", id))
}

fn acceleration(call: &Call<'_>, document: &Record) -> Result<(), ServiceError> {
    if document.flag("enabled") || !replication::uses_acceleration(call)? {
        return Ok(());
    }
    Err(ServiceError::new(
        409,
        "TransferAccAlreadyInUse",
        "A replication rule uses the transfer acceleration.",
    ))
}

pub(super) fn object_worm(document: &Record) -> Result<(), ServiceError> {
    let retention = document
        .record("rule")
        .and_then(|rule| rule.record("default_retention"));
    match retention {
        Some(retention) if !retention.has("days") && !retention.has("years") => Err(ServiceError::malformed_xml(
            "there is neither Days nor Years in DefaultRetention",
        )),
        _ => Ok(()),
    }
}

fn overwrite(document: &Record) -> Result<(), ServiceError> {
    let ids: Vec<&str> = document.records("rules").filter_map(|rule| rule.text("id")).collect();
    match first_repeated(&ids) {
        Some(id) => Err(ServiceError::invalid_argument("Two rules have the same ID.", "ID", id)),
        None => Ok(()),
    }
}
