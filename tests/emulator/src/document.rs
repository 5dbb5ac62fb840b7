//! Documents by the models' shapes: read and validated on the way in, written on the way out.

pub(crate) mod json;
pub(crate) mod refusal;
pub(crate) mod scalar;
pub(crate) mod xml;

use oss_codegen::api::{Member, Place, Shape};

use crate::value::Record;

/// What a document must not exceed, in bytes.
pub(crate) const MAX_DOCUMENT: usize = 5 * 1024 * 1024;

/// Checks members that exclude each other; the error names them.
pub(crate) fn check_together(shape: &Shape, record: &Record) -> Result<(), String> {
    for set in &shape.exclusive {
        let given: Vec<&str> = set.iter().map(String::as_str).filter(|name| record.has(name)).collect();
        if given.len() > 1 {
            return Err(format!("only one of {} may be given", given.join(", ")));
        }
    }
    if shape.one_of && record.names().count() != 1 {
        return Err(format!("exactly one part of {} must be given", shape.wire));
    }
    Ok(())
}

/// The members that are children of a document's root.
pub(crate) fn fields(members: &[Member]) -> Vec<&Member> {
    members.iter().filter(|member| member.place == Place::Field).collect()
}
