//! What the page looks at and changes: buckets, objects, versions, content; and the page's own files.

use oss_emulator::{AdminOptions, Clock, Emulator};
use serde_json::{Value, json};

use crate::client::{Client, Request, Response, noon};

const TOKEN: &str = "a-token-of-the-tests";

/// A browser, as far as the listener can tell.
struct Page {
    client: Client,
    own: String,
    cookie: String,
}

impl Page {
    /// The emulator with a bucket, a client of its service, and a page that is signed in.
    async fn start() -> (Emulator, Client, Self) {
        let emulator = Emulator::builder()
            .clock(Clock::fixed(noon()))
            .admin(AdminOptions::new().token(TOKEN))
            .start()
            .await
            .unwrap();
        let service = Client::of(&emulator);
        assert_eq!(service.send(Request::put("/bucket")).await.status, 200);
        let own = emulator.admin_endpoint().unwrap();
        let address = own.replace("http://", "");
        let client = Client {
            host: address.clone(),
            address,
            ..service.clone()
        };
        let login = Request::post("/_ui/login")
            .header("content-type", "application/json")
            .header("origin", &own)
            .body(json!({"token": TOKEN}).to_string());
        let answer = client.send_as_is(login).await;
        assert_eq!(answer.status, 204, "{}", answer.text());
        let cookie = answer.header("set-cookie").unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        (emulator, service, Self { client, own, cookie })
    }

    async fn send(&self, request: Request) -> Response {
        let request = request.header("cookie", &self.cookie).header("origin", &self.own);
        self.client.send_as_is(request).await
    }

    async fn get(&self, target: &str) -> Response {
        self.send(Request::get(target)).await
    }

    async fn json(&self, target: &str) -> Value {
        let answer = self.get(target).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    async fn change(&self, method: &str, target: &str, document: &Value) -> Response {
        let request = Request::new(method, target).header("content-type", "application/json");
        self.send(request.body(document.to_string())).await
    }

    async fn upload(&self, key: &str, content: &[u8]) -> Response {
        let put = Request::put("/_admin/object?bucket=bucket").query("key", key);
        self.send(put.body(content)).await
    }
}

fn code(answer: &Response) -> (u16, String) {
    let code = answer.json()["error"]["code"].as_str().unwrap_or_default().to_owned();
    (answer.status, code)
}

fn texts(list: &Value, name: &str) -> Vec<String> {
    let entries = list.as_array().unwrap().iter();
    entries
        .map(|entry| entry[name].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[tokio::test]
async fn nothing_is_shown_or_changed_without_signing_in() {
    let (_emulator, service, page) = Page::start().await;
    service.send(Request::put("/bucket/k").body("secret")).await;
    for (method, target) in [
        ("GET", "/_admin/objects?bucket=bucket"),
        ("GET", "/_admin/versions?bucket=bucket"),
        ("GET", "/_admin/object?bucket=bucket&key=k"),
        ("GET", "/_admin/content?bucket=bucket&key=k"),
        ("PUT", "/_admin/object?bucket=bucket&key=k"),
        ("DELETE", "/_admin/object?bucket=bucket&key=k"),
        ("POST", "/_admin/bucket?bucket=other"),
        ("DELETE", "/_admin/bucket?bucket=bucket"),
    ] {
        let anonymous = page.client.send_as_is(Request::new(method, target)).await;
        assert_eq!(anonymous.status, 401, "{method} {target}");
        let elsewhere = Request::new(method, target)
            .header("cookie", &page.cookie)
            .header("origin", "https://evil.example");
        assert_eq!(page.client.send_as_is(elsewhere).await.status, 403, "{method} {target}");
    }
    assert_eq!(service.send(Request::get("/bucket/k")).await.text(), "secret");
}

#[tokio::test]
async fn the_page_is_static_and_may_run_nothing_but_itself() {
    let (_emulator, _service, page) = Page::start().await;
    for (target, kind) in [
        ("/_ui/", "text/html; charset=utf-8"),
        ("/_ui/page.js", "text/javascript; charset=utf-8"),
        ("/_ui/page.css", "text/css; charset=utf-8"),
        ("/_ui/icon.svg", "image/svg+xml"),
    ] {
        let answer = page.client.send_as_is(Request::get(target)).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, Some(kind)),
            "{target}"
        );
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("x-frame-options"), Some("DENY"));
        let policy = answer.header("content-security-policy").unwrap();
        assert!(
            policy.contains("default-src 'none'") && !policy.contains("unsafe"),
            "{policy}"
        );
        assert!(!answer.text().contains(TOKEN));
        let renamed = Client {
            host: "evil.example".to_owned(),
            ..page.client.clone()
        };
        assert_eq!(renamed.send_as_is(Request::get(target)).await.status, 403, "{target}");
    }
    let html = page.client.send_as_is(Request::get("/_ui/")).await.text();
    let outside = [
        "http:",
        "https:",
        "src=\"//",
        "href=\"//",
        "style=\"",
        "onclick",
        "<style",
    ];
    assert_eq!(outside.iter().find(|text| html.contains(**text)), None);
    let entry = page.client.send_as_is(Request::get("/_ui")).await;
    assert_eq!((entry.status, entry.header("location")), (303, Some("/_ui/")));
    assert_eq!(
        page.client.send_as_is(Request::get("/_ui/../page.js")).await.status,
        404
    );
}

#[tokio::test]
async fn signing_in_takes_the_token_from_the_own_page_only() {
    let (_emulator, _service, page) = Page::start().await;
    let login = |token: &str| {
        Request::post("/_ui/login")
            .header("content-type", "application/json")
            .body(json!({"token": token}).to_string())
    };
    let wrong = page.client.send_as_is(login("wrong").header("origin", &page.own)).await;
    assert_eq!((wrong.status, wrong.header("set-cookie")), (401, None));
    let foreign = login(TOKEN).header("origin", "https://evil.example");
    let foreign = page.client.send_as_is(foreign).await;
    assert_eq!((foreign.status, foreign.header("set-cookie")), (403, None));
    let form = Request::post("/_ui/login").body(format!("{{\"token\": \"{TOKEN}\"}}"));
    assert_eq!(page.client.send_as_is(form).await.status, 415);
    assert_eq!(page.get("/_ui/login").await.status, 405);
    let out = page.send(Request::post("/_ui/logout")).await;
    assert_eq!(out.status, 204);
    assert!(
        out.header("set-cookie")
            .is_some_and(|cookie| cookie.contains("Max-Age=0"))
    );
}

#[tokio::test]
async fn buckets_are_created_changed_and_deleted() {
    let (_emulator, service, page) = Page::start().await;
    let created = page
        .change(
            "POST",
            "/_admin/bucket?bucket=made-here",
            &json!({"acl": "public-read", "versioning": "Enabled"}),
        )
        .await;
    assert_eq!(
        (created.status, created.json()),
        (
            201,
            json!({"name": "made-here", "acl": "public-read", "versioning": "Enabled"})
        )
    );
    let info = service.send(Request::get("/made-here?bucketInfo")).await.text();
    assert!(
        info.contains("public-read</Grant>") && info.contains("<Versioning>Enabled<"),
        "{info}"
    );
    let suspended = page
        .change(
            "PATCH",
            "/_admin/bucket?bucket=made-here",
            &json!({"versioning": "Suspended", "acl": "private"}),
        )
        .await;
    assert_eq!(
        suspended.json(),
        json!({"name": "made-here", "acl": "private", "versioning": "Suspended"})
    );

    for (method, target, document, expected) in [
        ("POST", "bucket=made-here", json!({}), (409, "BucketAlreadyExists")),
        ("POST", "bucket=Not A Name", json!({}), (400, "InvalidBucketName")),
        ("POST", "bucket=a/b", json!({}), (400, "InvalidBucketName")),
        ("POST", "bucket=fine", json!({"acl": "open"}), (400, "InvalidArgument")),
        ("POST", "bucket=fine", json!({"acl": "a\nb"}), (400, "BadRequest")),
        ("POST", "bucket=fine", json!({"owner": "me"}), (400, "BadRequest")),
        ("POST", "", json!({}), (400, "BadRequest")),
        (
            "PATCH",
            "bucket=made-here",
            json!({"versioning": "On"}),
            (400, "MalformedXML"),
        ),
        ("PATCH", "bucket=nowhere", json!({}), (404, "NoSuchBucket")),
        ("DELETE", "bucket=nowhere", json!({}), (404, "NoSuchBucket")),
        ("GET", "bucket=made-here", json!({}), (405, "MethodNotAllowed")),
    ] {
        let answer = page
            .change(method, &format!("/_admin/bucket?{target}"), &document)
            .await;
        assert_eq!(
            code(&answer),
            (expected.0, expected.1.to_owned()),
            "{method} {target} {document}"
        );
    }
    assert_eq!(service.send(Request::get("/fine?bucketInfo")).await.status, 404);

    service.send(Request::put("/made-here/k").body("x")).await;
    let delete = || page.send(Request::delete("/_admin/bucket?bucket=made-here"));
    assert_eq!(code(&delete().await), (409, "BucketNotEmpty".to_owned()));
    service.send(Request::delete("/made-here/k?versionId=null")).await;
    assert_eq!(delete().await.status, 200);
    let names = texts(&page.json("/_admin/buckets").await["buckets"], "name");
    assert_eq!(names, ["bucket"]);
}

#[tokio::test]
async fn objects_are_listed_by_folders_and_pages() {
    let (_emulator, service, page) = Page::start().await;
    for key in ["a.txt", "b/1", "b/2", "b/c/3", "d.txt", "e/"] {
        service.send(Request::put(&format!("/bucket/{key}")).body(key)).await;
    }
    let top = page.json("/_admin/objects?bucket=bucket&delimiter=/").await;
    assert_eq!(texts(&top["objects"], "key"), ["a.txt", "d.txt"]);
    assert_eq!((&top["prefixes"], &top["next"]), (&json!(["b/", "e/"]), &Value::Null));
    assert_eq!(top["objects"][0]["size"], 5);
    let inside = page.json("/_admin/objects?bucket=bucket&delimiter=/&prefix=b/").await;
    assert_eq!(texts(&inside["objects"], "key"), ["b/1", "b/2"]);

    let (mut seen, mut marker) = (Vec::new(), String::new());
    loop {
        let target = format!("/_admin/objects?bucket=bucket&limit=2&marker={marker}");
        let found = page.json(&target).await;
        seen.extend(texts(&found["objects"], "key"));
        match found["next"]["marker"].as_str() {
            Some(next) => next.clone_into(&mut marker),
            None => break,
        }
    }
    assert_eq!(seen, ["a.txt", "b/1", "b/2", "b/c/3", "d.txt", "e/"]);
    assert_eq!(
        code(&page.get("/_admin/objects?bucket=none").await),
        (404, "NoSuchBucket".to_owned())
    );
    assert_eq!(code(&page.get("/_admin/objects").await), (400, "BadRequest".to_owned()));
    assert_eq!(page.get("/_admin/objects?bucket=bucket&limit=many").await.status, 400);
}

#[tokio::test]
async fn versions_of_one_key_end_with_the_key() {
    let (_emulator, service, page) = Page::start().await;
    page.change(
        "PATCH",
        "/_admin/bucket?bucket=bucket",
        &json!({"versioning": "Enabled"}),
    )
    .await;
    for body in ["1", "2", "3"] {
        page.upload("k", body.as_bytes()).await;
    }
    page.upload("k2", b"longer").await;
    let deleted = page
        .send(Request::delete("/_admin/object?bucket=bucket&key=k"))
        .await
        .json();
    assert_eq!(deleted["delete_marker"], true);
    assert_eq!(service.send(Request::get("/bucket/k")).await.status, 404);

    let all = page.json("/_admin/versions?bucket=bucket&key=k").await;
    let list = all["versions"].as_array().unwrap();
    assert_eq!((list.len(), &all["next"]), (4, &Value::Null));
    assert_eq!(
        (&list[0]["delete_marker"], &list[0]["latest"]),
        (&json!(true), &json!(true))
    );
    let first = page.json("/_admin/versions?bucket=bucket&key=k&limit=3").await;
    let (marker, id) = (&first["next"]["marker"], &first["next"]["id_marker"]);
    let (marker, id) = (marker.as_str().unwrap(), id.as_str().unwrap());
    let rest = format!("/_admin/versions?bucket=bucket&key=k&limit=3&marker={marker}&id_marker={id}");
    let rest = page.json(&rest).await;
    assert_eq!(
        (rest["versions"].as_array().unwrap().len(), &rest["next"]),
        (1, &Value::Null)
    );

    let oldest = list[3]["version_id"].as_str().unwrap();
    let old = page
        .get(&format!("/_admin/content?bucket=bucket&key=k&version={oldest}"))
        .await;
    assert_eq!(old.text(), "1");
    let marker = list[0]["version_id"].as_str().unwrap();
    let undone = page
        .send(Request::delete(&format!(
            "/_admin/object?bucket=bucket&key=k&version={marker}"
        )))
        .await;
    assert_eq!(undone.status, 200);
    assert_eq!(service.send(Request::get("/bucket/k")).await.text(), "3");
    let everything = page.json("/_admin/versions?bucket=bucket").await;
    assert_eq!(texts(&everything["versions"], "key"), ["k", "k", "k", "k2"]);
}

#[tokio::test]
async fn an_upload_is_the_object_that_the_service_reads() {
    let (_emulator, service, page) = Page::start().await;
    let content: Vec<u8> = (0..3_000_000_u32).map(|n| u8::try_from(n % 251).unwrap()).collect();
    let target = "/_admin/object?bucket=bucket&key=folder/file.bin";
    let put = Request::put(target)
        .header("content-type", "application/x-thing")
        .body(content.clone());
    let answer = page.send(put).await;
    assert_eq!((answer.status, &answer.json()["bytes"]), (200, &json!(3_000_000)));
    let read = service.send(Request::get("/bucket/folder/file.bin")).await;
    assert_eq!(read.body, content);
    assert_eq!(read.header("content-type"), Some("application/x-thing"));

    let shown = page.json(target).await;
    assert_eq!((&shown["size"], &shown["type"]), (&json!(3_000_000), &json!("Normal")));
    assert_eq!(shown["crc64"].as_str(), read.header("x-oss-hash-crc64ecma"));
    assert_eq!(shown["preview"], Value::Null);
    let file = page.get("/_admin/content?bucket=bucket&key=folder/file.bin").await;
    assert_eq!(file.body, content);

    assert_eq!(
        code(&page.upload(&"k".repeat(2000), b"x").await),
        (400, "InvalidObjectName".to_owned())
    );
    assert_eq!(
        code(&page.upload("\\k", b"x").await),
        (400, "InvalidObjectName".to_owned())
    );
    let nowhere = page
        .send(Request::put("/_admin/object?bucket=nowhere&key=k").body("x"))
        .await;
    assert_eq!(code(&nowhere), (404, "NoSuchBucket".to_owned()));
    assert_eq!(
        page.send(Request::put("/_admin/object?bucket=bucket")).await.status,
        400
    );
}

#[tokio::test]
async fn what_the_writer_said_is_shown() {
    let (_emulator, service, page) = Page::start().await;
    let put = Request::put("/bucket/k")
        .header("content-type", "text/plain")
        .header("cache-control", "no-cache")
        .header("x-oss-meta-author", "<b>me</b>")
        .header("x-oss-tagging", "a=1&b=2")
        .header("x-oss-object-acl", "public-read")
        .header("x-oss-storage-class", "IA")
        .body("hello");
    assert_eq!(service.send(put).await.status, 200);
    let shown = page.json("/_admin/object?bucket=bucket&key=k").await;
    assert_eq!(shown["metadata"], json!({"author": "<b>me</b>"}));
    assert_eq!(
        shown["tags"],
        json!([{"key": "a", "value": "1"}, {"key": "b", "value": "2"}])
    );
    assert_eq!(
        (&shown["acl"], &shown["storage_class"]),
        (&json!("public-read"), &json!("IA"))
    );
    assert_eq!(shown["headers"]["Cache-Control"], "no-cache");
    assert_eq!(shown["etag"], "5D41402ABC4B2A76B9719D911017C592");
    assert_eq!(shown["preview"], "text");
    assert_eq!(
        code(&page.get("/_admin/object?bucket=bucket&key=none").await),
        (404, "NoSuchKey".to_owned())
    );
}

#[tokio::test]
async fn no_object_becomes_a_page_of_the_listener() {
    let (_emulator, service, page) = Page::start().await;
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    for (key, declared, content, shown) in [
        (
            "a.html",
            "text/html",
            b"<script>alert(1)</script>".to_vec(),
            Some("text/plain; charset=utf-8"),
        ),
        (
            "a.svg",
            "image/svg+xml",
            b"<svg onload='alert(1)'/>".to_vec(),
            Some("text/plain; charset=utf-8"),
        ),
        ("a.png", "text/html", png, Some("image/png")),
        (
            "lies.png",
            "image/png",
            b"<script>alert(1)</script>".to_vec(),
            Some("text/plain; charset=utf-8"),
        ),
        ("a.bin", "text/html", vec![0, 159, 146, 150], None),
    ] {
        let put = Request::put(&format!("/bucket/{key}")).header("content-type", declared);
        assert_eq!(service.send(put.body(content)).await.status, 200);
        let file = page.get(&format!("/_admin/content?bucket=bucket&key={key}")).await;
        assert_eq!(file.header("content-type"), Some("application/octet-stream"), "{key}");
        assert!(
            file.header("content-disposition")
                .is_some_and(|value| value.starts_with("attachment;"))
        );
        let preview = page
            .get(&format!("/_admin/content?bucket=bucket&key={key}&as=preview"))
            .await;
        match shown {
            Some(kind) => assert_eq!(
                (preview.status, preview.header("content-type")),
                (200, Some(kind)),
                "{key}"
            ),
            None => assert_eq!(code(&preview), (415, "NoPreview".to_owned()), "{key}"),
        }
        for answer in [file, preview] {
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
            let policy = answer.header("content-security-policy").unwrap();
            assert!(policy.contains("default-src 'none'"), "{policy}");
            assert!(answer.status != 200 || policy.starts_with("sandbox;"), "{policy}");
        }
    }
    assert_eq!(
        page.get("/_admin/content?bucket=bucket&key=a.html&as=page")
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn long_texts_are_cut_and_names_of_files_are_harmless() {
    let (_emulator, service, page) = Page::start().await;
    let text = "ä".repeat(50_000);
    page.upload("logs/long \"text\"\r\n;x=.txt", text.as_bytes()).await;
    let get = || Request::get("/_admin/content?bucket=bucket").query("key", "logs/long \"text\"\r\n;x=.txt");
    let preview = page.send(get().query("as", "preview")).await;
    assert_eq!(preview.body, &text.as_bytes()[..64 * 1024]);
    let file = page.send(get()).await;
    assert_eq!(file.body.len(), 100_000);
    assert_eq!(
        file.header("content-disposition"),
        Some("attachment; filename=\"long__text____x_.txt\"; filename*=UTF-8''long%20%22text%22%0D%0A%3Bx%3D.txt")
    );
    page.upload("empty", b"").await;
    assert_eq!(
        page.get("/_admin/content?bucket=bucket&key=empty&as=preview")
            .await
            .text(),
        ""
    );
    // An archived object is as closed here as for anybody else.
    let archived = Request::put("/bucket/cold")
        .header("x-oss-storage-class", "Archive")
        .body("x");
    service.send(archived).await;
    let cold = page.get("/_admin/content?bucket=bucket&key=cold").await;
    assert_eq!(code(&cold), (403, "InvalidObjectState".to_owned()));
}

#[tokio::test]
async fn looking_is_not_counted_among_the_requests() {
    let (emulator, service, page) = Page::start().await;
    service.send(Request::put("/bucket/k").body("x")).await;
    let before = emulator.requests().all().len();
    page.get("/_admin/content?bucket=bucket&key=k").await;
    page.upload("other", b"x").await;
    assert_eq!(emulator.requests().all().len(), before);
}
