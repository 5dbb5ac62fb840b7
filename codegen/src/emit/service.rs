//! The module of a service: its groups, its facts, its error codes, and the public lists of its types.

use std::collections::BTreeMap;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

use super::docs::Docs;
use super::scope::{Home, Scope};
use super::{request, result};
use crate::api::{BucketHost, Protocol, Service, SigningResource};
use crate::names;

/// The content of `<service>.rs`.
///
/// `is_public` says whether the service's facts and its list of requests and results can be named from outside; other
/// services give out only what the list holds.
pub fn emit(service: &Service, groups: &[String], home: &Home, is_public: bool) -> TokenStream {
    let scope = Scope::of_group(service, "", home.clone());
    let docs = Docs::of(&service.doc).inner_tokens();
    let modules = groups.iter().map(|group| {
        let ident = names::field_ident(group);
        quote!(mod #ident;)
    });
    // A file of its own, which a build without the feature does not even read.
    let blocking = matches!(home, Home::Sdk).then(|| {
        quote!(
            #[cfg(feature = "blocking")]
            mod blocking;
        )
    });
    let visibility = if is_public { quote!(pub) } else { quote!(pub(crate)) };
    let spec = spec(&scope, service, &visibility);
    let operations = operations(service, &visibility);
    let types = types(service);
    let errors = errors(service);
    let table = table(&scope, service);
    let uses = scope.uses();
    quote! {
        #docs
        #(#uses)*
        #(#modules)*
        #blocking
        #spec
        #operations
        #types
        #errors
        #table
    }
}

fn spec(scope: &Scope<'_>, service: &Service, visibility: &TokenStream) -> TokenStream {
    let spec = scope.runtime("ServiceSpec");
    let protocol = scope.runtime("Protocol");
    let name = &service.name;
    let variant = format_ident!(
        "{}",
        match service.protocol {
            Protocol::RestXml => "RestXml",
            Protocol::RestJson => "RestJson",
            Protocol::RpcJson => "RpcJson",
        }
    );
    let product = &service.product;
    let hosts = service.hosts.iter().map(|(kind, template)| quote!((#kind, #template)));
    let subresources = &service.subresources;
    let mut out = quote!(#spec::new(#name, #protocol::#variant).product(#product).hosts(&[#(#hosts),*]));
    if let Some(version) = &service.api_version {
        out.extend(quote!(.api_version(#version)));
    }
    if service.bucket_host == BucketHost::BucketAndAccount {
        let bucket_host = scope.runtime("BucketHost");
        out.extend(quote!(.bucket_host(#bucket_host::BucketAndAccount)));
    }
    if let Some(template) = &service.bucket_name {
        out.extend(quote!(.bucket_name(#template)));
    }
    if let Some(template) = &service.alias_host {
        out.extend(quote!(.alias_host(#template)));
    }
    let signing = match service.signing {
        SigningResource::Bucket => None,
        SigningResource::VectorArn => Some("VectorArn"),
        SigningResource::TableArn => Some("TableArn"),
        SigningResource::Acs3 => Some("Acs3"),
    };
    if let Some(variant) = signing {
        let signing = scope.runtime("SigningResource");
        let variant = format_ident!("{variant}");
        out.extend(quote!(.signing(#signing::#variant)));
    }
    if !subresources.is_empty() {
        out.extend(quote!(.subresources(&[#(#subresources),*])));
    }
    quote! {
        /// What the runtime knows of the service.
        #visibility static SERVICE: #spec = #out;
    }
}

/// `mod operations`: requests and results of all groups.
fn operations(service: &Service, visibility: &TokenStream) -> TokenStream {
    let mut by_group: BTreeMap<&str, Vec<Ident>> = BTreeMap::new();
    for (group, operation) in service.operations() {
        by_group
            .entry(&group.name)
            .or_default()
            .extend([request::name(operation), result::name(operation)]);
    }
    let uses = public_uses(by_group);
    quote! {
        /// Requests and results of all operations.
        #visibility mod operations {
            #uses
        }
    }
}

/// `pub mod types`: shapes and enums of all groups.
fn types(service: &Service) -> TokenStream {
    let mut by_group: BTreeMap<&str, Vec<Ident>> = BTreeMap::new();
    for shape in &service.shapes {
        by_group
            .entry(&shape.group)
            .or_default()
            .push(names::type_ident(&shape.name));
    }
    for enumeration in &service.enums {
        by_group
            .entry(&enumeration.group)
            .or_default()
            .push(names::type_ident(&enumeration.name));
    }
    let uses = public_uses(by_group);
    quote! {
        /// The structures and vocabularies that requests and results are made of.
        pub mod types {
            #uses
        }
    }
}

fn public_uses(by_group: BTreeMap<&str, Vec<Ident>>) -> TokenStream {
    let uses = by_group.into_iter().map(|(group, mut names)| {
        names.sort();
        let group = names::field_ident(group);
        match names.as_slice() {
            [name] => quote!(pub use super::#group::#name;),
            names => quote!(pub use super::#group::{#(#names),*};),
        }
    });
    quote!(#(#uses)*)
}

/// `pub mod errors`: a constant for each documented code.
fn errors(service: &Service) -> Option<TokenStream> {
    if service.errors.is_empty() {
        return None;
    }
    let constants = service.errors.iter().map(|error| {
        let name = Ident::new(&constant(&error.code), Span::call_site());
        let code = &error.code;
        let mut docs = Docs::of(&error.doc);
        docs.paragraph(&format!("Comes with status {}.", error.status));
        let docs = docs.tokens();
        quote!(#docs pub const #name: &str = #code;)
    });
    Some(quote! {
        /// Error codes that the service documents, to compare with the code of an error.
        pub mod errors {
            #(#constants)*
        }
    })
}

/// `NoSuchKey` as `NO_SUCH_KEY`; a leading digit gets a prefix.
pub fn constant(code: &str) -> String {
    let name = names::to_snake(code).to_ascii_uppercase();
    match name.chars().next() {
        Some(first) if first.is_ascii_digit() => format!("CODE_{name}"),
        Some(_) => name,
        None => "CODE_".to_owned(),
    }
}

/// The operations by name, for calls by name; only the SDK itself has them.
fn table(scope: &Scope<'_>, service: &Service) -> Option<TokenStream> {
    if !matches!(scope.home(), Home::Sdk) {
        return None;
    }
    // Named by its path, because an import would be unused without the feature.
    let entry = quote!(crate::dynamic::Entry);
    let mut requests: Vec<(&str, Ident)> = service
        .operations()
        .map(|(_, operation)| (operation.name.as_str(), request::name(operation)))
        .collect();
    requests.sort();
    let rows = requests
        .iter()
        .map(|(name, request)| quote!(#entry::new::<operations::#request>(#name),));
    Some(quote! {
        /// All operations, sorted by name.
        #[cfg(feature = "dynamic")]
        pub(crate) static OPERATIONS: &[#entry] = &[#(#rows)*];
    })
}
