//! What the store refuses, in the service's own codes.

use crate::error::ServiceError;
use crate::request::Head;
use crate::store::StoreError;
use crate::time;

/// Names bucket and key in errors that the store could not.
pub(crate) fn locate(error: ServiceError, head: &Head) -> ServiceError {
    if !error.details.is_empty() {
        return error;
    }
    match (error.code.as_str(), head.bucket(), head.key()) {
        ("NoSuchBucket" | "BucketNotEmpty" | "BucketAlreadyExists", Some(bucket), _) => {
            error.detail("BucketName", bucket)
        }
        (
            "NoSuchKey" | "NoSuchVersion" | "FileAlreadyExists" | "FileImmutable" | "ObjectNotAppendable",
            _,
            Some(key),
        ) => error.detail("Key", key),
        ("NoSuchUpload", _, _) => {
            let upload_id = head.query.get("uploadId").unwrap_or_default();
            error.detail("UploadId", upload_id)
        }
        _ => error,
    }
}

impl From<StoreError> for ServiceError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NoSuchBucket => ServiceError::new(404, "NoSuchBucket", "The specified bucket does not exist."),
            StoreError::BucketAlreadyExists { .. } => ServiceError::new(
                409,
                "BucketAlreadyExists",
                "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.",
            ),
            StoreError::BucketNotEmpty => ServiceError::new(409, "BucketNotEmpty", "The bucket has objects. Please delete them first."),
            StoreError::NoSuchKey => ServiceError::new(404, "NoSuchKey", "The specified key does not exist."),
            StoreError::NoSuchVersion => ServiceError::new(404, "NoSuchVersion", "The specified version does not exist."),
            StoreError::DeleteMarker { version_id, last_modified } => ServiceError::new(404, "NoSuchKey", "The specified key does not exist.")
                .header("x-oss-delete-marker", "true")
                .header("x-oss-version-id", version_id)
                .header("last-modified", time::http_date(last_modified)),
            StoreError::NoSuchUpload => ServiceError::new(
                404,
                "NoSuchUpload",
                "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
            ),
            StoreError::InvalidPart { number } => ServiceError::new(
                400,
                "InvalidPart",
                "One or more of the specified parts could not be found or the specified entity tag might not have matched the part's entity tag.",
            )
            .detail("PartNumber", number.to_string()),
            StoreError::InvalidPartOrder => {
                ServiceError::new(400, "InvalidPartOrder", "The list of parts was not in ascending order. Parts list must specified in order by part number.")
            }
            StoreError::PartAlreadyExist { number, etag } => {
                ServiceError::new(409, "PartAlreadyExist", "For sequential multipart upload, you can't overwrite uploaded parts.")
                    .numbered("0042-00000108")
                    .detail("PartEtag", format!("\"{etag}\""))
                    .detail("PartNumber", number.to_string())
            }
            StoreError::PartNotSequential { number } => ServiceError::new(
                409,
                "PartNotSequential",
                "For sequential multipart upload, you must upload or complete parts with sequential part number.",
            )
            .detail("PartNumber", number.to_string()),
            StoreError::EntityTooSmall { number, size } => ServiceError::new(400, "EntityTooSmall", "Your proposed upload smaller than the minimum allowed size.")
                .detail("ProposedSize", size.to_string())
                .detail("MinSizeAllowed", "102400")
                .detail("PartNumber", number.to_string()),
            StoreError::InvalidPartNumber { number } => {
                ServiceError::invalid_argument("Part number must be an integer between 1 and 10000, inclusive.", "partNumber", &number.to_string())
            }
            StoreError::PositionNotEqualToLength { length } => {
                ServiceError::new(409, "PositionNotEqualToLength", "Position is not equal to file length.")
                    .header("x-oss-next-append-position", length.to_string())
            }
            StoreError::ObjectNotAppendable => ServiceError::new(409, "ObjectNotAppendable", "The object is not appendable."),
            StoreError::FileAlreadyExists => {
                ServiceError::new(409, "FileAlreadyExists", "The object you specified already exists and can not be overwritten.")
            }
            StoreError::FileImmutable => ServiceError::new(409, "FileImmutable", "The object you specified is immutable."),
            StoreError::EntityTooLarge { limit } => ServiceError::new(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed object size.")
                .detail("MaxSizeAllowed", limit.to_string()),
            StoreError::QuotaFull { bucket, quota } => ServiceError::new(403, "QuotaFull", "The bucket holds as much as its quota allows.")
                .detail("BucketName", bucket)
                .detail("StorageQuota", quota.to_string()),
            StoreError::AppendForbidden => {
                ServiceError::new(400, "OperationNotSupported", "Objects of a bucket with object retention cannot be appended to.")
            }
            StoreError::SourceChanged => ServiceError::new(503, "ServiceUnavailable", "The object changes too often to be copied onto itself."),
            StoreError::InvalidRange { size } => ServiceError::new(416, "InvalidRange", "The requested range cannot be satisfied.")
                .detail("ActualObjectSize", size.to_string()),
            other => {
                let cause = std::error::Error::source(&other).map(ToString::to_string);
                tracing::error!(error = %other, cause, "the store failed");
                ServiceError::internal("We encountered an internal error. Please try again.")
            }
        }
    }
}
