//! The access log as a file.

use oss_emulator::{AccessLog, Clock, Emulator};
use serde_json::Value;

use crate::client::{Client, Request, noon};

#[tokio::test]
async fn every_request_is_a_line_of_json_without_secrets() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("access.log");
    std::fs::write(&path, "{\"before\":true}\n").unwrap();
    let emulator = Emulator::builder()
        .clock(Clock::fixed(noon()))
        .access_key("me", "very-secret")
        .access_log(AccessLog::file(&path).unwrap())
        .start()
        .await
        .unwrap();
    let client = Client::of(&emulator);
    let token = "CAIS-session-token";
    let odd = "/bucket/a\"b\n{c";
    client.send(Request::put("/bucket")).await;
    client.send(Request::put(odd).body("text")).await;
    let presigned = client.presign(Request::get(odd), 60);
    let signatures: Vec<_> = presigned
        .query
        .iter()
        .filter(|(name, _)| name == "x-oss-signature")
        .map(|(_, value)| value.clone())
        .collect();
    assert_eq!(client.send_as_is(presigned).await.text(), "text");
    client
        .send(Request::get("/bucket/k").header("x-oss-security-token", token))
        .await;
    for target in [
        format!("/bucket/k?OSSAccessKeyId=me&Signature=v1-signature&Expires=1&security-token={token}"),
        format!("/bucket/k?x-oss-security-token={token}&x-oss-signature=v4-signature"),
        format!("/?Action=AssumeRole&Version=2015-04-01&SecurityToken={token}&Signature=rpc-signature"),
        format!("/?Action=AssumeRoleWithOIDC&Version=2015-04-01&OIDCToken={token}"),
    ] {
        client.send_as_is(Request::get(&target)).await;
    }
    emulator.shutdown().await;

    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 1 + 8, "{text}");
    assert_eq!(lines[0]["before"], true);
    assert_eq!(lines[2]["operation"], "PutObject");
    assert_eq!(lines[2]["key"], "a\"b\n{c");
    assert_eq!((&lines[2]["status"], &lines[2]["bytes_in"]), (&200.into(), &4.into()));
    assert_eq!(
        (&lines[3]["bytes_out"], &lines[3]["remote"]),
        (&4.into(), &"127.0.0.1".into())
    );
    assert_eq!(signatures.len(), 1);
    let secrets = ["very-secret", token, "v1-signature", "v4-signature", "rpc-signature"];
    for secret in secrets.iter().copied().chain(signatures.iter().map(String::as_str)) {
        assert!(!text.contains(secret), "{secret} in\n{text}");
    }
}
