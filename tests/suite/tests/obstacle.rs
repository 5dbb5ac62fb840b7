//! Operations whose names are in the way behave as any other. That their code compiles is the larger part of the test.

use oss_sdk::__private::{FromJson, Names, ToJson};
use oss_sdk::Timestamp;
use oss_sdk::xml::{XmlWriter, read_document};
use oss_suite::generated::obstacle::json::operations::{GetRowRequest, PutValuesRequest};
use oss_suite::generated::obstacle::json::types::{Data, DataType, Value};
use oss_suite::generated::obstacle::rpc::operations::AssumeRoleWithOIDCRequest;
use oss_suite::generated::obstacle::xml::operations::{CompleteThingsRequest, ListNumbersRequest, ListNumbersResult};
use oss_suite::generated::obstacle::xml::types::{Keyword, Keywords, Part, Tree, Twin};
use oss_suite::wire::request_text;

#[test]
fn a_tree_is_written_and_read_back() {
    let leaf = Tree::new().label("leaf <1>");
    let twin = Twin::new([leaf.clone(), Tree::new()]);
    let tree = Tree::new()
        .left(leaf)
        .branches([Tree::new().label("branch")])
        .twin(twin);
    let document = XmlWriter::document("Tree", &tree).unwrap();
    let mut read = Tree::default();
    read_document(&document, Some("Tree"), &mut read).unwrap();
    assert_eq!(read, tree);
}

#[test]
fn a_document_of_keywords_is_written_and_read_back() {
    let time = Timestamp::parse_iso8601("2024-05-06T07:08:09.000Z").unwrap();
    let keywords = Keywords::new("me")
        .r#type("t")
        .r#fn(Keyword::Self_)
        .value("bytes")
        .out(time)
        .name("secret");
    assert!(!format!("{keywords:?}").contains("secret"));
    let document = XmlWriter::document("KEYWORDS", &keywords).unwrap();
    let mut read = Keywords::default();
    read_document(&document, Some("KEYWORDS"), &mut read).unwrap();
    assert_eq!(read, keywords);

    let mut without = Keywords::default();
    let error = read_document(b"<KEYWORDS><Fn>never heard of</Fn></KEYWORDS>", None, &mut without).unwrap_err();
    assert!(error.to_string().contains("Self"), "{error}");
    assert_eq!(without.r#fn, Some(Keyword::Unknown("never heard of".to_owned())));
    assert_eq!(
        Keywords::default().r#fn,
        None,
        "what is written too gains nothing by being read"
    );
}

#[test]
fn values_are_written_and_read_under_both_kinds_of_names() {
    let data = Data::new().float32([0.1, -2.5]).integer(-5);
    let value = Value::new("k")
        .data([("a", data)])
        .metadata(oss_sdk::__private::Value::from(1))
        .raw("bytes")
        .children([Value::new("child").bool(false)])
        .parent(Value::new("parent"))
        .by_name([("x", Value::new("named"))]);
    for names in [Names::Wire, Names::Model] {
        let json = value.to_json(names);
        assert_eq!(Value::from_json(json, names).unwrap(), value);
    }
    let child = value.to_json(Names::Wire)["children"][0].take();
    assert_eq!(
        (&child["BOOL"], &child["bool"]),
        (&false.into(), &oss_sdk::__private::Value::Null)
    );
    assert_eq!(value.to_json(Names::Model)["children"][0]["bool"], false);
}

#[tokio::test]
async fn members_deep_in_a_json_document_are_checked() {
    let deep = Value::new("child").data([("d", Data::new().integer(6))]);
    let request = PutValuesRequest::new(
        "examplebucket",
        "index",
        [Value::new("first"), Value::new("k").children([deep])],
    );
    let text = request_text(request).await;
    assert!(
        text.contains("`values[1].children[0].data.d.integer` must be from -5 to 5, it is 6"),
        "{text}"
    );
}

#[tokio::test]
async fn parts_are_sorted_and_paths_encoded() {
    let parts = [Part::new(2, "b"), Part::new(1, "a")];
    let text = request_text(CompleteThingsRequest::new("examplebucket", "key", parts)).await;
    assert!(
        text.contains("<Part><PartNumber>1</PartNumber><ETag>a</ETag></Part><Part><PartNumber>2<"),
        "{text}"
    );

    let text = request_text(GetRowRequest::new("acs:x/y", 7).kind(DataType::F64)).await;
    assert!(
        text.starts_with("GET /tables/acs%3Ax%2Fy/rows/7?kind=f64 HTTP/1.1\n"),
        "{text}"
    );
}

#[tokio::test]
async fn unsigned_and_secret_members_stay_so() {
    let request = AssumeRoleWithOIDCRequest::new("t0ken");
    assert!(!format!("{request:?}").contains("t0ken"));
    let text = request_text(request).await;
    assert!(!text.contains("authorization"), "{text}");
    assert!(text.contains("OIDCToken=t0ken"), "{text}");
}

#[test]
fn a_page_that_does_not_move_loses_the_listing() {
    use oss_sdk::Paginate;
    use oss_sdk::operation::NextPage;

    let mut request = ListNumbersRequest::new("examplebucket");
    let mut page = ListNumbersResult::default();
    page.is_truncated = true;
    assert_eq!(request.next_page(&page), NextPage::Lost, "no token");
    page.next_marker = Some("a".to_owned());
    assert_eq!(request.next_page(&page), NextPage::More);
    assert_eq!(request.marker.as_deref(), Some("a"));
    assert_eq!(request.next_page(&page), NextPage::Lost, "the same token again");
    page.next_marker = Some("b".to_owned());
    page.is_truncated = false;
    assert_eq!(request.next_page(&page), NextPage::Last);
}
