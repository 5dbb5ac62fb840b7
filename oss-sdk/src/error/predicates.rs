//! The questions that callers ask of an error before they decide what to do.
//!
//! They look at the status where it says enough, so that services which know other codes are covered too, and at codes
//! where it does not. All are `false` for what did not come from a service, except [`Error::is_timeout`].

use super::{Error, ErrorKind};

impl Error {
    fn has_status(&self, status: u16) -> bool {
        self.status() == Some(status)
    }

    fn has_code(&self, codes: &[&str]) -> bool {
        self.code().is_some_and(|code| codes.contains(&code))
    }

    fn code_ends_in(&self, endings: &[&str]) -> bool {
        self.code()
            .is_some_and(|code| endings.iter().any(|ending| code.ends_with(ending)))
    }

    /// Whether the object, bucket, or other thing asked for does not exist: any answer with status 404.
    pub fn is_not_found(&self) -> bool {
        self.has_status(404)
    }

    /// Whether the bucket does not exist: `NoSuchBucket`, `AgenticBucketNotFound`.
    pub fn is_no_such_bucket(&self) -> bool {
        self.has_code(&["NoSuchBucket", "AgenticBucketNotFound"])
    }

    /// Whether the bucket exists and the object does not: `NoSuchKey`, `NoSuchVersion`, and `SymlinkTargetNotExist` for a
    /// link that leads nowhere.
    pub fn is_no_such_object(&self) -> bool {
        self.has_code(&["NoSuchKey", "NoSuchVersion", "SymlinkTargetNotExist"])
    }

    /// Whether the multipart upload does not exist, or no longer: `NoSuchUpload`.
    pub fn is_no_such_upload(&self) -> bool {
        self.has_code(&["NoSuchUpload"])
    }

    /// Whether the service refused the caller, for whatever reason: any answer with status 403. That is mostly
    /// `AccessDenied`, but also wrong credentials, for which there is
    /// [`is_invalid_credentials`](Error::is_invalid_credentials), and an archived object, for which there is
    /// [`is_archived`](Error::is_archived).
    pub fn is_access_denied(&self) -> bool {
        self.has_status(403)
    }

    /// Whether the credentials are unknown, wrong or have expired, so that others may help: `InvalidAccessKeyId` and those
    /// that begin so, `SignatureDoesNotMatch`, `InvalidSecurityToken`, `SecurityTokenExpired`,
    /// `SecurityTokenNotSupported`, `MissingSecurityToken`, `AccessKeyIdAndSecurityTokenNotMatch`, `UserDisable`.
    pub fn is_invalid_credentials(&self) -> bool {
        self.has_code(&[
            "SignatureDoesNotMatch",
            "InvalidSecurityToken",
            "SecurityTokenExpired",
            "SecurityTokenNotSupported",
            "MissingSecurityToken",
            "AccessKeyIdAndSecurityTokenNotMatch",
            "UserDisable",
        ]) || self.code().is_some_and(|code| {
            code.strip_prefix("InvalidAccessKeyId")
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }

    /// Whether the object is in an archive class and cannot be read yet: `InvalidObjectState` before it is restored,
    /// `ArchiveRestoreNotFinished` while it is.
    pub fn is_archived(&self) -> bool {
        self.has_code(&["InvalidObjectState", "ArchiveRestoreNotFinished"])
    }

    /// Whether the state of a resource stands against the request: any answer with status 409, such as
    /// `BucketAlreadyExists`, `BucketNotEmpty`, `FileAlreadyExists`, `FileImmutable`, `ObjectNotAppendable`,
    /// `PositionNotEqualToLength`, `ConflictException`.
    pub fn is_conflict(&self) -> bool {
        self.has_status(409)
    }

    /// Whether what was to be created is there already: every code that ends in `AlreadyExists` or `AlreadyExist`, such as
    /// `BucketAlreadyExists`, `FileAlreadyExists` (a write that forbids to overwrite), `CnameAlreadyExists`,
    /// `VectorIndexAlreadyExists`, `MetaQueryAlreadyExist`. Table buckets say `ConflictException` for this and for other
    /// things, which is an [`is_conflict`](Error::is_conflict) only.
    pub fn is_already_exists(&self) -> bool {
        self.code_ends_in(&["AlreadyExists", "AlreadyExist"])
    }

    /// Whether what was to be deleted still holds something: `BucketNotEmpty`, `AgenticBucketNotEmpty`.
    pub fn is_not_empty(&self) -> bool {
        self.code_ends_in(&["NotEmpty"])
    }

    /// Whether a condition of the request (`If-Match` and the like) did not hold: any answer with status 412.
    pub fn is_precondition_failed(&self) -> bool {
        self.has_status(412)
    }

    /// Whether the thing asked for has not changed: any answer with status 304.
    pub fn is_not_modified(&self) -> bool {
        self.has_status(304)
    }

    /// Whether the range lies outside of the object: any answer with status 416, `InvalidRange`.
    pub fn is_range_not_satisfiable(&self) -> bool {
        self.has_status(416)
    }

    /// Whether too much was asked for in too little time: any answer with status 429, every code that ends in
    /// `LimitExceeded`, such as `QpsLimitExceeded`, `TotalQpsLimitExceeded`, `ActiveRequestLimitExceeded`,
    /// `CpuLimitExceeded`, `DownloadTrafficRateLimitExceeded`, `UploadTrafficRateLimitExceeded`, and `Throttling` with
    /// those that begin so.
    ///
    /// The client has waited and repeated the request already; going slower helps, going on does not.
    pub fn is_throttled(&self) -> bool {
        self.has_status(429)
            || self.code_ends_in(&["LimitExceeded"])
            || self.code().is_some_and(|code| code.starts_with("Throttling"))
    }

    /// Whether time ran out: [`ErrorKind::Timeout`], which is a silent connection or a deadline of the caller's, any
    /// answer with status 408, and `RequestTimeout`.
    pub fn is_timeout(&self) -> bool {
        self.kind() == ErrorKind::Timeout || self.has_status(408) || self.has_code(&["RequestTimeout"])
    }

    /// Whether something failed inside the service: any answer with a status from 500 on, such as `InternalError` and
    /// `ServiceUnavailable`. Throttling comes with 503 too; ask for [`is_throttled`](Error::is_throttled) first.
    pub fn is_server_error(&self) -> bool {
        self.status().is_some_and(|status| status >= 500)
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, StatusCode};

    use super::super::{ServiceError, parse_service_error};
    use super::*;

    fn answer(status: u16, code: &str) -> Error {
        let answer = ServiceError {
            code: code.to_owned(),
            ..ServiceError::default()
        };
        Error::service(StatusCode::from_u16(status).unwrap(), HeaderMap::new(), answer)
    }

    type Predicate = (&'static str, fn(&Error) -> bool);

    const ALL: [Predicate; 16] = [
        ("not_found", Error::is_not_found),
        ("no_such_bucket", Error::is_no_such_bucket),
        ("no_such_object", Error::is_no_such_object),
        ("no_such_upload", Error::is_no_such_upload),
        ("access_denied", Error::is_access_denied),
        ("invalid_credentials", Error::is_invalid_credentials),
        ("archived", Error::is_archived),
        ("conflict", Error::is_conflict),
        ("already_exists", Error::is_already_exists),
        ("not_empty", Error::is_not_empty),
        ("precondition_failed", Error::is_precondition_failed),
        ("not_modified", Error::is_not_modified),
        ("range_not_satisfiable", Error::is_range_not_satisfiable),
        ("throttled", Error::is_throttled),
        ("timeout", Error::is_timeout),
        ("server_error", Error::is_server_error),
    ];

    fn holding(error: &Error) -> Vec<&'static str> {
        ALL.iter()
            .filter(|(_, holds)| holds(error))
            .map(|(name, _)| *name)
            .collect()
    }

    #[test]
    fn each_answer_is_what_it_is_and_nothing_else() {
        let rows: [(u16, &str, &[&str]); 31] = [
            (404, "NoSuchKey", &["not_found", "no_such_object"]),
            (404, "NoSuchVersion", &["not_found", "no_such_object"]),
            (404, "NoSuchBucket", &["not_found", "no_such_bucket"]),
            (404, "AgenticBucketNotFound", &["not_found", "no_such_bucket"]),
            (404, "NoSuchUpload", &["not_found", "no_such_upload"]),
            (404, "NoSuchBucketPolicy", &["not_found"]),
            (404, "BadErrorResponse", &["not_found"]),
            (404, "NotFoundException", &["not_found"]),
            (403, "AccessDenied", &["access_denied"]),
            (403, "InvalidAccessKeyId", &["access_denied", "invalid_credentials"]),
            (
                403,
                "InvalidAccessKeyId.Inactive",
                &["access_denied", "invalid_credentials"],
            ),
            (
                404,
                "InvalidAccessKeyId.NotFound",
                &["not_found", "invalid_credentials"],
            ),
            (403, "SecurityTokenExpired", &["access_denied", "invalid_credentials"]),
            (403, "SignatureDoesNotMatch", &["access_denied", "invalid_credentials"]),
            (403, "InvalidObjectState", &["access_denied", "archived"]),
            (409, "ArchiveRestoreNotFinished", &["archived", "conflict"]),
            (409, "BucketAlreadyExists", &["conflict", "already_exists"]),
            (409, "FileAlreadyExists", &["conflict", "already_exists"]),
            (400, "MetaQueryAlreadyExist", &["already_exists"]),
            (409, "BucketNotEmpty", &["conflict", "not_empty"]),
            (409, "ConflictException", &["conflict"]),
            (412, "PreconditionFailed", &["precondition_failed"]),
            (304, "NotModified", &["not_modified"]),
            (416, "InvalidRange", &["range_not_satisfiable"]),
            (429, "QpsLimitExceeded", &["throttled"]),
            (503, "DownloadTrafficRateLimitExceeded", &["throttled", "server_error"]),
            (400, "Throttling.User", &["throttled"]),
            (408, "X", &["timeout"]),
            (400, "RequestTimeout", &["timeout"]),
            (500, "InternalError", &["server_error"]),
            (400, "InvalidArgument", &[]),
        ];
        for (status, code, expected) in rows {
            assert_eq!(holding(&answer(status, code)), expected, "{status} {code}");
        }
    }

    #[test]
    fn what_no_service_said_is_none_of_it() {
        assert_eq!(holding(&Error::new(ErrorKind::Timeout, "")), ["timeout"]);
        for kind in [ErrorKind::Transport, ErrorKind::InvalidInput, ErrorKind::Decode] {
            assert_eq!(holding(&Error::new(kind, "")), [""; 0]);
        }
        let empty = parse_service_error(StatusCode::FORBIDDEN, &HeaderMap::new(), b"");
        let error = Error::service(StatusCode::FORBIDDEN, HeaderMap::new(), empty);
        assert_eq!(holding(&error), ["access_denied"]);
    }
}
