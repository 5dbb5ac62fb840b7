use oss_sdk::{FromXml, OssOperation, ToXml};

#[derive(ToXml)]
enum Enum {
    A,
}

#[derive(FromXml)]
struct Tuple(String);

#[derive(OssOperation)]
#[oss(http = "GET /")]
struct Generic<T> {
    #[oss(query = "t")]
    value: T,
}

#[derive(OssOperation)]
#[oss(http = "GET /", crate = "not a path")]
struct Crate;

#[derive(OssOperation)]
#[oss(http = "GET /", success(404), output)]
struct Success;

fn main() {}
