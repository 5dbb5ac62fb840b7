//! Signatures V4 and V1, in headers and in URLs: damaged, incomplete, of another time or place.

use super::{Table, head};
use crate::client::{NOON_HTTP, Request, hmac_sha1_base64};

pub(super) fn rows(table: &mut Table) {
    v4_headers(table);
    v4_queries(table);
    v1_headers(table);
    v1_queries(table);
    rpc(table);
}

fn get() -> Request {
    Request::get("/bucket/k")
}

fn replaced(mut request: Request, name: &str, value: Option<&str>) -> Request {
    request.headers.retain(|(other, _)| other != name);
    match value {
        Some(value) => request.header(name, value),
        None => request,
    }
}

fn v4_headers(table: &mut Table) {
    let client = table.client.clone();
    let signed = client.sign(get());
    let (_, authorization) = signed
        .headers
        .iter()
        .find(|(name, _)| name == "authorization")
        .unwrap()
        .clone();
    let (claim, signature) = authorization.split_once(",Signature=").unwrap();
    let with = |value: &str| replaced(signed.clone(), "authorization", Some(value));
    let invalid = (400, "InvalidArgument");
    let mismatch = (403, "SignatureDoesNotMatch");
    for (name, value, expected) in [
        ("empty", String::new(), invalid),
        ("only the algorithm", "OSS4-HMAC-SHA256".to_owned(), invalid),
        ("another algorithm", authorization.replace("SHA256", "SHA512"), invalid),
        ("of another cloud", authorization.replace("OSS4", "AWS4"), invalid),
        (
            "no credential",
            format!("OSS4-HMAC-SHA256 Signature={signature}"),
            invalid,
        ),
        ("no signature", claim.to_owned(), invalid),
        ("empty signature", format!("{claim},Signature="), invalid),
        (
            "short signature",
            format!("{claim},Signature={}", &signature[1..]),
            invalid,
        ),
        ("long signature", format!("{claim},Signature={signature}0"), invalid),
        (
            "signature in upper case",
            format!("{claim},Signature={}", "A".repeat(64)),
            invalid,
        ),
        (
            "signature that is not hexadecimal",
            format!("{claim},Signature={}", "g".repeat(64)),
            invalid,
        ),
        (
            "signature of 30,000 digits",
            format!("{claim},Signature={}", "a".repeat(30_000)),
            invalid,
        ),
        (
            "another signature",
            format!("{claim},Signature={}", "a".repeat(64)),
            mismatch,
        ),
        (
            "signature twice",
            format!("{authorization},Signature={signature}"),
            invalid,
        ),
        (
            "credential twice",
            authorization.replace(" Credential=", " Credential=a/b/c/oss/aliyun_v4_request,Credential="),
            invalid,
        ),
        ("an unknown part", format!("{authorization},Colour=red"), invalid),
        (
            "additional header that is not there",
            authorization.replace(",Sig", ",AdditionalHeaders=nonesuch,Sig"),
            mismatch,
        ),
        (
            "additional headers without end",
            authorization.replace(",Sig", &format!(",AdditionalHeaders={},Sig", "host;".repeat(3000))),
            mismatch,
        ),
        (
            "additional header that is signed anyway",
            authorization.replace(",Sig", ",AdditionalHeaders=x-oss-date,Sig"),
            mismatch,
        ),
    ] {
        table.unsigned(format!("V4: {name}"), &with(&value), expected.0, expected.1);
    }
    let id = client.id.as_str();
    let region = client.region.as_str();
    for (name, credential) in [
        ("empty", String::new()),
        ("only the key", id.to_owned()),
        ("no key", format!("/20231217/{region}/oss/aliyun_v4_request")),
        ("no date", format!("{id}//{region}/oss/aliyun_v4_request")),
        ("no region", format!("{id}/20231217//oss/aliyun_v4_request")),
        ("no product", format!("{id}/20231217/{region}//aliyun_v4_request")),
        ("no end", format!("{id}/20231217/{region}/oss")),
        (
            "one part more",
            format!("{id}/20231217/{region}/oss/aliyun_v4_request/more"),
        ),
        ("another date", format!("{id}/20231216/{region}/oss/aliyun_v4_request")),
        (
            "a date that is none",
            format!("{id}/2023-12-17/{region}/oss/aliyun_v4_request"),
        ),
        (
            "another region",
            format!("{id}/20231217/elsewhere/oss/aliyun_v4_request"),
        ),
        (
            "another product",
            format!("{id}/20231217/{region}/ecs/aliyun_v4_request"),
        ),
        ("another end", format!("{id}/20231217/{region}/oss/aws4_request")),
    ] {
        let value = format!("OSS4-HMAC-SHA256 Credential={credential},Signature={signature}");
        table.unsigned(format!("V4 credential: {name}"), &with(&value), invalid.0, invalid.1);
    }
    let unknown = authorization.replace(&format!("Credential={id}/"), "Credential=nobody/");
    table.unsigned("V4: unknown key", &with(&unknown), 403, "InvalidAccessKeyId");
    for (name, date, expected) in [
        ("none", None, (403, "AccessDenied")),
        ("empty", Some(""), (403, "AccessDenied")),
        ("half", Some("20231217"), (403, "AccessDenied")),
        ("the 99th", Some("20231299T162057Z"), (403, "AccessDenied")),
        ("of the year 0", Some("00000101T000000Z"), (403, "AccessDenied")),
        ("long ago", Some("20010101T000000Z"), (403, "RequestTimeTooSkewed")),
        ("far off", Some("99991231T235959Z"), (403, "RequestTimeTooSkewed")),
        ("of HTTP", Some(NOON_HTTP), (403, "AccessDenied")),
        ("with a fraction", Some("20231217T162057.1Z"), (403, "AccessDenied")),
    ] {
        table.unsigned(
            format!("V4 date: {name}"),
            &replaced(signed.clone(), "x-oss-date", date),
            expected.0,
            expected.1,
        );
    }
    table.unsigned(
        "V4: header twice",
        &signed.clone().header("authorization", &authorization),
        400,
        "InvalidArgument",
    );
    let hash = replaced(signed.clone(), "x-oss-content-sha256", Some(&"a".repeat(64)));
    table.unsigned("V4: hash of the content", &hash, 400, "InvalidArgument");
    let token = signed.clone().header("x-oss-security-token", "nonesuch");
    table.unsigned("V4: a token that nobody gave", &token, 403, "InvalidSecurityToken");
    let bytes = head("GET /bucket/k", "authorization: OSS4-HMAC-SHA256 \u{ff}\r\n").replace('\u{ff}', "\u{e9}");
    table.bytes("V4: not ASCII", bytes, 400, "InvalidArgument");
    table.bytes(
        "another scheme",
        head("GET /bucket/k", "authorization: Bearer abc\r\n"),
        400,
        "InvalidArgument",
    );
}

fn v4_queries(table: &mut Table) {
    let presigned = table.client.presign(get(), 60);
    let without = |name: &str| {
        let mut request = presigned.clone();
        request.query.retain(|(other, _)| other != name);
        request
    };
    for (name, status, code) in [
        ("x-oss-signature-version", 400, "InvalidArgument"),
        ("x-oss-credential", 400, "InvalidArgument"),
        ("x-oss-date", 400, "InvalidArgument"),
        ("x-oss-expires", 400, "InvalidArgument"),
        ("x-oss-signature", 400, "InvalidArgument"),
    ] {
        table.unsigned(format!("V4 URL without {name}"), &without(name), status, code);
        table.unsigned(
            format!("V4 URL with an empty {name}"),
            &without(name).query(name, ""),
            status,
            code,
        );
        table.unsigned(
            format!("V4 URL with a bad {name}"),
            &without(name).query(name, "\u{e9}"),
            status,
            code,
        );
        let twice = presigned.clone().query(name, "other");
        // What stands there a second time is part of what was signed, but for the signature itself.
        let (status, code) = if name == "x-oss-signature" {
            (200, "")
        } else {
            (403, "SignatureDoesNotMatch")
        };
        table.unsigned(format!("V4 URL with two {name}"), &twice, status, code);
    }
    for expires in ["0", "-1", "604801", "1e3", "99999999999999999999"] {
        let request = without("x-oss-expires").query("x-oss-expires", expires);
        table.unsigned(
            format!("V4 URL for {expires} seconds"),
            &request,
            400,
            "InvalidArgument",
        );
    }
    let both = presigned.clone().query("OSSAccessKeyId", &table.client.id);
    table.unsigned("V4 URL that is one of V1 too", &both, 403, "SignatureDoesNotMatch");
    let header = presigned.clone().header("authorization", "OSS a:b");
    table.unsigned("V4 URL and a header", &header, 400, "InvalidArgument");
}

fn v1_headers(table: &mut Table) {
    let (id, secret) = (table.client.id.clone(), table.client.secret.clone());
    let text = format!("GET\n\n\n{NOON_HTTP}\n/bucket/k");
    let right = hmac_sha1_base64(&secret, &text);
    let with = |date: &str, value: &str| get().header("date", date).header("authorization", value);
    table.unsigned(
        "V1: as it should be",
        &with(NOON_HTTP, &format!("OSS {id}:{right}")),
        200,
        "",
    );
    for (name, value, status, code) in [
        ("nothing", "OSS ".to_owned(), 400, "InvalidArgument"),
        ("no colon", format!("OSS {id}"), 400, "InvalidArgument"),
        ("no key", format!("OSS :{right}"), 400, "InvalidArgument"),
        ("no signature", format!("OSS {id}:"), 400, "InvalidArgument"),
        ("unknown key", format!("OSS nobody:{right}"), 403, "InvalidAccessKeyId"),
        ("no Base64", format!("OSS {id}:***"), 403, "SignatureDoesNotMatch"),
        (
            "30,000 letters",
            format!("OSS {id}:{}", "A".repeat(30_000)),
            403,
            "SignatureDoesNotMatch",
        ),
        ("two colons", format!("OSS {id}:{right}:"), 403, "SignatureDoesNotMatch"),
        ("in lower case", format!("oss {id}:{right}"), 400, "InvalidArgument"),
    ] {
        table.unsigned(format!("V1: {name}"), &with(NOON_HTTP, &value), status, code);
    }
    for (date, code) in [
        ("", "AccessDenied"),
        ("yesterday", "AccessDenied"),
        ("Sun, 99 Dec 2023 16:20:57 GMT", "AccessDenied"),
        ("Sun, 17 Dec 99999999 16:20:57 GMT", "AccessDenied"),
        ("Thu, 01 Jan 1970 00:00:00 GMT", "RequestTimeTooSkewed"),
        ("Fri, 31 Dec 9999 23:59:59 GMT", "RequestTimeTooSkewed"),
    ] {
        table.unsigned(
            format!("V1 date {date:?}"),
            &with(date, &format!("OSS {id}:{right}")),
            403,
            code,
        );
    }
}

fn v1_queries(table: &mut Table) {
    let id = table.client.id.clone();
    let signature = hmac_sha1_base64(&table.client.secret, "GET\n\n\n1702830957\n/bucket/k");
    let url = |id: &str, expires: &str, signature: &str| {
        get()
            .query("OSSAccessKeyId", id)
            .query("Expires", expires)
            .query("Signature", signature)
    };
    table.unsigned("V1 URL: as it should be", &url(&id, "1702830957", &signature), 200, "");
    for (name, request, status, code) in [
        ("no key", url("", "1702830957", &signature), 400, "InvalidArgument"),
        ("no time", url(&id, "", &signature), 400, "InvalidArgument"),
        ("no signature", url(&id, "1702830957", ""), 400, "InvalidArgument"),
        (
            "unknown key",
            url("nobody", "1702830957", &signature),
            403,
            "InvalidAccessKeyId",
        ),
        (
            "a time that is none",
            url(&id, "tomorrow", &signature),
            400,
            "InvalidArgument",
        ),
        (
            "a time beyond numbers",
            url(&id, "99999999999999999999", &signature),
            400,
            "InvalidArgument",
        ),
        ("a time that is over", url(&id, "1", &signature), 403, "AccessDenied"),
        (
            "another time",
            url(&id, "1702830958", &signature),
            403,
            "SignatureDoesNotMatch",
        ),
        (
            "NUL in the signature",
            url(&id, "1702830957", "\0"),
            403,
            "SignatureDoesNotMatch",
        ),
    ] {
        table.unsigned(format!("V1 URL: {name}"), &request, status, code);
    }
}

fn rpc(table: &mut Table) {
    let post = |body: &str| {
        Request::post("/")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
    };
    table.unsigned("RPC: no action", &post(""), 501, "NotImplemented");
    table.unsigned(
        "RPC: unknown action",
        &post("Action=Nonesuch&Version=2015-04-01"),
        501,
        "NotImplemented",
    );
    table.unsigned(
        "RPC: another version",
        &post("Action=AssumeRole&Version=1999-01-01"),
        400,
        "InvalidArgument",
    );
    table.unsigned("RPC: no text", &post("Action=%FF"), 400, "InvalidArgument");
    table.unsigned("RPC: half an escape", &post("Action=%4"), 400, "InvalidArgument");
    let large = format!("Action={}", "a".repeat(6 << 20));
    table.unsigned("RPC: 6 MiB", &post(&large), 400, "EntityTooLarge");
}
