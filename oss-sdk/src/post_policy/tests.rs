//! What is refused before a form is signed, and where forms are sent. Signatures are compared in `tests/vectors.rs`.

use std::time::Duration;

use super::{Condition, PostForm, PostPolicy};
use crate::fake::{FakeTransport, now};
use crate::{AddressingStyle, Client, Config, Credentials, Error, ErrorKind, SignatureVersion};

const MINUTE: Duration = Duration::from_secs(60);

fn policy() -> PostPolicy {
    PostPolicy::for_key("bucket", "key")
}

async fn sign(config: Config, policy: PostPolicy) -> Result<PostForm, Error> {
    Client::new(config).unwrap().presign_post(policy, MINUTE).await
}

fn config() -> Config {
    FakeTransport::new([]).config()
}

#[tokio::test]
async fn what_cannot_be_is_refused_by_its_name() {
    let rows = [
        (PostPolicy::for_key("Bucket", "k"), "bucket"),
        (PostPolicy::for_key("bucket", ""), "key"),
        (PostPolicy::for_key("bucket", "a/${filename}"), "key"),
        (PostPolicy::for_key("bucket", "line\nbreak"), "key"),
        (PostPolicy::for_prefix("bucket", "${filename}/"), "prefix"),
        (policy().content_length(RangeOf::backwards()), "content_length"),
        (policy().content_length(0..=6 << 30), "content_length"),
        (policy().success_action_status(302), "success_action_status"),
        (
            policy().success_action_redirect("javascript:x"),
            "success_action_redirect",
        ),
        (policy().field("", "x"), "field"),
        (policy().field("a\"; filename=\"b", "x"), "field"),
        (policy().field("a\r\nb", "x"), "field"),
        (policy().metadata("ü", "x"), "field"),
        (policy().metadata("a", "x\r\ny: z"), "x-oss-meta-a"),
        (policy().field("Policy", "x"), "Policy"),
        (policy().field("file", "x"), "file"),
        (policy().field("x-oss-credential", "x"), "x-oss-credential"),
        (policy().field("KEY", "x"), "key"),
        (policy().field("A", "x").field("a", "y"), "a"),
        (policy().field("a", "x".repeat(64 * 1024 + 1)), "a"),
        (policy().condition(Condition::one_of("a", Vec::<String>::new())), "a"),
        (
            policy().condition(Condition::starts_with("signature", "x")),
            "signature",
        ),
        (
            policy().content_type("text/plain").content_types(["text/css"]),
            "x-oss-content-type",
        ),
    ];
    for (policy, member) in rows {
        let shown = format!("{policy:?}");
        let error = sign(config(), policy).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.member(), error.operation()),
            (ErrorKind::InvalidInput, Some(member), Some("PostObject")),
            "{shown}: {error}"
        );
    }
}

/// A range that clippy would not let one write.
struct RangeOf;

impl RangeOf {
    fn backwards() -> std::ops::RangeInclusive<u64> {
        let (start, end) = (2, 1);
        start..=end
    }
}

#[tokio::test]
async fn a_form_is_sent_to_the_bucket_wherever_it_is() {
    let host = "oss-cn-hangzhou.aliyuncs.com";
    for (config, policy, url) in [
        (config(), policy(), format!("https://bucket.{host}/")),
        (
            config().addressing_style(AddressingStyle::Path),
            policy(),
            format!("https://{host}/bucket/"),
        ),
        (
            config(),
            policy().endpoint("http://127.0.0.1:9000"),
            "http://127.0.0.1:9000/bucket/".to_owned(),
        ),
        (
            config(),
            policy().cname("https://img.example.com"),
            "https://img.example.com/".to_owned(),
        ),
    ] {
        assert_eq!(sign(config, policy).await.unwrap().url, url);
    }
    let error = sign(config(), policy().cname("http://127.0.0.1")).await.unwrap_err();
    assert_eq!(error.member(), Some("cname"));
}

#[tokio::test]
async fn a_form_ends_with_the_credentials_and_shows_no_values() {
    let ending = |seconds| {
        let end = now().saturating_add(Duration::from_secs(seconds));
        let credentials = Credentials::new("ak", "5ec4e7").with_security_token("t0ken");
        config().credentials(credentials.with_expiration(end))
    };
    let form = sign(ending(20), policy()).await.unwrap();
    assert_eq!(form.expiration, now().saturating_add(Duration::from_secs(20)));
    assert!(form.is_capped);
    assert!(!sign(ending(60), policy()).await.unwrap().is_capped);
    let debug = format!("{form:?} {:?}", policy().metadata("a", "va1ue"));
    for (name, value) in &form.fields {
        assert!(name == "key" || !debug.contains(value.as_str()), "{debug}");
    }
    assert!(!debug.contains("va1ue"), "{debug}");
    let error = sign(ending(0), policy()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credentials, "{error}");
}

#[tokio::test]
async fn nobody_signs_no_form() {
    let error = sign(config().anonymous(), policy()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credentials, "{error}");
}

#[tokio::test]
async fn times_follow_the_rules_of_the_signature() {
    let week = Duration::from_secs(604_800);
    let (v4, v1) = (config(), config().signature_version(SignatureVersion::V1));
    let longer = week + Duration::from_secs(1);
    let sign = async |config: &Config, expires| {
        let client = Client::new(config.clone()).unwrap();
        client
            .presign_post(policy(), expires)
            .await
            .err()
            .map(|error| error.member().map(str::to_owned))
    };
    assert_eq!(sign(&v4, week).await, None);
    assert_eq!(sign(&v4, longer).await, Some(Some("expires_in".to_owned())));
    assert_eq!(sign(&v4, Duration::ZERO).await, Some(Some("expires_in".to_owned())));
    assert_eq!(sign(&v1, longer).await, None);
    let client = Client::new(v4).unwrap();
    let form = client
        .presign_post(policy(), now().saturating_add(MINUTE))
        .await
        .unwrap();
    assert_eq!(form.expiration, now().saturating_add(MINUTE));
    assert!(!form.is_capped);
    let error = client.presign_post(policy(), now()).await.unwrap_err();
    assert_eq!(error.member(), Some("expiration"));
}

#[tokio::test]
async fn fields_that_the_page_fills_in_are_named() {
    let policy = PostPolicy::for_prefix("bucket", "p/")
        .content_type_prefix("image/")
        .condition(Condition::one_of("key", ["p/a", "p/b"]))
        .condition(Condition::starts_with("x-oss-meta-any", ""))
        .condition(Condition::none_of("Cache-Control", ["no-cache"]));
    let form = sign(config(), policy).await.unwrap();
    assert_eq!(form.open_fields, ["x-oss-content-type"]);
}

#[tokio::test]
async fn a_signer_that_does_not_sign_forms_says_so() {
    #[derive(Debug)]
    struct Own;
    impl crate::signer::Signer for Own {
        fn sign(
            &self,
            _: &crate::signer::SigningRequest<'_>,
            _: &Credentials,
        ) -> Result<crate::signer::Signature, crate::signer::SigningError> {
            Ok(crate::signer::Signature::default())
        }
    }
    let error = sign(config().signer(Own), policy()).await.unwrap_err();
    assert_eq!((error.kind(), error.member()), (ErrorKind::Config, Some("signer")));
}
