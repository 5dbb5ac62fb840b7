//! What requests, results and shapes have in common as structs: fields, setters, `Debug` and `Default`.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::docs;
use super::field::{Field, Role};
use super::scope::Scope;
use crate::api::Type;

/// The public fields with their documentation.
pub fn field_definitions(scope: &Scope<'_>, fields: &[Field<'_>], role: Role<'_>) -> TokenStream {
    let definitions = fields.iter().map(|field| {
        let docs = docs::member(field.member, role).tokens();
        let deprecated = docs::deprecation(field.member.deprecated.as_deref());
        let ident = &field.ident;
        let ty = field.ty(scope, role);
        quote!(#docs #deprecated pub #ident: #ty,)
    });
    quote!(#(#definitions)*)
}

/// Whether `Debug` has to hide something.
pub fn is_sensitive(fields: &[Field<'_>]) -> bool {
    fields.iter().any(|field| field.member.sensitive)
}

/// `Debug` that hides sensitive members; for structs without any it is derived.
pub fn debug(scope: &Scope<'_>, name: &Ident, fields: &[Field<'_>], has_meta: bool) -> Option<TokenStream> {
    if !is_sensitive(fields) {
        return None;
    }
    let fmt = scope.fmt();
    let text = name.to_string();
    let rows = fields.iter().map(|field| {
        let ident = &field.ident;
        let label = &field.member.name;
        match (field.member.sensitive, field.optional) {
            (false, _) => quote!(.field(#label, &self.#ident)),
            (true, true) => quote!(.field(#label, &self.#ident.as_ref().map(|_| "[redacted]"))),
            (true, false) => quote!(.field(#label, &"[redacted]")),
        }
    });
    let meta = has_meta.then(|| quote!(.field("meta", &self.meta)));
    Some(quote! {
        impl #fmt::Debug for #name {
            fn fmt(&self, f: &mut #fmt::Formatter<'_>) -> #fmt::Result {
                f.debug_struct(#text)
                    #(#rows)*
                    #meta
                    .finish()
            }
        }
    })
}

/// `Default` where the model's defaults are not those of the types; otherwise it is derived.
pub fn default(scope: &Scope<'_>, name: &Ident, fields: &[Field<'_>], has_meta: bool) -> Option<TokenStream> {
    if fields.iter().all(|field| field.default_value(scope).is_none()) {
        return None;
    }
    let default = scope.standard("Default");
    let values = fields.iter().map(|field| {
        let ident = &field.ident;
        match field.default_value(scope) {
            Some(value) => quote!(#ident: #value,),
            None => quote!(#ident: #default::default(),),
        }
    });
    let meta = has_meta.then(|| quote!(meta: #default::default(),));
    Some(quote! {
        impl #default for #name {
            fn default() -> Self {
                Self { #(#values)* #meta }
            }
        }
    })
}

/// `new` with the required members, in the model's order.
pub fn constructor(scope: &Scope<'_>, what: &str, fields: &[Field<'_>]) -> TokenStream {
    let required: Vec<&Field<'_>> = fields.iter().filter(|field| field.member.required).collect();
    let parameters = required.iter().map(|field| {
        let ident = &field.ident;
        let ty = field.parameter(scope);
        quote!(#ident: #ty)
    });
    let doc = if required.is_empty() {
        format!(" {what} without any optional member.")
    } else {
        format!(" {what} with its required members.")
    };
    // Nothing to give means that `Default` says the same.
    let body = if required.is_empty() {
        quote!(Self::default())
    } else {
        let values = fields.iter().map(|field| {
            let ident = &field.ident;
            if field.member.required {
                let value = field.from_parameter(ident);
                // `x: x` would be a warning.
                if *ident == value.to_string() {
                    quote!(#ident,)
                } else {
                    quote!(#ident: #value,)
                }
            } else if field.optional {
                quote!(#ident: None,)
            } else if let Some(value) = field.default_value(scope) {
                quote!(#ident: #value,)
            } else {
                match &field.member.ty {
                    Type::List(_) => quote!(#ident: Vec::new(),),
                    Type::Map(_) => {
                        let map = scope.standard("BTreeMap");
                        quote!(#ident: #map::new(),)
                    }
                    Type::String => quote!(#ident: String::new(),),
                    Type::Bool => quote!(#ident: false,),
                    Type::Integer => quote!(#ident: 0,),
                    ty => {
                        let path = super::field::rust_type(scope, ty);
                        quote!(#ident: #path::default(),)
                    }
                }
            }
        });
        quote!(Self { #(#values)* })
    };
    quote! {
        #[doc = #doc]
        pub fn new(#(#parameters),*) -> Self {
            #body
        }
    }
}

/// One chainable setter for each member.
pub fn setters(scope: &Scope<'_>, fields: &[Field<'_>]) -> TokenStream {
    let value = format_ident!("value");
    let setters = fields.iter().map(|field| {
        let ident = &field.ident;
        let parameter = field.parameter(scope);
        let mut converted = field.from_parameter(&value);
        if field.optional {
            converted = quote!(Some(#converted));
        }
        let doc = format!(
            " Sets [`{}`](field@Self::{}).",
            ident,
            ident.to_string().trim_start_matches("r#")
        );
        let deprecated = docs::deprecation(field.member.deprecated.as_deref());
        quote! {
            #[doc = #doc]
            #deprecated
            #[must_use]
            pub fn #ident(mut self, #value: #parameter) -> Self {
                self.#ident = #converted;
                self
            }
        }
    });
    quote!(#(#setters)*)
}
