//! Rules of signing that the vectors do not cover. The vectors themselves are in `tests/vectors.rs`.

use http::HeaderMap;

use super::*;

static OSS: ServiceSpec = ServiceSpec::new("oss", Protocol::RestXml).subresources(&["acl", "cors"]);
static STS: ServiceSpec = ServiceSpec::new("sts", Protocol::RpcJson).signing(SigningResource::Acs3);

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        map.append(*name, value.parse().unwrap());
    }
    map
}

fn request(headers: &HeaderMap) -> SigningRequest<'_> {
    let mut request = SigningRequest::new(
        &Method::GET,
        &OSS,
        headers,
        Timestamp::from_unix(1_702_830_057).unwrap(),
    );
    request.bucket = Some("bucket");
    request.region = "cn-hangzhou";
    request
}

fn keys() -> Credentials {
    Credentials::new("id", "5ec4e7").with_security_token("t0ken")
}

fn canonical(request: &SigningRequest<'_>) -> String {
    String::from_utf8(SignerV4::new().sign(request, &keys()).unwrap().canonical_request).unwrap()
}

#[test]
fn several_values_of_a_header_are_joined() {
    let map = headers(&[("x-oss-meta-a", " 1 "), ("x-oss-b", "0"), ("x-oss-meta-a", "2")]);
    let text = canonical(&request(&map));
    assert!(
        text.contains("\nx-oss-meta-a:1,2\nx-oss-security-token:t0ken\n"),
        "{text}"
    );
}

#[test]
fn a_time_and_a_payload_hash_of_the_caller_are_kept() {
    let map = headers(&[("x-oss-date", "20200101T000000Z"), ("x-oss-content-sha256", "abc")]);
    let signature = SignerV4::new().sign(&request(&map), &keys()).unwrap();
    let text = String::from_utf8(signature.canonical_request).unwrap();
    assert!(
        text.contains("\nx-oss-date:20200101T000000Z\n") && text.ends_with("\nabc"),
        "{text}"
    );
    assert!(signature.headers.iter().all(|(name, _)| name != "x-oss-content-sha256"));
    let date = signature.headers.iter().find(|(name, _)| name == "date").unwrap();
    assert_eq!(date.1, "Wed, 01 Jan 2020 00:00:00 GMT");
    let map = headers(&[("x-oss-date", "Wed, 01 Jan 2020 00:00:00 GMT")]);
    let text = String::from_utf8(SignerV1.sign(&request(&map), &keys()).unwrap().string_to_sign).unwrap();
    assert!(
        text.starts_with("GET\n\n\nWed, 01 Jan 2020 00:00:00 GMT\nx-oss-date:"),
        "{text}"
    );
}

#[test]
fn a_token_of_the_last_attempt_is_replaced() {
    let map = headers(&[("x-oss-security-token", "old"), ("x-oss-date", "20200101T000000Z")]);
    for signer in [&SignerV4::new() as &dyn Signer, &SignerV1] {
        let signature = signer.sign(&request(&map), &keys()).unwrap();
        let text = [signature.canonical_request, signature.string_to_sign].concat();
        let text = String::from_utf8(text).unwrap();
        assert!(
            text.contains("x-oss-security-token:t0ken\n") && !text.contains("old"),
            "{text}"
        );
    }
}

#[test]
fn the_host_can_be_signed_although_the_transport_sets_it() {
    let map = HeaderMap::new();
    let mut request = request(&map);
    let additional = [
        HeaderName::from_static("host"),
        HeaderName::from_static("range"),
        http::header::HOST,
    ];
    request.additional_headers = &additional;
    request.host = "bucket.host:8080";
    let text = canonical(&request);
    assert!(
        text.contains("\nhost:bucket.host:8080\n") && text.ends_with("\n\nhost\nUNSIGNED-PAYLOAD"),
        "{text}"
    );
    request.placement = Placement::Query {
        expires: Duration::from_secs(60),
    };
    let signature = SignerV4::new().sign(&request, &keys()).unwrap();
    assert_eq!(signature.signed_headers, ["host"]);
    assert!(
        signature.query.contains("&x-oss-additional-headers=host&"),
        "{}",
        signature.query
    );
}

#[test]
fn every_x_oss_parameter_is_signed_by_v1() {
    let map = HeaderMap::new();
    let mut request = request(&map);
    request.query = "x-oss-process=image%2Fresize&prefix=a&cors&extra=1&acl=&x-oss-traffic-limit=819200";
    request.subresources = &["extra"];
    let text = String::from_utf8(SignerV1.sign(&request, &keys()).unwrap().string_to_sign).unwrap();
    let resource = "/bucket/?acl&cors&extra=1&x-oss-process=image/resize&x-oss-traffic-limit=819200";
    assert_eq!(text.lines().last(), Some(resource));
}

#[test]
fn what_cannot_be_signed_is_refused_by_name() {
    let map = HeaderMap::new();
    let base = request(&map);
    let query = |seconds| Placement::Query {
        expires: Duration::from_secs(seconds),
    };
    let v4 = SignerV4::new();
    let rows: [(&dyn Signer, SigningRequest<'_>, &str); 8] = [
        (
            &v4,
            SigningRequest {
                region: "",
                ..base.clone()
            },
            "`region` is required by signature V4",
        ),
        (
            &v4,
            SigningRequest {
                placement: query(604_801),
                ..base.clone()
            },
            "`expires` must be from 1 second to 604800 seconds (seven days), it is 604801",
        ),
        (
            &v4,
            SigningRequest {
                placement: query(0),
                ..base.clone()
            },
            "`expires` must be from 1 second to 604800 seconds (seven days), it is 0",
        ),
        (
            &v4,
            SigningRequest {
                placement: query(1),
                query: "a&x-oss-signature=1",
                ..base.clone()
            },
            "`query` has the parameter `x-oss-signature`, which signing adds",
        ),
        (
            &SignerV1,
            SigningRequest {
                placement: query(0),
                ..base.clone()
            },
            "`expires` must be at least 1 second, it is 0",
        ),
        (
            &SignerV1,
            SigningRequest {
                placement: query(1),
                query: "Expires=1",
                ..base.clone()
            },
            "`query` has the parameter `Expires`, which signing adds",
        ),
        (
            &SignerV1,
            SigningRequest {
                service: &STS,
                ..base.clone()
            },
            "`signature_version` must be V4: the service `sts` knows no other",
        ),
        (
            &SignerAcs3,
            SigningRequest {
                placement: query(1),
                ..base.clone()
            },
            "`expires` has no meaning: RPC operations cannot be presigned",
        ),
    ];
    for (signer, request, expected) in rows {
        assert_eq!(signer.sign(&request, &keys()).unwrap_err().to_string(), expected);
    }
    let error = Error::from(v4.sign(&SigningRequest { region: "", ..base }, &keys()).unwrap_err());
    assert_eq!((error.kind(), error.member()), (ErrorKind::Config, Some("region")));
}

#[test]
fn the_figure_of_the_openapi_library_is_reproduced() {
    let map = headers(&[
        ("content-type", "application/x-www-form-urlencoded"),
        ("x-acs-action", "AssumeRole"),
        ("x-acs-version", "2015-04-01"),
        ("user-agent", "not signed"),
    ]);
    let time = Timestamp::parse_iso8601("2026-01-01T00:00:00Z").unwrap();
    let mut request = SigningRequest::new(&Method::POST, &STS, &map, time);
    request.host = "sts.cn-hangzhou.aliyuncs.com";
    request.nonce = "nonce-1";
    request.body = b"RoleArn=acs%3Aram%3A%3A123456789012%3Arole%2Fdemo&RoleSessionName=demo";
    let signature = SignerAcs3
        .sign(&request, &Credentials::new("testid", "testsecret"))
        .unwrap();
    let authorization = &signature
        .headers
        .iter()
        .find(|(name, _)| name == "authorization")
        .unwrap()
        .1;
    assert_eq!(
        authorization,
        "ACS3-HMAC-SHA256 Credential=testid,SignedHeaders=content-type;host;x-acs-action;x-acs-content-sha256;\
         x-acs-date;x-acs-signature-nonce;x-acs-version,\
         Signature=15ea84aee7b36518a63d0ead7cde9f1a36748e528bc24f17c6ab59d296f47b8f"
    );
}

#[test]
fn nothing_secret_is_shown() {
    let map = HeaderMap::new();
    for signer in [&SignerV4::new() as &dyn Signer, &SignerV1, &SignerAcs3] {
        let signature = signer.sign(&request(&map), &keys()).unwrap();
        let shown = format!("{signature:?} {signer:?} {:?}", signature.headers);
        assert!(!shown.contains("t0ken") && !shown.contains("5ec4e7"), "{shown}");
        let authorization = &signature.headers.last().unwrap();
        assert!(authorization.1.is_sensitive(), "{authorization:?}");
    }
}
