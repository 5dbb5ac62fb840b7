//! The query keys that signature V1 signs.

use crate::api::Service;

/// Makes the service's list complete: its own, and the flags and extras of all operations. `x-oss-*` go without saying,
/// and a few flags are not signed.
pub(super) fn collect(service: &mut Service, unsigned: &[String]) {
    let operations = service.groups.iter_mut().flat_map(|group| &mut group.operations);
    for operation in operations {
        operation.subresources.retain(|key| !unsigned.contains(key));
    }
    let mut all = std::mem::take(&mut service.subresources);
    all.extend(
        service
            .operations()
            .flat_map(|(_, operation)| operation.subresources.iter().cloned()),
    );
    all.retain(|key| !key.starts_with("x-oss-"));
    all.sort();
    all.dedup();
    service.subresources = all;
}
