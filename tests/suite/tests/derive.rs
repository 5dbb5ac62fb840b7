//! Derived operations behave on the wire as those from the models.

use oss_sdk::types::{CorsConfiguration, CorsMethod, CorsRule};
use oss_sdk::{FromXml, GetBucketCorsRequest, OssOperation, PutBucketCorsRequest, ToXml};
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
