use oss_sdk::OssOperation;

#[derive(OssOperation)]
#[oss(http = "GET /{bucket}/{key}")]
struct NoKey {
    #[oss(bucket)]
    bucket: String,
}

#[derive(OssOperation)]
#[oss(http = "GET /")]
struct NoBucketInPath {
    #[oss(bucket)]
    bucket: String,
}

#[derive(OssOperation)]
#[oss(http = "GET /tables/{arn}")]
struct NoArn {
    #[oss(path)]
    name: String,
}

fn main() {}
