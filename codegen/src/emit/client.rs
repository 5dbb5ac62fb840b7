//! Client methods: one for each operation, that makes a call of a request, and one for each waiter.

use proc_macro2::TokenStream;
use quote::quote;

use super::request;
use super::samples;
use super::scope::Scope;
use super::waiter;
use super::{Options, docs};
use crate::api::{Group, Operation};
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
