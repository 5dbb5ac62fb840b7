//! Multipart uploads: parts come in any order and become an object without being read again.

use std::ops::{Bound, Range};
use std::sync::Arc;

use futures_util::TryStreamExt;
use md5::{Digest, Md5};

use super::blob::Content;
use super::commit::Scope;
use super::id::hex;
use super::index::{BucketIndex, Part, Record, Upload};
use super::objects::NewObject;
use super::types::{
    CompleteOptions, CompleteParts, ListQuery, ObjectInfo, ObjectKind, ObjectMeta, Page, PartInfo, PartPage,
    PutOptions, UploadInfo,
};
use super::{Guard, Object, Result, Staged, Store, StoreError, crc, list};

/// The highest part number.
pub(crate) const MAX_PART_NUMBER: u32 = 10_000;
/// The least size of a part that is not the last one, in bytes.
pub(crate) const MIN_PART_SIZE: u64 = 100 * 1024;
/// What an upload whose parts come in order has among the rest of its metadata.
pub(crate) const SEQUENTIAL: &str = "sequential";
/// The greatest size of an object: 10,000 parts of 5 GiB, which is 48.8 TiB.
const MAX_OBJECT: u64 = MAX_PART_NUMBER as u64 * 5 * 1024 * 1024 * 1024;

impl Store {
    /// Begins an upload and keeps what the object will say about itself.
    pub(crate) async fn initiate_upload(&self, bucket: &str, key: &str, meta: ObjectMeta) -> Result<UploadInfo> {
        let bucket = self.bucket_handle(bucket)?;
        let key = key.to_owned();
        self.commit(bucket, Scope::Key(key.clone()), move |_, inner| {
            let info = UploadInfo {
                key,
                upload_id: inner.new_id(),
                initiated: inner.now(),
                meta,
            };
            let record = Record::Upload {
                key: info.key.clone(),
                upload_id: info.upload_id.clone(),
                initiated: info.initiated,
                meta: Box::new(info.meta.clone()),
            };
            Ok((Some(record), info))
        })
        .await
    }

    /// An unfinished upload.
    pub(crate) fn upload(&self, bucket: &str, key: &str, upload_id: &str) -> Result<UploadInfo> {
        let bucket = self.bucket_handle(bucket)?;
        let index = bucket.read();
        Ok(index.upload(key, upload_id)?.info(key, upload_id))
    }

    /// Stores a part, replacing the one of this number.
    pub(crate) async fn put_part(
        &self,
        bucket: &str,
        key: &str,
        upload_id: &str,
        number: u32,
        content: Staged,
        guard: Guard,
    ) -> Result<PartInfo> {
        let bucket = self.bucket_handle(bucket)?;
        check_number(number)?;
        let key = key.to_owned();
        let upload_id = upload_id.to_owned();
        // Whether a part is in order depends on the other parts.
        let in_order = bucket.read().upload(&key, &upload_id).is_ok_and(is_sequential);
        let scope = match in_order {
            true => Scope::Key(key.clone()),
            false => Scope::Part {
                key: key.clone(),
                upload_id: upload_id.clone(),
                number,
            },
        };
        self.commit(bucket, scope, move |index, inner| {
            check_sequence(index.upload(&key, &upload_id)?, number)?;
            let settled = guard.settle(&index.configs, inner.now())?;
            settled.check_room(index, content.size())?;
            let part = Part {
                size: content.size(),
                md5: content.md5(),
                crc64: content.crc64(),
                last_modified: inner.now(),
                content: content.content,
            };
            let info = part_info(number, &part);
            let record = Record::Part {
                key,
                upload_id,
                number,
                part,
            };
            Ok((Some(record), info))
        })
        .await
    }

    /// Stores a range of an object (`None`: all of it) as a part. Bytes are read once, in bounded
    /// memory.
    #[expect(clippy::too_many_arguments, reason = "what names a part, and what it is under")]
    pub(crate) async fn copy_part(
        &self,
        source: &Object,
        range: Option<Range<u64>>,
        bucket: &str,
        key: &str,
        upload_id: &str,
        number: u32,
        guard: Guard,
    ) -> Result<PartInfo> {
        // Copying much and refusing then would be a waste; `put_part` checks again.
        check_number(number)?;
        self.upload(bucket, key, upload_id)?;
        let mut bytes = match range {
            Some(range) => source.read(range)?,
            None => source.read_all(),
        };
        let mut writer = self.writer();
        while let Some(chunk) = bytes.try_next().await? {
            writer.write(chunk).await?;
        }
        let staged = writer.finish().await?;
        self.put_part(bucket, key, upload_id, number, staged, guard).await
    }

    /// Parts after the number `marker`, at most `max`.
    pub(crate) fn list_parts(
        &self,
        bucket: &str,
        key: &str,
        upload_id: &str,
        marker: u32,
        max: usize,
    ) -> Result<PartPage> {
        let bucket = self.bucket_handle(bucket)?;
        let index = bucket.read();
        let upload = index.upload(key, upload_id)?;
        let mut after = upload.parts.range((Bound::Excluded(marker), Bound::Unbounded));
        let parts: Vec<_> = after
            .by_ref()
            .take(max)
            .map(|(number, part)| part_info(*number, part))
            .collect();
        let more = after.next().is_some();
        Ok(PartPage {
            upload: upload.info(key, upload_id),
            next_marker: parts.last().filter(|_| more).map(|last| last.number),
            parts,
        })
    }

    /// Publishes the object that the parts make and ends the upload; nothing changes on failure.
    pub(crate) async fn complete_upload(
        &self,
        bucket: &str,
        key: &str,
        upload_id: &str,
        options: CompleteOptions,
    ) -> Result<Arc<ObjectInfo>> {
        let bucket = self.bucket_handle(bucket)?;
        let key = key.to_owned();
        let upload_id = upload_id.to_owned();
        self.commit(bucket, Scope::Key(key.clone()), move |index, inner| {
            let object = assemble(index, key, &upload_id, options)?;
            let (record, info) = object.publish(index, inner, Some(upload_id))?;
            Ok((Some(record), info))
        })
        .await
    }

    /// Forgets an upload and its parts.
    pub(crate) async fn abort_upload(&self, bucket: &str, key: &str, upload_id: &str) -> Result<()> {
        let bucket = self.bucket_handle(bucket)?;
        let key = key.to_owned();
        let upload_id = upload_id.to_owned();
        self.commit(bucket, Scope::Key(key.clone()), move |index, _| {
            index.upload(&key, &upload_id)?;
            Ok((Some(Record::Abort { key, upload_id }), ()))
        })
        .await
    }

    /// Unfinished uploads: by key, then by upload id.
    pub(crate) fn list_uploads(&self, bucket: &str, query: &ListQuery) -> Result<Page<UploadInfo>> {
        let bucket = self.bucket_handle(bucket)?;
        let index = bucket.read();
        let within = (query.marker.clone(), String::new())..=(query.marker.clone(), query.id_marker.clone());
        let listed_before = index.uploads.range(within).count();
        let page = list::page(query, listed_before, |from| {
            let from = match from {
                Bound::Included(key) => Bound::Included((key.to_owned(), String::new())),
                // Ids are hexadecimal digits: no id of the key is greater.
                Bound::Excluded(key) => Bound::Excluded((key.to_owned(), char::MAX.to_string())),
                Bound::Unbounded => Bound::Unbounded,
            };
            index
                .uploads
                .range((from, Bound::Unbounded))
                .map(|(place, upload)| (place.0.as_str(), place.1.as_str(), (place, upload)))
        });
        Ok(page.map(|((key, upload_id), upload)| upload.info(key, upload_id)))
    }
}

fn check_number(number: u32) -> Result<()> {
    if (1..=MAX_PART_NUMBER).contains(&number) {
        Ok(())
    } else {
        Err(StoreError::InvalidPartNumber { number })
    }
}

fn is_sequential(upload: &Upload) -> bool {
    upload.meta.extra.contains_key(SEQUENTIAL)
}

/// A part of a sequential upload follows the one before, and none replaces another.
fn check_sequence(upload: &Upload, number: u32) -> Result<()> {
    if !is_sequential(upload) {
        return Ok(());
    }
    if let Some(part) = upload.parts.get(&number) {
        let etag = hex(&part.md5);
        return Err(StoreError::PartAlreadyExist { number, etag });
    }
    let next = upload.parts.last_key_value().map_or(1, |(last, _)| last + 1);
    match number == next {
        true => Ok(()),
        false => Err(StoreError::PartNotSequential { number }),
    }
}

fn part_info(number: u32, part: &Part) -> PartInfo {
    PartInfo {
        number,
        size: part.size,
        etag: hex(&part.md5),
        crc64: part.crc64,
        last_modified: part.last_modified,
    }
}

fn assemble(index: &BucketIndex, key: String, upload_id: &str, options: CompleteOptions) -> Result<NewObject> {
    let upload = index.upload(&key, upload_id)?;
    let parts = chosen_parts(upload, &options.parts)?;
    let Some(((_, _), all_but_last)) = parts.split_last() else {
        return Err(StoreError::InvalidPart { number: 0 });
    };
    if let Some((number, part)) = all_but_last.iter().find(|(_, p)| p.size < MIN_PART_SIZE) {
        return Err(StoreError::EntityTooSmall {
            number: *number,
            size: part.size,
        });
    }
    let mut content = Content::default();
    let mut digests = Md5::new();
    let (mut size, mut crc64) = (0_u64, 0);
    for (_, part) in &parts {
        content.extend(&part.content);
        digests.update(part.md5);
        crc64 = crc::combine(crc64, part.crc64, part.size);
        size = size.saturating_add(part.size);
    }
    if size > MAX_OBJECT {
        return Err(StoreError::EntityTooLarge { limit: MAX_OBJECT });
    }
    let mut meta = upload.meta.clone();
    meta.extra.remove(SEQUENTIAL);
    if let Some(acl) = options.acl {
        meta.acl = acl;
    }
    Ok(NewObject {
        key,
        kind: ObjectKind::Multipart,
        content,
        size,
        etag: format!("{}-{}", hex(&digests.finalize()), parts.len()),
        crc64,
        sealed: None,
        options: PutOptions {
            meta,
            forbid_overwrite: options.forbid_overwrite,
            guard: options.guard,
        },
    })
}

fn chosen_parts<'u>(upload: &'u Upload, wanted: &CompleteParts) -> Result<Vec<(u32, &'u Part)>> {
    let listed = match wanted {
        CompleteParts::All => return Ok(upload.parts.iter().map(|(n, part)| (*n, part)).collect()),
        CompleteParts::Listed(listed) => listed,
    };
    if !listed.is_sorted_by(|(before, _), (after, _)| before < after) {
        return Err(StoreError::InvalidPartOrder);
    }
    if is_sequential(upload)
        && let Some((_, (number, _))) = (1..).zip(listed).find(|(wanted, (number, _))| wanted != number)
    {
        return Err(StoreError::PartNotSequential { number: *number });
    }
    listed
        .iter()
        .map(|(number, etag)| {
            upload
                .parts
                .get(number)
                .filter(|part| etag.trim_matches('"').eq_ignore_ascii_case(&hex(&part.md5)))
                .map(|part| (*number, part))
                .ok_or(StoreError::InvalidPart { number: *number })
        })
        .collect()
}
