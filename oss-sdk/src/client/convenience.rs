//! Short ways to common ends, written on the operations themselves.

use std::path::{Path, PathBuf};

use super::{Call, Client};
use crate::body::Body;
use crate::error::{Error, ErrorKind};
use crate::operations::{
    GetBucketAclRequest, GetObjectMetaRequest, GetObjectRequest, GetObjectResult, PutObjectRequest,
};

impl Client {
    /// Whether an object exists; asks for its metadata.
    ///
    /// # Errors
    ///
    /// Everything but the answer that the object does not exist, so also that the bucket does not.
    pub async fn object_exists(&self, bucket: impl Into<String>, key: impl Into<String>) -> Result<bool, Error> {
        match self.get_object_meta(GetObjectMetaRequest::new(bucket, key)).await {
            Ok(_) => Ok(true),
            // The answer to a HEAD may come without its code.
            Err(error) if error.code() == Some("NoSuchKey") => Ok(false),
            Err(error) if error.is_not_found() && error.code() == Some("BadErrorResponse") => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether a bucket exists, whoever owns it; asks for its ACL.
    ///
    /// # Errors
    ///
    /// When the service gives no answer. An answer other than `NoSuchBucket`, such as `AccessDenied`, means that the
    /// bucket exists.
    pub async fn bucket_exists(&self, bucket: impl Into<String>) -> Result<bool, Error> {
        match self.get_bucket_acl(GetBucketAclRequest::new(bucket)).await {
            Ok(_) => Ok(true),
            Err(error) if error.code() == Some("NoSuchBucket") => Ok(false),
            Err(error) if error.kind() == ErrorKind::Service && error.status().is_some_and(|status| status < 500) => {
                Ok(true)
            }
            Err(error) => Err(error),
        }
    }

    /// Uploads a file; see [`Body::from_file`].
    pub fn put_object_from_file(
        &self,
        request: PutObjectRequest,
        path: impl Into<PathBuf>,
    ) -> Call<'_, PutObjectRequest> {
        self.put_object(request.body(Body::from_file(path)))
    }

    /// Downloads an object to a file, which has its name only when it is complete and verified; see
    /// [`ResponseBody::save_to`](crate::ResponseBody::save_to). The payload of the result is empty.
    ///
    /// # Errors
    ///
    /// As [`get_object`](Client::get_object) and [`ResponseBody::save_to`](crate::ResponseBody::save_to).
    pub async fn get_object_to_file(
        &self,
        request: GetObjectRequest,
        path: impl AsRef<Path>,
    ) -> Result<GetObjectResult, Error> {
        let mut result = self.get_object(request).await?;
        let body = std::mem::take(&mut result.body);
        body.save_to(path).await?;
        Ok(result)
    }
}
