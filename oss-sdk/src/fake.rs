//! The transport of unit tests: that of [`testing`](crate::testing), with what only the crate itself asks for.

use std::time::Duration;

pub(crate) use crate::testing::{Answer, Chunk, ScriptedTransport as FakeTransport, SentRequest as Sent, Step, now};

/// A long time, for tests whose time is paused.
pub(crate) const LONG: Duration = Duration::from_secs(3600);
