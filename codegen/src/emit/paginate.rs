//! `impl Paginate`: where the next page's tokens come from and what the pages list.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::field::{self, Field, Role};
use super::scope::Scope;
use super::{request, result};
use crate::api::{Operation, Paginate, Type};

/// The impl for an operation that pages; nothing when it does not.
pub fn emit(scope: &Scope<'_>, operation: &Operation) -> Option<TokenStream> {
    let paginate = operation.paginate.as_ref()?;
    let request_fields = request::fields(scope, operation);
    let result_fields = result::fields(scope, operation);
    let items = Path::of(scope, &result_fields, paginate.items.first()?)?;
    let Type::List(item) = &items.leaf().member.ty else {
        return None;
    };

    let trait_ = scope.runtime("Paginate");
    let next = scope.runtime("NextPage");
    let request = request::name(operation);
    let page = result::name(operation);
    let item = field::rust_type(scope, item);
    let items = items.into_value();
    let next_page = next_page(scope, paginate, &next, &request_fields, &result_fields)?;
    Some(quote! {
        impl #trait_ for #request {
            type Item = #item;

            #[inline]
            fn next_page(&mut self, page: &#page) -> #next {
                #next_page
            }

            #[inline]
            fn items(page: #page) -> Vec<#item> {
                #items
            }
        }
    })
}

fn next_page(
    scope: &Scope<'_>,
    paginate: &Paginate,
    next: &TokenStream,
    request: &[Field<'_>],
    page: &[Field<'_>],
) -> Option<TokenStream> {
    let more = paginate.more.as_ref().and_then(|name| Path::of(scope, page, name));
    let more = more.map(|path| {
        let (value, is_optional) = path.value();
        let is_last = if is_optional {
            quote!(!#value.unwrap_or_default())
        } else {
            quote!(!#value)
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
    let mut tokens = Vec::new();
    for (to, from) in &paginate.tokens {
        let to = request.iter().find(|field| field.member.name == *to)?;
        let from = Path::of(scope, page, from)?;
        let target = &to.ident;
        if !from.wrappers.is_empty() {
            // What is in a structure is taken out of it first.
            let token = format_ident!("{}_of_page", to.member.name);
            let (value, is_optional) = from.value();
            tokens.push(quote!(let #token = #value;));
            if guard.is_none() {
                guard = match (&from.leaf().member.ty, is_optional) {
                    (Type::String, true) => Some(quote!(#token.as_deref().is_none_or(str::is_empty))),
                    (Type::String, false) => Some(quote!(#token.is_empty())),
                    (_, true) => Some(quote!(#token.is_none())),
                    (_, false) => None,
                };
            }
            let (stay, value) = match (to.optional, is_optional) {
                (true, true) | (false, false) => (quote!(self.#target == #token), quote!(#token)),
                (true, false) => (quote!(self.#target.as_ref() == Some(&#token)), quote!(Some(#token))),
                (false, true) => (
                    quote!(#token.as_ref() == Some(&self.#target)),
                    quote!(#token.unwrap_or_default()),
                ),
            };
            stays.push(stay);
            moves.push(quote!(self.#target = #value;));
            continue;
        }
        let from = from.leaf();
        let source = &from.ident;
        if guard.is_none() {
            guard = match (&from.member.ty, from.optional) {
                (Type::String, true) => Some(quote!(page.#source.as_deref().is_none_or(str::is_empty))),
                (Type::String, false) => Some(quote!(page.#source.is_empty())),
                (_, true) => Some(quote!(page.#source.is_none())),
                (_, false) => None,
            };
        }
        let value = if is_copy(&from.member.ty) {
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
        #(#tokens)*
        #guard
        if #stays {
            return #next::Lost;
        }
        #(#moves)*
        #next::More
    })
}

/// A member of a page: one of the result itself, or one in a structure.
struct Path<'a> {
    /// The structures around the member, from the outside in.
    wrappers: Vec<Field<'a>>,
    leaf: Field<'a>,
}

impl<'a> Path<'a> {
    /// Follows names joined with dots.
    fn of(scope: &Scope<'a>, page: &[Field<'a>], path: &str) -> Option<Self> {
        let find = |fields: &[Field<'a>], name: &str| fields.iter().find(|field| field.member.name == name).cloned();
        let mut names = path.split('.');
        let mut leaf = find(page, names.next()?)?;
        let mut wrappers = Vec::new();
        for name in names {
            let Type::Shape(id) = leaf.member.ty else {
                return None;
            };
            let shape = scope.service.shape(id);
            let inner = field::fields(scope.service, &shape.members, Role::Shape(shape));
            wrappers.push(std::mem::replace(&mut leaf, find(&inner, name)?));
        }
        Some(Self { wrappers, leaf })
    }

    fn leaf(&self) -> &Field<'a> {
        &self.leaf
    }

    /// A copy of the member's value, and whether it is an `Option`.
    fn value(&self) -> (TokenStream, bool) {
        let ident = &self.leaf.ident;
        let copy = if is_copy(&self.leaf.member.ty) {
            quote!(.#ident)
        } else {
            quote!(.#ident.clone())
        };
        self.through(quote!(page), &copy, self.leaf.optional, &quote!(.as_ref()))
    }

    /// The member's list, taken out of the page.
    fn into_value(self) -> TokenStream {
        let ident = &self.leaf.ident;
        let (value, is_optional) = self.through(quote!(page), &quote!(.#ident), false, &quote!());
        if is_optional {
            quote!(#value.unwrap_or_default())
        } else {
            value
        }
    }

    /// Goes through the wrappers to the `leaf`; `borrow` is what makes an `Option` one of a reference.
    fn through(
        &self,
        base: TokenStream,
        leaf: &TokenStream,
        leaf_is_optional: bool,
        borrow: &TokenStream,
    ) -> (TokenStream, bool) {
        let mut base = base;
        let mut options = 0_usize;
        let mut opened = Vec::new();
        for (index, wrapper) in self.wrappers.iter().enumerate() {
            let ident = &wrapper.ident;
            if !wrapper.optional {
                base = quote!(#base.#ident);
                continue;
            }
            let inner_is_optional = leaf_is_optional || self.wrappers[index + 1..].iter().any(|next| next.optional);
            let method = if inner_is_optional {
                quote!(and_then)
            } else {
                quote!(map)
            };
            opened.push(quote!(#base.#ident #borrow.#method));
            base = quote!(value);
            options += 1;
        }
        let innermost = quote!(#base #leaf);
        let value = opened
            .into_iter()
            .rev()
            .fold(innermost, |inner, outer| quote!(#outer(|value| #inner)));
        (value, options > 0 || leaf_is_optional)
    }
}

fn is_copy(ty: &Type) -> bool {
    matches!(ty, Type::Integer | Type::Bool | Type::Timestamp(_))
}
