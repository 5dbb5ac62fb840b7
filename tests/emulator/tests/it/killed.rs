//! The program itself, ended without a warning.

use crate::client::{Request, hmac_sha1_base64};
use crate::program::Program;

#[tokio::test]
async fn what_was_answered_survives_the_end_of_the_program() {
    let directory = tempfile::tempdir().unwrap();
    let kept = ["--data-dir", directory.path().to_str().unwrap()];
    let mut program = Program::start(&kept);
    let client = program.client.clone();
    // The program's clock is the real one, and any answer tells it.
    let date = client
        .send_as_is(Request::get("/"))
        .await
        .header("date")
        .unwrap()
        .to_owned();
    let text = format!("PUT\n\n\n{date}\nx-oss-acl:public-read-write\n/bucket/");
    let open = Request::put("/bucket/")
        .header("x-oss-acl", "public-read-write")
        .header("date", &date)
        .header(
            "authorization",
            &format!("OSS id:{}", hmac_sha1_base64("secret", &text)),
        );
    assert_eq!(client.send_as_is(open).await.status, 200);
    let large = vec![7; 3 * 1024 * 1024];
    for request in [
        Request::put("/bucket/k").body("first"),
        Request::put("/bucket/k").header("x-oss-meta-a", "b").body("second"),
        Request::put("/bucket/large").body(large.clone()),
        Request::put("/bucket/gone").body("gone"),
        Request::post("/bucket/log?append&position=0").body("one"),
        Request::post("/bucket/log?append&position=3").body("two"),
    ] {
        assert_eq!(client.send_as_is(request).await.status, 200);
    }
    assert_eq!(client.send_as_is(Request::delete("/bucket/gone")).await.status, 204);
    let id = client
        .send_as_is(Request::post("/bucket/up?uploads"))
        .await
        .element("UploadId")
        .unwrap();
    let part = Request::put(&format!("/bucket/up?partNumber=1&uploadId={id}")).body("part");
    assert_eq!(client.send_as_is(part).await.status, 200);
    let unfinished = Request::put("/bucket/half").header("content-length", "10").body("half");
    let (cut, ()) = tokio::join!(client.try_send(unfinished), async {
        // The half body is on its way when the program ends; another answer tells that it runs until then.
        assert_eq!(client.send_as_is(Request::get("/bucket/k")).await.status, 200);
        program.child.kill().unwrap();
    });
    assert!(cut.is_err(), "{cut:?}");
    drop(program);

    let program = Program::start(&kept);
    let client = &program.client;
    let object = client.send_as_is(Request::get("/bucket/k")).await;
    assert_eq!(
        (object.text().as_str(), object.header("x-oss-meta-a")),
        ("second", Some("b"))
    );
    assert_eq!(client.send_as_is(Request::get("/bucket/large")).await.body, large);
    let log = Request::post("/bucket/log?append&position=6").body("three");
    assert_eq!(client.send_as_is(log).await.status, 200);
    assert_eq!(
        client.send_as_is(Request::get("/bucket/log")).await.text(),
        "onetwothree"
    );
    for key in ["gone", "half"] {
        assert_eq!(
            client.send_as_is(Request::get(&format!("/bucket/{key}"))).await.status,
            404,
            "{key}"
        );
    }
    let complete = Request::post(&format!("/bucket/up?uploadId={id}")).header("x-oss-complete-all", "yes");
    assert_eq!(client.send_as_is(complete).await.status, 200);
    assert_eq!(client.send_as_is(Request::get("/bucket/up")).await.text(), "part");
}
