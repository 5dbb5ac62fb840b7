//! Requests whose signature is not of this request: changed, moved, aged, borrowed or half there.

use crate::client::{Client, NOON_HTTP, Request, hmac_sha1_base64, start_with_bucket};

const FORGED: &str = "403 SignatureDoesNotMatch";
const INVALID: &str = "400 InvalidArgument";
const DENIED: &str = "403 AccessDenied";
const SKEWED: &str = "403 RequestTimeTooSkewed";

type Change = fn(&Client) -> Request;

/// A signed GET of `/bucket/k`.
fn get(client: &Client) -> Request {
    client.sign(Request::get("/bucket/k"))
}

/// A presigned GET of `/bucket/k`.
fn url(client: &Client) -> Request {
    client.presign(Request::get("/bucket/k"), 60)
}

fn at(client: &Client, stamp: &str) -> Client {
    Client {
        stamp: stamp.to_owned(),
        ..client.clone()
    }
}

/// Replaces text in one header.
fn header(mut request: Request, name: &str, from: &str, to: &str) -> Request {
    for (found, value) in &mut request.headers {
        if found == name {
            *value = value.replace(from, to);
        }
    }
    request
}

/// Replaces text in one query parameter.
fn query(mut request: Request, name: &str, from: &str, to: &str) -> Request {
    for (found, value) in &mut request.query {
        if found == name {
            *value = value.replace(from, to);
        }
    }
    request
}

fn without(mut request: Request, name: &str) -> Request {
    request.headers.retain(|(found, _)| found != name);
    request.query.retain(|(found, _)| found != name);
    request
}

fn moved(mut request: Request, method: &str, path: &str) -> Request {
    method.clone_into(&mut request.method);
    path.clone_into(&mut request.path);
    request
}

/// Signs `text` with V1 in the header.
fn v1(client: &Client, request: Request, text: &str) -> Request {
    let signature = hmac_sha1_base64(&client.secret, text);
    request
        .header("date", NOON_HTTP)
        .header("authorization", &format!("OSS {}:{signature}", client.id))
}

fn v1_text(resource: &str) -> String {
    format!("GET\n\n\n{NOON_HTTP}\n{resource}")
}

const ROWS: &[(&str, Change, &str)] = &[
    ("untouched", get, "200"),
    ("presigned", url, "200"),
    ("unsigned", |_| Request::get("/bucket/k"), DENIED),
    ("another method", |c| moved(get(c), "DELETE", "/bucket/k"), FORGED),
    ("HEAD for GET", |c| moved(get(c), "HEAD", "/bucket/k"), "403"),
    ("another key", |c| moved(get(c), "GET", "/bucket/secret"), FORGED),
    ("another bucket", |c| moved(get(c), "GET", "/bucket-2/k"), FORGED),
    ("the bucket itself", |c| moved(get(c), "GET", "/bucket"), FORGED),
    ("a key in another case", |c| moved(get(c), "GET", "/bucket/K"), FORGED),
    ("a doubled slash", |c| moved(get(c), "GET", "/bucket/k//"), FORGED),
    ("a slash at the end", |c| moved(get(c), "GET", "/bucket/k/"), FORGED),
    ("dots in the path", |c| moved(get(c), "GET", "/bucket/x/../k"), FORGED),
    (
        "dots out of the bucket",
        |c| moved(get(c), "GET", "/bucket/../bucket/k"),
        FORGED,
    ),
    (
        "a null byte",
        |c| moved(get(c), "GET", "/bucket/k\0"),
        "400 InvalidObjectName",
    ),
    (
        "dots that were signed are a key",
        |c| c.sign(Request::get("/bucket/x/../k")),
        "404 NoSuchKey",
    ),
    ("an added sub-resource", |c| get(c).query("acl", ""), FORGED),
    ("an added version", |c| get(c).query("versionId", "null"), FORGED),
    (
        "an added override",
        |c| get(c).query("response-content-type", "text/html"),
        FORGED,
    ),
    ("an added unknown parameter", |c| get(c).query("unknown", "1"), FORGED),
    (
        "a signed parameter twice",
        |c| c.sign(Request::get("/bucket/k?versionId=null")).query("versionId", "x"),
        FORGED,
    ),
    (
        "a removed parameter",
        |c| without(c.sign(Request::get("/bucket/k?versionId=null")), "versionId"),
        FORGED,
    ),
    (
        "an added OSS header",
        |c| get(c).header("x-oss-object-acl", "public-read"),
        FORGED,
    ),
    ("added metadata", |c| get(c).header("x-oss-meta-a", "1"), FORGED),
    (
        "an added content type",
        |c| get(c).header("content-type", "text/html"),
        FORGED,
    ),
    (
        "an added digest",
        |c| get(c).header("content-md5", "AAAAAAAAAAAAAAAAAAAAAA=="),
        FORGED,
    ),
    (
        "an added token",
        |c| get(c).header("x-oss-security-token", "token"),
        "403 InvalidSecurityToken",
    ),
    (
        "a changed OSS header",
        |c| {
            header(
                c.sign(Request::get("/bucket/k").header("x-oss-meta-a", "1")),
                "x-oss-meta-a",
                "1",
                "2",
            )
        },
        FORGED,
    ),
    (
        "a removed OSS header",
        |c| {
            without(
                c.sign(Request::get("/bucket/k").header("x-oss-meta-a", "1")),
                "x-oss-meta-a",
            )
        },
        FORGED,
    ),
    ("an unsigned header", |c| get(c).header("range", "bytes=0-1"), "206"),
    (
        "another date",
        |c| header(get(c), "x-oss-date", "162057", "162058"),
        FORGED,
    ),
    ("no date", |c| without(get(c), "x-oss-date"), DENIED),
    (
        "a date that is none",
        |c| header(get(c), "x-oss-date", "T162057Z", ""),
        DENIED,
    ),
    (
        "a Date header beside it",
        |c| get(c).header("date", "Sun, 17 Dec 2023 16:29:00 GMT"),
        "200",
    ),
    ("a date in the past", |c| get(&at(c, "20231217T160556Z")), SKEWED),
    ("a date in the future", |c| get(&at(c, "20231217T163558Z")), SKEWED),
    ("the last good second", |c| get(&at(c, "20231217T160557Z")), "200"),
    (
        "a scope of another day",
        |c| header(get(c), "authorization", "20231217/", "20231218/"),
        INVALID,
    ),
    (
        "a scope of another region",
        |c| header(get(c), "authorization", "cn-hangzhou", "cn-beijing"),
        INVALID,
    ),
    (
        "signed for another region",
        |c| {
            get(&Client {
                region: "cn-beijing".to_owned(),
                ..c.clone()
            })
        },
        INVALID,
    ),
    (
        "a scope of another product",
        |c| header(get(c), "authorization", "/oss/", "/ecs/"),
        INVALID,
    ),
    (
        "a scope with another end",
        |c| header(get(c), "authorization", "aliyun_v4_request", "aws4_request"),
        INVALID,
    ),
    (
        "another algorithm",
        |c| header(get(c), "authorization", "OSS4-HMAC-SHA256", "AWS4-HMAC-SHA256"),
        INVALID,
    ),
    (
        "the key of another account",
        |c| header(get(c), "authorization", &c.id, "somebody"),
        "403 InvalidAccessKeyId",
    ),
    (
        "an empty key",
        |c| header(get(c), "authorization", &format!("{}/", c.id), "/"),
        INVALID,
    ),
    (
        "a wrong secret",
        |c| {
            get(&Client {
                secret: "wrong".to_owned(),
                ..c.clone()
            })
        },
        FORGED,
    ),
    (
        "an empty secret",
        |c| {
            get(&Client {
                secret: String::new(),
                ..c.clone()
            })
        },
        FORGED,
    ),
    (
        "a signature cut short",
        |c| {
            let mut r = get(c);
            r.headers.last_mut().unwrap().1.pop();
            r
        },
        INVALID,
    ),
    (
        "an empty signature",
        |c| {
            let mut r = get(c);
            let v = &mut r.headers.last_mut().unwrap().1;
            v.truncate(v.find("Signature=").unwrap() + 10);
            r
        },
        INVALID,
    ),
    (
        "an empty authorization",
        |c| {
            let mut r = get(c);
            r.headers.last_mut().unwrap().1.clear();
            r
        },
        INVALID,
    ),
    (
        "two authorizations",
        |c| {
            let r = get(c);
            let v = r.headers.last().unwrap().1.clone();
            r.header("authorization", &v)
        },
        INVALID,
    ),
    (
        "header and query together",
        |c| Request {
            query: url(c).query,
            ..get(c)
        },
        INVALID,
    ),
    (
        "a V1 query beside a V4 header",
        |c| get(c).query("Signature", "x").query("OSSAccessKeyId", &c.id),
        INVALID,
    ),
    (
        "a URL for another method",
        |c| moved(url(c), "PUT", "/bucket/k"),
        FORGED,
    ),
    ("a URL for a deletion", |c| moved(url(c), "DELETE", "/bucket/k"), FORGED),
    (
        "a URL for another key",
        |c| moved(url(c), "GET", "/bucket/secret"),
        FORGED,
    ),
    (
        "a URL for another bucket",
        |c| moved(url(c), "GET", "/bucket-2/k"),
        FORGED,
    ),
    (
        "a URL with a longer life",
        |c| query(url(c), "x-oss-expires", "60", "604800"),
        FORGED,
    ),
    (
        "a URL with too long a life",
        |c| c.presign(Request::get("/bucket/k"), 604_801),
        INVALID,
    ),
    ("a URL without its life", |c| without(url(c), "x-oss-expires"), INVALID),
    ("a URL without its date", |c| without(url(c), "x-oss-date"), INVALID),
    (
        "a URL without its signature",
        |c| without(url(c), "x-oss-signature"),
        INVALID,
    ),
    (
        "a URL without its credential",
        |c| without(url(c), "x-oss-credential"),
        INVALID,
    ),
    (
        "a URL without its version",
        |c| without(url(c), "x-oss-signature-version"),
        INVALID,
    ),
    (
        "a URL with two lives",
        |c| url(c).query("x-oss-expires", "604800"),
        FORGED,
    ),
    ("a URL with an added sub-resource", |c| url(c).query("acl", ""), FORGED),
    (
        "a URL with an added process",
        |c| url(c).query("x-oss-process", "image/info"),
        FORGED,
    ),
    (
        "a URL with an added token",
        |c| url(c).query("x-oss-security-token", "t"),
        "403 InvalidSecurityToken",
    ),
    ("a URL that is over", |c| url(&at(c, "20231217T161956Z")), DENIED),
    ("a URL of its last second", |c| url(&at(c, "20231217T161958Z")), "200"),
    ("a URL of the far future", |c| url(&at(c, "20231217T164057Z")), DENIED),
    (
        "a URL of another key's secret",
        |c| {
            url(&Client {
                secret: "wrong".to_owned(),
                ..c.clone()
            })
        },
        FORGED,
    ),
    ("V1", |c| v1(c, Request::get("/bucket/k"), &v1_text("/bucket/k")), "200"),
    (
        "V1 for another key",
        |c| v1(c, Request::get("/bucket/secret"), &v1_text("/bucket/k")),
        FORGED,
    ),
    (
        "V1 for another method",
        |c| v1(c, Request::delete("/bucket/k"), &v1_text("/bucket/k")),
        FORGED,
    ),
    (
        "V1 with an added sub-resource",
        |c| v1(c, Request::get("/bucket/k?acl"), &v1_text("/bucket/k")),
        FORGED,
    ),
    (
        "V1 with an added version",
        |c| v1(c, Request::get("/bucket/k?versionId=null"), &v1_text("/bucket/k")),
        FORGED,
    ),
    (
        "V1 with an added header",
        |c| {
            v1(
                c,
                Request::get("/bucket/k").header("x-oss-meta-a", "1"),
                &v1_text("/bucket/k"),
            )
        },
        FORGED,
    ),
    (
        "V1 with another date",
        |c| {
            header(
                v1(c, Request::get("/bucket/k"), &v1_text("/bucket/k")),
                "date",
                "16:20",
                "16:21",
            )
        },
        FORGED,
    ),
    (
        "V1 over the text of V4",
        |c| v1(c, Request::get("/bucket/k"), "OSS4-HMAC-SHA256"),
        FORGED,
    ),
    (
        "V1 without a colon",
        |c| {
            header(
                v1(c, Request::get("/bucket/k"), &v1_text("/bucket/k")),
                "authorization",
                ":",
                "",
            )
        },
        INVALID,
    ),
];

#[tokio::test]
async fn a_signature_is_good_for_its_request_only() {
    let (_emulator, client) = start_with_bucket().await;
    assert_eq!(client.send(Request::put("/bucket-2")).await.status, 200);
    for path in ["/bucket/k", "/bucket/secret", "/bucket-2/k"] {
        assert_eq!(client.send(Request::put(path).body("content")).await.status, 200);
    }
    let mut wrong = Vec::new();
    for (name, change, expected) in ROWS {
        let answer = client.send_as_is(change(&client)).await;
        let got = match answer.status {
            status if status < 400 => status.to_string(),
            // A refused HEAD has no body.
            status if answer.body.is_empty() => status.to_string(),
            status => format!("{status} {}", answer.error().1),
        };
        if got != *expected {
            wrong.push(format!("{name}: expected {expected}, got {got}"));
        }
        assert!(!answer.text().contains(&client.secret), "{name}");
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        ROWS.len(),
        wrong.join("\n")
    );
    let listed = client.send(Request::get("/bucket")).await.elements("Key");
    assert_eq!(listed, ["k", "secret"], "something was deleted or written");
}
