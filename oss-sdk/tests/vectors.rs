//! Figures that other programs computed; `data/README.md` says which.

#![expect(
    clippy::unwrap_used,
    reason = "clippy allows it in test functions only, not in what they share"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use oss_sdk::credentials::Credentials;
use oss_sdk::post_policy::{Condition, PostPolicy};
use oss_sdk::service::{Protocol, ServiceSpec, SigningResource};
use oss_sdk::signer::{Placement, Signature, Signer, SignerV1, SignerV4, SigningRequest};
use oss_sdk::{Client, Crc64, FixedClock, SignatureVersion, Timestamp};
use serde_json::Value;

const SUBRESOURCES: &[&str] = &[
    "acl",
    "continuation-token",
    "partNumber",
    "response-content-disposition",
    "response-content-type",
    "uploadId",
    "uploads",
    "versionId",
];

static OSS: ServiceSpec = ServiceSpec::new("oss", Protocol::RestXml).subresources(SUBRESOURCES);
static VECTORS: ServiceSpec = ServiceSpec::new("vectors", Protocol::RestJson).signing(SigningResource::VectorArn);
static TABLES: ServiceSpec = ServiceSpec::new("tables", Protocol::RestJson).signing(SigningResource::TableArn);

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn text<'a>(case: &'a Value, name: &str) -> Option<&'a str> {
    case[name].as_str()
}

fn list<'a>(case: &'a Value, name: &str) -> Vec<&'a str> {
    case[name]
        .as_array()
        .map(|items| items.iter().map(|item| item.as_str().unwrap()).collect())
        .unwrap_or_default()
}

fn sign(case: &Value) -> Signature {
    let method: Method = text(case, "method").unwrap().parse().unwrap();
    let headers: HeaderMap = (case["headers"].as_object().unwrap().iter())
        .map(|(name, value)| {
            let name: HeaderName = name.parse().unwrap();
            (name, HeaderValue::from_str(value.as_str().unwrap()).unwrap())
        })
        .collect();
    let additional: Vec<HeaderName> = list(case, "additional_headers")
        .into_iter()
        .map(|name| name.parse().unwrap())
        .collect();
    let subresources = list(case, "sub_resource");
    let service = match text(case, "signer") {
        Some("vectors") => &VECTORS,
        Some("tables") => &TABLES,
        None => &OSS,
        Some(other) => panic!("unknown signer {other}"),
    };
    let time = Timestamp::parse_iso8601(text(case, "time").unwrap()).unwrap();
    let mut request = SigningRequest::new(&method, service, &headers, time);
    request.bucket = text(case, "bucket");
    if text(case, "signer") == Some("tables") {
        request.path = text(case, "key");
    } else {
        request.key = text(case, "key");
    }
    request.query = text(case, "url")
        .unwrap()
        .split_once('?')
        .map_or("", |(_, query)| query);
    request.subresources = &subresources;
    request.additional_headers = &additional;
    request.region = text(case, "region").unwrap();
    request.product = text(case, "product").unwrap();
    request.account_id = text(case, "account_id");
    if let Some(seconds) = case["expires_in_seconds"].as_u64() {
        request.placement = Placement::Query {
            expires: Duration::from_secs(seconds),
        };
    }
    let mut credentials = Credentials::new(
        text(case, "access_key_id").unwrap(),
        text(case, "access_key_secret").unwrap(),
    );
    if let Some(token) = text(case, "security_token") {
        credentials = credentials.with_security_token(token);
    }
    match text(case, "version") {
        Some("v4") => SignerV4::new().sign(&request, &credentials).unwrap(),
        Some("v1") => SignerV1::new().sign(&request, &credentials).unwrap(),
        other => panic!("unknown version {other:?}"),
    }
}

fn parameters(query: &str) -> BTreeMap<&str, &str> {
    query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .collect()
}

#[test]
fn all_signatures_are_reproduced() {
    let cases = read(include_str!("data/signing-vectors.json"));
    let cases = cases.as_array().unwrap();
    assert_eq!(cases.len(), 45);
    for case in cases {
        let name = text(case, "name").unwrap();
        let expect = &case["expect"];
        let signature = sign(case);
        let canonical = String::from_utf8(signature.canonical_request).unwrap();
        assert_eq!(
            canonical,
            text(expect, "canonical_request").unwrap_or_default(),
            "{name}"
        );
        let signed = String::from_utf8(signature.string_to_sign).unwrap();
        assert_eq!(signed, text(expect, "string_to_sign").unwrap(), "{name}");
        if let Some(authorization) = text(expect, "authorization") {
            let mut expected: BTreeMap<String, &str> = (expect["headers_added"].as_object().unwrap().iter())
                .map(|(name, value)| (name.to_lowercase(), value.as_str().unwrap()))
                .collect();
            expected.insert("authorization".to_owned(), authorization);
            let added: BTreeMap<String, &str> = (signature.headers.iter())
                .map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap()))
                .collect();
            assert_eq!(added, expected, "{name}");
        } else {
            let (address, query) = text(expect, "signed_url").unwrap().split_once('?').unwrap();
            let url = text(case, "url").unwrap();
            let separator = if url.contains('?') { "&" } else { "?" };
            let ours = format!("{url}{separator}{}", signature.query);
            let (our_address, our_query) = ours.split_once('?').unwrap();
            assert_eq!(our_address, address, "{name}");
            assert_eq!(parameters(our_query), parameters(query), "{name}");
        }
    }
}

fn policy(case: &Value) -> PostPolicy {
    let bucket = text(case, "bucket").unwrap();
    let mut policy = match (text(case, "key"), text(case, "prefix")) {
        (Some(key), _) => PostPolicy::for_key(bucket, key),
        (None, prefix) => PostPolicy::for_prefix(bucket, prefix.unwrap()),
    };
    if let Some([least, most]) = case["content_length"].as_array().map(Vec::as_slice) {
        policy = policy.content_length(least.as_u64().unwrap()..=most.as_u64().unwrap());
    }
    for condition in case["conditions"].as_array().into_iter().flatten() {
        let field = condition[1].as_str().unwrap();
        let values = || {
            condition[2]
                .as_array()
                .unwrap()
                .iter()
                .map(|value| value.as_str().unwrap())
        };
        policy = policy.condition(match condition[0].as_str().unwrap() {
            "starts-with" => Condition::starts_with(field, condition[2].as_str().unwrap()),
            "in" => Condition::one_of(field, values()),
            "not-in" => Condition::none_of(field, values()),
            other => panic!("unknown operator {other}"),
        });
    }
    for field in case["fields"].as_array().into_iter().flatten() {
        policy = policy.field(field[0].as_str().unwrap(), field[1].as_str().unwrap());
    }
    policy
}

#[tokio::test]
async fn all_forms_are_reproduced() {
    let cases = read(include_str!("data/form-vectors.json"));
    let cases = cases.as_array().unwrap();
    assert_eq!(cases.len(), 12);
    for case in cases {
        let (version, name) = match text(case, "version").unwrap() {
            "v4" => (SignatureVersion::V4, text(case, "name").unwrap()),
            _ => (SignatureVersion::V1, text(case, "name").unwrap()),
        };
        let mut credentials = Credentials::new(
            text(case, "access_key_id").unwrap(),
            text(case, "access_key_secret").unwrap(),
        );
        if let Some(token) = text(case, "token") {
            credentials = credentials.with_security_token(token);
        }
        let time = Timestamp::parse_iso8601(text(case, "time").unwrap()).unwrap();
        let client = Client::builder()
            .region(text(case, "region").unwrap())
            .credentials(credentials)
            .signature_version(version)
            .clock(FixedClock::new(time))
            .build()
            .unwrap();
        let seconds = Duration::from_secs(number(case, "seconds"));
        let form = client.presign_post(policy(case), seconds).await.unwrap();
        let expect = &case["expect"];
        let found = form.fields.iter().find(|(name, _)| name == "policy").unwrap();
        let found = String::from_utf8(BASE64.decode(&found.1).unwrap()).unwrap();
        assert_eq!(found, text(expect, "policy").unwrap(), "{version:?} {name}");
        let fields: Vec<(String, String)> = serde_json::from_value(expect["fields"].clone()).unwrap();
        assert_eq!(form.fields, fields, "{version:?} {name}");
        assert_eq!(form.url, text(expect, "url").unwrap(), "{version:?} {name}");
        assert_eq!(
            form.expiration.to_iso8601(),
            text(expect, "expiration").unwrap(),
            "{version:?} {name}"
        );
        assert!(!form.is_capped);
    }
}

fn number(case: &Value, name: &str) -> u64 {
    match &case[name] {
        Value::String(text) => text.parse().unwrap(),
        other => other.as_u64().unwrap(),
    }
}

#[test]
fn all_checksums_are_reproduced() {
    let vectors = read(include_str!("data/crc64-vectors.json"));
    let cases = |name: &str| vectors[name].as_array().unwrap().clone();
    for case in cases("single") {
        let data = match (text(&case, "data_base64"), text(&case, "rule")) {
            (Some(data), _) => BASE64.decode(data).unwrap(),
            (None, Some("byte i = (i*31) mod 251, i from 0 to 1048575")) => {
                (0..1_048_576_u32).map(|i| (i * 31 % 251) as u8).collect()
            }
            (None, rule) => panic!("unknown rule {rule:?}"),
        };
        assert_eq!(data.len() as u64, number(&case, "length"), "{case}");
        assert_eq!(Crc64::of(&data), number(&case, "crc64"), "{case}");
    }
    for case in cases("combine") {
        let combined = Crc64::combine(number(&case, "crc1"), number(&case, "crc2"), number(&case, "len2"));
        assert_eq!(combined, number(&case, "combined"), "{case}");
    }
    for case in cases("fold") {
        let parts = case["parts"].as_array().unwrap();
        let folded = parts.iter().fold(0, |crc, part| {
            Crc64::combine(crc, number(part, "crc64"), number(part, "length"))
        });
        assert_eq!(folded, number(&case, "result"), "{case}");
    }
    for case in cases("continued") {
        let mut crc = Crc64::continued(number(&case, "init"));
        crc.update(&BASE64.decode(text(&case, "data_base64").unwrap()).unwrap());
        assert_eq!(crc.value(), number(&case, "crc64"), "{case}");
    }
}
