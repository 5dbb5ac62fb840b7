//! Roles, their trust and their sessions; tokens of identity providers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use oss_emulator::{Builder, Clock, DEFAULT_ACCOUNT_ID, Emulator, Fault, FaultAction, OidcIssuer, OidcProvider, Role};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::client::{Client, Request, Response, encode, hmac_sha1_base64, noon};

const STAMP: &str = "2023-12-17T16:20:57Z";
const PUBLIC_KEY: &str = include_str!("../data/oidc-public-key.pem");
const JWKS: &str = include_str!("../data/oidc-jwks.json");
/// Signed with the key whose public half is above, which was thrown away.
const RS256_TOKEN: &str = include_str!("../data/oidc-token-rs256.txt");

fn fixed() -> Builder {
    Emulator::builder().clock(Clock::fixed(noon()))
}

async fn start(builder: Builder) -> (Emulator, Client) {
    let emulator = builder.start().await.unwrap();
    let client = Client::of(&emulator);
    client.send(Request::put("/bucket")).await;
    (emulator, client)
}

pub(crate) fn arn(role: &str) -> String {
    format!("acs:ram::{DEFAULT_ACCOUNT_ID}:role/{role}")
}

pub(crate) fn nonce() -> String {
    static NONCE: AtomicU64 = AtomicU64::new(0);
    format!("identity-{}", NONCE.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn signed(client: &Client, method: &str, stamp: &str, nonce: &str, extra: &[(&str, &str)]) -> Request {
    let mut parameters = vec![
        ("AccessKeyId", client.id.as_str()),
        ("Action", "AssumeRole"),
        ("Format", "JSON"),
        ("SignatureMethod", "HMAC-SHA1"),
        ("SignatureNonce", nonce),
        ("SignatureVersion", "1.0"),
        ("Timestamp", stamp),
        ("Version", "2015-04-01"),
    ];
    parameters.extend(client.token.as_deref().map(|token| ("SecurityToken", token)));
    parameters.extend(extra);
    parameters.sort_unstable();
    let pairs: Vec<_> = parameters
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    let text = format!("{method}&%2F&{}", encode(&pairs.join("&")));
    let signature = hmac_sha1_base64(&format!("{}&", client.secret), &text);
    match method {
        "GET" => parameters
            .iter()
            .fold(Request::get("/"), |request, (name, value)| request.query(name, value))
            .query("Signature", &signature),
        _ => Request::post("/")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("{}&Signature={}", pairs.join("&"), encode(&signature))),
    }
}

async fn assume(client: &Client, role: &str, extra: &[(&str, &str)]) -> Response {
    let arn = arn(role);
    let mut parameters = vec![("RoleArn", arn.as_str()), ("RoleSessionName", "session")];
    parameters.extend(extra);
    let request = signed(client, "POST", STAMP, &nonce(), &parameters);
    client.send_as_is(request).await
}

fn code(answer: &Response) -> (u16, String) {
    let code = answer.json()["Code"].as_str().unwrap_or_default().to_owned();
    (answer.status, code)
}

pub(crate) fn holder(client: &Client, answer: &Response) -> Client {
    let document = answer.json();
    let text = |name: &str| {
        let value = document["Credentials"][name].as_str();
        value.unwrap_or_else(|| panic!("{document}")).to_owned()
    };
    Client {
        id: text("AccessKeyId"),
        secret: text("AccessKeySecret"),
        token: Some(text("SecurityToken")),
        ..client.clone()
    }
}

fn allow(action: &str, resource: &str) -> String {
    json!({"Version": "1", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}]}).to_string()
}

fn trust(principal: Value, condition: Value) -> String {
    let mut statement = json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal});
    if !condition.is_null() {
        statement["Condition"] = condition;
    }
    json!({"Version": "1", "Statement": [statement]}).to_string()
}

#[tokio::test]
async fn a_role_may_do_what_its_policies_say() {
    let reader = Role::new("reader").policy(allow("oss:Get*", "acs:oss:*:*:bucket/*"));
    let (_emulator, client) = start(fixed().role(reader).role(Role::new("nothing"))).await;
    client.send(Request::put("/bucket/k").body("x")).await;
    let reader = holder(&client, &assume(&client, "reader", &[]).await);
    assert_eq!(reader.send(Request::get("/bucket/k")).await.text(), "x");
    let denied = (403, "AccessDenied".to_owned());
    assert_eq!(reader.send(Request::put("/bucket/k").body("y")).await.error(), denied);
    let narrow = allow("oss:*", "acs:oss:*:*:bucket/other");
    let narrowed = holder(&client, &assume(&client, "reader", &[("Policy", &narrow)]).await);
    assert_eq!(narrowed.send(Request::get("/bucket/k")).await.error(), denied);
    let nothing = holder(&client, &assume(&client, "nothing", &[]).await);
    assert_eq!(nothing.send(Request::get("/bucket/k")).await.error(), denied);
}

#[tokio::test]
async fn faults_reach_the_bodies_of_calls_by_name() {
    let (emulator, client) = start(fixed().role(Role::new("reader"))).await;
    let form = || signed(&client, "POST", &client.stamp, "a nonce", &[]);
    let named = || {
        Request::post("/")
            .header("x-acs-action", "AssumeRole")
            .header("x-acs-version", "2015-04-01")
            .body(vec![b'x'; 100])
    };
    let fault = |limit| {
        Fault::new(FaultAction::ResetDuringRequest(limit))
            .operation("AssumeRole")
            .times(1)
    };
    for request in [form(), named()] {
        emulator.faults().add(fault(10));
        assert!(client.try_send(request).await.is_err());
        assert_eq!(emulator.faults().pending(), 0);
    }
    // A body that ends before the fault is whole.
    for request in [form(), named()] {
        emulator.faults().add(fault(100_000));
        let answer = client.try_send(request).await.unwrap();
        assert!(answer.status >= 400, "{}", answer.text());
        assert_eq!(emulator.faults().pending(), 0);
    }
}

#[tokio::test]
async fn roles_let_in_whom_they_trust() {
    let of_other = json!({"RAM": "acs:ram::42:root"});
    let chained = json!({"RAM": format!("acs:ram::{DEFAULT_ACCOUNT_ID}:role/first")});
    let (_emulator, client) = start(
        fixed()
            .access_key_of("42", "other", "other-secret")
            .role(Role::new("first").policy(allow("sts:AssumeRole", "*")))
            .role(Role::new("mute"))
            .role(
                Role::new("partner")
                    .trust_policy(trust(of_other, json!({"StringEquals": {"sts:ExternalId": "agreed"}}))),
            )
            .role(Role::new("chained").trust_policy(trust(chained, Value::Null))),
    )
    .await;
    let other = Client {
        id: "other".to_owned(),
        secret: "other-secret".to_owned(),
        ..client.clone()
    };
    let no_permission = (403, "NoPermission".to_owned());
    assert_eq!(
        code(&assume(&client, "unknown", &[]).await),
        (404, "EntityNotExist.Role".to_owned())
    );
    assert_eq!(code(&assume(&other, "first", &[]).await), no_permission);
    assert_eq!(code(&assume(&other, "partner", &[]).await), no_permission);
    assert_eq!(
        code(&assume(&other, "partner", &[("ExternalId", "wrong")]).await),
        no_permission
    );
    assert_eq!(assume(&other, "partner", &[("ExternalId", "agreed")]).await.status, 200);
    assert_eq!(code(&assume(&client, "chained", &[]).await), no_permission);
    let first = holder(&client, &assume(&client, "FIRST", &[]).await);
    assert_eq!(assume(&first, "chained", &[]).await.status, 200);
    // A session whose role may not ask, although the role would let it in.
    let mute = holder(&client, &assume(&client, "mute", &[]).await);
    assert_eq!(code(&assume(&mute, "first", &[]).await), no_permission);
    let stripped = Client { token: None, ..first };
    assert_eq!(
        code(&assume(&stripped, "chained", &[]).await),
        (400, "MissingSecurityToken".to_owned())
    );
}

#[tokio::test]
async fn sessions_are_as_long_as_the_role_allows() {
    let (_emulator, client) = start(fixed().role(Role::new("long").max_session_duration(7200))).await;
    let answer = assume(&client, "long", &[("DurationSeconds", "7200")]).await;
    assert_eq!(answer.json()["Credentials"]["Expiration"], "2023-12-17T18:20:57Z");
    let invalid = |name: &str| (400, format!("InvalidParameter.{name}"));
    for (extra, name) in [
        (("DurationSeconds", "7201".to_owned()), "DurationSeconds"),
        (("DurationSeconds", "899".to_owned()), "DurationSeconds"),
        (("DurationSeconds", "an hour".to_owned()), "DurationSeconds"),
        (("Policy", "x".repeat(2049)), "PolicySize"),
        (("Policy", "{}".to_owned()), "PolicyGrammar"),
        (("ExternalId", "x".to_owned()), "ExternalId"),
    ] {
        let answer = assume(&client, "long", &[(extra.0, &extra.1)]).await;
        assert_eq!(code(&answer), invalid(name), "{extra:?}");
    }
}

#[tokio::test]
async fn a_signed_request_counts_once_and_in_time() {
    let (emulator, client) = start(fixed()).await;
    let arn = arn("any");
    let parameters = [("RoleArn", arn.as_str()), ("RoleSessionName", "session")];
    for method in ["POST", "GET"] {
        let request = signed(&client, method, STAMP, &nonce(), &parameters);
        assert_eq!(client.send_as_is(request.clone()).await.status, 200, "{method}");
        let again = client.send_as_is(request).await;
        assert_eq!(code(&again), (400, "SignatureNonceUsed".to_owned()));
    }
    // A wrong signature does not use the nonce up.
    let nonce = nonce();
    let forger = Client {
        secret: "forged".to_owned(),
        ..client.clone()
    };
    let forged = signed(&forger, "POST", STAMP, &nonce, &parameters);
    assert_eq!(code(&client.send_as_is(forged).await).1, "SignatureDoesNotMatch");
    let request = signed(&client, "POST", STAMP, &nonce, &parameters);
    assert_eq!(client.send_as_is(request).await.status, 200);
    for (stamp, expected) in [
        ("2023-12-17T16:05:56Z", "InvalidTimeStamp.Expired"),
        ("2023-12-17T16:35:58Z", "InvalidTimeStamp.Expired"),
        ("17 Dec 2023", "InvalidTimeStamp.Format"),
    ] {
        let request = signed(&client, "POST", stamp, &self::nonce(), &parameters);
        assert_eq!(code(&client.send_as_is(request).await), (400, expected.to_owned()));
    }
    emulator.clock().advance(Duration::from_secs(901));
    let late = signed(&client, "POST", STAMP, &self::nonce(), &parameters);
    assert_eq!(code(&client.send_as_is(late).await).1, "InvalidTimeStamp.Expired");
}

#[tokio::test]
async fn sessions_survive_a_restart_and_end_on_time() {
    let directory = tempfile::tempdir().unwrap();
    let builder = |allowed: &str| {
        let role = Role::new("keeper").policy(allow(allowed, "*"));
        fixed().role(role).data_dir(directory.path())
    };
    let (emulator, client) = start(builder("oss:*")).await;
    client.send(Request::put("/bucket/k").body("x")).await;
    let policy = allow("oss:GetObject", "*");
    let narrowed = holder(&client, &assume(&client, "keeper", &[("Policy", &policy)]).await);
    let keeper = holder(&client, &assume(&client, "keeper", &[]).await);
    emulator.shutdown().await;
    let (emulator, again) = start(builder("oss:*")).await;
    let at = |client: &Client, now: &Client| Client {
        address: now.address.clone(),
        host: now.host.clone(),
        ..client.clone()
    };
    let (narrowed, keeper) = (at(&narrowed, &again), at(&keeper, &again));
    assert_eq!(narrowed.send(Request::get("/bucket/k")).await.text(), "x");
    assert_eq!(narrowed.send(Request::put("/bucket/k").body("y")).await.status, 403);
    assert_eq!(keeper.send(Request::put("/bucket/k").body("y")).await.status, 200);
    emulator.clock().advance(Duration::from_secs(3600));
    assert_eq!(
        keeper.send(Request::get("/bucket/k")).await.error(),
        (403, "SecurityTokenExpired".to_owned())
    );
    emulator.shutdown().await;
    // What the role may do is asked of the settings of today.
    let (_emulator, again) = start(builder("oss:GetObject")).await;
    let keeper = at(&keeper, &again);
    assert_eq!(keeper.send(Request::get("/bucket/k")).await.text(), "y");
    assert_eq!(keeper.send(Request::put("/bucket/k").body("z")).await.status, 403);
}

#[tokio::test]
async fn roles_that_cannot_be_judged_stop_the_start() {
    for (builder, why) in [
        (fixed().role(Role::new("a").policy("{}")), "`a`"),
        (fixed().role(Role::new("a").trust_policy("{}")), "trust policy"),
        (fixed().oidc_provider(OidcProvider::new("p", "i")), "no key"),
        (
            fixed().oidc_provider(OidcProvider::new("p", "i").public_key_pem("x")),
            "PEM",
        ),
        (fixed().oidc_provider(OidcProvider::new("p", "i").jwks("x")), "JSON"),
        (fixed().role(Role::new("a")).ecs_metadata("b"), "there is no such role"),
        (fixed().role(Role::new("a")).ecs_metadata("a"), "does not trust"),
    ] {
        let told = builder.start().await.unwrap_err().to_string();
        assert!(told.contains(why), "{told}");
    }
}

const ISSUER: &str = "https://issuer.test";
const AUDIENCE: &str = "sts.aliyuncs.com";

fn provider_arn(name: &str) -> String {
    format!("acs:ram::{DEFAULT_ACCOUNT_ID}:oidc-provider/{name}")
}

fn federated(name: &str, condition: Value) -> Role {
    Role::new(name)
        .trust_policy(trust(json!({"Federated": provider_arn("test")}), condition))
        .full_access()
}

fn provider(name: &str) -> OidcProvider {
    OidcProvider::new(name, ISSUER).client_id(AUDIENCE)
}

fn exchange(provider: &str, role: &str, token: &str) -> Request {
    let parameters = [
        ("Action", "AssumeRoleWithOIDC"),
        ("Format", "JSON"),
        ("OIDCProviderArn", &provider_arn(provider)),
        ("OIDCToken", token),
        ("RoleArn", &arn(role)),
        ("RoleSessionName", "session"),
        ("Timestamp", STAMP),
        ("Version", "2015-04-01"),
    ];
    let form: Vec<_> = parameters
        .iter()
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect();
    Request::post("/")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.join("&"))
}

#[tokio::test]
async fn a_token_of_a_provider_is_worth_credentials() {
    let issuer = OidcIssuer::generate(ISSUER);
    let of_robots =
        json!({"StringEquals": {"oidc:aud": AUDIENCE, "oidc:iss": ISSUER}, "StringLike": {"oidc:sub": "rob*"}});
    let (emulator, client) = start(
        fixed()
            .oidc_provider(provider("test").jwks(JWKS).jwks(issuer.jwks()))
            .oidc_provider(provider("pem").public_key_pem(PUBLIC_KEY))
            .role(federated("robots", of_robots))
            .role(Role::new("closed")),
    )
    .await;
    let token = issuer.token("robot", AUDIENCE, noon(), Duration::from_secs(600));
    for token in [token.as_str(), RS256_TOKEN] {
        let answer = client.send_as_is(exchange("test", "robots", token)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let info = &answer.json()["OIDCTokenInfo"];
        assert_eq!((&info["Subject"], &info["Issuer"]), (&json!("robot"), &json!(ISSUER)));
        assert_eq!(info["VerificationInfo"], "Success");
        let robot = holder(&client, &answer);
        assert_eq!(robot.send(Request::put("/bucket/k").body("x")).await.status, 200);
    }
    let rs256 = client.send_as_is(exchange("test", "robots", RS256_TOKEN)).await.json();
    assert_eq!(rs256["OIDCTokenInfo"]["ClientIds"], "other,sts.aliyuncs.com");
    assert_eq!(rs256["OIDCTokenInfo"]["ExpirationTime"], "2023-12-17T16:30:00Z");
    let no_permission = (401, "AuthenticationFail.NoPermission".to_owned());
    let stranger = issuer.token("human", AUDIENCE, noon(), Duration::from_secs(600));
    for (provider, role, token) in [
        ("test", "robots", stranger.as_str()),
        ("test", "closed", token.as_str()),
        ("pem", "robots", RS256_TOKEN),
        ("none", "robots", token.as_str()),
    ] {
        let answer = client.send_as_is(exchange(provider, role, token)).await;
        assert_eq!(code(&answer), no_permission, "{provider} {role}");
    }
    emulator.clock().advance(Duration::from_secs(600));
    let answer = client.send_as_is(exchange("test", "robots", &token)).await;
    assert_eq!(code(&answer), (401, "AuthenticationFail.OIDCToken.Expired".to_owned()));
}

#[tokio::test]
async fn tokens_that_prove_nothing_are_refused() {
    let issuer = OidcIssuer::generate(ISSUER);
    let (emulator, client) = start(
        fixed()
            .oidc_provider(provider("test").jwks(issuer.jwks()))
            .oidc_provider(provider("rsa").public_key_pem(PUBLIC_KEY)),
    )
    .await;
    let (now, later) = (1_702_830_057, 1_702_830_600);
    let good = json!({"iss": ISSUER, "sub": "robot", "aud": AUDIENCE, "iat": now, "exp": later});
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        issuer.sign(&claims.to_string())
    };
    let unsigned = |header: Value, signature: &[u8]| {
        let parts = [header.to_string(), good.to_string()].map(|part| URL_SAFE_NO_PAD.encode(part));
        format!("{}.{}", parts.join("."), URL_SAFE_NO_PAD.encode(signature))
    };
    let confused = {
        let token = unsigned(json!({"alg": "HS256"}), b"");
        let mut mac = Hmac::<Sha256>::new_from_slice(PUBLIC_KEY.as_bytes()).unwrap();
        mac.update(token.trim_end_matches('.').as_bytes());
        unsigned(json!({"alg": "HS256"}), &mac.finalize().into_bytes())
    };
    let token = issuer.sign(&good.to_string());
    let swapped = {
        let evil = URL_SAFE_NO_PAD.encode(good.to_string().replace("robot", "admin"));
        let parts: Vec<_> = token.split('.').collect();
        format!("{}.{evil}.{}", parts[0], parts[2])
    };
    let other = OidcIssuer::generate(ISSUER);
    for (provider, token, kind) in [
        ("test", "abcd".to_owned(), "Invalid"),
        ("test", "a.b.c".to_owned(), "Invalid"),
        ("test", format!("{token}.x"), "Invalid"),
        ("test", issuer.sign("[]"), "Invalid"),
        ("test", unsigned(json!({"alg": "none"}), b""), "Invalid"),
        ("rsa", confused, "Invalid"),
        ("test", unsigned(json!({"alg": "ES256", "crit": ["x"]}), b""), "Invalid"),
        ("test", unsigned(json!({"alg": "ES256"}), &[0; 64]), "InvalidSignature"),
        ("test", unsigned(json!({"alg": "RS256"}), &[1; 256]), "InvalidSignature"),
        ("rsa", token.clone(), "InvalidSignature"),
        ("test", swapped, "InvalidSignature"),
        ("test", other.sign(&good.to_string()), "InvalidSignature"),
        ("test", with("iss", json!("https://other.test")), "IssuerNotMatch"),
        ("test", with("iss", Value::Null), "IssuerNotMatch"),
        ("test", with("aud", json!("other")), "AudienceNotMatch"),
        ("test", with("aud", json!([])), "AudienceNotMatch"),
        ("test", with("aud", json!(1)), "Invalid"),
        ("test", with("exp", json!(now)), "Expired"),
        ("test", with("exp", json!("soon")), "Invalid"),
        ("test", with("iat", json!(now + 1)), "Invalid"),
        ("test", with("nbf", json!(now + 1)), "Invalid"),
        ("test", with("sub", Value::Null), "Invalid"),
    ] {
        let answer = client.send_as_is(exchange(provider, "any", &token)).await;
        let expected = (401, format!("AuthenticationFail.OIDCToken.{kind}"));
        assert_eq!(code(&answer), expected, "{}", answer.text());
        assert!(!answer.text().contains(&token), "a token in an answer");
    }
    let in_query = exchange("test", "any", &token);
    let in_query = Request::get(&format!("/?{}", String::from_utf8(in_query.body).unwrap()));
    let in_query = Request {
        query: in_query
            .query
            .into_iter()
            .map(|(name, value)| (name, value.replace("%3A", ":").replace("%2F", "/")))
            .collect(),
        ..in_query
    };
    let answer = client.send_as_is(in_query).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let log = emulator.requests().all();
    assert!(log.iter().all(|record| !format!("{record:?}").contains(&token)));
}
