//! How emitted code names what it uses: the runtime, the standard library, and the types of other groups.
//!
//! A [`Scope`] collects the imports of the file that is being emitted. A name that the file defines itself is written
//! with its full path instead, so a shape called `Value` does not break its neighbours.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::parse_quote;

use crate::api::{EnumId, Service, ShapeId};
use crate::names;

/// Where the emitted code lives, which decides how it reaches the runtime.
#[derive(Debug, Clone)]
pub enum Home {
    /// Inside the SDK: `crate::operation::Encoder`.
    Sdk,
    /// In another crate that is generated as well: `oss_sdk::__private::Encoder`.
    Outside {
        /// Name of the SDK's crate, e.g. `oss_sdk`.
        sdk: String,
    },
    /// In a user's crate, by a derive macro: nothing is imported, every path is absolute.
    Macro {
        /// Path of the SDK's crate, e.g. `::oss_sdk`.
        sdk: TokenStream,
        /// The user's types by the names that they have as shapes, with the places they were written at.
        types: Vec<(String, TokenStream)>,
    },
}

/// Runtime items by name, with the module of the SDK that has them.
const RUNTIME: &[(&str, &str)] = &[
    ("Body", "body"),
    ("BucketHost", "service"),
    ("Call", "client"),
    ("Encoder", "operation"),
    ("Entry", "dynamic"),
    ("Error", "error"),
    ("FromJson", "json"),
    ("FromText", "text"),
    ("JsonError", "json"),
    ("JsonObject", "json"),
    ("JsonReader", "json"),
    ("Names", "json"),
    ("NextPage", "operation"),
    ("Operation", "operation"),
    ("Output", "dynamic"),
    ("Paginate", "operation"),
    ("Presign", "operation"),
    ("Protocol", "service"),
    ("ReadXml", "xml"),
    ("Reply", "operation"),
    ("ResponseBody", "body"),
    ("ResultMeta", "operation"),
    ("ServiceSpec", "service"),
    ("SigningResource", "service"),
    ("Spec", "operation"),
    ("TextError", "text"),
    ("Timestamp", "time"),
    ("ToJson", "json"),
    ("ToText", "text"),
    ("UrlDecode", "text"),
    ("Verdict", "wait"),
    ("Wait", "wait"),
    ("WaiterSpec", "wait"),
    ("WireText", "text"),
    ("WriteXml", "xml"),
    ("XmlError", "xml"),
    ("XmlReader", "xml"),
    ("XmlWriter", "xml"),
    ("from_base64", "text"),
    ("without_prefix", "text"),
];

/// Items of other crates that the SDK imports by their own path and other crates through `__private`.
const FOREIGN: &[(&str, &str)] = &[
    ("Bytes", "bytes"),
    ("HeaderMap", "http"),
    ("Method", "http"),
    ("Value", "serde_json"),
];

/// Names of the standard library that derive macros must not leave to what the user's module calls so.
const STANDARD: &[(&str, &str)] = &[
    ("Box", "::std::boxed::Box"),
    ("BTreeMap", "::std::collections::BTreeMap"),
    ("Cow", "::std::borrow::Cow"),
    ("Default", "::std::default::Default"),
    ("Err", "::std::result::Result::Err"),
    ("From", "::std::convert::From"),
    ("FromStr", "::std::str::FromStr"),
    ("Infallible", "::std::convert::Infallible"),
    ("None", "::std::option::Option::None"),
    ("Ok", "::std::result::Result::Ok"),
    ("Option", "::std::option::Option"),
    ("Result", "::std::result::Result"),
    ("Some", "::std::option::Option::Some"),
    ("String", "::std::string::String"),
    ("Vec", "::std::vec::Vec"),
];

/// Standard names that are not in the prelude.
const STANDARD_IMPORTS: &[(&str, &str)] = &[
    ("BTreeMap", "std::collections"),
    ("Cow", "std::borrow"),
    ("FromStr", "std::str"),
    ("Infallible", "std::convert"),
];

/// The names in reach of one emitted file.
#[derive(Debug)]
pub struct Scope<'a> {
    /// The service whose code is emitted.
    pub service: &'a Service,
    home: Home,
    group: String,
    /// Whether the code stands in a module inside the group's own.
    nested: bool,
    defined: BTreeSet<String>,
    /// Module path and name of each import.
    imports: RefCell<BTreeSet<(String, String)>>,
    types: RefCell<BTreeSet<String>>,
}

impl<'a> Scope<'a> {
    /// The scope of the file of one group.
    pub fn of_group(service: &'a Service, group: &str, home: Home) -> Self {
        let mut defined = BTreeSet::new();
        defined.extend(service.shapes.iter().map(|shape| shape.name.clone()));
        defined.extend(service.enums.iter().map(|enumeration| enumeration.name.clone()));
        for (_, operation) in service.operations() {
            defined.insert(format!("{}Request", operation.name));
            defined.insert(format!("{}Result", operation.name));
        }
        Self {
            service,
            home,
            group: group.to_owned(),
            nested: false,
            defined,
            imports: RefCell::default(),
            types: RefCell::default(),
        }
    }

    /// The scope of a module inside the file of one group.
    pub fn of_module(service: &'a Service, group: &str, home: Home) -> Self {
        Self {
            nested: true,
            ..Self::of_group(service, group, home)
        }
    }

    /// Where the code lives.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// An item of the runtime.
    pub fn runtime(&self, name: &str) -> TokenStream {
        let ident = Ident::new(name, Span::call_site());
        let module = RUNTIME
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, module)| *module);
        let foreign = FOREIGN.iter().find(|(known, _)| *known == name).map(|(_, path)| *path);
        let path = match (&self.home, module, foreign) {
            (Home::Macro { sdk, .. }, ..) => return quote!(#sdk::__private::#ident),
            (Home::Outside { sdk }, ..) => format!("{sdk}::__private"),
            (Home::Sdk, Some(module), _) => format!("crate::{module}"),
            (Home::Sdk, None, Some(path)) => path.to_owned(),
            (Home::Sdk, None, None) => {
                unreachable!("`{name}` is not an item that emitted code uses")
            }
        };
        self.import(&path, name)
    }

    /// A name of the standard library.
    pub fn standard(&self, name: &str) -> TokenStream {
        if let Home::Macro { .. } = self.home {
            if let Some((_, path)) = STANDARD.iter().find(|(known, _)| *known == name) {
                return parse_path(path);
            }
        } else if let Some((_, path)) = STANDARD_IMPORTS.iter().find(|(known, _)| *known == name) {
            return self.import(path, name);
        }
        let ident = Ident::new(name, Span::call_site());
        quote!(#ident)
    }

    /// `fmt` of the standard library.
    pub fn fmt(&self) -> TokenStream {
        match self.home {
            Home::Macro { .. } => quote!(::std::fmt),
            _ => self.import("std", "fmt"),
        }
    }

    /// The type of a shape.
    pub fn shape(&self, id: ShapeId) -> TokenStream {
        let shape = self.service.shape(id);
        self.named_type(&shape.name, &shape.group)
    }

    /// The type of an enum.
    pub fn enumeration(&self, id: EnumId) -> TokenStream {
        let enumeration = self.service.enumeration(id);
        self.named_type(&enumeration.name, &enumeration.group)
    }

    fn named_type(&self, name: &str, group: &str) -> TokenStream {
        if let Home::Macro { types, .. } = &self.home
            && let Some((_, ty)) = types.iter().find(|(known, _)| known == name)
        {
            return ty.clone();
        }
        let ident = names::type_ident(name);
        if group != self.group {
            self.types.borrow_mut().insert(ident.to_string());
        } else if self.nested {
            self.imports
                .borrow_mut()
                .insert(("super".to_owned(), ident.to_string()));
        }
        quote!(#ident)
    }

    /// A request or result of the group.
    pub fn own(&self, ident: &Ident) -> TokenStream {
        if self.nested {
            self.imports
                .borrow_mut()
                .insert(("super".to_owned(), ident.to_string()));
        }
        quote!(#ident)
    }

    /// A request or result of any group.
    pub fn request_or_result(&self, ident: &Ident) -> TokenStream {
        let is_own = self.service.groups.iter().any(|group| {
            group.name == self.group
                && group.operations.iter().any(|operation| {
                    [
                        format!("{}Request", operation.name),
                        format!("{}Result", operation.name),
                    ]
                    .iter()
                    .any(|name| ident == name)
                })
        });
        if is_own {
            return quote!(#ident);
        }
        quote!(super::operations::#ident)
    }

    /// A function that stands in the file of a group.
    pub fn function(&self, ident: &Ident, group: &str) -> TokenStream {
        if group == self.group {
            return quote!(#ident);
        }
        let module = names::field_ident(group);
        quote!(super::#module::#ident)
    }

    /// The static of the service.
    pub fn service_static(&self) -> TokenStream {
        if let Home::Macro { sdk, .. } = &self.home {
            return quote!(#sdk::__private::SERVICE);
        }
        self.import("super", "SERVICE")
    }

    fn import(&self, path: &str, name: &str) -> TokenStream {
        let ident = Ident::new(name, Span::call_site());
        if self.defined.contains(name) {
            let path = parse_path(path);
            // A path of another crate is absolute, so that a module of that name cannot capture it.
            return if path.to_string().starts_with("crate") || path.to_string().starts_with("super") {
                quote!(#path::#ident)
            } else {
                quote!(::#path::#ident)
            };
        }
        self.imports.borrow_mut().insert((path.to_owned(), name.to_owned()));
        quote!(#ident)
    }

    /// The `use` items of the file: the standard library, other crates, ours.
    pub fn uses(&self) -> Vec<syn::ItemUse> {
        let mut by_path: BTreeMap<(u8, String), Vec<Ident>> = BTreeMap::new();
        for (path, name) in self.imports.borrow().iter() {
            let rank = match path.split("::").next() {
                Some("std") => 0,
                Some("crate") => 2,
                Some("super") => 3,
                _ => 1,
            };
            by_path
                .entry((rank, path.clone()))
                .or_default()
                .push(names::type_ident(name));
        }
        let types: Vec<Ident> = self.types.borrow().iter().map(|name| names::type_ident(name)).collect();
        if !types.is_empty() {
            let path = if self.nested {
                "super::super::types"
            } else {
                "super::types"
            };
            by_path.insert((4, path.to_owned()), types);
        }
        let mut uses: Vec<(u8, String, syn::ItemUse)> = by_path
            .into_iter()
            .map(|((rank, path), names)| {
                let tokens = parse_path(&path);
                let item: syn::ItemUse = match names.as_slice() {
                    [name] => parse_quote!(use #tokens::#name;),
                    names => parse_quote!(use #tokens::{#(#names),*};),
                };
                let first = if names.len() == 1 {
                    format!("{path}::{}", names[0])
                } else {
                    format!("{path}::{{")
                };
                (rank, first, item)
            })
            .collect();
        uses.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        uses.into_iter().map(|(_, _, item)| item).collect()
    }
}

/// Tokens of a path that this crate wrote itself.
fn parse_path(path: &str) -> TokenStream {
    path.parse().expect("a path of this module is valid Rust")
}
