//! Checks of input members before anything is sent: presence, range, length and number of items.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::field::{self, Field, Role};
use super::scope::Scope;
use crate::api::{Place, Protocol, Service, Shape, ShapeId, Type};
use crate::names;

/// Where the checks stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checker {
    /// In `Operation::encode`, with an encoder `out`.
    Encoder,
    /// In `WriteXml::write_xml`, with a `writer` that knows the way to the members.
    Writer,
    /// In the function of a shape (see [`function`]), with an encoder `out` and the `path` to the shape.
    Function,
}

/// One statement for each rule of each field.
pub fn emit(scope: &Scope<'_>, fields: &[Field<'_>], checker: Checker) -> TokenStream {
    let (receiver, subject) = match checker {
        Checker::Encoder => (quote!(out), quote!(self)),
        Checker::Writer => (quote!(writer), quote!(self)),
        Checker::Function => (quote!(out), quote!(shape)),
    };
    let some = scope.standard("Some");
    let statements = fields.iter().map(|field| {
        let member = field.member;
        let ident = &field.ident;
        let name = name(&member.name, checker);
        let mut checks = TokenStream::new();
        if member.required && must_not_be_empty(scope, field, checker) {
            checks.extend(quote!(#receiver.require(#name, !#subject.#ident.is_empty());));
        }
        if let Some(most) = member.max_items {
            let most = literal(most);
            checks.extend(quote!(#receiver.check_items(#name, #subject.#ident.len(), #most);));
        }
        let item = match &member.ty {
            Type::List(item) => item,
            ty => ty,
        };
        let is_list = matches!(member.ty, Type::List(_));
        let check = match (item, member.range, member.length) {
            (Type::Integer, Some((least, most)), _) => {
                let (least, most) = (bound(least), bound(most));
                let value = match (is_list, field.optional) {
                    (true, _) => quote!(*value),
                    (false, true) => quote!(value),
                    (false, false) => quote!(#subject.#ident),
                };
                quote!(#receiver.check_range(#name, #value, #least, #most);)
            }
            (Type::String, _, Some((least, most))) => {
                let least = literal(least);
                let most = if most == u64::MAX {
                    quote!(u64::MAX)
                } else {
                    literal(most)
                };
                let value = if is_list || field.optional {
                    quote!(value)
                } else {
                    quote!(&#subject.#ident)
                };
                quote!(#receiver.check_length(#name, #value, #least, #most);)
            }
            _ => return checks,
        };
        checks.extend(match (is_list, field.optional, item) {
            (true, ..) => quote!(for value in &#subject.#ident { #check }),
            (_, true, Type::Integer) => quote!(if let #some(value) = #subject.#ident { #check }),
            (_, true, _) => quote!(if let #some(value) = &#subject.#ident { #check }),
            (_, false, _) => check,
        });
        checks
    });
    let statements: TokenStream = statements.collect();
    // XML shapes are checked as they are written; JSON has no writer that could.
    let nested = (checker != Checker::Writer && scope.service.protocol != Protocol::RestXml).then(|| {
        fields
            .iter()
            .filter_map(|field| nested(scope, field, checker))
            .collect::<TokenStream>()
    });
    quote!(#statements #nested)
}

/// The member's name, or the way to it, as an expression.
fn name(name: &str, checker: Checker) -> TokenStream {
    match checker {
        Checker::Encoder | Checker::Writer => quote!(#name),
        Checker::Function => {
            let format = format!("{{path}}.{name}");
            quote!(&format!(#format))
        }
    }
}

/// Whether an empty value of a required member cannot be meant.
///
/// An empty text is a value in a document (a tag's value may be empty), but an empty header or parameter is not. The
/// bucket, the key and segments of the path have checks of their own.
fn must_not_be_empty(scope: &Scope<'_>, field: &Field<'_>, checker: Checker) -> bool {
    match (&field.member.ty, &field.member.place) {
        (Type::List(_) | Type::Map(_), _) => true,
        (Type::String, Place::Query | Place::Header | Place::Text) => checker == Checker::Encoder,
        (Type::String, Place::Field) => checker == Checker::Encoder && scope.service.protocol == Protocol::RpcJson,
        _ => false,
    }
}

/// The function that checks the members of a shape of JSON documents; nothing when there is nothing to check.
pub fn function(scope: &Scope<'_>, shape: &Shape, id: ShapeId) -> Option<TokenStream> {
    if scope.service.protocol == Protocol::RestXml || !has_rules(scope.service, id) {
        return None;
    }
    let function = function_name(shape);
    let ty = scope.shape(id);
    let encoder = scope.runtime("Encoder");
    let fields = field::fields(scope.service, &shape.members, Role::Shape(shape));
    let checks = emit(scope, &fields, Checker::Function);
    Some(quote! {
        /// Reports members that break a rule.
        pub(super) fn #function(shape: &#ty, path: &str, out: &mut #encoder) {
            #checks
        }
    })
}

fn function_name(shape: &Shape) -> Ident {
    format_ident!("check_{}", names::to_snake(&shape.name))
}

/// Calls the function of the shape that a field holds.
fn nested(scope: &Scope<'_>, field: &Field<'_>, checker: Checker) -> Option<TokenStream> {
    let id = field.member.ty.shape()?;
    if !has_rules(scope.service, id) {
        return None;
    }
    let shape = scope.service.shape(id);
    let function = scope.function(&function_name(shape), &shape.group);
    let some = scope.standard("Some");
    let ident = &field.ident;
    let name = &field.member.name;
    let (subject, path) = match checker {
        Checker::Function => (quote!(shape), format!("{{path}}.{name}")),
        _ => (quote!(self), name.clone()),
    };
    Some(match (&field.member.ty, field.optional) {
        (Type::List(_), _) => {
            let path = format!("{path}[{{index}}]");
            quote! {
                for (index, value) in #subject.#ident.iter().enumerate() {
                    #function(value, &format!(#path), out);
                }
            }
        }
        (Type::Map(_), _) => {
            let path = format!("{path}.{{key}}");
            quote! {
                for (key, value) in &#subject.#ident {
                    #function(value, &format!(#path), out);
                }
            }
        }
        (_, optional) => {
            let path = if checker == Checker::Function {
                quote!(&format!(#path))
            } else {
                quote!(#path)
            };
            if optional {
                quote!(if let #some(value) = &#subject.#ident { #function(value, #path, out); })
            } else {
                quote!(#function(&#subject.#ident, #path, out);)
            }
        }
    })
}

/// Whether a shape, or one that it holds, has a member with a rule.
fn has_rules(service: &Service, id: ShapeId) -> bool {
    let mut seen = vec![id];
    let mut next = 0;
    while let Some(&id) = seen.get(next) {
        next += 1;
        for member in &service.shape(id).members {
            let is_collection = matches!(member.ty, Type::List(_) | Type::Map(_));
            if member.max_items.is_some()
                || member.range.is_some()
                || member.length.is_some()
                || (member.required && is_collection)
            {
                return true;
            }
            if let Some(id) = member.ty.shape().filter(|id| !seen.contains(id)) {
                seen.push(id);
            }
        }
    }
    false
}

fn bound(value: i64) -> TokenStream {
    match value {
        i64::MIN => quote!(i64::MIN),
        i64::MAX => quote!(i64::MAX),
        value => {
            let literal = proc_macro2::Literal::i64_unsuffixed(value);
            quote!(#literal)
        }
    }
}

fn literal(value: u64) -> TokenStream {
    let literal = proc_macro2::Literal::u64_unsuffixed(value);
    quote!(#literal)
}
