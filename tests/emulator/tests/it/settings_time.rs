//! Lifecycle rules and inventory lists, carried out by the clock.

use std::io::Read as _;
use std::time::Duration;

use crate::client::Request;
use crate::live::Live;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);
/// From the start of the clock, 2023-12-17T16:20:57Z, to the next midnight in UTC.
const TO_MIDNIGHT: Duration = Duration::from_secs(7 * 3600 + 39 * 60 + 3);

async fn put_rules(client: &Live, rules: &str) -> (u16, String) {
    let document = format!("<LifecycleConfiguration>{rules}</LifecycleConfiguration>");
    client
        .send(Request::put("/bucket?lifecycle").body(document))
        .await
        .error()
}

fn rule(inner: &str) -> String {
    format!("<Rule><Status>Enabled</Status>{inner}</Rule>")
}

fn expire_after(prefix: &str, days: u32) -> String {
    rule(&format!(
        "<Prefix>{prefix}</Prefix><Expiration><Days>{days}</Days></Expiration>"
    ))
}

fn done() -> (u16, String) {
    (200, String::new())
}

async fn put(client: &Live, key: &str, body: impl Into<Vec<u8>>) {
    let answer = client.send(Request::put(&format!("/bucket/{key}")).body(body)).await;
    assert_eq!(answer.status, 200, "{key}");
}

async fn keys(client: &Live) -> Vec<String> {
    client.send(Request::get("/bucket?list-type=2")).await.elements("Key")
}

#[tokio::test]
async fn an_object_expires_at_its_midnight_and_not_before() {
    let client = Live::start().await;
    assert_eq!(put_rules(&client, &expire_after("logs/", 1)).await, done());
    put(&client, "logs/a", "x").await;
    put(&client, "kept", "x").await;
    // A day later is half past four; the midnight after that is the instant.
    for step in [DAY, TO_MIDNIGHT - MINUTE, MINUTE - Duration::from_secs(1)] {
        client.advance(step);
        let report = client.emulator.run_lifecycle().await.unwrap();
        assert_eq!(report.expired, 0);
    }
    assert_eq!(keys(&client).await, ["kept", "logs/a"]);
    client.advance(Duration::from_secs(1));
    assert_eq!(client.emulator.run_lifecycle().await.unwrap().expired, 1);
    assert_eq!(keys(&client).await, ["kept"]);
    assert_eq!(client.emulator.run_lifecycle().await.unwrap().expired, 0);
}

#[tokio::test]
async fn rules_choose_by_tags_sizes_and_exclusions() {
    let client = Live::start().await;
    let days = "<Expiration><Days>1</Days></Expiration>";
    let rules = [
        rule(&format!(
            "<Prefix>tagged/</Prefix><Tag><Key>t</Key><Value>1</Value></Tag>{days}"
        )),
        rule(&format!(
            "<Prefix>sized/</Prefix><Filter><ObjectSizeGreaterThan>2</ObjectSizeGreaterThan><ObjectSizeLessThan>5</ObjectSizeLessThan></Filter>{days}"
        )),
        rule(&format!(
            "<Prefix>not/</Prefix><Filter><Not><Prefix>not/this/</Prefix></Not></Filter>{days}"
        )),
        format!("<Rule><Status>Disabled</Status><Prefix>off/</Prefix>{days}</Rule>"),
    ];
    assert_eq!(put_rules(&client, &rules.concat()).await, done());
    let tagged = Request::put("/bucket/tagged/yes")
        .header("x-oss-tagging", "t=1&u=2")
        .body("x");
    assert_eq!(client.send(tagged).await.status, 200);
    for (key, size) in [
        ("tagged/no", 1),
        ("sized/small", 2),
        ("sized/middle", 3),
        ("sized/large", 5),
        ("not/that", 1),
        ("not/this/one", 1),
        ("off/a", 1),
    ] {
        put(&client, key, vec![b'x'; size]).await;
    }
    client.advance(2 * DAY);
    assert_eq!(client.emulator.run_lifecycle().await.unwrap().expired, 3);
    assert_eq!(
        keys(&client).await,
        ["not/this/one", "off/a", "sized/large", "sized/small", "tagged/no"]
    );
}

#[tokio::test]
async fn dates_act_from_their_day_on() {
    let client = Live::start().await;
    let rules =
        rule("<Prefix/><Expiration><CreatedBeforeDate>2023-12-18T00:00:00.000Z</CreatedBeforeDate></Expiration>");
    assert_eq!(put_rules(&client, &rules).await, done());
    put(&client, "before", "x").await;
    client.advance(TO_MIDNIGHT - MINUTE);
    assert_eq!(client.emulator.run_lifecycle().await.unwrap().expired, 0);
    client.advance(MINUTE);
    put(&client, "after", "x").await;
    assert_eq!(client.emulator.run_lifecycle().await.unwrap().expired, 1);
    assert_eq!(keys(&client).await, ["after"]);
}

#[tokio::test]
async fn versions_get_markers_then_go_and_markers_after_them() {
    let client = Live::start().await;
    let versioning = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    client.send(Request::put("/bucket?versioning").body(versioning)).await;
    let rules = [
        expire_after("a", 1),
        rule(
            "<Prefix>a</Prefix><NoncurrentVersionExpiration><NoncurrentDays>2</NoncurrentDays></NoncurrentVersionExpiration>",
        ),
        rule("<Prefix>a</Prefix><Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>"),
    ];
    assert_eq!(
        put_rules(&client, &rules.concat()).await.0,
        400,
        "two rules expire the same keys"
    );
    let document = format!("<LifecycleConfiguration>{}</LifecycleConfiguration>", rules.concat());
    let overlapping = Request::put("/bucket?lifecycle")
        .header("x-oss-allow-same-action-overlap", "true")
        .body(document);
    assert_eq!(client.send(overlapping).await.status, 200);
    put(&client, "a", "first").await;
    client.advance(HOUR);
    put(&client, "a", "second").await;
    client.advance(2 * DAY);
    let report = client.emulator.run_lifecycle().await.unwrap();
    assert_eq!((report.expired, report.noncurrent_expired), (1, 0));
    let answer = client.send(Request::get("/bucket/a")).await;
    assert_eq!(
        (answer.status, answer.header("x-oss-delete-marker")),
        (404, Some("true"))
    );
    client.advance(DAY);
    let report = client.emulator.run_lifecycle().await.unwrap();
    assert_eq!(
        (report.expired, report.noncurrent_expired, report.markers_removed),
        (0, 1, 0)
    );
    client.advance(2 * DAY);
    assert_eq!(client.emulator.run_lifecycle().await.unwrap().noncurrent_expired, 1);
    assert_eq!(client.emulator.run_lifecycle().await.unwrap().markers_removed, 1);
    let left = client.send(Request::get("/bucket?versions")).await;
    assert!(left.elements("VersionId").is_empty(), "{}", left.text());
}

#[tokio::test]
async fn objects_grow_colder_and_uploads_are_given_up() {
    let client = Live::start().await;
    let step = |class: &str, days: u32| {
        format!("<Transition><Days>{days}</Days><StorageClass>{class}</StorageClass></Transition>")
    };
    let rules = [
        rule(&format!("<Prefix>a</Prefix>{}{}", step("IA", 1), step("Archive", 3))),
        rule("<Prefix>up</Prefix><AbortMultipartUpload><Days>1</Days></AbortMultipartUpload>"),
    ];
    assert_eq!(put_rules(&client, &rules.concat()).await, done());
    put(&client, "a", "x").await;
    let modified = client
        .send(Request::new("HEAD", "/bucket/a"))
        .await
        .header("last-modified")
        .map(str::to_owned);
    for upload in ["up", "other"] {
        assert_eq!(
            client
                .send(Request::post(&format!("/bucket/{upload}?uploads")))
                .await
                .status,
            200
        );
    }
    client.advance(2 * DAY);
    let report = client.emulator.run_lifecycle().await.unwrap();
    assert_eq!((report.transitioned, report.uploads_aborted), (1, 1));
    let head = client.send(Request::new("HEAD", "/bucket/a")).await;
    assert_eq!(head.header("x-oss-storage-class"), Some("IA"));
    assert_eq!(head.header("last-modified").map(str::to_owned), modified);
    assert_eq!(
        client.send(Request::get("/bucket?uploads")).await.elements("Key"),
        ["other"]
    );
    client.advance(2 * DAY);
    assert_eq!(client.emulator.run_lifecycle().await.unwrap().transitioned, 1);
    let head = client.send(Request::new("HEAD", "/bucket/a")).await;
    assert_eq!(head.header("x-oss-storage-class"), Some("Archive"));
    assert_eq!(client.emulator.run_lifecycle().await.unwrap().transitioned, 0);
}

#[tokio::test]
async fn an_object_that_is_read_stays_warm() {
    let client = Live::start().await;
    let transition = "<Transition><Days>5</Days><StorageClass>IA</StorageClass><IsAccessTime>true</IsAccessTime>\
        <ReturnToStdWhenVisit>false</ReturnToStdWhenVisit><AllowSmallFile>true</AllowSmallFile></Transition>";
    let rules = rule(&format!("<Prefix/>{transition}"));
    assert_eq!(
        put_rules(&client, &rules).await,
        (400, "InvalidArgument".to_owned()),
        "accesses are not tracked"
    );
    let monitor = "<AccessMonitorConfiguration><Status>Enabled</Status></AccessMonitorConfiguration>";
    client.send(Request::put("/bucket?accessmonitor").body(monitor)).await;
    assert_eq!(put_rules(&client, &rules).await, done());
    put(&client, "read", "x").await;
    put(&client, "left", "x").await;
    client.advance(4 * DAY);
    assert_eq!(client.send(Request::get("/bucket/read")).await.status, 200);
    client.advance(2 * DAY);
    assert_eq!(client.emulator.run_lifecycle().await.unwrap().transitioned, 1);
    let class = async |key: &str| {
        let head = client.send(Request::new("HEAD", &format!("/bucket/{key}"))).await;
        head.header("x-oss-storage-class").map(str::to_owned)
    };
    assert_eq!(class("left").await.as_deref(), Some("IA"));
    assert_eq!(class("read").await.as_deref(), Some("Standard"));
}

#[tokio::test]
async fn an_object_that_grew_cold_returns_when_it_is_read_if_its_rule_says_so() {
    let client = Live::start().await;
    let monitor = "<AccessMonitorConfiguration><Status>Enabled</Status></AccessMonitorConfiguration>";
    client.send(Request::put("/bucket?accessmonitor").body(monitor)).await;
    let rule = |prefix: &str, returns: bool| {
        rule(&format!(
            "<Prefix>{prefix}</Prefix><Transition><Days>5</Days><StorageClass>IA</StorageClass>\
             <IsAccessTime>true</IsAccessTime><ReturnToStdWhenVisit>{returns}</ReturnToStdWhenVisit>\
             <AllowSmallFile>true</AllowSmallFile></Transition>"
        ))
    };
    let rules = [rule("returns", true), rule("stays", false)].concat();
    assert_eq!(put_rules(&client, &rules).await, done());
    put(&client, "returns", "x").await;
    put(&client, "stays", "x").await;
    let written_so = Request::put("/bucket/returns-not").header("x-oss-storage-class", "IA");
    assert_eq!(client.send(written_so.body("x")).await.status, 200);
    client.advance(6 * DAY);
    assert_eq!(client.emulator.run_lifecycle().await.unwrap().transitioned, 2);
    let class = async |key: &str| {
        let head = client.send(Request::new("HEAD", &format!("/bucket/{key}"))).await;
        head.header("x-oss-storage-class").map(str::to_owned)
    };
    assert_eq!(
        class("returns").await.as_deref(),
        Some("IA"),
        "a look at it is no visit"
    );
    for (key, left) in [("returns", "Standard"), ("stays", "IA"), ("returns-not", "IA")] {
        assert_eq!(client.send(Request::get(&format!("/bucket/{key}"))).await.text(), "x");
        assert_eq!(class(key).await.as_deref(), Some(left), "{key}");
    }
    client.advance(DAY);
    assert_eq!(client.emulator.run_lifecycle().await.unwrap().transitioned, 0);
}

#[tokio::test]
async fn rules_that_contradict_are_refused() {
    let client = Live::start().await;
    let days = "<Expiration><Days>10</Days></Expiration>";
    let with_id = |id: &str, prefix: &str| rule(&format!("<ID>{id}</ID><Prefix>{prefix}</Prefix>{days}"));
    let step = |inner: &str| rule(&format!("<Prefix/><Transition>{inner}</Transition>{days}"));
    let bad = "InvalidArgument";
    for (rules, code) in [
        (String::new(), "MalformedXML"),
        (rule("<Prefix/>"), "MalformedXML"),
        (
            rule("<Prefix>a</Prefix><Prefix>b</Prefix><Expiration><Days>1</Days></Expiration>"),
            "MalformedXML",
        ),
        (with_id("a", "x") + &with_id("a", "y"), bad),
        (with_id("a", "x") + &with_id("b", "x/y"), bad),
        (rule("<Prefix/><Expiration><Days>0</Days></Expiration>"), bad),
        (rule("<Prefix/><Expiration><Days>x</Days></Expiration>"), "MalformedXML"),
        (rule("<Prefix/><Expiration/>"), "MalformedXML"),
        (
            rule(
                "<Prefix/><Expiration><Days>1</Days><CreatedBeforeDate>2023-01-01T00:00:00.000Z</CreatedBeforeDate></Expiration>",
            ),
            "MalformedXML",
        ),
        (
            rule("<Prefix/><Expiration><CreatedBeforeDate>2023-01-01T01:00:00.000Z</CreatedBeforeDate></Expiration>"),
            bad,
        ),
        (step("<Days>10</Days><StorageClass>IA</StorageClass>"), bad),
        (step("<Days>1</Days><StorageClass>Standard</StorageClass>"), bad),
        (
            step("<Days>1</Days><StorageClass>Lukewarm</StorageClass>"),
            "MalformedXML",
        ),
        (
            step("<Days>1</Days><StorageClass>IA</StorageClass><ReturnToStdWhenVisit>true</ReturnToStdWhenVisit>"),
            bad,
        ),
        (
            rule("<Tag><Key>a</Key><Value>b</Value></Tag><AbortMultipartUpload><Days>1</Days></AbortMultipartUpload>"),
            bad,
        ),
        (
            rule(&format!(
                "<Prefix>a</Prefix><Filter><Not><Prefix>b</Prefix></Not></Filter>{days}"
            )),
            bad,
        ),
        (expire_after("", 1).replace("Enabled", "On"), "MalformedXML"),
        (
            (0..1001)
                .map(|number| with_id(&number.to_string(), &format!("{number}/")))
                .collect(),
            "MalformedXML",
        ),
    ] {
        let answer = put_rules(&client, &rules).await;
        assert_eq!(answer, (400, code.to_owned()), "{}", &rules[..rules.len().min(300)]);
    }
    let thousand: String = (0..1000)
        .map(|number| with_id(&number.to_string(), &format!("{number}/")))
        .collect();
    assert_eq!(put_rules(&client, &thousand).await, done());
    assert_eq!(put_rules(&client, &expire_after("", 1)).await, done());
    let stored = client.send(Request::get("/bucket?lifecycle")).await;
    assert!(
        stored.element("ID").is_some_and(|id| !id.is_empty()),
        "a rule without an ID is given one"
    );
}

fn inventory(id: &str, versions: &str, rest: &str) -> String {
    format!(
        "<InventoryConfiguration><Id>{id}</Id><IsEnabled>true</IsEnabled><Destination><OSSBucketDestination><Format>CSV</Format>\
        <AccountId>1234567890123456</AccountId><RoleArn>acs:ram::1234567890123456:role/r</RoleArn><Bucket>acs:oss:::lists</Bucket>\
        <Prefix>inv</Prefix></OSSBucketDestination></Destination><Schedule><Frequency>Daily</Frequency></Schedule>{rest}\
        <IncludedObjectVersions>{versions}</IncludedObjectVersions></InventoryConfiguration>"
    )
}

#[tokio::test]
async fn inventory_rules_are_a_collection_with_pages() {
    let client = Live::start().await;
    let add = async |id: &str, document: String| {
        let target = format!("/bucket?inventory&inventoryId={id}");
        client.send(Request::put(&target).body(document)).await.error()
    };
    assert_eq!(
        add("a", inventory("a", "All", "")).await,
        (400, "InvalidArgument".to_owned()),
        "no bucket for lists"
    );
    client.send(Request::put("/lists")).await;
    let none = client.send(Request::get("/bucket?inventory")).await;
    assert_eq!(none.error(), (404, "NoSuchInventory".to_owned()));
    assert_eq!(
        add("b", inventory("a", "All", "")).await,
        (400, "InvalidArgument".to_owned()),
        "another ID"
    );
    for number in 0..102 {
        let id = format!("r{number:03}");
        assert_eq!(add(&id, inventory(&id, "All", "")).await, done(), "{id}");
    }
    assert_eq!(
        add("r000", inventory("r000", "All", "")).await,
        (409, "InventoryAlreadyExist".to_owned())
    );
    let first = client.send(Request::get("/bucket?inventory")).await;
    assert_eq!(
        (first.elements("Id").len(), first.element("IsTruncated").as_deref()),
        (100, Some("true"))
    );
    let token = first.element("NextContinuationToken").unwrap();
    let second = Request::get("/bucket?inventory").query("continuation-token", &token);
    assert_eq!(client.send(second).await.elements("Id"), ["r100", "r101"]);
    assert_eq!(
        client
            .send(Request::delete("/bucket?inventory&inventoryId=r000"))
            .await
            .status,
        204
    );
    let gone = client.send(Request::get("/bucket?inventory&inventoryId=r000")).await;
    assert_eq!(gone.error(), (404, "NoSuchInventory".to_owned()));
}

#[tokio::test]
async fn an_inventory_lists_what_its_rule_takes() {
    let client = Live::start().await;
    client.send(Request::put("/lists")).await;
    put(&client, "a b", "12345").await;
    put(&client, "small", "1").await;
    let rest = "<Filter><LowerSizeBound>2</LowerSizeBound></Filter><OptionalFields><Field>Size</Field><Field>StorageClass</Field></OptionalFields>";
    let rule = Request::put("/bucket?inventory&inventoryId=daily").body(inventory("daily", "Current", rest));
    assert_eq!(client.send(rule).await.status, 200);
    let report = client.emulator.run_inventory().await.unwrap();
    assert_eq!(
        report.manifests,
        ["lists/inv/bucket/daily/2023-12-17T16-20Z/manifest.json"]
    );
    let manifest = client
        .send(Request::get("/lists/inv/bucket/daily/2023-12-17T16-20Z/manifest.json"))
        .await;
    let checksum = client
        .send(Request::get(
            "/lists/inv/bucket/daily/2023-12-17T16-20Z/manifest.checksum",
        ))
        .await;
    assert_eq!(checksum.text(), crate::client::md5_hex(&manifest.body));
    let manifest = manifest.json();
    assert_eq!(manifest["fileSchema"], "Bucket, Key, Size, StorageClass");
    let file = &manifest["files"][0];
    let data = client
        .send(Request::get(&format!("/lists/{}", file["key"].as_str().unwrap())))
        .await;
    assert_eq!(file["MD5checksum"], crate::client::md5_hex(&data.body));
    assert_eq!(file["size"], data.body.len());
    let mut table = String::new();
    flate2::read::GzDecoder::new(data.body.as_slice())
        .read_to_string(&mut table)
        .unwrap();
    assert_eq!(table, "\"bucket\",\"a%20b\",\"5\",\"Standard\"\n");
}
