//! Documentation: sentences that say something, because they become the documentation of public items.

use std::collections::BTreeSet;

use super::{Owner, Subject, codes};
use crate::api::{Service, Type};
use crate::diagnostic::Diagnostics;
use crate::names::words;
use crate::spans::Cursor;

/// Words that tell nobody anything about what a name stands for.
const EMPTY_WORDS: [&str; 40] = [
    "a",
    "all",
    "an",
    "and",
    "any",
    "are",
    "as",
    "be",
    "contain",
    "container",
    "each",
    "element",
    "field",
    "for",
    "from",
    "given",
    "in",
    "indicate",
    "information",
    "is",
    "it",
    "its",
    "member",
    "of",
    "or",
    "parameter",
    "represent",
    "s",
    "specified",
    "specify",
    "that",
    "the",
    "their",
    "this",
    "to",
    "used",
    "value",
    "whether",
    "which",
    "with",
];

/// What the verb of an operation's name is called in a sentence.
const VERBS: [&str; 17] = [
    "add", "change", "copy", "create", "delete", "get", "list", "make", "put", "query", "read", "remove", "return",
    "set", "show", "store", "update",
];

/// Marks of a text that is still to be written, as scaffolds have them.
const PLACEHOLDERS: [&str; 5] = ["TODO", "FIXME", "TBD", "XXX", "lorem ipsum"];

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Diagnostics) {
    let (service, index) = (subject.service, subject.index);
    let mut sentence = |names: Names<'_>, doc: &str, at: Cursor<'_>| check_sentence(names, doc, at, diagnostics);
    if let Some(at) = index.service(&service.name) {
        sentence(Names::of(&service.name), &service.doc, at.child("doc"));
        for error in &service.errors {
            let at = at.path(&["errors", &error.code, "doc"]);
            sentence(Names::of(&error.code), &error.doc, at);
        }
    }
    for (operation, at) in subject.operations() {
        sentence(Names::of_action(&operation.name), &operation.doc, at.child("doc"));
        sentence(
            Names::default(),
            operation.deprecated.as_deref().unwrap_or_default(),
            at.child("deprecated"),
        );
    }
    for waiter in &service.waiters {
        if let Some(at) = index.waiter(&service.name, &waiter.name) {
            let names = Names::of_action(&waiter.name);
            sentence(names.within("wait until"), &waiter.doc, at.child("doc"));
        }
    }
    for members in subject.member_lists() {
        let owner = match members.owner {
            Owner {
                operation: Some(operation),
                ..
            } => without_verb(&operation.name),
            Owner { shape: Some(id), .. } => &service.shape(id).name,
            _ => "",
        };
        for (member, at) in members.declared() {
            let names = Names::of(&member.name).within(owner).typed(service, &member.ty);
            sentence(names, &member.doc, at.child("doc"));
            sentence(
                Names::default(),
                member.deprecated.as_deref().unwrap_or_default(),
                at.child("deprecated"),
            );
        }
    }
    for shape in &service.shapes {
        if let Some(at) = index.shape(&service.name, &shape.name) {
            sentence(Names::of(&shape.name), &shape.doc, at.child("doc"));
        }
    }
    for enumeration in &service.enums {
        let Some(at) = index.enumeration(&service.name, &enumeration.name) else {
            continue;
        };
        sentence(Names::of(&enumeration.name), &enumeration.doc, at.child("doc"));
        for value in &enumeration.values {
            let at = at.path(&["values", &value.wire]);
            let doc = at.child("doc");
            sentence(Names::of(&value.wire), &value.doc, if doc.exists() { doc } else { at });
        }
    }
}

/// Names that a reader sees beside a text, so that repeating them says nothing.
#[derive(Clone, Copy, Default)]
struct Names<'a> {
    own: &'a str,
    /// The operation or shape that a member belongs to.
    owner: &'a str,
    /// The shape or enum that a member holds.
    ty: &'a str,
    /// Whether the name begins with a verb.
    action: bool,
}

impl<'a> Names<'a> {
    fn of(own: &'a str) -> Self {
        Names {
            own,
            ..Names::default()
        }
    }

    fn of_action(own: &'a str) -> Self {
        Names {
            own,
            action: true,
            ..Names::default()
        }
    }

    fn within(self, owner: &'a str) -> Self {
        Names { owner, ..self }
    }

    fn typed(self, service: &'a Service, ty: &Type) -> Self {
        let item = match ty {
            Type::List(item) | Type::Map(item) => item.as_ref(),
            ty => ty,
        };
        let ty = match item {
            Type::Shape(id) => &service.shape(*id).name,
            Type::Enum(id) => &service.enumeration(*id).name,
            _ => "",
        };
        Names { ty, ..self }
    }

    /// Whether every word of the documentation is in the names already.
    fn repeated_by(&self, doc: &str) -> bool {
        if self.own.is_empty() {
            return false;
        }
        let known: BTreeSet<String> = [self.own, self.owner, self.ty].into_iter().flat_map(stems).collect();
        let says_nothing = |word: &String| {
            let verb = self.action && VERBS.contains(&word.as_str());
            verb || known.contains(word) || EMPTY_WORDS.contains(&word.as_str())
        };
        let left: Vec<String> = stems(doc).into_iter().filter(|word| !says_nothing(word)).collect();
        // `ETag` is two words and `etag` is one, so what is left may be the name in pieces.
        let glued = stems(&self.own.replace('_', "")).concat();
        left.is_empty() || left.concat() == glued
    }
}

/// The name of an operation without its verb, because `The index to delete.` says what happens to it.
fn without_verb(operation: &str) -> &str {
    let verb = words(operation).first().map_or(0, |verb| verb.len());
    operation.get(verb..).unwrap_or_default()
}

/// Words in small letters and without the `s` of plurals and verbs.
fn stems(text: &str) -> Vec<String> {
    let stem = |word: &str| {
        let word = word.to_ascii_lowercase();
        match word.strip_suffix('s') {
            Some(stem) if stem.len() > 2 && !stem.ends_with(['s', 'u', 'i']) => match stem.strip_suffix("ie") {
                Some(stem) => format!("{stem}y"),
                None => stem.to_owned(),
            },
            _ => word,
        }
    };
    words(text).into_iter().map(stem).collect()
}

/// Checks one text. An absent one is reported as a missing key.
fn check_sentence(names: Names<'_>, doc: &str, at: Cursor<'_>, diagnostics: &mut Diagnostics) {
    let doc = doc.trim();
    if doc.is_empty() || !at.exists() {
        return;
    }
    if is_placeholder(doc) {
        let problem = at.on_value(codes::DOC_PLACEHOLDER, "the documentation is still to be written");
        diagnostics
            .push(problem.help("replace the placeholder by one or two sentences: meaning, unit, limit, default"));
    } else if names.repeated_by(doc) {
        let problem = at.on_value(
            codes::DOC_REPEATS_NAME,
            format!("the documentation only repeats the name `{}`", names.own),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_adds_nothing_repeats_the_name() {
        for (name, owner, doc) in [
            ("cors_rules", "", "The CORS rules."),
            ("CorsRule", "", "A cors rule."),
            ("etag", "", "The ETag."),
            ("prefix", "LifecycleRule", "The prefix."),
            ("prefix", "LifecycleRule", "Prefix of the rule."),
            ("prefix", "LifecycleRule", "Specifies the lifecycle rule's prefix."),
            ("name", "ListTables", "Name."),
            ("etag", "ObjectVersion", "ETag of the object."),
            ("policies", "ListPolicies", "The policy."),
            ("enabled", "CorsRule", "Whether it is enabled."),
        ] {
            assert!(Names::of(name).within(owner).repeated_by(doc), "{doc}");
        }
        for (name, doc) in [
            ("PutBucketCors", "Put bucket CORS."),
            ("GetBucketCors", "Returns the CORS of a bucket."),
            ("DeleteBucketCors", "Removes the CORS of the bucket."),
        ] {
            assert!(Names::of_action(name).repeated_by(doc), "{doc}");
        }
        for (name, owner, doc) in [
            ("cors_rules", "CorsConfiguration", "The rules, tried in order."),
            ("etag", without_verb("CopyObject"), "ETag of the copy."),
            ("status", "LifecycleRule", "Whether the rule is in force."),
            ("days", "Expiration", "Days after the last change."),
            ("index_name", without_verb("DeleteVectorIndex"), "The index to delete."),
            ("description", "Dataset", "What the dataset is for."),
            ("namespace", "GetTable", "Namespace that holds the table."),
            ("Enabled", "", "It is on."),
            ("NoSuchBucketPolicy", "", "The bucket has no policy."),
            ("", "", "Use `x`."),
        ] {
            assert!(!Names::of(name).within(owner).repeated_by(doc), "{doc}");
        }
    }

    #[test]
    fn words_that_say_nothing_are_sorted_for_the_reader() {
        assert!(EMPTY_WORDS.is_sorted() && VERBS.is_sorted());
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
