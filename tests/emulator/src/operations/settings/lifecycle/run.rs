//! Carrying out the lifecycle rules of all buckets.

use std::sync::Arc;
use std::time::SystemTime;

use serde::Serialize;

use super::rules::{Rule, class_rank, expiry_of};
use super::rules_of;
use crate::error::ServiceError;
use crate::operations::retention::guard_of_service;
use crate::state::State;
use crate::store::{ListQuery, ObjectInfo, StoreError, VersionEntry, VersionInfo};
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
    /// Buckets whose rules could not be carried out to the end; the log says why.
    pub failed_buckets: u64,
}

/// Carries out what is due. What fails in one bucket keeps no other from its turn.
pub(crate) async fn run(state: &State, now: SystemTime) -> Result<LifecycleReport, ServiceError> {
    let mut report = LifecycleReport::default();
    for bucket in state.store.list_buckets("", "", usize::MAX).buckets {
        if let Err(error) = run_in(state, &bucket.name, now, &mut report).await {
            // Deleting a bucket meanwhile is no failure.
            if error.code != "NoSuchBucket" {
                tracing::error!(bucket = %bucket.name, code = %error.code, message = %error.message, "lifecycle rules failed");
                report.failed_buckets += 1;
            }
        }
    }
    Ok(report)
}

async fn run_in(
    state: &State,
    bucket: &str,
    now: SystemTime,
    report: &mut LifecycleReport,
) -> Result<(), ServiceError> {
    let rules = rules_of(state, bucket)?;
    if rules.is_empty() {
        return Ok(());
    }
    let pass = Pass {
        state,
        bucket,
        rules: Arc::from(rules),
        now,
    };
    pass.objects(report).await?;
    pass.uploads(report).await
}

struct Pass<'s> {
    state: &'s State,
    bucket: &'s str,
    rules: Arc<[Rule]>,
    now: SystemTime,
}

fn everything() -> ListQuery {
    ListQuery {
        max: usize::MAX,
        ..ListQuery::default()
    }
}

/// What rules have in store for a version.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Due {
    Expire,
    ExpireNoncurrent,
    RemoveMarker,
    Move(String),
}

/// What is due for one of the versions of a key, which come newest first.
fn due(rules: &[Rule], versions: &[VersionEntry], at: usize, now: SystemTime) -> Option<Due> {
    // A version is noncurrent since the next newer one was written.
    let since = at.checked_sub(1).and_then(|newer| versions.get(newer)).map(modified);
    let noncurrent_is_due = |rule: &Rule| {
        let due = since.zip(rule.noncurrent_expiration);
        due.and_then(|(since, when)| when.due(since))
            .is_some_and(|due| due <= now)
    };
    match (&versions.get(at)?.version, since) {
        (VersionInfo::Object(object), None) if expiry_of(rules, object).is_some_and(|(due, _)| due <= now) => {
            Some(Due::Expire)
        }
        (VersionInfo::Object(object), Some(_))
            if rules.iter().any(|rule| rule.takes(object) && noncurrent_is_due(rule)) =>
        {
            Some(Due::ExpireNoncurrent)
        }
        (VersionInfo::Object(object), since) => colder(rules, object, since, now).map(Due::Move),
        (VersionInfo::DeleteMarker { key, .. }, None) => {
            let removes = |rule: &Rule| rule.removes_markers && rule.takes_key(key);
            (versions.len() == 1 && rules.iter().any(removes)).then_some(Due::RemoveMarker)
        }
        (VersionInfo::DeleteMarker { key, .. }, Some(_)) => {
            let expires = |rule: &Rule| rule.takes_key(key) && noncurrent_is_due(rule);
            rules.iter().any(expires).then_some(Due::ExpireNoncurrent)
        }
    }
}

/// The class that an object moves to, if that is colder than its own.
fn colder(rules: &[Rule], object: &ObjectInfo, since: Option<SystemTime>, now: SystemTime) -> Option<String> {
    let takes = rules.iter().filter(|rule| rule.takes(object));
    takes
        .filter_map(|rule| rule.class_at(object, since, now))
        .max_by_key(|class| class_rank(class))
        .filter(|class| class_rank(class) > class_rank(&object.meta.storage_class))
        .map(str::to_owned)
}

/// Asks again when it happens: since the listing, others may have written, read or tagged the object.
fn still(
    rules: Arc<[Rule]>,
    now: SystemTime,
    expected: Due,
    entry: &VersionEntry,
) -> impl FnOnce(&[VersionEntry]) -> bool + Send + use<> {
    // A null version may have been replaced by another one.
    let (id, written) = (version_of(entry).to_owned(), modified(entry));
    move |versions| {
        let at = versions
            .iter()
            .position(|entry| version_of(entry) == id && modified(entry) == written);
        at.and_then(|at| due(&rules, versions, at, now)) == Some(expected)
    }
}

impl Pass<'_> {
    async fn objects(&self, report: &mut LifecycleReport) -> Result<(), ServiceError> {
        let entries = self.state.store.list_versions(self.bucket, &everything())?.entries;
        for versions in entries.chunk_by(|left, right| key_of(left) == key_of(right)) {
            // Oldest first: since when a version is noncurrent shows in the newer ones only.
            for (at, entry) in versions.iter().enumerate().rev() {
                if let Some(due) = due(&self.rules, versions, at, self.now) {
                    self.carry_out(due, entry, report).await?;
                }
            }
        }
        Ok(())
    }

    async fn carry_out(
        &self,
        due: Due,
        entry: &VersionEntry,
        report: &mut LifecycleReport,
    ) -> Result<(), ServiceError> {
        let id = version_of(entry);
        let version = match &due {
            Due::Expire => None,
            Due::ExpireNoncurrent | Due::RemoveMarker => Some(id),
            Due::Move(class) => {
                report.transitioned += u64::from(self.transition(entry, class, self.still(&due, entry)).await?);
                return Ok(());
            }
        };
        let applies = self.still(&due, entry);
        let guard = guard_of_service(self.state.api);
        let store = &self.state.store;
        let removed = match store
            .delete_object_if(self.bucket, key_of(entry), version, guard, applies)
            .await
        {
            Ok(removed) => removed,
            // A lock or the retention policy of the bucket keeps it.
            Err(StoreError::FileImmutable) => false,
            Err(error) => return Err(error.into()),
        };
        let count = match due {
            Due::Expire => &mut report.expired,
            Due::RemoveMarker => &mut report.markers_removed,
            Due::ExpireNoncurrent | Due::Move(_) => &mut report.noncurrent_expired,
        };
        *count += u64::from(removed);
        Ok(())
    }

    fn still(&self, expected: &Due, entry: &VersionEntry) -> impl FnOnce(&[VersionEntry]) -> bool + Send + 'static {
        still(Arc::clone(&self.rules), self.now, expected.clone(), entry)
    }

    async fn transition(
        &self,
        entry: &VersionEntry,
        class: &str,
        applies: impl FnOnce(&[VersionEntry]) -> bool + Send + 'static,
    ) -> Result<bool, ServiceError> {
        let changed = time::http_date(self.now);
        let class = class.to_owned();
        let update =
            self.state
                .store
                .update_object_if(self.bucket, key_of(entry), version_of(entry), applies, move |meta| {
                    meta.storage_class = class;
                    meta.extra.insert(TRANSITION_TIME.to_owned(), changed);
                });
        Ok(update.await?)
    }

    async fn uploads(&self, report: &mut LifecycleReport) -> Result<(), ServiceError> {
        for upload in self.state.store.list_uploads(self.bucket, &everything())?.entries {
            let due = self
                .rules
                .iter()
                .filter_map(|rule| rule.aborts(&upload.key, upload.initiated))
                .min();
            if due.is_none_or(|due| due > self.now) {
                continue;
            }
            let store = &self.state.store;
            match store.abort_upload(self.bucket, &upload.key, &upload.upload_id).await {
                Ok(()) => report.uploads_aborted += 1,
                // Somebody completed it meanwhile.
                Err(StoreError::NoSuchUpload) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

fn key_of(entry: &VersionEntry) -> &str {
    match &entry.version {
        VersionInfo::Object(object) => &object.key,
        VersionInfo::DeleteMarker { key, .. } => key,
    }
}

fn version_of(entry: &VersionEntry) -> &str {
    match &entry.version {
        VersionInfo::Object(object) => &object.version_id,
        VersionInfo::DeleteMarker { version_id, .. } => version_id,
    }
}

fn modified(entry: &VersionEntry) -> SystemTime {
    match &entry.version {
        VersionInfo::Object(object) => object.last_modified,
        VersionInfo::DeleteMarker { last_modified, .. } => *last_modified,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::store::{NULL_VERSION, ObjectKind, ObjectMeta};
    use crate::value::Record;

    fn day(day: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(day * 86_400)
    }

    fn rules(members: Record) -> Arc<[Rule]> {
        Arc::from([Rule::read(&members.with("id", "r").with("status", "Enabled"))])
    }

    fn object(id: &str, written: u64, change: impl FnOnce(&mut ObjectMeta)) -> VersionEntry {
        let mut info = ObjectInfo {
            key: "k".to_owned(),
            version_id: id.to_owned(),
            size: 1 << 20,
            etag: String::new(),
            crc64: 0,
            last_modified: day(written),
            kind: ObjectKind::Normal,
            sealed: None,
            meta: ObjectMeta {
                storage_class: "Standard".to_owned(),
                ..ObjectMeta::default()
            },
        };
        change(&mut info.meta);
        VersionEntry {
            is_latest: true,
            version: VersionInfo::Object(Arc::new(info)),
        }
    }

    /// What is due for the first entry when it is listed, and whether that holds among other entries later.
    fn holds(rules: &Arc<[Rule]>, listed: &[VersionEntry], at: usize, later: &[VersionEntry]) -> (Option<Due>, bool) {
        let found = due(rules, listed, at, day(10));
        let holds = found
            .clone()
            .is_some_and(|found| still(Arc::clone(rules), day(10), found, &listed[at])(later));
        (found, holds)
    }

    #[test]
    fn an_object_that_changed_since_the_listing_stays() {
        let tagged = Record::new().with("key", "a").with("value", "b");
        let expiring = rules(
            Record::new()
                .with("tags", vec![tagged])
                .with("expiration", Record::new().with("days", 2_i64)),
        );
        let tag = |meta: &mut ObjectMeta| meta.tags.push(("a".to_owned(), "b".to_owned()));
        let listed = [object(NULL_VERSION, 1, tag)];
        assert_eq!(holds(&expiring, &listed, 0, &listed), (Some(Due::Expire), true));
        for later in [
            Vec::new(),
            // Overwritten, with the same tag.
            vec![object(NULL_VERSION, 9, tag)],
            // Overwritten by something as old, and a tag taken off.
            vec![object(NULL_VERSION, 1, |_| ())],
            // Not the latest version any more.
            vec![object("newer", 9, tag), object(NULL_VERSION, 1, tag)],
        ] {
            assert_eq!(
                holds(&expiring, &listed, 0, &later),
                (Some(Due::Expire), false),
                "{later:?}"
            );
        }
    }

    #[test]
    fn an_object_that_was_read_or_moved_since_the_listing_is_not_moved() {
        let step = Record::new()
            .with("days", 2_i64)
            .with("storage_class", "IA")
            .with("is_access_time", true);
        let moving = rules(Record::new().with("transitions", vec![step]));
        let listed = [object("v", 1, |_| ())];
        let found = Some(Due::Move("IA".to_owned()));
        assert_eq!(holds(&moving, &listed, 0, &listed), (found.clone(), true));
        let accessed = object("v", 1, |meta| {
            let at = time::unix_seconds(day(10)).to_string();
            meta.extra.insert(super::super::rules::LAST_ACCESS.to_owned(), at);
        });
        let archived = object("v", 1, |meta| meta.storage_class = "Archive".to_owned());
        for later in [accessed, archived] {
            assert_eq!(holds(&moving, &listed, 0, &[later]), (found.clone(), false));
        }
    }

    #[test]
    fn a_version_that_became_the_latest_again_and_a_marker_that_hides_something_stay() {
        let old = Record::new().with("noncurrent_days", 1_i64);
        let clearing = rules(
            Record::new()
                .with("noncurrent_version_expiration", old)
                .with("expiration", Record::new().with("expired_object_delete_marker", true)),
        );
        let marker = || VersionEntry {
            is_latest: true,
            version: VersionInfo::DeleteMarker {
                key: "k".to_owned(),
                version_id: "m".to_owned(),
                last_modified: day(3),
            },
        };
        let version = || object("v", 1, |_| ());
        let listed = [marker(), version()];
        assert_eq!(
            holds(&clearing, &listed, 1, &listed),
            (Some(Due::ExpireNoncurrent), true)
        );
        assert!(!holds(&clearing, &listed, 1, &[version()]).1);
        let alone = [marker()];
        assert_eq!(holds(&clearing, &alone, 0, &alone), (Some(Due::RemoveMarker), true));
        assert!(!holds(&clearing, &alone, 0, &listed).1);
    }
}
