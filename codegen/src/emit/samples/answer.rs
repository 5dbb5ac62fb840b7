//! Sample answers: status, headers and a document with a value for each member.

use super::frames;
use super::{Extent, Sampler, UNIX_TIME, integer};
use crate::api::{BodyKind, Member, Operation, Place, Protocol, ShapeId, TimestampFormat, Trait, Type};

/// A sample answer.
#[derive(Debug)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The payload.
    pub body: Vec<u8>,
}

impl Sampler<'_> {
    /// Head and payload of a successful answer.
    pub fn response(&self, operation: &Operation) -> Response {
        let mut response = Response {
            status: operation.success.first().copied().unwrap_or(200),
            headers: Vec::new(),
            body: Vec::new(),
        };
        let mut document = Vec::new();
        let mut frame = Vec::new();
        for member in &operation.result {
            let is_wanted = self.extent == Extent::Filled || member.required;
            if !is_wanted {
                continue;
            }
            match member.place {
                Place::Header => {
                    if let (Some(name), Some(value)) = (member.wire.first(), self.wire_text(member, &member.ty, 1)) {
                        response.headers.push((name.clone(), value));
                    }
                }
                Place::HeaderMap => {
                    if let Some(prefix) = member.wire.first() {
                        response.headers.push((format!("{prefix}name"), self.text(member, 1)));
                    }
                }
                Place::Text => response.body = self.text(member, 1).into(),
                Place::Stream if operation.has(Trait::SelectFrames) => response.body = frames::select(b"payload"),
                Place::Stream => response.body = b"payload".to_vec(),
                Place::Frame => frame.push(member),
                Place::RootText => {
                    let root = operation
                        .result_root
                        .clone()
                        .unwrap_or_else(|| format!("{}Result", operation.name));
                    let text = self.wire_text(member, &member.ty, 1).unwrap_or_default();
                    response.body = format!(
                        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root}>{}</{root}>\n",
                        escape(&text)
                    )
                    .into();
                }
                Place::Body | Place::Field => document.push(member),
                _ => {}
            }
        }
        if operation.result_body == BodyKind::Document && !document.is_empty() {
            // Of two forms the one that the service really sends.
            let either = operation.has(Trait::ResultByContentType);
            if either {
                let content_type = ("Content-Type".to_owned(), "application/json".to_owned());
                response.headers.push(content_type);
            }
            let document = match self.service.protocol {
                Protocol::RestXml if !either => self.xml_document(operation, &document),
                _ => self.json_document(operation, &document),
            };
            response.body = document.into();
        }
        if operation.result_body == BodyKind::Frames {
            response.body = frames::meta(&frame.iter().map(|member| member.name.as_str()).collect::<Vec<_>>());
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
        self.open.borrow_mut().push(id);
        self.xml_members(out, &self.members(id), 0, depth);
        self.open.borrow_mut().pop();
    }

    /// The members of a shape that are there, with regard to those that exclude each other. The shape is open already.
    fn members(&self, id: ShapeId) -> Vec<&Member> {
        let shape = self.service.shape(id);
        let has_rules = shape.one_of || !shape.exclusive.is_empty();
        shape
            .members
            .iter()
            .filter(|member| member.required || self.extent == Extent::Filled)
            .filter(|member| member.required || !has_rules || self.is_given_in(shape, member))
            .collect()
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
            let (ty, indexes) = match &member.ty {
                Type::List(item) => (&**item, 1..=self.count(member)),
                ty => (ty, self.item.get()..=self.item.get()),
            };
            for index in indexes {
                self.item(index, || match ty {
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
                });
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
            let is_closed = member.ty.shape().is_none_or(|id| !self.open.borrow().contains(&id));
            if let (true, Type::Map(item)) = (member.rest, &member.ty) {
                // Its entries are keys of the object itself.
                let mut row = format!("{indent}\"name\": ");
                self.json_value(&mut row, member, item, 1, depth + 1);
                rows.push(row);
            } else if let (Some(name), true) = (member.wire.first(), is_closed) {
                let mut row = format!("{indent}{}: ", json_text(name));
                self.json_value(&mut row, member, &member.ty, self.item.get(), depth + 1);
                rows.push(row);
            }
        }
        out.push_str(&format!("{{\n{}\n{}}}", rows.join(",\n"), "  ".repeat(depth)));
    }

    fn json_value(&self, out: &mut String, member: &Member, ty: &Type, index: u64, depth: usize) {
        match ty {
            Type::List(item) => {
                out.push('[');
                for index in 1..=self.count(member) {
                    if index > 1 {
                        out.push_str(", ");
                    }
                    self.item(index, || self.json_value(out, member, item, index, depth));
                }
                out.push(']');
            }
            Type::Map(item) => {
                out.push_str("{\"name\": ");
                self.json_value(out, member, item, 1, depth);
                out.push('}');
            }
            Type::Shape(id) => {
                self.open.borrow_mut().push(*id);
                self.json_members(out, &self.members(*id), depth);
                self.open.borrow_mut().pop();
            }
            Type::Integer
            | Type::Float
            | Type::Float32
            | Type::Bool
            | Type::Timestamp(TimestampFormat::UnixSeconds) => {
                out.push_str(&self.wire_text(member, ty, index).unwrap_or_default());
            }
            _ => out.push_str(&json_text(&self.wire_text(member, ty, index).unwrap_or_default())),
        }
    }

    /// A value as the text of an element or header.
    fn wire_text(&self, member: &Member, ty: &Type, index: u64) -> Option<String> {
        Some(match ty {
            Type::String | Type::Any if member.url_decoded => {
                format!("dir%2F{}%20{index}", member.name)
            }
            Type::String | Type::Any => {
                let prefix = member.prefix.as_deref().unwrap_or_default();
                format!("{prefix}{}", self.text(member, index))
            }
            Type::Integer => integer(member, index).to_string(),
            Type::Float => "0.5".to_owned(),
            Type::Float32 => "0.25".to_owned(),
            Type::Bool => "true".to_owned(),
            Type::Timestamp(TimestampFormat::Iso8601) => "2024-05-06T07:08:09.000Z".to_owned(),
            Type::Timestamp(TimestampFormat::HttpDate) => "Mon, 06 May 2024 07:08:09 GMT".to_owned(),
            Type::Timestamp(TimestampFormat::UnixSeconds) => UNIX_TIME.to_string(),
            Type::Bytes => base64(b"bytes"),
            Type::Base64String => base64(self.text(member, index).as_bytes()),
            Type::Enum(id) => match self.enum_value(*id, index) {
                Some(value) => value.wire.clone(),
                None => "value".to_owned(),
            },
            Type::List(item) => self.wire_text(member, item, index)?,
            Type::Shape(_) | Type::Map(_) | Type::Stream => return None,
        })
    }
}

/// Bytes in base64.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let number = (0..3).fold(0, |number, at| {
            number << 8 | u32::from(group.get(at).copied().unwrap_or(0))
        });
        for digit in 0..4 {
            let index = (number >> (18 - 6 * digit)) & 63;
            out.push(if digit <= group.len() {
                char::from(DIGITS[index as usize])
            } else {
                '='
            });
        }
    }
    out
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_padded() {
        let rows = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("bytes", "Ynl0ZXM="),
            ("\u{ff}", "w78="),
        ];
        for (text, expected) in rows {
            assert_eq!(base64(text.as_bytes()), expected);
        }
    }
}
