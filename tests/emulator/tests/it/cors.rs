//! What browsers of other origins are told.

use crate::client::{Client, Request, Response, start, start_with_bucket};

const RULES: &str = "<CORSConfiguration><CORSRule><AllowedOrigin>https://a.example.com</AllowedOrigin>\
    <AllowedMethod>PUT</AllowedMethod><AllowedHeader>x-oss-*</AllowedHeader><MaxAgeSeconds>60</MaxAgeSeconds></CORSRule>\
    <CORSRule><AllowedOrigin>https://*.example.com</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedMethod>PUT</AllowedMethod>\
    <AllowedHeader>*</AllowedHeader><ExposeHeader>ETag</ExposeHeader><ExposeHeader>x-oss-request-id</ExposeHeader></CORSRule>\
    <CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>HEAD</AllowedMethod></CORSRule></CORSConfiguration>";

async fn preflight(client: &Client, target: &str, origin: &str, method: &str, headers: &str) -> Response {
    let mut request = Request::new("OPTIONS", target)
        .header("origin", origin)
        .header("access-control-request-method", method);
    if !headers.is_empty() {
        request = request.header("access-control-request-headers", headers);
    }
    client.send_as_is(request).await
}

#[tokio::test]
async fn preflight_requests_are_decided_by_the_first_rule_that_fits() {
    let (_emulator, client) = start_with_bucket().await;
    let refused = preflight(&client, "/bucket/k", "https://a.example.com", "PUT", "").await;
    assert_eq!(refused.error(), (403, "AccessForbidden".to_owned()));
    assert!(refused.text().contains("not enabled"));
    let put = client.send(Request::put("/bucket?cors").body(RULES)).await;
    assert_eq!(put.status, 200, "{}", put.text());

    let first = preflight(
        &client,
        "/bucket/k",
        "https://a.example.com",
        "PUT",
        "x-oss-Date, X-Oss-Meta-A",
    )
    .await;
    assert_eq!(first.status, 200);
    assert_eq!(
        first.header("access-control-allow-origin"),
        Some("https://a.example.com")
    );
    assert_eq!(first.header("access-control-allow-methods"), Some("PUT"));
    assert_eq!(
        first.header("access-control-allow-headers"),
        Some("x-oss-Date, X-Oss-Meta-A")
    );
    assert_eq!(first.header("access-control-max-age"), Some("60"));

    let second = preflight(&client, "/bucket", "https://a.example.com", "PUT", "content-type").await;
    assert_eq!(second.header("access-control-allow-methods"), Some("GET, PUT"));
    assert_eq!(
        second.header("access-control-expose-headers"),
        Some("ETag, x-oss-request-id")
    );
    assert_eq!(second.header("access-control-max-age"), None);
    let any = preflight(&client, "/bucket/k", "http://anywhere", "HEAD", "").await;
    assert_eq!(any.header("access-control-allow-origin"), Some("*"));

    for (origin, method, headers) in [
        ("https://example.com", "GET", ""),
        ("https://a.example.com", "DELETE", ""),
        ("http://anywhere", "HEAD", "x-custom"),
    ] {
        let refused = preflight(&client, "/bucket/k", origin, method, headers).await;
        assert_eq!(
            refused.error(),
            (403, "AccessForbidden".to_owned()),
            "{origin} {method} {headers}"
        );
        assert_eq!(refused.header("access-control-allow-origin"), None);
    }
}

#[tokio::test]
async fn incomplete_preflight_requests_are_bad_requests() {
    let (_emulator, client) = start_with_bucket().await;
    client.send(Request::put("/bucket?cors").body(RULES)).await;
    let options = || Request::new("OPTIONS", "/bucket/k");
    for request in [
        options(),
        options().header("origin", "https://a.example.com"),
        options().header("access-control-request-method", "GET"),
        options()
            .header("origin", "https://a.example.com")
            .header("access-control-request-method", "PATCH"),
        options()
            .header("origin", "https://a.example.com")
            .header("origin", "https://b.example.com")
            .header("access-control-request-method", "GET"),
    ] {
        let answer = client.send_as_is(request.clone()).await;
        assert_eq!(answer.error(), (400, "BadRequest".to_owned()), "{request:?}");
    }
    let missing = preflight(&client, "/no-such-bucket/k", "https://a.example.com", "GET", "").await;
    assert_eq!(missing.error(), (404, "NoSuchBucket".to_owned()));
}

#[tokio::test]
async fn answers_to_other_origins_say_who_may_read_them() {
    let (_emulator, client) = start_with_bucket().await;
    client.send(Request::put("/bucket/k").body("hello")).await;
    client.send(Request::put("/bucket?cors").body(RULES)).await;
    let get = |origin: &str| Request::get("/bucket/k").header("origin", origin);

    let allowed = client.send(get("https://a.example.com")).await;
    assert_eq!(allowed.status, 200);
    assert_eq!(
        allowed.header("access-control-allow-origin"),
        Some("https://a.example.com")
    );
    assert_eq!(
        allowed.header("access-control-expose-headers"),
        Some("ETag, x-oss-request-id")
    );
    assert_eq!(allowed.header("vary"), None);
    let other = client.send(get("https://other.org")).await;
    assert_eq!((other.status, other.header("access-control-allow-origin")), (200, None));
    // Scripts may read errors as well.
    let denied = client.send_as_is(get("https://a.example.com")).await;
    assert_eq!(denied.status, 403);
    assert_eq!(
        denied.header("access-control-allow-origin"),
        Some("https://a.example.com")
    );

    let vary = RULES.replace(
        "</CORSConfiguration>",
        "<ResponseVary>true</ResponseVary></CORSConfiguration>",
    );
    assert_eq!(client.send(Request::put("/bucket?cors").body(vary)).await.status, 200);
    assert_eq!(
        client.send(Request::get("/bucket/k")).await.header("vary"),
        Some("Origin")
    );
}

#[tokio::test]
async fn cors_documents_are_checked() {
    let (_emulator, client) = start().await;
    client.send(Request::put("/bucket")).await;
    let rule = |origin: &str, method: &str, more: &str| {
        format!(
            "<CORSRule><AllowedOrigin>{origin}</AllowedOrigin><AllowedMethod>{method}</AllowedMethod>{more}</CORSRule>"
        )
    };
    let document = |rules: &str| format!("<CORSConfiguration>{rules}</CORSConfiguration>");
    for (rules, code) in [
        (rule("*", "GET", ""), ""),
        (rule("*", "GET", "").repeat(10), ""),
        (rule("*", "GET", "").repeat(11), "CORSRuleBeyondLimit"),
        (rule("https://*.*.com", "GET", ""), "InvalidArgument"),
        (rule("", "GET", ""), "InvalidArgument"),
        (rule("*", "PATCH", ""), "MalformedXML"),
        (rule("*", "GET", "<ExposeHeader>*</ExposeHeader>"), "InvalidArgument"),
        (
            rule("*", "GET", "<AllowedHeader>*-*</AllowedHeader>"),
            "InvalidArgument",
        ),
        (rule("*", "GET", "<MaxAgeSeconds>-1</MaxAgeSeconds>"), "MalformedXML"),
        (
            "<CORSRule><AllowedOrigin>*</AllowedOrigin></CORSRule>".to_owned(),
            "MalformedXML",
        ),
        (String::new(), "MalformedXML"),
    ] {
        let answer = client.send(Request::put("/bucket?cors").body(document(&rules))).await;
        assert_eq!(answer.error().1, code, "{rules}");
    }
}
