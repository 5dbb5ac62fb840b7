//! The SDK under another name, and names of the prelude that mean something else: expansions do not depend on either.
#![allow(
    dead_code,
    non_snake_case,
    unused_qualifications,
    reason = "the names are here to be in the way"
)]

mod inner {
    pub(crate) mod sdk {
        pub(crate) use oss_sdk::*;
    }
}

struct Option;
struct String;
struct Vec;
struct Result;
struct Default;
struct From;
fn Some() {}
fn Ok() {}
fn None() {}

#[derive(oss_sdk::OssOperation)]
#[oss(http = "GET /{bucket}?x", output = Answer, crate = "crate::inner::sdk")]
struct Get {
    #[oss(bucket)]
    bucket: std::string::String,
    #[oss(query = "max-keys", range(1, 10))]
    max_keys: std::option::Option<i64>,
}

#[derive(std::default::Default, oss_sdk::FromXml, oss_sdk::ToXml)]
#[oss(crate = "crate::inner::sdk")]
struct Answer {
    r#type: std::string::String,
    items: std::vec::Vec<Answer>,
    note: std::option::Option<std::string::String>,
}

#[derive(std::clone::Clone, oss_sdk::OssOperation)]
#[oss(
    http = "GET /{bucket}?y",
    output = Page,
    crate = "crate::inner::sdk",
    not_idempotent,
    headers("x-oss-y: z"),
    any_of("marker", "class"),
    paginate(items = "items", item = Answer, more = "more", tokens(marker = "next.marker", number = "number"))
)]
struct List {
    #[oss(bucket)]
    bucket: std::string::String,
    #[oss(query = "marker")]
    marker: std::option::Option<std::string::String>,
    #[oss(query = "number")]
    number: std::option::Option<i64>,
    #[oss(query = "class")]
    class: std::option::Option<Class>,
}

#[derive(std::default::Default, oss_sdk::FromXml)]
#[oss(crate = "crate::inner::sdk")]
struct Page {
    encoding_type: std::option::Option<std::string::String>,
    more: bool,
    number: i64,
    #[oss(url_decoded)]
    next: Next,
    #[oss(value)]
    class: Class,
    items: std::vec::Vec<Answer>,
}

#[derive(std::default::Default, oss_sdk::FromXml)]
#[oss(crate = "crate::inner::sdk")]
struct Next {
    #[oss(url_decoded)]
    marker: std::string::String,
}

#[derive(std::clone::Clone, oss_sdk::OssEnum)]
#[oss(crate = "crate::inner::sdk")]
enum Class {
    #[oss(wire = "a", aliases("b"))]
    A,
    r#Type,
    Other(std::string::String),
}

#[test]
fn expansions_compile_where_everything_has_another_name() {
    use oss_sdk::Operation;
    assert_eq!(Get::spec().name(), "Get");
    assert_eq!(Class::from("b").as_str(), "a");
    assert_eq!(Class::r#Type.as_str(), "Type");
    assert_eq!(<Class as std::default::Default>::default().as_str(), "");
    fn pages(_: impl oss_sdk::Paginate<Item = Answer>) {}
    pages(List {
        bucket: std::string::String::new(),
        marker: std::option::Option::None,
        number: std::option::Option::Some(1),
        class: std::option::Option::None,
    });
}
