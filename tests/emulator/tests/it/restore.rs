//! Archived objects: frozen, restoring, readable, and frozen again, by a clock that the tests move.

use std::time::Duration;

use oss_emulator::{Clock, Emulator};

use crate::client::{Client, Request, noon};

const HOUR: u64 = 3600;

async fn start() -> (Emulator, Clock, Client) {
    let clock = Clock::fixed(noon());
    let emulator = Emulator::builder().clock(clock.clone()).start().await.unwrap();
    let client = Client::of(&emulator);
    assert_eq!(client.send(Request::put("/bucket")).await.status, 200);
    (emulator, clock, client)
}

/// Moves the clock, and the time that the client signs with.
fn advance(clock: &Clock, client: &mut Client, seconds: u64) {
    clock.advance(Duration::from_secs(seconds));
    let since = clock.now().duration_since(noon()).unwrap().as_secs() + 16 * HOUR + 20 * 60 + 57;
    let (day, rest) = (17 + since / (24 * HOUR), since % (24 * HOUR));
    client.stamp = format!(
        "202312{day:02}T{:02}{:02}{:02}Z",
        rest / HOUR,
        rest / 60 % 60,
        rest % 60
    );
}

async fn put(client: &Client, class: &str) {
    let request = Request::put("/bucket/k")
        .header("x-oss-storage-class", class)
        .body("content");
    assert_eq!(client.send(request).await.status, 200);
}

fn restore(days: u32, tier: Option<&str>) -> Request {
    let job = tier.map(|tier| format!("<JobParameters><Tier>{tier}</Tier></JobParameters>"));
    Request::post("/bucket/k?restore").body(format!(
        "<RestoreRequest><Days>{days}</Days>{}</RestoreRequest>",
        job.unwrap_or_default()
    ))
}

async fn shown(client: &Client) -> Option<String> {
    let head = client.send(Request::new("HEAD", "/bucket/k")).await;
    let list = client.send(Request::get("/bucket?list-type=2")).await;
    let listed = list.element("RestoreInfo").map(|text| text.replace("&quot;", "\""));
    assert_eq!(head.header("x-oss-restore"), listed.as_deref());
    listed
}

#[tokio::test]
async fn an_archived_object_is_readable_between_restore_and_expiry() {
    let (_emulator, clock, mut client) = start().await;
    put(&client, "Archive").await;
    let frozen = client.send(Request::get("/bucket/k")).await;
    assert_eq!(frozen.error(), (403, "InvalidObjectState".to_owned()));
    assert_eq!(shown(&client).await, None);

    assert_eq!(client.send(restore(2, None)).await.status, 202);
    assert_eq!(shown(&client).await.as_deref(), Some("ongoing-request=\"true\""));
    let again = client.send(restore(2, None)).await;
    assert_eq!(again.error(), (409, "RestoreAlreadyInProgress".to_owned()));
    assert_eq!(client.send(Request::get("/bucket/k")).await.status, 403);

    advance(&clock, &mut client, 60);
    assert_eq!(
        shown(&client).await.as_deref(),
        Some("ongoing-request=\"false\", expiry-date=\"Tue, 19 Dec 2023 16:21:57 GMT\"")
    );
    assert_eq!(client.send(Request::get("/bucket/k")).await.text(), "content");

    advance(&clock, &mut client, 24 * HOUR);
    assert_eq!(client.send(restore(3, None)).await.status, 200, "prolongs");
    assert_eq!(
        shown(&client).await.as_deref(),
        Some("ongoing-request=\"false\", expiry-date=\"Thu, 21 Dec 2023 16:21:57 GMT\"")
    );

    advance(&clock, &mut client, 3 * 24 * HOUR);
    assert_eq!(shown(&client).await, None);
    assert_eq!(client.send(Request::get("/bucket/k")).await.status, 403);
    assert_eq!(client.send(restore(1, None)).await.status, 202);
}

#[tokio::test]
async fn colder_archives_take_their_time() {
    for (class, tier, seconds) in [
        ("ColdArchive", Some("Expedited"), HOUR),
        ("ColdArchive", None, 5 * HOUR),
        ("ColdArchive", Some("Bulk"), 12 * HOUR),
        ("DeepColdArchive", Some("Expedited"), 12 * HOUR),
        ("DeepColdArchive", Some("Standard"), 48 * HOUR),
    ] {
        let (_emulator, clock, mut client) = start().await;
        put(&client, class).await;
        let begun = client.send(restore(1, tier)).await;
        assert_eq!(
            (begun.status, begun.header("x-oss-object-restore-priority")),
            (202, Some(tier.unwrap_or("Standard")))
        );
        advance(&clock, &mut client, seconds - 1);
        assert_eq!(
            client.send(Request::get("/bucket/k")).await.status,
            403,
            "{class} {tier:?}"
        );
        advance(&clock, &mut client, 1);
        assert_eq!(
            client.send(Request::get("/bucket/k")).await.status,
            200,
            "{class} {tier:?}"
        );
    }
}

#[tokio::test]
async fn a_restore_under_way_can_only_become_faster() {
    let (_emulator, clock, mut client) = start().await;
    put(&client, "ColdArchive").await;
    assert_eq!(client.send(restore(1, Some("Standard"))).await.status, 202);
    for tier in [Some("Bulk"), Some("Standard"), None] {
        let refused = client.send(restore(1, tier)).await;
        assert_eq!(
            refused.error(),
            (409, "RestoreAlreadyInProgress".to_owned()),
            "{tier:?}"
        );
    }
    assert_eq!(client.send(restore(1, Some("Expedited"))).await.status, 202);
    advance(&clock, &mut client, HOUR);
    assert_eq!(client.send(Request::get("/bucket/k")).await.status, 200);
}

#[tokio::test]
async fn what_cannot_be_restored_is_refused() {
    let (_emulator, _clock, client) = start().await;
    let missing = client.send(restore(1, None)).await;
    assert_eq!(missing.error(), (404, "NoSuchKey".to_owned()));
    for (class, days, tier, code) in [
        ("Standard", 1, None, "OperationNotSupported"),
        ("IA", 1, None, "OperationNotSupported"),
        ("Archive", 8, None, "InvalidArgument"),
        ("ColdArchive", 366, None, "MalformedXML"),
        ("ColdArchive", 0, None, "MalformedXML"),
        ("ColdArchive", 1, Some("Slow"), "MalformedXML"),
        ("DeepColdArchive", 1, Some("Bulk"), "InvalidArgument"),
    ] {
        put(&client, class).await;
        let answer = client.send(restore(days, tier)).await;
        assert_eq!(answer.error(), (400, code.to_owned()), "{class} {days} {tier:?}");
    }
}

#[tokio::test]
async fn a_restored_copy_can_be_given_up() {
    let (_emulator, clock, mut client) = start().await;
    let clean = || Request::post("/bucket/k?cleanRestoredObject");
    put(&client, "Archive").await;
    let plain = client.send(clean()).await;
    assert_eq!(plain.error(), (400, "OperationNotSupported".to_owned()));
    put(&client, "ColdArchive").await;
    let never = client.send(clean()).await;
    assert_eq!(never.error(), (409, "ArchiveRestoreFileStale".to_owned()));
    client.send(restore(1, Some("Expedited"))).await;
    let early = client.send(clean()).await;
    assert_eq!(early.error(), (409, "ArchiveRestoreNotFinished".to_owned()));
    advance(&clock, &mut client, HOUR);
    assert_eq!(client.send(clean()).await.status, 200);
    assert_eq!(client.send(Request::get("/bucket/k")).await.status, 403);
    assert_eq!(client.send(clean()).await.status, 409);
}

#[tokio::test]
async fn direct_reads_of_archives_are_a_choice_of_the_bucket() {
    let (_emulator, _clock, client) = start().await;
    put(&client, "Archive").await;
    let allow = "<ArchiveDirectReadConfiguration><Enabled>true</Enabled></ArchiveDirectReadConfiguration>";
    let allowed = client
        .send(Request::put("/bucket?bucketArchiveDirectRead").body(allow))
        .await;
    assert_eq!(allowed.status, 200);
    assert_eq!(client.send(Request::get("/bucket/k")).await.text(), "content");
    put(&client, "ColdArchive").await;
    assert_eq!(client.send(Request::get("/bucket/k")).await.status, 403);
}

#[tokio::test]
async fn archived_objects_are_copied_once_they_are_restored() {
    let (_emulator, clock, mut client) = start().await;
    put(&client, "Archive").await;
    let copy = || Request::put("/bucket/copy").header("x-oss-copy-source", "/bucket/k");
    let frozen = client.send(copy()).await;
    assert_eq!(frozen.error(), (403, "InvalidObjectState".to_owned()));
    client.send(restore(1, None)).await;
    advance(&clock, &mut client, 60);
    assert_eq!(client.send(copy()).await.status, 200);
    let thawed = client.send(Request::get("/bucket/copy")).await;
    assert_eq!(
        (thawed.text().as_str(), thawed.header("x-oss-restore")),
        ("content", None)
    );
}

#[tokio::test]
async fn each_version_is_restored_by_itself() {
    let (_emulator, clock, mut client) = start().await;
    let enabled = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    client.send(Request::put("/bucket?versioning").body(enabled)).await;
    put(&client, "Archive").await;
    put(&client, "Archive").await;
    let versions = client
        .send(Request::get("/bucket?versions"))
        .await
        .elements("VersionId");
    let (newest, oldest) = (versions[0].as_str(), versions[1].as_str());
    let begun = client.send(restore(1, None).query("versionId", oldest)).await;
    assert_eq!((begun.status, begun.header("x-oss-version-id")), (202, Some(oldest)));
    advance(&clock, &mut client, 60);
    let get = |version: &str| Request::get("/bucket/k").query("versionId", version);
    assert_eq!(client.send(get(oldest)).await.status, 200);
    assert_eq!(client.send(get(newest)).await.status, 403);
}
