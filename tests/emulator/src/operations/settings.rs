//! Configuration of buckets and of the account in the object service.
//!
//! What a document alone can say works from the models ([`configuration`]); here are the rules that a shape cannot express,
//! the answers to what was never put, and everything that has a life of its own.

mod access_point;
mod access_time;
mod account;
mod cname;
mod defaults;
pub(crate) mod inventory;
mod items;
pub(crate) mod lifecycle;
pub(super) mod meta_query;
mod metadata_tables;
mod object_process;
pub(super) mod overview;
mod policy;
pub(crate) mod quota;
mod redundancy;
mod replication;
mod style;
mod tags;
pub(super) mod validate;
pub(crate) mod worm;

pub(super) use access_time::{note as note_access, shown as last_access};
pub(crate) use account::block_of;
pub(crate) use cname::bind_all;
pub(super) use defaults::default_of;
pub(super) use style::content as style_content;

use super::{Call, configuration};
use crate::answer::Answer;
use crate::error::ServiceError;

/// Runs an operation of the object service that is not about objects.
pub(super) async fn run(call: &Call<'_>) -> Result<Answer, ServiceError> {
    match call.operation.name.as_str() {
        "PutBucketLifecycle" => lifecycle::put(call).await,
        "PutBucketInventory" => inventory::put(call).await,
        "ListBucketInventory" => inventory::list(call),
        "PutStyle" => style::put(call).await,
        "GetStyle" => style::get(call),
        "ListStyle" => style::list(call),
        "DeleteBucketTags" => tags::delete(call).await,
        "GetBucketPolicyStatus" => policy::status(call),
        "CreateCnameToken" => cname::create_token(call).await,
        "GetCnameToken" => cname::token(call),
        "PutCname" => cname::put(call).await,
        "ListCname" => cname::list(call),
        "DeleteCname" => cname::delete(call).await,
        "InitiateBucketWorm" => worm::initiate(call).await,
        "CompleteBucketWorm" => worm::complete(call).await,
        "ExtendBucketWorm" => worm::extend(call).await,
        "AbortBucketWorm" => worm::abort(call).await,
        "GetBucketWorm" => worm::get(call),
        "PutBucketObjectWormConfiguration" => worm::put_of_objects(call).await,
        "CreateBucketDataRedundancyTransition" => redundancy::create(call).await,
        "GetBucketDataRedundancyTransition" => redundancy::get(call),
        "DeleteBucketDataRedundancyTransition" => redundancy::delete(call).await,
        "ListBucketDataRedundancyTransition" => redundancy::list(call),
        "ListUserDataRedundancyTransition" => redundancy::list_all(call),
        "PutBucketReplication" => replication::put(call).await,
        "GetBucketReplication" => replication::get(call),
        "DeleteBucketReplication" => replication::delete(call).await,
        "GetBucketReplicationProgress" => replication::progress(call),
        "GetBucketReplicationLocation" => replication::locations(call),
        "PutBucketRtc" => replication::put_rtc(call).await,
        "CreateAccessPoint" => access_point::create(call).await,
        "GetAccessPoint" => access_point::get(call),
        "DeleteAccessPoint" => access_point::delete(call).await,
        "ListAccessPoints" => access_point::list(call),
        "PutAccessPointPolicy" => access_point::put_policy(call).await,
        "GetAccessPointPolicy" => access_point::policy(call),
        "DeleteAccessPointPolicy" => access_point::delete_policy(call).await,
        "PutAccessPointPublicAccessBlock" => access_point::put_block(call).await,
        "GetAccessPointPublicAccessBlock" => access_point::block(call),
        "DeleteAccessPointPublicAccessBlock" => access_point::delete_block(call).await,
        "CreateAccessPointForObjectProcess" => object_process::create(call).await,
        "GetAccessPointForObjectProcess" => object_process::get(call),
        "DeleteAccessPointForObjectProcess" => object_process::delete(call).await,
        "ListAccessPointsForObjectProcess" => object_process::list(call),
        "PutAccessPointConfigForObjectProcess" => object_process::put_configuration(call).await,
        "GetAccessPointConfigForObjectProcess" => object_process::configuration(call),
        "PutAccessPointPolicyForObjectProcess" => object_process::put_policy(call).await,
        "GetAccessPointPolicyForObjectProcess" => object_process::policy(call),
        "DeleteAccessPointPolicyForObjectProcess" => object_process::delete_policy(call).await,
        "OpenMetaQuery" => meta_query::open(call).await,
        "GetMetaQueryStatus" => meta_query::status(call),
        "DoMetaQuery" => meta_query::query(call).await,
        "CloseMetaQuery" => meta_query::close(call).await,
        "DoMetaQueryAction" | "DoDataPipeLineAction" => Err(unknown_action(call)),
        "CreateBucketMetadataConfiguration" => metadata_tables::create(call).await,
        "GetBucketMetadataConfiguration" => metadata_tables::get(call),
        "UpdateBucketMetadataInventoryTableConfiguration" | "UpdateBucketMetadataJournalTableConfiguration" => {
            metadata_tables::update(call).await
        }
        "GetBucketStorageQuota" => quota::get(call),
        "PutPublicAccessBlock" => account::put_block(call).await,
        "GetPublicAccessBlock" => account::block(call),
        "DeletePublicAccessBlock" => account::delete_block(call).await,
        "ListCloudBoxes" => Ok(account::cloud_boxes(call)),
        _ => {
            validate::check(call)?;
            configuration::run(call).await
        }
    }
}

/// Actions that have a model of their own are routed to it, so what arrives here is none.
fn unknown_action(call: &Call<'_>) -> ServiceError {
    ServiceError::invalid_argument("The action is not known.", "action", call.input.text_or_empty("action"))
}
