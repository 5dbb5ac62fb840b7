//! Members in rare places and forms: documents in queries, texts in base64 or after a prefix, one document of several,
//! pages in structures, frames and waits.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use oss_sdk::__private::{FromJson, Names, ToJson, Value};
use oss_sdk::http::StatusCode;
use oss_sdk::operation::NextPage;
use oss_sdk::transport::{Transport, TransportFuture, TransportRequest, TransportResponse};
use oss_sdk::xml::{XmlWriter, read_document};
use oss_sdk::{Config, Credentials, Paginate, Timestamp};
use oss_suite::generated::obstacle::xml::operations::{
    CountRowsRequest, FindRowsRequest, GetLocationRequest, ListShelfRequest, ListShelfResult, ListShelvesRequest,
    ListShelvesResult, ProcessRowRequest, SelectRowsRequest,
};
use oss_suite::generated::obstacle::xml::types::{
    CountRequest, Row, RowFilter, RowFormat, RowInput, RowOrder, RowQuery, Shelf, ShelfPlace,
};
use oss_suite::obstacle::Client;
use oss_suite::wire::{Answer, request_text, result_of, timestamp};

fn answer(body: &'static [u8], headers: &'static [(&'static str, &'static str)]) -> Answer {
    Answer {
        status: 200,
        headers,
        body,
    }
}

#[tokio::test]
async fn texts_have_their_form_wherever_they_stand() {
    let query = RowQuery::new("select 1")
        .words(["a", ""])
        .input(RowInput::new().range("1-2"));
    let request = SelectRowsRequest::new("examplebucket", "key", query)
        .tags("a?b")
        .window("3-4");
    let text = request_text(request).await;
    assert!(text.contains("tags=YT9i"), "{text}");
    assert!(text.contains("\nx-oss-window: rows=3-4\n"), "{text}");
    let document = "<RowQuery><Expression>c2VsZWN0IDE=</Expression><Input><Range>line-range=1-2</Range></Input>\
                    <Words><Word>YQ==</Word><Word></Word></Words></RowQuery>";
    assert!(text.contains(document), "{text}");

    let request = SelectRowsRequest::new("examplebucket", "key", RowQuery::new("select 1"));
    let headers = &[
        ("x-oss-secret", "dDBrZW4="),
        ("x-oss-window", "rows=5"),
        ("x-oss-select-output-raw", "true"),
    ];
    let result = result_of(request.clone(), answer(b"rows", headers)).await.unwrap();
    assert_eq!(result.secret.as_deref(), Some("t0ken"));
    assert_eq!(result.window.as_deref(), Some("5"));
    let error = result_of(request, answer(b"", &[("x-oss-secret", "*")]))
        .await
        .unwrap_err();
    assert!(error.contains("header `x-oss-secret`: expected base64"), "{error}");
}

#[tokio::test]
async fn a_fixed_query_value_follows_the_member_that_is_set() {
    let target = async |query: RowQuery| {
        let text = request_text(SelectRowsRequest::new("examplebucket", "key", query)).await;
        text.lines().next().unwrap_or_default().to_owned()
    };
    let plain = RowQuery::new("q");
    let csv = plain.clone().input(RowInput::new().csv(RowFormat::new().lines(true)));
    let json = plain.clone().input(RowInput::new().json(RowFormat::new()));
    let lines = plain.clone().input(RowInput::new().json(RowFormat::new().lines(false)));
    assert!(target(plain).await.contains("?process=csv%2Frows&tagged=no"));
    assert!(target(csv).await.contains("?process=csv%2Frows&"));
    assert!(target(json).await.contains("?process=json%2Frows&"));
    assert!(target(lines).await.contains("?process=lines%2Frows&"));
    let tagged = SelectRowsRequest::new("examplebucket", "key", RowQuery::new("q")).tags("t");
    assert!(request_text(tagged).await.contains("&tagged=yes&tags=dA%3D%3D"));
}

#[tokio::test]
async fn members_that_exclude_each_other_are_refused_together() {
    let sent = async |input: RowInput| {
        let query = RowQuery::new("q").input(input);
        request_text(SelectRowsRequest::new("examplebucket", "key", query)).await
    };
    let both = sent(RowInput::new().csv(RowFormat::new()).json(RowFormat::new())).await;
    assert!(
        both.contains("`query.Input.csv` and `json` must not both be given"),
        "{both}"
    );
    let three = sent(RowInput::new().split_range("1").all(["x"])).await;
    assert!(
        three.contains("`query.Input.range` or `split_range` or `all` may be given, but only one of them"),
        "{three}"
    );
    let none: [&str; 0] = [];
    let one = sent(RowInput::new().split_range("1").all(none)).await;
    assert!(one.contains("<Range>split-range=1</Range>"), "{one}");
}

#[tokio::test]
async fn the_one_member_that_is_given_is_the_document() {
    let counted = async |count: CountRequest| request_text(CountRowsRequest::new("examplebucket", "key", count)).await;
    let csv = counted(CountRequest::new().csv(RowInput::new())).await;
    assert!(csv.ends_with("\n\n<CsvCount></CsvCount>\n"), "{csv}");
    assert!(csv.contains("?process=csv%2Fcount"), "{csv}");
    let json = counted(CountRequest::new().json(RowInput::new().range("1"))).await;
    assert!(
        json.ends_with("\n\n<JsonCount><Range>line-range=1</Range></JsonCount>\n"),
        "{json}"
    );
    assert!(json.contains("?process=json%2Fcount"), "{json}");
    let rule = "`count.csv` or `json` must be given, and only one of them";
    let none = counted(CountRequest::new()).await;
    assert!(none.contains(rule), "{none}");
    let both = counted(CountRequest::new().csv(RowInput::new()).json(RowInput::new())).await;
    assert!(both.contains(rule), "{both}");
}

fn filter() -> RowFilter {
    RowFilter::new()
        .field("a \"b\"")
        .filters([
            RowFilter::new().equal(1),
            RowFilter::new().equal(2).order(RowOrder::Down),
        ])
        .first(RowFilter::new().text("t"))
        .at(timestamp(1_700_000_000))
        .window("1-2")
}

#[tokio::test]
async fn a_document_in_the_query_is_json_with_the_names_of_the_service() {
    let json = filter().to_json(Names::Wire);
    assert_eq!(
        json.to_string(),
        r#"{"At":1700000000,"Field":"a \"b\"","First":{"Text":"dA=="},"SubFilters":[{"Equal":1},{"Equal":2,"Order":"down"}],"Window":"rows=1-2"}"#
    );
    let request = FindRowsRequest::new("examplebucket", RowFilter::new().field("f"))
        .order([RowOrder::Down, RowOrder::from("sideways")])
        .anything(Value::from(vec![1, 2]))
        .secret(RowFilter::new().field("t0ken"));
    assert!(!format!("{request:?}").contains("t0ken"));
    let text = request_text(request).await;
    let query = "?find&filter=%7B%22Field%22%3A%22f%22%7D\
                 &order=%5B%22down%22%2C%22sideways%22%5D&anything=%5B1%2C2%5D\
                 &secret=%7B%22Field%22%3A%22t0ken%22%7D HTTP/1.1\n";
    assert!(text.contains(query), "{text}");
}

#[tokio::test]
async fn members_of_a_document_in_the_query_are_checked() {
    let sent = async |filter: RowFilter| request_text(FindRowsRequest::new("examplebucket", filter)).await;
    let deep = RowFilter::new().filters([RowFilter::new(), RowFilter::new().first(RowFilter::new().equal(10))]);
    let text = sent(deep).await;
    assert!(
        text.contains("`filter.filters[1].first.equal` must be from 0 to 9, it is 10"),
        "{text}"
    );
    let both = RowFilter::new().filters([RowFilter::new()]).equal(1);
    let text = sent(both).await;
    assert!(
        text.contains("`filter.equal` and `filters` must not both be given"),
        "{text}"
    );
    let many = [RowFilter::new(), RowFilter::new(), RowFilter::new()];
    let request = FindRowsRequest::new("examplebucket", RowFilter::new()).sums(many);
    let text = request_text(request).await;
    assert!(text.contains("`sums` must have at most 2 items, it has 3"), "{text}");
}

#[test]
fn the_same_shape_is_read_from_xml_and_by_the_names_of_the_model() {
    let document = XmlWriter::document("RowFilter", &filter()).unwrap();
    let text = String::from_utf8(document.clone()).unwrap();
    assert!(text.contains("<SubFilters><Filter><Equal>1</Equal>"), "{text}");
    assert!(text.contains("<Window>rows=1-2</Window>"), "{text}");
    let mut read = RowFilter::default();
    read_document(&document, Some("RowFilter"), &mut read).unwrap();
    assert_eq!(read, filter());

    let json = filter().to_json(Names::Model);
    assert_eq!(json["first"]["text"], "t");
    assert_eq!(json["window"], "1-2");
    assert_eq!(RowFilter::from_json(json, Names::Model).unwrap(), filter());
}

#[test]
fn an_element_belongs_to_the_member_whose_prefix_it_has() {
    let mut shelf = Shelf::default();
    let document = b"<S><Part>last=z=</Part><Part>neither=y</Part><Part>first=a</Part></S>";
    read_document(document, None, &mut shelf).unwrap();
    assert_eq!((shelf.first.as_deref(), shelf.last.as_deref()), (Some("a"), Some("z=")));
}

#[tokio::test]
async fn one_set_of_members_has_to_be_complete() {
    let request = || ProcessRowRequest::new("examplebucket", "key").process("p");
    let rule = "`id` or `shelf` and `row`, or `names` must be given";
    for incomplete in [request(), request().shelf("s"), request().row(1)] {
        let text = request_text(incomplete).await;
        assert!(text.contains(rule), "{text}");
    }
    for complete in [
        request().id("i"),
        request().shelf("s").row(1),
        request().names([("n", "v")]),
    ] {
        let text = request_text(complete).await;
        assert!(text.ends_with("\n\nx-oss-process=p\n"), "{text}");
    }
}

#[tokio::test]
async fn an_answer_is_read_from_json_and_from_xml() {
    let request = || ProcessRowRequest::new("examplebucket", "key").id("i");
    let json = br#"{"Status":"a & b","size":[1,2],"At":"2024-05-06T07:08:09.000Z","New":{"x":null}}"#;
    let xml = b"<Any><Status>a &amp; b</Status><size>1</size><size>2</size><At>2024-05-06T07:08:09.000Z</At></Any>";
    let rows = [
        answer(json, &[("content-type", "application/json;charset=utf-8")]),
        answer(xml, &[("content-type", "application/xml")]),
        answer(xml, &[]),
    ];
    for answer in rows {
        let result = result_of(request(), answer).await.unwrap();
        assert_eq!(result.status.as_deref(), Some("a & b"));
        assert_eq!(result.sizes, [1, 2]);
        assert_eq!(result.at.map(Timestamp::unix_seconds), Some(1_714_979_289));
    }
    let headers = &[("content-type", "application/json")];
    let empty = result_of(request(), answer(b" ", headers)).await.unwrap();
    assert_eq!(empty.status, None);
    for broken in [&b"{\"Status\":"[..], b"[]", b"{\"size\":[\"x\"]}"] {
        let error = result_of(request(), answer(broken, headers)).await.unwrap_err();
        assert!(error.contains("kind: Decode"), "{error}");
    }
}

#[test]
fn pages_in_structures_are_walked_through() {
    let mut request = ListShelfRequest::new("examplebucket");
    let mut page = ListShelfResult::default();
    assert_eq!(request.next_page(&page), NextPage::Last, "no structure");
    let mut place = ShelfPlace::default();
    place.more = true;
    place.row = Some(7);
    let mut row = Row::default();
    row.text = "r".to_owned();
    place.rows = vec![row.clone()];
    let mut shelf = Shelf::default();
    shelf.at = Some(place);
    page.shelf = Some(shelf.clone());
    assert_eq!(request.next_page(&page), NextPage::Lost, "no token");
    shelf.next = Some("m".to_owned());
    page.shelf = Some(shelf.clone());
    assert_eq!(request.next_page(&page), NextPage::More);
    assert_eq!((request.marker.as_deref(), request.start), (Some("m"), Some(7)));
    assert_eq!(request.next_page(&page), NextPage::Lost, "the same tokens again");
    assert_eq!(ListShelfRequest::items(page), [row.clone()]);
    assert_eq!(ListShelfRequest::items(ListShelfResult::default()), []);

    let mut request = ListShelvesRequest::new("examplebucket", "");
    let mut page = ListShelvesResult::default();
    assert_eq!(request.next_page(&page), NextPage::Last);
    page.shelf.next = Some("n".to_owned());
    page.shelf.rows = vec![row.clone()];
    assert_eq!(request.next_page(&page), NextPage::More);
    assert_eq!(request.marker, "n");
    assert_eq!(request.next_page(&page), NextPage::Lost);
    assert_eq!(ListShelvesRequest::items(page), [row]);
}

/// Gives one answer after the other, and counts.
#[derive(Debug)]
struct Answers(Mutex<VecDeque<(StatusCode, &'static str)>>);

impl Transport for Answers {
    fn send(&self, _request: TransportRequest) -> TransportFuture<'_> {
        Box::pin(async move {
            let next = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let (status, body) = next.unwrap_or((StatusCode::GONE, "<Error><Code>NothingLeft</Code></Error>"));
            Ok(TransportResponse::new(status, Bytes::from_static(body.as_bytes())))
        })
    }
}

fn client(answers: &[(StatusCode, &'static str)]) -> Result<Client, oss_sdk::Error> {
    let config = Config::new()
        .region("cn-hangzhou")
        .credentials(Credentials::new("ak", "sk"))
        .retry_attempts(1)
        .transport(Answers(Mutex::new(answers.iter().copied().collect())));
    Ok(Client::new(oss_sdk::Client::new(config)?))
}

async fn wait_for_rows(answers: &[(StatusCode, &'static str)]) -> Result<(), oss_sdk::Error> {
    let client = client(answers)?;
    let wait = client.wait_until_rows_counted(ListShelfRequest::new("examplebucket"));
    wait.delay(Duration::ZERO).max_delay(Duration::ZERO).await
}

#[tokio::test]
async fn a_wait_ends_with_the_first_condition_that_holds() {
    const MISSING: (StatusCode, &str) = (StatusCode::NOT_FOUND, "<Error><Code>NoSuchThing</Code></Error>");
    const TEAPOT: (StatusCode, &str) = (StatusCode::IM_A_TEAPOT, "<Error><Code>Teapot</Code></Error>");
    // Base64 of `done`.
    const DONE: (StatusCode, &str) = (
        StatusCode::OK,
        "<Shelf><Row><Text>eA==</Text></Row><Row><Text>ZG9uZQ==</Text></Row></Shelf>",
    );
    const NUMBER: (StatusCode, &str) = (
        StatusCode::OK,
        "<Shelf><At><Number>7</Number><More>true</More></At></Shelf>",
    );
    const MORE: (StatusCode, &str) = (StatusCode::OK, "<Shelf><Next>one more</Next></Shelf>");
    const FAILED: (StatusCode, &str) = (
        StatusCode::OK,
        "<Shelf><Next>one more</Next><At><More>true</More></At></Shelf>",
    );

    wait_for_rows(&[DONE]).await.unwrap();
    wait_for_rows(&[MISSING, MORE, MISSING, NUMBER, TEAPOT]).await.unwrap();
    let error = wait_for_rows(&[MORE, FAILED, DONE]).await.unwrap_err();
    assert_eq!(error.code(), None, "{error}");
    let error = wait_for_rows(&[MISSING, TEAPOT, DONE]).await.unwrap_err();
    assert_eq!(error.code(), Some("Teapot"));
    let error = wait_for_rows(&[MORE]).await.unwrap_err();
    assert_eq!(error.code(), Some("NothingLeft"), "an unexpected error ends it");

    let client = client(&[(StatusCode::OK, "<LocationConstraint>x</LocationConstraint>")]).unwrap();
    client
        .wait_until_location_known(GetLocationRequest::new("examplebucket"))
        .await
        .unwrap();
}

#[tokio::test]
async fn the_last_frame_becomes_the_result() {
    // The end of a count of JSON: 3 splits, 9 rows.
    let mut frames = vec![1, 0x80, 0, 7, 0, 0, 0, 32, 0, 0, 0, 0];
    frames.extend(5_u64.to_be_bytes());
    frames.extend(6_u64.to_be_bytes());
    frames.extend(200_u32.to_be_bytes());
    frames.extend(3_u32.to_be_bytes());
    frames.extend(9_u64.to_be_bytes());
    frames.extend([0; 4]);
    let request = CountRowsRequest::new("examplebucket", "key", CountRequest::new().json(RowInput::new()));
    let body: &'static [u8] = Box::leak(frames.into_boxed_slice());
    let result = result_of(request.clone(), answer(body, &[("x-oss-frame", "f")]))
        .await
        .unwrap();
    assert_eq!((result.offset, result.rows_count, result.error_msg), (Some(5), 9, None));
    assert_eq!(result.frame.as_deref(), Some("f"));
    let cut = result_of(request, answer(&body[..30], &[])).await.unwrap_err();
    assert!(cut.contains("broke off before its end frame"), "{cut}");
}
