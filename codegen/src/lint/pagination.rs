//! Pagination: names of members that exist and have the types that paging needs.

use super::{Subject, codes};
use crate::api::{Member, Type};
use crate::diagnostic::{Diagnostics, nearest};
use crate::spans::Cursor;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Diagnostics) {
    for (operation, at) in subject.operations() {
        let Some(paginate) = &operation.paginate else {
            continue;
        };
        let at = at.child("paginate");
        let (request, result) = (Side("request", &operation.request), Side("result", &operation.result));
        if paginate.tokens.is_empty() && at.child("token").exists() {
            let problem = at
                .child("token")
                .on_key(codes::PAGINATION, "no member carries the next page");
            diagnostics.push(problem.help("write `token: {request_member: result_member}`"));
        }
        for (to, from) in &paginate.tokens {
            let token = at.child("token").child(to);
            let to = request.find(to, token, true, diagnostics);
            let from = result.find(from, token, false, diagnostics);
            if let (Some(to), Some(from)) = (to, from)
                && to.ty != from.ty
            {
                let message = format!("`{}` and `{}` have different types", to.name, from.name);
                let problem = token.on_key(codes::PAGINATION, message);
                diagnostics.push(problem.help("a token is passed on as it is, so both have one type"));
            }
        }
        let expect = |member: Option<&Member>,
                      fits: fn(&Type) -> bool,
                      what: &str,
                      at: Cursor<'_>,
                      diagnostics: &mut Diagnostics| {
            if let Some(member) = member
                && !fits(&member.ty)
            {
                let problem = at.on_value(codes::PAGINATION, format!("`{}` is not {what}", member.name));
                diagnostics.push(problem.help(format!("name a member that is {what}, or correct its type")));
            }
        };
        if let Some(more) = &paginate.more {
            let at = at.child("more");
            expect(
                result.find(more, at, false, diagnostics),
                |ty| *ty == Type::Bool,
                "bool",
                at,
                diagnostics,
            );
        }
        if let Some(limit) = &paginate.limit {
            let at = at.child("limit");
            expect(
                request.find(limit, at, false, diagnostics),
                |ty| *ty == Type::Integer,
                "integer",
                at,
                diagnostics,
            );
        }
        for (position, item) in paginate.items.iter().enumerate() {
            let at = at.child("items").item(position);
            let found = result.find(item, at, false, diagnostics);
            expect(found, |ty| matches!(ty, Type::List(_)), "list", at, diagnostics);
        }
    }
}

struct Side<'a>(&'static str, &'a [Member]);

impl<'a> Side<'a> {
    fn find(&self, name: &str, at: Cursor<'_>, key: bool, diagnostics: &mut Diagnostics) -> Option<&'a Member> {
        let Side(side, members) = self;
        let found = members.iter().find(|member| member.name == name);
        if found.is_none() {
            let message = format!("the {side} has no member `{name}`");
            let problem = match key {
                true => at.on_key(codes::UNKNOWN_PAGE_MEMBER, message),
                false => at.on_value(codes::UNKNOWN_PAGE_MEMBER, message),
            };
            let help = match nearest(name, members.iter().map(|member| member.name.as_str())) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("`paginate` names members of this operation's {side}"),
            };
            diagnostics.push(problem.help(help));
        }
        found
    }
}
