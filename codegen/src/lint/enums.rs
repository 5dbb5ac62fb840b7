//! Enums: values that can be on the wire and variants that can be in Rust.

use std::collections::BTreeMap;

use super::{Subject, codes};
use crate::diagnostic::Diagnostics;
use crate::names::{RESERVED_VARIANTS, to_upper_camel, variant_name};
use crate::spans::Cursor;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Diagnostics) {
    for enumeration in &subject.service.enums {
        let Some(at) = subject.index.enumeration(&subject.service.name, &enumeration.name) else {
            continue;
        };
        let values = at.child("values");
        if enumeration.values.is_empty() && values.exists() {
            let problem = values.on_key(
                codes::BAD_ENUM,
                format!("the enum `{}` has no values", enumeration.name),
            );
            diagnostics.push(problem.help("list the documented values, or make the member a `string`"));
        }
        let mut seen: BTreeMap<&str, (&str, Cursor<'_>)> = BTreeMap::new();
        for value in &enumeration.values {
            let at = values.child(&value.wire);
            let wire = &value.wire;
            if wire.trim() != wire || wire.is_empty() || wire.chars().any(char::is_control) {
                let message = format!("`{}` cannot be a value on the wire", wire.escape_debug());
                let help = "a value is not empty and has no blanks around it; absence is for members, not for values";
                diagnostics.push(at.on_key(codes::BAD_ENUM, message).help(help));
                continue;
            }
            let named = at.child("variant");
            if !is_variant(&value.variant) {
                let message = match value.variant.as_str() {
                    "" => format!("`{wire}` gives no variant name"),
                    variant => format!("`{variant}` is no variant name"),
                };
                let near = to_upper_camel(&value.variant);
                let help = match near.as_str() {
                    "" => format!("name the variant: `\"{wire}\": {{variant: Name, doc: ...}}`"),
                    near => format!("write `variant: {near}`"),
                };
                let problem = if named.exists() {
                    named.on_value(codes::VARIANT, message)
                } else {
                    at.on_key(codes::VARIANT, message)
                };
                diagnostics.push(problem.help(help));
                continue;
            }
            if RESERVED_VARIANTS.contains(&value.variant.as_str()) {
                let message = format!("the variant `{}` is the one that keeps unknown values", value.variant);
                let help = format!("name another: `\"{wire}\": {{variant: Name, doc: ...}}`");
                diagnostics.push(at.on_key(codes::RESERVED_NAME, message).help(help));
            }
            match seen.get(value.variant.as_str()) {
                Some((other, first)) => {
                    let message = format!("`{other}` and `{wire}` are both the variant `{}`", value.variant);
                    let problem =
                        at.on_key(codes::COLLISION, message)
                            .related(first.file(), first.key_span(), "the first one");
                    diagnostics.push(problem.help(format!("name one: `\"{wire}\": {{variant: Name, doc: ...}}`")));
                }
                None => _ = seen.insert(&value.variant, (wire, at)),
            }
        }
    }
}

/// Whether a name is what the conversion would make of itself: UpperCamelCase with acronyms as words.
fn is_variant(name: &str) -> bool {
    !name.is_empty() && variant_name(name) == name
}
