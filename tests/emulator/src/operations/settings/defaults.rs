//! What is answered about settings that were never put. Those that are not here are refused as missing.

use crate::operations::Call;
use crate::value::{Record, Value};

/// The values that hold until somebody puts others.
pub(in crate::operations) fn default_of(call: &Call<'_>) -> Option<Record> {
    let empty_list = || Value::List(Vec::new());
    let (member, record) = match call.operation.name.as_str() {
        "GetBucketLogging" => ("bucket_logging_status", Record::new()),
        "GetBucketTags" => ("tagging", Record::new().with("tag_set", Record::new())),
        "GetBucketReferer" => (
            "referer_configuration",
            Record::new()
                .with("allow_empty_referer", true)
                .with("allow_truncate_query_string", true)
                .with("truncate_path", false)
                .with("referer_list", Record::new().with("referers", empty_list())),
        ),
        "GetBucketRequestPayment" => (
            "request_payment_configuration",
            Record::new().with("payer", "BucketOwner"),
        ),
        "GetBucketAccessMonitor" => ("access_monitor_configuration", Record::new().with("status", "Disabled")),
        "GetBucketArchiveDirectRead" => (
            "archive_direct_read_configuration",
            Record::new().with("enabled", false),
        ),
        "GetBucketHttpsConfig" => (
            "https_configuration",
            Record::new().with("tls", Record::new().with("enable", false)),
        ),
        "GetBucketPublicAccessBlock" => (
            "public_access_block_configuration",
            Record::new().with("block_public_access", false),
        ),
        "GetBucketResourceGroup" => (
            "bucket_resource_group_configuration",
            Record::new().with("resource_group_id", DEFAULT_RESOURCE_GROUP),
        ),
        _ => return None,
    };
    Some(Record::new().with(member, record))
}

/// The resource group of buckets that nobody has moved.
pub(in crate::operations) const DEFAULT_RESOURCE_GROUP: &str = "rg-default";
