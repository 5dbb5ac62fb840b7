use oss_sdk::{FromXml, OssOperation};

#[derive(Default, FromXml)]
struct Page {
    is_truncated: String,
    next: bool,
    next_marker: Option<String>,
    objects: Vec<String>,
}

#[derive(Clone, OssOperation)]
#[oss(http = "GET /", paginate(items = "objects", item = String, tokens(marker = "next_marker")))]
struct WithoutOutput {
    #[oss(query = "marker")]
    marker: Option<String>,
}

#[derive(Clone, OssOperation)]
#[oss(http = "GET /", output = Page, paginate)]
struct Bare {}

#[derive(Clone, OssOperation)]
#[oss(http = "GET /", output = Page, paginate(items = "objects", token(marker = "next_marker")))]
struct Misspelt {
    #[oss(query = "marker")]
    marker: Option<String>,
}

#[derive(Clone, OssOperation)]
#[oss(http = "GET /", output = Page, paginate(items = "objects", item = String, tokens(makrer = "next marker")))]
struct WrongNames {
    #[oss(query = "marker")]
    marker: Option<String>,
}

#[derive(Clone, OssOperation)]
#[oss(
    http = "GET /",
    output = Page,
    paginate(items = "nothing", item = String, more = "is_truncated", tokens(marker = "next"))
)]
struct WrongTypes {
    #[oss(query = "marker")]
    marker: Option<String>,
}

#[derive(OssOperation)]
#[oss(http = "GET /", output = Page, paginate(items = "objects", item = String, tokens(marker = "next_marker")))]
struct NotClone {
    #[oss(query = "marker")]
    marker: Option<String>,
}

fn main() {}
