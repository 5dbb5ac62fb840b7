//! ListObjects, ListObjectsV2, ListObjectVersions and ListMultipartUploads.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Call, expiration, owner, quoted, restore};
use crate::answer::Answer;
use crate::error::ServiceError;
use crate::store::{ListQuery, ObjectInfo, VersionInfo};
use crate::time;
use crate::value::Record;

const DEFAULT_KEYS: i64 = 100;
const DEFAULT_UPLOADS: i64 = 1000;

pub(super) fn objects(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let query = query(call, "marker", "", "max_keys", DEFAULT_KEYS);
    let page = call.store().list_objects(call.bucket()?, &query)?;
    let account = call.bucket_info()?.meta.owner;
    let contents = page
        .entries
        .iter()
        .map(|info| contents(call, info).with("owner", owner(&account)));
    let values = common(call, &query, "max_keys")
        .with("name", call.bucket()?)
        .with("marker", &query.marker)
        .with("is_truncated", page.truncated)
        .with_some("next_marker", page.next_marker)
        .with("contents", contents.collect::<Vec<_>>())
        .with("common_prefixes", common_prefixes(&page.common_prefixes));
    Ok(Answer::ok(values).url_encoded(call.url_encoded()))
}

pub(super) fn objects_v2(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let mut query = query(call, "start_after", "", "max_keys", DEFAULT_KEYS);
    let token = call.input.text("continuation_token").filter(|token| !token.is_empty());
    if let Some(token) = token {
        query.marker = read_token(token)?;
    }
    let page = call.store().list_objects(call.bucket()?, &query)?;
    let account = call
        .input
        .flag("fetch_owner")
        .then(|| call.bucket_info().map(|info| info.meta.owner))
        .transpose()?;
    let contents: Vec<_> = page
        .entries
        .iter()
        .map(|info| contents(call, info).with_some("owner", account.as_deref().map(owner)))
        .collect();
    let values = common(call, &query, "max_keys")
        .with("name", call.bucket()?)
        .with_some("start_after", call.input.text("start_after"))
        .with_some("continuation_token", token)
        .with("is_truncated", page.truncated)
        .with_some("next_continuation_token", page.next_marker.as_deref().map(write_token))
        .with("key_count", contents.len() + page.common_prefixes.len())
        .with("contents", contents)
        .with("common_prefixes", common_prefixes(&page.common_prefixes));
    Ok(Answer::ok(values).url_encoded(call.url_encoded()))
}

pub(super) fn versions(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let query = query(call, "key_marker", "version_id_marker", "max_keys", DEFAULT_KEYS);
    if query.marker.is_empty() && !query.id_marker.is_empty() {
        return Err(ServiceError::invalid_argument(
            "A version-id marker cannot be specified without a key marker.",
            "version-id-marker",
            &query.id_marker,
        ));
    }
    let page = call.store().list_versions(call.bucket()?, &query)?;
    let account = owner(&call.bucket_info()?.meta.owner);
    let (mut versions, mut markers) = (Vec::new(), Vec::new());
    let order = page.entries.iter().map(|entry| match &entry.version {
        VersionInfo::Object(_) => "version",
        VersionInfo::DeleteMarker { .. } => "delete_marker",
    });
    let order = order.collect();
    for entry in &page.entries {
        match &entry.version {
            VersionInfo::Object(info) => versions.push(
                contents(call, info)
                    .with("version_id", &info.version_id)
                    .with("is_latest", entry.is_latest)
                    .with("owner", account.clone()),
            ),
            VersionInfo::DeleteMarker {
                key,
                version_id,
                last_modified,
            } => markers.push(
                Record::new()
                    .with("key", key)
                    .with("version_id", version_id)
                    .with("is_latest", entry.is_latest)
                    .with("last_modified", *last_modified)
                    .with("owner", account.clone()),
            ),
        }
    }
    let values = common(call, &query, "max_keys")
        .with("name", call.bucket()?)
        .with("key_marker", &query.marker)
        .with("version_id_marker", &query.id_marker)
        .with("is_truncated", page.truncated)
        .with_some("next_key_marker", page.next_marker)
        .with_some("next_version_id_marker", page.next_id_marker)
        .with("version", versions)
        .with("delete_marker", markers)
        .with("common_prefixes", common_prefixes(&page.common_prefixes));
    Ok(Answer::ok(values).mixed(order).url_encoded(call.url_encoded()))
}

pub(super) fn uploads(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let mut query = query(call, "key_marker", "upload_id_marker", "max_uploads", DEFAULT_UPLOADS);
    let upload_id_marker = query.id_marker.clone();
    if query.marker.is_empty() {
        // Without a key the id marker has no meaning and is ignored.
        query.id_marker.clear();
    }
    let page = call.store().list_uploads(call.bucket()?, &query)?;
    let bucket_class = call.bucket_info()?.meta.storage_class;
    let class_of = |class: &str| match class {
        "" => bucket_class.clone(),
        class => class.to_owned(),
    };
    let uploads = page.entries.iter().map(|upload| {
        Record::new()
            .with("key", &upload.key)
            .with("upload_id", &upload.upload_id)
            .with("storage_class", class_of(&upload.meta.storage_class))
            .with("initiated", upload.initiated)
    });
    let values = common(call, &query, "max_uploads")
        .with("bucket", call.bucket()?)
        .with("key_marker", &query.marker)
        .with("upload_id_marker", upload_id_marker)
        .with("is_truncated", page.truncated)
        // Empty at the end, but always there, which the first Python SDK relies on.
        .with("next_key_marker", page.next_marker.unwrap_or_default())
        .with("next_upload_id_marker", page.next_id_marker.unwrap_or_default())
        .with("uploads", uploads.collect::<Vec<_>>())
        .with("common_prefixes", common_prefixes(&page.common_prefixes));
    Ok(Answer::ok(values).url_encoded(call.url_encoded()))
}

fn query(call: &Call<'_>, marker: &str, id_marker: &str, limit: &str, default: i64) -> ListQuery {
    let input = &call.input;
    ListQuery {
        prefix: input.text_or_empty("prefix").to_owned(),
        delimiter: input.text_or_empty("delimiter").to_owned(),
        marker: input.text_or_empty(marker).to_owned(),
        id_marker: input.text_or_empty(id_marker).to_owned(),
        max: usize::try_from(input.integer(limit).unwrap_or(default)).unwrap_or_default(),
    }
}

/// What every listing repeats of its request.
fn common(call: &Call<'_>, query: &ListQuery, limit: &str) -> Record {
    Record::new()
        .with("prefix", &query.prefix)
        .with("delimiter", &query.delimiter)
        .with(limit, query.max)
        .with_some("encoding_type", call.url_encoded().then_some("url"))
}

fn contents(call: &Call<'_>, info: &ObjectInfo) -> Record {
    Record::new()
        .with("key", &info.key)
        .with("object_type", info.kind.as_str())
        .with("size", info.size)
        .with("etag", quoted(&info.etag))
        .with("last_modified", info.last_modified)
        .with("storage_class", &info.meta.storage_class)
        .with_some("restore_info", restore::shown(info, call.now))
        .with_some(
            "transition_time",
            expiration::transition(info).and_then(time::parse_http_date),
        )
}

fn common_prefixes(prefixes: &[String]) -> Vec<Record> {
    prefixes
        .iter()
        .map(|prefix| Record::new().with("prefix", prefix))
        .collect()
}

/// Tokens are opaque to clients, so they are not simply the key.
fn write_token(marker: &str) -> String {
    URL_SAFE_NO_PAD.encode(marker)
}

fn read_token(token: &str) -> Result<String, ServiceError> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| {
        ServiceError::invalid_argument(
            "The continuation token is not one of ours.",
            "continuation-token",
            token,
        )
    })
}
