//! Changes of a bucket that are decided by all that is kept about it, and happen together or not at all.

use std::sync::{Arc, PoisonError};

use super::buckets::{Change, Documents};
use super::commit::Scope;
use super::index::{BucketIndex, Record};
use super::types::{BucketInfo, BucketMeta};
use super::{Result, Store, StoreError, run_blocking};

/// What is kept about a bucket at the moment of a change, and what shall become of it.
pub(crate) struct Draft<'d> {
    /// What shall be kept about the bucket.
    pub(crate) meta: BucketMeta,
    /// The documents as they are.
    pub(crate) documents: &'d Documents,
    changes: Vec<Change>,
}

impl<'d> Draft<'d> {
    fn of(index: &'d BucketIndex) -> Self {
        Self {
            meta: index.meta.clone(),
            documents: &index.configs,
            changes: Vec::new(),
        }
    }

    /// A document as it is.
    pub(crate) fn document(&self, kind: &str) -> Option<&'d [u8]> {
        self.documents.get(kind).map(|document| document.as_slice())
    }

    /// The documents whose kind starts with `prefix`, by what follows it.
    pub(crate) fn named<'p>(&self, prefix: &'p str) -> impl Iterator<Item = (&'d str, &'d [u8])> + use<'d, 'p> {
        self.documents
            .range(prefix.to_owned()..)
            .map_while(move |(kind, document)| Some((kind.strip_prefix(prefix)?, document.as_slice())))
    }

    /// Stores a document, replacing the one of this kind.
    pub(crate) fn put(&mut self, kind: impl Into<String>, document: Vec<u8>) {
        self.changes.push((kind.into(), Some(document)));
    }

    /// Removes a document, if there is one of this kind.
    pub(crate) fn remove(&mut self, kind: &str) {
        if self.documents.contains_key(kind) {
            self.changes.push((kind.to_owned(), None));
        }
    }

    /// The one record of all changes.
    fn record(self, index: &BucketIndex) -> Option<Record> {
        let meta = (self.meta != index.meta).then_some(Record::Meta { meta: self.meta });
        let documents = self.changes.into_iter().map(|(kind, document)| Record::Config {
            kind,
            document: document.map(Arc::new),
        });
        Record::together(meta.into_iter().chain(documents).collect())
    }
}

impl Store {
    /// Decides by all that is kept about a bucket about changes of it, atomically. When `change` refuses, nothing changes.
    pub(crate) async fn change_bucket<T, E, F>(&self, bucket: &str, change: F) -> Result<Result<T, E>>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnOnce(&mut Draft<'_>) -> Result<T, E> + Send + 'static,
    {
        let bucket = self.bucket_handle(bucket)?;
        self.commit(bucket, Scope::Bucket, move |index, _| Ok(planned(index, change)))
            .await
    }

    /// The same for a change by which a bucket gets a host name: `change` is told of the other bucket that has it, and no two
    /// such changes happen at the same time.
    pub(crate) async fn claim_host<T, E, F>(&self, bucket: &str, host: &str, change: F) -> Result<Result<T, E>>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnOnce(&mut Draft<'_>, Option<BucketInfo>) -> Result<T, E> + Send + 'static,
    {
        let (store, bucket, host) = (self.clone(), bucket.to_owned(), host.to_owned());
        let work = move || {
            let _naming = store.inner.naming.lock().unwrap_or_else(PoisonError::into_inner);
            let other = store.bucket_of_cname(&host).filter(|other| *other != bucket);
            let other = other.and_then(|other| store.bucket(&other).ok());
            let handle = store.bucket_handle(&bucket)?;
            let claim = |draft: &mut Draft<'_>| change(draft, other);
            store.inner.commit(&handle, |index, _| Ok(planned(index, claim)))
        };
        match self.inner.disk {
            None => work(),
            Some(_) => run_blocking(work).await,
        }
    }
}

fn planned<T, E>(
    index: &BucketIndex,
    change: impl FnOnce(&mut Draft<'_>) -> Result<T, E>,
) -> (Option<Record>, Result<T, E>) {
    let mut draft = Draft::of(index);
    match change(&mut draft) {
        Ok(answer) => (draft.record(index), Ok(answer)),
        Err(refusal) => (None, Err(refusal)),
    }
}

/// A bucket to be, with all that it shall have from the start.
#[derive(Default)]
pub(crate) struct NewBucket {
    pub(crate) meta: BucketMeta,
    pub(crate) documents: Vec<(String, Vec<u8>)>,
    /// Beginning of the names of buckets that are counted, and how many there may be at most.
    pub(crate) limit: Option<(String, usize)>,
}

impl Store {
    /// Creates a bucket with its documents in one step. The name is not checked. Nothing when there are as many as there may be.
    pub(crate) async fn create_bucket_with(
        &self,
        name: &str,
        new: NewBucket,
    ) -> Result<Option<BucketInfo>, StoreError> {
        let inner = Arc::clone(&self.inner);
        let name = name.to_owned();
        match self.inner.disk {
            None => inner.create_bucket(name, new),
            Some(_) => run_blocking(move || inner.create_bucket(name, new)).await,
        }
    }
}
