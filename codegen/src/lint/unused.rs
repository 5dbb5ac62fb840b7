//! Shapes and enums that no operation leads to.

use std::collections::BTreeSet;

use super::{Subject, codes};
use crate::api::{EnumId, Type};
use crate::diagnostic::Diagnostics;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Diagnostics) {
    let (service, index) = (subject.service, subject.index);
    // A file that cannot be read may use anything.
    if !index.is_complete(&service.name) {
        return;
    }
    let mut report = |kind: &str, name: &str, at: Option<crate::spans::Cursor<'_>>| {
        if let Some(at) = at {
            let problem = at.on_key(codes::UNUSED, format!("no operation leads to the {kind} `{name}`"));
            diagnostics.push(problem.help("use it in a member, or delete it"));
        }
    };
    for shape in service.shapes.iter().filter(|shape| !shape.input && !shape.output) {
        report("shape", &shape.name, index.shape(&service.name, &shape.name));
    }
    let used: BTreeSet<EnumId> = subject
        .member_lists()
        .iter()
        .flat_map(|list| list.members)
        .filter_map(|member| enumeration(&member.ty))
        .collect();
    for (id, unused) in service
        .enums
        .iter()
        .enumerate()
        .filter(|(id, _)| !used.contains(&EnumId(*id)))
    {
        debug_assert_eq!(service.enumeration(EnumId(id)).name, unused.name);
        report("enum", &unused.name, index.enumeration(&service.name, &unused.name));
    }
}

fn enumeration(ty: &Type) -> Option<EnumId> {
    match ty {
        Type::Enum(id) => Some(*id),
        Type::List(item) | Type::Map(item) => enumeration(item),
        _ => None,
    }
}
