//! PutSymlink and GetSymlink.

use super::{Call, meta, quoted, read};
use crate::address::object_key;
use crate::answer::Answer;
use crate::error::ServiceError;
use crate::store::ObjectKind;
use crate::value::Record;

pub(super) async fn put(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let target = call.input.text_or_empty("target");
    let invalid = |message: &str| ServiceError::invalid_argument(message, "x-oss-symlink-target", target);
    let key = object_key(target).map_err(|_| invalid("The target is not the percent-encoded key of an object."))?;
    if key == call.key()? {
        return Err(invalid("A symbolic link cannot point to itself."));
    }
    let mut written = meta::of(call)?;
    written.symlink_target = Some(target.to_owned());
    let options = meta::options(call, written)?;
    let info = call.store().put_symlink(call.bucket()?, call.key()?, options).await?;
    Ok(Answer::ok(
        Record::new().with_some("version_id", call.shown_version(&info)?),
    ))
}

pub(super) fn get(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let object = read::open(call)?;
    let info = object.info();
    let target = info
        .meta
        .symlink_target
        .as_ref()
        .filter(|_| info.kind == ObjectKind::Symlink);
    let target = target.ok_or_else(|| {
        ServiceError::new(400, "NotSymlink", "The object is not a symbolic link.").detail("Key", &info.key)
    })?;
    let values = Record::new()
        .with("target", target)
        .with("etag", quoted(&info.etag))
        .with("metadata", info.meta.user.clone())
        .with_some("version_id", call.shown_version(info)?);
    Ok(Answer::ok(call.modelled(values)))
}
