//! What a row of the table cannot say: lists, forms, restarts, and what the emulator does later by itself.

use oss_emulator::{Clock, Emulator, OidcIssuer, OidcProvider, Role};

use crate::client::{Client, Request, hmac_sha1_base64, noon, start, start_with_bucket};
use crate::forms::{form, policy};

const STRANGER: &str = "9876543210987654";

#[tokio::test]
async fn a_list_of_buckets_shows_no_buckets_of_other_services() {
    let (emulator, client) = start().await;
    let account = emulator.account_id();
    let vectors = format!("/acs:ossvector:cn-hangzhou:{account}:hidden/");
    let made = client.send(Request::put("/hidden").resource(&vectors)).await;
    assert_eq!(made.status, 200, "{}", made.text());
    assert_eq!(client.send(Request::put("/shown")).await.status, 200);
    for prefix in ["", "vectors:", &format!("vectors:{account}:"), "vectors"] {
        let listed = client.send(Request::get("/").query("prefix", prefix)).await;
        let expected: &[&str] = if prefix.is_empty() { &["shown"] } else { &[] };
        assert_eq!(listed.elements("Name"), expected, "{prefix}");
    }
}

/// The client of another account, with a key of its own.
fn stranger(client: &Client) -> Client {
    Client {
        id: "stranger-key".to_owned(),
        secret: "stranger-secret".to_owned(),
        ..client.clone()
    }
}

#[tokio::test]
async fn a_list_of_buckets_shows_none_of_another_account() {
    let emulator = Emulator::builder()
        .clock(Clock::fixed(noon()))
        .access_key_of(STRANGER, "stranger-key", "stranger-secret")
        .start()
        .await
        .unwrap();
    let client = Client::of(&emulator);
    let stranger = stranger(&client);
    assert_eq!(client.send(Request::put("/one")).await.status, 200);
    let opened = Request::put("/one-open").header("x-oss-acl", "public-read");
    assert_eq!(client.send(opened).await.status, 200);
    assert_eq!(stranger.send(Request::put("/one-theirs")).await.status, 200);
    for prefix in ["", "one"] {
        let list = || Request::get("/").query("prefix", prefix);
        assert_eq!(stranger.send(list()).await.elements("Name"), ["one-theirs"], "{prefix}");
        assert_eq!(
            client.send(list()).await.elements("Name"),
            ["one", "one-open"],
            "{prefix}"
        );
    }
}

#[tokio::test]
async fn a_name_that_was_bound_is_no_address_once_the_domain_above_it_is_the_emulators_own() {
    let directory = tempfile::tempdir().unwrap();
    let builder = || {
        Emulator::builder()
            .clock(Clock::fixed(noon()))
            .data_dir(directory.path())
            .access_key_of(STRANGER, "stranger-key", "stranger-secret")
    };
    let cname = |comp: &str| {
        Request::post(&format!("/theirs?cname&comp={comp}"))
            .body("<BucketCnameConfiguration><Cname><Domain>files.dev.test</Domain></Cname></BucketCnameConfiguration>")
    };
    let emulator = builder().start().await.unwrap();
    let (client, by_name) = (Client::of(&emulator), "files.dev.test");
    let open = |path: &str| Request::put(path).header("x-oss-object-acl", "public-read");
    for (client, bucket) in [(&client, "/files"), (&stranger(&client), "/theirs")] {
        assert_eq!(client.send(Request::put(bucket)).await.status, 200);
        let put = open(&format!("{bucket}/k")).body(bucket);
        assert_eq!(client.send(put).await.status, 200);
    }
    for comp in ["token", "add"] {
        assert_eq!(stranger(&client).send(cname(comp)).await.status, 200, "{comp}");
    }
    let seen = async |emulator: &Emulator| {
        let by_name = Client {
            host: by_name.to_owned(),
            ..Client::of(emulator)
        };
        by_name.send_as_is(Request::get("/k")).await.text()
    };
    assert_eq!(seen(&emulator).await, "/theirs");
    emulator.shutdown().await;

    let emulator = builder().domain("dev.test").start().await.unwrap();
    assert_eq!(seen(&emulator).await, "/files");
    let stranger = stranger(&Client::of(&emulator));
    let listed = async || stranger.send(Request::get("/theirs?cname")).await.elements("Domain");
    assert_eq!(listed().await, [by_name]);
    let refused = stranger.send(cname("add")).await;
    assert_eq!(refused.error(), (403, "CnameIsForbidden".to_owned()));
    assert_eq!(stranger.send(cname("delete")).await.status, 200);
    assert!(listed().await.is_empty());
}

#[tokio::test]
async fn a_session_reaches_vector_buckets_of_its_account_when_that_has_no_key_any_more() {
    let directory = tempfile::tempdir().unwrap();
    let builder = || {
        Emulator::builder()
            .clock(Clock::fixed(noon()))
            .data_dir(directory.path())
    };
    let of_bucket = format!("/acs:ossvector:cn-hangzhou:{STRANGER}:vec/");
    let emulator = builder()
        .access_key_of(STRANGER, "stranger-key", "stranger-secret")
        .start()
        .await
        .unwrap();
    let held = session(&stranger(&Client::of(&emulator)), STRANGER).await;
    let made = held.send(Request::put("/vec").resource(&of_bucket)).await;
    assert_eq!(made.status, 200, "{}", made.text());
    emulator.shutdown().await;

    let emulator = builder().start().await.unwrap();
    let now = Client::of(&emulator);
    let held = Client {
        address: now.address,
        host: now.host,
        ..held
    };
    let got = held.send(Request::get("/vec?bucketInfo").resource(&of_bucket)).await;
    assert_eq!(got.status, 200, "{}", got.text());
    // A host that names an account is about that one, whoever signs.
    let hosted = Client {
        host: format!("vec-{}.cn-hangzhou.oss-vectors.aliyuncs.com", emulator.account_id()),
        ..held
    };
    let refused = hosted.send(Request::get("/?bucketInfo").resource(&of_bucket)).await;
    assert_eq!(refused.status, 403);
    assert!(refused.text().contains("SignatureDoesNotMatch"), "{}", refused.text());
}

#[tokio::test]
async fn empty_headers_that_nobody_signed_mean_nothing() {
    let (_emulator, client) = start_with_bucket().await;
    let signed = || client.sign(Request::put("/bucket/k").header("x-oss-meta-a", "1").body("b"));
    for name in [
        "x-oss-meta-b",
        "x-oss-tagging",
        "x-oss-object-acl",
        "x-oss-security-token",
        "content-md5",
    ] {
        let answer = client.send_as_is(signed().header(name, "")).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        let head = client.send(Request::new("HEAD", "/bucket/k")).await;
        assert_eq!(head.header("x-oss-meta-a"), Some("1"));
        assert_eq!(head.header("x-oss-meta-b"), None, "{name}");
    }
    // What the signature covers does mean something, a value or none.
    let put = Request::put("/bucket/k").header("x-oss-meta-b", "").body("b");
    assert_eq!(client.send(put).await.status, 200);
    let head = client.send(Request::new("HEAD", "/bucket/k")).await;
    assert!(head.headers.contains_key("x-oss-meta-b"), "{:?}", head.headers);
}

#[tokio::test]
async fn rules_about_referers_and_agents_hold_for_forms() {
    let (_emulator, client) = start_with_bucket().await;
    let rules = "<RefererConfiguration><AllowEmptyReferer>false</AllowEmptyReferer><RefererList>\
                 <Referer>https://site.example</Referer></RefererList></RefererConfiguration>";
    assert_eq!(
        client.send(Request::put("/bucket?referer").body(rules)).await.status,
        200
    );
    let allowed = policy(r#"{"bucket":"bucket"}"#);
    let signature = hmac_sha1_base64(&client.secret, &allowed);
    let upload = || {
        let fields = [
            ("OSSAccessKeyId", client.id.as_str()),
            ("policy", &allowed),
            ("Signature", &signature),
            ("key", "k"),
        ];
        form(&fields, Some(("a.txt", b"content")))
    };
    assert_eq!(
        client.send_as_is(upload()).await.error(),
        (403, "AccessDenied".to_owned())
    );
    let from = |site: &str| upload().header("referer", site);
    let refused = client.send_as_is(from("https://other.example/")).await;
    assert_eq!(refused.error(), (403, "AccessDenied".to_owned()));
    assert_eq!(client.send_as_is(from("https://site.example")).await.status, 204);

    let deny = r#"{"Version":"1","Statement":[{"Effect":"Deny","Principal":["*"],"Action":["oss:PutObject"],
        "Resource":["acs:oss:*:*:bucket/*"],"Condition":{"StringLike":{"acs:UserAgent":["bad-*"]}}}]}"#;
    assert_eq!(client.send(Request::put("/bucket?policy").body(deny)).await.status, 200);
    let agent = |name: &str| from("https://site.example").header("user-agent", name);
    assert_eq!(
        client.send_as_is(agent("bad-1")).await.error(),
        (403, "AccessDenied".to_owned())
    );
    assert_eq!(client.send_as_is(agent("good-1")).await.status, 204);
}

/// A session of the role `keeper`, by AssumeRole.
async fn session(client: &Client, account: &str) -> Client {
    let role = crate::client::encode(&format!("acs:ram::{account}:role/keeper"));
    let joined = format!(
        "AccessKeyId={}&Action=AssumeRole&Format=JSON&RoleArn={role}&RoleSessionName=session&SignatureMethod=HMAC-SHA1\
         &SignatureNonce=once&SignatureVersion=1.0&Timestamp=2023-12-17T16%3A20%3A57Z&Version=2015-04-01",
        client.id
    );
    let text = format!("POST&%2F&{}", crate::client::encode(&joined));
    let signature = crate::client::encode(&hmac_sha1_base64(&format!("{}&", client.secret), &text));
    let request = Request::post("/")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("{joined}&Signature={signature}"));
    let answer = client.send_as_is(request).await;
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
async fn a_session_that_was_held_to_policies_is_not_free_of_them_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let builder = || {
        Emulator::builder()
            .clock(Clock::fixed(noon()))
            .data_dir(directory.path())
    };
    let keeper = Role::new("keeper")
        .policy(r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"oss:GetObject","Resource":"*"}]}"#);
    let emulator = builder().role(keeper).start().await.unwrap();
    let client = Client::of(&emulator);
    client.send(Request::put("/bucket")).await;
    client.send(Request::put("/bucket/k").body("v")).await;
    let held = session(&client, emulator.account_id()).await;
    assert_eq!(held.send(Request::get("/bucket/k")).await.status, 200);
    assert_eq!(held.send(Request::put("/bucket/k").body("w")).await.status, 403);
    emulator.shutdown().await;

    // Without the file of identities no role is configured, and sessions of unknown roles may do what their account may.
    let emulator = builder().start().await.unwrap();
    let now = Client::of(&emulator);
    let held = Client {
        address: now.address.clone(),
        host: now.host.clone(),
        ..held
    };
    let refused = held.send(Request::put("/bucket/k").body("w")).await;
    assert_eq!(refused.error(), (403, "InvalidAccessKeyId".to_owned()));
    // One that nothing held stays as it is.
    let free = session(&now, emulator.account_id()).await;
    emulator.shutdown().await;
    let emulator = builder().start().await.unwrap();
    let now = Client::of(&emulator);
    let free = Client {
        address: now.address.clone(),
        host: now.host,
        ..free
    };
    assert_eq!(free.send(Request::put("/bucket/k").body("w")).await.status, 200);
}

#[tokio::test]
async fn lists_of_an_inventory_go_to_no_bucket_of_another_account() {
    let emulator = Emulator::builder()
        .clock(Clock::fixed(noon()))
        .access_key_of(STRANGER, "stranger-key", "stranger-secret")
        .start()
        .await
        .unwrap();
    let client = Client::of(&emulator);
    let stranger = stranger(&client);
    for bucket in ["/bucket", "/lists"] {
        assert_eq!(client.send(Request::put(bucket)).await.status, 200);
    }
    let rule = "<InventoryConfiguration><Id>daily</Id><IsEnabled>true</IsEnabled><Destination><OSSBucketDestination>\
                <Format>CSV</Format><AccountId>1234567890123456</AccountId><RoleArn>acs:ram::1234567890123456:role/r</RoleArn>\
                <Bucket>acs:oss:::lists</Bucket></OSSBucketDestination></Destination><Schedule><Frequency>Daily</Frequency></Schedule>\
                <IncludedObjectVersions>All</IncludedObjectVersions></InventoryConfiguration>";
    let put = Request::put("/bucket?inventory&inventoryId=daily").body(rule);
    assert_eq!(client.send(put).await.status, 200);
    assert_eq!(client.send(Request::delete("/lists")).await.status, 204);
    assert_eq!(stranger.send(Request::put("/lists")).await.status, 200);
    let report = emulator.run_inventory().await.unwrap();
    assert_eq!(
        (report.manifests.len(), report.failed),
        (0, vec!["bucket/daily".to_owned()])
    );
    let listed = stranger.send(Request::get("/lists")).await;
    assert!(listed.elements("Key").is_empty(), "{}", listed.text());
}

#[cfg(unix)]
#[tokio::test]
async fn a_data_directory_is_for_its_user_only() {
    use std::os::unix::fs::PermissionsExt as _;

    let home = tempfile::tempdir().unwrap();
    let root = home.path().join("data");
    let emulator = Emulator::builder()
        .data_dir(&root)
        .clock(Clock::fixed(noon()))
        .start()
        .await
        .unwrap();
    let client = Client::of(&emulator);
    client.send(Request::put("/bucket")).await;
    assert_eq!(
        client
            .send(Request::put("/bucket/k").body("x".repeat(100_000)))
            .await
            .status,
        200
    );
    emulator.shutdown().await;
    let mut left = vec![root];
    let mut files = 0;
    while let Some(path) = left.pop() {
        let meta = std::fs::metadata(&path).unwrap();
        let open = meta.permissions().mode() & 0o077;
        assert_eq!(open, 0, "{}", path.display());
        if meta.is_dir() {
            left.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            files += 1;
        }
    }
    assert!(files >= 3, "{files}");
}

#[tokio::test]
async fn two_providers_of_one_name_stop_the_start() {
    let keys = OidcIssuer::generate("https://issuer.test").jwks();
    let provider = |issuer: &str| OidcProvider::new("same", issuer).client_id("a").jwks(keys.clone());
    let builder = Emulator::builder()
        .oidc_provider(provider("https://issuer.test"))
        .oidc_provider(provider("https://other.test"));
    let told = builder.start().await.unwrap_err().to_string();
    assert!(told.contains("`same`") && told.contains("another"), "{told}");
}
