//! Points in time as the wire writes them, and the clock that everything takes its time from.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::text::TextError;

mod parse;

/// A point in time, UTC, with nanoseconds, between the years 0 and 9999.
///
/// ```
/// use oss_sdk::Timestamp;
///
/// let time = Timestamp::parse_iso8601("2023-12-17T03:30:09.000Z")?;
/// assert_eq!(time.to_http_date(), "Sun, 17 Dec 2023 03:30:09 GMT");
/// # Ok::<(), oss_sdk::TextError>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    seconds: i64,
    nanos: u32,
}

const MIN_SECONDS: i64 = -62_167_219_200; // 0000-01-01T00:00:00Z
const MAX_SECONDS: i64 = 253_402_300_799; // 9999-12-31T23:59:59Z
const SECONDS_PER_DAY: i64 = 86_400;
const WEEKDAYS: [&[u8; 3]; 7] = [b"Thu", b"Fri", b"Sat", b"Sun", b"Mon", b"Tue", b"Wed"]; // day 0 was a Thursday
const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const UNIX_EPOCH: Timestamp = Timestamp { seconds: 0, nanos: 0 };

    /// The time so many seconds after (or before) 1970. `None` outside the years 0 to 9999.
    pub const fn from_unix(seconds: i64) -> Option<Self> {
        Self::new(seconds, 0)
    }

    /// The time so many seconds and nanoseconds after 1970. `None` outside the years 0 to 9999, or with a whole second
    /// of nanoseconds.
    pub const fn new(seconds: i64, nanos: u32) -> Option<Self> {
        if seconds < MIN_SECONDS || seconds > MAX_SECONDS || nanos >= 1_000_000_000 {
            return None;
        }
        Some(Self { seconds, nanos })
    }

    /// Whole seconds since 1970, rounded down.
    pub const fn unix_seconds(self) -> i64 {
        self.seconds
    }

    /// Nanoseconds within the second.
    pub const fn subsec_nanos(self) -> u32 {
        self.nanos
    }

    /// The time later by `duration`, at most the end of the year 9999.
    #[must_use]
    pub fn saturating_add(self, duration: Duration) -> Self {
        let nanos = self.nanos + duration.subsec_nanos();
        let seconds = i64::try_from(duration.as_secs())
            .ok()
            .and_then(|seconds| self.seconds.checked_add(seconds))
            .and_then(|seconds| seconds.checked_add(i64::from(nanos / 1_000_000_000)));
        seconds
            .and_then(|seconds| Self::new(seconds, nanos % 1_000_000_000))
            .unwrap_or(Self {
                seconds: MAX_SECONDS,
                nanos: 999_999_999,
            })
    }

    /// How long this is after `earlier`; zero when it is not.
    pub fn saturating_since(self, earlier: Self) -> Duration {
        if self <= earlier {
            return Duration::ZERO;
        }
        let seconds = self.seconds.abs_diff(earlier.seconds);
        if self.nanos >= earlier.nanos {
            Duration::new(seconds, self.nanos - earlier.nanos)
        } else {
            Duration::new(seconds - 1, 1_000_000_000 + self.nanos - earlier.nanos)
        }
    }

    /// Reads `2023-12-17T03:30:09Z`, with or without a fraction of a second, with `Z` or an offset.
    ///
    /// # Errors
    ///
    /// When the text is not of that form or no date of the calendar.
    pub fn parse_iso8601(text: &str) -> Result<Self, TextError> {
        parse::iso8601(text.as_bytes()).ok_or_else(|| TextError::new("a time like `2023-12-17T03:30:09Z`", text))
    }

    /// Reads the three forms of an HTTP date (RFC 9110): `Sun, 06 Nov 1994 08:49:37 GMT`,
    /// `Sunday, 06-Nov-94 08:49:37 GMT` and `Sun Nov  6 08:49:37 1994`. The name of the day is not checked.
    ///
    /// # Errors
    ///
    /// When the text is none of them or no date of the calendar.
    pub fn parse_http_date(text: &str) -> Result<Self, TextError> {
        parse::http_date(text).ok_or_else(|| TextError::new("a time like `Sun, 06 Nov 1994 08:49:37 GMT`", text))
    }

    /// Reads seconds since 1970.
    ///
    /// # Errors
    ///
    /// When the text is no integer, or the time outside the years 0 to 9999.
    pub fn parse_unix(text: &str) -> Result<Self, TextError> {
        text.trim()
            .parse()
            .ok()
            .and_then(Self::from_unix)
            .ok_or_else(|| TextError::new("seconds since 1970-01-01", text))
    }

    /// `2023-12-17T03:30:09.000Z`.
    pub fn to_iso8601(self) -> String {
        let civil = self.civil();
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            civil.year,
            civil.month,
            civil.day,
            civil.hour,
            civil.minute,
            civil.second,
            self.nanos / 1_000_000
        )
    }

    /// `2023-12-17T03:30:09Z`, as RPC services write it.
    pub fn to_iso8601_seconds(self) -> String {
        let civil = self.civil();
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
            civil.year, civil.month, civil.day, civil.hour, civil.minute, civil.second
        )
    }

    /// `20231217T033009Z`, as signature V4 writes it.
    pub fn to_iso8601_basic(self) -> String {
        text_of(&self.iso8601_basic())
    }

    /// `Sun, 17 Dec 2023 03:30:09 GMT`.
    pub fn to_http_date(self) -> String {
        text_of(&self.http_date())
    }

    /// Whole seconds since 1970, as text.
    pub fn to_unix(self) -> String {
        self.seconds.to_string()
    }

    /// Reads `20231217T033009Z`.
    pub(crate) fn from_iso8601_basic(text: &[u8]) -> Option<Self> {
        parse::iso8601_basic(text)
    }

    /// [`to_iso8601_basic`](Self::to_iso8601_basic) without an allocation.
    pub(crate) fn iso8601_basic(self) -> [u8; 16] {
        let civil = self.civil();
        let mut out = *b"00000000T000000Z";
        put(&mut out[0..4], civil.year);
        put(&mut out[4..6], civil.month);
        put(&mut out[6..8], civil.day);
        put(&mut out[9..11], civil.hour);
        put(&mut out[11..13], civil.minute);
        put(&mut out[13..15], civil.second);
        out
    }

    /// [`to_http_date`](Self::to_http_date) without an allocation.
    pub(crate) fn http_date(self) -> [u8; 29] {
        let civil = self.civil();
        let mut out = *b"Thu, 00 Jan 0000 00:00:00 GMT";
        out[0..3].copy_from_slice(WEEKDAYS[civil.weekday]);
        put(&mut out[5..7], civil.day);
        out[8..11].copy_from_slice(MONTHS[civil.month as usize - 1]);
        put(&mut out[12..16], civil.year);
        put(&mut out[17..19], civil.hour);
        put(&mut out[20..22], civil.minute);
        put(&mut out[23..25], civil.second);
        out
    }

    fn civil(self) -> Civil {
        let days = self.seconds.div_euclid(SECONDS_PER_DAY);
        let second_of_day = self.seconds.rem_euclid(SECONDS_PER_DAY) as u32;
        let (year, month, day) = date_of(days);
        Civil {
            year,
            month,
            day,
            hour: second_of_day / 3600,
            minute: second_of_day / 60 % 60,
            second: second_of_day % 60,
            weekday: days.rem_euclid(7) as usize,
        }
    }
}

/// A time taken apart. The year is 0 to 9999, month and day count from 1, the weekday from Thursday.
struct Civil {
    year: u32,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
    weekday: usize,
}

/// Days since 1970 of a date in the proleptic Gregorian calendar. Years are counted from March, so that the day that
/// comes and goes is the last one.
fn days_of(year: i64, month: u32, day: u32) -> i64 {
    let shifted_year = if month > 2 { year } else { year - 1 };
    let month_from_march = i64::from(if month > 2 { month - 3 } else { month + 9 });
    let leap_days = shifted_year.div_euclid(4) - shifted_year.div_euclid(100) + shifted_year.div_euclid(400);
    let days_before_month = (153 * month_from_march + 2) / 5;
    // 719 468 days lie between 0000-03-01 and 1970-01-01.
    shifted_year * 365 + leap_days + days_before_month + i64::from(day) - 1 - 719_468
}

/// The inverse of [`days_of`].
fn date_of(days: i64) -> (u32, u32, u32) {
    let from_march = days + 719_468;
    let era = from_march.div_euclid(146_097);
    let day_of_era = from_march.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year as u32, month as u32, day as u32)
}

/// Writes a number into all of `out`, with leading zeros.
fn put(out: &mut [u8], mut number: u32) {
    for digit in out.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

fn text_of(ascii: &[u8]) -> String {
    ascii.iter().map(|&byte| char::from(byte)).collect()
}

/// Times outside the years 0 to 9999 become the nearest end of that span.
impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Self::UNIX_EPOCH.saturating_add(after),
            Err(error) => {
                let before = error.duration();
                let earliest = Self {
                    seconds: MIN_SECONDS,
                    nanos: 0,
                };
                let Ok(seconds) = i64::try_from(before.as_secs()) else {
                    return earliest;
                };
                match before.subsec_nanos() {
                    0 => Self::new(-seconds, 0),
                    nanos => Self::new(-seconds - 1, 1_000_000_000 - nanos),
                }
                .unwrap_or(earliest)
            }
        }
    }
}

/// Fails only where the platform's clock cannot express the time (before 1601 on Windows).
impl TryFrom<Timestamp> for SystemTime {
    type Error = TextError;

    fn try_from(time: Timestamp) -> Result<Self, Self::Error> {
        let whole = Duration::from_secs(time.seconds.unsigned_abs());
        let base = if time.seconds >= 0 {
            UNIX_EPOCH.checked_add(whole)
        } else {
            UNIX_EPOCH.checked_sub(whole)
        };
        base.and_then(|base| base.checked_add(Duration::from_nanos(u64::from(time.nanos))))
            .ok_or_else(|| TextError::new("a time that the platform can express", &time.to_string()))
    }
}

/// RFC 3339, with as much of a fraction as there is: `2023-12-17T03:30:09Z`, `2023-12-17T03:30:09.5Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.to_iso8601_seconds();
        if self.nanos != 0 {
            text.pop();
            let fraction = format!("{:09}", self.nanos);
            text.push('.');
            text.push_str(fraction.trim_end_matches('0'));
            text.push('Z');
        }
        f.pad(&text)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where the time comes from. Replaceable, so that tests and signatures do not depend on the wall clock.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The time now.
    fn now(&self) -> SystemTime;
}

/// The clock of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// A clock that stands still until it is moved. For tests.
#[derive(Debug)]
pub struct FixedClock {
    start: Timestamp,
    moved_by_seconds: AtomicI64,
}

impl FixedClock {
    /// A clock that stands at `time`.
    pub fn new(time: Timestamp) -> Self {
        Self {
            start: time,
            moved_by_seconds: AtomicI64::new(0),
        }
    }

    /// Moves the clock forward by whole seconds.
    pub fn advance(&self, by: Duration) {
        self.moved_by_seconds
            .fetch_add(i64::try_from(by.as_secs()).unwrap_or(i64::MAX / 2), Ordering::Relaxed);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> SystemTime {
        let moved = u64::try_from(self.moved_by_seconds.load(Ordering::Relaxed)).unwrap_or(0);
        SystemTime::try_from(self.start.saturating_add(Duration::from_secs(moved))).unwrap_or(UNIX_EPOCH)
    }
}

/// A clock that is shared, such as a [`FixedClock`] that a test goes on to move.
impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> SystemTime {
        (**self).now()
    }
}

/// The monotonic clock, for measuring how long something took. It stands still when a test has paused tokio's time.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
pub(crate) fn monotonic() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_dates_are_written_in_every_form() {
        let rows: [(i64, &str, &str); 8] = [
            (0, "1970-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
            (784_111_777, "1994-11-06T08:49:37Z", "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_400, "2000-02-29T00:00:00Z", "Tue, 29 Feb 2000 00:00:00 GMT"),
            (1_702_830_057, "2023-12-17T16:20:57Z", "Sun, 17 Dec 2023 16:20:57 GMT"),
            (4_107_542_399, "2100-02-28T23:59:59Z", "Sun, 28 Feb 2100 23:59:59 GMT"),
            (-1, "1969-12-31T23:59:59Z", "Wed, 31 Dec 1969 23:59:59 GMT"),
            (MIN_SECONDS, "0000-01-01T00:00:00Z", "Sat, 01 Jan 0000 00:00:00 GMT"),
            (MAX_SECONDS, "9999-12-31T23:59:59Z", "Fri, 31 Dec 9999 23:59:59 GMT"),
        ];
        for (seconds, iso, http) in rows {
            let time = Timestamp::from_unix(seconds).unwrap();
            assert_eq!(time.to_string(), iso);
            assert_eq!(time.to_iso8601_seconds(), iso);
            assert_eq!(time.to_iso8601(), iso.replace('Z', ".000Z"));
            assert_eq!(time.to_iso8601_basic(), iso.replace(['-', ':'], ""));
            assert_eq!(time.to_http_date(), http);
            assert_eq!(time.to_unix(), seconds.to_string());
            assert_eq!(Timestamp::parse_iso8601(iso), Ok(time));
            assert_eq!(Timestamp::parse_http_date(http), Ok(time));
            assert_eq!(Timestamp::parse_unix(&seconds.to_string()), Ok(time));
        }
    }

    #[test]
    fn every_day_of_the_calendar_is_read_back() {
        let mut previous = None;
        for day in (MIN_SECONDS / SECONDS_PER_DAY)..=(MAX_SECONDS / SECONDS_PER_DAY) {
            let date = date_of(day);
            assert_eq!(days_of(i64::from(date.0), date.1, date.2), day);
            assert!(previous < Some(date), "{date:?}");
            previous = Some(date);
        }
    }

    #[test]
    fn the_end_of_the_calendar_is_not_passed() {
        assert_eq!(Timestamp::from_unix(MAX_SECONDS + 1), None);
        assert_eq!(Timestamp::from_unix(MIN_SECONDS - 1), None);
        assert_eq!(Timestamp::new(0, 1_000_000_000), None);
        let last = Timestamp::UNIX_EPOCH.saturating_add(Duration::MAX);
        assert_eq!(last.to_string(), "9999-12-31T23:59:59.999999999Z");
        assert_eq!(last.saturating_add(Duration::from_nanos(1)), last);
    }

    #[test]
    fn system_times_go_back_and_forth() {
        for nanos in [
            -1_500_000_000_i64,
            -1_000_000_000,
            -1,
            0,
            1,
            999_999_999,
            1_702_830_057_123_456_789,
        ] {
            let system = if nanos < 0 {
                UNIX_EPOCH - Duration::from_nanos(nanos.unsigned_abs())
            } else {
                UNIX_EPOCH + Duration::from_nanos(nanos.unsigned_abs())
            };
            let time = Timestamp::from(system);
            assert_eq!(
                i128::from(time.unix_seconds()) * 1_000_000_000 + i128::from(time.subsec_nanos()),
                nanos.into()
            );
            assert_eq!(SystemTime::try_from(time).unwrap(), system);
        }
    }

    #[test]
    fn differences_are_never_negative() {
        let early = Timestamp::new(10, 900_000_000).unwrap();
        let late = Timestamp::new(12, 100_000_000).unwrap();
        assert_eq!(late.saturating_since(early), Duration::from_millis(1200));
        assert_eq!(early.saturating_since(late), Duration::ZERO);
        assert_eq!(early.saturating_add(Duration::from_millis(1200)), late);
    }

    #[test]
    fn a_fixed_clock_moves_only_when_told() {
        let clock = FixedClock::new(Timestamp::from_unix(100).unwrap());
        assert_eq!(Timestamp::from(clock.now()).unix_seconds(), 100);
        clock.advance(Duration::from_secs(5));
        assert_eq!(Timestamp::from(clock.now()).unix_seconds(), 105);
    }
}
