//! Query parameters and headers that mean something: flags, numbers, dates, ranges, copy sources, tags.

use oss_emulator::model::{Member, Method, Operation, Place, Resource, Service, Type};

use super::{Table, head};
use crate::client::Request;

pub(super) fn rows(table: &mut Table) {
    queries(table);
    numbers(table);
    typed(table);
    reads(table);
    copies(table);
    tags(table);
}

fn queries(table: &mut Table) {
    for (name, query) in [
        ("a lone percent", "prefix=%"),
        ("not hexadecimal", "prefix=%g0"),
        ("no text", "prefix=%FF"),
        ("overlong", "prefix=%C0%AF"),
        ("a name that is no text", "%FF=a"),
    ] {
        table.bytes(
            format!("query: {name}"),
            head(&format!("GET /bucket/?{query}"), ""),
            400,
            "InvalidArgument",
        );
    }
    for (target, name) in [
        ("/bucket/?nonesuch", "unknown flag of a bucket"),
        ("/bucket/k?nonesuch", "unknown flag of an object"),
        ("/?nonesuch", "unknown flag of the service"),
        ("/bucket/?acl&nonesuch", "unknown flag beside a known one"),
        ("/bucket/?acl&cors", "two sub-resources"),
        ("/bucket/k?acl&tagging", "two sub-resources of an object"),
        ("/bucket/?x-oss-nonesuch=1", "unknown parameter of the service"),
        ("/bucket/?ACL", "a flag in upper case"),
    ] {
        table.signed(format!("query: {name}"), Request::get(target), 501, "NotImplemented");
    }
    table.signed("query: a flag twice", Request::get("/bucket/?acl&acl"), 200, "");
    table.signed(
        "query: only separators",
        Request::get("/bucket/?").query("prefix", "&&&&"),
        200,
        "",
    );
    table.bytes("query: nothing but separators", head("GET /open/?&&&&", ""), 200, "");
    table.bytes(
        "query: blank names",
        head("GET /open/?=&=&=a", ""),
        501,
        "NotImplemented",
    );
    let many = (0..5000).map(|n| format!("a{n}=1")).collect::<Vec<_>>().join("&");
    table.bytes(
        "query: 5000 parameters",
        head(&format!("GET /open/?{many}"), ""),
        200,
        "",
    );
    // Only 2 asks for another kind of list.
    for kind in ["0", "1", "3", "two"] {
        let list = Request::get(&format!("/bucket/?list-type={kind}"));
        table.signed(format!("list-type {kind}"), list, 200, "");
    }
}

fn numbers(table: &mut Table) {
    let bad = [
        "x",
        "-1",
        "1e3",
        "1.5",
        "0x10",
        "99999999999999999999",
        "\u{663}",
        "1 1",
    ];
    for value in bad {
        for (target, parameter) in [
            ("/bucket/", "max-keys"),
            ("/bucket/?uploads", "max-uploads"),
            ("/bucket/?versions", "max-keys"),
        ] {
            let request = Request::get(target).query(parameter, value);
            table.signed(
                format!("{target} {parameter} {value:?}"),
                request,
                400,
                "InvalidArgument",
            );
        }
        let part = Request::put("/bucket/up")
            .query("partNumber", value)
            .query("uploadId", &table.upload)
            .body("b");
        table.signed(format!("partNumber {value:?}"), part, 400, "InvalidArgument");
        let append = Request::post("/bucket/log?append").query("position", value).body("b");
        table.signed(format!("position {value:?}"), append, 400, "InvalidArgument");
    }
    for (target, parameter, value) in [
        ("/bucket/", "max-keys", "0"),
        ("/bucket/", "max-keys", "1001"),
        ("/bucket/", "encoding-type", "html"),
        ("/bucket/?list-type=2", "max-keys", "1001"),
        ("/bucket/?list-type=2", "continuation-token", "not one of ours"),
        ("/bucket/?list-type=2", "fetch-owner", "perhaps"),
        ("/bucket/?uploads", "max-uploads", "1001"),
        ("/bucket/?versions", "version-id-marker", "without a key"),
    ] {
        let request = Request::get(target).query(parameter, value);
        table.signed(
            format!("{target} {parameter} {value:?}"),
            request,
            400,
            "InvalidArgument",
        );
    }
    for number in ["0", "10001"] {
        let part = Request::put("/bucket/up")
            .query("partNumber", number)
            .query("uploadId", &table.upload)
            .body("b");
        table.signed(format!("partNumber {number}"), part, 400, "InvalidArgument");
    }
}

/// Every parameter and every header with a type, with what is none of its type.
fn typed(table: &mut Table) {
    let api = oss_emulator::interpreter::api().unwrap();
    let service = api.service("oss").unwrap();
    for (_, operation) in service.operations() {
        for member in &operation.request {
            if let (Place::Query | Place::Header, Some(bad)) = (&member.place, bad(&member.ty)) {
                let wire = &member.wire[0];
                if wire == "Content-Length" {
                    // HTTP itself refuses it.
                    continue;
                }
                let code = match (operation.name.as_str(), wire.as_str()) {
                    ("OptionObject", _) => "BadRequest",
                    (_, "x-oss-server-side-encryption") => "InvalidEncryptionAlgorithmError",
                    _ => "InvalidArgument",
                };
                let request = with(service, operation, member, bad);
                table.signed(format!("{} {wire}", operation.name), request, 400, code);
            }
        }
    }
}

fn bad(ty: &Type) -> Option<&'static str> {
    match ty {
        Type::Integer => Some("1O"),
        Type::Float | Type::Float32 => Some("NaN"),
        Type::Bool => Some("perhaps"),
        Type::Timestamp(_) => Some("yesterday"),
        Type::Enum(_) => Some("Nonesuch"),
        _ => None,
    }
}

/// A request of an operation with everything that it needs, and one value that does not fit.
fn with(service: &Service, operation: &Operation, wrong: &Member, bad: &str) -> Request {
    let method = match operation.method {
        Method::Get => "GET",
        Method::Put => "PUT",
        Method::Post => "POST",
        Method::Delete => "DELETE",
        Method::Head => "HEAD",
        Method::Options => "OPTIONS",
    };
    let path = match operation.resource {
        Resource::Service => "/",
        Resource::Bucket => "/spare/",
        _ => "/spare/k",
    };
    let mut request = Request::new(method, path);
    for (name, value) in &operation.query {
        if *name != wrong.wire[0] {
            request = request.query(name, value.as_deref().unwrap_or_default());
        }
    }
    for member in &operation.request {
        let is_wrong = member.name == wrong.name;
        let good = match &member.ty {
            Type::Integer | Type::Float | Type::Float32 => "1",
            Type::Bool => "true",
            Type::Timestamp(_) => "2023-12-17T00:00:00.000Z",
            Type::Enum(id) => &service.enumeration(*id).values[0].wire,
            _ => "value",
        };
        let value = if is_wrong { bad } else { good };
        match member.place {
            Place::Query
                if is_wrong || member.required && !request.query.iter().any(|(name, _)| *name == member.wire[0]) =>
            {
                request = request.query(&member.wire[0], value);
            }
            Place::Header if is_wrong || member.required => request = request.header(&member.wire[0], value),
            Place::CopySourceKey => request = request.header("x-oss-copy-source", "/bucket/k"),
            _ => {}
        }
    }
    request
}

fn reads(table: &mut Table) {
    // What is not a range is ignored, as HTTP says, and so is by default one that leaves the object.
    for range in [
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=5-1",
        "bytes=0-0,2-2",
        "items=0-1",
        "bytes=99-100",
        "bytes=0-18446744073709551616",
        "bytes= 0-1 x",
        "\u{e9}",
    ] {
        table.signed(
            format!("range {range:?}"),
            Request::get("/bucket/k").header("range", range),
            200,
            "",
        );
    }
    for range in ["bytes=10-", "bytes=99-100", "bytes=-0"] {
        let request = Request::get("/bucket/k")
            .header("range", range)
            .header("x-oss-range-behavior", "standard");
        table.signed(format!("standard range {range:?}"), request, 416, "InvalidRange");
    }
    for date in [
        "yesterday",
        "Sun, 99 Dec 2023 16:20:57 GMT",
        "Sun, 17 Dec 99999999999 16:20:57 GMT",
        "\u{e9}",
        "-1",
    ] {
        let request = Request::get("/bucket/k")
            .header("if-modified-since", date)
            .header("if-unmodified-since", date);
        table.signed(format!("condition on {date:?}"), request, 200, "");
    }
    table.signed(
        "condition on a list of tags without an end",
        Request::get("/bucket/k").header("if-match", &"\"a\",".repeat(2000)),
        412,
        "PreconditionFailed",
    );
    for (version, status, code) in [
        ("nonesuch", 404, "NoSuchVersion"),
        (&"v".repeat(5000), 404, "NoSuchVersion"),
        ("\u{0}", 400, "InvalidArgument"),
        ("../../k", 400, "InvalidArgument"),
    ] {
        let request = Request::get("/bucket/k").query("versionId", version);
        table.signed(format!("version {:.20?}", version), request, status, code);
    }
    let process = |action: &str| Request::get("/bucket/k").query("x-oss-process", action);
    table.signed(
        "image: a width that is none",
        process("image/resize,w_x"),
        400,
        "InvalidArgument",
    );
    table.signed(
        "image: an unknown action",
        process("image/nonesuch"),
        501,
        "NotImplemented",
    );
    table.signed(
        "HEAD of nothing",
        Request::new("HEAD", "/bucket/none"),
        404,
        "NoSuchKey",
    );
    table.signed(
        "a header in the answer that would be two",
        Request::get("/bucket/k").query("response-content-type", "a/b\r\nx-injected: 1"),
        200,
        "",
    );
}

fn copies(table: &mut Table) {
    for source in [
        "",
        "/",
        "//",
        "bucket",
        "/bucket",
        "/bucket/",
        "/bucket/%",
        "/bucket/%zz",
        "/bucket/%00",
        "/bucket/%FF",
        "/bucket/k?versionId=%FF",
        "http://localhost/bucket/k",
        "\u{e9}",
        "/bucket/%5Ck",
    ] {
        let copy = Request::put("/bucket/copy").header("x-oss-copy-source", source);
        table.signed(format!("copy of {source:?}"), copy, 400, "InvalidArgument");
    }
    let long = format!("/bucket/{}", "k".repeat(2000));
    let copy = Request::put("/bucket/copy").header("x-oss-copy-source", &long);
    table.signed("copy of a key of 2000 bytes", copy, 400, "InvalidArgument");
    let copy = |name: &str, value: &str| {
        Request::put("/bucket/copy")
            .header("x-oss-copy-source", "/bucket/k")
            .header(name, value)
    };
    table.signed(
        "copy with an unknown directive",
        copy("x-oss-metadata-directive", "MOVE"),
        400,
        "InvalidArgument",
    );
    table.signed(
        "copy with an unknown tagging directive",
        copy("x-oss-tagging-directive", "MOVE"),
        400,
        "InvalidArgument",
    );
    table.signed(
        "copy with a condition that fails",
        copy("x-oss-copy-source-if-match", "\"none\""),
        412,
        "PreconditionFailed",
    );
    for range in [
        "bytes=5-1",
        "bytes=0-10",
        "bytes=10-",
        "0-1",
        "bytes=0-0,1-1",
        "bytes=-1",
        "bytes=0-18446744073709551615",
    ] {
        let part = Request::put("/bucket/up")
            .query("partNumber", "2")
            .query("uploadId", &table.upload)
            .header("x-oss-copy-source", "/bucket/k")
            .header("x-oss-copy-source-range", range);
        table.signed(format!("part of {range:?}"), part, 416, "InvalidRange");
    }
}

fn tags(table: &mut Table) {
    let many = (0..11).map(|n| format!("k{n}=v")).collect::<Vec<_>>().join("&");
    let (key, value) = (format!("{}=v", "k".repeat(129)), format!("k={}", "v".repeat(257)));
    for tags in [
        "=v",
        "a=1&a=2",
        "a=%zz",
        "a=%FF",
        "a=%3Cb%3E",
        "a=%00",
        many.as_str(),
        key.as_str(),
        value.as_str(),
    ] {
        let put = Request::put("/bucket/new").header("x-oss-tagging", tags).body("b");
        table.signed(format!("tags {tags:.20?}"), put, 400, "InvalidTag");
    }
}
