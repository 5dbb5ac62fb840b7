//! Documents that the emulator keeps in a form of its own, as JSON: things with a state, and members of collections.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::ServiceError;
use crate::operations::Call;
use crate::store::{Draft, Store};

/// Reads a stored document.
pub(super) fn read<T: DeserializeOwned>(document: &[u8]) -> Result<T, ServiceError> {
    serde_json::from_slice(document)
        .map_err(|error| ServiceError::internal(format!("A stored document cannot be read: {error}.")))
}

/// Writes a document to store.
pub(super) fn write<T: Serialize>(item: &T) -> Result<Vec<u8>, ServiceError> {
    serde_json::to_vec(item).map_err(|error| ServiceError::internal(format!("A document cannot be written: {error}.")))
}

/// A document of a bucket, if there is one.
pub(super) fn find<T: DeserializeOwned>(store: &Store, bucket: &str, kind: &str) -> Result<Option<T>, ServiceError> {
    store.config(bucket, kind)?.map(|document| read(&document)).transpose()
}

/// All documents whose kind begins with a prefix, by what follows it.
pub(super) fn all<T: DeserializeOwned>(
    store: &Store,
    bucket: &str,
    prefix: &str,
) -> Result<Vec<(String, T)>, ServiceError> {
    let documents = store.configs(bucket, prefix)?;
    let named = documents.into_iter().map(|(kind, document)| {
        let name = kind.strip_prefix(prefix).unwrap_or(&kind).to_owned();
        Ok((name, read(&document)?))
    });
    named.collect()
}

/// The same among the documents of a bucket that is being changed.
pub(super) fn among<T: DeserializeOwned>(draft: &Draft<'_>, prefix: &str) -> Result<Vec<(String, T)>, ServiceError> {
    let named = draft.named(prefix);
    named
        .map(|(name, document)| Ok((name.to_owned(), read(document)?)))
        .collect()
}

/// Changes what is kept about the call's bucket, atomically.
pub(super) async fn change_bucket<A, F>(call: &Call<'_>, change: F) -> Result<A, ServiceError>
where
    A: Send + 'static,
    F: FnOnce(&mut Draft<'_>) -> Result<A, ServiceError> + Send + 'static,
{
    call.store().change_bucket(call.bucket()?, change).await?
}

/// Changes a document of the call's bucket, atomically.
pub(super) async fn change<T, A, F>(call: &Call<'_>, kind: &str, change: F) -> Result<A, ServiceError>
where
    T: Serialize + DeserializeOwned,
    A: Send + 'static,
    F: FnOnce(Option<T>) -> Result<(Option<T>, A), ServiceError> + Send + 'static,
{
    let outcome = call.store().update_config(call.bucket()?, kind, |stored| {
        let (next, answer) = change(stored.map(read).transpose()?)?;
        Ok((next.map(|item| write(&item)).transpose()?, answer))
    });
    outcome.await?
}

/// One page of items that have a name, after a token that is the last name of the page before.
pub(super) struct Page<T> {
    pub(super) items: Vec<(String, T)>,
    /// The token of the next page.
    pub(super) next: Option<String>,
}

/// Cuts a page out of items sorted by name.
pub(super) fn page<T>(mut items: Vec<(String, T)>, after: Option<&str>, most: usize) -> Page<T> {
    if let Some(after) = after.filter(|token| !token.is_empty()) {
        items.retain(|(name, _)| name.as_str() > after);
    }
    let more = items.len() > most;
    items.truncate(most);
    let next = items.last().filter(|_| more).map(|(name, _)| name.clone());
    Page { items, next }
}
