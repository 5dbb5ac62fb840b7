//! What a service answered, on a tape: played back without the service, and without a secret on it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use oss_sdk::testing::{Recorder, Replay, Tape};
use oss_sdk::transport::{ReqwestTransport, TransportOptions};
use oss_sdk::{
    Client, Config, Credentials, GetBucketAclRequest, GetObjectRequest, HeadObjectRequest, ListObjectsV2Request,
    PutObjectRequest, blocking, sts,
};
use oss_suite::fixture::{BUCKET, Fixture};
use oss_suite::random::Random;

fn config(fixture: &Fixture, recorder: &Recorder) -> Config {
    let emulator = &fixture.emulator;
    Config::new()
        .region(emulator.region())
        .endpoint(emulator.endpoint())
        .credentials(Credentials::new(emulator.access_key_id(), emulator.access_key_secret()))
        .transport(recorder.clone())
}

fn recorder() -> Recorder {
    Recorder::new(ReqwestTransport::new(TransportOptions::default()).unwrap())
}

/// What an application does, and expects.
async fn run(client: &Client) {
    let content = Random::new(3).bytes(200_000);
    let put = PutObjectRequest::new(BUCKET, "a b/ü").body(content.clone());
    client.put_object(put.metadata([("a", "b")])).await.unwrap();
    let head = client
        .head_object(HeadObjectRequest::new(BUCKET, "a b/ü"))
        .await
        .unwrap();
    assert_eq!((head.content_length, head.metadata["a"].as_str()), (200_000, "b"));
    let got = client.get_object(GetObjectRequest::new(BUCKET, "a b/ü")).await.unwrap();
    assert!(
        got.body.bytes().await.unwrap() == content,
        "verified by its checksum too"
    );
    let mut listed = client.list_objects_v2(ListObjectsV2Request::new(BUCKET)).items();
    assert_eq!(listed.try_next().await.unwrap().unwrap().key, "a b/ü");
    let absent = client
        .head_object(HeadObjectRequest::new(BUCKET, "absent"))
        .await
        .unwrap_err();
    assert_eq!(absent.code(), Some("NoSuchKey"), "{absent}");
}

#[tokio::test]
async fn an_application_meets_the_same_service_on_a_tape() {
    let fixture = Fixture::start().await;
    let recorder = recorder();
    run(&Client::new(config(&fixture, &recorder)).unwrap()).await;
    let text = recorder.tape().to_string();
    let endpoint = fixture.emulator.endpoint();
    drop(fixture);
    let tape: Tape = text.parse().unwrap();
    let replay = Replay::new(tape.clone());
    run(&Client::new(replay.config().endpoint(&endpoint)).unwrap()).await;
    replay.assert_finished();

    let replay = Replay::new(tape);
    let client = blocking::Client::new(replay.config().endpoint(endpoint)).unwrap();
    let got = client
        .get_object(GetObjectRequest::new(BUCKET, "a b/ü"))
        .send()
        .unwrap();
    assert_eq!(got.body.into_blocking().bytes().unwrap().len(), 200_000);
}

#[tokio::test]
async fn no_secret_is_on_a_tape() {
    let fixture = Fixture::start().await;
    let recorder = recorder();
    let role = sts::AssumeRoleRequest::new("acs:ram::1234567890123456:role/reader", "suite");
    let client = sts::Client::new(config(&fixture, &recorder)).unwrap();
    let temporary = client.assume_role(role).await.unwrap().credentials;
    let (secret, token) = (temporary.access_key_secret.clone(), temporary.security_token.clone());
    let client = Client::new(config(&fixture, &recorder).credentials(temporary.into())).unwrap();
    client.get_bucket_acl(GetBucketAclRequest::new(BUCKET)).await.unwrap();
    let id = fixture.emulator.access_key_id();
    let wrong = config(&fixture, &recorder).credentials(Credentials::new(id, "another-secret"));
    let refused = Client::new(wrong)
        .unwrap()
        .get_bucket_acl(GetBucketAclRequest::new(BUCKET))
        .await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.code(), Some("SignatureDoesNotMatch"));
    let tape = recorder.tape();
    let text = format!("{tape} {tape:?} {recorder:?}");
    assert!(text.contains("<Code>SignatureDoesNotMatch</Code>"), "{text}");
    let signature = refused.field("SignatureProvided").unwrap_or("none was told");
    for (what, value) in [
        ("the secret of the account", fixture.emulator.access_key_secret()),
        ("a temporary secret", secret.as_str()),
        ("a token", token.as_str()),
        ("a wrong secret", "another-secret"),
        ("a signature", signature),
    ] {
        assert!(!text.contains(value), "{what} is in {text}");
    }
}
