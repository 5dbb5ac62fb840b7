//! Sample requests and answers, made from types, enums and limits: for examples in the documentation and for the
//! snapshots that show each operation's wire form.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

use super::Options;
use super::field::{self, Field, Role};
use super::request;
use crate::api::{Member, Operation, Place, Service, Shape, ShapeId, Type};
use crate::format;
use crate::names;

mod answer;
mod frames;

pub use answer::Response;

/// 2024-05-06T07:08:09Z.
const UNIX_TIME: i64 = 1_714_979_289;

/// How much of a request or an answer is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Only what is required.
    Minimal,
    /// Every member.
    Filled,
}

/// Makes values for the members of one service.
#[derive(Debug)]
pub struct Sampler<'a> {
    service: &'a Service,
    extent: Extent,
    /// Values for documentation are plain; others have characters that must be escaped.
    plain: bool,
    /// Shapes and enums that the expressions name.
    types: RefCell<BTreeSet<String>>,
    /// Shapes around the value that is being made, so that recursion ends.
    open: RefCell<Vec<ShapeId>>,
    /// Which item of the innermost list the value is in.
    item: Cell<u64>,
}

impl<'a> Sampler<'a> {
    /// A sampler for the snapshots.
    pub fn new(service: &'a Service, extent: Extent) -> Self {
        Self {
            service,
            extent,
            plain: false,
            types: RefCell::default(),
            open: RefCell::default(),
            item: Cell::new(1),
        }
    }

    /// The expression of a request.
    pub fn request(&self, operation: &Operation) -> TokenStream {
        let name = request::name(operation);
        let fields = field::fields(self.service, &operation.request, Role::Request);
        // One of the sets has to be given, and the shortest is the least.
        let needed = operation.any_of.iter().min_by_key(|set| set.len());
        let is_needed = |member: &Member| needed.is_some_and(|set| set.contains(&member.name));
        self.construct(quote!(#name), &fields, |member| {
            is_needed(member) || self.is_given(member)
        })
    }

    /// Names of the shapes and enums used so far.
    pub fn types(&self) -> Vec<proc_macro2::Ident> {
        self.types.borrow().iter().map(|name| names::type_ident(name)).collect()
    }

    /// A value with its required members, and those of the others that are `given`.
    fn construct(&self, ty: TokenStream, fields: &[Field<'_>], given: impl Fn(&Member) -> bool) -> TokenStream {
        let required = fields
            .iter()
            .filter(|field| field.member.required)
            .map(|field| self.value(field.member));
        let mut out = quote!(#ty::new(#(#required),*));
        for field in fields
            .iter()
            .filter(|field| !field.member.required && given(field.member))
        {
            let setter = &field.ident;
            let value = self.value(field.member);
            out.extend(quote!(.#setter(#value)));
        }
        out
    }

    /// Whether an optional member is given: all are in a filled value, unless a shape would hold itself.
    fn is_given(&self, member: &Member) -> bool {
        self.extent == Extent::Filled
            && member.deprecated.is_none()
            && member.ty.shape().is_none_or(|id| !self.open.borrow().contains(&id))
    }

    /// Whether a member of a shape is given, with regard to the members that exclude it. The shape is open already.
    fn is_given_in(&self, shape: &Shape, member: &Member) -> bool {
        if shape.one_of {
            let can_be = |other: &&Member| other.ty.shape().is_none_or(|id| !self.is_open(id));
            let mut choices = shape.members.iter().filter(can_be);
            // Another one in the filled value, where there is one.
            let chosen = match self.extent {
                Extent::Minimal => choices.next(),
                Extent::Filled => choices.next_back(),
            };
            return chosen.is_some_and(|chosen| chosen.name == member.name);
        }
        let is_excluded = shape.exclusive.iter().any(|set| {
            let others = set.iter().take_while(|name| **name != member.name);
            set.contains(&member.name) && others.count() > 0
        });
        !is_excluded && self.is_given(member)
    }

    fn is_open(&self, id: ShapeId) -> bool {
        self.open.borrow().contains(&id)
    }

    fn value(&self, member: &Member) -> TokenStream {
        match &member.ty {
            Type::List(item) => {
                let count = self.count(member);
                // From the last to the first: what is sorted before it is sent shows that it is.
                let items = (1..=count)
                    .rev()
                    .map(|index| self.item(index, || self.single(member, item, index)));
                quote!([#(#items),*])
            }
            Type::Map(item) => {
                let item = self.single(member, item, 1);
                quote!([("name", #item)])
            }
            ty => self.single(member, ty, self.item.get()),
        }
    }

    /// Makes an item of a list, all of whose values differ from those of its neighbours.
    fn item<T>(&self, index: u64, make: impl FnOnce() -> T) -> T {
        let outer = self.item.replace(index);
        let made = make();
        self.item.set(outer);
        made
    }

    /// Items of a list: two, unless fewer are allowed or wanted.
    fn count(&self, member: &Member) -> u64 {
        let wanted = if self.extent == Extent::Filled { 2 } else { 1 };
        if member.ty.shape().is_some_and(|id| self.open.borrow().contains(&id)) {
            return 0;
        }
        wanted.min(member.max_items.unwrap_or(wanted))
    }

    fn single(&self, member: &Member, ty: &Type, index: u64) -> TokenStream {
        match ty {
            Type::String | Type::Base64String => {
                let text = self.text(member, index);
                quote!(#text)
            }
            Type::Integer => {
                let number = Literal::i64_unsuffixed(integer(member, index));
                quote!(#number)
            }
            Type::Float => quote!(0.5),
            Type::Float32 => quote!(0.25),
            Type::Bool => quote!(true),
            Type::Timestamp(_) if self.plain => quote!(::std::time::SystemTime::now()),
            Type::Timestamp(_) => {
                let seconds = Literal::i64_unsuffixed(UNIX_TIME);
                quote!(crate::wire::timestamp(#seconds))
            }
            Type::Any => {
                let text = self.text(member, index);
                quote!(#text)
            }
            Type::Bytes => quote!("bytes"),
            Type::Stream => quote!("payload"),
            Type::Enum(id) => {
                let enumeration = self.service.enumeration(*id);
                self.types.borrow_mut().insert(enumeration.name.clone());
                let name = names::type_ident(&enumeration.name);
                match self.enum_value(*id, index) {
                    Some(value) => {
                        let variant = names::variant_ident(&value.variant);
                        quote!(#name::#variant)
                    }
                    None => quote!(#name::from("value")),
                }
            }
            Type::Shape(id) => {
                let shape = self.service.shape(*id);
                self.types.borrow_mut().insert(shape.name.clone());
                let name = names::type_ident(&shape.name);
                let fields = field::fields(self.service, &shape.members, Role::Shape(shape));
                self.open.borrow_mut().push(*id);
                let value = self.construct(quote!(#name), &fields, |member| self.is_given_in(shape, member));
                self.open.borrow_mut().pop();
                value
            }
            Type::List(item) | Type::Map(item) => self.single(member, item, index),
        }
    }

    fn enum_value(&self, id: crate::api::EnumId, index: u64) -> Option<&'a crate::api::EnumValue> {
        let values = &self.service.enumeration(id).values;
        match self.extent {
            Extent::Minimal => values.first(),
            // Another value than that of the minimal request, where there is one.
            Extent::Filled => values
                .iter()
                .rev()
                .nth(usize::try_from(index - 1).unwrap_or(0))
                .or(values.first()),
        }
    }

    /// A text that is allowed where it stands and needs escaping where that is possible.
    fn text(&self, member: &Member, index: u64) -> String {
        let mut text = match member.place {
            Place::Bucket => return "examplebucket".to_owned(),
            Place::CopySourceBucket => return "sourcebucket".to_owned(),
            Place::Key | Place::CopySourceKey if self.plain => {
                return "exampleobject.txt".to_owned();
            }
            Place::Key => return "dir/example object+ü.txt".to_owned(),
            Place::CopySourceKey => return "dir/source object+ü.txt".to_owned(),
            Place::Text if !member.wire.is_empty() => return "image/resize,w_100|sys/saveas,o_YS5qcGc".to_owned(),
            Place::Text => return r#"{"Version":"1","Statement":[]}"#.to_owned(),
            // A checksum, the only kind of text that stays here.
            Place::Local => return "0".to_owned(),
            _ if member.bucket_arn => return arn(member),
            _ => member.name.replace('_', "-"),
        };
        if index > 1 {
            text.push_str(&format!("-{index}"));
        }
        let is_ascii_only = matches!(
            member.place,
            Place::Header | Place::HeaderMap | Place::CopySourceVersionId
        );
        if self.extent == Extent::Filled && !self.plain && !is_ascii_only && member.pattern.is_none() {
            text.push_str(" ü&<1>");
        }
        fit(text, member.length)
    }
}

/// Lines of the example of an operation: the request with what it needs, sent.
pub fn example(service: &Service, operation: &Operation, options: &Options) -> Vec<String> {
    if !options.has_examples() {
        return Vec::new();
    }
    let sampler = Sampler {
        service,
        extent: Extent::Minimal,
        plain: true,
        types: RefCell::default(),
        open: RefCell::default(),
        item: Cell::new(1),
    };
    let request = sampler.request(operation);
    let request_name = request::name(operation);
    let method = names::field_ident(&operation.method_name);
    let sdk = format_ident!("{}", options.sdk());
    let (operations, types) = options.public_modules(&service.name);
    let operations: TokenStream = operations.parse().expect("module paths are valid Rust");
    let types: TokenStream = types.parse().expect("module paths are valid Rust");
    let names = sampler.types();
    let uses = match names.as_slice() {
        [] => quote!(use #operations::#request_name;),
        [name] => quote! { use #operations::#request_name; use #types::#name; },
        names => quote! { use #operations::#request_name; use #types::{#(#names),*}; },
    };
    let client: TokenStream = options
        .public_client(&service.name)
        .parse()
        .expect("a client's path is valid Rust");
    let mut lines = format::lines(&uses);
    lines.push(String::new());
    let signature = format!(
        "# async fn example(client: {}) -> Result<(), {}::Error> {{",
        plain(&client),
        sdk
    );
    lines.push(signature);
    lines.extend(format::statements(&quote! {
        let request = #request;
        let result = client.#method(request).await?;
        println!("{result:?}");
    }));
    lines.push("# Ok(())".to_owned());
    lines.push("# }".to_owned());
    lines
}

fn plain(path: &TokenStream) -> String {
    path.to_string().replace(' ', "")
}

/// The ARN of a bucket, or of a table in it.
fn arn(member: &Member) -> String {
    let bucket = "acs:osstables:cn-hangzhou:1234567890123456:bucket/examplebucket";
    if member.name.contains("bucket") {
        bucket.to_owned()
    } else {
        format!("{bucket}/table/0f6d8ae6-40a5-4f4c-8a6b-2d2b3d3f2d3a")
    }
}

/// A number that is allowed, and different for each item of a list.
fn integer(member: &Member, index: u64) -> i64 {
    let wanted = 6 + i64::try_from(index).unwrap_or(1);
    match member.range {
        Some((least, most)) => wanted.clamp(least, most),
        None => wanted,
    }
}

/// Shortens or pads a text to the allowed number of bytes.
fn fit(mut text: String, length: Option<(u64, u64)>) -> String {
    let Some((least, most)) = length else {
        return text;
    };
    while text.len() as u64 > most {
        text.pop();
    }
    while (text.len() as u64) < least {
        text.push('x');
    }
    text
}
