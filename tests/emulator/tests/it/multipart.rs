//! Multipart uploads from beginning to end, and their errors.

use crate::client::{Client, Request, md5_hex, start_with_bucket};

const PART: usize = 100 * 1024;

async fn begin(client: &Client, key: &str) -> String {
    let answer = client
        .send(Request::post(&format!("/bucket/{key}?uploads")).header("x-oss-meta-k", "v"))
        .await;
    assert_eq!(answer.element("Key").as_deref(), Some(key));
    answer.element("UploadId").unwrap()
}

async fn upload(client: &Client, key: &str, id: &str, number: usize, body: Vec<u8>) -> String {
    let request = Request::put(&format!("/bucket/{key}?partNumber={number}&uploadId={id}")).body(body);
    let answer = client.send(request).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.header("etag").unwrap().to_owned()
}

fn document(parts: &[(usize, &str)]) -> String {
    let parts: String = parts
        .iter()
        .map(|(number, etag)| format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"))
        .collect();
    format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>")
}

fn complete(key: &str, id: &str, parts: &[(usize, &str)]) -> Request {
    Request::post(&format!("/bucket/{key}?uploadId={id}")).body(document(parts))
}

#[tokio::test]
async fn parts_become_an_object() {
    let (_emulator, client) = start_with_bucket().await;
    let id = begin(&client, "big").await;
    let second = upload(&client, "big", &id, 2, b"end".to_vec()).await;
    let first = upload(&client, "big", &id, 1, vec![b'x'; PART]).await;
    assert_eq!(first, format!("\"{}\"", md5_hex(&vec![b'x'; PART])));
    let list = client
        .send(Request::get(&format!("/bucket/big?uploadId={id}&max-parts=1")))
        .await;
    assert_eq!(
        (
            list.elements("PartNumber"),
            list.element("NextPartNumberMarker").as_deref()
        ),
        (vec!["1".to_owned()], Some("1"))
    );
    let list = client
        .send(Request::get(&format!("/bucket/big?uploadId={id}&part-number-marker=1")))
        .await;
    assert_eq!(
        (list.elements("Size"), list.element("IsTruncated").as_deref()),
        (vec!["3".to_owned()], Some("false"))
    );
    assert_eq!(client.send(Request::get("/bucket/big")).await.status, 404);

    let answer = client.send(complete("big", &id, &[(1, &first), (2, &second)])).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.element("ETag").unwrap().contains("-2"));
    let object = client.send(Request::get("/bucket/big")).await;
    assert_eq!(object.body, [vec![b'x'; PART], b"end".to_vec()].concat());
    assert_eq!(
        (object.header("x-oss-object-type"), object.header("x-oss-meta-k")),
        (Some("Multipart"), Some("v"))
    );
    assert_eq!(
        object.header("x-oss-hash-crc64ecma"),
        answer.header("x-oss-hash-crc64ecma")
    );
    assert_eq!(
        client
            .send(Request::get(&format!("/bucket/big?uploadId={id}")))
            .await
            .error(),
        (404, "NoSuchUpload".to_owned())
    );
}

#[tokio::test]
async fn wrong_lists_of_parts_change_nothing() {
    let (_emulator, client) = start_with_bucket().await;
    let id = begin(&client, "k").await;
    let first = upload(&client, "k", &id, 1, b"small".to_vec()).await;
    let second = upload(&client, "k", &id, 2, b"small".to_vec()).await;
    for (parts, code) in [
        (vec![(2, second.as_str()), (1, first.as_str())], "InvalidPartOrder"),
        (vec![(1, "other")], "InvalidPart"),
        (vec![(3, first.as_str())], "InvalidPart"),
        (vec![(1, first.as_str()), (2, second.as_str())], "EntityTooSmall"),
        (vec![], "MalformedXML"),
        (vec![(0, first.as_str())], "MalformedXML"),
    ] {
        assert_eq!(
            client.send(complete("k", &id, &parts)).await.error(),
            (400, code.to_owned()),
            "{parts:?}"
        );
    }
    let stray = Request::post(&format!("/bucket/k?uploadId={id}"))
        .body("<CompleteMultipartUpload><Other/></CompleteMultipartUpload>");
    let answer = client.send(stray).await;
    assert!(
        answer.element("Message").unwrap().contains("Other"),
        "{}",
        answer.text()
    );
    assert_eq!(client.send(complete("k", &id, &[(2, &second)])).await.status, 200);
}

#[tokio::test]
async fn all_parts_can_be_completed_without_a_list() {
    let (_emulator, client) = start_with_bucket().await;
    let id = begin(&client, "k").await;
    upload(&client, "k", &id, 7, b"only".to_vec()).await;
    let request = Request::post(&format!("/bucket/k?uploadId={id}")).header("x-oss-complete-all", "yes");
    assert_eq!(client.send(request).await.status, 200);
    assert_eq!(client.send(Request::get("/bucket/k")).await.text(), "only");
}

#[tokio::test]
async fn parts_have_numbers_and_uploads_have_ids() {
    let (_emulator, client) = start_with_bucket().await;
    let id = begin(&client, "k").await;
    for number in ["0", "10001", "x"] {
        let answer = client
            .send(Request::put(&format!("/bucket/k?partNumber={number}&uploadId={id}")).body("x"))
            .await;
        assert_eq!(answer.error(), (400, "InvalidArgument".to_owned()), "{number}");
    }
    assert_eq!(
        client
            .send(Request::put("/bucket/k?partNumber=1").body("x"))
            .await
            .error(),
        (400, "MissingArgument".to_owned())
    );
    assert_eq!(
        client
            .send(Request::put("/bucket/k?partNumber=1&uploadId=none").body("x"))
            .await
            .error(),
        (404, "NoSuchUpload".to_owned())
    );
    assert_eq!(
        client
            .send(Request::put(&format!("/bucket/other?partNumber=1&uploadId={id}")).body("x"))
            .await
            .error()
            .1,
        "NoSuchUpload"
    );
}

#[tokio::test]
async fn parts_are_copied_from_ranges() {
    let (_emulator, client) = start_with_bucket().await;
    client.send(Request::put("/bucket/source").body("0123456789")).await;
    let id = begin(&client, "k").await;
    let copy = |range: &str| {
        Request::put(&format!("/bucket/k?partNumber=1&uploadId={id}"))
            .header("x-oss-copy-source", "/bucket/source")
            .header("x-oss-copy-source-range", range)
    };
    assert_eq!(
        client.send(copy("bytes=5-20")).await.error(),
        (416, "InvalidRange".to_owned())
    );
    let answer = client.send(copy("bytes=2-4")).await;
    let etag = answer.element("ETag").unwrap().replace("&quot;", "");
    assert_eq!(etag, md5_hex(b"234"));
    client.send(complete("k", &id, &[(1, &etag)])).await;
    assert_eq!(client.send(Request::get("/bucket/k")).await.text(), "234");
}

#[tokio::test]
async fn uploads_are_listed_and_aborted() {
    let (_emulator, client) = start_with_bucket().await;
    let mut ids = Vec::new();
    for key in ["a", "b", "dir-c"] {
        ids.push(begin(&client, key).await);
    }
    let page = client.send(Request::get("/bucket?uploads&max-uploads=2")).await;
    assert_eq!(
        (page.elements("Key"), page.element("IsTruncated").as_deref()),
        (vec!["a".to_owned(), "b".to_owned()], Some("true"))
    );
    let next = Request::get("/bucket?uploads")
        .query("key-marker", &page.element("NextKeyMarker").unwrap())
        .query("upload-id-marker", &page.element("NextUploadIdMarker").unwrap());
    assert_eq!(client.send(next).await.elements("Key"), ["dir-c"]);
    assert_eq!(
        client.send(Request::delete("/bucket")).await.error(),
        (409, "BucketNotEmpty".to_owned())
    );
    for (key, id) in ["a", "b", "dir-c"].iter().zip(&ids) {
        assert_eq!(
            client
                .send(Request::delete(&format!("/bucket/{key}?uploadId={id}")))
                .await
                .status,
            204
        );
    }
    assert_eq!(
        client
            .send(Request::delete(&format!("/bucket/a?uploadId={}", ids[0])))
            .await
            .error(),
        (404, "NoSuchUpload".to_owned())
    );
    assert_eq!(client.send(Request::delete("/bucket")).await.status, 204);
}

#[tokio::test]
async fn sequential_parts_come_in_order_and_once() {
    let (_emulator, client) = start_with_bucket().await;
    let begun = client.send(Request::post("/bucket/k?uploads&sequential")).await;
    let id = begun.element("UploadId").unwrap_or_else(|| panic!("{}", begun.text()));
    let send = async |number: usize, body: Vec<u8>| {
        let request = Request::put(&format!("/bucket/k?partNumber={number}&uploadId={id}")).body(body);
        client.send(request).await
    };
    let early = send(2, b"end".to_vec()).await;
    assert_eq!(early.error(), (409, "PartNotSequential".to_owned()));
    assert_eq!(early.element("PartNumber").as_deref(), Some("2"));
    let first = upload(&client, "k", &id, 1, vec![b'x'; PART]).await;
    let again = send(1, b"other".to_vec()).await;
    assert_eq!(again.error(), (409, "PartAlreadyExist".to_owned()));
    assert_eq!(again.element("EC").as_deref(), Some("0042-00000108"));
    let second = upload(&client, "k", &id, 2, vec![b'y'; PART]).await;
    let third = upload(&client, "k", &id, 3, b"end".to_vec()).await;
    let gap = client.send(complete("k", &id, &[(1, &first), (3, &third)])).await;
    assert_eq!(gap.error(), (409, "PartNotSequential".to_owned()));
    let whole = [(1, first.as_str()), (2, second.as_str()), (3, third.as_str())];
    assert_eq!(client.send(complete("k", &id, &whole)).await.status, 200);
    let length = (2 * PART + 3).to_string();
    let head = client.send(Request::new("HEAD", "/bucket/k")).await;
    assert_eq!(head.header("content-length"), Some(length.as_str()));
    // Only uploads know the switch.
    let other = client.send(Request::get("/bucket/k?sequential")).await;
    assert_eq!(other.status, 501, "{}", other.text());
}
