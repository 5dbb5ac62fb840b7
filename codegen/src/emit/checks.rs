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
            (Type::String | Type::Base64String, _, Some((least, most))) => {
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
    let has_function = |field: &&Field<'_>| match checker {
        Checker::Writer => false,
        Checker::Function => true,
        Checker::Encoder => scope.service.protocol != Protocol::RestXml || field.member.place == Place::QueryJson,
    };
    let nested = fields
        .iter()
        .filter(has_function)
        .filter_map(|field| nested(scope, field, checker))
        .collect::<TokenStream>();
    quote!(#statements #nested)
}

/// Statements for the rules that a shape's members have together: one of all, or at most one of some.
pub fn together(shape: &Shape, fields: &[Field<'_>], checker: Checker) -> TokenStream {
    let (receiver, subject) = match checker {
        Checker::Encoder => (quote!(out), quote!(self)),
        Checker::Writer => (quote!(writer), quote!(self)),
        Checker::Function => (quote!(out), quote!(shape)),
    };
    let count = |names: &[&str]| {
        let given = names.iter().filter_map(|name| {
            let field = fields.iter().find(|field| field.member.name == **name)?;
            Some(match field.is_present_in(&subject) {
                Some(condition) => quote!(usize::from(#condition)),
                None => quote!(1),
            })
        });
        quote!(#(#given)+*)
    };
    let mut statements = TokenStream::new();
    let all: Vec<&str> = fields.iter().map(|field| field.member.name.as_str()).collect();
    if let (true, [first, rest @ ..]) = (shape.one_of, all.as_slice()) {
        let count = count(&all);
        let name = name(first, checker);
        let rule = match rest {
            [] => "must be given".to_owned(),
            rest => format!("or {} must be given, and only one of them", listed(rest, "or")),
        };
        statements.extend(quote! {
            if #count != 1 {
                #receiver.invalid(#name, #rule);
            }
        });
    }
    for set in &shape.exclusive {
        let set: Vec<&str> = set.iter().map(String::as_str).collect();
        let [first, rest @ ..] = set.as_slice() else {
            continue;
        };
        let count = count(&set);
        let name = name(first, checker);
        let rule = match rest {
            [other] => format!("and `{other}` must not both be given"),
            rest => format!("or {} may be given, but only one of them", listed(rest, "or")),
        };
        statements.extend(quote! {
            if #count > 1 {
                #receiver.invalid(#name, #rule);
            }
        });
    }
    statements
}

/// The statement for the sets of request members of which one has to be given.
pub fn any_of(sets: &[Vec<String>], fields: &[Field<'_>]) -> TokenStream {
    let mut none = Vec::new();
    for set in sets {
        let found = set
            .iter()
            .filter_map(|name| fields.iter().find(|field| field.member.name == *name));
        // A member that is always there asks nothing of the others.
        let conditions: Vec<TokenStream> = found.filter_map(Field::is_absent).collect();
        match conditions.as_slice() {
            [] => return TokenStream::new(),
            [condition] => none.push(condition.clone()),
            conditions => none.push(quote!((#(#conditions)||*))),
        }
    }
    let mut text = String::new();
    for set in sets {
        let names: Vec<&str> = set.iter().map(String::as_str).collect();
        if !text.is_empty() {
            text.push_str(if text.contains(' ') { ", or " } else { " or " });
        }
        text.push_str(&listed(&names, "and"));
    }
    // The name of the first member begins the sentence.
    let Some((first, rest)) = text.trim_start_matches('`').split_once('`') else {
        return TokenStream::new();
    };
    let rule = format!("{} must be given", rest.trim_start());
    quote! {
        if #(#none)&&* {
            out.invalid(#first, #rule);
        }
    }
}

/// Names in back-ticks, the last after a word.
fn listed(names: &[&str], word: &str) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} {word} {last}", rest.join(", ")),
        None => String::new(),
    }
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
    let is_json = scope.service.protocol != Protocol::RestXml || shape.query_json;
    if !is_json || !has_rules(scope.service, id) {
        return None;
    }
    let function = function_name(shape);
    let ty = scope.shape(id);
    let encoder = scope.runtime("Encoder");
    let fields = field::fields(scope.service, &shape.members, Role::Shape(shape));
    let mut checks = emit(scope, &fields, Checker::Function);
    checks.extend(together(shape, &fields, Checker::Function));
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
        let shape = service.shape(id);
        if shape.one_of || !shape.exclusive.is_empty() {
            return true;
        }
        for member in &shape.members {
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
