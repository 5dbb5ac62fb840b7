//! What may not be overwritten or deleted: retention, legal holds, policies of buckets, rules against overwriting, sealed objects.

use std::time::Duration;

use oss_emulator::{Clock, Emulator};

use crate::client::{Client, Request, Response, noon, start_with_bucket};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const IMMUTABLE: &str = "FileImmutable";

async fn configure(client: &Client, flag: &str, document: &str) {
    let answer = client
        .send(Request::put(&format!("/bucket?{flag}")).body(document))
        .await;
    assert_eq!(answer.status, 200, "{flag}: {}", answer.text());
}

/// A bucket whose objects can be protected one by one, and the clock.
async fn start_with_object_worm(rule: &str) -> (Emulator, Clock, Client) {
    let clock = Clock::fixed(noon());
    let emulator = Emulator::builder().clock(clock.clone()).start().await.unwrap();
    let client = Client::of(&emulator);
    client.send(Request::put("/bucket")).await;
    let versioning = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    configure(&client, "versioning", versioning).await;
    let worm = format!(
        "<ObjectWormConfiguration><ObjectWormEnabled>Enabled</ObjectWormEnabled>{rule}</ObjectWormConfiguration>"
    );
    configure(&client, "objectWorm", &worm).await;
    (emulator, clock, client)
}

async fn put(client: &Client, headers: &[(&str, &str)]) -> Response {
    let request = headers
        .iter()
        .fold(Request::put("/bucket/k").body("v"), |request, (name, value)| {
            request.header(name, value)
        });
    client.send(request).await
}

async fn delete(client: &Client, version: &str) -> Response {
    client
        .send(Request::delete("/bucket/k").query("versionId", version))
        .await
}

fn retention(mode: &str, until: &str) -> Request {
    Request::put("/bucket/k?retention").body(format!(
        "<Retention><Mode>{mode}</Mode><RetainUntilDate>{until}</RetainUntilDate></Retention>"
    ))
}

fn hold(status: &str) -> Request {
    Request::put("/bucket/k?legalHold").body(format!("<LegalHold><Status>{status}</Status></LegalHold>"))
}

#[tokio::test]
async fn a_version_is_retained_until_its_date() {
    let (_emulator, clock, mut client) = start_with_object_worm("").await;
    let written = put(
        &client,
        &[
            ("x-oss-object-worm-mode", "COMPLIANCE"),
            ("x-oss-object-worm-retain-until-date", "2023-12-17T16:25:57.000Z"),
        ],
    )
    .await;
    let version = written.header("x-oss-version-id").unwrap().to_owned();
    let head = client.send(Request::new("HEAD", "/bucket/k")).await;
    assert_eq!(head.header("x-oss-object-worm-mode"), Some("COMPLIANCE"));
    assert_eq!(
        head.header("x-oss-object-worm-retain-until-date"),
        Some("2023-12-17T16:25:57.000Z")
    );
    let shown = client.send(Request::get("/bucket/k?retention")).await;
    assert_eq!(shown.element("Mode").as_deref(), Some("COMPLIANCE"));
    assert_eq!(delete(&client, &version).await.error(), (409, IMMUTABLE.to_owned()));
    let document = format!("<Delete><Object><Key>k</Key><VersionId>{version}</VersionId></Object></Delete>");
    let many = Request::post("/bucket?delete")
        .header("content-md5", &crate::client::md5_base64(document.as_bytes()))
        .body(document);
    assert_eq!(client.send(many).await.error(), (409, IMMUTABLE.to_owned()));

    // A delete marker loses nothing, nor does another version.
    assert_eq!(client.send(Request::delete("/bucket/k")).await.status, 204);
    assert_eq!(put(&client, &[]).await.status, 200);

    clock.advance(Duration::from_secs(300));
    client.stamp = "20231217T162557Z".to_owned();
    assert_eq!(delete(&client, &version).await.status, 204);
}

#[tokio::test]
async fn only_governance_can_be_bypassed() {
    let (_emulator, _clock, client) = start_with_object_worm("").await;
    let version = put(&client, &[]).await.header("x-oss-version-id").unwrap().to_owned();
    let governance = client.send(retention("GOVERNANCE", "2024-01-01T00:00:00.000Z")).await;
    assert_eq!(governance.status, 200, "{}", governance.text());
    let shorter = || retention("GOVERNANCE", "2023-12-31T00:00:00.000Z");
    assert_eq!(client.send(shorter()).await.error(), (403, "AccessDenied".to_owned()));
    let bypass = |request: Request| request.header("x-oss-bypass-governance-retention", "true");
    assert_eq!(client.send(bypass(shorter())).await.status, 200);
    assert_eq!(
        client
            .send(retention("COMPLIANCE", "2024-01-01T00:00:00.000Z"))
            .await
            .status,
        200
    );
    for request in [
        retention("COMPLIANCE", "2023-12-31T00:00:00.000Z"),
        retention("GOVERNANCE", "2025-01-01T00:00:00.000Z"),
        Request::put("/bucket/k?retention").body("<Retention></Retention>"),
    ] {
        assert_eq!(
            client.send(bypass(request)).await.error(),
            (403, "AccessDenied".to_owned())
        );
    }
    let deletion = bypass(Request::delete("/bucket/k").query("versionId", &version));
    assert_eq!(client.send(deletion).await.error(), (409, IMMUTABLE.to_owned()));
}

#[tokio::test]
async fn a_version_under_governance_is_deleted_by_bypass() {
    let (_emulator, _clock, client) = start_with_object_worm("").await;
    let version = put(&client, &[]).await.header("x-oss-version-id").unwrap().to_owned();
    client.send(retention("GOVERNANCE", "2024-01-01T00:00:00.000Z")).await;
    assert_eq!(delete(&client, &version).await.error(), (409, IMMUTABLE.to_owned()));
    let bypass = Request::delete("/bucket/k")
        .query("versionId", &version)
        .header("x-oss-bypass-governance-retention", "true");
    assert_eq!(client.send(bypass).await.status, 204);
}

#[tokio::test]
async fn a_legal_hold_freezes_a_version_until_it_is_lifted() {
    let (_emulator, clock, mut client) = start_with_object_worm("").await;
    let version = put(&client, &[("x-oss-object-worm-legal-hold", "ON")]).await;
    let version = version.header("x-oss-version-id").unwrap().to_owned();
    clock.advance(DAY);
    client.stamp = "20231218T162057Z".to_owned();
    assert_eq!(delete(&client, &version).await.error(), (409, IMMUTABLE.to_owned()));
    let shown = client.send(Request::get("/bucket/k?legalHold")).await;
    assert_eq!(shown.element("Status").as_deref(), Some("ON"));
    assert_eq!(client.send(hold("OFF")).await.status, 200);
    let head = client.send(Request::new("HEAD", "/bucket/k")).await;
    assert_eq!(head.header("x-oss-object-worm-legal-hold"), Some("OFF"));
    assert_eq!(delete(&client, &version).await.status, 204);
}

#[tokio::test]
async fn new_objects_get_the_default_retention_of_the_bucket() {
    let rule = "<Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Days>2</Days></DefaultRetention></Rule>";
    let (_emulator, _clock, client) = start_with_object_worm(rule).await;
    put(&client, &[]).await;
    let copy = Request::put("/bucket/copy").header("x-oss-copy-source", "/bucket/k");
    assert_eq!(client.send(copy).await.status, 200);
    let upload = client.send(Request::post("/bucket/parts?uploads")).await;
    let id = upload.element("UploadId").unwrap();
    let part = Request::put("/bucket/parts?partNumber=1")
        .query("uploadId", &id)
        .body("p");
    assert_eq!(client.send(part).await.status, 200);
    let complete = Request::post("/bucket/parts")
        .query("uploadId", &id)
        .header("x-oss-complete-all", "yes");
    assert_eq!(client.send(complete).await.status, 200);
    for key in ["k", "copy", "parts"] {
        let head = client.send(Request::new("HEAD", &format!("/bucket/{key}"))).await;
        assert_eq!(
            head.header("x-oss-object-worm-retain-until-date"),
            Some("2023-12-19T16:20:57.000Z"),
            "{key}"
        );
    }
    let append = client
        .send(Request::post("/bucket/log?append&position=0").body("a"))
        .await;
    assert_eq!(append.error(), (400, "OperationNotSupported".to_owned()));
}

#[tokio::test]
async fn protection_must_be_turned_on_and_make_sense() {
    let (_emulator, client) = start_with_bucket().await;
    client.send(Request::put("/bucket/k").body("v")).await;
    for request in [
        retention("COMPLIANCE", "2024-01-01T00:00:00.000Z"),
        Request::get("/bucket/k?retention"),
        hold("ON"),
        Request::get("/bucket/k?legalHold"),
        Request::put("/bucket/k").header("x-oss-object-worm-legal-hold", "ON"),
    ] {
        assert_eq!(
            client.send(request.clone()).await.error(),
            (400, "InvalidRequest".to_owned()),
            "{request:?}"
        );
    }
    let (_emulator, _clock, client) = start_with_object_worm("").await;
    put(&client, &[]).await;
    for (request, code) in [
        (retention("COMPLIANCE", "2023-12-17T16:20:57.000Z"), "InvalidArgument"),
        (retention("COMPLIANCE", "tomorrow"), "InvalidArgument"),
        (retention("STRICT", "2024-01-01T00:00:00.000Z"), "MalformedXML"),
        (hold("MAYBE"), "MalformedXML"),
        (
            Request::put("/bucket/k").header("x-oss-object-worm-mode", "COMPLIANCE"),
            "InvalidArgument",
        ),
    ] {
        assert_eq!(
            client.send(request.clone()).await.error(),
            (400, code.to_owned()),
            "{request:?}"
        );
    }
}

#[tokio::test]
async fn rules_of_the_bucket_forbid_overwriting() {
    let (_emulator, client) = start_with_bucket().await;
    let rules = "<OverwriteConfiguration><Rule><ID>a</ID><Action>forbid</Action><Prefix>keep/</Prefix><Suffix>.txt</Suffix></Rule>\
        <Rule><ID>b</ID><Action>forbid</Action><Prefix>other/</Prefix><Principals><Principal>42*</Principal></Principals></Rule></OverwriteConfiguration>";
    configure(&client, "overwriteConfig", rules).await;
    for key in ["keep/a.txt", "keep/a.log", "other/a.txt", "keep/log.txt", "source"] {
        let written = client.send(Request::put(&format!("/bucket/{key}")).body("1")).await;
        assert_eq!(written.status, 200, "{key}");
    }
    let exists = (409, "FileAlreadyExists".to_owned());
    for request in [
        Request::put("/bucket/keep/a.txt").body("2"),
        Request::put("/bucket/keep/a.txt").header("x-oss-copy-source", "/bucket/source"),
        Request::put("/bucket/keep/a.txt?symlink").header("x-oss-symlink-target", "source"),
        Request::post("/bucket/keep/log.txt?append&position=1").body("2"),
        Request::post("/bucket/keep/a.txt?uploads"),
    ] {
        assert_eq!(client.send(request.clone()).await.error(), exists, "{request:?}");
    }
    for key in ["keep/a.log", "other/a.txt"] {
        assert_eq!(
            client
                .send(Request::put(&format!("/bucket/{key}")).body("2"))
                .await
                .status,
            200
        );
    }
    assert_eq!(client.send(Request::delete("/bucket/keep/a.txt")).await.status, 204);
    assert_eq!(
        client.send(Request::put("/bucket/keep/a.txt").body("3")).await.status,
        200
    );

    let versioning = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    configure(&client, "versioning", versioning).await;
    assert_eq!(
        client.send(Request::put("/bucket/keep/a.txt").body("4")).await.status,
        200
    );
}

#[tokio::test]
async fn a_sealed_object_grows_no_more() {
    let (_emulator, client) = start_with_bucket().await;
    client
        .send(Request::post("/bucket/log?append&position=0").body("one"))
        .await;
    let wrong = client.send(Request::post("/bucket/log?seal&position=2")).await;
    assert_eq!(wrong.error(), (409, "PositionNotEqualToLength".to_owned()));
    let sealed = client.send(Request::post("/bucket/log?seal&position=3")).await;
    assert_eq!(
        (sealed.status, sealed.header("x-oss-sealed-time")),
        (200, Some(crate::client::NOON_HTTP))
    );
    let head = client.send(Request::new("HEAD", "/bucket/log")).await;
    assert_eq!(head.header("x-oss-sealed-time"), Some(crate::client::NOON_HTTP));
    assert_eq!(
        client.send(Request::post("/bucket/log?seal&position=3")).await.status,
        200
    );
    let append = client
        .send(Request::post("/bucket/log?append&position=3").body("two"))
        .await;
    assert_eq!(append.error(), (409, "ObjectNotAppendable".to_owned()));
    client.send(Request::put("/bucket/k").body("x")).await;
    let normal = client.send(Request::post("/bucket/k?seal&position=1")).await;
    assert_eq!(normal.error(), (409, "ObjectNotAppendable".to_owned()));
    let missing = client.send(Request::post("/bucket/none?seal&position=0")).await;
    assert_eq!(missing.error(), (404, "NoSuchKey".to_owned()));
}
