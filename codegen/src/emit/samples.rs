//! Sample requests and answers, made from types, enums and limits: for examples in the documentation and for the
//! snapshots that show each operation's wire form.

use std::cell::RefCell;
use std::collections::BTreeSet;

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

use super::Options;
use super::field::{self, Field, Role};
use super::request;
use crate::api::{
    BodyKind, Member, Operation, Place, Protocol, Service, ShapeId, TimestampFormat, Type,
};
use crate::format;
use crate::names;

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
        }
    }

    /// The expression of a request.
    pub fn request(&self, operation: &Operation) -> TokenStream {
        let name = request::name(operation);
        let fields = field::fields(self.service, &operation.request, Role::Request);
        self.construct(quote!(#name), &fields)
    }

    /// Names of the shapes and enums used so far.
    pub fn types(&self) -> Vec<proc_macro2::Ident> {
        self.types
            .borrow()
            .iter()
            .map(|name| names::type_ident(name))
            .collect()
    }

    fn construct(&self, ty: TokenStream, fields: &[Field<'_>]) -> TokenStream {
        let required = fields
            .iter()
            .filter(|field| field.member.required)
            .map(|field| self.value(field.member));
        let mut out = quote!(#ty::new(#(#required),*));
        for field in fields
            .iter()
            .filter(|field| !field.member.required && self.is_given(field.member))
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
            && member
                .ty
                .shape()
                .is_none_or(|id| !self.open.borrow().contains(&id))
    }

    fn value(&self, member: &Member) -> TokenStream {
        match &member.ty {
            Type::List(item) => {
                let count = self.count(member);
                let items = (1..=count).map(|index| self.single(member, item, index));
                quote!([#(#items),*])
            }
            Type::Map(item) => {
                let item = self.single(member, item, 1);
                quote!([("name", #item)])
            }
            ty => self.single(member, ty, 1),
        }
    }

    /// Items of a list: two, unless fewer are allowed or wanted.
    fn count(&self, member: &Member) -> u64 {
        let wanted = if self.extent == Extent::Filled { 2 } else { 1 };
        if member
            .ty
            .shape()
            .is_some_and(|id| self.open.borrow().contains(&id))
        {
            return 0;
        }
        wanted.min(member.max_items.unwrap_or(wanted))
    }

    fn single(&self, member: &Member, ty: &Type, index: u64) -> TokenStream {
        match ty {
            Type::String => {
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
                let value = self.construct(quote!(#name), &fields);
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
            Place::Text => return r#"{"Version":"1","Statement":[]}"#.to_owned(),
            _ => member.name.replace('_', "-"),
        };
        if index > 1 {
            text.push_str(&format!("-{index}"));
        }
        let is_ascii_only = matches!(
            member.place,
            Place::Header | Place::HeaderMap | Place::CopySourceVersionId
        );
        if self.extent == Extent::Filled
            && !self.plain
            && !is_ascii_only
            && member.pattern.is_none()
        {
            text.push_str(" ü&<1>");
        }
        fit(text, member.length)
    }

    /// Head and payload of a successful answer.
    pub fn response(&self, operation: &Operation) -> Response {
        let mut response = Response {
            status: operation.success.first().copied().unwrap_or(200),
            headers: Vec::new(),
            body: String::new(),
        };
        let mut document = Vec::new();
        for member in &operation.result {
            let is_wanted = self.extent == Extent::Filled || member.required;
            if !is_wanted {
                continue;
            }
            match member.place {
                Place::Header => {
                    if let (Some(name), Some(value)) =
                        (member.wire.first(), self.wire_text(member, &member.ty, 1))
                    {
                        response.headers.push((name.clone(), value));
                    }
                }
                Place::HeaderMap => {
                    if let Some(prefix) = member.wire.first() {
                        response
                            .headers
                            .push((format!("{prefix}name"), self.text(member, 1)));
                    }
                }
                Place::Text => response.body = self.text(member, 1),
                Place::Stream => response.body = "payload".to_owned(),
                Place::RootText => {
                    let root = operation
                        .result_root
                        .clone()
                        .unwrap_or_else(|| format!("{}Result", operation.name));
                    let text = self.wire_text(member, &member.ty, 1).unwrap_or_default();
                    response.body = format!(
                        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root}>{}</{root}>\n",
                        escape(&text)
                    );
                }
                Place::Body | Place::Field => document.push(member),
                _ => {}
            }
        }
        if operation.result_body == BodyKind::Document && !document.is_empty() {
            response.body = match self.service.protocol {
                Protocol::RestXml => self.xml_document(operation, &document),
                Protocol::RestJson | Protocol::RpcJson => self.json_document(operation, &document),
            };
        }
        response
    }

    fn xml_document(&self, operation: &Operation, members: &[&Member]) -> String {
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        let body = members.iter().find(|member| member.place == Place::Body);
        match body {
            Some(member) => {
                let shape = member.ty.shape();
                let root = operation
                    .result_root
                    .clone()
                    .or_else(|| member.wire.first().cloned())
                    .or_else(|| shape.map(|id| self.service.shape(id).wire.clone()))
                    .unwrap_or_else(|| operation.name.clone());
                out.push_str(&format!("<{root}>\n"));
                if let Some(id) = shape {
                    self.xml_shape(&mut out, id, 1);
                }
                out.push_str(&format!("</{root}>\n"));
            }
            None => {
                let root = operation
                    .result_root
                    .clone()
                    .unwrap_or_else(|| format!("{}Result", operation.name));
                out.push_str(&format!("<{root}>\n"));
                self.xml_members(&mut out, members, 0, 1);
                out.push_str(&format!("</{root}>\n"));
            }
        }
        out
    }

    fn xml_shape(&self, out: &mut String, id: ShapeId, depth: usize) {
        let members: Vec<&Member> = self.service.shape(id).members.iter().collect();
        self.open.borrow_mut().push(id);
        let members: Vec<&Member> = members
            .into_iter()
            .filter(|member| member.required || self.extent == Extent::Filled)
            .collect();
        self.xml_members(out, &members, 0, depth);
        self.open.borrow_mut().pop();
    }

    /// Writes members whose wire paths agree before `level`.
    fn xml_members(&self, out: &mut String, members: &[&Member], level: usize, depth: usize) {
        let indent = "  ".repeat(depth);
        let mut done: Vec<&str> = Vec::new();
        for member in members {
            let Some(name) = member.wire.get(level) else {
                continue;
            };
            if done.contains(&name.as_str()) {
                continue;
            }
            done.push(name);
            if member.wire.len() > level + 1 {
                let inside: Vec<&Member> = members
                    .iter()
                    .copied()
                    .filter(|other| other.wire.get(level) == Some(name))
                    .collect();
                out.push_str(&format!("{indent}<{name}>\n"));
                self.xml_members(out, &inside, level + 1, depth + 1);
                out.push_str(&format!("{indent}</{name}>\n"));
                continue;
            }
            let (ty, count) = match &member.ty {
                Type::List(item) => (&**item, self.count(member)),
                ty => (ty, 1),
            };
            for index in 1..=count {
                match ty {
                    Type::Shape(id) if self.open.borrow().contains(id) => {}
                    Type::Shape(id) => {
                        out.push_str(&format!("{indent}<{name}>\n"));
                        self.xml_shape(out, *id, depth + 1);
                        out.push_str(&format!("{indent}</{name}>\n"));
                    }
                    ty => {
                        let text = self.wire_text(member, ty, index).unwrap_or_default();
                        out.push_str(&format!("{indent}<{name}>{}</{name}>\n", escape(&text)));
                    }
                }
            }
        }
    }

    fn json_document(&self, operation: &Operation, members: &[&Member]) -> String {
        let mut out = String::new();
        let body = members.iter().find(|member| member.place == Place::Body);
        let root = operation.result_root.as_deref();
        let depth = usize::from(root.is_some());
        if let Some(root) = root {
            out.push_str(&format!("{{\n  {}: ", json_text(root)));
        }
        match body {
            Some(member) => self.json_value(&mut out, member, &member.ty, 1, depth),
            None => self.json_members(&mut out, members, depth),
        }
        if root.is_some() {
            out.push_str("\n}");
        }
        out.push('\n');
        out
    }

    fn json_members(&self, out: &mut String, members: &[&Member], depth: usize) {
        let indent = "  ".repeat(depth + 1);
        let mut rows = Vec::new();
        for member in members {
            let is_closed = member
                .ty
                .shape()
                .is_none_or(|id| !self.open.borrow().contains(&id));
            if let (Some(name), true) = (member.wire.last(), is_closed) {
                let mut row = format!("{indent}{}: ", json_text(name));
                self.json_value(&mut row, member, &member.ty, 1, depth + 1);
                rows.push(row);
            }
        }
        out.push_str(&format!(
            "{{\n{}\n{}}}",
            rows.join(",\n"),
            "  ".repeat(depth)
        ));
    }

    fn json_value(&self, out: &mut String, member: &Member, ty: &Type, index: u64, depth: usize) {
        match ty {
            Type::List(item) => {
                out.push('[');
                for index in 1..=self.count(member) {
                    if index > 1 {
                        out.push_str(", ");
                    }
                    self.json_value(out, member, item, index, depth);
                }
                out.push(']');
            }
            Type::Map(item) => {
                out.push_str("{\"name\": ");
                self.json_value(out, member, item, 1, depth);
                out.push('}');
            }
            Type::Shape(id) => {
                let members: Vec<&Member> = self.service.shape(*id).members.iter().collect();
                self.open.borrow_mut().push(*id);
                self.json_members(out, &members, depth);
                self.open.borrow_mut().pop();
            }
            Type::Integer
            | Type::Float
            | Type::Float32
            | Type::Bool
            | Type::Timestamp(TimestampFormat::UnixSeconds) => {
                out.push_str(&self.wire_text(member, ty, index).unwrap_or_default());
            }
            _ => out.push_str(&json_text(
                &self.wire_text(member, ty, index).unwrap_or_default(),
            )),
        }
    }

    /// A value as the text of an element or header.
    fn wire_text(&self, member: &Member, ty: &Type, index: u64) -> Option<String> {
        Some(match ty {
            Type::String | Type::Any if member.url_decoded => {
                format!("dir%2F{}%20{index}", member.name)
            }
            Type::String | Type::Any => self.text(member, index),
            Type::Integer => integer(member, index).to_string(),
            Type::Float => "0.5".to_owned(),
            Type::Float32 => "0.25".to_owned(),
            Type::Bool => "true".to_owned(),
            Type::Timestamp(TimestampFormat::Iso8601) => "2024-05-06T07:08:09.000Z".to_owned(),
            Type::Timestamp(TimestampFormat::HttpDate) => {
                "Mon, 06 May 2024 07:08:09 GMT".to_owned()
            }
            Type::Timestamp(TimestampFormat::UnixSeconds) => UNIX_TIME.to_string(),
            Type::Bytes => "Ynl0ZXM=".to_owned(),
            Type::Enum(id) => match self.enum_value(*id, index) {
                Some(value) => value.wire.clone(),
                None => "value".to_owned(),
            },
            Type::List(item) => self.wire_text(member, item, index)?,
            Type::Shape(_) | Type::Map(_) | Type::Stream => return None,
        })
    }
}

/// A sample answer.
#[derive(Debug)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The payload.
    pub body: String,
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

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn json_text(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}
