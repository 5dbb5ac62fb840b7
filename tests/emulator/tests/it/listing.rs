//! Listings page by page, with every parameter.

use crate::client::{Client, Request, start_with_bucket};

async fn fill(client: &Client) {
    for key in ["a", "b/1", "b/2", "c+d", "e/f/g", "h"] {
        client.send(Request::put(&format!("/bucket/{key}")).body(key)).await;
    }
}

#[tokio::test]
async fn pages_of_v2_continue_by_an_opaque_token() {
    let (_emulator, client) = start_with_bucket().await;
    fill(&client).await;
    let mut keys = Vec::new();
    let mut token: Option<String> = None;
    loop {
        let mut request = Request::get("/bucket/?list-type=2&max-keys=2");
        if let Some(token) = &token {
            request = request.query("continuation-token", token);
        }
        let page = client.send(request).await;
        assert_eq!(page.element("KeyCount"), Some(page.elements("Key").len().to_string()));
        keys.extend(page.elements("Key"));
        token = page.element("NextContinuationToken");
        assert_eq!(
            page.element("IsTruncated").as_deref(),
            Some(if token.is_some() { "true" } else { "false" })
        );
        if token.is_none() {
            break;
        }
    }
    assert_eq!(keys, ["a", "b/1", "b/2", "c+d", "e/f/g", "h"]);
    let bad = Request::get("/bucket/?list-type=2&continuation-token=***");
    assert_eq!(client.send(bad).await.error(), (400, "InvalidArgument".to_owned()));
}

#[tokio::test]
async fn delimiters_fold_and_markers_skip() {
    let (_emulator, client) = start_with_bucket().await;
    fill(&client).await;
    let page = client
        .send(Request::get("/bucket/?list-type=2&delimiter=/&fetch-owner=true"))
        .await;
    assert_eq!(page.elements("Key"), ["a", "c+d", "h"]);
    assert_eq!(
        page.elements("CommonPrefixes"),
        ["<Prefix>b/</Prefix>", "<Prefix>e/</Prefix>"]
    );
    assert_eq!(page.elements("ID").len(), 3);
    let page = client
        .send(Request::get("/bucket/?list-type=2&prefix=b/&start-after=b/1"))
        .await;
    assert_eq!(page.elements("Key"), ["b/2"]);
    assert!(page.elements("ID").is_empty());
    let page = client.send(Request::get("/bucket/?delimiter=/&max-keys=2")).await;
    assert_eq!(
        (page.elements("Key").len(), page.element("NextMarker").as_deref()),
        (1, Some("b/"))
    );
    let page = client.send(Request::get("/bucket/?delimiter=/&marker=b/")).await;
    assert_eq!(page.elements("Key"), ["c+d", "h"]);
}

#[tokio::test]
async fn keys_are_encoded_only_on_request() {
    let (_emulator, client) = start_with_bucket().await;
    fill(&client).await;
    let plain = client.send(Request::get("/bucket/?prefix=c")).await;
    assert_eq!(
        (plain.element("Key").as_deref(), plain.element("EncodingType")),
        (Some("c+d"), None)
    );
    let encoded = client.send(Request::get("/bucket/?prefix=b/&encoding-type=url")).await;
    assert_eq!(encoded.elements("Key"), ["b%2F1", "b%2F2"]);
    assert_eq!(encoded.element("EncodingType").as_deref(), Some("url"));
    assert_eq!(encoded.element("Prefix").as_deref(), Some("b%2F"));
    let unknown = client.send(Request::get("/bucket/?encoding-type=rot13")).await;
    assert_eq!(unknown.error(), (400, "InvalidArgument".to_owned()));
}

#[tokio::test]
async fn page_sizes_have_limits() {
    let (_emulator, client) = start_with_bucket().await;
    for limit in ["0", "1001", "-1", "x"] {
        for list in ["/bucket/?list-type=2", "/bucket/?versions", "/bucket/"] {
            let answer = client.send(Request::get(list).query("max-keys", limit)).await;
            assert_eq!(answer.error(), (400, "InvalidArgument".to_owned()), "{list} {limit}");
            assert_eq!(answer.element("ArgumentName").as_deref(), Some("max-keys"));
        }
    }
}

#[tokio::test]
async fn buckets_are_listed_in_pages() {
    let (_emulator, client) = start_with_bucket().await;
    for name in ["alpha", "beta-1", "beta-2"] {
        client.send(Request::put(&format!("/{name}"))).await;
    }
    let all = client.send(Request::get("/")).await;
    assert_eq!(all.elements("Name"), ["alpha", "beta-1", "beta-2", "bucket"]);
    assert_eq!(all.element("IsTruncated"), None);
    let page = client.send(Request::get("/?prefix=b&max-keys=2")).await;
    assert_eq!(
        (page.elements("Name").len(), page.element("NextMarker").as_deref()),
        (2, Some("beta-2"))
    );
    let page = client.send(Request::get("/?prefix=b&marker=beta-2")).await;
    assert_eq!(page.elements("Name"), ["bucket"]);
}
