//! Encryption at rest as headers show it. Nothing is encrypted, but what a request asks for is held against the service's rules.

use std::collections::BTreeMap;

use super::{Call, stored};
use crate::answer::Answer;
use crate::error::ServiceError;
use crate::store::ObjectMeta;
use crate::value::{Record, Value};

/// Members about encryption and the headers they stand in.
const MEMBERS: &[(&str, &str)] = &[
    (METHOD, "x-oss-server-side-encryption"),
    (CIPHER, "x-oss-server-side-data-encryption"),
    (KEY, "x-oss-server-side-encryption-key-id"),
];
const METHOD: &str = "server_side_encryption";
const CIPHER: &str = "server_side_data_encryption";
const KEY: &str = "server_side_encryption_key_id";

/// How an object that is written is encrypted: as the request says, else as the bucket does.
pub(super) fn requested(call: &Call<'_>, bucket: &str) -> Result<BTreeMap<String, String>, ServiceError> {
    let input = &call.input;
    let method = input.text(METHOD);
    if method == Some("None") {
        return Err(unknown_method("None"));
    }
    for (member, header) in [(CIPHER, MEMBERS[1].1), (KEY, MEMBERS[2].1)] {
        if let Some(value) = input.text(member)
            && method != Some("KMS")
        {
            return Err(ServiceError::invalid_argument(
                format!("{header} goes with x-oss-server-side-encryption: KMS only."),
                header,
                value,
            ));
        }
    }
    if method.is_some() {
        let given = MEMBERS
            .iter()
            .filter_map(|(member, _)| Some(((*member).to_owned(), input.text(member)?.to_owned())));
        return Ok(given.collect());
    }
    by_default(call, bucket)
}

fn by_default(call: &Call<'_>, bucket: &str) -> Result<BTreeMap<String, String>, ServiceError> {
    let rule = stored::document(call, bucket, "GetBucketEncryption")?;
    let rule = rule
        .as_ref()
        .and_then(|rule| rule.record("apply_server_side_encryption_by_default"));
    let Some(rule) = rule.filter(|rule| rule.text("sse_algorithm").is_some_and(|method| method != "None")) else {
        return Ok(BTreeMap::new());
    };
    let kept = [
        (METHOD, "sse_algorithm"),
        (CIPHER, "kms_data_encryption"),
        (KEY, "kms_master_key_id"),
    ];
    Ok(kept
        .into_iter()
        .filter_map(|(member, name)| {
            let value = rule.text(name).filter(|value| !value.is_empty())?;
            Some((member.to_owned(), value.to_owned()))
        })
        .collect())
}

/// The refusal of a method that the service does not have.
pub(crate) fn unknown_method(value: &str) -> ServiceError {
    ServiceError::new(
        400,
        "InvalidEncryptionAlgorithmError",
        "The Encryption request you specified is not valid. Supported value: AES256/SM4/KMS.",
    )
    .detail("ArgumentName", MEMBERS[0].1)
    .detail("ArgumentValue", value)
}

/// Adds what a result shows of the encryption of an object, by the names of the models.
pub(super) fn show(meta: &ObjectMeta, mut values: Record) -> Record {
    for (member, _) in MEMBERS {
        if let Some(value) = meta.encryption.get(*member) {
            values.set(member, Value::from(value));
        }
    }
    values
}

/// Adds the headers to the answer of a write, which not every model has.
pub(super) fn headers(meta: &ObjectMeta, answer: Answer) -> Answer {
    MEMBERS
        .iter()
        .fold(answer, |answer, (member, header)| match meta.encryption.get(*member) {
            Some(value) => answer.header(header, value),
            None => answer,
        })
}
