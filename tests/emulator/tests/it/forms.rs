//! Uploads by HTML forms.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::client::{Client, NOON, Request, Response, hmac_sha1_base64, md5_hex, start_with_bucket};
use crate::server::Server;

const BOUNDARY: &str = "9431149156168";

/// Fields, then the file; a field without a name ends the form at once.
pub(crate) fn form(fields: &[(&str, &str)], file: Option<(&str, &[u8])>) -> Request {
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend(
            format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes(),
        );
    }
    if let Some((name, content)) = file {
        let head =
            format!("Content-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: image/x-own");
        body.extend(format!("--{BOUNDARY}\r\n{head}\r\n\r\n").bytes());
        body.extend(content);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{BOUNDARY}--\r\n").bytes());
    raw(body)
}

fn raw(body: Vec<u8>) -> Request {
    Request::post("/bucket")
        .header("content-type", &format!("multipart/form-data; boundary={BOUNDARY}"))
        .body(body)
}

pub(crate) fn policy(conditions: &str) -> String {
    STANDARD.encode(format!(
        "{{\"expiration\":\"2023-12-17T17:00:00.000Z\",\"conditions\":[{conditions}]}}"
    ))
}

/// A form with a V1 signature.
pub(crate) async fn post(client: &Client, policy: &str, fields: &[(&str, &str)], file: &[u8]) -> Response {
    let signature = hmac_sha1_base64(&client.secret, policy);
    let own = [
        ("OSSAccessKeyId", client.id.as_str()),
        ("policy", policy),
        ("Signature", &signature),
    ];
    client
        .send_as_is(form(&[&own, fields].concat(), Some(("C:\\dir\\a.png", file))))
        .await
}

#[tokio::test]
async fn a_signed_form_makes_an_object() {
    let (_emulator, client) = start_with_bucket().await;
    let allowed = policy(r#"{"bucket":"bucket"},["starts-with","$key","user/"],["content-length-range",1,10]"#);
    let fields = [
        ("key", "user/${filename}"),
        ("x-oss-meta-who", "me"),
        ("Cache-Control", "no-cache"),
        ("x-oss-object-acl", "public-read"),
    ];
    let answer = post(&client, &allowed, &fields, b"hello").await;
    assert_eq!(answer.status, 204, "{}", answer.text());
    assert_eq!(
        answer.header("etag"),
        Some(format!("\"{}\"", md5_hex(b"hello")).as_str())
    );
    let got = client.send_as_is(Request::get("/bucket/user/a.png")).await;
    assert_eq!((got.status, got.text()), (200, "hello".to_owned()));
    assert_eq!(got.header("content-type"), Some("image/x-own"));
    assert_eq!(got.header("x-oss-meta-who"), Some("me"));
    assert_eq!(got.header("cache-control"), Some("no-cache"));
}

#[tokio::test]
async fn a_policy_decides_about_fields_and_sizes() {
    let (_emulator, client) = start_with_bucket().await;
    for (conditions, content, status, code) in [
        (r#"["eq","$key","other"]"#, "hello", 403, "AccessDenied"),
        (r#"["content-length-range",6,10]"#, "hello", 400, "EntityTooSmall"),
        (r#"["content-length-range",1,4]"#, "hello", 400, "EntityTooLarge"),
        (r#"["between","$key","a"]"#, "hello", 400, "InvalidPolicyDocument"),
        (r#"["content-length-range",5,5]"#, "hello", 204, ""),
    ] {
        let answer = post(&client, &policy(conditions), &[("key", "k")], content.as_bytes()).await;
        assert_eq!(answer.error(), (status, code.to_owned()), "{conditions}");
        let there = client.send(Request::get("/bucket/k")).await.status;
        assert_eq!(there, if status == 204 { 200 } else { 404 }, "{conditions}");
    }
    let expired = STANDARD.encode(r#"{"expiration":"2023-12-17T16:00:00.000Z","conditions":[]}"#);
    let answer = post(&client, &expired, &[("key", "k")], b"x").await;
    assert_eq!(answer.error(), (403, "AccessDenied".to_owned()));
    assert!(answer.text().contains("expired"));
}

#[tokio::test]
async fn v4_signatures_of_forms_are_verified() {
    let (_emulator, client) = start_with_bucket().await;
    let mac = |key: &[u8], text: &str| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().to_vec()
    };
    let scope = ["20231217", client.region.as_str(), "oss", "aliyun_v4_request"];
    let key = scope
        .iter()
        .fold(format!("aliyun_v4{}", client.secret).into_bytes(), |key, part| {
            mac(&key, part)
        });
    let sign = |policy: &str| -> String { mac(&key, policy).iter().map(|byte| format!("{byte:02x}")).collect() };
    let credential = |region: &str| format!("{}/20231217/{region}/oss/aliyun_v4_request", client.id);
    let conditions = [
        r#"{"x-oss-signature-version":"OSS4-HMAC-SHA256"}"#.to_owned(),
        format!(r#"["eq","$x-oss-credential","{}"]"#, credential(&client.region)),
        format!(r#"{{"x-oss-date":"{NOON}"}}"#),
    ];
    let allowed = policy(&conditions.join(","));
    let send = async |policy: &str, signature: &str, region: &str, date: &str| {
        let credential = credential(region);
        let fields = [
            ("key", "k"),
            ("policy", policy),
            ("x-oss-signature-version", "OSS4-HMAC-SHA256"),
            ("x-oss-credential", &credential),
            ("x-oss-date", date),
            ("x-oss-signature", signature),
            ("success_action_status", "201"),
        ];
        client.send_as_is(form(&fields, Some(("f", b"x")))).await
    };
    let (region, signature) = (client.region.as_str(), sign(&allowed));
    let answer = send(&allowed, &signature, region, NOON).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(answer.element("Key").as_deref(), Some("k"));
    assert_eq!(answer.element("Bucket").as_deref(), Some("bucket"));
    let wrong = send(&allowed, &"0".repeat(64), region, NOON).await;
    assert_eq!(wrong.error(), (403, "SignatureDoesNotMatch".to_owned()));
    let elsewhere = send(&allowed, &signature, "cn-beijing", NOON).await;
    assert_eq!(elsewhere.error(), (400, "InvalidArgument".to_owned()));
    // A date that the policy does not allow, and policies that leave open what belongs to the signature.
    let later = send(&allowed, &signature, region, "20231217T161000Z").await;
    assert_eq!(later.error(), (403, "AccessDenied".to_owned()));
    for left_out in 0..conditions.len() {
        let mut some = conditions.to_vec();
        some.remove(left_out);
        let open = policy(&some.join(","));
        let refused = send(&open, &sign(&open), region, NOON).await;
        assert_eq!(refused.error(), (403, "AccessDenied".to_owned()), "{left_out}");
    }
}

#[tokio::test]
async fn forms_without_a_signature_need_an_open_bucket() {
    let (_emulator, client) = start_with_bucket().await;
    let plain = || {
        form(
            &[("key", "k"), ("success_action_redirect", "http://app/done")],
            Some(("f", b"x")),
        )
    };
    assert_eq!(
        client.send_as_is(plain()).await.error(),
        (403, "AccessDenied".to_owned())
    );
    client
        .send(Request::put("/bucket?acl").header("x-oss-acl", "public-read-write"))
        .await;
    let answer = client.send_as_is(plain()).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let expected = format!("http://app/done?bucket=bucket&key=k&etag=%22{}%22", md5_hex(b"x"));
    assert_eq!(answer.header("location"), Some(expected.as_str()));
    let again = form(&[("key", "k"), ("x-oss-forbid-overwrite", "true")], Some(("f", b"y")));
    assert_eq!(
        client.send_as_is(again).await.error(),
        (409, "FileAlreadyExists".to_owned())
    );
    let half = form(&[("key", "k"), ("OSSAccessKeyId", "id")], Some(("f", b"y")));
    assert_eq!(
        client.send_as_is(half).await.error(),
        (400, "InvalidArgument".to_owned())
    );
}

#[tokio::test]
async fn malformed_forms_are_refused_and_leave_nothing() {
    let (_emulator, client) = start_with_bucket().await;
    client
        .send(Request::put("/bucket?acl").header("x-oss-acl", "public-read-write"))
        .await;
    let whole = form(&[("key", "k")], Some(("f", &[b'x'; 100_000]))).body;
    let two = [&whole[..whole.len() - BOUNDARY.len() - 6], &whole[..]].concat();
    let long = "v".repeat(65 * 1024);
    let names: Vec<String> = (0..30).map(|n| format!("f{n}")).collect();
    let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), &long[..60_000])).collect();
    for (name, request, code) in [
        (
            "no file",
            form(&[("key", "k")], None),
            "IncorrectNumberOfFilesInPOSTRequest",
        ),
        (
            "two files",
            raw(two),
            "MalformedPOSTRequest IncorrectNumberOfFilesInPOSTRequest",
        ),
        ("no key", form(&[], Some(("f", b"x"))), "InvalidArgument"),
        (
            "bad key",
            form(&[("key", "\\k")], Some(("f", b"x"))),
            "InvalidObjectName",
        ),
        (
            "key twice",
            form(&[("key", "k"), ("key", "l")], Some(("f", b"x"))),
            "MalformedPOSTRequest",
        ),
        (
            "long field",
            form(&[("key", "k"), ("a", &long)], Some(("f", b"x"))),
            "FieldItemTooLong",
        ),
        ("many fields", form(&many, Some(("f", b"x"))), "PostBodyTooLarge"),
        (
            "cut off",
            raw(whole[..whole.len() - 30].to_vec()),
            "MalformedPOSTRequest",
        ),
        (
            "no part",
            raw(b"hello".to_vec()),
            "MalformedPOSTRequest IncorrectNumberOfFilesInPOSTRequest",
        ),
        (
            "endless head",
            raw(format!("--{BOUNDARY}\r\nA: {}", "a".repeat(3_000_000)).into_bytes()),
            "PostBodyTooLarge",
        ),
        (
            "no boundary",
            Request::post("/bucket")
                .header("content-type", "multipart/form-data")
                .body("x"),
            "MalformedPOSTRequest",
        ),
    ] {
        let answer = client.send_as_is(request).await;
        assert_eq!(answer.status, 400, "{name}");
        assert!(
            code.split(' ').any(|code| code == answer.error().1),
            "{name}: {}",
            answer.text()
        );
        assert_eq!(client.send(Request::get("/bucket/k")).await.status, 404, "{name}");
    }
    assert_eq!(client.send_as_is(raw(whole)).await.status, 204);
}

#[tokio::test]
async fn forms_call_back_with_their_own_variables() {
    let (_emulator, client) = start_with_bucket().await;
    let server = Server::json("{\"ok\":1}").await;
    let callback = STANDARD.encode(
        serde_json::json!({"callbackUrl": format!("http://{}", server.address), "callbackBody": "v=${x:var}&op=${operation}"})
            .to_string(),
    );
    let answer = post(
        &client,
        &policy(""),
        &[("key", "k"), ("callback", &callback), ("x:var", "mine")],
        b"x",
    )
    .await;
    assert_eq!((answer.status, answer.text()), (200, "{\"ok\":1}".to_owned()));
    assert!(
        server.seen()[0].ends_with("v=mine&op=PostObject"),
        "{:?}",
        server.seen()
    );
}
