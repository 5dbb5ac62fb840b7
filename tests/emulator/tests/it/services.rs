//! Temporary credentials of STS.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;

use crate::client::{Client, Request, encode, hmac_sha1_base64, md5_base64, start, start_with_bucket};

pub(crate) fn assume_role(client: &Client, extra: &[(&str, &str)]) -> Request {
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

pub(crate) const ROLE: (&str, &str) = ("RoleArn", "acs:ram::123456789012:role/demo");
pub(crate) const SESSION: (&str, &str) = ("RoleSessionName", "session");

pub(crate) async fn session(client: &Client, extra: &[(&str, &str)]) -> Client {
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
