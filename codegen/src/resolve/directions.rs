//! Which shapes requests, results and JSON queries reach, and which hold text that may be percent-encoded.

use std::collections::BTreeSet;

use crate::api::{Member, Place, Service, ShapeId};

/// Marks `input`, `output`, `query_json` and `url_decoded` of all shapes.
pub(super) fn mark(service: &mut Service) {
    let input = reached(
        service,
        service.operations().flat_map(|(_, operation)| &operation.request),
    );
    let output = reached(
        service,
        service.operations().flat_map(|(_, operation)| &operation.result),
    );
    let in_queries = reached(
        service,
        service
            .operations()
            .flat_map(|(_, operation)| &operation.request)
            .filter(|member| member.place == Place::QueryJson),
    );
    let decoded: BTreeSet<ShapeId> = (0..service.shapes.len())
        .map(ShapeId)
        .filter(|id| {
            let below = reached(service, &service.shape(*id).members);
            below
                .iter()
                .chain([id])
                .any(|id| service.shape(*id).members.iter().any(|member| member.url_decoded))
        })
        .collect();
    for (id, shape) in service.shapes.iter_mut().enumerate() {
        shape.input = input.contains(&ShapeId(id));
        shape.output = output.contains(&ShapeId(id));
        shape.query_json = in_queries.contains(&ShapeId(id));
        shape.url_decoded = decoded.contains(&ShapeId(id));
    }
}

/// Shapes below some members, however deep.
fn reached<'a>(service: &Service, members: impl IntoIterator<Item = &'a Member>) -> BTreeSet<ShapeId> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<ShapeId> = members.into_iter().filter_map(|member| member.ty.shape()).collect();
    while let Some(id) = open.pop() {
        if seen.insert(id) {
            open.extend(service.shape(id).members.iter().filter_map(|member| member.ty.shape()));
        }
    }
    seen
}
