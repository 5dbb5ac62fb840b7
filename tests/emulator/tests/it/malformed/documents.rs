//! XML and JSON documents.

use std::fmt::Write as _;

use oss_emulator::DEFAULT_ACCOUNT_ID;

use super::Table;
use crate::client::{Request, md5_base64};

pub(super) fn rows(table: &mut Table) {
    xml(table);
    settings(table);
    deletions(table);
    policies(table);
    vectors(table);
    selects(table);
}

fn tagging(document: impl Into<Vec<u8>>) -> Request {
    Request::put("/bucket/k?tagging").body(document)
}

fn xml(table: &mut Table) {
    let good = "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>";
    table.signed("XML: as it should be", tagging(good), 200, "");
    table.signed(
        "XML: behind a mark of UTF-8",
        tagging(format!("\u{feff}{good}")),
        200,
        "",
    );
    let root = |inner: &str| format!("<Tagging>{inner}</Tagging>");
    let tag = |inner: &str| root(&format!("<TagSet><Tag>{inner}</Tag></TagSet>"));
    let bomb = {
        let mut entities = String::from("<!ENTITY a0 \"aaaaaaaaaa\">");
        for n in 1..30 {
            let _ = write!(entities, "<!ENTITY a{n} \"&a{0};&a{0};&a{0};&a{0};\">", n - 1);
        }
        format!("<!DOCTYPE Tagging [{entities}]>{}", tag("<Key>&a29;</Key><Value/>"))
    };
    let attributes: String = (0..50_000).map(|n| format!(" a{n}=\"\"")).collect();
    for (name, document) in [
        ("empty", String::new()),
        ("only blanks", " \r\n\t ".to_owned()),
        ("only a declaration", "<?xml version=\"1.0\"?>".to_owned()),
        ("only a comment", "<!-- a -->".to_owned()),
        ("no XML", "key=value".to_owned()),
        ("JSON", "{\"Tagging\": {}}".to_owned()),
        ("an element that does not end", "<Tagging><TagSet>".to_owned()),
        ("elements that cross", "<Tagging><TagSet></Tagging></TagSet>".to_owned()),
        ("an end without a start", "</Tagging>".to_owned()),
        ("a start that does not end", "<Tagging".to_owned()),
        ("a comment that does not end", format!("{good}<!-- ")),
        ("a section that does not end", tag("<Key><![CDATA[a</Key><Value/>")),
        ("an instruction that does not end", format!("<?xml {good}")),
        ("two roots", format!("{good}{good}")),
        ("text behind the root", format!("{good}tail")),
        ("text before the root", format!("head{good}")),
        ("another root", good.replace("Tagging", "Tags")),
        ("the root in lower case", good.replace("Tagging", "tagging")),
        ("an unknown element", tag("<Key>a</Key><Value/><Colour/>")),
        ("an unknown element at the top", root("<TagSet/><Colour/>")),
        ("a missing element", tag("<Value>1</Value>")),
        ("an element twice", tag("<Key>a</Key><Key>b</Key><Value/>")),
        ("the root's only child twice", root("<TagSet/><TagSet/>")),
        ("elements where text should be", tag("<Key><b>a</b></Key><Value/>")),
        ("an unknown entity", tag("<Key>&nbsp;</Key><Value/>")),
        ("an entity without an end", tag("<Key>a & b</Key><Value/>")),
        ("a reference to NUL", tag("<Key>&#0;</Key><Value/>")),
        ("a reference to a surrogate", tag("<Key>&#xD800;</Key><Value/>")),
        ("a reference beyond Unicode", tag("<Key>&#x110000;</Key><Value/>")),
        ("a reference that is no number", tag("<Key>&#x;</Key><Value/>")),
        (
            "a reference of 400 digits",
            tag(&format!("<Key>&#{};</Key><Value/>", "9".repeat(400))),
        ),
        ("NUL", tag("<Key>a\0b</Key><Value/>")),
        ("a document type", format!("<!DOCTYPE Tagging>{good}")),
        ("an entity bomb", bomb),
        (
            "an external entity",
            format!(
                "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>{}",
                tag("<Key>&x;</Key><Value/>")
            ),
        ),
        (
            "an external document type",
            format!("<!DOCTYPE Tagging SYSTEM \"http://localhost/dtd\">{good}"),
        ),
        (
            "a parameter entity",
            format!("<!DOCTYPE a [<!ENTITY % x SYSTEM \"http://localhost/dtd\"> %x;]>{good}"),
        ),
        (
            "100,000 levels",
            format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000)),
        ),
        ("40 levels", root(&format!("{}{}", "<a>".repeat(40), "</a>".repeat(40)))),
        ("100,000 elements", root(&"<a/>".repeat(100_000))),
        ("a name of 1 MiB", format!("<{0}/>", "a".repeat(1 << 20))),
        ("50,000 attributes of another root", format!("<a{attributes}/>")),
        ("an attribute without a value", good.replace("<Tagging>", "<Tagging a>")),
        (
            "an attribute without quotes",
            good.replace("<Tagging>", "<Tagging a=1>"),
        ),
        (
            "an attribute twice",
            good.replace("<Tagging>", "<Tagging a=\"1\" a=\"2\">"),
        ),
        (
            "a declaration of UTF-16",
            format!("<?xml version=\"1.0\" encoding=\"UTF-16\"?>{good}"),
        ),
        (
            "a declaration of an unknown encoding",
            format!("<?xml version=\"1.0\" encoding=\"x-klingon\"?>{good}"),
        ),
    ] {
        table.signed(format!("XML: {name}"), tagging(document), 400, "MalformedXML");
    }
    let wide = |order: fn(u16) -> [u8; 2], mark: bool| {
        let units = mark.then_some(0xfeff).into_iter().chain(good.encode_utf16());
        units.flat_map(order).collect::<Vec<u8>>()
    };
    for (name, document) in [
        ("UTF-16, little end first", wide(u16::to_le_bytes, true)),
        ("UTF-16, big end first", wide(u16::to_be_bytes, true)),
        ("UTF-16 without a mark", wide(u16::to_le_bytes, false)),
        (
            "Latin-1",
            tag("<Key>\u{e9}</Key><Value/>")
                .chars()
                .map(|c| u8::try_from(u32::from(c)).unwrap())
                .collect(),
        ),
        ("half a character", [good.as_bytes(), b"\xe4\xb8"].concat()),
        ("compressed", b"\x1f\x8b\x08\0\0\0\0\0\0\x03".to_vec()),
    ] {
        table.signed(format!("XML: {name}"), tagging(document), 400, "MalformedXML");
    }
    for (name, document) in [
        ("a key of blanks and signs", tag("<Key>a*b</Key><Value/>")),
        ("an empty key", tag("<Key/><Value/>")),
        (
            "two tags of a key",
            root("<TagSet><Tag><Key>a</Key><Value/></Tag><Tag><Key>a</Key><Value/></Tag></TagSet>"),
        ),
    ] {
        table.signed(format!("tags: {name}"), tagging(document), 400, "InvalidTag");
    }
    table.signed(
        "a document of 6 MiB",
        tagging(vec![b'<'; 6 << 20]),
        400,
        "EntityTooLarge",
    );
    let other = tagging(good).header("content-md5", &md5_base64(b"other"));
    table.signed("a document with the digest of another", other, 400, "InvalidDigest");
    for digest in ["", "x", "AAAA", "********", &"A".repeat(1000)] {
        table.signed(
            format!("digest {digest:.10?}"),
            tagging(good).header("content-md5", digest),
            400,
            "InvalidDigest",
        );
    }
}

fn settings(table: &mut Table) {
    for (flag, document) in [
        (
            "versioning",
            "<VersioningConfiguration><Status>enabled</Status></VersioningConfiguration>",
        ),
        ("versioning", "<VersioningConfiguration/>"),
        ("lifecycle", "<LifecycleConfiguration/>"),
        (
            "lifecycle",
            "<LifecycleConfiguration><Rule><Status>Enabled</Status><Expiration><Days>x</Days></Expiration></Rule></LifecycleConfiguration>",
        ),
        (
            "lifecycle",
            "<LifecycleConfiguration><Rule><Status>Perhaps</Status></Rule></LifecycleConfiguration>",
        ),
        ("cors", "<CORSConfiguration/>"),
        (
            "cors",
            "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>BREW</AllowedMethod></CORSRule></CORSConfiguration>",
        ),
        ("website", "<WebsiteConfiguration><Nonesuch/></WebsiteConfiguration>"),
        (
            "logging",
            "<BucketLoggingStatus><LoggingEnabled><Target/></LoggingEnabled></BucketLoggingStatus>",
        ),
        (
            "referer",
            "<RefererConfiguration><AllowEmptyReferer>perhaps</AllowEmptyReferer></RefererConfiguration>",
        ),
        ("inventory&inventoryId=a", "<InventoryConfiguration/>"),
        (
            "replication&comp=add",
            "<ReplicationConfiguration><Rule/></ReplicationConfiguration>",
        ),
        (
            "requestPayment",
            "<RequestPaymentConfiguration><Payer>Nobody</Payer></RequestPaymentConfiguration>",
        ),
        (
            "transferAcceleration",
            "<TransferAccelerationConfiguration><Enabled>1x</Enabled></TransferAccelerationConfiguration>",
        ),
        ("tagging", "<Tagging/>"),
        (
            "worm",
            "<InitiateWormConfiguration><RetentionPeriodInDays>0</RetentionPeriodInDays></InitiateWormConfiguration>",
        ),
    ] {
        let method = if flag == "worm" || flag.starts_with("replication") {
            "POST"
        } else {
            "PUT"
        };
        let request = Request::new(method, &format!("/spare/?{flag}")).body(document);
        table.signed(format!("{flag}: {document}"), request, 400, "MalformedXML");
    }
    let rule = "<CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule>";
    let many = format!("<CORSConfiguration>{}</CORSConfiguration>", rule.repeat(21));
    table.signed(
        "cors: 21 rules",
        Request::put("/spare/?cors").body(many),
        400,
        "CORSRuleBeyondLimit",
    );
    for class in [
        "<StorageClass>Glass</StorageClass>",
        "<DataRedundancyType>none</DataRedundancyType>",
        "<Nonesuch/>",
    ] {
        let document = format!("<CreateBucketConfiguration>{class}</CreateBucketConfiguration>");
        table.signed(
            format!("bucket with {class}"),
            Request::put("/newbucket").body(document),
            400,
            "MalformedXML",
        );
    }
}

fn deletions(table: &mut Table) {
    let delete = |document: &str| {
        Request::post("/bucket/?delete")
            .header("content-md5", &md5_base64(document.as_bytes()))
            .body(document)
    };
    let object = |key: &str| format!("<Delete><Object><Key>{key}</Key></Object></Delete>");
    for (name, document) in [
        ("nothing", String::new()),
        ("no object", "<Delete/>".to_owned()),
        (
            "1001 objects",
            format!("<Delete>{}</Delete>", "<Object><Key>a</Key></Object>".repeat(1001)),
        ),
        ("an object without a key", "<Delete><Object/></Delete>".to_owned()),
        (
            "quiet perhaps",
            "<Delete><Quiet>perhaps</Quiet><Object><Key>a</Key></Object></Delete>".to_owned(),
        ),
        ("another root", object("a").replace("Delete>", "Remove>")),
        ("an empty key", object("")),
        ("a key of 1024 bytes", object(&"k".repeat(1024))),
    ] {
        table.signed(format!("delete: {name}"), delete(&document), 400, "MalformedXML");
    }
    let bare = Request::post("/bucket/?delete").body(object("none"));
    table.signed("delete: without a digest", bare, 400, "MissingArgument");
    let wrong = Request::post("/bucket/?delete")
        .header("content-md5", &md5_base64(b""))
        .body(object("none"));
    table.signed("delete: with the digest of nothing", wrong, 400, "InvalidDigest");
}

fn policies(table: &mut Table) {
    let statement = |inner: &str| format!("{{\"Version\":\"1\",\"Statement\":[{inner}]}}");
    let good = "{\"Effect\":\"Allow\",\"Principal\":[\"1\"],\"Action\":[\"oss:GetObject\"],\"Resource\":[\"*\"]}";
    for (name, document) in [
        ("empty", String::new()),
        ("truncated", statement(good)[..40].to_owned()),
        ("XML", "<Policy/>".to_owned()),
        ("a number", "1".to_owned()),
        ("NaN", "NaN".to_owned()),
        ("two documents", statement(good).repeat(2)),
        ("another version", statement(good).replace("\"1\",\"S", "\"9\",\"S")),
        ("no statement", "{\"Version\":\"1\"}".to_owned()),
        ("a statement that is text", statement("\"Allow\"")),
        ("an unknown effect", statement(&good.replace("Allow", "Perhaps"))),
        (
            "no action",
            statement("{\"Effect\":\"Allow\",\"Principal\":[\"1\"],\"Resource\":[\"*\"]}"),
        ),
        (
            "no resource",
            statement("{\"Effect\":\"Allow\",\"Principal\":[\"1\"],\"Action\":[\"oss:*\"]}"),
        ),
        ("100,000 levels", "[".repeat(5000) + &"]".repeat(5000)),
        ("half an escape", statement("\"\\u12\"")),
        ("half a pair", statement("\"\\ud800\"")),
        ("a control character", statement("\"\u{1}\"")),
        ("a comment", format!("/* a */{}", statement(good))),
    ] {
        table.signed(
            format!("policy: {name}"),
            Request::put("/spare/?policy").body(document),
            400,
            "InvalidPolicyDocument",
        );
    }
}

fn vectors(table: &mut Table) {
    let post = |flag: &str, document: &str| {
        Request::post(&format!("/spare/?{flag}"))
            .header("content-type", "application/json")
            .body(document)
            .resource(&format!("/acs:ossvector:cn-hangzhou:{DEFAULT_ACCOUNT_ID}:spare/"))
    };
    for (name, document, code) in [
        ("truncated", "{\"indexName\": \"ind", "MalformedJson"),
        ("no object", "[]", "MalformedJson"),
        ("NaN", "{\"dimension\": NaN}", "MalformedJson"),
        ("beyond all numbers", "{\"dimension\": 1e99999}", "MalformedJson"),
        ("two documents", "{}{}", "MalformedJson"),
        ("a trailing comma", "{\"indexName\": \"a\",}", "MalformedJson"),
        ("single quotes", "{'indexName': 'a'}", "MalformedJson"),
        ("half a pair", "{\"indexName\": \"\\ud800\"}", "MalformedJson"),
        ("XML", "<a/>", "MalformedJson"),
        ("nothing", "", "MissingArgument"),
        ("an unknown key", "{\"colour\": 1}", "InvalidArgument"),
        (
            "text for a number",
            "{\"indexName\": \"index\", \"dataType\": \"float32\", \"dimension\": \"2\", \"distanceMetric\": \"cosine\"}",
            "InvalidArgument",
        ),
        (
            "half a dimension",
            "{\"indexName\": \"index\", \"dataType\": \"float32\", \"dimension\": 2.5, \"distanceMetric\": \"cosine\"}",
            "InvalidArgument",
        ),
        (
            "a huge dimension",
            "{\"indexName\": \"index\", \"dataType\": \"float32\", \"dimension\": 99999999999999999999, \"distanceMetric\": \"cosine\"}",
            "InvalidArgument",
        ),
        (
            "no dimension at all",
            "{\"indexName\": \"index\", \"dataType\": \"float32\", \"dimension\": 0, \"distanceMetric\": \"cosine\"}",
            "InvalidArgument",
        ),
        (
            "an unknown metric",
            "{\"indexName\": \"index\", \"dataType\": \"float32\", \"dimension\": 2, \"distanceMetric\": \"miles\"}",
            "InvalidArgument",
        ),
        (
            "a list for a name",
            "{\"indexName\": [\"a\"], \"dataType\": \"float32\", \"dimension\": 2, \"distanceMetric\": \"cosine\"}",
            "InvalidArgument",
        ),
    ] {
        table.signed(format!("vectors: {name}"), post("putVectorIndex", document), 400, code);
    }
    let deep = format!("{{\"indexName\": {}{}}}", "[".repeat(5000), "]".repeat(5000));
    table.signed(
        "vectors: 5000 levels",
        post("putVectorIndex", &deep),
        400,
        "MalformedJson",
    );
    table.signed(
        "vectors: a bucket of another kind",
        post("getVectorIndex", "{\"indexName\": \"none\"}"),
        404,
        "NoSuchBucket",
    );
}

fn selects(table: &mut Table) {
    use base64::Engine as _;
    let select = |document: String| {
        Request::post("/bucket/k")
            .query("x-oss-process", "csv/select")
            .body(document)
    };
    let of = |expression: &str| {
        format!(
            "<SelectRequest><Expression>{expression}</Expression><InputSerialization><CSV/></InputSerialization><OutputSerialization/></SelectRequest>"
        )
    };
    let base64 = |sql: &str| base64::engine::general_purpose::STANDARD.encode(sql);
    for (name, document) in [
        ("nothing", String::new()),
        ("another root", "<Select/>".to_owned()),
        ("an expression that is no Base64", of("select * from ossobject")),
        (
            "an unknown element",
            of(&base64("select * from ossobject")).replace("<CSV/>", "<CSV><Nonesuch/></CSV>"),
        ),
    ] {
        table.signed(format!("select: {name}"), select(document), 400, "MalformedXML");
    }
    let nested = format!(
        "select * from ossobject where {}1=1{}",
        "(".repeat(5000),
        ")".repeat(5000)
    );
    let negated = format!("select * from ossobject where {} 1=1", "not ".repeat(5000));
    for (name, sql, code) in [
        ("no SQL", "hello", "SqlSyntaxError"),
        ("another statement", "drop table ossobject", "SqlSyntaxError"),
        ("two statements", "select * from ossobject; select 1", "SqlSyntaxError"),
        (
            "a text without an end",
            "select * from ossobject where _1 = 'a",
            "SqlSyntaxError",
        ),
        ("5000 parentheses", &nested, "SqlSyntaxError"),
        ("5000 negations", &negated, "InvalidSqlParameter"),
    ] {
        table.signed(format!("select: {name}"), select(of(&base64(sql))), 400, code);
    }
}
