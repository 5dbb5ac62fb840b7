//! Table buckets, namespaces and tables, in requests of our own.

use oss_emulator::{Clock, DEFAULT_ACCOUNT_ID, Emulator};
use serde_json::{Value, json};

use crate::client::{Client, Request, Response, encode, noon, start};

fn arn(bucket: &str) -> String {
    format!("acs:osstables:cn-hangzhou:{DEFAULT_ACCOUNT_ID}:bucket/{bucket}")
}

/// A client that signs for the tables service.
fn tables(client: &Client) -> Client {
    Client {
        product: "osstables".to_owned(),
        ..client.clone()
    }
}

/// Sends a request whose path has `{}` where the ARN of the bucket belongs.
async fn send(client: &Client, method: &str, target: &str, body: Value) -> Response {
    send_to(client, "lake", method, target, body).await
}

async fn send_to(client: &Client, bucket: &str, method: &str, target: &str, body: Value) -> Response {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let arn = arn(bucket);
    let names_bucket = path.contains("{}") || query.contains("{}");
    let decoded = path.replace("{}", &arn);
    let signed = match names_bucket {
        true => format!("/{arn}{decoded}"),
        false => format!("/acs:osstables:cn-hangzhou::bucket/{decoded}"),
    };
    let mut request = Request::new(method, &format!("{path}?{query}"));
    // The path is encoded segment by segment: the slash of the ARN is none of the path.
    request.path = path.replace("{}", &encode(&arn));
    for (_, value) in &mut request.query {
        *value = value.replace("{}", &arn);
    }
    if !body.is_null() {
        request = request
            .header("content-type", "application/json")
            .body(body.to_string());
    }
    client.send(request.encoded().resource(&signed)).await
}

fn code(answer: &Response) -> (u16, &str) {
    (answer.status, answer.header("x-oss-error-type").unwrap_or_default())
}

async fn start_with_namespace() -> (Emulator, Client) {
    let (emulator, client) = start().await;
    let client = tables(&client);
    let created = send(&client, "PUT", "/buckets", json!({"name": "lake"})).await;
    assert_eq!((created.status, created.json()), (200, json!({"arn": arn("lake")})));
    let created = send(&client, "PUT", "/namespaces/{}", json!({"namespace": ["sales"]})).await;
    assert_eq!(created.status, 200, "{}", created.text());
    (emulator, client)
}

async fn create_table(client: &Client, name: &str) -> Value {
    let created = send(
        client,
        "PUT",
        "/tables/{}/sales",
        json!({"name": name, "format": "ICEBERG"}),
    )
    .await;
    assert_eq!(created.status, 200, "{}", created.text());
    created.json()
}

#[tokio::test]
async fn table_buckets_come_and_go() {
    let (_emulator, client) = start_with_namespace().await;
    let again = send(&client, "PUT", "/buckets", json!({"name": "lake"})).await;
    assert_eq!(code(&again), (409, "ConflictException"), "{}", again.text());
    assert!(again.json()["message"].is_string());
    for name in ["ab", "Lake", "oss-lake", "-lake", "lake_1", "l".repeat(33).as_str()] {
        let refused = send(&client, "PUT", "/buckets", json!({"name": name})).await;
        assert_eq!(code(&refused), (400, "BadRequestException"), "{name}");
    }
    let got = send(&client, "GET", "/buckets/{}", Value::Null).await.json();
    assert_eq!(got["name"], "lake");
    assert_eq!(got["createdAt"], "2023-12-17T16:20:57Z");
    assert_eq!(got["ownerAccountId"], DEFAULT_ACCOUNT_ID);
    send(&client, "PUT", "/buckets", json!({"name": "sea"})).await;
    let first = send(&client, "GET", "/buckets?maxBuckets=1", Value::Null).await.json();
    assert_eq!(first["tableBuckets"][0]["name"], "lake");
    let token = first["continuationToken"].as_str().unwrap();
    let second = send(
        &client,
        "GET",
        &format!("/buckets?continuationToken={token}"),
        Value::Null,
    )
    .await;
    assert_eq!(second.json()["tableBuckets"][0]["name"], "sea", "{}", second.text());
    let kept = send(&client, "DELETE", "/buckets/{}", Value::Null).await;
    assert_eq!(code(&kept), (409, "ConflictException"));
    assert_eq!(
        send_to(&client, "sea", "DELETE", "/buckets/{}", Value::Null)
            .await
            .status,
        204
    );
    let gone = send_to(&client, "sea", "GET", "/buckets/{}", Value::Null).await;
    assert_eq!(code(&gone), (404, "NotFoundException"));
}

#[tokio::test]
async fn namespaces_hold_tables() {
    let (_emulator, client) = start_with_namespace().await;
    for names in [
        json!(["sales"]),
        json!(["a", "b"]),
        json!([]),
        json!(["Sales"]),
        json!(["aws_x"]),
    ] {
        let refused = send(&client, "PUT", "/namespaces/{}", json!({"namespace": names})).await;
        let expected = if names == json!(["sales"]) { 409 } else { 400 };
        assert_eq!(refused.status, expected, "{names}");
    }
    let got = send(&client, "GET", "/namespaces/{}/sales", Value::Null).await.json();
    assert_eq!(got["namespace"], json!(["sales"]));
    create_table(&client, "orders").await;
    let kept = send(&client, "DELETE", "/namespaces/{}/sales", Value::Null).await;
    assert_eq!(code(&kept), (409, "ConflictException"));
    assert_eq!(
        send(&client, "DELETE", "/tables/{}/sales/orders", Value::Null)
            .await
            .status,
        204
    );
    assert_eq!(
        send(&client, "DELETE", "/namespaces/{}/sales", Value::Null)
            .await
            .status,
        204
    );
    let gone = send(&client, "GET", "/namespaces/{}/sales", Value::Null).await;
    assert_eq!(code(&gone), (404, "NotFoundException"));
    assert_eq!(send(&client, "DELETE", "/buckets/{}", Value::Null).await.status, 204);
}

#[tokio::test]
async fn the_metadata_location_has_optimistic_versions() {
    let (_emulator, client) = start_with_namespace().await;
    let created = create_table(&client, "orders").await;
    let path = "/tables/{}/sales/orders/metadata-location";
    let before = send(&client, "GET", path, Value::Null).await.json();
    assert_eq!(before["versionToken"], created["versionToken"]);
    assert_eq!(before["metadataLocation"], Value::Null);
    let warehouse = before["warehouseLocation"].as_str().unwrap();
    let update = |token: &Value, file: &str| json!({"metadataLocation": format!("{warehouse}/metadata/{file}"), "versionToken": token});
    let first = send(&client, "PUT", path, update(&before["versionToken"], "1.json")).await;
    assert_eq!(first.status, 200, "{}", first.text());
    let stale = send(&client, "PUT", path, update(&before["versionToken"], "2.json")).await;
    assert_eq!(code(&stale), (409, "ConflictException"));
    let after = send(&client, "GET", path, Value::Null).await.json();
    assert_eq!(after["metadataLocation"], format!("{warehouse}/metadata/1.json"));
    assert_ne!(after["versionToken"], before["versionToken"]);
    let elsewhere = json!({"metadataLocation": "oss://other/1.json", "versionToken": after["versionToken"]});
    assert_eq!(
        code(&send(&client, "PUT", path, elsewhere).await),
        (400, "BadRequestException")
    );
    let missing = send(&client, "PUT", path, json!({"metadataLocation": "oss://x/y"})).await;
    assert_eq!(code(&missing), (400, "BadRequestException"));
}

#[tokio::test]
async fn tables_are_found_listed_and_renamed() {
    let (_emulator, client) = start_with_namespace().await;
    let created = create_table(&client, "orders").await;
    create_table(&client, "clients").await;
    let again = send(
        &client,
        "PUT",
        "/tables/{}/sales",
        json!({"name": "orders", "format": "ICEBERG"}),
    )
    .await;
    assert_eq!(code(&again), (409, "ConflictException"));
    let by_name = "/get-table?tableBucketARN={}&namespace=sales&name=orders";
    let got = send(&client, "GET", by_name, Value::Null).await;
    assert_eq!(got.json()["tableARN"], created["tableARN"], "{}", got.text());
    let id = created["tableARN"]
        .as_str()
        .unwrap()
        .rsplit('/')
        .next()
        .unwrap()
        .to_owned();
    let by_arn = send(
        &client,
        "GET",
        &format!("/get-table?tableArn={{}}/table/{id}"),
        Value::Null,
    )
    .await;
    assert_eq!(by_arn.json(), got.json());
    let nothing = send(&client, "GET", "/get-table?tableBucketARN={}", Value::Null).await;
    assert_eq!(code(&nothing), (400, "BadRequestException"));

    let names = |answer: &Response| {
        let tables = answer.json()["tables"].as_array().cloned().unwrap();
        tables
            .iter()
            .map(|table| table["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        names(&send(&client, "GET", "/tables/{}", Value::Null).await),
        ["clients", "orders"]
    );
    assert_eq!(
        names(&send(&client, "GET", "/tables/{}?prefix=o", Value::Null).await),
        ["orders"]
    );
    assert_eq!(
        names(&send(&client, "GET", "/tables/{}?maxTables=1", Value::Null).await),
        ["clients"]
    );
    assert_eq!(
        send(&client, "GET", "/tables/{}?namespace=none", Value::Null)
            .await
            .status,
        404
    );

    let rename = "/tables/{}/sales/orders/rename";
    let taken = send(&client, "PUT", rename, json!({"newName": "clients"})).await;
    assert_eq!(code(&taken), (409, "ConflictException"));
    let stale = send(&client, "PUT", rename, json!({"newName": "x", "versionToken": "old"})).await;
    assert_eq!(code(&stale), (409, "ConflictException"));
    assert_eq!(
        send(&client, "PUT", rename, json!({"newNamespaceName": "none"}))
            .await
            .status,
        404
    );
    assert_eq!(
        send(&client, "PUT", rename, json!({"newName": "receipts"}))
            .await
            .status,
        204
    );
    assert_eq!(
        names(&send(&client, "GET", "/tables/{}", Value::Null).await),
        ["clients", "receipts"]
    );
    let stale = send(
        &client,
        "DELETE",
        "/tables/{}/sales/receipts?versionToken=old",
        Value::Null,
    )
    .await;
    assert_eq!(code(&stale), (409, "ConflictException"));
}

#[tokio::test]
async fn settings_of_buckets_and_tables_are_kept() {
    let (_emulator, client) = start_with_namespace().await;
    let encryption = json!({"encryptionConfiguration": {"sseAlgorithm": "AES256"}});
    assert_eq!(
        send(&client, "PUT", "/buckets/{}/encryption", encryption.clone())
            .await
            .status,
        200
    );
    create_table(&client, "orders").await;
    let table = "/tables/{}/sales/orders";
    assert_eq!(
        send(&client, "GET", &format!("{table}/encryption"), Value::Null)
            .await
            .json(),
        encryption
    );
    assert_eq!(
        send(&client, "DELETE", "/buckets/{}/encryption", Value::Null)
            .await
            .status,
        204
    );
    assert_eq!(
        send(&client, "GET", "/buckets/{}/encryption", Value::Null).await.json(),
        json!({"encryptionConfiguration": {}})
    );
    for at in ["/buckets/{}/policy", "/tables/{}/sales/orders/policy"] {
        assert_eq!(
            code(&send(&client, "GET", at, Value::Null).await),
            (404, "NotFoundException")
        );
        let policy = json!({"resourcePolicy": r#"{"Version":"1","Statement":[]}"#});
        assert_eq!(send(&client, "PUT", at, policy.clone()).await.status, 200);
        assert_eq!(send(&client, "GET", at, Value::Null).await.json(), policy);
        let broken = send(&client, "PUT", at, json!({"resourcePolicy": "{}"})).await;
        assert_eq!(code(&broken), (400, "BadRequestException"));
        assert_eq!(send(&client, "DELETE", at, Value::Null).await.status, 204);
    }
    let task = "icebergUnreferencedFileRemoval";
    let configuration = send(&client, "GET", "/buckets/{}/maintenance", Value::Null)
        .await
        .json();
    assert_eq!(
        configuration["configuration"][task]["settings"][task]["unreferencedDays"],
        3
    );
    let value = json!({"value": {"status": "disabled", "settings": {task: {"unreferencedDays": 7}}}});
    assert_eq!(
        send(&client, "PUT", &format!("/buckets/{{}}/maintenance/{task}"), value)
            .await
            .status,
        204
    );
    let configuration = send(&client, "GET", "/buckets/{}/maintenance", Value::Null)
        .await
        .json();
    let configuration = &configuration["configuration"][task];
    assert_eq!(
        configuration["settings"][task],
        json!({"unreferencedDays": 7, "nonCurrentDays": 10})
    );
    let value = json!({"value": {"settings": {"icebergCompaction": {"targetFileSizeMB": 256}}}});
    let put = format!("{table}/maintenance/icebergCompaction");
    assert_eq!(send(&client, "PUT", &put, value.clone()).await.status, 204);
    let other = send(
        &client,
        "PUT",
        &format!("{table}/maintenance/icebergSnapshotManagement"),
        value,
    )
    .await;
    assert_eq!(code(&other), (400, "BadRequestException"));
    let got = send(&client, "GET", &format!("{table}/maintenance"), Value::Null)
        .await
        .json();
    let compaction = &got["configuration"]["icebergCompaction"]["settings"]["icebergCompaction"];
    assert_eq!(compaction["targetFileSizeMB"], 256);
    let status = send(&client, "GET", &format!("{table}/maintenance-job-status"), Value::Null)
        .await
        .json();
    assert_eq!(status["status"]["icebergCompaction"]["status"], "Not_Yet_Run");
    assert_eq!(status["status"][task]["status"], "Disabled");
}

#[tokio::test]
async fn only_the_owner_gets_in_with_the_signature_of_the_service() {
    let (_emulator, client) = start_with_namespace().await;
    let forged = Client {
        secret: "wrong".to_owned(),
        ..client.clone()
    };
    let refused = send(&forged, "GET", "/buckets/{}", Value::Null).await;
    assert_eq!(code(&refused), (403, "ForbiddenException"));
    let of_another = "acs:osstables:cn-hangzhou:1:bucket/lake";
    let request = Request::get(&format!("/buckets/{}", encode(of_another)))
        .resource(&format!("/{of_another}/buckets/{of_another}"));
    assert_eq!(code(&client.send(request.encoded()).await), (403, "ForbiddenException"));
    let elsewhere = "acs:osstables:cn-hangzhou";
    let request =
        Request::get(&format!("/buckets/{}", encode(elsewhere))).resource(&format!("/{elsewhere}/buckets/{elsewhere}"));
    let answer = client.send(request.encoded()).await;
    assert_eq!(code(&answer), (400, "BadRequestException"), "{}", answer.text());
}

#[tokio::test]
async fn tables_survive_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let run = || async {
        let emulator = Emulator::builder()
            .data_dir(directory.path())
            .clock(Clock::fixed(noon()));
        let emulator = emulator.start().await.unwrap();
        let client = tables(&Client::of(&emulator));
        (emulator, client)
    };
    let (emulator, client) = run().await;
    send(&client, "PUT", "/buckets", json!({"name": "lake"})).await;
    send(&client, "PUT", "/namespaces/{}", json!({"namespace": ["sales"]})).await;
    create_table(&client, "orders").await;
    let by_name = "/get-table?tableBucketARN={}&namespace=sales&name=orders";
    let before = send(&client, "GET", by_name, Value::Null).await.json();
    emulator.shutdown().await;
    let (_emulator, client) = run().await;
    assert_eq!(send(&client, "GET", by_name, Value::Null).await.json(), before);
}
