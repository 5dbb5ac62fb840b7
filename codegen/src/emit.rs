//! The API as Rust: from resolved types to the text of every generated file.
//!
//! One module for each kind of thing that is emitted. The parts that write `impl`s for a struct take the struct's name
//! and fields, so that the derive macros use the same code for structs of their users.

#[cfg(feature = "format")]
use std::collections::{BTreeMap, BTreeSet};

#[cfg(feature = "format")]
use proc_macro2::TokenStream;
#[cfg(feature = "format")]
use quote::quote;

#[cfg(feature = "format")]
use crate::api::{Api, EnumId, Group, Service, ShapeId};
#[cfg(feature = "format")]
use crate::{format, names};

pub mod checks;
#[cfg(feature = "format")]
pub mod client;
pub mod docs;
pub mod dynamic;
pub mod enums;
pub mod field;
pub mod form;
pub mod json;
pub mod operation;
#[cfg(feature = "format")]
pub mod pages;
pub mod paginate;
pub mod request;
pub mod result;
#[cfg(feature = "format")]
pub mod samples;
pub mod scope;
pub mod service;
pub mod shape;
pub mod structure;
pub mod url_decode;
#[cfg(feature = "format")]
pub mod waiter;
#[cfg(feature = "format")]
pub mod wire;
pub mod xml;

/// Generated files by their path from the repository's root, with `/`.
#[cfg(feature = "format")]
pub type Files = BTreeMap<String, String>;

/// What emitted code has to know of its surroundings.
#[cfg(feature = "format")]
#[derive(Debug, Clone)]
pub struct Options {
    /// Name of the SDK's crate in Rust, e.g. `oss_sdk`. The package may be renamed; nothing else holds the name.
    pub crate_name: String,
    /// Where the code goes.
    pub place: Place,
}

/// Where emitted code goes.
#[cfg(feature = "format")]
#[derive(Debug, Clone)]
pub enum Place {
    /// The SDK itself.
    Sdk,
    /// A module of another crate: code of a fixture that is compiled for real.
    Fixture {
        /// Directory of the module, e.g. `tests/suite/src/generated/obstacle`.
        directory: String,
        /// Path of the module, e.g. `crate::generated::obstacle`.
        module: String,
        /// Path of the client type that gets the methods.
        client: String,
    },
}

#[cfg(feature = "format")]
impl Options {
    /// Options for the SDK's own code.
    pub fn sdk_code(crate_name: &str) -> Self {
        Self {
            crate_name: crate_name.to_owned(),
            place: Place::Sdk,
        }
    }

    fn home(&self) -> scope::Home {
        match &self.place {
            Place::Sdk => scope::Home::Sdk,
            Place::Fixture { .. } => scope::Home::Outside {
                sdk: self.crate_name.clone(),
            },
        }
    }

    /// Name of the SDK's crate.
    pub fn sdk(&self) -> &str {
        &self.crate_name
    }

    fn directory(&self) -> &str {
        match &self.place {
            Place::Sdk => "oss-sdk/src/generated",
            Place::Fixture { directory, .. } => directory,
        }
    }

    /// Path of the client type of a service, where the code stands.
    pub fn client(&self, service: &str) -> String {
        match &self.place {
            Place::Sdk if service == MAIN_SERVICE => "crate::Client".to_owned(),
            Place::Sdk => format!("crate::{service}::Client"),
            Place::Fixture { client, .. } => client.clone(),
        }
    }

    /// Path of the client type of a service for users.
    pub fn public_client(&self, service: &str) -> String {
        self.client(service)
            .replace("crate::", &format!("{}::", self.crate_name))
    }

    /// Paths of the modules that have a service's requests and its types, for users.
    pub fn public_modules(&self, service: &str) -> (String, String) {
        let sdk = &self.crate_name;
        match &self.place {
            Place::Sdk if service == MAIN_SERVICE => (format!("{sdk}::operations"), format!("{sdk}::types")),
            Place::Sdk => (format!("{sdk}::{service}"), format!("{sdk}::{service}::types")),
            Place::Fixture { module, .. } => (
                format!("{module}::{service}::operations"),
                format!("{module}::{service}::types"),
            ),
        }
    }

    /// Whether operations get examples: those of fixtures could not be compiled as documentation.
    pub fn has_examples(&self) -> bool {
        matches!(self.place, Place::Sdk)
    }
}

/// The service whose client and types stand at the root of the crate, and which no feature switches off.
#[cfg(feature = "format")]
const MAIN_SERVICE: &str = "oss";

/// Emits all files of the API.
#[cfg(feature = "format")]
pub fn emit(api: &Api, options: &Options) -> Files {
    let mut files = Files::new();
    let directory = options.directory();
    let home = options.home();
    for service in &api.services {
        let groups = group_names(service);
        let source = format!("{}/service.yaml", models_directory(service));
        let group_list: Vec<String> = groups.iter().cloned().collect();
        let is_public = service.name == MAIN_SERVICE || matches!(options.place, Place::Fixture { .. });
        let tokens = service::emit(service, &group_list, &home, is_public);
        files.insert(format!("{directory}/{}.rs", service.name), text(&source, tokens));
        if let Place::Sdk = options.place {
            let tokens = client::emit_blocking(service, options);
            files.insert(
                format!("{directory}/{}/blocking.rs", service.name),
                text(&models_directory(service), tokens),
            );
        }
        for name in &groups {
            let group = service.groups.iter().find(|group| group.name == *name);
            let source = match group {
                Some(group) => group.source.clone(),
                None => format!("{}/{name}.yaml", models_directory(service)),
            };
            let tokens = self::group(service, name, group, options);
            files.insert(format!("{directory}/{}/{name}.rs", service.name), text(&source, tokens));
        }
    }
    files.insert(format!("{directory}.rs"), text("models", root(api, options)));
    files
}

/// Emits the samples of which the suite makes its wire snapshots.
#[cfg(feature = "format")]
pub fn emit_wire_samples(api: &Api, options: &Options, directory: &str) -> Files {
    let mut files = Files::new();
    for service in &api.services {
        let tokens = wire::emit(service, options);
        files.insert(
            format!("{directory}/{}.rs", service.name),
            text(&models_directory(service), tokens),
        );
    }
    let modules = api.services.iter().map(|service| {
        let ident = names::field_ident(&service.name);
        quote!(pub mod #ident;)
    });
    let services = api.services.iter().map(|service| names::field_ident(&service.name));
    let tokens = quote! {
        //! Samples of all operations, by service.

        #(#modules)*

        use crate::wire::Case;

        /// The samples of every operation, sorted by service and name.
        pub fn cases() -> Vec<Case> {
            let mut cases = Vec::new();
            #(cases.extend(#services::cases());)*
            cases
        }
    };
    files.insert(format!("{directory}.rs"), text("models", tokens));
    files
}

/// Names of a service's files, those that hold only shared shapes included.
#[cfg(feature = "format")]
fn group_names(service: &Service) -> BTreeSet<String> {
    let operations = service.groups.iter().map(|group| &group.name);
    let shapes = service.shapes.iter().map(|shape| &shape.group);
    let enums = service.enums.iter().map(|enumeration| &enumeration.group);
    operations.chain(shapes).chain(enums).cloned().collect()
}

/// Directory of a service's models, e.g. `models/oss`.
#[cfg(feature = "format")]
fn models_directory(service: &Service) -> String {
    match service.groups.first().and_then(|group| group.source.rsplit_once('/')) {
        Some((directory, _)) => directory.to_owned(),
        None => format!("models/{}", service.name),
    }
}

#[cfg(feature = "format")]
fn group(service: &Service, name: &str, group: Option<&Group>, options: &Options) -> TokenStream {
    let scope = scope::Scope::of_group(service, name, options.home());
    let mut items = TokenStream::new();
    let client = options.client(&service.name);
    for operation in group.map(|group| group.operations.as_slice()).unwrap_or_default() {
        let request = request::name(operation);
        let output = result::name(operation);
        let request_fields = request::fields(&scope, operation);
        let result_fields = result::fields(&scope, operation);
        items.extend(request::emit(&scope, operation, &client));
        items.extend(operation::emit(
            &scope,
            operation,
            &operation::Target {
                request: quote!(#request),
                request_fields: &request_fields,
                output: operation::Output::Struct(operation::Struct {
                    ty: quote!(#output),
                    fields: &result_fields,
                    meta: Some(names::field_ident("meta")),
                }),
            },
        ));
        if operation.presign {
            let presign = scope.runtime("Presign");
            items.extend(quote!(impl #presign for #request {}));
        }
        items.extend(paginate::emit(&scope, operation));
        items.extend(result::emit(&scope, operation, &client));
        if url_decode::is_needed(&scope, &result_fields) {
            items.extend(url_decode::emit(&scope, &output, &result_fields));
        }
    }
    for (index, shape) in service
        .shapes
        .iter()
        .enumerate()
        .filter(|(_, shape)| shape.group == name)
    {
        items.extend(shape::emit(&scope, shape));
        items.extend(
            shape
                .input
                .then(|| checks::function(&scope, shape, ShapeId(index)))
                .flatten(),
        );
    }
    let in_queries = json::enums_in_queries(service);
    for (index, enumeration) in service.enums.iter().enumerate() {
        if enumeration.group == name {
            let has_json = json::is_wire(&scope) || in_queries.contains(&EnumId(index));
            items.extend(enums::emit(&scope, enumeration, has_json));
        }
    }
    if let Some(group) = group.filter(|group| !group.operations.is_empty()) {
        items.extend(client::emit(&scope, group, options));
    }
    let dynamic = dynamic::emit(service, name, group, &options.home());
    let allow = uses_deprecated(service, name, group)
        .then(|| quote!(#![allow(deprecated, reason = "the code of deprecated members uses them")]));
    let uses = scope.uses();
    quote! {
        #allow
        #(#uses)*
        #items
        #dynamic
    }
}

/// Whether anything in a file is deprecated, so that the code around it would warn.
#[cfg(feature = "format")]
fn uses_deprecated(service: &Service, name: &str, group: Option<&Group>) -> bool {
    let shapes = service
        .shapes
        .iter()
        .filter(|shape| shape.group == name)
        .flat_map(|shape| &shape.members);
    let operations = group.map(|group| group.operations.as_slice()).unwrap_or_default();
    let members = operations
        .iter()
        .flat_map(|operation| operation.request.iter().chain(&operation.result));
    shapes.chain(members).any(|member| member.deprecated.is_some())
}

/// The list of services; all but the main one are behind a feature of their name.
#[cfg(feature = "format")]
fn root(api: &Api, options: &Options) -> TokenStream {
    let modules = api.services.iter().map(|service| {
        let visibility = match options.place {
            Place::Sdk => quote!(pub(crate)),
            Place::Fixture { .. } => quote!(pub),
        };
        let ident = names::field_ident(&service.name);
        let feature = &service.name;
        let condition = (matches!(options.place, Place::Sdk) && feature != MAIN_SERVICE)
            .then(|| quote!(#[cfg(feature = #feature)]));
        quote!(#condition #visibility mod #ident;)
    });
    quote! {
        //! Typed operations, made from the models: one module for each service.

        #(#modules)*
    }
}

#[cfg(feature = "format")]
fn text(source: &str, tokens: TokenStream) -> String {
    format!("{}\n{}", banner(source), format::file(tokens))
}

/// First line of a generated file.
#[cfg(feature = "format")]
pub fn banner(source: &str) -> String {
    format!("{MARKER} from {source}. Do not edit.\n")
}

/// What the first line of every generated file starts with.
pub const MARKER: &str = "// @generated by `cargo xtask codegen`";
