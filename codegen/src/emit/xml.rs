//! XML documents: `WriteXml` and `ReadXml` of a struct, from the wire paths of its members.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

use super::checks::{self, Checker};
use super::field::Field;
use super::form;
use super::scope::Scope;
use crate::api::{Shape, TimestampFormat, Type};

/// Wire paths as a tree: `Owner>ID` and `Owner>DisplayName` are two leaves in one element.
#[derive(Debug, Default)]
struct Node {
    /// Indexes of the fields that are read and written here: one, or several that differ in their prefixes.
    fields: Vec<usize>,
    /// Child elements in the order in which they were first named.
    children: Vec<(String, Node)>,
}

impl Node {
    /// Adds a field, unless its place is taken by one that it cannot share it with.
    fn insert(&mut self, path: &[String], field: usize, shares: bool) {
        let Some((first, rest)) = path.split_first() else {
            if shares || self.fields.is_empty() {
                self.fields.push(field);
            }
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
        self.children[at].1.insert(rest, field, shares);
    }
}

/// `impl WriteXml`, over the fields of the document; of a shape with the rules that it has as a whole.
pub fn write_impl(scope: &Scope<'_>, target: &TokenStream, fields: &[Field<'_>], shape: Option<&Shape>) -> TokenStream {
    let write_xml = scope.runtime("WriteXml");
    let writer = scope.runtime("XmlWriter");
    let mut checks = checks::emit(scope, fields, Checker::Writer);
    checks.extend(shape.map(|shape| checks::together(shape, fields, Checker::Writer)));
    let mut root = Node::default();
    for (index, field) in fields.iter().enumerate() {
        root.insert(&field.member.wire, index, field.member.prefix.is_some());
    }
    let statements = write_children(scope, &root, fields);
    let parameter = if checks.is_empty() && statements.is_empty() {
        quote!(_writer)
    } else {
        quote!(writer)
    };
    quote! {
        impl #write_xml for #target {
            #[inline]
            fn write_xml(&self, #parameter: &mut #writer) {
                #checks
                #statements
            }
        }
    }
}

fn write_children(scope: &Scope<'_>, node: &Node, fields: &[Field<'_>]) -> TokenStream {
    let statements = node.children.iter().map(|(name, child)| match child.fields.as_slice() {
        [] => {
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
        indexes => indexes
            .iter()
            .map(|&index| write_field(scope, name, &fields[index]))
            .collect(),
    });
    quote!(#(#statements)*)
}

/// Whether anything below a wrapper is present; `None` when something always is.
fn presence(node: &Node, fields: &[Field<'_>]) -> Option<TokenStream> {
    let mut conditions = Vec::new();
    for (_, child) in &node.children {
        if child.fields.is_empty() {
            conditions.push(presence(child, fields)?);
        }
        for &index in &child.fields {
            conditions.push(fields[index].is_present()?);
        }
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
    if let Some(value) = form::to_wire(scope, field) {
        return match (ty, field.optional) {
            (Type::List(_), _) => quote!(writer.list(#name, &#value);),
            (_, true) => quote!(writer.optional(#name, #value.as_ref());),
            (_, false) => quote!(writer.element(#name, &#value);),
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
        root.insert(&field.member.wire, index, field.member.prefix.is_some());
        let wrappers = field.member.wire.len().saturating_sub(1);
        for alias in &field.member.aliases {
            let mut path = field.member.wire[..wrappers].to_vec();
            path.push(alias.clone());
            root.insert(&path, index, false);
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
        let (names, action) = match child.fields.as_slice() {
            indexes @ [index, ..] => {
                if done.contains(&index) {
                    return None;
                }
                done.push(index);
                let names = node
                    .children
                    .iter()
                    .filter(|(_, other)| other.fields == indexes)
                    .map(|(name, _)| name);
                let action = match indexes {
                    [index] => read_field(scope, &fields[*index]),
                    indexes => read_by_prefix(scope, indexes.iter().map(|&index| &fields[index])),
                };
                (names.collect::<Vec<_>>(), action)
            }
            [] => {
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
        _ => match form::reader(scope, field.member) {
            Some(read) => quote!(reader.value_with(#read)?),
            None => quote!(reader.value()?),
        },
    };
    assign(scope, field, &value)
}

/// Reads an element that belongs to the field whose prefix it has.
fn read_by_prefix<'a>(scope: &Scope<'_>, fields: impl Iterator<Item = &'a Field<'a>>) -> TokenStream {
    let some = scope.standard("Some");
    let branches = fields.map(|field| {
        let prefix = field.member.prefix.as_deref().unwrap_or_default();
        let assign = assign(scope, field, &quote!(rest.into()));
        quote!(if let #some(rest) = text.strip_prefix(#prefix) { #assign; })
    });
    quote! {{
        let text = reader.text()?;
        #(#branches)else*
    }}
}

/// Gives a field the value that was read.
fn assign(scope: &Scope<'_>, field: &Field<'_>, value: &TokenStream) -> TokenStream {
    let ident = &field.ident;
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
