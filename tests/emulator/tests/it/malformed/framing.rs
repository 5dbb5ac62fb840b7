//! Headers as such, lengths, chunks and everything that smuggles.

use super::{Table, head};
use crate::client::Request;

pub(super) fn rows(table: &mut Table) {
    headers(table);
    lengths(table);
    chunks(table);
}

fn headers(table: &mut Table) {
    for (name, lines) in [
        ("no colon", "x-oss-meta-a\r\n"),
        ("blank in a name", "x oss: 1\r\n"),
        ("blank before the colon", "x-oss-meta-a : 1\r\n"),
        ("no name", ": 1\r\n"),
        ("a name that is not text", "x-\u{e9}: 1\r\n"),
        ("control character in a name", "x-\u{1}: 1\r\n"),
        ("folded line", "x-oss-meta-a: 1\r\n 2\r\n"),
        ("folded with a tab", "x-oss-meta-a: 1\r\n\t2\r\n"),
        ("NUL in a value", "x-oss-meta-a: 1\0\r\n"),
        ("control character in a value", "x-oss-meta-a: \u{1b}[2J\r\n"),
        ("carriage return in a value", "x-oss-meta-a: 1\rx-injected: 1\r\n"),
        ("DEL in a value", "x-oss-meta-a: \u{7f}\r\n"),
    ] {
        table.transport(format!("header: {name}"), head("GET /bucket/k", lines));
    }
    table.transport(
        "name of 100 KiB",
        head("GET /bucket/k", &format!("{}: 1\r\n", "a".repeat(100 * 1024))),
    );
    table.transport(
        "value of 1 MiB",
        head("GET /bucket/k", &format!("x: {}\r\n", "a".repeat(1024 * 1024))),
    );
    table.transport("a thousand headers", head("GET /bucket/k", &"x: 1\r\n".repeat(1000)));
    table.signed(
        "value of 30 KiB",
        Request::get("/bucket/k").header("x-other", &"a".repeat(30_000)),
        200,
        "",
    );
    table.signed(
        "metadata without a name",
        Request::put("/bucket/new").header("x-oss-meta-", "1").body("b"),
        400,
        "InvalidArgument",
    );
    table.signed(
        "connection that names itself",
        Request::get("/bucket/k").header("keep-alive", "timeout=-1"),
        200,
        "",
    );
    table.bytes(
        "upgrade",
        head("GET /bucket/k", "upgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n"),
        403,
        "AccessDenied",
    );
    table.bytes(
        "expectation of something else",
        head("PUT /bucket/k", "content-length: 1\r\nexpect: tea\r\n"),
        403,
        "AccessDenied",
    );
}

fn lengths(table: &mut Table) {
    let put = |lines: &str, body: &str| head("PUT /open/k", lines) + body;
    for value in [
        "-1",
        "+1",
        "1x",
        "0x1",
        "1.0",
        "",
        "1 1",
        "99999999999999999999999",
        "1,2",
        "\u{663}",
    ] {
        table.transport(
            format!("content-length {value:?}"),
            put(&format!("content-length: {value}\r\n"), "b"),
        );
    }
    table.transport("two lengths", put("content-length: 1\r\ncontent-length: 2\r\n", "bb"));
    table.transport(
        "length and then another",
        put("content-length: 3\r\ncontent-length: 0\r\n", "bbb"),
    );
    table.cut("body shorter than its length", put("content-length: 100\r\n", "bbb"));
    table.cut("no body at all", put("content-length: 100\r\n", ""));
    table.unsigned(
        "PUT without a length",
        &Request::put("/open/k").header("content-length", "0"),
        200,
        "",
    );
    table.bytes("neither length nor chunks", put("", ""), 411, "MissingContentLength");
    // Both: the length does not count, and what follows the last chunk is neither content nor a request.
    table.bytes(
        "length and chunks",
        put(
            "content-length: 5\r\ntransfer-encoding: chunked\r\n",
            "0\r\n\r\nGET /bucket/k HTTP/1.1\r\n\r\n",
        ),
        200,
        "",
    );
    for size in ["5368709121", "9223372036854775807", "18446744073709551613"] {
        let request = Request::put("/bucket/new")
            .header("content-length", size)
            .header("expect", "100-continue");
        table.signed(format!("{size} bytes declared"), request, 400, "EntityTooLarge");
    }
}

fn chunks(table: &mut Table) {
    let put = |body: &str| head("PUT /open/k", "transfer-encoding: chunked\r\n") + body;
    for (name, body) in [
        ("size that is no number", "zz\r\nabc\r\n0\r\n\r\n"),
        ("negative size", "-1\r\nabc\r\n0\r\n\r\n"),
        ("signed size", "+3\r\nabc\r\n0\r\n\r\n"),
        ("size with a prefix", "0x3\r\nabc\r\n0\r\n\r\n"),
        ("size beyond 64 bits", "FFFFFFFFFFFFFFFFF\r\nabc\r\n0\r\n\r\n"),
        ("size of all bits", "FFFFFFFFFFFFFFFF\r\nabc\r\n0\r\n\r\n"),
        ("no size", "\r\nabc\r\n0\r\n\r\n"),
        ("chunk longer than its size", "2\r\nabc\r\n0\r\n\r\n"),
        ("extension without an end", "3;a=\u{1}\nabc\r\n0\r\n\r\n"),
    ] {
        table.cut(format!("chunk: {name}"), put(body));
    }
    for (name, body) in [
        ("no last chunk", "3\r\nabc\r\n"),
        ("half a chunk", "10\r\nabc"),
        ("half a size", "1"),
        ("trailers without an end", "0\r\nx: 1\r\n"),
    ] {
        table.cut(format!("chunk: {name}"), put(body));
    }
    table.transport(
        "extensions of 1 MiB",
        put(&format!("3;{}\r\nabc\r\n0\r\n\r\n", "a".repeat(1024 * 1024))),
    );
    table.cut(
        "trailers of 1 MiB",
        put(&format!("0\r\nx: {}\r\n\r\n", "a".repeat(1024 * 1024))),
    );
    table.bytes("extension", put("3;name=value\r\nabc\r\n0\r\n\r\n"), 200, "");
    table.bytes("trailers", put("3\r\nabc\r\n0\r\nx-oss-meta-a: 1\r\n\r\n"), 200, "");
    table.bytes("size with zeros", put("003\r\nabc\r\n0\r\n\r\n"), 200, "");
    for coding in ["gzip", "chunked, gzip", "identity", "xchunked", "chunked\u{b}"] {
        table.cut(
            format!("transfer coding {coding:?}"),
            head("PUT /open/k", &format!("transfer-encoding: {coding}\r\n")) + "0\r\n\r\n",
        );
    }
}
