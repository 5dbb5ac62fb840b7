//! Carrying out the lifecycle rules of all buckets.

use std::time::SystemTime;

use serde::Serialize;

use super::super::worm;
use super::rules::{Rule, class_rank, expiry_of};
use super::rules_of;
use crate::error::ServiceError;
use crate::state::State;
use crate::store::{Guard, ListQuery, ObjectInfo, StoreError, VersionEntry, VersionInfo};
use crate::time;

/// Where it is kept when an object changed its class, as an HTTP date.
pub(crate) const TRANSITION_TIME: &str = "transition-time";

/// What carrying out the lifecycle rules did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LifecycleReport {
    /// Current objects that expired: removed, or hidden by a delete marker in a bucket with versions.
    pub expired: u64,
    /// Noncurrent versions that were removed.
    pub noncurrent_expired: u64,
    /// Delete markers that were removed because they hid nothing any more.
    pub markers_removed: u64,
    /// Objects and versions that moved to a colder storage class.
    pub transitioned: u64,
    /// Unfinished uploads that were given up.
    pub uploads_aborted: u64,
}

/// Carries out what is due.
pub(crate) async fn run(state: &State, now: SystemTime) -> Result<LifecycleReport, ServiceError> {
    let mut report = LifecycleReport::default();
    for bucket in state.store.list_buckets("", "", usize::MAX).buckets {
        let rules = rules_of(state, &bucket.name)?;
        if !rules.is_empty() {
            let pass = Pass {
                state,
                bucket: &bucket.name,
                rules,
                now,
            };
            pass.objects(&mut report).await?;
            pass.uploads(&mut report).await?;
        }
    }
    Ok(report)
}

struct Pass<'s> {
    state: &'s State,
    bucket: &'s str,
    rules: Vec<Rule>,
    now: SystemTime,
}

fn everything() -> ListQuery {
    ListQuery {
        max: usize::MAX,
        ..ListQuery::default()
    }
}

impl Pass<'_> {
    async fn objects(&self, report: &mut LifecycleReport) -> Result<(), ServiceError> {
        let entries = self.state.store.list_versions(self.bucket, &everything())?.entries;
        for versions in entries.chunk_by(|left, right| key_of(left) == key_of(right)) {
            let mut since = None;
            for (at, entry) in versions.iter().enumerate() {
                match (&entry.version, since) {
                    (VersionInfo::Object(object), None) => self.current(object, report).await?,
                    (VersionInfo::DeleteMarker { key, version_id, .. }, None) => {
                        let hides_nothing = at + 1 == versions.len();
                        let removes = |rule: &Rule| rule.removes_markers && rule.takes_key(key);
                        if hides_nothing && self.rules.iter().any(removes) {
                            let removed = self.remove(key, Some(version_id)).await?;
                            report.markers_removed += u64::from(removed);
                        }
                    }
                    (version, Some(since)) => self.noncurrent(version, since, report).await?,
                }
                // A version is noncurrent since the next newer one was written.
                since = Some(modified(entry));
            }
        }
        Ok(())
    }

    async fn current(&self, object: &ObjectInfo, report: &mut LifecycleReport) -> Result<(), ServiceError> {
        let store = &self.state.store;
        if expiry_of(&self.rules, object).is_none_or(|(due, _)| due > self.now) {
            return self.transition(object, None, report).await;
        }
        // Whatever was written since the listing has its own time.
        let is_same = store
            .object(self.bucket, &object.key, None)
            .is_ok_and(|found| **found.info() == *object);
        if is_same {
            report.expired += u64::from(self.remove(&object.key, None).await?);
        }
        Ok(())
    }

    async fn noncurrent(
        &self,
        version: &VersionInfo,
        since: SystemTime,
        report: &mut LifecycleReport,
    ) -> Result<(), ServiceError> {
        let is_due = |rule: &Rule| {
            let due = rule.noncurrent_expiration.and_then(|when| when.due(since));
            due.is_some_and(|due| due <= self.now)
        };
        let (key, id, expires) = match version {
            VersionInfo::Object(object) => {
                let expires = self.rules.iter().any(|rule| rule.takes(object) && is_due(rule));
                if !expires {
                    return self.transition(object, Some(since), report).await;
                }
                (&object.key, &object.version_id, true)
            }
            VersionInfo::DeleteMarker { key, version_id, .. } => {
                let expires = self.rules.iter().any(|rule| rule.takes_key(key) && is_due(rule));
                (key, version_id, expires)
            }
        };
        if expires {
            report.noncurrent_expired += u64::from(self.remove(key, Some(id)).await?);
        }
        Ok(())
    }

    async fn transition(
        &self,
        object: &ObjectInfo,
        since: Option<SystemTime>,
        report: &mut LifecycleReport,
    ) -> Result<(), ServiceError> {
        let classes = self
            .rules
            .iter()
            .filter(|rule| rule.takes(object))
            .filter_map(|rule| rule.class_at(object, since, self.now));
        let Some(class) = classes.max_by_key(|class| class_rank(class)).map(str::to_owned) else {
            return Ok(());
        };
        if class_rank(&class) <= class_rank(&object.meta.storage_class) {
            return Ok(());
        }
        let changed = time::http_date(self.now);
        let update = self
            .state
            .store
            .update_object(self.bucket, &object.key, Some(&object.version_id), move |meta| {
                meta.storage_class = class;
                meta.extra.insert(TRANSITION_TIME.to_owned(), changed);
            });
        if update.await.is_ok() {
            report.transitioned += 1;
        }
        Ok(())
    }

    async fn uploads(&self, report: &mut LifecycleReport) -> Result<(), ServiceError> {
        for upload in self.state.store.list_uploads(self.bucket, &everything())?.entries {
            let due = self
                .rules
                .iter()
                .filter_map(|rule| rule.aborts(&upload.key, upload.initiated))
                .min();
            if due.is_some_and(|due| due <= self.now) {
                // Somebody may have completed it meanwhile.
                let aborted = self
                    .state
                    .store
                    .abort_upload(self.bucket, &upload.key, &upload.upload_id);
                report.uploads_aborted += u64::from(aborted.await.is_ok());
            }
        }
        Ok(())
    }

    /// Deletes what no lock and no retention policy of the bucket keeps, and tells whether it did.
    async fn remove(&self, key: &str, version: Option<&str>) -> Result<bool, ServiceError> {
        let guard = Guard {
            bucket_retention: worm::retention(&self.state.store, self.bucket, self.now)?,
            ..Guard::default()
        };
        match self.state.store.delete_object(self.bucket, key, version, guard).await {
            Ok(_) => Ok(true),
            Err(StoreError::FileImmutable) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

fn key_of(entry: &VersionEntry) -> &str {
    match &entry.version {
        VersionInfo::Object(object) => &object.key,
        VersionInfo::DeleteMarker { key, .. } => key,
    }
}

fn modified(entry: &VersionEntry) -> SystemTime {
    match &entry.version {
        VersionInfo::Object(object) => object.last_modified,
        VersionInfo::DeleteMarker { last_modified, .. } => *last_modified,
    }
}
