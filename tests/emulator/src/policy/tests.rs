//! Policies as values: what they say, and which are refused.

use super::*;

const READ_ONLY: &str = r#"{"Version":"1","Statement":[
    {"Effect":"Allow","Action":["oss:Get*","oss:ListObjects"],"Resource":["acs:oss:*:*:data","acs:oss:*:*:data/*"]},
    {"Effect":"Deny","Action":"oss:*","Resource":["acs:oss:*:*:data/secret/*"]}]}"#;

fn bucket_policy(principal: &str, condition: &str) -> String {
    format!(
        r#"{{"Version":"1","Statement":[{{"Effect":"Allow","Action":"oss:GetObject","Principal":{principal},"Resource":"acs:oss:*:*:b/*"{condition}}}]}}"#
    )
}

fn judge(policy: &Policy, asker: &Asker, facts: &[(&str, &str)]) -> Verdict {
    let facts = facts
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    policy.judge(&Question {
        action: "oss:GetObject",
        resource: "acs:oss:cn:1:b/k",
        aliases: &[],
        asker,
        owner: "1",
        facts: &facts.collect(),
    })
}

#[test]
fn deny_beats_allow_and_silence_is_no_permission() {
    let policy = Policy::parse(READ_ONLY).unwrap();
    for (action, resource, verdict) in [
        ("oss:GetObject", "acs:oss:cn:1:data/a", Verdict::Allowed),
        ("oss:getobject", "acs:oss:cn:1:data/a", Verdict::Allowed),
        ("oss:GetObject", "acs:oss:cn:1:data/secret/a", Verdict::Denied),
        ("oss:PutObject", "acs:oss:cn:1:data/a", Verdict::Silent),
        ("oss:GetObject", "acs:oss:cn:1:other/a", Verdict::Silent),
    ] {
        assert_eq!(policy.evaluate(action, resource), verdict, "{action} {resource}");
    }
}

#[test]
fn inverted_lists_mean_everything_else() {
    let policy =
        Policy::parse(r#"{"Version":"1","Statement":[{"Effect":"Allow","NotAction":"oss:Delete*","Resource":"*"}]}"#)
            .unwrap();
    assert_eq!(policy.evaluate("oss:GetObject", "x"), Verdict::Allowed);
    assert_eq!(policy.evaluate("oss:DeleteObject", "x"), Verdict::Silent);
}

#[test]
fn what_cannot_be_evaluated_is_refused() {
    let statement = |rest: &str| format!(r#"{{"Version":"1","Statement":[{{"Effect":"Allow",{rest}}}]}}"#);
    for document in [
        String::new(),
        "[]".to_owned(),
        r#"{"Version":"2","Statement":[]}"#.to_owned(),
        r#"{"Version":"1"}"#.to_owned(),
        r#"{"Version":"1","Statement":[],"Extra":1}"#.to_owned(),
        r#"{"Version":"1","Statement":[1]}"#.to_owned(),
        r#"{"Version":"1","Statement":[{"Effect":"Maybe","Action":"*","Resource":"*"}]}"#.to_owned(),
        statement(r#""Resource":"*""#),
        statement(r#""Action":"*","NotAction":"*","Resource":"*""#),
        statement(r#""Action":[1],"Resource":"*""#),
        statement(r#""Action":[],"Resource":"*""#),
        statement(r#""Action":"GetObject","Resource":"*""#),
        statement(r#""Action":"*","Resource":"bucket/*""#),
        statement(r#""Action":"*","Resource":"*","Principal":["*"]"#),
        statement(r#""Action":"*","Resource":"*","Condition":{}"#),
        statement(r#""Action":"*","Resource":"*","Condition":{"StringEquals":{}}"#),
        statement(r#""Action":"*","Resource":"*","Condition":{"StringEquals":{"oss:Prefix":[]}}"#),
        statement(r#""Action":"*","Resource":"*","Condition":{"StringEquals":{"oss:Unknown":"a"}}"#),
        statement(r#""Action":"*","Resource":"*","Condition":{"StringEqualsIfExists":{"oss:Prefix":"a"}}"#),
        statement(r#""Action":"*","Resource":"*","Condition":{"Null":{"oss:Prefix":"true"}}"#),
        statement(r#""Action":"*","Resource":"*","Condition":{"IpAddress":{"acs:SourceIp":"10.0.0.0/33"}}"#),
        statement(r#""Action":"*","Resource":"*","Condition":{"Bool":{"acs:SecureTransport":"https"}}"#),
        statement(r#""Action":"*","Resource":"*","Condition":{"DateLessThan":{"acs:CurrentTime":"soon"}}"#),
        statement(r#""Action":"*","Resource":"*","Condition":{"StringLike":{"oss:Prefix":"${acs:UserName}"}}"#),
    ] {
        assert!(Policy::parse(&document).is_err(), "{document}");
    }
    for document in [
        statement(r#""Action":"*","Resource":"*""#),
        bucket_policy(r#"["somebody"]"#, ""),
        bucket_policy(r#"["arn:sts::1:assumed-role/r"]"#, ""),
        bucket_policy(r#"["*"]"#, r#","Condition":{"IpAddress":{"acs:SourceIp":"10.0.0.1"}}"#),
    ] {
        assert!(bucket(&document).is_err(), "{document}");
    }
}

#[test]
fn principals_are_accounts_users_and_sessions() {
    let session = |account: &str, role: &str, name: &str| Asker::Session {
        account: account.to_owned(),
        role: role.to_owned(),
        name: name.to_owned(),
    };
    let (account, user) = (Asker::Account("2".to_owned()), Asker::User("22".to_owned()));
    for (principal, asker, expected) in [
        (r#""*""#, &Asker::Anonymous, true),
        ("[]", &Asker::Anonymous, true),
        (r#"["2"]"#, &account, true),
        (r#"["2"]"#, &user, false),
        (r#"["22"]"#, &user, true),
        (r#"["2","22"]"#, &Asker::Anonymous, false),
        (r#"["arn:sts::2:assumed-role/r/s"]"#, &session("2", "r", "s"), true),
        (r#"["arn:sts::2:assumed-role/r/*"]"#, &session("2", "r", "t"), true),
        (r#"["arn:sts::2:assumed-role/r/s"]"#, &session("2", "q", "s"), false),
        (r#"["arn:sts::2:assumed-role/r/*"]"#, &session("3", "r", "s"), false),
        (r#"["arn:sts::*:*/*/*"]"#, &session("3", "r", "s"), true),
        (r#"["arn:sts::*:*/*/*"]"#, &user, false),
    ] {
        let policy = bucket(&bucket_policy(principal, "")).unwrap();
        assert_eq!(
            judge(&policy, asker, &[]) == Verdict::Allowed,
            expected,
            "{principal} {asker:?}"
        );
    }
}

#[test]
fn conditions_compare_by_their_operators() {
    for (condition, facts, expected) in [
        (
            r#""StringEquals":{"oss:Prefix":["a","b"]}"#,
            &[("oss:Prefix", "b")][..],
            true,
        ),
        (r#""StringEquals":{"oss:Prefix":"a"}"#, &[("oss:Prefix", "A")], false),
        (r#""StringEquals":{"oss:Prefix":"a"}"#, &[], false),
        (
            r#""StringNotEquals":{"oss:Prefix":["a","b"]}"#,
            &[("oss:Prefix", "b")],
            false,
        ),
        (r#""StringNotEquals":{"oss:Prefix":"a"}"#, &[], true),
        (
            r#""StringEqualsIgnoreCase":{"acs:UserAgent":"Curl"}"#,
            &[("acs:UserAgent", "cURL")],
            true,
        ),
        (r#""StringLike":{"oss:Prefix":"a/*"}"#, &[("oss:Prefix", "a/b")], true),
        (r#""StringNotLike":{"acs:SourceVpc":"vpc-*"}"#, &[], true),
        (r#""NumericLessThan":{"oss:Prefix":"10"}"#, &[("oss:Prefix", "9")], true),
        (
            r#""NumericGreaterThanEquals":{"oss:Prefix":10}"#,
            &[("oss:Prefix", "9")],
            false,
        ),
        (
            r#""NumericNotEquals":{"oss:Prefix":"9"}"#,
            &[("oss:Prefix", "9.0")],
            false,
        ),
        (r#""NumericEquals":{"oss:Prefix":"9"}"#, &[("oss:Prefix", "x")], false),
        (
            r#""DateLessThan":{"acs:CurrentTime":"2026-01-01T08:00:00+08:00"}"#,
            &[("acs:CurrentTime", "2025-12-31T23:59:59.000Z")],
            true,
        ),
        (
            r#""DateLessThan":{"acs:CurrentTime":"2026-01-01T08:00:00+08:00"}"#,
            &[("acs:CurrentTime", "2026-01-01T00:00:00.000Z")],
            false,
        ),
        (
            r#""Bool":{"acs:SecureTransport":"true"}"#,
            &[("acs:SecureTransport", "false")],
            false,
        ),
        (
            r#""Bool":{"acs:SecureTransport":[false]}"#,
            &[("acs:SecureTransport", "false")],
            true,
        ),
        (
            r#""IpAddress":{"acs:SourceIp":"10.1.0.0/16"}"#,
            &[("acs:SourceIp", "10.1.2.3")],
            true,
        ),
        (
            r#""IpAddress":{"acs:SourceIp":"10.1.0.0/16"}"#,
            &[("acs:SourceIp", "10.2.2.3")],
            false,
        ),
        (
            r#""IpAddress":{"acs:SourceIp":"0.0.0.0/0"}"#,
            &[("acs:SourceIp", "::1")],
            false,
        ),
        (
            r#""IpAddress":{"acs:SourceIp":"2001:db8::/32"}"#,
            &[("acs:SourceIp", "2001:db8:1::1")],
            true,
        ),
        (
            r#""NotIpAddress":{"acs:SourceIp":["10.0.0.1"]}"#,
            &[("acs:SourceIp", "10.0.0.2")],
            true,
        ),
        (
            r#""StringEquals":{"oss:Prefix":"a"},"Bool":{"acs:SecureTransport":true}"#,
            &[("oss:Prefix", "a")],
            false,
        ),
    ] {
        let document = format!(
            r#"{{"Version":"1","Statement":[{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{{{condition}}}}}]}}"#
        );
        let policy = Policy::parse(&document).unwrap();
        let verdict = judge(&policy, &Asker::Anonymous, facts);
        assert_eq!(verdict == Verdict::Allowed, expected, "{condition} {facts:?}");
    }
}

#[test]
fn a_policy_is_public_unless_principals_or_conditions_are_fixed() {
    let network = |block: &str, vpc: &str| {
        format!(
            r#","Condition":{{"IpAddress":{{"acs:SourceIp":"{block}"}},"StringNotLike":{{"acs:SourceVpc":"{vpc}"}}}}"#
        )
    };
    let equals = |key: &str, value: &str| format!(r#","Condition":{{"StringEquals":{{"{key}":"{value}"}}}}"#);
    for (principal, condition, expected) in [
        (r#"["*"]"#, String::new(), true),
        ("[]", String::new(), true),
        (r#"["1"]"#, String::new(), false),
        (r#"["1","*"]"#, String::new(), true),
        (r#"["arn:sts::1:assumed-role/r/s"]"#, String::new(), false),
        (r#"["arn:sts::1:assumed-role/r/*"]"#, String::new(), true),
        (r#"["*"]"#, network("10.0.0.0/8", "vpc-*"), false),
        (r#"["*"]"#, network("8.0.0.0/7", "vpc-*"), true),
        (r#"["*"]"#, network("2001:db8::/32", "vpc-*"), false),
        (r#"["*"]"#, network("2001:db8::/31", "vpc-*"), true),
        (r#"["*"]"#, equals("acs:SourceVpc", "vpc-1"), false),
        (r#"["*"]"#, equals("acs:AccessId", "id"), false),
        (r#"["*"]"#, equals("acs:SourceVpc", "vpc-*"), true),
        (r#"["*"]"#, equals("acs:UserAgent", "curl"), true),
    ] {
        let policy = bucket(&bucket_policy(principal, &condition)).unwrap();
        assert_eq!(policy.is_public(), expected, "{principal} {condition}");
    }
    let denying = bucket_policy(r#"["*"]"#, "").replace("Allow", "Deny");
    assert!(!bucket(&denying).unwrap().is_public());
}
