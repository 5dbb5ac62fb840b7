//! Where shapes, enums, operations and waiters are described, as links from another page of the same service.

use super::markdown::{link, slug};
use crate::api::{Enum, EnumId, Service, Shape, ShapeId, Type, Waiter};
use crate::emit::group_names;

/// Headings that pages have besides names of the model; a shape of such a name gets another heading.
const OWN_HEADINGS: [&str; 8] = [
    "behaviour",
    "errors",
    "example",
    "request",
    "result",
    "structures",
    "vocabularies",
    "waiters",
];

/// Makes the links of one page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Links<'a> {
    pub(super) service: &'a Service,
    /// Group of the page, or nothing on the service's own page.
    pub(super) page: &'a str,
}

impl Links<'_> {
    /// A type in words, with links to what it is made of.
    pub(super) fn ty(&self, ty: &Type) -> String {
        use crate::api::TimestampFormat::{HttpDate, Iso8601, UnixSeconds};
        match ty {
            Type::String => "string".to_owned(),
            Type::Integer => "integer".to_owned(),
            Type::Float => "float".to_owned(),
            Type::Float32 => "float32".to_owned(),
            Type::Bool => "bool".to_owned(),
            Type::Timestamp(Iso8601) => "timestamp, ISO 8601".to_owned(),
            Type::Timestamp(HttpDate) => "timestamp, HTTP date".to_owned(),
            Type::Timestamp(UnixSeconds) => "timestamp, Unix seconds".to_owned(),
            Type::Any => "any JSON".to_owned(),
            Type::Bytes => "bytes, base64".to_owned(),
            Type::Base64String => "string, base64".to_owned(),
            Type::Shape(id) => self.shape(*id),
            Type::Enum(id) => self.enumeration(*id),
            Type::List(item) => format!("list of {}", self.ty(item)),
            Type::Map(item) => format!("map of {}", self.ty(item)),
            Type::Stream => "stream".to_owned(),
        }
    }

    /// A link to a shape.
    pub(super) fn shape(&self, id: ShapeId) -> String {
        let shape = self.service.shape(id);
        link(&shape.name, &self.target(&shape.group, &self.shape_heading(shape)))
    }

    fn enumeration(&self, id: EnumId) -> String {
        let found = self.service.enumeration(id);
        link(&found.name, &self.target(&found.group, &self.enum_heading(found)))
    }

    /// A link to an operation; plain text when there is none of the name.
    pub(super) fn operation(&self, name: &str) -> String {
        let found = self.service.operations().find(|(_, operation)| operation.name == name);
        match found {
            Some((group, operation)) => link(&operation.name, &self.target(&group.name, &operation.name)),
            None => name.to_owned(),
        }
    }

    /// A link to a waiter, by the name of its method.
    pub(super) fn waiter(&self, waiter: &Waiter) -> String {
        let heading = waiter_heading(waiter);
        link(&heading, &self.target(&waiter.group, &heading))
    }

    /// A link to the page of a group.
    pub(super) fn group(&self, name: &str) -> String {
        link(name, &format!("{name}.md"))
    }

    /// Heading of a shape on its page.
    pub(super) fn shape_heading(&self, shape: &Shape) -> String {
        self.heading(&shape.group, &shape.name, "structure")
    }

    /// Heading of an enum on its page.
    pub(super) fn enum_heading(&self, found: &Enum) -> String {
        self.heading(&found.group, &found.name, "vocabulary")
    }

    /// The name, unless another heading of the page would get the same anchor.
    fn heading(&self, group: &str, name: &str, kind: &str) -> String {
        let operations = self.service.groups.iter().filter(|known| known.name == group);
        let is_taken = OWN_HEADINGS.contains(&slug(name).as_str())
            || operations
                .flat_map(|group| &group.operations)
                .any(|operation| operation.name.eq_ignore_ascii_case(name));
        match is_taken {
            true => format!("{name} ({kind})"),
            false => name.to_owned(),
        }
    }

    fn target(&self, group: &str, heading: &str) -> String {
        let anchor = slug(heading);
        match group == self.page {
            true => format!("#{anchor}"),
            false => format!("{group}.md#{anchor}"),
        }
    }

    /// Groups of the service that have operations, and those that only have shared structures.
    pub(super) fn pages(&self) -> (Vec<String>, Vec<String>) {
        group_names(self.service)
            .into_iter()
            .partition(|name| self.service.groups.iter().any(|group| group.name == *name))
    }
}

/// Heading of a waiter: its method, in a code span because of the underscores.
pub(super) fn waiter_heading(waiter: &Waiter) -> String {
    format!("`wait_until_{}`", waiter.name)
}
