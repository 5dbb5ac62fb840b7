//! What protects a version from being lost or changed: its own retention, a legal hold, and the retention policy of its bucket.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::buckets::Documents;
use super::error::StoreError;
use super::index::BucketIndex;
use super::types::ObjectInfo;

/// How strictly a version is retained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum RetentionMode {
    /// Callers with a special permission may end it.
    Governance,
    /// Nobody may.
    Compliance,
}

impl RetentionMode {
    /// The text of the API.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Governance => "GOVERNANCE",
            Self::Compliance => "COMPLIANCE",
        }
    }

    /// Reads the text of the API; anything else is `None`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Governance, Self::Compliance]
            .into_iter()
            .find(|mode| mode.as_str() == text)
    }
}

/// A mode and when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Retention {
    /// How strictly.
    pub(crate) mode: RetentionMode,
    /// Until when.
    #[serde(with = "super::time")]
    pub(crate) until: SystemTime,
}

/// The locks of one version.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ObjectLock {
    /// Its own retention.
    pub(crate) retention: Option<Retention>,
    /// A hold without an end. `None` when nobody ever said anything about one.
    pub(crate) legal_hold: Option<bool>,
}

/// What the documents of a bucket say about a change of its objects.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Terms {
    /// How long the retention policy of the bucket protects an object after its last change.
    pub(crate) bucket_retention: Option<Duration>,
    /// Objects must not be replaced.
    pub(crate) forbid_overwrite: bool,
    /// Objects must not be appended to.
    pub(crate) forbid_append: bool,
    /// Protects new objects that say nothing about it themselves.
    pub(crate) default_retention: Option<Retention>,
    /// The most bytes that the bucket may hold.
    pub(crate) quota: Option<u64>,
}

/// Reads the terms of a bucket out of its documents, which the store does not understand itself.
pub(crate) trait Rules: fmt::Debug + Send + Sync {
    /// The terms of a change that happens now.
    fn read(&self, documents: &Documents, now: SystemTime) -> Result<Terms, StoreError>;
}

/// Under which rules a request writes or deletes. The documents are read when the change happens, not
/// when the request came: its body may have taken long, and others change documents meanwhile.
#[derive(Debug, Clone, Default)]
pub(crate) struct Guard {
    /// Reads the rules of the bucket; without it there are none.
    pub(crate) rules: Option<Arc<dyn Rules>>,
    /// Whether the caller may end retention in governance mode.
    pub(crate) bypass_governance: bool,
}

impl Guard {
    /// What the guard means at the moment of a change.
    pub(super) fn settle(&self, documents: &Documents, now: SystemTime) -> Result<Settled, StoreError> {
        let terms = match &self.rules {
            Some(rules) => rules.read(documents, now)?,
            None => Terms::default(),
        };
        Ok(Settled {
            terms,
            bypass_governance: self.bypass_governance,
            now,
        })
    }
}

/// A guard at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settled {
    pub(super) terms: Terms,
    bypass_governance: bool,
    now: SystemTime,
}

impl Settled {
    /// Refuses to lose or change a version that must stay as it is.
    pub(super) fn check(&self, info: &ObjectInfo) -> Result<(), StoreError> {
        let by_bucket = self
            .terms
            .bucket_retention
            .and_then(|retention| info.last_modified.checked_add(retention))
            .is_some_and(|end| self.now < end);
        let lock = &info.meta.lock;
        let by_retention = lock.retention.is_some_and(|retention| {
            self.now < retention.until && !(self.bypass_governance && retention.mode == RetentionMode::Governance)
        });
        if by_bucket || by_retention || lock.legal_hold == Some(true) {
            return Err(StoreError::FileImmutable);
        }
        Ok(())
    }

    /// Refuses bytes that the bucket has no room for.
    pub(super) fn check_room(&self, index: &BucketIndex, incoming: u64) -> Result<(), StoreError> {
        match self.terms.quota {
            Some(quota) if incoming > 0 && index.storage().saturating_add(incoming) > quota => {
                Err(StoreError::QuotaFull {
                    bucket: index.name.clone(),
                    quota,
                })
            }
            _ => Ok(()),
        }
    }
}
