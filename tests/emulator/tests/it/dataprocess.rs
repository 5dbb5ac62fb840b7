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
