//! Vector buckets, their indexes and vectors, in requests of our own.

use oss_emulator::{Clock, DEFAULT_ACCOUNT_ID, Emulator};
use serde_json::{Value, json};

use crate::client::{Client, Request, Response, noon, start};

/// A request that is signed with the ARN of a bucket.
fn signed(request: Request, bucket: &str) -> Request {
    let resource = match bucket {
        "" => "/acs:ossvector:cn-hangzhou::/".to_owned(),
        bucket => format!("/acs:ossvector:cn-hangzhou:{DEFAULT_ACCOUNT_ID}:{bucket}/"),
    };
    request.resource(&resource)
}

fn document(flag: &str, document: &Value) -> Request {
    let request = Request::post(&format!("/vectors/?{flag}"))
        .header("content-type", "application/json")
        .body(document.to_string());
    signed(request, "vectors")
}

async fn send(client: &Client, flag: &str, value: Value) -> Response {
    client.send(document(flag, &value)).await
}

async fn bucket(client: &Client, method: &str, target: &str) -> Response {
    let name = target.trim_start_matches('/').split(['/', '?']).next().unwrap();
    client.send(signed(Request::new(method, target), name)).await
}

fn code(answer: &Response) -> (u16, String) {
    let code = answer.json()["Error"]["Code"].as_str().unwrap_or_default().to_owned();
    (answer.status, code)
}

async fn start_with_index(metric: &str) -> (Emulator, Client) {
    let (emulator, client) = start().await;
    assert_eq!(bucket(&client, "PUT", "/vectors").await.status, 200);
    let created = send(&client, "putVectorIndex", index("index", metric)).await;
    assert_eq!(created.status, 200, "{}", created.text());
    (emulator, client)
}

fn index(name: &str, metric: &str) -> Value {
    json!({"indexName": name, "dataType": "float32", "dimension": 2, "distanceMetric": metric,
        "metadata": {"nonFilterableMetadataKeys": ["note"]}})
}

fn vector(key: &str, data: [f64; 2], metadata: &Value) -> Value {
    json!({"key": key, "data": {"float32": data}, "metadata": metadata})
}

fn put(vectors: Vec<Value>) -> Value {
    json!({"indexName": "index", "vectors": vectors})
}

fn query(filter: Value) -> Value {
    let mut query = json!({"indexName": "index", "queryVector": {"float32": [0, 0]}, "topK": 10,
        "returnDistance": true, "returnMetadata": true});
    if !filter.is_null() {
        query["filter"] = filter;
    }
    query
}

fn keys(answer: &Response) -> Vec<String> {
    let found = answer.json()["vectors"].as_array().cloned().unwrap_or_default();
    found
        .iter()
        .map(|vector| vector["key"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn vector_buckets_are_apart_from_buckets_of_objects() {
    let (_emulator, client) = start().await;
    assert_eq!(client.send(Request::put("/objects")).await.status, 200);
    assert_eq!(bucket(&client, "PUT", "/vectors").await.status, 200);
    assert_eq!(
        code(&bucket(&client, "PUT", "/vectors").await),
        (409, "BucketNameNotAvailable".to_owned())
    );
    // The same name is free in the other service.
    assert_eq!(bucket(&client, "PUT", "/objects").await.status, 200);
    assert_eq!(client.send(Request::put("/vectors")).await.status, 200);

    let info = bucket(&client, "GET", "/vectors?bucketInfo").await.json()["BucketInfo"].clone();
    assert_eq!(
        info["Name"],
        format!("acs:ossvector:cn-hangzhou:{DEFAULT_ACCOUNT_ID}:vectors")
    );
    assert_eq!(info["Location"], "oss-cn-hangzhou");
    assert_eq!(info["ExtranetEndpoint"], "cn-hangzhou.oss-vectors.aliyuncs.com");

    let listed = client.send(signed(Request::get("/?max-keys=1"), "")).await.json();
    let listed = &listed["ListAllMyBucketsResult"];
    assert_eq!(listed["IsTruncated"], true);
    let next = listed["NextMarker"].as_str().unwrap();
    assert_eq!(next, "objects");
    let rest = client
        .send(signed(Request::get(&format!("/?marker={next}")), ""))
        .await
        .json();
    let rest = rest["ListAllMyBucketsResult"]["Buckets"].as_array().unwrap().clone();
    assert_eq!(rest.len(), 1);
    assert!(rest[0]["Name"].as_str().unwrap().ends_with(":vectors"));
    let objects = client.send(Request::get("/")).await;
    assert_eq!(objects.elements("Name"), ["objects", "vectors"], "{}", objects.text());

    assert_eq!(client.send(Request::delete("/vectors")).await.status, 204);
    assert_eq!(bucket(&client, "GET", "/vectors?bucketInfo").await.status, 200);
    assert_eq!(bucket(&client, "DELETE", "/vectors").await.status, 204);
    assert_eq!(
        code(&bucket(&client, "DELETE", "/vectors").await),
        (404, "NoSuchBucket".to_owned())
    );
}

#[tokio::test]
async fn names_and_numbers_of_vector_buckets_are_limited() {
    let (_emulator, client) = start().await;
    let long = format!("/{}", "v".repeat(33));
    assert_eq!(
        code(&bucket(&client, "PUT", &long).await),
        (400, "InvalidVectorBucketName".to_owned())
    );
    for number in 0..10 {
        assert_eq!(bucket(&client, "PUT", &format!("/vectors-{number}")).await.status, 200);
    }
    assert_eq!(
        code(&bucket(&client, "PUT", "/vectors-10").await),
        (400, "TooManyBuckets".to_owned())
    );
}

#[tokio::test]
async fn vector_buckets_have_policies_and_logs() {
    let (_emulator, client) = start_with_index("cosine").await;
    assert_eq!(
        code(&bucket(&client, "GET", "/vectors?policy").await),
        (404, "NoSuchBucketPolicy".to_owned())
    );
    let policy = r#"{"Version":"1","Statement":[]}"#;
    let request = Request::put("/vectors?policy").body(policy);
    assert_eq!(client.send(signed(request, "vectors")).await.status, 200);
    assert_eq!(bucket(&client, "GET", "/vectors?policy").await.text(), policy);
    assert_eq!(bucket(&client, "DELETE", "/vectors?policy").await.status, 204);
    assert_eq!(bucket(&client, "GET", "/vectors?policy").await.status, 404);

    let empty = bucket(&client, "GET", "/vectors?logging").await;
    assert_eq!((empty.status, empty.json()), (200, json!({"BucketLoggingStatus": {}})));
    let logging = |bucket: &str| {
        let status =
            json!({"BucketLoggingStatus": {"LoggingEnabled": {"TargetBucket": bucket, "TargetPrefix": "log/"}}});
        signed(Request::put("/vectors?logging").body(status.to_string()), "vectors")
    };
    assert_eq!(
        code(&client.send(logging("missing")).await),
        (400, "InvalidTargetBucketForLogging".to_owned())
    );
    assert_eq!(client.send(Request::put("/logs")).await.status, 200);
    assert_eq!(client.send(logging("logs")).await.status, 200);
    let stored = bucket(&client, "GET", "/vectors?logging").await.json();
    assert_eq!(stored["BucketLoggingStatus"]["LoggingEnabled"]["TargetBucket"], "logs");
}

#[tokio::test]
async fn indexes_live_in_vector_buckets() {
    let (_emulator, client) = start_with_index("cosine").await;
    assert_eq!(
        code(&send(&client, "putVectorIndex", index("index", "cosine")).await),
        (409, "VectorIndexAlreadyExists".to_owned())
    );
    send(&client, "putVectorIndex", index("other", "euclidean")).await;
    let got = send(&client, "getVectorIndex", json!({"indexName": "other"}))
        .await
        .json();
    let got = &got["index"];
    assert_eq!(got["status"], "enable");
    assert_eq!(got["distanceMetric"], "euclidean");
    assert_eq!(got["dimension"], 2);
    assert_eq!(got["metadata"], json!({"nonFilterableMetadataKeys": ["note"]}));

    let first = send(&client, "listVectorIndexes", json!({"maxResults": 1}))
        .await
        .json();
    assert_eq!(first["indexes"][0]["indexName"], "index");
    let token = first["nextToken"].clone();
    let second = send(
        &client,
        "listVectorIndexes",
        json!({"maxResults": 1, "nextToken": token}),
    )
    .await
    .json();
    assert_eq!(second["indexes"][0]["indexName"], "other");
    assert_eq!(second["nextToken"], Value::Null);

    assert_eq!(
        code(&bucket(&client, "DELETE", "/vectors").await),
        (409, "BucketNotEmpty".to_owned())
    );
    for name in ["index", "other"] {
        assert_eq!(
            send(&client, "deleteVectorIndex", json!({"indexName": name}))
                .await
                .status,
            204
        );
    }
    assert_eq!(
        code(&send(&client, "getVectorIndex", json!({"indexName": "other"})).await),
        (404, "NoSuchVectorIndex".to_owned())
    );
    assert_eq!(bucket(&client, "DELETE", "/vectors").await.status, 204);
}

#[tokio::test]
async fn vectors_are_found_by_distance_and_metadata() {
    let (_emulator, client) = start_with_index("euclidean").await;
    let batch = put(vec![
        vector("near", [0.0, 1.0], &json!({"kind": "a", "note": "n"})),
        vector("far", [3.0, 4.0], &json!({"kind": "b"})),
    ]);
    assert_eq!(send(&client, "putVectors", batch).await.status, 200);
    let moved = put(vec![vector("near", [0.0, 2.0], &json!({"kind": "a"}))]);
    send(&client, "putVectors", moved).await;
    let found = send(&client, "queryVectors", query(Value::Null)).await.json();
    assert_eq!(
        found["vectors"][0],
        json!({"key": "near", "distance": 2.0, "metadata": {"kind": "a"}})
    );
    assert_eq!(found["vectors"][1]["distance"], 5.0);
    let found = send(&client, "queryVectors", query(json!({"kind": {"$in": ["b"]}}))).await;
    assert_eq!(keys(&found), ["far"]);
    let mut nearest = query(Value::Null);
    nearest["topK"] = json!(1);
    assert_eq!(keys(&send(&client, "queryVectors", nearest).await), ["near"]);
    assert_eq!(
        code(&send(&client, "queryVectors", query(json!({"note": "n"}))).await),
        (400, "InvalidArgument".to_owned())
    );
}

#[tokio::test]
async fn vectors_are_read_and_deleted_by_key() {
    let (_emulator, client) = start_with_index("euclidean").await;
    let batch = put(vec![
        vector("a", [0.1, 0.2], &json!({"tags": ["x", "y"]})),
        vector("b", [1.0, 1.0], &json!({})),
    ]);
    send(&client, "putVectors", batch).await;
    let get = json!({"indexName": "index", "keys": ["b", "missing", "a"], "returnData": true, "returnMetadata": true});
    let got = send(&client, "getVectors", get.clone()).await;
    assert_eq!(keys(&got), ["b", "a"]);
    assert_eq!(
        got.json()["vectors"][1],
        json!({"key": "a", "data": {"float32": [0.1, 0.2]}, "metadata": {"tags": ["x", "y"]}})
    );
    let delete = json!({"indexName": "index", "keys": ["a", "missing", "a"]});
    assert_eq!(send(&client, "deleteVectors", delete).await.status, 204);
    assert_eq!(keys(&send(&client, "getVectors", get).await), ["b"]);
    assert_eq!(keys(&send(&client, "queryVectors", query(Value::Null)).await), ["b"]);
    // What was deleted can come back.
    send(&client, "putVectors", put(vec![vector("a", [5.0, 5.0], &json!({}))])).await;
    assert_eq!(
        keys(&send(&client, "queryVectors", query(Value::Null)).await),
        ["b", "a"]
    );
}

#[tokio::test]
async fn lists_of_vectors_come_in_pages_and_segments() {
    let (_emulator, client) = start_with_index("euclidean").await;
    let all: Vec<String> = (0..50).map(|number| format!("key-{number:02}")).collect();
    let vectors = all.iter().map(|key| vector(key, [1.0, 2.0], &json!({}))).collect();
    send(&client, "putVectors", put(vectors)).await;
    let (mut listed, mut token, mut pages) = (Vec::new(), Value::Null, 0);
    loop {
        let mut list = json!({"indexName": "index", "maxResults": 20});
        if !token.is_null() {
            list["nextToken"] = token;
        }
        let page = send(&client, "listVectors", list).await;
        listed.extend(keys(&page));
        pages += 1;
        token = page.json()["nextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!((pages, &listed), (3, &all));
    let mut segments = Vec::new();
    for segment in 0..4 {
        let list = json!({"indexName": "index", "segmentCount": 4, "segmentIndex": segment});
        let keys = keys(&send(&client, "listVectors", list).await);
        assert!(keys.len() < 50);
        segments.extend(keys);
    }
    segments.sort();
    assert_eq!(segments, all);
}

#[tokio::test]
async fn long_pages_end_early() {
    let (_emulator, client) = start_with_index("euclidean").await;
    let note = "n".repeat(30_000);
    let vectors = (0..40)
        .map(|number| vector(&format!("key-{number:02}"), [1.0, 2.0], &json!({"note": note})))
        .collect();
    let written = send(&client, "putVectors", put(vectors)).await;
    assert_eq!(written.status, 200, "{}", written.text());
    let page = send(
        &client,
        "listVectors",
        json!({"indexName": "index", "returnMetadata": true}),
    )
    .await;
    assert!((30..40).contains(&keys(&page).len()), "{}", keys(&page).len());
    assert!(page.json()["nextToken"].is_string());
}

#[tokio::test]
async fn vector_documents_are_checked() {
    let (_emulator, client) = start_with_index("cosine").await;
    let one = |data: Value| json!({"key": "a", "data": {"float32": data}});
    let with = |metadata: Value| put(vec![vector("a", [1.0, 1.0], &metadata)]);
    let mut wide = index("other", "cosine");
    wide["dimension"] = json!(4097);
    let ask = |extra: Value| {
        let mut query = json!({"indexName": "index", "queryVector": {"float32": [1, 1]}, "topK": 1});
        for (name, value) in extra.as_object().unwrap() {
            query[name] = value.clone();
        }
        query
    };
    let many: Vec<_> = (0..501)
        .map(|number| vector(&number.to_string(), [1.0, 1.0], &json!({})))
        .collect();
    for (flag, document, code) in [
        ("putVectorIndex", index("1index", "cosine"), "InvalidArgument"),
        ("putVectorIndex", index("other", "manhattan"), "InvalidArgument"),
        ("putVectorIndex", wide, "InvalidArgument"),
        ("putVectorIndex", json!({"indexName": "other"}), "MissingArgument"),
        ("putVectorIndex", json!([]), "MalformedJson"),
        ("putVectors", put(vec![]), "InvalidArgument"),
        ("putVectors", put(many), "InvalidArgument"),
        ("putVectors", put(vec![one(json!([1]))]), "InvalidArgument"),
        ("putVectors", put(vec![one(json!([0, 0]))]), "InvalidArgument"),
        ("putVectors", put(vec![one(json!([1, "x"]))]), "InvalidArgument"),
        ("putVectors", put(vec![one(json!([1, 1e300]))]), "InvalidArgument"),
        (
            "putVectors",
            put(vec![one(json!([1, 1])), one(json!([1, 2]))]),
            "InvalidArgument",
        ),
        (
            "putVectors",
            put(vec![vector(&"k".repeat(1025), [1.0, 1.0], &json!({}))]),
            "InvalidArgument",
        ),
        ("putVectors", with(json!({"a": {"b": 1}})), "InvalidArgument"),
        ("putVectors", with(json!({"a": null})), "InvalidArgument"),
        ("putVectors", with(json!({"a": "x".repeat(2100)})), "InvalidArgument"),
        (
            "putVectors",
            with(json!({"note": "x".repeat(41_000)})),
            "InvalidArgument",
        ),
        (
            "putVectors",
            json!({"indexName": "none", "vectors": [one(json!([1, 1]))]}),
            "NoSuchVectorIndex",
        ),
        (
            "getVectors",
            json!({"indexName": "index", "keys": []}),
            "InvalidArgument",
        ),
        (
            "getVectors",
            json!({"indexName": "index", "keys": vec!["k"; 101]}),
            "InvalidArgument",
        ),
        (
            "deleteVectors",
            json!({"indexName": "index", "keys": vec!["k"; 501]}),
            "InvalidArgument",
        ),
        (
            "listVectors",
            json!({"indexName": "index", "segmentCount": 2}),
            "InvalidArgument",
        ),
        (
            "listVectors",
            json!({"indexName": "index", "segmentCount": 2, "segmentIndex": 2}),
            "InvalidArgument",
        ),
        (
            "listVectors",
            json!({"indexName": "index", "maxResults": 1001}),
            "InvalidArgument",
        ),
        (
            "listVectors",
            json!({"indexName": "index", "nextToken": "%"}),
            "InvalidArgument",
        ),
        ("queryVectors", ask(json!({"topK": 101})), "InvalidArgument"),
        ("queryVectors", ask(json!({"topK": 0})), "InvalidArgument"),
        ("queryVectors", ask(json!({"other": 1})), "InvalidArgument"),
        (
            "queryVectors",
            ask(json!({"filter": {"a": {"$like": "x"}}})),
            "InvalidArgument",
        ),
        (
            "queryVectors",
            ask(json!({"queryVector": {"float32": [1]}})),
            "InvalidArgument",
        ),
        (
            "putVectorIndexFusion",
            json!({"indexName": "f", "mode": "fusion", "schemaConfiguration": {}}),
            "NotImplemented",
        ),
    ] {
        let answer = send(&client, flag, document.clone()).await;
        assert_eq!(answer.json()["Error"]["Code"], code, "{flag} {document}");
    }
}

#[tokio::test]
async fn vectors_are_signed_by_their_own_resource_name() {
    let (_emulator, client) = start_with_index("cosine").await;
    let request = Request {
        resource: None,
        ..document("putVectorIndex", &json!({}))
    };
    assert_eq!(
        code(&client.send(request).await),
        (403, "SignatureDoesNotMatch".to_owned())
    );
    let anonymous = document("listVectorIndexes", &json!({}));
    assert_eq!(
        code(&client.send_as_is(anonymous).await),
        (403, "AccessDenied".to_owned())
    );
    let hosted = Client {
        host: format!("vectors-{DEFAULT_ACCOUNT_ID}.cn-hangzhou.oss-vectors.aliyuncs.com"),
        ..client
    };
    let mut request = document("listVectorIndexes", &json!({}));
    request.path = "/".to_owned();
    assert_eq!(hosted.send(request).await.status, 200);
}

#[tokio::test]
async fn many_small_writes_are_compacted_and_survive_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let run = || async {
        let emulator = Emulator::builder()
            .data_dir(directory.path())
            .clock(Clock::fixed(noon()));
        let emulator = emulator.start().await.unwrap();
        let client = Client::of(&emulator);
        (emulator, client)
    };
    let (emulator, client) = run().await;
    bucket(&client, "PUT", "/vectors").await;
    send(&client, "putVectorIndex", index("index", "euclidean")).await;
    for number in 0..70 {
        let key = format!("key-{:02}", number % 50);
        let written = put(vec![vector(
            &key,
            [f64::from(number), 0.0],
            &json!({"n": number.to_string()}),
        )]);
        assert_eq!(send(&client, "putVectors", written).await.status, 200);
        // Readers between the writes see every one of them.
        let get = json!({"indexName": "index", "keys": [key], "returnMetadata": true});
        let got = send(&client, "getVectors", get).await.json();
        assert_eq!(got["vectors"][0]["metadata"]["n"], number.to_string());
    }
    send(
        &client,
        "deleteVectors",
        json!({"indexName": "index", "keys": ["key-20"]}),
    )
    .await;
    let list = json!({"indexName": "index", "returnData": true, "returnMetadata": true});
    let before = send(&client, "listVectors", list.clone()).await.json();
    assert_eq!(before["vectors"].as_array().unwrap().len(), 49);
    emulator.shutdown().await;
    let (_emulator, client) = run().await;
    assert_eq!(send(&client, "listVectors", list).await.json(), before);
    let found = send(&client, "queryVectors", query(Value::Null)).await;
    assert_eq!(keys(&found)[0], "key-21");
}
