//! Objects that are kept: archived and restored, retained, held, sealed, and images that are processed.

use std::time::Duration;

use oss_sdk::types::{
    InitiateWormConfiguration, LegalHold, ObjectLegalHoldStatus, ObjectWormConfiguration, ObjectWormStatus,
    RestoreRequest, VersioningConfiguration,
};
use oss_sdk::{
    AppendObjectRequest, CleanRestoredObjectRequest, CompleteBucketWormRequest, DeleteObjectRequest,
    GetBucketWormRequest, GetObjectLegalHoldRequest, GetObjectRequest, HeadObjectRequest, InitiateBucketWormRequest,
    ProcessObjectRequest, PutBucketObjectWormConfigurationRequest, PutBucketVersioningRequest,
    PutObjectLegalHoldRequest, PutObjectRequest, RestoreObjectRequest, SealAppendObjectRequest,
};
use oss_suite::fixture::{BUCKET, Fixture};

/// A picture of 4 by 2 pixels.
const PICTURE: &[u8] = include_bytes!("data/red.png");

const DAY: Duration = Duration::from_secs(24 * 3600);

#[tokio::test]
async fn an_archived_object_is_read_only_while_it_is_restored() {
    let Fixture { client, emulator } = &Fixture::start().await;
    let put = PutObjectRequest::new(BUCKET, "k").body("kept").storage_class("Archive");
    client.put_object(put).await.unwrap();
    let get = async || client.get_object(GetObjectRequest::new(BUCKET, "k")).await;

    let error = get().await.unwrap_err();
    assert!(error.is_archived(), "{error}");
    let restore = RestoreObjectRequest::new(BUCKET, "k").restore_request(RestoreRequest::new(1));
    assert_eq!(client.restore_object(restore).await.unwrap().status(), 202);
    emulator.clock().advance(Duration::from_secs(3600));
    let head = client.head_object(HeadObjectRequest::new(BUCKET, "k")).await.unwrap();
    assert!(head.restore.unwrap().contains("ongoing-request=\"false\""));
    assert_eq!(get().await.unwrap().body.text().await.unwrap(), "kept");

    emulator.clock().advance(2 * DAY);
    assert!(
        get().await.unwrap_err().is_archived(),
        "the copy has gone after its day"
    );
}

#[tokio::test]
async fn a_restored_copy_can_be_given_up() {
    let Fixture { client, emulator } = &Fixture::start().await;
    let put = PutObjectRequest::new(BUCKET, "k")
        .body("kept")
        .storage_class("ColdArchive");
    client.put_object(put).await.unwrap();
    let restore = RestoreObjectRequest::new(BUCKET, "k").restore_request(RestoreRequest::new(7));
    client.restore_object(restore).await.unwrap();
    emulator.clock().advance(DAY);
    let get = async || client.get_object(GetObjectRequest::new(BUCKET, "k")).await;
    assert_eq!(get().await.unwrap().body.text().await.unwrap(), "kept");
    let clean = CleanRestoredObjectRequest::new(BUCKET, "k");
    client.clean_restored_object(clean).await.unwrap();
    assert!(get().await.unwrap_err().is_archived());
}

#[tokio::test]
async fn a_retained_bucket_keeps_its_objects_for_their_time() {
    let Fixture { client, emulator } = &Fixture::start().await;
    let initiate = InitiateBucketWormRequest::new(BUCKET, InitiateWormConfiguration::new(1));
    let worm = client.initiate_bucket_worm(initiate).await.unwrap();
    let worm_id = worm.worm_id;
    client
        .complete_bucket_worm(CompleteBucketWormRequest::new(BUCKET, worm_id.clone()))
        .await
        .unwrap();
    let worm = client.get_bucket_worm(GetBucketWormRequest::new(BUCKET)).await.unwrap();
    let worm = format!("{worm:?}");
    assert!(worm.contains(&worm_id) && worm.contains("Locked"), "{worm}");

    client
        .put_object(PutObjectRequest::new(BUCKET, "k").body("v"))
        .await
        .unwrap();
    let delete = async || client.delete_object(DeleteObjectRequest::new(BUCKET, "k")).await;
    let error = delete().await.unwrap_err();
    assert_eq!(error.code(), Some("FileImmutable"), "{error}");
    emulator.clock().advance(DAY + Duration::from_secs(1));
    delete().await.unwrap();
}

#[tokio::test]
async fn an_object_on_hold_cannot_be_deleted() {
    let Fixture { client, .. } = &Fixture::start().await;
    let versioned = VersioningConfiguration::new("Enabled");
    client
        .put_bucket_versioning(PutBucketVersioningRequest::new(BUCKET, versioned))
        .await
        .unwrap();
    let enabled = ObjectWormConfiguration::new(ObjectWormStatus::Enabled);
    client
        .put_bucket_object_worm_configuration(PutBucketObjectWormConfigurationRequest::new(BUCKET, enabled))
        .await
        .unwrap();
    let put = client
        .put_object(PutObjectRequest::new(BUCKET, "k").body("v"))
        .await
        .unwrap();
    let version = put.version_id.unwrap();
    let hold = async |status: ObjectLegalHoldStatus| {
        let hold = PutObjectLegalHoldRequest::new(BUCKET, "k", LegalHold::new(status));
        client.put_object_legal_hold(hold).await.unwrap();
    };
    let delete = async || {
        let delete = DeleteObjectRequest::new(BUCKET, "k").version_id(version.clone());
        client.delete_object(delete).await
    };

    hold(ObjectLegalHoldStatus::On).await;
    let get = GetObjectLegalHoldRequest::new(BUCKET, "k");
    let status = client.get_object_legal_hold(get).await.unwrap();
    assert!(format!("{status:?}").contains("On"), "{status:?}");
    assert_eq!(delete().await.unwrap_err().code(), Some("FileImmutable"));
    hold(ObjectLegalHoldStatus::Off).await;
    delete().await.unwrap();
}

#[tokio::test]
async fn a_sealed_object_grows_no_more() {
    let Fixture { client, .. } = &Fixture::start().await;
    let append = async |position| {
        client
            .append_object(AppendObjectRequest::new(BUCKET, "log", position).body("line"))
            .await
    };
    assert_eq!(append(0).await.unwrap().next_position, 4);
    assert_eq!(append(4).await.unwrap().next_position, 8);
    let seal = SealAppendObjectRequest::new(BUCKET, "log", 8);
    client.seal_append_object(seal).await.unwrap();
    let error = append(8).await.unwrap_err();
    assert_eq!(error.status(), Some(409), "{error}");
    let got = client.get_object(GetObjectRequest::new(BUCKET, "log")).await.unwrap();
    assert_eq!(got.body.text().await.unwrap(), "lineline");
}

#[tokio::test]
async fn an_image_is_processed_on_its_way_and_saved_beside() {
    let Fixture { client, .. } = &Fixture::start().await;
    let put = PutObjectRequest::new(BUCKET, "a.png").body(PICTURE);
    client.put_object(put).await.unwrap();
    let info = async |key: &str| {
        let get = GetObjectRequest::new(BUCKET, key).process("image/info");
        let got = client.get_object(get).await.unwrap();
        let info: serde_json::Value = serde_json::from_str(&got.body.text().await.unwrap()).unwrap();
        let side = |name: &str| info[name]["value"].as_str().unwrap().to_owned();
        (side("ImageWidth"), side("ImageHeight"))
    };
    assert_eq!(info("a.png").await, ("4".to_owned(), "2".to_owned()));

    let half = GetObjectRequest::new(BUCKET, "a.png").process("image/resize,w_2");
    let half = client.get_object(half).await.unwrap().body.bytes().await.unwrap();
    assert!(half.starts_with(b"\x89PNG") && half != PICTURE);

    // The name is `half.png` in the Base64 of URLs.
    let process = "image/resize,w_2|sys/saveas,o_aGFsZi5wbmc";
    let saved = client
        .process_object(ProcessObjectRequest::new(BUCKET, "a.png", process))
        .await;
    saved.unwrap();
    assert_eq!(info("half.png").await, ("2".to_owned(), "1".to_owned()));
}
