//! From attributes and fields to the types of the model: the emitters do not know where these came from.

use oss_codegen::api::{BucketHost, Literal, Member, Place, Protocol, Service, SigningResource, TimestampFormat, Type};
use oss_codegen::emit::field::Field;
use oss_codegen::names;
use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Fields};

use crate::attrs::{self, Attr, Problems};

mod enums;
mod operation;
mod paginate;
mod types;

pub(crate) use enums::open_enum;
pub(crate) use operation::{answer, check_document, operation, output, root};
pub(crate) use paginate::{Paginate, paginate};

/// What a struct is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Derive {
    /// A request.
    Operation,
    /// A document, or a part of one, that is sent.
    ToXml,
    /// An answer, or a part of its document.
    FromXml,
}

/// A struct in terms of the model.
pub(crate) struct Lowered {
    pub(crate) ident: Ident,
    pub(crate) attrs: Vec<Attr>,
    /// Path of the SDK's crate.
    pub(crate) sdk: TokenStream,
    /// Holds the types that the fields name.
    pub(crate) service: Service,
    /// Those types as they were written.
    pub(crate) types: Vec<(String, TokenStream)>,
    /// Whether the place of a field could not be understood, so that nothing can be said about places.
    has_unknown_place: bool,
    pub(crate) members: Vec<LoweredField>,
    /// The field that keeps status and headers.
    pub(crate) meta: Option<Ident>,
}

/// A field in terms of the model.
pub(crate) struct LoweredField {
    pub(crate) ident: Ident,
    pub(crate) member: Member,
    pub(crate) optional: bool,
}

impl Lowered {
    /// The fields for the emitters.
    pub(crate) fn fields(&self) -> Vec<Field<'_>> {
        self.members.iter().map(LoweredField::field).collect()
    }

    /// The struct's type.
    pub(crate) fn ty(&self) -> TokenStream {
        self.ident.to_token_stream()
    }
}

impl LoweredField {
    fn field(&self) -> Field<'_> {
        Field {
            member: &self.member,
            ident: self.ident.clone(),
            optional: self.optional,
            boxed: false,
        }
    }
}

/// Names of attributes of a struct that is derived as an operation.
const OPERATION_ATTRS: [&str; 21] = [
    "any_of",
    "callback",
    "content_md5",
    "content_type_from_key",
    "crate",
    "download_crc64",
    "error_in_success",
    "headers",
    "http",
    "idempotent",
    "name",
    "not_idempotent",
    "output",
    "paginate",
    "presign",
    "resumable_download",
    "slow",
    "subresources",
    "success",
    "unsigned",
    "upload_crc64",
];

/// Names of attributes of a struct that is a document.
const DOCUMENT_ATTRS: [&str; 2] = ["crate", "wire"];

const REQUEST_PLACES: [&str; 12] = [
    "body",
    "bucket",
    "copy_source_bucket",
    "copy_source_key",
    "copy_source_version_id",
    "header",
    "headers",
    "key",
    "path",
    "query",
    "stream",
    "text",
];

const RESULT_PLACES: [&str; 8] = [
    "body",
    "callback",
    "header",
    "headers",
    "meta",
    "root_text",
    "stream",
    "text",
];

/// Names that say more about a field than where it is.
const DETAILS: [&str; 10] = [
    "aliases",
    "default",
    "format",
    "length",
    "max_items",
    "range",
    "required",
    "url_decoded",
    "value",
    "wire",
];

/// Reads a struct. All problems are reported; what is usable is returned anyway, so that later steps find more.
pub(crate) fn lower(input: &DeriveInput, derive: Derive, problems: &mut Problems) -> Option<Lowered> {
    let attrs = attrs::parse(&input.attrs, problems);
    let known: &[&str] = if derive == Derive::Operation {
        &OPERATION_ATTRS
    } else {
        &DOCUMENT_ATTRS
    };
    for attr in &attrs {
        if !known.contains(&attr.name.to_string().as_str()) {
            attr.unknown(known, problems);
        }
    }
    let sdk = sdk(&attrs, problems);
    if !input.generics.params.is_empty() {
        problems.at(
            &input.generics,
            "generic structs are not supported; derive for a struct without parameters",
        );
    }
    let Data::Struct(data) = &input.data else {
        problems.at(
            &input.ident,
            "only structs can be derived; an enum of texts derives `OssEnum`",
        );
        return None;
    };
    let mut lowered = Lowered {
        ident: input.ident.clone(),
        attrs,
        sdk,
        service: service(),
        types: Vec::new(),
        has_unknown_place: false,
        members: Vec::new(),
        meta: None,
    };
    match &data.fields {
        Fields::Named(fields) => {
            for field in &fields.named {
                lower_field(field, derive, &mut lowered, problems);
            }
        }
        Fields::Unit => {}
        Fields::Unnamed(fields) => {
            problems.at(fields, "fields need names; write `struct Name { field: Type }`");
        }
    }
    Some(lowered)
}

/// Path of the SDK's crate: `#[oss(crate = "...")]` or its usual name.
pub(super) fn sdk(attrs: &[Attr], problems: &mut Problems) -> TokenStream {
    let Some(text) = attrs
        .iter()
        .find(|attr| attr.is("crate"))
        .and_then(|attr| attr.text(problems))
    else {
        return quote!(::oss_sdk);
    };
    match text.parse::<syn::Path>() {
        Ok(path) if path.leading_colon.is_some() || path.is_ident("crate") || path.segments.len() > 1 => {
            quote!(#path)
        }
        Ok(path) => quote!(::#path),
        Err(_) => {
            problems.at(&text, "the path of the SDK's crate is expected, such as `oss_sdk`");
            quote!(::oss_sdk)
        }
    }
}

/// A service that holds nothing but the types of the fields.
pub(crate) fn service() -> Service {
    Service {
        name: "oss".to_owned(),
        doc: String::new(),
        protocol: Protocol::RestXml,
        product: "oss".to_owned(),
        api_version: None,
        hosts: std::collections::BTreeMap::new(),
        bucket_host: BucketHost::Bucket,
        bucket_name: None,
        alias_host: None,
        waiters: Vec::new(),
        signing: SigningResource::Bucket,
        subresources: Vec::new(),
        errors: Vec::new(),
        groups: Vec::new(),
        shapes: Vec::new(),
        enums: Vec::new(),
    }
}

fn lower_field(field: &syn::Field, derive: Derive, lowered: &mut Lowered, problems: &mut Problems) {
    let Some(ident) = field.ident.clone() else {
        return;
    };
    let attrs = attrs::parse(&field.attrs, problems);
    let name = ident.unraw().to_string();
    let mut member = member(&name);

    let places: &[&str] = match derive {
        Derive::Operation => &REQUEST_PLACES,
        Derive::FromXml => &RESULT_PLACES,
        Derive::ToXml => &[],
    };
    let mut place: Option<&Attr> = None;
    for attr in &attrs {
        let word = attr.name.to_string();
        if places.contains(&word.as_str()) {
            if let Some(first) = place {
                let message = format!("a field has one place, and this one is `{}` already", first.name);
                problems.at(&attr.name, message);
            }
            place.get_or_insert(attr);
        } else if !DETAILS.contains(&word.as_str()) {
            let known: Vec<&str> = places.iter().chain(&DETAILS).copied().collect();
            attr.unknown(&known, problems);
            lowered.has_unknown_place = true;
        }
    }
    if place.is_some_and(|place| place.is("meta")) {
        lowered.meta = Some(ident);
        return;
    }
    member.wire = vec![names::to_upper_camel(&name)];
    if let Some(attr) = place {
        set_place(&mut member, attr, problems);
    }
    for attr in &attrs {
        set_detail(&mut member, attr, problems);
    }

    let is_document = matches!(member.place, Place::Field | Place::Body);
    let as_value = !is_document || attrs.iter().any(|attr| attr.is("value"));
    let (ty, optional) = types::lower_type(&field.ty, as_value, lowered, problems);
    member.ty = match (ty, &member.place) {
        (_, Place::Stream) => Type::Stream,
        (Type::Timestamp(_), place) => Type::Timestamp(timestamp_format(&attrs, place, problems)),
        (ty, _) => ty,
    };
    types::check_type(field, &member, optional, problems);
    if member.url_decoded {
        types::set_url_decoded(field, &member, derive, lowered, problems);
    }
    let is_collection = matches!(member.ty, Type::List(_) | Type::Map(_) | Type::Stream);
    if let Some(attr) = attrs.iter().find(|attr| attr.is("required") && !is_collection) {
        let message = "only a `Vec` or a map is `required`; a field without `Option` is always there";
        problems.at(&attr.name, message);
    }
    let may_be_absent = attrs.iter().any(|attr| attr.is("default"));
    member.required = if is_collection {
        attrs.iter().any(|attr| attr.is("required"))
    } else {
        !optional
    };
    if may_be_absent {
        member.required = false;
        member.default = Some(Literal::Bool(false));
    }
    lowered.members.push(LoweredField {
        ident,
        member,
        optional,
    });
}

/// A member with nothing said about it.
fn member(name: &str) -> Member {
    Member {
        name: name.to_owned(),
        place: Place::Field,
        wire: Vec::new(),
        aliases: Vec::new(),
        ty: Type::String,
        required: false,
        default: None,
        range: None,
        length: None,
        max_items: None,
        pattern: None,
        prefix: None,
        bucket_arn: false,
        rest: false,
        sensitive: false,
        url_decoded: false,
        since: None,
        deprecated: None,
        doc: String::new(),
    }
}

fn set_place(member: &mut Member, attr: &Attr, problems: &mut Problems) {
    let named = |member: &mut Member, place: Place, problems: &mut Problems| {
        member.place = place;
        member.wire = attr.text(problems).map(|text| vec![text.value()]).unwrap_or_default();
    };
    let bare = |member: &mut Member, place: Place, problems: &mut Problems| {
        attr.flag(problems);
        member.place = place;
        member.wire = Vec::new();
    };
    match attr.name.to_string().as_str() {
        "query" => named(member, Place::Query, problems),
        "header" => named(member, Place::Header, problems),
        "headers" => named(member, Place::HeaderMap, problems),
        "bucket" => bare(member, Place::Bucket, problems),
        "key" => bare(member, Place::Key, problems),
        "path" => bare(member, Place::Path, problems),
        "stream" => bare(member, Place::Stream, problems),
        "text" => bare(member, Place::Text, problems),
        "root_text" => bare(member, Place::RootText, problems),
        "callback" => bare(member, Place::Callback, problems),
        "copy_source_bucket" => bare(member, Place::CopySourceBucket, problems),
        "copy_source_key" => bare(member, Place::CopySourceKey, problems),
        "copy_source_version_id" => bare(member, Place::CopySourceVersionId, problems),
        _ => {
            member.place = Place::Body;
            member.wire = attr
                .optional_text(problems)
                .map(|text| vec![text.value()])
                .unwrap_or_default();
        }
    }
}

fn set_detail(member: &mut Member, attr: &Attr, problems: &mut Problems) {
    match attr.name.to_string().as_str() {
        "wire" => {
            let Some(text) = attr.text(problems) else {
                return;
            };
            let path: Vec<String> = text.value().split('>').map(|part| part.trim().to_owned()).collect();
            let is_name = |part: &String| {
                part.starts_with(|c: char| c.is_alphabetic() || c == '_')
                    && part
                        .chars()
                        .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
            };
            if !path.iter().all(is_name) {
                problems.at(
                    &text,
                    "the name of an element is expected, or `Outer>Inner` for an element inside another",
                );
            } else if !matches!(member.place, Place::Field | Place::Body) {
                problems.at(
                    &attr.name,
                    "only fields of a document have `wire`; the place itself says the name",
                );
            } else {
                member.wire = path;
            }
        }
        "aliases" => member.aliases = attr.texts(problems),
        "range" => member.range = attr.bounds(problems),
        "length" => member.length = attr.bounds(problems),
        "max_items" => member.max_items = attr.number(problems),
        "url_decoded" => {
            attr.flag(problems);
            member.url_decoded = true;
        }
        "value" | "required" | "default" => attr.flag(problems),
        _ => {}
    }
}

fn timestamp_format(attrs: &[Attr], place: &Place, problems: &mut Problems) -> TimestampFormat {
    let usual = if *place == Place::Header {
        TimestampFormat::HttpDate
    } else {
        TimestampFormat::Iso8601
    };
    let Some(attr) = attrs.iter().find(|attr| attr.is("format")) else {
        return usual;
    };
    let Some(text) = attr.text(problems) else {
        return usual;
    };
    match text.value().as_str() {
        "iso8601" => TimestampFormat::Iso8601,
        "http" => TimestampFormat::HttpDate,
        "unix" => TimestampFormat::UnixSeconds,
        _ => {
            problems.at(&text, "the format is `iso8601`, `http` or `unix`");
            usual
        }
    }
}
