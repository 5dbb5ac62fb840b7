use oss_sdk::{FromXml, OssOperation, ToXml};

#[derive(OssOperation)]
#[oss(http = "GET /{bucket}", retries)]
struct Get {
    #[oss(bukket)]
    bucket: String,
}

#[derive(ToXml)]
#[oss(root = "Cors")]
struct Write {
    #[oss(header = "ETag")]
    etag: String,
}

#[derive(Default, FromXml)]
struct Read {
    #[oss(query = "a")]
    a: String,
    #[oss(wire)]
    b: String,
    #[oss(stream = "x")]
    c: oss_sdk::ResponseBody,
}

fn main() {}
