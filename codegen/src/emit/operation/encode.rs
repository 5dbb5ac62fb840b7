//! What `encode` writes: the address, parameters, headers and the payload.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::super::checks::{self, Checker};
use super::super::field::{self, Field, Role};
use super::super::scope::{Home, Scope};
use super::super::{form, json, xml};
use super::document_root;
use crate::api::{Member, Operation, Place, Protocol, QueryWhen, Resource, Segment, Trait, Type};
use crate::names;

/// The statements of `encode`.
pub(super) fn encode(scope: &Scope<'_>, operation: &Operation, fields: &[Field<'_>]) -> TokenStream {
    let mut out = TokenStream::new();
    let by_name = |name: &str| fields.iter().find(|field| field.member.name == name);
    for field in fields {
        let ident = &field.ident;
        match field.member.place {
            Place::Bucket if field.optional => out.extend(quote! {
                if let Some(bucket) = &self.#ident {
                    out.bucket(bucket);
                }
            }),
            Place::Bucket => out.extend(quote!(out.bucket(&self.#ident);)),
            Place::Key => out.extend(quote!(out.key(&self.#ident);)),
            _ => {}
        }
    }
    for field in fields.iter().filter(|field| field.member.bucket_arn) {
        out.extend(bucket_arn(scope, field));
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
                            Type::Enum(_) if matches!(scope.home(), Home::Macro { .. }) => {
                                let to_text = scope.runtime("ToText");
                                quote!(&#to_text::to_text(&self.#ident))
                            }
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
    out.extend(checks::any_of(&operation.any_of, fields));
    for case in &operation.query_when {
        out.extend(query_when(scope, case, fields));
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

/// The bucket, from its ARN or that of something in it.
fn bucket_arn(scope: &Scope<'_>, field: &Field<'_>) -> TokenStream {
    let ident = &field.ident;
    if field.optional {
        quote!(out.bucket_arn(self.#ident.as_deref());)
    } else {
        let some = scope.standard("Some");
        quote!(out.bucket_arn(#some(&self.#ident));)
    }
}

/// A fixed query value that holds when a member is given.
fn query_when(scope: &Scope<'_>, case: &QueryWhen, fields: &[Field<'_>]) -> Option<TokenStream> {
    let condition = is_given(scope, fields, &quote!(self), &case.member)?;
    let (key, value) = (&case.key, &case.value);
    let name = case.member.join(".");
    Some(quote! {
        if #condition {
            out.query_value(#name, #key, #value);
        }
    })
}

/// Whether the member at the end of a path is given.
fn is_given(scope: &Scope<'_>, fields: &[Field<'_>], base: &TokenStream, path: &[String]) -> Option<TokenStream> {
    let (name, rest) = path.split_first()?;
    let field = fields.iter().find(|field| field.member.name == *name)?;
    if rest.is_empty() {
        return Some(field.is_present_in(base).unwrap_or(quote!(true)));
    }
    let ident = &field.ident;
    let Type::Shape(id) = field.member.ty else {
        return None;
    };
    let shape = scope.service.shape(id);
    let inner = field::fields(scope.service, &shape.members, Role::Shape(shape));
    if field.optional {
        let condition = is_given(scope, &inner, &quote!(value), rest)?;
        Some(quote!(#base.#ident.as_ref().is_some_and(|value| #condition)))
    } else {
        is_given(scope, &inner, &quote!(#base.#ident), rest)
    }
}

/// The checksum that a payload continues.
fn initial_crc64(scope: &Scope<'_>, field: &Field<'_>) -> TokenStream {
    let (some, ok, err) = (scope.standard("Some"), scope.standard("Ok"), scope.standard("Err"));
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
        Place::QueryJson => return quote!(out.query_json(#name, #wire, &self.#ident);),
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
        let value = text_value(scope, field);
        quote!(out.#required(#name, #wire, #value);)
    }
}

/// A value that is always there, as something with a text form.
fn text_value(scope: &Scope<'_>, field: &Field<'_>) -> TokenStream {
    let ident = &field.ident;
    match (xml::timestamp_method(&field.member.ty), form::to_wire(scope, field)) {
        (Some(method), _) => quote!(&self.#ident.#method()),
        (None, Some(value)) => quote!(&#value),
        (None, None) => quote!(&self.#ident),
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
        None => match form::to_wire(scope, field) {
            Some(value) => quote!(#value.as_ref()),
            None => quote!(self.#ident.as_ref()),
        },
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

fn body(scope: &Scope<'_>, operation: &Operation, fields: &[Field<'_>], document: &[Field<'_>]) -> TokenStream {
    let some = scope.standard("Some");
    if let Some(field) = fields.iter().find(|field| matches!(field.member.place, Place::Stream)) {
        let ident = &field.ident;
        return quote!(out.stream(&self.#ident););
    }
    if let Some(field) = fields.iter().find(|field| matches!(field.member.place, Place::Text)) {
        let ident = &field.ident;
        let name = &field.member.name;
        let (text, bind) = match field.optional {
            true => (quote!(text), Some(quote!(if let #some(text) = &self.#ident))),
            false => (quote!(&self.#ident), None),
        };
        let write = match field.member.wire.first() {
            Some(wire) => quote!(out.named_text(#name, #wire, #text);),
            None => quote!(out.text(#name, #text);),
        };
        return match bind {
            Some(bind) => quote!(#bind { #write }),
            None => write,
        };
    }
    let is_xml = scope.service.protocol == Protocol::RestXml;
    if let Some(field) = fields.iter().find(|field| field.member.place == Place::Body) {
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
    let is_one_of = !matches!(scope.home(), Home::Macro { .. })
        && field.member.ty.shape().is_some_and(|id| scope.service.shape(id).one_of);
    if is_one_of {
        return if field.optional {
            let some = scope.standard("Some");
            quote!(if let #some(document) = &self.#ident { out.xml_element(#name, document); })
        } else {
            quote!(out.xml_element(#name, &self.#ident);)
        };
    }
    if field.optional {
        quote!(out.xml_optional(#name, #root, self.#ident.as_ref());)
    } else {
        quote!(out.xml(#name, #root, &self.#ident);)
    }
}

/// The list that an operation sorts before it is sent, and the number by which it does.
fn sorted_field(scope: &Scope<'_>, operation: &Operation, document: &[Field<'_>]) -> Option<(Ident, Ident)> {
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
    let number = item.members.iter().find(|member| member.name == "part_number")?;
    Some(names::field_ident(&number.name))
}
