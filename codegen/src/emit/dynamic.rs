//! Calls by name: what turns JSON into requests and results into JSON, in a module that a feature switches on.

use proc_macro2::TokenStream;
use quote::quote;

use super::field::{self, Field, Role};
use super::scope::{Home, Scope};
use super::{json, request, result};
use crate::api::{EnumId, Group, Service, Type};
use crate::names;

/// `mod dynamic` of a group, or nothing for a group without types.
pub fn emit(service: &Service, group_name: &str, group: Option<&Group>, home: &Home) -> TokenStream {
    let scope = Scope::of_module(service, group_name, home.clone());
    let is_wire = json::is_wire(&scope);
    let mut items = TokenStream::new();
    for operation in group.map(|group| group.operations.as_slice()).unwrap_or_default() {
        let request = scope.own(&request::name(operation));
        let output = scope.own(&result::name(operation));
        let output_fields = result::fields(&scope, operation);
        items.extend(json::from_json(&scope, &request, &request::fields(&scope, operation)));
        items.extend(json::to_json(&scope, &output, &output_fields, is_wire));
        if matches!(home, Home::Sdk) {
            items.extend(output_impl(&scope, &output, &output_fields));
        }
    }
    for shape in service.shapes.iter().filter(|shape| shape.group == group_name) {
        let role = Role::Shape(shape);
        let fields = field::fields(service, &shape.members, role);
        let name = || scope.own(&names::type_ident(&shape.name));
        if shape.input && !(is_wire && shape.output) {
            items.extend(json::from_json(&scope, &name(), &fields));
        }
        if shape.output && !(is_wire && shape.input) && !shape.query_json {
            items.extend(json::to_json(&scope, &name(), &fields, is_wire));
        }
    }
    if !is_wire {
        let in_queries = json::enums_in_queries(service);
        for (_, enumeration) in service
            .enums
            .iter()
            .enumerate()
            .filter(|(index, _)| !in_queries.contains(&EnumId(*index)))
            .filter(|(_, enumeration)| enumeration.group == group_name)
        {
            let name = names::type_ident(&enumeration.name);
            scope.own(&name);
            items.extend(json::enumeration(&scope, &name));
        }
    }
    if items.is_empty() {
        return items;
    }
    let uses = scope.uses();
    // Other crates have no such feature: the JSON of their fixtures is always there.
    let condition = matches!(home, Home::Sdk).then(|| quote!(#[cfg(feature = "dynamic")]));
    quote! {
        #condition
        mod dynamic {
            #(#uses)*
            #items
        }
    }
}

/// What a call by name needs of a result besides its JSON.
fn output_impl(scope: &Scope<'_>, output: &TokenStream, fields: &[Field<'_>]) -> TokenStream {
    let trait_ = scope.runtime("Output");
    let meta = scope.runtime("ResultMeta");
    let stream = fields
        .iter()
        .find(|field| field.member.ty == Type::Stream)
        .map(|field| {
            let ident = &field.ident;
            let body = scope.runtime("ResponseBody");
            quote! {
                fn stream(&mut self) -> Option<&mut #body> {
                    Some(&mut self.#ident)
                }
            }
        });
    quote! {
        impl #trait_ for #output {
            fn meta(&self) -> &#meta {
                &self.meta
            }
            #stream
        }
    }
}
