//! Documents by the models' shapes: read and validated on the way in, written on the way out.

pub(crate) mod json;
pub(crate) mod scalar;
pub(crate) mod xml;

use oss_codegen::api::{Member, Place};

/// What a document must not exceed, in bytes.
pub(crate) const MAX_DOCUMENT: usize = 5 * 1024 * 1024;

/// The members that are children of a document's root.
pub(crate) fn fields(members: &[Member]) -> Vec<&Member> {
    members.iter().filter(|member| member.place == Place::Field).collect()
}
