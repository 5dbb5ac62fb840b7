//! `paginate(...)`: where the next page's tokens come from and what the pages list.
//!
//! The answer is a struct of its own, so only the names of its fields are known here. What they can be is said by traits
//! of the SDK, and found out by the compiler.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::Token;
use syn::punctuated::Punctuated;

use super::Lowered;
use crate::attrs::{Attr, Problems, Value};

const USAGE: &str = "paginate(items = \"objects\", item = Object, tokens(marker = \"next_marker\"))";
const NAMES: [&str; 4] = ["item", "items", "more", "tokens"];

/// A field of the answer: names joined with dots.
pub(crate) type Path = Punctuated<Ident, Token![.]>;

/// How an operation pages.
pub(crate) struct Paginate {
    /// Type of what the pages list.
    pub(crate) item: TokenStream,
    pub(crate) items: Path,
    pub(crate) more: Option<Path>,
    /// Fields of the request, and those of the answer that they are filled from.
    pub(crate) tokens: Vec<(Ident, Path)>,
}

pub(crate) fn paginate(lowered: &Lowered, problems: &mut Problems) -> Option<Paginate> {
    let attr = lowered.attrs.iter().find(|attr| attr.is("paginate"))?;
    if !lowered.attrs.iter().any(|attr| attr.is("output")) {
        problems.at(
            &attr.name,
            "pages are the `output` of the operation; say which type it is",
        );
    }
    let (mut item, mut items, mut more, mut tokens) = (None, None, None, Vec::new());
    let inner = attr.group(USAGE, problems);
    for part in inner {
        match part.name.to_string().as_str() {
            "item" => match &part.value {
                Value::Type(ty) => item = Some(ty.to_token_stream()),
                _ => problems.at(&part.name, "write `item = Type` with the type of one item"),
            },
            "items" => items = path(part, problems),
            "more" => more = path(part, problems),
            "tokens" => {
                for token in part.group("tokens(marker = \"next_marker\")", problems) {
                    let field = lowered.members.iter().find(|field| field.ident == token.name);
                    if field.is_none() {
                        problems.at(&token.name, format!("the request has no field `{}`", token.name));
                    }
                    tokens.extend(path(token, problems).map(|path| (token.name.clone(), path)));
                }
            }
            _ => part.unknown(&NAMES, problems),
        }
    }
    for (name, is_given) in [
        ("item", inner.iter().any(|part| part.is("item"))),
        ("items", inner.iter().any(|part| part.is("items"))),
        ("tokens", inner.iter().any(|part| part.is("tokens"))),
    ] {
        if !is_given && !inner.is_empty() {
            problems.at(&attr.name, format!("`{name}` is missing; write `{USAGE}`"));
        }
    }
    if tokens.is_empty() {
        return None;
    }
    Some(Paginate {
        item: item?,
        items: items?,
        more,
        tokens,
    })
}

fn path(attr: &Attr, problems: &mut Problems) -> Option<Path> {
    let text = attr.text(problems)?;
    match text.parse_with(Path::parse_separated_nonempty) {
        Ok(path) => Some(path),
        Err(_) => {
            let message = "the name of a field of the answer is expected, or `outer.inner` for one in a structure";
            problems.at(&text, message);
            None
        }
    }
}
