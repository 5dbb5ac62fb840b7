//! The storage engine: buckets, objects, versions, multipart uploads and configuration documents.
//!
//! One index in memory, an ordered map per bucket, serves both backends. They differ in where
//! content lives (chunks in memory, or one file per blob) and in whether changes of the index are
//! written to a journal before they take effect. Content is immutable once staged: an overwrite
//! or a deletion changes the index only, and a blob goes away with its last user, so readers never
//! see another object's bytes and copies cost nothing.
//!
//! A write has two steps. A handler streams a body into an [`ObjectWriter`] and gets a [`Staged`]
//! content with its size and checksums, which it can still refuse; then one call publishes it
//! atomically. No lock is held while bytes flow.
//!
//! Reads of the index are plain functions, they only look into memory. Writes are `async` because
//! they may wait for the disk; a write whose future is dropped either happens or does not.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::SystemTime;

use bytes::Bytes;

mod blob;
mod buckets;
mod buffers;
mod clock;
mod commit;
mod crc;
mod disk;
mod draft;
mod error;
mod id;
mod index;
mod journal;
mod list;
mod objects;
mod protection;
mod reset;
#[cfg(test)]
mod tests;
mod time;
mod types;
mod uploads;
mod writer;

pub(crate) use blob::ContentStream;
pub(crate) use buckets::Documents;
pub(crate) use clock::Clock;
pub(crate) use disk::Durability;
pub(crate) use draft::{Draft, NewBucket};
pub use error::StoreError;
pub(crate) use objects::{Object, Onto};
pub(crate) use protection::{Guard, ObjectLock, Retention, RetentionMode, Rules, Terms};
pub(crate) use types::*;
pub(crate) use uploads::SEQUENTIAL;
pub(crate) use writer::{ObjectWriter, Staged};

use blob::Pool;
use commit::{Queue, Scope};
use disk::{Directory, DirectoryLock};
use id::Ids;
use index::{BucketIndex, Garbage, Record};
use journal::Journal;

/// Buckets by name.
type Buckets = BTreeMap<String, Arc<Bucket>>;

type Result<T, E = StoreError> = std::result::Result<T, E>;

/// Everything the server stores. Cloning is cheap and shares the store.
#[derive(Clone)]
pub(crate) struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Arc<dyn Clock>,
    ids: Ids,
    disk: Option<Disk>,
    /// Documents of the account, kept like those of a bucket.
    account: Arc<Bucket>,
    buckets: RwLock<Buckets>,
    /// Held while a bucket is created or deleted.
    naming: Mutex<()>,
}

struct Disk {
    directory: Arc<Directory>,
    _lock: DirectoryLock,
}

/// A bucket. Whoever changes it holds `journal` from the decision to the change; `index` is locked
/// for writing only while memory is changed, so readers never wait for the disk.
struct Bucket {
    queue: Queue,
    journal: Mutex<Option<Journal>>,
    index: RwLock<BucketIndex>,
}

impl Bucket {
    fn new(index: BucketIndex, journal: Option<Journal>) -> Arc<Self> {
        Arc::new(Self {
            queue: Queue::default(),
            journal: Mutex::new(journal),
            index: RwLock::new(index),
        })
    }

    fn read(&self) -> RwLockReadGuard<'_, BucketIndex> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn journal(&self) -> MutexGuard<'_, Option<Journal>> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn apply(&self, record: Record) -> Result<Garbage> {
        self.index.write().unwrap_or_else(PoisonError::into_inner).apply(record)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(disk) = &self.disk {
            disk.directory.close();
        }
    }
}

/// Opening, and what is not in a bucket.
impl Store {
    /// A store that lives and dies with the process.
    pub(crate) fn in_memory(clock: Arc<dyn Clock>) -> Self {
        let account = BucketIndex::new(String::new(), clock.now(), BucketMeta::default());
        Self {
            inner: Arc::new(Inner {
                clock,
                ids: Ids::default(),
                disk: None,
                account: Bucket::new(account, None),
                buckets: RwLock::default(),
                naming: Mutex::default(),
            }),
        }
    }

    /// A store in a directory, which is created when missing. While one process has it open, another
    /// gets `Locked`.
    ///
    /// The whole index is read into memory; leftovers of a crash are removed. Confirmed writes
    /// survive a loss of power.
    pub(crate) async fn open(directory: impl AsRef<Path>, clock: Arc<dyn Clock>) -> Result<Self> {
        Self::open_with(directory, clock, Durability::PowerLoss).await
    }

    /// Like [`Store::open`], with a choice of what confirmed writes survive.
    pub(crate) async fn open_with(
        directory: impl AsRef<Path>,
        clock: Arc<dyn Clock>,
        durability: Durability,
    ) -> Result<Self> {
        let directory = directory.as_ref().to_owned();
        run_blocking(move || Inner::open(&directory, clock, durability))
            .await
            .map(|inner| Self { inner: Arc::new(inner) })
    }

    /// The store's time, in whole milliseconds.
    #[cfg_attr(not(test), expect(dead_code, reason = "for small contents that no operation has"))]
    pub(crate) fn now(&self) -> SystemTime {
        self.inner.now()
    }

    /// Starts taking in content, for an object, an append or a part of any bucket.
    pub(crate) fn writer(&self) -> ObjectWriter {
        let disk = self.inner.disk.as_ref();
        ObjectWriter::new(
            self.inner.ids.next(self.inner.clock.now()),
            disk.map(|disk| Arc::clone(&disk.directory)),
        )
    }

    /// Content from bytes at hand, for small things.
    pub(crate) async fn stage(&self, content: impl Into<Bytes>) -> Result<Staged> {
        let mut writer = self.writer();
        writer.write(content.into()).await?;
        writer.finish().await
    }

    fn bucket_handle(&self, name: &str) -> Result<Arc<Bucket>> {
        self.inner.buckets().get(name).cloned().ok_or(StoreError::NoSuchBucket)
    }

    /// Decides on a change within its scope and makes it. `plan` sees the index as it is when the change happens; it
    /// returns the record to apply, if any, and the answer. Nothing changes when it fails.
    async fn commit<T, F>(&self, bucket: Arc<Bucket>, scope: Scope, plan: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&BucketIndex, &Inner) -> Result<(Option<Record>, T)> + Send + 'static,
    {
        match self.inner.disk {
            None => self.inner.commit(&bucket, plan),
            Some(_) => Queue::commit(&self.inner, bucket, scope, plan).await,
        }
    }
}

impl Inner {
    fn open(directory: &Path, clock: Arc<dyn Clock>, durability: Durability) -> Result<Self> {
        let ids = Ids::default();
        let (directory, lock) = Directory::open(directory, durability)?;
        let mut pool = Pool::new(Arc::clone(&directory));
        let opened = Self::load(&directory, &ids, clock.as_ref(), &mut pool)
            .and_then(|loaded| Ok((loaded, directory.sweep(&pool.ids())?)));
        let ((account, buckets), ()) = opened.inspect_err(|_| {
            // Blobs that were loaded before the failure must keep their files.
            directory.close();
        })?;
        Ok(Self {
            clock,
            ids,
            disk: Some(Disk { directory, _lock: lock }),
            account,
            buckets: RwLock::new(buckets),
            naming: Mutex::default(),
        })
    }

    fn load(directory: &Directory, ids: &Ids, clock: &dyn Clock, pool: &mut Pool) -> Result<(Arc<Bucket>, Buckets)> {
        let home = directory.account();
        let account = if home.exists() {
            let (journal, index) = Journal::open(home, directory.durability())?;
            Bucket::new(index, Some(journal))
        } else {
            let index = BucketIndex::new(String::new(), clock.now(), BucketMeta::default());
            let temporary = directory.temporary(&ids.next(clock.now()));
            let journal = Journal::create(home, &temporary, &index, directory.durability())?;
            Bucket::new(index, Some(journal))
        };
        let mut buckets = Buckets::new();
        for home in directory.buckets()? {
            let (journal, mut index) = Journal::open(home, directory.durability())?;
            index.resolve(pool);
            let name = index.name.clone();
            let bucket = Bucket::new(index, Some(journal));
            if buckets.insert(name.clone(), bucket).is_some() {
                return Err(StoreError::Corrupt(format!("two buckets named `{name}`")));
            }
        }
        Ok((account, buckets))
    }

    fn now(&self) -> SystemTime {
        time::from_millis(time::millis(self.clock.now()))
    }

    fn new_id(&self) -> String {
        self.ids.next(self.clock.now())
    }

    fn buckets(&self) -> RwLockReadGuard<'_, Buckets> {
        self.buckets.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a change by itself, at once in memory and after waiting for the disk in a directory.
    fn commit<T, F>(&self, bucket: &Bucket, plan: F) -> Result<T>
    where
        F: FnOnce(&BucketIndex, &Self) -> Result<(Option<Record>, T)>,
    {
        let mut journal = bucket.journal();
        let (record, answer) = {
            let index = bucket.read();
            if index.deleted {
                return Err(StoreError::NoSuchBucket);
            }
            plan(&index, self)?
        };
        let Some(record) = record else {
            return Ok(answer);
        };
        let record = match journal.as_mut() {
            Some(journal) => journal.append(record)?,
            None => record,
        };
        let garbage = bucket.apply(record)?;
        self.rewrite_if_long(&mut journal, bucket);
        drop(journal);
        drop(garbage);
        Ok(answer)
    }

    fn rewrite_if_long(&self, journal: &mut Option<Journal>, bucket: &Bucket) {
        let (Some(journal), Some(disk)) = (journal, &self.disk) else {
            return;
        };
        if !journal.wants_rewrite() {
            return;
        }
        let temporary = disk.directory.temporary(&self.new_id());
        // The change itself is durable; a journal that stays long is no reason to fail it.
        if let Err(error) = journal.rewrite(&temporary, &bucket.read()) {
            tracing::warn!(%error, "a journal could not be shortened");
        }
    }
}

/// Runs work that waits for the disk where it may.
async fn run_blocking<T, F>(work: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => Err(StoreError::Io(io::Error::other(error))),
    }
}
