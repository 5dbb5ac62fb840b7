//! What a service asks to wait.

use std::time::Duration;

use http::{HeaderMap, header};

use crate::time::Timestamp;

/// A service cannot hold up a call for longer.
const LONGEST: Duration = Duration::from_secs(60);

/// The wait of the header `Retry-After`, given in seconds or as a date; at most a minute.
pub(crate) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are more than the longest wait.
        text.parse().map_or(LONGEST, Duration::from_secs)
    } else {
        // Measured against the server's own clock where it shows it, as ours may be wrong.
        let server = headers
            .get(header::DATE)
            .and_then(|date| Timestamp::parse_http_date(date.to_str().ok()?).ok());
        Timestamp::parse_http_date(text)
            .ok()?
            .saturating_since(server.unwrap_or(now))
    };
    Some(wait.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_understood_and_capped() {
        let now = Timestamp::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        let rows = [
            (&[("retry-after", "7")][..], Some(7)),
            (&[("retry-after", " 0 ")], Some(0)),
            (&[("retry-after", "3600")], Some(60)),
            (&[("retry-after", "99999999999999999999999")], Some(60)),
            (&[("retry-after", "Sun, 06 Nov 1994 08:49:47 GMT")], Some(10)),
            (&[("retry-after", "Sun, 06 Nov 1994 08:49:27 GMT")], Some(0)),
            (&[("retry-after", "Fri, 31 Dec 1999 23:59:59 GMT")], Some(60)),
            (
                &[
                    ("retry-after", "Sun, 06 Nov 1994 10:00:05 GMT"),
                    ("date", "Sun, 06 Nov 1994 10:00:00 GMT"),
                ],
                Some(5),
            ),
            (&[("retry-after", "soon")], None),
            (&[("retry-after", "-1")], None),
            (&[("retry-after", "")], None),
            (&[], None),
        ];
        for (pairs, expected) in rows {
            let headers: HeaderMap = pairs
                .iter()
                .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
                .collect();
            assert_eq!(
                retry_after(&headers, now),
                expected.map(Duration::from_secs),
                "{pairs:?}"
            );
        }
    }
}
