//! Requests that claim more than was signed, and readers who try side doors.

use oss_emulator::{Clock, Emulator};

use crate::client::{Client, NOON_HTTP, Request, Response, hmac_sha1_base64, noon, start_with_bucket};

fn mismatch() -> (u16, String) {
    (403, "SignatureDoesNotMatch".to_owned())
}

fn denied() -> (u16, String) {
    (403, "AccessDenied".to_owned())
}

fn invalid() -> (u16, String) {
    (400, "InvalidArgument".to_owned())
}

/// Signs with V1 in the header; `resource` is what the signature names, `signed` the lines of its `x-oss-*` headers.
fn sign_v1(client: &Client, request: Request, signed: &str, resource: &str) -> Request {
    let text = format!("{}\n\n\n{NOON_HTTP}\n{signed}{resource}", request.method);
    let value = format!("OSS {}:{}", client.id, hmac_sha1_base64(&client.secret, &text));
    request.header("date", NOON_HTTP).header("authorization", &value)
}

/// Presigns with V1.
fn presign_v1(client: &Client, method: &str, target: &str, expires: &str) -> Request {
    let text = format!("{method}\n\n\n{expires}\n{target}");
    Request::new(method, target)
        .query("OSSAccessKeyId", &client.id)
        .query("Expires", expires)
        .query("Signature", &hmac_sha1_base64(&client.secret, &text))
}

async fn error(client: &Client, request: Request) -> (u16, String) {
    client.send_as_is(request).await.error()
}

#[tokio::test]
async fn nothing_can_be_added_to_a_signed_request() {
    let (_emulator, client) = start_with_bucket().await;
    let signed = || client.sign(Request::put("/bucket/k").header("x-oss-meta-a", "1").body("b"));
    assert_eq!(client.send_as_is(signed()).await.status, 200);
    for (name, value) in [
        ("x-oss-object-acl", "public-read"),
        ("x-oss-meta-a", "2"),
        ("x-oss-meta-b", "1"),
        ("x-oss-security-token", ""),
        ("content-type", "text/html"),
        ("content-md5", "AAAAAAAAAAAAAAAAAAAAAA=="),
    ] {
        let added = error(&client, signed().header(name, value)).await;
        // An empty token is none, and some clients leave headers without a value out of the signature.
        let expected = if value.is_empty() {
            (200, String::new())
        } else {
            mismatch()
        };
        assert_eq!(added, expected, "{name}");
    }
    for (name, value) in [
        ("x-oss-process", "image/resize,w_1"),
        ("acl", ""),
        ("versionId", "null"),
    ] {
        let added = client.sign(Request::get("/bucket/k")).query(name, value);
        assert_eq!(error(&client, added).await, mismatch(), "{name}");
    }
    for target in ["/bucket/other", "/other/k", "/bucket"] {
        let signature = signed().headers;
        let mut moved = Request::put(target).body("b");
        moved.headers = signature;
        assert_eq!(error(&client, moved).await.0, 403, "{target}");
    }
}

#[tokio::test]
async fn a_presigned_url_is_good_for_one_thing_only() {
    let (_emulator, client) = start_with_bucket().await;
    client.send(Request::put("/bucket/k").body("b")).await;
    client.send(Request::put("/bucket-2")).await;
    let signed = || client.presign(Request::get("/bucket/k"), 60);
    assert_eq!(client.send_as_is(signed()).await.text(), "b");
    for (name, value) in [
        ("x-oss-meta-a", "1"),
        ("x-oss-security-token", "t"),
        ("content-type", "a/b"),
    ] {
        assert_eq!(error(&client, signed().header(name, value)).await, mismatch(), "{name}");
    }
    for (name, value) in [
        ("x-oss-process", "a"),
        ("response-content-type", "text/html"),
        ("x-oss-expires", "604800"),
        ("x-oss-date", "20231217T162058Z"),
    ] {
        assert_eq!(error(&client, signed().query(name, value)).await, mismatch(), "{name}");
    }
    for method in ["PUT", "DELETE", "POST"] {
        let mut other = signed();
        method.clone_into(&mut other.method);
        assert_eq!(error(&client, other).await, mismatch(), "{method}");
    }
    for path in ["/bucket/other", "/bucket-2/k", "/bucket/k/", "/bucket/k//k"] {
        let mut other = signed();
        path.clone_into(&mut other.path);
        assert_eq!(error(&client, other).await, mismatch(), "{path}");
    }
    let both = client.sign(Request::get("/bucket/k"));
    let both = Request {
        query: signed().query,
        ..both
    };
    assert_eq!(error(&client, both).await, invalid());
}

#[tokio::test]
async fn validities_have_bounds() {
    let (_emulator, client) = start_with_bucket().await;
    client.send(Request::put("/bucket/k").body("b")).await;
    let v4 = |seconds: &str| {
        let mut request = client.presign(Request::get("/bucket/k"), 60);
        let expires = request
            .query
            .iter_mut()
            .find(|(name, _)| name == "x-oss-expires")
            .unwrap();
        seconds.clone_into(&mut expires.1);
        request
    };
    for seconds in ["0", "-1", "604801", "99999999999999999999999", "1e3", ""] {
        assert_eq!(error(&client, v4(seconds)).await, invalid(), "{seconds}");
    }
    for (seconds, expected) in [
        ("-9223372036854775808", denied()),
        ("0", denied()),
        ("1702830057", denied()),
        ("1702830058", (200, String::new())),
        ("9223372036854775807", (200, String::new())),
        ("9223372036854775808", invalid()),
        ("soon", invalid()),
    ] {
        let request = presign_v1(&client, "GET", "/bucket/k", seconds);
        assert_eq!(error(&client, request).await, expected, "{seconds}");
    }
}

#[tokio::test]
async fn scopes_and_dates_agree() {
    let (_emulator, client) = start_with_bucket().await;
    let authorization = |scope: &str| {
        let value = format!(
            "OSS4-HMAC-SHA256 Credential={}/{scope},Signature={}",
            client.id,
            "a".repeat(64)
        );
        Request::get("/bucket")
            .header("x-oss-date", &client.stamp)
            .header("authorization", &value)
    };
    for scope in [
        format!("20231216/{}/oss/aliyun_v4_request", client.region),
        "20231217/elsewhere/oss/aliyun_v4_request".to_owned(),
        format!("20231217/{}/osstables/aliyun_v4_request", client.region),
        format!("20231217/{}/oss/aws4_request", client.region),
        format!("20231217/{}/oss", client.region),
    ] {
        assert_eq!(error(&client, authorization(&scope)).await, invalid(), "{scope}");
    }
    let right = format!("20231217/{}/oss/aliyun_v4_request", client.region);
    assert_eq!(error(&client, authorization(&right)).await, mismatch());
}

#[tokio::test]
async fn unreadable_authorizations_are_refused() {
    let (_emulator, client) = start_with_bucket().await;
    for value in [
        "",
        " ",
        "OSS",
        "OSS4-HMAC-SHA256",
        "OSS4-HMAC-SHA256 ",
        "OSS4-HMAC-SHA256 ,,,=",
        "Basic YTpi",
        "OSS :",
        "\u{e9}",
        "OSS4-HMAC-SHA256 Credential=////,Signature=\u{e9}",
        "OSS4-HMAC-SHA256 Credential=a/20231217/b/oss/aliyun_v4_request,Signature=\u{e9}\u{e9}",
        "OSS4-HMAC-SHA256Credential=a,Signature=b",
    ] {
        let request = Request::get("/bucket")
            .header("x-oss-date", &client.stamp)
            .header("authorization", value);
        assert_eq!(error(&client, request).await, invalid(), "{value:?}");
    }
    let twice = client.sign(Request::get("/bucket")).header("authorization", "OSS a:b");
    assert_eq!(error(&client, twice).await, invalid());
    for date in [
        "",
        "20231217",
        "\u{e9}\u{e9}\u{e9}\u{e9}",
        "99999999T999999Z",
        "2023121\u{e9}T000000Z",
    ] {
        let mut request = client.sign(Request::get("/bucket"));
        let stamp = request
            .headers
            .iter_mut()
            .find(|(name, _)| name == "x-oss-date")
            .unwrap();
        date.clone_into(&mut stamp.1);
        assert_eq!(error(&client, request).await.0, 403, "{date}");
    }
}

#[tokio::test]
async fn signature_v1_covers_every_value_and_every_subresource() {
    let (_emulator, client) = start_with_bucket().await;
    let signed = || {
        let request = Request::put("/bucket/k")
            .header("x-oss-object-acl", "private")
            .body("b");
        sign_v1(&client, request, "x-oss-object-acl:private\n", "/bucket/k")
    };
    assert_eq!(client.send_as_is(signed()).await.status, 200);
    let twice = signed().header("x-oss-object-acl", "public-read");
    assert_eq!(error(&client, twice).await, mismatch());
    assert_eq!(error(&client, signed().header("x-oss-meta-a", "1")).await, mismatch());
    for name in [
        "acl",
        "tagging",
        "uploads",
        "x-oss-process",
        "symlink",
        "legalHold",
        "retention",
        "accessPointPolicy",
    ] {
        let request = sign_v1(&client, Request::put("/bucket/k"), "", "/bucket/k").query(name, "");
        assert_eq!(error(&client, request).await, mismatch(), "{name}");
    }
}

#[tokio::test]
async fn an_empty_version_does_not_hide_the_acl_of_an_object() {
    let (_emulator, client) = start_with_bucket().await;
    client
        .send(Request::put("/bucket?acl").header("x-oss-acl", "public-read-write"))
        .await;
    let closed = Request::put("/bucket/closed").header("x-oss-object-acl", "private");
    client.send(closed.body("secret")).await;
    for target in ["/bucket/closed", "/bucket/closed?versionId"] {
        for method in ["GET", "HEAD", "DELETE"] {
            let answer = client.send_as_is(Request::new(method, target)).await;
            assert_eq!(answer.status, 403, "{method} {target}");
        }
    }
    let copy = Request::put("/bucket/copy").header("x-oss-copy-source", "/bucket/closed?versionId=");
    assert_eq!(error(&client, copy).await, invalid());
}

#[tokio::test]
async fn a_link_opens_only_what_its_reader_may_read() {
    let (_emulator, client) = start_with_bucket().await;
    client.send(Request::put("/bucket/closed").body("secret")).await;
    let link = Request::put("/bucket/link?symlink")
        .header("x-oss-symlink-target", "closed")
        .header("x-oss-object-acl", "public-read");
    assert_eq!(client.send(link).await.status, 200);
    assert_eq!(client.send(Request::get("/bucket/link")).await.text(), "secret");
    assert_eq!(error(&client, Request::get("/bucket/link")).await, denied());
    assert_eq!(
        client.send_as_is(Request::new("HEAD", "/bucket/link")).await.status,
        403
    );
    // Where it leads is no secret: the link itself is open.
    assert_eq!(
        client.send_as_is(Request::get("/bucket/link?symlink")).await.status,
        200
    );
}

#[tokio::test]
async fn strangers_neither_copy_nor_delete() {
    let emulator = Emulator::builder()
        .clock(Clock::fixed(noon()))
        .access_key_of("2000", "stranger", "key")
        .start()
        .await
        .unwrap();
    let owner = Client::of(&emulator);
    let stranger = Client {
        id: "stranger".to_owned(),
        secret: "key".to_owned(),
        ..owner.clone()
    };
    owner.send(Request::put("/bucket")).await;
    owner.send(Request::put("/bucket/k").body("secret")).await;
    stranger.send(Request::put("/theirs")).await;
    let id = stranger
        .send(Request::post("/theirs/k?uploads"))
        .await
        .element("UploadId")
        .unwrap();
    let part = format!("/theirs/k?partNumber=1&uploadId={id}");
    for target in ["/theirs/k", part.as_str()] {
        for source in [
            "/bucket/k",
            "%2Fbucket%2Fk",
            "%2fbucket%2fk",
            "/bucket/k?versionId=null",
        ] {
            let copy = Request::put(target).header("x-oss-copy-source", source);
            assert_eq!(stranger.send(copy).await.error(), denied(), "{target} {source}");
        }
    }
    let document = b"<Delete><Object><Key>k</Key></Object></Delete>";
    let delete = || {
        Request::post("/bucket?delete")
            .header("content-md5", &crate::client::md5_base64(document))
            .body(document.to_vec())
    };
    assert_eq!(stranger.send(delete()).await.error(), denied());
    assert_eq!(error(&owner, delete()).await, denied());
    assert_eq!(owner.send(Request::get("/bucket/k")).await.text(), "secret");
    assert_eq!(stranger.send(Request::put("/bucket")).await.status, 409);
    assert_eq!(stranger.send(Request::delete("/bucket")).await.error(), denied());
    let anonymous: Response = owner.send_as_is(Request::put("/another")).await;
    assert_eq!(anonymous.error(), denied());
}
