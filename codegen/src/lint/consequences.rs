//! One mistake, one message: leaves out what rules say only because something near it could not be read.
//!
//! A member whose place is misspelt is taken for a field, and a field in a GET is a mistake too. Only the first is the
//! author's. Rules therefore do not report such problems of a member or operation that has a mistake of that kind.

use super::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::resolve::Index;
use crate::spans::Span;

/// Mistakes that make members or operations look different from what was meant.
const CAUSES: [&str; 11] = [
    codes::DUPLICATE_KEY,
    codes::UNSUPPORTED_YAML,
    codes::UNKNOWN_KEY,
    codes::MISSING_KEY,
    codes::WRONG_KIND,
    codes::UNKNOWN_WORD,
    codes::UNKNOWN_TYPE,
    codes::UNKNOWN_TRAIT,
    codes::ONE_TYPE,
    codes::BAD_PLACE,
    codes::BAD_HTTP,
];

/// Problems that a mistake in the same member explains.
const OF_MEMBERS: [&str; 10] = [
    codes::ONE_TYPE,
    codes::NO_WIRE,
    codes::PLACE_TYPE,
    codes::DOC_FULL_STOP,
    codes::BAD_DEFAULT,
    codes::LIMIT_TYPE,
    codes::PAGINATION,
    codes::FRAME_MEMBER,
    codes::BUCKET_ARN,
    codes::REST,
];

/// Problems that a mistake anywhere in the same operation explains.
/// Of waiters, too: both stand on one level.
const OF_OPERATIONS: [&str; 10] = [
    codes::ONE_PAYLOAD,
    codes::PATH_MEMBER,
    codes::BODY_WITHOUT_PAYLOAD,
    codes::TRAIT_MEMBERS,
    codes::PAGINATION,
    codes::ROOT,
    codes::MEMBER_SETS,
    codes::QUERY_WHEN,
    codes::WAITER,
    codes::FRAME_MEMBER,
];

/// Depth of a member below the top of a file: `operations`, its name, `request`, its name.
const MEMBER: usize = 4;
/// Depth of an operation, shape or enum.
const ENTRY: usize = 2;

/// Adds what the rules found to what is known already, without consequences of that.
pub(super) fn merge(found: Diagnostics, index: &Index<'_>, diagnostics: &mut Diagnostics) {
    let causes: Vec<Diagnostic> = diagnostics
        .iter()
        .filter(|problem| CAUSES.contains(&problem.code))
        .cloned()
        .collect();
    for problem in &found {
        let explained = |causes: &[Diagnostic], depth: usize| {
            let Some(extent) = extent(index, problem, depth) else {
                return false;
            };
            causes
                .iter()
                .any(|cause| cause.file == problem.file && contains(extent, cause.span))
        };
        let consequence = match problem.code {
            // A misspelt type makes the right one look unused, in whichever file that is.
            codes::UNUSED => {
                let service = |file: &str| file.rsplit_once('/').map(|(service, _)| service.to_owned());
                causes
                    .iter()
                    .any(|cause| service(&cause.file) == service(&problem.file))
            }
            code => {
                (OF_MEMBERS.contains(&code) && explained(&causes, MEMBER))
                    || (OF_OPERATIONS.contains(&code) && explained(&causes, ENTRY))
            }
        };
        if !consequence {
            diagnostics.push(problem.clone());
        }
    }
}

/// From the key to the end of the entry of a depth that a problem is in.
fn extent(index: &Index<'_>, problem: &Diagnostic, depth: usize) -> Option<Span> {
    let mut node = index.file(&problem.file)?;
    let mut extent = None;
    for _ in 0..depth {
        let (key, value) = node
            .entries()
            .iter()
            .map(|entry| (entry.key_span, &entry.value))
            .find(|(key, value)| contains(between(*key, value.span), problem.span))?;
        extent = Some(between(key, value.span));
        node = value;
    }
    extent
}

fn between(start: Span, end: Span) -> Span {
    Span {
        end_line: end.end_line,
        end_column: end.end_column,
        ..start
    }
}

fn contains(extent: Span, span: Span) -> bool {
    let start = (span.line, span.column);
    (extent.line, extent.column) <= start && start < (extent.end_line, extent.end_column)
}
