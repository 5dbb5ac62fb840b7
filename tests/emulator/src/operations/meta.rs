//! What a request says about an object that it writes: content headers, metadata, tags, ACL, storage class.

use std::collections::BTreeSet;

use super::{Call, encryption, object_worm, retention};
use crate::error::ServiceError;
use crate::request::Query;
use crate::store::{ObjectAcl, ObjectMeta, PutOptions};
use crate::value::Record;

/// Most metadata of an object, names and values together.
const MAX_USER_METADATA: usize = 8 * 1024;
/// Most tags of an object.
pub(super) const MAX_TAGS: usize = 10;

/// Reads everything that an upload says about its object.
pub(super) fn of(call: &Call<'_>) -> Result<ObjectMeta, ServiceError> {
    let bucket = call.bucket()?;
    let input = &call.input;
    let text = |name: &str| input.text(name).map(str::to_owned);
    let user = input.texts("metadata");
    let size: usize = user.iter().map(|(name, value)| name.len() + value.len()).sum();
    if size > MAX_USER_METADATA {
        return Err(ServiceError::new(
            400,
            "MetadataTooLarge",
            "Your metadata headers exceed the maximum allowed metadata size.",
        ));
    }
    Ok(ObjectMeta {
        content_type: text("content_type"),
        cache_control: text("cache_control"),
        content_disposition: text("content_disposition"),
        content_encoding: text("content_encoding"),
        content_language: call.head.header("content-language").map(str::to_owned),
        expires: text("expires"),
        user,
        storage_class: text("storage_class").unwrap_or_default(),
        acl: acl(input),
        tags: input
            .text("tagging")
            .map(|raw| parse_tags(raw, MAX_TAGS))
            .transpose()?
            .unwrap_or_default(),
        encryption: encryption::requested(call, bucket)?,
        lock: object_worm::requested(call, bucket)?,
        ..ObjectMeta::default()
    })
}

/// How a request writes its object: with what it says about it, under the rules of the bucket.
pub(super) fn options(call: &Call<'_>, meta: ObjectMeta) -> Result<PutOptions, ServiceError> {
    Ok(PutOptions {
        meta,
        forbid_overwrite: call.input.flag("forbid_overwrite"),
        guard: retention::guard_of(call, Some(call.key()?)),
    })
}

/// The ACL of a request; the model has checked its spelling.
pub(super) fn acl(input: &Record) -> ObjectAcl {
    input.text("acl").and_then(ObjectAcl::parse).unwrap_or_default()
}

/// Reads `key=value&key=value`, percent-encoded.
pub(super) fn parse_tags(raw: &str, most: usize) -> Result<Vec<(String, String)>, ServiceError> {
    let parameters = Query::parse(raw).map_err(|_| invalid_tag("The tags are not percent-encoded UTF-8."))?;
    let tags = parameters
        .iter()
        .map(|parameter| (parameter.name.clone(), parameter.value.clone()));
    check_tags(tags.collect(), most)
}

/// Checks tags from a header or a document.
pub(super) fn check_tags(tags: Vec<(String, String)>, most: usize) -> Result<Vec<(String, String)>, ServiceError> {
    if tags.len() > most {
        return Err(invalid_tag(&format!("There are more than {most} tags.")));
    }
    let allowed = |text: &str| text.chars().all(|c| c.is_alphanumeric() || " +-=._:/".contains(c));
    let mut keys = BTreeSet::new();
    for (key, value) in &tags {
        if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
            return Err(invalid_tag(
                "A tag has a key of 1 to 128 and a value of at most 256 characters.",
            ));
        }
        if !allowed(key) || !allowed(value) {
            return Err(invalid_tag(
                "A tag has a character other than letters, digits, blanks and + - = . _ : /",
            ));
        }
        if !keys.insert(key) {
            return Err(invalid_tag("Two tags have the same key."));
        }
    }
    Ok(tags)
}

fn invalid_tag(message: &str) -> ServiceError {
    ServiceError::new(400, "InvalidTag", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_decoded_and_checked() {
        assert_eq!(
            parse_tags("a=1&b%20c=", MAX_TAGS).unwrap(),
            [("a".to_owned(), "1".to_owned()), ("b c".to_owned(), String::new())]
        );
        let many = (0..11).map(|n| format!("k{n}=v")).collect::<Vec<_>>().join("&");
        for raw in [
            "=v",
            "a=1&a=2",
            "a=%FF",
            "a=%3C",
            &many,
            &format!("{}=v", "k".repeat(129)),
        ] {
            assert_eq!(parse_tags(raw, MAX_TAGS).unwrap_err().code, "InvalidTag", "{raw}");
        }
    }
}
