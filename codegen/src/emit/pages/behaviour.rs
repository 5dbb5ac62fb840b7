//! What the client does for an operation besides sending it, a sentence each.

use super::markdown::{code, codes, sentences};
use super::{and, or};
use crate::api::{Operation, Paginate, Trait};

/// Sentences about an operation, in the order in which a caller meets the behaviour.
pub(super) fn sentences_of(operation: &Operation) -> Vec<String> {
    let mut out = Vec::new();
    if let [_, ..] = operation.any_of.as_slice() {
        let sets: Vec<String> = operation.any_of.iter().map(|set| and(&codes(set))).collect();
        out.push(format!("At least one of these has to be given: {}.", or_sets(&sets)));
    }
    for when in &operation.query_when {
        out.push(format!(
            "With {} the query says {} instead.",
            code(&when.member.join(".")),
            code(&format!("{}={}", when.key, when.value))
        ));
    }
    if operation.content_md5 {
        out.push("`Content-MD5` of the document is sent.".to_owned());
    }
    out.extend(operation.traits.iter().map(|found| behaviour(*found).to_owned()));
    if !operation.idempotent {
        out.push(
            "It is not repeated once the service may have acted on it, because its answer may only have got lost."
                .to_owned(),
        );
    }
    if operation.presign {
        out.push(format!(
            "It can be presigned: {} gives a URL.",
            code(&format!(
                "client.{}(request).presign(expires_in)",
                operation.method_name
            ))
        ));
    }
    if let Some(paginate) = &operation.paginate {
        out.push(paging(operation, paginate));
    }
    out
}

/// Sets with several names are told apart by `or` alone.
fn or_sets(sets: &[String]) -> String {
    or(sets).replace(", ", "; ")
}

fn paging(operation: &Operation, paginate: &Paginate) -> String {
    let call = |end: &str| code(&format!("client.{}(request).{end}()", operation.method_name));
    let mut text = format!("It pages: {} gives page after page", call("paginate"));
    if let Some(items) = paginate.items.first() {
        text.push_str(&format!(", {} what {} holds, one by one", call("items"), code(items)));
    }
    let tokens: Vec<String> = paginate
        .tokens
        .iter()
        .map(|(request, result)| format!("{} from {}", code(request), code(result)))
        .collect();
    text.push_str(&format!(". The next page is asked for with {}", and(&tokens)));
    if let Some(more) = &paginate.more {
        text.push_str(&format!(" as long as {} is true", code(more)));
    }
    text.push('.');
    if let Some(limit) = &paginate.limit {
        text.push_str(&format!(" {} limits a page.", code(limit)));
    }
    text
}

/// A named behaviour in a sentence.
fn behaviour(found: Trait) -> &'static str {
    match found {
        Trait::ContentTypeFromKey => {
            "Without a content type of the caller's it is derived from the extension of the key."
        }
        Trait::UploadCrc64 => {
            "The CRC-64 of the payload is compared with that of the answer; a difference is an error."
        }
        Trait::AppendCrc64 => {
            "The CRC-64 of the object so far is continued over the payload and compared with that of the answer, when \
             `init_hash_crc64` is given."
        }
        Trait::DownloadCrc64 => {
            "The CRC-64 of a whole-object payload is compared at its end; a difference is an error."
        }
        Trait::ResumableDownload => {
            "A payload that breaks off is continued where it ended, with a range request that holds only for the same ETag."
        }
        Trait::Callback => {
            "A request with a callback is answered with the callback's own text; when the callback fails (status 203) it is an \
             error, although the object is stored."
        }
        Trait::ErrorInSuccess => "An answer with status 200 whose document is an error is one.",
        Trait::SortParts => "Parts may be given in any order; they are sent sorted by their numbers.",
        Trait::Slow => "The service may stay silent for long, so the client waits longer for an answer than usual.",
        Trait::Unsigned => "It is sent without a signature and needs no credentials.",
        Trait::ResultByContentType => "The answer is read as JSON or XML, whichever its content type says.",
        Trait::SelectFrames => {
            "The answer comes in frames, of which only the data is handed on: checksums are compared, and an end frame that \
             tells of a failure is an error."
        }
        Trait::MetaFrames => {
            "The answer comes in frames while the service works; the result is read from the last, and a failure told in it is \
             an error."
        }
    }
}

/// A sentence for something deprecated.
pub(super) fn deprecation(note: Option<&String>) -> Option<String> {
    note.map(|note| format!("**Deprecated.** {}", sentences(note)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_several_names_are_told_apart() {
        let sets = [and(&["`a`"]), and(&["`b`", "`c`"]), and(&["`d`"])];
        assert_eq!(or_sets(&sets), "`a`; `b` and `c` or `d`");
    }
}
