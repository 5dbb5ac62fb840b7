//! The front half of the pipeline: files in, a checked API or all problems out.

use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use crate::api::Api;
use crate::diagnostic::Diagnostics;
use crate::{lint, model, resolve};

/// A model file as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Path with `/` as messages and generated files show it, e.g. `models/oss/bucket_cors.yaml`. The last two parts
    /// say which service and group the file describes.
    pub path: String,
    /// Content.
    pub text: String,
}

/// A models directory that cannot be read.
#[derive(Debug)]
pub struct LoadError {
    /// File or directory.
    pub path: PathBuf,
    source: io::Error,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot read `{}`", self.path.display())
    }
}

impl std::error::Error for LoadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Checks model files and resolves them.
///
/// # Errors
///
/// All problems of all files, sorted by place.
pub fn load(sources: &[SourceFile]) -> Result<Api, Diagnostics> {
    let mut diagnostics = Diagnostics::default();
    let files = model::file::read(sources, &mut diagnostics);
    let (api, index) = resolve::resolve(&files, &mut diagnostics);
    lint::check(&api, &index, &mut diagnostics);
    if diagnostics.is_empty() {
        return Ok(api);
    }
    diagnostics.sort();
    Err(diagnostics)
}

/// Reads the `<service>/<group>.yaml` files of a models directory, sorted by path. Paths start with the directory's name.
///
/// # Errors
///
/// When the directory or a file cannot be read, or is no UTF-8.
pub fn load_dir(models_dir: &Path) -> Result<Vec<SourceFile>, LoadError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| LoadError { path, source }
    };
    let canonical = models_dir.canonicalize().map_err(failed(models_dir))?;
    let root = canonical.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut sources = Vec::new();
    for service in entries(models_dir).map_err(failed(models_dir))? {
        if !service.is_dir() {
            continue;
        }
        for file in entries(&service).map_err(failed(&service))? {
            if file.extension().is_none_or(|extension| extension != "yaml") {
                continue;
            }
            let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let path = format!("{root}/{}/{}", name(&service), name(&file));
            let text = fs::read_to_string(&file).map_err(failed(&file))?;
            sources.push(SourceFile { path, text });
        }
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(sources)
}

fn entries(dir: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(dir)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect()
}
