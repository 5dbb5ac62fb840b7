//! `impl Operation`: the static facts, what `encode` writes and what `decode` reads.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

use super::checks::{self, Checker};
use super::field::Field;
use super::scope::{Home, Scope};
use super::{json, url_decode, xml};
use crate::api::{
    BodyKind, Member, Operation, Place, Protocol, Resource, Segment, TimestampFormat, Trait, Type,
};
use crate::names;

/// What the impl is for and what it gives.
#[derive(Debug)]
pub struct Target<'a> {
    /// The request's type.
    pub request: TokenStream,
    /// The request's fields.
    pub request_fields: &'a [Field<'a>],
    /// What the answer becomes.
    pub output: Output<'a>,
}

/// What an answer becomes.
#[derive(Debug)]
pub enum Output<'a> {
    /// A struct whose fields are known here, so that reading it is emitted as well.
    Struct(Struct<'a>),
    /// A type that knows itself how it is read: the output of a derived operation.
    FromReply(TokenStream),
}

/// A struct that answers are read into.
#[derive(Debug)]
pub struct Struct<'a> {
    /// The type.
    pub ty: TokenStream,
    /// The fields.
    pub fields: &'a [Field<'a>],
    /// The field that keeps status and headers, if there is one.
    pub meta: Option<Ident>,
}

/// `impl Operation`, with `WriteXml` and `ReadXml` where the members themselves are the document.
pub fn emit(scope: &Scope<'_>, operation: &Operation, target: &Target<'_>) -> TokenStream {
    let request = &target.request;
    let trait_ = scope.runtime("Operation");
    let spec_type = scope.runtime("Spec");
    let encoder = scope.runtime("Encoder");
    let reply = scope.runtime("Reply");
    let error = scope.runtime("Error");
    let result = scope.standard("Result");
    let spec = spec(scope, operation);
    let encode = encode(scope, operation, target.request_fields);
    let encoder_parameter = if encode.is_empty() {
        quote!(_out)
    } else {
        quote!(out)
    };
    let (output, spec, reading) = match &target.output {
        Output::Struct(output) => (&output.ty, spec, Reading::of(scope, operation, output)),
        Output::FromReply(output) => {
            let from_reply = scope.runtime("FromReply");
            // The type says if it streams, and a static cannot choose between two values of one type in another way.
            let spec = quote!(if <#output as #from_reply>::STREAMS { #spec.streams_response() } else { #spec });
            (output, spec, Reading::from_reply(scope, output))
        }
    };
    let Reading {
        parameter: reply_parameter,
        body: decode,
        read_impl,
    } = reading;

    let is_xml = scope.service.protocol == Protocol::RestXml;
    let request_document = document_fields(target.request_fields);
    let write_impl = (is_xml && !request_document.is_empty())
        .then(|| xml::write_impl(scope, request, &request_document));

    quote! {
        impl #trait_ for #request {
            type Output = #output;

            fn spec() -> &'static #spec_type {
                static SPEC: #spec_type = #spec;
                &SPEC
            }

            fn encode(&self, #encoder_parameter: &mut #encoder) {
                #encode
            }

            fn decode(#reply_parameter: #reply) -> #result<#output, #error> {
                #decode
            }
        }

        #write_impl
        #read_impl
    }
}

/// `impl FromReply` of a struct that derived operations have as output, with `ReadXml` for its document.
pub fn emit_from_reply(
    scope: &Scope<'_>,
    operation: &Operation,
    output: &Struct<'_>,
) -> TokenStream {
    let ty = &output.ty;
    let trait_ = scope.runtime("FromReply");
    let reply = scope.runtime("Reply");
    let error = scope.runtime("Error");
    let result = scope.standard("Result");
    let streams = output
        .fields
        .iter()
        .any(|field| field.member.place == Place::Stream);
    let Reading {
        parameter,
        body,
        read_impl,
    } = Reading::of(scope, operation, output);
    quote! {
        impl #trait_ for #ty {
            const STREAMS: bool = #streams;

            fn from_reply(#parameter: #reply) -> #result<Self, #error> {
                #body
            }
        }

        #read_impl
    }
}

/// How an answer is read.
struct Reading {
    /// The parameter that is the reply.
    parameter: TokenStream,
    body: TokenStream,
    /// `impl ReadXml` where the members themselves are the document.
    read_impl: Option<TokenStream>,
}

impl Reading {
    fn of(scope: &Scope<'_>, operation: &Operation, output: &Struct<'_>) -> Self {
        let body = decode(scope, operation, output);
        let streams = output
            .fields
            .iter()
            .any(|field| field.member.place == Place::Stream);
        let parameter = match body.to_string().contains("reply") {
            true if streams => quote!(mut reply),
            true => quote!(reply),
            false => quote!(_reply),
        };
        let document = document_fields(output.fields);
        // A derived struct is also a shape, with or without members in the document.
        let is_shape = !document.is_empty() || matches!(scope.home(), Home::Macro { .. });
        let read_impl = (scope.service.protocol == Protocol::RestXml && is_shape)
            .then(|| xml::read_impl(scope, &output.ty, &document));
        Self {
            parameter,
            body,
            read_impl,
        }
    }

    fn from_reply(scope: &Scope<'_>, output: &TokenStream) -> Self {
        let from_reply = scope.runtime("FromReply");
        Self {
            parameter: quote!(reply),
            body: quote!(<#output as #from_reply>::from_reply(reply)),
            read_impl: None,
        }
    }
}

/// The fields that make up a document without a shape of its own.
fn document_fields<'a>(fields: &[Field<'a>]) -> Vec<Field<'a>> {
    fields
        .iter()
        .filter(|field| field.is_field())
        .cloned()
        .collect()
}

fn spec(scope: &Scope<'_>, operation: &Operation) -> TokenStream {
    let spec = scope.runtime("Spec");
    let service = scope.service_static();
    let name = &operation.name;
    let method_type = scope.runtime("Method");
    let method = Ident::new(operation.method.as_str(), Span::call_site());
    let mut out = quote!(#spec::new(&#service, #name, #method_type::#method));
    if !operation.query.is_empty() {
        let some = scope.standard("Some");
        let none = scope.standard("None");
        let rows = operation.query.iter().map(|(key, value)| match value {
            Some(value) => quote!((#key, #some(#value))),
            None => quote!((#key, #none)),
        });
        out.extend(quote!(.query(&[#(#rows),*])));
    }
    if !operation.headers.is_empty() {
        let rows = operation
            .headers
            .iter()
            .map(|(name, value)| quote!((#name, #value)));
        out.extend(quote!(.headers(&[#(#rows),*])));
    }
    let extra: Vec<&String> = operation
        .subresources
        .iter()
        .filter(|key| !scope.service.subresources.contains(key))
        .collect();
    if !extra.is_empty() {
        out.extend(quote!(.subresources(&[#(#extra),*])));
    }
    if !operation.success.is_empty() {
        let statuses = operation
            .success
            .iter()
            .map(|status| proc_macro2::Literal::u16_unsuffixed(*status));
        out.extend(quote!(.success(&[#(#statuses),*])));
    }
    if operation.content_md5 {
        out.extend(quote!(.content_md5()));
    }
    if !operation.idempotent {
        out.extend(quote!(.not_idempotent()));
    }
    if operation.result_body == BodyKind::Stream {
        out.extend(quote!(.streams_response()));
    }
    for behaviour in &operation.traits {
        out.extend(match behaviour {
            Trait::ContentTypeFromKey => quote!(.content_type_from_key()),
            Trait::UploadCrc64 => quote!(.upload_crc64()),
            Trait::AppendCrc64 => quote!(.append_crc64()),
            Trait::DownloadCrc64 => quote!(.download_crc64()),
            Trait::ResumableDownload => quote!(.resumable_download()),
            Trait::Callback => quote!(.callback()),
            Trait::ErrorInSuccess => quote!(.error_in_success()),
            Trait::Slow => quote!(.slow()),
            Trait::Unsigned => quote!(.unsigned()),
            // Done while encoding, see `body`.
            Trait::SortParts => TokenStream::new(),
        });
    }
    out
}

fn encode(scope: &Scope<'_>, operation: &Operation, fields: &[Field<'_>]) -> TokenStream {
    let mut out = TokenStream::new();
    let by_name = |name: &str| fields.iter().find(|field| field.member.name == name);
    for field in fields {
        let ident = &field.ident;
        match field.member.place {
            Place::Bucket => out.extend(quote!(out.bucket(&self.#ident);)),
            Place::Key => out.extend(quote!(out.key(&self.#ident);)),
            _ => {}
        }
    }
    if let Resource::Path(segments) = &operation.resource {
        for segment in segments {
            out.extend(match segment {
                Segment::Literal(text) => quote!(out.path_literal(#text);),
                Segment::Member(name) => match by_name(name) {
                    Some(field) if field.member.place == Place::Path => {
                        let ident = &field.ident;
                        let value = match field.member.ty {
                            Type::String => quote!(&self.#ident),
                            Type::Enum(_) => quote!(self.#ident.as_str()),
                            _ => quote!(&self.#ident.to_string()),
                        };
                        quote!(out.path_segment(#name, #value);)
                    }
                    _ => TokenStream::new(),
                },
            });
        }
    }
    out.extend(copy_source(scope, fields));
    let (document, rest): (Vec<_>, Vec<_>) = fields.iter().cloned().partition(Field::is_field);
    out.extend(checks::emit(scope, &rest, Checker::Encoder));
    // The document's own impl checks its fields in XML; in other protocols they are checked here.
    if scope.service.protocol != Protocol::RestXml {
        out.extend(checks::emit(scope, &document, Checker::Encoder));
    }
    for field in fields {
        out.extend(parameter(scope, field));
    }
    if operation.has(Trait::AppendCrc64)
        && let Some(field) = by_name("init_hash_crc64")
    {
        out.extend(initial_crc64(scope, field));
    }
    out.extend(body(scope, operation, fields, &document));
    out
}

/// The checksum that a payload continues.
fn initial_crc64(scope: &Scope<'_>, field: &Field<'_>) -> TokenStream {
    let (some, ok, err) = (
        scope.standard("Some"),
        scope.standard("Ok"),
        scope.standard("Err"),
    );
    let ident = &field.ident;
    let name = &field.member.name;
    let parsed = match field.member.ty {
        Type::String => quote!(value.parse::<u64>()),
        _ => quote!(u64::try_from(*value)),
    };
    let set = quote! {
        match #parsed {
            #ok(crc) => out.initial_crc64(#some(crc)),
            #err(_) => out.invalid(#name, "must be a decimal number of 64 bits"),
        }
    };
    if field.optional {
        quote!(if let #some(value) = &self.#ident { #set })
    } else {
        quote!({ let value = &self.#ident; #set })
    }
}

/// A query parameter or a header.
fn parameter(scope: &Scope<'_>, field: &Field<'_>) -> TokenStream {
    let ident = &field.ident;
    let name = &field.member.name;
    let wire = field.member.wire.first();
    let (required, optional) = match field.member.place {
        Place::Query => ("query_value", "query"),
        Place::Header => ("header_value", "header"),
        Place::HeaderMap => return quote!(out.header_map(#name, #wire, &self.#ident);),
        // Parameters of RPC services travel in a form.
        Place::Field if scope.service.protocol == Protocol::RpcJson => ("query_value", "query"),
        _ => return TokenStream::new(),
    };
    let required = format_ident!("{required}");
    let optional = format_ident!("{optional}");
    if field.optional {
        let value = text_option(scope, field);
        quote!(out.#optional(#name, #wire, #value);)
    } else {
        let value = text_value(field);
        quote!(out.#required(#name, #wire, #value);)
    }
}

/// A value that is always there, as something with a text form.
fn text_value(field: &Field<'_>) -> TokenStream {
    let ident = &field.ident;
    match xml::timestamp_method(&field.member.ty) {
        Some(method) => quote!(&self.#ident.#method()),
        None => quote!(&self.#ident),
    }
}

/// An optional value as something with a text form.
fn text_option(scope: &Scope<'_>, field: &Field<'_>) -> TokenStream {
    let ident = &field.ident;
    match xml::timestamp_method(&field.member.ty) {
        Some(method) => {
            let timestamp = scope.runtime("Timestamp");
            quote!(self.#ident.map(#timestamp::#method).as_ref())
        }
        None => quote!(self.#ident.as_ref()),
    }
}

fn copy_source(scope: &Scope<'_>, fields: &[Field<'_>]) -> Option<TokenStream> {
    let find = |place: Place| fields.iter().find(|field| field.member.place == place);
    let key = &find(Place::CopySourceKey)?.ident;
    let none = scope.standard("None");
    let option = |field: Option<&Field<'_>>| match field {
        Some(field) => {
            let ident = &field.ident;
            if field.optional {
                quote!(self.#ident.as_deref())
            } else {
                let some = scope.standard("Some");
                quote!(#some(self.#ident.as_str()))
            }
        }
        None => none.clone(),
    };
    let bucket = option(find(Place::CopySourceBucket));
    let version = option(find(Place::CopySourceVersionId));
    Some(quote!(out.copy_source(#bucket, &self.#key, #version);))
}

fn body(
    scope: &Scope<'_>,
    operation: &Operation,
    fields: &[Field<'_>],
    document: &[Field<'_>],
) -> TokenStream {
    let some = scope.standard("Some");
    if let Some(field) = fields
        .iter()
        .find(|field| matches!(field.member.place, Place::Stream))
    {
        let ident = &field.ident;
        return quote!(out.stream(&self.#ident););
    }
    if let Some(field) = fields
        .iter()
        .find(|field| matches!(field.member.place, Place::Text))
    {
        let ident = &field.ident;
        let name = &field.member.name;
        return if field.optional {
            quote!(if let #some(text) = &self.#ident { out.text(#name, text); })
        } else {
            quote!(out.text(#name, &self.#ident);)
        };
    }
    let is_xml = scope.service.protocol == Protocol::RestXml;
    if let Some(field) = fields
        .iter()
        .find(|field| field.member.place == Place::Body)
    {
        return if is_xml {
            xml_body(scope, operation, field)
        } else {
            json::body(scope, operation, field)
        };
    }
    if document.is_empty() {
        return TokenStream::new();
    }
    let write = match scope.service.protocol {
        Protocol::RestXml => {
            let root = operation.request_root.as_deref().unwrap_or(&operation.name);
            let write_xml = scope.runtime("WriteXml");
            match sorted_field(scope, operation, document) {
                Some((list, number)) => quote! {
                    let mut sorted = self.clone();
                    sorted.#list.sort_by_key(|part| part.#number);
                    out.xml_fields(#root, |writer| #write_xml::write_xml(&sorted, writer));
                },
                None => {
                    quote!(out.xml_fields(#root, |writer| #write_xml::write_xml(self, writer));)
                }
            }
        }
        Protocol::RestJson => json::body_fields(scope, operation, document),
        Protocol::RpcJson => return TokenStream::new(),
    };
    // Without any member there is no document either.
    let conditions: Option<Vec<TokenStream>> = document.iter().map(Field::is_present).collect();
    match conditions {
        Some(conditions) if is_xml => quote!(if #(#conditions)||* { #write }),
        _ => write,
    }
}

fn xml_body(scope: &Scope<'_>, operation: &Operation, field: &Field<'_>) -> TokenStream {
    let ident = &field.ident;
    let name = &field.member.name;
    let root = document_root(scope, operation.request_root.as_deref(), field.member);
    if operation.has(Trait::SortParts)
        && let Some((list, number)) = sorted_list(scope, &field.member.ty)
    {
        return if field.optional {
            let some = scope.standard("Some");
            quote! {
                if let #some(document) = &self.#ident {
                    let mut sorted = document.clone();
                    sorted.#list.sort_by_key(|part| part.#number);
                    out.xml(#name, #root, &sorted);
                }
            }
        } else {
            quote! {
                let mut sorted = self.#ident.clone();
                sorted.#list.sort_by_key(|part| part.#number);
                out.xml(#name, #root, &sorted);
            }
        };
    }
    if field.optional {
        quote!(out.xml_optional(#name, #root, self.#ident.as_ref());)
    } else {
        quote!(out.xml(#name, #root, &self.#ident);)
    }
}

/// The list that an operation sorts before it is sent, and the number by which it does.
fn sorted_field(
    scope: &Scope<'_>,
    operation: &Operation,
    document: &[Field<'_>],
) -> Option<(Ident, Ident)> {
    if !operation.has(Trait::SortParts) {
        return None;
    }
    document
        .iter()
        .find_map(|field| Some((field.ident.clone(), part_number(scope, field.member)?)))
}

/// The list of a shape whose items have a part number, and that number.
fn sorted_list(scope: &Scope<'_>, ty: &Type) -> Option<(Ident, Ident)> {
    let shape = scope.service.shape(ty.shape()?);
    shape
        .members
        .iter()
        .find_map(|list| Some((names::field_ident(&list.name), part_number(scope, list)?)))
}

/// The part number of the items of a list, if they have one.
fn part_number(scope: &Scope<'_>, list: &Member) -> Option<Ident> {
    let Type::List(item) = &list.ty else {
        return None;
    };
    let item = scope.service.shape(item.shape()?);
    let number = item
        .members
        .iter()
        .find(|member| member.name == "part_number")?;
    Some(names::field_ident(&number.name))
}

/// Root element of a document: what the operation says, the member's own name, or that of the shape.
fn document_root(scope: &Scope<'_>, of_operation: Option<&str>, member: &Member) -> TokenStream {
    if let Some(root) = of_operation.or(member.wire.first().map(String::as_str)) {
        return quote!(#root);
    }
    match (member.ty.shape(), scope.home()) {
        (Some(id), Home::Macro { .. }) => {
            let xml_root = scope.runtime("XmlRoot");
            let ty = scope.shape(id);
            quote!(<#ty as #xml_root>::ROOT)
        }
        (Some(id), _) => {
            let root = &scope.service.shape(id).wire;
            quote!(#root)
        }
        (None, _) => {
            let root = &member.name;
            quote!(#root)
        }
    }
}

fn decode(scope: &Scope<'_>, operation: &Operation, target: &Struct<'_>) -> TokenStream {
    let output = &target.ty;
    let fields = target.fields;
    let ok = scope.standard("Ok");
    let default = scope.standard("Default");
    let document: Vec<&Field<'_>> = fields.iter().filter(|field| field.is_field()).collect();
    let meta = target
        .meta
        .as_ref()
        .map(|meta| quote!(result.#meta = reply.into_meta();));
    if fields.is_empty() {
        return match &target.meta {
            Some(meta) => quote!(#ok(#output { #meta: reply.into_meta() })),
            None => quote!(#ok(#output::default())),
        };
    }

    let body = read_document(scope, operation, fields);
    let values = fields
        .iter()
        .filter(|field| !field.is_field())
        .map(|field| {
            let ident = &field.ident;
            let value = read_place(scope, operation, field);
            // A variable of the field's name is there already.
            if *ident == value.to_string() {
                quote!(#ident,)
            } else {
                quote!(#ident: #value,)
            }
        });
    let values: Vec<TokenStream> = values.collect();
    let is_xml = scope.service.protocol == Protocol::RestXml;
    let decode_url = url_decode::is_needed(scope, fields)
        .then(|| decode_url(fields))
        .flatten();
    if document.is_empty() && decode_url.is_none() {
        let meta = target
            .meta
            .as_ref()
            .map(|meta| quote!(#meta: reply.into_meta(),));
        return quote! {
            #body
            #ok(#output { #(#values)* #meta })
        };
    }
    let read = match (document.is_empty(), is_xml) {
        (true, _) => TokenStream::new(),
        (false, true) => {
            let root = match &operation.result_root {
                Some(root) => {
                    let some = scope.standard("Some");
                    quote!(#some(#root))
                }
                None => scope.standard("None"),
            };
            quote!(reply.read_xml(#root, &mut result)?;)
        }
        (false, false) => json::read_fields(scope, operation, &document),
    };
    let create = if values.is_empty() {
        quote!(#output::default())
    } else {
        quote!(#output { #(#values)* ..#default::default() })
    };
    quote! {
        #body
        let mut result = #create;
        #read
        #decode_url
        #meta
        #ok(result)
    }
}

/// Reads the member that is the whole XML document into a variable of its name.
fn read_document(
    scope: &Scope<'_>,
    operation: &Operation,
    fields: &[Field<'_>],
) -> Option<TokenStream> {
    if scope.service.protocol != Protocol::RestXml {
        return None;
    }
    let field = fields
        .iter()
        .find(|field| field.member.place == Place::Body)?;
    let ident = &field.ident;
    let root = document_root(scope, operation.result_root.as_deref(), field.member);
    let some = scope.standard("Some");
    let empty = match (scope.home(), &field.member.ty) {
        (Home::Sdk | Home::Outside { .. }, Type::Shape(id)) => {
            let ty = scope.shape(*id);
            quote!(#ty::default())
        }
        _ => {
            let default = scope.standard("Default");
            quote!(#default::default())
        }
    };
    Some(if field.optional {
        quote! {
            let mut #ident = #empty;
            let is_present = reply.read_xml_optional(#some(#root), &mut #ident)?;
        }
    } else {
        quote! {
            let mut #ident = #empty;
            reply.read_xml(#some(#root), &mut #ident)?;
        }
    })
}

/// Decodes the result when its encoding type says so.
fn decode_url(fields: &[Field<'_>]) -> Option<TokenStream> {
    let encoding = fields
        .iter()
        .find(|field| field.member.name == "encoding_type")?;
    let ident = &encoding.ident;
    let value = if encoding.optional {
        quote!(result.#ident.as_ref())
    } else {
        quote!(::std::option::Option::Some(&result.#ident))
    };
    Some(quote! {
        if #value.is_some_and(|encoding| encoding.as_str().eq_ignore_ascii_case("url")) {
            reply.url_decode(&mut result)?;
        }
    })
}

/// The expression that reads a member that is not part of the document.
fn read_place(scope: &Scope<'_>, operation: &Operation, field: &Field<'_>) -> TokenStream {
    let wire = field.member.wire.first();
    match field.member.place {
        Place::Header => {
            let unix = matches!(
                field.member.ty,
                Type::Timestamp(TimestampFormat::UnixSeconds)
            );
            let read = if unix {
                let timestamp = scope.runtime("Timestamp");
                quote!(reply.header::<i64>(#wire)?.and_then(#timestamp::from_unix))
            } else {
                quote!(reply.header(#wire)?)
            };
            if field.optional {
                read
            } else if field.member.default.is_some() {
                let or_default = field.or_default(scope);
                quote!(#read.#or_default)
            } else {
                quote!(reply.header_required(#wire)?)
            }
        }
        Place::HeaderMap => quote!(reply.header_map(#wire)),
        Place::Body => {
            let is_xml = scope.service.protocol == Protocol::RestXml;
            if !is_xml {
                return json::read_body(scope, operation, field);
            }
            let ident = &field.ident;
            if field.optional {
                quote!(is_present.then_some(#ident))
            } else {
                quote!(#ident)
            }
        }
        Place::Text => {
            let some = scope.standard("Some");
            if field.optional {
                quote!(#some(reply.text()?))
            } else {
                quote!(reply.text()?)
            }
        }
        Place::RootText => {
            let some = scope.standard("Some");
            let root = match &operation.result_root {
                Some(root) => quote!(#some(#root)),
                None => scope.standard("None"),
            };
            if field.optional {
                quote!(#some(reply.root_text(#root)?))
            } else {
                quote!(reply.root_text(#root)?)
            }
        }
        Place::Stream => quote!(reply.stream()),
        Place::Callback => quote!(reply.callback_text()),
        _ => {
            let default = scope.standard("Default");
            quote!(#default::default())
        }
    }
}
