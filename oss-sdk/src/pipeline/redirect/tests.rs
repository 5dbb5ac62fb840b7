//! Where redirects lead, and what goes along.

use super::{origin, resolve};
use crate::error::ErrorKind;
use crate::fake::{Answer, FakeTransport};
use crate::{AddressingStyle, Client, Config, Credentials, GetObjectRequest, PutObjectRequest};

fn to(location: &str) -> Answer {
    Answer::new(302, "").header("location", location)
}

fn found() -> Answer {
    Answer::new(200, "found").header("etag", "\"E\"")
}

/// A client with everything that must not get to strangers.
fn config(transport: &FakeTransport) -> Config {
    transport
        .config()
        .endpoint("https://oss.example.com")
        .credentials(Credentials::new("ak", "5ec4e7").with_security_token("t0ken"))
        .default_header("x-api-key", "pr1vate")
        .default_header("accept-language", "pr1vate")
        .follow_redirects(true)
}

async fn get(client: &Client) -> Result<String, crate::Error> {
    let call = client
        .get_object(GetObjectRequest::new("bucket", "a b"))
        .header("cookie", "pr1vate")
        .header("x-oss-meta-a", "pr1vate")
        .header("range", "bytes=0-");
    call.await?.body.text().await
}

#[test]
fn locations_are_read_as_browsers_do_or_refused() {
    let base = "https://h.example.com:8443/a/b?c";
    let rows = [
        ("https://o.example.com/x?y#z", Ok("https://o.example.com/x?y")),
        ("HTTPS://o.example.com", Ok("https://o.example.com/")),
        ("https://o.example.com?q", Ok("https://o.example.com/?q")),
        ("//o.example.com/x", Ok("https://o.example.com/x")),
        ("/x/../y", Ok("https://h.example.com:8443/x/../y")),
        ("/x?u=http://a", Ok("https://h.example.com:8443/x?u=http://a")),
        ("x", Err("names neither a URL nor a path from the root")),
        ("?x", Err("names neither a URL nor a path from the root")),
        ("https:///x", Err("names no host")),
        ("https://user:pw@o.example.com/x", Err("holds a user name or password")),
        (
            "ftp://o.example.com/x",
            Err("leads to something else than `http` and `https`"),
        ),
        (
            "javascript:alert(1)",
            Err("leads to something else than `http` and `https`"),
        ),
        ("/a b", Err("has characters that no URL has")),
        (
            "http://h.example.com:8443/a",
            Err("from `https://h.example.com:8443` to `http://h.example.com:8443` gives up encryption"),
        ),
    ];
    for (location, expected) in rows {
        let found = resolve(base, location);
        assert_eq!(found.as_deref().map_err(String::as_str), expected, "{location}");
    }
    assert!(resolve("http://h/a", "http://o/").is_ok() && resolve("http://h/a", "https://o/").is_ok());
    assert_eq!(origin("https://H.example.com:443/x"), "https://h.example.com");
    assert_ne!(origin("https://h:80"), origin("https://h"));
}

#[tokio::test]
async fn a_redirect_is_an_error_unless_it_is_to_be_followed() {
    for status in [301, 302, 303, 307, 308] {
        let answer = Answer::new(status, "").header("location", "https://other.example.com/x");
        let transport = FakeTransport::new([answer.into()]);
        let error = get(&Client::new(config(&transport).follow_redirects(false)).unwrap())
            .await
            .unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Service, Some(status)));
        assert_eq!((error.is_retryable(), transport.sent().len()), (false, 1));
    }
}

#[tokio::test]
async fn strangers_get_no_credentials_and_neither_does_the_way_back() {
    let transport = FakeTransport::new([
        to("https://other.example.com/x?y=1").into(),
        to("https://bucket.oss.example.com/secret").into(),
        found().into(),
    ]);
    assert_eq!(get(&Client::new(config(&transport)).unwrap()).await.unwrap(), "found");
    let sent = transport.sent();
    assert_eq!(sent[0].url, "https://bucket.oss.example.com/a%20b");
    assert!(sent[0].header("authorization").is_some() && sent[0].header("x-oss-security-token").is_some());
    assert_eq!(sent[1].url, "https://other.example.com/x?y=1");
    assert_eq!(sent[2].url, "https://bucket.oss.example.com/secret");
    for sent in &sent[1..] {
        let mut names: Vec<_> = sent.headers.keys().map(http::HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["range", "user-agent"], "{}", sent.url);
    }
}

#[tokio::test]
async fn at_home_a_request_is_signed_for_where_it_goes() {
    for (style, location, url) in [
        (
            AddressingStyle::VirtualHosted,
            "/b%2fc?x=%61",
            "https://bucket.oss.example.com/b/c?x=a",
        ),
        (
            AddressingStyle::Path,
            "https://OSS.example.com:443/bucket/b/c",
            "https://oss.example.com/bucket/b/c",
        ),
        (AddressingStyle::Cname, "/b/c", "https://oss.example.com/b/c"),
    ] {
        let transport = FakeTransport::new([to(location).into(), found().into(), found().into()]);
        let client = Client::new(config(&transport).addressing_style(style)).unwrap();
        assert_eq!(get(&client).await.unwrap(), "found");
        // The same as if it had been asked for there.
        let mut call = client
            .get_object(GetObjectRequest::new("bucket", "b/c"))
            .header("cookie", "pr1vate")
            .header("x-oss-meta-a", "pr1vate")
            .header("range", "bytes=0-");
        if url.contains('?') {
            call = call.query("x", "a");
        }
        call.await.unwrap();
        let sent = transport.sent();
        assert_eq!(sent[1].url, url);
        assert_eq!(sent[1].url, sent[2].url);
        assert_eq!(sent[1].headers, sent[2].headers, "{style:?}");
        assert_ne!(sent[0].header("authorization"), sent[1].header("authorization"));
    }
}

#[tokio::test]
async fn redirects_that_must_not_be_followed_are_final() {
    let rows = [
        (
            "http://other.example.com/x",
            "the redirect from `https://bucket.oss.example.com` to `http://other.example.com` gives up encryption",
        ),
        (
            "https://bucket.oss.example.com/%ff",
            "the redirect leads to where no request can be signed for",
        ),
    ];
    for (location, message) in rows {
        let transport = FakeTransport::new([to(location).into()]);
        let error = get(&Client::new(config(&transport)).unwrap()).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.message(), error.status()),
            (ErrorKind::Transport, message, Some(302))
        );
        assert_eq!((error.is_retryable(), transport.sent().len()), (false, 1));
    }
    let transport = FakeTransport::new((0..6).map(|_| to("https://other.example.com/x").into()));
    let error = get(&Client::new(config(&transport)).unwrap()).await.unwrap_err();
    assert_eq!((error.message(), transport.sent().len()), ("more than 5 redirects", 6));
}

#[tokio::test]
async fn only_reading_is_redirected() {
    let transport = FakeTransport::new([to("https://other.example.com/x").into(), to("").into()]);
    let client = Client::new(config(&transport)).unwrap();
    let error = client
        .put_object(PutObjectRequest::new("bucket", "key").body("hi"))
        .await
        .unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Service, Some(302)));
    // An answer without a place to go is what it is.
    assert_eq!(get(&client).await.unwrap_err().status(), Some(302));
    assert_eq!(transport.sent().len(), 2);
}

#[tokio::test]
async fn strangers_neither_set_the_clock_nor_refuse_credentials() {
    let stranger = |code: &str| {
        let answer = Answer::error(403, code).header("date", "Fri, 02 Jan 2026 05:04:05 GMT");
        [to("https://other.example.com/x").into(), answer.into()]
    };
    for code in ["RequestTimeTooSkewed", "SecurityTokenExpired", "SignatureDoesNotMatch"] {
        let transport = FakeTransport::new(stranger(code));
        let client = Client::new(config(&transport)).unwrap();
        let error = get(&client).await.unwrap_err();
        assert_eq!((error.code(), transport.sent().len()), (Some(code), 2));
        assert_eq!(client.core().skew.ahead(), 0);
        assert_eq!(error.signature_mismatch(), None);
    }
}
