//! Names of the model as names of Rust: one family of functions, so that every emitter agrees on every identifier.
//!
//! The conversions are total and deterministic. They never make a name unique: two model names that end in one
//! Rust name are a lint error (see [`RESERVED_TYPES`] and its neighbours for the names that generated code keeps).

use proc_macro2::{Ident, Span};

/// Words that are no identifiers in edition 2024 unless written raw.
const KEYWORDS: [&str; 48] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else", "enum",
    "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod", "move",
    "mut", "override", "priv", "pub", "ref", "return", "static", "struct", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Words that cannot even be written raw.
const UNUSABLE: [&str; 5] = ["self", "Self", "super", "crate", "_"];

/// Type names that a shape or an enum must not have: the prelude, and the SDK's types that users import beside it.
pub const RESERVED_TYPES: [&str; 48] = [
    "AsMut",
    "AsRef",
    "AsyncFn",
    "AsyncFnMut",
    "AsyncFnOnce",
    "Body",
    "Box",
    "Call",
    "Client",
    "Clone",
    "Copy",
    "Default",
    "DoubleEndedIterator",
    "Drop",
    "Eq",
    "Err",
    "Error",
    "ExactSizeIterator",
    "Extend",
    "Fn",
    "FnMut",
    "FnOnce",
    "From",
    "FromIterator",
    "Future",
    "Into",
    "IntoFuture",
    "IntoIterator",
    "Iterator",
    "None",
    "Ok",
    "Option",
    "Ord",
    "PartialEq",
    "PartialOrd",
    "Result",
    "Self",
    "Send",
    "Sized",
    "Some",
    "String",
    "Sync",
    "Timestamp",
    "ToOwned",
    "ToString",
    "TryFrom",
    "TryInto",
    "Vec",
];

/// Member names that a request or a shape must not have: its setter would hide a method that generated or user code calls.
pub const RESERVED_SETTERS: [&str; 12] = [
    "borrow",
    "clone",
    "clone_from",
    "default",
    "eq",
    "fmt",
    "from",
    "hash",
    "into",
    "new",
    "to_owned",
    "try_into",
];

/// Member names that a result must not have: every result has a field or a method of that name.
pub const RESERVED_RESULT_MEMBERS: [&str; 1] = ["meta"];

/// Variant names that an enum value must not have: open enums keep unknown values under this one.
pub const RESERVED_VARIANTS: [&str; 1] = ["Unknown"];

/// Operation names (as methods) that the client has besides the operations.
pub const RESERVED_METHODS: [&str; 22] = [
    "appender",
    "blocking",
    "bucket_exists",
    "builder",
    "clone",
    "config",
    "copier",
    "downloader",
    "from_conf",
    "from_config",
    "from_env",
    "get_object_to_file",
    "invoke",
    "invoke_operation",
    "is_shut_down",
    "new",
    "object_exists",
    "open_file",
    "presign",
    "put_object_from_file",
    "shutdown",
    "uploader",
];

/// Splits a name of any style into its words, as they are written.
///
/// Words end at anything that is not a letter or a digit, before a capital that follows a small letter or a digit,
/// before the last capital of a run that is followed by a small letter (`CORSRule` is `CORS`, `Rule`) and before a
/// version (`IPv6` is `IP`, `v6`). Digits belong to the word before them.
pub fn words(name: &str) -> Vec<&str> {
    let chars: Vec<(usize, char)> = name.char_indices().collect();
    let at = |index: usize| chars.get(index).map(|(_, c)| *c);
    let mut words = Vec::new();
    let mut start: Option<usize> = None;
    for (index, &(offset, c)) in chars.iter().enumerate() {
        if !c.is_ascii_alphanumeric() {
            if let Some(start) = start.take() {
                words.push(&name[start..offset]);
            }
            continue;
        }
        let Some(from) = start else {
            start = Some(offset);
            continue;
        };
        let previous = at(index - 1).unwrap_or(' ');
        let next = at(index + 1).unwrap_or(' ');
        let starts_word = if c.is_ascii_uppercase() {
            !previous.is_ascii_uppercase() || (next.is_ascii_lowercase() && !is_version(next, at(index + 2)))
        } else {
            previous.is_ascii_uppercase() && offset - from > 1 && is_version(c, at(index + 1))
        };
        if starts_word {
            words.push(&name[from..offset]);
            start = Some(offset);
        }
    }
    if let Some(start) = start {
        words.push(&name[start..]);
    }
    words
}

/// Whether a `v` and what follows it are a version as in `TLSv1`.
fn is_version(c: char, next: Option<char>) -> bool {
    c == 'v' && next.is_some_and(|next| next.is_ascii_digit())
}

/// `ListObjectsV2` as `list_objects_v2`, `CORSRule` as `cors_rule`, `public-read` as `public_read`.
pub fn to_snake(name: &str) -> String {
    words(name)
        .iter()
        .map(|word| word.to_ascii_lowercase())
        .collect::<Vec<_>>()
        .join("_")
}

/// `cors_rule` and `CORSRule` as `CorsRule`, `public-read` as `PublicRead`, `TLSv1.2` as `TlsV1_2`.
pub fn to_upper_camel(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for word in words(name) {
        // Without it `1.12` and `11.2` were one name; rustc's lint accepts an underscore between digits.
        if out.ends_with(|c: char| c.is_ascii_digit()) && word.starts_with(|c: char| c.is_ascii_digit()) {
            out.push('_');
        }
        let (first, rest) = word.split_at(1);
        out.push_str(&first.to_ascii_uppercase());
        out.push_str(&rest.to_ascii_lowercase());
    }
    out
}

/// `max_keys` as `maxKeys`: the default wire name of a member of a JSON service.
pub fn to_lower_camel(name: &str) -> String {
    let camel = to_upper_camel(name);
    match camel.chars().next() {
        Some(first) => format!("{}{}", first.to_ascii_lowercase(), &camel[first.len_utf8()..]),
        None => camel,
    }
}

/// Whether a name is snake_case that can be a Rust identifier, raw or escaped: `etag`, `type`, `list_type_2`.
pub fn is_snake(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.split('_').all(|word| !word.is_empty())
        && name
            .chars()
            .all(|c| c == '_' || c.is_ascii_lowercase() || c.is_ascii_digit())
}

/// Whether a name is UpperCamelCase, acronyms aside: `CorsRule`, `CORSRule`, `ListObjectsV2`.
pub fn is_upper_camel(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase()) && name.chars().all(|c| c.is_ascii_alphanumeric())
}

/// The Rust text of a field: `type` is `r#type`, `self` is `self_`.
pub fn rust_field(name: &str) -> String {
    field_ident(name).to_string()
}

/// The identifier of a field, setter or module: raw for a keyword, with a trailing underscore where raw is impossible.
pub fn field_ident(name: &str) -> Ident {
    let name = sanitized(name);
    if UNUSABLE.contains(&name.as_str()) {
        Ident::new(&format!("{name}_"), Span::call_site())
    } else if KEYWORDS.contains(&name.as_str()) {
        Ident::new_raw(&name, Span::call_site())
    } else {
        Ident::new(&name, Span::call_site())
    }
}

/// The identifier of a type. The name is the model's, which is UpperCamelCase already.
pub fn type_ident(name: &str) -> Ident {
    field_ident(name)
}

/// The variant of an enum value, from its wire value: `public-read` is `PublicRead`, `2d` is `V2d`, `self` is `Self_`.
///
/// Empty when the value has no letter or digit, e.g. `*`: the model has to name such a variant.
pub fn variant_name(wire: &str) -> String {
    let camel = to_upper_camel(wire);
    match camel.chars().next() {
        Some(first) if first.is_ascii_digit() => format!("V{camel}"),
        _ if UNUSABLE.contains(&camel.as_str()) => format!("{camel}_"),
        _ => camel,
    }
}

/// The identifier of an enum variant, from [`variant_name`] or the model.
pub fn variant_ident(variant: &str) -> Ident {
    field_ident(variant)
}

/// Keeps what an identifier may hold, so that no text can make [`Ident::new`] panic. The lint refuses such names.
fn sanitized(name: &str) -> String {
    let mut out: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    if out.is_empty() || out.starts_with(|c: char| c.is_ascii_digit()) {
        out.insert(0, '_');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_style_become_snake_case() {
        for (name, snake) in [
            ("ListObjectsV2", "list_objects_v2"),
            ("PutBucketCors", "put_bucket_cors"),
            ("CORSRule", "cors_rule"),
            ("HTTPMethod", "http_method"),
            ("ETag", "e_tag"),
            ("x-oss-hash-crc64ecma", "x_oss_hash_crc64ecma"),
            ("IPv6Address", "ip_v6_address"),
            ("max_keys", "max_keys"),
            ("TLSv1.2", "tls_v1_2"),
            ("ABCv", "ab_cv"),
            ("__", ""),
        ] {
            assert_eq!(to_snake(name), snake, "{name}");
        }
    }

    #[test]
    fn names_of_any_style_become_upper_camel_case() {
        for (name, camel) in [
            ("cors_rule", "CorsRule"),
            ("CORSRule", "CorsRule"),
            ("public-read-write", "PublicReadWrite"),
            ("AES256", "Aes256"),
            ("TLSv1.2", "TlsV1_2"),
            ("1.12", "1_12"),
            ("ColdArchive", "ColdArchive"),
            ("etag", "Etag"),
            ("*", ""),
        ] {
            assert_eq!(to_upper_camel(name), camel, "{name}");
        }
        assert_eq!(to_lower_camel("index_name"), "indexName");
        assert_eq!(to_lower_camel(""), "");
    }

    #[test]
    fn variants_are_identifiers() {
        for (wire, variant) in [
            ("2d", "V2d"),
            ("self", "Self_"),
            ("Self", "Self_"),
            ("oss:ObjectCreated:*", "OssObjectCreated"),
            ("*", ""),
        ] {
            assert_eq!(variant_name(wire), variant, "{wire}");
        }
    }

    #[test]
    fn keywords_are_raw_or_escaped() {
        for (name, field) in [
            ("type", "r#type"),
            ("async", "r#async"),
            ("gen", "r#gen"),
            ("self", "self_"),
            ("Self", "Self_"),
            ("crate", "crate_"),
            ("super", "super_"),
            ("etag", "etag"),
            ("2d", "_2d"),
            ("", "__"),
            ("naïve name", "na_ve_name"),
        ] {
            assert_eq!(rust_field(name), field, "{name}");
        }
    }

    #[test]
    fn all_keywords_make_identifiers_that_rust_accepts() {
        for keyword in KEYWORDS.iter().chain(&UNUSABLE) {
            let field = rust_field(keyword);
            assert!(syn::parse_str::<Ident>(&field).is_ok(), "{field}");
        }
    }

    #[test]
    fn snake_case_is_recognized() {
        for good in ["etag", "type", "list_type_2", "crc64"] {
            assert!(is_snake(good), "{good}");
        }
        for bad in ["", "ETag", "e__tag", "_a", "a_", "2d", "a-b", "é"] {
            assert!(!is_snake(bad), "{bad}");
        }
    }

    #[test]
    fn reserved_names_are_sorted_for_the_reader() {
        for list in [&RESERVED_TYPES[..], &RESERVED_SETTERS, &RESERVED_METHODS] {
            assert!(list.is_sorted());
        }
    }
}
