//! Reads back everything that a writer owns, by reads and by lists, and compares what the two tell.

use std::collections::BTreeMap;

use futures_util::StreamExt as _;
use md5::{Digest as _, Md5};
use oss_sdk::tables::{GetTableMetadataLocationRequest, ListTablesRequest};
use oss_sdk::types::ObjectType;
use oss_sdk::vectors::ListVectorsRequest;
use oss_sdk::{
    Error, GetBucketAclRequest, GetBucketCorsRequest, GetBucketLifecycleRequest, GetBucketPolicyRequest,
    GetBucketTagsRequest, GetObjectRequest, GetObjectTaggingRequest, GetSymlinkRequest, ListMultipartUploadsRequest,
    ListObjectVersionsRequest, ListObjectsV2Request, ListPartsRequest,
};

use super::clients::{Clients, PLAIN, VECTORS, VERSIONED, index, made_bucket, namespace, settings_bucket};
use super::state::{Content, Object, State, Upload, Version};

/// The tag that objects and buckets have.
pub(super) const TAG: &str = "mark";
pub(super) const LINK: &str = "link";

pub(super) fn versioned_key(writer: u64) -> String {
    format!("{writer}/versions")
}

/// Not among the objects, which begin with `<writer>/`.
pub(super) fn link_key(writer: u64) -> String {
    format!("links/{writer}")
}

pub(super) fn vector_setting(key: &str) -> String {
    format!("vector {key}")
}

pub(super) fn table_setting(name: &str) -> String {
    format!("table {name}")
}

pub(super) fn content_type(mark: &str) -> String {
    format!("application/x-{mark}")
}

pub(super) async fn observe(clients: &Clients, writer: u64) -> Result<State, String> {
    let mut settings = BTreeMap::new();
    bucket_settings(clients, writer, &mut settings).await?;
    vectors(clients, writer, &mut settings).await?;
    tables(clients, writer, &mut settings).await?;
    Ok(State {
        objects: objects(clients, writer).await?,
        versions: versions(clients, writer).await?,
        uploads: uploads(clients, writer).await?,
        settings,
    })
}

async fn objects(clients: &Clients, writer: u64) -> Result<BTreeMap<String, Object>, String> {
    let request = ListObjectsV2Request::new(PLAIN)
        .prefix(format!("{writer}/"))
        .max_keys(1000);
    let page = clients.objects.list_objects_v2(request).await;
    let page = page.map_err(|error| format!("the list of objects: {error}"))?;
    let mut objects = BTreeMap::new();
    for listed in page.contents {
        let key = listed.key;
        let object = read(clients, GetObjectRequest::new(PLAIN, &key)).await?;
        if i64::try_from(object.content.length) != Ok(listed.size) {
            return Err(format!("{key} is listed with {} bytes: {object:?}", listed.size));
        }
        objects.insert(key, object);
    }
    Ok(objects)
}

/// An object with all that tells whether it is whole. The client compares the CRC-64 of its head with the bytes.
async fn read(clients: &Clients, request: GetObjectRequest) -> Result<Object, String> {
    let (bucket, key, version) = (request.bucket.clone(), request.key.clone(), request.version_id.clone());
    let failed = |error: Error| format!("{key} {version:?}: {error}");
    let object = clients.objects.get_object(request).await.map_err(failed)?;
    let mark = object.metadata.get("mark").cloned().unwrap_or_default();
    if object.content_type.as_deref() != Some(&content_type(&mark)) {
        return Err(format!("{key} is marked {mark} and of type {:?}", object.content_type));
    }
    if object.hash_crc64.is_none() {
        return Err(format!("{key} has no CRC-64"));
    }
    let mut body = object.body;
    let (mut digest, mut length) = (Md5::new(), 0);
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(failed)?;
        length += chunk.len() as u64;
        digest.update(&chunk);
    }
    let content = Content::found(length, digest.finalize().into());
    // The ETag of what was put together from parts has a hyphen; a copy of it keeps that.
    let etag = object.etag.unwrap_or_default();
    let normal = object.object_type == Some(ObjectType::Normal) && !etag.contains('-');
    if normal && etag.trim_matches('"') != content.etag() {
        return Err(format!("{key} has the ETag {etag}: {content:?}"));
    }
    let mut tag = None;
    if object.tagging_count.unwrap_or_default() > 0 {
        let request = GetObjectTaggingRequest::new(bucket, &key);
        let tags = clients.objects.get_object_tagging(request).await.map_err(failed)?;
        tag = tags.tag_set.tags.into_iter().next().map(|tag| tag.value);
    }
    Ok(Object { content, mark, tag })
}

async fn versions(clients: &Clients, writer: u64) -> Result<Vec<Version>, String> {
    let key = versioned_key(writer);
    let request = ListObjectVersionsRequest::new(VERSIONED).prefix(&key).max_keys(1000);
    let page = clients.objects.list_object_versions(request).await;
    let page = page.map_err(|error| format!("the list of versions: {error}"))?;
    let mut found = Vec::new();
    for listed in page.version {
        let request = GetObjectRequest::new(VERSIONED, &key).version_id(&listed.version_id);
        let object = read(clients, request).await?;
        found.push((listed.version_id, listed.is_latest, Some(object)));
    }
    for marker in page.delete_marker {
        found.push((marker.version_id, marker.is_latest, None));
    }
    // The two lists are one, in the order of the ids, which grow with time.
    found.sort_by(|one, other| other.0.cmp(&one.0));
    let latest: Vec<bool> = found.iter().map(|(_, latest, _)| *latest).collect();
    if latest.iter().enumerate().any(|(at, latest)| *latest != (at == 0)) {
        return Err(format!("the latest of {key} is not the newest: {latest:?}"));
    }
    let latest = clients.objects.get_object(GetObjectRequest::new(VERSIONED, &key)).await;
    let there = match &latest {
        Ok(_) => true,
        Err(error) if error.is_no_such_object() => false,
        Err(error) => return Err(format!("{key}: {error}")),
    };
    if there != found.first().is_some_and(|(_, _, object)| object.is_some()) {
        return Err(format!("{key} is there: {there}, and its versions are {found:?}"));
    }
    let versions = found.into_iter().map(|(id, _, object)| Version { id, object });
    Ok(versions.collect())
}

async fn uploads(clients: &Clients, writer: u64) -> Result<BTreeMap<String, Upload>, String> {
    let request = ListMultipartUploadsRequest::new(PLAIN).prefix(format!("{writer}/"));
    let page = clients.objects.list_multipart_uploads(request).await;
    let page = page.map_err(|error| format!("the list of uploads: {error}"))?;
    let mut uploads = BTreeMap::new();
    for listed in page.uploads {
        let request = ListPartsRequest::new(PLAIN, &listed.key, &listed.upload_id);
        let parts = clients.objects.list_parts(request).await;
        let parts = parts.map_err(|error| format!("the parts of {}: {error}", listed.key))?;
        let mut upload = Upload {
            key: listed.key,
            ..Upload::default()
        };
        for part in parts.parts {
            let md5 = md5(&part.etag).ok_or_else(|| format!("a part has the ETag {}", part.etag))?;
            let length = u64::try_from(part.size).unwrap_or_default();
            upload.parts.insert(part.part_number, Content::found(length, md5));
        }
        uploads.insert(listed.upload_id, upload);
    }
    Ok(uploads)
}

fn md5(etag: &str) -> Option<[u8; 16]> {
    let number = u128::from_str_radix(etag.trim_matches('"'), 16).ok()?;
    Some(number.to_be_bytes())
}

async fn bucket_settings(
    clients: &Clients,
    writer: u64,
    settings: &mut BTreeMap<String, String>,
) -> Result<(), String> {
    let (client, bucket) = (&clients.objects, settings_bucket(writer));
    let mut found = |name: &str, value: Result<Option<String>, Error>| {
        match value {
            Ok(Some(value)) => {
                settings.insert(name.to_owned(), value);
            }
            Ok(None) => {}
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(format!("{name}: {error}")),
        }
        Ok(())
    };
    let lifecycle = client
        .get_bucket_lifecycle(GetBucketLifecycleRequest::new(&bucket))
        .await;
    found(
        "lifecycle",
        lifecycle.map(|got| got.lifecycle_configuration.rules.into_iter().next()?.prefix),
    )?;
    let cors = client.get_bucket_cors(GetBucketCorsRequest::new(&bucket)).await;
    found(
        "cors",
        cors.map(|got| {
            let rule = got.cors_configuration.cors_rules.into_iter().next()?;
            rule.allowed_origins.into_iter().next()
        }),
    )?;
    let policy = client.get_bucket_policy(GetBucketPolicyRequest::new(&bucket)).await;
    found("policy", policy.map(|got| Some(got.body)))?;
    let tags = client.get_bucket_tags(GetBucketTagsRequest::new(&bucket)).await;
    found(
        "tags",
        tags.map(|got| got.tagging.tag_set.tags.into_iter().next().map(|tag| tag.value)),
    )?;
    let acl = client.get_bucket_acl(GetBucketAclRequest::new(&bucket)).await;
    let acl = acl.map(|got| got.acl.as_str().to_owned());
    found("acl", acl.map(|acl| (acl != "private").then_some(acl)))?;
    let made = client
        .get_bucket_acl(GetBucketAclRequest::new(made_bucket(writer)))
        .await;
    found("made", made.map(|got| Some(got.acl.as_str().to_owned())))?;
    let link = client
        .get_symlink(GetSymlinkRequest::new(PLAIN, link_key(writer)))
        .await;
    found(LINK, link.map(|got| Some(got.target)))
}

async fn vectors(clients: &Clients, writer: u64, settings: &mut BTreeMap<String, String>) -> Result<(), String> {
    let request = ListVectorsRequest::new(VECTORS, index(writer)).return_data(true);
    let list = clients.vectors.list_vectors(request).await;
    let list = list.map_err(|error| format!("the list of vectors: {error}"))?;
    for vector in list.vectors {
        let data = vector.data.map(|data| data.float32).unwrap_or_default();
        match data[..] {
            [value, 1.0] => settings.insert(vector_setting(&vector.key), value.to_string()),
            _ => return Err(format!("the vector {} is {data:?}", vector.key)),
        };
    }
    Ok(())
}

async fn tables(clients: &Clients, writer: u64, settings: &mut BTreeMap<String, String>) -> Result<(), String> {
    let failed = |error: Error| format!("tables: {error}");
    let request = ListTablesRequest::new(&clients.lake).namespace(namespace(writer));
    let list = clients.tables.list_tables(request).await.map_err(failed)?;
    for table in list.tables {
        let request = GetTableMetadataLocationRequest::new(&clients.lake, namespace(writer), &table.name);
        let location = clients.tables.get_table_metadata_location(request).await;
        let location = location.map_err(failed)?.metadata_location;
        settings.insert(table_setting(&table.name), location.unwrap_or_default());
    }
    Ok(())
}
