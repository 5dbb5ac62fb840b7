//! What STS is asked, and what its answers mean.

use std::sync::Arc;

use super::super::super::{CredentialsProvider, CredentialsRequest, StaticCredentials};
use super::super::{OidcRoleCredentials, RamRoleCredentials};
use super::*;
use crate::fake::{Answer, FakeTransport, Step, now};
use crate::time::FixedClock;
use crate::transport::TransportErrorKind;

const ARN: &str = "acs:ram::123456789012:role/demo";
const GOOD: &str = r#"{"RequestId":"R","Credentials":{"AccessKeyId":"STS.id","AccessKeySecret":"5ec4e7",
    "SecurityToken":"token","Expiration":"2026-01-02T04:04:05Z"}}"#;

fn context(transport: &FakeTransport) -> CredentialsContext {
    CredentialsContext::new(Arc::new(transport.clone()), true, Arc::new(FixedClock::new(now())))
}

/// Without the variables of whoever runs the tests.
fn none() -> Variables {
    Variables::new(|_| None::<String>)
}

fn ram(arn: &str, base: impl CredentialsProvider + 'static) -> RamRoleCredentials {
    RamRoleCredentials::new(arn, base).with_variables(none())
}

fn role() -> RamRoleCredentials {
    let key = Credentials::new("ak", "5ec4e7").with_security_token("base-token");
    ram(ARN, StaticCredentials::new(key).unwrap())
}

async fn ask(
    provider: impl CredentialsProvider,
    steps: impl IntoIterator<Item = Step>,
) -> (Result<Credentials, CredentialsError>, FakeTransport) {
    let transport = FakeTransport::new(steps);
    provider.attach(&context(&transport));
    (provider.credentials(&CredentialsRequest::default()).await, transport)
}

#[tokio::test]
async fn a_role_is_assumed_by_a_signed_form() {
    let role = role()
        .session_name("demo-session")
        .duration(Duration::from_secs(900))
        .policy(r#"{"Version": "1"}"#)
        .external_id("e/1");
    let (assumed, transport) = ask(role, [Answer::new(200, GOOD).into()]).await;
    let assumed = assumed.unwrap();
    assert_eq!(assumed.access_key_id(), "STS.id");
    assert_eq!(assumed.security_token().unwrap().expose(), "token");
    assert_eq!(assumed.expiration().unwrap().to_string(), "2026-01-02T04:04:05Z");
    let sent = &transport.sent()[0];
    assert_eq!(
        (sent.method.as_str(), sent.url.as_str()),
        ("POST", "https://sts.aliyuncs.com/")
    );
    assert_eq!(
        std::str::from_utf8(&sent.body).unwrap(),
        "RoleArn=acs%3Aram%3A%3A123456789012%3Arole%2Fdemo&RoleSessionName=demo-session&DurationSeconds=900\
         &Policy=%7B%22Version%22%3A%20%221%22%7D&ExternalId=e%2F1"
    );
    assert_eq!(sent.header("x-acs-action"), Some("AssumeRole"));
    assert_eq!(sent.header("x-acs-version"), Some("2015-04-01"));
    assert_eq!(sent.header("x-acs-date"), Some("2026-01-02T03:04:05Z"));
    assert_eq!(sent.header("x-acs-security-token"), Some("base-token"));
    let authorization = sent.header("authorization").unwrap();
    assert!(authorization.starts_with("ACS3-HMAC-SHA256 Credential=ak,SignedHeaders=content-type;host;"));
}

#[tokio::test]
async fn a_token_speaks_for_itself_and_is_read_again() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    std::fs::write(&file, "first\n").unwrap();
    let transport = FakeTransport::new([Answer::new(200, GOOD).into(), Answer::new(200, GOOD).into()]);
    let provider = OidcRoleCredentials::new(ARN, "acs:ram::1:oidc-provider/p", &file)
        .with_variables(none())
        .sts_region("cn-beijing");
    provider.attach(&context(&transport));
    let request = CredentialsRequest::default();
    provider.credentials(&request).await.unwrap();
    std::fs::write(&file, "second").unwrap();
    provider.credentials(&request).await.unwrap();
    std::fs::write(&file, " ").unwrap();
    assert!(provider.credentials(&request).await.unwrap_err().is_retryable());
    let sent = transport.sent();
    for (sent, token) in sent.iter().zip(["first", "second"]) {
        assert_eq!(sent.url, "https://sts.cn-beijing.aliyuncs.com/");
        assert_eq!(sent.header("authorization"), None);
        assert_eq!(sent.header("x-acs-action"), Some("AssumeRoleWithOIDC"));
        assert!(sent.header("x-acs-signature-nonce").is_some());
        let form = std::str::from_utf8(&sent.body).unwrap();
        assert!(form.ends_with(&format!(
            "&OIDCProviderArn=acs%3Aram%3A%3A1%3Aoidc-provider%2Fp&OIDCToken={token}"
        )));
    }
}

#[test]
fn the_host_is_that_of_the_endpoint_the_region_or_all() {
    let none: fn(&str) -> Option<String> = |_| None;
    let some: fn(&str) -> Option<String> = |name| {
        Some(match name {
            "ALIBABA_CLOUD_STS_REGION" => "cn-shanghai".to_owned(),
            _ => "True".to_owned(),
        })
    };
    let rows = [
        (none, None, None, None, "sts.aliyuncs.com"),
        (none, None, Some("eu-central-1"), None, "sts.eu-central-1.aliyuncs.com"),
        (
            none,
            None,
            Some("eu-central-1"),
            Some(true),
            "sts-vpc.eu-central-1.aliyuncs.com",
        ),
        (
            none,
            Some("sts.example.com"),
            Some("eu-central-1"),
            None,
            "sts.example.com",
        ),
        (some, None, None, None, "sts-vpc.cn-shanghai.aliyuncs.com"),
        (
            some,
            None,
            Some("cn-beijing"),
            Some(false),
            "sts.cn-beijing.aliyuncs.com",
        ),
    ];
    for (variables, endpoint, region, vpc, expected) in rows {
        let mut place = Place::new(Variables::new(variables));
        place.endpoint = endpoint.map(str::to_owned);
        place.region = region.map(str::to_owned);
        place.vpc = vpc;
        assert_eq!(place.endpoint().unwrap().host(), expected);
    }
    let mut place = Place::new(Variables::new(none));
    place.region = Some("evil.com/".to_owned());
    assert_eq!(place.endpoint().unwrap_err().field(), Some("sts_region"));
    place.endpoint = Some("http://user@host".to_owned());
    assert_eq!(place.endpoint().unwrap_err().field(), Some("sts_endpoint"));
}

#[tokio::test]
async fn what_the_service_would_refuse_is_not_sent() {
    let rows = [
        (role().session_name("x"), "role_session_name"),
        (role().session_name("a b"), "role_session_name"),
        (role().session_name("x".repeat(65)), "role_session_name"),
        (role().duration(Duration::from_secs(899)), "duration"),
        (role().duration(Duration::from_secs(43_201)), "duration"),
        (ram("demo", crate::credentials::AnonymousCredentials), "role_arn"),
    ];
    for (provider, field) in rows {
        let (refused, transport) = ask(provider, []).await;
        let error = refused.unwrap_err();
        assert_eq!((error.field(), error.is_retryable()), (Some(field), false), "{error}");
        assert!(transport.sent().is_empty());
    }
    let (refused, _) = ask(ram(ARN, crate::credentials::AnonymousCredentials), []).await;
    assert_eq!(
        refused.unwrap_err().to_string(),
        "a role cannot be assumed without a key"
    );
}

fn refusal(status: u16, code: &str) -> Answer {
    Answer::new(
        status,
        format!(r#"{{"RequestId":"R-1","Code":"{code}","Message":"because"}}"#),
    )
}

#[tokio::test]
async fn a_refusal_says_why_and_whether_it_may_pass() {
    let endless = r#"{"Credentials":{"AccessKeyId":"i","AccessKeySecret":"5ec4e7","SecurityToken":"t"}}"#;
    let rows: [(Step, bool, &str); 10] = [
        (Answer::new(200, endless).into(), false, "`Expiration` is missing"),
        (
            refusal(403, "NoPermission").into(),
            false,
            "`NoPermission`: because (request id R-1); the key must be of",
        ),
        (
            refusal(400, "InvalidParameter.DurationSeconds").into(),
            false,
            "a session may last as long as",
        ),
        (refusal(400, "Throttling.User").into(), true, "`Throttling.User`"),
        (refusal(500, "InternalError").into(), true, "`InternalError`"),
        (
            Answer::new(502, "<html>").into(),
            true,
            "STS (sts.aliyuncs.com) answered with status 502",
        ),
        (Answer::new(404, "<html>").into(), false, "answered with status 404"),
        (Answer::new(200, "{}").into(), false, "has no `Credentials`"),
        (Answer::new(200, "<html>").into(), false, "cannot be read"),
        (
            Step::Fail(TransportErrorKind::Dns),
            true,
            "STS (sts.aliyuncs.com) cannot be asked",
        ),
    ];
    for (step, retryable, expected) in rows {
        let (refused, _) = ask(role(), [step]).await;
        let error = refused.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(error.is_retryable(), retryable, "{error}");
        assert!(!format!("{error} {error:?}").contains("5ec4e7"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_silent_or_talks_for_ever_is_given_up() {
    let (refused, _) = ask(role(), [Step::Hang]).await;
    let error = refused.unwrap_err();
    assert_eq!(error.to_string(), "STS (sts.aliyuncs.com) has not answered within 10 s");
    assert!(error.is_retryable());
    let (refused, _) = ask(role(), [Answer::new(200, vec![b' '; 300 * 1024]).into()]).await;
    assert_eq!(
        refused.unwrap_err().to_string(),
        "the answer of STS (sts.aliyuncs.com) does not end"
    );
}

#[tokio::test]
async fn a_wrong_clock_is_set_right_once() {
    let wrong = || refusal(400, "InvalidTimeStamp.Expired").header("date", "Fri, 02 Jan 2026 05:00:00 GMT");
    let (assumed, transport) = ask(role(), [wrong().into(), Answer::new(200, GOOD).into()]).await;
    assumed.unwrap();
    assert_eq!(transport.sent()[1].header("x-acs-date"), Some("2026-01-02T05:00:00Z"));
    let (refused, transport) = ask(role(), [wrong().into(), wrong().into()]).await;
    assert!(refused.unwrap_err().to_string().contains("InvalidTimeStamp.Expired"));
    assert_eq!(transport.sent().len(), 2);
}

#[tokio::test]
async fn a_base_key_that_is_refused_is_asked_for_again() {
    let (refused, transport) = ask(role(), [refusal(404, "InvalidAccessKeyId.NotFound").into()]).await;
    assert!(refused.unwrap_err().to_string().contains("InvalidAccessKeyId.NotFound"));
    assert_eq!(transport.sent().len(), 1, "there is no other");

    let count = std::sync::atomic::AtomicU32::new(0);
    let base = crate::credentials::from_fn(move || {
        let id = format!("ak{}", count.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        std::future::ready(Ok(Credentials::new(id, "s")))
    });
    let script = [
        refusal(403, "InvalidSecurityToken.Expired").into(),
        Answer::new(200, GOOD).into(),
    ];
    let (assumed, transport) = ask(ram(ARN, base), script).await;
    assumed.unwrap();
    assert!(
        transport.sent()[1]
            .header("authorization")
            .unwrap()
            .contains("Credential=ak1,")
    );
}
