//! Shapes that no value can have, because each needs another of itself.

use std::collections::BTreeSet;

use super::{Subject, codes};
use crate::api::{Member, Service, ShapeId, Type};
use crate::diagnostic::Diagnostics;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Diagnostics) {
    let service = subject.service;
    let mut reported = BTreeSet::new();
    for id in (0..service.shapes.len()).map(ShapeId) {
        if reported.contains(&id) {
            continue;
        }
        let Some(cycle) = cycle(service, id) else {
            continue;
        };
        reported.extend(cycle.iter().map(|(shape, _)| *shape));
        let names: Vec<String> = cycle
            .iter()
            .chain(cycle.first())
            .map(|(shape, _)| format!("`{}`", service.shape(*shape).name))
            .collect();
        let mut places = cycle.iter().filter_map(|(shape, member)| {
            let at = subject.index.shape(&service.name, &service.shape(*shape).name)?;
            Some(at.path(&["members", &member.name]))
        });
        let Some(first) = places.next() else { continue };
        let message = format!(
            "no value can have this shape, it requires itself: {}",
            names.join(" -> ")
        );
        let mut problem = first.on_key(codes::IMPOSSIBLE_SHAPE, message);
        for at in places {
            problem = problem.related(at.file(), at.key_span(), "which requires this");
        }
        diagnostics.push(problem.help("leave out `required` of one of the members, or make it a list"));
    }
}

/// Shapes and their members that require the next, from a shape back to itself.
fn cycle(service: &Service, start: ShapeId) -> Option<Vec<(ShapeId, &Member)>> {
    // Depth first with an explicit stack: what stands on it is the way from the start.
    let mut way: Vec<(ShapeId, usize)> = vec![(start, 0)];
    let mut seen = BTreeSet::from([start]);
    while let Some((shape, next)) = way.last_mut() {
        let Some(member) = service.shape(*shape).members.get(*next) else {
            way.pop();
            continue;
        };
        *next += 1;
        match member.ty {
            Type::Shape(target) if member.required => {
                if target == start {
                    let member = |(shape, next): (ShapeId, usize)| (shape, &service.shape(shape).members[next - 1]);
                    return Some(way.into_iter().map(member).collect());
                }
                if seen.insert(target) {
                    way.push((target, 0));
                }
            }
            _ => {}
        }
    }
    None
}
