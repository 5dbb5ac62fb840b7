//! HTTPS, the keys of the program, and where it refuses to start.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use oss_emulator::{Clock, Emulator, StartError, Tls};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::client::{Client, Request, Response, hmac_sha1_base64, noon, parse};
use crate::program::Program;

fn trusting(pem: &str) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap())
        .unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

async fn send(connector: &TlsConnector, name: &str, client: &Client, request: Request) -> Result<Response, String> {
    let stream = TcpStream::connect(&client.address).await.unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut stream = connector
        .connect(name, stream)
        .await
        .map_err(|error| error.to_string())?;
    stream.write_all(&client.raw(&client.sign(request))).await.unwrap();
    let mut answer = Vec::new();
    // A server that closes without the closing message of TLS is fine: the length is known.
    let _ = stream.read_to_end(&mut answer).await;
    parse(&answer, false)
}

async fn start_tls(tls: Tls) -> (Emulator, Client) {
    let emulator = Emulator::builder()
        .clock(Clock::fixed(noon()))
        .tls(tls)
        .plain_port(0)
        .start()
        .await
        .unwrap();
    let client = Client::of(&emulator);
    (emulator, client)
}

#[tokio::test]
async fn objects_go_over_https_and_http_at_once() {
    let (emulator, client) = start_tls(Tls::generated()).await;
    assert!(emulator.endpoint().starts_with("https://127.0.0.1:"));
    let connector = trusting(emulator.ca_certificate_pem().unwrap());
    let created = send(&connector, "localhost", &client, Request::put("/bucket")).await;
    assert_eq!(created.unwrap().status, 200);
    let put = Request::put("/bucket/k").body("over tls");
    assert_eq!(send(&connector, "127.0.0.1", &client, put).await.unwrap().status, 200);
    let address = emulator.plain_endpoint().unwrap().replace("http://", "");
    let plain = Client { address, ..client };
    assert_eq!(plain.send(Request::get("/bucket/k")).await.text(), "over tls");
}

#[tokio::test]
async fn every_name_gets_its_certificate() {
    let (emulator, client) = start_tls(Tls::generated()).await;
    let connector = trusting(emulator.ca_certificate_pem().unwrap());
    // The emulator vouches for no name but its own.
    let foreign = send(&connector, "files.example.com", &client, Request::get("/")).await;
    assert!(foreign.unwrap_err().contains("certificate"));
    emulator.bind_cname("Files.Example.com", "bucket");
    for name in [
        "localhost",
        "::1",
        "bucket.localhost",
        "bucket.oss-cn-hangzhou.aliyuncs.com",
        "Files.Example.com",
    ] {
        let answer = send(&connector, name, &client, Request::get("/")).await;
        assert_eq!(answer.unwrap().status, 200, "{name}");
    }
}

#[tokio::test]
async fn an_authority_is_trusted_by_nobody_else() {
    let (_emulator, client) = start_tls(Tls::generated()).await;
    let (other, _) = start_tls(Tls::generated()).await;
    let connector = trusting(other.ca_certificate_pem().unwrap());
    let refused = send(&connector, "localhost", &client, Request::get("/"))
        .await
        .unwrap_err();
    assert!(refused.contains("certificate"), "{refused}");
}

#[tokio::test]
async fn a_given_certificate_is_served() {
    let own = rcgen::generate_simple_self_signed(["oss.test".to_owned()]).unwrap();
    let tls = Tls::from_pem(own.cert.pem(), own.signing_key.serialize_pem());
    let (emulator, client) = start_tls(tls).await;
    assert_eq!(emulator.ca_certificate_pem(), None);
    let connector = trusting(&own.cert.pem());
    assert_eq!(
        send(&connector, "oss.test", &client, Request::get("/"))
            .await
            .unwrap()
            .status,
        200
    );
    assert!(send(&connector, "localhost", &client, Request::get("/")).await.is_err());
}

#[tokio::test]
async fn a_client_that_never_shakes_hands_holds_up_nobody() {
    let (emulator, client) = start_tls(Tls::generated()).await;
    let _silent = TcpStream::connect(&client.address).await.unwrap();
    let mut babbling = TcpStream::connect(&client.address).await.unwrap();
    babbling.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let connector = trusting(emulator.ca_certificate_pem().unwrap());
    let answer = send(&connector, "localhost", &client, Request::get("/"));
    let answer = tokio::time::timeout(Duration::from_secs(5), answer).await.unwrap();
    assert_eq!(answer.unwrap().status, 200);
    // An unencrypted request is refused, and shutting down does not wait for the silent one.
    let mut rest = Vec::new();
    let _ = babbling.read_to_end(&mut rest).await;
    assert!(!rest.starts_with(b"HTTP"));
    tokio::time::timeout(Duration::from_secs(5), emulator.shutdown())
        .await
        .unwrap();
}

#[tokio::test]
async fn the_default_key_stays_at_home() {
    let refused = Emulator::builder().host("0.0.0.0").start().await.unwrap_err();
    assert!(matches!(refused, StartError::DefaultKey { .. }));
    assert!(refused.to_string().contains("--access-key"), "{refused}");
    let other_account = Emulator::builder().host("0.0.0.0").access_key_of("42", "id", "secret");
    assert!(other_account.start().await.is_err());
    let own = Emulator::builder().host("0.0.0.0").access_key("id", "secret");
    assert!(own.start().await.is_ok());
    assert!(Emulator::builder().host("localhost").start().await.is_ok());
}

fn program(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_oss-emulator"))
        .args(["--port", "0"])
        .args(arguments)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[test]
fn the_program_says_why_it_does_not_start() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("keys");
    std::fs::write(&file, "id:secret\nnot-a-key-but-a-secret\n").unwrap();
    let file = file.to_str().unwrap();
    let users = directory.path().join("users.json");
    let user = serde_json::json!({"name": "u", "access_key_id": "id", "access_key_secret": ["not-a-key-but-a-secret"]});
    std::fs::write(&users, serde_json::json!({"users": [user]}).to_string()).unwrap();
    let users = users.to_str().unwrap();
    for (arguments, environment, why) in [
        (vec!["--identity", users], vec![], "a secret must be a text"),
        (vec!["--host", "0.0.0.0"], vec![], "default access key"),
        (vec![], vec![("OSS_EMULATOR_ACCESS_KEY_ID", "id")], "go together"),
        (vec!["--access-key-file", file], vec![], "line 2"),
        (vec!["--identity", file], vec![], "expected"),
        (vec!["--tls-cert", file, "--tls-key", file], vec![], "no certificate"),
    ] {
        let output = program(&arguments, &environment);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains(why), "{told}");
        assert!(!told.contains("not-a-key-but-a-secret"), "{told}");
    }
}

#[tokio::test]
async fn an_identity_file_makes_ram_users_who_may_do_what_their_policies_say() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("identity.json");
    let may_make =
        r#"{"Version": "1", "Statement": [{"Effect": "Allow", "Action": "oss:PutBucket", "Resource": "*"}]}"#;
    let may_make: serde_json::Value = serde_json::from_str(may_make).unwrap();
    let document = serde_json::json!({"users": [
        {"name": "maker", "access_key_id": "maker", "access_key_secret": "s1", "policies": [may_make]},
        {"name": "reader", "access_key_id": "reader", "access_key_secret": "s2",
            "policies": ["AliyunOSSReadOnlyAccess"]},
        {"account": "42", "name": "stranger", "access_key_id": "stranger", "access_key_secret": "s3",
            "policies": ["AliyunOSSFullAccess"]},
        {"name": "nobody", "access_key_id": "nobody", "access_key_secret": "s4"}]});
    std::fs::write(&file, document.to_string()).unwrap();
    let program = Program::start(&["--identity", file.to_str().unwrap()]);
    let date = program.client.send_as_is(Request::get("/")).await;
    let date = date.header("date").unwrap().to_owned();
    for (key, secret, method, status) in [
        ("reader", "s2", "PUT", 403),
        ("nobody", "s4", "PUT", 403),
        ("maker", "s1", "PUT", 200),
        ("maker", "s1", "GET", 403),
        ("stranger", "s3", "GET", 403),
        ("reader", "s2", "GET", 200),
        ("reader", "s3", "GET", 403),
    ] {
        let signature = hmac_sha1_base64(secret, &format!("{method}\n\n\n{date}\n/made/"));
        let request = Request::new(method, "/made/")
            .header("date", &date)
            .header("authorization", &format!("OSS {key}:{signature}"));
        let answer = program.client.send_as_is(request).await;
        assert_eq!(answer.status, status, "{method} by {key}: {}", answer.text());
    }
}

#[test]
fn the_program_tells_where_everything_is() {
    let directory = tempfile::tempdir().unwrap();
    let identity = directory.path().join("identity.json");
    let document = serde_json::json!({
        "roles": [{"name": "instance", "max_session_duration": 7200, "policies": [],
            "trust_policy": {"Version": "1", "Statement": [
                {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ecs.aliyuncs.com"}}]}}],
        "oidc_providers": [{"name": "p", "issuer": "https://issuer.test", "client_ids": ["a"],
            "public_keys": [include_str!("../data/oidc-public-key.pem")]}]});
    std::fs::write(&identity, document.to_string()).unwrap();
    let authority = directory.path().join("ca.pem");
    let mut child = Command::new(env!("CARGO_BIN_EXE_oss-emulator"))
        .args([
            "--port",
            "0",
            "--tls",
            "--http-port",
            "0",
            "--ecs-metadata",
            "instance",
            "--identity",
        ])
        .arg(&identity)
        .arg("--tls-ca-file")
        .arg(&authority)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let told: Vec<String> = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok)
        .take(5)
        .collect();
    child.kill().unwrap();
    child.wait().unwrap();
    let starts = [
        "listening on https://127.0.0.1:",
        "listening on http://127.0.0.1:",
        "ECS metadata on http://127.0.0.1:",
        "credentials URI http://127.0.0.1:",
        "certificate to trust: ",
    ];
    assert!(
        told.iter().zip(starts).all(|(line, start)| line.starts_with(start)),
        "{told:?}"
    );
    assert!(
        std::fs::read_to_string(authority)
            .unwrap()
            .contains("BEGIN CERTIFICATE")
    );
}
