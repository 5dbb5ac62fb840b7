//! Metadata indexes and datasets, in requests of our own.

use oss_emulator::{Clock, Emulator};

use crate::client::{Client, Request, Response, noon, start_with_bucket};

async fn act(client: &Client, action: &str, parameters: &str) -> Response {
    let mut request = Request::post(&format!("/bucket?metaQuery&action={action}"));
    for pair in parameters.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap();
        request = request.query(name, value);
    }
    client.send(request).await
}

#[tokio::test]
async fn an_index_is_opened_once_and_closed() {
    let (_emulator, client) = start_with_bucket().await;
    let missing = act(&client, "getMetaQueryStatus", "").await.error();
    assert_eq!(missing, (404, "MetaQueryNotExist".to_owned()));
    let body = "<MetaQuery><Filters><Filter>Size &gt; 1024</Filter></Filters></MetaQuery>";
    let open = Request::post("/bucket?metaQuery&action=openMetaQuery&mode=semantic").body(body);
    let opened = client.send(open.clone()).await;
    assert_eq!(opened.status, 200, "{}", opened.text());
    assert_eq!(
        client.send(open).await.error(),
        (400, "MetaQueryAlreadyExist".to_owned())
    );
    let status = act(&client, "getMetaQueryStatus", "").await;
    assert_eq!(status.element("State"), Some("Running".to_owned()), "{}", status.text());
    assert_eq!(status.element("MetaQueryMode"), Some("semantic".to_owned()));
    assert_eq!(status.element("Filter"), Some("Size &gt; 1024".to_owned()));
    assert_eq!(act(&client, "createDataset", "datasetName=d").await.status, 200);
    assert_eq!(act(&client, "closeMetaQuery", "").await.status, 200);
    assert_eq!(act(&client, "listDatasets", "").await.error().1, "MetaQueryNotExist");
    assert_eq!(act(&client, "openMetaQuery", "mode=semantic").await.status, 200);
    assert!(
        act(&client, "listDatasets", "")
            .await
            .elements("DatasetName")
            .is_empty()
    );
    assert_eq!(act(&client, "closeMetaQuery", "").await.status, 200);
    assert_eq!(act(&client, "openMetaQuery", "").await.status, 200);
    let refused = act(&client, "createDataset", "datasetName=d").await.error();
    assert_eq!(refused, (400, "InvalidArgument".to_owned()));
}

#[tokio::test]
async fn datasets_survive_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let run = || async {
        let emulator = Emulator::builder()
            .data_dir(directory.path())
            .clock(Clock::fixed(noon()));
        let emulator = emulator.start().await.unwrap();
        let client = Client::of(&emulator);
        (emulator, client)
    };
    let (emulator, client) = run().await;
    client.send(Request::put("/bucket")).await;
    act(&client, "openMetaQuery", "mode=semantic").await;
    let created = act(&client, "createDataset", "datasetName=one&description=first").await;
    assert_eq!(
        created.element("DatasetName"),
        Some("one".to_owned()),
        "{}",
        created.text()
    );
    let again = act(&client, "createDataset", "datasetName=one").await.error();
    assert_eq!(again, (400, "ResourceAlreadyExists".to_owned()));
    act(&client, "createDataset", "datasetName=two").await;
    let nothing = act(&client, "updateDataset", "datasetName=one").await.error();
    assert_eq!(nothing, (400, "MissingArgument".to_owned()));
    let changed = act(&client, "updateDataset", "datasetName=one&description=changed").await;
    assert_eq!(changed.element("Description"), Some("changed".to_owned()));
    let long = format!("datasetName=one&description={}", "d".repeat(257));
    assert_eq!(act(&client, "updateDataset", &long).await.error().1, "InvalidArgument");
    emulator.shutdown().await;

    let (_emulator, client) = run().await;
    let got = act(&client, "getDataset", "datasetName=one&withStatistics=true").await;
    assert_eq!(got.element("Description"), Some("changed".to_owned()));
    assert_eq!(got.element("FileCount"), Some("0".to_owned()));
    let first = act(&client, "listDatasets", "maxResults=1").await;
    assert_eq!(first.elements("DatasetName"), ["one"]);
    let token = first.element("NextToken").unwrap();
    let second = act(&client, "listDatasets", &format!("maxResults=1&nextToken={token}")).await;
    assert_eq!(second.elements("DatasetName"), ["two"]);
    assert_eq!(act(&client, "deleteDataset", "datasetName=one").await.status, 200);
    let gone = act(&client, "getDataset", "datasetName=one").await.error();
    assert_eq!(gone, (404, "DatasetNotExist".to_owned()));
    let query = act(&client, "semanticQuery", "datasetName=two&query=x").await;
    assert_eq!(query.status, 501, "{}", query.text());
}

/// An index whose datasets are the values of the tag `set`, with the datasets `one` and `two` and some objects.
async fn fill(client: &Client) {
    let body = "<MetaQuery><RouteRule><Type>OSSTag</Type><AutoCreateDataset>False</AutoCreateDataset>\
                <OSSTagKey>set</OSSTagKey></RouteRule></MetaQuery>";
    let open = Request::post("/bucket?metaQuery&action=openMetaQuery&mode=semantic").body(body);
    assert_eq!(client.send(open).await.status, 200);
    for name in ["one", "two"] {
        let created = act(client, "createDataset", &format!("datasetName={name}")).await;
        assert_eq!(created.status, 200, "{}", created.text());
    }
    for (key, tags, content) in [
        ("a/1.txt", "set=one&owner=ann", "1"),
        ("a/2.txt", "set=one&owner=bob", "22"),
        ("b/3.txt", "set=one&owner=ann", "333"),
        ("b/4.txt", "set=two", "4444"),
        ("plain", "", "55555"),
    ] {
        let put = Request::put(&format!("/bucket/{key}")).header("x-oss-tagging", tags);
        assert_eq!(client.send(put.body(content)).await.status, 200);
    }
}

#[tokio::test]
async fn datasets_are_searched_by_what_is_known_of_objects() {
    let (_emulator, client) = start_with_bucket().await;
    let missing = act(&client, "simpleQuery", "datasetName=one").await.error();
    assert_eq!(missing, (404, "MetaQueryNotExist".to_owned()));
    fill(&client).await;
    let none = act(&client, "simpleQuery", "datasetName=three").await.error();
    assert_eq!(none, (404, "DatasetNotExist".to_owned()));
    let large = r#"query={"Field":"Size","Value":"1","Operation":"gt"}"#;
    let ann = r#"{"Field":"OSSTagging.owner","Value":"ann","Operation":"eq"}"#;
    let prefix = r#"{"Field":"Filename","Value":"b/","Operation":"prefix"}"#;
    let both = format!(r#"query={{"Operation":"and","SubQueries":[{ann},{prefix}]}}"#);
    for (query, expected) in [
        ("sort=Size", &["b/3.txt", "a/2.txt", "a/1.txt"][..]),
        ("sort=Size&order=asc", &["a/1.txt", "a/2.txt", "b/3.txt"]),
        (large, &["a/2.txt", "b/3.txt"]),
        (&both, &["b/3.txt"]),
    ] {
        let found = act(&client, "simpleQuery", &format!("datasetName=one&{query}")).await;
        assert_eq!(found.elements("Filename"), expected, "{query}: {}", found.text());
        assert_eq!(found.element("TotalHits"), Some(expected.len().to_string()), "{query}");
    }
    let some = r#"datasetName=one&sort=Size&maxResults=2&withoutTotalHits=true&withFields=["Filename","ETag"]"#;
    let first = act(&client, "simpleQuery", some).await;
    assert_eq!(first.elements("Filename"), ["b/3.txt", "a/2.txt"]);
    assert_eq!(first.elements("ETag").len(), 2, "{}", first.text());
    assert!(first.element("Size").is_none() && first.element("TotalHits").is_none());
    let token = first.element("NextToken").unwrap();
    let second = act(&client, "simpleQuery", &format!("{some}&nextToken={token}")).await;
    assert_eq!(second.elements("Filename"), ["a/1.txt"]);
    let statistics =
        r#"aggregations=[{"Field":"Size","Operation":"sum"},{"Field":"OSSTagging.owner","Operation":"group"}]"#;
    let found = act(&client, "simpleQuery", &format!("datasetName=one&{statistics}")).await;
    assert_eq!(found.elements("Value")[0], "6", "{}", found.text());
    assert_eq!(found.elements("Count"), ["2", "1"], "{}", found.text());
    for wrong in [
        r#"query={"Field":"Nonsense","Value":"1","Operation":"eq"}"#,
        r#"query={"Field":"Size","Value":"x","Operation":"gt"}"#,
        "nextToken=%25",
    ] {
        let refused = act(&client, "simpleQuery", &format!("datasetName=one&{wrong}")).await;
        assert_eq!(refused.error(), (400, "InvalidArgument".to_owned()), "{wrong}");
    }
    // What no rule routes is found in the bucket's own dataset.
    let body = "<MetaQuery><Query>{\"Field\":\"Size\",\"Value\":\"1\",\"Operation\":\"gte\"}</Query></MetaQuery>";
    let search = Request::post("/bucket?metaQuery&action=doMetaQuery").body(body);
    let found = client.send(search).await;
    assert_eq!(found.elements("Filename"), ["plain"], "{}", found.text());
    let semantic = Request::post("/bucket?metaQuery&action=doMetaQuery&mode=semantic").body(body);
    assert_eq!(client.send(semantic).await.status, 501);
}

#[tokio::test]
async fn searches_have_limits() {
    let (_emulator, client) = start_with_bucket().await;
    fill(&client).await;
    let search = async |members: String| {
        let body = format!("<MetaQuery>{members}</MetaQuery>");
        let search = Request::post("/bucket?metaQuery&action=doMetaQuery").body(body);
        client.send(search).await
    };
    let one = "<Aggregation><Field>Filename</Field><Operation>group</Operation></Aggregation>";
    let statistics = async |times| search(format!("<Aggregations>{}</Aggregations>", one.repeat(times))).await;
    let found = statistics(100).await;
    assert_eq!(found.elements("Operation").len(), 100, "{}", found.text());
    assert_eq!(statistics(101).await.error(), (400, "InvalidArgument".to_owned()));

    let condition = r#"{"Field":"Size","Value":"5","Operation":"eq"}"#;
    let conditions = async |times: usize| {
        // With the one that combines them.
        let list = vec![condition; times - 1].join(",");
        let query = format!(r#"{{"Operation":"and","SubQueries":[{list}]}}"#);
        search(format!("<Query>{query}</Query>")).await
    };
    let found = conditions(300).await;
    assert_eq!(found.elements("Filename"), ["plain"], "{}", found.text());
    assert_eq!(conditions(301).await.error(), (400, "InvalidArgument".to_owned()));

    // 100 aggregations of 101 names are more groups than an answer has.
    for number in 0..100 {
        let put = Request::put(&format!("/bucket/more-{number}")).body("");
        assert_eq!(client.send(put).await.status, 200);
    }
    assert_eq!(statistics(99).await.elements("Count").len(), 99 * 101);
    assert_eq!(statistics(100).await.error(), (501, "NotImplemented".to_owned()));
}

#[tokio::test]
async fn datasets_forget_objects_and_go_when_they_are_empty() {
    let (_emulator, client) = start_with_bucket().await;
    fill(&client).await;
    let statistics = async |name: &str| {
        let got = act(
            &client,
            "getDataset",
            &format!("datasetName={name}&withStatistics=true"),
        )
        .await;
        [got.element("FileCount"), got.element("TotalFileSize")].map(|count| count.unwrap())
    };
    assert_eq!(statistics("two").await, ["1", "4"]);
    let held = act(&client, "deleteDataset", "datasetName=two").await.error();
    assert_eq!(held, (409, "StatusConflict".to_owned()));
    let forget = async |uri: &str| act(&client, "deleteFileMeta", &format!("datasetName=two&uri={uri}")).await;
    for wrong in ["oss://elsewhere/b/4.txt", "b/4.txt", "oss://bucket/"] {
        assert_eq!(
            forget(wrong).await.error(),
            (400, "InvalidArgument".to_owned()),
            "{wrong}"
        );
    }
    assert_eq!(forget("oss://bucket/none").await.status, 200);
    assert_eq!(forget("oss://bucket/b/4.txt").await.status, 200);
    assert_eq!(statistics("two").await, ["0", "0"]);
    assert_eq!(client.send(Request::get("/bucket/b/4.txt")).await.status, 200);
    let again = Request::put("/bucket/b/4.txt").header("x-oss-tagging", "set=two");
    client.send(again.body("more")).await;
    assert_eq!(statistics("two").await, ["1", "4"]);
    assert_eq!(forget("oss://bucket/b/4.txt").await.status, 200);
    assert_eq!(act(&client, "deleteDataset", "datasetName=two").await.status, 200);
    let gone = act(&client, "simpleQuery", "datasetName=two").await.error();
    assert_eq!(gone, (404, "DatasetNotExist".to_owned()));
}

#[tokio::test]
async fn smart_clusters_are_kept_with_their_rules() {
    let (_emulator, client) = start_with_bucket().await;
    fill(&client).await;
    let words = r#"rules=[{"RuleType":"keywords","Keywords":["cats"],"Sensitivity":0.5}]"#;
    let face = r#"rules=[{"RuleType":"face","BaseURIs":["oss://bucket/plain"]}]"#;
    let create = async |more: &str| act(&client, "createSmartCluster", &format!("datasetName=one&{more}")).await;
    let made = create(&format!("name=cats&clusterType=knowledge&description=mine&{words}")).await;
    let id = made.element("ObjectId").unwrap_or_else(|| panic!("{}", made.text()));
    let twice = create(&format!("name=cats&clusterType=knowledge&{words}"))
        .await
        .error();
    assert_eq!(twice, (409, "SmartClusterAlreadyExist".to_owned()));
    let person = create(&format!("name=ann&clusterType=figure&{face}"))
        .await
        .element("ObjectId")
        .unwrap();
    for wrong in [
        format!("name=x&clusterType=figure&{words}"),
        "name=x&clusterType=knowledge&rules=[]".to_owned(),
        r#"name=x&clusterType=knowledge&rules=[{"RuleType":"keywords"}]"#.to_owned(),
        r#"name=x&clusterType=figure&rules=[{"RuleType":"face","BaseURIs":["oss://bucket/none"]}]"#.to_owned(),
        format!("name={}&clusterType=knowledge&{words}", "n".repeat(129)),
    ] {
        assert_eq!(
            create(&wrong).await.error(),
            (400, "InvalidArgument".to_owned()),
            "{wrong}"
        );
    }
    let one = format!("datasetName=one&objectId={id}");
    let update = act(&client, "updateSmartCluster", &format!("{one}&name=dogs")).await;
    assert_eq!(update.element("ObjectId").as_ref(), Some(&id), "{}", update.text());
    let taken = act(&client, "updateSmartCluster", &format!("{one}&name=ann"))
        .await
        .error();
    assert_eq!(taken, (409, "SmartClusterAlreadyExist".to_owned()));
    let got = act(&client, "getSmartCluster", &one).await;
    for (element, expected) in [
        ("Name", "dogs"),
        ("Description", "mine"),
        ("ClusterType", "knowledge"),
        ("RuleType", "keywords"),
        ("Keywords", "cats"),
        ("Sensitivity", "0.5"),
    ] {
        assert_eq!(got.element(element).as_deref(), Some(expected), "{}", got.text());
    }
    let list = async |more: &str| act(&client, "listSmartClusters", &format!("datasetName=one{more}")).await;
    assert_eq!(list("").await.elements("ObjectId").len(), 2);
    assert_eq!(list("&clusterType=figure").await.elements("Name"), ["ann"]);
    assert_eq!(list(r#"&ruleTypes=["keywords"]"#).await.elements("Name"), ["dogs"]);
    let first = list("&maxResults=1").await;
    let token = first.element("NextToken").unwrap();
    let second = list(&format!("&maxResults=1&nextToken={token}")).await;
    assert_ne!(first.elements("ObjectId"), second.elements("ObjectId"));
    assert!(second.element("NextToken").is_none_or(|token| token.is_empty()));
    let of_person = format!("datasetName=one&objectId={person}");
    assert_eq!(act(&client, "deleteSmartCluster", &of_person).await.status, 200);
    let gone = act(&client, "getSmartCluster", &of_person).await.error();
    assert_eq!(gone, (400, "InvalidArgument".to_owned()));
    let elsewhere = act(&client, "getSmartCluster", &format!("datasetName=two&objectId={id}")).await;
    assert_eq!(elsewhere.error(), (400, "InvalidArgument".to_owned()));
    act(&client, "closeMetaQuery", "").await;
    act(&client, "openMetaQuery", "mode=semantic").await;
    act(&client, "createDataset", "datasetName=one").await;
    let unrouted = create(&format!("name=cats&clusterType=knowledge&{words}"))
        .await
        .error();
    assert_eq!(unrouted, (400, "OperationNotSupported".to_owned()));
}

const PIPELINE: &str = "<DataPipelineConfiguration><DataPipelineDescription>mine</DataPipelineDescription>\
    <Sources><InputBucket>bucket</InputBucket><InputDataScope>All</InputDataScope></Sources>\
    <DataPipelineEmbeddingConfiguration><EmbeddingProvider>bailian</EmbeddingProvider><ApiKey>sk-secret-of-mine</ApiKey>\
    <Model>text-embedding-v4</Model></DataPipelineEmbeddingConfiguration>\
    <Destination><VectorBucketName>vectors</VectorBucketName><VectorIndexNames>index</VectorIndexNames></Destination>\
    </DataPipelineConfiguration>";

async fn pipeline(client: &Client, action: &str, parameters: &str, body: &str) -> Response {
    let target = format!("/?dataPipeline&action={action}{parameters}");
    client.send(Request::post(&target).body(body.to_owned())).await
}

#[tokio::test]
async fn pipelines_are_made_paused_and_survive_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let run = || async {
        let emulator = Emulator::builder()
            .data_dir(directory.path())
            .access_key_of("42", "their-key", "their-secret")
            .clock(Clock::fixed(noon()));
        let emulator = emulator.start().await.unwrap();
        let client = Client::of(&emulator);
        (emulator, client)
    };
    let (emulator, client) = run().await;
    client.send(Request::put("/bucket")).await;
    let they = Client {
        id: "their-key".to_owned(),
        secret: "their-secret".to_owned(),
        ..client.clone()
    };
    assert_eq!(they.send(Request::put("/theirs")).await.status, 200);
    let account = emulator.account_id();
    let resource = format!("/acs:ossvector:cn-hangzhou:{account}:bucket/");
    assert_eq!(
        client.send(Request::put("/bucket").resource(&resource)).await.status,
        200
    );
    let role = "&role=acs:ram::1:role/reader";
    let put = async |name: &str, role: &str, body: &str| {
        let parameters = format!("&dataPipelineName={name}{role}");
        pipeline(&client, "putDataPipelineConfiguration", &parameters, body).await
    };
    for name in ["one", "two", "other"] {
        let made = put(name, role, PIPELINE).await;
        assert_eq!(made.status, 200, "{}", made.text());
    }
    for (name, role, body) in [
        ("one", role, PIPELINE.to_owned()),
        ("a b", role, PIPELINE.to_owned()),
        ("x", "&role=reader", PIPELINE.to_owned()),
        ("x", role, PIPELINE.replace("sk-secret", "secret")),
        ("x", role, PIPELINE.replace("bailian", "elsewhere")),
        (
            "x",
            role,
            PIPELINE.replace("<InputBucket>bucket", "<InputBucket>nowhere"),
        ),
        (
            "x",
            role,
            PIPELINE.replace("<InputBucket>bucket", "<InputBucket>theirs"),
        ),
        (
            "x",
            role,
            PIPELINE.replace("<InputBucket>bucket", &format!("<InputBucket>vectors:{account}:bucket")),
        ),
        (
            "x",
            role,
            PIPELINE.replace("<VectorIndexNames>index</VectorIndexNames>", ""),
        ),
        ("x", role, PIPELINE.replace(">mine<", &format!(">{}<", "d".repeat(201)))),
        (
            "x",
            role,
            "<DataPipelineConfiguration></DataPipelineConfiguration>".to_owned(),
        ),
    ] {
        let refused = put(name, role, &body).await;
        assert_eq!(
            refused.error(),
            (400, "InvalidArgument".to_owned()),
            "{name} {role} {body}"
        );
    }
    let one = async |client: &Client, action: &str| pipeline(client, action, "&dataPipelineName=one", "").await;
    assert_eq!(one(&client, "pauseDataPipeline").await.status, 200);
    assert_eq!(one(&client, "pauseDataPipeline").await.error().1, "InvalidArgument");
    emulator.shutdown().await;

    let (_emulator, client) = run().await;
    let got = one(&client, "getDataPipelineConfiguration").await;
    for (element, expected) in [
        ("DataPipelineName", "one"),
        ("DataPipelineRole", "acs:ram::1:role/reader"),
        ("Status", "Paused"),
        ("ApiKey", "sk-****mine"),
        ("Model", "text-embedding-v4"),
        ("InputBucket", "bucket"),
        ("VectorIndexNames", "index"),
        ("CreateTime", "2023-12-18T00:20:57.000+08:00"),
    ] {
        assert_eq!(got.element(element).as_deref(), Some(expected), "{}", got.text());
    }
    assert_eq!(one(&client, "restartDataPipeline").await.status, 200);
    assert_eq!(one(&client, "restartDataPipeline").await.error().1, "InvalidArgument");
    let list = async |more: &str| pipeline(&client, "listDataPipelineConfigurations", more, "").await;
    assert_eq!(list("").await.elements("DataPipelineName"), ["one", "other", "two"]);
    assert_eq!(list("&prefix=o").await.elements("DataPipelineName"), ["one", "other"]);
    assert!(
        list("&inputBucket=nowhere")
            .await
            .elements("DataPipelineName")
            .is_empty()
    );
    let first = list("&maxResults=2").await;
    let token = first.element("NextToken").unwrap();
    let second = list(&format!("&maxResults=2&nextToken={token}")).await;
    assert_eq!(second.elements("DataPipelineName"), ["two"]);
    assert_eq!(one(&client, "deleteDataPipelineConfiguration").await.status, 200);
    for action in [
        "getDataPipelineConfiguration",
        "pauseDataPipeline",
        "deleteDataPipelineConfiguration",
    ] {
        let gone = one(&client, action).await.error();
        assert_eq!(gone, (404, "NoSuchDataPipeline".to_owned()), "{action}");
    }
}
