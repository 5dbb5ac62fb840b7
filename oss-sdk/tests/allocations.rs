//! How often a call asks for memory: a count does not depend on the machine, so it can be kept by a test.

use std::future::IntoFuture as _;
use std::time::Duration;

use futures_util::StreamExt as _;
use http::{HeaderName, HeaderValue, StatusCode};
use oss_sdk::transport::{Transport, TransportBody, TransportFuture, TransportRequest, TransportResponse};
use oss_sdk::{Client, Crc64, Credentials, GetObjectRequest, PutObjectRequest};

/// Reads the payload and answers at once, with the headers that the service sends.
#[derive(Debug)]
struct Instant {
    status: StatusCode,
    document: &'static str,
}

impl Transport for Instant {
    fn send(&self, mut request: TransportRequest) -> TransportFuture<'_> {
        Box::pin(async move {
            let mut checksum = Crc64::new();
            while let Some(Ok(chunk)) = request.body.next().await {
                checksum.update(&chunk);
            }
            let mut answer = TransportResponse::new(self.status, TransportBody::from(self.document));
            for (name, value) in [
                ("server", "AliyunOSS"),
                ("date", "Wed, 16 Jan 2030 05:34:52 GMT"),
                ("x-oss-request-id", "5C06A3B67B8B5A3DA422299D"),
                ("etag", "\"D41D8CD98F00B204E9800998ECF8427E\""),
                ("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg=="),
                ("x-oss-server-time", "4"),
            ] {
                let (name, value) = (HeaderName::from_static(name), HeaderValue::from_static(value));
                answer.headers.insert(name, value);
            }
            let checksum = HeaderValue::from_str(&checksum.value().to_string()).expect("digits");
            answer.headers.insert("x-oss-hash-crc64ecma", checksum);
            Ok(answer)
        })
    }
}

fn client(status: StatusCode, document: &'static str) -> Client {
    let client = Client::builder()
        .region("cn-hangzhou")
        .credentials(Credentials::new(
            "LTAI5tTestAccessKeyId01",
            "TestAccessKeySecret0123456789ab",
        ))
        .transport(Instant { status, document })
        .retry_attempts(1)
        .build();
    client.expect("these settings are good")
}

fn put() -> PutObjectRequest {
    PutObjectRequest::new("examplebucket", "photos/2023/12/cat.jpg")
        .body("hi oss")
        .metadata([("author", "someone")])
        .storage_class("IA")
}

/// Allocations of a call, once what the client keeps is there.
fn allocations(work: impl AsyncFn()) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime needs nothing from outside");
    runtime.block_on(work());
    let counted = allocation_counter::measure(|| runtime.block_on(work()));
    assert_eq!(counted.count_current, 0, "a call leaves nothing behind");
    counted.count_total
}

#[test]
fn an_upload_asks_for_memory_less_than_60_times() {
    let client = client(StatusCode::OK, "");
    let count = allocations(async || {
        let result = client.put_object(put()).into_future().await;
        assert!(result.is_ok(), "{result:?}");
    });
    println!("PutObject: {count} allocations");
    assert!(count < 60, "{count} allocations");
}

#[test]
fn an_error_of_the_service_asks_for_memory_less_than_60_times() {
    let document = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>NoSuchKey</Code><Message>The specified key does not \
                    exist.</Message><RequestId>5C06A3B67B8B5A3DA422299D</RequestId><HostId>examplebucket.oss-cn-hangzhou.aliyuncs.com\
                    </HostId><Key>photos/2023/12/cat.jpg</Key><EC>0026-00000001</EC></Error>";
    let client = client(StatusCode::NOT_FOUND, document);
    let count = allocations(async || {
        let request = GetObjectRequest::new("examplebucket", "photos/2023/12/cat.jpg");
        let result = client.get_object(request).into_future().await;
        assert!(result.is_err_and(|error| error.code() == Some("NoSuchKey")));
    });
    println!("GetObject that fails: {count} allocations");
    assert!(count < 60, "{count} allocations");
}

#[test]
fn a_link_asks_for_memory_less_than_40_times() {
    let client = client(StatusCode::OK, "");
    let count = allocations(async || {
        let request = GetObjectRequest::new("examplebucket", "photos/2023/12/cat.jpg");
        let link = client.get_object(request).presign(Duration::from_secs(600)).await;
        assert!(link.is_ok(), "{link:?}");
    });
    println!("presign: {count} allocations");
    assert!(count < 40, "{count} allocations");
}
