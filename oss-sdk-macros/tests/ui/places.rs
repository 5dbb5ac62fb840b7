use std::collections::BTreeMap;

use oss_sdk::{FromXml, OssOperation};

#[derive(OssOperation)]
#[oss(http = "PUT /{bucket}?x")]
struct Put {
    #[oss(bucket)]
    bucket: Option<String>,
    nowhere: String,
    #[oss(query = "a", header = "b")]
    both: String,
    #[oss(query = "c")]
    list: Vec<String>,
    #[oss(headers = "x-oss-meta-")]
    metadata: Vec<String>,
    #[oss(query = "d")]
    first: String,
    #[oss(query = "d")]
    second: String,
    #[oss(text)]
    text: String,
    #[oss(body)]
    body: String,
    #[oss(header = "x-oss-map")]
    map: BTreeMap<String, String>,
}

#[derive(Default, FromXml)]
struct Get {
    #[oss(text)]
    text: String,
    element: String,
}

fn main() {}
