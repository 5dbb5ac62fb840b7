//! Ranges, lengths and numbers of items, as bounds that can be met.

use crate::diagnostic::Diagnostics;
use crate::lint::codes;
use crate::model;
use crate::spans::Cursor;

/// The limits of a member.
pub(super) struct Limits {
    pub(super) range: Option<(i64, i64)>,
    pub(super) length: Option<(u64, u64)>,
    pub(super) max_items: Option<u64>,
}

/// Checks that bounds are in order and no length is negative; what is wrong is reported and left out.
pub(super) fn resolve(member: &model::Member, at: Cursor<'_>, diagnostics: &mut Diagnostics) -> Limits {
    let mut refuse = |key: &str, message: String, help: &str| {
        diagnostics.push(at.child(key).on_value(codes::BAD_RANGE, message).help(help));
    };
    let range = member.range.filter(|(least, most)| least <= most);
    if let (Some((least, most)), None) = (member.range, range) {
        refuse(
            "range",
            format!("the range starts at {least} and ends at {most}"),
            "write `[least, greatest]`",
        );
    }
    let length = member.length.and_then(|(least, most)| {
        let bounds = (u64::try_from(least).ok()?, u64::try_from(most).ok()?);
        (bounds.0 <= bounds.1).then_some(bounds)
    });
    if let (Some((least, most)), None) = (member.length, length) {
        refuse(
            "length",
            format!("no text is {least} to {most} bytes long"),
            "write `[least, greatest]`, from 0 on",
        );
    }
    let max_items = member
        .max_items
        .and_then(|most| u64::try_from(most).ok())
        .filter(|most| *most > 0);
    if let (Some(most), None) = (member.max_items, max_items) {
        refuse(
            "max_items",
            format!("a list of at most {most} items has no use"),
            "write a number from 1 on",
        );
    }
    Limits {
        range,
        length,
        max_items,
    }
}
