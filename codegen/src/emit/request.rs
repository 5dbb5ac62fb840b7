//! Requests: plain structs with the required members in `new` and a setter for each member.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::docs::Docs;
use super::field::{self, Field, Role};
use super::scope::Scope;
use super::structure;
use crate::api::Operation;
use crate::names;

/// Name of an operation's request.
pub fn name(operation: &Operation) -> Ident {
    format_ident!("{}Request", operation.name)
}

/// The fields of an operation's request.
pub fn fields<'a>(scope: &Scope<'_>, operation: &'a Operation) -> Vec<Field<'a>> {
    field::fields(scope.service, &operation.request, Role::Request)
}

/// The struct with its constructor and setters.
pub fn emit(scope: &Scope<'_>, operation: &Operation, client: &str) -> TokenStream {
    let name = name(operation);
    let fields = fields(scope, operation);
    let method = names::field_ident(&operation.method_name).to_string();
    let mut docs = Docs::default();
    docs.paragraph(&format!(
        "Request of [`{}`]({client}::{}).",
        method.trim_start_matches("r#"),
        method.trim_start_matches("r#")
    ));
    let docs = docs.tokens();
    let definitions = structure::field_definitions(scope, &fields, Role::Request);
    let debug = structure::debug(scope, &name, &fields, false);
    let derive_debug = debug.is_none().then(|| quote!(Debug,));
    // A request with required members has no meaningful default, so it has none.
    let derive_default = fields
        .iter()
        .all(|field| !field.member.required)
        .then(|| quote!(Default,));
    let new = structure::constructor(scope, "A request", &fields);
    let setters = structure::setters(scope, &fields);
    quote! {
        #docs
        #[derive(#derive_debug Clone, #derive_default)]
        #[non_exhaustive]
        pub struct #name {
            #definitions
        }

        impl #name {
            #new
            #setters
        }

        #debug
    }
}
