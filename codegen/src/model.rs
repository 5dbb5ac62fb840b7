//! The model files as they are written: serde types that mirror `docs/model-format.md`, and nothing decided yet.
//!
//! [`structure`] checks keys and kinds of values with positions; what it lets through always fits these types.

pub mod file;
pub mod keys;
pub mod structure;

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_yaml::Value;

/// A map in the order of the file.
#[derive(Debug, Clone)]
pub struct Named<T>(pub Vec<(String, T)>);

/// `service.yaml`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "docs/model-format.md explains each key; the names are the same"
)]
pub struct ServiceFile {
    pub service: String,
    pub protocol: String,
    pub product: String,
    pub api_version: Option<String>,
    pub doc: String,
    pub reference: Option<String>,
    pub hosts: Named<String>,
    pub bucket_host: Option<String>,
    pub bucket_name: Option<String>,
    pub alias_host: Option<String>,
    pub signing: String,
    pub subresources: Vec<String>,
    pub unsigned: Vec<String>,
    pub errors: Named<ErrorCode>,
}

/// An entry of `errors` of a service.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "docs/model-format.md explains each key; the names are the same"
)]
pub struct ErrorCode {
    pub status: i64,
    pub doc: String,
}

/// `<group>.yaml` and `common.yaml`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "docs/model-format.md explains each key; the names are the same"
)]
pub struct GroupFile {
    pub service: String,
    pub group: String,
    pub operations: Named<Operation>,
    pub waiters: Named<Waiter>,
    pub shapes: Named<Shape>,
    pub enums: Named<Enum>,
}

/// An entry of `operations`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "docs/model-format.md explains each key; the names are the same"
)]
pub struct Operation {
    pub doc: String,
    pub http: String,
    pub headers: Named<String>,
    pub request: Named<Member>,
    pub result: Named<Member>,
    pub request_root: Option<String>,
    pub result_root: Option<String>,
    pub content_md5: bool,
    pub success: Vec<i64>,
    pub idempotent: Option<bool>,
    pub presign: bool,
    pub paginate: Option<Paginate>,
    pub errors: Vec<String>,
    pub traits: Vec<String>,
    pub query_when: Vec<QueryWhen>,
    pub any_of: Vec<Vec<String>>,
    pub subresources: Vec<String>,
    pub since: Option<String>,
    pub deprecated: Option<String>,
    pub reference: Option<String>,
}

/// `paginate` of an operation.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "docs/model-format.md explains each key; the names are the same"
)]
pub struct Paginate {
    pub token: Named<String>,
    pub more: Option<String>,
    pub items: Vec<String>,
    pub limit: Option<String>,
}

/// An entry of `query_when` of an operation.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "docs/model-format.md explains each key; the names are the same"
)]
pub struct QueryWhen {
    pub set: String,
    pub query: String,
}

/// An entry of `waiters`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "docs/model-format.md explains each key; the names are the same"
)]
pub struct Waiter {
    pub doc: String,
    pub operation: String,
    pub delay: Option<(i64, i64)>,
    pub timeout: i64,
    pub done: Vec<Condition>,
    pub fail: Vec<Condition>,
    pub again: Vec<Condition>,
}

/// An entry of `done`, `fail` or `again` of a waiter.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "docs/model-format.md explains each key; the names are the same"
)]
pub struct Condition {
    pub success: bool,
    pub error: Option<Vec<String>>,
    pub member: Option<String>,
    pub is: Option<Vec<String>>,
    pub contains: Option<String>,
    pub ends_with: Option<String>,
}

/// An entry of `request`, `result` or `members`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "docs/model-format.md explains each key; the names are the same"
)]
pub struct Member {
    #[serde(rename = "in")]
    pub place: Option<String>,
    pub wire: Option<String>,
    #[serde(rename = "type")]
    pub ty: Option<String>,
    pub list: Option<String>,
    pub map: Option<String>,
    pub required: bool,
    pub default: Option<Value>,
    pub range: Option<(i64, i64)>,
    pub length: Option<(i64, i64)>,
    pub max_items: Option<i64>,
    pub pattern: Option<String>,
    pub format: Option<String>,
    pub prefix: Option<String>,
    pub bucket_arn: bool,
    pub rest: bool,
    pub sensitive: bool,
    pub url_decoded: bool,
    pub aliases: Vec<String>,
    pub since: Option<String>,
    pub deprecated: Option<String>,
    pub doc: String,
}

/// An entry of `shapes`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "docs/model-format.md explains each key; the names are the same"
)]
pub struct Shape {
    pub wire: Option<String>,
    pub doc: String,
    pub members: Named<Member>,
    pub exclusive: Vec<Vec<String>>,
    pub one_of: bool,
}

/// An entry of `enums`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "docs/model-format.md explains each key; the names are the same"
)]
pub struct Enum {
    pub doc: String,
    pub values: Named<EnumValue>,
}

/// An entry of `values`: a sentence, or a sentence and a variant.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
#[expect(
    missing_docs,
    reason = "docs/model-format.md explains each key; the names are the same"
)]
pub enum EnumValue {
    Doc(String),
    Full {
        #[serde(default)]
        variant: Option<String>,
        #[serde(default)]
        doc: String,
    },
}

impl EnumValue {
    /// The sentence.
    pub fn doc(&self) -> &str {
        match self {
            EnumValue::Doc(doc) | EnumValue::Full { doc, .. } => doc,
        }
    }

    /// The variant, when the model names it.
    pub fn variant(&self) -> Option<&str> {
        match self {
            EnumValue::Doc(_) => None,
            EnumValue::Full { variant, .. } => variant.as_deref(),
        }
    }
}

impl<T> Named<T> {
    /// Names and values in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T> Default for Named<T> {
    fn default() -> Self {
        Named(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for InOrder<T> {
            type Value = Named<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Named<T>, A::Error> {
                let mut entries = Vec::with_capacity(map.size_hint().unwrap_or(0));
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Named(entries))
            }
        }
        deserializer.deserialize_map(InOrder(PhantomData))
    }
}
