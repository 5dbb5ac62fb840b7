//! What `decode` reads: headers, the document, the payload.

use proc_macro2::TokenStream;
use quote::quote;

use super::super::field::Field;
use super::super::scope::{Home, Scope};
use super::super::{form, json, url_decode};
use super::{Struct, document_root};
use crate::api::{Operation, Place, Protocol, TimestampFormat, Trait, Type};

/// The statements of `decode`, the last of which is the result.
pub(super) fn decode(scope: &Scope<'_>, operation: &Operation, target: &Struct<'_>) -> TokenStream {
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

    let mut body = prepare(scope, operation, fields);
    body.extend(read_document(scope, operation, fields));
    let values = fields.iter().filter(|field| !field.is_field()).map(|field| {
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
        let meta = target.meta.as_ref().map(|meta| quote!(#meta: reply.into_meta(),));
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
            // An answer that may have nothing to say may be empty; an empty listing says so.
            if operation.paginate.is_some() || document.iter().any(|field| field.member.required) {
                quote!(reply.read_xml(#root, &mut result)?;)
            } else {
                quote!(reply.read_xml_optional(#root, &mut result)?;)
            }
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

/// Brings the payload into the form from which it is read.
fn prepare(scope: &Scope<'_>, operation: &Operation, fields: &[Field<'_>]) -> TokenStream {
    let mut out = TokenStream::new();
    if operation.has(Trait::ResultByContentType) && scope.service.protocol == Protocol::RestXml {
        let root = match (
            &operation.result_root,
            fields.iter().find(|field| field.member.place == Place::Body),
        ) {
            (None, Some(field)) => document_root(scope, None, field.member),
            (Some(root), _) => quote!(#root),
            (None, None) => {
                let root = format!("{}Result", operation.name);
                quote!(#root)
            }
        };
        out.extend(quote!(let reply = reply.json_as_xml(#root)?;));
    }
    if fields.iter().any(|field| field.member.place == Place::Frame) {
        out.extend(quote!(let frame = reply.frames()?;));
    }
    out
}

/// Reads the member that is the whole XML document into a variable of its name.
fn read_document(scope: &Scope<'_>, operation: &Operation, fields: &[Field<'_>]) -> Option<TokenStream> {
    if scope.service.protocol != Protocol::RestXml {
        return None;
    }
    let field = fields.iter().find(|field| field.member.place == Place::Body)?;
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
    let encoding = fields.iter().find(|field| field.member.name == "encoding_type")?;
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
            let unix = matches!(field.member.ty, Type::Timestamp(TimestampFormat::UnixSeconds));
            let form = form::reader(scope, field.member);
            let read = match &form {
                Some(read) => quote!(reply.header_with(#wire, #read)?),
                None if unix => {
                    let timestamp = scope.runtime("Timestamp");
                    quote!(reply.header::<i64>(#wire)?.and_then(#timestamp::from_unix))
                }
                None => quote!(reply.header(#wire)?),
            };
            if field.optional {
                read
            } else if field.member.default.is_some() {
                let or_default = field.or_default(scope);
                quote!(#read.#or_default)
            } else if form.is_some() {
                quote!(#read.unwrap_or_default())
            } else {
                quote!(reply.header_required(#wire)?)
            }
        }
        Place::Frame => {
            let ident = &field.ident;
            if field.optional {
                quote!(frame.#ident)
            } else {
                let or_default = field.or_default(scope);
                quote!(frame.#ident.#or_default)
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
