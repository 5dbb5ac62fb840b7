//! Signing: alone, as for each attempt; with all that a call does besides, over a transport that answers at once; and as
//! the whole way from a request to a presigned URL.

use std::future::IntoFuture;
use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use futures_util::StreamExt as _;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use oss_sdk::credentials::Credentials;
use oss_sdk::service::{Protocol, ServiceSpec};
use oss_sdk::signer::{Placement, Signer, SignerV1, SignerV4, SigningRequest};
use oss_sdk::transport::{Transport, TransportBody, TransportFuture, TransportRequest, TransportResponse};
use oss_sdk::{Client, Crc64, GetObjectRequest, PutObjectRequest, Timestamp};

static OSS: ServiceSpec = ServiceSpec::new("oss", Protocol::RestXml).subresources(&["acl", "cors"]);

fn credentials() -> Credentials {
    Credentials::new("LTAI5tTestAccessKeyId01", "TestAccessKeySecret0123456789ab")
}

fn signing(c: &mut Criterion) {
    let credentials = credentials();
    let time = Timestamp::UNIX_EPOCH.saturating_add(Duration::from_secs(1_702_830_057));
    let none = HeaderMap::new();
    let mut some = HeaderMap::new();
    some.insert("content-type", HeaderValue::from_static("text/plain"));
    some.insert("x-oss-meta-author", HeaderValue::from_static("someone"));
    some.insert("x-oss-storage-class", HeaderValue::from_static("IA"));
    some.insert("user-agent", HeaderValue::from_static("bench"));

    let mut get = SigningRequest::new(&Method::GET, &OSS, &none, time);
    get.bucket = Some("examplebucket");
    get.key = Some("photos/2023/12/cat.jpg");
    get.region = "cn-hangzhou";
    get.host = "examplebucket.oss-cn-hangzhou.aliyuncs.com";
    let mut presigned = get.clone();
    presigned.placement = Placement::Query {
        expires: Duration::from_secs(600),
    };
    let mut put = get.clone();
    put.method = &Method::PUT;
    put.headers = &some;

    let v4 = SignerV4::new();
    let mut group = c.benchmark_group("sign");
    for (name, request) in [
        ("GET", &get),
        ("PUT with 4 headers", &put),
        ("presigned GET", &presigned),
    ] {
        group.bench_function(format!("V4 {name}"), |b| {
            b.iter(|| v4.sign(black_box(request), &credentials))
        });
        group.bench_function(format!("V1 {name}"), |b| {
            b.iter(|| SignerV1.sign(black_box(request), &credentials))
        });
    }
    group.finish();
}

/// Reads the payload and answers at once, as the service answers a PutObject.
#[derive(Debug)]
struct Instant;

impl Transport for Instant {
    fn send(&self, mut request: TransportRequest) -> TransportFuture<'_> {
        Box::pin(async move {
            let mut checksum = Crc64::new();
            while let Some(Ok(chunk)) = request.body.next().await {
                checksum.update(&chunk);
            }
            let mut answer = TransportResponse::new(StatusCode::OK, TransportBody::empty());
            for (name, value) in [
                ("server", "AliyunOSS"),
                ("date", "Wed, 16 Jan 2030 05:34:52 GMT"),
                ("x-oss-request-id", "5C06A3B67B8B5A3DA422299D"),
                ("etag", "\"D41D8CD98F00B204E9800998ECF8427E\""),
                ("x-oss-server-time", "4"),
            ] {
                let (name, value) = (HeaderName::from_static(name), HeaderValue::from_static(value));
                answer.headers.insert(name, value);
            }
            let checksum = HeaderValue::from(checksum.value());
            answer.headers.insert("x-oss-hash-crc64ecma", checksum);
            Ok(answer)
        })
    }
}

/// Answers at once that there is no such object.
#[derive(Debug)]
struct Missing;

impl Transport for Missing {
    fn send(&self, request: TransportRequest) -> TransportFuture<'_> {
        black_box(request);
        let document = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>NoSuchKey</Code><Message>The specified key does not \
                        exist.</Message><RequestId>5C06A3B67B8B5A3DA422299D</RequestId><EC>0026-00000001</EC></Error>";
        Box::pin(async move {
            Ok(TransportResponse::new(
                StatusCode::NOT_FOUND,
                TransportBody::from(document),
            ))
        })
    }
}

fn client_over(transport: impl Transport) -> Client {
    let client = Client::builder()
        .region("cn-hangzhou")
        .credentials(credentials())
        .transport(transport)
        .build();
    client.expect("a client needs nothing from outside")
}

/// Encoding, signing, classifying and decoding of whole calls.
fn calls(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime needs nothing from outside");
    let mut group = c.benchmark_group("encode and sign");
    let client = client_over(Missing);
    group.bench_function("GetObject that fails", |b| {
        b.iter(|| {
            let request = GetObjectRequest::new("examplebucket", "photos/2023/12/cat.jpg");
            let result = runtime.block_on(client.get_object(black_box(request)).into_future());
            assert!(black_box(result).is_err());
        })
    });
    let client = client_over(Instant);
    group.bench_function("GetObject", |b| {
        b.iter(|| {
            let request = GetObjectRequest::new("examplebucket", "photos/2023/12/cat.jpg");
            let result = runtime.block_on(client.get_object(black_box(request)).into_future());
            assert!(black_box(result).is_ok());
        })
    });
    group.bench_function("PutObject", |b| {
        b.iter(|| {
            let request = PutObjectRequest::new("examplebucket", "photos/2023/12/cat.jpg")
                .body("hi oss")
                .metadata([("author", "someone")])
                .storage_class("IA");
            let result = runtime.block_on(client.put_object(black_box(request)).into_future());
            assert!(black_box(result).is_ok());
        })
    });
    group.finish();
}

fn presigning(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let client = Client::builder()
        .region("cn-hangzhou")
        .credentials(credentials())
        .build();
    let (Ok(runtime), Ok(client)) = (runtime, client) else {
        panic!("neither a runtime nor a client needs anything from outside");
    };
    c.bench_function("presign/V4 GetObject, request to URL", |b| {
        b.iter_custom(|iterations| {
            runtime.block_on(async {
                let start = criterion::measurement::Measurement::start(&criterion::measurement::WallTime);
                for _ in 0..iterations {
                    let request = GetObjectRequest::new("examplebucket", "photos/2023/12/cat.jpg");
                    let presigned = client
                        .get_object(black_box(request))
                        .presign(Duration::from_secs(600))
                        .await;
                    assert!(black_box(presigned).is_ok());
                }
                criterion::measurement::Measurement::end(&criterion::measurement::WallTime, start)
            })
        });
    });
}

criterion_group!(benches, signing, calls, presigning);
criterion_main!(benches);
