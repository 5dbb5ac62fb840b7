//! Queries over CSV and JSON objects.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::client::{Client, Request, Response, start_with_bucket};

const CSV: &str = "name,age,city\nann,30,\"Ulm, Donau\"\nbob,25,Bonn\n#no\ncid,x,Köln\n";

/// Kind and payload of each frame.
fn frames(mut body: &[u8]) -> Vec<(u32, Vec<u8>)> {
    let mut frames = Vec::new();
    while !body.is_empty() {
        let word = |at: usize| u32::from_be_bytes(body[at..at + 4].try_into().unwrap());
        assert_eq!(body[0], 1, "version");
        let (kind, length) = (word(0) & 0x00ff_ffff, word(4) as usize);
        let payload = body[12..12 + length].to_vec();
        let crc = word(12 + length);
        assert!(crc == 0 || crc == crc32fast::hash(&payload), "checksum");
        frames.push((kind, payload));
        body = &body[16 + length..];
    }
    frames
}

/// Takes the chunks of the transfer apart.
pub(crate) fn unchunked(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = body.windows(2).position(|pair| pair == b"\r\n") {
        let length = usize::from_str_radix(std::str::from_utf8(&body[..end]).unwrap(), 16).unwrap();
        whole.extend_from_slice(&body[end + 2..end + 2 + length]);
        body = &body[end + 4 + length..];
    }
    whole
}

async fn send(client: &Client, kind: &str, sql: &str, input: &str, output: &str, more: &str) -> Response {
    let document = format!(
        "<SelectRequest><Expression>{}</Expression><InputSerialization>{input}</InputSerialization>\
         <OutputSerialization>{output}</OutputSerialization>{more}</SelectRequest>",
        STANDARD.encode(sql)
    );
    let mut answer = client
        .send(
            Request::post("/bucket/k")
                .query("x-oss-process", &format!("{kind}/select"))
                .body(document),
        )
        .await;
    if answer.status == 206 {
        answer.body = unchunked(&answer.body);
    }
    answer
}

/// The text that a query finds, after its frames were checked.
async fn found(client: &Client, kind: &str, sql: &str, input: &str) -> String {
    let answer = send(
        client,
        kind,
        sql,
        input,
        "<EnablePayloadCrc>true</EnablePayloadCrc>",
        "",
    )
    .await;
    assert_eq!(answer.status, 206, "{sql}: {}", answer.text());
    let mut frames = frames(&answer.body);
    let (kind, end) = frames.pop().unwrap();
    assert_eq!(kind, 8_388_613);
    assert_eq!(
        end[16..20],
        206_u32.to_be_bytes(),
        "{sql}: {}",
        String::from_utf8_lossy(&end[20..])
    );
    let data = frames.iter().flat_map(|(kind, payload)| {
        assert_eq!(*kind, 8_388_609);
        payload[8..].to_vec()
    });
    String::from_utf8(data.collect()).unwrap()
}

const USE: &str = "<CSV><FileHeaderInfo>Use</FileHeaderInfo><CommentCharacter>Iw==</CommentCharacter></CSV>";

#[tokio::test]
async fn csv_is_queried() {
    let (_emulator, client) = start_with_bucket().await;
    client.send(Request::put("/bucket/k").body(CSV)).await;
    for (sql, expected) in [
        (
            "select * from ossobject",
            "ann,30,\"Ulm, Donau\"\nbob,25,Bonn\ncid,x,Köln\n",
        ),
        ("select name, _3 from ossobject limit 1", "ann,\"Ulm, Donau\"\n"),
        ("select s.name from ossobject s where s.city like 'K_ln'", "cid\n"),
        (
            "select name from ossobject where age in ('25', 'x') and not name = 'cid'",
            "bob\n",
        ),
        ("select count(*) from ossobject", "3\n"),
        (
            "select count(*), sum(cast(age as int)), avg(age), min(age), max(age) from ossobject where name < 'c'",
            "2,55,27.5,25,30\n",
        ),
        (
            "select name from ossobject where nothing is null and city between 'B' and 'C'",
            "bob\n",
        ),
        ("select * from ossobject where name = 'none'", ""),
    ] {
        assert_eq!(found(&client, "csv", sql, USE).await, expected, "{sql}");
    }
    let ignored = "<CSV><FileHeaderInfo>Ignore</FileHeaderInfo></CSV>";
    assert_eq!(
        found(&client, "csv", "select _1 from ossobject limit 2", ignored).await,
        "ann\nbob\n"
    );
    assert_eq!(
        found(&client, "csv", "select _2 from ossobject limit 2", "<CSV/>").await,
        "age\n30\n"
    );
}

#[tokio::test]
async fn answers_can_be_raw_with_a_header_and_all_columns() {
    let (_emulator, client) = start_with_bucket().await;
    client.send(Request::put("/bucket/k").body(CSV)).await;
    let output = "<CSV><FieldDelimiter>Ow==</FieldDelimiter><RecordDelimiter>DQo=</RecordDelimiter></CSV>\
        <KeepAllColumns>true</KeepAllColumns><OutputRawData>true</OutputRawData><OutputHeader>true</OutputHeader>";
    let answer = send(&client, "csv", "select city from ossobject limit 1", USE, output, "").await;
    assert_eq!(answer.header("x-oss-select-output-raw"), Some("true"));
    assert_eq!(answer.text(), "city\r\n;;Ulm, Donau\r\n");
}

#[tokio::test]
async fn rows_that_do_not_fit_are_skipped_or_end_the_query() {
    let (_emulator, client) = start_with_bucket().await;
    client.send(Request::put("/bucket/k").body("1,2\n3\n5,6\n")).await;
    let options = |skip: bool, most: u32| {
        format!(
            "<Options><SkipPartialDataRecord>{skip}</SkipPartialDataRecord><MaxSkippedRecordsAllowed>{most}</MaxSkippedRecordsAllowed></Options>"
        )
    };
    let raw = "<OutputRawData>true</OutputRawData>";
    let sql = "select _1, _2 from ossobject";
    let null = send(&client, "csv", sql, "<CSV/>", raw, &options(false, 0)).await;
    assert_eq!(null.text(), "1,2\n3,\n5,6\n");
    let skipped = send(&client, "csv", sql, "<CSV/>", raw, &options(true, 1)).await;
    assert_eq!(skipped.text(), "1,2\n5,6\n");
    let refused = send(&client, "csv", sql, "<CSV/>", raw, &options(true, 0)).await;
    assert_eq!(refused.error(), (400, "InvalidCsvLine".to_owned()));
}

#[tokio::test]
async fn json_is_queried_by_line_and_as_a_document() {
    let (_emulator, client) = start_with_bucket().await;
    let lines = "{\"a\":{\"b\":[1,2]},\"n\":\"x\"}\n\n{\"a\":{\"b\":[3]},\"n\":\"y\"}\n{\"n\":null}";
    client.send(Request::put("/bucket/k").body(lines)).await;
    let input = "<JSON><Type>LINES</Type></JSON>";
    for (sql, expected) in [
        ("select s.n from ossobject s where s.a.b[0] > 2", "{\"n\":\"y\"}\n"),
        ("select * from ossobject where n is null", "{\"n\":null}\n"),
        (
            "select count(*), max(a.b[0]) as top from ossobject",
            "{\"_1\":3,\"top\":3}\n",
        ),
        ("select a.b[1] as second from ossobject limit 1", "{\"second\":2}\n"),
    ] {
        assert_eq!(found(&client, "json", sql, input).await, expected, "{sql}");
    }
    let document = "{\"rows\":[{\"id\":1,\"v\":1.5},{\"id\":2,\"v\":true}]}";
    client.send(Request::put("/bucket/k").body(document)).await;
    let input = "<JSON><Type>DOCUMENT</Type></JSON>";
    let sql = "select r.id from ossobject.rows[*] r where r.id > 1";
    assert_eq!(found(&client, "json", sql, input).await, "{\"id\":2}\n");
    client.send(Request::put("/bucket/k").body("{\"a\":")).await;
    let broken = send(&client, "json", "select * from ossobject", input, "", "").await;
    assert_eq!(broken.error(), (400, "InvalidJsonData".to_owned()));
}

#[tokio::test]
async fn values_are_computed() {
    let (_emulator, client) = start_with_bucket().await;
    client.send(Request::put("/bucket/k").body("7,2,a\n1.5,0,b\n")).await;
    for (sql, expected) in [
        (
            "select _1 + _2, -_2 * (1 + 2), _3 || '-' || _2 from ossobject",
            "9,-6,a-2\n1.5,0,b-0\n",
        ),
        ("select _1 % _2, _1 / _2 from ossobject where _2 != 0", "1,3\n"),
        ("select _3 from ossobject where (_1 - 1) * 2 > 10", "a\n"),
        (
            "select _3 from ossobject where ((_2 = 0) or (_1 = 7)) and _3 || 'x' like '_x'",
            "a\nb\n",
        ),
        ("select sum(_1 * 2) from ossobject", "17\n"),
    ] {
        assert_eq!(found(&client, "csv", sql, "<CSV/>").await, expected, "{sql}");
    }
    let raw = "<OutputRawData>true</OutputRawData>";
    let zero = send(&client, "csv", "select _1 / _2 from ossobject", "<CSV/>", raw, "").await;
    assert_eq!(zero.error(), (400, "InvalidCsvLine".to_owned()));
}

#[tokio::test]
async fn results_in_json_have_names_of_their_own() {
    let (_emulator, client) = start_with_bucket().await;
    let line = "{\"z\":{\"x\":1},\"b\":{\"x\":\"two\"}}\n";
    client.send(Request::put("/bucket/k").body(line)).await;
    let input = "<JSON><Type>LINES</Type></JSON>";
    for (sql, expected) in [
        (
            "select z.x, b.x, 1 + 1, 'c' || b.x, z.x as b from ossobject",
            "{\"x\":1,\"x_2\":\"two\",\"_3\":2,\"_4\":\"ctwo\",\"b\":1}\n",
        ),
        (
            "select count(*), count(*), min(z.x) as \"a\"\"\" from ossobject",
            "{\"_1\":1,\"_2\":1,\"a\\\"\":1}\n",
        ),
    ] {
        assert_eq!(found(&client, "json", sql, input).await, expected, "{sql}");
    }
    let raw = "<OutputRawData>true</OutputRawData>";
    let unfit = send(&client, "json", "select b.x + 1 from ossobject", input, raw, "").await;
    assert_eq!(unfit.error(), (400, "InvalidJsonData".to_owned()));
}

#[tokio::test]
async fn ranges_need_counts() {
    let (_emulator, client) = start_with_bucket().await;
    client
        .send(Request::put("/bucket/k").body("a,1\nb,2\nc,3\nd,4\n"))
        .await;
    let input = |range: &str| format!("<CSV><Range>{range}</Range></CSV>");
    let sql = "select _1 from ossobject";
    let early = send(&client, "csv", sql, &input("line-range=1-2"), "", "").await;
    assert_eq!(early.error(), (400, "SelectCsvMetaUnavailable".to_owned()));
    let meta = client
        .send(
            Request::post("/bucket/k")
                .query("x-oss-process", "csv/meta")
                .body("<CsvMetaRequest/>"),
        )
        .await;
    assert_eq!(meta.status, 200, "{}", meta.text());
    let (kind, payload) = frames(&meta.body).pop().unwrap();
    assert_eq!(kind, 8_388_614);
    assert_eq!(payload[16..20], 200_u32.to_be_bytes());
    assert_eq!(payload[20..24], 1_u32.to_be_bytes(), "splits");
    assert_eq!(payload[24..32], 4_u64.to_be_bytes(), "rows");
    assert_eq!(payload[32..36], 2_u32.to_be_bytes(), "columns");
    for (range, expected) in [
        ("line-range=1-2", "b\nc\n"),
        ("line-range=3-", "d\n"),
        ("line-range=-1", "d\n"),
        ("split-range=0-0", "a\nb\nc\nd\n"),
        ("split-range=1-2", ""),
    ] {
        assert_eq!(found(&client, "csv", sql, &input(range)).await, expected, "{range}");
    }
    let wrong = send(&client, "csv", sql, &input("line-range=2-1"), "", "").await;
    assert_eq!(wrong.error(), (400, "InvalidRange".to_owned()));
}

#[tokio::test]
async fn compressed_objects_are_unpacked() {
    let (_emulator, client) = start_with_bucket().await;
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(&b"abc,1\n".repeat(100_000)).unwrap();
    let packed = packer.finish().unwrap();
    client.send(Request::put("/bucket/k").body(packed.clone())).await;
    let input = "<CompressionType>GZIP</CompressionType><CSV/>";
    assert_eq!(
        found(&client, "csv", "select sum(_2) from ossobject", input).await,
        "100000\n"
    );
    let long = found(&client, "csv", "select _1 from ossobject", input).await;
    assert_eq!(long.len(), 400_000);
    client.send(Request::put("/bucket/k").body("a,b\n")).await;
    let broken = send(&client, "csv", "select * from ossobject", input, "", "").await;
    assert_eq!(broken.error(), (400, "DecompressFailure".to_owned()));
}

#[tokio::test]
async fn an_error_in_the_middle_stands_in_the_last_frame() {
    let (_emulator, client) = start_with_bucket().await;
    let content = ["1,a\n".repeat(300_000).into_bytes(), b"\xff,b\n".to_vec()].concat();
    client.send(Request::put("/bucket/k").body(content)).await;
    let answer = send(&client, "csv", "select * from ossobject", "<CSV/>", "", "").await;
    assert_eq!(answer.status, 206);
    let (_, end) = frames(&answer.body).pop().unwrap();
    assert_eq!(end[16..20], 400_u32.to_be_bytes());
    assert!(end[20..].starts_with(b"InvalidTextEncoding."));
}

#[tokio::test]
async fn wrong_queries_have_their_codes() {
    let (_emulator, client) = start_with_bucket().await;
    client.send(Request::put("/bucket/k").body("a,b\n")).await;
    let both = "<OutputRawData>true</OutputRawData><EnablePayloadCrc>true</EnablePayloadCrc>";
    for (sql, input, output, code) in [
        ("", "<CSV/>", "", "InvalidSqlParameter"),
        ("drop table ossobject", "<CSV/>", "", "SqlSyntaxError"),
        ("select * from ossobject.a", "<CSV/>", "", "SqlSyntaxError"),
        ("select * from ossobject", "<CSV/>", both, "InvalidOSSSelectParameters"),
        (
            "select * from ossobject",
            "<CSV><FieldDelimiter>YWI=</FieldDelimiter></CSV>",
            "",
            "InvalidOSSSelectParameters",
        ),
        (
            "select * from ossobject",
            "<JSON><Type>LINES</Type></JSON>",
            "",
            "InvalidOSSSelectParameters",
        ),
    ] {
        let answer = send(&client, "csv", sql, input, output, "").await;
        assert_eq!(answer.error(), (400, code.to_owned()), "{sql} {input}");
    }
}
