//! Methods, request lines, targets and hosts.

use super::{Table, head};
use crate::client::Request;

pub(super) fn rows(table: &mut Table) {
    methods(table);
    request_lines(table);
    paths(table);
    hosts(table);
}

fn methods(table: &mut Table) {
    for method in [
        "BREW", "get", "Put", "TRACE", "PATCH", "LINK", "PROPFIND", "M-SEARCH", "GETT",
    ] {
        table.bytes(
            format!("method {method}"),
            head(&format!("{method} /bucket/k"), ""),
            405,
            "MethodNotAllowed",
        );
        table.signed(
            format!("signed method {method}"),
            Request::new(method, "/bucket/k"),
            405,
            "MethodNotAllowed",
        );
    }
    table.bytes("CONNECT", head("CONNECT localhost:80", ""), 405, "MethodNotAllowed");
    table.bytes(
        "CONNECT of a path",
        head("CONNECT /bucket/k", ""),
        405,
        "MethodNotAllowed",
    );
    table.transport("no method", head(" /bucket/k", ""));
    table.transport("method with a slash", head("GE/T /bucket/k", ""));
    table.transport(
        "method that is not text",
        b"G\xffT / HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec(),
    );
    let long = head(&format!("{} /", "A".repeat(100 * 1024)), "");
    table.bytes("method of 100 KiB", long, 405, "MethodNotAllowed");
    for method in ["DELETE", "PUT"] {
        table.signed(
            format!("{method} of the service"),
            Request::new(method, "/"),
            501,
            "NotImplemented",
        );
    }
}

fn request_lines(table: &mut Table) {
    let rest = "\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    for (name, line) in [
        ("no version", "GET /bucket/k"),
        ("version 2", "GET /bucket/k HTTP/2.0"),
        ("version 0.9", "GET /bucket/k HTTP/0.9"),
        ("version without a number", "GET /bucket/k HTTP/x.y"),
        ("version in lower case", "GET /bucket/k http/1.1"),
        ("something behind the version", "GET /bucket/k HTTP/1.1 more"),
        ("blank in the target", "GET /bucket/a b HTTP/1.1"),
        ("tab in the target", "GET /bucket/a\tb HTTP/1.1"),
        ("NUL in the target", "GET /bucket/a\0b HTTP/1.1"),
        ("no target", "GET HTTP/1.1"),
        ("target without a slash", "GET bucket/k HTTP/1.1"),
        ("only a query", "GET ?acl HTTP/1.1"),
        ("nothing", ""),
        ("another protocol", "SSH-2.0-client"),
        ("start of TLS", "\u{16}\u{3}\u{1}\0\u{5}"),
    ] {
        table.transport(format!("request line: {name}"), format!("{line}{rest}"));
    }
    table.transport(
        "target of 200 KiB",
        head(&format!("GET /bucket/{}", "k".repeat(200 * 1024)), ""),
    );
    table.cut("half a request line", "GET /buck");
    table.cut("half a head", "GET /bucket/k HTTP/1.1\r\nhost: loc");
    table.cut("nothing at all", "");
}

fn paths(table: &mut Table) {
    for (name, path, code) in [
        ("a lone percent", "/bucket/%", "InvalidObjectName"),
        ("half an escape", "/bucket/a%4", "InvalidObjectName"),
        ("not hexadecimal", "/bucket/%zz", "InvalidObjectName"),
        ("NUL", "/bucket/a%00b", "InvalidObjectName"),
        ("overlong slash", "/bucket/%C0%AF", "InvalidObjectName"),
        ("overlong NUL", "/bucket/%C0%80", "InvalidObjectName"),
        ("a byte that is no text", "/bucket/%FF", "InvalidObjectName"),
        ("half a character", "/bucket/%E4%B8", "InvalidObjectName"),
        ("a surrogate", "/bucket/%ED%A0%80", "InvalidObjectName"),
        ("beyond Unicode", "/bucket/%F5%80%80%80", "InvalidObjectName"),
        ("backslash at the start", "/bucket/%5Ck", "InvalidObjectName"),
        (
            "a bucket with an escape that is none",
            "/buc%zzket/k",
            "InvalidBucketName",
        ),
        ("a bucket with NUL", "/buc%00ket/k", "InvalidBucketName"),
        ("a bucket in upper case", "/BUCKET/k", "InvalidBucketName"),
        ("a bucket of two letters", "/bu/k", "InvalidBucketName"),
        ("a bucket with an underscore", "/buck_et/k", "InvalidBucketName"),
        ("a bucket that begins with a hyphen", "/-bucket/k", "InvalidBucketName"),
        ("a bucket that ends with a hyphen", "/bucket-/k", "InvalidBucketName"),
        ("a bucket with a dot", "/buck.et/k", "InvalidBucketName"),
        ("dots", "/../etc/passwd", "InvalidBucketName"),
        ("encoded dots", "/%2e%2e/%2e%2e/etc/passwd", "InvalidBucketName"),
        ("no bucket but a key", "//k", "InvalidBucketName"),
        ("an encoded slash in the bucket", "/bucket%2Fk", "InvalidBucketName"),
        ("an asterisk", "*", "InvalidBucketName"),
    ] {
        table.bytes(format!("path: {name}"), head(&format!("GET {path}"), ""), 400, code);
    }
    let long = |length: usize| format!("GET /bucket/{}", "k".repeat(length));
    table.bytes("key of 1024 bytes", head(&long(1024), ""), 400, "InvalidObjectName");
    table.bytes("key of 60,000 bytes", head(&long(60_000), ""), 400, "InvalidObjectName");
    let escaped = format!("GET /bucket/{}", "%E4%B8%AD".repeat(342));
    table.bytes(
        "key of 1026 bytes in 342 characters",
        head(&escaped, ""),
        400,
        "InvalidObjectName",
    );
    let bucket = format!("GET /{}/k", "b".repeat(64));
    table.bytes("bucket of 64 letters", head(&bucket, ""), 400, "InvalidBucketName");
    // Dots in keys are letters like others: nothing is normalised, and nothing is found.
    table.signed(
        "dots in a key",
        Request::get("/bucket/../../etc/passwd"),
        404,
        "NoSuchKey",
    );
    table.signed("only dots as a key", Request::get("/bucket/.."), 404, "NoSuchKey");
    table.signed(
        "a device as a key",
        Request::get("/bucket//dev/zero"),
        400,
        "InvalidObjectName",
    );
}

fn hosts(table: &mut Table) {
    let get = |target: &str, lines: &str| format!("GET {target} HTTP/1.1\r\nconnection: close\r\n{lines}\r\n");
    table.bytes("no host", get("/bucket/k", ""), 400, "BadRequest");
    table.bytes(
        "two hosts",
        get("/", "host: localhost\r\nhost: localhost\r\n"),
        400,
        "BadRequest",
    );
    table.bytes("empty host", get("/bucket/k", "host: \r\n"), 400, "BadRequest");
    table.bytes(
        "absolute target and two hosts",
        get("http://localhost/bucket/k", "host: a\r\nhost: b\r\n"),
        400,
        "BadRequest",
    );
    for host in [
        "localhost:port",
        "localhost:-1",
        "elsewhere.example.org",
        "user@localhost",
        "user:password@localhost",
        "local host",
        "localhost/bucket",
        "localhost?acl",
        "[::1",
        "[::zz]",
        "[localhost]",
        "a.b.localhost",
        "169.254.169.254.nip.example",
        "..",
        "%6cocalhost",
    ] {
        table.bytes(
            format!("host {host}"),
            get("/bucket/k", &format!("host: {host}\r\n")),
            404,
            "NoSuchBucket",
        );
    }
    for host in [
        "BU.localhost",
        "-.localhost",
        ".localhost",
        "a_b.localhost",
        "xn--.localhost",
    ] {
        table.bytes(
            format!("bucket in the host {host}"),
            get("/k", &format!("host: {host}\r\n")),
            400,
            "InvalidBucketName",
        );
    }
    table.bytes(
        "IPv6 address",
        get("/bucket/k", "host: [::1]:80\r\n"),
        403,
        "AccessDenied",
    );
    table.bytes(
        "bare IPv6 address",
        get("/bucket/k", "host: ::1\r\n"),
        403,
        "AccessDenied",
    );
    let bytes = [b"GET / HTTP/1.1\r\nconnection: close\r\nhost: \xff\xfe\r\n\r\n".as_slice()].concat();
    table.bytes("host that is not text", bytes, 400, "BadRequest");
    for (name, target) in [
        ("user in an absolute target", "http://user@localhost/bucket/k"),
        ("foreign absolute target", "http://elsewhere.example.org/bucket/k"),
        ("another scheme", "gopher://elsewhere.example.org/bucket/k"),
    ] {
        table.bytes(name, get(target, "host: localhost\r\n"), 404, "NoSuchBucket");
    }
    let authority = get("localhost:80", "host: localhost\r\n");
    table.bytes("authority form of a GET", authority, 403, "AccessDenied");
}
