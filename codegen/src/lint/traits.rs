//! Traits: the members that each behaviour works with.

use super::{Subject, codes};
use crate::api::{BodyKind, Member, Method, Operation, Place, Resource, Trait, Type};
use crate::diagnostic::Diagnostics;
use crate::model::keys::TRAITS;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Diagnostics) {
    for (operation, at) in subject.operations() {
        let words = at.child("traits");
        let mut seen = Vec::new();
        for index in 0..words.len() {
            // Words that are no trait have been reported and left out, so positions are found by the word.
            let Some(word) = words.item(index).scalar() else {
                continue;
            };
            if seen.contains(&word) {
                let problem = words
                    .item(index)
                    .on_value(codes::TRAIT_MEMBERS, format!("the trait `{word}` is given twice"));
                diagnostics.push(problem.help("leave one out"));
            }
            seen.push(word);
            let found = operation.traits.iter().find(|found| name(**found) == word);
            if let Some(needed) = found.and_then(|found| missing(*found, operation)) {
                let problem = words
                    .item(index)
                    .on_value(codes::TRAIT_MEMBERS, format!("`{word}` needs {needed}"));
                diagnostics.push(problem.help("add what it needs, or leave the trait out"));
            }
        }
        let answer = operation.result.iter().find(|member| member.place == Place::Callback);
        if let Some(member) = answer.filter(|_| !operation.has(Trait::Callback)) {
            let message = format!(
                "`{}` is the answer of a callback, but the operation has none",
                member.name
            );
            let problem = at.path(&["result", &member.name]).on_key(codes::TRAIT_MEMBERS, message);
            diagnostics.push(problem.help("add `callback` to `traits`"));
        }
    }
}

/// What a trait needs and the operation does not have.
fn missing(needed: Trait, operation: &Operation) -> Option<&'static str> {
    let has = |members: &[Member], fits: &dyn Fn(&Member) -> bool| members.iter().any(fits);
    let header = |wire: &'static str| {
        has(&operation.request, &|member| {
            member.place == Place::Header && member.wire.iter().any(|name| name.eq_ignore_ascii_case(wire))
        })
    };
    let uploads = operation.request_body == BodyKind::Stream;
    let downloads = operation.result_body == BodyKind::Stream;
    match needed {
        Trait::ContentTypeFromKey if operation.resource != Resource::Object => Some("the path `/{bucket}/{key}`"),
        Trait::UploadCrc64 if !uploads => Some("a request member `in: stream`"),
        Trait::AppendCrc64 if !uploads => Some("a request member `in: stream`"),
        Trait::AppendCrc64 if !has(&operation.request, &|member| member.name == "init_hash_crc64") => {
            Some("the request member `init_hash_crc64`")
        }
        Trait::DownloadCrc64 if !downloads => Some("a result member `in: stream`"),
        Trait::ResumableDownload if !downloads || operation.method != Method::Get => {
            Some("a GET with a result member `in: stream`")
        }
        Trait::Callback if !header("x-oss-callback") => Some("the request header `x-oss-callback`"),
        Trait::Callback if !has(&operation.result, &|member| member.place == Place::Callback) => {
            Some("a result member `in: callback`")
        }
        Trait::ErrorInSuccess if operation.result_body != BodyKind::Document => Some("a document in the result"),
        Trait::ResultByContentType if operation.result_body != BodyKind::Document => Some("a document in the result"),
        Trait::ResultByContentType if has(&operation.result, &|member| !is_scalar_field(member)) => {
            Some("a result of headers, texts, numbers and bools")
        }
        Trait::SelectFrames if !downloads => Some("a result member `in: stream`"),
        Trait::MetaFrames if !has(&operation.result, &|member| member.place == Place::Frame) => {
            Some("a result member `in: frame`")
        }
        Trait::SortParts if operation.request_body != BodyKind::Document => Some("a document in the request"),
        _ => None,
    }
}

/// Whether a member of a result is read alike from XML and JSON.
fn is_scalar_field(member: &Member) -> bool {
    let plain = match &member.ty {
        Type::List(item) => item.as_ref(),
        ty => ty,
    };
    match member.place {
        Place::Header | Place::HeaderMap => true,
        Place::Field => plain.shape().is_none() && !matches!(plain, Type::Map(_) | Type::List(_) | Type::Any),
        _ => false,
    }
}

/// The word of a trait.
fn name(wanted: Trait) -> &'static str {
    // Same order as the variants; a test holds it.
    TRAITS.words[wanted as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_variants_have_one_order() {
        for (word, variant) in TRAITS.words.iter().zip([
            Trait::ContentTypeFromKey,
            Trait::UploadCrc64,
            Trait::AppendCrc64,
            Trait::DownloadCrc64,
            Trait::ResumableDownload,
            Trait::Callback,
            Trait::ErrorInSuccess,
            Trait::SortParts,
            Trait::Slow,
            Trait::Unsigned,
            Trait::ResultByContentType,
            Trait::SelectFrames,
            Trait::MetaFrames,
        ]) {
            assert_eq!(crate::names::to_upper_camel(word), format!("{variant:?}"));
            assert_eq!(name(variant), *word);
        }
    }
}
