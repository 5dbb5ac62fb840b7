//! `/_admin/content`: the bytes of an object, to keep or to look at.
//!
//! Objects come from anybody, and the page's origin can do everything, so no browser may take an object for a part of the page: it
//! is kept as a file, or shown as plain text or a raster image in a sandbox.

use futures_util::StreamExt as _;
use http::{HeaderValue, Method};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;

use super::act::Act;
use super::preview::{self, Preview};
use crate::admin::Admin;
use crate::admin::answers::{Refusal, Reply, reply};
use crate::admin::router::Ask;
use crate::answer::RenderedBody;
use crate::body::Body;
use crate::text;

const SANDBOX: &str = "sandbox; default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// GET brings the object, or the version of `?version=`, as a file; with `?as=preview` what can be shown of it.
pub(super) async fn answer(admin: &Admin, ask: Ask) -> Result<Reply, Refusal> {
    if ask.parts.method != Method::GET && ask.parts.method != Method::HEAD {
        return Err(Refusal::method("GET, HEAD"));
    }
    let state = &admin.state;
    let (bucket, key) = (ask.needed("bucket")?.to_owned(), ask.needed("key")?.to_owned());
    let version = ask.query.get("version").map(str::to_owned);
    let version = version.as_deref().filter(|version| !version.is_empty());
    let mut act = Act::on_object("GetObject", &bucket, &key, version);
    let shown = match ask.query.get("as").unwrap_or("file") {
        "file" => None,
        "preview" => {
            let object = state.store.object(&bucket, &key, version)?;
            let shown = preview::of(&object)
                .await
                .ok_or_else(|| Refusal::new(415, "NoPreview", "Only text and images of usual formats can be shown."))?;
            if shown == Preview::Text && object.info().size > preview::TEXT {
                act = act.header("range", &format!("bytes=0-{}", preview::TEXT - 1))?;
            }
            Some(shown)
        }
        _ => return Err(Refusal::bad_request("`as` is `file` or `preview`.")),
    };
    let content_type = match shown {
        None => "application/octet-stream",
        Some(Preview::Text) => "text/plain; charset=utf-8",
        Some(Preview::Image(kind)) => kind,
    };
    let disposition = match shown {
        None => attachment(&key),
        Some(_) => "inline".to_owned(),
    };
    let mut body = Body::new(ask.body, &ask.parts.headers, None);
    let mut answer = streamed(content_type, act.run(state, &mut body).await?.body);
    let headers = answer.headers_mut();
    headers.insert("content-security-policy", HeaderValue::from_static(SANDBOX));
    if let Ok(disposition) = HeaderValue::from_str(&disposition) {
        headers.insert("content-disposition", disposition);
    }
    Ok(answer)
}

fn streamed(content_type: &'static str, body: RenderedBody) -> Reply {
    let (length, stream) = match body {
        RenderedBody::Full(bytes) => return reply(200, content_type, bytes),
        RenderedBody::Stream(payload) => (Some(payload.length), payload.stream),
        RenderedBody::Open(stream) => (None, stream),
    };
    let mut answer = reply(200, content_type, "");
    if let Some(length) = length {
        answer.headers_mut().insert("content-length", HeaderValue::from(length));
    }
    *answer.body_mut() = StreamBody::new(stream.map(|chunk| chunk.map(Frame::data))).boxed_unsync();
    answer
}

/// A file is named as the key ends, in a form that no header and no file system mistakes.
fn attachment(key: &str) -> String {
    let name = key.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let name = if name.is_empty() { "object" } else { name };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let plain: String = name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    format!(
        "attachment; filename=\"{plain}\"; filename*=UTF-8''{}",
        text::encode(name)
    )
}
