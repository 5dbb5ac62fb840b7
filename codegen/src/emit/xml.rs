//! XML documents: `WriteXml` and `ReadXml` of a struct, from the wire paths of its members.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

use super::checks::{self, Checker};
use super::field::Field;
use super::scope::Scope;
use crate::api::{TimestampFormat, Type};

/// Wire paths as a tree: `Owner>ID` and `Owner>DisplayName` are two leaves in one element.
#[derive(Debug, Default)]
struct Node {
    /// Index of the field that is read and written here.
    field: Option<usize>,
    /// Child elements in the order in which they were first named.
    children: Vec<(String, Node)>,
}

impl Node {
    fn insert(&mut self, path: &[String], field: usize) {
        let Some((first, rest)) = path.split_first() else {
            self.field.get_or_insert(field);
            return;
        };
        let at = self
            .children
            .iter()
            .position(|(name, _)| name == first)
            .unwrap_or_else(|| {
                self.children.push((first.clone(), Node::default()));
                self.children.len() - 1
            });
        self.children[at].1.insert(rest, field);
    }
}

/// `impl WriteXml`, over the fields of the document.
pub fn write_impl(scope: &Scope<'_>, target: &TokenStream, fields: &[Field<'_>]) -> TokenStream {
    let write_xml = scope.runtime("WriteXml");
    let writer = scope.runtime("XmlWriter");
    let checks = checks::emit(scope, fields, Checker::Writer);
    let mut root = Node::default();
    for (index, field) in fields.iter().enumerate() {
        root.insert(&field.member.wire, index);
    }
    let statements = write_children(scope, &root, fields);
    let parameter = if checks.is_empty() && statements.is_empty() {
        quote!(_writer)
    } else {
        quote!(writer)
    };
    quote! {
        impl #write_xml for #target {
            fn write_xml(&self, #parameter: &mut #writer) {
                #checks
                #statements
            }
        }
    }
}

fn write_children(scope: &Scope<'_>, node: &Node, fields: &[Field<'_>]) -> TokenStream {
    let statements = node.children.iter().map(|(name, child)| match child.field {
        Some(index) => write_field(scope, name, &fields[index]),
        None => {
            let inner = write_children(scope, child, fields);
            let element = quote! {
                writer.open(#name);
                #inner
                writer.close(#name);
            };
            // A wrapper stands only around something.
            match presence(child, fields) {
                Some(condition) => quote!(if #condition { #element }),
                None => element,
            }
        }
    });
    quote!(#(#statements)*)
}

/// Whether anything below a wrapper is present; `None` when something always is.
fn presence(node: &Node, fields: &[Field<'_>]) -> Option<TokenStream> {
    let mut conditions = Vec::new();
    for (_, child) in &node.children {
        conditions.push(match child.field {
            Some(index) => fields[index].is_present()?,
            None => presence(child, fields)?,
        });
    }
    Some(quote!(#(#conditions)||*))
}

fn write_field(scope: &Scope<'_>, name: &str, field: &Field<'_>) -> TokenStream {
    let ident = &field.ident;
    let ty = &field.member.ty;
    if let Some(method) = timestamp_method(ty) {
        let timestamp = scope.runtime("Timestamp");
        return match ty {
            Type::List(_) => quote! {
                for value in &self.#ident {
                    writer.element(#name, &value.#method());
                }
            },
            _ if field.optional => {
                quote!(writer.optional(#name, self.#ident.map(#timestamp::#method).as_ref());)
            }
            _ => quote!(writer.element(#name, &self.#ident.#method());),
        };
    }
    let option = quote!(self.#ident.as_ref());
    match (ty, field.optional) {
        (Type::List(item), _) if item.shape().is_some() => {
            quote!(writer.shapes(#name, &self.#ident);)
        }
        (Type::List(_), _) => quote!(writer.list(#name, &self.#ident);),
        (Type::Shape(_), true) => quote!(writer.shape_optional(#name, #option);),
        (Type::Shape(_), false) => quote!(writer.shape(#name, &self.#ident);),
        (_, true) => quote!(writer.optional(#name, #option);),
        (_, false) => quote!(writer.element(#name, &self.#ident);),
    }
}

/// `impl ReadXml`, over the fields of the document.
pub fn read_impl(scope: &Scope<'_>, target: &TokenStream, fields: &[Field<'_>]) -> TokenStream {
    let read_xml = scope.runtime("ReadXml");
    let reader = scope.runtime("XmlReader");
    let error = scope.runtime("XmlError");
    let result = scope.standard("Result");
    let ok = scope.standard("Ok");
    let some = scope.standard("Some");
    let none = scope.standard("None");
    let mut root = Node::default();
    for (index, field) in fields.iter().enumerate() {
        root.insert(&field.member.wire, index);
        let wrappers = field.member.wire.len().saturating_sub(1);
        for alias in &field.member.aliases {
            let mut path = field.member.wire[..wrappers].to_vec();
            path.push(alias.clone());
            root.insert(&path, index);
        }
    }
    // Absence is found at the end, so required values wait in variables.
    let required: Vec<&Field<'_>> = fields.iter().filter(|field| waits(field)).collect();
    let variables = required.iter().map(|field| {
        let variable = variable(field);
        quote!(let mut #variable = #none;)
    });
    let assignments = required.iter().map(|field| {
        let ident = &field.ident;
        let variable = variable(field);
        let wire = field.member.wire.last();
        quote!(self.#ident = reader.required(#wire, #variable)?;)
    });
    let children = read_children(scope, &root, fields);
    let body = match children {
        Some(children) => quote! {
            #(#variables)*
            while let #some(child) = reader.next_child()? {
                #children
            }
            #(#assignments)*
        },
        None => quote! {
            while reader.next_child()?.is_some() {
                reader.skip()?;
            }
        },
    };
    quote! {
        impl #read_xml for #target {
            fn read_xml(&mut self, reader: &mut #reader<'_>) -> #result<(), #error> {
                #body
                #ok(())
            }
        }
    }
}

/// Whether a value is assigned only when the whole element was read.
fn waits(field: &Field<'_>) -> bool {
    field.member.required && !matches!(field.member.ty, Type::List(_) | Type::Map(_))
}

fn variable(field: &Field<'_>) -> proc_macro2::Ident {
    format_ident!("found_{}", field.member.name)
}

fn read_children(scope: &Scope<'_>, node: &Node, fields: &[Field<'_>]) -> Option<TokenStream> {
    if node.children.is_empty() {
        return None;
    }
    let some = scope.standard("Some");
    // Names of one field (aliases) share an arm.
    let mut done = Vec::new();
    let arms = node.children.iter().filter_map(|(name, child)| {
        let (names, action) = match child.field {
            Some(index) => {
                if done.contains(&index) {
                    return None;
                }
                done.push(index);
                let names = node
                    .children
                    .iter()
                    .filter(|(_, other)| other.field == Some(index))
                    .map(|(name, _)| name);
                (names.collect::<Vec<_>>(), read_field(scope, &fields[index]))
            }
            None => {
                let children = read_children(scope, child, fields)?;
                let action = quote! {{
                    while let #some(child) = reader.next_child()? {
                        #children
                    }
                }};
                (vec![name], action)
            }
        };
        let names = names.iter().map(|name| Literal::byte_string(name.as_bytes()));
        Some(quote!(#(#names)|* => #action,))
    });
    let arms: Vec<_> = arms.collect();
    Some(quote! {
        match child {
            #(#arms)*
            _ => reader.skip()?,
        }
    })
}

fn read_field(scope: &Scope<'_>, field: &Field<'_>) -> TokenStream {
    let ident = &field.ident;
    let item = match &field.member.ty {
        Type::List(item) => item,
        ty => ty,
    };
    let value = match item {
        Type::Shape(_) => quote!(reader.read()?),
        Type::Timestamp(TimestampFormat::UnixSeconds) => {
            let timestamp = scope.runtime("Timestamp");
            quote!(reader.value_with(#timestamp::parse_unix)?)
        }
        _ => quote!(reader.value()?),
    };
    let some = scope.standard("Some");
    if matches!(field.member.ty, Type::List(_)) {
        return quote!(self.#ident.push(#value));
    }
    if waits(field) {
        let variable = variable(field);
        return quote!(#variable = #some(#value));
    }
    if field.optional {
        quote!(self.#ident = #some(#value))
    } else {
        quote!(self.#ident = #value)
    }
}

/// The method that writes a timestamp whose form is not that of `ToText`.
pub fn timestamp_method(ty: &Type) -> Option<proc_macro2::Ident> {
    match ty {
        Type::Timestamp(TimestampFormat::HttpDate) => Some(format_ident!("to_http_date")),
        Type::Timestamp(TimestampFormat::UnixSeconds) => Some(format_ident!("to_unix")),
        Type::List(item) => timestamp_method(item),
        _ => None,
    }
}
