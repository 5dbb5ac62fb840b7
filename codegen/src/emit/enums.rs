//! Open enums: the documented values, and one variant that keeps any other.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::docs::Docs;
use super::json;
use super::scope::Scope;
use crate::api::Enum;
use crate::names;

/// The values of an open enum, however it was declared.
#[derive(Debug)]
pub struct OpenEnum {
    /// The type.
    pub name: Ident,
    /// Variants with the texts that are read as them; the first of them is the one that is written.
    pub values: Vec<(Ident, Vec<String>)>,
    /// The variant that keeps any other text.
    pub unknown: Ident,
}

/// The enum and its conversions from and to text, and to JSON where documents of the service hold it.
pub fn emit(scope: &Scope<'_>, enumeration: &Enum, has_json: bool) -> TokenStream {
    let name = names::type_ident(&enumeration.name);
    let docs = Docs::of(&enumeration.doc).tokens();
    let values: Vec<(Ident, Vec<String>)> = enumeration
        .values
        .iter()
        .map(|value| (names::variant_ident(&value.variant), vec![value.wire.clone()]))
        .collect();
    let variants = values.iter().map(|(variant, _)| variant);
    let value_docs = enumeration.values.iter().map(|value| Docs::of(&value.doc).tokens());
    let json = has_json.then(|| json::enumeration(scope, &name));
    let declared = quote! {
        #docs
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum #name {
            #(#value_docs #variants,)*
            /// A value that this version does not know, as it is on the wire.
            Unknown(String),
        }
    };
    let conversions = conversions(
        scope,
        &OpenEnum {
            name,
            values,
            unknown: format_ident!("Unknown"),
        },
    );
    quote! {
        #declared
        #conversions
        #json
    }
}

/// The conversions of an open enum from and to text.
pub fn conversions(scope: &Scope<'_>, open: &OpenEnum) -> TokenStream {
    let OpenEnum { name, values, unknown } = open;
    let fmt = scope.fmt();
    let from_str = scope.standard("FromStr");
    let infallible = scope.standard("Infallible");
    let cow = scope.standard("Cow");
    let [string, result, ok, from, default] =
        ["String", "Result", "Ok", "From", "Default"].map(|name| scope.standard(name));
    let to_text = scope.runtime("ToText");
    let from_text = scope.runtime("FromText");
    let text_error = scope.runtime("TextError");
    let variants: Vec<&Ident> = values.iter().map(|(variant, _)| variant).collect();
    let wires = values.iter().filter_map(|(_, texts)| texts.first());
    let texts = values.iter().map(|(_, texts)| quote!(#(#texts)|*));
    quote! {
        impl #name {
            /// The value on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    #(Self::#variants => #wires,)*
                    Self::#unknown(value) => value,
                }
            }
        }

        impl #from<&str> for #name {
            fn from(value: &str) -> Self {
                match value {
                    #(#texts => Self::#variants,)*
                    _ => Self::#unknown(value.to_owned()),
                }
            }
        }

        impl #from<#string> for #name {
            fn from(value: #string) -> Self {
                Self::from(value.as_str())
            }
        }

        /// An empty value that is not sent by the service, for structures that are filled later.
        impl #default for #name {
            fn default() -> Self {
                Self::#unknown(#string::new())
            }
        }

        impl #fmt::Display for #name {
            fn fmt(&self, f: &mut #fmt::Formatter<'_>) -> #fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl #from_str for #name {
            type Err = #infallible;

            fn from_str(text: &str) -> #result<Self, #infallible> {
                #ok(Self::from(text))
            }
        }

        impl #to_text for #name {
            fn to_text(&self) -> #cow<'_, str> {
                #cow::Borrowed(self.as_str())
            }
        }

        impl #from_text for #name {
            fn from_text(text: &str) -> #result<Self, #text_error> {
                #ok(Self::from(text))
            }
        }
    }
}
