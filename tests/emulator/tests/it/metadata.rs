//! The metadata of an ECS instance and the credentials URI.

use std::time::Duration;

use oss_emulator::{Builder, Clock, EcsMetadata, Emulator, Role};
use serde_json::Value;

use crate::client::{Client, Request, Response, noon};

const ROLE_PATH: &str = "/latest/meta-data/ram/security-credentials/";
const TOKEN_HEADER: &str = "x-aliyun-ecs-metadata-token";
const TTL_HEADER: &str = "x-aliyun-ecs-metadata-token-ttl-seconds";

fn fixed() -> Builder {
    Emulator::builder().clock(Clock::fixed(noon()))
}

/// The emulator, a client of it, and one of the metadata service.
async fn start(builder: Builder) -> (Emulator, Client, Client) {
    let emulator = builder.start().await.unwrap();
    let client = Client::of(&emulator);
    client.send(Request::put("/bucket")).await;
    let address = emulator.ecs_metadata_endpoint().unwrap().replace("http://", "");
    let metadata = Client {
        host: address.clone(),
        address,
        ..client.clone()
    };
    (emulator, client, metadata)
}

fn holder(client: &Client, document: &Value) -> Client {
    let text = |name: &str| document[name].as_str().unwrap().to_owned();
    Client {
        id: text("AccessKeyId"),
        secret: text("AccessKeySecret"),
        token: Some(text("SecurityToken")),
        ..client.clone()
    }
}

async fn token(metadata: &Client, seconds: &str) -> Response {
    let request = Request::put("/latest/api/token").header(TTL_HEADER, seconds);
    metadata.send_as_is(request).await
}

#[tokio::test]
async fn an_instance_gets_credentials_that_rotate_and_end() {
    let settings = EcsMetadata::new("reader")
        .lifetime(Duration::from_secs(900))
        .rotate_after(Duration::from_secs(600));
    let (emulator, client, metadata) = start(fixed().ecs_metadata(settings)).await;
    let listed = metadata.send_as_is(Request::get(ROLE_PATH)).await;
    assert_eq!((listed.status, listed.text().as_str()), (200, "reader"));
    let path = format!("{ROLE_PATH}reader");
    let fetch = || async { metadata.send_as_is(Request::get(&path)).await.json() };
    let first = fetch().await;
    assert_eq!(first["Code"], "Success");
    assert_eq!(first["LastUpdated"], "2023-12-17T16:20:57Z");
    assert_eq!(first["Expiration"], "2023-12-17T16:35:57Z");
    let instance = holder(&client, &first);
    assert_eq!(instance.send(Request::put("/bucket/k").body("x")).await.status, 200);
    emulator.clock().advance(Duration::from_secs(599));
    assert_eq!(fetch().await, first);
    emulator.clock().advance(Duration::from_secs(1));
    let second = fetch().await;
    assert_ne!(second["AccessKeyId"], first["AccessKeyId"]);
    assert_eq!(instance.send(Request::get("/bucket/k")).await.text(), "x");
    emulator.clock().advance(Duration::from_secs(300));
    let expired = instance.send(Request::get("/bucket/k")).await.error();
    assert_eq!(expired, (403, "SecurityTokenExpired".to_owned()));
    let instance = holder(&client, &second);
    assert_eq!(instance.send(Request::get("/bucket/k")).await.text(), "x");
    for path in ["/latest/meta-data/ram/security-credentials/other", "/", "/latest"] {
        assert_eq!(metadata.send_as_is(Request::get(path)).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn hardened_metadata_wants_a_token() {
    let settings = EcsMetadata::new("reader").hardened();
    let (emulator, _client, metadata) = start(fixed().ecs_metadata(settings)).await;
    let get = |token: &str| metadata.send_as_is(Request::get(ROLE_PATH).header(TOKEN_HEADER, token));
    assert_eq!(metadata.send_as_is(Request::get(ROLE_PATH)).await.status, 403);
    assert_eq!(get("forged").await.status, 401);
    let issued = token(&metadata, "60").await;
    assert_eq!(issued.status, 200);
    let good = issued.text();
    assert_eq!(get(&good).await.text(), "reader");
    emulator.clock().advance(Duration::from_secs(59));
    assert_eq!(get(&good).await.status, 200);
    emulator.clock().advance(Duration::from_secs(1));
    assert_eq!(get(&good).await.status, 401);
}

#[tokio::test]
async fn tokens_are_not_given_to_everybody() {
    let (_emulator, _client, metadata) = start(fixed().ecs_metadata("reader")).await;
    for seconds in ["0", "21601", "-1", "", "soon"] {
        assert_eq!(token(&metadata, seconds).await.status, 400, "{seconds}");
    }
    assert_eq!(token(&metadata, "21600").await.status, 200);
    let bare = Request::put("/latest/api/token");
    assert_eq!(metadata.send_as_is(bare.clone()).await.status, 400);
    let forwarded = bare.header(TTL_HEADER, "60").header("x-forwarded-for", "10.0.0.1");
    assert_eq!(metadata.send_as_is(forwarded).await.status, 403);
    let post = Request::post("/latest/api/token").header(TTL_HEADER, "60");
    assert_eq!(metadata.send_as_is(post).await.status, 405);
    // A plain request works, but a token that is sent has to be good.
    assert_eq!(metadata.send_as_is(Request::get(ROLE_PATH)).await.status, 200);
    let forged = Request::get(ROLE_PATH).header(TOKEN_HEADER, "forged");
    assert_eq!(metadata.send_as_is(forged).await.status, 401);
}

#[tokio::test]
async fn a_name_that_was_bent_to_this_machine_is_refused() {
    let (_emulator, _client, metadata) = start(fixed().ecs_metadata("reader")).await;
    for (host, status) in [
        ("evil.example:80", 403),
        ("localhost.evil.example", 403),
        ("localhost", 200),
        ("[::1]:8080", 200),
        ("100.100.100.200", 200),
    ] {
        let client = Client {
            host: host.to_owned(),
            ..metadata.clone()
        };
        assert_eq!(
            client.send_as_is(Request::get(ROLE_PATH)).await.status,
            status,
            "{host}"
        );
    }
}

#[tokio::test]
async fn a_credentials_uri_hands_out_the_same_kind() {
    let trusting = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"ecs.aliyuncs.com"}}]}"#;
    let role = Role::new("writer")
        .trust_policy(trusting)
        .policy(r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"oss:PutObject","Resource":"*"}]}"#);
    let (emulator, client, metadata) = start(fixed().role(role).ecs_metadata("writer")).await;
    let uri = emulator.credentials_uri().unwrap();
    let path = uri.replace(&emulator.ecs_metadata_endpoint().unwrap(), "");
    let answer = metadata.send_as_is(Request::get(&path)).await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.json()["Code"], "Success");
    let writer = holder(&client, &answer.json());
    assert_eq!(writer.send(Request::put("/bucket/k").body("x")).await.status, 200);
    assert_eq!(writer.send(Request::get("/bucket/k")).await.status, 403);
    emulator.fail_ecs_metadata(Some(503));
    assert_eq!(metadata.send_as_is(Request::get(&path)).await.status, 503);
    assert_eq!(token(&metadata, "60").await.status, 503);
    emulator.fail_ecs_metadata(None);
    assert_eq!(metadata.send_as_is(Request::get(&path)).await.status, 200);
}
