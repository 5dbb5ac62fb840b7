//! Help when the service says that a signature is wrong: what was signed here and there, where the two differ first, and
//! what is likely to be the cause.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash as _, Hasher as _};

use super::Error;
use super::tokens::{REDACTED, may_hold_token, redacted};
use crate::signer::Signature;
use crate::text::OneLine;
use crate::time::Timestamp;

/// Longest part of a line that a text repeats, in characters.
const LINE: usize = 128;

/// Seconds that the service accepts a clock to be off.
const TOLERANCE: i64 = 15 * 60;

/// Why the service did not accept a signature, as far as can be told: [`Error::signature_mismatch`].
///
/// The values of security tokens are replaced by `[redacted]` on both sides, after they were compared; no text here can be used to sign with.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignatureMismatch {
    /// What this client signed.
    pub client: SignedText,
    /// What the service would have had signed; `None` when its answer does not show it.
    pub service: Option<SignedText>,
    /// Where the two differ first; `None` when they are equal, or one is not known.
    pub difference: Option<SignatureDifference>,
    /// What is likely to be wrong.
    pub likely_cause: SignatureCause,
}

/// The texts that a signature is made over.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SignedText {
    /// The text that is signed.
    pub string_to_sign: String,
    /// The canonical form of the request whose hash stands in the string to sign; empty for signature V1.
    pub canonical_request: String,
}

/// The first line in which two texts differ: of the canonical request if there is one, else of the string to sign.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignatureDifference {
    /// Number of the line, counted from 1.
    pub line: usize,
    /// The line of this client; empty if it has none.
    pub client: String,
    /// The line of the service; empty if it has none.
    pub service: String,
}

/// What is likely to be wrong when a signature is not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignatureCause {
    /// Both signed the same text, so the secret is not that of the access key id: of another key, or cut or with a
    /// character too many from copying.
    Secret,
    /// The clock is off by so many seconds; positive when the service's is ahead. `None` when the answer does not show the
    /// service's.
    Clock(Option<i64>),
    /// The client's region is not that of the endpoint.
    Region,
    /// The endpoint is one of another service than the client's.
    Product,
    /// The host is a domain that is bound to the bucket named here, and the client takes it for an endpoint. It needs
    /// [`AddressingStyle::Cname`](crate::AddressingStyle::Cname), or the request is meant for another bucket.
    Cname(String),
    /// The service does not find the bucket where the client put it: in the host name or in the path. It needs another
    /// [`AddressingStyle`](crate::AddressingStyle).
    Address,
    /// A proxy changed the path.
    Path,
    /// A proxy changed the method.
    Method,
    /// A proxy changed, added or removed the header of this name.
    Header(String),
    /// A proxy changed, added or removed the query parameter of this name.
    Query(String),
    /// The texts differ in another way, or are not known.
    Unknown,
}

/// The rest of a sentence that begins with `likely cause:`.
impl fmt::Display for SignatureCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret => {
                f.write_str("the secret is not that of the access key id, as both sides signed the same text")
            }
            Self::Clock(None) => f.write_str("the clock is not the service's, which its answer does not show"),
            Self::Clock(Some(ahead)) => {
                let direction = if *ahead >= 0 { "behind" } else { "ahead of" };
                write!(f, "the clock is {} s {direction} the service's", ahead.unsigned_abs())
            }
            Self::Region => f.write_str("the region is not that of the endpoint"),
            Self::Product => f.write_str("the endpoint is one of another service"),
            Self::Cname(bucket) => write!(
                f,
                "the host is a domain bound to the bucket `{}`; set the addressing style to CNAME",
                OneLine(bucket)
            ),
            Self::Address => {
                f.write_str("the service does not find the bucket in the address; set another addressing style")
            }
            Self::Path => f.write_str("the path was changed on the way"),
            Self::Method => f.write_str("the method was changed on the way"),
            Self::Header(name) => write!(f, "the header `{}` was changed on the way", OneLine(name)),
            Self::Query(name) => write!(f, "the parameter `{}` was changed on the way", OneLine(name)),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

/// The rest of a sentence: `first difference in line 5: `a:1` here, `a:2` there`.
impl fmt::Display for SignatureDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |line: &str| line.chars().take(LINE).collect::<String>();
        write!(
            f,
            "first difference in line {}: `{}` here, `{}` there",
            self.line,
            OneLine(&short(&self.client)),
            OneLine(&short(&self.service))
        )
    }
}

/// Explains an error that is about a signature; `now` is the time that requests are signed for.
pub(crate) fn explain(signature: &Signature, error: &Error, now: Timestamp) -> Option<SignatureMismatch> {
    let ahead = error
        .timestamp()
        .map(|server| server.unix_seconds().saturating_sub(now.unix_seconds()));
    let refused_part = error
        .message()
        .strip_prefix("Invalid signing ")
        .and_then(|rest| rest.split(' ').next());
    // Most errors are about something else, so the texts are copied only after this.
    let likely_cause = match (error.code()?, refused_part) {
        ("RequestTimeTooSkewed" | "InvalidTimeStamp.Expired", _) | ("InvalidArgument", Some("date")) => {
            SignatureCause::Clock(ahead)
        }
        ("InvalidArgument", Some("region")) => SignatureCause::Region,
        ("InvalidArgument", Some("product")) => SignatureCause::Product,
        ("SignatureDoesNotMatch", _) => return Some(explain_mismatch(signature, error, ahead)),
        _ => return None,
    };
    Some(SignatureMismatch {
        client: SignedText::of(signature),
        service: None,
        difference: None,
        likely_cause,
    })
}

fn explain_mismatch(signature: &Signature, error: &Error, ahead: Option<i64>) -> SignatureMismatch {
    let client = SignedText::of(signature);
    let field = |name| error.field(name).unwrap_or_default().to_owned();
    // Without tokens, as the error has them.
    let service = SignedText {
        string_to_sign: field("StringToSign"),
        canonical_request: field("CanonicalRequest"),
    };
    if service.string_to_sign.is_empty() && service.canonical_request.is_empty() {
        return SignatureMismatch {
            client,
            service: None,
            difference: None,
            likely_cause: SignatureCause::Unknown,
        };
    }
    let (difference, cause) = compare(signature, &client, &service, &error.0.signed);
    let likely_cause = match (cause, ahead) {
        (SignatureCause::Secret, Some(ahead)) if ahead.saturating_abs() > TOLERANCE => {
            SignatureCause::Clock(Some(ahead))
        }
        (cause, _) => cause,
    };
    SignatureMismatch {
        client,
        service: Some(service),
        difference,
        likely_cause,
    }
}

impl SignedText {
    fn of(signature: &Signature) -> Self {
        SignedText {
            string_to_sign: redacted(&String::from_utf8_lossy(&signature.string_to_sign)),
            canonical_request: redacted(&String::from_utf8_lossy(&signature.canonical_request)),
        }
    }
}

/// What is kept of the texts of the service besides themselves without tokens: enough to see that a token differs, and
/// not to know it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fingerprints {
    string_to_sign: Option<u64>,
    canonical_request: Option<u64>,
}

fn fingerprint(text: &str) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

fn compare(
    signature: &Signature,
    client: &SignedText,
    service: &SignedText,
    signed: &Fingerprints,
) -> (Option<SignatureDifference>, SignatureCause) {
    // Texts that are equal without their tokens.
    let has_other_token = |ours: &[u8], theirs: Option<u64>| {
        theirs.is_some_and(|theirs| fingerprint(&String::from_utf8_lossy(ours)) != theirs)
    };
    let (ours, theirs) = (&client.canonical_request, &service.canonical_request);
    if !ours.is_empty() && !theirs.is_empty() {
        if let Some(difference) = first_difference(ours, theirs) {
            return (Some(difference), cause_v4(ours, theirs));
        }
        if has_other_token(&signature.canonical_request, signed.canonical_request) {
            return other_token(ours);
        }
    }
    let (ours, theirs) = (&client.string_to_sign, &service.string_to_sign);
    if theirs.is_empty() {
        return (None, SignatureCause::Unknown);
    }
    let Some(difference) = first_difference(ours, theirs) else {
        if has_other_token(&signature.string_to_sign, signed.string_to_sign) {
            return other_token(ours);
        }
        return (None, SignatureCause::Secret);
    };
    let cause = if client.canonical_request.is_empty() {
        cause_v1(ours, theirs)
    } else {
        cause_of_scope(ours, theirs)
    };
    (Some(difference), cause)
}

/// Where a text has its token, which is another one at the service.
fn other_token(text: &str) -> (Option<SignatureDifference>, SignatureCause) {
    let line = text.split('\n').enumerate().find_map(|(index, line)| {
        let (before, _) = line.split_once(REDACTED)?;
        Some((index, line, before.trim_end()))
    });
    let Some((index, line, before)) = line else {
        return (None, SignatureCause::Unknown);
    };
    let name = before.trim_end_matches([':', '=']);
    let name = name.rsplit(['?', '&']).next().unwrap_or_default().to_owned();
    let cause = if before.ends_with(':') {
        SignatureCause::Header(name)
    } else {
        SignatureCause::Query(name)
    };
    let difference = SignatureDifference {
        line: index + 1,
        client: line.to_owned(),
        service: line.to_owned(),
    };
    (Some(difference), cause)
}

fn first_difference(ours: &str, theirs: &str) -> Option<SignatureDifference> {
    let (mut left, mut right) = (ours.split('\n'), theirs.split('\n'));
    for line in 1.. {
        match (left.next(), right.next()) {
            (None, None) => return None,
            (a, b) if a == b => {}
            (a, b) => {
                return Some(SignatureDifference {
                    line,
                    client: a.unwrap_or_default().to_owned(),
                    service: b.unwrap_or_default().to_owned(),
                });
            }
        }
    }
    None
}

/// Of two canonical requests: method, path, query, headers, a blank line, names of further headers, hash of the payload.
fn cause_v4(ours: &str, theirs: &str) -> SignatureCause {
    let parts = |text: &str| -> [String; 3] {
        let mut lines = text.split('\n').map(str::to_owned);
        std::array::from_fn(|_| lines.next().unwrap_or_default())
    };
    let ([method, path, query], [method2, path2, query2]) = (parts(ours), parts(theirs));
    if method != method2 {
        return SignatureCause::Method;
    }
    if path != path2 {
        return cause_of_path(&path, &path2);
    }
    if query != query2 {
        return changed(pairs(&query, '&', '='), pairs(&query2, '&', '='))
            .map_or(SignatureCause::Unknown, SignatureCause::Query);
    }
    let headers = |text: &str| {
        let lines = text.split('\n').skip(3).take_while(|line| !line.is_empty());
        lines.filter_map(|line| pair(line, ':')).collect()
    };
    changed(headers(ours), headers(theirs)).map_or(SignatureCause::Unknown, SignatureCause::Header)
}

/// Of two strings to sign of V4: algorithm, time, `date/region/product/aliyun_v4_request`, hash.
fn cause_of_scope(ours: &str, theirs: &str) -> SignatureCause {
    let line = |text: &str, index| text.split('\n').nth(index).unwrap_or_default().to_owned();
    let (scope, scope2) = (line(ours, 2), line(theirs, 2));
    let part = |scope: &str, index| scope.split('/').nth(index).unwrap_or_default().to_owned();
    if line(ours, 1) != line(theirs, 1) || part(&scope, 0) != part(&scope2, 0) {
        SignatureCause::Header("x-oss-date".to_owned())
    } else if part(&scope, 1) != part(&scope2, 1) {
        SignatureCause::Region
    } else if part(&scope, 2) != part(&scope2, 2) {
        SignatureCause::Product
    } else {
        SignatureCause::Unknown
    }
}

/// Of two strings to sign of V1: method, MD5, type, date, headers, and the resource with its parameters.
fn cause_v1(ours: &str, theirs: &str) -> SignatureCause {
    let (left, right): (Vec<_>, Vec<_>) = (ours.split('\n').collect(), theirs.split('\n').collect());
    let fixed = [
        SignatureCause::Method,
        SignatureCause::Header("content-md5".to_owned()),
        SignatureCause::Header("content-type".to_owned()),
        SignatureCause::Header("date".to_owned()),
    ];
    for (index, cause) in fixed.into_iter().enumerate() {
        if left.get(index) != right.get(index) {
            return cause;
        }
    }
    let headers = |lines: &[&str]| {
        let end = lines.len().saturating_sub(1).max(4);
        let lines = lines.get(4..end).unwrap_or_default();
        lines.iter().filter_map(|line| pair(line, ':')).collect()
    };
    if let Some(name) = changed(headers(&left), headers(&right)) {
        return SignatureCause::Header(name);
    }
    let resource = |lines: &[&str]| {
        let (path, query) = pair(lines.last().unwrap_or(&""), '?').unwrap_or_default();
        (path, query)
    };
    let ((path, query), (path2, query2)) = (resource(&left), resource(&right));
    if path != path2 {
        return cause_of_path(&path, &path2);
    }
    changed(pairs(&query, '&', '='), pairs(&query2, '&', '=')).map_or(SignatureCause::Unknown, SignatureCause::Query)
}

/// Of two paths that begin with a bucket, where the service saw another one.
fn cause_of_path(ours: &str, theirs: &str) -> SignatureCause {
    let split = |path: &str| {
        let (bucket, rest) = path.trim_start_matches('/').split_once('/').unwrap_or_default();
        (bucket.to_owned(), rest.to_owned())
    };
    let ((bucket, key), (bucket2, key2)) = (split(ours), split(theirs));
    // The whole of our path is the key of the bucket of the host.
    if theirs.strip_suffix(ours).is_some_and(|host| !host.is_empty()) || (bucket != bucket2 && key == key2) {
        SignatureCause::Cname(bucket2)
    } else if ours.strip_suffix(theirs).is_some_and(|host| !host.is_empty()) || theirs == "/" {
        SignatureCause::Address
    } else {
        SignatureCause::Path
    }
}

fn pair(text: &str, separator: char) -> Option<(String, String)> {
    if text.is_empty() {
        return None;
    }
    let (name, value) = text.split_once(separator).unwrap_or((text, ""));
    Some((name.to_owned(), value.to_owned()))
}

fn pairs(text: &str, between: char, separator: char) -> BTreeMap<String, String> {
    text.split(between).filter_map(|text| pair(text, separator)).collect()
}

/// The first name, in order, whose values differ or that only one side has.
fn changed(ours: BTreeMap<String, String>, theirs: BTreeMap<String, String>) -> Option<String> {
    let names = ours.keys().chain(theirs.keys());
    names.filter(|name| ours.get(*name) != theirs.get(*name)).min().cloned()
}

/// Takes out of the fields of an error document what is as good as a secret.
pub(super) fn clean(fields: &mut BTreeMap<String, String>) -> Fingerprints {
    let mut signed = Fingerprints::default();
    for (name, text) in fields.iter_mut().filter(|(_, text)| may_hold_token(text)) {
        let clean = redacted(text);
        if clean == *text {
            continue;
        }
        match name.as_str() {
            "StringToSign" => signed.string_to_sign = Some(fingerprint(text)),
            "CanonicalRequest" => signed.canonical_request = Some(fingerprint(text)),
            _ => {}
        }
        *text = clean;
    }
    for name in ["SecurityToken", "security-token", "x-oss-security-token"] {
        if let Some(token) = fields.get_mut(name) {
            REDACTED.clone_into(token);
        }
    }
    // The same once more, as numbers.
    if signed != Fingerprints::default() {
        for name in ["StringToSignBytes", "CanonicalRequestBytes"] {
            fields.remove(name);
        }
    }
    fields.remove("SignatureProvided");
    signed
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, StatusCode};

    use super::super::parse_service_error;
    use super::*;

    const V4: &str =
        "PUT\n/bucket/key\na=1&b\ncontent-type:text/plain\nx-oss-date:20260102T030405Z\n\n\nUNSIGNED-PAYLOAD";
    const V4_STRING: &str = "OSS4-HMAC-SHA256\n20260102T030405Z\n20260102/cn-hangzhou/oss/aliyun_v4_request\nabc";
    const V1: &str = "PUT\n\ntext/plain\nFri, 02 Jan 2026 03:04:05 GMT\nx-oss-meta-a:b\n/bucket/key?acl&uploadId=1";

    fn now() -> Timestamp {
        Timestamp::parse_iso8601("2026-01-02T03:04:05Z").unwrap()
    }

    fn refusal(string: &str, canonical: &str, date: &str) -> Error {
        let escape = |text: &str| text.replace('&', "&amp;");
        let body = format!(
            "<Error><Code>SignatureDoesNotMatch</Code><Message>m</Message><StringToSign>{}</StringToSign>\
             <StringToSignBytes>50 55</StringToSignBytes><SignatureProvided>5ec4e7</SignatureProvided>{}</Error>",
            escape(string),
            if canonical.is_empty() {
                String::new()
            } else {
                format!("<CanonicalRequest>{}</CanonicalRequest>", escape(canonical))
            }
        );
        let mut headers = HeaderMap::new();
        headers.insert("date", date.parse().unwrap());
        let answer = parse_service_error(StatusCode::FORBIDDEN, &headers, body.as_bytes());
        Error::service(StatusCode::FORBIDDEN, headers, answer)
    }

    fn explained(ours: (&str, &str), theirs: (&str, &str)) -> SignatureMismatch {
        let signature = Signature {
            string_to_sign: ours.0.into(),
            canonical_request: ours.1.into(),
            ..Signature::default()
        };
        let error = refusal(theirs.0, theirs.1, "Fri, 02 Jan 2026 03:05:00 GMT");
        explain(&signature, &error, now()).unwrap()
    }

    #[test]
    fn each_change_has_its_cause() {
        let header = |name: &str| SignatureCause::Header(name.to_owned());
        let query = |name: &str| SignatureCause::Query(name.to_owned());
        let rows = [
            ("", "", SignatureCause::Secret, 0),
            ("PUT", "POST", SignatureCause::Method, 1),
            (
                "/bucket/key",
                "/bound/bucket/key",
                SignatureCause::Cname("bound".to_owned()),
                2,
            ),
            (
                "/bucket/key",
                "/bound/key",
                SignatureCause::Cname("bound".to_owned()),
                2,
            ),
            ("/bucket/key", "/key", SignatureCause::Address, 2),
            ("/bucket/key", "/bucket/other", SignatureCause::Path, 2),
            ("a=1", "a=2", query("a"), 3),
            ("a=1&b", "a=1&b&c=3", query("c"), 3),
            ("text/plain", "text/html", header("content-type"), 4),
            ("content-type:text/plain\n", "", header("content-type"), 4),
            ("x-oss-date:2", "x-oss-added:1\nx-oss-date:2", header("x-oss-added"), 5),
        ];
        for (from, to, cause, line) in rows {
            let theirs = if from.is_empty() {
                V4.to_owned()
            } else {
                V4.replacen(from, to, 1)
            };
            let found = explained((V4_STRING, V4), (V4_STRING, &theirs));
            assert_eq!(found.likely_cause, cause, "{theirs}");
            assert_eq!(
                found.difference.map_or(0, |difference| difference.line),
                line,
                "{theirs}"
            );
        }
        let rows = [
            ("T030405Z", "T040405Z", header("x-oss-date")),
            ("cn-hangzhou", "cn-beijing", SignatureCause::Region),
            ("/oss/", "/oss-cloudbox/", SignatureCause::Product),
        ];
        for (from, to, cause) in rows {
            let theirs = V4_STRING.replacen(from, to, 1);
            assert_eq!(
                explained((V4_STRING, V4), (&theirs, V4)).likely_cause,
                cause,
                "{theirs}"
            );
        }
        let rows = [
            ("PUT", "GET", SignatureCause::Method),
            ("text/plain", "text/html", header("content-type")),
            ("03:04:05", "03:04:06", header("date")),
            ("meta-a:b", "meta-a:c", header("x-oss-meta-a")),
            (
                "/bucket/key",
                "/bound/bucket/key",
                SignatureCause::Cname("bound".to_owned()),
            ),
            ("uploadId=1", "uploadId=2", query("uploadId")),
            ("acl&", "", query("acl")),
        ];
        for (from, to, cause) in rows {
            let theirs = V1.replacen(from, to, 1);
            assert_eq!(explained((V1, ""), (&theirs, "")).likely_cause, cause, "{theirs}");
        }
    }

    #[test]
    fn a_clock_that_is_off_is_suspected_before_the_secret() {
        let signature = Signature {
            string_to_sign: V1.into(),
            ..Signature::default()
        };
        let error = refusal(V1, "", "Fri, 02 Jan 2026 03:34:05 GMT");
        let found = explain(&signature, &error, now()).unwrap();
        assert_eq!(found.likely_cause, SignatureCause::Clock(Some(1800)));
        assert_eq!(
            found.likely_cause.to_string(),
            "the clock is 1800 s behind the service's"
        );
    }

    #[test]
    fn tokens_are_nowhere() {
        let text = "GET\n/b/k\nx-oss-security-token=t0ken&z=1\nx-oss-security-token:t0ken\nX-OSS-Security-Token: t0ken\n\
            /b/k?security-token=t0ken\nPOST&%2F&SecurityToken%3Dt0ken%26Timestamp\nSecurityToken=t0ken";
        let clean = redacted(text);
        assert!(!clean.contains("t0ken"), "{clean}");
        assert!(clean.contains("x-oss-security-token=[redacted]&z=1\n"), "{clean}");
        assert!(clean.contains("SecurityToken%3D[redacted]%26Timestamp"), "{clean}");
        let error = refusal(text, text, "Fri, 02 Jan 2026 03:05:00 GMT");
        for name in [
            "StringToSign",
            "CanonicalRequest",
            "StringToSignBytes",
            "SignatureProvided",
        ] {
            assert!(!error.field(name).unwrap_or_default().contains("t0ken"), "{name}");
        }
        assert_eq!(
            (error.field("StringToSignBytes"), error.field("SignatureProvided")),
            (None, None)
        );
        let found = explained((text, text), (text, text));
        assert!(!format!("{found:?}").contains("t0ken"));
        assert_eq!(found.likely_cause, SignatureCause::Secret);
    }

    #[test]
    fn a_token_that_was_changed_on_the_way_is_told_and_not_shown() {
        let v4 = |token: &str| V4.replacen("x-oss-date", &format!("x-oss-security-token:{token}\nx-oss-date"), 1);
        let v1 = |token: &str| V1.replacen("/bucket", &format!("x-oss-security-token:{token}\n/bucket"), 1);
        let query = |token: &str| V4.replacen("a=1&b", &format!("a=1&x-oss-security-token={token}"), 1);
        let header = SignatureCause::Header("x-oss-security-token".to_owned());
        let other_hash = V4_STRING.replace("abc", "def");
        let rows = [
            (
                explained((V4_STRING, &v4("t0ken")), (&other_hash, &v4("t0ke"))),
                header.clone(),
                5,
            ),
            (explained((&v1("t0ken"), ""), (&v1("t0kem"), "")), header, 6),
            (
                explained((V4_STRING, &query("t0ken")), (&other_hash, &query("t0ke"))),
                SignatureCause::Query("x-oss-security-token".to_owned()),
                3,
            ),
        ];
        for (found, cause, line) in rows {
            assert_eq!(found.likely_cause, cause);
            assert_eq!(found.difference.as_ref().unwrap().line, line);
            assert!(!format!("{found:?}").contains("t0k"), "{found:?}");
        }
    }

    #[test]
    fn a_clock_that_nothing_is_known_of_is_not_said_to_be_right() {
        let document = b"<Error><Code>RequestTimeTooSkewed</Code><Message>m</Message></Error>";
        let answer = parse_service_error(StatusCode::FORBIDDEN, &HeaderMap::new(), document);
        let error = Error::service(StatusCode::FORBIDDEN, HeaderMap::new(), answer);
        let cause = explain(&Signature::default(), &error, now()).unwrap().likely_cause;
        assert_eq!(cause, SignatureCause::Clock(None));
        assert!(!cause.to_string().contains(" 0 s"), "{cause}");
    }

    #[test]
    fn nonsense_of_a_server_is_no_more_than_unknown() {
        for theirs in ["", "\n", "\u{0}", "a\nb\nc\nd\ne\nf", "PUT\n\n", "/"] {
            explained((V1, ""), (theirs, ""));
            explained((V4_STRING, V4), (theirs, theirs));
            explained(("", ""), (theirs, theirs));
        }
        let other = Error::new(super::super::ErrorKind::Connect, "x");
        assert_eq!(explain(&Signature::default(), &other, now()), None);
    }
}
