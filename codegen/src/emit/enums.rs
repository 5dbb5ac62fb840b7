//! Open enums: the documented values, and one variant that keeps any other.

use proc_macro2::TokenStream;
use quote::quote;

use super::docs::Docs;
use super::json;
use super::scope::Scope;
use crate::api::Enum;
use crate::names;

/// The enum and its conversions from and to text, and to JSON where documents of the service hold it.
pub fn emit(scope: &Scope<'_>, enumeration: &Enum, has_json: bool) -> TokenStream {
    let name = names::type_ident(&enumeration.name);
    let docs = Docs::of(&enumeration.doc).tokens();
    let fmt = scope.fmt();
    let from_str = scope.standard("FromStr");
    let infallible = scope.standard("Infallible");
    let cow = scope.standard("Cow");
    let to_text = scope.runtime("ToText");
    let from_text = scope.runtime("FromText");
    let text_error = scope.runtime("TextError");

    let wires: Vec<&str> = enumeration.values.iter().map(|value| value.wire.as_str()).collect();
    let variants: Vec<_> = enumeration
        .values
        .iter()
        .map(|value| names::variant_ident(&value.variant))
        .collect();
    let value_docs = enumeration.values.iter().map(|value| Docs::of(&value.doc).tokens());
    let json = has_json.then(|| json::enumeration(scope, &name));

    quote! {
        #docs
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum #name {
            #(#value_docs #variants,)*
            /// A value that this version does not know, as it is on the wire.
            Unknown(String),
        }

        impl #name {
            /// The value on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    #(Self::#variants => #wires,)*
                    Self::Unknown(value) => value,
                }
            }
        }

        impl From<&str> for #name {
            fn from(value: &str) -> Self {
                match value {
                    #(#wires => Self::#variants,)*
                    _ => Self::Unknown(value.to_owned()),
                }
            }
        }

        impl From<String> for #name {
            fn from(value: String) -> Self {
                Self::from(value.as_str())
            }
        }

        /// An empty value that is not sent by the service, for structures that are filled later.
        impl Default for #name {
            fn default() -> Self {
                Self::Unknown(String::new())
            }
        }

        impl #fmt::Display for #name {
            fn fmt(&self, f: &mut #fmt::Formatter<'_>) -> #fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl #from_str for #name {
            type Err = #infallible;

            fn from_str(text: &str) -> Result<Self, #infallible> {
                Ok(Self::from(text))
            }
        }

        impl #to_text for #name {
            fn to_text(&self) -> #cow<'_, str> {
                #cow::Borrowed(self.as_str())
            }
        }

        impl #from_text for #name {
            fn from_text(text: &str) -> Result<Self, #text_error> {
                Ok(Self::from(text))
            }
        }

        #json
    }
}
