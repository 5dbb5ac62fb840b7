//! Members of the model as fields of a struct: their Rust types and how they are set.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::scope::Scope;
use crate::api::{Literal, Member, Place, Service, Shape, ShapeId, Type};
use crate::names;

/// What kind of struct the members are in.
#[derive(Debug, Clone, Copy)]
pub enum Role<'a> {
    /// An operation's request.
    Request,
    /// An operation's result.
    Result,
    /// A shape of documents.
    Shape(&'a Shape),
}

/// One field of an emitted struct.
#[derive(Debug, Clone)]
pub struct Field<'a> {
    /// What the model says.
    pub member: &'a Member,
    /// The field's name.
    pub ident: Ident,
    /// Whether the field is an `Option`.
    pub optional: bool,
    /// Whether the value is boxed, because its type contains itself.
    pub boxed: bool,
}

/// The fields of a struct, in the model's order.
pub fn fields<'a>(service: &Service, members: &'a [Member], role: Role<'_>) -> Vec<Field<'a>> {
    members
        .iter()
        .map(|member| {
            let reads = match role {
                Role::Request => false,
                Role::Result => true,
                // What was read may be written again, and must not gain what it did not have.
                Role::Shape(shape) => shape.output && !shape.input,
            };
            let is_value = !matches!(member.ty, Type::List(_) | Type::Map(_) | Type::Stream);
            Field {
                member,
                ident: names::field_ident(&member.name),
                optional: is_value && !member.required && !(reads && member.default.is_some()),
                boxed: match (role, &member.ty) {
                    (Role::Shape(shape), Type::Shape(id)) => contains(service, *id, &shape.name),
                    _ => false,
                },
            }
        })
        .collect()
}

/// Whether a value of the shape holds one of the shape `name` without a list or map between.
fn contains(service: &Service, id: ShapeId, name: &str) -> bool {
    let mut seen = vec![id];
    let mut next = 0;
    while let Some(&id) = seen.get(next) {
        next += 1;
        let shape = service.shape(id);
        if shape.name == name {
            return true;
        }
        for member in &shape.members {
            if let Type::Shape(id) = member.ty
                && !seen.contains(&id)
            {
                seen.push(id);
            }
        }
    }
    false
}

impl Field<'_> {
    /// The type of the field.
    pub fn ty(&self, scope: &Scope<'_>, role: Role<'_>) -> TokenStream {
        let mut ty = match (&self.member.ty, role) {
            (Type::Stream, Role::Result) => scope.runtime("ResponseBody"),
            (ty, _) => rust_type(scope, ty),
        };
        if self.boxed {
            let boxed = scope.standard("Box");
            ty = quote!(#boxed<#ty>);
        }
        if self.optional {
            let option = scope.standard("Option");
            ty = quote!(#option<#ty>);
        }
        ty
    }

    /// The parameter that a setter or `new` takes for it.
    pub fn parameter(&self, scope: &Scope<'_>) -> TokenStream {
        match &self.member.ty {
            Type::List(item) => {
                let item = argument(scope, item);
                quote!(impl IntoIterator<Item = #item>)
            }
            Type::Map(item) => {
                let item = argument(scope, item);
                quote!(impl IntoIterator<Item = (impl Into<String>, #item)>)
            }
            ty => argument(scope, ty),
        }
    }

    /// The field's value from such a parameter, without the `Some` around it.
    pub fn from_parameter(&self, parameter: &Ident) -> TokenStream {
        let value = match &self.member.ty {
            Type::List(item) if is_plain(item) => quote!(#parameter.into_iter().collect()),
            Type::List(_) => quote!(#parameter.into_iter().map(Into::into).collect()),
            Type::Map(item) if is_plain(item) => {
                quote!(#parameter.into_iter().map(|(name, value)| (name.into(), value)).collect())
            }
            Type::Map(_) => {
                quote!(#parameter.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
            }
            ty if is_plain(ty) => quote!(#parameter),
            _ => quote!(#parameter.into()),
        };
        if self.boxed { quote!(Box::new(#value)) } else { value }
    }

    /// Whether the member belongs to a document that is made of the struct's own members.
    pub fn is_field(&self) -> bool {
        self.member.place == Place::Field
    }

    /// A condition that is true when the member has something to send; `None` when it always has.
    pub fn is_present(&self) -> Option<TokenStream> {
        self.is_present_in(&quote!(self))
    }

    /// A condition that is true when the member has nothing to send; `None` when it always has something.
    pub fn is_absent(&self) -> Option<TokenStream> {
        let ident = &self.ident;
        match self.member.ty {
            Type::List(_) | Type::Map(_) => Some(quote!(self.#ident.is_empty())),
            _ if self.optional => Some(quote!(self.#ident.is_none())),
            _ => None,
        }
    }

    /// The same as [`is_present`](Self::is_present) for the field of another value than `self`.
    pub fn is_present_in(&self, subject: &TokenStream) -> Option<TokenStream> {
        let ident = &self.ident;
        match self.member.ty {
            Type::List(_) | Type::Map(_) => Some(quote!(!#subject.#ident.is_empty())),
            _ if self.optional => Some(quote!(#subject.#ident.is_some())),
            _ => None,
        }
    }

    /// How a default is taken when a value is absent: made only then when making it allocates.
    pub fn or_default(&self, scope: &Scope<'_>) -> TokenStream {
        match (self.default_value(scope), &self.member.default, &self.member.ty) {
            (None, ..) => quote!(unwrap_or_default()),
            (Some(value), Some(Literal::String(text)), ty) if !is_variant(scope, text, ty) => {
                quote!(unwrap_or_else(|| #value))
            }
            (Some(value), ..) => quote!(unwrap_or(#value)),
        }
    }

    /// The model's default as an expression of the field's type, when it is not what `Default` gives anyway.
    pub fn default_value(&self, scope: &Scope<'_>) -> Option<TokenStream> {
        if self.optional {
            return None;
        }
        let value = match self.member.default.as_ref()? {
            Literal::Bool(false) | Literal::Integer(0) => return None,
            Literal::String(text) if text.is_empty() && self.member.ty == Type::String => {
                return None;
            }
            Literal::Float(number) if *number == 0.0 => return None,
            literal => literal_value(scope, literal, &self.member.ty),
        };
        Some(value)
    }
}

/// Whether a text is a documented value of an enum.
fn is_variant(scope: &Scope<'_>, text: &str, ty: &Type) -> bool {
    matches!(ty, Type::Enum(id) if scope.service.enumeration(*id).values.iter().any(|value| value.wire == text))
}

/// A literal of the model as an expression of a type.
fn literal_value(scope: &Scope<'_>, literal: &Literal, ty: &Type) -> TokenStream {
    match (literal, ty) {
        (Literal::String(text), Type::Enum(id)) => {
            let ty = scope.enumeration(*id);
            match scope
                .service
                .enumeration(*id)
                .values
                .iter()
                .find(|value| value.wire == *text)
            {
                Some(value) => {
                    let variant = names::variant_ident(&value.variant);
                    quote!(#ty::#variant)
                }
                None => quote!(#ty::from(#text)),
            }
        }
        (Literal::String(text), _) => quote!(#text.into()),
        (Literal::Integer(number), Type::Float | Type::Float32) => {
            let number = proc_macro2::Literal::f64_unsuffixed(*number as f64);
            quote!(#number)
        }
        (Literal::Integer(number), _) => {
            let number = proc_macro2::Literal::i64_unsuffixed(*number);
            quote!(#number)
        }
        (Literal::Float(number), _) => {
            let number = proc_macro2::Literal::f64_unsuffixed(*number);
            quote!(#number)
        }
        (Literal::Bool(value), _) => quote!(#value),
    }
}

/// The Rust type of a value; streams are those of requests.
pub fn rust_type(scope: &Scope<'_>, ty: &Type) -> TokenStream {
    match ty {
        Type::String | Type::Base64String => scope.standard("String"),
        Type::Integer => quote!(i64),
        Type::Float => quote!(f64),
        Type::Float32 => quote!(f32),
        Type::Bool => quote!(bool),
        Type::Timestamp(_) => scope.runtime("Timestamp"),
        Type::Any => scope.runtime("Value"),
        Type::Bytes => scope.runtime("Bytes"),
        Type::Shape(id) => scope.shape(*id),
        Type::Enum(id) => scope.enumeration(*id),
        Type::List(item) => {
            let vec = scope.standard("Vec");
            let item = rust_type(scope, item);
            quote!(#vec<#item>)
        }
        Type::Map(item) => {
            let map = scope.standard("BTreeMap");
            let string = scope.standard("String");
            let item = rust_type(scope, item);
            quote!(#map<#string, #item>)
        }
        Type::Stream => scope.runtime("Body"),
    }
}

/// What a parameter accepts for one value.
fn argument(scope: &Scope<'_>, ty: &Type) -> TokenStream {
    let rust = rust_type(scope, ty);
    if is_plain(ty) { rust } else { quote!(impl Into<#rust>) }
}

/// Whether parameters take the type itself: numbers and flags, because literals would not know their type, and
/// structures, because an empty list would not.
fn is_plain(ty: &Type) -> bool {
    matches!(
        ty,
        Type::Integer | Type::Float | Type::Float32 | Type::Bool | Type::Shape(_) | Type::List(_) | Type::Map(_)
    )
}
