//! Signing a policy, and the form that comes of it.

use std::fmt;
use std::sync::Arc;

use http::Method;

use super::{Draft, PostPolicy};
use crate::client::{CallOptions, Core};
use crate::error::Error;
use crate::operation::OperationInput;
use crate::pipeline::{self, Prepared};
use crate::presign::{Expires, Lifetime, credentials};
use crate::signer::FormRequest;
use crate::time::Timestamp;

/// An upload form that is signed: whoever holds it can upload what its policy allows.
///
/// It is sent with `POST` as `multipart/form-data`: all [`fields`](Self::fields), those of
/// [`open_fields`](Self::open_fields), and **last** the field `file` with the file. What comes behind the file is ignored.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PostForm {
    /// Where the form is sent: the form's `action`.
    pub url: String,
    /// Names and values, in the order in which they should be sent. Whoever has them has the right to upload, so do not
    /// log them.
    pub fields: Vec<(String, String)>,
    /// Fields that the page has to fill in, as conditions of the policy want a value.
    pub open_fields: Vec<String>,
    /// When the form ends.
    pub expiration: Timestamp,
    /// Whether it ends before the time asked for, because the credentials do.
    pub is_capped: bool,
}

/// Without the fields' values.
impl fmt::Debug for PostForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.fields.iter().map(|(name, _)| name).collect();
        f.debug_struct("PostForm")
            .field("url", &self.url)
            .field("fields", &names)
            .field("open_fields", &self.open_fields)
            .field("expiration", &self.expiration)
            .field("is_capped", &self.is_capped)
            .finish()
    }
}

const OPERATION: &str = "PostObject";

pub(crate) async fn sign(core: &Arc<Core>, policy: PostPolicy, expires: Expires) -> Result<PostForm, Error> {
    make(core, policy, expires)
        .await
        .map_err(|error| error.with_operation(OPERATION))
}

async fn make(core: &Arc<Core>, policy: PostPolicy, expires: Expires) -> Result<PostForm, Error> {
    policy.check()?;
    let life = expires.check(core)?;
    // Its address is that of any other request to the bucket.
    let input = OperationInput::new(OPERATION, Method::POST).bucket(policy.bucket.clone());
    let mut options = CallOptions::default();
    match &policy.endpoint {
        Some((domain, true)) => options.cname = Some(domain.clone()),
        Some((endpoint, false)) => options.endpoint = Some(endpoint.clone()),
        None => {}
    }
    let limits = pipeline::limits(core, &mut options);
    let prepared = Prepared::for_presign(Arc::clone(core), input, options)?;
    let credentials = credentials(&prepared, limits, life).await?;
    let lifetime = Lifetime::start(core, expires, &credentials)?;
    let bucket = prepared.input.bucket.as_deref().unwrap_or_default();
    let draft = Draft::new(&policy, bucket, lifetime.end);
    let request = FormRequest::new(&draft, core.region(), core.product(), lifetime.now);
    let (signed_policy, signature) = core.signer.sign_form(&request, &credentials)?.into_parts();

    let mut open_fields: Vec<String> = Vec::new();
    for condition in &policy.conditions {
        let name = condition.field();
        let is_known = name.eq_ignore_ascii_case("key") || open_fields.iter().any(|known| known == name);
        if condition.needs_field() && !is_known {
            open_fields.push(name.to_owned());
        }
    }
    let mut fields = Vec::with_capacity(2 + policy.fields.len() + signature.len());
    fields.push(("key".to_owned(), policy.key));
    fields.extend(policy.fields);
    fields.push(("policy".to_owned(), signed_policy));
    fields.extend(signature);
    Ok(PostForm {
        url: prepared.url,
        fields,
        open_fields,
        expiration: lifetime.end,
        is_capped: lifetime.is_capped,
    })
}
