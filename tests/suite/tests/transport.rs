//! The SDK's connections to a whole server: TLS, proxies, and every way to name a bucket.

#![expect(clippy::unwrap_used, reason = "the functions that the tests share are tests too")]

use std::process::Command;

use oss_emulator::{Emulator, Tls};
use oss_sdk::transport::TlsVersion;
use oss_sdk::{
    AddressingStyle, Client, ClientBuilder, ErrorKind, GetObjectRequest, ListObjectsV2Request, PutBucketRequest,
    PutObjectRequest,
};
use oss_suite::fixture::{BUCKET, builder};
use oss_suite::forward::ForwardProxy;

/// Keys that go through the pool, and one that gets a connection of its own.
const KEYS: [&str; 3] = ["a b", "a//b+%2F", "a/../b"];

/// An emulator that speaks TLS and plain HTTP.
async fn secure() -> Emulator {
    let emulator = Emulator::builder()
        .tls(Tls::generated())
        .plain_port(0)
        .start()
        .await
        .unwrap();
    trusting(&emulator)
        .build()
        .unwrap()
        .put_bucket(PutBucketRequest::new(BUCKET))
        .await
        .unwrap();
    emulator
}

/// Settings of a client that trusts the emulator's own authority.
fn trusting(emulator: &Emulator) -> ClientBuilder<Client> {
    builder(emulator).root_certificate_pem(emulator.ca_certificate_pem().unwrap())
}

/// Stores, reads and lists, with every kind of key.
async fn assert_works(client: &Client) {
    for key in KEYS {
        let put = client.put_object(PutObjectRequest::new(BUCKET, key).body(key)).await;
        put.unwrap_or_else(|error| panic!("{key}: {error} {error:?}"));
        let object = client.get_object(GetObjectRequest::new(BUCKET, key)).await.unwrap();
        assert_eq!(object.body.text().await.unwrap(), key);
    }
    let listed = client.list_objects_v2(ListObjectsV2Request::new(BUCKET)).await.unwrap();
    assert_eq!(listed.contents.len(), KEYS.len());
}

#[tokio::test]
async fn a_server_with_a_certificate_of_ones_own_is_trusted_when_its_authority_is() {
    let emulator = secure().await;
    assert!(emulator.endpoint().starts_with("https://"));
    assert_works(&trusting(&emulator).build().unwrap()).await;
    assert_works(&trusting(&emulator).tls_minimum(TlsVersion::V1_3).build().unwrap()).await;
    let careless = builder(&emulator).danger_accept_invalid_certificates(true);
    assert_works(&careless.build().unwrap()).await;
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_is_refused_for_good() {
    let (emulator, other) = (secure().await, secure().await);
    let strict = builder(&emulator);
    let misled = builder(&emulator).root_certificate_pem(other.ca_certificate_pem().unwrap());
    for client in [strict.build().unwrap(), misled.build().unwrap()] {
        for key in KEYS {
            let error = client.get_object(GetObjectRequest::new(BUCKET, key)).await.unwrap_err();
            assert_eq!(
                (error.kind(), error.is_retryable(), error.message()),
                (ErrorKind::Connect, false, "the TLS handshake failed"),
                "{error:?}"
            );
        }
    }
    assert_eq!(emulator.requests().count("GetObject"), 0);
}

#[tokio::test]
async fn requests_go_through_a_proxy_plain_and_in_tunnels() {
    let emulator = secure().await;
    let plain = emulator.plain_endpoint().unwrap();
    let plain_address = plain.strip_prefix("http://").unwrap().parse().unwrap();
    // `user:p@ss`, as it stands in the header.
    let password = Some("dXNlcjpwQHNz");

    let proxy = ForwardProxy::start(plain_address, password).await;
    let client = builder(&emulator)
        .endpoint("http://localhost:8080")
        .addressing_style(AddressingStyle::Path)
        .proxy(proxy.url("user:p%40ss"));
    assert_works(&client.build().unwrap()).await;
    let lines = proxy.lines();
    assert_eq!(lines[0], "PUT http://localhost:8080/suite/a%20b HTTP/1.1");
    assert!(
        lines
            .iter()
            .any(|line| line == "GET http://localhost:8080/suite/a/../b HTTP/1.1")
    );

    let proxy = ForwardProxy::start(emulator.address(), password).await;
    let client = trusting(&emulator)
        .endpoint("https://localhost:8443")
        .proxy(proxy.url("user:p%40ss"));
    assert_works(&client.build().unwrap()).await;
    let lines = proxy.lines();
    // One for the pool, and one for each request that does without.
    assert!(lines.len() >= 3, "{lines:?}");
    assert!(
        lines.iter().all(|line| line == "CONNECT localhost:8443 HTTP/1.1"),
        "{lines:?}"
    );
    assert!(
        !proxy.heads().concat().contains("OSS4-HMAC-SHA256"),
        "the proxy sees nothing of what is in the tunnel"
    );
    // The service got no password of the proxy's.
    for request in emulator.requests().all() {
        assert_eq!(request.header("proxy-authorization"), None);
    }
}

#[tokio::test]
async fn a_proxy_that_wants_another_password_is_a_final_error_that_does_not_show_it() {
    let emulator = secure().await;
    let proxy = ForwardProxy::start(emulator.address(), Some("dXNlcjpwQHNz")).await;
    let before = emulator.requests().all().len();
    for user in ["", "user:wr0ng"] {
        for endpoint in ["http://oss.example.com", "https://localhost"] {
            for key in KEYS {
                let client = trusting(&emulator)
                    .endpoint(endpoint)
                    .addressing_style(AddressingStyle::Path)
                    .proxy(proxy.url(user))
                    .build()
                    .unwrap();
                let asked = proxy.heads().len();
                let error = client.get_object(GetObjectRequest::new(BUCKET, key)).await.unwrap_err();
                assert_eq!(
                    (error.kind(), error.is_retryable(), error.message()),
                    (ErrorKind::Connect, false, "the proxy refused the connection"),
                    "{endpoint} {key}: {error:?}"
                );
                assert_eq!(proxy.heads().len(), asked + 1, "it is asked once");
                let source = std::error::Error::source(&error).unwrap().to_string();
                let told = format!("{error} {error:?} {source} {client:?}");
                assert!(told.contains("407"), "{told}");
                assert!(!told.contains("wr0ng") && !told.contains("dXNlcjp3cjBuZw"), "{told}");
            }
        }
    }
    assert_eq!(emulator.requests().all().len(), before);
}

#[tokio::test]
async fn hosts_named_in_no_proxy_are_reached_without_it() {
    let emulator = Emulator::start().await.unwrap();
    let nowhere = "http://127.0.0.1:9";
    let direct = builder(&emulator).proxy(nowhere).no_proxy("example.com, 127.0.0.0/8");
    let client = direct.build().unwrap();
    client.put_bucket(PutBucketRequest::new(BUCKET)).await.unwrap();
    assert_works(&client).await;
    let elsewhere = builder(&emulator).proxy(nowhere).no_proxy("example.com");
    let client = elsewhere.retry_attempts(1).build().unwrap();
    for key in KEYS {
        let error = client.get_object(GetObjectRequest::new(BUCKET, key)).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.is_retryable()),
            (ErrorKind::Connect, true),
            "{error:?}"
        );
    }
}

/// The environment belongs to the process, so each case is a process of its own.
#[tokio::test]
async fn the_proxy_of_the_environment_is_taken_only_when_asked_for() {
    let emulator = Emulator::start().await.unwrap();
    let client = builder(&emulator).build().unwrap();
    client.put_bucket(PutBucketRequest::new(BUCKET)).await.unwrap();
    let proxy = ForwardProxy::start(emulator.address(), None).await;
    let used = &proxy.url("");
    type Row<'r> = (&'r str, &'r [(&'r str, &'r str)], bool);
    let rows: [Row<'_>; 7] = [
        ("no", &[("HTTP_PROXY", used), ("ALL_PROXY", used)], false),
        ("yes", &[("HTTP_PROXY", used)], true),
        ("yes", &[("http_proxy", used)], true),
        ("yes", &[("ALL_PROXY", used)], true),
        ("yes", &[("HTTPS_PROXY", used)], false),
        ("yes", &[("HTTP_PROXY", used), ("NO_PROXY", "127.0.0.1")], false),
        ("yes", &[("HTTP_PROXY", used), ("REQUEST_METHOD", "GET")], false),
    ];
    for (wanted, variables, is_used) in rows {
        let before = proxy.heads().len();
        let mut child = Command::new(std::env::current_exe().unwrap());
        child
            .args(["--exact", "--ignored", "a_child_follows_its_environment"])
            .env_clear()
            .env("SUITE_WANTS_PROXY", wanted)
            .envs(emulator.environment())
            .envs(variables.iter().copied());
        let output = tokio::task::spawn_blocking(move || child.output())
            .await
            .unwrap()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success() && text.contains("1 passed"),
            "{variables:?}: {text}"
        );
        assert_eq!(proxy.heads().len() > before, is_used, "{wanted} {variables:?}");
    }
}

#[tokio::test]
#[ignore = "needs the environment that `the_proxy_of_the_environment_is_taken_only_when_asked_for` gives it"]
async fn a_child_follows_its_environment() {
    let config = oss_sdk::Config::from_env().unwrap();
    let wanted = std::env::var("SUITE_WANTS_PROXY").as_deref() == Ok("yes");
    let client = Client::new(config.proxy_from_environment(wanted)).unwrap();
    assert_works(&client).await;
}

#[tokio::test]
async fn buckets_are_reached_by_host_name_and_by_a_domain_of_their_own() {
    let emulator = secure().await;
    emulator.bind_cname("files.example.com", BUCKET);
    let plain = emulator.plain_endpoint().unwrap();
    let plain_address = plain.strip_prefix("http://").unwrap().parse().unwrap();
    // The proxy knows the names; this machine need not.
    let by_http = ForwardProxy::start(plain_address, None).await;
    let by_tunnel = ForwardProxy::start(emulator.address(), None).await;
    let rows = [
        ("http://localhost", AddressingStyle::VirtualHosted, "suite.localhost"),
        ("https://localhost", AddressingStyle::VirtualHosted, "suite.localhost"),
        ("http://files.example.com", AddressingStyle::Cname, "files.example.com"),
        ("https://files.example.com", AddressingStyle::Cname, "files.example.com"),
    ];
    for (endpoint, style, host) in rows {
        let proxy = if endpoint.starts_with("https") {
            &by_tunnel
        } else {
            &by_http
        };
        let before = emulator.requests().all().len();
        let client = trusting(&emulator)
            .endpoint(endpoint)
            .addressing_style(style)
            .proxy(proxy.url(""))
            .build()
            .unwrap();
        assert_works(&client).await;
        for request in &emulator.requests().all()[before..] {
            assert_eq!(request.header("host"), Some(host), "{endpoint} {style:?}");
        }
    }
}

#[tokio::test]
async fn names_below_localhost_need_no_name_server() {
    let emulator = secure().await;
    let port = emulator.address().port();
    let client = trusting(&emulator)
        .endpoint(format!("https://localhost:{port}"))
        .addressing_style(AddressingStyle::VirtualHosted)
        .build()
        .unwrap();
    assert_works(&client).await;
    let hosts: Vec<_> = emulator.requests().of("GetObject");
    let expected = format!("suite.localhost:{port}");
    assert!(
        hosts
            .iter()
            .all(|request| request.header("host") == Some(expected.as_str()))
    );
}

#[tokio::test]
async fn an_ipv6_address_is_an_endpoint() {
    let emulator = Emulator::builder()
        .host("::1")
        .tls(Tls::generated())
        .start()
        .await
        .unwrap();
    assert!(
        emulator.endpoint().starts_with("https://[::1]:"),
        "{}",
        emulator.endpoint()
    );
    let client = trusting(&emulator)
        .local_address("::1".parse().unwrap())
        .build()
        .unwrap();
    client.put_bucket(PutBucketRequest::new(BUCKET)).await.unwrap();
    assert_works(&client).await;
}
