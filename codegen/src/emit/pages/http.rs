//! The request line of an operation, and the words for the places of its members.

use crate::api::{Operation, Place, Protocol, Resource, Segment};

/// Method, path and fixed query, e.g. `GET /{bucket}?cors`.
pub fn http_line(operation: &Operation) -> String {
    let path = match &operation.resource {
        Resource::Service => "/".to_owned(),
        Resource::Bucket => "/{bucket}".to_owned(),
        Resource::Object => "/{bucket}/{key}".to_owned(),
        Resource::Path(segments) => segments.iter().fold(String::new(), |path, segment| match segment {
            Segment::Literal(text) => format!("{path}/{text}"),
            Segment::Member(name) => format!("{path}/{{{name}}}"),
        }),
    };
    let query: Vec<String> = operation
        .query
        .iter()
        .map(|(key, value)| match value {
            Some(value) => format!("{key}={value}"),
            None => key.clone(),
        })
        .collect();
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{} {path}{mark}{}", operation.method.as_str(), query.join("&"))
}

/// Where a member is, in a word or two.
pub(super) fn place(place: &Place, protocol: Protocol, is_request: bool) -> &'static str {
    match place {
        Place::Bucket => "bucket",
        Place::Key => "key",
        Place::Path => "path",
        Place::Query => "query",
        Place::QueryJson => "query, as JSON",
        Place::Header => "header",
        Place::HeaderMap => "headers with the prefix",
        Place::Body => "document",
        Place::Field => match protocol {
            Protocol::RestXml => "element",
            Protocol::RpcJson if is_request => "parameter",
            Protocol::RestJson | Protocol::RpcJson => "key",
        },
        Place::Text => "body, as text",
        Place::RootText => "text of the root",
        Place::Stream => "body",
        Place::CopySourceBucket | Place::CopySourceKey | Place::CopySourceVersionId => "copy source",
        Place::Callback => "body, of the callback",
        Place::Local => "not sent",
        Place::Frame => "end frame",
    }
}
