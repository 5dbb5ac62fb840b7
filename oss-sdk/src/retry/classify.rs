//! Which answers are worth another attempt.

/// Whether an error answer says that the same request may succeed later. Never for 403, 404, 409 and 412. What is refused
/// for its time is no matter of retries: the pipeline sets the clock right.
pub(crate) fn is_retryable_answer(status: u16, code: Option<&str>) -> bool {
    status >= 500 || matches!(status, 401 | 408 | 429) || code == Some("BadRequest")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_classified_by_status_and_code() {
        let rows = [
            (500, None, true),
            (502, Some("BadErrorResponse"), true),
            (503, Some("ServiceUnavailable"), true),
            (599, None, true),
            (401, None, true),
            (408, Some("RequestTimeout"), true),
            (429, Some("TooManyRequests"), true),
            (403, Some("RequestTimeTooSkewed"), false),
            (400, Some("BadRequest"), true),
            (400, Some("InvalidArgument"), false),
            (403, Some("AccessDenied"), false),
            (403, Some("SignatureDoesNotMatch"), false),
            (404, Some("NoSuchKey"), false),
            (409, Some("PositionNotEqualToLength"), false),
            (412, Some("PreconditionFailed"), false),
            (304, None, false),
            (301, None, false),
            (203, Some("CallbackFailed"), false),
            (0, None, false),
        ];
        for (status, code, expected) in rows {
            assert_eq!(is_retryable_answer(status, code), expected, "{status} {code:?}");
        }
    }
}
