//! What an error says of a signature that the service did not accept, for each thing that can be wrong.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use oss_sdk::sts::AssumeRoleRequest;
use oss_sdk::transport::{ReqwestTransport, Transport, TransportFuture, TransportOptions, TransportRequest};
use oss_sdk::{
    AddressingStyle, Client, ClientBuilder, Config, Credentials, Error, GetObjectRequest, HeadObjectRequest,
    ListObjectsV2Request, PutObjectRequest, SignatureCause, SignatureVersion, sts,
};
use oss_suite::fixture::{BUCKET, Fixture, builder};

const VERSIONS: [SignatureVersion; 2] = [SignatureVersion::V4, SignatureVersion::V1];

/// A proxy on the way that changes requests.
#[derive(Debug)]
struct Meddling {
    inner: ReqwestTransport,
    change: fn(&mut TransportRequest),
}

impl Transport for Meddling {
    fn send(&self, mut request: TransportRequest) -> TransportFuture<'_> {
        (self.change)(&mut request);
        self.inner.send(request)
    }
}

fn through(builder: ClientBuilder<Client>, change: fn(&mut TransportRequest)) -> Client {
    let inner = ReqwestTransport::new(TransportOptions::default()).unwrap();
    builder.transport(Meddling { inner, change }).build().unwrap()
}

fn cause(error: &Error) -> &SignatureCause {
    let mismatch = error.signature_mismatch();
    &mismatch
        .unwrap_or_else(|| panic!("{error} {:?}", error.field("StringToSign")))
        .likely_cause
}

fn put() -> PutObjectRequest {
    PutObjectRequest::new(BUCKET, "a key")
        .content_type("text/plain")
        .body("x")
}

#[tokio::test]
async fn a_wrong_secret_is_told_by_equal_texts() {
    let fixture = Fixture::start().await;
    for version in VERSIONS {
        let credentials = Credentials::new(fixture.emulator.access_key_id(), "another5ec4e7");
        let client = builder(&fixture.emulator)
            .credentials(credentials)
            .signature_version(version)
            .build()
            .unwrap();
        let error = client.put_object(put()).await.unwrap_err();
        assert_eq!(error.code(), Some("SignatureDoesNotMatch"));
        assert_eq!(cause(&error), &SignatureCause::Secret, "{error}");
        let mismatch = error.signature_mismatch().unwrap();
        assert_eq!(mismatch.difference, None);
        let service = mismatch.service.as_ref().unwrap();
        assert_eq!(mismatch.client.string_to_sign, service.string_to_sign);
        assert!(service.string_to_sign.contains(if version == SignatureVersion::V4 {
            "OSS4-HMAC-SHA256"
        } else {
            "/suite/a key"
        }));
        assert!(
            error.to_string().contains("likely cause: the secret is not that of"),
            "{error}"
        );
        // The document of a HEAD answer stands in a header.
        let error = client
            .head_object(HeadObjectRequest::new(BUCKET, "a key"))
            .await
            .unwrap_err();
        assert_eq!(cause(&error), &SignatureCause::Secret, "{error}");
    }
}

#[tokio::test]
async fn a_header_that_a_proxy_changed_is_named() {
    let fixture = Fixture::start().await;
    for version in VERSIONS {
        let start = || builder(&fixture.emulator).signature_version(version);
        let client = through(start(), |request| {
            request.headers.insert("content-type", "text/html".parse().unwrap());
        });
        let error = client.put_object(put()).await.unwrap_err();
        assert_eq!(
            cause(&error),
            &SignatureCause::Header("content-type".to_owned()),
            "{error}"
        );
        let difference = error.signature_mismatch().unwrap().difference.clone().unwrap();
        assert!(difference.client.ends_with("text/plain"), "{difference}");
        assert!(difference.service.ends_with("text/html"), "{difference}");
        assert!(error.to_string().contains("first difference in line"), "{error}");

        let client = through(start(), |request| {
            request.headers.remove("x-oss-meta-a");
        });
        let error = client.put_object(put().metadata([("a", "b")])).await.unwrap_err();
        assert_eq!(
            cause(&error),
            &SignatureCause::Header("x-oss-meta-a".to_owned()),
            "{error}"
        );
        let client = through(start(), |request| {
            request.headers.insert("x-oss-traffic-tag", "proxy".parse().unwrap());
        });
        let error = client.put_object(put()).await.unwrap_err();
        assert_eq!(
            cause(&error),
            &SignatureCause::Header("x-oss-traffic-tag".to_owned()),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_changed_query_path_or_method_is_named() {
    let fixture = Fixture::start().await;
    let client = through(builder(&fixture.emulator), |request| {
        request.url = request.url.replace("prefix=a", "prefix=b");
    });
    let call = client.list_objects_v2(ListObjectsV2Request::new(BUCKET).prefix("a"));
    let error = call.await.unwrap_err();
    assert_eq!(cause(&error), &SignatureCause::Query("prefix".to_owned()), "{error}");

    for version in VERSIONS {
        let start = || builder(&fixture.emulator).signature_version(version);
        let client = through(start(), |request| request.url = request.url.replace("a%20key", "a"));
        let error = client.put_object(put()).await.unwrap_err();
        assert_eq!(cause(&error), &SignatureCause::Path, "{error}");
        let client = through(start(), |request| request.method = "GET".parse().unwrap());
        let error = client
            .head_object(HeadObjectRequest::new(BUCKET, "k"))
            .await
            .unwrap_err();
        assert_eq!(cause(&error), &SignatureCause::Method, "{error}");
    }
}

#[tokio::test]
async fn a_wrong_region_is_told_from_a_wrong_signature() {
    let fixture = Fixture::start().await;
    let client = builder(&fixture.emulator).region("cn-shanghai").build().unwrap();
    let error = client.put_object(put()).await.unwrap_err();
    assert_eq!(cause(&error), &SignatureCause::Region, "{error}");
    assert!(
        error
            .to_string()
            .contains("likely cause: the region is not that of the endpoint"),
        "{error}"
    );
    let signed = &error.signature_mismatch().unwrap().client.string_to_sign;
    assert!(signed.contains("/cn-shanghai/oss/aliyun_v4_request"), "{signed}");
}

#[tokio::test]
async fn a_wrong_clock_is_measured() {
    let fixture = Fixture::start().await;
    for (offset, text) in [(1200, "s behind the service's"), (-1200, "s ahead of the service's")] {
        let client = builder(&fixture.emulator)
            .disable_clock_skew_correction(true)
            .build()
            .unwrap();
        fixture.emulator.clock().set_offset(offset);
        let error = client.put_object(put()).await.unwrap_err();
        let SignatureCause::Clock(Some(ahead)) = cause(&error) else {
            panic!("{error}");
        };
        assert!((ahead - offset).abs() < 60, "{ahead}");
        assert!(error.to_string().contains(text), "{error}");
    }
}

#[tokio::test]
async fn a_domain_that_is_taken_for_an_endpoint_is_recognised() {
    let fixture = Fixture::start().await;
    fixture.emulator.bind_cname("img.example.com", BUCKET);
    fn at_the_domain(request: &mut TransportRequest) {
        request.headers.insert("host", "img.example.com".parse().unwrap());
    }
    for version in VERSIONS {
        let start = || builder(&fixture.emulator).signature_version(version);
        let client = through(start().addressing_style(AddressingStyle::Path), at_the_domain);
        let error = client
            .get_object(GetObjectRequest::new(BUCKET, "key"))
            .await
            .unwrap_err();
        assert_eq!(cause(&error), &SignatureCause::Cname(BUCKET.to_owned()), "{error}");
        assert!(error.to_string().contains("bound to the bucket `suite`"), "{error}");
    }
}

#[tokio::test]
async fn no_token_is_repeated() {
    let fixture = Fixture::start().await;
    let emulator = &fixture.emulator;
    let config = Config::new()
        .region(emulator.region())
        .endpoint(emulator.endpoint())
        .credentials(Credentials::new(emulator.access_key_id(), emulator.access_key_secret()));
    let role = AssumeRoleRequest::new("acs:ram::1234567890123456:role/reader", "suite");
    let assumed = sts::Client::new(config)
        .unwrap()
        .assume_role(role)
        .await
        .unwrap()
        .credentials;
    for version in VERSIONS {
        let credentials = Credentials::new(&assumed.access_key_id, "another5ec4e7")
            .with_security_token(assumed.security_token.as_str());
        let client = builder(emulator)
            .credentials(credentials)
            .signature_version(version)
            .build()
            .unwrap();
        let error = client.put_object(put()).await.unwrap_err();
        assert_eq!(cause(&error), &SignatureCause::Secret, "{error}");
        let mismatch = error.signature_mismatch().unwrap();
        let fields = [
            "StringToSign",
            "StringToSignBytes",
            "CanonicalRequest",
            "SignatureProvided",
        ];
        let fields = fields.map(|name| error.field(name).unwrap_or_default().to_owned());
        let shown = format!("{error} {error:?} {mismatch:?} {fields:?}");
        assert!(!shown.contains(&assumed.security_token), "{shown}");
        assert!(shown.contains("x-oss-security-token:[redacted]"), "{shown}");
        let hex: Vec<_> = assumed
            .security_token
            .bytes()
            .take(8)
            .map(|byte| format!("{byte:02X}"))
            .collect();
        assert!(!shown.contains(&hex.join(" ")), "{shown}");
    }
}
