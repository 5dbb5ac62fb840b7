//! What is remembered of requests that are not signed like the others.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oss_emulator::{DEFAULT_ACCOUNT_ID, RequestRecord};

use crate::client::{Client, Request, encode, hmac_sha1_base64, start_with_bucket};
use crate::forms::{form, policy};
use crate::services::{ROLE, SESSION, assume_role, session};

fn signed_text(record: &RequestRecord) -> &str {
    record.string_to_sign.as_deref().unwrap()
}

#[tokio::test]
async fn rpc_requests_tell_who_signed_what() {
    let (emulator, client) = start_with_bucket().await;
    let session = session(&client, &[]).await;
    let token = session.token.clone().unwrap();
    let first = emulator.requests().all().pop().unwrap();
    assert_eq!(first.operation.as_deref(), Some("AssumeRole"));
    assert_eq!(first.principal.as_deref(), Some(DEFAULT_ACCOUNT_ID));
    assert!(signed_text(&first).starts_with("POST&%2F&AccessKeyId%3D"));
    assert!(first.bytes_in > 0);

    let again = assume_role(&session, &[ROLE, SESSION, ("SecurityToken", &token)]);
    client.send_as_is(again).await;
    let again = emulator.requests().all().pop().unwrap();
    assert_eq!(again.principal, Some(format!("{DEFAULT_ACCOUNT_ID}/{}", session.id)));
    let text = signed_text(&again);
    assert!(text.contains("%26SecurityToken%3D***%26"), "{text}");
    assert!(
        !text.contains(&token) && !text.contains(&encode(&encode(&token))),
        "{text}"
    );

    let wrong = Client {
        secret: "wrong".to_owned(),
        ..client.clone()
    };
    client.send_as_is(assume_role(&wrong, &[ROLE, SESSION])).await;
    let refused = emulator.requests().all().pop().unwrap();
    assert_eq!((refused.principal, refused.string_to_sign), (None, None));
}

#[tokio::test]
async fn forms_tell_who_signed_which_policy() {
    let (emulator, client) = start_with_bucket().await;
    let post = async |client: &Client, policy: &str| {
        let signature = hmac_sha1_base64(&client.secret, policy);
        let mut fields = vec![
            ("key", "k"),
            ("OSSAccessKeyId", client.id.as_str()),
            ("policy", policy),
            ("Signature", &signature),
        ];
        fields.extend(client.token.as_deref().map(|token| ("x-oss-security-token", token)));
        let answer = client.send_as_is(form(&fields, Some(("k", b"x")))).await;
        assert_eq!(answer.status, 204, "{}", answer.text());
        emulator.requests().all().pop().unwrap()
    };
    let plain = policy(r#"["eq","$key","k"]"#);
    let own = post(&client, &plain).await;
    assert_eq!(own.principal.as_deref(), Some(DEFAULT_ACCOUNT_ID));
    assert_eq!(signed_text(&own), plain);

    let session = session(&client, &[]).await;
    let token = session.token.clone().unwrap();
    let bound = policy(&format!(r#"["eq","$key","k"],{{"x-oss-security-token":"{token}"}}"#));
    let of_session = post(&session, &bound).await;
    assert_eq!(
        of_session.principal,
        Some(format!("{DEFAULT_ACCOUNT_ID}/{}", session.id))
    );
    let shown = String::from_utf8(STANDARD.decode(signed_text(&of_session)).unwrap()).unwrap();
    assert!(shown.contains(r#"{"x-oss-security-token":"***"}"#), "{shown}");

    let anonymous = client.send_as_is(Request::get("/bucket/k")).await;
    assert_eq!(anonymous.status, 403);
    assert_eq!(emulator.requests().all().pop().unwrap().string_to_sign, None);
}
