//! What a writer knows of everything that it owns, as plain values, and how two states differ.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use bytes::Bytes;
use md5::{Digest as _, Md5};
use oss_suite::random::Random;

/// A stretch of content: so many bytes that follow from a seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) seed: u64,
    pub(super) length: u64,
}

impl Piece {
    pub(super) fn bytes(self) -> Bytes {
        Bytes::from(Random::new(self.seed).bytes(usize::try_from(self.length).unwrap_or_default()))
    }
}

/// Content: the pieces that it was written from, where they are known, and what identifies its bytes.
#[derive(Clone, Default)]
pub(super) struct Content {
    pub(super) pieces: Vec<Piece>,
    pub(super) length: u64,
    md5: [u8; 16],
}

impl Content {
    pub(super) fn of(pieces: Vec<Piece>) -> Self {
        let mut digest = Md5::new();
        for piece in &pieces {
            digest.update(piece.bytes());
        }
        Self {
            length: pieces.iter().map(|piece| piece.length).sum(),
            md5: digest.finalize().into(),
            pieces,
        }
    }

    /// Content that was read.
    pub(super) fn found(length: u64, md5: [u8; 16]) -> Self {
        Self {
            pieces: Vec::new(),
            length,
            md5,
        }
    }

    /// The ETag of an object, or of a part, that was written at once.
    pub(super) fn etag(&self) -> String {
        self.md5.iter().map(|byte| format!("{byte:02X}")).collect()
    }
}

impl PartialEq for Content {
    fn eq(&self, other: &Self) -> bool {
        (self.length, self.md5) == (other.length, other.md5)
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} bytes of {}", self.length, self.etag())
    }
}

/// An object with what was written together with its content.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Object {
    pub(super) content: Content,
    /// In its metadata and in its content type.
    pub(super) mark: String,
    pub(super) tag: Option<String>,
}

/// A version of the versioned key. The id is empty as long as no answer told it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Version {
    pub(super) id: String,
    /// `None` is a delete marker.
    pub(super) object: Option<Object>,
}

/// An upload that is neither complete nor aborted.
#[derive(Debug, Clone, Default)]
pub(super) struct Upload {
    pub(super) key: String,
    /// What its object will be marked with; nobody can read it before.
    pub(super) mark: String,
    pub(super) parts: BTreeMap<i64, Content>,
}

impl PartialEq for Upload {
    fn eq(&self, other: &Self) -> bool {
        (&self.key, &self.parts) == (&other.key, &other.parts)
    }
}

/// Everything that one writer owns.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct State {
    pub(super) objects: BTreeMap<String, Object>,
    /// Of the versioned key, the newest first.
    pub(super) versions: Vec<Version>,
    /// By id; the one whose id no answer told yet has an empty one.
    pub(super) uploads: BTreeMap<String, Upload>,
    /// Settings of buckets, buckets, links, vectors and tables: a name and what it was set to.
    pub(super) settings: BTreeMap<String, String>,
}

impl State {
    /// Things that a comparison compares.
    pub(super) fn things(&self) -> u64 {
        let uploads = self.uploads.values().map(|upload| 1 + upload.parts.len());
        let things = self.objects.len() + self.versions.len() + self.settings.len() + uploads.sum::<usize>();
        things as u64
    }

    /// Takes over the ids that `found` has where this state does not know them.
    pub(super) fn with_ids_of(mut self, found: &Self) -> Self {
        let known: BTreeSet<String> = self.versions.iter().map(|version| version.id.clone()).collect();
        for (version, found) in self.versions.iter_mut().zip(&found.versions) {
            if version.id.is_empty() && !known.contains(&found.id) {
                version.id.clone_from(&found.id);
            }
        }
        if let Some(upload) = self.uploads.remove("") {
            let id = found.uploads.keys().find(|id| !self.uploads.contains_key(*id));
            self.uploads.insert(id.cloned().unwrap_or_default(), upload);
        }
        self
    }

    /// What is different in `found`, in words.
    pub(super) fn difference(&self, found: &Self) -> String {
        let mut all = Vec::new();
        differences("object", &self.objects, &found.objects, &mut all);
        differences("upload", &self.uploads, &found.uploads, &mut all);
        differences("setting", &self.settings, &found.settings, &mut all);
        if self.versions != found.versions {
            all.push(format!("versions {:?} instead of {:?}", found.versions, self.versions));
        }
        all.join("; ")
    }
}

fn differences<V: PartialEq + fmt::Debug>(
    what: &str,
    wanted: &BTreeMap<String, V>,
    found: &BTreeMap<String, V>,
    all: &mut Vec<String>,
) {
    let names: BTreeSet<&String> = wanted.keys().chain(found.keys()).collect();
    for name in names {
        let (wanted, found) = (wanted.get(name), found.get(name));
        if wanted != found {
            all.push(format!("the {what} {name} is {found:?} instead of {wanted:?}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(id: &str) -> Version {
        Version {
            id: id.to_owned(),
            object: None,
        }
    }

    #[test]
    fn an_unknown_id_is_the_one_that_was_found() {
        let mut wanted = State {
            versions: vec![version(""), version("a")],
            ..State::default()
        };
        wanted.uploads.insert(String::new(), Upload::default());
        let mut found = State {
            versions: vec![version("b"), version("a")],
            ..State::default()
        };
        found.uploads.insert("u".to_owned(), Upload::default());
        assert_eq!(wanted.with_ids_of(&found), found);
    }

    #[test]
    fn a_version_that_is_missing_is_not_taken_for_a_new_one() {
        let wanted = State {
            versions: vec![version(""), version("a")],
            ..State::default()
        };
        let found = State {
            versions: vec![version("a")],
            ..State::default()
        };
        assert_ne!(wanted.with_ids_of(&found), found);
    }

    #[test]
    fn a_difference_names_what_differs() {
        let wanted = State::default();
        let mut found = State::default();
        found.settings.insert("policy".to_owned(), "x".to_owned());
        assert_eq!(
            wanted.difference(&found),
            "the setting policy is Some(\"x\") instead of None"
        );
    }

    #[test]
    fn content_is_its_bytes_and_not_how_they_were_written() {
        let whole = Piece { seed: 7, length: 16 };
        let read = Content::found(16, Md5::digest(whole.bytes()).into());
        assert_eq!(Content::of(vec![whole]), read);
        assert_ne!(Content::of(vec![Piece { seed: 8, length: 16 }]), read);
    }
}
