//! Files as the tools write them.

use super::*;
use crate::credentials::document::Document;
use crate::fake::{Answer, FakeTransport, now};
use crate::time::FixedClock;

struct Files {
    home: tempfile::TempDir,
}

impl Files {
    fn new(files: &[(&str, &str)]) -> Self {
        let home = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = home.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Self { home }
    }

    fn variables(&self, more: &'static [(&'static str, &'static str)]) -> Variables {
        let home = self.home.path().display().to_string();
        Variables::new(move |name| match name {
            name if name == crate::config::HOME[0] => Some(home.clone()),
            name => more
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned()),
        })
    }
}

async fn ask(provider: &ProfileCredentials, transport: &FakeTransport) -> Result<Credentials, CredentialsError> {
    let clock = Arc::new(FixedClock::new(now()));
    provider.attach(&CredentialsContext::new(Arc::new(transport.clone()), true, clock));
    provider.credentials(&CredentialsRequest::default()).await
}

const CLI: &str = r#"{
  "current": "main",
  "profiles": [
    {"name": "main", "mode": "AK", "access_key_id": "main-id", "access_key_secret": "5ec4e7", "sts_token": "left behind"},
    {"name": "sts", "mode": "StsToken", "access_key_id": "sts-id", "access_key_secret": "5ec4e7", "sts_token": "t"},
    {"name": "role", "mode": "RamRoleArn", "access_key_id": "main-id", "access_key_secret": "5ec4e7",
     "ram_role_arn": "acs:ram::1:role/r", "ram_session_name": "named", "expired_seconds": 1200, "sts_region": "cn-beijing"},
    {"name": "chained", "mode": "ChainableRamRoleArn", "source_profile": "main", "ram_role_arn": "acs:ram::1:role/r",
     "external_id": "x"},
    {"name": "circle", "mode": "ChainableRamRoleArn", "source_profile": "circle", "ram_role_arn": "acs:ram::1:role/r"},
    {"name": "sso", "mode": "CloudSSO", "access_key_id": "sso-id", "access_key_secret": "5ec4e7", "sts_token": "t",
     "sts_expiration": 1767326645},
    {"name": "sso-over", "mode": "CloudSSO", "access_key_id": "sso-id", "access_key_secret": "5ec4e7", "sts_token": "t",
     "sts_expiration": 1767320000},
    {"name": "oauth-out", "mode": "OAuth"},
    {"name": "ecs", "mode": "EcsRamRole", "ram_role_name": "reader"},
    {"name": "uri", "mode": "CredentialsURI", "credentials_uri": "http://127.0.0.1:1/credentials"},
    {"name": "external", "mode": "External",
     "process_command": "echo '{\"mode\":\"AK\",\"access_key_id\":\"ext-id\",\"access_key_secret\":\"s\"}'"},
    {"name": "half", "mode": "RamRoleArn", "access_key_id": "main-id", "access_key_secret": "5ec4e7"},
    {"name": "odd", "mode": "RsaKeyPair"}
  ]
}"#;

const KEY: &str = r#"{"Code":"Success","AccessKeyId":"STS.id","AccessKeySecret":"5ec4e7","SecurityToken":"token",
    "Expiration":"2026-01-02T04:04:05Z"}"#;

fn assumed() -> Answer {
    Answer::new(200, format!(r#"{{"Credentials":{KEY}}}"#))
}

#[tokio::test]
async fn keys_of_the_tool_are_read_by_profile_variable_or_current() {
    let files = Files::new(&[(".aliyun/config.json", CLI)]);
    let offline = FakeTransport::new([]);
    let cli = || ProfileCredentials::cli().with_variables(files.variables(&[]));
    let main = ask(&cli(), &offline).await.unwrap();
    assert_eq!((main.access_key_id(), main.security_token()), ("main-id", None));
    assert!(
        main.expiration().is_none() && main.renewal().is_some(),
        "the file may change"
    );
    let sts = ask(&cli().profile("sts"), &offline).await.unwrap();
    assert_eq!(
        (sts.access_key_id(), sts.security_token().unwrap().expose()),
        ("sts-id", "t")
    );
    let named = cli().with_variables(files.variables(&[("ALIBABA_CLOUD_PROFILE", "sts")]));
    assert_eq!(ask(&named, &offline).await.unwrap().access_key_id(), "sts-id");
    assert_eq!(
        ask(&named.profile("main"), &offline).await.unwrap().access_key_id(),
        "main-id"
    );
    let sso = ask(&cli().profile("sso"), &offline).await.unwrap();
    assert_eq!(sso.expiration().unwrap().unix_seconds(), 1_767_326_645);
}

#[cfg(unix)]
#[tokio::test]
async fn a_program_of_a_profile_is_run() {
    let files = Files::new(&[(".aliyun/config.json", CLI)]);
    let external = ProfileCredentials::cli()
        .with_variables(files.variables(&[]))
        .profile("external");
    assert_eq!(
        ask(&external, &FakeTransport::new([])).await.unwrap().access_key_id(),
        "ext-id"
    );
}

#[tokio::test]
async fn roles_of_a_file_go_by_the_variables_of_its_provider() {
    let files = Files::new(&[(".aliyun/config.json", CLI)]);
    let variables = files.variables(&[("ALIBABA_CLOUD_STS_REGION", "cn-shanghai")]);
    let provider = ProfileCredentials::cli().with_variables(variables).profile("chained");
    let transport = FakeTransport::new([assumed().into()]);
    ask(&provider, &transport).await.unwrap();
    assert_eq!(transport.sent()[0].url, "https://sts.cn-shanghai.aliyuncs.com/");
}

#[test]
fn the_home_directory_is_the_systems() {
    let both = Variables::new(|name| ["HOME", "USERPROFILE"].contains(&name).then(|| name.to_owned()));
    let expected = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
    assert_eq!(both.home().as_deref(), Some(Path::new(expected)));
    let other = Variables::new(move |name| (name != expected).then(|| "other".to_owned()));
    assert_eq!(other.home().as_deref(), Some(Path::new("other")));
}

#[tokio::test]
async fn roles_of_the_tool_are_assumed() {
    let files = Files::new(&[(".aliyun/config.json", CLI)]);
    let cli = |name: &str| {
        ProfileCredentials::cli()
            .with_variables(files.variables(&[]))
            .profile(name)
    };
    let transport = FakeTransport::new([assumed().into(), assumed().into()]);
    assert_eq!(ask(&cli("role"), &transport).await.unwrap().access_key_id(), "STS.id");
    assert_eq!(
        ask(&cli("chained"), &transport).await.unwrap().access_key_id(),
        "STS.id"
    );
    let sent = transport.sent();
    assert_eq!(sent[0].url, "https://sts.cn-beijing.aliyuncs.com/");
    assert_eq!(sent[1].url, "https://sts.aliyuncs.com/");
    let form = std::str::from_utf8(&sent[0].body).unwrap();
    assert!(form.ends_with("&RoleSessionName=named&DurationSeconds=1200"), "{form}");
    assert!(sent[1].body.ends_with(b"&ExternalId=x"));
    assert!(sent[1].header("authorization").unwrap().contains("Credential=main-id,"));

    let token = Answer::new(200, "metadata-token");
    let transport = FakeTransport::new([token.into(), Answer::new(200, KEY).into(), Answer::new(200, KEY).into()]);
    assert_eq!(ask(&cli("ecs"), &transport).await.unwrap().access_key_id(), "STS.id");
    assert_eq!(ask(&cli("uri"), &transport).await.unwrap().access_key_id(), "STS.id");
    let urls: Vec<_> = transport.sent().iter().map(|sent| sent.url.clone()).collect();
    assert_eq!(
        urls,
        [
            "http://100.100.100.200/latest/api/token",
            "http://100.100.100.200/latest/meta-data/ram/security-credentials/reader",
            "http://127.0.0.1:1/credentials"
        ]
    );
}

#[tokio::test]
async fn a_profile_that_is_wrong_is_named() {
    let files = Files::new(&[(".aliyun/config.json", CLI)]);
    let rows = [
        ("nobody", "there is no profile `nobody` of `"),
        ("circle", "leads in a circle"),
        ("half", "`ram_role_arn` is missing"),
        ("odd", "the mode `RsaKeyPair` is not supported"),
        (
            "sso-over",
            "log in again by `aliyun configure --mode CloudSSO --profile sso-over`",
        ),
        (
            "oauth-out",
            "log in again by `aliyun configure --mode OAuth --profile oauth-out`",
        ),
    ];
    for (profile, expected) in rows {
        let provider = ProfileCredentials::cli()
            .with_variables(files.variables(&[]))
            .profile(profile);
        let error = ask(&provider, &FakeTransport::new([])).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{profile}: {error}");
        assert!(!error.is_not_configured() && !error.is_retryable());
        assert!(!format!("{error:?} {provider:?}").contains("5ec4e7"));
    }
}

#[tokio::test]
async fn what_is_absent_is_told_from_what_is_broken() {
    let fresh = r#"{"current":"default","profiles":[{"name":"default","mode":"AK","access_key_id":""}]}"#;
    let rows: [(&[(&str, &str)], bool); 4] = [
        (&[], true),
        (&[(".aliyun/config.json", fresh)], true),
        (&[(".aliyun/config.json", r#"{"profiles":[]}"#)], true),
        (&[(".aliyun/config.json", "{")], false),
    ];
    for (contents, is_absent) in rows {
        let files = Files::new(contents);
        let provider = ProfileCredentials::cli().with_variables(files.variables(&[]));
        let error = ask(&provider, &FakeTransport::new([])).await.unwrap_err();
        assert_eq!(error.is_not_configured(), is_absent, "{error}");
    }
    let missing = ProfileCredentials::ini().file("/no/such/file");
    assert!(
        !ask(&missing, &FakeTransport::new([]))
            .await
            .unwrap_err()
            .is_not_configured()
    );
}

const INI: &str = "
[default]
type = access_key            # the usual one
access_key_id = ini-id
access_key_secret = 5ec4e7

[role]
type = ram_role_arn
access_key_id = ini-id
access_key_secret = 5ec4e7
role_arn = acs:ram::1:role/r
role_session_name = named
role_session_expiration = 900

[off]
type = access_key
enable = false

[pair]
type = rsa_key_pair
";

#[tokio::test]
async fn sections_of_the_ini_file_are_read() {
    for path in [".alibabacloud/credentials", ".alibabacloud/credentials.ini"] {
        let files = Files::new(&[(path, INI)]);
        let ini = || ProfileCredentials::ini().with_variables(files.variables(&[]));
        let transport = FakeTransport::new([assumed().into()]);
        assert_eq!(ask(&ini(), &transport).await.unwrap().access_key_id(), "ini-id");
        let role = ini().profile("role").sts_endpoint("http://127.0.0.1:9");
        assert_eq!(ask(&role, &transport).await.unwrap().access_key_id(), "STS.id");
        let sent = &transport.sent()[0];
        assert_eq!(sent.url, "http://127.0.0.1:9/");
        assert!(sent.body.ends_with(b"&RoleSessionName=named&DurationSeconds=900"));
        let off = ask(&ini().profile("off"), &transport).await.unwrap_err();
        assert!(off.is_not_configured(), "{off}");
        let pair = ask(&ini().profile("pair"), &transport).await.unwrap_err();
        assert!(pair.to_string().contains("`rsa_key_pair` is not supported"), "{pair}");
    }
}

#[test]
fn documents_do_not_show_what_they_hold() {
    let mut document = Document::parse("x", br#"{"AccessKeyId":"a","AccessKeySecret":7}"#).unwrap();
    assert_eq!(
        document.key().unwrap_err().to_string(),
        "x: `AccessKeySecret` is missing"
    );
}
