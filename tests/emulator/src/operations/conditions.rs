//! Conditions on ETag and time, for reads and for the sources of copies.

use super::quoted;
use crate::error::ServiceError;
use crate::store::ObjectInfo;
use crate::time;
use crate::value::Record;

/// Checks the members `if_match`, `if_none_match`, `if_modified_since` and `if_unmodified_since`.
pub(super) fn check(input: &Record, info: &ObjectInfo) -> Result<(), ServiceError> {
    let modified = time::unix_seconds(info.last_modified);
    let matches = |list: &str| {
        list.split(',')
            .map(|tag| tag.trim().trim_matches('"'))
            .any(|tag| tag == "*" || tag == info.etag)
    };
    // A date that cannot be read is no condition.
    let date = |name: &str| input.text(name).and_then(time::parse_http_date).map(time::unix_seconds);
    let failed = |condition: &str| {
        Err(ServiceError::new(
            412,
            "PreconditionFailed",
            "At least one of the pre-conditions you specified did not hold.",
        )
        .detail("Condition", condition))
    };
    match input.text("if_match") {
        Some(list) if !matches(list) => return failed("If-Match"),
        Some(_) => {}
        None if date("if_unmodified_since").is_some_and(|date| modified > date) => {
            return failed("If-Unmodified-Since");
        }
        None => {}
    }
    let unchanged = match input.text("if_none_match") {
        Some(list) => matches(list),
        None => date("if_modified_since").is_some_and(|date| modified <= date),
    };
    if unchanged {
        return Err(ServiceError::new(304, "NotModified", "The object was not modified.")
            .header("etag", quoted(&info.etag))
            .header("last-modified", time::http_date(info.last_modified)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{ObjectKind, ObjectMeta};

    fn info() -> ObjectInfo {
        ObjectInfo {
            key: "k".to_owned(),
            version_id: "null".to_owned(),
            size: 1,
            etag: "AB".to_owned(),
            crc64: 0,
            last_modified: time::from_unix(1_702_830_057).unwrap(),
            kind: ObjectKind::Normal,
            sealed: None,
            meta: ObjectMeta::default(),
        }
    }

    #[test]
    fn conditions_follow_http() {
        let (same, before, after) = (
            "Sun, 17 Dec 2023 16:20:57 GMT",
            "Sun, 17 Dec 2023 16:20:56 GMT",
            "Sun, 17 Dec 2023 16:20:58 GMT",
        );
        for (conditions, status) in [
            (vec![], 0),
            (vec![("if_match", "\"AB\"")], 0),
            (vec![("if_match", "AB")], 0),
            (vec![("if_match", "*")], 0),
            (vec![("if_match", "\"CD\"")], 412),
            (vec![("if_none_match", "\"CD\", \"AB\"")], 304),
            (vec![("if_none_match", "\"CD\"")], 0),
            (vec![("if_modified_since", same)], 304),
            (vec![("if_modified_since", before)], 0),
            (vec![("if_unmodified_since", same)], 0),
            (vec![("if_unmodified_since", before)], 412),
            (vec![("if_unmodified_since", "nonsense")], 0),
            (vec![("if_match", "AB"), ("if_unmodified_since", before)], 0),
            (vec![("if_none_match", "CD"), ("if_modified_since", after)], 0),
            (vec![("if_match", "CD"), ("if_none_match", "AB")], 412),
        ] {
            let input = conditions
                .iter()
                .fold(Record::new(), |input, (name, value)| input.with(name, *value));
            let found = check(&input, &info()).map_or_else(|error| error.status, |()| 0);
            assert_eq!(found, status, "{conditions:?}");
        }
    }
}
