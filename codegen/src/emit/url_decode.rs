//! `UrlDecode`: percent-decodes the members that the service encodes when the answer's `EncodingType` is `url`.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use super::field::Field;
use super::scope::{Home, Scope};
use crate::api::Type;

/// The impl, over the members that are encoded themselves or hold such members.
pub fn emit(scope: &Scope<'_>, name: impl ToTokens, fields: &[Field<'_>]) -> TokenStream {
    let url_decode = scope.runtime("UrlDecode");
    let text_error = scope.runtime("TextError");
    let (result, ok) = (scope.standard("Result"), scope.standard("Ok"));
    let calls = fields.iter().filter(|field| is_decoded(scope, field)).map(|field| {
        let ident = &field.ident;
        match scope.home() {
            // The trait need not be in reach there.
            Home::Macro { .. } => quote!(#url_decode::url_decode(&mut self.#ident)?;),
            _ => quote!(self.#ident.url_decode()?;),
        }
    });
    quote! {
        impl #url_decode for #name {
            fn url_decode(&mut self) -> #result<(), #text_error> {
                #(#calls)*
                #ok(())
            }
        }
    }
}

/// Whether any of the fields has something to decode.
pub fn is_needed(scope: &Scope<'_>, fields: &[Field<'_>]) -> bool {
    fields.iter().any(|field| is_decoded(scope, field))
}

fn is_decoded(scope: &Scope<'_>, field: &Field<'_>) -> bool {
    match field.member.ty.shape() {
        Some(id) => scope.service.shape(id).url_decoded,
        None => field.member.url_decoded && matches!(&field.member.ty, Type::String | Type::List(_)),
    }
}
