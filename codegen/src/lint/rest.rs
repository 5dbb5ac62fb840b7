//! The map of a shape that takes what no other member has.

use super::{Side, Subject, codes};
use crate::api::{Protocol, Type};
use crate::diagnostic::Diagnostics;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Diagnostics) {
    for list in subject.member_lists() {
        let members: Vec<_> = list.declared().collect();
        let last = members.len().saturating_sub(1);
        for (index, (member, at)) in members.into_iter().enumerate().filter(|(_, (member, _))| member.rest) {
            let problem = if list.owner.side != Side::Shape || subject.service.protocol != Protocol::RestJson {
                Some(("only a shape of a JSON service has a rest", "leave `rest` out"))
            } else if !matches!(member.ty, Type::Map(_)) {
                Some(("a rest is a map", "write `map: any`"))
            } else if index != last {
                Some((
                    "a member stands after the rest",
                    "make the rest the last member of the shape",
                ))
            } else {
                None
            };
            if let Some((message, help)) = problem {
                diagnostics.push(at.child("rest").on_key(codes::REST, message).help(help));
            }
        }
    }
}
