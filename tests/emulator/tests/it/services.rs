//! The services besides OSS proper: vectors and STS.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use oss_emulator::DEFAULT_ACCOUNT_ID;
use serde_json::{Value, json};

use crate::client::{Client, Request, encode, hmac_sha1_base64, md5_base64, start, start_with_bucket};

fn vectors(flag: &str, document: &Value) -> Request {
    let resource = format!("/acs:ossvector:cn-hangzhou:{DEFAULT_ACCOUNT_ID}:bucket/");
    Request::post(&format!("/bucket/?{flag}"))
        .header("content-type", "application/json")
        .body(document.to_string())
        .resource(&resource)
}

/// The vectors services sign colons as `%3A`, which the path encoder of the client does too.
async fn send(client: &Client, flag: &str, document: Value) -> crate::client::Response {
    client.send(vectors(flag, &document)).await
}

#[tokio::test]
async fn vectors_are_found_by_distance_and_metadata() {
    let (_emulator, client) = start_with_bucket().await;
    let index = json!({"indexName": "index", "dataType": "float32", "dimension": 2, "distanceMetric": "euclidean",
        "metadata": {"nonFilterableMetadataKeys": ["note"]}});
    let created = send(&client, "putVectorIndex", index.clone()).await;
    assert_eq!(created.status, 200, "{}", created.text());
    assert_eq!(
        send(&client, "putVectorIndex", index).await.json()["Error"]["Code"],
        "VectorIndexAlreadyExists"
    );
    let batch = json!({"indexName": "index", "vectors": [
        {"key": "near", "data": {"float32": [0.0, 1.0]}, "metadata": {"kind": "a", "note": "n"}},
        {"key": "far", "data": {"float32": [3, 4]}, "metadata": {"kind": "b"}}]});
    assert_eq!(send(&client, "putVectors", batch).await.status, 200);
    let moved = json!({"indexName": "index", "vectors": [{"key": "near", "data": {"float32": [0.0, 2.0]}, "metadata": {"kind": "a"}}]});
    send(&client, "putVectors", moved).await;
    let query = |filter: Value| {
        let mut query = json!({"indexName": "index", "queryVector": {"float32": [0, 0]}, "topK": 10, "returnDistance": true, "returnMetadata": true});
        if !filter.is_null() {
            query["filter"] = filter;
        }
        query
    };
    let found = send(&client, "queryVectors", query(Value::Null)).await.json();
    assert_eq!(
        found["vectors"][0],
        json!({"key": "near", "distance": 2.0, "metadata": {"kind": "a"}})
    );
    assert_eq!(found["vectors"][1]["distance"], 5.0);
    let found = send(&client, "queryVectors", query(json!({"kind": {"$in": ["b"]}})))
        .await
        .json();
    assert_eq!(found["vectors"].as_array().unwrap().len(), 1);
    let refused = send(&client, "queryVectors", query(json!({"note": "n"}))).await;
    assert_eq!(
        (refused.status, refused.json()["Error"]["Code"].as_str()),
        (400, Some("InvalidArgument"))
    );
}

#[tokio::test]
async fn vector_documents_are_checked() {
    let (_emulator, client) = start_with_bucket().await;
    let index = |name: &str, dimension: u32| json!({"indexName": name, "dataType": "float32", "dimension": dimension, "distanceMetric": "cosine"});
    send(&client, "putVectorIndex", index("index", 2)).await;
    let vector = |key: &str, data: Value| json!({"key": key, "data": {"float32": data}});
    let put = |vectors: Vec<Value>| json!({"indexName": "index", "vectors": vectors});
    for (flag, document, code) in [
        ("putVectorIndex", index("1index", 2), "InvalidArgument"),
        ("putVectorIndex", index("other", 0), "InvalidArgument"),
        ("putVectorIndex", json!({"indexName": "other"}), "MissingArgument"),
        ("putVectorIndex", json!([]), "MalformedJson"),
        ("putVectors", put(vec![]), "InvalidArgument"),
        ("putVectors", put(vec![vector("a", json!([1]))]), "InvalidArgument"),
        ("putVectors", put(vec![vector("a", json!([0, 0]))]), "InvalidArgument"),
        ("putVectors", put(vec![vector("a", json!([1, "x"]))]), "InvalidArgument"),
        (
            "putVectors",
            put(vec![vector("a", json!([1, 1e300]))]),
            "InvalidArgument",
        ),
        (
            "putVectors",
            put(vec![vector("a", json!([1, 1])), vector("a", json!([1, 2]))]),
            "InvalidArgument",
        ),
        (
            "putVectors",
            json!({"indexName": "none", "vectors": [vector("a", json!([1, 1]))]}),
            "NoSuchVectorIndex",
        ),
        (
            "queryVectors",
            json!({"indexName": "index", "queryVector": {"float32": [1, 1]}, "topK": 101}),
            "InvalidArgument",
        ),
        (
            "queryVectors",
            json!({"indexName": "index", "queryVector": {"float32": [1, 1]}, "topK": 1, "other": 1}),
            "InvalidArgument",
        ),
    ] {
        let answer = send(&client, flag, document.clone()).await;
        assert_eq!(answer.json()["Error"]["Code"], code, "{flag} {document}");
    }
}

#[tokio::test]
async fn vectors_are_signed_by_their_own_resource_name() {
    let (_emulator, client) = start_with_bucket().await;
    let request = Request {
        resource: None,
        ..vectors("putVectorIndex", &json!({}))
    };
    assert_eq!(
        client.send(request).await.json()["Error"]["Code"],
        "SignatureDoesNotMatch"
    );
}

fn assume_role(client: &Client, extra: &[(&str, &str)]) -> Request {
    static NONCE: AtomicU64 = AtomicU64::new(0);
    let nonce = NONCE.fetch_add(1, Ordering::Relaxed).to_string();
    let mut parameters = vec![
        ("AccessKeyId", client.id.as_str()),
        ("Action", "AssumeRole"),
        ("Format", "JSON"),
        ("SignatureMethod", "HMAC-SHA1"),
        ("SignatureNonce", nonce.as_str()),
        ("SignatureVersion", "1.0"),
        ("Timestamp", "2023-12-17T16:20:57Z"),
        ("Version", "2015-04-01"),
    ];
    for (name, value) in extra {
        parameters.push((name, value));
    }
    parameters.sort_unstable();
    let joined = parameters
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect::<Vec<_>>()
        .join("&");
    let signature = hmac_sha1_base64(&format!("{}&", client.secret), &format!("POST&%2F&{}", encode(&joined)));
    Request::post("/")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("{joined}&Signature={}", encode(&signature)))
}

const ROLE: (&str, &str) = ("RoleArn", "acs:ram::123456789012:role/demo");
const SESSION: (&str, &str) = ("RoleSessionName", "session");

async fn session(client: &Client, extra: &[(&str, &str)]) -> Client {
    let parameters: Vec<_> = [ROLE, SESSION].iter().chain(extra).copied().collect();
    let answer = client.send_as_is(assume_role(client, &parameters)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let credentials = &answer.json()["Credentials"];
    let text = |name: &str| credentials[name].as_str().unwrap().to_owned();
    Client {
        id: text("AccessKeyId"),
        secret: text("AccessKeySecret"),
        token: Some(text("SecurityToken")),
        ..client.clone()
    }
}

#[tokio::test]
async fn temporary_credentials_work_until_they_expire() {
    let (emulator, client) = start_with_bucket().await;
    let answer = client
        .send_as_is(assume_role(&client, &[ROLE, SESSION, ("DurationSeconds", "900")]))
        .await
        .json();
    assert_eq!(answer["Credentials"]["Expiration"], "2023-12-17T16:35:57Z");
    assert_eq!(
        answer["AssumedRoleUser"]["Arn"],
        "acs:ram::123456789012:role/demo/session"
    );
    let temporary = session(&client, &[("DurationSeconds", "900")]).await;
    assert!(temporary.id.starts_with("STS."));
    assert_eq!(temporary.send(Request::put("/bucket/k").body("x")).await.status, 200);
    let url = temporary.presign(Request::get("/bucket/k"), 3600);
    assert_eq!(client.send_as_is(url.clone()).await.text(), "x");
    let stripped = Client {
        token: None,
        ..temporary.clone()
    };
    assert_eq!(
        stripped.send(Request::get("/bucket/k")).await.error(),
        (403, "InvalidSecurityToken".to_owned())
    );
    let forged = Client {
        token: Some("forged".to_owned()),
        ..temporary.clone()
    };
    assert_eq!(
        forged.send(Request::get("/bucket/k")).await.error(),
        (403, "InvalidSecurityToken".to_owned())
    );
    emulator.clock().advance(Duration::from_secs(900));
    assert_eq!(
        temporary.send(Request::get("/bucket/k")).await.error(),
        (403, "SecurityTokenExpired".to_owned())
    );
    assert_eq!(
        client.send_as_is(url).await.error(),
        (403, "SecurityTokenExpired".to_owned())
    );
}

#[tokio::test]
async fn a_session_policy_narrows_what_may_be_done() {
    let (_emulator, client) = start_with_bucket().await;
    client.send(Request::put("/bucket/public/a").body("a")).await;
    client.send(Request::put("/bucket/secret/a").body("s")).await;
    let policy = json!({"Version": "1", "Statement": [
        {"Effect": "Allow", "Action": ["oss:GetObject"], "Resource": ["acs:oss:*:*:bucket/*"]},
        {"Effect": "Deny", "Action": "oss:*", "Resource": "acs:oss:*:*:bucket/secret/*"}]});
    let reader = session(&client, &[("Policy", &policy.to_string())]).await;
    assert_eq!(reader.send(Request::get("/bucket/public/a")).await.text(), "a");
    let denied = (403, "AccessDenied".to_owned());
    assert_eq!(reader.send(Request::get("/bucket/secret/a")).await.error(), denied);
    assert_eq!(
        reader.send(Request::put("/bucket/public/a").body("x")).await.error(),
        denied
    );
    assert_eq!(reader.send(Request::get("/bucket/")).await.error(), denied);
    assert_eq!(
        reader
            .send(Request::put("/bucket/public/b").header("x-oss-copy-source", "/bucket/public/a"))
            .await
            .error(),
        denied
    );
    let answer = client
        .send_as_is(assume_role(&client, &[ROLE, SESSION, ("Policy", "nonsense")]))
        .await;
    assert_eq!(answer.json()["Code"], "InvalidParameter.PolicyGrammar");
}

#[tokio::test]
async fn deleting_many_asks_the_policy_for_each_key() {
    let (_emulator, client) = start_with_bucket().await;
    let policy = json!({"Version": "1", "Statement": [
        {"Effect": "Allow", "Action": "oss:DeleteObject", "Resource": "acs:oss:*:*:bucket/tmp/*"},
        {"Effect": "Allow", "Action": "oss:PutBucket", "Resource": "acs:oss:*:*:own-*"}]});
    let cleaner = session(&client, &[("Policy", &policy.to_string())]).await;
    let delete = |key: &str| {
        let document = format!("<Delete><Object><Key>{key}</Key></Object></Delete>");
        Request::post("/bucket?delete")
            .header("content-md5", &md5_base64(document.as_bytes()))
            .body(document)
    };
    assert_eq!(cleaner.send(delete("tmp/a")).await.status, 200);
    assert_eq!(
        cleaner.send(delete("kept")).await.error(),
        (403, "AccessDenied".to_owned())
    );
    assert_eq!(client.send_as_is(delete("kept")).await.status, 403);
    assert_eq!(cleaner.send(Request::put("/own-bucket")).await.status, 200);
    assert_eq!(cleaner.send(Request::put("/other-bucket")).await.status, 403);
}

#[tokio::test]
async fn bad_role_requests_are_told_what_is_wrong() {
    let (_emulator, client) = start().await;
    for (parameters, code) in [
        (vec![SESSION], "MissingRoleArn"),
        (vec![ROLE], "MissingRoleSessionName"),
        (vec![("RoleArn", "nonsense"), SESSION], "InvalidParameter.RoleArn"),
        (vec![ROLE, ("RoleSessionName", "x")], "InvalidParameter.RoleSessionName"),
        (
            vec![ROLE, ("RoleSessionName", "a b")],
            "InvalidParameter.RoleSessionName",
        ),
        (
            vec![ROLE, SESSION, ("DurationSeconds", "899")],
            "InvalidParameter.DurationSeconds",
        ),
        (
            vec![ROLE, SESSION, ("DurationSeconds", "43201")],
            "InvalidParameter.DurationSeconds",
        ),
    ] {
        let answer = client.send_as_is(assume_role(&client, &parameters)).await;
        assert_eq!(
            (answer.status, answer.json()["Code"].as_str()),
            (400, Some(code)),
            "{parameters:?}"
        );
        assert!(answer.json()["RequestId"].is_string());
    }
    let wrong = Client {
        secret: "wrong".to_owned(),
        ..client.clone()
    };
    assert_eq!(
        client.send_as_is(assume_role(&wrong, &[ROLE, SESSION])).await.json()["Code"],
        "SignatureDoesNotMatch"
    );
    let unsigned = Request::post("/").body("Action=AssumeRole&Version=2015-04-01");
    assert_eq!(client.send_as_is(unsigned).await.json()["Code"], "MissingAccessKeyId");
    let unknown = Request::post("/").body("Action=GetCallerIdentity&Version=2015-04-01");
    assert_eq!(client.send_as_is(unknown).await.status, 501);
}
