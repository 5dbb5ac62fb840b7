//! The vectors of an index in memory, kept up with what the store has, and the batches behind them kept few.
//!
//! Nothing has to be invalidated when vectors are written: a reader applies the batches that came after those it has seen.
//! Compaction changes batches without changing what they say together, so a crash between its steps is harmless: entries that
//! a later batch replaces go first, and what marks a deletion goes only when no earlier batch has its key any more.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::batch::{self, Entry, Slot, Stored};
use super::indexes::{self, Index};
use crate::error::ServiceError;
use crate::store::{Documents, Store};

/// A batch below this size is small, and as many small ones at the end become one.
const SMALL: usize = 256 * 1024;
const MANY: usize = 32;
/// Entries without use that are worth a rewriting, beyond as many as are of use.
const SLACK: usize = 1000;

/// The indexes that were read since the start, by id.
#[derive(Default, Clone)]
pub(crate) struct Indexes(Arc<Mutex<HashMap<String, Arc<Shared>>>>);

#[derive(Default)]
struct Shared {
    loaded: RwLock<Loaded>,
    /// Held while the batches are compacted.
    compaction: tokio::sync::Mutex<()>,
}

/// The vectors of an index.
#[derive(Default)]
pub(super) struct Loaded {
    /// The kind of the last batch that was applied.
    applied: String,
    pub(super) vectors: BTreeMap<String, Slot>,
}

impl Loaded {
    fn apply(&mut self, entries: Vec<Stored>) {
        for Stored { key, vector } in entries {
            match vector {
                Some(slot) => drop(self.vectors.insert(key, slot)),
                None => drop(self.vectors.remove(&key)),
            }
        }
    }
}

impl Indexes {
    fn shared(&self, id: &str) -> Arc<Shared> {
        let mut indexes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(indexes.entry(id.to_owned()).or_default())
    }

    /// Lets go of an index that was deleted or whose batches changed.
    pub(super) fn forget(&self, id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    /// Reads an index as it is now. Runs where it may take its time.
    pub(super) async fn read<T, F>(
        &self,
        store: &Store,
        container: &str,
        index: &Index,
        read: F,
    ) -> Result<T, ServiceError>
    where
        T: Send + 'static,
        F: FnOnce(&Loaded) -> T + Send + 'static,
    {
        let (store, container, shared) = (store.clone(), container.to_owned(), self.shared(&index.id));
        let prefix = prefix(&index.id);
        let work = move || {
            refresh(&store, &container, &prefix, &shared)?;
            Ok(read(&shared.loaded.read().unwrap_or_else(PoisonError::into_inner)))
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|error| ServiceError::internal(format!("A search broke off: {error}.")))?
    }

    /// Adds a batch to an index, if it is still there.
    pub(super) async fn write(
        &self,
        store: &Store,
        container: &str,
        index: &Index,
        entries: &[Entry],
    ) -> Result<(), ServiceError> {
        let document = batch::write(index.dimension, entries)?;
        let (id, prefix) = (index.id.clone(), prefix(&index.id));
        let add = move |documents: &Documents| {
            if !indexes::ids(documents).contains(&id) {
                return Err(indexes::no_such_index());
            }
            let number = last(documents, &prefix).map_or(1, |number| number + 1);
            Ok((Some((format!("{prefix}{number:020}"), Some(document))), number))
        };
        let number = store.change_config(container, add).await??;
        if number % MANY as u64 == 0 {
            // On a task of its own, so that a caller that goes away does not leave the lock to the next one halfway.
            let (indexes, store, container, index) = (self.clone(), store.clone(), container.to_owned(), index.clone());
            let _ = tokio::spawn(async move { indexes.compact(&store, &container, &index).await }).await;
        }
        Ok(())
    }

    /// Makes the batches of an index fewer and smaller where that pays.
    async fn compact(&self, store: &Store, container: &str, index: &Index) {
        let shared = self.shared(&index.id);
        let Ok(_guard) = shared.compaction.try_lock() else {
            return;
        };
        let outcome = compact(store, container, index, &shared).await;
        // Also when it broke off: what was replaced until then is no longer what readers have seen.
        if !matches!(outcome, Ok(false)) {
            self.forget(&index.id);
        }
        if let Err(error) = outcome {
            tracing::warn!(error = error.message, "an index could not be compacted");
        }
    }
}

/// Removes batches whose index is gone.
pub(super) async fn sweep(store: &Store, container: &str) {
    let (store, container) = (store.clone(), container.to_owned());
    let work = async move {
        loop {
            let remove = |documents: &Documents| {
                let ids = indexes::ids(documents);
                let is_orphan = |kind: &&String| {
                    kind.strip_prefix("vectors/")
                        .and_then(|rest| rest.split_once('/'))
                        .is_some_and(|(id, _)| !ids.iter().any(|known| known == id))
                };
                let orphan = documents.keys().find(is_orphan).cloned();
                let found = orphan.is_some();
                Ok::<_, ServiceError>((orphan.map(|kind| (kind, None)), found))
            };
            match store.change_config(&container, remove).await {
                Ok(Ok(true)) => {}
                _ => return,
            }
        }
    };
    // The index is gone already; its batches go even when the caller does not wait.
    let _ = tokio::spawn(work).await;
}

fn prefix(id: &str) -> String {
    format!("vectors/{id}/")
}

/// The number of the last batch.
fn last(documents: &Documents, prefix: &str) -> Option<u64> {
    let end = format!("{prefix}~");
    let (kind, _) = documents.range(prefix.to_owned()..end).next_back()?;
    kind.strip_prefix(prefix)?.parse().ok()
}

fn refresh(store: &Store, container: &str, prefix: &str, shared: &Shared) -> Result<(), ServiceError> {
    let applied = shared
        .loaded
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .applied
        .clone();
    if store.configs_after(container, prefix, &applied)?.is_empty() {
        return Ok(());
    }
    let mut loaded = shared.loaded.write().unwrap_or_else(PoisonError::into_inner);
    for (kind, document) in store.configs_after(container, prefix, &loaded.applied)? {
        let entries = batch::read(&document)?;
        loaded.apply(entries);
        loaded.applied = kind;
    }
    Ok(())
}

/// What becomes of batches: their kinds with their new documents, or nothing when they go.
type Replacements = Vec<(String, Option<Vec<u8>>)>;

/// Whether anything was changed.
async fn compact(store: &Store, container: &str, index: &Index, shared: &Arc<Shared>) -> Result<bool, ServiceError> {
    let mut changed = false;
    for plan in [merge, strip] {
        let (reader, name, index, shared) = (store.clone(), container.to_owned(), index.clone(), Arc::clone(shared));
        let prefix = prefix(&index.id);
        // Reading and writing millions of numbers is no work for the threads that answer others.
        let planned = tokio::task::spawn_blocking(move || {
            let batches = reader.configs(&name, &prefix)?;
            let replacements = plan(index.dimension, &batches)?;
            if !replacements.is_empty() {
                // Whoever reads on from an earlier batch must have seen what now goes.
                refresh(&reader, &name, &prefix, &shared)?;
            }
            Ok::<_, ServiceError>(replacements)
        });
        let replacements = planned
            .await
            .map_err(|error| ServiceError::internal(format!("A compaction broke off: {error}.")))??;
        changed |= !replacements.is_empty();
        for (kind, document) in replacements {
            replace(store, container, &kind, document).await?;
        }
    }
    Ok(changed)
}

type Batches = [(String, Arc<Vec<u8>>)];

/// Makes one batch of the small ones at the end, when they are many: the last one gets all that they say together.
fn merge(dimension: usize, batches: &Batches) -> Result<Replacements, ServiceError> {
    let small = batches
        .iter()
        .rev()
        .take_while(|(_, document)| document.len() < SMALL)
        .count();
    let merged = batches.get(batches.len() - small..).unwrap_or_default();
    let Some(((last, _), earlier)) = merged.split_last().filter(|_| small >= MANY) else {
        return Ok(Replacements::new());
    };
    let mut entries = BTreeMap::new();
    for (_, document) in merged {
        for stored in batch::read(document)? {
            entries.insert(stored.key.clone(), stored.to_entry());
        }
    }
    let entries: Vec<Entry> = entries.into_values().collect();
    let whole = (last.clone(), Some(batch::write(dimension, &entries)?));
    Ok(std::iter::once(whole)
        .chain(earlier.iter().map(|(kind, _)| (kind.clone(), None)))
        .collect())
}

/// Removes entries that later batches replaced or deleted, when there are many.
fn strip(dimension: usize, batches: &Batches) -> Result<Replacements, ServiceError> {
    let mut latest: HashMap<String, (usize, bool)> = HashMap::new();
    let mut all = 0;
    for (at, (_, document)) in batches.iter().enumerate() {
        for stored in batch::read(document)? {
            all += 1;
            latest.insert(stored.key, (at, stored.vector.is_some()));
        }
    }
    let used = latest.values().filter(|(_, is_vector)| *is_vector).count();
    let mut replacements = Replacements::new();
    if all - used <= used + SLACK {
        return Ok(replacements);
    }
    for (at, (kind, document)) in batches.iter().enumerate() {
        let stored = batch::read(document)?;
        let kept: Vec<Entry> = stored
            .iter()
            .filter(|stored| latest.get(&stored.key) == Some(&(at, true)))
            .map(Stored::to_entry)
            .collect();
        if kept.len() == stored.len() {
            continue;
        }
        // The last batch stays, even empty: its number says what readers have seen.
        let document = if kept.is_empty() && at + 1 < batches.len() {
            None
        } else {
            Some(batch::write(dimension, &kept)?)
        };
        replacements.push((kind.clone(), document));
    }
    Ok(replacements)
}

/// Changes a batch that is still there; that of a deleted index must not come back.
async fn replace(store: &Store, container: &str, kind: &str, document: Option<Vec<u8>>) -> Result<(), ServiceError> {
    let kind = kind.to_owned();
    let change = move |documents: &Documents| {
        let change = documents.contains_key(&kind).then_some((kind, document));
        Ok::<_, ServiceError>((change, ()))
    };
    store.change_config(container, change).await?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::BucketMeta;

    fn entry(key: &str, vector: Option<f32>) -> Entry {
        Entry {
            key: key.to_owned(),
            vector: vector.map(|number| (vec![number], batch::Metadata::new())),
        }
    }

    #[tokio::test]
    async fn who_reads_on_during_a_compaction_sees_no_deleted_vector() {
        let store = Store::in_memory(Arc::new(|| std::time::UNIX_EPOCH));
        store.create_bucket("vectors", BucketMeta::default()).await.unwrap();
        let index: Index = serde_json::from_value(serde_json::json!({
            "id": "i", "created": 0, "dimension": 1, "metric": "euclidean", "non_filterable": []
        }))
        .unwrap();
        let put = async |number: usize, entries: Vec<Entry>| {
            let document = batch::write(1, &entries).unwrap();
            let kind = format!("vectors/i/{number:020}");
            store.put_config("vectors", &kind, document).await.unwrap();
        };
        let many = |vector: Option<f32>| (0..1100).map(|at| entry(&format!("k{at}"), vector)).collect::<Vec<_>>();
        let shared = Arc::new(Shared::default());
        put(1, vec![entry("gone", Some(1.0)), entry("kept", Some(2.0))]).await;
        refresh(&store, "vectors", "vectors/i/", &shared).unwrap();
        put(2, vec![entry("gone", None)]).await;
        put(3, many(Some(0.5))).await;
        put(4, many(None)).await;
        assert!(compact(&store, "vectors", &index, &shared).await.unwrap());
        // The state of a reader that came before, and of one that comes now.
        refresh(&store, "vectors", "vectors/i/", &shared).unwrap();
        let fresh = Shared::default();
        refresh(&store, "vectors", "vectors/i/", &fresh).unwrap();
        for state in [&*shared, &fresh] {
            let keys: Vec<String> = state.loaded.read().unwrap().vectors.keys().cloned().collect();
            assert_eq!(keys, ["kept"]);
        }
    }
}
