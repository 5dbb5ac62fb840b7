//! Files of a models directory: what each is by its path, and its content as far as it can be read.

use serde::de::DeserializeOwned;

use crate::SourceFile;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::lint::codes;
use crate::model::keys::{self, Record};
use crate::model::structure;
use crate::model::{GroupFile, ServiceFile};
use crate::spans::{self, Cursor, Node, Span};

/// One model file.
#[derive(Debug)]
pub struct File<'a> {
    /// Path as it came, with `/`.
    pub path: &'a str,
    /// Name of the directory: the service.
    pub service: &'a str,
    /// Name without `.yaml`: `service`, `common` or a group.
    pub stem: &'a str,
    /// What it says; `None` when it is no YAML.
    pub content: Option<Content>,
}

/// What a file says, with its positions.
#[derive(Debug)]
pub struct Content {
    /// Positions of all keys and values.
    pub root: Node,
    /// The typed model.
    pub model: Model,
}

/// The two kinds of files.
#[derive(Debug)]
pub enum Model {
    /// `service.yaml`.
    Service(Box<ServiceFile>),
    /// Any other.
    Group(Box<GroupFile>),
}

/// Reads all files, reporting everything that is no YAML or not in the format.
pub fn read<'a>(sources: &'a [SourceFile], diagnostics: &mut Diagnostics) -> Vec<File<'a>> {
    let mut files: Vec<File<'a>> = sources
        .iter()
        .filter_map(|source| read_one(source, diagnostics))
        .collect();
    files.sort_by_key(|file| file.path);
    files
}

fn read_one<'a>(source: &'a SourceFile, diagnostics: &mut Diagnostics) -> Option<File<'a>> {
    let mut parts = source.path.rsplit('/');
    let (name, service) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let Some(stem) = name
        .strip_suffix(".yaml")
        .filter(|stem| !stem.is_empty() && !service.is_empty())
    else {
        let message = format!("`{}` is no path of a model file", source.path);
        let problem = Diagnostic::new(codes::FILE_NAME, &source.path, Span::point(1, 1), message);
        diagnostics.push(problem.help("model files are `models/<service>/<group>.yaml`"));
        return None;
    };
    let content = spans::parse(&source.path, &source.text, diagnostics).map(|root| {
        let model = if stem == "service" {
            Model::Service(Box::new(typed(&source.path, &root, &keys::SERVICE, diagnostics)))
        } else {
            Model::Group(Box::new(typed(&source.path, &root, &keys::GROUP, diagnostics)))
        };
        Content { root, model }
    });
    Some(File {
        path: &source.path,
        service,
        stem,
        content,
    })
}

fn typed<T: DeserializeOwned + Default>(path: &str, root: &Node, record: &Record, diagnostics: &mut Diagnostics) -> T {
    let value = structure::check(path, root, record, diagnostics);
    serde_yaml::from_value(value).unwrap_or_else(|error| {
        // The tables and the types say the same, which a test holds; reporting is still better than a panic.
        diagnostics.push(Cursor::new(path, root).on_key(codes::WRONG_KIND, error.to_string()));
        T::default()
    })
}

impl File<'_> {
    /// The content of `service.yaml`.
    pub fn service_file(&self) -> Option<(&ServiceFile, Cursor<'_>)> {
        match &self.content.as_ref()?.model {
            Model::Service(model) => Some((model, self.cursor()?)),
            Model::Group(_) => None,
        }
    }

    /// The content of a group file or `common.yaml`.
    pub fn group_file(&self) -> Option<(&GroupFile, Cursor<'_>)> {
        match &self.content.as_ref()?.model {
            Model::Group(model) => Some((model, self.cursor()?)),
            Model::Service(_) => None,
        }
    }

    fn cursor(&self) -> Option<Cursor<'_>> {
        Some(Cursor::new(self.path, &self.content.as_ref()?.root))
    }
}
