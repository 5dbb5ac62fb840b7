//! Who gets in and who does not.

use std::time::Duration;

use oss_emulator::Emulator;

use crate::client::{Client, NOON_HTTP, Request, encode, hmac_sha1_base64, start, start_with_bucket};

#[tokio::test]
async fn a_wrong_secret_is_answered_with_the_string_to_sign() {
    let (_emulator, client) = start_with_bucket().await;
    let stranger = Client {
        secret: "wrong".to_owned(),
        ..client
    };
    let answer = stranger.send(Request::get("/bucket/key")).await;
    assert_eq!(answer.error(), (403, "SignatureDoesNotMatch".to_owned()));
    assert!(
        answer
            .element("StringToSign")
            .unwrap()
            .starts_with("OSS4-HMAC-SHA256\n20231217T162057Z\n20231217/cn-hangzhou/oss/aliyun_v4_request\n")
    );
    assert!(
        answer
            .element("CanonicalRequest")
            .unwrap()
            .starts_with("GET\n/bucket/key\n")
    );
    assert_eq!(answer.element("OSSAccessKeyId").as_deref(), Some("oss-emulator"));
    assert_eq!(answer.element("SignatureProvided").unwrap().len(), 64);
    assert!(!answer.text().contains("oss-emulator-secret"));
}

#[tokio::test]
async fn errors_carry_ids_and_numbers() {
    let (_emulator, client) = start_with_bucket().await;
    let answer = client.send(Request::get("/bucket/missing")).await;
    assert_eq!(answer.error(), (404, "NoSuchKey".to_owned()));
    let id = answer.header("x-oss-request-id").unwrap();
    assert!(
        id.len() == 24
            && id
                .bytes()
                .all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte)),
        "{id}"
    );
    assert_eq!(answer.element("RequestId").as_deref(), Some(id));
    assert_eq!(answer.element("EC").as_deref(), answer.header("x-oss-ec"));
    assert_eq!(answer.element("Key").as_deref(), Some("missing"));
    assert_eq!(answer.header("server"), Some("AliyunOSS"));
    assert_eq!(answer.header("date"), Some(NOON_HTTP));
    assert!(answer.header("x-oss-server-time").is_some());
}

#[tokio::test]
async fn an_error_to_head_comes_in_a_header() {
    use base64::Engine as _;
    let (_emulator, client) = start_with_bucket().await;
    let answer = client.send(Request::new("HEAD", "/bucket/missing")).await;
    assert_eq!(answer.status, 404);
    assert!(answer.body.is_empty());
    let document = base64::engine::general_purpose::STANDARD
        .decode(answer.header("x-oss-err").unwrap())
        .unwrap();
    assert!(String::from_utf8(document).unwrap().contains("<Code>NoSuchKey</Code>"));
    assert!(answer.header("x-oss-ec").is_some());
}

#[tokio::test]
async fn unknown_keys_and_unreadable_claims_are_told_apart() {
    let (_emulator, client) = start_with_bucket().await;
    let unknown = Client {
        id: "nobody".to_owned(),
        ..client.clone()
    };
    assert_eq!(
        unknown.send(Request::get("/bucket/")).await.error(),
        (403, "InvalidAccessKeyId".to_owned())
    );
    let elsewhere = Client {
        region: "cn-beijing".to_owned(),
        ..client.clone()
    };
    assert_eq!(
        elsewhere.send(Request::get("/bucket/")).await.error(),
        (400, "InvalidArgument".to_owned())
    );
    for value in [
        "nonsense",
        "OSS4-HMAC-SHA256 nonsense",
        "OSS id",
        "AWS4-HMAC-SHA256 Credential=a",
    ] {
        let answer = client
            .send_as_is(Request::get("/bucket/").header("authorization", value))
            .await;
        assert_eq!(answer.error(), (400, "InvalidArgument".to_owned()), "{value}");
    }
    let undated = client.sign(Request::get("/bucket/"));
    let undated = Request {
        headers: undated
            .headers
            .into_iter()
            .filter(|(name, _)| name != "x-oss-date")
            .collect(),
        ..undated
    };
    assert_eq!(
        client.send_as_is(undated).await.error(),
        (403, "AccessDenied".to_owned())
    );
    let twice = client.presign(client.sign(Request::get("/bucket/")), 60);
    assert_eq!(
        client.send_as_is(twice).await.error(),
        (400, "InvalidArgument".to_owned())
    );
}

#[tokio::test]
async fn a_skewed_clock_is_told_the_time() {
    let (_emulator, client) = start_with_bucket().await;
    for stamp in ["20231217T160556Z", "20231217T163558Z"] {
        let late = Client {
            stamp: stamp.to_owned(),
            ..client.clone()
        };
        let answer = late.send(Request::get("/bucket/")).await;
        assert_eq!(answer.error(), (403, "RequestTimeTooSkewed".to_owned()), "{stamp}");
        assert_eq!(
            answer.element("ServerTime").as_deref(),
            Some("2023-12-17T16:20:57.000Z")
        );
        assert_eq!(answer.header("date"), Some(NOON_HTTP));
    }
    let within = Client {
        stamp: "20231217T160557Z".to_owned(),
        ..client
    };
    assert_eq!(within.send(Request::get("/bucket/")).await.status, 200);
}

#[tokio::test]
async fn a_presigned_url_works_until_it_expires() {
    let (emulator, client) = start_with_bucket().await;
    client.send(Request::put("/bucket/a b").body("text")).await;
    let url = client.presign(Request::get("/bucket/a b"), 60);
    assert_eq!(client.send_as_is(url.clone()).await.text(), "text");
    let mut changed = url.clone();
    changed.path = "/bucket/other".to_owned();
    assert_eq!(client.send_as_is(changed).await.error().1, "SignatureDoesNotMatch");
    emulator.clock().advance(Duration::from_secs(60));
    let answer = client.send_as_is(url).await;
    assert_eq!(answer.error(), (403, "AccessDenied".to_owned()));
    assert_eq!(answer.element("Message").as_deref(), Some("Request has expired."));
    let too_long = client.presign(Request::get("/bucket/a b"), 604_801);
    assert_eq!(
        client.send_as_is(too_long).await.error(),
        (400, "InvalidArgument".to_owned())
    );
}

#[tokio::test]
async fn signature_v1_works_in_headers_and_queries() {
    let (emulator, client) = start_with_bucket().await;
    client.send(Request::put("/bucket/k").body("text")).await;
    let signature = hmac_sha1_base64(&client.secret, &format!("GET\n\n\n{NOON_HTTP}\n/bucket/k"));
    let signed = |value: &str| {
        Request::get("/bucket/k")
            .header("date", NOON_HTTP)
            .header("authorization", value)
    };
    assert_eq!(
        client
            .send_as_is(signed(&format!("OSS {}:{signature}", client.id)))
            .await
            .text(),
        "text"
    );
    let answer = client
        .send_as_is(signed(&format!("OSS {}:x{signature}", client.id)))
        .await;
    assert_eq!(answer.error(), (403, "SignatureDoesNotMatch".to_owned()));
    assert_eq!(
        answer.element("StringToSign").unwrap(),
        format!("GET\n\n\n{NOON_HTTP}\n/bucket/k")
    );

    let expires = "1702830067";
    let signature = hmac_sha1_base64(&client.secret, &format!("GET\n\n\n{expires}\n/bucket/k"));
    let url = Request::get("/bucket/k")
        .query("OSSAccessKeyId", &client.id)
        .query("Expires", expires)
        .query("Signature", &signature);
    assert_eq!(client.send_as_is(url.clone()).await.text(), "text");
    emulator.clock().advance(Duration::from_secs(10));
    assert_eq!(
        client.send_as_is(url).await.element("Message").as_deref(),
        Some("Request has expired.")
    );
}

#[tokio::test]
async fn acls_decide_what_anybody_may_do() {
    let (_emulator, client) = start_with_bucket().await;
    client.send(Request::put("/bucket/closed").body("c")).await;
    client
        .send(
            Request::put("/bucket/open")
                .header("x-oss-object-acl", "public-read")
                .body("o"),
        )
        .await;
    let anonymous = |request| client.send_as_is(request);
    let denied = (403, "AccessDenied".to_owned());
    assert_eq!(anonymous(Request::get("/bucket/closed")).await.error(), denied);
    assert_eq!(anonymous(Request::get("/bucket/open")).await.text(), "o");
    assert_eq!(anonymous(Request::put("/bucket/open").body("x")).await.error(), denied);
    assert_eq!(anonymous(Request::get("/bucket/")).await.error(), denied);
    assert_eq!(anonymous(Request::get("/")).await.error(), denied);
    assert_eq!(
        anonymous(Request::get("/no-such-bucket/k")).await.error(),
        (404, "NoSuchBucket".to_owned())
    );

    client
        .send(Request::put("/bucket?acl").header("x-oss-acl", "public-read-write"))
        .await;
    assert_eq!(anonymous(Request::get("/bucket/")).await.status, 200);
    assert_eq!(anonymous(Request::put("/bucket/new").body("x")).await.status, 200);
    assert_eq!(anonymous(Request::get("/bucket/?acl")).await.error(), denied);
    client
        .send(Request::put("/bucket/closed?acl").header("x-oss-object-acl", "private"))
        .await;
    assert_eq!(anonymous(Request::get("/bucket/closed")).await.error(), denied);
}

#[tokio::test]
async fn accounts_are_strangers_to_each_other() {
    let clock = oss_emulator::Clock::fixed(crate::client::noon());
    let emulator = Emulator::builder()
        .clock(clock)
        .access_key_of("42", "other", "other-secret")
        .start()
        .await
        .unwrap();
    let client = Client::of(&emulator);
    let other = Client {
        id: "other".to_owned(),
        secret: "other-secret".to_owned(),
        ..client.clone()
    };
    assert_eq!(client.send(Request::put("/bucket")).await.status, 200);
    assert_eq!(client.send(Request::put("/bucket")).await.status, 200);
    assert_eq!(
        other.send(Request::put("/bucket")).await.error(),
        (409, "BucketAlreadyExists".to_owned())
    );
    assert_eq!(
        other.send(Request::get("/bucket/")).await.error(),
        (403, "AccessDenied".to_owned())
    );
    assert!(other.send(Request::get("/")).await.elements("Name").is_empty());
    assert_eq!(client.send(Request::get("/")).await.elements("Name"), ["bucket"]);
}

#[tokio::test]
async fn addresses_of_all_styles_reach_the_bucket() {
    let clock = oss_emulator::Clock::fixed(crate::client::noon());
    let builder = Emulator::builder()
        .clock(clock)
        .domain("oss.test")
        .cname("static.example.com", "bucket");
    let emulator = builder.start().await.unwrap();
    let client = Client::of(&emulator);
    client.send(Request::put("/bucket")).await;
    client.send(Request::put("/bucket/a//b").body("text")).await;
    for (host, path) in [
        ("localhost", "/bucket/a//b"),
        ("oss.test", "/bucket/a//b"),
        ("bucket.localhost:9000", "/a//b"),
        ("bucket.oss.test", "/a//b"),
        ("bucket.oss-cn-hangzhou.aliyuncs.com", "/a//b"),
        ("static.example.com", "/a//b"),
    ] {
        let there = Client {
            host: host.to_owned(),
            ..client.clone()
        };
        let answer = there.send(Request::get(path).resource("/bucket/a//b")).await;
        assert_eq!((answer.status, answer.text().as_str()), (200, "text"), "{host}");
    }
    let nowhere = Client {
        host: "elsewhere.example.org".to_owned(),
        ..client.clone()
    };
    assert_eq!(
        nowhere.send(Request::get("/a")).await.error(),
        (404, "NoSuchBucket".to_owned())
    );
    emulator.bind_cname("elsewhere.example.org", "bucket");
    assert_eq!(
        nowhere
            .send(Request::get("/a//b").resource("/bucket/a//b"))
            .await
            .text(),
        "text"
    );
}

#[tokio::test]
async fn paths_are_not_normalised() {
    let (_emulator, client) = start_with_bucket().await;
    for key in ["a/../b", "./a", "a//b", "a/", "a/./b", "a%2Fb", "ключ", "a+b c"] {
        assert_eq!(
            client
                .send(Request::put(&format!("/bucket/{key}")).body(key))
                .await
                .status,
            200,
            "{key}"
        );
    }
    for key in ["a/../b", "./a", "a//b", "a/", "a/./b", "a%2Fb", "ключ", "a+b c"] {
        assert_eq!(client.send(Request::get(&format!("/bucket/{key}"))).await.text(), key);
    }
}

#[tokio::test]
async fn the_log_has_no_secrets() {
    let (emulator, client) = start().await;
    let url = client.presign(Request::get("/"), 60);
    let signature = url.query.last().unwrap().1.clone();
    client.send_as_is(url).await;
    client.send(Request::get("/")).await;
    let text = format!("{:?} {emulator:?}", emulator.requests().all());
    assert_eq!(emulator.requests().count("ListBuckets"), 2);
    assert!(!text.contains(&signature) && !text.contains(&encode(&signature)) && !text.contains("emulator-secret"));
}
