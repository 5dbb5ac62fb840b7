//! What the attributes of a struct say about the operation or the answer as a whole.

use oss_codegen::api::{BodyKind, Method, Operation, Place, Resource, Segment, Trait};
use oss_codegen::names;
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};

use super::{Lowered, LoweredField};
use crate::attrs::{self, Attr, Problems};
use crate::http;

/// The operation that the attributes and fields of a struct describe.
pub(crate) fn operation(lowered: &Lowered, problems: &mut Problems) -> Option<Operation> {
    let mut operation = empty_operation(lowered.ident.to_string());
    let mut http_text = None;
    for attr in &lowered.attrs {
        match attr.name.to_string().as_str() {
            "http" => http_text = attr.text(problems),
            "name" => {
                if let Some(text) = attr.text(problems) {
                    operation.name = text.value();
                }
            }
            "content_md5" => {
                attr.flag(problems);
                operation.content_md5 = true;
            }
            "presign" => {
                attr.flag(problems);
                operation.presign = true;
            }
            "headers" => operation.headers = headers(attr, problems),
            "any_of" => operation.any_of = any_of(lowered, attr, problems),
            "success" => operation.success = attr.statuses(problems),
            "subresources" => operation.subresources = attr.texts(problems),
            word => {
                if let Some(behaviour) = behaviour(word) {
                    attr.flag(problems);
                    operation.traits.push(behaviour);
                }
            }
        }
    }
    let Some(literal) = http_text else {
        // A wrong one was reported where it stands.
        if !lowered.attrs.iter().any(|attr| attr.is("http")) {
            let message = "an operation needs `#[oss(http = \"METHOD /path\")]`";
            problems.at(&lowered.ident, message);
        }
        return None;
    };
    let http = match http::parse(&literal) {
        Ok(http) => http,
        Err(error) => {
            problems.push(error);
            return None;
        }
    };
    operation.method = http.method;
    operation.idempotent = http.method != Method::Post;
    if let Some(attr) = lowered.attrs.iter().find(|attr| attr.is("idempotent")) {
        attr.flag(problems);
        operation.idempotent = true;
    }
    if let Some(attr) = lowered.attrs.iter().find(|attr| attr.is("not_idempotent")) {
        attr.flag(problems);
        if lowered.attrs.iter().any(|attr| attr.is("idempotent")) {
            problems.at(&attr.name, "an operation is `idempotent` or it is not; leave one out");
        }
        operation.idempotent = false;
    }
    let flags = http
        .query
        .iter()
        .filter(|(_, value)| value.is_none())
        .map(|(name, _)| name.clone());
    operation.subresources.extend(flags);
    operation.query = http.query;
    operation.resource = http.resource;
    if !lowered.has_unknown_place {
        check_fields(lowered, &operation, literal.span(), problems);
    }
    Some(operation)
}

/// `headers("name: value")`.
fn headers(attr: &Attr, problems: &mut Problems) -> Vec<(String, String)> {
    let mut headers = Vec::new();
    for text in attr.texts(problems) {
        match text.split_once(':') {
            Some((name, value)) if !name.is_empty() && !value.trim().is_empty() => {
                headers.push((name.to_owned(), value.trim().to_owned()));
            }
            _ => problems.at(&attr.name, format!("`{text}` is no header; write `\"name: value\"`")),
        }
    }
    headers
}

/// `any_of("a", "b")`: fields that may be absent, but not all of them.
fn any_of(lowered: &Lowered, attr: &Attr, problems: &mut Problems) -> Vec<Vec<String>> {
    let names = attr.texts(problems);
    for name in &names {
        match lowered.members.iter().find(|field| field.member.name == *name) {
            None => problems.at(&attr.name, format!("there is no field `{name}`")),
            Some(field) if field.member.required && !field.optional => {
                problems.at(&attr.name, format!("the field `{name}` is always there"));
            }
            Some(_) => {}
        }
    }
    names.into_iter().map(|name| vec![name]).collect()
}

fn behaviour(word: &str) -> Option<Trait> {
    Some(match word {
        "content_type_from_key" => Trait::ContentTypeFromKey,
        "upload_crc64" => Trait::UploadCrc64,
        "download_crc64" => Trait::DownloadCrc64,
        "resumable_download" => Trait::ResumableDownload,
        "callback" => Trait::Callback,
        "error_in_success" => Trait::ErrorInSuccess,
        "slow" => Trait::Slow,
        "unsigned" => Trait::Unsigned,
        _ => return None,
    })
}

/// The operation that reads the answers of a struct: it has no more than the root of the document.
pub(crate) fn answer(lowered: &Lowered, problems: &mut Problems) -> Operation {
    let mut operation = empty_operation(lowered.ident.to_string());
    operation.result_root = root(lowered, problems);
    let whole: Vec<&LoweredField> = lowered
        .members
        .iter()
        .filter(|field| is_whole(&field.member.place))
        .collect();
    one_payload(
        &whole,
        lowered.members.iter().any(|field| field.member.place == Place::Field),
        problems,
    );
    operation
}

/// Name of the root element that a struct's `wire` says.
pub(crate) fn root(lowered: &Lowered, problems: &mut Problems) -> Option<String> {
    let attr = lowered.attrs.iter().find(|attr| attr.is("wire"))?;
    attr.text(problems).map(|text| text.value())
}

fn empty_operation(name: String) -> Operation {
    Operation {
        method_name: names::to_snake(&name),
        name,
        doc: String::new(),
        reference: None,
        method: Method::Get,
        resource: Resource::Service,
        query: Vec::new(),
        headers: Vec::new(),
        request: Vec::new(),
        result: Vec::new(),
        request_root: None,
        result_root: None,
        request_body: BodyKind::None,
        result_body: BodyKind::None,
        content_md5: false,
        success: Vec::new(),
        idempotent: true,
        presign: false,
        paginate: None,
        query_when: Vec::new(),
        any_of: Vec::new(),
        errors: Vec::new(),
        traits: Vec::new(),
        subresources: Vec::new(),
        since: None,
        deprecated: None,
    }
}

/// Whether a field is the whole payload.
fn is_whole(place: &Place) -> bool {
    matches!(place, Place::Body | Place::Text | Place::Stream | Place::RootText)
}

/// Compares the path with the fields, and the fields with one another.
fn check_fields(lowered: &Lowered, operation: &Operation, path: Span, problems: &mut Problems) {
    let find = |place: &Place| lowered.members.iter().find(|field| field.member.place == *place);
    let (has_bucket, has_key) = match operation.resource {
        Resource::Object => (true, true),
        Resource::Bucket => (true, false),
        _ => (false, false),
    };
    for (place, word, is_in_path) in [(Place::Bucket, "bucket", has_bucket), (Place::Key, "key", has_key)] {
        match (find(&place), is_in_path) {
            (None, true) => {
                let message = format!("the path has `{{{word}}}`, so a field needs `#[oss({word})]`");
                problems.push(syn::Error::new(path, message));
            }
            (Some(field), false) => {
                problems.at(&field.ident, format!("the path has no `{{{word}}}` for this field"));
            }
            _ => {}
        }
    }
    let mut in_path = Vec::new();
    if let Resource::Path(segments) = &operation.resource {
        in_path.extend(segments.iter().filter_map(|segment| match segment {
            Segment::Member(name) => Some(name.as_str()),
            Segment::Literal(_) => None,
        }));
    }
    for name in &in_path {
        let fits = |field: &LoweredField| field.member.place == Place::Path && field.member.name == *name;
        if !lowered.members.iter().any(fits) {
            let message = format!("the path has `{{{name}}}`, so the field `{name}` needs `#[oss(path)]`");
            problems.push(syn::Error::new(path, message));
        }
    }
    for field in lowered.members.iter().filter(|field| field.member.place == Place::Path) {
        if !in_path.contains(&field.member.name.as_str()) {
            problems.at(
                &field.ident,
                format!("the path has no `{{{}}}` for this field", field.member.name),
            );
        }
    }
    let whole: Vec<&LoweredField> = lowered
        .members
        .iter()
        .filter(|field| is_whole(&field.member.place))
        .collect();
    one_payload(&whole, false, problems);
    for field in lowered
        .members
        .iter()
        .filter(|field| field.member.place == Place::Field)
    {
        let message = "say where this field goes: `#[oss(query = \"...\")]`, `#[oss(header = \"...\")]`, \
                       `#[oss(body)]` or another place";
        problems.at(&field.ident, message);
    }
    for (index, field) in lowered.members.iter().enumerate() {
        let same = |earlier: &&LoweredField| {
            earlier.member.place == field.member.place
                && match field.member.place {
                    Place::Query => earlier.member.wire == field.member.wire,
                    Place::Header => earlier
                        .member
                        .wire
                        .concat()
                        .eq_ignore_ascii_case(&field.member.wire.concat()),
                    Place::Bucket | Place::Key => true,
                    _ => false,
                }
        };
        if let Some(earlier) = lowered.members[..index].iter().find(same) {
            let message = format!("the field `{}` stands in the same place already", earlier.ident);
            problems.at(&field.ident, message);
        }
    }
}

/// Reports a second payload.
fn one_payload(whole: &[&LoweredField], has_document: bool, problems: &mut Problems) {
    for field in whole.iter().skip(usize::from(!has_document)) {
        problems.at(
            &field.ident,
            "there is another payload already; only one field, or several elements, can be it",
        );
    }
}

/// Reports two fields of a document on one element.
pub(crate) fn check_document(lowered: &Lowered, problems: &mut Problems) {
    let document: Vec<&LoweredField> = lowered
        .members
        .iter()
        .filter(|field| field.member.place == Place::Field)
        .collect();
    for (index, field) in document.iter().enumerate() {
        let same = |earlier: &&&LoweredField| {
            let (short, long) = if earlier.member.wire.len() < field.member.wire.len() {
                (&earlier.member.wire, &field.member.wire)
            } else {
                (&field.member.wire, &earlier.member.wire)
            };
            long.starts_with(short)
        };
        if let Some(earlier) = document[..index].iter().find(same) {
            let message = format!(
                "the element `{}` belongs to the field `{}` already",
                field.member.wire.join(">"),
                earlier.ident
            );
            problems.push(syn::Error::new(field.ident.span(), message));
        }
    }
}

/// The type that an operation gives.
pub(crate) fn output(lowered: &Lowered, problems: &mut Problems) -> TokenStream {
    let Some(attr) = lowered.attrs.iter().find(|attr| attr.is("output")) else {
        return quote!(());
    };
    match &attr.value {
        attrs::Value::Type(ty) => ty.to_token_stream(),
        _ => {
            problems.push(syn::Error::new(
                attr.name.span(),
                "write `output = Type` with a type that derives `FromXml`",
            ));
            quote!(())
        }
    }
}
