use oss_sdk::OssEnum;

#[derive(OssEnum)]
enum Closed {
    A,
    B,
}

#[derive(OssEnum)]
enum Twice {
    A,
    #[oss(wire = "A")]
    B,
    #[oss(aliases("B"), wier = "x")]
    C,
    Unknown(String),
}

#[derive(OssEnum)]
enum Fields {
    Named { a: String },
    Pair(String, String),
    Number(i64),
    #[oss(wire = "x")]
    Unknown(String),
    Other(String),
}

#[derive(OssEnum)]
enum Generic<T> {
    A,
    Unknown(T),
}

#[derive(OssEnum)]
struct NoEnum;

fn main() {}
