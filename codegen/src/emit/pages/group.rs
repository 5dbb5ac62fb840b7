//! The page of a group: its operations, its waiters, and the shapes and enums that stand in its file.

use super::links::Links;
use super::markdown::{Page, code, link};
use super::{banner, http, operation, source, structure, waiter};
use crate::api::Service;
use crate::emit::Options;

/// The text of the page.
pub(super) fn page(service: &Service, name: &str, options: &Options) -> String {
    let links = Links { service, page: name };
    let mut page = Page::new(&banner(&source(service, name)));
    page.heading(1, &format!("{}: {name}", service.name));
    page.paragraph(&format!(
        "{} of the service {}. {} says how to read the tables.",
        match service.groups.iter().any(|group| group.name == name) {
            true => "Operations",
            false => "Structures and vocabularies that several groups use,",
        },
        link(&service.name, "README.md"),
        link("The list of services", "../README.md")
    ));
    let operations = service
        .groups
        .iter()
        .find(|group| group.name == name)
        .map(|group| group.operations.as_slice())
        .unwrap_or_default();
    let rows = operations
        .iter()
        .map(|operation| [links.operation(&operation.name), code(&http::http_line(operation))]);
    page.table(["operation", "HTTP"], rows);
    for operation in operations {
        operation::section(&mut page, links, operation, options);
    }

    let mut waiters = service.waiters.iter().filter(|waiter| waiter.group == name).peekable();
    if waiters.peek().is_some() {
        page.heading(2, "Waiters");
    }
    for waiter in waiters {
        waiter::section(&mut page, links, waiter);
    }
    let mut shapes = service.shapes.iter().filter(|shape| shape.group == name).peekable();
    if shapes.peek().is_some() {
        page.heading(2, "Structures");
    }
    for shape in shapes {
        structure::shape(&mut page, links, shape);
    }
    let mut enums = service.enums.iter().filter(|found| found.group == name).peekable();
    if enums.peek().is_some() {
        page.heading(2, "Vocabularies");
    }
    for found in enums {
        structure::enumeration(&mut page, links, found);
    }
    page.finish()
}
