//! Settings of buckets: defaults, rules that shapes cannot express, and collections.

use crate::client::{Client, Request, start_with_bucket};

async fn put(client: &Client, target: &str, document: &str) -> (u16, String) {
    client.send(Request::put(target).body(document)).await.error()
}

fn ok() -> (u16, String) {
    (200, String::new())
}

fn refused(code: &str) -> (u16, String) {
    (400, code.to_owned())
}

#[tokio::test]
async fn what_was_never_put_has_a_default_or_is_missing() {
    let (_emulator, client) = start_with_bucket().await;
    for (flag, ending) in [
        ("logging", "<BucketLoggingStatus></BucketLoggingStatus>"),
        ("tagging", "<Tagging><TagSet></TagSet></Tagging>"),
        (
            "requestPayment",
            "<Payer>BucketOwner</Payer></RequestPaymentConfiguration>",
        ),
        (
            "accessmonitor",
            "<Status>Disabled</Status></AccessMonitorConfiguration>",
        ),
        (
            "publicAccessBlock",
            "<BlockPublicAccess>false</BlockPublicAccess></PublicAccessBlockConfiguration>",
        ),
        (
            "bucketArchiveDirectRead",
            "<Enabled>false</Enabled></ArchiveDirectReadConfiguration>",
        ),
    ] {
        let answer = client.send(Request::get(&format!("/bucket?{flag}"))).await;
        assert_eq!(answer.status, 200, "{flag}: {}", answer.text());
        assert!(answer.text().ends_with(ending), "{flag}: {}", answer.text());
    }
    let referer = client.send(Request::get("/bucket?referer")).await;
    assert_eq!(referer.element("AllowEmptyReferer").as_deref(), Some("true"));
    for (flag, code) in [
        ("lifecycle", "NoSuchLifecycle"),
        ("website", "NoSuchWebsiteConfiguration"),
        ("encryption", "NoSuchServerSideEncryptionRule"),
        ("policy", "NoSuchBucketPolicy"),
        ("policyStatus", "NoSuchBucketPolicy"),
        ("replication", "NoSuchReplicationConfiguration"),
        ("worm", "NoSuchWORMConfiguration"),
        ("transferAcceleration", "NoSuchTransferAccelerationConfiguration"),
        ("overwriteConfig", "NoSuchBucketOverwriteConfig"),
        ("metaQuery", "MetaQueryNotExist"),
    ] {
        let answer = client.send(Request::get(&format!("/bucket?{flag}"))).await;
        assert_eq!(answer.error(), (404, code.to_owned()), "{flag}");
        let absent = client.send(Request::get(&format!("/nosuchbucket?{flag}"))).await;
        assert_eq!(absent.error(), (404, "NoSuchBucket".to_owned()), "{flag}");
    }
}

#[tokio::test]
async fn rules_beyond_shapes_have_the_codes_of_the_service() {
    let (_emulator, client) = start_with_bucket().await;
    let tag = |key: &str| format!("<Tag><Key>{key}</Key><Value>v</Value></Tag>");
    let tags = |inner: &str| format!("<Tagging><TagSet>{inner}</TagSet></Tagging>");
    let many: String = (0..21).map(|number| tag(&format!("k{number}"))).collect();
    let rule = |inner: &str| {
        format!(
            "<ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault>{inner}</ApplyServerSideEncryptionByDefault></ServerSideEncryptionRule>"
        )
    };
    let tls = |inner: &str| format!("<HttpsConfiguration><TLS>{inner}</TLS></HttpsConfiguration>");
    let quota = |most: &str| {
        format!("<QuotaConfiguration><StorageQuota>{most}</StorageQuota><Mode>Strict</Mode></QuotaConfiguration>")
    };
    let logging = |target: &str, prefix: &str| {
        format!(
            "<BucketLoggingStatus><LoggingEnabled><TargetBucket>{target}</TargetBucket><TargetPrefix>{prefix}</TargetPrefix></LoggingEnabled></BucketLoggingStatus>"
        )
    };
    let fields =
        |inner: &str| format!("<UserDefinedLogFieldsConfiguration>{inner}</UserDefinedLogFieldsConfiguration>");
    let header = |name: &str| format!("<header>{name}</header>");
    let seven: String = (0..7).map(|number| header(&format!("h{number}"))).collect();
    for (flag, document, code) in [
        ("tagging", tags(&many), "TooManyTags"),
        ("tagging", tags(&tag("a").repeat(2)), "RepeatedTags"),
        ("tagging", tags(&tag("Aliyun")), "InvalidTaggingKey"),
        ("encryption", rule("<SSEAlgorithm>ROT13</SSEAlgorithm>"), "InvalidEncryptionAlgorithmError"),
        ("encryption", rule("<SSEAlgorithm>None</SSEAlgorithm>"), "InvalidEncryptionAlgorithmError"),
        (
            "encryption",
            rule("<SSEAlgorithm>AES256</SSEAlgorithm><KMSMasterKeyID>key</KMSMasterKeyID>"),
            "InvalidEncryptionRequest",
        ),
        (
            "encryption",
            rule("<SSEAlgorithm>KMS</SSEAlgorithm><KMSDataEncryption>AES</KMSDataEncryption>"),
            "InvalidDataEncryptionAlgorithmError",
        ),
        ("httpsConfig", tls("<Enable>true</Enable>"), "MalformedXML"),
        (
            "httpsConfig",
            tls("<Enable>true</Enable><TLSVersion>TLSv1.2</TLSVersion><TLSVersion>TLSv1.2</TLSVersion>"),
            "InvalidArgument",
        ),
        ("httpsConfig", tls("<Enable>true</Enable><TLSVersion>SSL3</TLSVersion>"), "MalformedXML"),
        ("quota", quota("0"), "InvalidArgument"),
        ("quota", quota("many"), "MalformedXML"),
        ("logging", logging("nosuchbucket", "a"), "InvalidTargetBucketForLogging"),
        ("logging", logging("bucket", &"a".repeat(33)), "InvalidArgument"),
        ("userDefinedLogFieldsConfig", fields(""), "MalformedXML"),
        ("userDefinedLogFieldsConfig", fields(&format!("<HeaderSet>{seven}</HeaderSet>")), "MalformedXML"),
        (
            "userDefinedLogFieldsConfig",
            fields(&format!("<HeaderSet>{}</HeaderSet>", header("a").repeat(2))),
            "InvalidArgument",
        ),
        (
            "resourceGroup",
            "<BucketResourceGroupConfiguration><ResourceGroupId>x</ResourceGroupId></BucketResourceGroupConfiguration>".to_owned(),
            "ResourceGroupIdPreCheckError",
        ),
        (
            "referer",
            "<RefererConfiguration><AllowEmptyReferer>true</AllowEmptyReferer><AllowTruncateQueryString>false</AllowTruncateQueryString><TruncatePath>true</TruncatePath></RefererConfiguration>".to_owned(),
            "InvalidArgument",
        ),
        ("website", "<WebsiteConfiguration/>".to_owned(), "InvalidArgument"),
        ("policy", String::new(), "InvalidPolicyDocument"),
        ("policy", format!("{{\"Statement\":[],\"x\":\"{}\"}}", "y".repeat(16384)), "EntityTooLarge"),
        ("policy", "{\"Version\":\"2\",\"Statement\":[]}".to_owned(), "InvalidPolicyDocument"),
        ("policy", "{\"Version\":\"1\",\"Statement\":[{\"Effect\":\"Maybe\"}]}".to_owned(), "InvalidPolicyDocument"),
    ] {
        let answer = put(&client, &format!("/bucket?{flag}"), &document).await;
        assert_eq!(answer, refused(code), "{flag} {document}");
    }
    assert_eq!(put(&client, "/bucket?logging", &logging("bucket", "logs/")).await, ok());
    assert_eq!(
        put(
            &client,
            "/bucket?encryption",
            &rule("<SSEAlgorithm>KMS</SSEAlgorithm><KMSMasterKeyID>key</KMSMasterKeyID>")
        )
        .await,
        ok()
    );
}

#[tokio::test]
async fn tags_are_removed_by_key_or_all() {
    let (_emulator, client) = start_with_bucket().await;
    let document = "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag><Tag><Key>b</Key><Value>2</Value></Tag></TagSet></Tagging>";
    assert_eq!(put(&client, "/bucket?tagging", document).await, ok());
    assert_eq!(client.send(Request::delete("/bucket?tagging=a,zzz")).await.status, 204);
    assert_eq!(
        client.send(Request::get("/bucket?tagging")).await.elements("Key"),
        ["b"]
    );
    assert_eq!(client.send(Request::delete("/bucket?tagging")).await.status, 204);
    assert!(
        client
            .send(Request::get("/bucket?tagging"))
            .await
            .elements("Key")
            .is_empty()
    );
}

#[tokio::test]
async fn buckets_are_listed_by_tags_and_resource_group() {
    let (_emulator, client) = start_with_bucket().await;
    let tagged = Request::put("/tagged")
        .header("x-oss-bucket-tagging", "team=web&stage=a%20b")
        .header("x-oss-resource-group-id", "rg-web");
    assert_eq!(client.send(tagged).await.status, 200);
    let names = async |request: Request| client.send(request).await.elements("Name");
    assert_eq!(names(Request::get("/").query("tag-key", "team")).await, ["tagged"]);
    assert_eq!(
        names(Request::get("/").query("tag-key", "team").query("tag-value", "web")).await,
        ["tagged"]
    );
    assert!(
        names(Request::get("/").query("tag-key", "team").query("tag-value", "x"))
            .await
            .is_empty()
    );
    assert_eq!(
        names(Request::get("/").query("tagging", "\"team\":\"web\",\"stage\":\"a b\"")).await,
        ["tagged"]
    );
    assert_eq!(
        client.send(Request::get("/").query("tag-value", "x")).await.error(),
        refused("InvalidArgument")
    );
    assert_eq!(
        names(Request::get("/").header("x-oss-resource-group-id", "rg-web")).await,
        ["tagged"]
    );
    let info = client.send(Request::get("/tagged?bucketInfo")).await;
    assert_eq!(info.element("ResourceGroupId").as_deref(), Some("rg-web"));
}

#[tokio::test]
async fn a_bucket_describes_its_settings() {
    let (_emulator, client) = start_with_bucket().await;
    for (flag, document) in [
        (
            "transferAcceleration",
            "<TransferAccelerationConfiguration><Enabled>true</Enabled></TransferAccelerationConfiguration>",
        ),
        (
            "accessmonitor",
            "<AccessMonitorConfiguration><Status>Enabled</Status></AccessMonitorConfiguration>",
        ),
        (
            "publicAccessBlock",
            "<PublicAccessBlockConfiguration><BlockPublicAccess>true</BlockPublicAccess></PublicAccessBlockConfiguration>",
        ),
        (
            "encryption",
            "<ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>KMS</SSEAlgorithm><KMSMasterKeyID>key</KMSMasterKeyID></ApplyServerSideEncryptionByDefault></ServerSideEncryptionRule>",
        ),
        (
            "logging",
            "<BucketLoggingStatus><LoggingEnabled><TargetBucket>bucket</TargetBucket><TargetPrefix>p</TargetPrefix></LoggingEnabled></BucketLoggingStatus>",
        ),
    ] {
        assert_eq!(put(&client, &format!("/bucket?{flag}"), document).await, ok(), "{flag}");
    }
    let info = client.send(Request::get("/bucket?bucketInfo")).await;
    for (element, value) in [
        ("TransferAcceleration", "Enabled"),
        ("AccessMonitor", "Enabled"),
        ("BlockPublicAccess", "true"),
        ("SSEAlgorithm", "KMS"),
        ("KMSMasterKeyID", "key"),
        ("LogBucket", "bucket"),
        ("LogPrefix", "p"),
        ("CrossRegionReplication", "Disabled"),
    ] {
        assert_eq!(info.element(element).as_deref(), Some(value), "{element}");
    }
    let public = "{\"Version\":\"1\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"oss:GetObject\",\"Principal\":[\"*\"],\"Resource\":\"acs:oss:*:*:bucket/*\"}]}";
    assert_eq!(
        put(&client, "/bucket?policy", public).await,
        (403, "AccessDenied".to_owned())
    );
    client.send(Request::delete("/bucket?publicAccessBlock")).await;
    assert_eq!(put(&client, "/bucket?policy", public).await, ok());
    let status = client.send(Request::get("/bucket?policyStatus")).await;
    assert_eq!(status.element("IsPublic").as_deref(), Some("true"));
}

#[tokio::test]
async fn the_account_blocks_public_access_for_all_its_buckets() {
    let (_emulator, client) = start_with_bucket().await;
    let block = async || {
        client
            .send(Request::get("/?publicAccessBlock"))
            .await
            .element("BlockPublicAccess")
    };
    assert_eq!(block().await.as_deref(), Some("false"));
    let document =
        "<PublicAccessBlockConfiguration><BlockPublicAccess>true</BlockPublicAccess></PublicAccessBlockConfiguration>";
    assert_eq!(put(&client, "/?publicAccessBlock", document).await, ok());
    assert_eq!(block().await.as_deref(), Some("true"));
    assert_eq!(client.send(Request::delete("/?publicAccessBlock")).await.status, 204);
    assert_eq!(block().await.as_deref(), Some("false"));
}

#[tokio::test]
async fn styles_are_a_collection() {
    let (_emulator, client) = start_with_bucket().await;
    let style = "<Style><Content>image/resize,p_50</Content></Style>";
    assert_eq!(put(&client, "/bucket?style&styleName=half", style).await, ok());
    assert_eq!(
        put(&client, "/bucket?style&styleName=a_b&category=video", style).await,
        ok()
    );
    let one = client.send(Request::get("/bucket?style&styleName=half")).await;
    assert_eq!(one.element("Content").as_deref(), Some("image/resize,p_50"));
    assert_eq!(one.element("Category").as_deref(), Some("image"));
    assert_eq!(
        client.send(Request::get("/bucket?style")).await.elements("Name"),
        ["a_b", "half"]
    );
    assert_eq!(
        client
            .send(Request::delete("/bucket?style&styleName=half"))
            .await
            .status,
        204
    );
    assert_eq!(
        client.send(Request::get("/bucket?style&styleName=half")).await.error(),
        (404, "NoSuchStyle".to_owned())
    );
    assert_eq!(
        put(&client, "/bucket?style&styleName=a/b", style).await,
        refused("InvalidArgument")
    );
}

#[tokio::test]
async fn a_strict_quota_refuses_what_does_not_fit() {
    let (_emulator, client) = start_with_bucket().await;
    let quota = |mode: &str| {
        format!("<QuotaConfiguration><StorageQuota>10</StorageQuota><Mode>{mode}</Mode></QuotaConfiguration>")
    };
    assert_eq!(put(&client, "/bucket?quota", &quota("Strict")).await, ok());
    assert_eq!(put(&client, "/bucket/a", "12345678").await, ok());
    let full = (403, "QuotaFull".to_owned());
    assert_eq!(put(&client, "/bucket/b", "123").await, full);
    let copy = Request::put("/bucket/c").header("x-oss-copy-source", "/bucket/a");
    assert_eq!(client.send(copy).await.error(), full);
    assert_eq!(put(&client, "/bucket/b", "12").await, ok());
    let stored = client.send(Request::get("/bucket?quota")).await;
    assert_eq!(stored.element("CurrentUsage").as_deref(), Some("10"));
    assert_eq!(put(&client, "/bucket?quota", &quota("Warning")).await, ok());
    assert_eq!(put(&client, "/bucket/d", "123").await, ok());
}
