//! Rules and quotas hold at the moment when something is written, whenever its request began.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::client::{Client, Request, start_with_bucket};
use crate::forms;

const WORM: &str =
    "<InitiateWormConfiguration><RetentionPeriodInDays>1</RetentionPeriodInDays></InitiateWormConfiguration>";
const OBJECT_WORM: &str =
    "<ObjectWormConfiguration><ObjectWormEnabled>Enabled</ObjectWormEnabled></ObjectWormConfiguration>";

/// A request that was taken in but for its body of four bytes.
struct Waiting(TcpStream);

impl Waiting {
    async fn start(client: &Client, request: Request) -> Self {
        let signed = client.sign(request);
        let headers: String = signed
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let head = format!(
            "{} {} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 4\r\nexpect: 100-continue\r\n{headers}\r\n",
            signed.method,
            signed.target()
        );
        let mut stream = TcpStream::connect(&client.address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut continued = [0; 25];
        stream.read_exact(&mut continued).await.unwrap();
        Self(stream)
    }

    /// Sends the body and returns the answer.
    async fn finish(mut self) -> String {
        self.0.write_all(b"body").await.unwrap();
        let mut answer = String::new();
        self.0.read_to_string(&mut answer).await.unwrap();
        answer
    }
}

#[tokio::test]
async fn a_retention_policy_that_comes_during_an_upload_protects() {
    let (_emulator, client) = start_with_bucket().await;
    client.send(Request::put("/bucket/k").body("old")).await;
    client
        .send(Request::post("/bucket/log?append&position=0").body("old"))
        .await;
    let put = Waiting::start(&client, Request::put("/bucket/k")).await;
    let append = Waiting::start(&client, Request::post("/bucket/log?append&position=3")).await;
    let begun = client.send(Request::post("/bucket?worm").body(WORM)).await;
    assert_eq!(begun.status, 200, "{}", begun.text());
    for waiting in [put, append] {
        let answer = waiting.finish().await;
        assert!(
            answer.starts_with("HTTP/1.1 409 ") && answer.contains("FileImmutable"),
            "{answer}"
        );
    }
    for key in ["k", "log"] {
        let kept = client.send(Request::get(&format!("/bucket/{key}"))).await;
        assert_eq!(kept.text(), "old", "{key}");
    }
}

#[tokio::test]
async fn object_retention_that_comes_during_an_append_refuses_it() {
    let (_emulator, client) = start_with_bucket().await;
    let versioning = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    client.send(Request::put("/bucket?versioning").body(versioning)).await;
    let append = Waiting::start(&client, Request::post("/bucket/log?append&position=0")).await;
    let begun = client.send(Request::put("/bucket?objectWorm").body(OBJECT_WORM)).await;
    assert_eq!(begun.status, 200, "{}", begun.text());
    let answer = append.finish().await;
    assert!(
        answer.starts_with("HTTP/1.1 400 ") && answer.contains("OperationNotSupported"),
        "{answer}"
    );
    assert_eq!(client.send(Request::get("/bucket/log")).await.error().0, 404);
}

#[tokio::test]
async fn a_quota_counts_what_every_way_of_writing_brings() {
    let (_emulator, client) = start_with_bucket().await;
    client.send(Request::put("/bucket/big").body("0123456789")).await;
    let quota = "<QuotaConfiguration><StorageQuota>16</StorageQuota><Mode>Strict</Mode></QuotaConfiguration>";
    assert_eq!(client.send(Request::put("/bucket?quota").body(quota)).await.status, 200);
    let full = (403, "QuotaFull".to_owned());

    let chunked = Request::put("/bucket/chunked")
        .header("transfer-encoding", "chunked")
        .body("8\r\n01234567\r\n0\r\n\r\n");
    assert_eq!(client.send(chunked).await.error(), full);
    let policy = forms::policy(r#"{"bucket":"bucket"}"#);
    let posted = forms::post(&client, &policy, &[("key", "posted")], b"01234567").await;
    assert_eq!(posted.error(), full);
    assert_eq!(posted.element("BucketName").as_deref(), Some("bucket"));

    let begun = client.send(Request::post("/bucket/up?uploads")).await;
    let id = begun.element("UploadId").unwrap();
    let copy = |number: u32, range: &str| {
        Request::put(&format!("/bucket/up?partNumber={number}&uploadId={id}"))
            .header("x-oss-copy-source", "/bucket/big")
            .header("x-oss-copy-source-range", range)
    };
    // Six bytes are left, whatever the source holds besides.
    assert_eq!(client.send(copy(1, "bytes=0-3")).await.status, 200);
    assert_eq!(client.send(copy(2, "bytes=0-3")).await.error(), full);
    assert_eq!(client.send(copy(2, "bytes=0-1")).await.status, 200);
    let usage = client.send(Request::get("/bucket?quota")).await;
    assert_eq!(usage.element("CurrentUsage").as_deref(), Some("16"));
}

#[tokio::test]
async fn writers_at_once_share_what_a_quota_leaves() {
    let (_emulator, client) = start_with_bucket().await;
    let quota = "<QuotaConfiguration><StorageQuota>10</StorageQuota><Mode>Strict</Mode></QuotaConfiguration>";
    client.send(Request::put("/bucket?quota").body(quota)).await;
    let mut waiting = Vec::new();
    for number in 0..4 {
        let put = Request::put(&format!("/bucket/k{number}"));
        waiting.push(Waiting::start(&client, put).await);
    }
    let mut statuses = Vec::new();
    for put in waiting {
        statuses.push(put.finish().await.split(' ').nth(1).unwrap_or_default().to_owned());
    }
    assert_eq!(statuses, ["200", "200", "403", "403"]);
}

#[tokio::test]
async fn a_deletion_of_many_is_one_change() {
    let (_emulator, client) = start_with_bucket().await;
    for key in ["a", "b"] {
        client.send(Request::put(&format!("/bucket/{key}")).body(key)).await;
    }
    let objects =
        "<Delete><Object><Key>a</Key></Object><Object><Key>b</Key></Object><Object><Key>a</Key></Object></Delete>";
    let delete = Request::post("/bucket?delete")
        .header("content-md5", &crate::client::md5_base64(objects.as_bytes()))
        .body(objects);
    client.send(Request::post("/bucket?worm").body(WORM)).await;
    assert_eq!(
        client.send(delete.clone()).await.error(),
        (409, "FileImmutable".to_owned())
    );
    for key in ["a", "b"] {
        assert_eq!(client.send(Request::get(&format!("/bucket/{key}"))).await.text(), key);
    }
    client.send(Request::delete("/bucket?worm")).await;
    let deleted = client.send(delete).await;
    assert_eq!(deleted.elements("Key"), ["a", "b", "a"], "{}", deleted.text());
    assert_eq!(client.send(Request::delete("/bucket")).await.status, 204);
}
