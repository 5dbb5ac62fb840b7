//! Checks of a request's members that need no network. Each returns the rule that is broken as the rest of a sentence
//! that starts with the member's name: `must be from 1 to 10000, it is 0`.

use std::fmt;

/// A member of a request that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    member: String,
    rule: String,
}

impl Invalid {
    /// A member and the rule that it breaks, worded as the rest of a sentence: `must not be empty`.
    pub fn new(member: impl Into<String>, rule: impl Into<String>) -> Self {
        Self {
            member: member.into(),
            rule: rule.into(),
        }
    }

    /// The member, with the way to it: `cors_configuration.CORSRule[2].max_age_seconds`.
    pub fn member(&self) -> &str {
        &self.member
    }

    /// The rule, as the rest of a sentence.
    pub fn rule(&self) -> &str {
        &self.rule
    }

    /// Puts an outer name before the member.
    #[must_use]
    pub fn inside(mut self, outer: &str) -> Self {
        self.member.insert(0, '.');
        self.member.insert_str(0, outer);
        self
    }

    /// Member and rule, taken apart.
    pub fn into_parts(self) -> (String, String) {
        (self.member, self.rule)
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.member, self.rule)
    }
}

impl std::error::Error for Invalid {}

/// A number outside `min..=max`.
pub(crate) fn range(value: i64, min: i64, max: i64) -> Option<String> {
    if (min..=max).contains(&value) {
        None
    } else if max == i64::MAX {
        Some(format!("must be at least {min}, it is {value}"))
    } else {
        Some(format!("must be from {min} to {max}, it is {value}"))
    }
}

/// A text whose length in bytes is outside `min..=max`. The text itself is not repeated: it may be long or secret.
pub(crate) fn length(value: &str, min: u64, max: u64) -> Option<String> {
    let length = value.len() as u64;
    if (min..=max).contains(&length) {
        None
    } else if length == 0 {
        Some("must not be empty".to_owned())
    } else if max == u64::MAX {
        Some(format!("must have at least {min} bytes, it has {length}"))
    } else {
        Some(format!("must have from {min} to {max} bytes, it has {length}"))
    }
}

/// A list with more than `max` items.
pub(crate) fn items(count: usize, max: u64) -> Option<String> {
    (count as u64 > max).then(|| format!("must have at most {max} items, it has {count}"))
}

/// A member that must be given.
pub(crate) fn required(is_present: bool) -> Option<String> {
    (!is_present).then(|| "is required".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_says_the_limit_and_the_value() {
        let rows = [
            (range(1, 1, 10_000), None),
            (range(10_000, 1, 10_000), None),
            (range(0, 1, 10_000), Some("must be from 1 to 10000, it is 0")),
            (range(-1, 0, i64::MAX), Some("must be at least 0, it is -1")),
            (length("abc", 3, 3), None),
            (length("", 1, 5), Some("must not be empty")),
            (length("日本", 1, 5), Some("must have from 1 to 5 bytes, it has 6")),
            (length("a", 2, u64::MAX), Some("must have at least 2 bytes, it has 1")),
            (items(10, 10), None),
            (items(11, 10), Some("must have at most 10 items, it has 11")),
            (required(true), None),
            (required(false), Some("is required")),
        ];
        for (index, (found, expected)) in rows.iter().enumerate() {
            assert_eq!(found.as_deref(), *expected, "row {index}");
        }
    }

    #[test]
    fn the_way_to_a_member_is_written_with_dots() {
        let invalid = Invalid::new("max_age_seconds", "must be at least 0, it is -1")
            .inside("CORSRule[2]")
            .inside("cors");
        assert_eq!(
            invalid.to_string(),
            "`cors.CORSRule[2].max_age_seconds` must be at least 0, it is -1"
        );
    }
}
