//! Names of resources and the patterns that match them.

use crate::text::wildcard;

/// Parts of a name: `acs`, service, region, account and what the service calls the resource.
const PARTS: usize = 5;

/// A pattern such as `acs:oss:*:*:bucket/*`, or `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern(String);

impl Pattern {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text != "*" && (!text.starts_with("acs:") || text.split(':').count() < PARTS) {
            return Err(format!(
                "the resource {text} is neither * nor of the form acs:service:region:account:resource"
            ));
        }
        if text.contains("${") {
            return Err(format!("the emulator knows no variables, and {text} has one"));
        }
        Ok(Self(text.to_owned()))
    }

    /// Parts are compared with parts, since a `*` for the account could otherwise reach into a key that holds colons.
    pub(super) fn matches(&self, name: &str) -> bool {
        if self.0 == "*" {
            return true;
        }
        let (mut patterns, mut parts) = (self.0.splitn(PARTS, ':'), name.splitn(PARTS, ':'));
        (0..PARTS).all(|_| match (patterns.next(), parts.next()) {
            (Some(pattern), Some(part)) => wildcard(pattern, part),
            _ => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_stays_inside_its_part_of_the_name() {
        for (pattern, name, expected) in [
            ("*", "anything", true),
            ("acs:oss:*:*:mine/*", "acs:oss:cn:1:mine/a", true),
            ("acs:oss:*:*:mine/*", "acs:oss:cn:1:mine", false),
            ("acs:oss:*:*:mine/*", "acs:oss:cn:1:other/x:mine/a", false),
            ("acs:oss:*:*:mine/a:b", "acs:oss:cn:1:mine/a:b", true),
            ("acs:oss:*:2:*", "acs:oss:cn:1:mine/a", false),
            ("acs:oss:*:*:Mine/*", "acs:oss:cn:1:mine/a", false),
        ] {
            assert_eq!(
                Pattern::parse(pattern).unwrap().matches(name),
                expected,
                "{pattern} {name}"
            );
        }
    }

    #[test]
    fn other_forms_and_variables_are_refused() {
        for text in ["", "bucket/*", "acs:oss:*", "acs:oss:*:*:home/${acs:UserName}/*"] {
            assert!(Pattern::parse(text).is_err(), "{text}");
        }
    }
}
