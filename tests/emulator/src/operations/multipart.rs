//! Multipart uploads: begin, parts, list, complete, abort. Parts that are copied are in `copy`.

use super::{Call, encryption, meta, quoted, retention, web, write};
use crate::answer::Answer;
use crate::callback::Callback;
use crate::error::ServiceError;
use crate::store::{CompleteOptions, CompleteParts, SEQUENTIAL, StoreError};
use crate::value::Record;

const DEFAULT_PARTS: i64 = 1000;
/// What the encryption clients of the SDKs keep in metadata, and what ListParts calls it.
const CLIENT_ENCRYPTION: &[(&str, &str)] = &[
    ("client-side-encryption-key", "client_encryption_key"),
    ("client-side-encryption-start", "client_encryption_start"),
    ("client-side-encryption-cek-alg", "client_encryption_cek_alg"),
    ("client-side-encryption-wrap-alg", "client_encryption_wrap_alg"),
];

pub(super) async fn initiate(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let (bucket, key) = (call.bucket()?, call.key()?);
    let mut written = meta::of(call)?;
    if call.head.query.has("sequential") {
        written.extra.insert(SEQUENTIAL.to_owned(), String::new());
    }
    if retention::forbids_overwrite(call, bucket, key)?
        && call.shown_versions_off()?
        && call.store().object(bucket, key, None).is_ok()
    {
        return Err(StoreError::FileAlreadyExists.into());
    }
    let upload = call.store().initiate_upload(bucket, key, written).await?;
    let values = Record::new()
        .with("bucket", bucket)
        .with("key", key)
        .with("upload_id", &upload.upload_id)
        .with_some("encoding_type", call.url_encoded().then_some("url"));
    Ok(encryption::headers(
        &upload.meta,
        Answer::ok(values).url_encoded(call.url_encoded()),
    ))
}

pub(super) async fn part(mut call: Call<'_>) -> Result<Answer, ServiceError> {
    let number = call
        .input
        .integer("part_number")
        .and_then(|number| u32::try_from(number).ok())
        .unwrap_or_default();
    let upload_id = call.input.text_or_empty("upload_id").to_owned();
    let upload = call.store().upload(call.bucket()?, call.key()?, &upload_id)?;
    let content = write::stage(&mut call).await?;
    let md5 = crate::text::base64(&content.md5());
    let part = call
        .store()
        .put_part(
            call.bucket()?,
            call.key()?,
            &upload_id,
            number,
            content,
            retention::guard(&call),
        )
        .await?;
    let values = Record::new()
        .with("etag", quoted(&part.etag))
        .with("content_md5", md5)
        .with("hash_crc64", part.crc64.to_string());
    Ok(encryption::headers(&upload.meta, Answer::ok(call.modelled(values))))
}

pub(super) async fn complete(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let callback = Callback::of(call.head)?;
    let (bucket, key) = (call.bucket()?, call.key()?);
    let document = call.input.record("complete_multipart_upload");
    let parts = match (call.input.text("complete_all"), document) {
        (Some(_), Some(_)) => {
            return Err(ServiceError::invalid_argument(
                "A list of parts cannot be given together with x-oss-complete-all.",
                "x-oss-complete-all",
                "yes",
            ));
        }
        (Some(_), None) => CompleteParts::All,
        (None, None) => return Err(ServiceError::malformed_xml("the list of parts is missing")),
        (None, Some(document)) => {
            let part = |part: &Record| {
                let number = part
                    .integer("part_number")
                    .and_then(|number| u32::try_from(number).ok())
                    .unwrap_or_default();
                (number, part.text_or_empty("etag").to_owned())
            };
            CompleteParts::Listed(document.records("parts").map(part).collect())
        }
    };
    let acl = call.input.has("acl").then(|| meta::acl(&call.input));
    let options = CompleteOptions {
        parts,
        forbid_overwrite: call.input.flag("forbid_overwrite"),
        guard: retention::guard_of(call, Some(key)),
        acl,
    };
    let info = call
        .store()
        .complete_upload(bucket, key, call.input.text_or_empty("upload_id"), options)
        .await?;
    let location = format!("http://{}{}", call.head.host, call.head.path);
    let values = Record::new()
        .with("location", location)
        .with("bucket", bucket)
        .with("key", key)
        .with("etag", quoted(&info.etag))
        .with("hash_crc64", info.crc64.to_string())
        .with_some("version_id", call.shown_version(&info)?)
        .with_some("encoding_type", call.url_encoded().then_some("url"));
    // In the header, too: clients read it there.
    let answer = Answer::ok(call.modelled(values))
        .header("etag", quoted(&info.etag))
        .url_encoded(call.url_encoded());
    let answer = encryption::headers(&info.meta, answer);
    web::call_back(call, callback.as_ref(), &info, answer).await
}

pub(super) async fn abort(call: &Call<'_>) -> Result<Answer, ServiceError> {
    call.store()
        .abort_upload(call.bucket()?, call.key()?, call.input.text_or_empty("upload_id"))
        .await?;
    Ok(Answer::no_content(Record::new()))
}

pub(super) fn parts(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let (bucket, key) = (call.bucket()?, call.key()?);
    let marker = call.input.integer("part_number_marker").unwrap_or_default();
    let marker = u32::try_from(marker).map_err(|_| {
        ServiceError::invalid_argument(
            "The part number marker is not a number of a part.",
            "part-number-marker",
            &marker.to_string(),
        )
    })?;
    let max = usize::try_from(call.input.integer("max_parts").unwrap_or(DEFAULT_PARTS)).unwrap_or_default();
    let upload_id = call.input.text_or_empty("upload_id");
    let page = call.store().list_parts(bucket, key, upload_id, marker, max)?;
    let parts = page.parts.iter().map(|part| {
        Record::new()
            .with("part_number", part.number)
            .with("size", part.size)
            .with("etag", quoted(&part.etag))
            .with("last_modified", part.last_modified)
            .with("hash_crc64", part.crc64.to_string())
    });
    let mut values = Record::new()
        .with("bucket", bucket)
        .with("key", key)
        .with("upload_id", upload_id)
        .with("part_number_marker", marker)
        .with(
            "next_part_number_marker",
            page.next_marker
                .or_else(|| page.parts.last().map(|part| part.number))
                .unwrap_or_default(),
        )
        .with("max_parts", max)
        .with("is_truncated", page.next_marker.is_some())
        .with("storage_class", call.class_of(&page.upload.meta.storage_class)?)
        .with("parts", parts.collect::<Vec<_>>())
        .with_some("encoding_type", call.url_encoded().then_some("url"));
    let user = &page.upload.meta.user;
    for (stored, member) in CLIENT_ENCRYPTION {
        if let Some(value) = user.get(*stored) {
            values.set(member, value);
        }
    }
    for (stored, member) in [
        ("client-side-encryption-data-size", "client_encryption_data_size"),
        ("client-side-encryption-part-size", "client_encryption_part_size"),
    ] {
        if let Some(size) = user.get(stored).and_then(|value| value.parse::<i64>().ok()) {
            values.set(member, size);
        }
    }
    Ok(Answer::ok(call.modelled(values)).url_encoded(call.url_encoded()))
}

impl Call<'_> {
    fn shown_versions_off(&self) -> Result<bool, ServiceError> {
        Ok(self.bucket_info()?.meta.versioning == crate::store::Versioning::Unversioned)
    }

    /// A storage class, or the bucket's where none was given.
    fn class_of(&self, class: &str) -> Result<String, ServiceError> {
        match class {
            "" => Ok(self.bucket_info()?.meta.storage_class),
            class => Ok(class.to_owned()),
        }
    }
}
