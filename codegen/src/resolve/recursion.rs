//! Which shapes contain themselves directly, so that Rust needs a box.

use std::collections::BTreeSet;

use crate::api::{Service, ShapeId, Type};

/// Marks shapes on a cycle of members that are neither lists nor maps: those hold their items elsewhere already.
pub(super) fn mark(service: &mut Service) {
    let recursive: Vec<bool> = (0..service.shapes.len())
        .map(|id| reaches(service, ShapeId(id), ShapeId(id)))
        .collect();
    for (shape, recursive) in service.shapes.iter_mut().zip(recursive) {
        shape.recursive = recursive;
    }
}

fn reaches(service: &Service, from: ShapeId, target: ShapeId) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(id) = open.pop() {
        for member in &service.shape(id).members {
            if let Type::Shape(next) = member.ty {
                if next == target {
                    return true;
                }
                if seen.insert(next) {
                    open.push(next);
                }
            }
        }
    }
    false
}
