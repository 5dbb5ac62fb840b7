//! `/_admin/bucket`: a bucket is created, changed or deleted.

use http::Method;
use serde::Deserialize;
use serde_json::json;

use super::act::Act;
use crate::admin::Admin;
use crate::admin::answers::{Refusal, Reply, json_reply};
use crate::admin::router::Ask;
use crate::body::Body;
use crate::state::State;
use crate::store::Versioning;
use crate::value::Record;

/// What can be said about a bucket; what is left out stays as it is.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Change {
    acl: Option<String>,
    /// `Enabled` or `Suspended`.
    versioning: Option<String>,
}

/// POST creates, PATCH changes, DELETE deletes.
pub(super) async fn answer(admin: &Admin, mut ask: Ask) -> Result<Reply, Refusal> {
    let state = &admin.state;
    let method = ask.parts.method.clone();
    let name = ask.needed("bucket")?.to_owned();
    let change: Change = match method {
        Method::POST | Method::PATCH => ask.json().await?,
        Method::DELETE => Change::default(),
        _ => return Err(Refusal::method("POST, PATCH, DELETE")),
    };
    let mut body = Body::new(ask.body, &ask.parts.headers, None);
    if method == Method::POST {
        if state.store.bucket(&name).is_ok() {
            return Err(Refusal::new(
                409,
                "BucketAlreadyExists",
                "There is a bucket of this name.",
            ));
        }
        let mut create = Act::on_bucket("PutBucket", &name);
        if let Some(acl) = &change.acl {
            create = create.header("x-oss-acl", acl)?;
        }
        create.run(state, &mut body).await?;
    } else if method == Method::DELETE {
        Act::on_bucket("DeleteBucket", &name).run(state, &mut body).await?;
        tracing::info!(bucket = name, "a bucket was deleted");
        return Ok(json_reply(200, &json!({})));
    } else {
        state.store.bucket(&name)?;
        if let Some(acl) = &change.acl {
            let put = Act::on_bucket("PutBucketAcl", &name).header("x-oss-acl", acl)?;
            put.run(state, &mut body).await?;
        }
    }
    if let Some(status) = change.versioning {
        let record = Record::new().with("status", status);
        let put = Act::on_bucket("PutBucketVersioning", &name).document("versioning_configuration", record);
        put.run(state, &mut body).await?;
    }
    let status = if method == Method::POST { 201 } else { 200 };
    Ok(json_reply(status, &described(state, &name)?))
}

fn described(state: &State, name: &str) -> Result<serde_json::Value, Refusal> {
    let bucket = state.store.bucket(name)?;
    let versioned = bucket.meta.versioning != Versioning::Unversioned;
    Ok(json!({
        "name": bucket.name,
        "acl": bucket.meta.acl,
        "versioning": versioned.then_some(bucket.meta.versioning),
    }))
}
