//! JSON documents: `ToJson` and `FromJson` of structs and enums.
//!
//! One pair of traits serves two uses: the documents of JSON services, by wire names, and calls by name, by the model's
//! names. What only the second needs is emitted into a module that its feature switches on.

use std::collections::BTreeSet;

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::field::Field;
use super::form;
use super::scope::Scope;
use crate::api::{EnumId, Operation, Place, Protocol, Service, TimestampFormat, Type};

/// Whether the service's own documents are JSON.
pub fn is_wire(scope: &Scope<'_>) -> bool {
    scope.service.protocol != Protocol::RestXml
}

/// Enums that stand in JSON documents of a service whose own documents are XML: below members in a query.
pub fn enums_in_queries(service: &Service) -> BTreeSet<EnumId> {
    let of_queries = service
        .operations()
        .flat_map(|(_, operation)| &operation.request)
        .filter(|member| member.place == Place::QueryJson);
    let of_shapes = service
        .shapes
        .iter()
        .filter(|shape| shape.query_json)
        .flat_map(|shape| &shape.members);
    of_queries
        .chain(of_shapes)
        .filter_map(|member| match item(&member.ty) {
            Type::Enum(id) => Some(*id),
            _ => None,
        })
        .collect()
}

/// Both traits of an enum, by its text.
pub fn enumeration(scope: &Scope<'_>, name: &Ident) -> TokenStream {
    let to_json = scope.runtime("ToJson");
    let from_json = scope.runtime("FromJson");
    let names = scope.runtime("Names");
    let value = scope.runtime("Value");
    let error = scope.runtime("JsonError");
    quote! {
        impl #to_json for #name {
            #[inline]
            fn to_json(&self, _names: #names) -> #value {
                #value::from(self.as_str())
            }
        }

        impl #from_json for #name {
            #[inline]
            fn from_json(value: #value, names: #names) -> Result<Self, #error> {
                String::from_json(value, names).map(Self::from)
            }
        }
    }
}

/// `impl ToJson` over all fields but streams; `has_wire` says if it is also written with the names of the service.
pub fn to_json(scope: &Scope<'_>, name: &TokenStream, fields: &[Field<'_>], has_wire: bool) -> TokenStream {
    let to_json = scope.runtime("ToJson");
    let names = scope.runtime("Names");
    let value = scope.runtime("Value");
    let object = scope.runtime("JsonObject");
    let rows: Vec<_> = fields
        .iter()
        .filter(|field| field.member.ty != Type::Stream)
        .map(|field| set(scope, &quote!(out), field, true, has_wire))
        .collect();
    let body = if rows.is_empty() {
        quote!(#object::new(names).into())
    } else {
        quote! {
            let mut out = #object::new(names);
            #(#rows)*
            out.into()
        }
    };
    quote! {
        impl #to_json for #name {
            #[inline]
            fn to_json(&self, names: #names) -> #value {
                #body
            }
        }
    }
}

/// `impl FromJson` over all fields.
pub fn from_json(scope: &Scope<'_>, name: &TokenStream, fields: &[Field<'_>]) -> TokenStream {
    let from_json = scope.runtime("FromJson");
    let names = scope.runtime("Names");
    let value = scope.runtime("Value");
    let error = scope.runtime("JsonError");
    let reader = scope.runtime("JsonReader");
    let rows: Vec<_> = fields
        .iter()
        .map(|field| {
            let ident = &field.ident;
            let value = take(scope, field);
            quote!(#ident: #value,)
        })
        .collect();
    let body = if rows.is_empty() {
        quote! {
            #reader::new(value, names)?.finish()?;
            Ok(Self {})
        }
    } else {
        quote! {
            let mut object = #reader::new(value, names)?;
            let value = Self { #(#rows)* };
            object.finish()?;
            Ok(value)
        }
    };
    quote! {
        impl #from_json for #name {
            #[inline]
            fn from_json(value: #value, names: #names) -> Result<Self, #error> {
                #body
            }
        }
    }
}

/// The statement that adds a field to an object, under the model's name, the service's, or either of them.
fn set(scope: &Scope<'_>, object: &TokenStream, field: &Field<'_>, has_names: bool, has_wire: bool) -> TokenStream {
    let ident = &field.ident;
    let name = &field.member.name;
    if field.member.place == Place::Text {
        let some = scope.standard("Some");
        let value = if field.optional {
            quote!(self.#ident.as_deref())
        } else {
            quote!(#some(self.#ident.as_str()))
        };
        return quote!(#object.set_text(#name, #value););
    }
    if field.member.rest {
        return quote!(#object.set_rest(#name, &self.#ident););
    }
    let wire = wire(field);
    let plain = quote!(#object.set(#name, #wire, &self.#ident););
    let on_wire = match has_wire.then(|| to_wire(scope, field)).flatten() {
        Some(value) => quote!(#object.set(#name, #wire, &#value);),
        None => return plain,
    };
    if !has_names {
        return on_wire;
    }
    let names = scope.runtime("Names");
    quote! {
        match names {
            #names::Wire => { #on_wire }
            #names::Model => { #plain }
        }
    }
}

/// The field's value as it stands in the service's documents, when that is another than the type's own form.
fn to_wire(scope: &Scope<'_>, field: &Field<'_>) -> Option<TokenStream> {
    let ident = &field.ident;
    if *item(&field.member.ty) != Type::Timestamp(TimestampFormat::UnixSeconds) {
        return form::to_wire(scope, field);
    }
    let timestamp = scope.runtime("Timestamp");
    Some(match &field.member.ty {
        Type::List(_) => {
            let vec = scope.standard("Vec");
            quote!(self.#ident.iter().map(|time| time.unix_seconds()).collect::<#vec<i64>>())
        }
        _ if field.optional => quote!(self.#ident.map(#timestamp::unix_seconds)),
        _ => quote!(self.#ident.unix_seconds()),
    })
}

/// The expression that takes a field from the reader `object`.
fn take(scope: &Scope<'_>, field: &Field<'_>) -> TokenStream {
    let name = &field.member.name;
    if field.member.place == Place::Text {
        return match (field.optional, field.member.default.is_some()) {
            (true, _) => quote!(object.take_text(#name)?),
            (false, true) => {
                let or_default = field.or_default(scope);
                quote!(object.take_text(#name)?.#or_default)
            }
            (false, false) => quote!(object.required_text(#name)?),
        };
    }
    if field.member.rest {
        return quote!(object.take_rest(#name)?);
    }
    let wire = wire(field);
    let is_collection = matches!(field.member.ty, Type::List(_) | Type::Map(_) | Type::Stream);
    let is_required = !is_collection && !field.optional && field.member.default.is_none();
    // XML services have JSON with the model's names only, where texts have no form of their own.
    let read = is_wire(scope).then(|| form::reader(scope, field.member)).flatten();
    let value = match (is_required, read) {
        (false, None) => quote!(object.take(#name, #wire)?),
        (false, Some(read)) => quote!(object.take_texts(#name, #wire, #read)?),
        (true, None) => return quote!(object.required(#name, #wire)?),
        (true, Some(read)) => return quote!(object.required_texts(#name, #wire, #read)?),
    };
    if is_collection {
        quote!(#value.unwrap_or_default())
    } else if field.optional {
        value
    } else {
        let or_default = field.or_default(scope);
        quote!(#value.#or_default)
    }
}

/// The key of a member; members that are not in a document have only the model's name.
fn wire<'a>(field: &'a Field<'_>) -> &'a str {
    // Of a name with a wrapper the wrapper: JSON has no need of another name for the items.
    match field.member.wire.first() {
        Some(wire) if field.member.place == Place::Field => wire,
        _ => &field.member.name,
    }
}

fn item(ty: &Type) -> &Type {
    match ty {
        Type::List(item) | Type::Map(item) => item,
        ty => ty,
    }
}

/// Writes the payload of a request that is one member.
pub fn body(scope: &Scope<'_>, operation: &Operation, field: &Field<'_>) -> TokenStream {
    let ident = &field.ident;
    let root = root(scope, operation.request_root.as_deref());
    let to_json = scope.runtime("ToJson");
    let names = scope.runtime("Names");
    if field.optional {
        let some = scope.standard("Some");
        quote! {
            if let #some(document) = &self.#ident {
                out.json(#root, #to_json::to_json(document, #names::Wire));
            }
        }
    } else {
        quote!(out.json(#root, #to_json::to_json(&self.#ident, #names::Wire));)
    }
}

/// Writes the payload of a request that is made of its members.
pub fn body_fields(scope: &Scope<'_>, operation: &Operation, fields: &[Field<'_>]) -> TokenStream {
    let object = scope.runtime("JsonObject");
    let names = scope.runtime("Names");
    let root = root(scope, operation.request_root.as_deref());
    let rows = fields
        .iter()
        .map(|field| set(scope, &quote!(document), field, false, true));
    quote! {
        let mut document = #object::new(#names::Wire);
        #(#rows)*
        out.json(#root, document);
    }
}

/// Reads the members of a result from the document into the variable `result`.
pub fn read_fields(scope: &Scope<'_>, operation: &Operation, fields: &[&Field<'_>]) -> TokenStream {
    let reader = scope.runtime("JsonReader");
    let names = scope.runtime("Names");
    let root = root(scope, operation.result_root.as_deref());
    let rows = fields.iter().map(|field| {
        let ident = &field.ident;
        let value = take(scope, field);
        quote!(result.#ident = #value;)
    });
    quote! {
        let mut object = #reader::new(reply.json(#root)?, #names::Wire)?;
        #(#rows)*
        object.finish()?;
    }
}

/// Reads the member of a result that is the whole document.
pub fn read_body(scope: &Scope<'_>, operation: &Operation, field: &Field<'_>) -> TokenStream {
    let from_json = scope.runtime("FromJson");
    let names = scope.runtime("Names");
    let root = root(scope, operation.result_root.as_deref());
    let value = quote!(#from_json::from_json(reply.json(#root)?, #names::Wire)?);
    if field.optional {
        let some = scope.standard("Some");
        quote!(#some(#value))
    } else {
        value
    }
}

fn root(scope: &Scope<'_>, root: Option<&str>) -> TokenStream {
    match root {
        Some(root) => {
            let some = scope.standard("Some");
            quote!(#some(#root))
        }
        None => scope.standard("None"),
    }
}
