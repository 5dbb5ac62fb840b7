//! Paths to members: names joined with `.` that lead from a request or a result down through shapes.

use super::codes;
use crate::api::{Member, Service, Type};
use crate::diagnostic::{Diagnostic, Diagnostics, nearest};
use crate::spans::Cursor;

/// Where a path starts.
#[derive(Clone, Copy)]
pub(super) struct Start<'a> {
    pub(super) service: &'a Service,
    /// `request` or `result`.
    pub(super) side: &'static str,
    pub(super) members: &'a [Member],
}

/// Where a path leads.
pub(super) struct Found<'a> {
    pub(super) member: &'a Member,
    /// Whether it leads through the items of a list, so that there may be many values.
    pub(super) many: bool,
}

/// What a path stands in: its place, and whether its text is the key or the value there.
#[derive(Clone, Copy)]
pub(super) enum Site<'a> {
    Key(Cursor<'a>),
    Value(Cursor<'a>),
}

impl Site<'_> {
    pub(super) fn problem(self, code: &'static str, message: String) -> Diagnostic {
        match self {
            Site::Key(at) => at.on_key(code, message),
            Site::Value(at) => at.on_value(code, message),
        }
    }
}

impl<'a> Start<'a> {
    /// The member that a path leads to. A path that leads nowhere is reported.
    pub(super) fn find(&self, path: &str, site: Site<'_>, diagnostics: &mut Diagnostics) -> Option<Found<'a>> {
        let mut members = self.members;
        let mut owner = format!("the {}", self.side);
        let mut many = false;
        let mut names = path.split('.').peekable();
        loop {
            let name = names.next()?;
            let Some(member) = members.iter().find(|member| member.name == name) else {
                let message = format!("{owner} has no member `{}`", name.escape_debug());
                let help = match nearest(name, members.iter().map(|member| member.name.as_str())) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("a path names members of this operation's {} as in the model", self.side),
                };
                diagnostics.push(site.problem(codes::UNKNOWN_MEMBER, message).help(help));
                return None;
            };
            if names.peek().is_none() {
                return Some(Found { member, many });
            }
            let (item, is_list) = match &member.ty {
                Type::List(item) => (item.as_ref(), true),
                ty => (ty, false),
            };
            let Type::Shape(id) = item else {
                let message = format!("`{name}` has no members");
                let problem = site.problem(codes::UNKNOWN_MEMBER, message);
                diagnostics.push(problem.help("end the path there: only shapes and lists of them have members"));
                return None;
            };
            many |= is_list;
            let shape = self.service.shape(*id);
            (members, owner) = (&shape.members, format!("the shape `{}`", shape.name));
        }
    }
}
