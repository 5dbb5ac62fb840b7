//! Shapes and enums of a page.

use super::links::Links;
use super::markdown::{Page, code, codes, sentences};
use super::members;
use crate::api::{Enum, Shape};
use crate::emit::field::Role;
use crate::names;

/// Adds a shape.
pub(super) fn shape(page: &mut Page, links: Links<'_>, shape: &Shape) {
    page.heading(3, &links.shape_heading(shape));
    let mut text = sentences(&shape.doc);
    let direction = match (shape.input, shape.output) {
        (true, true) => " In requests and results.",
        (true, false) => " In requests.",
        (false, true) => " In results.",
        (false, false) => "",
    };
    text.push_str(direction);
    if shape.one_of {
        text.push_str(" Exactly one member has to be given.");
    }
    page.paragraph(&text);
    for set in &shape.exclusive {
        page.paragraph(&format!("At most one of {} may be given.", super::and(&codes(set))));
    }
    members::of_shape(page, links, &shape.members, Role::Shape(shape));
}

/// Adds an enum.
pub(super) fn enumeration(page: &mut Page, links: Links<'_>, found: &Enum) {
    page.heading(3, &links.enum_heading(found));
    page.paragraph(&sentences(&found.doc));
    let rows = found.values.iter().map(|value| {
        let variant = names::variant_ident(&value.variant);
        [
            code(&value.wire),
            code(&format!("{}::{variant}", found.name)),
            sentences(&value.doc),
        ]
    });
    page.table(["value", "variant", "meaning"], rows);
}
