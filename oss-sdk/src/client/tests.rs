//! Settings that are refused when a client is made, and the conveniences.

use std::time::Duration;

use crate::error::ErrorKind;
use crate::fake::{Answer, FakeTransport, Step};
use crate::transport::TransportErrorKind;
use crate::{AddressingStyle, Client, Config, Credentials, GetObjectRequest, SignatureVersion};

fn good() -> Config {
    FakeTransport::new([]).config()
}

#[test]
fn wrong_and_contradicting_settings_are_named() {
    let rows: Vec<(Config, &str)> = vec![
        (Config::new().credentials(Credentials::new("a", "b")), "region"),
        (
            Config::new()
                .endpoint("http://h")
                .credentials(Credentials::new("a", "b")),
            "region",
        ),
        (Config::new().region("cn-hangzhou"), "credentials"),
        (good().region("cn hangzhou"), "region"),
        (good().region("cn-hangzhou").endpoint("ftp://h"), "endpoint"),
        (good().endpoint("http://user:pw@h"), "endpoint"),
        (good().internal(true).accelerate(true), "accelerate"),
        (good().internal(true).endpoint("http://h"), "internal"),
        (good().addressing_style(AddressingStyle::Cname), "addressing_style"),
        (good().cloud_box_id("cb-1"), "cloud_box_id"),
        (good().account_id("12a"), "account_id"),
        (good().attempt_timeout(Duration::ZERO), "attempt_timeout"),
        (good().user_agent("a\r\nb"), "user_agent"),
        (good().default_header("a b", "c"), "default_header"),
        (good().default_header("a", "b\nc"), "default_header"),
        (good().default_header("Authorization", "x"), "default_header"),
        (good().additional_signed_header("a:b"), "additional_signed_header"),
    ];
    for (index, (config, setting)) in rows.into_iter().enumerate() {
        let error = Client::new(config).unwrap_err();
        assert_eq!(
            (error.kind(), error.member()),
            (ErrorKind::Config, Some(setting)),
            "row {index}: {error}"
        );
    }
    let error = Client::new(good().credentials(Credentials::new("id", "5ec4e7 "))).unwrap_err();
    assert_eq!(
        (error.kind(), error.member()),
        (ErrorKind::Credentials, Some("access_key_secret"))
    );
    assert!(!format!("{error} {error:?}").contains("5ec4e7"));
}

#[test]
fn what_is_needed_only_sometimes_is_asked_for_only_then() {
    let v1 = Config::new()
        .endpoint("http://127.0.0.1:1")
        .signature_version(SignatureVersion::V1)
        .transport(FakeTransport::new([]))
        .credentials(Credentials::new("a", "b"));
    assert!(Client::new(v1).is_ok());
    assert!(Client::new(good().endpoint("cb-1.cn-hangzhou.oss-cloudbox.aliyuncs.com")).is_ok());
    assert!(Client::new(good().endpoint("h").addressing_style(AddressingStyle::Cname)).is_ok());
}

#[tokio::test(start_paused = true)]
async fn what_exists_is_told_from_what_cannot_be_seen() {
    let object = |answer: Answer| async move {
        FakeTransport::new([answer.into()])
            .client()
            .object_exists("bucket", "key")
            .await
    };
    assert!(
        object(
            Answer::new(200, "")
                .header("content-length", "0")
                .header("etag", "\"E\"")
        )
        .await
        .unwrap()
    );
    assert!(!object(Answer::error(404, "NoSuchKey")).await.unwrap());
    assert!(!object(Answer::new(404, "")).await.unwrap());
    assert!(object(Answer::error(404, "NoSuchBucket")).await.is_err());
    assert!(object(Answer::error(403, "AccessDenied")).await.is_err());

    let bucket = |step: Step| async move { FakeTransport::new([step]).client().bucket_exists("bucket").await };
    assert!(bucket(Answer::error(403, "AccessDenied").into()).await.unwrap());
    assert!(!bucket(Answer::error(404, "NoSuchBucket").into()).await.unwrap());
    assert!(bucket(Step::Fail(TransportErrorKind::Tls)).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn listings_go_from_page_to_page_and_on_after_an_error() {
    let page = |keys: &str, next: Option<&str>| {
        let next = next.map_or("<IsTruncated>false</IsTruncated>".to_owned(), |next| {
            format!("<IsTruncated>true</IsTruncated><NextContinuationToken>{next}</NextContinuationToken>")
        });
        let contents: String = keys
            .chars()
            .map(|key| {
                format!(
                    "<Contents><Key>{key}%2F</Key><LastModified>2024-01-01T00:00:00.000Z</LastModified><ETag>e</ETag>\
                     <Type>Normal</Type><Size>1</Size><StorageClass>Standard</StorageClass></Contents>"
                )
            })
            .collect();
        let document = format!(
            "<ListBucketResult><Name>bucket</Name><Prefix></Prefix><MaxKeys>2</MaxKeys>\
             <EncodingType>url</EncodingType>{next}{contents}</ListBucketResult>"
        );
        Answer::new(200, document)
    };
    let transport = FakeTransport::new([
        page("ab", Some("t1")).into(),
        Answer::error(403, "AccessDenied").into(),
        page("", Some("t2")).into(),
        page("c", None).into(),
    ]);
    let client = transport.client();
    let mut items = client
        .list_objects_v2(crate::ListObjectsV2Request::new("bucket"))
        .items();
    let mut keys = Vec::new();
    let mut errors = 0;
    loop {
        match items.try_next().await {
            Ok(Some(object)) => keys.push(object.key),
            Ok(None) => break,
            Err(error) => {
                assert_eq!(error.code(), Some("AccessDenied"));
                errors += 1;
            }
        }
    }
    assert_eq!((keys.join(" ").as_str(), errors), ("a/ b/ c/", 1));
    let urls: Vec<_> = transport.sent().into_iter().map(|sent| sent.url).collect();
    assert!(!urls[0].contains("continuation-token"), "{urls:?}");
    assert!(
        urls[1].contains("continuation-token=t1") && urls[2].contains("continuation-token=t1"),
        "{urls:?}"
    );
    assert!(urls[3].contains("continuation-token=t2"), "{urls:?}");
}

#[tokio::test]
async fn an_object_is_downloaded_to_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.txt");
    let transport = FakeTransport::new([Answer::new(200, "hi").header("etag", "\"E\"").into()]);
    let result = transport
        .client()
        .get_object_to_file(GetObjectRequest::new("bucket", "key"), &path)
        .await
        .unwrap();
    assert_eq!(
        (result.status(), std::fs::read_to_string(path).unwrap().as_str()),
        (200, "hi")
    );
}
