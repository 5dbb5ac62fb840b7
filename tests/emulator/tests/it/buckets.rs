//! Buckets and their configuration, which comes from the models.

use crate::client::{Request, md5_base64, start, start_with_bucket};

#[tokio::test]
async fn a_bucket_says_what_it_is() {
    let (_emulator, client) = start().await;
    let document = "<CreateBucketConfiguration><StorageClass>IA</StorageClass><DataRedundancyType>ZRS</DataRedundancyType></CreateBucketConfiguration>";
    let created = client
        .send(
            Request::put("/bucket")
                .header("x-oss-acl", "public-read")
                .body(document),
        )
        .await;
    assert_eq!((created.status, created.header("location")), (200, Some("/bucket")));
    let info = client.send(Request::get("/bucket?bucketInfo")).await;
    for (element, value) in [
        ("Name", "bucket"),
        ("Grant", "public-read"),
        ("Location", "oss-cn-hangzhou"),
        ("StorageClass", "IA"),
        ("DataRedundancyType", "ZRS"),
        ("CreationDate", "2023-12-17T16:20:57.000Z"),
        ("ExtranetEndpoint", "oss-cn-hangzhou.aliyuncs.com"),
        ("IntranetEndpoint", "oss-cn-hangzhou-internal.aliyuncs.com"),
    ] {
        assert_eq!(info.element(element).as_deref(), Some(value), "{element}");
    }
    assert!(info.text().contains("<BucketInfo><Bucket>"));
    assert_eq!(
        client
            .send(Request::get("/bucket?location"))
            .await
            .element("LocationConstraint")
            .as_deref(),
        Some("oss-cn-hangzhou")
    );
    client.send(Request::put("/bucket/k").body("12345")).await;
    let stat = client.send(Request::get("/bucket?stat")).await;
    assert_eq!(
        (
            stat.element("Storage").as_deref(),
            stat.element("ObjectCount").as_deref()
        ),
        (Some("5"), Some("1"))
    );
    assert_eq!(
        client
            .send(Request::get("/bucket?acl"))
            .await
            .element("Grant")
            .as_deref(),
        Some("public-read")
    );
    assert_eq!(
        client.send(Request::delete("/bucket")).await.error(),
        (409, "BucketNotEmpty".to_owned())
    );
    client.send(Request::delete("/bucket/k")).await;
    assert_eq!(client.send(Request::delete("/bucket")).await.status, 204);
    assert_eq!(
        client.send(Request::get("/bucket?bucketInfo")).await.error(),
        (404, "NoSuchBucket".to_owned())
    );
}

#[tokio::test]
async fn a_configuration_is_put_got_and_deleted() {
    let (_emulator, client) = start_with_bucket().await;
    assert_eq!(
        client.send(Request::get("/bucket?cors")).await.error(),
        (404, "NoSuchCORSConfiguration".to_owned())
    );
    let document = "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>\
        <AllowedMethod>PUT</AllowedMethod><MaxAgeSeconds>5</MaxAgeSeconds></CORSRule><ResponseVary>true</ResponseVary></CORSConfiguration>";
    assert_eq!(
        client.send(Request::put("/bucket?cors").body(document)).await.status,
        200
    );
    let stored = client.send(Request::get("/bucket?cors")).await;
    assert!(stored.text().ends_with(document), "{}", stored.text());
    assert_eq!(stored.header("content-type"), Some("application/xml"));
    assert_eq!(client.send(Request::delete("/bucket?cors")).await.status, 204);
    assert_eq!(client.send(Request::get("/bucket?cors")).await.status, 404);
}

#[tokio::test]
async fn documents_that_do_not_fit_their_shape_are_refused_by_element() {
    let (_emulator, client) = start_with_bucket().await;
    let rule = "<CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule>";
    for (document, named) in [
        (String::new(), "empty"),
        ("<CORSConfiguration>".to_owned(), "not closed"),
        ("<Other/>".to_owned(), "Other"),
        ("<CORSConfiguration/>".to_owned(), "CORSRule"),
        (
            format!("<CORSConfiguration>{rule}<Extra/></CORSConfiguration>"),
            "Extra",
        ),
        (
            format!(
                "<CORSConfiguration>{}</CORSConfiguration>",
                rule.replace("GET", "FETCH")
            ),
            "AllowedMethod",
        ),
        (
            format!(
                "<CORSConfiguration>{}</CORSConfiguration>",
                rule.replace("<AllowedOrigin>*</AllowedOrigin>", "")
            ),
            "AllowedOrigin",
        ),
        (
            format!("<CORSConfiguration>{rule}<ResponseVary>maybe</ResponseVary></CORSConfiguration>"),
            "ResponseVary",
        ),
        (
            format!(
                "<CORSConfiguration>{rule}<ResponseVary>true</ResponseVary><ResponseVary>true</ResponseVary></CORSConfiguration>"
            ),
            "more than once",
        ),
        (
            format!(
                "<CORSConfiguration>{}</CORSConfiguration>",
                rule.replace("GET", "<b>GET</b>")
            ),
            "AllowedMethod",
        ),
        (
            format!("<!DOCTYPE a><CORSConfiguration>{rule}</CORSConfiguration>"),
            "document type",
        ),
    ] {
        let answer = client.send(Request::put("/bucket?cors").body(document.clone())).await;
        assert_eq!(answer.error(), (400, "MalformedXML".to_owned()), "{document}");
        let message = answer.element("Message").unwrap();
        assert!(message.contains(named), "{document}: {message}");
    }
    let many = format!("<CORSConfiguration>{}</CORSConfiguration>", rule.repeat(11));
    let refused = client.send(Request::put("/bucket?cors").body(many)).await;
    assert_eq!(refused.error(), (400, "CORSRuleBeyondLimit".to_owned()));
    let digest = Request::put("/bucket?cors")
        .header("content-md5", &md5_base64(b"other"))
        .body(format!("<CORSConfiguration>{rule}</CORSConfiguration>"));
    assert_eq!(client.send(digest).await.error(), (400, "InvalidDigest".to_owned()));
    let huge = Request::put("/bucket?cors").body(vec![b' '; 6 * 1024 * 1024]);
    assert_eq!(client.send(huge).await.error(), (400, "EntityTooLarge".to_owned()));
}

#[tokio::test]
async fn a_policy_is_json_with_statements() {
    let (_emulator, client) = start_with_bucket().await;
    assert_eq!(
        client.send(Request::get("/bucket?policy")).await.error(),
        (404, "NoSuchBucketPolicy".to_owned())
    );
    let policy = "{\"Version\":\"1\",\n \"Statement\": []}";
    assert_eq!(
        client.send(Request::put("/bucket?policy").body(policy)).await.status,
        200
    );
    assert_eq!(client.send(Request::get("/bucket?policy")).await.text(), policy);
    for bad in ["nonsense", "[]", "{}", "{\"Statement\": {}}"] {
        assert_eq!(
            client.send(Request::put("/bucket?policy").body(bad)).await.error(),
            (400, "InvalidPolicyDocument".to_owned()),
            "{bad}"
        );
    }
    assert_eq!(client.send(Request::delete("/bucket?policy")).await.status, 204);
}

#[tokio::test]
async fn regions_have_their_endpoints() {
    let (_emulator, client) = start().await;
    let all = client.send(Request::get("/?regions")).await;
    assert!(all.elements("Region").contains(&"oss-cn-hangzhou".to_owned()));
    let one = client.send(Request::get("/?regions=oss-cn-beijing")).await;
    assert_eq!(one.elements("InternetEndpoint"), ["oss-cn-beijing.aliyuncs.com"]);
    assert_eq!(client.send(Request::get("/?regions=oss-mars")).await.status, 404);
}

#[tokio::test]
async fn bad_names_are_refused() {
    let (_emulator, client) = start_with_bucket().await;
    for (path, code) in [
        ("/ab", "InvalidBucketName"),
        ("/Bucket", "InvalidBucketName"),
        ("/bucket/\0", "InvalidObjectName"),
    ] {
        assert_eq!(
            client.send(Request::put(path).body("x")).await.error(),
            (400, code.to_owned()),
            "{path}"
        );
    }
    assert_eq!(
        client.send(Request::get("/nosuchbucket/k")).await.error(),
        (404, "NoSuchBucket".to_owned())
    );
}
