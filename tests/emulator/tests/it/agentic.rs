//! Agentic buckets, in requests of our own.

use std::time::Duration;

use oss_emulator::{Clock, DEFAULT_ACCOUNT_ID, Emulator};

use crate::client::{Client, Request, noon, start};

fn name(short: &str) -> String {
    format!("{short}-{DEFAULT_ACCOUNT_ID}-cn-hangzhou-ab-apsr")
}

fn target(flags: &str) -> String {
    format!("/{}?agenticBucket{flags}", name("agents"))
}

async fn put(client: &Client, flags: &str, body: &str) -> (u16, String) {
    client.send(Request::put(&target(flags)).body(body)).await.error()
}

#[tokio::test]
async fn agentic_buckets_have_settings_for_their_spaces() {
    let (_emulator, client) = start().await;
    assert_eq!(put(&client, "", "").await.0, 200);
    let short = client.send(Request::put("/agents?agenticBucket")).await.error();
    assert_eq!(short, (400, "InvalidBucketName".to_owned()));
    let info = client.send(Request::get(&target(""))).await;
    assert_eq!(info.element("Name"), Some(name("agents")), "{}", info.text());
    assert_eq!(info.element("Status"), Some("Enabled".to_owned()));
    assert_eq!(info.element("StorageClass"), Some("Standard".to_owned()));
    assert_eq!(info.element("PublicAccessBlock"), Some("true".to_owned()));

    let public = Request::put(&target("&acl")).header("x-oss-acl", "public-read");
    assert_eq!(
        client.send(public.clone()).await.error(),
        (403, "AccessDenied".to_owned())
    );
    let open =
        "<PublicAccessBlockConfiguration><BlockPublicAccess>false</BlockPublicAccess></PublicAccessBlockConfiguration>";
    assert_eq!(put(&client, "&publicAccessBlock", open).await.0, 200);
    assert_eq!(client.send(public).await.status, 200);
    let acl = client.send(Request::get(&target("&acl"))).await;
    assert_eq!(acl.element("Grant"), Some("public-read".to_owned()));

    let versioning = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    assert_eq!(put(&client, "&versioning", versioning).await.0, 200);
    let shown = client.send(Request::get(&target("&versioning"))).await;
    assert_eq!(shown.element("Status"), Some("Enabled".to_owned()));
    let none = client.send(Request::get(&target("&encryption"))).await.error();
    assert_eq!(none, (404, "NoSuchServerSideEncryptionRule".to_owned()));
    let none = client.send(Request::get(&target("&policy"))).await.error();
    assert_eq!(none, (404, "NoSuchBucketPolicy".to_owned()));
    let nothing = "<QuotaConfiguration><StorageQuota>0</StorageQuota><Mode>Strict</Mode></QuotaConfiguration>";
    assert_eq!(
        put(&client, "&quota", nothing).await,
        (400, "InvalidArgument".to_owned())
    );
    let quota = nothing.replace(">0<", ">1024<");
    assert_eq!(put(&client, "&quota", &quota).await.0, 200);
    let shown = client.send(Request::get(&target("&quota"))).await;
    assert_eq!(shown.element("StorageQuota"), Some("1024".to_owned()));
    assert_eq!(client.send(Request::delete(&target("&quota"))).await.status, 204);
    // Buckets of objects are others.
    assert!(client.send(Request::get("/")).await.elements("Name").is_empty());
    let listed = client.send(Request::get("/?agenticBucket")).await;
    assert_eq!(listed.elements("Name"), [name("agents")]);
    let missing = client
        .send(Request::get(&format!("/{}?agenticBucket", name("others"))))
        .await
        .error();
    assert_eq!(missing, (404, "AgenticBucketNotFound".to_owned()));
}

#[tokio::test]
async fn agentic_buckets_are_deleted_a_day_after_they_were_disabled() {
    let directory = tempfile::tempdir().unwrap();
    let run = |clock: Clock| async {
        let emulator = Emulator::builder().data_dir(directory.path()).clock(clock);
        let emulator = emulator.start().await.unwrap();
        let client = Client::of(&emulator);
        (emulator, client)
    };
    let (emulator, client) = run(Clock::fixed(noon())).await;
    put(&client, "", "").await;
    let delete = Request::delete(&target(""));
    assert_eq!(
        client.send(delete.clone()).await.error(),
        (409, "AgenticBucketNotDisabled".to_owned())
    );
    let disabled = "<AgenticBucketStatus><Status>Disabled</Status></AgenticBucketStatus>";
    assert_eq!(put(&client, "&status", disabled).await.0, 200);
    assert_eq!(
        client.send(delete.clone()).await.error(),
        (409, "AgenticBucketNotReady".to_owned())
    );
    emulator.shutdown().await;
    let (_emulator, client) = run(Clock::fixed(noon() + Duration::from_secs(24 * 3600))).await;
    let later = Client {
        stamp: "20231218T162057Z".to_owned(),
        ..client
    };
    let info = later.send(Request::get(&target(""))).await;
    assert_eq!(info.element("Status"), Some("Disabled".to_owned()));
    assert_eq!(later.send(delete).await.status, 204);
    assert_eq!(later.send(Request::get(&target(""))).await.status, 404);
}
