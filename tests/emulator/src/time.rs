//! Points in time: the clock that everything asks, and the four notations of the protocol.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// The emulator's clock: the system's, or one that stands still until it is told to move; both can be shifted.
///
/// Clones share the shift, so a test keeps one and hands the other to the builder.
#[derive(Debug, Clone)]
pub struct Clock {
    shared: Arc<RwLock<Setting>>,
}

#[derive(Debug, Clone, Copy)]
struct Setting {
    /// Where a clock that stands still began.
    fixed: Option<SystemTime>,
    offset_millis: i64,
}

impl Setting {
    fn base(self) -> SystemTime {
        self.fixed.unwrap_or_else(SystemTime::now)
    }

    fn shows(self) -> SystemTime {
        let base = self.base();
        let shift = Duration::from_millis(self.offset_millis.unsigned_abs());
        let shifted = if self.offset_millis < 0 {
            base.checked_sub(shift)
        } else {
            base.checked_add(shift)
        };
        shifted.unwrap_or(base)
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

impl Clock {
    /// Follows the system's clock.
    pub fn system() -> Self {
        Self::starting(None)
    }

    /// Stands at `time` and moves only by [`Clock::advance`], [`Clock::set`] and [`Clock::set_offset`].
    pub fn fixed(time: SystemTime) -> Self {
        Self::starting(Some(time))
    }

    fn starting(fixed: Option<SystemTime>) -> Self {
        let setting = Setting {
            fixed,
            offset_millis: 0,
        };
        Self {
            shared: Arc::new(RwLock::new(setting)),
        }
    }

    fn setting(&self) -> Setting {
        *self.shared.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Setting)) {
        change(&mut self.shared.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// What the clock shows.
    pub fn now(&self) -> SystemTime {
        self.setting().shows()
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        let millis = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.change(|setting| setting.offset_millis = setting.offset_millis.saturating_add(millis));
    }

    /// Sets the distance from the system's clock (or from the fixed time), in seconds; negative is behind.
    pub fn set_offset(&self, seconds: i64) {
        self.change(|setting| setting.offset_millis = seconds.saturating_mul(1000));
    }

    /// The distance from the system's clock (or from the fixed time), in seconds.
    pub fn offset_seconds(&self) -> i64 {
        self.setting().offset_millis / 1000
    }

    /// Makes the clock show `time`. It goes on from there, or stands there if it stands still.
    pub fn set(&self, time: SystemTime) {
        self.change(|setting| match setting.fixed {
            Some(_) => {
                *setting = Setting {
                    fixed: Some(time),
                    offset_millis: 0,
                }
            }
            None => setting.offset_millis = millis_between(setting.base(), time),
        });
    }

    /// Stops the clock at what it shows.
    pub fn freeze(&self) {
        self.change(|setting| {
            *setting = Setting {
                fixed: Some(setting.shows()),
                offset_millis: 0,
            }
        });
    }

    /// Lets a clock that stands still go on from what it shows.
    pub fn resume(&self) {
        self.change(|setting| {
            *setting = Setting {
                fixed: None,
                offset_millis: millis_between(SystemTime::now(), setting.shows()),
            }
        });
    }

    /// Whether the clock stands still.
    pub fn is_frozen(&self) -> bool {
        self.setting().fixed.is_some()
    }
}

/// Negative when `to` is before `from`. A part of a millisecond counts forward, so that no clock goes back by it.
fn millis_between(from: SystemTime, to: SystemTime) -> i64 {
    let millis = |nanos: u128| i64::try_from(nanos / 1_000_000).unwrap_or(i64::MAX);
    match to.duration_since(from) {
        Ok(ahead) => millis(ahead.as_nanos().saturating_add(999_999)),
        Err(behind) => -millis(behind.duration().as_nanos()),
    }
}

/// Whole seconds since 1970, negative before.
pub(crate) fn unix_seconds(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_secs()).unwrap_or(i64::MAX),
    }
}

/// The point in time of a Unix time stamp; nothing when it is out of range.
pub(crate) fn from_unix(seconds: i64) -> Option<SystemTime> {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 {
        UNIX_EPOCH.checked_sub(distance)
    } else {
        UNIX_EPOCH.checked_add(distance)
    }
}

struct Civil {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    weekday: usize,
}

/// Proleptic Gregorian calendar, by counting days from 0000-03-01 so that leap days come last.
fn civil(time: SystemTime) -> Civil {
    let seconds = unix_seconds(time);
    let days = seconds.div_euclid(86_400);
    let rest = seconds.rem_euclid(86_400);
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    Civil {
        year: year_of_era + era * 400 + i64::from(month <= 2),
        month,
        day: day_of_year - (153 * shifted_month + 2) / 5 + 1,
        hour: rest / 3600,
        minute: rest / 60 % 60,
        second: rest % 60,
        weekday: usize::try_from(days.rem_euclid(7)).unwrap_or(0),
    }
}

fn from_civil(year: i64, month: i64, day: i64, hour: i64, minute: i64, second: i64) -> Option<SystemTime> {
    let in_range = (1..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..=60).contains(&second);
    if !in_range {
        return None;
    }
    let shifted_year = year - i64::from(month <= 2);
    let era = shifted_year.div_euclid(400);
    let year_of_era = shifted_year.rem_euclid(400);
    let shifted_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 719_468;
    from_unix(days * 86_400 + hour * 3600 + minute * 60 + second)
}

/// `2026-01-31T08:05:09.000Z`, the notation of XML documents: the service counts in seconds, and clients rely on the zeros.
pub(crate) fn iso8601_millis(time: SystemTime) -> String {
    iso8601(time).replace('Z', ".000Z")
}

/// `2026-01-31T08:05:09Z`, the notation of JSON documents and of STS.
pub(crate) fn iso8601(time: SystemTime) -> String {
    let c = civil(time);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        c.year, c.month, c.day, c.hour, c.minute, c.second
    )
}

/// `20260131T080509Z`, the notation of signature V4.
pub(crate) fn compact(time: SystemTime) -> String {
    let c = civil(time);
    format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
        c.year, c.month, c.day, c.hour, c.minute, c.second
    )
}

/// `Sat, 31 Jan 2026 08:05:09 GMT`, the notation of HTTP headers.
pub(crate) fn http_date(time: SystemTime) -> String {
    let c = civil(time);
    let month = usize::try_from(c.month - 1)
        .ok()
        .and_then(|index| MONTHS.get(index))
        .copied()
        .unwrap_or("Jan");
    format!(
        "{}, {:02} {month} {:04} {:02}:{:02}:{:02} GMT",
        DAYS[c.weekday], c.day, c.year, c.hour, c.minute, c.second
    )
}

/// Reads `2026-01-31T08:05:09Z`, with or without a fraction (which is kept to the millisecond).
pub(crate) fn parse_iso8601(text: &str) -> Option<SystemTime> {
    let text = text.strip_suffix('Z')?;
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let bytes = seconds.as_bytes();
    let shape_fits = bytes.len() == 19
        && bytes[4] == b'-'
        && bytes[7] == b'-'
        && bytes[10] == b'T'
        && bytes[13] == b':'
        && bytes[16] == b':'
        && fraction.len() <= 9
        && fraction.bytes().all(|byte| byte.is_ascii_digit());
    if !shape_fits {
        return None;
    }
    let time = from_civil(
        digits(&seconds[..4])?,
        digits(&seconds[5..7])?,
        digits(&seconds[8..10])?,
        digits(&seconds[11..13])?,
        digits(&seconds[14..16])?,
        digits(&seconds[17..19])?,
    )?;
    let millis: u64 = if fraction.is_empty() {
        0
    } else {
        format!("{fraction:0<3}")[..3].parse().ok()?
    };
    time.checked_add(Duration::from_millis(millis))
}

/// Reads `20260131T080509Z`.
pub(crate) fn parse_compact(text: &str) -> Option<SystemTime> {
    let bytes = text.as_bytes();
    if bytes.len() != 16 || !text.is_ascii() || bytes[8] != b'T' || bytes[15] != b'Z' {
        return None;
    }
    from_civil(
        digits(&text[..4])?,
        digits(&text[4..6])?,
        digits(&text[6..8])?,
        digits(&text[9..11])?,
        digits(&text[11..13])?,
        digits(&text[13..15])?,
    )
}

/// Reads `Sat, 31 Jan 2026 08:05:09 GMT`; the day of the week is not checked.
pub(crate) fn parse_http_date(text: &str) -> Option<SystemTime> {
    let (_, rest) = text.trim().split_once(", ")?;
    let mut words = rest.split(' ');
    let day = digits(words.next()?)?;
    let month = words.next()?;
    let month = i64::try_from(MONTHS.iter().position(|name| *name == month)?).ok()? + 1;
    let year = digits(words.next()?)?;
    let mut clock = words.next()?.split(':');
    let (hour, minute, second) = (digits(clock.next()?)?, digits(clock.next()?)?, digits(clock.next()?)?);
    if words.next() != Some("GMT") || words.next().is_some() || clock.next().is_some() {
        return None;
    }
    from_civil(year, month, day, hour, minute, second)
}

fn digits(text: &str) -> Option<i64> {
    let plain = !text.is_empty() && text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_notation_is_read_back() {
        for seconds in [0, 951_782_400, 1_702_830_057, 4_102_444_799] {
            let time = from_unix(seconds).unwrap();
            assert_eq!(parse_iso8601(&iso8601(time)), Some(time));
            assert_eq!(parse_iso8601(&iso8601_millis(time)), Some(time));
            assert_eq!(parse_compact(&compact(time)), Some(time));
            assert_eq!(parse_http_date(&http_date(time)), Some(time));
        }
    }

    #[test]
    fn known_dates_have_their_names() {
        let time = from_unix(1_702_830_057).unwrap();
        assert_eq!(http_date(time), "Sun, 17 Dec 2023 16:20:57 GMT");
        assert_eq!(compact(time), "20231217T162057Z");
        assert_eq!(iso8601_millis(time), "2023-12-17T16:20:57.000Z");
        let within = time + Duration::from_millis(142);
        assert_eq!(iso8601_millis(within), "2023-12-17T16:20:57.000Z");
    }

    #[test]
    fn nonsense_is_not_a_date() {
        for text in [
            "",
            "Z",
            "2023-13-01T00:00:00Z",
            "2023-01-01 00:00:00Z",
            "2023-01-01T00:00:00",
            "é023-01-01T00:00:0Z",
        ] {
            assert_eq!(parse_iso8601(text), None, "{text}");
        }
        for text in ["", "20231217T162057", "20231217T252057Z", "2023121éT16205Z"] {
            assert_eq!(parse_compact(text), None, "{text}");
        }
        for text in [
            "",
            "Sun, 17 Dec 2023",
            "Sun, 17 Foo 2023 16:20:57 GMT",
            "Sun, 17 Dec 2023 16:20:57 GMT x",
        ] {
            assert_eq!(parse_http_date(text), None, "{text}");
        }
    }

    #[test]
    fn a_clone_of_a_clock_follows_its_shift() {
        let clock = Clock::fixed(UNIX_EPOCH);
        let other = clock.clone();
        clock.advance(Duration::from_secs(5));
        assert_eq!(unix_seconds(other.now()), 5);
        clock.set_offset(-3);
        assert_eq!(unix_seconds(other.now()), -3);
    }
}
