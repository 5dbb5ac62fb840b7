//! Results: what an answer holds, with its status, headers and request id.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::docs::Docs;
use super::field::{self, Field, Role};
use super::scope::Scope;
use super::structure;
use crate::api::{Operation, Type};

/// Name of an operation's result.
pub fn name(operation: &Operation) -> Ident {
    format_ident!("{}Result", operation.name)
}

/// The fields of an operation's result, without the private one that all results have.
pub fn fields<'a>(scope: &Scope<'_>, operation: &'a Operation) -> Vec<Field<'a>> {
    field::fields(scope.service, &operation.result, Role::Result)
}

/// The struct with the accessors that every result has.
pub fn emit(scope: &Scope<'_>, operation: &Operation, client: &str) -> TokenStream {
    let name = name(operation);
    let fields = fields(scope, operation);
    let method = &operation.method_name;
    let mut docs = Docs::default();
    docs.paragraph(&format!("Result of [`{method}`]({client}::{method})."));
    let docs = docs.tokens();
    let definitions = structure::field_definitions(scope, &fields, Role::Result);
    let debug = structure::debug(scope, &name, &fields, true);
    let default = structure::default(scope, &name, &fields, true);
    let derive_debug = debug.is_none().then(|| quote!(Debug,));
    let derive_default = default.is_none().then(|| quote!(Default,));
    // A payload that is still arriving cannot be copied.
    let derive_clone = fields
        .iter()
        .all(|field| field.member.ty != Type::Stream)
        .then(|| quote!(Clone,));
    let meta = scope.runtime("ResultMeta");
    let accessors = accessors(scope);
    quote! {
        #docs
        #[derive(#derive_debug #derive_clone #derive_default)]
        #[non_exhaustive]
        pub struct #name {
            #definitions
            meta: #meta,
        }

        impl #name {
            #accessors
        }

        #debug
        #default
    }
}

/// `status()`, `request_id()`, `headers()` and `meta()`.
fn accessors(scope: &Scope<'_>) -> TokenStream {
    let headers = scope.runtime("HeaderMap");
    let meta = scope.runtime("ResultMeta");
    quote! {
        /// HTTP status of the answer.
        pub fn status(&self) -> u16 {
            self.meta.status()
        }

        /// Id of the request at the service, to give to support. Empty if the answer had none.
        pub fn request_id(&self) -> &str {
            self.meta.request_id()
        }

        /// All headers of the answer.
        pub fn headers(&self) -> &#headers {
            self.meta.headers()
        }

        /// What is known of the answer beside its content, such as how many attempts it took.
        pub fn meta(&self) -> &#meta {
            &self.meta
        }
    }
}
