//! Upload forms, sent by programs that know nothing of OSS: what the policy allows, and nothing else.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::Duration;

use oss_sdk::http::Method;
use oss_sdk::post_policy::Condition;
use oss_sdk::sts::AssumeRoleRequest;
use oss_sdk::{
    Client, Config, Credentials, GetObjectRequest, HeadObjectRequest, ListObjectsV2Request, OperationInput, PostForm,
    PostPolicy, SignatureVersion, sts,
};
use oss_suite::curl;
use oss_suite::fixture::{BUCKET, Fixture, builder};
use oss_suite::plain::{self, Answer};

const MINUTES: Duration = Duration::from_secs(600);
const VERSIONS: [SignatureVersion; 2] = [SignatureVersion::V4, SignatureVersion::V1];

fn client(fixture: &Fixture, version: SignatureVersion) -> Client {
    builder(&fixture.emulator).signature_version(version).build().unwrap()
}

/// The form's fields with those that the page fills in; a field of the form that is filled in has the new value.
fn filled<'f>(form: &'f PostForm, more: &[(&'f str, &'f str)]) -> Vec<(&'f str, &'f str)> {
    let given = form.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let mut fields: Vec<_> = given
        .map(|(name, value)| {
            let new = more.iter().find(|(changed, _)| *changed == name);
            (name, new.map_or(value, |(_, value)| value))
        })
        .collect();
    let added = more
        .iter()
        .filter(|(name, _)| form.fields.iter().all(|(known, _)| known != name));
    fields.extend(added.copied());
    fields
}

async fn post(form: &PostForm, more: &[(&str, &str)], content: &str) -> Answer {
    let request = plain::form(&form.url, filled(form, more), content);
    plain::send_all(vec![request]).await.remove(0)
}

async fn keys(fixture: &Fixture) -> Vec<String> {
    let listed = fixture.client.list_objects_v2(ListObjectsV2Request::new(BUCKET));
    listed
        .await
        .unwrap()
        .contents
        .into_iter()
        .map(|object| object.key)
        .collect()
}

#[tokio::test]
async fn curl_uploads_with_a_form() {
    let fixture = Fixture::start().await;
    for (version, prefix) in VERSIONS.into_iter().zip(["v4/", "v1 ü/"]) {
        let policy = PostPolicy::for_prefix(BUCKET, prefix)
            .content_length(1..=10)
            .content_types(["text/x-a", "text/x-b"])
            .metadata("who", "visitor 17")
            .field("Cache-Control", "no-cache")
            .success_action_status(201);
        let form = client(&fixture, version).presign_post(policy, MINUTES).await.unwrap();
        assert_eq!(form.open_fields, ["x-oss-content-type"]);
        let answer = curl::upload(&form, &[("x-oss-content-type", "text/x-b")], "a.txt", "by form").await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        let key = format!("{prefix}a.txt");
        assert!(answer.text.contains(&format!("<Key>{key}</Key>")), "{}", answer.text);
        let got = fixture
            .client
            .get_object(GetObjectRequest::new(BUCKET, &key))
            .await
            .unwrap();
        assert_eq!(got.content_type.as_deref(), Some("text/x-b"));
        assert_eq!(got.cache_control.as_deref(), Some("no-cache"));
        assert_eq!(got.metadata["who"], "visitor 17");
        assert_eq!(got.body.text().await.unwrap(), "by form");

        let refused = curl::upload(&form, &[("x-oss-content-type", "text/html")], "b.txt", "by form").await;
        assert_eq!(refused.status, 403, "{}", refused.text);
    }
    assert_eq!(keys(&fixture).await.len(), 2);
}

#[tokio::test]
async fn each_condition_refuses_what_is_outside_of_it() {
    let fixture = Fixture::start().await;
    for version in VERSIONS {
        let policy = PostPolicy::for_prefix(BUCKET, "in/")
            .content_length(2..=4)
            .content_type_prefix("image/")
            .metadata("fixed", "1")
            .condition(Condition::one_of("x-oss-meta-size", ["s", "m"]))
            .condition(Condition::none_of("x-oss-meta-not", ["bad"]));
        let form = client(&fixture, version).presign_post(policy, MINUTES).await.unwrap();
        assert_eq!(form.open_fields, ["x-oss-content-type", "x-oss-meta-size"]);
        let good = [("x-oss-content-type", "image/png"), ("x-oss-meta-size", "m")];
        let with = |name, value| {
            let mut fields: Vec<_> = good.into_iter().filter(|(known, _)| *known != name).collect();
            fields.push((name, value));
            fields
        };
        for (fields, content, status, code) in [
            (with("key", "out/a"), "abc", 403, "AccessDenied"),
            (good.to_vec(), "a", 400, "EntityTooSmall"),
            (good.to_vec(), "abcde", 400, "EntityTooLarge"),
            (with("x-oss-content-type", "text/html"), "abc", 403, "AccessDenied"),
            (with("x-oss-meta-fixed", "2"), "abc", 403, "AccessDenied"),
            (with("x-oss-meta-size", "l"), "abc", 403, "AccessDenied"),
            (good[..1].to_vec(), "abc", 403, "AccessDenied"),
            (good[1..].to_vec(), "abc", 403, "AccessDenied"),
            (with("x-oss-meta-not", "bad"), "abc", 403, "AccessDenied"),
        ] {
            let answer = post(&form, &fields, content).await;
            assert_eq!(answer.status, status, "{version:?} {fields:?}: {}", answer.text);
            assert!(answer.text.contains(&format!("<Code>{code}</Code>")), "{}", answer.text);
            assert_eq!(keys(&fixture).await, Vec::<String>::new(), "{version:?} {fields:?}");
        }
        for content in ["ab", "abcd"] {
            let answer = post(&form, &with("x-oss-meta-not", "good"), content).await;
            assert_eq!(answer.status, 204, "{}", answer.text);
        }
        assert_eq!(keys(&fixture).await, ["in/a.png"]);
        fixture
            .client
            .delete_object(oss_sdk::DeleteObjectRequest::new(BUCKET, "in/a.png"))
            .await
            .unwrap();
    }
}

/// Another byte that HTTP allows in the same place, and that differs in more than case.
fn changed(byte: u8) -> u8 {
    match byte {
        b'z' | b'Z' | b'9' => byte - 1,
        byte if byte.is_ascii_alphanumeric() => byte + 1,
        _ => b'x',
    }
}

#[tokio::test]
async fn a_form_with_one_changed_byte_is_refused() {
    let fixture = Fixture::start().await;
    for version in VERSIONS {
        let credentials = Credentials::new(fixture.emulator.access_key_id(), fixture.emulator.access_key_secret());
        let client = builder(&fixture.emulator)
            .signature_version(version)
            .credentials(credentials);
        let policy = PostPolicy::for_key(BUCKET, "k")
            .metadata("a", "b")
            .content_type("text/x-test")
            .success_action_status(200);
        let form = client.build().unwrap().presign_post(policy, MINUTES).await.unwrap();
        let mut requests = Vec::new();
        for field in 0..form.fields.len() {
            let (name, value) = form.fields[field].clone();
            for at in 0..name.len() + value.len() {
                let mut bytes = format!("{name}{value}").into_bytes();
                bytes[at] = changed(bytes[at]);
                let text = String::from_utf8(bytes).unwrap();
                let mut fields = form.fields.clone();
                fields[field] = (text[..name.len()].to_owned(), text[name.len()..].to_owned());
                let fields = fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
                requests.push((format!("{name} at {at}: {text}"), plain::form(&form.url, fields, "x")));
            }
        }
        assert!(requests.len() > 400, "{}", requests.len());
        let (names, requests): (Vec<_>, Vec<_>) = requests.into_iter().unzip();
        let answers = plain::send_all(requests).await;
        for (name, answer) in names.iter().zip(answers) {
            assert!(
                (400..500).contains(&answer.status),
                "{version:?} {name}: {}",
                answer.status
            );
        }
        assert_eq!(keys(&fixture).await, Vec::<String>::new());
        assert_eq!(post(&form, &[], "x").await.status, 200);
        let delete = oss_sdk::DeleteObjectRequest::new(BUCKET, "k");
        fixture.client.delete_object(delete).await.unwrap();
    }
}

#[tokio::test]
async fn a_form_ends_when_it_says() {
    let fixture = Fixture::start().await;
    for version in VERSIONS {
        let client = client(&fixture, version);
        let form = client
            .presign_post(PostPolicy::for_key(BUCKET, "k"), MINUTES)
            .await
            .unwrap();
        assert_eq!(post(&form, &[], "x").await.status, 204);
        fixture.emulator.clock().advance(MINUTES);
        let late = post(&form, &[], "y").await;
        assert_eq!(late.status, 403);
        assert!(late.text.contains("expired"), "{}", late.text);
        // Back to the time that the client has.
        fixture.emulator.clock().set_offset(0);
    }
}

#[tokio::test]
async fn temporary_credentials_sign_forms_that_end_with_them() {
    let fixture = Fixture::start().await;
    let emulator = &fixture.emulator;
    let config = Config::new()
        .region(emulator.region())
        .endpoint(emulator.endpoint())
        .credentials(Credentials::new(emulator.access_key_id(), emulator.access_key_secret()));
    let role = AssumeRoleRequest::new("acs:ram::1234567890123456:role/uploader", "suite").duration_seconds(900);
    let assumed = sts::Client::new(config).unwrap().assume_role(role).await.unwrap();
    let credentials = Credentials::from(assumed.credentials);
    let end = credentials.expiration().unwrap();
    for version in VERSIONS {
        let client = builder(emulator)
            .credentials(credentials.clone())
            .signature_version(version);
        let client = client.build().unwrap();
        let policy = PostPolicy::for_key(BUCKET, "k");
        let form = client.presign_post(policy, Duration::from_secs(3600)).await.unwrap();
        assert!(form.is_capped);
        assert_eq!(form.expiration.unix_seconds(), end.unix_seconds());
        assert_eq!(curl::upload(&form, &[], "a", "x").await.status, 204);
        let other = post(&form, &[("x-oss-security-token", "another")], "x").await;
        assert_eq!(other.status, 403, "{}", other.text);
    }
}

#[tokio::test]
async fn forms_follow_their_redirect_and_their_domain() {
    let fixture = Fixture::start().await;
    fixture.emulator.bind_cname("img.example.com", BUCKET);
    let port = fixture.emulator.address().port();
    let policy = PostPolicy::for_key(BUCKET, "k")
        .cname(format!("http://img.example.com:{port}"))
        .success_action_redirect("https://example.com/done?a=b");
    let mut form = fixture.client.presign_post(policy, MINUTES).await.unwrap();
    assert_eq!(form.url, format!("http://img.example.com:{port}/"));
    // A name that only the emulator knows.
    let fields = filled(&form, &[]);
    let mut request = plain::form(&fixture.emulator.endpoint(), fields, "x");
    let host = format!("img.example.com:{port}").parse().unwrap();
    request.headers_mut().insert("host", host);
    let answer = plain::send_all(vec![request]).await.remove(0);
    assert_eq!(answer.status, 303, "{}", answer.text);
    let location = &answer.headers["location"];
    assert!(location.starts_with("https://example.com/done?a=b&"), "{location}");
    assert!(
        location.contains(&format!("bucket={BUCKET}")) && location.contains("key=k"),
        "{location}"
    );

    form.url = format!("{}/another", fixture.emulator.endpoint());
    assert!(
        (400..500).contains(&post(&form, &[], "x").await.status),
        "the form is for one bucket"
    );
}

#[tokio::test]
async fn a_form_need_not_replace_what_is_there() {
    let fixture = Fixture::start().await;
    let policy = PostPolicy::for_key(BUCKET, "k").field("x-oss-forbid-overwrite", "true");
    let form = fixture.client.presign_post(policy, MINUTES).await.unwrap();
    assert_eq!(post(&form, &[], "first").await.status, 204);
    assert_eq!(post(&form, &[], "second").await.status, 409);
    let head = fixture
        .client
        .head_object(HeadObjectRequest::new(BUCKET, "k"))
        .await
        .unwrap();
    assert_eq!(head.content_length, 5);
    let list = OperationInput::new("ListObjects", Method::GET).bucket(BUCKET);
    assert!(fixture.client.invoke_operation(list).retry_attempts(1).await.is_ok());
}
