//! Signature V4 against published figures and against hostile claims.

use super::*;
use crate::auth::keys::Keys;
use crate::auth::test_vectors::{self, Case};

fn cases() -> Vec<Case> {
    test_vectors::load("v4")
}

fn claim_of(case: &Case) -> Claim {
    match case.expect["authorization"].as_str() {
        Some(text) => Claim::from_header(text).unwrap(),
        None => Claim::from_query(case.parts().query).unwrap(),
    }
}

fn stamp_of(case: &Case) -> String {
    case.expect["string_to_sign"]
        .as_str()
        .unwrap()
        .lines()
        .nth(1)
        .unwrap()
        .to_owned()
}

#[test]
fn the_published_figures_are_accepted() {
    let cases = cases();
    assert!(cases.len() >= 34, "{}", cases.len());
    for case in cases {
        case.assert_accepted();
    }
}

#[test]
fn canonical_requests_are_the_published_ones() {
    for case in cases() {
        let (claim, keys, accounts) = (claim_of(&case), case.keys(), case.accounts());
        let uri = canonical_uris(case.parts(), case.context(&keys, &accounts), None)
            .remove(0)
            .1;
        let request = claim.canonical_request(&uri, case.parts(), true);
        assert_eq!(
            case.expect["canonical_request"].as_str().unwrap(),
            request,
            "{}",
            case.name
        );
        case.assert_string_to_sign(|case| claim.string_to_sign(&stamp_of(case), &request));
    }
}

fn case_named(name: &str) -> Case {
    cases().into_iter().find(|case| case.name == name).unwrap()
}

fn refusal(case: &Case, shift: i64, region: &str, product: &str) -> ServiceError {
    let keys = case.keys();
    let context = case.context(&keys, &[]);
    let now = time::from_unix(time::unix_seconds(context.now) + shift).unwrap();
    let context = Context {
        now,
        region,
        product,
        ..context
    };
    crate::auth::authenticate(case.parts(), context)
        .map(|_| ())
        .unwrap_err()
}

#[test]
fn time_and_scope_are_checked() {
    let case = case_named("v4-header-plain-get");
    assert_eq!(refusal(&case, 901, "cn-hangzhou", "oss").code, "RequestTimeTooSkewed");
    assert_eq!(refusal(&case, -901, "cn-hangzhou", "oss").code, "RequestTimeTooSkewed");
    assert_eq!(
        refusal(&case, 0, "cn-beijing", "oss").message,
        "Invalid signing region in Authorization header."
    );
    assert_eq!(
        refusal(&case, 0, "cn-hangzhou", "osstables").message,
        "Invalid signing product in Authorization header."
    );
}

#[test]
fn a_presigned_url_ends_on_the_second() {
    let case = case_named("v4-query-get");
    let life: i64 = case.parts().query.get("x-oss-expires").unwrap().parse().unwrap();
    let error = refusal(&case, life, "cn-hangzhou", "oss");
    assert_eq!(
        (error.code.as_str(), error.message.as_str()),
        ("AccessDenied", "Request has expired.")
    );
    assert_eq!(
        refusal(&case, -901, "cn-hangzhou", "oss").message,
        "Request is not valid yet."
    );
    let keys = case.keys();
    let context = case.context(&keys, &[]);
    let now = context.now + Duration::from_secs(u64::try_from(life).unwrap() - 1);
    assert!(crate::auth::authenticate(case.parts(), Context { now, ..context }).is_ok());
}

#[test]
fn expiries_outside_seven_days_are_invalid() {
    let case = case_named("v4-query-get");
    let keys = case.keys();
    for expires in ["0", "604801", "-1", "x", "99999999999999999999"] {
        let parameters = case.parts().query.iter().map(|parameter| {
            let value = if parameter.name == "x-oss-expires" {
                expires
            } else {
                &parameter.value
            };
            format!("{}={}", text::encode(&parameter.name), text::encode(value))
        });
        let changed = Query::parse(&parameters.collect::<Vec<_>>().join("&")).unwrap();
        let parts = Parts {
            query: &changed,
            ..case.parts()
        };
        assert_eq!(
            query(parts, case.context(&keys, &[])).unwrap_err().code,
            "InvalidArgument",
            "{expires}"
        );
    }
}

#[test]
fn unreadable_claims_are_invalid_arguments() {
    let case = case_named("v4-header-plain-get");
    let keys = Keys::new(BTreeMap::new());
    let good = "0".repeat(64);
    for claim in [
        "OSS4-HMAC-SHA256".to_owned(),
        "OSS4-HMAC-SHA256 ".to_owned(),
        "OSS4-HMAC-SHA256 Credential=a/20231217/r/oss/aliyun_v4_request".to_owned(),
        format!("OSS4-HMAC-SHA256 Signature={good}"),
        format!("OSS4-HMAC-SHA256 Credential=a,Signature={good}"),
        format!("OSS4-HMAC-SHA256 Credential=a/20231217/r/oss/other,Signature={good}"),
        format!("OSS4-HMAC-SHA256 Credential=a/20231217//oss/aliyun_v4_request,Signature={good}"),
        format!("OSS4-HMAC-SHA256 Credential=a/20231217/r/oss/aliyun_v4_request/x,Signature={good}"),
        "OSS4-HMAC-SHA256 Credential=a/20231217/r/oss/aliyun_v4_request,Signature=xyz".to_owned(),
        format!("OSS4-HMAC-SHA256 Credential=a/20231217/r/oss/aliyun_v4_request,Signature={good},Other=1"),
    ] {
        let error = header(&claim, case.parts(), case.context(&keys, &[])).unwrap_err();
        assert_eq!(error.code, "InvalidArgument", "{claim}");
    }
}
