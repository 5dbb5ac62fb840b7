//! Tables of error codes.

use super::markdown::{Page, code, sentences};
use crate::api::{ErrorCode, Service};
use crate::emit::Options;
use crate::emit::service::constant;

/// Adds a table of the codes that callers of an operation should expect.
pub(super) fn expected(page: &mut Page, service: &Service, options: &Options, codes: &[String]) {
    let known = codes
        .iter()
        .filter_map(|code| service.errors.iter().find(|known| known.code == *code));
    table(page, service, options, known);
}

/// Adds a table of all codes of a service.
pub(super) fn all(page: &mut Page, service: &Service, options: &Options) {
    table(page, service, options, service.errors.iter());
}

fn table<'a>(page: &mut Page, service: &Service, options: &Options, codes: impl Iterator<Item = &'a ErrorCode>) {
    let module = module(service, options);
    let rows = codes.map(|error| {
        [
            code(&error.code),
            error.status.to_string(),
            sentences(&error.doc),
            code(&format!("{module}::{}", constant(&error.code))),
        ]
    });
    page.table(["code", "status", "meaning", "constant"], rows);
}

/// Path of the module that has the constants of a service's codes: beside that of its types.
pub(super) fn module(service: &Service, options: &Options) -> String {
    let (_, types) = options.public_modules(&service.name);
    let inside = types.strip_suffix("types").unwrap_or(&types);
    format!("{inside}errors")
}
