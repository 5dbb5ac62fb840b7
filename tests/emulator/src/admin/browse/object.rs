//! `/_admin/object`: an object is described, written or deleted.

use http::{HeaderMap, Method};
use serde_json::{Value, json};

use super::act::Act;
use super::preview;
use crate::admin::Admin;
use crate::admin::answers::{Refusal, Reply, json_reply};
use crate::admin::router::Ask;
use crate::body::Body;
use crate::request::header;
use crate::store::Object;
use crate::time;

/// GET describes, PUT writes what the body brings, DELETE deletes the object or the version of `?version=`.
pub(super) async fn answer(admin: &Admin, ask: Ask) -> Result<Reply, Refusal> {
    let state = &admin.state;
    let (bucket, key) = (ask.needed("bucket")?.to_owned(), ask.needed("key")?.to_owned());
    let version = ask.query.get("version").map(str::to_owned);
    let version = version.as_deref().filter(|version| !version.is_empty());
    match ask.parts.method {
        Method::GET | Method::HEAD => {
            let object = state.store.object(&bucket, &key, version)?;
            Ok(json_reply(200, &described(&object).await))
        }
        Method::PUT => {
            let act = Act::on_object("PutObject", &bucket, &key, None).content_of(&ask);
            let mut body = Body::new(ask.body, &ask.parts.headers, None);
            let done = act.run(state, &mut body).await?;
            Ok(json_reply(
                200,
                &json!({
                    "etag": text(&done.headers, "etag").map(|etag| etag.trim_matches('"').to_owned()),
                    "version_id": text(&done.headers, "x-oss-version-id"),
                    "bytes": body.bytes_read(),
                }),
            ))
        }
        Method::DELETE => {
            let act = Act::on_object("DeleteObject", &bucket, &key, version);
            let mut body = Body::new(ask.body, &ask.parts.headers, None);
            let done = act.run(state, &mut body).await?;
            Ok(json_reply(
                200,
                &json!({
                    "version_id": text(&done.headers, "x-oss-version-id"),
                    "delete_marker": text(&done.headers, "x-oss-delete-marker").as_deref() == Some("true"),
                }),
            ))
        }
        _ => Err(Refusal::method("GET, PUT, DELETE")),
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    header(headers, name).map(str::to_owned)
}

async fn described(object: &Object) -> Value {
    let info = object.info();
    let meta = &info.meta;
    let tags: Vec<_> = meta
        .tags
        .iter()
        .map(|(key, value)| json!({"key": key, "value": value}))
        .collect();
    json!({
        "key": info.key,
        "version_id": info.version_id,
        "type": info.kind.as_str(),
        "size": info.size,
        "etag": info.etag,
        // A number of JavaScript does not hold it.
        "crc64": info.crc64.to_string(),
        "last_modified": time::iso8601_millis(info.last_modified),
        "sealed": info.sealed.map(time::iso8601_millis),
        "storage_class": meta.storage_class,
        "acl": meta.acl.as_str(),
        "symlink_target": meta.symlink_target,
        "headers": {
            "Content-Type": meta.content_type,
            "Content-Encoding": meta.content_encoding,
            "Content-Language": meta.content_language,
            "Content-Disposition": meta.content_disposition,
            "Cache-Control": meta.cache_control,
            "Expires": meta.expires,
        },
        "metadata": meta.user,
        "tags": tags,
        "encryption": meta.encryption,
        "preview": preview::of(object).await.map(preview::Preview::name),
    })
}
