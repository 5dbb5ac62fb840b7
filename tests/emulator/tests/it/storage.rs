//! How objects are kept and sent: encryption at rest, expiry by lifecycle rules, traffic limits, tags of new buckets.

use std::time::{Duration, Instant};

use crate::client::{Request, Response, start, start_with_bucket};

const METHOD: &str = "x-oss-server-side-encryption";
const CIPHER: &str = "x-oss-server-side-data-encryption";
const KEY: &str = "x-oss-server-side-encryption-key-id";

fn encryption(answer: &Response) -> [Option<&str>; 3] {
    [answer.header(METHOD), answer.header(CIPHER), answer.header(KEY)]
}

#[tokio::test]
async fn encryption_is_shown_by_writes_and_reads() {
    let (_emulator, client) = start_with_bucket().await;
    for (headers, expected) in [
        (vec![], [None, None, None]),
        (vec![(METHOD, "AES256")], [Some("AES256"), None, None]),
        (vec![(METHOD, "SM4")], [Some("SM4"), None, None]),
        (
            vec![(METHOD, "KMS"), (CIPHER, "SM4"), (KEY, "key-1")],
            [Some("KMS"), Some("SM4"), Some("key-1")],
        ),
    ] {
        let put = headers
            .iter()
            .fold(Request::put("/bucket/k").body("v"), |put, (name, value)| {
                put.header(name, value)
            });
        assert_eq!(encryption(&client.send(put).await), expected);
        assert_eq!(encryption(&client.send(Request::get("/bucket/k")).await), expected);
        assert_eq!(
            encryption(&client.send(Request::new("HEAD", "/bucket/k")).await),
            expected
        );
    }
}

#[tokio::test]
async fn encryption_that_makes_no_sense_is_refused() {
    let (_emulator, client) = start_with_bucket().await;
    client.send(Request::put("/bucket/source").body("v")).await;
    for (headers, code) in [
        (vec![(METHOD, "DES")], "InvalidEncryptionAlgorithmError"),
        (vec![(METHOD, "None")], "InvalidEncryptionAlgorithmError"),
        (vec![(METHOD, "AES256"), (KEY, "key-1")], "InvalidArgument"),
        (vec![(KEY, "key-1")], "InvalidArgument"),
        (vec![(METHOD, "SM4"), (CIPHER, "SM4")], "InvalidArgument"),
        (vec![(METHOD, "KMS"), (CIPHER, "DES")], "InvalidArgument"),
    ] {
        for target in ["/bucket/k", "/bucket/copy"] {
            let mut put = Request::put(target);
            if target == "/bucket/copy" {
                put = put.header("x-oss-copy-source", "/bucket/source");
            }
            let put = headers.iter().fold(put, |put, (name, value)| put.header(name, value));
            assert_eq!(client.send(put).await.error(), (400, code.to_owned()), "{headers:?}");
        }
    }
}

#[tokio::test]
async fn new_objects_are_encrypted_as_the_bucket_is() {
    let (_emulator, client) = start_with_bucket().await;
    let rule = "<ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>KMS</SSEAlgorithm>\
        <KMSMasterKeyID>key-2</KMSMasterKeyID></ApplyServerSideEncryptionByDefault></ServerSideEncryptionRule>";
    client.send(Request::put("/bucket/before").body("v")).await;
    assert_eq!(
        client.send(Request::put("/bucket?encryption").body(rule)).await.status,
        200
    );
    let by_default = [Some("KMS"), None, Some("key-2")];
    assert_eq!(
        encryption(&client.send(Request::put("/bucket/k").body("v")).await),
        by_default
    );
    let own = client
        .send(Request::put("/bucket/own").header(METHOD, "AES256").body("v"))
        .await;
    assert_eq!(encryption(&own), [Some("AES256"), None, None]);
    let copy = Request::put("/bucket/copy").header("x-oss-copy-source", "/bucket/own");
    assert_eq!(encryption(&client.send(copy).await), by_default);

    let upload = client.send(Request::post("/bucket/parts?uploads")).await;
    assert_eq!(encryption(&upload), by_default);
    let id = upload.element("UploadId").unwrap();
    let part = Request::put("/bucket/parts?partNumber=1")
        .query("uploadId", &id)
        .body("p");
    assert_eq!(encryption(&client.send(part).await), by_default);
    let complete = Request::post("/bucket/parts")
        .query("uploadId", &id)
        .header("x-oss-complete-all", "yes");
    assert_eq!(encryption(&client.send(complete).await), by_default);

    assert_eq!(client.send(Request::delete("/bucket?encryption")).await.status, 204);
    for (key, expected) in [("before", [None; 3]), ("k", by_default), ("parts", by_default)] {
        let head = client.send(Request::new("HEAD", &format!("/bucket/{key}"))).await;
        assert_eq!(encryption(&head), expected, "{key}");
    }
}

#[tokio::test]
async fn appendable_objects_take_neither_keys_nor_cold_archives() {
    let (_emulator, client) = start_with_bucket().await;
    let append = || Request::post("/bucket/log?append&position=0").body("a");
    for request in [
        append().header(METHOD, "KMS").header(KEY, "key-1"),
        append().header("x-oss-storage-class", "ColdArchive"),
        append().header("x-oss-storage-class", "DeepColdArchive"),
    ] {
        assert_eq!(client.send(request).await.error(), (400, "InvalidArgument".to_owned()));
    }
    let kept = append().header(METHOD, "KMS").header("x-oss-storage-class", "IA");
    assert_eq!(encryption(&client.send(kept).await)[0], Some("KMS"));
}

#[tokio::test]
async fn an_object_tells_which_rule_will_delete_it() {
    let (_emulator, client) = start_with_bucket().await;
    let rules = "<LifecycleConfiguration>\
        <Rule><ID>late</ID><Prefix>log/</Prefix><Status>Enabled</Status><Expiration><Days>9</Days></Expiration></Rule>\
        <Rule><ID>early</ID><Prefix>tmp/</Prefix><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule>\
        <Rule><ID>off</ID><Prefix>off/</Prefix><Status>Disabled</Status><Expiration><Days>1</Days></Expiration></Rule>\
        </LifecycleConfiguration>";
    assert_eq!(
        client.send(Request::put("/bucket?lifecycle").body(rules)).await.status,
        200
    );
    for (key, expected) in [
        (
            "tmp/a",
            Some("expiry-date=\"Tue, 19 Dec 2023 00:00:00 GMT\", rule-id=\"early\""),
        ),
        (
            "log/b",
            Some("expiry-date=\"Wed, 27 Dec 2023 00:00:00 GMT\", rule-id=\"late\""),
        ),
        ("off/a", None),
        ("other", None),
    ] {
        let path = format!("/bucket/{key}");
        client.send(Request::put(&path).body("v")).await;
        for method in ["HEAD", "GET"] {
            let answer = client.send(Request::new(method, &path)).await;
            assert_eq!(answer.header("x-oss-expiration"), expected, "{method} {key}");
        }
    }
}

#[tokio::test]
async fn a_traffic_limit_slows_both_directions() {
    let (_emulator, client) = start_with_bucket().await;
    // 30 KiB a second.
    let limit = "245760";
    let body = vec![7_u8; 9 * 1024];
    let least = Duration::from_millis(290);
    let began = Instant::now();
    let put = Request::put("/bucket/k")
        .header("x-oss-traffic-limit", limit)
        .body(body.clone());
    assert_eq!(client.send(put).await.status, 200);
    assert!(began.elapsed() >= least, "{:?}", began.elapsed());
    let began = Instant::now();
    let get = client.presign(Request::get("/bucket/k").query("x-oss-traffic-limit", limit), 60);
    assert_eq!(client.send_as_is(get).await.body, body);
    assert!(began.elapsed() >= least, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_traffic_limit_out_of_bounds_is_refused() {
    let (_emulator, client) = start_with_bucket().await;
    client.send(Request::put("/bucket/k").body("v")).await;
    for limit in ["245759", "838860801", "fast", "-1"] {
        for request in [
            Request::put("/bucket/k").header("x-oss-traffic-limit", limit),
            Request::get("/bucket/k").header("x-oss-traffic-limit", limit),
            Request::get("/bucket/k").query("x-oss-traffic-limit", limit),
        ] {
            let answer = client.send(request.clone()).await;
            assert_eq!(answer.error(), (400, "InvalidArgument".to_owned()), "{request:?}");
        }
    }
}

#[tokio::test]
async fn a_new_bucket_takes_its_tags_and_its_resource_group() {
    let (_emulator, client) = start().await;
    let put = |tags: &str| Request::put("/tagged").header("x-oss-bucket-tagging", tags);
    let refused = client.send(put("a=1&a=2")).await;
    assert_eq!(refused.error(), (400, "RepeatedTags".to_owned()));
    assert_eq!(
        client.send(Request::get("/tagged?tagging")).await.status,
        404,
        "no bucket was made"
    );
    let created = client
        .send(put("a=1&b%20c=").header("x-oss-resource-group-id", "rg-1"))
        .await;
    assert_eq!(created.status, 200);
    let tags = client.send(Request::get("/tagged?tagging")).await;
    assert_eq!(tags.elements("Key"), ["a", "b c"]);
    let group = client.send(Request::get("/tagged?resourceGroup")).await;
    assert_eq!(group.element("ResourceGroupId").as_deref(), Some("rg-1"));
}

#[tokio::test]
async fn strangers_cannot_replace_headers_of_answers() {
    let (_emulator, client) = start().await;
    client
        .send(Request::put("/open").header("x-oss-acl", "public-read"))
        .await;
    client.send(Request::put("/open/k").body("v")).await;
    let get = || Request::get("/open/k").query("response-content-type", "text/html");
    assert_eq!(client.send_as_is(Request::get("/open/k")).await.status, 200);
    assert_eq!(
        client.send_as_is(get()).await.error(),
        (400, "InvalidRequest".to_owned())
    );
    let signed = client.send_as_is(client.presign(get(), 60)).await;
    assert_eq!(signed.header("content-type"), Some("text/html"));
}
