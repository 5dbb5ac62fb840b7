//! Texts that stand on the wire in another form than in the member: base64, and texts after a prefix.

use proc_macro2::TokenStream;
use quote::quote;

use super::field::Field;
use super::scope::Scope;
use crate::api::{Member, Type};

/// The field's value in its form on the wire, with the type of the field; `None` when it stands there as it is.
pub fn to_wire(scope: &Scope<'_>, field: &Field<'_>) -> Option<TokenStream> {
    let ident = &field.ident;
    let wire_text = scope_trait(scope, field.member)?;
    Some(match &field.member.prefix {
        Some(prefix) => quote!(#wire_text::with_prefix(&self.#ident, #prefix)),
        None => quote!(#wire_text::to_base64(&self.#ident)),
    })
}

/// A function that reads one text from its form on the wire; `None` when it stands there as it is.
pub fn reader(scope: &Scope<'_>, member: &Member) -> Option<TokenStream> {
    if !has_form(member) {
        return None;
    }
    Some(match &member.prefix {
        Some(prefix) => {
            let without_prefix = scope.runtime("without_prefix");
            quote!(|text| #without_prefix(text, #prefix))
        }
        None => scope.runtime("from_base64"),
    })
}

/// The trait of members with a form of their own.
fn scope_trait(scope: &Scope<'_>, member: &Member) -> Option<TokenStream> {
    has_form(member).then(|| scope.runtime("WireText"))
}

/// Whether the texts of a member have a form of their own.
pub fn has_form(member: &Member) -> bool {
    member.prefix.is_some() || is_base64(&member.ty)
}

/// Whether a type is text in base64, or a collection of such.
fn is_base64(ty: &Type) -> bool {
    match ty {
        Type::Base64String => true,
        Type::List(item) | Type::Map(item) => is_base64(item),
        _ => false,
    }
}
