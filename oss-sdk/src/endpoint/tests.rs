//! Tables: settings to endpoints, endpoints and targets to addresses.

use super::*;
use crate::ErrorKind;
use crate::service::Protocol;

static OSS: ServiceSpec = ServiceSpec::new("oss", Protocol::RestXml).hosts(&[
    ("public", "oss-{region}.aliyuncs.com"),
    ("internal", "oss-{region}-internal.aliyuncs.com"),
    ("dual_stack", "{region}.oss.aliyuncs.com"),
    ("accelerate", "oss-accelerate.aliyuncs.com"),
    ("accelerate_overseas", "oss-accelerate-overseas.aliyuncs.com"),
]);
static VECTORS: ServiceSpec = ServiceSpec::new("vectors", Protocol::RestJson)
    .hosts(&[("public", "{region}.oss-vectors.aliyuncs.com")])
    .bucket_host(BucketHost::BucketAndAccount)
    .signing(SigningResource::VectorArn);
static TABLES: ServiceSpec = ServiceSpec::new("tables", Protocol::RestJson)
    .hosts(&[("public", "{region}.oss-tables.aliyuncs.com")])
    .signing(SigningResource::TableArn);

fn region(kind: HostKind) -> EndpointOptions<'static> {
    EndpointOptions {
        region: Some("cn-hangzhou"),
        kind,
        ..EndpointOptions::default()
    }
}

fn given(endpoint: &str) -> EndpointOptions<'_> {
    EndpointOptions {
        endpoint: Some(endpoint),
        ..EndpointOptions::default()
    }
}

fn url(service: &ServiceSpec, options: &EndpointOptions<'_>, bucket: Option<&str>, key: Option<&str>) -> String {
    let endpoint = Endpoint::resolve(service, options).unwrap();
    endpoint
        .address(
            service,
            &Target {
                bucket,
                label: None,
                key,
                path: None,
            },
            Some("123"),
        )
        .unwrap()
        .url
}

#[test]
fn a_region_has_hosts_of_several_kinds() {
    let rows = [
        (HostKind::Public, "https://oss-cn-hangzhou.aliyuncs.com"),
        (HostKind::Internal, "https://oss-cn-hangzhou-internal.aliyuncs.com"),
        (HostKind::DualStack, "https://cn-hangzhou.oss.aliyuncs.com"),
        (HostKind::Accelerate, "https://oss-accelerate.aliyuncs.com"),
        (
            HostKind::AccelerateOverseas,
            "https://oss-accelerate-overseas.aliyuncs.com",
        ),
    ];
    for (kind, expected) in rows {
        let mut options = region(kind);
        assert_eq!(Endpoint::resolve(&OSS, &options).unwrap().origin(), expected);
        options.disable_ssl = true;
        assert_eq!(
            Endpoint::resolve(&OSS, &options).unwrap().origin(),
            expected.replace("https", "http")
        );
    }
}

#[test]
fn a_service_with_a_host_for_all_needs_no_region() {
    static STS: ServiceSpec = ServiceSpec::new("sts", Protocol::RpcJson).hosts(&[
        ("central", "sts.aliyuncs.com"),
        ("internal", "sts-vpc.{region}.aliyuncs.com"),
        ("public", "sts.{region}.aliyuncs.com"),
    ]);
    let resolve = |kind, region| {
        let options = EndpointOptions {
            kind,
            region,
            ..EndpointOptions::default()
        };
        Endpoint::resolve(&STS, &options).map(|endpoint| endpoint.origin())
    };
    for region in [None, Some("")] {
        assert_eq!(resolve(HostKind::Public, region).unwrap(), "https://sts.aliyuncs.com");
        assert_eq!(
            resolve(HostKind::Internal, region).unwrap_err().member(),
            Some("region")
        );
    }
    let public = resolve(HostKind::Public, Some("cn-beijing")).unwrap();
    assert_eq!(public, "https://sts.cn-beijing.aliyuncs.com");
}

#[test]
fn the_government_cloud_is_a_region_like_others() {
    let options = EndpointOptions {
        region: Some("cn-north-2-gov-1"),
        ..region(HostKind::Internal)
    };
    let expected = "https://bucket.oss-cn-north-2-gov-1-internal.aliyuncs.com/key";
    assert_eq!(url(&OSS, &options, Some("bucket"), Some("key")), expected);
    let given = given("oss-cn-north-2-gov-1-internal.aliyuncs.com");
    assert_eq!(url(&OSS, &given, Some("bucket"), Some("key")), expected);
}

#[test]
fn a_given_endpoint_wins_and_is_read_leniently() {
    use AddressingStyle::{Path, VirtualHosted};
    let rows = [
        (
            "oss-cn-hangzhou.aliyuncs.com",
            "https://oss-cn-hangzhou.aliyuncs.com",
            VirtualHosted,
        ),
        (
            "HTTP://OSS.Example.com/path?query#x",
            "http://oss.example.com",
            VirtualHosted,
        ),
        ("https://oss.example.com:443", "https://oss.example.com", VirtualHosted),
        (
            "https://oss.example.com:80",
            "https://oss.example.com:80",
            VirtualHosted,
        ),
        ("http://oss.example.com:80/", "http://oss.example.com", VirtualHosted),
        ("oss_private.corp:8443", "https://oss_private.corp:8443", VirtualHosted),
        (
            "oss-cn-north-2-gov-1-internal.aliyuncs.com",
            "https://oss-cn-north-2-gov-1-internal.aliyuncs.com",
            VirtualHosted,
        ),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000", Path),
        ("http://[::1]:9000", "http://[::1]:9000", Path),
        ("https://[2001:DB8::1]", "https://[2001:db8::1]", Path),
        ("localhost:9000", "https://localhost:9000", Path),
        ("http://b.localhost", "http://b.localhost", VirtualHosted),
        (" https://oss.example.com ", "https://oss.example.com", VirtualHosted),
    ];
    for (text, origin, style) in rows {
        let options = EndpointOptions {
            region: Some("not looked at!"),
            ..given(text)
        };
        let endpoint = Endpoint::resolve(&OSS, &options).unwrap();
        assert_eq!((endpoint.origin().as_str(), endpoint.style), (origin, style), "{text}");
    }
    let options = EndpointOptions {
        disable_ssl: true,
        ..given("https://oss.example.com")
    };
    assert_eq!(
        Endpoint::resolve(&OSS, &options).unwrap().origin(),
        "https://oss.example.com"
    );
    let options = EndpointOptions {
        endpoint: Some(""),
        ..region(HostKind::Public)
    };
    assert_eq!(
        Endpoint::resolve(&OSS, &options).unwrap().origin(),
        "https://oss-cn-hangzhou.aliyuncs.com"
    );
}

#[test]
fn nonsense_is_refused_by_the_name_of_the_setting() {
    let rows = [
        (EndpointOptions::default(), "region"),
        (
            EndpointOptions {
                region: Some(""),
                ..Default::default()
            },
            "region",
        ),
        (
            EndpointOptions {
                region: Some("cn hangzhou"),
                ..Default::default()
            },
            "region",
        ),
        (
            EndpointOptions {
                region: Some("cn-hangzhou.evil.com/"),
                ..Default::default()
            },
            "region",
        ),
        (
            EndpointOptions {
                region: Some("CN"),
                ..Default::default()
            },
            "region",
        ),
        (given("ftp://host"), "endpoint"),
        (given("://"), "endpoint"),
        (given("https://"), "endpoint"),
        (given("https://user:password@host"), "endpoint"),
        (given("https://host:port"), "endpoint"),
        (given("https://host:0"), "endpoint"),
        (given("https://host:65536"), "endpoint"),
        (given("https://host:"), "endpoint"),
        (given("https://ho st"), "endpoint"),
        (given("https://host\r\nx: y"), "endpoint"),
        (given("https://-host"), "endpoint"),
        (given("https://a..b"), "endpoint"),
        (given("https://[::1"), "endpoint"),
        (given("https://::1"), "endpoint"),
        (given("https://1.2.3.256"), "endpoint"),
        (given("https://日本.example.com"), "endpoint"),
    ];
    for (options, setting) in rows {
        let error = Endpoint::resolve(&OSS, &options).unwrap_err();
        assert_eq!(
            (error.kind(), error.member()),
            (ErrorKind::Config, Some(setting)),
            "{options:?}"
        );
        assert!(!error.to_string().contains("password@"), "{error}");
    }
    let error = Endpoint::resolve(&VECTORS, &region(HostKind::DualStack)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "setting `dual_stack` does not exist for the service `vectors`"
    );
    let options = EndpointOptions {
        region: Some("cn hangzhou"),
        ..Default::default()
    };
    let error = Endpoint::resolve(&OSS, &options).unwrap_err();
    assert_eq!(
        error.to_string(),
        "setting `region` must consist of `a-z`, `0-9` and `-`, it is `cn hangzhou`"
    );
}

#[test]
fn buckets_and_keys_are_addressed_by_style() {
    let (bucket, key) = (Some("bucket"), Some("k"));
    let host = "https://oss.example.com";
    let styled = |style| EndpointOptions {
        style: Some(style),
        ..given("oss.example.com")
    };
    let rows = [
        (
            given("oss.example.com"),
            bucket,
            key,
            "https://bucket.oss.example.com/k".to_owned(),
        ),
        (
            given("oss.example.com"),
            bucket,
            None,
            "https://bucket.oss.example.com/".to_owned(),
        ),
        (given("oss.example.com"), None, None, format!("{host}/")),
        (styled(AddressingStyle::Path), bucket, key, format!("{host}/bucket/k")),
        (styled(AddressingStyle::Path), bucket, None, format!("{host}/bucket/")),
        (styled(AddressingStyle::Path), None, None, format!("{host}/")),
        (styled(AddressingStyle::Cname), bucket, key, format!("{host}/k")),
        (styled(AddressingStyle::Cname), bucket, None, format!("{host}/")),
        (
            EndpointOptions {
                style: Some(AddressingStyle::Cname),
                ..given("http://10.0.0.1")
            },
            bucket,
            key,
            "http://10.0.0.1/bucket/k".to_owned(),
        ),
        (
            EndpointOptions {
                style: Some(AddressingStyle::VirtualHosted),
                ..given("http://localhost:9000")
            },
            bucket,
            key,
            "http://bucket.localhost:9000/k".to_owned(),
        ),
    ];
    for (options, bucket, key, expected) in rows {
        assert_eq!(url(&OSS, &options, bucket, key), expected, "{options:?}");
    }
}

#[test]
fn keys_are_encoded_and_not_normalised() {
    let rows = [
        ("/a//b/", "//a//b/"),
        ("a/../b/./c", "/a/../b/./c"),
        ("a b+c%?#&=*~", "/a%20b%2Bc%25%3F%23%26%3D%2A~"),
        ("日", "/%E6%97%A5"),
        ("\u{1}\n", "/%01%0A"),
    ];
    for (key, path) in rows {
        let found = url(&OSS, &given("host.com"), Some("bucket"), Some(key));
        assert_eq!(found, format!("https://bucket.host.com{path}"));
    }
    let endpoint = Endpoint::resolve(&TABLES, &region(HostKind::Public)).unwrap();
    let arn = "acs:osstables:cn-hangzhou:123456:bucket/demo-bucket";
    let target = Target {
        bucket: Some(arn),
        path: Some("namespaces/acs%3Aosstables"),
        ..Target::default()
    };
    assert_eq!(
        endpoint.address(&TABLES, &target, None).unwrap(),
        Address {
            url: "https://demo-bucket-123456.cn-hangzhou.oss-tables.aliyuncs.com/namespaces/acs%3Aosstables".to_owned(),
            host: "demo-bucket-123456.cn-hangzhou.oss-tables.aliyuncs.com".to_owned(),
        }
    );
}

#[test]
fn hosts_with_the_account_need_it() {
    let options = region(HostKind::Public);
    let expected = "https://bucket-123.cn-hangzhou.oss-vectors.aliyuncs.com/";
    assert_eq!(url(&VECTORS, &options, Some("bucket"), None), expected);
    assert_eq!(
        url(&VECTORS, &options, None, None),
        "https://cn-hangzhou.oss-vectors.aliyuncs.com/"
    );
    let endpoint = Endpoint::resolve(&VECTORS, &options).unwrap();
    let target = Target {
        bucket: Some("bucket"),
        ..Target::default()
    };
    let error = endpoint.address(&VECTORS, &target, None).unwrap_err();
    assert_eq!((error.kind(), error.member()), (ErrorKind::Config, Some("account_id")));
    let long = "b".repeat(63);
    let target = Target {
        bucket: Some(&long),
        ..Target::default()
    };
    let error = endpoint.address(&VECTORS, &target, Some("123")).unwrap_err();
    assert_eq!(
        (error.kind(), error.member()),
        (ErrorKind::InvalidInput, Some("bucket"))
    );
    for label in [&"l".repeat(64), "a-label"] {
        let target = Target {
            bucket: Some("bucket"),
            label: Some(label),
            ..Target::default()
        };
        let address = Endpoint::resolve(&OSS, &given("host.com"))
            .unwrap()
            .address(&OSS, &target, None);
        match label.len() {
            64 => assert_eq!(address.unwrap_err().member(), Some("bucket")),
            _ => assert_eq!(address.unwrap().host, "a-label.host.com"),
        }
    }
}

#[test]
fn table_buckets_are_arns_with_an_account() {
    let arn = "acs:osstables:cn-hangzhou:123456:bucket/demo-bucket";
    assert_eq!(table_bucket(arn), Ok(("123456", "demo-bucket")));
    let rows = [
        ("", "an ARN such as"),
        ("bucket", "an ARN such as"),
        ("acs:oss:cn-hangzhou:1:bucket/abc", "an ARN such as"),
        ("acs:osstables:cn-hangzhou:1", "an ARN such as"),
        ("acs:osstables::1:bucket/abc", "region"),
        ("acs:osstables:a/b:1:bucket/abc", "region"),
        ("acs:osstables:r::bucket/abc", "account"),
        ("acs:osstables:r:me:bucket/abc", "account"),
        ("acs:osstables:r:1:table/abc", "table bucket"),
        ("acs:osstables:r:1:bucket", "table bucket"),
        ("acs:osstables:r:1:bucket/", "name of a bucket"),
        ("acs:osstables:r:1:bucket/abc/table/t", "name of a bucket"),
        ("acs:osstables:r:1:bucket/abc:1", "name of a bucket"),
        ("acs:osstables:r:1:bucket/a.b", "name of a bucket"),
        ("acs:osstables:r:1:bucket/-abc", "name of a bucket"),
        ("acs:osstables:r:1:bucket/日本語", "name of a bucket"),
    ];
    for (arn, expected) in rows {
        let rule = table_bucket(arn).unwrap_err();
        assert!(rule.contains(expected), "{arn}: {rule}");
    }
    // The label is the name and the account.
    let endpoint = Endpoint::resolve(&TABLES, &region(HostKind::Public)).unwrap();
    let long = format!("acs:osstables:r:1234567890123456:bucket/{}", "b".repeat(47));
    for (arn, is_valid) in [(long.as_str(), false), (&long.replacen('b', "", 1), false), (arn, true)] {
        let target = Target {
            bucket: Some(arn),
            ..Target::default()
        };
        assert_eq!(endpoint.address(&TABLES, &target, None).is_ok(), is_valid, "{arn}");
    }
}

#[test]
fn table_buckets_stand_in_no_path() {
    let target = Target {
        bucket: Some("acs:osstables:cn-hangzhou:123456:bucket/demo-bucket"),
        path: Some("namespaces/acs%3Aosstables/..%2F."),
        ..Target::default()
    };
    for (options, expected) in [
        (
            given("127.0.0.1:9000"),
            "https://127.0.0.1:9000/namespaces/acs%3Aosstables/..%2F.",
        ),
        (
            EndpointOptions {
                style: Some(AddressingStyle::Path),
                ..given("host.com")
            },
            "https://host.com/namespaces/acs%3Aosstables/..%2F.",
        ),
    ] {
        let endpoint = Endpoint::resolve(&TABLES, &options).unwrap();
        assert_eq!(endpoint.address(&TABLES, &target, None).unwrap().url, expected);
    }
}

#[test]
fn cloud_boxes_are_recognised_by_their_host() {
    let rows = [
        ("cb-123.cn-hangzhou.oss-cloudbox.aliyuncs.com", Some("cb-123")),
        (
            "https://cb-123.cn-hangzhou.oss-cloudbox-control.aliyuncs.com:8443",
            Some("cb-123"),
        ),
        ("cb-123.cn-hangzhou.oss.aliyuncs.com", None),
        ("x.cb-123.cn-hangzhou.oss-cloudbox.aliyuncs.com", None),
        ("box-123.cn-hangzhou.oss-cloudbox.aliyuncs.com", None),
        ("oss-cloudbox.aliyuncs.com", None),
    ];
    for (text, expected) in rows {
        assert_eq!(
            Endpoint::resolve(&OSS, &given(text)).unwrap().cloud_box_id(),
            expected,
            "{text}"
        );
    }
}

#[test]
fn another_endpoint_keeps_the_settings() {
    let options = EndpointOptions {
        style: Some(AddressingStyle::Path),
        disable_ssl: true,
        ..given("127.0.0.1")
    };
    let other = Endpoint::resolve(&OSS, &options)
        .unwrap()
        .replaced("oss.example.com")
        .unwrap();
    assert_eq!(
        (other.origin().as_str(), other.style),
        ("http://oss.example.com", AddressingStyle::Path)
    );
    assert!(other.replaced("ftp://x").is_err());
}

#[test]
fn account_ids_are_digits() {
    for (id, is_valid) in [("1234567890123456", true), ("", false), ("12a", false), ("1 ", false)] {
        assert_eq!(account_id_rule(id).is_none(), is_valid, "{id}");
    }
}
