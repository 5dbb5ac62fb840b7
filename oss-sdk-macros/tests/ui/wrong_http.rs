use oss_sdk::OssOperation;

#[derive(OssOperation)]
#[oss(http = "PATCH /{bucket}")]
struct WrongMethod {
    #[oss(bucket)]
    bucket: String,
}

#[derive(OssOperation)]
#[oss(http = "GET {bucket}")]
struct NoSlash {
    #[oss(bucket)]
    bucket: String,
}

#[derive(OssOperation)]
#[oss(http = GET)]
struct NoText;

#[derive(OssOperation)]
#[oss(http = 1)]
struct Number;

fn main() {}
