//! Waiters of a page: what is called, how often, and what an answer means.

use super::links::{Links, waiter_heading};
use super::markdown::{Page, code, codes, sentences};
use super::or;
use crate::api::{Condition, Test, Waiter};

/// Adds a waiter.
pub(super) fn section(page: &mut Page, links: Links<'_>, waiter: &Waiter) {
    page.heading(3, &waiter_heading(waiter));
    page.paragraph(&sentences(&waiter.doc));
    let mut items = vec![format!(
        "Calls {} at once, after {} s, and then after pauses that double up to {} s.",
        links.operation(&waiter.operation),
        waiter.delay,
        waiter.max_delay
    )];
    for (conditions, what) in [
        (&waiter.done, "Done"),
        (&waiter.fail, "Fails"),
        (&waiter.again, "Goes on"),
    ] {
        if !conditions.is_empty() {
            let conditions: Vec<String> = conditions.iter().map(condition).collect();
            items.push(format!("{what} when {}.", or(&conditions)));
        }
    }
    items.push(format!(
        "Fails with a timeout after {} s, unless told otherwise.",
        waiter.timeout
    ));
    page.list(&items);
}

fn condition(condition: &Condition) -> String {
    match condition {
        Condition::Success => "the call succeeds".to_owned(),
        Condition::Error(errors) => format!("the service answers {}", or(&codes(errors))),
        Condition::Member { path, test } => {
            let member = code(&path.join("."));
            match test {
                Test::Is(values) => format!("{member} is {}", or(&codes(values))),
                Test::Contains(text) => format!("{member} contains {}", code(text)),
                Test::EndsWith(text) => format!("{member} ends with {}", code(text)),
            }
        }
    }
}
