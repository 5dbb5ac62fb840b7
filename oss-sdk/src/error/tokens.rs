//! Texts without the values of security tokens, in whatever form they are repeated.

/// What stands for a token.
pub(super) const REDACTED: &str = "[redacted]";

/// The names of tokens end so, in lower case: as headers, parameters and members.
const NAMES: [&str; 2] = ["security-token", "securitytoken"];

/// The whole names of headers.
const HEADERS: [&str; 3] = ["x-oss-security-token", "x-acs-security-token", "security-token"];

/// What stands between a name and its value, and what may end the value besides spaces, quotes and the like: in headers
/// and JSON, parameters, XML, and in parameters that are encoded once or twice.
const SEPARATORS: [(&str, &str); 6] = [
    (":", "&"),
    ("=", "&"),
    (">", "<"),
    ("%3d", "%26"),
    ("%253d", "%2526"),
    ("%3a", "%0a"),
];

/// Whether it is worth looking closer; most texts are not.
pub(super) fn may_hold_token(text: &str) -> bool {
    let end = b"token";
    text.as_bytes()
        .windows(end.len())
        .any(|part| part.eq_ignore_ascii_case(end))
}

/// A text without the values of security tokens. Rather too much than too little is taken out.
pub(super) fn redacted(text: &str) -> String {
    if !may_hold_token(text) {
        return text.to_owned();
    }
    // Of the same length.
    let lower = text.to_ascii_lowercase();
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    let next = |from: usize| {
        let found = NAMES
            .iter()
            .filter_map(|name| Some((from + lower[from..].find(name)?, name.len())));
        found.min()
    };
    while let Some((name, length)) = next(done) {
        let (start, end) = value(&lower, name, name + length);
        out.push_str(&text[done..start]);
        if start < end {
            out.push_str(REDACTED);
        }
        done = end;
    }
    out.push_str(&text[done..]);
    out
}

/// Where the value begins and ends whose name does. Empty where the name has none.
fn value(lower: &str, name: usize, name_end: usize) -> (usize, usize) {
    const AROUND: [char; 5] = [' ', '\t', '"', '\'', '\\'];
    let behind = lower[name_end..].trim_start_matches(AROUND);
    let separator = SEPARATORS.iter().find(|(separator, _)| behind.starts_with(separator));
    let Some((separator, end)) = separator else {
        return (name_end, name_end);
    };
    let line = lower[..name].rfind('\n').map_or(0, |at| at + 1);
    // Not the end of an element.
    let before = &lower[line..name_end];
    if *separator == ">" && before.rfind('<').is_none_or(|at| before[at..].starts_with("</")) {
        return (name_end, name_end);
    }
    let value = behind[separator.len()..].trim_start_matches(AROUND);
    let start = lower.len() - value.len();
    if *separator == ":" && HEADERS.contains(&before.trim_start()) {
        return (start, start + value.find('\n').unwrap_or(value.len()));
    }
    let around = value.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '\\' | '<'));
    let length = [around, value.find(end)].into_iter().flatten().min();
    (start, start + length.unwrap_or(value.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_wherever_it_stands() {
        let rows = [
            ("x-oss-security-token:CAIS", "x-oss-security-token:[redacted]"),
            (
                "GET\nX-Oss-Security-Token: a b;c\nz",
                "GET\nX-Oss-Security-Token: [redacted]\nz",
            ),
            (
                "request is: POST / host:sts x-acs-security-token:CAIS+/= x-acs-date:2",
                "request is: POST / host:sts x-acs-security-token:[redacted] x-acs-date:2",
            ),
            (
                "is: POST\\nhost:sts\\nx-acs-security-token:CAIS\\nx:2",
                "is: POST\\nhost:sts\\nx-acs-security-token:[redacted]\\nx:2",
            ),
            ("/k?a&SECURITY-TOKEN=CAIS%2B&b", "/k?a&SECURITY-TOKEN=[redacted]&b"),
            ("SecurityToken%3DCAIS%252B%26T", "SecurityToken%3D[redacted]%26T"),
            (
                "SecurityToken%253DCAIS%25252B%2526T",
                "SecurityToken%253D[redacted]%2526T",
            ),
            (
                "{\"SecurityToken\": \"CAIS\", \"a\": 1}",
                "{\"SecurityToken\": \"[redacted]\", \"a\": 1}",
            ),
            (
                "{\\\"SecurityToken\\\":\\\"CAIS\\\"}",
                "{\\\"SecurityToken\\\":\\\"[redacted]\\\"}",
            ),
            (
                "<SecurityToken>CAIS</SecurityToken> <a>é</a>",
                "<SecurityToken>[redacted]</SecurityToken> <a>é</a>",
            ),
            (
                "security-token=a security-token=b",
                "security-token=[redacted] security-token=[redacted]",
            ),
            // Names without a value.
            ("x-oss-date;x-oss-security-token", "x-oss-date;x-oss-security-token"),
            ("x-oss-security-token;z é", "x-oss-security-token;z é"),
            ("InvalidSecurityToken.Malformed", "InvalidSecurityToken.Malformed"),
            ("The security token is wrong", "The security token is wrong"),
            ("security-token:", "security-token:"),
            ("", ""),
        ];
        for (text, expected) in rows {
            assert_eq!(redacted(text), expected);
        }
    }
}
