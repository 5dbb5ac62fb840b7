//! Members of requests, results and shapes.

use crate::api::{Member, Place, Protocol, Type};
use crate::diagnostic::Diagnostics;
use crate::lint::codes;
use crate::model::{self, Named};
use crate::resolve::references::Types;
use crate::resolve::{defaults, limits, places};
use crate::spans::Cursor;

/// What a member belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Request,
    Result,
    Shape,
}

impl Side {
    pub(super) fn name(self) -> &'static str {
        match self {
            Side::Request => "a request",
            Side::Result => "a result",
            Side::Shape => "a shape",
        }
    }
}

/// What all members of a service need.
pub(super) struct Members<'a> {
    pub(super) protocol: Protocol,
    pub(super) types: &'a Types,
}

impl Members<'_> {
    /// Resolves members in the order of the file. The cursor stands at the mapping that holds them.
    pub(super) fn resolve(
        &self,
        members: &Named<model::Member>,
        side: Side,
        at: Cursor<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Vec<Member> {
        members
            .iter()
            .map(|(name, member)| self.member(name, member, side, at.child(name), diagnostics))
            .collect()
    }

    fn member(
        &self,
        name: &str,
        member: &model::Member,
        side: Side,
        at: Cursor<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Member {
        let place = places::place(member, side, at, diagnostics);
        let format = places::timestamp_format(member, &place);
        let stated = self.types.of_member(member, format, at, diagnostics);
        let ty = stated.or_else(|| places::implied_type(&place)).unwrap_or_else(|| {
            // Members with structural errors have been reported and may have lost their type there.
            if at.is_mapping() && !["type", "list", "map"].iter().any(|key| at.child(key).exists()) {
                let problem = at.on_key(codes::ONE_TYPE, format!("the member `{name}` has no type"));
                diagnostics.push(problem.help("add `type: ...`, `list: ...` or `map: ...`"));
            }
            Type::String
        });
        if place == Place::Stream && ty != Type::Stream {
            let key = ["type", "list", "map"]
                .into_iter()
                .find(|key| at.child(key).exists())
                .unwrap_or("in");
            let problem = at.child(key).on_key(codes::PLACE_TYPE, "a stream has no type");
            diagnostics.push(problem.help("leave the type out: a stream is bytes"));
        }
        let ty = if place == Place::Stream { Type::Stream } else { ty };
        let default = defaults::literal(member, &ty, self.types, at.child("default"), diagnostics);
        let limits = limits::resolve(member, at, diagnostics);
        Member {
            name: name.to_owned(),
            wire: places::wire(name, member, &place, self.protocol),
            required: member.required || places::is_always_required(&place),
            place,
            aliases: member.aliases.clone(),
            ty,
            default,
            range: limits.range,
            length: limits.length,
            max_items: limits.max_items,
            pattern: member.pattern.clone(),
            prefix: member.prefix.clone(),
            bucket_arn: member.bucket_arn,
            rest: member.rest,
            sensitive: member.sensitive,
            url_decoded: member.url_decoded,
            since: member.since.clone(),
            deprecated: member.deprecated.clone(),
            doc: member.doc.trim().to_owned(),
        }
    }
}
