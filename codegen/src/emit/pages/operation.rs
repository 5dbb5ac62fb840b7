//! One operation: how it is called, what it takes and gives, what can go wrong, and an example.

use super::behaviour;
use super::errors;
use super::http::http_line;
use super::links::Links;
use super::markdown::{Page, code, link, sentences};
use super::members;
use super::{and, feature};
use crate::api::{BodyKind, Member, Operation, Place, Protocol};
use crate::emit::field::Role;
use crate::emit::{Options, request, result, samples};

/// Adds an operation.
pub(super) fn section(page: &mut Page, links: Links<'_>, operation: &Operation, options: &Options) {
    let service = links.service;
    page.heading(2, &operation.name);
    if let Some(note) = behaviour::deprecation(operation.deprecated.as_ref()) {
        page.paragraph(&note);
    }
    page.paragraph(&sentences(&operation.doc));
    let mut lines = vec![http_line(operation)];
    lines.extend(operation.headers.iter().map(|(name, value)| format!("{name}: {value}")));
    page.code("http", &lines);
    page.list(&facts(links, operation, options));
    let behaviour = behaviour::sentences_of(operation);
    if !behaviour.is_empty() {
        page.heading(3, "Behaviour");
        page.list(&behaviour);
    }

    page.heading(3, "Request");
    if operation.request.is_empty() {
        page.paragraph("It has no members.");
    }
    match (links.service.protocol, operation.request_body) {
        (Protocol::RpcJson, _) => page.paragraph("The request is a form with the name of the operation as `Action`."),
        (_, BodyKind::Document) => {
            let body = document(links, &operation.request, operation.request_root.as_ref());
            page.paragraph(&format!("The request is {body}."));
        }
        _ => {}
    }
    members::of_operation(page, links, &operation.request, Role::Request);

    page.heading(3, "Result");
    if operation.result.is_empty() {
        page.paragraph("It has only the status, the request id and the headers that every result has.");
    }
    let has_fields = operation
        .result
        .iter()
        .any(|member| matches!(member.place, Place::Body | Place::Field));
    if operation.result_body == BodyKind::Document && has_fields {
        let body = document(links, &operation.result, operation.result_root.as_ref());
        page.paragraph(&format!("The answer is {body}."));
    }
    members::of_operation(page, links, &operation.result, Role::Result);

    if !operation.errors.is_empty() {
        page.heading(3, "Errors");
        errors::expected(page, service, options, &operation.errors);
    }
    let example = example(links, operation, options);
    if !example.is_empty() {
        page.heading(3, "Example");
        page.code("rust,no_run", &example);
    }
}

fn facts(links: Links<'_>, operation: &Operation, options: &Options) -> Vec<String> {
    let service = links.service;
    let (module, _) = options.public_modules(&service.name);
    let client = options.public_client(&service.name);
    let mut items = vec![
        format!(
            "Rust: {} with {}, gives {}",
            code(&format!("{client}::{}", operation.method_name)),
            code(&format!("{module}::{}", request::name(operation))),
            code(&format!("{module}::{}", result::name(operation)))
        ),
        format!("Cargo feature: {}", feature(service)),
        format!("Success: {}", success(operation)),
    ];
    let waiters: Vec<String> = service
        .waiters
        .iter()
        .filter(|waiter| waiter.operation == operation.name)
        .map(|waiter| links.waiter(waiter))
        .collect();
    if !waiters.is_empty() {
        items.push(format!("Waiters that call it: {}", and(&waiters)));
    }
    if let Some(version) = &operation.since {
        items.push(format!("Since {version}"));
    }
    if let Some(reference) = &operation.reference {
        items.push(link("API reference", reference));
    }
    items
}

fn success(operation: &Operation) -> String {
    match operation.success.as_slice() {
        [] => "status 200".to_owned(),
        statuses => format!("status {}", super::or(statuses)),
    }
}

/// A document with what its root is called.
fn document(links: Links<'_>, members: &[Member], root: Option<&String>) -> String {
    let body = members.iter().find(|member| member.place == Place::Body);
    let shape = body
        .and_then(|member| member.ty.shape())
        .map(|id| links.service.shape(id));
    let root = root.or_else(|| body.and_then(|member| member.wire.first()));
    match (links.service.protocol, root, shape) {
        (Protocol::RestXml, None, Some(shape)) if shape.one_of => {
            "an XML document: the element of the member that is given".to_owned()
        }
        (Protocol::RestXml, Some(root), _) => format!("an XML document {}", code(root)),
        (Protocol::RestXml, None, Some(shape)) => format!("an XML document {}", code(&shape.wire)),
        (Protocol::RestXml, None, None) => "an XML document; its root may have any name".to_owned(),
        (_, Some(root), _) => format!("a JSON document with its members under {}", code(root)),
        (_, None, _) => "a JSON document".to_owned(),
    }
}

/// The example of the rustdoc without the lines that are hidden there.
fn example(links: Links<'_>, operation: &Operation, options: &Options) -> Vec<String> {
    samples::example(links.service, operation, options)
        .into_iter()
        .filter(|line| line != "#" && !line.starts_with("# "))
        .collect()
}
