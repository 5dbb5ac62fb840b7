//! Processing of images over HTTP.

use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use image::{GenericImageView as _, ImageFormat, RgbImage};

use crate::client::{Client, Request, start_with_bucket};

async fn with_picture() -> (oss_emulator::Emulator, Client, usize) {
    let (emulator, client) = start_with_bucket().await;
    let mut file = Cursor::new(Vec::new());
    RgbImage::new(60, 30).write_to(&mut file, ImageFormat::Png).unwrap();
    let file = file.into_inner();
    let size = file.len();
    let put = Request::put("/bucket/a.png")
        .body(file)
        .header("content-type", "image/png");
    assert_eq!(client.send(put).await.status, 200);
    (emulator, client, size)
}

fn get(process: &str) -> Request {
    Request::get("/bucket/a.png").query("x-oss-process", process)
}

#[tokio::test]
async fn a_read_can_process_an_image() {
    let (_emulator, client, size) = with_picture().await;
    let answer = client.send(get("image/resize,w_20/format,jpg")).await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("image/jpeg"))
    );
    assert_eq!(image::load_from_memory(&answer.body).unwrap().dimensions(), (20, 10));
    assert_eq!(answer.header("x-oss-hash-crc64ecma"), None);

    let info = client.send(get("image/info")).await;
    assert_eq!(info.header("content-type"), Some("application/json"));
    assert_eq!(info.json()["ImageWidth"]["value"], "60");
    assert_eq!(info.json()["FileSize"]["value"], size.to_string());
    let presigned = client.send_as_is(client.presign(get("image/info"), 60)).await;
    assert_eq!(presigned.status, 200);
    assert_eq!(
        client.send_as_is(get("image/info")).await.error(),
        (403, "AccessDenied".to_owned())
    );
}

#[tokio::test]
async fn styles_are_names_of_processing() {
    let (_emulator, client, _) = with_picture().await;
    assert_eq!(
        client.send(get("style/small")).await.error(),
        (404, "NoSuchStyle".to_owned())
    );
    let style = "<Style><Content>image/resize,w_6</Content></Style>";
    let put = client
        .send(Request::put("/bucket?style&styleName=small").body(style))
        .await;
    assert_eq!(put.status, 200, "{}", put.text());
    let answer = client.send(get("style/small")).await;
    assert_eq!(image::load_from_memory(&answer.body).unwrap().dimensions(), (6, 3));
}

#[tokio::test]
async fn a_result_can_be_saved_as_an_object() {
    let (_emulator, client, _) = with_picture().await;
    client.send(Request::put("/target")).await;
    let (key, bucket) = (URL_SAFE_NO_PAD.encode("small/a.gif"), URL_SAFE_NO_PAD.encode("target"));
    let save = |process: &str| Request::post("/bucket/a.png?x-oss-process").body(format!("x-oss-process={process}"));
    let answer = client
        .send(save(&format!(
            "image/resize,w_6/format,gif|sys/saveas,o_{key},b_{bucket}"
        )))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let saved = client.send(Request::get("/target/small/a.gif")).await;
    assert_eq!(saved.header("content-type"), Some("image/gif"));
    let document = answer.json();
    assert_eq!(
        (document["status"].as_str(), document["object"].as_str()),
        (Some("OK"), Some("small/a.gif"))
    );
    assert_eq!(document["fileSize"], saved.body.len());
    let escaped = client
        .send(save("image%2Fresize%2Cw_6%7Csys%2Fsaveas%2Co_c21hbGwvYi5wbmc%3D"))
        .await;
    assert_eq!(escaped.json()["object"], "small/b.png");
    for (process, status) in [
        ("image/resize,w_6", 400),
        ("image/resize,w_6|sys/saveas,b_dGFyZ2V0", 400),
        ("image/resize,w_6|sys/saveas,o_%%", 400),
        ("image/blur,r_3,s_2|sys/saveas,o_YQ", 501),
    ] {
        assert_eq!(client.send(save(process)).await.status, status, "{process}");
    }
    let later = Request::post("/bucket/a.png?x-oss-async-process").body("x-oss-async-process=doc/convert");
    assert_eq!(client.send(later).await.error(), (501, "NotImplemented".to_owned()));
}

#[tokio::test]
async fn a_result_that_a_quota_has_no_room_for_is_not_saved() {
    let (_emulator, client, _) = with_picture().await;
    client.send(Request::put("/target")).await;
    let quota = "<QuotaConfiguration><StorageQuota>1</StorageQuota><Mode>Strict</Mode></QuotaConfiguration>";
    client.send(Request::put("/target?quota").body(quota)).await;
    let (key, bucket) = (URL_SAFE_NO_PAD.encode("a.gif"), URL_SAFE_NO_PAD.encode("target"));
    let save = format!("x-oss-process=image/resize,w_6/format,gif|sys/saveas,o_{key},b_{bucket}");
    let answer = client
        .send(Request::post("/bucket/a.png?x-oss-process").body(save))
        .await;
    assert_eq!(answer.error(), (403, "QuotaFull".to_owned()));
    assert_eq!(answer.element("BucketName").as_deref(), Some("target"));
}

#[tokio::test]
async fn what_is_no_image_is_told_so() {
    let (_emulator, client) = start_with_bucket().await;
    client.send(Request::put("/bucket/a.png").body("hello")).await;
    assert_eq!(
        client.send(get("image/resize,w_1")).await.error(),
        (400, "BadRequest".to_owned())
    );
    assert_eq!(
        client.send(get("image/sharpen,50")).await.error(),
        (501, "NotImplemented".to_owned())
    );
    let missing = Request::get("/bucket/none").query("x-oss-process", "image/info");
    assert_eq!(client.send(missing).await.error(), (404, "NoSuchKey".to_owned()));
}
