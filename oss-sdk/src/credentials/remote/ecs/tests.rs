//! The conversation with the metadata service, with and without tokens.

use super::super::super::CredentialsContext;
use super::*;
use crate::fake::{Answer, FakeTransport, Step, now};
use crate::time::FixedClock;
use crate::transport::TransportErrorKind;

const KEY: &str = r#"{"Code":"Success","AccessKeyId":"STS.id","AccessKeySecret":"5ec4e7","SecurityToken":"t",
    "Expiration":"2026-01-02T09:04:05Z"}"#;

fn ok(body: &'static str) -> Step {
    Answer::new(200, body).into()
}

fn status(status: u16) -> Step {
    Answer::new(status, "").into()
}

fn attach(provider: &EcsRoleCredentials, steps: impl IntoIterator<Item = Step>) -> FakeTransport {
    let transport = FakeTransport::new(steps);
    let clock = Arc::new(FixedClock::new(now()));
    provider.attach(&CredentialsContext::new(Arc::new(transport.clone()), true, clock));
    transport
}

async fn ask(provider: &EcsRoleCredentials) -> Result<Credentials, CredentialsError> {
    provider.credentials(&CredentialsRequest::default()).await
}

/// Method, path and token of what was sent.
fn asked(transport: &FakeTransport) -> Vec<(String, String, Option<String>)> {
    let sent = transport.sent();
    let one = |sent: &crate::fake::Sent| {
        let path = sent.url.strip_prefix(ENDPOINT).unwrap().to_owned();
        let token = sent.header(TOKEN_HEADER).map(str::to_owned);
        (sent.method.to_string(), path, token)
    };
    sent.iter().map(one).collect()
}

fn row(method: &str, path: &str, token: Option<&str>) -> (String, String, Option<String>) {
    (method.to_owned(), path.to_owned(), token.map(str::to_owned))
}

#[tokio::test]
async fn a_token_comes_first_and_the_role_is_looked_up_once() {
    let provider = EcsRoleCredentials::new();
    let steps = [ok("T1\n"), ok("my-role\n"), ok(KEY), ok("T2"), ok(KEY)];
    let transport = attach(&provider, steps);
    let found = ask(&provider).await.unwrap();
    assert_eq!(
        (found.access_key_id(), found.security_token().unwrap().expose()),
        ("STS.id", "t")
    );
    assert_eq!(found.expiration().unwrap().to_string(), "2026-01-02T09:04:05Z");
    ask(&provider).await.unwrap();
    let key_path = format!("{ROLE_PATH}my-role");
    assert_eq!(
        asked(&transport),
        [
            row("PUT", TOKEN_PATH, None),
            row("GET", ROLE_PATH, Some("T1")),
            row("GET", &key_path, Some("T1")),
            row("PUT", TOKEN_PATH, None),
            row("GET", &key_path, Some("T2")),
        ]
    );
    assert_eq!(transport.sent()[0].header(TTL_HEADER), Some("21600"));
}

#[tokio::test]
async fn without_a_token_it_is_tried_plainly_unless_that_is_forbidden() {
    let plain = EcsRoleCredentials::new().role_name("r");
    let transport = attach(&plain, [status(404), ok(KEY)]);
    ask(&plain).await.unwrap();
    assert_eq!(asked(&transport)[1].2, None);

    let refused = EcsRoleCredentials::new().role_name("r");
    let transport = attach(&refused, [ok("T"), status(401), ok(KEY)]);
    ask(&refused).await.unwrap();
    let tokens: Vec<_> = asked(&transport).into_iter().map(|(.., token)| token).collect();
    assert_eq!(tokens, [None, Some("T".to_owned()), None]);

    let hardened = EcsRoleCredentials::new().role_name("r").disable_imdsv1(true);
    attach(&hardened, [status(404)]);
    let error = ask(&hardened).await.unwrap_err();
    assert!(
        error.to_string().contains("status 404 when asked for a token"),
        "{error}"
    );
    let hardened = EcsRoleCredentials::new().role_name("r").disable_imdsv1(true);
    attach(&hardened, [ok("T"), status(401)]);
    assert!(!ask(&hardened).await.unwrap_err().is_not_configured());
}

#[tokio::test]
async fn what_is_no_instance_with_a_role_is_not_set_up() {
    let nowhere = EcsRoleCredentials::new();
    attach(&nowhere, [Step::Fail(TransportErrorKind::Connect)]);
    let error = ask(&nowhere).await.unwrap_err();
    assert!(error.is_not_configured() && error.is_retryable(), "{error}");
    let without = EcsRoleCredentials::new();
    attach(&without, [ok("T"), status(404)]);
    let error = ask(&without).await.unwrap_err();
    assert_eq!(error.to_string(), "this ECS instance has no role");
    assert!(error.is_not_configured() && !error.is_retryable());
}

#[tokio::test]
async fn a_service_that_is_not_ready_may_be_asked_again() {
    let rows = [
        (ok(r#"{"Code":"Refreshing"}"#), true, "code `Refreshing`"),
        (status(503), true, "status 503"),
        (ok("{}"), true, "code ``"),
        (ok("<html>"), false, "cannot be read"),
        (
            ok(r#"{"Code":"Success","AccessKeyId":"a"}"#),
            false,
            "`AccessKeySecret` is missing",
        ),
    ];
    for (step, retryable, expected) in rows {
        let provider = EcsRoleCredentials::new().role_name("r");
        // The plain way, so that a refusal is not asked again.
        attach(&provider, [status(404), step]);
        let error = ask(&provider).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(error.is_retryable(), retryable, "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn silence_is_not_waited_for_longer_than_two_seconds() {
    let provider = EcsRoleCredentials::new();
    attach(&provider, [Step::Hang]);
    let begun = crate::time::monotonic();
    assert!(ask(&provider).await.unwrap_err().is_not_configured());
    assert!(begun.elapsed() < Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn a_slow_service_is_one_that_is_there() {
    let slow = |only_hardened, steps: Vec<Step>| {
        let provider = EcsRoleCredentials::new().role_name("r").disable_imdsv1(only_hardened);
        let transport = Arc::new(FakeTransport::new(steps));
        // As one that was made here, whose connecting is bounded.
        provider.transport.set(transport.clone()).unwrap();
        let clock = Arc::new(FixedClock::new(now()));
        provider.attach(&CredentialsContext::new(transport, false, clock));
        provider
    };
    for (only_hardened, steps) in [(true, vec![Step::Hang]), (false, vec![Step::Hang, Step::Hang])] {
        let error = ask(&slow(only_hardened, steps)).await.unwrap_err();
        assert!(!error.is_not_configured() && error.is_retryable(), "{error}");
        assert_eq!(
            error.to_string(),
            "the ECS metadata service has not answered within 2 s"
        );
    }
    // No answer to the question for a token, and none with the token: both are tried without.
    ask(&slow(false, vec![Step::Hang, ok(KEY)])).await.unwrap();
    ask(&slow(false, vec![ok("T"), Step::Hang, ok(KEY)])).await.unwrap();
    let error = ask(&slow(true, vec![ok("T"), Step::Hang])).await.unwrap_err();
    assert!(!error.is_not_configured() && error.is_retryable(), "{error}");
}

#[tokio::test]
async fn what_is_no_name_of_a_role_is_not_asked_for() {
    let page = "<html>Please log in</html>".to_owned();
    for body in [page, String::new(), "a/b".to_owned(), "x".repeat(65)] {
        let provider = EcsRoleCredentials::new();
        let transport = attach(&provider, [ok("T"), Answer::new(200, body.clone()).into()]);
        let error = ask(&provider).await.unwrap_err();
        assert!(
            error.to_string().contains("is no name") && !error.is_not_configured(),
            "{error}"
        );
        assert_eq!(transport.sent().len(), 2, "{body}");
    }
    let provider = EcsRoleCredentials::new().role_name("../r");
    let transport = attach(&provider, []);
    assert_eq!(ask(&provider).await.unwrap_err().field(), Some("role_name"));
    assert!(transport.sent().is_empty());
}

#[tokio::test]
async fn a_key_of_an_instance_has_an_end() {
    let provider = EcsRoleCredentials::new().role_name("r");
    let endless = r#"{"Code":"Success","AccessKeyId":"a","AccessKeySecret":"5ec4e7","SecurityToken":"t"}"#;
    attach(&provider, [ok("T"), ok(endless)]);
    let error = ask(&provider).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the answer of the ECS metadata service: `Expiration` is missing"
    );
}
