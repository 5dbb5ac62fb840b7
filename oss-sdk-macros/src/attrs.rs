//! `#[oss(...)]` as it is written: names with values, each with the place to complain about.

use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Attribute, Ident, Lit, LitBool, LitInt, LitStr, Token, Type, parenthesized};

/// Problems of one derive; all are reported at once.
#[derive(Default)]
pub(crate) struct Problems(Option<syn::Error>);

impl Problems {
    pub(crate) fn push(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(all) => all.combine(error),
            None => self.0 = Some(error),
        }
    }

    /// Adds a problem at a token.
    pub(crate) fn at(&mut self, token: impl quote::ToTokens, message: impl std::fmt::Display) {
        self.push(syn::Error::new_spanned(token, message));
    }

    pub(crate) fn finish(self) -> syn::Result<()> {
        match self.0 {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

/// One `name`, `name = value`, `name(values)` or `name(inner = value)`.
pub(crate) struct Attr {
    pub(crate) name: Ident,
    pub(crate) value: Value,
}

pub(crate) enum Value {
    None,
    Literal(Lit),
    Type(Box<Type>),
    /// Numbers may be negative.
    List(Vec<Item>),
    /// Names with values of their own.
    Group(Vec<Attr>),
}

pub(crate) struct Item {
    pub(crate) is_negative: bool,
    pub(crate) literal: Lit,
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let is_negative = input.parse::<Option<Token![-]>>()?.is_some();
        Ok(Self {
            is_negative,
            literal: input.parse()?,
        })
    }
}

impl Parse for Attr {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        // `crate` is a keyword.
        let name = Ident::parse_any(input)?;
        let value = if input.parse::<Option<Token![=]>>()?.is_some() {
            if name == "output" || name == "item" {
                Value::Type(Box::new(input.parse()?))
            } else {
                Value::Literal(input.parse()?)
            }
        } else if input.peek(syn::token::Paren) {
            let content;
            parenthesized!(content in input);
            if content.peek(Ident::peek_any) && !content.peek(LitBool) {
                let inner = Punctuated::<Attr, Token![,]>::parse_terminated(&content)?;
                Value::Group(inner.into_iter().collect())
            } else {
                let items = Punctuated::<Item, Token![,]>::parse_terminated(&content)?;
                Value::List(items.into_iter().collect())
            }
        } else {
            Value::None
        };
        Ok(Self { name, value })
    }
}

/// All `#[oss(...)]` of an item, in order. What cannot be parsed is a problem; the rest is still looked at.
pub(crate) fn parse(attributes: &[Attribute], problems: &mut Problems) -> Vec<Attr> {
    let mut all = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("oss")) {
        match attribute.parse_args_with(Punctuated::<Attr, Token![,]>::parse_terminated) {
            Ok(attrs) => all.extend(attrs),
            Err(error) => problems.push(error),
        }
    }
    check_repeats(&all, problems);
    all
}

fn check_repeats(all: &[Attr], problems: &mut Problems) {
    for (index, attr) in all.iter().enumerate() {
        if all[..index].iter().any(|earlier| earlier.name == attr.name) {
            problems.at(&attr.name, format!("`{}` is given twice; leave one out", attr.name));
        }
    }
}

impl Attr {
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name == name
    }

    /// The text of `name = "text"`.
    pub(crate) fn text(&self, problems: &mut Problems) -> Option<LitStr> {
        match &self.value {
            Value::Literal(Lit::Str(text)) => Some(text.clone()),
            Value::Literal(other) => {
                problems.at(other, "a text in quotes is expected here");
                None
            }
            _ => {
                problems.at(&self.name, format!("write `{} = \"...\"`", self.name));
                None
            }
        }
    }

    /// The text of `name = "text"`, or nothing for a bare `name`.
    pub(crate) fn optional_text(&self, problems: &mut Problems) -> Option<LitStr> {
        if matches!(self.value, Value::None) {
            None
        } else {
            self.text(problems)
        }
    }

    /// Makes sure that a bare `name` has no value.
    pub(crate) fn flag(&self, problems: &mut Problems) {
        if !matches!(self.value, Value::None) {
            problems.at(
                &self.name,
                format!("`{}` has no value; write the name alone", self.name),
            );
        }
    }

    /// The number of `name = 1`.
    pub(crate) fn number(&self, problems: &mut Problems) -> Option<u64> {
        match &self.value {
            Value::Literal(Lit::Int(number)) => parse_number(number, problems),
            _ => {
                problems.at(&self.name, format!("write `{} = 1` with a number", self.name));
                None
            }
        }
    }

    /// The two numbers of `name(least, most)`.
    pub(crate) fn bounds<T: TryFrom<i128>>(&self, problems: &mut Problems) -> Option<(T, T)> {
        let usage = format!("write `{}(least, most)` with two numbers", self.name);
        let Value::List(items) = &self.value else {
            problems.at(&self.name, usage);
            return None;
        };
        let mut numbers = Vec::new();
        for item in items {
            let number = match &item.literal {
                Lit::Int(number) => number.base10_parse::<i128>().ok(),
                _ => None,
            };
            let number = number.map(|number| if item.is_negative { -number } else { number });
            match number.and_then(|number| T::try_from(number).ok().map(|bound| (number, bound))) {
                Some(bound) => numbers.push(bound),
                None => {
                    problems.at(&item.literal, &usage);
                    return None;
                }
            }
        }
        match numbers.len() {
            2 if numbers[0].0 > numbers[1].0 => {
                problems.at(
                    &items[0].literal,
                    "the least number is greater than the most; swap them",
                );
                None
            }
            2 => {
                let most = numbers.pop()?.1;
                Some((numbers.pop()?.1, most))
            }
            _ => {
                problems.at(&self.name, usage);
                None
            }
        }
    }

    /// The texts of `name("a", "b")`.
    pub(crate) fn texts(&self, problems: &mut Problems) -> Vec<String> {
        let mut texts = Vec::new();
        match &self.value {
            Value::List(items) => {
                for item in items {
                    match &item.literal {
                        Lit::Str(text) => texts.push(text.value()),
                        other => problems.at(other, "a text in quotes is expected here"),
                    }
                }
            }
            _ => problems.at(&self.name, format!("write `{}(\"...\", \"...\")`", self.name)),
        }
        texts
    }

    /// The numbers of `name(1, 2)`.
    pub(crate) fn statuses(&self, problems: &mut Problems) -> Vec<u16> {
        let mut statuses = Vec::new();
        match &self.value {
            Value::List(items) => {
                for item in items {
                    let status = match &item.literal {
                        Lit::Int(number) if !item.is_negative => number.base10_parse().ok(),
                        _ => None,
                    };
                    match status {
                        Some(status @ 200..=299) => statuses.push(status),
                        _ => problems.at(&item.literal, "a success is a status from 200 to 299"),
                    }
                }
            }
            _ => problems.at(&self.name, format!("write `{}(200, 204)`", self.name)),
        }
        statuses
    }

    /// The names of `name(inner = value)`.
    pub(crate) fn group(&self, usage: &str, problems: &mut Problems) -> &[Attr] {
        match &self.value {
            Value::Group(inner) => {
                check_repeats(inner, problems);
                inner
            }
            _ => {
                problems.at(&self.name, format!("write `{usage}`"));
                &[]
            }
        }
    }

    /// Reports a name that means nothing here.
    pub(crate) fn unknown(&self, known: &[&str], problems: &mut Problems) {
        let name = self.name.to_string();
        let similar = known.iter().find(|known| is_similar(&name, known));
        let rest = match similar {
            Some(similar) => format!("did you mean `{similar}`?"),
            None => {
                let list = known
                    .iter()
                    .map(|name| format!("`{name}`"))
                    .collect::<Vec<_>>()
                    .join(", ");
                format!("there are {list}")
            }
        };
        problems.at(&self.name, format!("`{name}` is not known here; {rest}"));
    }
}

/// Whether one character was added, left out or mistyped, or two that follow one another were swapped.
fn is_similar(a: &str, b: &str) -> bool {
    let start = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let rest = a.len().min(b.len()) - start;
    let end = a
        .bytes()
        .rev()
        .zip(b.bytes().rev())
        .take_while(|(a, b)| a == b)
        .count()
        .min(rest);
    let (a, b) = (&a.as_bytes()[start..a.len() - end], &b.as_bytes()[start..b.len() - end]);
    match (a, b) {
        ([first, second], [other_first, other_second]) => first == other_second && second == other_first,
        _ => a.len() <= 1 && b.len() <= 1,
    }
}

fn parse_number(number: &LitInt, problems: &mut Problems) -> Option<u64> {
    match number.base10_parse() {
        Ok(number) => Some(number),
        Err(error) => {
            problems.push(error);
            None
        }
    }
}
