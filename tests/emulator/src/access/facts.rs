//! What conditions of policies can ask about a request.

use super::{Access, Need, Target, actions};
use crate::document::xml::{self, Element};
use crate::policy::Facts;
use crate::request::Query;
use crate::time;

/// Collects the facts of a request for one target.
pub(super) fn of(access: &Access<'_>, operation: &str, target: Target<'_>) -> Facts {
    let head = access.head;
    let mut facts = Facts::new();
    let mut set = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            facts.insert(key.to_owned(), value);
        }
    };
    let owned = |text: Option<&str>| text.map(str::to_owned);
    set(
        "acs:SourceIp",
        head.transport.peer.map(|peer| peer.to_canonical().to_string()),
    );
    set("acs:SecureTransport", Some(head.transport.secure.to_string()));
    set("acs:MFAPresent", Some(false.to_string()));
    set("acs:CurrentTime", Some(time::iso8601_millis(access.now)));
    set("acs:UserAgent", owned(head.header("user-agent")));
    set("acs:AccessId", owned(access.principal.access_key_id()));
    set("oss:x-oss-acl", owned(head.header("x-oss-acl")));
    set("oss:x-oss-object-acl", owned(head.header("x-oss-object-acl")));
    if matches!(
        operation,
        "ListObjects" | "ListObjectsV2" | "ListObjectVersions" | "ListMultipartUploads"
    ) {
        // A listing without a prefix has the empty one.
        set(
            "oss:Prefix",
            Some(head.query.get("prefix").unwrap_or_default().to_owned()),
        );
        set(
            "oss:Delimiter",
            Some(head.query.get("delimiter").unwrap_or_default().to_owned()),
        );
    }
    let document = target
        .bucket
        .and_then(|bucket| access.state.store.config(&bucket.name, "tagging").ok().flatten());
    if let Some(document) = document {
        for (key, value) in elements(&document, "Key").into_iter().zip(elements(&document, "Value")) {
            set(&format!("oss:BucketTag/{key}"), Some(value));
        }
    }
    let writes = actions::need(operation) == Need::Write;
    // Whoever overwrites an object does not read its tags.
    if let (Some(object), false) = (target.object, writes) {
        for (key, value) in &object.meta.tags {
            set(&format!("oss:ExistingObjectTag/{key}"), Some(value.clone()));
        }
    }
    let tags = head.header("x-oss-tagging").and_then(|tags| Query::parse(tags).ok());
    for tag in tags.iter().flat_map(Query::iter) {
        set(&format!("oss:RequestObjectTag/{}", tag.name), Some(tag.value.clone()));
    }
    facts
}

/// Texts of all elements of a name in a stored document.
pub(super) fn elements(document: &[u8], name: &str) -> Vec<String> {
    fn collect(element: &Element, name: &str, found: &mut Vec<String>) {
        if element.name == name {
            found.push(element.text.clone());
        }
        for child in &element.children {
            collect(child, name, found);
        }
    }
    let mut found = Vec::new();
    if let Ok(root) = xml::parse(&String::from_utf8_lossy(document)) {
        collect(&root, name, &mut found);
    }
    found
}
