//! The other services, calls without a type, and faults that a call has to survive.

use std::time::Duration;

use oss_emulator::{Fault, FaultAction};
use oss_sdk::http::Method;
use oss_sdk::sts::AssumeRoleRequest;
use oss_sdk::tables::{
    CreateNamespaceRequest, CreateTableBucketRequest, CreateTableRequest, GetTableMetadataLocationRequest,
    UpdateTableMetadataLocationRequest,
};
use oss_sdk::vectors::types::{Vector, VectorData};
use oss_sdk::vectors::{
    DeleteVectorsRequest, ListVectorBucketsRequest, ListVectorsRequest, PutVectorBucketRequest, PutVectorIndexRequest,
    PutVectorsRequest, QueryVectorsRequest,
};
use oss_sdk::{Config, Credentials, GetBucketAclRequest, GetObjectRequest, OperationInput, PutObjectRequest};

use super::door::{BUCKET, Client, Fixture, Go, Payload, builder, invoke, sts, tables, vectors};

fn config(fixture: &Fixture) -> Config {
    let emulator = &fixture.emulator;
    Config::new()
        .region(emulator.region())
        .endpoint(emulator.endpoint())
        .account_id(emulator.account_id())
        .credentials(Credentials::new(emulator.access_key_id(), emulator.access_key_secret()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_role_may_do_what_its_session_policy_allows_until_it_expires() {
    let fixture = Fixture::start().await;
    fixture
        .client
        .put_object(PutObjectRequest::new(BUCKET, "in/a").body("a"))
        .go()
        .await
        .unwrap();
    let policy = format!(
        r#"{{"Version":"1","Statement":[{{"Effect":"Allow","Action":"oss:GetObject","Resource":"acs:oss:*:*:{BUCKET}/in/*"}}]}}"#
    );
    let role = AssumeRoleRequest::new("acs:ram::1234567890123456:role/reader", "suite")
        .policy(policy)
        .duration_seconds(900);
    let assumed = sts::Client::new(config(&fixture))
        .unwrap()
        .assume_role(role)
        .go()
        .await
        .unwrap();
    assert!(assumed.credentials.access_key_id.starts_with("STS."));
    assert!(
        !format!("{assumed:?}").contains(&assumed.credentials.security_token),
        "secrets are not shown"
    );

    let reader = builder(&fixture.emulator)
        .credentials(assumed.credentials.into())
        .build()
        .unwrap();
    let got = reader
        .get_object(GetObjectRequest::new(BUCKET, "in/a"))
        .go()
        .await
        .unwrap();
    assert_eq!(got.body.read_text().await.unwrap(), "a");
    let refused = reader
        .put_object(PutObjectRequest::new(BUCKET, "in/b").body("b"))
        .go()
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Some("AccessDenied"), "{refused}");

    fixture.emulator.clock().advance(Duration::from_secs(901));
    let expired = reader
        .get_object(GetObjectRequest::new(BUCKET, "in/a"))
        .go()
        .await
        .unwrap_err();
    assert!(expired.is_access_denied(), "{expired}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn vectors_are_found_by_their_distance() {
    let fixture = Fixture::start().await;
    let client = vectors::Client::new(config(&fixture)).unwrap();
    let refused = client
        .put_vector_index(PutVectorIndexRequest::new(BUCKET, "index", "float32", 2, "euclidean"))
        .go()
        .await
        .unwrap_err();
    assert_eq!(
        refused.code(),
        Some("NoSuchBucket"),
        "buckets of objects hold no indexes: {refused}"
    );
    client
        .put_vector_bucket(PutVectorBucketRequest::new("vectors"))
        .go()
        .await
        .unwrap();
    client
        .put_vector_index(PutVectorIndexRequest::new(
            "vectors",
            "index",
            "float32",
            2,
            "euclidean",
        ))
        .go()
        .await
        .unwrap();
    let vectors =
        [("near", [1.0, 1.0]), ("far", [9.0, 9.0])].map(|(key, data)| Vector::new(key, VectorData::from(data)));
    client
        .put_vectors(PutVectorsRequest::new("vectors", "index", vectors))
        .go()
        .await
        .unwrap();
    let query = QueryVectorsRequest::new("vectors", "index", VectorData::from([0.0, 0.0]), 1).return_distance(true);
    let found = client.query_vectors(query).go().await.unwrap();
    assert_eq!(found.vectors.len(), 1);
    assert_eq!(found.vectors[0].key, "near");
    client
        .delete_vectors(DeleteVectorsRequest::new("vectors", "index", ["near"]))
        .go()
        .await
        .unwrap();
    let left = client
        .list_vectors(ListVectorsRequest::new("vectors", "index"))
        .go()
        .await
        .unwrap();
    assert_eq!(left.vectors.len(), 1);
    let listed = client
        .list_vector_buckets(ListVectorBucketsRequest::new())
        .go()
        .await
        .unwrap();
    assert_eq!(listed.buckets.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_table_has_optimistic_versions() {
    let fixture = Fixture::start().await;
    let client = tables::Client::new(config(&fixture)).unwrap();
    let arn = client
        .create_table_bucket(CreateTableBucketRequest::new("lake"))
        .go()
        .await
        .unwrap()
        .arn;
    client
        .create_namespace(CreateNamespaceRequest::new(&arn, ["sales"]))
        .go()
        .await
        .unwrap();
    let created = client
        .create_table(CreateTableRequest::new(&arn, "sales", "orders", "ICEBERG"))
        .go()
        .await
        .unwrap();
    let location = client
        .get_table_metadata_location(GetTableMetadataLocationRequest::new(&arn, "sales", "orders"))
        .go()
        .await
        .unwrap();
    assert_eq!(location.version_token, created.version_token);
    let file = format!("{}/metadata/1.json", location.warehouse_location.unwrap());
    let token = location.version_token.unwrap();
    let update = UpdateTableMetadataLocationRequest::new(&arn, "sales", "orders", &file, &token);
    client
        .update_table_metadata_location(update.clone())
        .go()
        .await
        .unwrap();
    let stale = client.update_table_metadata_location(update).go().await.unwrap_err();
    assert_eq!(
        (stale.status(), stale.code()),
        (Some(409), Some("ConflictException")),
        "{stale}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_is_not_modelled_is_invoked() {
    let fixture = Fixture::start().await;
    let input = OperationInput::new("GetBucketAcl", Method::GET)
        .bucket(BUCKET)
        .query_flag("acl");
    let output = invoke(&fixture.client, input).await.unwrap();
    assert_eq!(output.status().as_u16(), 200);
    assert!(
        output
            .body
            .read_text()
            .await
            .unwrap()
            .contains("<Grant>private</Grant>")
    );
    let input = OperationInput::new("GetBucketNothing", Method::GET)
        .bucket(BUCKET)
        .query_flag("nothing");
    let error = invoke(&fixture.client, input).await.unwrap_err();
    assert_eq!(
        (error.operation(), error.status()),
        (Some("GetBucketNothing"), Some(501)),
        "{error}"
    );
}

/// A client whose waits are as short as they can be.
fn patient(fixture: &Fixture) -> Client {
    builder(&fixture.emulator).retry_attempts(4).build().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_server_that_fails_for_a_while_is_asked_again() {
    let fixture = Fixture::start().await;
    let client = patient(&fixture);
    fixture
        .emulator
        .faults()
        .add(Fault::error(503, "ServiceUnavailable").operation("PutObject").times(1));
    client
        .put_object(PutObjectRequest::new(BUCKET, "k").body("whole"))
        .go()
        .await
        .unwrap();
    assert_eq!(fixture.emulator.requests().count("PutObject"), 2);
    let sent = fixture.emulator.requests().of("PutObject");
    assert_eq!(
        sent[1].header("content-length"),
        Some("5"),
        "the payload is sent whole again"
    );

    fixture
        .emulator
        .faults()
        .add(Fault::new(FaultAction::DropAnswer).operation("GetObject").times(1));
    let got = client
        .get_object(GetObjectRequest::new(BUCKET, "k"))
        .go()
        .await
        .unwrap();
    assert_eq!(got.body.read_text().await.unwrap(), "whole");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_spoilt_download_is_noticed() {
    let fixture = Fixture::start().await;
    fixture
        .client
        .put_object(PutObjectRequest::new(BUCKET, "k").body("0123456789"))
        .go()
        .await
        .unwrap();
    fixture
        .emulator
        .faults()
        .add(Fault::new(FaultAction::CorruptByte(4)).operation("GetObject").times(1));
    let got = fixture
        .client
        .get_object(GetObjectRequest::new(BUCKET, "k"))
        .go()
        .await
        .unwrap();
    let error = got.body.read().await.unwrap_err();
    assert_eq!(error.kind(), oss_sdk::ErrorKind::ChecksumMismatch, "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_wrong_clock_is_set_right() {
    let fixture = Fixture::start().await;
    fixture.emulator.clock().advance(Duration::from_secs(3600));
    let client = patient(&fixture);
    client
        .get_bucket_acl(GetBucketAclRequest::new(BUCKET))
        .go()
        .await
        .unwrap();
    let before = fixture.emulator.requests().count("GetBucketAcl");
    client
        .get_bucket_acl(GetBucketAclRequest::new(BUCKET))
        .go()
        .await
        .unwrap();
    assert_eq!(
        fixture.emulator.requests().count("GetBucketAcl"),
        before + 1,
        "the clock is learnt once"
    );
}
