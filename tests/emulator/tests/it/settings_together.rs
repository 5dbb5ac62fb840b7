//! Settings that many ask for at once, and settings that exclude each other: what one request decided, no other undoes.

use oss_emulator::{AdminOptions, Clock, DEFAULT_ACCOUNT_ID, Emulator};
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::client::{Client, Request, Response, noon, start_with_bucket};
use crate::live::Live;

/// An emulator that keeps its data in a directory: changes wait for the disk there, so requests overtake each other.
async fn start() -> (TempDir, Emulator, Client) {
    let directory = tempfile::tempdir().unwrap();
    let emulator = Emulator::builder()
        .clock(Clock::fixed(noon()))
        .data_dir(directory.path())
        .admin(AdminOptions::new().token("a-token-of-the-tests"))
        .start()
        .await
        .unwrap();
    let client = Client::of(&emulator);
    for bucket in ["/bucket", "/target"] {
        assert_eq!(client.send(Request::put(bucket)).await.status, 200);
    }
    (directory, emulator, client)
}

/// Sends requests at once; the answers, successes first.
async fn at_once(client: &Client, requests: impl IntoIterator<Item = Request>) -> Vec<Response> {
    let mut sent = JoinSet::new();
    for request in requests {
        let client = client.clone();
        sent.spawn(async move { client.send(request).await });
    }
    let mut answers = sent.join_all().await;
    answers.sort_by_key(|answer| answer.status);
    answers
}

/// How many succeeded, and the code of the others.
fn counted(answers: &[Response]) -> (usize, Vec<String>) {
    let done = answers.iter().filter(|answer| answer.status == 200).count();
    let mut codes: Vec<String> = answers[done..]
        .iter()
        .map(|answer| match answer.element("Code") {
            Some(code) => code,
            None => answer.json()["Error"]["Code"].as_str().unwrap_or_default().to_owned(),
        })
        .collect();
    codes.dedup();
    (done, codes)
}

fn once(code: &str) -> (usize, Vec<String>) {
    (1, vec![code.to_owned()])
}

fn cname(domain: &str) -> String {
    format!("<BucketCnameConfiguration><Cname><Domain>{domain}</Domain></Cname></BucketCnameConfiguration>")
}

#[tokio::test]
async fn of_many_that_exclude_each_other_one_is_taken() {
    let (_directory, _emulator, client) = start().await;
    let transition = Request::post("/bucket?redundancyTransition&x-oss-target-redundancy-type=ZRS");
    let transitions = at_once(&client, vec![transition; 8]).await;
    assert_eq!(
        counted(&transitions),
        once("BucketDataRedundancyTransitionTaskStatusConflict")
    );
    let rule = "<ReplicationConfiguration><Rule><Destination><Bucket>target</Bucket>\
        <Location>oss-cn-hangzhou</Location></Destination></Rule></ReplicationConfiguration>";
    let replication = Request::post("/bucket?replication&comp=add").body(rule);
    let rules = at_once(&client, vec![replication; 8]).await;
    assert_eq!(counted(&rules), once("BucketReplicationAlreadyExist"));
    let inventory = "<InventoryConfiguration><Id>i</Id><IsEnabled>true</IsEnabled><Destination><OSSBucketDestination>\
        <Format>CSV</Format><AccountId>1234567890123456</AccountId><RoleArn>acs:ram::1234567890123456:role/r</RoleArn>\
        <Bucket>acs:oss:::target</Bucket></OSSBucketDestination></Destination><Schedule><Frequency>Daily</Frequency>\
        </Schedule><IncludedObjectVersions>All</IncludedObjectVersions></InventoryConfiguration>";
    let inventory = Request::put("/bucket?inventory&inventoryId=i").body(inventory);
    let lists = at_once(&client, vec![inventory; 8]).await;
    assert_eq!(counted(&lists), once("InventoryAlreadyExist"));
}

#[tokio::test]
async fn limits_hold_for_requests_that_come_at_once() {
    let (_directory, _emulator, client) = start().await;
    let style = |number: usize| {
        Request::put(&format!("/bucket?style&styleName=s{number}")).body("<Style><Content>image/info</Content></Style>")
    };
    let styles = at_once(&client, (0..99).map(style)).await;
    assert_eq!(counted(&styles), (99, vec![]));
    let styles = at_once(&client, (99..107).map(style)).await;
    assert_eq!(counted(&styles), once("InvalidArgument"));
    let point = |number: usize| {
        Request::put("/bucket?accessPoint").body(format!(
            "<CreateAccessPointConfiguration><AccessPointName>point-{number}</AccessPointName>\
             <NetworkOrigin>internet</NetworkOrigin></CreateAccessPointConfiguration>"
        ))
    };
    let points = at_once(&client, (0..104).map(point)).await;
    assert_eq!(counted(&points), (100, vec!["InvalidArgument".to_owned()]));
    let token =
        |number: usize| Request::post("/bucket?cname&comp=token").body(cname(&format!("n{number}.example.com")));
    let tokens = at_once(&client, (0..104).map(token)).await;
    assert_eq!(counted(&tokens), (100, vec!["TooManyCnameToken".to_owned()]));
    let vectors = |number: usize| {
        let resource = format!("/acs:ossvector:cn-hangzhou:{DEFAULT_ACCOUNT_ID}:vectors{number}/");
        Request::put(&format!("/vectors{number}")).resource(&resource)
    };
    let buckets = at_once(&client, (0..14).map(vectors)).await;
    assert_eq!(counted(&buckets), (10, vec!["TooManyBuckets".to_owned()]));
    // One that is there is refused for that, and not for the others.
    let again = at_once(&client, (0..14).map(vectors)).await;
    let taken = again.iter().filter(|answer| answer.status == 409).count();
    assert_eq!(taken, 10);
}

#[tokio::test]
async fn changes_of_parts_at_once_are_all_kept() {
    let (_directory, _emulator, client) = start().await;
    let both = "<MetadataConfiguration><JournalTableConfiguration/></MetadataConfiguration>";
    let made = client
        .send(Request::post("/bucket?metadataConfiguration").body(both))
        .await;
    assert_eq!(made.status, 200, "{}", made.text());
    for _ in 0..4 {
        let journal = "<JournalTableConfiguration><RecordExpiration><Expiration>ENABLED</Expiration><Days>30</Days>\
            </RecordExpiration></JournalTableConfiguration>";
        let inventory = "<InventoryTableConfiguration><ConfigurationState>ENABLED</ConfigurationState></InventoryTableConfiguration>";
        let changes = [
            Request::put("/bucket?metadataJournalTable").body(journal),
            Request::put("/bucket?metadataInventoryTable").body(inventory),
        ];
        assert_eq!(counted(&at_once(&client, changes).await).0, 2);
        let kept = client.send(Request::get("/bucket?metadataConfiguration")).await.text();
        assert!(kept.contains("<Days>30</Days>") && kept.contains(">ENABLED<"), "{kept}");
    }
}

#[tokio::test]
async fn a_domain_name_goes_to_one_bucket_for_as_long_as_it_is_there() {
    let (_directory, _emulator, client) = start().await;
    for bucket in ["bucket", "target"] {
        let token = Request::post(&format!("/{bucket}?cname&comp=token")).body(cname("files.example.com"));
        assert_eq!(client.send(token).await.status, 200);
        let open = Request::put(&format!("/{bucket}/k"))
            .header("x-oss-object-acl", "public-read")
            .body(bucket);
        assert_eq!(client.send(open).await.status, 200);
    }
    let bind = |bucket: &str| Request::post(&format!("/{bucket}?cname&comp=add")).body(cname("files.example.com"));
    let bound = at_once(&client, [bind("bucket"), bind("target")]).await;
    assert_eq!(counted(&bound), once("CnameAlreadyExists"));
    let by_name = Client {
        host: "files.example.com".to_owned(),
        ..client.clone()
    };
    let owner = by_name.send_as_is(Request::get("/k")).await.text();
    let listed = client.send(Request::get(&format!("/{owner}?cname"))).await;
    assert_eq!(listed.elements("Domain"), ["files.example.com"]);
    client.send(Request::delete(&format!("/{owner}/k"))).await;
    assert_eq!(client.send(Request::delete(&format!("/{owner}"))).await.status, 204);
    // A later bucket of that name has not the name of the one before.
    assert_eq!(client.send(Request::put(&format!("/{owner}"))).await.status, 200);
    let unknown = by_name.send_as_is(Request::get("/k")).await;
    assert_eq!(unknown.error(), (404, "NoSuchBucket".to_owned()));
    let other = if owner == "bucket" { "target" } else { "bucket" };
    assert_eq!(client.send(bind(other)).await.status, 200);
    assert_eq!(by_name.send_as_is(Request::get("/k")).await.text(), other);
}

#[tokio::test]
async fn a_reset_forgets_domain_names_that_buckets_asked_for() {
    let emulator = Emulator::builder()
        .clock(Clock::fixed(noon()))
        .cname("fixed.example.com", "bucket")
        .admin(AdminOptions::new().token("a-token-of-the-tests"))
        .start()
        .await
        .unwrap();
    let client = Client::of(&emulator);
    let fill = async || {
        client.send(Request::put("/bucket")).await;
        let open = Request::put("/bucket/k").header("x-oss-object-acl", "public-read");
        assert_eq!(client.send(open.body("text")).await.status, 200);
    };
    fill().await;
    for comp in ["token", "add"] {
        let request = Request::post(&format!("/bucket?cname&comp={comp}")).body(cname("asked.example.com"));
        assert_eq!(client.send(request).await.status, 200);
    }
    let address = emulator.admin_endpoint().unwrap().replace("http://", "");
    let manager = Client {
        host: address.clone(),
        address,
        ..client.clone()
    };
    let reset = Request::post("/_admin/reset")
        .header("authorization", "Bearer a-token-of-the-tests")
        .header("content-type", "application/json")
        .body("{}");
    let reset = manager.send_as_is(reset).await;
    assert_eq!(reset.status, 200, "{}", reset.text());
    fill().await;
    for (host, status) in [("asked.example.com", 404), ("fixed.example.com", 200)] {
        let by_name = Client {
            host: host.to_owned(),
            ..client.clone()
        };
        assert_eq!(by_name.send_as_is(Request::get("/k")).await.status, status, "{host}");
    }
}

const OBJECT_WORM: &str =
    "<ObjectWormConfiguration><ObjectWormEnabled>Enabled</ObjectWormEnabled></ObjectWormConfiguration>";
const BUCKET_WORM: &str =
    "<InitiateWormConfiguration><RetentionPeriodInDays>1</RetentionPeriodInDays></InitiateWormConfiguration>";

#[tokio::test]
async fn retention_of_a_bucket_and_of_its_objects_exclude_each_other() {
    let client = Live::start().await;
    let versioning = async |status: &str| {
        let document = format!("<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>");
        client
            .send(Request::put("/bucket?versioning").body(document))
            .await
            .error()
    };
    let of_objects = async || {
        client
            .send(Request::put("/bucket?objectWorm").body(OBJECT_WORM))
            .await
            .error()
    };
    let of_bucket = async || {
        client
            .send(Request::post("/bucket?worm").body(BUCKET_WORM))
            .await
            .error()
    };
    let done = || (200, String::new());
    let refused = || (400, "InvalidRequest".to_owned());
    let invalid = || (400, "InvalidWORMConfiguration".to_owned());
    assert_eq!(of_objects().await, refused(), "without versions");
    assert_eq!(versioning("Suspended").await, done());
    assert_eq!(of_objects().await, refused(), "with suspended versions");
    assert_eq!(of_bucket().await, invalid(), "with suspended versions");
    assert_eq!(versioning("Enabled").await, done());
    assert_eq!(of_bucket().await, done());
    assert_eq!(of_objects().await, refused(), "the bucket has a policy");
    assert_eq!(versioning("Suspended").await, refused(), "the bucket has a policy");
    assert_eq!(client.send(Request::delete("/bucket?worm")).await.status, 204);
    assert_eq!(of_objects().await, done());
    assert_eq!(of_bucket().await, invalid(), "objects are retained one by one");
    assert_eq!(
        versioning("Suspended").await,
        refused(),
        "objects are retained one by one"
    );
}

#[tokio::test]
async fn of_retention_and_suspended_versions_asked_for_at_once_one_is_taken() {
    let (_directory, _emulator, client) = start().await;
    let status = |status: &str| {
        let document = format!("<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>");
        Request::put("/bucket?versioning").body(document)
    };
    assert_eq!(client.send(status("Enabled")).await.status, 200);
    let answers = at_once(
        &client,
        [
            Request::post("/bucket?worm").body(BUCKET_WORM),
            status("Suspended"),
            Request::put("/bucket?objectWorm").body(OBJECT_WORM),
        ],
    )
    .await;
    assert_eq!(counted(&answers).0, 1);
}

#[tokio::test]
async fn a_bucket_begins_with_its_settings_or_not_at_all() {
    let (_emulator, client) = start_with_bucket().await;
    for (header, value, refusal) in [
        ("x-oss-bucket-tagging", "a%00b=c", "InvalidArgument"),
        ("x-oss-bucket-tagging", "a=%01", "InvalidArgument"),
        ("x-oss-bucket-tagging", "Aliyun=1", "InvalidTaggingKey"),
        ("x-oss-bucket-tagging", "a=1&a=2", "RepeatedTags"),
        ("x-oss-resource-group-id", "nonesuch", "ResourceGroupIdPreCheckError"),
    ] {
        let made = client.send(Request::put("/another").header(header, value)).await;
        assert_eq!(made.error(), (400, refusal.to_owned()), "{header}: {value}");
        assert_eq!(client.send(Request::get("/another?bucketInfo")).await.status, 404);
    }
    let made = Request::put("/another")
        .header("x-oss-bucket-tagging", "a=b")
        .header("x-oss-resource-group-id", "rg-1");
    assert_eq!(client.send(made).await.status, 200);
    let tags = client.send(Request::get("/another?tagging")).await;
    assert_eq!(tags.element("Key").as_deref(), Some("a"), "{}", tags.text());
}

#[tokio::test]
async fn metadata_queries_know_how_objects_are_encrypted() {
    let client = Live::start().await;
    let secret = Request::put("/bucket/secret").header("x-oss-server-side-encryption", "AES256");
    assert_eq!(client.send(secret.body("x")).await.status, 200);
    assert_eq!(client.send(Request::put("/bucket/plain").body("x")).await.status, 200);
    assert_eq!(
        client.send(Request::post("/bucket?metaQuery&comp=add")).await.status,
        200
    );
    client.advance(std::time::Duration::from_secs(3600));
    let query = r#"{"Field":"ServerSideEncryption","Value":"AES256","Operation":"eq"}"#.replace('"', "&quot;");
    let request = Request::post("/bucket?metaQuery&comp=query&mode=basic")
        .body(format!("<MetaQuery><Query>{query}</Query></MetaQuery>"));
    let found = client.send(request).await;
    assert_eq!(found.elements("Filename"), ["secret"], "{}", found.text());
}

#[tokio::test]
async fn inventory_lists_have_all_pages_of_a_large_bucket() {
    use std::io::Read as _;
    let (emulator, client) = start_with_bucket().await;
    for number in 0..1100 {
        let put = Request::put(&format!("/bucket/k{number:04}")).body("x");
        assert_eq!(client.send(put).await.status, 200);
    }
    assert_eq!(client.send(Request::put("/target")).await.status, 200);
    let rule = "<InventoryConfiguration><Id>i</Id><IsEnabled>true</IsEnabled><Destination><OSSBucketDestination>\
        <Format>CSV</Format><AccountId>1234567890123456</AccountId><RoleArn>acs:ram::1234567890123456:role/r</RoleArn>\
        <Bucket>acs:oss:::target</Bucket></OSSBucketDestination></Destination><Schedule><Frequency>Daily</Frequency>\
        </Schedule><IncludedObjectVersions>All</IncludedObjectVersions></InventoryConfiguration>";
    let put = Request::put("/bucket?inventory&inventoryId=i").body(rule);
    assert_eq!(client.send(put).await.status, 200);
    let report = emulator.run_inventory().await.unwrap();
    let manifest = client.send(Request::get(&format!("/{}", report.manifests[0]))).await;
    let file = &manifest.json()["files"][0];
    let list = client
        .send(Request::get(&format!("/target/{}", file["key"].as_str().unwrap())))
        .await;
    assert_eq!(file["size"].as_u64(), Some(list.body.len() as u64));
    assert_eq!(file["MD5checksum"], crate::client::md5_hex(&list.body));
    let mut text = String::new();
    flate2::read::GzDecoder::new(list.body.as_slice())
        .read_to_string(&mut text)
        .unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 1100);
    assert!(lines[0].contains("k0000") && lines[1099].contains("k1099"));
}
