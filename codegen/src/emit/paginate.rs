//! `impl Paginate`: where the next page's tokens come from and what the pages list.

use proc_macro2::TokenStream;
use quote::quote;

use super::field::{self, Field};
use super::scope::Scope;
use super::{request, result};
use crate::api::{Operation, Paginate, Type};

/// The impl for an operation that pages; nothing when it does not.
pub fn emit(scope: &Scope<'_>, operation: &Operation) -> Option<TokenStream> {
    let paginate = operation.paginate.as_ref()?;
    let request_fields = request::fields(scope, operation);
    let result_fields = result::fields(scope, operation);
    let items = result_fields
        .iter()
        .find(|field| Some(&field.member.name) == paginate.items.first())?;
    let Type::List(item) = &items.member.ty else {
        return None;
    };

    let trait_ = scope.runtime("Paginate");
    let next = scope.runtime("NextPage");
    let request = request::name(operation);
    let page = result::name(operation);
    let item = field::rust_type(scope, item);
    let items = &items.ident;
    let next_page = next_page(paginate, &next, &request_fields, &result_fields)?;
    Some(quote! {
        impl #trait_ for #request {
            type Item = #item;

            fn next_page(&mut self, page: &#page) -> #next {
                #next_page
            }

            fn items(page: #page) -> Vec<#item> {
                page.#items
            }
        }
    })
}

fn next_page(
    paginate: &Paginate,
    next: &TokenStream,
    request: &[Field<'_>],
    page: &[Field<'_>],
) -> Option<TokenStream> {
    let more = paginate.more.as_ref().and_then(|name| find(page, name));
    let more = more.map(|field| {
        let ident = &field.ident;
        let is_last = if field.optional {
            quote!(!page.#ident.unwrap_or_default())
        } else {
            quote!(!page.#ident)
        };
        quote! {
            if #is_last {
                return #next::Last;
            }
        }
    });
    let mut moves = Vec::new();
    let mut guard = None;
    let mut stays = Vec::new();
    for (to, from) in &paginate.tokens {
        let to = find(request, to)?;
        let from = find(page, from)?;
        let (target, source) = (&to.ident, &from.ident);
        if guard.is_none() {
            guard = match (&from.member.ty, from.optional) {
                (Type::String, true) => Some(quote!(page.#source.as_deref().is_none_or(str::is_empty))),
                (Type::String, false) => Some(quote!(page.#source.is_empty())),
                (_, true) => Some(quote!(page.#source.is_none())),
                (_, false) => None,
            };
        }
        let is_copy = matches!(from.member.ty, Type::Integer | Type::Bool | Type::Timestamp(_));
        let value = if is_copy {
            quote!(page.#source)
        } else {
            quote!(page.#source.clone())
        };
        moves.push(match (to.optional, from.optional) {
            (true, true) | (false, false) => quote!(self.#target = #value;),
            (true, false) => quote!(self.#target = Some(#value);),
            (false, true) => quote!(self.#target = #value.unwrap_or_default();),
        });
        stays.push(match (to.optional, from.optional) {
            (true, true) | (false, false) => quote!(self.#target == page.#source),
            (true, false) => quote!(self.#target.as_ref() == Some(&page.#source)),
            (false, true) => quote!(page.#source.as_ref() == Some(&self.#target)),
        });
    }
    let stays = if stays.len() == 1 {
        quote!(#(#stays)*)
    } else {
        quote!(#(#stays)&&*)
    };
    // Without a token there is no other page; a page that promised one all the same has lost it. One whose tokens are
    // those of its own request would be asked for again and again.
    let without_token = if more.is_some() {
        quote!(#next::Lost)
    } else {
        quote!(#next::Last)
    };
    let guard = guard.map(|is_absent| {
        quote! {
            if #is_absent {
                return #without_token;
            }
        }
    });
    Some(quote! {
        #more
        #guard
        if #stays {
            return #next::Lost;
        }
        #(#moves)*
        #next::More
    })
}

fn find<'a>(fields: &[Field<'a>], name: &str) -> Option<Field<'a>> {
    fields.iter().find(|field| field.member.name == name).cloned()
}
