//! First pass: who is called what. Gives ids to shapes and enums, and remembers where everything stands.

use std::collections::BTreeMap;

use crate::api::{EnumId, ShapeId};
use crate::diagnostic::Diagnostics;
use crate::lint::codes;
use crate::model::file::File;
use crate::resolve::references::{TypeId, Types};
use crate::spans::{Cursor, Node};

/// Where services, operations, shapes and enums stand.
#[derive(Debug, Default)]
pub struct Index<'a> {
    services: BTreeMap<&'a str, Names<'a>>,
    files: BTreeMap<&'a str, &'a Node>,
}

#[derive(Debug, Default)]
struct Names<'a> {
    service: Option<Cursor<'a>>,
    groups: BTreeMap<&'a str, Cursor<'a>>,
    operations: BTreeMap<&'a str, Cursor<'a>>,
    waiters: BTreeMap<&'a str, Cursor<'a>>,
    shapes: BTreeMap<&'a str, Cursor<'a>>,
    enums: BTreeMap<&'a str, Cursor<'a>>,
    complete: bool,
}

impl<'a> Index<'a> {
    /// Collects the names of a service, reporting those that are given twice.
    pub(super) fn add(&mut self, service: &'a str, files: &[&'a File<'a>], diagnostics: &mut Diagnostics) {
        let mut names = Names {
            complete: files.iter().all(|file| file.content.is_some()),
            ..Names::default()
        };
        for file in files {
            if let Some(content) = &file.content {
                self.files.insert(file.path, &content.root);
            }
            if let Some((model, at)) = file.service_file() {
                names.service = Some(at);
                same_as_path(&model.service, file.service, "service", "directory", at, diagnostics);
            }
            let Some((model, at)) = file.group_file() else {
                continue;
            };
            names.groups.insert(file.stem, at);
            same_as_path(&model.service, file.service, "service", "directory", at, diagnostics);
            same_as_path(&model.group, file.stem, "group", "file", at, diagnostics);
            if file.stem == "common" {
                let operation = model.operations.iter().next().map(|(name, _)| ("operations", name));
                let waiter = model.waiters.iter().next().map(|(name, _)| ("waiters", name));
                for (kind, name) in operation.into_iter().chain(waiter) {
                    let problem = at
                        .path(&[kind, name])
                        .on_key(codes::OPERATION_IN_COMMON, format!("`common.yaml` has {kind}"));
                    diagnostics.push(problem.help("put it into the file of its group"));
                }
                if operation.or(waiter).is_some() {
                    continue;
                }
            }
            for (name, _) in model.operations.iter() {
                let at = at.path(&["operations", name]);
                match names.operations.get(name).copied() {
                    Some(first) => twice("operation", name, first, at, diagnostics),
                    None => _ = names.operations.insert(name, at),
                }
            }
            for (name, _) in model.waiters.iter() {
                let at = at.path(&["waiters", name]);
                match names.waiters.get(name).copied() {
                    Some(first) => twice("waiter", name, first, at, diagnostics),
                    None => _ = names.waiters.insert(name, at),
                }
            }
            let shapes = model.shapes.iter().map(|(name, _)| ("shapes", name));
            for (kind, name) in shapes.chain(model.enums.iter().map(|(name, _)| ("enums", name))) {
                let at = at.path(&[kind, name]);
                match names.shapes.get(name).or(names.enums.get(name)).copied() {
                    Some(first) => twice("shape or enum", name, first, at, diagnostics),
                    None if kind == "shapes" => _ = names.shapes.insert(name, at),
                    None => _ = names.enums.insert(name, at),
                }
            }
        }
        self.services.insert(service, names);
    }

    /// The types of a service by name.
    pub(super) fn types(&self, service: &str) -> Types {
        let Some(names) = self.services.get(service) else {
            return Types::default();
        };
        let shapes = names
            .shapes
            .keys()
            .enumerate()
            .map(|(id, name)| (*name, TypeId::Shape(ShapeId(id))));
        let enums = names.enums.iter().enumerate().map(|(id, (name, at))| {
            let values = at.value_names("values");
            (*name, TypeId::Enum(EnumId(id), values))
        });
        Types {
            by_name: shapes.chain(enums).map(|(name, id)| (name.to_owned(), id)).collect(),
            complete: names.complete,
        }
    }

    /// Whether a shape or enum at a place is the one that keeps the name.
    pub(super) fn is_first(&self, service: &str, name: &str, at: Cursor<'_>) -> bool {
        let found = [self.shape(service, name), self.enumeration(service, name)];
        found
            .into_iter()
            .flatten()
            .any(|first| (first.file(), first.key_span()) == (at.file(), at.key_span()))
    }

    /// Whether a waiter at a place is the one that keeps the name.
    pub(super) fn is_first_waiter(&self, service: &str, name: &str, at: Cursor<'_>) -> bool {
        self.waiter(service, name)
            .is_some_and(|first| (first.file(), first.key_span()) == (at.file(), at.key_span()))
    }

    /// Whether every file of a service could be read, so that what is missing is missing indeed.
    pub fn is_complete(&self, service: &str) -> bool {
        self.services.get(service).is_some_and(|names| names.complete)
    }

    /// Top of `service.yaml`.
    pub fn service(&self, service: &str) -> Option<Cursor<'a>> {
        self.services.get(service)?.service
    }

    /// The tree of a file.
    pub fn file(&self, path: &str) -> Option<&'a Node> {
        self.files.get(path).copied()
    }

    /// Groups by name, with the tops of their files.
    pub fn groups(&self, service: &str) -> impl Iterator<Item = (&'a str, Cursor<'a>)> {
        self.services
            .get(service)
            .into_iter()
            .flat_map(|names| names.groups.iter().map(|(name, at)| (*name, *at)))
    }

    /// Entry of an operation.
    pub fn operation(&self, service: &str, name: &str) -> Option<Cursor<'a>> {
        self.services.get(service)?.operations.get(name).copied()
    }

    /// Entry of a waiter.
    pub fn waiter(&self, service: &str, name: &str) -> Option<Cursor<'a>> {
        self.services.get(service)?.waiters.get(name).copied()
    }

    /// Entry of a shape.
    pub fn shape(&self, service: &str, name: &str) -> Option<Cursor<'a>> {
        self.services.get(service)?.shapes.get(name).copied()
    }

    /// Entry of an enum.
    pub fn enumeration(&self, service: &str, name: &str) -> Option<Cursor<'a>> {
        self.services.get(service)?.enums.get(name).copied()
    }
}

fn same_as_path(given: &str, wanted: &str, key: &str, what: &str, at: Cursor<'_>, diagnostics: &mut Diagnostics) {
    // An absent key is reported by the structure check.
    if given != wanted && at.child(key).exists() {
        let message = format!("`{key}` is `{given}`, but the {what} is `{wanted}`");
        let problem = at.child(key).on_value(codes::FILE_NAME, message);
        diagnostics.push(problem.help(format!("write `{key}: {wanted}`, or move the file")));
    }
}

fn twice(what: &str, name: &str, first: Cursor<'_>, second: Cursor<'_>, diagnostics: &mut Diagnostics) {
    let problem = second
        .on_key(codes::DUPLICATE_NAME, format!("the {what} `{name}` is defined twice"))
        .related(first.file(), first.key_span(), "the first one")
        .help("names are unique within a service; what several groups use stands in `common.yaml`");
    diagnostics.push(problem);
}
