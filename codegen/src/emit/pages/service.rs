//! The page of a service: what it is, where it is, how to reach it from Rust, and what it has.

use super::links::Links;
use super::markdown::{Page, code, link, sentences};
use super::{banner, errors, feature};
use crate::api::{BucketHost, Protocol, Service, SigningResource};
use crate::emit::{Options, models_directory};

/// The text of the page.
pub(super) fn page(service: &Service, options: &Options) -> String {
    let links = Links { service, page: "" };
    let mut page = Page::new(&banner(&models_directory(service)));
    page.heading(1, &service.name);
    page.paragraph(&sentences(&service.doc));
    page.paragraph(&link("All services", "../README.md"));
    page.table(["", ""], facts(service, options));

    page.heading(2, "Hosts");
    let rows = service.hosts.iter().map(|(kind, host)| [code(kind), code(host)]);
    page.table(["kind", "host"], rows);
    page.list(&host_rules(service));

    page.heading(2, "Operations");
    let rows = service.groups.iter().map(|group| {
        let operations: Vec<String> = group
            .operations
            .iter()
            .map(|operation| links.operation(&operation.name))
            .collect();
        [links.group(&group.name), operations.join(", ")]
    });
    page.table(["group", "operations"], rows);
    let (_, shared) = links.pages();
    let shared: Vec<String> = shared.iter().map(|name| links.group(name)).collect();
    if !shared.is_empty() {
        page.paragraph(&format!("What several groups use: {}.", super::and(&shared)));
    }

    if !service.waiters.is_empty() {
        page.heading(2, "Waiters");
    }
    let rows = service.waiters.iter().map(|waiter| {
        [
            links.waiter(waiter),
            links.operation(&waiter.operation),
            sentences(&waiter.doc),
        ]
    });
    page.table(["method", "calls", "what it does"], rows);

    if !service.errors.is_empty() {
        page.heading(2, "Error codes");
        errors::all(&mut page, service, options);
    }
    page.finish()
}

fn facts(service: &Service, options: &Options) -> Vec<[String; 2]> {
    let (operations, types) = options.public_modules(&service.name);
    let mut rows = vec![
        ["client".to_owned(), code(&options.public_client(&service.name))],
        ["cargo feature".to_owned(), feature(service)],
        ["requests and results".to_owned(), code(&operations)],
        ["structures and vocabularies".to_owned(), code(&types)],
        ["error codes".to_owned(), code(&errors::module(service, options))],
        ["protocol".to_owned(), protocol(service).to_owned()],
        ["signature".to_owned(), signature(service)],
    ];
    if let Some(version) = &service.api_version {
        rows.push(["version of the API".to_owned(), code(version)]);
    }
    rows
}

/// How documents are written, in words.
pub(super) fn protocol(service: &Service) -> &'static str {
    match service.protocol {
        Protocol::RestXml => "REST with XML documents",
        Protocol::RestJson => "REST with JSON documents",
        Protocol::RpcJson => "RPC with form parameters and JSON answers",
    }
}

fn signature(service: &Service) -> String {
    let product = code(&service.product);
    match service.signing {
        SigningResource::Bucket => format!("of OSS, for the product {product}; the resource is bucket and key"),
        SigningResource::VectorArn => {
            format!("V4, for the product {product}; the resource is the ARN of the vector bucket")
        }
        SigningResource::TableArn => {
            format!("V4, for the product {product}; the resource is the ARN of the table bucket")
        }
        SigningResource::Acs3 => "ACS3-HMAC-SHA256".to_owned(),
    }
}

fn host_rules(service: &Service) -> Vec<String> {
    let mut items = Vec::new();
    let has_buckets = service.signing != SigningResource::Acs3;
    if has_buckets {
        let label = match service.bucket_host {
            BucketHost::Bucket => "{bucket}",
            BucketHost::BucketAndAccount => "{bucket}-{account_id}",
        };
        items.push(format!("A bucket stands before the host as {}.", code(label)));
    }
    if let Some(template) = &service.bucket_name {
        items.push(format!(
            "A short bucket name is completed to {} before it is sent.",
            code(template)
        ));
    }
    if let Some(template) = &service.alias_host {
        items.push(format!(
            "A client that is told to use aliases puts {} before the host instead.",
            code(template)
        ));
    }
    items
}
