//! No secret in anything: what a full run shows and writes is searched for its keys, tokens and signatures.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::error::Error as _;
use std::fmt::{Debug, Display};
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use oss_sdk::sts::AssumeRoleRequest;
use oss_sdk::transport::{ReqwestTransport, Transport, TransportFuture, TransportOptions, TransportRequest};
use oss_sdk::{
    Client, Config, Credentials, DeleteObjectRequest, Error, GetBucketAclRequest, GetObjectRequest,
    InitiateMultipartUploadRequest, ListObjectsV2Request, OperationInput, PutObjectRequest, SignatureVersion,
    UploadPartRequest, dynamic, sts,
};
use oss_suite::fixture::{BUCKET, Fixture};
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

/// Collects what must not be seen.
#[derive(Debug, Clone, Default)]
struct Secrets(Arc<Mutex<BTreeSet<String>>>);

impl Secrets {
    fn add(&self, secret: &str) {
        assert!(secret.len() >= 16, "too short to be searched for: {secret}");
        let mut secrets = self.0.lock().unwrap();
        let encoded: String = secret
            .bytes()
            .map(|byte| match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
                _ => format!("%{byte:02X}"),
            })
            .collect();
        secrets.insert(encoded);
        secrets.insert(secret.to_owned());
    }

    /// Adds the signatures and tokens in a query.
    fn add_query(&self, url: &str) {
        for pair in url.split(['?', '&']) {
            if let Some((name, value)) = pair.split_once('=')
                && ["signature", "security-token"]
                    .iter()
                    .any(|secret| name.to_ascii_lowercase().ends_with(secret))
            {
                self.add(value);
            }
        }
    }
}

/// Passes requests on and remembers the signatures of all of them.
#[derive(Debug)]
struct Tap {
    inner: ReqwestTransport,
    secrets: Secrets,
}

impl Transport for Tap {
    fn send(&self, request: TransportRequest) -> TransportFuture<'_> {
        self.secrets.add_query(&request.url);
        if let Some(value) = request.headers.get("authorization") {
            let signature = value.to_str().unwrap().rsplit(['=', ':']).find(|part| !part.is_empty());
            self.secrets.add(signature.unwrap());
        }
        self.inner.send(request)
    }
}

/// Everything that was shown, one after the other.
#[derive(Debug, Clone, Default)]
struct Shown(Arc<Mutex<Vec<u8>>>);

impl Shown {
    fn debug(&self, value: &impl Debug) {
        writeln!(self.clone(), "{value:?}\n{value:#?}").unwrap();
    }

    fn display(&self, value: &impl Display) {
        writeln!(self.clone(), "{value}\n{value:#}").unwrap();
    }

    fn error(&self, error: &Error) {
        self.debug(error);
        self.display(error);
        let mut source = error.source();
        while let Some(error) = source {
            self.debug(&error);
            self.display(&error);
            source = error.source();
        }
    }

    fn file(&self, path: &Path) {
        for entry in std::fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            self.display(&path.display());
            if path.is_dir() {
                self.file(&path);
            } else {
                self.clone().write_all(&std::fs::read(&path).unwrap()).unwrap();
            }
        }
    }
}

impl Write for Shown {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Shown {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

fn config(fixture: &Fixture, credentials: Credentials, secrets: &Secrets) -> Config {
    let tap = Tap {
        inner: ReqwestTransport::new(TransportOptions::default()).unwrap(),
        secrets: secrets.clone(),
    };
    Config::new()
        .region(fixture.emulator.region())
        .endpoint(fixture.emulator.endpoint())
        .credentials(credentials)
        .transport(tap)
}

/// Calls of many kinds, that succeed and that fail.
async fn calls(client: &Client, shown: &Shown, secrets: &Secrets, directory: &Path) {
    shown.debug(client);
    let put = PutObjectRequest::new(BUCKET, "a").body("hi oss").metadata([("k", "v")]);
    shown.debug(&put);
    shown.debug(&client.put_object(put).await.unwrap());
    let got = client.get_object(GetObjectRequest::new(BUCKET, "a")).await.unwrap();
    shown.debug(&got);
    assert_eq!(got.body.text().await.unwrap(), "hi oss");
    let file = directory.join("a");
    shown.debug(
        &client
            .get_object_to_file(GetObjectRequest::new(BUCKET, "a"), &file)
            .await
            .unwrap(),
    );
    shown.debug(&client.list_objects_v2(ListObjectsV2Request::new(BUCKET)).await.unwrap());
    let upload = client
        .initiate_multipart_upload(InitiateMultipartUploadRequest::new(BUCKET, "m"))
        .await
        .unwrap();
    let part = UploadPartRequest::new(BUCKET, "m", upload.upload_id, 1).body("part");
    shown.debug(&client.upload_part(part).await.unwrap());
    shown.error(
        &client
            .get_object(GetObjectRequest::new(BUCKET, "none"))
            .await
            .unwrap_err(),
    );
    shown.error(&client.get_object(GetObjectRequest::new("no", "a")).await.unwrap_err());
    shown.error(
        &client
            .get_bucket_acl(GetBucketAclRequest::new("another-bucket"))
            .await
            .unwrap_err(),
    );
    let bad = client
        .put_object(PutObjectRequest::new(BUCKET, "b").body("b"))
        .header("x-oss-storage-class", "none");
    shown.error(&bad.await.unwrap_err());
    let put = client.put_object(PutObjectRequest::new(BUCKET, "b").metadata([("k", "v")]));
    let link = put.presign(Duration::from_secs(60)).await.unwrap();
    secrets.add_query(&link.url);
    shown.debug(&link);
    let input = OperationInput::new("GetBucketInfo", http_get())
        .bucket(BUCKET)
        .query_flag("bucketInfo");
    shown.debug(&client.invoke_operation(input).await.unwrap());
    shown.debug(
        &client
            .delete_object(DeleteObjectRequest::new(BUCKET, "a"))
            .await
            .unwrap(),
    );
}

fn http_get() -> oss_sdk::http::Method {
    oss_sdk::http::Method::GET
}

#[tokio::test]
async fn nothing_that_is_shown_or_written_has_a_secret() {
    let fixture = Fixture::start().await;
    let emulator = &fixture.emulator;
    let (secrets, shown) = (Secrets::default(), Shown::default());
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(shown.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let directory = tempfile::tempdir().unwrap();

    let long = Credentials::new(emulator.access_key_id(), emulator.access_key_secret());
    secrets.add(emulator.access_key_secret());
    shown.debug(&long);
    let role = AssumeRoleRequest::new("acs:ram::1234567890123456:role/reader", "suite").duration_seconds(900);
    let sts_config = config(&fixture, long.clone(), &secrets);
    shown.debug(&sts_config);
    let assumed = sts::Client::new(sts_config).unwrap().assume_role(role).await.unwrap();
    shown.debug(&assumed);
    secrets.add(&assumed.credentials.access_key_secret);
    secrets.add(&assumed.credentials.security_token);
    let wrong = Credentials::new(
        assumed.credentials.access_key_id.clone(),
        "this-is-not-the-secret-of-it",
    )
    .with_security_token(assumed.credentials.security_token.clone());
    secrets.add("this-is-not-the-secret-of-it");
    let temporary: Credentials = assumed.credentials.into();
    shown.debug(&temporary);

    for version in [SignatureVersion::V4, SignatureVersion::V1] {
        for credentials in [&long, &temporary] {
            let config = config(&fixture, credentials.clone(), &secrets).signature_version(version);
            shown.debug(&config);
            calls(&Client::new(config).unwrap(), &shown, &secrets, directory.path()).await;
        }
        // The service's answer has the string that it signed, with the token where that is signed.
        let config = config(&fixture, wrong.clone(), &secrets).signature_version(version);
        let client = Client::new(config).unwrap();
        let error = client
            .put_object(PutObjectRequest::new(BUCKET, "w").body("w"))
            .await
            .unwrap_err();
        assert_eq!(error.code(), Some("SignatureDoesNotMatch"));
        shown.error(&error);
        shown.display(&error.field("StringToSign").unwrap_or_default());
        shown.display(&error.field("CanonicalRequest").unwrap_or_default());
    }
    let clients = dynamic::Clients::new(config(&fixture, temporary.clone(), &secrets));
    shown.debug(&clients);
    let called = clients
        .call("oss", "GetBucketAcl", json!({ "bucket": BUCKET }))
        .await
        .unwrap();
    shown.debug(&called);

    // Nobody listens there, and no proxy either.
    for proxy in [None, Some("http://user:the-password-of-the-proxy@127.0.0.1:9")] {
        secrets.add("the-password-of-the-proxy");
        let mut builder = Client::builder()
            .region("cn-hangzhou")
            .endpoint("http://127.0.0.1:9")
            .credentials(temporary.clone())
            .retry_attempts(2);
        if let Some(proxy) = proxy {
            builder = builder.proxy(proxy);
        }
        shown.debug(&builder);
        let client = builder.build().unwrap();
        let error = client.get_object(GetObjectRequest::new(BUCKET, "a")).await.unwrap_err();
        shown.error(&error);
        let link = client
            .get_object(GetObjectRequest::new(BUCKET, "a"))
            .presign(Duration::from_secs(60))
            .await
            .unwrap();
        secrets.add_query(&link.url);
        shown.debug(&link);
    }
    drop(guard);
    shown.file(directory.path());

    let shown = String::from_utf8_lossy(&shown.0.lock().unwrap()).into_owned();
    assert!(
        shown.contains("oss_sdk") && shown.contains("NoSuchKey") && shown.contains("hi oss"),
        "all of it is there"
    );
    let secrets = secrets.0.lock().unwrap();
    assert!(secrets.len() > 40, "{} secrets", secrets.len());
    for secret in secrets.iter() {
        if let Some(at) = shown.find(secret.as_str()) {
            let from = shown.floor_char_boundary(at.saturating_sub(300));
            panic!("{secret} is in …{}", &shown[from..at + secret.len()]);
        }
    }
}
