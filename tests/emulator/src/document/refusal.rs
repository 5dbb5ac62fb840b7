//! Which code refuses an XML document that does not fit its shape: `MalformedXML`, unless the operation documents a better one.

use oss_codegen::api::Operation;

use crate::error::ServiceError;

/// Codes for too many of certain elements.
const TOO_MANY: &[(&str, &str)] = &[
    ("the element CORSRule ", "CORSRuleBeyondLimit"),
    ("the element Tag ", "TooManyTags"),
    ("the element ID ", "TooManyReplicationRules"),
];
/// Codes for values of certain elements.
const BAD_VALUES: &[(&str, &str)] = &[
    ("the element SSEAlgorithm ", "InvalidEncryptionAlgorithmError"),
    ("the element KMSDataEncryption ", "InvalidDataEncryptionAlgorithmError"),
    ("the element Key ", "InvalidTag"),
    ("the element Value ", "InvalidTag"),
];

/// The refusal of a document, by what is wrong with it.
pub(crate) fn of(operation: &Operation, why: String) -> ServiceError {
    let documented = |code: &str| operation.errors.iter().any(|known| known == code);
    let too_many = TOO_MANY
        .iter()
        .find(|(element, code)| why.starts_with(element) && why.ends_with(" items") && documented(code));
    let bad_value = BAD_VALUES
        .iter()
        .find(|(element, code)| why.starts_with(element) && why.contains(" is not ") && documented(code));
    match too_many.or(bad_value) {
        Some((_, code)) => ServiceError::new(400, *code, format!("The document is not valid: {why}.")),
        None => ServiceError::malformed_xml(why),
    }
}
