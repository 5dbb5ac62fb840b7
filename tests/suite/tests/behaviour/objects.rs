//! What a user does with objects, through the typed client and against the emulator.

use oss_sdk::types::{
    CompleteMultipartUpload, Delete, ObjectIdentifier, Tag, TagSet, Tagging, VersioningConfiguration,
};
use oss_sdk::{
    AppendObjectRequest, CompleteMultipartUploadRequest, CopyObjectRequest, DeleteMultipleObjectsRequest,
    DeleteObjectRequest, ErrorKind, GetObjectMetaRequest, GetObjectRequest, GetObjectTaggingRequest, GetSymlinkRequest,
    HeadObjectRequest, InitiateMultipartUploadRequest, ListMultipartUploadsRequest, ListObjectVersionsRequest,
    ListObjectsRequest, ListObjectsV2Request, ListPartsRequest, PutBucketVersioningRequest, PutObjectAclRequest,
    PutObjectRequest, PutObjectTaggingRequest, PutSymlinkRequest, UploadPartCopyRequest, UploadPartRequest,
};
use oss_suite::random::Random;

use super::door::{BUCKET, Client, Fixture, Go, Listing, Payload, builder, exists};

/// Keys that have been damaged on their way by one client or another.
const ODD_KEYS: [&str; 16] = [
    "plain.txt",
    "with space",
    "a+b",
    "100%",
    "%2F",
    "ümläut/日本語/🦀",
    "quote\"s'n<tags>&amp;",
    "double//slashes//",
    "trailing/",
    "tab\tand\nline",
    "bell\u{7}",
    "query?x=1&y=2#fragment",
    "back\\slash",
    "up/../and/./down",
    "..",
    "ends/..",
];

async fn put(client: &Client, key: &str, body: &'static str) {
    client
        .put_object(PutObjectRequest::new(BUCKET, key).body(body))
        .go()
        .await
        .unwrap();
}

async fn text(client: &Client, key: &str) -> String {
    client
        .get_object(GetObjectRequest::new(BUCKET, key))
        .go()
        .await
        .unwrap()
        .body
        .read_text()
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn odd_keys_survive_put_get_list_and_delete() {
    let Fixture { client, .. } = &Fixture::start().await;
    for key in ODD_KEYS {
        client
            .put_object(PutObjectRequest::new(BUCKET, key).body(key))
            .go()
            .await
            .unwrap_or_else(|error| panic!("{key:?}: {error}"));
        assert_eq!(text(client, key).await, key);
    }
    let mut sorted = ODD_KEYS.map(str::to_owned);
    sorted.sort();

    let mut listed = Vec::new();
    let mut items = client
        .list_objects_v2(ListObjectsV2Request::new(BUCKET).max_keys(3))
        .items();
    while let Some(object) = items.following().await.unwrap() {
        assert_eq!(object.size, object.key.len() as i64);
        listed.push(object.key);
    }
    assert_eq!(listed, sorted);

    let mut listed = Vec::new();
    let mut items = client.list_objects(ListObjectsRequest::new(BUCKET).max_keys(4)).items();
    while let Some(object) = items.following().await.unwrap() {
        listed.push(object.key);
    }
    assert_eq!(listed, sorted);

    let delete = Delete::new(ODD_KEYS.map(ObjectIdentifier::new));
    let deleted = client
        .delete_multiple_objects(DeleteMultipleObjectsRequest::new(BUCKET, delete))
        .go()
        .await
        .unwrap();
    let mut names: Vec<String> = deleted.deleted_objects.into_iter().map(|object| object.key).collect();
    names.sort();
    assert_eq!(names, sorted);
    assert!(
        client
            .list_objects_v2(ListObjectsV2Request::new(BUCKET))
            .go()
            .await
            .unwrap()
            .contents
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_leading_slash_reaches_the_service_which_refuses_it() {
    let Fixture { client, emulator } = &Fixture::start().await;
    for (key, target) in [
        ("/leading", "/suite//leading"),
        ("//two", "/suite///two"),
        ("\\back", "/suite/%5Cback"),
    ] {
        let request = PutObjectRequest::new(BUCKET, key).body("x");
        let error = client.put_object(request).go().await.unwrap_err();
        assert_eq!(error.code(), Some("InvalidObjectName"), "{key}: {error}");
        assert_eq!(emulator.requests().all().last().unwrap().target, target);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn headers_and_metadata_come_back() {
    let Fixture { client, .. } = &Fixture::start().await;
    let put = client
        .put_object(
            PutObjectRequest::new(BUCKET, "page.html")
                .body("<p>hi</p>")
                .metadata([("Author", "me"), ("purpose", "test")])
                .cache_control("no-cache")
                .content_disposition("attachment"),
        )
        .go()
        .await
        .unwrap();
    assert_eq!(put.status(), 200);
    assert_eq!(put.request_id().len(), 24);
    let head = client
        .head_object(HeadObjectRequest::new(BUCKET, "page.html"))
        .go()
        .await
        .unwrap();
    assert_eq!(head.content_type.as_deref(), Some("text/html"), "derived from the key");
    assert_eq!(head.cache_control.as_deref(), Some("no-cache"));
    assert_eq!(head.metadata["author"], "me", "names come back in lower case");
    assert_eq!(head.content_length, 9);
    let meta = client
        .get_object_meta(GetObjectMetaRequest::new(BUCKET, "page.html"))
        .go()
        .await
        .unwrap();
    assert_eq!(meta.content_length, 9);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_range_is_read_and_a_missing_object_is_not_found() {
    let Fixture { client, .. } = &Fixture::start().await;
    put(client, "digits", "0123456789").await;
    let part = client
        .get_object(GetObjectRequest::new(BUCKET, "digits").range_header("bytes=2-4"))
        .go()
        .await
        .unwrap();
    assert_eq!(part.status(), 206);
    assert_eq!(part.content_range.as_deref(), Some("bytes 2-4/10"));
    assert_eq!(part.body.read_text().await.unwrap(), "234");
    let error = client
        .get_object(GetObjectRequest::new(BUCKET, "absent"))
        .go()
        .await
        .unwrap_err();
    assert!(error.is_not_found());
    assert_eq!((error.kind(), error.code()), (ErrorKind::Service, Some("NoSuchKey")));
    assert!(error.ec().is_some() && error.request_id().is_some(), "{error}");
    // An answer to HEAD has no body: the code comes from a header.
    let error = client
        .head_object(HeadObjectRequest::new(BUCKET, "absent"))
        .go()
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("NoSuchKey"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_payload_is_sent_on_as_it_comes() {
    let Fixture { client, .. } = &Fixture::start().await;
    let content = Random::new(11).bytes(3_000_000);
    let put = PutObjectRequest::new(BUCKET, "from").body(content.clone());
    client.put_object(put).go().await.unwrap();
    let from = client
        .get_object(GetObjectRequest::new(BUCKET, "from"))
        .go()
        .await
        .unwrap();
    let put = PutObjectRequest::new(BUCKET, "to").body(from.body);
    client.put_object(put).go().await.unwrap();
    let to = client
        .get_object(GetObjectRequest::new(BUCKET, "to"))
        .go()
        .await
        .unwrap();
    assert!(to.body.read().await.unwrap() == content);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn conditions_are_kept() {
    let Fixture { client, .. } = &Fixture::start().await;
    put(client, "k", "one").await;
    let object = client
        .get_object(GetObjectRequest::new(BUCKET, "k"))
        .go()
        .await
        .unwrap();
    let etag = object.etag.clone().unwrap();
    let error = client
        .get_object(GetObjectRequest::new(BUCKET, "k").if_none_match(&etag))
        .go()
        .await
        .unwrap_err();
    assert!(error.is_not_modified(), "{error}");
    let error = client
        .get_object(GetObjectRequest::new(BUCKET, "k").if_match("\"0\""))
        .go()
        .await
        .unwrap_err();
    assert!(error.is_precondition_failed(), "{error}");
    let request = PutObjectRequest::new(BUCKET, "k").body("two").forbid_overwrite(true);
    let error = client.put_object(request).go().await.unwrap_err();
    assert_eq!(error.code(), Some("FileAlreadyExists"), "{error}");
    assert_eq!(text(client, "k").await, "one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_object_is_uploaded_in_parts() {
    let Fixture { client, .. } = &Fixture::start().await;
    let mut random = Random::new(7);
    let pieces = [random.bytes(120_000), random.bytes(110_000), random.bytes(5)];
    put(client, "source", "0123456789").await;
    let upload = client
        .initiate_multipart_upload(InitiateMultipartUploadRequest::new(BUCKET, "big"))
        .go()
        .await
        .unwrap()
        .upload_id;
    let mut parts = Vec::new();
    for (index, piece) in pieces.iter().enumerate() {
        let number = index as i64 + 1;
        let request = UploadPartRequest::new(BUCKET, "big", &upload, number).body(piece.clone());
        let part = client.upload_part(request).go().await.unwrap();
        parts.push((number, part.etag));
    }
    let mut listed = client
        .list_parts(ListPartsRequest::new(BUCKET, "big", &upload).max_parts(2))
        .items();
    let mut sizes = Vec::new();
    while let Some(part) = listed.following().await.unwrap() {
        sizes.push(part.size);
    }
    assert_eq!(sizes.len(), 3);
    let request = UploadPartCopyRequest::new(BUCKET, "big", &upload, 4, "source").source_range("bytes=1-3");
    parts.push((4, client.upload_part_copy(request).go().await.unwrap().etag));
    // In the wrong order: the client sorts them, since the service refuses to.
    parts.reverse();
    let parts = parts
        .into_iter()
        .map(|(number, etag)| oss_sdk::types::UploadPart::new(number, etag));
    let error = client
        .complete_multipart_upload(
            CompleteMultipartUploadRequest::new(BUCKET, "big", &upload)
                .complete_multipart_upload(CompleteMultipartUpload::default().parts(parts.clone())),
        )
        .go()
        .await
        .unwrap_err();
    assert_eq!(
        error.code(),
        Some("EntityTooSmall"),
        "the third part is too small not to be the last: {error}"
    );
    let parts: Vec<_> = parts.filter(|part| part.part_number != 4).collect();
    let done = client
        .complete_multipart_upload(
            CompleteMultipartUploadRequest::new(BUCKET, "big", &upload)
                .complete_multipart_upload(CompleteMultipartUpload::default().parts(parts)),
        )
        .go()
        .await
        .unwrap();
    assert_eq!(done.key.as_deref(), Some("big"));
    let back = client
        .get_object(GetObjectRequest::new(BUCKET, "big"))
        .go()
        .await
        .unwrap()
        .body
        .read()
        .await
        .unwrap();
    assert_eq!(back, pieces.concat());
    let uploads = client
        .list_multipart_uploads(ListMultipartUploadsRequest::new(BUCKET))
        .go()
        .await
        .unwrap();
    assert!(uploads.uploads.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn copies_append_and_links() {
    let Fixture { client, .. } = &Fixture::start().await;
    client
        .put_object(
            PutObjectRequest::new(BUCKET, "from ü+")
                .body("content")
                .metadata([("kept", "yes")]),
        )
        .go()
        .await
        .unwrap();
    client
        .copy_object(CopyObjectRequest::new(BUCKET, "to", "from ü+"))
        .go()
        .await
        .unwrap();
    assert_eq!(text(client, "to").await, "content");
    let head = client
        .head_object(HeadObjectRequest::new(BUCKET, "to"))
        .go()
        .await
        .unwrap();
    assert_eq!(head.metadata["kept"], "yes");

    let first = client
        .append_object(AppendObjectRequest::new(BUCKET, "log", 0).body("one "))
        .go()
        .await
        .unwrap();
    let next = first.next_position;
    client
        .append_object(AppendObjectRequest::new(BUCKET, "log", next).body("two"))
        .go()
        .await
        .unwrap();
    assert_eq!(text(client, "log").await, "one two");
    let error = client
        .append_object(AppendObjectRequest::new(BUCKET, "log", next).body("x"))
        .go()
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("PositionNotEqualToLength"), "{error}");

    client
        .put_symlink(PutSymlinkRequest::new(BUCKET, "link", "to"))
        .go()
        .await
        .unwrap();
    let link = client
        .get_symlink(GetSymlinkRequest::new(BUCKET, "link"))
        .go()
        .await
        .unwrap();
    assert_eq!(link.target, "to");
    assert_eq!(text(client, "link").await, "content");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn tags_and_acls() {
    let Fixture { client, emulator } = &Fixture::start().await;
    put(client, "k", "x").await;
    let tags = Tagging::default().tag_set(TagSet::default().tags([Tag::new("a", "1"), Tag::new("b c", "2/+")]));
    client
        .put_object_tagging(PutObjectTaggingRequest::new(BUCKET, "k", tags))
        .go()
        .await
        .unwrap();
    let got = client
        .get_object_tagging(GetObjectTaggingRequest::new(BUCKET, "k"))
        .go()
        .await
        .unwrap();
    let got: Vec<(String, String)> = got.tag_set.tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
    assert_eq!(got, [("a".into(), "1".into()), ("b c".into(), "2/+".into())]);

    let stranger = builder(emulator).anonymous().build().unwrap();
    let error = stranger
        .get_object(GetObjectRequest::new(BUCKET, "k"))
        .go()
        .await
        .unwrap_err();
    assert!(error.is_access_denied(), "{error}");
    client
        .put_object_acl(PutObjectAclRequest::new(BUCKET, "k", "public-read"))
        .go()
        .await
        .unwrap();
    assert_eq!(text(&stranger, "k").await, "x");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn versions_are_listed_read_and_removed() {
    let Fixture { client, .. } = &Fixture::start().await;
    let enabled = VersioningConfiguration::default().status("Enabled");
    client
        .put_bucket_versioning(PutBucketVersioningRequest::new(BUCKET, enabled))
        .go()
        .await
        .unwrap();
    let first = client
        .put_object(PutObjectRequest::new(BUCKET, "k").body("one"))
        .go()
        .await
        .unwrap()
        .version_id
        .unwrap();
    put(client, "k", "two").await;
    client
        .delete_object(DeleteObjectRequest::new(BUCKET, "k"))
        .go()
        .await
        .unwrap();
    assert!(!exists(client, BUCKET, "k").await.unwrap());
    let old = client
        .get_object(GetObjectRequest::new(BUCKET, "k").version_id(&first))
        .go()
        .await
        .unwrap();
    assert_eq!(old.body.read_text().await.unwrap(), "one");
    let versions = client
        .list_object_versions(ListObjectVersionsRequest::new(BUCKET))
        .go()
        .await
        .unwrap();
    assert_eq!((versions.version.len(), versions.delete_marker.len()), (2, 1));
}
