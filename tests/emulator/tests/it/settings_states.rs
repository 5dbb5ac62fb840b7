//! Settings with a life of their own, which goes on by the clock.

use std::time::Duration;

use crate::client::{Request, Response};
use crate::live::Live;

const HOUR: Duration = Duration::from_secs(3600);

async fn post(client: &Live, target: &str, document: &str) -> Response {
    client.send(Request::post(target).body(document)).await
}

fn cname(domain: &str) -> String {
    format!("<BucketCnameConfiguration><Cname><Domain>{domain}</Domain></Cname></BucketCnameConfiguration>")
}

#[tokio::test]
async fn a_retention_policy_is_locked_within_a_day_or_gone() {
    let client = Live::start().await;
    let days = |days: u32| {
        format!(
            "<InitiateWormConfiguration><RetentionPeriodInDays>{days}</RetentionPeriodInDays></InitiateWormConfiguration>"
        )
    };
    let extend = |days: u32| {
        format!(
            "<ExtendWormConfiguration><RetentionPeriodInDays>{days}</RetentionPeriodInDays></ExtendWormConfiguration>"
        )
    };
    let initiated = post(&client, "/bucket?worm", &days(1)).await;
    let id = initiated.header("x-oss-worm-id").unwrap().to_owned();
    assert_eq!(
        post(&client, "/bucket?worm", &days(1)).await.error(),
        (409, "WORMConfigurationAlreadyExists".to_owned())
    );
    let state = async || client.send(Request::get("/bucket?worm")).await.element("State");
    assert_eq!(state().await.as_deref(), Some("InProgress"));
    client.advance(24 * HOUR);
    assert_eq!(state().await, None);
    let missing = post(&client, &format!("/bucket?wormId={id}"), "").await;
    assert_eq!(missing.error(), (404, "NoSuchWORMConfiguration".to_owned()));
    let id = post(&client, "/bucket?worm", &days(7))
        .await
        .header("x-oss-worm-id")
        .unwrap()
        .to_owned();
    client.advance(23 * HOUR);
    assert_eq!(post(&client, "/bucket?wormId=other", "").await.status, 404);
    assert_eq!(post(&client, &format!("/bucket?wormId={id}"), "").await.status, 200);
    client.advance(48 * HOUR);
    assert_eq!(state().await.as_deref(), Some("Locked"));
    let locked = (403, "WORMConfigurationLocked".to_owned());
    assert_eq!(client.send(Request::delete("/bucket?worm")).await.error(), locked);
    assert_eq!(post(&client, &format!("/bucket?wormId={id}"), "").await.error(), locked);
    let shorter = post(&client, &format!("/bucket?wormExtend&wormId={id}"), &extend(6)).await;
    assert_eq!(shorter.error(), (400, "InvalidWORMConfiguration".to_owned()));
    let longer = post(&client, &format!("/bucket?wormExtend&wormId={id}"), &extend(8)).await;
    assert_eq!(longer.status, 200);
    let stored = client.send(Request::get("/bucket?worm")).await;
    assert_eq!(stored.element("RetentionPeriodInDays").as_deref(), Some("8"));
}

#[tokio::test]
async fn a_domain_name_is_proven_then_bound_then_reaches_its_bucket() {
    let client = Live::start().await;
    let bound = async || {
        post(&client, "/bucket?cname&comp=add", &cname("Files.Example.com"))
            .await
            .error()
    };
    assert_eq!(bound().await, (403, "NeedVerifyDomainOwnership".to_owned()));
    let token = post(&client, "/bucket?cname&comp=token", &cname("files.example.com")).await;
    let same = client
        .send(Request::get("/bucket?comp=token&cname=files.example.com"))
        .await;
    assert_eq!(token.element("Token"), same.element("Token"));
    assert!(token.element("Token").is_some_and(|token| !token.is_empty()));
    client.advance(72 * HOUR);
    assert_eq!(bound().await.0, 403, "a token lives 72 hours");
    post(&client, "/bucket?cname&comp=token", &cname("files.example.com")).await;
    assert_eq!(bound().await, (200, String::new()));
    client
        .send(
            Request::put("/bucket/k")
                .header("x-oss-object-acl", "public-read")
                .body("text"),
        )
        .await;
    let raw = "GET /k HTTP/1.1\r\nhost: files.example.com\r\nconnection: close\r\n\r\n";
    let by_name = client.exchange(raw.as_bytes()).await;
    assert!(String::from_utf8_lossy(&by_name).ends_with("text"));
    let listed = client.send(Request::get("/bucket?cname")).await;
    assert_eq!(listed.elements("Domain"), ["files.example.com"]);
    client.send(Request::put("/second")).await;
    post(&client, "/second?cname&comp=token", &cname("files.example.com")).await;
    let taken = post(&client, "/second?cname&comp=add", &cname("files.example.com")).await;
    assert_eq!(taken.error(), (409, "CnameAlreadyExists".to_owned()));
    assert_eq!(
        post(&client, "/bucket?cname&comp=delete", &cname("files.example.com"))
            .await
            .status,
        200
    );
    let gone = client.exchange(raw.as_bytes()).await;
    assert!(String::from_utf8_lossy(&gone).starts_with("HTTP/1.1 404"));
    let forbidden = post(
        &client,
        "/bucket?cname&comp=token",
        &cname("a.oss-cn-hangzhou.aliyuncs.com"),
    )
    .await;
    assert_eq!(forbidden.error(), (403, "CnameIsForbidden".to_owned()));
}

#[tokio::test]
async fn access_points_are_made_described_and_removed() {
    let client = Live::start().await;
    let document = |name: &str| {
        format!(
            "<CreateAccessPointConfiguration><AccessPointName>{name}</AccessPointName><NetworkOrigin>internet</NetworkOrigin></CreateAccessPointConfiguration>"
        )
    };
    for name in ["ap-1", "ap-2", "ap-3"] {
        let created = client
            .send(Request::put("/bucket?accessPoint").body(document(name)))
            .await;
        assert_eq!(created.status, 200);
        assert!(
            created
                .element("Alias")
                .is_some_and(|alias| alias.ends_with("-ossalias"))
        );
    }
    let status = async || {
        let get = Request::get("/bucket?accessPoint").header("x-oss-access-point-name", "ap-1");
        client.send(get).await.element("Status")
    };
    assert_eq!(status().await.as_deref(), Some("creating"));
    client.advance(HOUR);
    assert_eq!(status().await.as_deref(), Some("enable"));
    let page = client.send(Request::get("/bucket?accessPoint&max-keys=2")).await;
    assert_eq!(page.elements("AccessPointName"), ["ap-1", "ap-2"]);
    let token = page.element("NextContinuationToken").unwrap();
    let rest = client
        .send(Request::get("/?accessPoint").query("continuation-token", &token))
        .await;
    assert_eq!(rest.elements("AccessPointName"), ["ap-3"]);
    let policy = "{\"Version\":\"1\",\"Statement\":[]}";
    let named = |request: Request| request.header("x-oss-access-point-name", "ap-1");
    assert_eq!(
        client
            .send(named(Request::put("/bucket?accessPointPolicy").body(policy)))
            .await
            .status,
        200
    );
    assert_eq!(
        client
            .send(named(Request::get("/bucket?accessPointPolicy")))
            .await
            .text(),
        policy
    );
    let block =
        "<PublicAccessBlockConfiguration><BlockPublicAccess>true</BlockPublicAccess></PublicAccessBlockConfiguration>";
    let target = "/bucket?publicAccessBlock&x-oss-access-point-name=ap-1";
    assert_eq!(client.send(Request::put(target).body(block)).await.status, 200);
    assert_eq!(
        client
            .send(Request::get(target))
            .await
            .element("BlockPublicAccess")
            .as_deref(),
        Some("true")
    );
    let of_bucket = client.send(Request::get("/bucket?publicAccessBlock")).await;
    assert_eq!(of_bucket.element("BlockPublicAccess").as_deref(), Some("false"));
    assert_eq!(
        client.send(named(Request::delete("/bucket?accessPoint"))).await.status,
        204
    );
    assert_eq!(
        client.send(named(Request::get("/bucket?accessPoint"))).await.error(),
        (404, "NoSuchAccessPoint".to_owned())
    );
}

#[tokio::test]
async fn a_redundancy_transition_waits_works_and_is_done() {
    let client = Live::start().await;
    let created = post(
        &client,
        "/bucket?redundancyTransition&x-oss-target-redundancy-type=ZRS",
        "",
    )
    .await;
    let id = created.element("TaskId").unwrap();
    let get = async || {
        let target = format!("/bucket?redundancyTransition&x-oss-redundancy-transition-taskid={id}");
        client.send(Request::get(&target)).await
    };
    let redundancy = async || {
        client
            .send(Request::get("/bucket?bucketInfo"))
            .await
            .element("DataRedundancyType")
    };
    assert_eq!(get().await.element("Status").as_deref(), Some("Queueing"));
    client.advance(HOUR / 2);
    let working = get().await;
    assert_eq!(working.element("Status").as_deref(), Some("Processing"));
    assert_eq!(working.element("ProcessPercentage").as_deref(), Some("48"));
    assert_eq!(redundancy().await.as_deref(), Some("LRS"));
    let delete = format!("/bucket?redundancyTransition&x-oss-redundancy-transition-taskid={id}");
    assert_eq!(
        client.send(Request::delete(&delete)).await.error(),
        (409, "BucketDataRedundancyTransitionTaskStatusConflict".to_owned())
    );
    client.advance(HOUR);
    assert_eq!(get().await.element("Status").as_deref(), Some("Finished"));
    assert_eq!(redundancy().await.as_deref(), Some("ZRS"));
    assert_eq!(
        client
            .send(Request::get("/?redundancyTransition"))
            .await
            .elements("TaskId"),
        [id.as_str()]
    );
    assert_eq!(client.send(Request::delete(&delete)).await.status, 204);
    assert_eq!(redundancy().await.as_deref(), Some("ZRS"));
    assert_eq!(
        get().await.error(),
        (404, "BucketDataRedundancyTransitionTaskNotExist".to_owned())
    );
}

#[tokio::test]
async fn replication_rules_begin_go_on_and_close() {
    let client = Live::start().await;
    client.send(Request::put("/target")).await;
    let rule = |bucket: &str, location: &str| {
        format!("<Rule><Destination><Bucket>{bucket}</Bucket><Location>{location}</Location></Destination></Rule>")
    };
    let add = async |rules: String| {
        let document = format!("<ReplicationConfiguration>{rules}</ReplicationConfiguration>");
        post(&client, "/bucket?replication&comp=add", &document).await
    };
    for (rules, code) in [
        (rule("target", "oss-cn-hangzhou").repeat(2), "TooManyReplicationRules"),
        (rule("nosuchbucket", "oss-cn-hangzhou"), "InvalidTargetBucket"),
        (rule("bucket", "oss-cn-hangzhou"), "InvalidTargetBucket"),
        (rule("target", "oss-cn-beijing"), "InvalidTargetLocation"),
        (rule("target", "oss-mars"), "BadReplicationLocation"),
    ] {
        assert_eq!(add(rules.clone()).await.error(), (400, code.to_owned()), "{rules}");
    }
    let added = add(rule("target", "oss-cn-hangzhou")).await;
    let id = added.header("x-oss-replication-rule-id").unwrap().to_owned();
    let again = add(rule("target", "oss-cn-hangzhou")).await;
    assert_eq!(again.error(), (400, "BucketReplicationAlreadyExist".to_owned()));
    let status = async || {
        client
            .send(Request::get("/bucket?replication"))
            .await
            .elements("Status")
            .pop()
    };
    assert_eq!(status().await.as_deref(), Some("starting"));
    client.advance(HOUR);
    assert_eq!(status().await.as_deref(), Some("doing"));
    let rtc = format!("<ReplicationRule><RTC><Status>enabled</Status></RTC><ID>{id}</ID></ReplicationRule>");
    assert_eq!(client.send(Request::put("/bucket?rtc").body(rtc)).await.status, 200);
    let stored = client.send(Request::get("/bucket?replication")).await.text();
    assert!(stored.contains("<RTC><Status>enabled</Status></RTC>"), "{stored}");
    let progress = client
        .send(Request::get(&format!("/bucket?replicationProgress&rule-id={id}")))
        .await;
    assert_eq!(progress.element("HistoricalObject").as_deref(), Some("0.00"));
    let unknown = client.send(Request::get("/bucket?replicationProgress&rule-id=x")).await;
    assert_eq!(unknown.error(), (404, "NoSuchReplicationRule".to_owned()));
    let delete = format!("<ReplicationRules><ID>{id}</ID></ReplicationRules>");
    assert_eq!(
        post(&client, "/bucket?replication&comp=delete", &delete).await.status,
        200
    );
    assert_eq!(status().await.as_deref(), Some("closing"));
    client.advance(HOUR);
    assert_eq!(status().await, None);
}

#[tokio::test]
async fn a_metadata_index_answers_queries() {
    let client = Live::start().await;
    for (key, size, tag) in [
        ("a.txt", 10, "x"),
        ("b.txt", 20, "y"),
        ("c.jpg", 30, "x"),
        ("d.jpg", 40, "y"),
    ] {
        let request = Request::put(&format!("/bucket/{key}"))
            .header("x-oss-tagging", &format!("team={tag}"))
            .header("x-oss-meta-lang", tag)
            .body("z".repeat(size));
        assert_eq!(client.send(request).await.status, 200);
    }
    let ask = async |inner: &str| {
        let document = format!("<MetaQuery>{inner}</MetaQuery>");
        post(&client, "/bucket?metaQuery&comp=query&mode=basic", &document).await
    };
    let query = |json: &str| format!("<Query>{}</Query>", json.replace('"', "&quot;"));
    let big = query(r#"{"Field":"Size","Value":"15","Operation":"gt"}"#);
    assert_eq!(ask(&big).await.error(), (404, "MetaQueryNotExist".to_owned()));
    assert_eq!(post(&client, "/bucket?metaQuery&comp=add", "").await.status, 200);
    assert_eq!(
        post(&client, "/bucket?metaQuery&comp=add", "").await.error(),
        (400, "MetaQueryAlreadyExist".to_owned())
    );
    assert_eq!(ask(&big).await.error(), (409, "MetaQueryNotReady".to_owned()));
    client.advance(HOUR);
    let status = client.send(Request::get("/bucket?metaQuery")).await;
    assert_eq!(status.element("State").as_deref(), Some("Running"));
    for (json, found) in [
        (r#"{"Field":"Size","Value":"15","Operation":"gt"}"#, "b.txt c.jpg d.jpg"),
        (r#"{"Field":"Size","Value":"20","Operation":"lte"}"#, "a.txt b.txt"),
        (r#"{"Field":"Filename","Value":"c","Operation":"prefix"}"#, "c.jpg"),
        (
            r#"{"Field":"Filename","Value":"JPG","Operation":"match"}"#,
            "c.jpg d.jpg",
        ),
        (
            r#"{"Field":"OSSTagging.team","Value":"x","Operation":"eq"}"#,
            "a.txt c.jpg",
        ),
        (
            r#"{"Field":"OSSUserMeta.x-oss-meta-lang","Value":"y","Operation":"eq"}"#,
            "b.txt d.jpg",
        ),
        (
            r#"{"Field":"FileModifiedTime","Value":"2023-12-18T00:20:57+08:00","Operation":"eq"}"#,
            "a.txt b.txt c.jpg d.jpg",
        ),
        (
            r#"{"Field":"FileModifiedTime","Value":"2023-12-17T16:20:57Z","Operation":"gt"}"#,
            "",
        ),
        (
            r#"{"Operation":"and","SubQueries":[{"Field":"Size","Value":"15","Operation":"gt"},{"Operation":"not","SubQueries":[{"Field":"OSSTagging.team","Value":"y","Operation":"eq"}]}]}"#,
            "c.jpg",
        ),
        (
            r#"{"Operation":"or","SubQueries":[{"Field":"Size","Value":"10","Operation":"eq"},{"Field":"Size","Value":"40","Operation":"eq"}]}"#,
            "a.txt d.jpg",
        ),
    ] {
        let answer = ask(&query(json)).await;
        assert_eq!(answer.elements("Filename").join(" "), found, "{json} {}", answer.text());
    }
    let sorted = format!("{big}<Sort>Size</Sort><Order>desc</Order><MaxResults>2</MaxResults>");
    let first = ask(&sorted).await;
    assert_eq!(first.elements("Filename"), ["d.jpg", "c.jpg"]);
    let next = first.element("NextToken").unwrap();
    let second = ask(&format!("{sorted}<NextToken>{next}</NextToken>")).await;
    assert_eq!(second.elements("Filename"), ["b.txt"]);
    assert_eq!(second.element("NextToken").as_deref(), Some(""));
    let aggregation = |field: &str, operation: &str| {
        format!("<Aggregation><Field>{field}</Field><Operation>{operation}</Operation></Aggregation>")
    };
    let statistics = format!(
        "{big}<Aggregations>{}{}{}{}{}</Aggregations>",
        aggregation("Size", "sum"),
        aggregation("Size", "average"),
        aggregation("Size", "max"),
        aggregation("OSSTagging.team", "distinct"),
        aggregation("OSSTagging.team", "group")
    );
    let computed = ask(&statistics).await;
    assert_eq!(computed.elements("Value"), ["90", "30", "40", "2", "x", "y"]);
    assert_eq!(computed.elements("Count"), ["1", "2"]);
    for bad in [
        String::new(),
        query("{"),
        query(r#"{"Field":"Colour","Value":"1","Operation":"eq"}"#),
        query(r#"{"Field":"Size","Value":"big","Operation":"eq"}"#),
        query(r#"{"Field":"Size","Value":"1","Operation":"like"}"#),
        query(r#"{"Field":"Size","Value":"1","Operation":"prefix"}"#),
        format!("{big}<NextToken>nonsense</NextToken>"),
    ] {
        assert_eq!(ask(&bad).await.error(), (400, "InvalidArgument".to_owned()), "{bad}");
    }
    assert_eq!(
        ask("<MaxResults>101</MaxResults>").await.error(),
        (400, "MalformedXML".to_owned())
    );
    assert_eq!(post(&client, "/bucket?metaQuery&comp=delete", "").await.status, 200);
    assert_eq!(ask(&big).await.error(), (404, "MetaQueryNotExist".to_owned()));
}
