//! Documentation: sentences that say something, because they become the documentation of public items.

use std::collections::BTreeSet;

use super::{Subject, codes};
use crate::diagnostic::Diagnostics;
use crate::names::words;
use crate::spans::Cursor;

/// Words that add nothing to a name.
const EMPTY_WORDS: [&str; 12] = [
    "a", "an", "and", "are", "as", "for", "in", "is", "of", "or", "that", "the",
];

/// Marks of a text that is still to be written, as scaffolds have them.
const PLACEHOLDERS: [&str; 5] = ["TODO", "FIXME", "TBD", "XXX", "lorem ipsum"];

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Diagnostics) {
    let (service, index) = (subject.service, subject.index);
    let mut sentence = |name: &str, doc: &str, at: Cursor<'_>| check_sentence(name, doc, at, diagnostics);
    if let Some(at) = index.service(&service.name) {
        sentence(&service.name, &service.doc, at.child("doc"));
        for error in &service.errors {
            sentence(&error.code, &error.doc, at.path(&["errors", &error.code, "doc"]));
        }
    }
    for (operation, at) in subject.operations() {
        sentence(&operation.name, &operation.doc, at.child("doc"));
        sentence(
            "",
            operation.deprecated.as_deref().unwrap_or_default(),
            at.child("deprecated"),
        );
    }
    for members in subject.member_lists() {
        for (member, at) in members.declared() {
            sentence(&member.name, &member.doc, at.child("doc"));
            sentence(
                "",
                member.deprecated.as_deref().unwrap_or_default(),
                at.child("deprecated"),
            );
        }
    }
    for shape in &service.shapes {
        if let Some(at) = index.shape(&service.name, &shape.name) {
            sentence(&shape.name, &shape.doc, at.child("doc"));
        }
    }
    for enumeration in &service.enums {
        let Some(at) = index.enumeration(&service.name, &enumeration.name) else {
            continue;
        };
        sentence(&enumeration.name, &enumeration.doc, at.child("doc"));
        for value in &enumeration.values {
            let at = at.path(&["values", &value.wire]);
            let doc = at.child("doc");
            sentence(&value.wire, &value.doc, if doc.exists() { doc } else { at });
        }
    }
}

/// Checks one text. An absent one is reported as a missing key.
fn check_sentence(name: &str, doc: &str, at: Cursor<'_>, diagnostics: &mut Diagnostics) {
    let doc = doc.trim();
    if doc.is_empty() || !at.exists() {
        return;
    }
    if is_placeholder(doc) {
        let problem = at.on_value(codes::DOC_PLACEHOLDER, "the documentation is still to be written");
        diagnostics
            .push(problem.help("replace the placeholder by one or two sentences: meaning, unit, limit, default"));
    } else if repeats(name, doc) {
        let problem = at.on_value(
            codes::DOC_REPEATS_NAME,
            format!("the documentation only repeats the name `{name}`"),
        );
        diagnostics.push(problem.help("say what a caller cannot guess: unit, limit, default, what happens otherwise"));
    } else if !doc.ends_with('.') {
        let problem = at.on_value(codes::DOC_FULL_STOP, "the documentation does not end with a full stop");
        diagnostics.push(
            problem.help("write sentences; a `#` or a comma in `{...}` may have cut this one, quotes prevent that"),
        );
    }
}

fn is_placeholder(doc: &str) -> bool {
    (doc.starts_with('<') && doc.trim_end_matches('.').ends_with('>'))
        || doc.trim_matches('.').is_empty()
        || PLACEHOLDERS.iter().any(|mark| doc.contains(mark))
}

/// Whether every word of the documentation is in the name already.
fn repeats(name: &str, doc: &str) -> bool {
    let folded = |text: &str| -> BTreeSet<String> {
        let words = words(text).into_iter().map(str::to_ascii_lowercase);
        words.filter(|word| !EMPTY_WORDS.contains(&word.as_str())).collect()
    };
    let (name, glued) = (folded(name), name.replace('_', "").to_ascii_lowercase());
    let doc = folded(doc);
    !name.is_empty() && (doc.is_subset(&name) || doc.into_iter().collect::<String>() == glued)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_adds_nothing_repeats_the_name() {
        for (name, doc) in [
            ("cors_rules", "The CORS rules."),
            ("CorsRule", "A cors rule."),
            ("etag", "The ETag."),
            ("PutBucketCors", "Put bucket CORS."),
        ] {
            assert!(repeats(name, doc), "{doc}");
        }
        for (name, doc) in [
            ("cors_rules", "The rules, tried in order."),
            ("etag", "ETag of the object."),
            ("", "Use `x`."),
        ] {
            assert!(!repeats(name, doc), "{doc}");
        }
    }

    #[test]
    fn placeholders_are_recognized() {
        for doc in [
            "<what it does>",
            "<what it does>.",
            "TODO: say it.",
            "...",
            "Lists keys. TBD.",
        ] {
            assert!(is_placeholder(doc), "{doc}");
        }
        assert!(!is_placeholder("Prefix such as `<id>/`."));
    }
}
