use oss_sdk::OssOperation;

#[derive(OssOperation)]
#[oss(content_md5)]
struct PutCors {
    #[oss(bucket)]
    bucket: String,
}

fn main() {}
