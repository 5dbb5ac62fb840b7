//! The order of sources, and what ends the search.

use super::*;
use crate::fake::{Answer, FakeTransport, Step, now};
use crate::time::FixedClock;
use crate::transport::TransportErrorKind;

type Pairs = &'static [(&'static str, &'static str)];

/// What the default chain finds with these variables, over a transport that plays a script.
async fn find(variables: Pairs, steps: Vec<Step>) -> (Result<Credentials, CredentialsError>, FakeTransport) {
    let transport = FakeTransport::new(steps);
    let lookup = move |name: &str| {
        variables
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| (*value).to_owned())
    };
    let chain = DefaultCredentials::with_variables(Variables::new(lookup));
    let clock = Arc::new(FixedClock::new(now()));
    chain.attach(&CredentialsContext::new(Arc::new(transport.clone()), true, clock));
    (chain.credentials(&CredentialsRequest::default()).await, transport)
}

const KEY: (&str, &str) = ("ALIBABA_CLOUD_ACCESS_KEY_ID", "env-id");
const SECRET: (&str, &str) = ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "5ec4e7");
const URI: (&str, &str) = ("ALIBABA_CLOUD_CREDENTIALS_URI", "http://127.0.0.1:1/");
const NO_ECS: (&str, &str) = ("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "TRUE");
const DOCUMENT: &str = r#"{"Code":"Success","AccessKeyId":"STS.id","AccessKeySecret":"5ec4e7","SecurityToken":"t",
    "Expiration":"2026-01-02T04:04:05Z"}"#;

#[tokio::test]
async fn the_first_source_that_is_set_up_counts() {
    let (found, _) = find(&[KEY, SECRET, URI], vec![]).await;
    assert_eq!(found.unwrap().access_key_id(), "env-id");

    let (found, transport) = find(&[URI, NO_ECS], vec![Answer::new(200, DOCUMENT).into()]).await;
    assert_eq!(found.unwrap().access_key_id(), "STS.id");
    assert_eq!(transport.sent()[0].url, "http://127.0.0.1:1/");

    // A machine that is no ECS instance.
    let elsewhere = vec![
        Step::Fail(TransportErrorKind::Timeout),
        Answer::new(200, DOCUMENT).into(),
    ];
    let (found, _) = find(&[URI], elsewhere).await;
    assert_eq!(found.unwrap().access_key_id(), "STS.id");
}

#[tokio::test]
async fn a_source_that_is_set_up_and_broken_ends_the_search() {
    let (found, transport) = find(&[KEY, URI], vec![]).await;
    let error = found.unwrap_err();
    assert_eq!(
        error.to_string(),
        "environment: the environment variable `ALIBABA_CLOUD_ACCESS_KEY_SECRET` is not set or empty"
    );
    assert!(transport.sent().is_empty());

    let oidc: Pairs = &[
        ("ALIBABA_CLOUD_ROLE_ARN", "acs:ram::1:role/r"),
        ("ALIBABA_CLOUD_OIDC_PROVIDER_ARN", "acs:ram::1:oidc-provider/p"),
        ("ALIBABA_CLOUD_OIDC_TOKEN_FILE", "/no/such/file"),
        URI,
    ];
    let (found, _) = find(oidc, vec![]).await;
    let error = found.unwrap_err();
    assert!(
        error.to_string().starts_with("OIDC role: the OIDC token file"),
        "{error}"
    );

    let busy = vec![Answer::new(500, "").into(), Answer::new(500, "").into()];
    let (found, _) = find(&[URI], busy).await;
    let error = found.unwrap_err();
    assert!(
        error.is_retryable() && error.to_string().starts_with("ECS role:"),
        "{error}"
    );
}

#[tokio::test]
async fn without_any_source_each_says_why() {
    let (found, _) = find(&[NO_ECS], vec![]).await;
    let error = found.unwrap_err();
    for name in [
        "environment:",
        "OIDC role:",
        "command line profile:",
        "profile file:",
        "ECS role:",
        "credentials URI:",
    ] {
        assert!(error.to_string().contains(name), "{error}");
    }
    assert!(error.is_not_configured() && !error.is_retryable());
}

#[tokio::test]
async fn a_link_that_was_not_reached_may_be_later() {
    let (found, _) = find(&[], vec![Step::Fail(TransportErrorKind::Connect)]).await;
    let error = found.unwrap_err();
    assert!(error.is_not_configured() && error.is_retryable(), "{error}");
    let causes = "ECS role: the ECS metadata service cannot be reached: the ECS metadata service cannot be asked: ";
    assert!(error.to_string().contains(causes), "{error}");
}

#[tokio::test]
async fn a_chain_stays_with_the_source_that_it_found() {
    let steps: Vec<Step> = vec![
        Answer::new(200, DOCUMENT).into(),
        Step::Fail(TransportErrorKind::Connect),
        Answer::new(200, DOCUMENT).into(),
    ];
    let transport = FakeTransport::new(steps);
    let chain = CredentialsChain::new()
        .link("uri", UriCredentials::new("http://127.0.0.1:1/"))
        .link("other", crate::credentials::AnonymousCredentials);
    let clock = Arc::new(FixedClock::new(now()));
    chain.attach(&CredentialsContext::new(Arc::new(transport.clone()), true, clock));
    let request = CredentialsRequest::default();
    assert_eq!(chain.credentials(&request).await.unwrap().access_key_id(), "STS.id");
    let error = chain.credentials(&request).await.unwrap_err();
    assert_eq!(error.to_string(), "uri: the credentials URI cannot be asked");
    assert!(error.is_retryable());
    assert_eq!(chain.credentials(&request).await.unwrap().access_key_id(), "STS.id");
    assert!(format!("{chain:?}").contains("UriCredentials"));
}
