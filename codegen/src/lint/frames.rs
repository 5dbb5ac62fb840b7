//! Members of end frames: only where the trait reads them, by the names that it knows.

use super::{Subject, codes};
use crate::api::{Place, Trait, Type};
use crate::diagnostic::{Diagnostics, nearest};
use crate::model::structure::listed;

/// What the last frame of CreateSelectObjectMeta holds.
const MEMBERS: [(&str, Type); 7] = [
    ("cols_count", Type::Integer),
    ("error_msg", Type::String),
    ("meta_status", Type::Integer),
    ("offset", Type::Integer),
    ("rows_count", Type::Integer),
    ("splits_count", Type::Integer),
    ("total_scanned_bytes", Type::Integer),
];

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Diagnostics) {
    for (operation, at) in subject.operations() {
        let frames = operation.has(Trait::MetaFrames);
        for member in &operation.result {
            let at = at.path(&["result", &member.name]);
            if member.place != Place::Frame {
                let in_payload = !matches!(member.place, Place::Header | Place::HeaderMap);
                if frames && in_payload {
                    let message = format!("`{}` is in a payload that is read as frames", member.name);
                    let problem = at.on_key(codes::FRAME_MEMBER, message);
                    diagnostics.push(problem.help("with `meta_frames` a result has `frame` members and headers"));
                }
                continue;
            }
            if !frames {
                let message = format!("`{}` is read from a frame, but the answer has none", member.name);
                let problem = at.child("in").on_value(codes::FRAME_MEMBER, message);
                diagnostics.push(problem.help("add `meta_frames` to `traits`"));
            }
            let names = || MEMBERS.iter().map(|(name, _)| *name);
            match MEMBERS.iter().find(|(name, _)| *name == member.name) {
                None => {
                    let message = format!("the frame has no member `{}`", member.name);
                    let help = match nearest(&member.name, names()) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("it has {}", listed(names())),
                    };
                    diagnostics.push(at.on_key(codes::FRAME_MEMBER, message).help(help));
                }
                Some((name, ty)) if member.ty != *ty => {
                    let word = if *ty == Type::String { "string" } else { "integer" };
                    let problem = at
                        .child("type")
                        .on_value(codes::FRAME_MEMBER, format!("`{name}` is of another type in the frame"));
                    diagnostics.push(problem.help(format!("write `type: {word}`")));
                }
                Some(_) => {}
            }
        }
    }
}
