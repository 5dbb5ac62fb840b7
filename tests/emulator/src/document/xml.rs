//! XML documents. A document becomes a tree of elements first, bounded in depth; a shape then says what each element is.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use oss_codegen::api::{Member, Service, ShapeId, Type};
use quick_xml::Reader;
use quick_xml::escape::escape;
use quick_xml::events::{BytesStart, Event};

use super::scalar;
use crate::text;
use crate::value::{Record, Value};

const MAX_DEPTH: usize = 32;
/// Most attributes of an element. Each is compared with those before it.
const MAX_ATTRIBUTES: usize = 32;

/// An element with its children and its own text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) children: Vec<Element>,
    pub(crate) text: String,
}

/// Parses a document; the error says what is wrong in a few words.
pub(crate) fn parse(document: &str) -> Result<Element, String> {
    if document.contains('\0') {
        return Err("the document holds NUL".to_owned());
    }
    let mut reader = Reader::from_str(document);
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(start) => {
                if root.is_some() {
                    return Err("there is more than one root element".to_owned());
                }
                if open.len() >= MAX_DEPTH {
                    return Err(format!("elements are nested deeper than {MAX_DEPTH}"));
                }
                check_attributes(&start)?;
                open.push(Element {
                    name: start.local_name().as_ref().to_owned(),
                    ..Element::default()
                });
            }
            Event::Empty(start) => {
                check_attributes(&start)?;
                let element = Element {
                    name: start.local_name().as_ref().to_owned(),
                    ..Element::default()
                };
                close(element, &mut open, &mut root)?;
            }
            Event::End(_) => {
                let element = open.pop().ok_or("an element ends that did not begin")?;
                close(element, &mut open, &mut root)?;
            }
            Event::Text(piece) => append(&piece.xml10_content(), &mut open)?,
            Event::CData(piece) => append(&piece.xml10_content(), &mut open)?,
            Event::GeneralRef(reference) => {
                let resolved = match reference.resolve_char_ref().map_err(|error| error.to_string())? {
                    Some(character) => character.to_string(),
                    None => match reference.xml10_content().as_ref() {
                        "lt" => "<".to_owned(),
                        "gt" => ">".to_owned(),
                        "amp" => "&".to_owned(),
                        "quot" => "\"".to_owned(),
                        "apos" => "'".to_owned(),
                        other => return Err(format!("the entity {other} is not known")),
                    },
                };
                append(&resolved, &mut open)?;
            }
            Event::DocType(_) => return Err("document type declarations are not taken".to_owned()),
            Event::Decl(declaration) => match declaration.encoding() {
                Some(Ok(encoding)) if !is_utf8(&encoding) => {
                    return Err(format!("the encoding {encoding} is not taken"));
                }
                Some(Err(error)) => return Err(error.to_string()),
                _ => {}
            },
            Event::Comment(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    if let Some(unclosed) = open.last() {
        return Err(format!("the element {} is not closed", unclosed.name));
    }
    root.ok_or_else(|| "there is no root element".to_owned())
}

/// Attributes mean nothing here, but a document with broken ones is not well-formed.
fn check_attributes(start: &BytesStart<'_>) -> Result<(), String> {
    for (count, attribute) in start.attributes().enumerate() {
        if count >= MAX_ATTRIBUTES {
            return Err(format!("an element has more than {MAX_ATTRIBUTES} attributes"));
        }
        attribute.map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Whether documents in an encoding are UTF-8 as well.
fn is_utf8(encoding: &str) -> bool {
    ["utf-8", "utf8", "us-ascii", "ascii"]
        .iter()
        .any(|known| encoding.eq_ignore_ascii_case(known))
}

fn close(element: Element, open: &mut [Element], root: &mut Option<Element>) -> Result<(), String> {
    match open.last_mut() {
        Some(parent) => parent.children.push(element),
        None if root.is_none() => *root = Some(element),
        None => return Err("there is more than one root element".to_owned()),
    }
    Ok(())
}

fn append(piece: &str, open: &mut [Element]) -> Result<(), String> {
    match open.last_mut() {
        Some(element) => element.text.push_str(piece),
        None if piece.trim().is_empty() => {}
        None => return Err("there is text outside the root element".to_owned()),
    }
    Ok(())
}

/// How strictly a document is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strictness {
    /// A request: unknown elements, missing members and broken limits are errors.
    Request,
    /// A stored document that is read by another operation's view of it.
    Stored,
}

/// Reads the children of an element as members.
pub(crate) fn read(
    service: &Service,
    members: &[&Member],
    element: &Element,
    strictness: Strictness,
) -> Result<Record, String> {
    if strictness == Strictness::Request {
        check_names(members, &element.name, std::slice::from_ref(element), 0)?;
    }
    let mut record = Record::new();
    for member in members {
        let found = find(element, member);
        let name = member.wire.last().map(String::as_str).unwrap_or_default();
        let value = match &member.ty {
            Type::List(item) if found.is_empty() && !has_wrapper(element, member) => {
                let _ = item;
                None
            }
            Type::List(item) => {
                let items = found
                    .iter()
                    .map(|element| read_value(service, item, element, strictness));
                Some(Value::List(items.collect::<Result<_, _>>()?))
            }
            ty => match found.as_slice() {
                [] => None,
                [one] => Some(without_prefix(member, read_value(service, ty, one, strictness)?)),
                _ => {
                    return Err(format!("the element {name} occurs more than once in {}", element.name));
                }
            },
        };
        match value {
            Some(value) => {
                if strictness == Strictness::Request {
                    scalar::check(member, &value).map_err(|why| format!("the element {name} {why}"))?;
                }
                record.set(&member.name, value);
            }
            None if member.required && strictness == Strictness::Request => {
                return Err(format!("the element {name} is missing in {}", element.name));
            }
            None => {}
        }
    }
    Ok(record)
}

/// Reads a document that is one of a shape's members.
pub(crate) fn read_one_of(service: &Service, shape: ShapeId, root: &Element) -> Result<Record, String> {
    let members = &service.shape(shape).members;
    let chosen = members
        .iter()
        .find(|member| member.wire.first() == Some(&root.name))
        .ok_or_else(|| format!("the root element {} is not known", root.name))?;
    let value = read_value(service, &chosen.ty, root, Strictness::Request)?;
    Ok(Record::new().with(&chosen.name, value))
}

/// Reads an element as a shape.
pub(crate) fn read_shape(
    service: &Service,
    shape: ShapeId,
    element: &Element,
    strictness: Strictness,
) -> Result<Record, String> {
    let members: Vec<_> = service.shape(shape).members.iter().collect();
    let record = read(service, &members, element, strictness)?;
    if strictness == Strictness::Request {
        super::check_together(service.shape(shape), &record)?;
    }
    Ok(record)
}

fn read_value(service: &Service, ty: &Type, element: &Element, strictness: Strictness) -> Result<Value, String> {
    match ty {
        Type::Shape(id) => read_shape(service, *id, element, strictness).map(Value::Record),
        Type::Map(item) => {
            let entries = element
                .children
                .iter()
                .map(|child| Ok((child.name.clone(), read_value(service, item, child, strictness)?)));
            Ok(Value::Map(entries.collect::<Result<_, String>>()?))
        }
        scalar_type if element.children.is_empty() => scalar::read(service, scalar_type, &element.text)
            .map_err(|expected| format!("the element {} is not {expected}", element.name)),
        _ => Err(format!("the element {} must hold text only", element.name)),
    }
}

fn without_prefix(member: &Member, value: Value) -> Value {
    match (&member.prefix, value) {
        (Some(prefix), Value::Text(text)) => {
            Value::Text(text.strip_prefix(prefix.as_str()).unwrap_or(&text).to_owned())
        }
        (_, value) => value,
    }
}

fn accepts(member: &Member, level: usize, name: &str) -> bool {
    let own = member.wire.get(level).is_some_and(|wire| wire == name);
    own || (level + 1 == member.wire.len() && member.aliases.iter().any(|alias| alias == name))
}

fn find<'e>(element: &'e Element, member: &Member) -> Vec<&'e Element> {
    (0..member.wire.len()).fold(vec![element], |level_elements, level| {
        level_elements
            .into_iter()
            .flat_map(|parent| &parent.children)
            .filter(|child| accepts(member, level, &child.name))
            .filter(|child| match &member.prefix {
                Some(prefix) => child.text.starts_with(prefix.as_str()),
                None => true,
            })
            .collect()
    })
}

fn has_wrapper(element: &Element, member: &Member) -> bool {
    member.wire.len() > 1 && element.children.iter().any(|child| accepts(member, 0, &child.name))
}

/// Every child must be named by a member, at each level of wrappers.
fn check_names(members: &[&Member], parent: &str, elements: &[Element], level: usize) -> Result<(), String> {
    for element in elements {
        for child in &element.children {
            let inner: Vec<&Member> = members
                .iter()
                .copied()
                .filter(|member| accepts(member, level, &child.name))
                .collect();
            if inner.is_empty() {
                return Err(format!("the element {} is not known in {parent}", child.name));
            }
            let wrapped: Vec<&Member> = inner
                .into_iter()
                .filter(|member| member.wire.len() > level + 1)
                .collect();
            if !wrapped.is_empty() {
                check_names(&wrapped, &child.name, std::slice::from_ref(child), level + 1)?;
            }
        }
    }
    Ok(())
}

/// Writes a document with the given root.
pub(crate) fn write(service: &Service, root: &str, members: &[&Member], record: &Record, url_encode: bool) -> String {
    write_mixed(service, root, members, record, url_encode, &[])
}

/// Like [`write`], with the items of several lists mixed: `order` names the list of each item in turn.
pub(crate) fn write_mixed(
    service: &Service,
    root: &str,
    members: &[&Member],
    record: &Record,
    url_encode: bool,
    order: &[&str],
) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let writer = Writer { service, url_encode };
    let _ = write!(out, "<{root}>");
    let (mixed, apart): (Vec<&Member>, Vec<&Member>) =
        members.iter().partition(|member| order.contains(&member.name.as_str()));
    writer.members(&mut out, &apart, record);
    let mut lists: BTreeMap<&str, std::slice::Iter<'_, Value>> = mixed
        .iter()
        .map(|member| (member.name.as_str(), record.list(&member.name).iter()))
        .collect();
    for name in order {
        let member = mixed.iter().find(|member| member.name == *name);
        if let (Some(member), Some(value)) = (member, lists.get_mut(name).and_then(Iterator::next))
            && let (Type::List(item), Some(wire)) = (&member.ty, member.wire.first())
        {
            writer.value(&mut out, wire, member, item, value);
        }
    }
    let _ = write!(out, "</{root}>");
    out
}

/// Writes a document that is one text.
pub(crate) fn write_text(root: &str, text: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root}>{}</{root}>",
        escape(text)
    )
}

struct Writer<'s> {
    service: &'s Service,
    url_encode: bool,
}

impl Writer<'_> {
    fn members(&self, out: &mut String, members: &[&Member], record: &Record) {
        let mut written: Vec<&str> = Vec::new();
        for member in members {
            let Some(value) = record.get(&member.name) else {
                continue;
            };
            match member.wire.as_slice() {
                [name] => self.value(out, name, member, &member.ty, value),
                [wrapper, _, ..] if !written.contains(&wrapper.as_str()) => {
                    // Members that share a wrapper stand in one element.
                    written.push(wrapper);
                    let _ = write!(out, "<{wrapper}>");
                    for inner in members
                        .iter()
                        .filter(|inner| inner.wire.len() > 1 && inner.wire[0] == *wrapper)
                    {
                        if let Some(value) = record.get(&inner.name) {
                            self.wrapped(out, &inner.wire[1..], inner, value);
                        }
                    }
                    let _ = write!(out, "</{wrapper}>");
                }
                _ => {}
            }
        }
    }

    fn wrapped(&self, out: &mut String, names: &[String], member: &Member, value: &Value) {
        match names {
            [name] => self.value(out, name, member, &member.ty, value),
            [name, rest @ ..] => {
                let _ = write!(out, "<{name}>");
                self.wrapped(out, rest, member, value);
                let _ = write!(out, "</{name}>");
            }
            [] => {}
        }
    }

    fn value(&self, out: &mut String, name: &str, member: &Member, ty: &Type, value: &Value) {
        match (ty, value) {
            (Type::List(item), Value::List(values)) => values
                .iter()
                .for_each(|value| self.value(out, name, member, item, value)),
            (Type::Shape(id), Value::Record(record)) => {
                let members: Vec<_> = self.service.shape(*id).members.iter().collect();
                let _ = write!(out, "<{name}>");
                self.members(out, &members, record);
                let _ = write!(out, "</{name}>");
            }
            (Type::Map(item), Value::Map(entries)) => {
                let _ = write!(out, "<{name}>");
                entries
                    .iter()
                    .for_each(|(key, value)| self.value(out, key, member, item, value));
                let _ = write!(out, "</{name}>");
            }
            _ => {
                if let Some(content) = scalar::write(ty, value) {
                    let content = format!("{}{content}", member.prefix.as_deref().unwrap_or_default());
                    let content = if self.url_encode && member.url_decoded {
                        text::encode(&content)
                    } else {
                        content
                    };
                    let _ = write!(out, "<{name}>{}</{name}>", escape_text(&content));
                }
            }
        }
    }
}

/// Escapes text. Carriage returns would be normalised away by a parser; other control characters cannot stand in XML 1.0 at all, but
/// the service sends them as numeric references, and keys that hold them must come back whole.
fn escape_text(content: &str) -> String {
    escape(content)
        .chars()
        .fold(String::with_capacity(content.len()), |mut out, c| {
            if c == '\0' {
                // Not even a reference to it is allowed, and a parser would refuse the whole answer.
                out.push(char::REPLACEMENT_CHARACTER);
            } else if c.is_control() && c != '\n' && c != '\t' {
                let _ = write!(out, "&#{};", u32::from(c));
            } else {
                out.push(c);
            }
            out
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_and_sections_become_text() {
        let element = parse("<?xml version=\"1.0\"?><!-- c --><A><B>a&amp;b&#x41;<![CDATA[<x>]]></B><C/></A>").unwrap();
        assert_eq!(element.children[0].text, "a&bA<x>");
        assert_eq!(element.children[1].name, "C");
    }

    #[test]
    fn prefixes_of_names_are_dropped() {
        assert_eq!(parse("<o:A xmlns:o=\"x\"><o:B/></o:A>").unwrap().children[0].name, "B");
    }

    #[test]
    fn hostile_documents_are_refused() {
        let deep = format!("{}{}", "<a>".repeat(40), "</a>".repeat(40));
        for document in [
            "",
            "text",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<a>&unknown;</a>",
            "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>",
            "<a/>tail",
            "<a>&#0;</a>",
            "<a>\0</a>",
            "<a b/>",
            "<a b=1></a>",
            "<a b=\"\" b=\"\"/>",
            "<?xml version=\"1.0\" encoding=\"GBK\"?><a/>",
            &deep,
        ] {
            assert!(parse(document).is_err(), "{document}");
        }
    }
}
