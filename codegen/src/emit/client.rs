//! Client methods: one for each operation, that makes a call of a request, and one for each waiter. Those of blocking
//! clients are the same, called in another way.

use proc_macro2::TokenStream;
use quote::quote;

use super::docs::Docs;
use super::request;
use super::samples;
use super::scope::Scope;
use super::waiter;
use super::{Options, docs};
use crate::api::{Group, Operation, Service};
use crate::names;

/// `impl Client` with the methods of a group.
pub fn emit(scope: &Scope<'_>, group: &Group, options: &Options) -> TokenStream {
    let client: TokenStream = options
        .client(&scope.service.name)
        .parse()
        .expect("the path of a client is valid Rust");
    let methods = group
        .operations
        .iter()
        .map(|operation| method(scope, operation, options));
    let waiters = scope
        .service
        .waiters
        .iter()
        .filter(|waiter| waiter.group == group.name)
        .filter_map(|waiter| waiter::emit(scope, waiter));
    quote! {
        impl #client {
            #(#methods)*
            #(#waiters)*
        }
    }
}

fn method(scope: &Scope<'_>, operation: &Operation, options: &Options) -> TokenStream {
    let ident = names::field_ident(&operation.method_name);
    let request = request::name(operation);
    let call = scope.runtime("Call");
    let example = samples::example(scope.service, operation, options);
    let docs = docs::operation(scope.service, operation, example).tokens();
    let deprecated = docs::deprecation(operation.deprecated.as_deref());
    quote! {
        #docs
        #deprecated
        pub fn #ident(&self, request: #request) -> #call<'_, #request> {
            self.call(request)
        }
    }
}

/// `impl blocking::Client` with the methods of all groups: each wraps that of the async client.
pub fn emit_blocking(service: &Service, options: &Options) -> TokenStream {
    let path = |text: String| -> TokenStream { text.parse().expect("the path of a client is valid Rust") };
    let client = options.client(&service.name);
    let blocking = path(client.replacen("crate::", "crate::blocking::", 1));
    let methods = service.operations().map(|(_, operation)| {
        let ident = names::field_ident(&operation.method_name);
        let request = request::name(operation);
        let docs = blocking_docs(&operation.doc, &client, &operation.method_name);
        let deprecated = docs::deprecation(operation.deprecated.as_deref());
        quote! {
            #docs
            #deprecated
            pub fn #ident(&self, request: #request) -> Call<'_, #request> {
                self.invoke(request)
            }
        }
    });
    let waiters: Vec<TokenStream> = service
        .waiters
        .iter()
        .filter_map(|waiter| {
            let request = request::name(service.operation(&waiter.operation)?);
            let name = format!("wait_until_{}", waiter.name);
            let ident = names::field_ident(&name);
            let docs = blocking_docs(&waiter.doc, &client, &name);
            Some(quote! {
                #docs
                pub fn #ident(&self, request: impl Into<#request>) -> Wait<'_, #request> {
                    self.as_async().#ident(request).with_mode()
                }
            })
        })
        .collect();
    let calls = if waiters.is_empty() {
        quote!(Call)
    } else {
        quote!({Call, Wait})
    };
    quote! {
        //! The methods of the blocking client.

        use crate::blocking::#calls;
        use super::operations::*;

        impl #blocking {
            #(#methods)*
            #(#waiters)*
        }
    }
}

/// The first sentence, and where the rest is.
fn blocking_docs(doc: &str, client: &str, method: &str) -> TokenStream {
    let first = doc.split_inclusive(". ").next().unwrap_or_default().trim_end();
    let mut docs = Docs::of(first);
    docs.paragraph(&format!("See [`{method}`]({client}::{method}) of the async client."));
    docs.tokens()
}
