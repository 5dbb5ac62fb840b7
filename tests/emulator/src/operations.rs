//! What operations do. Those that are not named here and configure a bucket work from their models alone.

mod agentic;
mod bucket;
mod conditions;
mod configuration;
mod copy;
mod dataprocess;
mod delete;
mod encryption;
mod expiration;
mod gzip;
mod listing;
mod meta;
mod multipart;
mod object_settings;
mod object_worm;
pub(crate) mod own_buckets;
mod process;
mod range;
mod read;
mod restore;
mod retention;
mod select;
mod settings;
mod stored;
mod sts;
mod symlink;
mod tables;
mod vectors;
mod web;
mod write;

pub(crate) use encryption::unknown_method as unknown_encryption;
pub(crate) use vectors::Indexes as VectorIndexes;
pub(crate) use write::put_content;

use std::time::SystemTime;

use oss_codegen::api::{Operation, Service};

use crate::access::{Access, Need};
use crate::answer::Answer;
use crate::auth::Principal;
use crate::body::Body;
use crate::document::MAX_DOCUMENT;
use crate::error::ServiceError;
use crate::pace::Pace;
use crate::request::Head;
use crate::state::State;
use crate::store::{BucketInfo, ObjectInfo, Store, Versioning};
use crate::text;
use crate::value::Record;

/// One request on its way through an operation.
pub(crate) struct Call<'c> {
    pub(crate) state: &'c State,
    pub(crate) service: &'static Service,
    pub(crate) operation: &'static Operation,
    pub(crate) head: &'c Head,
    /// Members of the request, by their model names.
    pub(crate) input: Record,
    pub(crate) principal: Principal,
    pub(crate) body: &'c mut Body,
    pub(crate) now: SystemTime,
    pub(crate) request_id: &'c str,
    /// Whether an HTML form asks for the operation.
    pub(crate) is_form: bool,
}

pub(crate) use settings::{bind_all as bind_cnames, block_of};
pub(crate) use settings::{inventory, lifecycle};
/// What the document of an operation must not exceed, in bytes. Vectors are many numbers.
pub(crate) fn document_limit(operation: &Operation) -> usize {
    match operation.name.as_str() {
        "PutVectors" => 8 * MAX_DOCUMENT,
        _ => MAX_DOCUMENT,
    }
}

/// Runs the operation of a call.
pub(crate) async fn run(call: Call<'_>) -> Result<Answer, ServiceError> {
    match call.service.name.as_str() {
        "agentic" => agentic::run(&call).await,
        "dataprocess" => dataprocess::run(&call).await,
        "sts" => sts::run(&call).await,
        "tables" => tables::run(&call).await,
        "vectors" => vectors::run(&call).await,
        _ => data(call).await,
    }
}

/// Runs an operation of the object service.
async fn data(call: Call<'_>) -> Result<Answer, ServiceError> {
    let pace = Pace::of(call.head)?;
    call.body.slow_down(pace);
    settings::quota::check_announced(&call)?;
    check_versions(&call.input)?;
    match call.operation.name.as_str() {
        "ListBuckets" => bucket::list(&call),
        "DescribeRegions" => bucket::regions(&call),
        "PutBucket" => bucket::put(&call).await,
        "DeleteBucket" => bucket::delete(&call).await,
        "GetBucketInfo" => bucket::info(&call),
        "GetBucketLocation" => bucket::location(&call),
        "GetBucketStat" => bucket::stat(&call),
        "GetBucketAcl" => bucket::acl(&call),
        "PutBucketAcl" => bucket::put_acl(&call).await,
        "GetBucketVersioning" => bucket::versioning(&call),
        "PutBucketVersioning" => bucket::put_versioning(&call).await,
        "SelectObject" => select::select(&call).await,
        "CreateSelectObjectMeta" => select::create_meta(&call).await,
        "ProcessObject" => process::save(&call).await,
        "PutBucketCors" => web::put_cors(&call).await,
        "PutBucketWebsite" => web::put_website(&call).await,
        "ListObjects" => listing::objects(&call),
        "ListObjectsV2" => listing::objects_v2(&call),
        "ListObjectVersions" => listing::versions(&call),
        "ListMultipartUploads" => listing::uploads(&call),
        "PutObject" => write::put(call).await,
        "AppendObject" => write::append(call).await,
        "GetObject" => read::get(&call).await,
        "HeadObject" => read::head(&call),
        "GetObjectMeta" => read::meta(&call),
        "CopyObject" => copy::object(&call).await,
        "DeleteObject" => delete::one(&call).await,
        "DeleteMultipleObjects" => delete::many(&call).await,
        "PutObjectAcl" => object_settings::put_acl(&call).await,
        "GetObjectAcl" => object_settings::acl(&call),
        "PutObjectTagging" => object_settings::put_tagging(&call).await,
        "GetObjectTagging" => object_settings::tagging(&call),
        "DeleteObjectTagging" => object_settings::delete_tagging(&call).await,
        "RestoreObject" => restore::restore(&call).await,
        "CleanRestoredObject" => restore::clean(&call).await,
        "SealAppendObject" => write::seal(&call).await,
        "PutObjectRetention" => object_worm::put_retention(&call).await,
        "GetObjectRetention" => object_worm::retention(&call),
        "PutObjectLegalHold" => object_worm::put_legal_hold(&call).await,
        "GetObjectLegalHold" => object_worm::legal_hold(&call),
        "PutSymlink" => symlink::put(&call).await,
        "GetSymlink" => symlink::get(&call),
        "InitiateMultipartUpload" => multipart::initiate(&call).await,
        "UploadPart" => multipart::part(call).await,
        "UploadPartCopy" => copy::part(&call).await,
        "CompleteMultipartUpload" => multipart::complete(&call).await,
        "AbortMultipartUpload" => multipart::abort(&call).await,
        "ListParts" => multipart::parts(&call),
        _ => settings::run(&call).await,
    }
}

/// Refuses version IDs that cannot be any. An empty one is a mistake of its own and does not mean the latest version.
fn check_versions(input: &Record) -> Result<(), ServiceError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let mut named = ["version_id", "source_version_id"]
        .into_iter()
        .filter_map(|member| input.text(member));
    match named.find(|id| id.is_empty() || !id.bytes().all(allowed)) {
        Some(id) => Err(ServiceError::invalid_argument(
            "The version ID is empty or has a character that no version ID has.",
            "versionId",
            id,
        )),
        None => Ok(()),
    }
}

impl Call<'_> {
    fn store(&self) -> &Store {
        &self.state.store
    }

    fn bucket(&self) -> Result<&str, ServiceError> {
        self.head
            .bucket()
            .ok_or_else(|| ServiceError::internal("The route has no bucket."))
    }

    fn key(&self) -> Result<&str, ServiceError> {
        self.head
            .key()
            .ok_or_else(|| ServiceError::internal("The route has no key."))
    }

    /// The version that the request names, `None` for the latest.
    fn version(&self) -> Option<&str> {
        self.input.text("version_id").filter(|version| !version.is_empty())
    }

    fn bucket_info(&self) -> Result<BucketInfo, ServiceError> {
        Ok(self.store().bucket(self.bucket()?)?)
    }

    /// The version id as answers show it: not at all in buckets that never had versioning.
    fn shown_version<'o>(&self, info: &'o ObjectInfo) -> Result<Option<&'o str>, ServiceError> {
        let versioned = self.bucket_info()?.meta.versioning != Versioning::Unversioned;
        Ok(versioned.then_some(info.version_id.as_str()))
    }

    /// Whether keys are to be percent-encoded in the answer.
    fn url_encoded(&self) -> bool {
        self.input.text("encoding_type") == Some("url")
    }

    /// Whether the principal may do something to another resource than the one addressed.
    fn authorise(
        &self,
        need: Need,
        operation: &str,
        bucket: &str,
        key: &str,
        version: Option<&str>,
    ) -> Result<(), ServiceError> {
        Access {
            state: self.state,
            principal: &self.principal,
            head: self.head,
            now: self.now,
        }
        .allow(need, operation, bucket, key, version)
    }

    /// The members of a record that the operation's result has.
    fn modelled(&self, record: Record) -> Record {
        self.operation
            .result
            .iter()
            .fold(Record::new(), |kept, member| match record.get(&member.name) {
                Some(value) => kept.with(&member.name, value.clone()),
                None => kept,
            })
    }

    /// Refuses members that ask for something the emulator does not do.
    fn refuse(&self, members: &[&str]) -> Result<(), ServiceError> {
        match members.iter().find(|name| self.input.has(name)) {
            Some(name) => Err(ServiceError::not_implemented(format!(
                "{name} of {}",
                self.operation.name
            ))),
            None => Ok(()),
        }
    }
}

/// An owner as documents show it.
fn owner(account: &str) -> Record {
    Record::new().with("id", account).with("display_name", account)
}

/// An ETag as headers and documents show it.
fn quoted(etag: &str) -> String {
    format!("\"{etag}\"")
}

/// Compares `Content-MD5` with what arrived.
pub(crate) fn check_md5(given: Option<&str>, actual: &[u8]) -> Result<(), ServiceError> {
    let Some(given) = given else { return Ok(()) };
    let invalid = || {
        ServiceError::new(400, "InvalidDigest", "The Content-MD5 you specified was invalid.")
            .detail("Content-MD5", given)
    };
    match text::base64_decode(given).filter(|bytes| bytes.len() == 16) {
        Some(bytes) if bytes == actual => Ok(()),
        _ => Err(invalid()),
    }
}
