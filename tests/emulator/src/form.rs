//! Uploads by HTML forms: the fields of `multipart/form-data` up to the file, and the request that they amount to.
//!
//! A form is an upload whose parameters stand in its body. Once its fields are read it becomes a `PutObject` request, so that
//! limits, access and effects are decided where they are for every other upload.

mod policy;
mod signature;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use bytes::Bytes;
use futures_util::{Stream, stream};
use http::{HeaderMap, Method};
use multer::{Field, Multipart};

use crate::address::is_object_key;
use crate::answer::insert;
use crate::auth::keys::Keys;
use crate::auth::{Principal, Signed};
use crate::body::Body;
use crate::callback::Callback;
use crate::error::ServiceError;
use crate::request::{Head, Query, header};
use crate::store::{Staged, Store};
use policy::Policy;

/// Longest value of a field, and all fields together.
const MAX_FIELD: usize = 64 * 1024;
const MAX_FIELDS: u64 = 1024 * 1024;
/// Largest object of a form: 5 GiB.
const MAX_FILE: u64 = 5 * 1024 * 1024 * 1024;
/// Fields that are headers of an upload under the same name.
const HEADERS: &[&str] = &[
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "expires",
];
/// Fields that begin like headers of an upload but are about the form.
const NOT_HEADERS: &[&str] = &[
    "x-oss-content-type",
    "x-oss-credential",
    "x-oss-date",
    "x-oss-security-token",
    "x-oss-signature",
    "x-oss-signature-version",
    "x-oss-object-acl",
];

/// Whether a request is an upload by a form.
pub(crate) fn is_form(head: &Head) -> bool {
    head.method == Method::POST
        && head.bucket().is_some()
        && head.key().is_none()
        && head.query.iter().next().is_none()
        && head.header("content-type").is_some_and(|kind| {
            let kind = kind.trim_start();
            kind.get(..19)
                .is_some_and(|start| start.eq_ignore_ascii_case("multipart/form-data"))
        })
}

/// What signatures of forms are measured against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'c> {
    pub(crate) keys: &'c Keys,
    pub(crate) now: SystemTime,
    pub(crate) region: &'c str,
    /// Where the text goes that a signature was verified over.
    pub(crate) signed: &'c Signed,
}

/// A form whose fields are read, and whose file is still to come.
pub(crate) struct Form<'r> {
    fields: Fields,
    key: String,
    /// Media type that the browser gave the file.
    file_type: Option<String>,
    file: Field<'r>,
    parts: Multipart<'r>,
    /// What the stream may still deliver before a field ends.
    budget: Arc<AtomicU64>,
    policy: Option<Policy>,
}

/// What is left of a form when its file is taken in.
pub(crate) struct Taken {
    fields: Fields,
    pub(crate) content: Staged,
}

/// Fields by their names in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Fields(BTreeMap<String, String>);

impl Fields {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }
}

impl<'r> Form<'r> {
    /// Reads the fields up to the file. Memory stays bounded, whatever is sent.
    pub(crate) async fn read(head: &Head, body: &'r mut Body) -> Result<Self, ServiceError> {
        let boundary = multer::parse_boundary(head.header("content-type").unwrap_or_default())
            .map_err(|error| malformed(&error.to_string()))?;
        let budget = Arc::new(AtomicU64::new(MAX_FIELDS));
        let mut parts = Multipart::new(chunks(body, Arc::clone(&budget)), boundary);
        let mut fields = Fields::default();
        loop {
            let next = parts.next_field().await.map_err(broken)?;
            let Some(field) = next else {
                return Err(ServiceError::new(
                    400,
                    "IncorrectNumberOfFilesInPOSTRequest",
                    "POST requires exactly one file upload per request.",
                ));
            };
            let name = field.name().unwrap_or_default().to_ascii_lowercase();
            if name == "file" {
                return Self::ready(fields, field, parts, budget);
            }
            let value = text_of(field, &name).await?;
            if fields.0.insert(name.clone(), value).is_some() {
                return Err(malformed(&format!("the field {name} occurs more than once")));
            }
        }
    }

    fn ready(
        mut fields: Fields,
        file: Field<'r>,
        parts: Multipart<'r>,
        budget: Arc<AtomicU64>,
    ) -> Result<Self, ServiceError> {
        let template = fields.filled("key").ok_or_else(|| {
            ServiceError::invalid_argument("Bucket POST must contain a field named 'key'.", "key", "")
        })?;
        // Some browsers send the whole path of the file.
        let name = file.file_name().unwrap_or_default();
        let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
        let key = template.replace("${filename}", name);
        if !is_object_key(&key) {
            return Err(
                ServiceError::new(400, "InvalidObjectName", "The specified object is not valid.")
                    .detail("ObjectName", key),
            );
        }
        fields.0.insert("key".to_owned(), key.clone());
        let policy = fields.filled("policy").map(Policy::parse).transpose()?;
        Ok(Self {
            key,
            file_type: file.content_type().map(ToString::to_string),
            fields,
            file,
            parts,
            budget,
            policy,
        })
    }

    /// Names who sent the form, and holds its fields against the policy that they signed.
    pub(crate) fn authenticate(&self, bucket: &str, context: Context<'_>) -> Result<Principal, ServiceError> {
        let principal = signature::verify(&self.fields, context)?;
        if let Some(policy) = &self.policy {
            policy.check(bucket, &self.fields, context.now)?;
        }
        Ok(principal)
    }

    /// The upload that the form amounts to.
    pub(crate) fn as_put(&self, head: &Head) -> Head {
        // What browsers say about themselves counts for rules and policies as in any other request.
        let kept = ["referer", "user-agent"];
        let kept = kept.map(|name| Some((name, header(&head.headers, name)?.to_owned())));
        let mut headers = HeaderMap::new();
        for (name, value) in kept.into_iter().flatten() {
            insert(&mut headers, name, &value);
        }
        for (name, value) in &self.fields.0 {
            let is_header =
                HEADERS.contains(&name.as_str()) || name.starts_with("x-oss-") && !NOT_HEADERS.contains(&name.as_str());
            if is_header {
                insert(&mut headers, name, value);
            }
        }
        if let Some(acl) = self.fields.filled("x-oss-object-acl") {
            insert(&mut headers, "x-oss-object-acl", acl);
        }
        let content_type = self
            .fields
            .filled("x-oss-content-type")
            .or(self.file_type.as_deref())
            .or_else(|| self.fields.filled("content-type"));
        if let Some(content_type) = content_type {
            insert(&mut headers, "content-type", content_type);
        }
        for name in ["callback", "callback-var"] {
            if let Some(value) = self.fields.filled(name) {
                insert(&mut headers, &format!("x-oss-{name}"), value);
            }
        }
        let mut address = head.address.clone();
        address.key = Some(self.key.clone());
        Head {
            method: Method::PUT,
            headers,
            query: Query::default(),
            address,
            host: head.host.clone(),
            path: head.path.clone(),
            transport: head.transport,
        }
    }

    /// Streams the file into the store, within the sizes that the policy allows.
    pub(crate) async fn take_file(mut self, store: &Store) -> Result<Taken, ServiceError> {
        let sizes = self.policy.as_ref().map(Policy::sizes).unwrap_or_default();
        let most = sizes.1.map_or(MAX_FILE, |most| most.min(MAX_FILE));
        let mut writer = store.writer();
        let mut size = 0_u64;
        loop {
            self.budget.store(MAX_FIELDS, Ordering::Relaxed);
            let Some(chunk) = self.file.chunk().await.map_err(broken)? else {
                break;
            };
            size = size.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
            if size > most {
                return Err(ServiceError::new(
                    400,
                    "EntityTooLarge",
                    "Your proposed upload exceeds the maximum allowed object size.",
                )
                .detail("MaxSizeAllowed", most.to_string()));
            }
            writer.write(chunk).await?;
        }
        if sizes.0.is_some_and(|least| size < least) {
            return Err(ServiceError::new(
                400,
                "EntityTooSmall",
                "Your proposed upload smaller than the minimum allowed size.",
            )
            .detail("ProposedSize", size.to_string())
            .detail("MinSizeAllowed", sizes.0.unwrap_or_default().to_string()));
        }
        drop(self.file);
        // Fields behind the file are ignored, but a second file is a mistake.
        while let Some(field) = self.parts.next_field().await.map_err(broken)? {
            let name = field.name().unwrap_or_default().to_ascii_lowercase();
            if name == "file" {
                return Err(ServiceError::new(
                    400,
                    "IncorrectNumberOfFilesInPOSTRequest",
                    "POST requires exactly one file upload per request.",
                ));
            }
            text_of(field, &name).await?;
        }
        Ok(Taken {
            fields: self.fields,
            content: writer.finish().await?,
        })
    }
}

/// Where the answer to a form leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Success {
    /// Status of an answer without redirection: 200, 201 or 204.
    pub(crate) status: u16,
    pub(crate) redirect: Option<String>,
}

impl Taken {
    /// The callback of the form, whose own variables may be fields.
    pub(crate) fn callback(&self, put: &Head) -> Result<Option<Callback>, ServiceError> {
        let own = self.fields.0.iter().filter(|(name, _)| name.starts_with("x:"));
        let own: Vec<_> = own.map(|(name, value)| (name.clone(), value.clone())).collect();
        Ok(Callback::of(put)?.map(|callback| callback.with_variables(own)))
    }

    pub(crate) fn success(&self) -> Success {
        let status = match self.fields.get("success_action_status") {
            Some("200") => 200,
            Some("201") => 201,
            _ => 204,
        };
        Success {
            status,
            redirect: self.fields.filled("success_action_redirect").map(str::to_owned),
        }
    }
}

/// Reads a field that is not the file.
async fn text_of(mut field: Field<'_>, name: &str) -> Result<String, ServiceError> {
    let mut value = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(broken)? {
        value.extend_from_slice(&chunk);
        if value.len() > MAX_FIELD {
            return Err(
                ServiceError::new(400, "FieldItemTooLong", "A field of the form is too long.")
                    .detail("Field", name)
                    .detail("MaxSizeAllowed", MAX_FIELD.to_string()),
            );
        }
    }
    String::from_utf8(value).map_err(|_| malformed(&format!("the field {name} is not UTF-8")))
}

/// The chunks of a body, one for each time that somebody looks, so that the parser never gathers more than it needs. The budget
/// bounds what is read without any field coming to an end.
fn chunks(body: &mut Body, budget: Arc<AtomicU64>) -> impl Stream<Item = Result<Bytes, FormError>> + Send + '_ {
    stream::unfold(Some(body), move |body| {
        let budget = Arc::clone(&budget);
        async move {
            let body = body?;
            tokio::task::yield_now().await;
            let chunk = match body.next().await {
                Ok(Some(chunk)) => chunk,
                Ok(None) => return None,
                Err(error) => return Some((Err(FormError(error)), None)),
            };
            let length = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
            let left = budget.load(Ordering::Relaxed);
            budget.store(left.saturating_sub(length), Ordering::Relaxed);
            match left {
                0 => Some((Err(FormError(too_large())), None)),
                _ => Some((Ok(chunk), Some(body))),
            }
        }
    })
}

/// One of our own errors on its way through the parser.
#[derive(Debug)]
struct FormError(ServiceError);

impl std::fmt::Display for FormError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for FormError {}

fn broken(error: multer::Error) -> ServiceError {
    match error {
        multer::Error::StreamReadFailed(inner) => match inner.downcast::<FormError>() {
            Ok(own) => own.0,
            Err(other) => malformed(&other.to_string()),
        },
        other => malformed(&other.to_string()),
    }
}

fn too_large() -> ServiceError {
    ServiceError::new(
        400,
        "PostBodyTooLarge",
        "The body of your POST request is too large: its fields without the file exceed the limit.",
    )
    .detail("MaxSizeAllowed", MAX_FIELDS.to_string())
}

fn malformed(why: &str) -> ServiceError {
    ServiceError::new(
        400,
        "MalformedPOSTRequest",
        format!("The body of your POST request is not well-formed multipart/form-data: {why}."),
    )
}
