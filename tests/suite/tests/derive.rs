//! Derived operations behave on the wire as those from the models.

use oss_sdk::types::{CorsConfiguration, CorsMethod, CorsRule};
use oss_sdk::{FromXml, GetBucketCorsRequest, OssEnum, OssOperation, PutBucketCorsRequest, PutObjectRequest, ToXml};
use oss_suite::fixture::{BUCKET, Fixture};
use oss_suite::wire::request_text;

#[derive(OssOperation)]
#[oss(http = "PUT /{bucket}?cors", content_md5)]
struct PutCors {
    #[oss(bucket)]
    bucket: String,
    #[oss(body)]
    configuration: Cors,
}

#[derive(OssOperation)]
#[oss(http = "GET /{bucket}?cors", output = Cors)]
struct GetCors {
    #[oss(bucket)]
    bucket: String,
}

#[derive(Debug, Default, PartialEq, ToXml, FromXml)]
#[oss(wire = "CORSConfiguration")]
struct Cors {
    #[oss(wire = "CORSRule", max_items = 10, required)]
    rules: Vec<Rule>,
    response_vary: Option<bool>,
}

#[derive(Debug, Default, PartialEq, ToXml, FromXml)]
struct Rule {
    #[oss(wire = "AllowedOrigin", required)]
    origins: Vec<String>,
    #[oss(wire = "AllowedMethod", required)]
    methods: Vec<String>,
    #[oss(range(0, 999999999))]
    max_age_seconds: Option<i64>,
}

fn cors(max_age_seconds: i64) -> Cors {
    let rule = Rule {
        origins: vec!["https://a.example".to_owned(), "*<&>".to_owned()],
        methods: vec!["GET".to_owned(), "PUT".to_owned()],
        max_age_seconds: Some(max_age_seconds),
    };
    Cors {
        rules: vec![rule],
        response_vary: Some(true),
    }
}

#[tokio::test]
async fn a_derived_request_is_the_same_bytes_as_the_modelled_one() {
    let rule = CorsRule::new(["https://a.example", "*<&>"], [CorsMethod::Get, CorsMethod::Put]).max_age_seconds(60);
    let modelled = PutBucketCorsRequest::new("examplebucket", CorsConfiguration::new([rule]).response_vary(true));
    let derived = PutCors {
        bucket: "examplebucket".to_owned(),
        configuration: cors(60),
    };
    let modelled = request_text(modelled).await;
    assert!(
        modelled.contains("<AllowedOrigin>*&lt;&amp;&gt;</AllowedOrigin>"),
        "{modelled}"
    );
    assert_eq!(request_text(derived).await, modelled);

    let modelled = request_text(GetBucketCorsRequest::new("examplebucket")).await;
    assert_eq!(
        request_text(GetCors {
            bucket: "examplebucket".to_owned()
        })
        .await,
        modelled
    );
}

#[tokio::test]
async fn a_derived_request_is_checked_before_it_is_sent() {
    let too_old = PutCors {
        bucket: "examplebucket".to_owned(),
        configuration: cors(-1),
    };
    let text = request_text(too_old).await;
    assert!(text.starts_with("nothing was sent"), "{text}");
    assert!(
        text.contains("max_age_seconds` must be from 0 to 999999999, it is -1"),
        "{text}"
    );

    let empty = PutCors {
        bucket: "examplebucket".to_owned(),
        configuration: Cors::default(),
    };
    let text = request_text(empty).await;
    assert!(text.contains("`configuration.rules` is required"), "{text}");
}

#[test]
fn what_is_written_is_read_back() {
    let document = oss_sdk::xml::XmlWriter::document("CORSConfiguration", &cors(60)).unwrap();
    let mut read = Cors::default();
    oss_sdk::xml::read_document(&document, Some("CORSConfiguration"), &mut read).unwrap();
    assert_eq!(read, cors(60));
}

#[derive(Clone, OssOperation)]
#[oss(
    http = "GET /{bucket}?encoding-type=url",
    output = Page,
    name = "ListMine",
    headers("x-oss-of-mine: always"),
    paginate(items = "contents", item = Entry, more = "is_truncated", tokens(marker = "next_marker"))
)]
struct List {
    #[oss(bucket)]
    bucket: String,
    #[oss(query = "marker")]
    marker: Option<String>,
    #[oss(query = "max-keys", range(1, 1000))]
    max_keys: Option<i64>,
}

#[derive(Debug, Default, FromXml)]
#[oss(wire = "ListBucketResult")]
struct Page {
    encoding_type: Option<String>,
    is_truncated: bool,
    #[oss(url_decoded)]
    next_marker: Option<String>,
    #[oss(url_decoded)]
    contents: Vec<Entry>,
}

#[derive(Debug, Default, FromXml)]
struct Entry {
    #[oss(url_decoded)]
    key: String,
    #[oss(value)]
    storage_class: Class,
}

#[derive(Debug, Clone, PartialEq, OssEnum)]
enum Class {
    Standard,
    #[oss(wire = "IA")]
    Infrequent,
    Unknown(String),
}

#[tokio::test]
async fn a_derived_listing_goes_from_page_to_page() {
    let fixture = Fixture::start().await;
    let mut keys = ["a b", "c+%2F", "d\u{1}&<", "e日", "f"].map(str::to_owned);
    keys.sort();
    for key in &keys {
        let put = PutObjectRequest::new(BUCKET, key).body("x");
        fixture.client.put_object(put).await.expect("the object is put");
    }
    let list = List {
        bucket: BUCKET.to_owned(),
        marker: None,
        max_keys: Some(2),
    };
    let mut items = fixture.client.invoke(list.clone()).items();
    let mut found = Vec::new();
    while let Some(entry) = items.try_next().await.expect("the listing goes on") {
        assert_eq!(entry.storage_class, Class::Standard);
        found.push(entry.key);
    }
    assert_eq!(found, keys);
    let mut pages = fixture.client.invoke(list.clone()).paginate();
    let mut sizes = Vec::new();
    while let Some(page) = pages.try_next().await.expect("the listing goes on") {
        sizes.push(page.contents.len());
    }
    assert_eq!(sizes, [2, 2, 1]);
    let sent = request_text(list).await;
    assert!(sent.contains("x-oss-of-mine: always"), "{sent}");
}

#[derive(OssOperation)]
#[oss(http = "PUT /{bucket}/{key}?thing", any_of("class", "note"))]
struct PutThing {
    #[oss(bucket)]
    bucket: String,
    #[oss(key)]
    key: String,
    #[oss(header = "x-oss-class")]
    class: Option<Class>,
    #[oss(query = "note")]
    note: Option<String>,
}

#[tokio::test]
async fn enums_are_texts_and_one_of_several_members_is_wanted() {
    let put = |class: Option<Class>| PutThing {
        bucket: "examplebucket".to_owned(),
        key: "k".to_owned(),
        class,
        note: None,
    };
    for (class, text) in [
        (Class::Infrequent, "x-oss-class: IA"),
        (Class::from("Glacial"), "x-oss-class: Glacial"),
    ] {
        let sent = request_text(put(Some(class))).await;
        assert!(sent.contains(text), "{sent}");
    }
    let sent = request_text(put(None)).await;
    assert!(sent.starts_with("nothing was sent"), "{sent}");
    assert!(sent.contains("`class` or `note`"), "{sent}");
}
