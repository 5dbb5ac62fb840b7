//! Pagination: names of members that exist and have the types that paging needs.

use super::member_paths::{Found, Site, Start};
use super::{Subject, codes};
use crate::api::{Member, Type};
use crate::diagnostic::Diagnostics;
use crate::spans::Cursor;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Diagnostics) {
    for (operation, at) in subject.operations() {
        let Some(paginate) = &operation.paginate else {
            continue;
        };
        let at = at.child("paginate");
        let service = subject.service;
        let request = Start {
            service,
            side: "request",
            members: &operation.request,
        };
        let result = Start {
            service,
            side: "result",
            members: &operation.result,
        };
        if paginate.tokens.is_empty() && at.child("token").exists() {
            let problem = at
                .child("token")
                .on_key(codes::PAGINATION, "no member carries the next page");
            diagnostics.push(problem.help("write `token: {request_member: result_member}`"));
        }
        for (to, from) in &paginate.tokens {
            let token = at.child("token").child(to);
            let to = own(request, to, Site::Key(token), diagnostics);
            let from = single(result, from, Site::Value(token), diagnostics);
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
                single(result, more, Site::Value(at), diagnostics),
                |ty| *ty == Type::Bool,
                "bool",
                at,
                diagnostics,
            );
        }
        if let Some(limit) = &paginate.limit {
            let at = at.child("limit");
            expect(
                own(request, limit, Site::Value(at), diagnostics),
                |ty| *ty == Type::Integer,
                "integer",
                at,
                diagnostics,
            );
        }
        for (position, item) in paginate.items.iter().enumerate() {
            let at = at.child("items").item(position);
            let found = single(result, item, Site::Value(at), diagnostics);
            expect(found, |ty| matches!(ty, Type::List(_)), "list", at, diagnostics);
        }
    }
}

/// A member of the request itself: the next request is made by setting it.
fn own<'a>(start: Start<'a>, name: &str, site: Site<'_>, diagnostics: &mut Diagnostics) -> Option<&'a Member> {
    if name.contains('.') {
        let problem = site.problem(
            codes::PAGINATION,
            format!("`{}` is no member of the request itself", name.escape_debug()),
        );
        diagnostics.push(problem.help("only members of the result are reached by paths"));
        return None;
    }
    start.find(name, site, diagnostics).map(|found| found.member)
}

/// A member that an answer has once.
fn single<'a>(start: Start<'a>, path: &str, site: Site<'_>, diagnostics: &mut Diagnostics) -> Option<&'a Member> {
    let Found { member, many } = start.find(path, site, diagnostics)?;
    if many {
        let problem = site.problem(codes::PAGINATION, format!("`{path}` leads through the items of a list"));
        diagnostics.push(problem.help("name a member that an answer has once"));
        return None;
    }
    Some(member)
}
