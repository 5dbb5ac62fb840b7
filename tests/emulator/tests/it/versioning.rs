//! Versions, delete markers and the null version.

use crate::client::{Client, Request, start_with_bucket};

async fn enable(client: &Client, status: &str) {
    let document = format!("<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>");
    assert_eq!(
        client
            .send(Request::put("/bucket?versioning").body(document))
            .await
            .status,
        200
    );
}

async fn put(client: &Client, body: &str) -> String {
    let answer = client.send(Request::put("/bucket/k").body(body)).await;
    answer.header("x-oss-version-id").unwrap().to_owned()
}

#[tokio::test]
async fn every_version_stays_readable() {
    let (_emulator, client) = start_with_bucket().await;
    assert_eq!(
        client.send(Request::get("/bucket?versioning")).await.element("Status"),
        None
    );
    client.send(Request::put("/bucket/k").body("before")).await;
    enable(&client, "Enabled").await;
    assert_eq!(
        client
            .send(Request::get("/bucket?versioning"))
            .await
            .element("Status")
            .as_deref(),
        Some("Enabled")
    );
    let (first, second) = (put(&client, "one").await, put(&client, "two").await);
    for (version, text) in [("null", "before"), (first.as_str(), "one"), (second.as_str(), "two")] {
        let answer = client.send(Request::get("/bucket/k").query("versionId", version)).await;
        assert_eq!(
            (answer.text().as_str(), answer.header("x-oss-version-id")),
            (text, Some(version))
        );
    }
    let missing = client.send(Request::get("/bucket/k?versionId=none")).await;
    assert_eq!(missing.error(), (404, "NoSuchVersion".to_owned()));

    let deleted = client.send(Request::delete("/bucket/k")).await;
    assert_eq!(
        (deleted.status, deleted.header("x-oss-delete-marker")),
        (204, Some("true"))
    );
    let marker = deleted.header("x-oss-version-id").unwrap().to_owned();
    let gone = client.send(Request::get("/bucket/k")).await;
    assert_eq!(
        (gone.error(), gone.header("x-oss-delete-marker")),
        ((404, "NoSuchKey".to_owned()), Some("true"))
    );
    let named = client.send(Request::get("/bucket/k").query("versionId", &marker)).await;
    assert_eq!(named.error(), (405, "MethodNotAllowed".to_owned()));

    let list = client.send(Request::get("/bucket?versions")).await;
    assert_eq!(list.elements("Version").len(), 3);
    assert_eq!(list.elements("DeleteMarker").len(), 1);
    assert_eq!(
        list.elements("IsLatest")
            .iter()
            .filter(|latest| *latest == "true")
            .count(),
        1
    );

    client
        .send(Request::delete("/bucket/k").query("versionId", &marker))
        .await;
    assert_eq!(client.send(Request::get("/bucket/k")).await.text(), "two");
    client
        .send(Request::delete("/bucket/k").query("versionId", &second))
        .await;
    assert_eq!(client.send(Request::get("/bucket/k")).await.text(), "one");
}

#[tokio::test]
async fn suspended_versioning_replaces_the_null_version() {
    let (_emulator, client) = start_with_bucket().await;
    enable(&client, "Enabled").await;
    let kept = put(&client, "kept").await;
    enable(&client, "Suspended").await;
    assert_eq!(put(&client, "one").await, "null");
    assert_eq!(put(&client, "two").await, "null");
    let versions = client
        .send(Request::get("/bucket?versions"))
        .await
        .elements("VersionId");
    assert_eq!(versions, ["null".to_owned(), kept]);
    let unknown = "<VersioningConfiguration><Status>Off</Status></VersioningConfiguration>";
    let answer = client.send(Request::put("/bucket?versioning").body(unknown)).await;
    assert_eq!(answer.error(), (400, "MalformedXML".to_owned()));
}

#[tokio::test]
async fn pages_of_versions_continue_within_a_key() {
    let (_emulator, client) = start_with_bucket().await;
    enable(&client, "Enabled").await;
    let mut written = vec![
        put(&client, "1").await,
        put(&client, "2").await,
        put(&client, "3").await,
    ];
    written.reverse();
    let (mut seen, mut marker) = (Vec::new(), (String::new(), String::new()));
    loop {
        let mut request = Request::get("/bucket?versions&max-keys=1");
        if !marker.0.is_empty() {
            request = request
                .query("key-marker", &marker.0)
                .query("version-id-marker", &marker.1);
        }
        let page = client.send(request).await;
        seen.extend(page.elements("VersionId"));
        match page.element("NextKeyMarker") {
            Some(key) => marker = (key, page.element("NextVersionIdMarker").unwrap()),
            None => break,
        }
    }
    assert_eq!(seen, written);
    let orphan = client.send(Request::get("/bucket?versions&version-id-marker=x")).await;
    assert_eq!(orphan.error(), (400, "InvalidArgument".to_owned()));
}

#[tokio::test]
async fn copies_and_deletions_name_versions() {
    let (_emulator, client) = start_with_bucket().await;
    enable(&client, "Enabled").await;
    let old = put(&client, "old").await;
    put(&client, "new").await;
    let copy = Request::put("/bucket/copy").header("x-oss-copy-source", &format!("/bucket/k?versionId={old}"));
    assert_eq!(
        client.send(copy).await.header("x-oss-copy-source-version-id"),
        Some(old.as_str())
    );
    assert_eq!(client.send(Request::get("/bucket/copy")).await.text(), "old");
    let document = format!(
        "<Delete><Object><Key>k</Key><VersionId>{old}</VersionId></Object><Object><Key>copy</Key></Object></Delete>"
    );
    let delete = Request::post("/bucket?delete").header("content-md5", &crate::client::md5_base64(document.as_bytes()));
    let answer = client.send(delete.body(document)).await;
    assert_eq!(answer.elements("DeleteMarkerVersionId").len(), 1);
    assert_eq!(answer.element("VersionId"), Some(old));
}

#[tokio::test]
async fn versions_and_delete_markers_are_listed_in_one_order() {
    let (_emulator, client) = start_with_bucket().await;
    enable(&client, "Enabled").await;
    put(&client, "one").await;
    client.send(Request::delete("/bucket/k")).await;
    put(&client, "two").await;
    client.send(Request::put("/bucket/a").body("a")).await;
    client.send(Request::delete("/bucket/z")).await;
    let text = client.send(Request::get("/bucket?versions")).await.text();
    let order: Vec<_> = text
        .split('<')
        .filter_map(|piece| match piece.split('>').collect::<Vec<_>>()[..] {
            ["Version", _] => Some("version"),
            ["DeleteMarker", _] => Some("marker"),
            ["Key", key] => Some(key),
            _ => None,
        })
        .collect();
    let expected = [
        "version", "a", "version", "k", "marker", "k", "version", "k", "marker", "z",
    ];
    assert_eq!(order, expected);
}
