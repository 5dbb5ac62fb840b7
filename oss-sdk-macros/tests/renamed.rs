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
fn Some() {}
fn Ok() {}

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

#[test]
fn expansions_compile_where_everything_has_another_name() {
    use oss_sdk::Operation;
    assert_eq!(Get::spec().name(), "Get");
}
