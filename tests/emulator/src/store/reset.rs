//! Forgetting everything, for stores that live in memory.

use std::sync::PoisonError;

use super::Store;
use super::index::BucketIndex;
use super::types::BucketMeta;

impl Store {
    /// Forgets all buckets and the documents of the account, and says how many buckets there were; `None`, without doing
    /// anything, when the store is kept on disk. Writes that were on their way find their bucket gone.
    pub(crate) fn forget_all(&self) -> Option<usize> {
        if self.inner.disk.is_some() {
            return None;
        }
        let _naming = self.inner.naming.lock().unwrap_or_else(PoisonError::into_inner);
        let buckets = std::mem::take(&mut *self.inner.buckets.write().unwrap_or_else(PoisonError::into_inner));
        for bucket in buckets.values() {
            let _journal = bucket.journal();
            bucket.index.write().unwrap_or_else(PoisonError::into_inner).deleted = true;
        }
        let empty = BucketIndex::new(String::new(), self.inner.clock.now(), BucketMeta::default());
        let account = &self.inner.account;
        let _journal = account.journal();
        *account.index.write().unwrap_or_else(PoisonError::into_inner) = empty;
        Some(buckets.len())
    }
}
