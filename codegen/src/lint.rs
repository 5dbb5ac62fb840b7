//! Rules that a model must keep. Each file has the rules of one subject; every rule has a code and an explanation.
//!
//! Rules see the resolved API and report at the places that [`Index`] knows. What no longer exists after resolution,
//! such as an unknown name, is reported by the pass that resolves it.

mod bucket_arn;
pub mod codes;
mod consequences;
mod documentation;
mod enums;
mod explain;
mod frames;
mod member_paths;
mod pagination;
mod paths;
mod payload;
mod recursion;
mod rest;
mod rust_names;
mod service;
mod sets;
mod traits;
mod types;
mod unused;
mod values;
mod waiters;
mod wire;

use crate::api::{Api, Member, Operation, Service, ShapeId};
use crate::diagnostic::Diagnostics;
use crate::resolve::Index;
use crate::spans::Cursor;

pub use explain::{Rule, explain, rules};

/// Checks everything.
pub fn check(api: &Api, index: &Index<'_>, diagnostics: &mut Diagnostics) {
    const RULES: [fn(&Subject<'_>, &mut Diagnostics); 18] = [
        bucket_arn::check,
        documentation::check,
        enums::check,
        frames::check,
        pagination::check,
        paths::check,
        payload::check,
        recursion::check,
        rest::check,
        rust_names::check,
        service::check,
        sets::check,
        traits::check,
        types::check,
        unused::check,
        values::check,
        waiters::check,
        wire::check,
    ];
    let mut found = Diagnostics::default();
    for service in &api.services {
        let subject = Subject { service, index };
        for rule in RULES {
            rule(&subject, &mut found);
        }
    }
    consequences::merge(found, index, diagnostics);
}

/// A service and where its parts stand.
struct Subject<'a> {
    service: &'a Service,
    index: &'a Index<'a>,
}

/// Members that belong together.
struct Members<'a> {
    owner: Owner<'a>,
    members: &'a [Member],
    /// The mapping that holds them.
    at: Cursor<'a>,
}

/// What members belong to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Request,
    Result,
    Shape,
}

#[derive(Clone, Copy)]
struct Owner<'a> {
    side: Side,
    operation: Option<&'a Operation>,
    shape: Option<ShapeId>,
}

impl<'a> Subject<'a> {
    /// All operations with their entries. Second definitions of a name are left out: they are reported already.
    fn operations(&self) -> impl Iterator<Item = (&'a Operation, Cursor<'a>)> {
        let service = self.service;
        service.groups.iter().flat_map(move |group| {
            group.operations.iter().filter_map(move |operation| {
                let at = self.index.operation(&service.name, &operation.name)?;
                (at.file() == group.source).then_some((operation, at))
            })
        })
    }

    /// The members of all requests, results and shapes.
    fn member_lists(&self) -> Vec<Members<'a>> {
        let mut lists = Vec::new();
        for (operation, at) in self.operations() {
            for (side, key, members) in [
                (Side::Request, "request", &operation.request),
                (Side::Result, "result", &operation.result),
            ] {
                let owner = Owner {
                    side,
                    operation: Some(operation),
                    shape: None,
                };
                lists.push(Members {
                    owner,
                    members,
                    at: at.child(key),
                });
            }
        }
        for (id, shape) in self.service.shapes.iter().enumerate() {
            if let Some(at) = self.index.shape(&self.service.name, &shape.name) {
                let owner = Owner {
                    side: Side::Shape,
                    operation: None,
                    shape: Some(ShapeId(id)),
                };
                lists.push(Members {
                    owner,
                    members: &shape.members,
                    at: at.child("members"),
                });
            }
        }
        lists
    }
}

impl<'a> Members<'a> {
    /// Members that the file declares, with their entries.
    fn declared(&self) -> impl Iterator<Item = (&'a Member, Cursor<'a>)> {
        let at = self.at;
        self.members
            .iter()
            .map(move |member| (member, at.child(&member.name)))
            .filter(|(_, at)| at.exists())
    }
}
