use oss_sdk::{FromXml, OssOperation, ToXml};

#[derive(OssOperation)]
#[oss(http = "POST /", idempotent, not_idempotent, headers("no-value"), any_of("a", "missing", "always"))]
struct Contradictions {
    #[oss(query = "a")]
    a: Option<String>,
    #[oss(query = "always")]
    always: String,
}

#[derive(ToXml)]
struct Sent {
    #[oss(required)]
    note: Option<String>,
    #[oss(url_decoded)]
    text: String,
}

#[derive(Default, FromXml)]
struct Received {
    #[oss(url_decoded)]
    number: i64,
    #[oss(header = "x-oss-key", url_decoded)]
    key: String,
}

fn main() {}
