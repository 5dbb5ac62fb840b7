//! A client whose signatures follow the emulator's clock, for tests that move it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use oss_emulator::Emulator;

use crate::client::{Client, Request, Response, start_with_bucket};

pub(crate) struct Live {
    pub(crate) emulator: Emulator,
    client: Client,
}

impl Live {
    /// An emulator with a bucket.
    pub(crate) async fn start() -> Self {
        let (emulator, client) = start_with_bucket().await;
        Self { emulator, client }
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.emulator.clock().advance(by);
    }

    pub(crate) async fn send(&self, request: Request) -> Response {
        let mut client = self.client.clone();
        client.stamp = stamp(self.emulator.clock().now());
        client.send(request).await
    }

    pub(crate) async fn exchange(&self, raw: &[u8]) -> Vec<u8> {
        self.client.exchange(raw).await.unwrap()
    }
}

/// A time in the notation of V4.
pub(crate) fn stamp(now: SystemTime) -> String {
    let seconds = now.duration_since(UNIX_EPOCH).unwrap().as_secs();
    let (mut days, rest) = (seconds / 86_400, seconds % 86_400);
    let mut year = 1970;
    let is_leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let mut month = 1;
    for length in [
        31,
        28 + u64::from(is_leap(year)),
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year}{month:02}{:02}T{hour:02}{minute:02}{second:02}Z", days + 1)
}
