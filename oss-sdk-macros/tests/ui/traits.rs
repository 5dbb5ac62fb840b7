use oss_sdk::{FromXml, OssOperation};

struct Plain;

#[derive(OssOperation)]
#[oss(http = "PUT /{bucket}?x", output = Plain)]
struct Put {
    #[oss(bucket)]
    bucket: String,
}

#[derive(FromXml)]
struct NoDefault {
    name: String,
    #[oss(header = "ETag")]
    etag: String,
}

fn main() {}
