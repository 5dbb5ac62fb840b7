//! Who may do what with table buckets and tables: the policies of both decide together with those of whoever asks.
//!
//! The pages of the service name a table in two ways, by its ID and by its namespace and name, and policies of buckets that mean all
//! their tables name the bucket alone. A table therefore has all of these names, and a statement that names one of them is about it.
//! RenameTable is, by its page, about the table as it is called before: one permission, and the policy of that table.

use super::{Bucket, Call, table};
use crate::access::Resource;
use crate::error::ServiceError;
use crate::operations::own_buckets::{foreign, unjudged};
use crate::policy;

/// Decides about the bucket of a request, or the table in it that the request names.
pub(super) fn check(call: &Call<'_>, bucket: &Bucket) -> Result<(), ServiceError> {
    if call.operation.name == "DeleteTableBucket" && bucket.owner != call.account() {
        // Whatever its policy says, a bucket is deleted by its owner only.
        return Err(foreign());
    }
    let named = Named::of(call);
    let found = match &named {
        Named::Bucket => None,
        named => table::stored(call, bucket)?.into_iter().find(|table| named.is(table)),
    };
    let mut aliases = Vec::new();
    if let Named::Table { namespace, name } = named {
        aliases.push(format!("{}/namespace/{namespace}/table/{name}", bucket.arn));
    }
    if let Some(table) = &found {
        aliases.push(table.arn(bucket));
        aliases.push(format!(
            "{}/namespace/{}/table/{}",
            bucket.arn, table.namespace, table.name
        ));
    }
    let documents = [
        bucket.policy.as_ref(),
        found.as_ref().and_then(|table| table.policy.as_ref()),
    ];
    let policies = documents
        .into_iter()
        .flatten()
        .map(|document| policy::of_tables(document));
    let policies: Vec<_> = policies.collect::<Result<_, _>>().map_err(unjudged)?;
    call.allow_resource(&Resource {
        owner: &bucket.owner,
        name: &bucket.arn,
        aliases: &aliases,
        policies: &policies,
    })
}

/// What a request names in its bucket.
enum Named<'c> {
    Bucket,
    Table { namespace: &'c str, name: &'c str },
    Id(&'c str),
}

impl<'c> Named<'c> {
    fn of(call: &'c Call<'_>) -> Self {
        let input = &call.input;
        // Other operations have an ARN of a table as well, which only says for whom they are.
        let by_arn = input.text("table_arn").filter(|_| call.operation.name == "GetTable");
        if let Some((_, id)) = by_arn.and_then(|arn| arn.split_once("/table/")) {
            return Self::Id(id);
        }
        match (input.text("namespace"), input.text("name")) {
            (Some(namespace), Some(name)) => Self::Table { namespace, name },
            _ => Self::Bucket,
        }
    }

    fn is(&self, table: &table::Table) -> bool {
        match self {
            Self::Bucket => false,
            Self::Table { namespace, name } => table.namespace == *namespace && table.name == *name,
            Self::Id(id) => table.id == *id,
        }
    }
}
