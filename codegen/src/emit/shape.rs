//! Shapes: structures of documents, with what reads and writes them.

use proc_macro2::TokenStream;
use quote::quote;

use super::docs::Docs;
use super::field::{self, Role};
use super::scope::Scope;
use super::{json, structure, url_decode, xml};
use crate::api::{Protocol, Shape};
use crate::names;

/// The struct, its constructor and setters where requests use it, and its documents.
pub fn emit(scope: &Scope<'_>, shape: &Shape) -> TokenStream {
    let name = names::type_ident(&shape.name);
    let role = Role::Shape(shape);
    let fields = field::fields(scope.service, &shape.members, role);
    let docs = Docs::of(&shape.doc).tokens();
    let definitions = structure::field_definitions(scope, &fields, role);
    let debug = structure::debug(scope, &name, &fields, false);
    let default = structure::default(scope, &name, &fields, false);
    let derive_debug = debug.is_none().then(|| quote!(Debug,));
    let derive_default = default.is_none().then(|| quote!(Default,));

    let methods = shape.input.then(|| {
        let new = structure::constructor(scope, "The structure", &fields);
        let setters = structure::setters(scope, &fields);
        quote! {
            impl #name {
                #new
                #setters
            }
        }
    });
    let target = quote!(#name);
    let (read, write) = match scope.service.protocol {
        Protocol::RestXml => (
            shape.output.then(|| xml::read_impl(scope, &target, &fields)),
            shape
                .input
                .then(|| xml::write_impl(scope, &target, &fields, Some(shape))),
        ),
        Protocol::RestJson | Protocol::RpcJson => (
            shape.output.then(|| json::from_json(scope, &target, &fields)),
            shape.input.then(|| json::to_json(scope, &target, &fields, true)),
        ),
    };
    let query = (scope.service.protocol == Protocol::RestXml && shape.query_json)
        .then(|| json::to_json(scope, &target, &fields, true));
    let url_decode = shape.url_decoded.then(|| url_decode::emit(scope, &name, &fields));

    quote! {
        #docs
        #[derive(#derive_debug Clone, #derive_default PartialEq)]
        #[non_exhaustive]
        pub struct #name {
            #definitions
        }
        #methods
        #debug
        #default
        #read
        #write
        #query
        #url_decode
    }
}
