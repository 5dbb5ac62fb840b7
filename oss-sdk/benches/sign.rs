//! Signatures, as the signer makes them for each attempt and each presigned URL.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use http::{HeaderMap, HeaderValue, Method};
use oss_sdk::Timestamp;
use oss_sdk::credentials::Credentials;
use oss_sdk::service::{Protocol, ServiceSpec};
use oss_sdk::signer::{Placement, Signer, SignerV1, SignerV4, SigningRequest};

static OSS: ServiceSpec = ServiceSpec::new("oss", Protocol::RestXml).subresources(&["acl", "cors"]);

fn signing(c: &mut Criterion) {
    let credentials = Credentials::new("LTAI5tTestAccessKeyId01", "TestAccessKeySecret0123456789ab");
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
    presigned.placement = Placement::Query { expires: Duration::from_secs(600) };
    let mut put = get.clone();
    put.method = &Method::PUT;
    put.headers = &some;

    let v4 = SignerV4::new();
    let mut group = c.benchmark_group("sign");
    for (name, request) in [("GET", &get), ("PUT with 4 headers", &put), ("presigned GET", &presigned)] {
        group.bench_function(format!("V4 {name}"), |b| b.iter(|| v4.sign(black_box(request), &credentials)));
        group.bench_function(format!("V1 {name}"), |b| b.iter(|| SignerV1.sign(black_box(request), &credentials)));
    }
    group.finish();
}

criterion_group!(benches, signing);
criterion_main!(benches);
