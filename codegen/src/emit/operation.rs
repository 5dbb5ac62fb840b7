//! `impl Operation`: the static facts, what `encode` writes and what `decode` reads.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use super::field::Field;
use super::scope::{Home, Scope};
use super::xml;
use crate::api::{BodyKind, Member, Operation, Place, Protocol, Trait};

mod decode;
mod encode;

use decode::decode;
use encode::encode;

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
    let encoder_parameter = if encode.is_empty() { quote!(_out) } else { quote!(out) };
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
    let write_impl =
        (is_xml && !request_document.is_empty()).then(|| xml::write_impl(scope, request, &request_document, None));

    quote! {
        impl #trait_ for #request {
            type Output = #output;

            #[inline]
            fn spec() -> &'static #spec_type {
                static SPEC: #spec_type = #spec;
                &SPEC
            }

            #[inline]
            fn encode(&self, #encoder_parameter: &mut #encoder) {
                #encode
            }

            #[inline]
            fn decode(#reply_parameter: #reply) -> #result<#output, #error> {
                #decode
            }
        }

        #write_impl
        #read_impl
    }
}

/// `impl FromReply` of a struct that derived operations have as output, with `ReadXml` for its document.
pub fn emit_from_reply(scope: &Scope<'_>, operation: &Operation, output: &Struct<'_>) -> TokenStream {
    let ty = &output.ty;
    let trait_ = scope.runtime("FromReply");
    let reply = scope.runtime("Reply");
    let error = scope.runtime("Error");
    let result = scope.standard("Result");
    let streams = output.fields.iter().any(|field| field.member.place == Place::Stream);
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
        let streams = output.fields.iter().any(|field| field.member.place == Place::Stream);
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
    fields.iter().filter(|field| field.is_field()).cloned().collect()
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
        let rows = operation.headers.iter().map(|(name, value)| quote!((#name, #value)));
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
    // Every 2xx is one anyway.
    let unusual: Vec<u16> = operation
        .success
        .iter()
        .copied()
        .filter(|status| !(200..300).contains(status))
        .collect();
    if !unusual.is_empty() {
        let statuses = unusual.into_iter().map(proc_macro2::Literal::u16_unsuffixed);
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
            Trait::SelectFrames => quote!(.select_frames()),
            Trait::MetaFrames => quote!(.meta_frames()),
            Trait::ResultByContentType => TokenStream::new(),
            // Done while encoding, see `body`.
            Trait::SortParts => TokenStream::new(),
        });
    }
    out
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
