//! Configuration that changes what happens to objects: reads what a bucket has stored, by the models.

use oss_codegen::api::{Api, Place, Type};

use super::Call;
use crate::document::xml::{self, Strictness};
use crate::error::ServiceError;
use crate::store::Documents;
use crate::value::Record;

/// The document that `operation`, such as `GetBucketEncryption`, would answer; nothing when there is none.
pub(super) fn document(call: &Call<'_>, bucket: &str, operation: &str) -> Result<Option<Record>, ServiceError> {
    call.store()
        .read_documents(bucket, |documents| among(call.state.api, documents, operation))?
}

/// The same among documents at hand.
pub(super) fn among(api: &'static Api, documents: &Documents, operation: &str) -> Result<Option<Record>, ServiceError> {
    let unknown = || ServiceError::internal(format!("There is no model of {operation}."));
    let service = api.service("oss").ok_or_else(unknown)?;
    let model = service.operation(operation).ok_or_else(unknown)?;
    let flags: Vec<_> = model.query.iter().map(|(name, _)| name.as_str()).collect();
    let Some(stored) = documents.get(&flags.join("/")) else {
        return Ok(None);
    };
    let whole = model.result.iter().find(|member| member.place == Place::Body);
    let Some(Type::Shape(shape)) = whole.map(|member| &member.ty) else {
        return Err(unknown());
    };
    let stale = |why: String| ServiceError::internal(format!("A stored document does not fit {operation}: {why}."));
    let text = std::str::from_utf8(stored).map_err(|error| stale(error.to_string()))?;
    let root = xml::parse(text).map_err(stale)?;
    xml::read_shape(service, *shape, &root, Strictness::Stored)
        .map(Some)
        .map_err(stale)
}
