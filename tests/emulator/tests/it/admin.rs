//! The management listener: what it does, and what it keeps out.

use oss_emulator::{AdminOptions, Builder, Clock, Emulator, StartError};
use serde_json::{Value, json};

use crate::client::{Client, Request, Response, noon};

const TOKEN: &str = "a-token-of-the-tests";

fn builder() -> Builder {
    Emulator::builder()
        .clock(Clock::fixed(noon()))
        .admin(AdminOptions::new().token(TOKEN))
}

/// The emulator, a client of its service, and one of its management.
async fn start() -> (Emulator, Client, Manager) {
    let emulator = builder().start().await.unwrap();
    let client = Client::of(&emulator);
    let manager = Manager::of(&emulator);
    (emulator, client, manager)
}

#[derive(Debug, Clone)]
struct Manager(Client);

impl Manager {
    fn of(emulator: &Emulator) -> Self {
        let address = emulator.admin_endpoint().unwrap().replace("http://", "");
        Self(Client {
            host: address.clone(),
            address,
            ..Client::of(emulator)
        })
    }

    async fn send(&self, request: Request) -> Response {
        self.0
            .send_as_is(request.header("authorization", &format!("Bearer {TOKEN}")))
            .await
    }

    async fn get(&self, target: &str) -> Value {
        let answer = self.send(Request::get(target)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    async fn post(&self, target: &str, document: &Value) -> Response {
        self.send(post(target, document)).await
    }
}

fn post(target: &str, document: &Value) -> Request {
    Request::post(target)
        .header("content-type", "application/json")
        .body(document.to_string())
}

fn code(answer: &Response) -> (u16, String) {
    let code = answer.json()["error"]["code"].as_str().unwrap_or_default().to_owned();
    (answer.status, code)
}

#[tokio::test]
async fn there_is_no_management_unless_asked_for() {
    let emulator = Emulator::start().await.unwrap();
    assert_eq!((emulator.admin_endpoint(), emulator.admin_token()), (None, None));
    let client = Client::of(&emulator);
    let answer = client
        .send_as_is(Request::get("/_admin/faults").header("authorization", "Bearer x"))
        .await;
    assert_eq!(answer.error(), (400, "InvalidBucketName".to_owned()));
}

#[tokio::test]
async fn a_token_is_drawn_when_none_is_given() {
    let start = || Emulator::builder().admin(AdminOptions::new()).start();
    let (one, other) = (start().await.unwrap(), start().await.unwrap());
    let token = one.admin_token().unwrap().to_owned();
    assert!(token.len() >= 32);
    assert_ne!(Some(token.as_str()), other.admin_token());
    let with = |token: &str| Request::get("/_admin/buckets").header("authorization", &format!("Bearer {token}"));
    assert_eq!(Manager::of(&one).0.send_as_is(with(&token)).await.status, 200);
    assert_eq!(Manager::of(&other).0.send_as_is(with(&token)).await.status, 401);
}

#[tokio::test]
async fn other_addresses_need_a_chosen_token() {
    let on = |options: AdminOptions| Emulator::builder().admin(options.host("0.0.0.0")).start();
    let error = on(AdminOptions::new()).await.unwrap_err();
    assert!(matches!(error, StartError::Admin(_)), "{error}");
    assert!(on(AdminOptions::new().token("short")).await.is_err());
    let emulator = on(AdminOptions::new().token(TOKEN)).await.unwrap();
    assert_eq!(emulator.admin_token(), Some(TOKEN));
}

#[tokio::test]
async fn nothing_opens_without_the_token() {
    let (_emulator, client, manager) = start().await;
    assert_eq!(client.send(Request::put("/bucket")).await.status, 200);
    let paths = [
        ("GET", "/_admin/faults"),
        ("POST", "/_admin/faults"),
        ("DELETE", "/_admin/faults"),
        ("POST", "/_admin/clock"),
        ("GET", "/_admin/requests"),
        ("GET", "/_admin/buckets"),
        ("POST", "/_admin/reset"),
        ("POST", "/_admin/lifecycle/run"),
        ("POST", "/_admin/inventory/run"),
        ("GET", "/metrics"),
        ("GET", "/_admin/objects"),
        ("GET", "/_admin/content"),
        ("GET", "/_admin/nothing"),
    ];
    let wrong = [
        None,
        Some("Bearer wrong-token-of-the-tests"),
        Some("Bearer "),
        Some("Bearer a-token-of-the-test"),
        Some("Bearer a-token-of-the-tests2"),
        Some("Basic YS10b2tlbi1vZi10aGUtdGVzdHM6"),
        Some(TOKEN),
    ];
    for (method, path) in paths {
        for authorization in wrong {
            let request = Request::new(method, path);
            let request = match authorization {
                Some(value) => request.header("authorization", value),
                None => request,
            };
            let answer = manager.0.send_as_is(request).await;
            assert_eq!(
                code(&answer),
                (401, "Unauthorized".to_owned()),
                "{method} {path} {authorization:?}"
            );
        }
        // The token opens nothing where it is not looked for.
        let query = Request::new(method, &format!("{path}?access_token={TOKEN}"));
        assert_eq!(manager.0.send_as_is(query).await.status, 401, "{method} {path}");
    }
    assert_eq!(manager.get("/_admin/buckets").await["buckets"][0]["name"], "bucket");
}

#[tokio::test]
async fn other_names_of_the_address_are_refused() {
    let (_emulator, _client, manager) = start().await;
    let port = manager.0.address.rsplit_once(':').unwrap().1.to_owned();
    for (host, status) in [
        (format!("127.0.0.1:{port}"), 200),
        (format!("localhost:{port}"), 200),
        (format!("[::1]:{port}"), 200),
        (format!("evil.example:{port}"), 403),
        (format!("localhost.evil.example:{port}"), 403),
        (format!("127.0.0.1.nip.io:{port}"), 403),
        (format!("10.1.2.3:{port}"), 403),
        (String::new(), 403),
    ] {
        let rebound = Manager(Client {
            host: host.clone(),
            ..manager.0.clone()
        });
        assert_eq!(
            rebound.send(Request::get("/_admin/faults")).await.status,
            status,
            "{host}"
        );
        let login = rebound.0.send_as_is(Request::get(&format!("/_ui?token={TOKEN}"))).await;
        assert_eq!(login.status == 303, status == 200, "{host}");
    }
    let twice = Request::get("/_admin/faults").header("host", "evil.example");
    assert_eq!(manager.send(twice).await.status, 403);
    let absolute = format!(
        "GET http://evil.example/_admin/faults HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {TOKEN}\r\nconnection: close\r\n\r\n",
        manager.0.address
    );
    let answer = manager.0.exchange(absolute.as_bytes()).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 403"));
}

#[tokio::test]
async fn requests_of_other_sites_are_refused() {
    let (emulator, _client, manager) = start().await;
    let own = format!("http://{}", manager.0.address);
    let fault = json!({"action": "stall"});
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", "http://127.0.0.1:1"),
        ("origin", "http://127.0.0.1"),
        ("origin", ""),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-site", "something"),
    ] {
        let answer = manager.send(post("/_admin/faults", &fault).header(name, value)).await;
        assert_eq!(code(&answer), (403, "ForeignOrigin".to_owned()), "{name}: {value}");
        let read = manager.send(Request::get("/_admin/requests").header(name, value)).await;
        assert_eq!(read.status, 403, "{name}: {value}");
    }
    assert_eq!(emulator.faults().pending(), 0);
    let at_home = post("/_admin/faults", &fault)
        .header("origin", &own)
        .header("sec-fetch-site", "same-origin");
    assert_eq!(manager.send(at_home).await.status, 201);
}

#[tokio::test]
async fn no_browser_is_told_that_other_sites_may_read() {
    let (_emulator, _client, manager) = start().await;
    let preflight = Request::new("OPTIONS", "/_admin/faults")
        .header("origin", "https://evil.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization");
    for answer in [
        manager.0.send_as_is(preflight.clone()).await,
        manager.send(preflight).await,
        manager.send(Request::get("/_admin/faults")).await,
        manager.0.send_as_is(Request::get("/healthz")).await,
    ] {
        assert!(
            !answer.headers.keys().any(|name| name.starts_with("access-control-")),
            "{answer:?}"
        );
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("x-frame-options"), Some("DENY"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert!(
            answer
                .header("content-security-policy")
                .is_some_and(|policy| policy.contains("frame-ancestors 'none'"))
        );
    }
}

#[tokio::test]
async fn what_a_form_can_send_is_not_json() {
    let (emulator, _client, manager) = start().await;
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
    ] {
        let simple = Request::post("/_admin/faults")
            .header("content-type", content_type)
            .body(r#"{"action": "stall"}"#);
        assert_eq!(manager.send(simple).await.status, 415, "{content_type}");
    }
    assert_eq!(emulator.faults().pending(), 0);
}

#[tokio::test]
async fn large_and_broken_documents_are_refused() {
    let (_emulator, _client, manager) = start().await;
    let large = post("/_admin/faults", &json!({"action": "x".repeat(2 * 1024 * 1024)}));
    assert_eq!(manager.send(large).await.status, 413);
    let declared = post("/_admin/faults", &json!({})).header("content-length", "99999999999");
    assert_eq!(manager.send(declared).await.status, 413);
    let chunks = format!("{:x}\r\n{}\r\n", 2 * 1024 * 1024, "x".repeat(2 * 1024 * 1024));
    let chunked = Request::post("/_admin/faults")
        .header("content-type", "application/json")
        .header("transfer-encoding", "chunked")
        .body(chunks);
    assert_eq!(manager.send(chunked).await.status, 413);
    for body in [
        "{",
        "[]",
        "null",
        "{\"action\": 1}",
        "{\"action\": \"stall\", \"extra\": 1}",
        "\u{0}",
    ] {
        let broken = Request::post("/_admin/faults")
            .header("content-type", "application/json")
            .body(body);
        assert_eq!(
            code(&manager.send(broken).await),
            (400, "BadRequest".to_owned()),
            "{body}"
        );
    }
    for (method, path, status) in [
        ("PUT", "/_admin/faults", 405),
        ("GET", "/_admin/reset", 405),
        ("POST", "/metrics", 405),
        ("POST", "/healthz", 405),
        ("GET", "/_admin/requests?limit=x", 400),
        ("GET", "/_admin/%FF", 404),
        ("GET", "/_admin/faults?%FF", 400),
        ("DELETE", "/_admin/faults?id=7", 404),
        ("GET", "/", 404),
    ] {
        let raw = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {TOKEN}\r\nconnection: close\r\n\r\n",
            manager.0.address
        );
        let answer = String::from_utf8(manager.0.exchange(raw.as_bytes()).await.unwrap()).unwrap();
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{method} {path}: {answer}"
        );
    }
}

#[tokio::test]
async fn the_page_changes_the_token_for_a_cookie() {
    let (_emulator, _client, manager) = start().await;
    let wrong = manager.0.send_as_is(Request::get("/_ui?token=wrong")).await;
    assert_eq!((wrong.status, wrong.header("set-cookie")), (401, None));
    let login = manager.0.send_as_is(Request::get(&format!("/_ui?token={TOKEN}"))).await;
    assert_eq!((login.status, login.header("location")), (303, Some("/_ui/")));
    let cookie = login.header("set-cookie").unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && !cookie.contains(TOKEN));
    let pair = cookie.split(';').next().unwrap().to_owned();
    let by_cookie = |request: Request| manager.0.send_as_is(request.header("cookie", &format!("a=b; {pair}")));
    assert_eq!(by_cookie(Request::get("/_admin/faults")).await.status, 200);
    let fault = json!({"action": "stall"});
    // Only a browser has the cookie, and a browser tells where a change comes from.
    assert_eq!(by_cookie(post("/_admin/faults", &fault)).await.status, 403);
    let own = format!("http://{}", manager.0.address);
    assert_eq!(
        by_cookie(post("/_admin/faults", &fault).header("origin", &own))
            .await
            .status,
        201
    );
    let foreign = post("/_admin/faults", &fault).header("origin", "http://localhost:3000");
    assert_eq!(by_cookie(foreign).await.status, 403);
    // A wrong token is not made good by a cookie.
    let both = Request::get("/_admin/faults").header("authorization", "Bearer wrong-token-of-the-tests");
    assert_eq!(by_cookie(both).await.status, 401);
}

#[tokio::test]
async fn health_needs_no_token() {
    let (_emulator, client, manager) = start().await;
    assert_eq!(manager.0.send_as_is(Request::get("/healthz")).await.text(), "ok\n");
    assert_eq!(client.send_as_is(Request::get("/healthz")).await.text(), "ok\n");
    // On the service's address only what cannot be meant for a bucket is a probe.
    assert_eq!(
        client.send_as_is(Request::get("/healthz?prefix=a")).await.error(),
        (404, "NoSuchBucket".to_owned())
    );
    assert_eq!(
        client.send(Request::get("/healthz")).await.error(),
        (404, "NoSuchBucket".to_owned())
    );
    assert_eq!(client.send(Request::put("/healthz")).await.status, 200);
    assert_eq!(
        client.send_as_is(Request::get("/healthz")).await.error(),
        (403, "AccessDenied".to_owned())
    );
}

#[tokio::test]
async fn metrics_count_what_was_served() {
    let (emulator, client, manager) = start().await;
    client.send(Request::put("/bucket")).await;
    client.send(Request::put("/bucket/k").body("12345")).await;
    client.send(Request::get("/bucket/k")).await;
    client.send(Request::get("/bucket/none")).await;
    emulator.faults().add("action=status:503:ServiceBusy".parse().unwrap());
    client.send(Request::get("/bucket/k")).await;
    let text = manager.send(Request::get("/metrics")).await.text();
    for expected in [
        "oss_emulator_requests_total{operation=\"PutObject\",status=\"200\"} 1",
        "oss_emulator_requests_total{operation=\"GetObject\",status=\"200\"} 1",
        "oss_emulator_requests_total{operation=\"GetObject\",status=\"404\"} 1",
        "oss_emulator_requests_total{operation=\"GetObject\",status=\"503\"} 1",
        "oss_emulator_request_bytes_total{operation=\"PutObject\"} 5",
        "oss_emulator_request_duration_seconds_count{operation=\"GetObject\"} 3",
        "oss_emulator_faults_injected_total{fault=\"status\"} 1",
        "oss_emulator_requests_in_flight 0",
        "oss_emulator_buckets 1",
        "oss_emulator_objects 1",
        "oss_emulator_stored_bytes 5",
    ] {
        assert!(text.lines().any(|line| line == expected), "{expected} in\n{text}");
    }
}

#[tokio::test]
async fn metrics_can_be_opened() {
    let emulator = builder()
        .admin(AdminOptions::new().token(TOKEN).open_metrics(true))
        .start()
        .await
        .unwrap();
    let manager = Manager::of(&emulator);
    assert_eq!(manager.0.send_as_is(Request::get("/metrics")).await.status, 200);
    assert_eq!(manager.0.send_as_is(Request::get("/_admin/buckets")).await.status, 401);
}

#[tokio::test]
async fn the_clock_is_read_and_moved() {
    let (emulator, _client, manager) = start().await;
    let clock = manager.get("/_admin/clock").await;
    assert_eq!(
        (&clock["now"], &clock["frozen"]),
        (&json!("2023-12-17T16:20:57.000Z"), &json!(true))
    );
    let moved = manager.post("/_admin/clock", &json!({"advance_seconds": 3600})).await;
    assert_eq!(moved.json()["now"], "2023-12-17T17:20:57.000Z");
    let set = manager
        .post("/_admin/clock", &json!({"set": "2030-01-01T00:00:00Z"}))
        .await;
    assert_eq!(set.json()["now"], "2030-01-01T00:00:00.000Z");
    let before = emulator.clock().now();
    let resumed = manager.post("/_admin/clock", &json!({"freeze": false})).await;
    assert_eq!(resumed.json()["frozen"], false);
    assert!(emulator.clock().now() >= before);
    let back = manager
        .post("/_admin/clock", &json!({"offset_seconds": -10, "freeze": true}))
        .await;
    assert_eq!(back.json()["frozen"], true);
    for wrong in [
        json!({"set": "noon"}),
        json!({"advance_seconds": -1}),
        json!({"stop": true}),
    ] {
        assert_eq!(manager.post("/_admin/clock", &wrong).await.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn recent_requests_show_what_was_signed() {
    let (_emulator, client, manager) = start().await;
    client.send(Request::put("/bucket")).await;
    client.send_as_is(client.presign(Request::get("/bucket/k"), 60)).await;
    client.send_as_is(Request::get("/bucket/k")).await;
    let requests = manager.get("/_admin/requests?limit=2").await;
    let requests = requests["requests"].as_array().unwrap();
    assert_eq!(requests.len(), 2);
    let (anonymous, presigned) = (&requests[0], &requests[1]);
    assert_eq!(
        (&anonymous["status"], &anonymous["string_to_sign"]),
        (&json!(403), &Value::Null)
    );
    assert_eq!(presigned["operation"], "GetObject");
    assert_eq!(presigned["code"], "NoSuchKey");
    assert_eq!(presigned["time"], "2023-12-17T16:20:57.000Z");
    assert!(presigned["duration_us"].is_u64());
    let signed = presigned["string_to_sign"].as_str().unwrap();
    assert!(
        signed.starts_with("GET\n/bucket/k\n") && signed.contains("\nOSS4-HMAC-SHA256\n"),
        "{signed}"
    );
    assert!(presigned["target"].as_str().unwrap().ends_with("x-oss-signature=***"));
}

#[tokio::test]
async fn lifecycle_and_inventory_run_when_told() {
    let (_emulator, client, manager) = start().await;
    client.send(Request::put("/bucket")).await;
    client.send(Request::put("/bucket/k").body("x")).await;
    let rule = "<Rule><Prefix/><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule>";
    let rules =
        Request::put("/bucket?lifecycle").body(format!("<LifecycleConfiguration>{rule}</LifecycleConfiguration>"));
    assert_eq!(client.send(rules).await.status, 200);
    let none = manager.send(Request::post("/_admin/lifecycle/run")).await;
    assert_eq!((none.status, &none.json()["expired"]), (200, &json!(0)));
    manager
        .post("/_admin/clock", &json!({"advance_seconds": 3 * 86_400}))
        .await;
    let due = manager.post("/_admin/lifecycle/run", &json!({})).await.json();
    assert_eq!((&due["expired"], &due["uploads_aborted"]), (&json!(1), &json!(0)));
    let lists = manager.send(Request::post("/_admin/inventory/run")).await;
    assert_eq!(lists.json(), json!({"manifests": [], "failed": []}));
    for name in ["lifecycle", "inventory"] {
        let target = format!("/_admin/{name}/run");
        assert_eq!(manager.send(Request::get(&target)).await.status, 405);
        assert_eq!(manager.post(&target, &json!({"all": true})).await.status, 400);
    }
}

#[tokio::test]
async fn faults_come_and_go() {
    let (emulator, client, manager) = start().await;
    let fault = json!({"action": "status:503:ServiceBusy", "operation": "PutBucket", "times": "always"});
    let first = manager.post("/_admin/faults", &fault).await;
    assert_eq!(first.status, 201);
    let id = first.json()["id"].as_u64().unwrap();
    assert_eq!(client.send(Request::put("/bucket")).await.status, 503);
    let listed = manager.get("/_admin/faults").await;
    let listed = &listed["faults"][0];
    assert_eq!(
        (&listed["hits"], &listed["action"]),
        (&json!(1), &json!("status:503:ServiceBusy"))
    );
    let removed = manager.send(Request::delete(&format!("/_admin/faults?id={id}"))).await;
    assert_eq!(removed.json(), json!({"faults": []}));
    assert_eq!(client.send(Request::put("/bucket")).await.status, 200);
    let shown = emulator.requests().of("PutBucket").remove(0);
    assert_eq!(shown.fault.as_deref(), Some("status:503:ServiceBusy"));
}

#[tokio::test]
async fn a_reset_forgets_memory_but_no_directory() {
    let (emulator, client, manager) = start().await;
    client.send(Request::put("/bucket")).await;
    client.send(Request::put("/bucket/k").body("x")).await;
    manager.post("/_admin/faults", &json!({"action": "stall"})).await;
    assert_eq!(manager.post("/_admin/reset", &json!({"all": true})).await.status, 400);
    assert_eq!(
        manager.send(Request::post("/_admin/reset")).await.json(),
        json!({"buckets": 1})
    );
    assert_eq!(emulator.faults().pending(), 0);
    assert_eq!(
        client.send(Request::get("/bucket/k")).await.error(),
        (404, "NoSuchBucket".to_owned())
    );
    assert_eq!(client.send(Request::put("/bucket")).await.status, 200);

    let directory = tempfile::tempdir().unwrap();
    let emulator = builder().data_dir(directory.path()).start().await.unwrap();
    let (client, manager) = (Client::of(&emulator), Manager::of(&emulator));
    client.send(Request::put("/bucket")).await;
    assert_eq!(manager.send(Request::post("/_admin/reset")).await.status, 409);
    assert_eq!(client.send(Request::get("/bucket/")).await.status, 200);
}
