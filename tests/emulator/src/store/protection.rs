//! What protects a version from being lost or changed: its own retention, a legal hold, and the retention policy of its bucket.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

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

/// Under which rules a request writes or deletes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Guard {
    /// How long the retention policy of the bucket protects an object after its last change.
    pub(crate) bucket_retention: Option<Duration>,
    /// Whether the caller may end retention in governance mode.
    pub(crate) bypass_governance: bool,
}

impl Guard {
    /// Whether a version must stay as it is.
    pub(crate) fn protects(self, info: &ObjectInfo, now: SystemTime) -> bool {
        let by_bucket = self
            .bucket_retention
            .and_then(|retention| info.last_modified.checked_add(retention))
            .is_some_and(|end| now < end);
        let lock = &info.meta.lock;
        let by_retention = lock.retention.is_some_and(|retention| {
            now < retention.until && !(self.bypass_governance && retention.mode == RetentionMode::Governance)
        });
        by_bucket || by_retention || lock.legal_hold == Some(true)
    }
}
