//! Sample requests and answers of every operation, as source of the suite that renders them.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::samples::{Extent, Sampler};
use super::{Options, request};
use crate::api::{Operation, Service};
use crate::names;

/// The content of `wire/<service>.rs`.
pub fn emit(service: &Service, options: &Options) -> TokenStream {
    let doc = format!(" Samples of the operations of `{}`.", service.name);
    let mut requests = Vec::new();
    let mut types = std::collections::BTreeSet::new();
    let mut functions = TokenStream::new();
    let mut names_in_order = Vec::new();
    let mut operations: Vec<&Operation> = service.operations().map(|(_, operation)| operation).collect();
    operations.sort_by(|a, b| a.name.cmp(&b.name));
    for operation in operations {
        let (function, used) = case(service, operation);
        functions.extend(function);
        types.extend(used.iter().map(ToString::to_string));
        requests.push(request::name(operation));
        names_in_order.push(names::field_ident(&operation.method_name));
    }
    let (operations_path, types_path) = options.public_modules(&service.name);
    let operations_path: TokenStream = operations_path.parse().expect("module paths are valid Rust");
    let types_path: TokenStream = types_path.parse().expect("module paths are valid Rust");
    let client: TokenStream = options
        .public_client(&service.name)
        .parse()
        .expect("a client's path is valid Rust");
    let types: Vec<_> = types.iter().map(|name| names::type_ident(name)).collect();
    let use_types = (!types.is_empty()).then(|| quote!(use #types_path::{#(#types),*};));
    quote! {
        #![doc = #doc]

        use crate::wire::{Answer, Case};
        use #client;
        use #operations_path::{#(#requests),*};
        #use_types

        /// All operations, sorted by name.
        pub fn cases() -> Vec<Case> {
            vec![#(#names_in_order()),*]
        }

        #functions
    }
}

fn case(service: &Service, operation: &Operation) -> (TokenStream, Vec<proc_macro2::Ident>) {
    let function = names::field_ident(&operation.method_name);
    let service_name = &service.name;
    let operation_name = &operation.name;
    let minimal = Sampler::new(service, Extent::Minimal);
    let filled = Sampler::new(service, Extent::Filled);
    let minimal_request = minimal.request(operation);
    let filled_request = filled.request(operation);
    let response = filled.response(operation);
    let status = Literal::u16_unsuffixed(response.status);
    let headers = response.headers.iter().map(|(name, value)| quote!((#name, #value)));
    let body = match std::str::from_utf8(&response.body) {
        Ok(text) if !response.body.contains(&0) => quote!(#text.as_bytes()),
        _ => {
            let bytes = Literal::byte_string(&response.body);
            quote!(#bytes)
        }
    };
    let mut types = minimal.types();
    types.extend(filled.types());
    let tokens = quote! {
        fn #function() -> Case {
            Case::new::<Client, _>(
                #service_name,
                #operation_name,
                #minimal_request,
                #filled_request,
                Answer { status: #status, headers: &[#(#headers),*], body: #body },
            )
        }
    };
    (tokens, types)
}
