//! Buckets, and the documents of buckets and of the account.

use std::collections::BTreeMap;
use std::io;
use std::ops::Bound;
use std::path::Path;
use std::sync::{Arc, PoisonError};

use super::commit::Scope;
use super::disk::Directory;
use super::index::{BucketIndex, Record};
use super::journal::Journal;
use super::types::{BucketInfo, BucketMeta, BucketPage, BucketStat};
use super::{Bucket, Inner, NewBucket, Result, Store, StoreError, run_blocking};

impl Store {
    /// Creates a bucket. The name is not checked.
    pub(crate) async fn create_bucket(&self, name: &str, meta: BucketMeta) -> Result<BucketInfo> {
        let new = NewBucket {
            meta,
            ..NewBucket::default()
        };
        // Without a limit there is always a bucket.
        let made = self.create_bucket_with(name, new).await?;
        made.ok_or(StoreError::NoSuchBucket)
    }

    /// Deletes an empty bucket with its documents.
    pub(crate) async fn delete_bucket(&self, name: &str) -> Result<()> {
        self.delete_bucket_if(name, |_| true).await
    }

    /// Deletes a bucket that has no objects and whose documents say that it is empty.
    pub(crate) async fn delete_bucket_if<F>(&self, name: &str, is_empty: F) -> Result<()>
    where
        F: FnOnce(&Documents) -> bool + Send + 'static,
    {
        let inner = Arc::clone(&self.inner);
        let name = name.to_owned();
        match self.inner.disk {
            None => inner.delete_bucket(&name, is_empty),
            Some(_) => run_blocking(move || inner.delete_bucket(&name, is_empty)).await,
        }
    }

    /// What is known about a bucket.
    pub(crate) fn bucket(&self, name: &str) -> Result<BucketInfo> {
        Ok(self.bucket_handle(name)?.read().info())
    }

    /// The bucket that a host name is bound to, compared without case.
    pub(crate) fn bucket_of_cname(&self, host: &str) -> Option<String> {
        self.inner
            .buckets()
            .iter()
            .find(|(_, bucket)| {
                let index = bucket.read();
                index.meta.cnames.keys().any(|name| name.eq_ignore_ascii_case(host))
            })
            .map(|(name, _)| name.clone())
    }

    /// Buckets by name: those that start with `prefix` and come after `marker`, at most `max`. Names with a colon, which belong
    /// to other services than that of objects, are seen only through a prefix with a colon.
    pub(crate) fn list_buckets(&self, prefix: &str, marker: &str, max: usize) -> BucketPage {
        let buckets = self.inner.buckets();
        let start = if marker.is_empty() || marker < prefix {
            Bound::Included(prefix)
        } else {
            Bound::Excluded(marker)
        };
        let mut matching = buckets
            .range::<str, _>((start, Bound::Unbounded))
            .take_while(|(name, _)| name.starts_with(prefix))
            .filter(|(name, _)| name.contains(':') == prefix.contains(':'));
        let page: Vec<_> = matching
            .by_ref()
            .take(max)
            .map(|(_, bucket)| bucket.read().info())
            .collect();
        let more = matching.next().is_some();
        BucketPage {
            next_marker: page.last().filter(|_| more).map(|last| last.name.clone()),
            buckets: page,
        }
    }

    /// Counts of objects, versions, uploads and bytes.
    pub(crate) fn bucket_stat(&self, name: &str) -> Result<BucketStat> {
        Ok(self.bucket_handle(name)?.read().stat.clone())
    }

    /// Changes what is kept about a bucket, atomically, and returns the outcome.
    pub(crate) async fn update_bucket<F>(&self, name: &str, change: F) -> Result<BucketInfo>
    where
        F: FnOnce(&mut BucketMeta) + Send + 'static,
    {
        let bucket = self.bucket_handle(name)?;
        self.commit(bucket, Scope::Bucket, move |index, _| {
            let mut info = index.info();
            change(&mut info.meta);
            let record = (info.meta != index.meta).then(|| Record::Meta {
                meta: info.meta.clone(),
            });
            Ok((record, info))
        })
        .await
    }
}

/// The documents of a bucket, by kind.
pub(crate) type Documents = BTreeMap<String, Arc<Vec<u8>>>;

/// The kind of a document and what it shall be, or nothing when it shall go.
pub(crate) type Change = (String, Option<Vec<u8>>);

/// Documents.
impl Store {
    /// A configuration document, by a kind of the handler's choice (`cors`, `policy`,
    /// `vector-index/a` ...).
    pub(crate) fn config(&self, bucket: &str, kind: &str) -> Result<Option<Arc<Vec<u8>>>> {
        Ok(document(&*self.bucket_handle(bucket)?, kind))
    }

    /// The documents whose kind starts with `prefix`, by kind in byte order.
    pub(crate) fn configs(&self, bucket: &str, prefix: &str) -> Result<Vec<(String, Arc<Vec<u8>>)>> {
        Ok(documents(&*self.bucket_handle(bucket)?, prefix))
    }

    /// Reads among all documents of a bucket.
    pub(crate) fn read_documents<T>(&self, bucket: &str, read: impl FnOnce(&Documents) -> T) -> Result<T> {
        let bucket = self.bucket_handle(bucket)?;
        let index = bucket.read();
        Ok(read(&index.configs))
    }

    /// Stores a document, replacing the one of this kind.
    pub(crate) async fn put_config(&self, bucket: &str, kind: &str, content: Vec<u8>) -> Result<()> {
        let bucket = self.bucket_handle(bucket)?;
        let record = Record::Config {
            kind: kind.to_owned(),
            document: Some(Arc::new(content)),
        };
        self.commit(bucket, Scope::Bucket, |_, _| Ok((Some(record), ()))).await
    }

    /// Removes a document; false when there was none.
    pub(crate) async fn delete_config(&self, bucket: &str, kind: &str) -> Result<bool> {
        let bucket = self.bucket_handle(bucket)?;
        let kind = kind.to_owned();
        self.commit(bucket, Scope::Bucket, |index, _| {
            let found = index.configs.contains_key(&kind);
            let record = Record::Config { kind, document: None };
            Ok((found.then_some(record), found))
        })
        .await
    }

    /// Reads, decides and writes a document atomically: `change` gets the stored document and
    /// returns the one to store (`None` removes it) with an answer, or refuses, and then nothing
    /// changes.
    pub(crate) async fn update_config<T, E, F>(&self, bucket: &str, kind: &str, change: F) -> Result<Result<T, E>>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnOnce(Option<&[u8]>) -> Result<(Option<Vec<u8>>, T), E> + Send + 'static,
    {
        let bucket = self.bucket_handle(bucket)?;
        self.update_document(bucket, kind, change).await
    }

    /// The documents whose kind starts with `prefix` and comes after `after`, by kind.
    pub(crate) fn configs_after(&self, bucket: &str, prefix: &str, after: &str) -> Result<Vec<(String, Arc<Vec<u8>>)>> {
        let bucket = self.bucket_handle(bucket)?;
        let index = bucket.read();
        let later = index
            .configs
            .range::<str, _>((Bound::Excluded(after.max(prefix)), Bound::Unbounded));
        Ok(later
            .take_while(|(kind, _)| kind.starts_with(prefix))
            .map(|(kind, document)| (kind.clone(), Arc::clone(document)))
            .collect())
    }

    /// Decides by all documents of a bucket about a change of one of them, atomically.
    pub(crate) async fn change_config<T, E, F>(&self, bucket: &str, change: F) -> Result<Result<T, E>>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnOnce(&Documents) -> Result<(Option<Change>, T), E> + Send + 'static,
    {
        let bucket = self.bucket_handle(bucket)?;
        self.commit(bucket, Scope::Bucket, move |index, _| {
            let (change, answer) = match change(&index.configs) {
                Ok(changed) => changed,
                Err(refusal) => return Ok((None, Err(refusal))),
            };
            let record = change.map(|(kind, document)| Record::Config {
                kind,
                document: document.map(Arc::new),
            });
            Ok((record, Ok(answer)))
        })
        .await
    }

    /// A document that belongs to the account and not to a bucket.
    pub(crate) fn account_config(&self, kind: &str) -> Option<Arc<Vec<u8>>> {
        document(&self.inner.account, kind)
    }

    /// The documents of the account whose kind starts with `prefix`, by kind.
    pub(crate) fn account_configs(&self, prefix: &str) -> Vec<(String, Arc<Vec<u8>>)> {
        documents(&self.inner.account, prefix)
    }

    /// Changes a document of the account: see [`Store::update_config`].
    pub(crate) async fn update_account_config<T, E, F>(&self, kind: &str, change: F) -> Result<Result<T, E>>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnOnce(Option<&[u8]>) -> Result<(Option<Vec<u8>>, T), E> + Send + 'static,
    {
        let account = Arc::clone(&self.inner.account);
        self.update_document(account, kind, change).await
    }

    async fn update_document<T, E, F>(&self, bucket: Arc<Bucket>, kind: &str, change: F) -> Result<Result<T, E>>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnOnce(Option<&[u8]>) -> Result<(Option<Vec<u8>>, T), E> + Send + 'static,
    {
        let kind = kind.to_owned();
        self.commit(bucket, Scope::Bucket, move |index, _| {
            let stored = index.configs.get(&kind).map(|bytes| bytes.as_slice());
            let (document, answer) = match change(stored) {
                Ok(changed) => changed,
                Err(refusal) => return Ok((None, Err(refusal))),
            };
            let record = (document.as_deref() != stored).then(|| Record::Config {
                kind,
                document: document.map(Arc::new),
            });
            Ok((record, Ok(answer)))
        })
        .await
    }
}

fn document(bucket: &Bucket, kind: &str) -> Option<Arc<Vec<u8>>> {
    bucket.read().configs.get(kind).cloned()
}

fn documents(bucket: &Bucket, prefix: &str) -> Vec<(String, Arc<Vec<u8>>)> {
    bucket
        .read()
        .configs
        .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
        .take_while(|(kind, _)| kind.starts_with(prefix))
        .map(|(kind, document)| (kind.clone(), Arc::clone(document)))
        .collect()
}

impl Inner {
    pub(super) fn create_bucket(&self, name: String, new: NewBucket) -> Result<Option<BucketInfo>> {
        let _naming = self.naming.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = self.buckets().get(&name) {
            let owner = bucket.read().meta.owner.clone();
            return Err(StoreError::BucketAlreadyExists { owner });
        }
        if let Some((prefix, most)) = new.limit {
            let buckets = self.buckets();
            let counted = buckets.range::<str, _>((Bound::Included(prefix.as_str()), Bound::Unbounded));
            if counted.take_while(|(name, _)| name.starts_with(&prefix)).count() >= most {
                return Ok(None);
            }
        }
        let mut index = BucketIndex::new(name.clone(), self.now(), new.meta);
        let documents = new
            .documents
            .into_iter()
            .map(|(kind, document)| (kind, Arc::new(document)));
        index.configs.extend(documents);
        let info = index.info();
        let journal = match &self.disk {
            None => None,
            Some(disk) => {
                let id = self.new_id();
                let temporary = disk.directory.temporary(&id);
                let home = disk.directory.bucket(&id);
                let created = Journal::create(home.clone(), &temporary, &index, disk.directory.durability());
                Some(created.inspect_err(|_| {
                    // A bucket that failed halfway must not come back at the next start.
                    for leftover in [home, temporary] {
                        drop(std::fs::remove_dir_all(leftover));
                    }
                })?)
            }
        };
        self.buckets
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name, Bucket::new(index, journal));
        Ok(Some(info))
    }

    fn delete_bucket(&self, name: &str, is_empty: impl FnOnce(&Documents) -> bool) -> Result<()> {
        let _naming = self.naming.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = self.buckets().get(name).cloned().ok_or(StoreError::NoSuchBucket)?;
        let journal = bucket.journal();
        {
            let index = bucket.read();
            if !index.keys.is_empty() || !index.uploads.is_empty() || !is_empty(&index.configs) {
                return Err(StoreError::BucketNotEmpty);
            }
        }
        let grave = match (&self.disk, journal.as_ref()) {
            (Some(disk), Some(journal)) => {
                let grave = disk.directory.temporary(&self.new_id());
                bury(&disk.directory, journal.home(), &grave)?;
                Some(grave)
            }
            _ => None,
        };
        bucket.index.write().unwrap_or_else(PoisonError::into_inner).deleted = true;
        self.buckets
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(name);
        // What stays of the journal is cleared away at the next start.
        if let Some(grave) = grave
            && let Err(error) = std::fs::remove_dir_all(&grave)
        {
            tracing::warn!(%error, "a deleted bucket's journal could not be removed");
        }
        Ok(())
    }
}

/// Moves the journal of a bucket to where no start looks for one, durably or not at all: nobody may be told that a bucket is
/// gone which a loss of power brings back.
fn bury(directory: &Directory, home: &Path, grave: &Path) -> io::Result<()> {
    std::fs::rename(home, grave)?;
    directory.sync_move(home, grave).inspect_err(|_| {
        if let Err(error) = std::fs::rename(grave, home) {
            tracing::error!(%error, "a bucket that could not be deleted could not be put back");
        }
    })
}
