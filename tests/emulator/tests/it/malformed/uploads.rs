//! Uploads: metadata, digests, lists of parts, callbacks and forms.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Table;
use crate::client::Request;

pub(super) fn rows(table: &mut Table) {
    objects(table);
    parts(table);
    callbacks(table);
    forms(table);
}

fn objects(table: &mut Table) {
    let put = || Request::put("/bucket/new").body("b");
    table.signed(
        "metadata of 9 KiB",
        put().header("x-oss-meta-a", &"a".repeat(9 * 1024)),
        400,
        "MetadataTooLarge",
    );
    let many = (0..90).fold(put(), |put, n| put.header(&format!("x-oss-meta-{n}"), &"a".repeat(100)));
    table.signed("metadata of 90 headers", many, 400, "MetadataTooLarge");
    for digest in ["", "x", "AAAA", "1B2M2Y8AsgTpgAmY7PhCfg==", "\u{e9}"] {
        table.signed(
            format!("content with the digest {digest:?}"),
            put().header("content-md5", digest),
            400,
            "InvalidDigest",
        );
    }
    for (name, value) in [
        ("x-oss-storage-class", "Glass"),
        ("x-oss-object-acl", "everybody"),
        ("x-oss-forbid-overwrite", "perhaps"),
    ] {
        table.signed(
            format!("{name}: {value}"),
            put().header(name, value),
            400,
            "InvalidArgument",
        );
    }
    table.signed(
        "bucket with an unknown ACL",
        Request::put("/spare?acl").header("x-oss-acl", "everybody"),
        400,
        "InvalidArgument",
    );
    table.signed(
        "bucket without an ACL",
        Request::put("/spare?acl"),
        400,
        "MissingArgument",
    );
    let link = |target: &str| Request::put("/bucket/link?symlink").header("x-oss-symlink-target", target);
    for target in ["%", "%zz", "%00", "%FF", ""] {
        table.signed(format!("link to {target:?}"), link(target), 400, "InvalidArgument");
    }
    table.signed(
        "a link that leads nowhere else",
        Request::put("/bucket/link?symlink"),
        400,
        "MissingArgument",
    );
    table.signed(
        "append to nowhere",
        Request::post("/bucket/log?append&position=5").body("b"),
        409,
        "PositionNotEqualToLength",
    );
    table.signed(
        "append to what is whole",
        Request::post("/bucket/k?append&position=10").body("b"),
        409,
        "ObjectNotAppendable",
    );
    table.signed(
        "append without a position",
        Request::post("/bucket/log?append").body("b"),
        400,
        "MissingArgument",
    );
    table.signed(
        "a bucket of somebody else's name",
        Request::put("/no"),
        400,
        "InvalidBucketName",
    );
    table.signed(
        "deletion of a bucket with objects",
        Request::delete("/spare"),
        409,
        "BucketNotEmpty",
    );
}

fn parts(table: &mut Table) {
    let target = format!("/bucket/up?uploadId={}", table.upload);
    let etag = table.etag.clone();
    let entry = |number: &str, etag: &str| format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>");
    let all: String = (1..=10_001).map(|number| entry(&number.to_string(), &etag)).collect();
    for (name, parts, code) in [
        ("none", String::new(), "MalformedXML"),
        ("10,001", all, "MalformedXML"),
        ("two of a number", entry("1", &etag).repeat(2), "InvalidPartOrder"),
        (
            "in falling order",
            entry("2", &etag) + &entry("1", &etag),
            "InvalidPartOrder",
        ),
        (
            "one that is not there",
            entry("1", &etag) + &entry("7", &etag),
            "InvalidPart",
        ),
        ("an ETag of another part", entry("1", &"A".repeat(32)), "InvalidPart"),
        ("an ETag that is none", entry("1", "nonesuch"), "InvalidPart"),
        ("an empty ETag", entry("1", ""), "InvalidPart"),
        (
            "no ETag",
            "<Part><PartNumber>1</PartNumber></Part>".to_owned(),
            "MalformedXML",
        ),
        ("no number", format!("<Part><ETag>{etag}</ETag></Part>"), "MalformedXML"),
        ("number 0", entry("0", &etag), "MalformedXML"),
        ("number 10001", entry("10001", &etag), "MalformedXML"),
        ("number -1", entry("-1", &etag), "MalformedXML"),
        (
            "a number beyond numbers",
            entry("99999999999999999999", &etag),
            "MalformedXML",
        ),
        ("a number that is none", entry("one", &etag), "MalformedXML"),
        ("an unknown element", "<Piece/>".to_owned(), "MalformedXML"),
    ] {
        let document = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        table.signed(
            format!("parts: {name}"),
            Request::post(&target).body(document),
            400,
            code,
        );
    }
    table.signed("parts: no document", Request::post(&target), 400, "MalformedXML");
    table.signed(
        "parts: no end",
        Request::post(&target).body("<CompleteMultipartUpload><Part>"),
        400,
        "MalformedXML",
    );
    let document = format!(
        "<CompleteMultipartUpload>{}</CompleteMultipartUpload>",
        entry("1", &etag)
    );
    for id in ["nonesuch", "", "..", "../../up", "%", &"A".repeat(5000)] {
        let with = |method: &str| Request::new(method, "/bucket/up").query("uploadId", id);
        table.signed(
            format!("complete {id:.10?}"),
            with("POST").body(document.clone()),
            404,
            "NoSuchUpload",
        );
        table.signed(format!("abort {id:.10?}"), with("DELETE"), 404, "NoSuchUpload");
        table.signed(
            format!("part of {id:.10?}"),
            with("PUT").query("partNumber", "1").body("b"),
            404,
            "NoSuchUpload",
        );
        table.signed(format!("list {id:.10?}"), with("GET"), 404, "NoSuchUpload");
    }
    let everything = Request::post(&target)
        .header("x-oss-complete-all", "yes")
        .body(document);
    table.signed("parts: a list of all", everything, 400, "InvalidArgument");
    let perhaps = Request::post(&target).header("x-oss-complete-all", "perhaps");
    table.signed("parts: perhaps all", perhaps, 400, "InvalidArgument");
}

fn callbacks(table: &mut Table) {
    for (name, callback) in [
        ("no Base64", "***".to_owned()),
        ("nothing", String::new()),
        ("no JSON", STANDARD.encode("hello")),
        ("a list", STANDARD.encode("[]")),
        ("half a document", STANDARD.encode("{\"callbackUrl\": \"http")),
        ("no address", STANDARD.encode("{\"callbackBody\": \"a\"}")),
        ("no body", STANDARD.encode("{\"callbackUrl\": \"http://localhost/\"}")),
        (
            "an address that is a number",
            STANDARD.encode("{\"callbackUrl\": 1, \"callbackBody\": \"a\"}"),
        ),
        (
            "six addresses",
            STANDARD.encode(format!(
                "{{\"callbackUrl\": \"{}\", \"callbackBody\": \"a\"}}",
                "http://localhost/;".repeat(6)
            )),
        ),
        (
            "another type",
            STANDARD.encode(
                "{\"callbackUrl\": \"http://localhost/\", \"callbackBody\": \"a\", \"callbackBodyType\": \"a/b\"}",
            ),
        ),
        ("5000 levels", STANDARD.encode("[".repeat(5000))),
    ] {
        let put = Request::put("/bucket/called")
            .header("x-oss-callback", &callback)
            .body("b");
        table.signed(format!("callback: {name}"), put, 400, "InvalidArgument");
    }
}

fn forms(table: &mut Table) {
    const KIND: &str = "multipart/form-data; boundary=b";
    let field =
        |name: &str, value: &str| format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    let file = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\ncontent\r\n";
    let post = |kind: &str, body: String| Request::post("/open").header("content-type", kind).body(body);
    let whole = format!("{}{file}--b--\r\n", field("key", "form"));
    table.unsigned("form: as it should be", &post(KIND, whole.clone()), 204, "");
    for kind in [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary",
        "multipart/form-data; boundary=\u{e9}",
    ] {
        table.unsigned(
            format!("form: {kind}"),
            &post(kind, whole.clone()),
            400,
            "MalformedPOSTRequest",
        );
    }
    for (name, body, code) in [
        ("nothing", String::new(), "MalformedPOSTRequest"),
        ("another boundary", whole.replace("--b", "--c"), "MalformedPOSTRequest"),
        ("no end", field("key", "form") + file, "MalformedPOSTRequest"),
        ("half a head", "--b\r\nContent-Disp".to_owned(), "MalformedPOSTRequest"),
        (
            "a head that is none",
            "--b\r\nhello\r\n\r\n1\r\n--b--\r\n".to_owned(),
            "MalformedPOSTRequest",
        ),
        ("a field twice", field("key", "a") + &whole, "MalformedPOSTRequest"),
        (
            "no file",
            field("key", "form") + "--b--\r\n",
            "IncorrectNumberOfFilesInPOSTRequest",
        ),
        (
            "two files",
            field("key", "form") + file + file + "--b--\r\n",
            "IncorrectNumberOfFilesInPOSTRequest",
        ),
        ("no key", format!("{file}--b--\r\n"), "InvalidArgument"),
        (
            "an empty key",
            format!("{}{file}--b--\r\n", field("key", "")),
            "InvalidArgument",
        ),
        (
            "the key behind the file",
            format!("{file}{}--b--\r\n", field("key", "form")),
            "InvalidArgument",
        ),
        (
            "a key of 1024 bytes",
            format!("{}{file}--b--\r\n", field("key", &"k".repeat(1024))),
            "InvalidObjectName",
        ),
        (
            "NUL in the key",
            format!("{}{file}--b--\r\n", field("key", "a\0b")),
            "InvalidObjectName",
        ),
        (
            "a field of 100 KiB",
            field("x-oss-meta-a", &"a".repeat(100 * 1024)) + &whole,
            "FieldItemTooLong",
        ),
        (
            "half a signature",
            field("OSSAccessKeyId", "a") + &whole,
            "InvalidArgument",
        ),
        (
            "a policy that is no Base64",
            field("policy", "***") + &whole,
            "InvalidPolicyDocument",
        ),
        (
            "a policy that is no JSON",
            field("policy", "aGVsbG8=") + &whole,
            "InvalidPolicyDocument",
        ),
    ] {
        table.unsigned(format!("form: {name}"), &post(KIND, body), 400, code);
    }
}
