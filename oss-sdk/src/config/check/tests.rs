//! Each contradiction with the sentence that it is refused with.

use std::time::Duration;

use crate::error::ErrorKind;
use crate::fake::FakeTransport;
use crate::limiter::Bandwidth;
use crate::retry::{NoRetry, StandardRetry};
use crate::signer::SignerV4;
use crate::transport::TlsVersion;
use crate::{AddressingStyle, Client, Config, Credentials, SignatureVersion};

/// Settings that are enough for a client.
fn good() -> Config {
    FakeTransport::new([]).config()
}

/// The same without a transport, for its settings.
fn own() -> Config {
    Config::new()
        .region("cn-hangzhou")
        .credentials(Credentials::new("ak", "5ec4e7"))
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn assert_refused(rows: Vec<(Config, &str, &str)>) {
    for (index, (config, setting, rule)) in rows.into_iter().enumerate() {
        let error = Client::new(config).expect_err(rule);
        assert_eq!(
            (error.kind(), error.member(), error.message()),
            (ErrorKind::Config, Some(setting), rule),
            "row {index}"
        );
    }
}

#[test]
fn contradictions_are_refused_with_a_sentence() {
    let ip = "http://127.0.0.1:9000";
    assert_refused(vec![
        (
            good().endpoint(ip).addressing_style(AddressingStyle::Cname),
            "addressing_style",
            "`Cname` contradicts `endpoint`: an IP address has no name for buckets",
        ),
        (
            good()
                .endpoint("https://[::1]")
                .addressing_style(AddressingStyle::VirtualHosted),
            "addressing_style",
            "`VirtualHosted` contradicts `endpoint`: an IP address has no name for buckets",
        ),
        (
            good().endpoint("https://h").disable_ssl(true),
            "disable_ssl",
            "contradicts `endpoint`, which is `https`",
        ),
        (
            good().accelerate(true).addressing_style(AddressingStyle::Path),
            "addressing_style",
            "`Path` contradicts a host of transfer acceleration, which finds the bucket by its name (`accelerate`)",
        ),
        (
            good().signer(SignerV4::new()).signature_version(SignatureVersion::V4),
            "signature_version",
            "contradicts `signer`",
        ),
        (
            good()
                .signature_version(SignatureVersion::V1)
                .additional_signed_header("host"),
            "additional_signed_header",
            "has no effect with signature V1, which signs a fixed set",
        ),
        (
            good()
                .endpoint("h")
                .cloud_box_id("cb-1")
                .signature_version(SignatureVersion::V1),
            "cloud_box_id",
            "has no effect with signature V1, which has no scope",
        ),
        (
            good().retry_policy(NoRetry).retry_attempts(2),
            "retry_attempts",
            "contradicts `retry_policy`: `NoRetry` makes 1 attempt",
        ),
        (
            good().retry_attempts(0),
            "retry_attempts",
            "must be at least 1, it is 0",
        ),
        (good().timeout(seconds(0)), "timeout", "must be longer than zero"),
        (
            own().connect_timeout(seconds(0)),
            "connect_timeout",
            "must be longer than zero",
        ),
        (
            good().timeout(seconds(1)).attempt_timeout(seconds(2)),
            "attempt_timeout",
            "of 2 s has no effect: `timeout` of 1 s comes first",
        ),
        (
            good().timeout(Duration::from_millis(1500)).idle_timeout(seconds(2)),
            "idle_timeout",
            "of 2 s has no effect: `timeout` of 1.5 s comes first",
        ),
        (
            good().upload_limit(Bandwidth::bytes_per_second(0)),
            "upload_limit",
            "must be more than zero",
        ),
        (
            good().download_limit(Bandwidth::kib_per_second(0)),
            "download_limit",
            "must be more than zero",
        ),
        (
            good().default_header("Transfer-Encoding", "chunked"),
            "default_header",
            "must not be `transfer-encoding`: it belongs to the connection",
        ),
        (
            good().default_header("Host", "evil"),
            "default_header",
            "must not be `host`: it is that of the endpoint",
        ),
    ]);
}

#[cfg(feature = "rustls")]
#[test]
fn impossible_connections_are_refused_with_a_sentence() {
    assert_refused(vec![
        (
            own()
                .endpoint("http://127.0.0.1:1")
                .local_address("::1".parse().unwrap()),
            "local_address",
            "is IPv6 and has no way to `endpoint`, which is IPv4",
        ),
        (
            own().proxy("http://p").proxy_from_environment(true),
            "proxy_from_environment",
            "contradicts `proxy`",
        ),
        (own().no_proxy("a"), "no_proxy", "has no effect without `proxy`"),
        (
            own().no_proxy("a").proxy_from_environment(true),
            "no_proxy",
            "contradicts `proxy_from_environment`, which has `NO_PROXY`",
        ),
        (
            own().max_connections(0),
            "max_connections",
            "must be at least 1, it is 0",
        ),
        (
            own().root_certificate_pem("x").danger_accept_invalid_certificates(true),
            "root_certificate_pem",
            "contradicts `danger_accept_invalid_certificates`, which trusts everybody",
        ),
        (
            own().root_certificate_pem("x"),
            "root_certificate_pem",
            "must hold a certificate in PEM",
        ),
        (
            own().root_certificate_pem("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
            "root_certificate_pem",
            "must hold certificates in PEM that can be read",
        ),
        (
            own().proxy("socks5://p"),
            "proxy",
            "must begin with `http://` or `https://`: other proxies are not supported",
        ),
    ]);
}

#[test]
fn settings_of_a_transport_contradict_another() {
    let rows = [
        (good().connect_timeout(seconds(1)), "connect_timeout"),
        (good().proxy("http://p"), "proxy"),
        (good().no_proxy("h"), "no_proxy"),
        (good().proxy_from_environment(true), "proxy_from_environment"),
        (good().max_connections(1), "max_connections"),
        (good().max_idle_connections(1), "max_idle_connections"),
        (good().idle_connection_timeout(seconds(1)), "idle_connection_timeout"),
        (good().tcp_keepalive(seconds(1)), "tcp_keepalive"),
        (good().local_address("127.0.0.1".parse().unwrap()), "local_address"),
        (good().tls_minimum(TlsVersion::V1_3), "tls_minimum"),
        (good().root_certificate_pem("x"), "root_certificate_pem"),
        (
            good().danger_accept_invalid_certificates(true),
            "danger_accept_invalid_certificates",
        ),
    ];
    for (config, setting) in rows {
        let error = Client::new(config).unwrap_err();
        assert_eq!(
            (error.member(), error.message()),
            (Some(setting), "contradicts `transport`, which has settings of its own")
        );
    }
}

#[cfg(not(feature = "reqwest"))]
#[test]
fn settings_of_no_transport_are_refused() {
    let error = Client::new(own().connect_timeout(seconds(1))).unwrap_err();
    assert_eq!(
        (error.member(), error.message()),
        (Some("connect_timeout"), "has no effect without the feature `reqwest`")
    );
}

#[test]
fn what_looks_contradictory_and_is_not_is_taken() {
    let v1 = SignatureVersion::V1;
    let rows = [
        good()
            .endpoint("http://localhost:9000")
            .addressing_style(AddressingStyle::VirtualHosted),
        good()
            .endpoint("http://127.0.0.1:9000")
            .addressing_style(AddressingStyle::Path),
        good().endpoint("http://h").disable_ssl(true),
        good().disable_ssl(true),
        good().signature_version(v1),
        good().retry_policy(NoRetry).retry_attempts(1),
        good()
            .retry_policy(StandardRetry::new().with_max_attempts(1))
            .retry_attempts(5),
        // The last policy counts.
        good()
            .retry_policy(NoRetry)
            .retry_policy(StandardRetry::new())
            .retry_attempts(5),
        good().timeout(seconds(2)).attempt_timeout(seconds(2)),
        // The default of 20 seconds is no statement of the caller's.
        good().timeout(seconds(2)),
        good().idle_timeout(seconds(0)).timeout(seconds(2)),
        good().default_header("Cache-Control", "no-cache"),
    ];
    for (index, config) in rows.into_iter().enumerate() {
        Client::new(config).unwrap_or_else(|error| panic!("row {index}: {error}"));
    }
}

#[test]
fn the_endpoint_is_shown_without_user_and_password() {
    for endpoint in [
        "http://user:5ec4e7@h.example.com:1/a?b",
        "user:5ec4e7@h.example.com:1",
        "https://user:5e/5ec4e7@h.example.com:1",
        "https://user:p@5ec4e7@h.example.com:1",
    ] {
        let config = good().endpoint(endpoint);
        let shown = format!("{config:?}");
        assert!(
            shown.contains("h.example.com:1") && !shown.contains("5ec4e7"),
            "{shown}"
        );
        let error = Client::new(config).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("5ec4e7"), "{error:?}");
    }
    let shown = format!("{:?}", good().endpoint("https://h.example.com:1/a"));
    assert!(shown.contains("\"https://h.example.com:1\""), "{shown}");
}
