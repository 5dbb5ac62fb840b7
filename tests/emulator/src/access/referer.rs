//! Rules about the pages that link to objects. They hold for requests without a signature and for presigned ones.

use super::{Access, facts};
use crate::document::xml;
use crate::error::ServiceError;
use crate::store::BucketInfo;
use crate::text::wildcard;

struct Rules {
    allow_empty: bool,
    truncate_query: bool,
    truncate_path: bool,
    allowed: Vec<String>,
    forbidden: Vec<String>,
}

/// Refuses a request for an object that comes from a page it must not come from.
pub(super) fn check(access: &Access<'_>, bucket: &BucketInfo, key: Option<&str>) -> Result<(), ServiceError> {
    if key.is_none() || access.head.headers.contains_key("authorization") {
        return Ok(());
    }
    let Some(document) = access.state.store.config(&bucket.name, "referer")? else {
        return Ok(());
    };
    let referer = access.head.header("referer").unwrap_or_default();
    match Rules::read(&document).refuses(referer) {
        Some(number) => Err(ServiceError::access_denied("You are denied by bucket referer policy.").numbered(number)),
        None => Ok(()),
    }
}

impl Rules {
    fn read(document: &[u8]) -> Self {
        let root = xml::parse(&String::from_utf8_lossy(document)).unwrap_or_default();
        let flag = |name: &str, default: bool| match facts::elements(document, name).first() {
            Some(text) => text == "true",
            None => default,
        };
        let list = |name: &str| {
            let lists = root.children.iter().filter(|child| child.name == name);
            let referers = lists
                .flat_map(|list| &list.children)
                .map(|referer| referer.text.trim().to_owned());
            referers.filter(|referer| !referer.is_empty()).collect()
        };
        Self {
            allow_empty: flag("AllowEmptyReferer", true),
            truncate_query: flag("AllowTruncateQueryString", true),
            truncate_path: flag("TruncatePath", false),
            allowed: list("RefererList"),
            forbidden: list("RefererBlacklist"),
        }
    }

    /// The number of the error that a referer meets, if it does.
    fn refuses(&self, referer: &str) -> Option<&'static str> {
        if self.allowed.is_empty() && self.forbidden.is_empty() {
            return None;
        }
        if referer.is_empty() {
            // Without a list of pages that may link, an empty referer is not asked about.
            let refused = !self.allow_empty && !self.allowed.is_empty();
            return refused.then_some("0003-00000501");
        }
        let referer = self.truncated(referer);
        let listed = |list: &[String]| list.iter().any(|pattern| matches(pattern, referer));
        if listed(&self.forbidden) {
            return Some("0003-00000502");
        }
        let refused = !self.allowed.is_empty() && !listed(&self.allowed);
        refused.then_some("0003-00000503")
    }

    fn truncated<'r>(&self, referer: &'r str) -> &'r str {
        let end = if self.truncate_path {
            let host = referer.find("://").map_or(0, |scheme| scheme + 3);
            referer
                .get(host..)
                .and_then(|rest| rest.find(['/', '?', '#']))
                .map(|path| host + path)
        } else if self.truncate_query {
            referer.find('?')
        } else {
            None
        };
        end.and_then(|end| referer.get(..end)).unwrap_or(referer)
    }
}

/// Entries are compared with the beginning of the header.
fn matches(pattern: &str, referer: &str) -> bool {
    wildcard(&format!("{pattern}*"), referer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn referers_are_cut_before_they_are_compared() {
        let rules = |query: bool, path: bool| Rules {
            allow_empty: false,
            truncate_query: query,
            truncate_path: path,
            allowed: vec!["x".to_owned()],
            forbidden: Vec::new(),
        };
        let long = "https://a.example/b/c?d=e";
        assert_eq!(rules(false, false).truncated(long), long);
        assert_eq!(rules(true, false).truncated(long), "https://a.example/b/c");
        assert_eq!(rules(true, true).truncated(long), "https://a.example");
        assert_eq!(rules(true, true).truncated("a.example/b"), "a.example");
    }
}
