//! What the service calls a bucket for which callers have a short name: agentic buckets and bucket spaces.
//!
//! Their names have the account and the region in them, `{bucket}-{account_id}-{region}-ab-apsr`. That name is in the
//! address and in the signature. The first label of a host has at most 63 bytes, which such a name soon exceeds, so
//! there is an alias that stands in the host only.

use crate::error::Error;
use crate::service::ServiceSpec;

/// Bucket spaces: ordinary buckets of the object service under names of their own.
#[cfg(feature = "agentic")]
pub(crate) const BUCKET_SPACES: Naming = Naming {
    name: "{bucket}-{account_id}-{region}-bs-apsr",
    alias: Some("{bucket}-alias-bs-apsr"),
};

/// Templates of a service's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Naming {
    /// With `{bucket}`, `{account_id}` and `{region}`.
    pub(crate) name: &'static str,
    /// First label of a host; with `{bucket}`.
    pub(crate) alias: Option<&'static str>,
}

/// A bucket under its names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NamedBucket {
    /// What the service calls it.
    pub(crate) name: String,
    /// First label of a host, if that is not the name.
    pub(crate) alias: Option<String>,
}

impl Naming {
    pub(crate) fn of(service: &ServiceSpec) -> Option<Self> {
        let name = service.bucket_name?;
        Some(Naming {
            name,
            alias: service.alias_host,
        })
    }

    /// The names of a bucket. The service's own name is taken as it is: lists of buckets have it.
    pub(crate) fn named(&self, bucket: &str, account_id: &str, region: &str) -> Result<NamedBucket, Error> {
        let whole = self
            .name
            .replace("{account_id}", account_id)
            .replace("{region}", region);
        let (before, after) = whole.split_once("{bucket}").unwrap_or(("", &whole));
        let short = bucket
            .strip_prefix(before)
            .and_then(|bucket| bucket.strip_suffix(after))
            .filter(|short| !short.is_empty() && !after.is_empty())
            .unwrap_or(bucket);
        if let Some(rule) = short_name_rule(short) {
            return Err(Error::invalid_input("bucket", rule));
        }
        Ok(NamedBucket {
            name: [before, short, after].concat(),
            alias: self.alias.map(|alias| alias.replace("{bucket}", short)),
        })
    }
}

/// The rule that a short name breaks. It may be shorter than a bucket's name, since more follows.
fn short_name_rule(name: &str) -> Option<&'static str> {
    let is_valid = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.is_empty() {
        Some("must not be empty")
    } else if !name.bytes().all(is_valid) {
        Some("must consist of `a-z`, `0-9` and `-`")
    } else if name.starts_with('-') || name.ends_with('-') {
        Some("must not begin or end with `-`")
    } else if name.len() > 63 {
        Some("must have at most 63 characters")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    const AGENTIC: Naming = Naming {
        name: "{bucket}-{account_id}-{region}-ab-apsr",
        alias: Some("{bucket}-alias-ab-apsr"),
    };

    #[test]
    fn a_short_name_becomes_the_services_and_that_stays() {
        let name = "demo-123-cn-hangzhou-ab-apsr";
        let expected = NamedBucket {
            name: name.to_owned(),
            alias: Some("demo-alias-ab-apsr".to_owned()),
        };
        assert_eq!(AGENTIC.named("demo", "123", "cn-hangzhou").unwrap(), expected);
        assert_eq!(AGENTIC.named(name, "123", "cn-hangzhou").unwrap(), expected);
        // The name of another account is no name of this one's.
        let other = AGENTIC.named(name, "124", "cn-hangzhou").unwrap();
        assert_eq!(other.name, format!("{name}-124-cn-hangzhou-ab-apsr"));
        assert_eq!(
            AGENTIC.named("a", "1", "r").unwrap().name,
            "a-1-r-ab-apsr",
            "shorter than the name of a bucket may be"
        );
    }

    #[test]
    fn short_names_have_the_letters_of_buckets() {
        for name in ["", "-a", "a-", "A", "a.b", "a/b", "日", &"a".repeat(64)] {
            let error = AGENTIC.named(name, "1", "r").unwrap_err();
            assert_eq!(
                (error.kind(), error.member()),
                (ErrorKind::InvalidInput, Some("bucket")),
                "{name}"
            );
        }
    }
}
