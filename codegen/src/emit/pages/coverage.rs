//! The table of what is covered: one row for each service, for the list of services and the README.

use std::fmt;

use super::markdown::{Page, code, link};
use super::{and, feature};
use crate::api::Api;
use crate::emit::Options;

/// Line before the table in a text that holds it.
pub const BEGIN: &str = "<!-- coverage:begin -->";

/// Line after it.
pub const END: &str = "<!-- coverage:end -->";

/// Heads of the columns.
pub(super) const HEAD: [&str; 5] = ["service", "operations", "client", "cargo feature", "pages"];

/// The table with its links to the pages in `directory`, as it stands between [`BEGIN`] and [`END`].
pub fn coverage(api: &Api, options: &Options, directory: &str) -> String {
    let mut page = Page::new("<!-- Written by `cargo xtask codegen` from the models. Do not edit. -->");
    page.paragraph(&total(api));
    page.table(HEAD, rows(api, options, directory));
    page.finish()
}

/// A text has no place for the table: not exactly one line of each kind, or in the wrong order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoTable;

impl fmt::Display for NoTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "has no place for the table of coverage: one line `{BEGIN}` and below it one line `{END}`"
        )
    }
}

impl std::error::Error for NoTable {}

/// Replaces what stands between [`BEGIN`] and [`END`].
///
/// # Errors
///
/// When the text does not have exactly one line of each, in this order.
pub fn splice(text: &str, table: &str) -> Result<String, NoTable> {
    let is_line = |line: &str, wanted: &str| line.trim_end() == wanted;
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let find = |wanted: &str| {
        let mut found = (0..lines.len()).filter(|index| is_line(lines[*index], wanted));
        match (found.next(), found.next()) {
            (Some(index), None) => Ok(index),
            _ => Err(NoTable),
        }
    };
    let (begin, end) = (find(BEGIN)?, find(END)?);
    if begin > end {
        return Err(NoTable);
    }
    Ok(format!("{}{table}{}", lines[..=begin].concat(), lines[end..].concat()))
}

/// How much there is, in a sentence.
pub(super) fn total(api: &Api) -> String {
    let operations: usize = api.services.iter().map(|service| service.operations().count()).sum();
    let services = api.services.len();
    let waiters: usize = api.services.iter().map(|service| service.waiters.len()).sum();
    let parts = [
        plural(operations, "operation"),
        format!("{} in {}", plural(waiters, "waiter"), plural(services, "service")),
    ];
    format!("{}.", and(&parts))
}

/// A row for each service.
pub(super) fn rows(api: &Api, options: &Options, directory: &str) -> Vec<[String; 5]> {
    let row = |service: &crate::api::Service| {
        let groups = service.groups.len();
        [
            service.name.clone(),
            service.operations().count().to_string(),
            code(&options.public_client(&service.name)),
            feature(service),
            link(&plural(groups, "group"), &page(directory, &service.name)),
        ]
    };
    api.services.iter().map(row).collect()
}

fn page(directory: &str, service: &str) -> String {
    match directory {
        "." => format!("{service}/README.md"),
        directory => format!("{directory}/{service}/README.md"),
    }
}

fn plural(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_lines_is_replaced() {
        let text = format!("a\n{BEGIN}\nold\n{END}\nb\n");
        let replaced = splice(&text, "new\n").unwrap();
        assert_eq!(replaced, format!("a\n{BEGIN}\nnew\n{END}\nb\n"));
        assert_eq!(splice(&replaced, "new\n").unwrap(), replaced);
    }

    #[test]
    fn a_text_without_a_place_is_refused() {
        for text in [
            String::new(),
            format!("{BEGIN}\n"),
            format!("{END}\n{BEGIN}\n"),
            format!("{BEGIN}\n{END}\n{END}\n"),
            format!("in a line {BEGIN}\n{END}\n"),
        ] {
            assert_eq!(splice(&text, "x"), Err(NoTable), "{text:?}");
        }
    }
}
