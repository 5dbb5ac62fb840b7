//! Generated files on disk: compared as a set, written all or none.
//!
//! A file is ours when its first line carries the marker of [Rust](crate::emit::MARKER) or of
//! [Markdown](crate::emit::pages::MARKER). Files without it are never overwritten or deleted.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use crate::emit::{Files, MARKER, pages};

/// What the first line of a file of ours starts with: Rust, or Markdown.
const MARKERS: [&str; 2] = [MARKER, pages::MARKER];

/// What has to be done so that the tree is as generated.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Changes {
    /// Sorted by path.
    pub files: Vec<Change>,
}

/// A file that is not as generated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// From the repository's root, with `/`.
    pub path: String,
    /// What is there; `None` when the file is missing.
    pub before: Option<String>,
    /// What should be there; `None` when the file is no longer generated.
    pub after: Option<String>,
}

/// Why files could not be compared or written.
#[derive(Debug)]
#[non_exhaustive]
pub enum OutputError {
    /// A file stands where generated files go but does not say that it is one.
    Unmarked {
        /// From the repository's root.
        path: String,
    },
    /// Reading or writing failed.
    Io {
        /// File or directory.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
}

impl fmt::Display for OutputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unmarked { path } => write!(
                f,
                "`{path}` does not start with the line of generated files, so it is left alone; move or delete it"
            ),
            Self::Io { path, .. } => write!(f, "cannot read or write `{}`", path.display()),
        }
    }
}

impl std::error::Error for OutputError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unmarked { .. } => None,
            Self::Io { source, .. } => Some(source),
        }
    }
}

impl Changes {
    /// Whether the tree is as generated.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

/// Compares generated files with those under `root`. Files in `directories` that are not among them are changes too.
///
/// # Errors
///
/// When a file cannot be read, or one without the marker stands in the way.
pub fn compare(root: &Path, files: &Files, directories: &[&str]) -> Result<Changes, OutputError> {
    let mut paths: BTreeSet<String> = files.keys().cloned().collect();
    for directory in directories {
        collect(root, directory, &mut paths)?;
    }
    let mut changes = Changes::default();
    for path in paths {
        let full = root.join(&path);
        let before = match fs::read_to_string(&full) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            // Not text, so not ours.
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Err(OutputError::Unmarked { path });
            }
            Err(source) => return Err(OutputError::Io { path: full, source }),
        };
        let after = files.get(&path).cloned();
        if before == after {
            continue;
        }
        if before.as_ref().is_some_and(|text| !is_ours(text)) {
            return Err(OutputError::Unmarked { path });
        }
        changes.files.push(Change { path, before, after });
    }
    Ok(changes)
}

/// Whether a file says that it is generated.
fn is_ours(text: &str) -> bool {
    MARKERS.iter().any(|marker| text.starts_with(marker))
}

/// Adds all files below a directory; a directory that does not exist has none.
fn collect(root: &Path, directory: &str, paths: &mut BTreeSet<String>) -> Result<(), OutputError> {
    let full = root.join(directory);
    let failed = |source| OutputError::Io {
        path: full.clone(),
        source,
    };
    let entries = match fs::read_dir(&full) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(failed(source)),
    };
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let path = format!("{directory}/{}", entry.file_name().to_string_lossy());
        if entry.file_type().map_err(failed)?.is_dir() {
            collect(root, &path, paths)?;
        } else {
            paths.insert(path);
        }
    }
    Ok(())
}

/// Makes the changes: all new texts are written beside their places first, so that a full disk or a read-only file
/// leaves the tree as it was.
///
/// # Errors
///
/// When a file cannot be written.
pub fn apply(root: &Path, changes: &Changes) -> Result<(), OutputError> {
    let mut staged: Vec<(PathBuf, PathBuf)> = Vec::new();
    let result = stage(root, changes, &mut staged);
    if result.is_err() {
        for (temporary, _) in &staged {
            // The first error is the one to report.
            let _ = fs::remove_file(temporary);
        }
        return result;
    }
    for (temporary, path) in &staged {
        fs::rename(temporary, path).map_err(|source| OutputError::Io {
            path: path.clone(),
            source,
        })?;
    }
    for change in changes.files.iter().filter(|change| change.after.is_none()) {
        let path = root.join(&change.path);
        fs::remove_file(&path).map_err(|source| OutputError::Io {
            path: path.clone(),
            source,
        })?;
        // A directory that is empty now belonged to a removed service; any other stays.
        if let Some(parent) = path.parent() {
            let _ = fs::remove_dir(parent);
        }
    }
    Ok(())
}

fn stage(root: &Path, changes: &Changes, staged: &mut Vec<(PathBuf, PathBuf)>) -> Result<(), OutputError> {
    for change in &changes.files {
        let Some(text) = &change.after else { continue };
        let path = root.join(&change.path);
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".new");
        let temporary = path.with_file_name(name);
        let failed = |source| OutputError::Io {
            path: path.clone(),
            source,
        };
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        staged.push((temporary.clone(), path.clone()));
        fs::write(&temporary, text).map_err(failed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(rows: &[(&str, &str)]) -> Files {
        rows.iter()
            .map(|(path, text)| ((*path).to_owned(), format!("{MARKER}\n{text}")))
            .collect()
    }

    fn paths(changes: &Changes) -> Vec<&str> {
        changes.files.iter().map(|change| change.path.as_str()).collect()
    }

    #[test]
    fn changed_missing_and_extra_files_are_found_and_mended() {
        let root = tempfile::tempdir().unwrap();
        let first = files(&[("g/a.rs", "1"), ("g/old/b.rs", "1"), ("g/same.rs", "1")]);
        apply(root.path(), &compare(root.path(), &first, &["g"]).unwrap()).unwrap();
        let second = files(&[("g/a.rs", "2"), ("g/same.rs", "1"), ("g/new/c.rs", "1")]);
        let changes = compare(root.path(), &second, &["g"]).unwrap();
        assert_eq!(paths(&changes), ["g/a.rs", "g/new/c.rs", "g/old/b.rs"]);
        let untouched = fs::metadata(root.path().join("g/same.rs")).unwrap().modified().unwrap();
        apply(root.path(), &changes).unwrap();
        assert!(compare(root.path(), &second, &["g"]).unwrap().is_empty());
        assert!(!root.path().join("g/old").exists());
        assert_eq!(
            fs::metadata(root.path().join("g/same.rs")).unwrap().modified().unwrap(),
            untouched
        );
    }

    #[test]
    fn files_without_the_marker_are_never_touched() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("g")).unwrap();
        for (content, generated) in [
            (&b"mine"[..], "g/a.rs"),
            (b"mine", "g/other.rs"),
            (b"\xff\xfe", "g/other.rs"),
        ] {
            fs::write(root.path().join("g/a.rs"), content).unwrap();
            let error = compare(root.path(), &files(&[(generated, "1")]), &["g"]).unwrap_err();
            assert!(error.to_string().starts_with("`g/a.rs` does not start with"), "{error}");
            assert_eq!(fs::read(root.path().join("g/a.rs")).unwrap(), content);
        }
    }

    #[test]
    fn pages_are_ours_as_well() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("d")).unwrap();
        fs::write(root.path().join("d/old.md"), format!("{} from x. -->\n", pages::MARKER)).unwrap();
        let changes = compare(root.path(), &Files::new(), &["d"]).unwrap();
        assert_eq!(paths(&changes), ["d/old.md"]);
    }

    #[test]
    fn nothing_changes_when_one_file_cannot_be_written() {
        let root = tempfile::tempdir().unwrap();
        let changes = compare(root.path(), &files(&[("a.rs", "1"), ("b/c.rs", "1")]), &[]).unwrap();
        // A file where a directory has to be.
        fs::write(root.path().join("b"), "").unwrap();
        assert!(matches!(apply(root.path(), &changes), Err(OutputError::Io { .. })));
        let left: Vec<_> = fs::read_dir(root.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(left, ["b"]);
    }
}
