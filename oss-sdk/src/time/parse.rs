//! Reading times. Strict in the numbers, so that nothing is misread; lenient in nothing but the name of the day.

use super::{MONTHS, SECONDS_PER_DAY, Timestamp, days_of};

/// `YYYY-MM-DDTHH:MM:SS`, a fraction, and `Z` or an offset.
pub(super) fn iso8601(text: &[u8]) -> Option<Timestamp> {
    let (date, rest) = text.split_at_checked(10)?;
    let (time, zone) = rest.split_at_checked(9)?;
    if date[4] != b'-' || date[7] != b'-' || !matches!(time[0], b'T' | b't' | b' ') {
        return None;
    }
    let (nanos, zone) = match zone.strip_prefix(b".") {
        Some(rest) => {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            (fraction(&rest[..digits])?, &rest[digits..])
        }
        None => (0, zone),
    };
    let days = date_number(number(&date[0..4])?, number(&date[5..7])?, number(&date[8..10])?)?;
    let seconds = days * SECONDS_PER_DAY + time_of_day(&time[1..])? - offset(zone)?;
    Timestamp::new(seconds, nanos)
}

/// `YYYYMMDDTHHMMSSZ`.
pub(super) fn iso8601_basic(text: &[u8]) -> Option<Timestamp> {
    if text.len() != 16 || text[8] != b'T' || text[15] != b'Z' {
        return None;
    }
    let (hour, minute, second) = (number(&text[9..11])?, number(&text[11..13])?, number(&text[13..15])?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = date_number(number(&text[0..4])?, number(&text[4..6])?, number(&text[6..8])?)?;
    Timestamp::from_unix(days * SECONDS_PER_DAY + i64::from(hour * 3600 + minute * 60 + second))
}

/// The three forms of RFC 9110. Two digits of a year below 70 belong to this century.
pub(super) fn http_date(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let seconds = match text.split_once(',') {
        Some((_, rest)) => {
            let rest = rest.trim_start().as_bytes();
            let rest = rest.strip_suffix(b" GMT").or_else(|| rest.strip_suffix(b" UTC"))?;
            let (date, time) = rest.split_at_checked(rest.len().checked_sub(9)?)?;
            let (day, month, year) = match date.len() {
                11 if date[2] == b' ' && date[6] == b' ' => (&date[0..2], &date[3..6], number(&date[7..11])?),
                9 if date[2] == b'-' && date[6] == b'-' => {
                    let year = number(&date[7..9])?;
                    (
                        &date[0..2],
                        &date[3..6],
                        if year < 70 { 2000 + year } else { 1900 + year },
                    )
                }
                _ => return None,
            };
            if time[0] != b' ' {
                return None;
            }
            date_number(year, month_number(month)?, number(day)?)? * SECONDS_PER_DAY + time_of_day(&time[1..])?
        }
        None => {
            let bytes = text.as_bytes();
            if bytes.len() != 24 || bytes[3] != b' ' || bytes[7] != b' ' || bytes[10] != b' ' || bytes[19] != b' ' {
                return None;
            }
            let day = if bytes[8] == b' ' { &bytes[9..10] } else { &bytes[8..10] };
            date_number(number(&bytes[20..24])?, month_number(&bytes[4..7])?, number(day)?)? * SECONDS_PER_DAY
                + time_of_day(&bytes[11..19])?
        }
    };
    Timestamp::from_unix(seconds)
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0_u32, |sum, byte| {
        byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0'))
    })
}

/// Up to nine digits count, the rest is cut off.
fn fraction(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() {
        return None;
    }
    let counted = &digits[..digits.len().min(9)];
    Some(number(counted)? * 10_u32.pow(9 - counted.len() as u32))
}

fn month_number(name: &[u8]) -> Option<u32> {
    MONTHS
        .iter()
        .position(|month| month.eq_ignore_ascii_case(name))
        .map(|index| index as u32 + 1)
}

fn date_number(year: u32, month: u32, day: u32) -> Option<i64> {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let last = match month {
        2 => 28 + u32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    (1..=last).contains(&day).then(|| days_of(i64::from(year), month, day))
}

/// `HH:MM:SS`. A leap second counts as the second after it.
fn time_of_day(text: &[u8]) -> Option<i64> {
    if text.len() != 8 || text[2] != b':' || text[5] != b':' {
        return None;
    }
    let (hour, minute, second) = (number(&text[0..2])?, number(&text[3..5])?, number(&text[6..8])?);
    (hour < 24 && minute < 60 && second <= 60).then(|| i64::from(hour * 3600 + minute * 60 + second))
}

/// `Z`, `+08:00`, `+0800` or `+08`, in seconds.
fn offset(zone: &[u8]) -> Option<i64> {
    let sign = match zone {
        b"Z" | b"z" => return Some(0),
        [b'+', ..] => 1,
        [b'-', ..] => -1,
        _ => return None,
    };
    let (hours, minutes) = match zone.len() {
        3 => (number(&zone[1..3])?, 0),
        5 => (number(&zone[1..3])?, number(&zone[3..5])?),
        6 if zone[3] == b':' => (number(&zone[1..3])?, number(&zone[4..6])?),
        _ => return None,
    };
    (hours < 24 && minutes < 60).then(|| sign * i64::from(hours * 3600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_8601_is_read_with_fractions_and_offsets() {
        let rows = [
            ("2023-12-17T16:20:57Z", Some((1_702_830_057, 0))),
            ("2023-12-17T16:20:57.5Z", Some((1_702_830_057, 500_000_000))),
            ("2023-12-17T16:20:57.123456789123Z", Some((1_702_830_057, 123_456_789))),
            ("2023-12-18T00:20:57+08:00", Some((1_702_830_057, 0))),
            ("2023-12-18T00:20:57.000+0800", Some((1_702_830_057, 0))),
            ("2023-12-17T11:20:57-05", Some((1_702_830_057, 0))),
            ("2016-12-31T23:59:60Z", Some((1_483_228_800, 0))),
            ("2000-02-29T00:00:00Z", Some((951_782_400, 0))),
            ("1900-02-29T00:00:00Z", None),
            ("2023-02-29T00:00:00Z", None),
            ("2023-13-01T00:00:00Z", None),
            ("2023-00-01T00:00:00Z", None),
            ("2023-01-00T00:00:00Z", None),
            ("2023-01-01T24:00:00Z", None),
            ("2023-01-01T00:60:00Z", None),
            ("2023-01-01T00:00:61Z", None),
            ("2023-01-01T00:00:00", None),
            ("2023-01-01T00:00:00.Z", None),
            ("2023-01-01T00:00:00+8", None),
            ("2023-01-01T00:00:00Z ", None),
            ("2023-1-1T00:00:00Z", None),
            ("0000-01-01T00:00:00+01:00", None),
            ("2023-01-01T00:00:0\u{663}Z", None),
            ("", None),
        ];
        for (text, expected) in rows {
            let expected = expected.map(|(seconds, nanos)| Timestamp::new(seconds, nanos).unwrap());
            assert_eq!(iso8601(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn http_dates_are_read_in_three_forms_only() {
        let rows = [
            ("Sun, 06 Nov 1994 08:49:37 GMT", true),
            ("Sunday, 06-Nov-94 08:49:37 GMT", true),
            ("Sun Nov  6 08:49:37 1994", true),
            ("Sun Nov 06 08:49:37 1994", true),
            ("Sun, 06 Nov 1994 08:49:37", false),
            ("Sun, 06 Nov 1994 08:49:37 EST", false),
            ("Sun, 06 Nov 08:49:37 GMT", false),
            ("Sun, 06 Foo 1994 08:49:37 GMT", false),
            ("Sun, 31 Nov 1994 08:49:37 GMT", false),
            ("Sun Nov  6 08:49:37 199x", false),
            (",", false),
            (", GMT", false),
            ("", false),
        ];
        for (text, is_read) in rows {
            assert_eq!(
                http_date(text),
                is_read.then(|| Timestamp::from_unix(784_111_777).unwrap()),
                "{text}"
            );
        }
    }

    #[test]
    fn the_basic_form_is_read() {
        assert_eq!(iso8601_basic(b"20231217T162057Z"), Timestamp::from_unix(1_702_830_057));
        for text in [
            "20231217T162057",
            "20231217T246057Z",
            "20230230T000000Z",
            "2023121xT162057Z",
            "",
        ] {
            assert_eq!(iso8601_basic(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn the_century_of_two_digits_is_guessed() {
        assert_eq!(
            http_date("Friday, 01-Jan-69 00:00:00 GMT").unwrap().to_string(),
            "2069-01-01T00:00:00Z"
        );
        assert_eq!(
            http_date("Friday, 01-Jan-70 00:00:00 GMT").unwrap().to_string(),
            "1970-01-01T00:00:00Z"
        );
    }

    #[test]
    fn changed_texts_never_panic() {
        let seeds = [
            "2023-12-17T16:20:57.123+08:00",
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ];
        for seed in seeds {
            for at in 0..seed.len() {
                for replacement in ["", "\u{0}", "9", "日", "-", " "] {
                    let text = format!("{}{replacement}{}", &seed[..at], &seed[at + 1..]);
                    let _ = (iso8601(text.as_bytes()), http_date(&text));
                    let _ = (iso8601(&text.as_bytes()[..at.min(text.len())]), http_date(&seed[..at]));
                }
            }
        }
    }
}
