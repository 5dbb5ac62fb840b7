//! Buckets under names other than those that callers give: agentic buckets and the ARNs of table buckets.

use std::sync::Arc;

use http::Method;

use crate::client::{CallOptions, Core};
use crate::config::{AddressingStyle, Config};
use crate::error::{Error, ErrorKind};
use crate::fake::{Answer, FakeTransport, Sent};
use crate::naming::Naming;
use crate::operation::{BucketHost, OperationInput, Protocol, ServiceSpec, SigningResource};
use crate::pipeline::execute;

static AGENTIC: ServiceSpec = ServiceSpec::new("agentic", Protocol::RestXml)
    .hosts(&[("public", "oss-{region}.aliyuncs.com")])
    .bucket_name("{bucket}-{account_id}-{region}-ab-apsr")
    .alias_host("{bucket}-alias-ab-apsr");

static TABLES: ServiceSpec = ServiceSpec::new("tables", Protocol::RestJson)
    .product("osstables")
    .hosts(&[("public", "{region}.oss-tables.aliyuncs.com")])
    .bucket_host(BucketHost::BucketAndAccount)
    .signing(SigningResource::TableArn);

static OSS: ServiceSpec = ServiceSpec::new("oss", Protocol::RestXml).hosts(&[("public", "oss-{region}.aliyuncs.com")]);

const SPACES: Naming = Naming {
    name: "{bucket}-{account_id}-{region}-bs-apsr",
    alias: Some("{bucket}-alias-bs-apsr"),
};

const NAME: &str = "demo-123-cn-hangzhou-ab-apsr";
const ARN: &str = "acs:osstables:cn-hangzhou:123456:bucket/demo-bucket";

/// Remembers what the signature is of.
#[derive(Debug, Default)]
struct Witness(std::sync::Mutex<Vec<String>>);

impl crate::signer::Signer for Arc<Witness> {
    fn sign(
        &self,
        request: &crate::signer::SigningRequest<'_>,
        credentials: &crate::credentials::Credentials,
    ) -> Result<crate::signer::Signature, crate::signer::SigningError> {
        let signature = crate::signer::SignerV4::new().sign(request, credentials)?;
        let canonical = String::from_utf8(signature.canonical_request.clone()).unwrap();
        self.0
            .lock()
            .unwrap()
            .push(canonical.lines().nth(1).unwrap_or_default().to_owned());
        Ok(signature)
    }
}

/// Sends one request; returns it, and what its signature calls the resource.
async fn send(
    service: &'static ServiceSpec,
    config: impl FnOnce(Config) -> Config,
    input: OperationInput,
) -> Result<(Sent, String), Error> {
    let transport = FakeTransport::new([Answer::new(200, "").into()]);
    let witness = Arc::new(Witness::default());
    let config = config(transport.config().signer(Arc::clone(&witness)));
    let core = Core::new(config, service)?;
    let sent = execute(core, input, CallOptions::default()).await;
    assert_eq!(sent.is_ok(), !transport.sent().is_empty());
    sent?;
    let resource = witness.0.lock().unwrap().remove(0);
    Ok((transport.sent().remove(0), resource))
}

fn acl() -> OperationInput {
    OperationInput::new("GetAgenticBucketAcl", Method::GET)
        .bucket("demo")
        .query_flag("acl")
}

fn account(config: Config) -> Config {
    config.account_id("123")
}

#[tokio::test(start_paused = true)]
async fn an_agentic_bucket_has_its_name_in_address_and_signature() {
    let (sent, resource) = send(&AGENTIC, account, acl()).await.unwrap();
    assert_eq!(sent.url, format!("https://{NAME}.oss-cn-hangzhou.aliyuncs.com/?acl"));
    assert_eq!(resource, format!("/{NAME}/"));

    let whole = OperationInput::new("Get", Method::GET).bucket(NAME).query_flag("acl");
    assert_eq!(send(&AGENTIC, account, whole).await.unwrap().0.url, sent.url);

    let path = |config: Config| account(config).addressing_style(AddressingStyle::Path);
    let (sent, resource) = send(&AGENTIC, path, acl()).await.unwrap();
    assert_eq!(sent.url, format!("https://oss-cn-hangzhou.aliyuncs.com/{NAME}/?acl"));
    assert_eq!(resource, format!("/{NAME}/"));

    let service = OperationInput::new("ListAgenticBuckets", Method::GET);
    let (sent, resource) = send(&AGENTIC, account, service).await.unwrap();
    assert_eq!(sent.url, "https://oss-cn-hangzhou.aliyuncs.com/");
    assert_eq!(resource, "/");
}

#[tokio::test(start_paused = true)]
async fn an_alias_stands_in_the_host_alone() {
    let alias = |config: Config| account(config).bucket_alias(true);
    let (sent, resource) = send(&AGENTIC, alias, acl()).await.unwrap();
    assert_eq!(sent.url, "https://demo-alias-ab-apsr.oss-cn-hangzhou.aliyuncs.com/?acl");
    assert_eq!(resource, format!("/{NAME}/"));
    // An IP address has no labels.
    let (sent, _) = send(
        &AGENTIC,
        |config| alias(config).endpoint("http://127.0.0.1:9000"),
        acl(),
    )
    .await
    .unwrap();
    assert_eq!(sent.url, format!("http://127.0.0.1:9000/{NAME}/?acl"));
}

#[tokio::test(start_paused = true)]
async fn a_label_that_is_too_long_is_refused_and_an_alias_helps() {
    let input = |length: usize| OperationInput::new("Get", Method::GET).bucket("b".repeat(length));
    // `-123-cn-hangzhou-ab-apsr` has 24 characters, `-alias-ab-apsr` has 14.
    assert!(send(&AGENTIC, account, input(39)).await.is_ok());
    let error = send(&AGENTIC, account, input(40)).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.member()),
        (ErrorKind::InvalidInput, Some("bucket"))
    );
    assert!(error.message().contains("64 characters"), "{error}");
    let alias = |config: Config| account(config).bucket_alias(true);
    assert!(send(&AGENTIC, alias, input(49)).await.is_ok());
    assert!(send(&AGENTIC, alias, input(50)).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn account_and_region_are_required_settings() {
    type Row = (&'static ServiceSpec, fn(Config) -> Config, &'static str);
    let rows: [Row; 6] = [
        (&AGENTIC, |config| config, "account_id"),
        (&AGENTIC, |config| config.account_id("12a"), "account_id"),
        (
            &AGENTIC,
            |config| account(config).region("").endpoint("http://127.0.0.1"),
            "region",
        ),
        (&OSS, |config| account(config).bucket_alias(true), "bucket_alias"),
        (
            &AGENTIC,
            |config| {
                account(config)
                    .bucket_alias(true)
                    .addressing_style(AddressingStyle::Path)
            },
            "bucket_alias",
        ),
        (
            &AGENTIC,
            |config| {
                account(config)
                    .bucket_alias(true)
                    .addressing_style(AddressingStyle::Cname)
                    .endpoint("example.com")
            },
            "bucket_alias",
        ),
    ];
    for (service, config, setting) in rows {
        let error = send(service, config, acl()).await.unwrap_err();
        assert_eq!((error.kind(), error.member()), (ErrorKind::Config, Some(setting)));
    }
    // An operation of the service through a client of another.
    let mut input = acl();
    input.service = Some(&AGENTIC);
    let (sent, _) = send(&OSS, account, input.clone()).await.unwrap();
    assert!(sent.url.contains(NAME));
    let error = send(&OSS, |config| config, input).await.unwrap_err();
    assert_eq!((error.kind(), error.member()), (ErrorKind::Config, Some("account_id")));
}

#[tokio::test(start_paused = true)]
async fn bucket_spaces_are_buckets_of_the_object_service() {
    let spaces = |config: Config| {
        let mut config = account(config);
        config.naming = Some(SPACES);
        config
    };
    let name = "demo-123-cn-hangzhou-bs-apsr";
    let input = OperationInput::new("PutObject", Method::PUT).bucket("demo").key("a/b");
    let (sent, resource) = send(&OSS, spaces, input.clone()).await.unwrap();
    assert_eq!(sent.url, format!("https://{name}.oss-cn-hangzhou.aliyuncs.com/a/b"));
    assert_eq!(resource, format!("/{name}/a/b"));

    let (sent, _) = send(&OSS, |config| spaces(config).bucket_alias(true), input)
        .await
        .unwrap();
    assert_eq!(sent.url, "https://demo-alias-bs-apsr.oss-cn-hangzhou.aliyuncs.com/a/b");

    // A copy within the space names it as the service does; any other source is the caller's word.
    for (source, expected) in [
        ("/demo/a%2Fb?versionId=1", format!("/{name}/a%2Fb?versionId=1")),
        ("/demo-2/a", "/demo-2/a".to_owned()),
        ("/other/a", "/other/a".to_owned()),
    ] {
        let copy = OperationInput::new("CopyObject", Method::PUT)
            .bucket("demo")
            .key("b")
            .header("x-oss-copy-source", source);
        let (sent, _) = send(&OSS, spaces, copy).await.unwrap();
        assert_eq!(sent.header("x-oss-copy-source"), Some(expected.as_str()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_table_bucket_is_addressed_and_signed_by_its_arn() {
    let input = || {
        OperationInput::new("GetNamespace", Method::GET)
            .bucket(ARN)
            .path_segments(["namespaces", ARN, ".."])
    };
    // No account is set: it is in the ARN.
    let (sent, resource) = send(&TABLES, |config| config, input()).await.unwrap();
    let path = "/namespaces/acs%3Aosstables%3Acn-hangzhou%3A123456%3Abucket%2Fdemo-bucket/..";
    assert_eq!(
        sent.url,
        format!("https://demo-bucket-123456.cn-hangzhou.oss-tables.aliyuncs.com{path}")
    );
    let arn = "acs%3Aosstables%3Acn-hangzhou%3A123456%3Abucket/demo-bucket";
    assert_eq!(resource, format!("/{arn}/namespaces/{arn}/.."));
    // The bucket's account, whatever the caller's own is.
    let (sent, _) = send(&TABLES, account, input()).await.unwrap();
    assert!(sent.url.starts_with("https://demo-bucket-123456."));
    let (sent, same) = send(&TABLES, |config| config.endpoint("http://127.0.0.1:9000"), input())
        .await
        .unwrap();
    assert_eq!(sent.url, format!("http://127.0.0.1:9000{path}"));
    assert_eq!(same, resource);

    let list = OperationInput::new("ListTableBuckets", Method::GET).path_segments(["buckets"]);
    let (sent, resource) = send(&TABLES, |config| config, list).await.unwrap();
    assert_eq!(sent.url, "https://cn-hangzhou.oss-tables.aliyuncs.com/buckets");
    assert_eq!(resource, "/acs%3Aosstables%3Acn-hangzhou%3A%3Abucket//buckets");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_table_bucket_is_refused_before_it_is_sent() {
    for bucket in ["demo-bucket", "acs:osstables:cn-hangzhou:1:bucket/a/table/t", ""] {
        let input = OperationInput::new("GetTableBucket", Method::GET)
            .bucket(bucket)
            .path_segments(["buckets", bucket]);
        for endpoint in ["http://127.0.0.1", "https://host.com"] {
            let error = send(&TABLES, |config| config.endpoint(endpoint), input.clone())
                .await
                .unwrap_err();
            assert_eq!(
                (error.kind(), error.member()),
                (ErrorKind::InvalidInput, Some("table_bucket_arn"))
            );
        }
    }
    let both = OperationInput::new("X", Method::GET)
        .bucket(ARN)
        .key("k")
        .path_segments(["p"]);
    let error = send(&TABLES, |config| config, both).await.unwrap_err();
    assert_eq!(error.member(), Some("key"));
}
